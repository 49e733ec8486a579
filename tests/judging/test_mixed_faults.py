"""A fifth of all calls disturbed, by every fault there is, repairs included.

The oracle is the server's own log: what the last reply to a question was decides what becomes of
its criteria, and whether they are asked about again. Nothing of the judge's is used to expect it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter, defaultdict

import pytest
from judging_samples import config, items
from simserver.asked import read_question
from simserver.faults import FAULTS, Says
from simserver.latent import truth
from simserver.server import SimServer

from rubricbench.judging import Item, Judge, Judged
from rubricbench.judging.config import JudgeConfig
from rubricbench.judging.request import Question
from rubricbench.schema import Cause, Criterion, Status
from rubricbench.store import Store

# Ends a run, and rightly: the account is empty. Every other fault is in the mix.
ENDS_THE_RUN = {"quota"}
MIX = [name for name in FAULTS if name not in ENDS_THE_RUN]
SHARE = 0.2

UNREADABLE = {
    **dict.fromkeys(("garbage", "prose around", "list", "wrong values"), Cause.UNPARSABLE),
    **dict.fromkeys(("echo", "echo in a block", "echo before"), Cause.UNPARSABLE),
    **dict.fromkeys(("echo after", "echo after think"), Cause.UNPARSABLE),
    "wrong ids": Cause.UNEXPECTED_ID,
    **dict.fromkeys(("refusal", "refusal field"), Cause.REFUSAL),
    **dict.fromkeys(("truncated", "unclosed think", "reasoned to the limit"), Cause.TRUNCATED),
    **dict.fromkeys(("empty", "null"), Cause.EMPTY),
}
FIRST_ONLY = {"missing id": Cause.MISSING_ID, "duplicate id": Cause.DUPLICATE_ID}
FINAL = {
    "filtered": Cause.FILTERED,
    "prompt filtered": Cause.FILTERED,
    "overflow": Cause.OVERFLOW,
    "429 for an hour": Cause.RATE_LIMITED,  # longer than any deadline: not waited for
    **dict.fromkeys(("400", "403", "404", "redirect"), Cause.REJECTED),
}
READABLE = {
    *("", "fenced", "think", "only the end of think", "reasoning", "echo in think", "parts"),
    *("whole at the limit", "half surrogate", "bad utf-8", "extra id"),
}
PASSING = {
    *("429", "429 in a second", "429 by date", "500", "502", "html", "hang", "drip", "cut off"),
    *("flood", "bomb", "no choices", "not json", "error in 200"),
}


class Disturbance:
    """Draws a fifth of the calls by question and attempt, and gives them every fault in turn."""

    def __init__(self) -> None:
        self.replies: dict[str, list[str]] = defaultdict(list)
        self._next = itertools.cycle(MIX)

    def __call__(self, call) -> str:
        digest = hashlib.sha256(f"{call.key} {call.attempt}".encode()).digest()
        hit = call.number > 1 and int.from_bytes(digest[:4], "big") < SHARE * 2**32
        name = next(self._next) if hit else ""
        self.replies[call.key].append(name)
        return name

    def last(self, key: str) -> str:
        return self.replies[key][-1]


class Oracle:
    """What must have come of an item, by the server's log."""

    def __init__(self, endpoint: JudgeConfig, log: Disturbance) -> None:
        self._endpoint, self._log = endpoint, log

    def causes(self, item: Item) -> dict[str, Cause | None]:
        """Each criterion's cause; None where it is known."""
        size = self._endpoint.criteria_per_call or len(item.rubric.criteria)
        found: dict[str, Cause | None] = {}
        criteria = list(item.rubric.criteria)
        for start in range(0, len(criteria), size):
            found |= self._answered(item, criteria[start : start + size], repair=False)
        unread = {*UNREADABLE.values(), *FIRST_ONLY.values()} if self._endpoint.repair else ()
        again = [c for c in criteria if found[c.id] in unread]
        for start in range(0, len(again), size):
            found |= self._answered(item, again[start : start + size], repair=True)
        return found

    def _answered(
        self, item: Item, criteria: list[Criterion], *, repair: bool
    ) -> dict[str, Cause | None]:
        last = self._log.last(self._key(item, criteria, repair))
        assert last not in PASSING, "a fault that passes is not the last reply"
        found: dict[str, Cause | None] = {
            c.id: None if last in READABLE else UNREADABLE.get(last) or FINAL.get(last)
            for c in criteria
        }
        if last in FIRST_ONLY:
            found[criteria[0].id] = FIRST_ONLY[last]
        else:
            assert last in READABLE or all(found.values()), last
        return found

    def _key(self, item: Item, criteria: list[Criterion], repair: bool) -> str:
        # The key of a question is without labels, so any secret will do.
        question = Question(self._endpoint, item.rubric, criteria, b"another", repair=repair)
        messages = json.loads(question.request(item.response).body)["messages"]
        asked = read_question(messages)
        assert asked is not None
        return asked.key


