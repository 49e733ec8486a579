"""Correcting the mean scores of a judging run with a certificate's error rates.

Where some of the run's responses have reference verdicts among the certified ones, the
prediction-powered mean stands beside the Rogan-Gladen one. The two assume different things: the
first that those responses were drawn at random from the run's, the second that the judge errs on
the run's responses as on the certified ones.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import rubricbench
from rubricbench.certify.correct import Graded, Rates, corrected_mean, error_rates
from rubricbench.certify.measure import Measure, Prompts
from rubricbench.certify.pairs import About, Asked, Pairs
from rubricbench.certify.pairs_file import read_pairs
from rubricbench.certify.ppi import LEAST_LABELLED, prediction_powered_mean
from rubricbench.certify.run import PAIRS
from rubricbench.certify.scores import graded
from rubricbench.certify.verdict_files import (
    RUN_FILE,
    Answered,
    Given,
    Key,
    RunResponse,
    read_verdicts,
    require_same_templates,
)
from rubricbench.errors import InputError
from rubricbench.readers import RubricIndex
from rubricbench.runs import RunDirectory, atomic_write, file_hash

STAGE = "correct"
RECORD = "corrected.json"


class CorrectJob(msgspec.Struct, frozen=True, kw_only=True):
    """What to correct, and with what.

    Args:
        certified: directory of a certification, or its verdict pairs.
        verdicts: directory of a judging run, or its verdicts.
        rubrics: the rubrics of that run.
        out: the run directory of the result.
        variant: the variant of the certification that asked as the run did; its only one if not
            given.
    """

    certified: Path
    verdicts: Path
    rubrics: str
    out: Path
    variant: str = ""


class CorrectedGenerator(msgspec.Struct, frozen=True, kw_only=True):
    """A generator's mean score, corrected.

    Args:
        name: the generator.
        judged: mean score the judge gave, over responses whose verdicts are all known.
        corrected: the mean after Rogan and Gladen; without a value where verdicts are unknown.
        low: that mean with every unknown criterion turned against the responses.
        high: and in their favour.
        unknown: share of the absolute weight whose verdict is unknown.
        pooled: kinds of criteria corrected with the rates of all.
        prediction_powered: mean by prediction-powered inference; no value where fewer than two
            responses have references, or none is without.
        labelled: responses with references for all criteria.
        power: how far the judge was relied on there, 0 to 1.
        responses: how many; each grading of a response counts.
    """

    name: str
    judged: Measure
    corrected: Measure
    low: float
    high: float
    unknown: float
    pooled: tuple[str, ...]
    prediction_powered: Measure
    labelled: int
    power: float | None
    responses: int


class RatesRecord(msgspec.Struct, frozen=True):
    """The error rates used: mean credit given to what is met and to what is not."""

    met: float
    unmet: float
    labels: int
    pooled: bool


class CorrectedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What ``corrected.json`` holds.

    Args:
        rubricbench: version that corrected.
        asked: the judge and how it was asked.
        rates: on merits and on penalties.
        generators: by name.
    """

    rubricbench: str
    asked: Asked
    rates: dict[str, RatesRecord]
    generators: list[CorrectedGenerator]


def correct_files(job: CorrectJob) -> CorrectedRecord:
    """Correct a run's mean score of every generator.

    Raises:
        InputError: a file cannot be used, the certificate is of another judge or way of asking, or
            the judge is no better than a coin.
        RunError: the run directory is another run's, in use, or cannot be written.
    """
    certified = job.certified / PAIRS if job.certified.is_dir() else job.certified
    verdicts = job.verdicts / RUN_FILE if job.verdicts.is_dir() else job.verdicts
    pairs, about = _variant(certified, job.variant)
    asked = next((a for a in about.asked if a.variant == pairs.variant), Asked(variant="given"))
    responses = read_verdicts(verdicts, RubricIndex(job.rubrics), asked)
    require_same_templates(verdicts, asked)
    labelled = graded(pairs)
    if labelled is None:
        raise InputError("no certified response has a score", where=str(certified))
    rates = error_rates(labelled)
    references = _references(pairs)
    by_generator: dict[str, dict[Key, RunResponse]] = defaultdict(dict)
    for key, response in responses.items():
        by_generator[response.generator][key] = response
    record = CorrectedRecord(
        rubricbench=rubricbench.__version__,
        asked=asked,
        rates={k: RatesRecord(r.met, r.unmet, r.items, r.pooled) for k, r in rates.items()},
        generators=[
            _generator(name, own, rates, references) for name, own in sorted(by_generator.items())
        ],
    )
    data = {"certified": file_hash(certified), "verdicts": file_hash(verdicts)}
    config = {"variant": pairs.variant, "rubrics": job.rubrics}
    with RunDirectory(job.out, command=STAGE, config=config, data=data) as directory:
        encoded = msgspec.json.format(msgspec.json.encode(record), indent=2)
        atomic_write(directory.path(RECORD), encoded + b"\n")
        directory.mark_done(STAGE, (RECORD,))
    return record


