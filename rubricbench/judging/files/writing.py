"""The third pass of a run: tables and summary, from the store, in the order of the input."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.files.directory import SUMMARY
from rubricbench.judging.files.inputs import Inputs, response_of
from rubricbench.judging.files.job import Job
from rubricbench.judging.items import Outcome
from rubricbench.judging.judge import Judge
from rubricbench.judging.observed import Observer
from rubricbench.judging.panel import Panel
from rubricbench.judging.results import ResultFiles
from rubricbench.judging.summary import Summary, Summing
from rubricbench.readers.seen import SeenIds
from rubricbench.runs import RunDirectory, atomic_write


class Writing:
    """Writes what judges say, and what they come to where they are several.

    Args:
        job: what was graded.
        inputs: its responses and rubrics.
        judges: the judges, or one that is not configured.
        panel: the judges as a panel, if they are several.
        with_causes: says of an outcome's failed calls why, where that is known.
    """

    def __init__(
        self,
        job: Job,
        inputs: Inputs,
        judges: Sequence[Judge],
        panel: Panel | None,
        with_causes: Callable[[Outcome], Outcome],
    ) -> None:
        self._job = job
        self._inputs = inputs
        self._judges = judges
        self._panel = panel
        self._with_causes = with_causes
        self._summing = Summing(len(judges))
        self._seen = SeenIds()
        self._observers = [Observer(judge.config) if judge.config else None for judge in judges]

    def write(
        self, directory: RunDirectory, without_rubric: int, advance: Callable[[], object]
    ) -> Summary:
        """Write the tables and the summary; return that.

        Args:
            directory: where to.
            without_rubric: responses left out, for the summary.
            advance: called after each response.

        Raises:
            RunError: a file cannot be written.
            StoreError: the store cannot be read.
        """
        names = [(c.name, c.replicate) for c in self._job.configs] or [("", 0)]
        # Each judge reads the input for itself, a chunk at a time: they stay abreast.
        streams = [judge.stored(self._inputs.items()) for judge in self._judges]
        with ResultFiles(directory, names) as files:
            for outcomes in zip(*streams, strict=True):
                self._add(files, outcomes)
                advance()
        summary = self._summary(without_rubric)
        data = msgspec.json.format(msgspec.json.encode(summary), indent=2)
        atomic_write(directory.path(SUMMARY), data + b"\n")
        return summary

    def _add(self, files: ResultFiles, outcomes: Sequence[Outcome]) -> None:
        item = outcomes[0].item
        response = response_of(item)
        members = [
            judge.judged(self._with_causes(outcome))
            for judge, outcome in zip(self._judges, outcomes, strict=True)
        ]
        ruling = self._panel.ruling(item, members) if self._panel else None
        files.add(members, response, ruling)
        self._summing.add(members, response.generator, ruling)
        for outcome, observer in zip(outcomes, self._observers, strict=True):
            self._add_answers(outcome, observer)

    def _add_answers(self, outcome: Outcome, observer: Observer | None) -> None:
        for answer in outcome.answers:
            if answer.completion is not None and not self._seen.add(answer.key):
                self._summing.add_answer(answer.completion.usage)
                if observer:
                    observer.saw(answer.completion, answer.question.criterion_ids)

    def _summary(self, without_rubric: int) -> Summary:
        configs = self._job.configs
        first = configs[0] if configs else None
        summary = self._summing.summary(
            judge=_judge_name(configs),
            format=first.format if first else "",
            template_hash=first.template_hash if first else "",
            strategy=self._job.strategy,
            without_rubric=without_rubric,
        )
        remarks = [remark for o in self._observers if o for remark in o.remarks()]
        panel = self._panel.report() if self._panel else None
        return msgspec.structs.replace(summary, remarks=remarks, panel=panel)


def _judge_name(configs: Sequence[JudgeConfig]) -> str:
    """Return the judges' names, each once, with the number of its replicates where several."""
    names = [config.name for config in configs]
    counted = {name: names.count(name) for name in names}
    return ", ".join(f"{name} x{n}" if n > 1 else name for name, n in counted.items())
