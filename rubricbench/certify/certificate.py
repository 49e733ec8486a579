"""The certificate: what ``certificate.json`` holds. `schema` returns its JSON schema."""

from __future__ import annotations

from typing import Any

import msgspec

from rubricbench.certify.measure import Measure
from rubricbench.certify.pairs import Asked

FORMAT = 1


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The labels a judge was measured on.

    Args:
        name: of the label file.
        form: its form.
        data_hash: SHA-256 of its bytes.
        prompts: how many prompts.
        responses: how many responses.
        references: criteria with a reference verdict.
        met: share of those that are met.
        ties: criteria without a reference because the annotators were divided.
        unlabelled: responses left out, having no reference.
        annotator_agreement: how often two annotators of one criterion agree; no value where the
            labels do not say.
    """

    name: str
    form: str
    data_hash: str
    prompts: int
    responses: int
    references: int
    met: float
    ties: int
    unlabelled: int
    annotator_agreement: Measure


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A judge's figures on the criteria of one tag, or on one criterion.

    Args:
        name: the tag, or the criterion's text.
        id: the criterion's id; empty for a tag.
        verdicts: known verdicts with a reference.
        met: share of the references that are met.
        unknown: share of the verdicts that are unknown.
        agreement: name -> measure (`rubricbench.certify.agreement`).
    """

    name: str
    id: str = ""
    verdicts: int
    met: float
    unknown: Measure
    agreement: dict[str, Measure]


class Groups(msgspec.Struct, frozen=True):
    """Groups large enough for figures, and how many were not.

    Args:
        shown: the groups, largest first.
        too_small: groups left out, with fewer than `least` of either kind of reference.
        least: that number.
    """

    shown: list[Group]
    too_small: int
    least: int


class Bin(msgspec.Struct, frozen=True):
    """Soft verdicts of similar probability.

    Args:
        low: lower edge of ``p_met``.
        high: upper edge.
        mean: mean ``p_met`` in the bin.
        met: share of the references that are met.
    """

    low: float
    high: float
    mean: float
    met: Measure


class Reliability(msgspec.Struct, frozen=True):
    """How far the probabilities of soft verdicts can be taken at their word.

    Args:
        bins: the non-empty bins.
        error: expected calibration error: mean distance of ``p_met`` from the share met, over bins.
        brier: mean squared distance of ``p_met`` from the reference (Brier 1950).
        brier_base: the same for somebody who always says the share that is met.
        items: soft verdicts with a reference.
    """

    bins: list[Bin]
    error: float
    brier: float
    brier_base: float
    items: int


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """Scores the judge's verdicts make beside those the references make.

    Over the criteria that have a reference, and over responses whose verdicts are all known.

    Args:
        bias: mean of judged minus reference score; positive where the judge is generous.
        absolute_error: mean distance of the two.
        judged: mean judged score.
        reference: mean reference score.
        spearman: rank correlation over all responses together.
        within_prompt: mean over prompts of the rank correlation among their responses.
        responses: gradings of a response behind these.
        without_value: gradings left out, a verdict being unknown.
        unscorable: gradings left out, the labelled criteria holding no merit.
    """

    bias: Measure
    absolute_error: Measure
    judged: Measure
    reference: Measure
    spearman: Measure
    within_prompt: Measure
    responses: int
    without_value: int
    unscorable: int


class Effects(msgspec.Struct, frozen=True):
    """What the judge's leaning towards met goes along with (`rubricbench.certify.effects`).

    Args:
        position: change from the first to the last criterion of a list.
        length: change with each doubling of a response's words.
    """

    position: Measure
    length: Measure


class CorrectionCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A mean score corrected with error rates learnt elsewhere, beside the truth.

    Args:
        part: the generator whose responses these are, or the half of the prompts.
        learnt_on: where the error rates come from.
        judged: mean judged score.
        corrected: mean corrected score; no value where the rates could not be had.
        reference: mean reference score.
        note: why there is no value.
    """

    part: str
    learnt_on: str
    judged: Measure
    corrected: Measure
    reference: Measure
    note: str = ""


class VariantCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """One judge, asked in one way.

    Args:
        asked: judge and variant, with tokens and cost.
        verdicts: verdicts on criteria that have a reference, replicates counted.
        causes: cause -> number of unknown verdicts among them.
        confusion: the four counts, `agreement.CELLS` -> number.
        unknown: share of unknown verdicts.
        agreement: name -> measure.
        annotators: how often the judge agrees with an annotator drawn at random.
        flips: how often two gradings of the same differ; no value without replicates.
        scores: at the level of scores.
        effects: of place and length.
        by_tag: the same by tag of the criterion.
        by_criterion: the same by criterion.
        reliability: of soft verdicts; None where all are hard.
        corrections: a check of corrected scores.
    """

    asked: Asked
    verdicts: int
    causes: dict[str, int]
    confusion: dict[str, int]
    unknown: Measure
    agreement: dict[str, Measure]
    annotators: Measure
    flips: Measure
    scores: Scores
    effects: Effects
    by_tag: Groups
    by_criterion: Groups
    reliability: Reliability | None
    corrections: list[CorrectionCheck]


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """Everything measured in one run: the variants stand side by side on the same labels.

    Args:
        format: version of this form.
        rubricbench: version that measured.
        source: the labels.
        variants: one entry for each way of asking.
    """

    format: int = FORMAT
    rubricbench: str
    source: Source
    variants: list[VariantCertificate]

    def to_json(self) -> bytes:
        """Return the bytes of ``certificate.json``."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """Return the JSON schema of ``certificate.json``."""
    return msgspec.json.schema(Certificate)
