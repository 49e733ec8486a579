"""The lm-eval task class of all rubric tasks.

It adds to `ConfigurableTask` what YAML cannot say: prompts that are conversations (multi-turn kept
as turns), a transcript with stop sequences where no chat template is applied, and one pass rate per
family of criteria that the dataset has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lm_eval.api.task import ConfigurableTask

from rubricbench.tasks import metrics
from rubricbench.tasks.prompts import STOPS, conversation, transcript

Doc = Mapping[str, Any]


class RubricTask(ConfigurableTask):  # type: ignore[misc]  # lm-eval ships no types
    """A generation task whose documents are rows of a rubrics table."""

    def __init__(self, config: dict[str, Any] | None = None, **kwargs: Any) -> None:
        settings = {key: value for key, value in (config or {}).items() if key != "class"}
        super().__init__(config=settings, **kwargs)
        self._families = metrics.families(self.eval_docs)

    def download(self, dataset_kwargs: dict[str, Any] | None = None, **_: Any) -> None:
        """Load the documents; as in the parent, without its hint on every start."""
        given = {**(self.config.metadata or {}), **(dataset_kwargs or {})}
        self.dataset = self.config.custom_dataset(**given)

    def fewshot_context(
        self,
        doc: Doc,
        num_fewshot: int = 0,
        system_instruction: str | None = None,
        apply_chat_template: bool = False,
        fewshot_as_multiturn: bool = False,
        chat_template: Callable[[list[dict[str, str]]], str] | None = None,
        gen_prefix: str | None = None,
    ) -> str:
        """Return the prompt: the turns through the chat template, or a transcript of them."""
        turns = conversation(doc["messages"], system_instruction)
        if apply_chat_template and chat_template:
            return chat_template(turns)
        return transcript(turns)

    def construct_requests(self, doc: Doc, ctx: str, **kwargs: Any) -> Any:
        """Return the request; a transcript also stops where another turn would begin."""
        templated = bool(kwargs.get("apply_chat_template"))
        request = super().construct_requests(doc, ctx, **kwargs)
        if not templated:
            settings = request.arguments[1]
            settings["until"] = [*settings.get("until", []), *STOPS]
        return request

    def apply_filters(self) -> Any:
        """Run the filters on as many responses per document as were asked for.

        Under data parallelism lm-eval evens out the ranks by asking the last document again; what
        comes of it must be neither graded nor averaged.
        """
        for instance in self.instances:
            del instance.resps[instance.repeats :]
        return super().apply_filters()

    def process_results(self, doc: Doc, results: list[Any]) -> dict[str, float]:
        """Return the metrics of one document, the same keys for every document."""
        found: dict[str, float] = super().process_results(doc, results)
        return found | metrics.pass_rates(results, self._families)

    def aggregation(self) -> dict[str, Any]:
        """Return how each metric is averaged."""
        rates = {metrics.pass_key(family): metrics.known_mean for family in self._families}
        return {**super().aggregation(), **rates}

    def higher_is_better(self) -> dict[str, bool]:
        """Return the direction of each metric."""
        return {
            **super().higher_is_better(),
            **{metrics.pass_key(f): True for f in self._families},
        }
