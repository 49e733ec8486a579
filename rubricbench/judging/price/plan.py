"""What a run will ask, in calls, tokens and money, before anything is spent.

The calls are exact: the prompts are rendered, keyed, looked up in the store, and equal ones counted
once. Tokens are as exact as the counter (`rubricbench.judging.price.tokens`); answers are expected
to have the length of the shortest one in their form, or, once the store has some of this judge, the
length those had. Memory is eight bytes a distinct call and otherwise constant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

import msgspec

from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.items import Answer, Outcome
from rubricbench.judging.price.answers import expected_tokens
from rubricbench.judging.price.prefix import PrefixCache
from rubricbench.judging.price.prices import Price
from rubricbench.judging.price.prompt import Piece, PromptMeter
from rubricbench.judging.price.rules import CacheRule
from rubricbench.judging.price.tokens import TokenCounter
from rubricbench.readers.seen import SeenIds

CHUNK = 256
KEPT_ANSWERS = 8_192
LEAST_MEASURED = 30
MOST_MEASURED = 2_000


class Measured(msgspec.Struct):
    """Stored answers of this judge whose token counts are known, beside what was expected of them.

    Args:
        answers: how many.
        prompt: their prompts' tokens, as reported.
        prompt_expected: as counted here.
        answer: their own tokens, as reported; reasoning included.
        answer_expected: as expected here.
    """

    answers: int = 0
    prompt: int = 0
    prompt_expected: int = 0
    answer: int = 0
    answer_expected: int = 0

    @property
    def prompt_factor(self) -> float:
        """What to multiply counted prompts by."""
        return _ratio(self.prompt, self.prompt_expected) if self.enough else 1.0

    @property
    def answer_factor(self) -> float:
        """What to multiply expected answers by."""
        return _ratio(self.answer, self.answer_expected) if self.enough else 1.0

    @property
    def enough(self) -> bool:
        """Whether there are enough of them to go by."""
        return self.answers >= LEAST_MEASURED


def _ratio(found: int, expected: int) -> float:
    return found / expected if found and expected else 1.0


class Plan(msgspec.Struct, kw_only=True):
    """What a run will ask.

    Args:
        judge: model and revision; empty where every criterion has a check.
        format: form of the answers.
        responses: to be graded.
        judged: criteria of them that the judge decides.
        checked: criteria of them that a program decides.
        answers: answers that are needed, equal ones counted each time.
        stored: of those, how many the store has.
        shared: of those, how many an equal call brings.
        calls: of those, how many are asked for: these cost.
        repairs: calls about what could not be read in an answer of the store.
        prompt_tokens: of the calls.
        shared_tokens: of those, what the prompts' beginnings have in common with earlier ones.
        cached_tokens: of those, the most that the provider serves from its prefix cache.
        answer_tokens: expected of the calls.
        most_answer_tokens: at their limit; None without one.
        prefix_cache: the provider's rule.
        concurrency: calls in flight at once.
        tokenizer: what counted.
        exact: whether that is the model's own tokenizer.
        counted_responses: responses whose tokens were counted.
        estimated_responses: responses whose tokens were taken from their bytes.
        measured: what earlier answers in the store took.
        currency: of the costs; empty where the price is not known.
        cost: expected.
        most_cost: with nothing cached and every answer at its limit; None without a limit.
        batch_cost: expected as batch files, with nothing cached; None where there are none.
        price: the price gone by; None if the model is not in the price file.
    """

    judge: str = ""
    format: str = ""
    responses: int = 0
    judged: int = 0
    checked: int = 0
    answers: int = 0
    stored: int = 0
    shared: int = 0
    calls: int = 0
    repairs: int = 0
    prompt_tokens: int = 0
    shared_tokens: int = 0
    cached_tokens: int = 0
    answer_tokens: int = 0
    most_answer_tokens: int | None = None
    prefix_cache: CacheRule
    concurrency: int = 1
    tokenizer: str = ""
    exact: bool = False
    counted_responses: int = 0
    estimated_responses: int = 0
    measured: Measured
    currency: str = ""
    cost: float | None = None
    most_cost: float | None = None
    batch_cost: float | None = None
    price: Price | None = None

    @property
    def cached_share(self) -> float:
        """Share of the prompts' tokens that the prefix cache serves at most."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else 0.0