def assert_right_or_truly_unknown(judged: Judged, causes: dict[str, Cause | None]) -> None:
    for criterion, verdict in zip(judged.item.rubric.criteria, judged.verdicts, strict=True):
        cause = causes[criterion.id]
        if cause is None:
            is_met = truth(criterion.criterion, judged.item.response)
            assert verdict.status is (Status.MET if is_met else Status.UNMET)
        else:
            assert (verdict.status, verdict.cause) == (Status.UNKNOWN, cause)


def assert_score_follows(judged: Judged) -> None:
    """The score over weights 3, 1, -2, by hand: known credits, and bounds for the unknown."""
    low = high = 0.0
    pairs = zip(judged.item.rubric.criteria, judged.verdicts, strict=True)
    for weight, verdict in ((c.weight, v) for c, v in pairs):
        if verdict.status is Status.UNKNOWN:
            low += min(weight, 0)
            high += max(weight, 0)
        elif verdict.status is Status.MET:
            low += weight
            high += weight
    assert (judged.score.low, judged.score.high) == (low / 4, high / 4)
    known = all(v.status is not Status.UNKNOWN for v in judged.verdicts)
    assert judged.score.value == (low / 4 if known else None)


def test_every_fault_is_in_the_mix_and_has_an_expectation():
    expected = {*UNREADABLE, *FIRST_ONLY, *FINAL, *PASSING, *READABLE} - {""}
    assert expected == set(FAULTS) - ENDS_THE_RUN
    assert all(isinstance(FAULTS[name], Says) for name in {*UNREADABLE, *FIRST_ONLY})


@pytest.mark.parametrize(
    ("n", "fields"),
    [
        (900, {}),
        (400, {"repair": False}),
        (400, {"format": "reasoned", "layout": "response_first"}),
        (200, {"criteria_per_call": 1}),
    ],
    ids=["all in one call", "no repair", "reasoned", "one by one"],
)
def test_a_fifth_disturbed_ends_right_or_truly_unknown_and_counts_add_up(tmp_path, n, fields):
    disturbance = Disturbance()
    work = items(n)
    with SimServer(fault=disturbance) as server, Store.open(tmp_path / "s.sqlite") as store:
        endpoint = config(server, timeout=3.0, retries=12, deadline=120.0, **fields)
        judge = Judge(endpoint, store)
        graded = judge.grade_all(work)
        log = server.log()
        store.flush()
        replayed = Judge(endpoint, store)
        again = {j.item.tag: j for j in map(replayed.judged, replayed.stored(work))}
    oracle = Oracle(endpoint, disturbance)
    expected = {judged.item.tag: oracle.causes(judged.item) for judged in graded}
    for judged in graded:
        assert_right_or_truly_unknown(judged, expected[judged.item.tag])
        assert_score_follows(judged)

    # None is missing, and the unknown verdicts by cause are those of the server's log.
    assert [judged.item.tag for judged in graded] == list(range(n))
    found = Counter(v.cause for j in graded for v in j.verdicts if v.cause)
    assert found == Counter(c for causes in expected.values() for c in causes.values() if c)
    assert {Cause.RATE_LIMITED, Cause.REJECTED, Cause.FILTERED, Cause.OVERFLOW} <= found.keys()
    if not endpoint.repair:  # with it, few are left that stay unread
        assert {*UNREADABLE.values(), *FIRST_ONLY.values()} <= found.keys()

    # Every request and every token is accounted for, on both sides.
    replies = Counter(name or "good" for names in disturbance.replies.values() for name in names)
    assert log["replies"] == replies
    assert set(replies) == {"good", *MIX}
    assert abs(1 - replies["good"] / log["requests"] - SHARE) < 0.04
    assert judge.tally.attempts == log["requests"] == sum(replies.values())
    answers = sum(k for name, k in replies.items() if name == "good" or _is_answer(name))
    assert judge.tally.calls == answers
    lost = {name for name, cause in FINAL.items() if not _is_answer(name)}
    assert judge.tally.failed == sum(replies[name] for name in lost)
    assert judge.tally.tokens == log["tokens"]

    # What is stored says the same again; only what the service lost is not in the store.
    for judged in graded:
        for verdict, stored in zip(judged.verdicts, again[judged.item.tag].verdicts, strict=True):
            if verdict.status is not Status.UNKNOWN or stored.cause is verdict.cause:
                assert stored.status is verdict.status
            else:
                assert verdict.cause in {FINAL[name] for name in lost}


def _is_answer(name: str) -> bool:
    return isinstance(FAULTS[name], Says)
