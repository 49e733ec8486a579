"""From verdict pairs to a certificate: a pure function of both."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

import rubricbench
from rubricbench.certify import effects
from rubricbench.certify.agreement import CELLS, agreement, confusion
from rubricbench.certify.certificate import (
    Bin,
    Certificate,
    CorrectionCheck,
    Effects,
    Group,
    Groups,
    Reliability,
    Source,
    VariantCertificate,
)
from rubricbench.certify.correct import corrected_mean, error_rates, mean_of_scores
from rubricbench.certify.measure import Measure, Prompts, mean, rate
from rubricbench.certify.pairs import About, Asked, Pairs
from rubricbench.certify.scores import graded, response_scores, score_figures
from rubricbench.draws import Draws
from rubricbench.errors import InputError

LEAST_OF_EACH = 5  # references of either kind, for a tag or criterion to have figures
BINS = 10
MOST_GROUPS = 500


def certificate(variants: Sequence[Pairs], about: About) -> Certificate:
    """Return the certificate of verdict pairs.

    Args:
        variants: the pairs of each variant.
        about: where they come from.

    Raises:
        InputError: no pair has a reference.
    """
    asked = {a.variant: a for a in about.asked}
    return Certificate(
        rubricbench=rubricbench.__version__,
        source=_source(variants[0], about),
        variants=[_variant(pairs, asked.get(pairs.variant)) for pairs in variants],
    )


def _source(pairs: Pairs, about: About) -> Source:
    """Describe the labels, by one grading of each response."""
    once = pairs.where(pairs.replicate == pairs.replicate.min())
    known = ~np.isnan(once.reference)
    if not known.any():
        raise InputError("no verdict has a reference", hint="label some criteria as met or unmet")
    responses = set(zip(once.prompt_id.tolist(), once.response_id.tolist(), strict=True))
    tied = np.isnan(once.reference) & (once.agreement == 0.5)
    return Source(
        name=about.labels,
        form=about.form,
        data_hash=about.data_hash,
        prompts=len(set(once.prompt_id.tolist())),
        responses=len(responses),
        references=int(known.sum()),
        met=float(once.reference[known].mean()),
        ties=about.ties or int(tied.sum()),
        unlabelled=about.unlabelled,
        annotator_agreement=_annotator_agreement(once),
    )


def _annotator_agreement(pairs: Pairs) -> Measure:
    """Return how often two annotators agree.

    With k of m on one side, C(k,2) + C(m-k,2) of the C(m,2) pairs do.
    """
    rows = (pairs.annotators >= 2) & ~np.isnan(pairs.agreement)
    if not rows.any():
        return Measure(None)
    m = pairs.annotators[rows]
    k = np.round(pairs.agreement[rows] * m)
    agreeing = (k * (k - 1) + (m - k) * (m - k - 1)) / (m * (m - 1))
    return mean(agreeing, Prompts(pairs.prompt_id[rows].astype(str)))


def _variant(pairs: Pairs, asked: Asked | None) -> VariantCertificate:
    judged = pairs.where(~pairs.checked & ~np.isnan(pairs.reference))
    known = judged.where(~np.isnan(judged.credit))
    unknown = np.isnan(judged.credit)
    causes = Counter(str(cause or "not stated") for cause in judged.cause[unknown])
    counts = _confusion(known)
    return VariantCertificate(
        asked=asked or Asked(variant=pairs.variant, replicates=len(np.unique(pairs.replicate))),
        verdicts=len(judged),
        causes=dict(sorted(causes.items())),
        confusion=dict(zip(CELLS, (int(n) for n in counts.sum(axis=0)), strict=True)),
        unknown=_unknown(judged),
        agreement=agreement(counts),
        annotators=_with_annotators(pairs),
        flips=_flips(pairs.where(~pairs.checked)),
        scores=score_figures(response_scores(pairs)),
        effects=_effects(known),
        by_tag=_by_tag(judged),
        by_criterion=_by_criterion(judged),
        reliability=_reliability(known),
        corrections=_corrections(pairs),
    )


def _prompts(pairs: Pairs) -> Prompts:
    return Prompts(pairs.prompt_id.astype(str))


def _confusion(known: Pairs) -> NDArray[np.float64]:
    return confusion(known.reference == 1, known.said == 1, _prompts(known))


def _unknown(judged: Pairs) -> Measure:
    unknown = np.isnan(judged.credit)
    return rate(unknown, np.ones(len(judged), dtype=bool), _prompts(judged))


def _with_annotators(pairs: Pairs) -> Measure:
    """Return how often the judge agrees with an annotator drawn at random, ties included."""
    rows = (
        ~pairs.checked
        & (pairs.annotators >= 1)
        & ~np.isnan(pairs.agreement)
        & ~np.isnan(pairs.credit)
    )
    part = pairs.where(rows)
    tied = np.isnan(part.reference)
    same = np.where(tied, 0.5, part.reference == part.said)
    share = np.where(tied, 0.5, np.where(same == 1, part.agreement, 1 - part.agreement))
    return mean(share, _prompts(part)) if len(part) else Measure(None)


def _flips(pairs: Pairs) -> Measure:
    """Return the share of pairs of gradings of one criterion whose known verdicts differ.

    Of n gradings with k met, k(n-k) of the n(n-1)/2 pairs differ; a criterion counts once.
    """
    met: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    keys = zip(
        pairs.prompt_id.tolist(),
        pairs.response_id.tolist(),
        pairs.criterion_id.tolist(),
        strict=True,
    )
    for key, verdict in zip(keys, pairs.said.tolist(), strict=True):
        if verdict == verdict:
            met[key].append(verdict)
    repeated = {key: found for key, found in met.items() if len(found) > 1}
    if not repeated:
        return Measure(None)
    n = np.array([len(found) for found in repeated.values()], dtype=np.float64)
    k = np.array([sum(found) for found in repeated.values()])
    prompts = Prompts([key[0] for key in repeated])
    differing = k * (n - k) / (n * (n - 1) / 2)
    if (n == 2).all():
        return rate(differing == 1, np.ones(len(n), dtype=bool), prompts)
    return mean(differing, prompts)


def _effects(known: Pairs) -> Effects:
    error = known.credit - known.reference
    ids = known.prompt_id.astype(str)
    place = effects.place(known.position, known.listed)
    return Effects(
        position=effects.slope(error, place, known.reference, ids),
        length=effects.slope(error, effects.doublings(known.words), known.reference, ids),
    )


def _by_tag(judged: Pairs) -> Groups:
    rows: dict[str, list[int]] = defaultdict(list)
    for i, tags in enumerate(judged.tags):
        for tag in dict.fromkeys(tags):
            rows[tag].append(i)
    return _groups(judged, {(tag, ""): found for tag, found in rows.items()})


def _by_criterion(judged: Pairs) -> Groups:
    rows: dict[tuple[str, str], list[int]] = defaultdict(list)
    names = judged.criterion.tolist()
    for i, criterion_id in enumerate(judged.criterion_id.tolist()):
        rows[str(names[i] or criterion_id), criterion_id].append(i)
    return _groups(judged, rows)


def _groups(judged: Pairs, members: dict[tuple[str, str], list[int]]) -> Groups:
    shown = []
    for (name, identifier), rows in members.items():
        numbers = np.array(rows, dtype=np.int64)
        references = judged.reference[numbers[~np.isnan(judged.credit[numbers])]]
        met = int((references == 1).sum())
        if min(met, len(references) - met) >= LEAST_OF_EACH:
            shown.append(_group(judged.where(numbers), name, identifier))
    shown.sort(key=lambda group: (-group.verdicts, group.name))
    return Groups(shown[:MOST_GROUPS], len(members) - len(shown), LEAST_OF_EACH)


def _group(judged: Pairs, name: str, identifier: str) -> Group:
    known = judged.where(~np.isnan(judged.credit))
    return Group(
        name=name,
        id=identifier,
        verdicts=len(known),
        met=float(known.reference.mean()),
        unknown=_unknown(judged),
        agreement=agreement(_confusion(known)),
    )


def _reliability(known: Pairs) -> Reliability | None:
    soft = known.where(~np.isnan(known.p_met))
    if not len(soft):
        return None
    number = np.minimum((soft.p_met * BINS).astype(np.int64), BINS - 1)
    bins, error = [], 0.0
    for i in range(BINS):
        mask = number == i
        if not mask.any():
            continue
        share = rate(soft.reference == 1, mask, _prompts(soft))
        stated = float(soft.p_met[mask].mean())
        error += abs(stated - float(share.value or 0.0)) * float(mask.mean())
        bins.append(Bin(i / BINS, (i + 1) / BINS, stated, share))
    base = float(soft.reference.mean())
    return Reliability(
        bins=bins,
        error=error,
        brier=float(np.mean((soft.p_met - soft.reference) ** 2)),
        brier_base=base * (1 - base),
        items=len(soft),
    )


def _corrections(pairs: Pairs) -> list[CorrectionCheck]:
    """Correct each generator's mean with rates learnt on the others; of one, by halves of prompts.

    On the verdicts they were learnt on, rates return the true mean whatever they are, so a check
    has to learn them elsewhere.
    """
    generators = sorted(set(pairs.generator.tolist()))
    if len(generators) > 1:
        return [
            _correction(pairs, pairs.generator == name, name or "(no name)", "the other generators")
            for name in generators
        ]
    halves = np.array([Draws(0, "correction halves", str(p)).below(2) for p in pairs.prompt_id])
    return [
        _correction(pairs, halves == i, f"{this} half of the prompts", f"the {other} half")
        for i, (this, other) in enumerate((("first", "second"), ("second", "first")))
    ]


def _correction(
    pairs: Pairs, mask: NDArray[np.bool_], part: str, learnt_on: str
) -> CorrectionCheck:
    target, labelled = graded(pairs.where(mask)), graded(pairs.where(~mask))
    nothing = Measure(None)
    if target is None:
        return CorrectionCheck(
            part=part,
            learnt_on=learnt_on,
            judged=nothing,
            corrected=nothing,
            reference=nothing,
            note="no response has a score",
        )
    reference, judged = (mean_of_scores(target, v) for v in (target.reference, target.credit))
    check = CorrectionCheck(
        part=part, learnt_on=learnt_on, judged=judged, corrected=nothing, reference=reference
    )
    try:
        if labelled is None:
            raise InputError("no labelled response has a score")
        found = corrected_mean(target, error_rates(labelled))
    except InputError as error:
        return msgspec.structs.replace(check, note=error.what)
    return msgspec.structs.replace(check, corrected=found.corrected)
