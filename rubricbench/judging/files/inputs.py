"""The responses and rubrics of a run, read and checked before anything is paid for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from rubricbench.checks import complete
from rubricbench.errors import InputError, SchemaError
from rubricbench.judging.files.job import Job
from rubricbench.judging.items import Item
from rubricbench.judging.judge import require_gradeable
from rubricbench.readers import MatchReport, ResponseRow, RubricIndex, read_responses
from rubricbench.runs import file_hash
from rubricbench.schema import Response, Rubric
from rubricbench.scoring import Strategy


class Inputs:
    """What a job is about.

    Args:
        job: names the files.

    Raises:
        InputError: a file is missing, or the options contradict each other.
        SchemaError: a rubric breaks the data model, or one of its checks does not exist.
    """

    def __init__(self, job: Job) -> None:
        if job.limit is not None and job.limit < 1:
            raise InputError(
                f"the limit is {job.limit}", hint="give a positive number or leave it out"
            )
        _require_rejudge(job)
        require_gradeable(Strategy(job.strategy))
        self._job = job
        self._index = RubricIndex(job.rubrics)
        self._previous = [RubricIndex(source) for source in job.previous]
        for rubric in self._index:
            _require_checks(rubric, job.rubrics)

    def items(self) -> Iterator[Item]:
        """Yield the responses that have a rubric, in the file's order, tagged with their rows."""
        return self._items(MatchReport())

    def survey(self) -> MatchReport:
        """Read every response once; say how they meet rubrics.

        Raises:
            InputError: nothing matches, or a judge is needed and not configured.
            SchemaError: a response breaks the data model; file and line are named.
        """
        match, unjudged = MatchReport(), 0
        for item in self._items(match):
            try:
                response_of(item)
            except SchemaError as error:
                raise error.at(file=str(self._job.responses), line=item.tag.line) from None
            unjudged += any(c.check is None for c in item.rubric.criteria)
        self._index.require_matches(match, self._job.responses)
        if unjudged and self._job.config is None:
            raise InputError(
                f"{unjudged:,} responses have criteria that only a judge can decide",
                where=self._job.rubrics,
                hint="name an endpoint and a model: --judge-base-url and --judge-model",
            )
        return match

    def hashes(self) -> dict[str, str]:
        """Return what tells these data from others, for the run's manifest."""
        hashes = {
            "responses": file_hash(self._job.responses),
            "rubrics": _rubrics_hash(self._index),
        }
        for i, index in enumerate(self._previous, start=1):
            hashes[f"previous rubrics {i}"] = _rubrics_hash(index)
        return hashes

    def _items(self, match: MatchReport) -> Iterator[Item]:
        for row in read_responses(self._job.responses):
            if self._job.limit is not None and match.matched >= self._job.limit:
                return
            rubric = self._index.match(row, match)
            if rubric is not None:
                yield Item(rubric, row.text, row, self._replaced_by(rubric))

    def _replaced_by(self, rubric: Rubric) -> tuple[Rubric, ...]:
        found = (index.get(rubric.prompt_id) for index in self._previous)
        return tuple(earlier for earlier in found if earlier is not None)


def response_of(item: Item) -> Response:
    """Return the response of an item that `Inputs.items` yielded.

    Raises:
        SchemaError: it breaks the data model.
    """
    row: ResponseRow = item.tag
    return row.response(item.rubric.prompt_id)


def _require_rejudge(job: Job) -> None:
    changed = any(config.rejudge == "changed" for config in job.configs)
    if changed and not job.previous:
        raise InputError(
            "to judge only what changed, the earlier rubrics must be known",
            hint="name them by --previous-rubrics, the oldest first",
        )
    if job.previous and not changed:
        raise InputError(
            "earlier rubrics are of no use where all is judged anew",
            hint="add --rejudge changed, or leave out --previous-rubrics",
        )


def _require_checks(rubric: Rubric, source: str) -> None:
    for i, criterion in enumerate(rubric.criteria):
        try:
            if criterion.check:
                complete(criterion.check)
        except SchemaError as error:
            place = f"{rubric.prompt_id} rubrics[{i}]"
            raise error.within(place).at(file=source) from None


def _rubrics_hash(rubrics: Iterable[Rubric]) -> str:
    digest = hashlib.sha256()
    for rubric in rubrics:
        digest.update(msgspec.msgpack.encode(rubric))
    return digest.hexdigest()
