"""A plan for people."""

from __future__ import annotations

from collections.abc import Sequence

from rubricbench.judging.price.plan import Plan


def plan_text(plan: Plan) -> str:
    """Return a plan in a few lines, every estimate named as one."""
    lines = [_what(plan)]
    if plan.answers:
        lines.append(_calls(plan))
    if plan.calls:
        lines += [_prompts(plan), _cached(plan), _answers(plan), _cost(plan)]
        lines += [_counting(plan), *_measured(plan), _left_out(plan)]
    return "\n".join(lines)


def plans_text(plans: Sequence[Plan]) -> str:
    """Return the plans of a run's judges."""
    if len(plans) == 1:
        return plan_text(plans[0])
    parts = [
        f"judge {number} of {len(plans)}, {plan.judge}, {plan.format}\n{plan_text(plan)}"
        for number, plan in enumerate(plans, start=1)
    ]
    costs = [plan.cost for plan in plans if plan.cost is not None]
    calls = f"all judges: {sum(plan.calls for plan in plans):,} calls"
    known = f", about {_money(sum(costs), plans[0].currency)}" if len(costs) == len(plans) else ""
    return "\n\n".join([*parts, calls + known])


def _what(plan: Plan) -> str:
    return (
        f"{plan.responses:,} responses: {plan.judged:,} verdicts by the judge, "
        f"{plan.checked:,} by checks, which cost nothing"
    )


def _calls(plan: Plan) -> str:
    served = []
    if plan.stored:
        served.append(f"the store has {plan.stored:,}, {plan.stored / plan.answers:.1%}")
    if plan.shared:
        served.append(f"{plan.shared:,} are equal to others and asked for once")
    rest = f" ({'; '.join(served)})" if served else ""
    repairs = f", {plan.repairs:,} of them repairs" if plan.repairs else ""
    return f"calls: {plan.calls:,}{repairs}, of {plan.answers:,} answers needed{rest}"


def _prompts(plan: Plan) -> str:
    each = f", {plan.prompt_tokens / plan.calls:,.0f} a call" if plan.calls else ""
    return f"prompts: {_tokens(plan.prompt_tokens, exact=plan.exact)} tokens{each}"


def _cached(plan: Plan) -> str:
    rule = plan.prefix_cache
    shared = plan.shared_tokens / plan.calls if plan.calls else 0
    common = f"a call begins like an earlier one for {shared:,.0f} tokens on average"
    if not rule.caches:
        return f"  prefix cache: none assumed ({common}; say --prefix-cache if there is one)"
    flight = f", {plan.concurrency:,} calls in flight" if not rule.at_once else ""
    if not plan.cached_tokens:
        return f"  prefix cache: earns nothing ({rule}{flight}; {common})"
    return (
        f"  prefix cache: at most {_tokens(plan.cached_tokens)} of them "
        f"({plan.cached_share:.1%}; {rule}{flight}; {common})"
    )


def _answers(plan: Plan) -> str:
    each = plan.answer_tokens / plan.calls if plan.calls else 0
    if plan.most_answer_tokens is None:
        most = "no limit is set"
    else:
        most = f"at most {_tokens(plan.most_answer_tokens, exact=True)}"
    basis = "as those in the store" if plan.measured.enough else f"the shortest {plan.format} form"
    return (
        f"answers: about {_tokens(plan.answer_tokens)} tokens, {each:,.0f} a call ({basis}); {most}"
    )


def _cost(plan: Plan) -> str:
    if plan.price is None:
        return (
            "cost: not known, since the price file does not have this model; "
            "--prices FILE names one that has"
        )
    price = plan.price
    parts = [f"about {_money(plan.cost, plan.currency)}"]
    if plan.most_cost is not None:
        parts.append(f"at most {_money(plan.most_cost, plan.currency)}")
    if plan.batch_cost is not None:
        parts.append(f"as batch files about {_money(plan.batch_cost, plan.currency)}")
    dated = f" as of {price.as_of}" if price.as_of else ""
    return f"cost: {'; '.join(parts)} (prices of {price.model}{dated}: check them)"


def _counting(plan: Plan) -> str:
    if not plan.estimated_responses:
        return f"tokens: {plan.tokenizer}"
    total = plan.counted_responses + plan.estimated_responses
    return (
        f"tokens: {plan.tokenizer}; {plan.counted_responses:,} of {total:,} responses counted, "
        "the others by their bytes"
    )


def _measured(plan: Plan) -> list[str]:
    measured = plan.measured
    if not measured.enough:
        return []
    corrected = "answers" if plan.exact else "prompts and answers"
    return [
        f"corrected by {measured.answers:,} answers in the store: their prompts took "
        f"{measured.prompt_factor:.2f} and the answers {measured.answer_factor:.2f} times what is "
        f"counted here ({corrected} multiplied)"
    ]


def _left_out(plan: Plan) -> str:
    reasoning = "" if plan.measured.enough else "reasoning, "
    return (
        f"not included: {reasoning}repairs of answers to come, attempts that fail, "
        "and the JSON schema where a provider counts it"
    )


def _tokens(count: int, *, exact: bool = True) -> str:
    about = "" if exact else "about "
    return f"{about}{count:,}" if count < 1_000_000 else f"{about}{count / 1e6:,.2f} million"


def _money(amount: float | None, currency: str) -> str:
    value = amount or 0.0
    return f"{currency} {value:,.2f}" if value >= 1 else f"{currency} {value:.4f}"