def _variant(path: Path, wanted: str) -> tuple[Pairs, About]:
    variants, about = read_pairs(path)
    names = [pairs.variant for pairs in variants]
    if not wanted and len(variants) > 1:
        raise InputError(
            f"{len(variants)} variants are certified there",
            where=str(path),
            hint="name one with --variant: " + ", ".join(names),
        )
    if wanted and wanted not in names:
        raise InputError(
            f"variant {wanted!r:.60} is not certified there",
            where=str(path),
            hint="choose from " + ", ".join(names),
        )
    return variants[names.index(wanted) if wanted else 0], about


def _references(pairs: Pairs) -> dict[Answered, Given]:
    """Return the reference credits of every certified response."""
    found: dict[Answered, Given] = defaultdict(dict)
    keys = zip(pairs.prompt_id.tolist(), pairs.response_id.tolist(), strict=True)
    for key, name, value in zip(
        keys, pairs.criterion_id.tolist(), pairs.reference.tolist(), strict=True
    ):
        found[key][name] = value
    return found


def _generator(
    name: str,
    responses: dict[Key, RunResponse],
    rates: dict[str, Rates],
    references: dict[Answered, Given],
) -> CorrectedGenerator:
    target = _graded(responses, {key: r.credit for key, r in responses.items()})
    found = corrected_mean(target, rates)
    powered, labelled, power = _powered(responses, references)
    return CorrectedGenerator(
        name=name,
        judged=found.judged,
        corrected=found.corrected,
        low=found.bounds[0],
        high=found.bounds[1],
        unknown=found.unknown,
        pooled=found.pooled,
        prediction_powered=powered,
        labelled=labelled,
        power=power,
        responses=len(responses),
    )


def _graded(responses: Mapping[Key, RunResponse], credits: Mapping[Key, Given]) -> Graded:
    """Return responses as arrays, with these credits."""
    prompt, number, share, credit, exact = [], [], [], [], []
    for i, (key, response) in enumerate(responses.items()):
        total = response.rubric.total_weight
        for criterion in response.rubric.criteria:
            prompt.append(key[0])
            number.append(i)
            share.append(criterion.weight / total)
            credit.append(credits[key].get(criterion.id, float("nan")))
            exact.append(criterion.check is not None)
    unknown = np.full(len(share), np.nan)
    return Graded(
        Prompts(prompt),
        np.array(number, dtype=np.int64),
        np.array(share),
        np.array(credit),
        unknown,
        np.array(exact, dtype=bool),
    )


def _powered(
    responses: dict[Key, RunResponse], references: dict[Answered, Given]
) -> tuple[Measure, int, float | None]:
    """Return the prediction-powered mean, how many responses are labelled, and the power used."""
    labelled = {
        key: r
        for key, r in responses.items()
        if _complete(r, _truth(r, references.get(key[:2], {}))) and _complete(r, r.credit)
    }
    others = {k: r for k, r in responses.items() if k not in labelled and _complete(r, r.credit)}
    if len(labelled) < LEAST_LABELLED or not others:
        return Measure(None), len(labelled), None
    truth = _scores(
        _graded(labelled, {k: _truth(r, references[k[:2]]) for k, r in labelled.items()})
    )
    judged = _scores(_graded(labelled, {k: r.credit for k, r in labelled.items()}))
    unlabelled = _scores(_graded(others, {k: r.credit for k, r in others.items()}))
    found = prediction_powered_mean(
        truth,
        judged,
        Prompts([key[0] for key in labelled]),
        unlabelled,
        Prompts([key[0] for key in others]),
    )
    return found.mean, len(labelled), found.power


def _truth(response: RunResponse, reference: Given) -> Given:
    """Return the references of a response; a program's verdicts are true."""
    checked = {c.id: response.credit[c.id] for c in response.rubric.criteria if c.check}
    return {**reference, **checked}


def _complete(response: RunResponse, given: Given) -> bool:
    return all(
        name in given and given[name] == given[name]
        for name in (c.id for c in response.rubric.criteria)
    )


def _scores(target: Graded) -> Any:
    return np.bincount(target.response, target.share * target.credit, target.responses)