class Planner:
    """Adds up what a run will ask.

    Args:
        config: the judge.
        counter: counts tokens.
        rule: the provider's prefix cache.
        price: of the model's tokens; None where it is not known.
        responses: how many responses there are, to draw a sample of them for counting.
    """

    def __init__(
        self,
        config: JudgeConfig,
        counter: TokenCounter,
        rule: CacheRule,
        price: Price | None,
        responses: int,
    ) -> None:
        self._config = config
        self._price = price
        self._meter = PromptMeter(counter, responses)
        self._prefixes = PrefixCache(rule, config.concurrency, self._meter.count)
        self._seen = SeenIds()
        self._answer_tokens: dict[tuple[str, ...], int] = {}
        self._plan = Plan(
            judge=config.name,
            format=config.format,
            prefix_cache=rule,
            concurrency=config.concurrency,
            tokenizer=counter.name,
            exact=counter.exact,
            measured=Measured(),
            price=price,
        )

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Add responses, in the order of the run, with what the store has of each."""
        remaining = iter(outcomes)
        while chunk := list(islice(remaining, CHUNK)):
            responses = self._counted([outcome for outcome in chunk if self._is_wanted(outcome)])
            for outcome in chunk:
                self._add(outcome, responses)

    def _is_wanted(self, outcome: Outcome) -> bool:
        measuring = self._plan.measured.answers < MOST_MEASURED
        return any(answer.completion is None or measuring for answer in outcome.answers)

    def _counted(self, outcomes: Sequence[Outcome]) -> dict[str, Piece]:
        texts = list(dict.fromkeys(outcome.item.response for outcome in outcomes))
        return dict(zip(texts, self._meter.responses(texts), strict=True)) if texts else {}

    def _add(self, outcome: Outcome, responses: dict[str, Piece]) -> None:
        plan, criteria = self._plan, outcome.item.rubric.criteria
        checked = sum(criterion.check is not None for criterion in criteria)
        plan.responses += 1
        plan.checked += checked
        plan.judged += len(criteria) - checked
        response = responses.get(outcome.item.response)
        for answer in outcome.answers:
            plan.answers += 1
            if self._seen.add(answer.key):
                plan.shared += answer.completion is None
                plan.stored += answer.completion is not None
            elif answer.completion is not None:
                plan.stored += 1
                if response is not None:
                    self._measure(answer, outcome.item.response, response)
            else:
                assert response is not None
                self._call(answer, outcome.item.response, response)
                plan.repairs += any(other.completion is not None for other in outcome.answers)

    def _call(self, answer: Answer, text: str, response: Piece) -> None:
        plan, body = self._plan, answer.question.request(text).body
        sent = self._prefixes.send(self._meter.pieces(body, response))
        plan.calls += 1
        plan.prompt_tokens += sent.prompt
        plan.shared_tokens += sent.shared
        plan.cached_tokens += sent.served
        plan.answer_tokens += self._expected(answer.question.labels.shown)

    def _measure(self, answer: Answer, text: str, response: Piece) -> None:
        measured, completion = self._plan.measured, answer.completion
        assert completion is not None
        prompt = completion.usage.get("prompt_tokens")
        length = completion.usage.get("completion_tokens")
        if not prompt or not length or measured.answers >= MOST_MEASURED:
            return
        pieces = self._meter.pieces(answer.question.request(text).body, response)
        measured.answers += 1
        measured.prompt += prompt
        measured.prompt_expected += sum(piece.tokens for piece in pieces)
        measured.answer += length
        measured.answer_expected += self._expected(answer.question.labels.shown)

    def _expected(self, labels: tuple[str, ...]) -> int:
        if labels not in self._answer_tokens:
            if len(self._answer_tokens) >= KEPT_ANSWERS:
                self._answer_tokens.clear()
            self._answer_tokens[labels] = expected_tokens(
                self._config.format, labels, self._meter.counter
            )
        return self._answer_tokens[labels]

    def plan(self) -> Plan:
        """Return the plan of what was added; add nothing afterwards."""
        plan, limit = self._plan, self._config.max_tokens
        plan.counted_responses = self._meter.counted
        plan.estimated_responses = self._meter.estimated
        self._correct()
        plan.most_answer_tokens = None if limit is None else plan.calls * limit
        if limit is not None:
            plan.answer_tokens = min(plan.answer_tokens, plan.calls * limit)
        if self._price is not None:
            self._set_costs(self._price)
        return plan

    def _correct(self) -> None:
        plan = self._plan
        if not plan.exact:
            factor = plan.measured.prompt_factor
            plan.prompt_tokens = round(plan.prompt_tokens * factor)
            plan.shared_tokens = round(plan.shared_tokens * factor)
            plan.cached_tokens = round(plan.cached_tokens * factor)
        plan.answer_tokens = round(plan.answer_tokens * plan.measured.answer_factor)

    def _set_costs(self, price: Price) -> None:
        plan = self._plan
        plan.currency = price.currency
        plan.cost = price.cost(plan.prompt_tokens, plan.answer_tokens, plan.cached_tokens)
        if plan.most_answer_tokens is not None:
            plan.most_cost = price.cost(plan.prompt_tokens, plan.most_answer_tokens)
        if price.batch_discount is not None:
            full = price.cost(plan.prompt_tokens, plan.answer_tokens)
            plan.batch_cost = full * (1 - price.batch_discount)
