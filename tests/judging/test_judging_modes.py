"""Several calls a response, one more for what could not be read, and rubrics that change."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest
from judging_samples import config, expected_raw, items, make_rubric
from simserver.server import SimServer, always

from rubricbench.errors import InputError
from rubricbench.judging import Item, Judge, Source
from rubricbench.judging.loops import run
from rubricbench.schema import Cause, Criterion, Rubric, Status

RUBRIC = make_rubric()


def edited(rubric: Rubric, *criteria: Criterion) -> Rubric:
    return Rubric(prompt=rubric.prompt, criteria=criteria)


@pytest.mark.parametrize(("size", "calls"), [(None, 1), (1, 3), (2, 2), (3, 1), (9, 1)])
@pytest.mark.parametrize("format", ["json", "reasoned", "compact"])
def test_criteria_are_asked_in_calls_of_the_size_wanted_with_the_same_verdicts(
    store, format, size, calls
):
    with SimServer() as server:
        judge = Judge(config(server, format=format, criteria_per_call=size), store)
        judged = judge.grade_all(items(5))
        assert server.requests == 5 * calls
    for j in judged:
        assert j.score.raw == expected_raw(j.item.rubric, j.item.response)
    # Criterion by criterion, the response stands before what differs between its calls.
    user = server.bodies[0]["messages"][-1]["content"]
    assert (user.index("# Response") < user.index("# Criteria")) == (size is not None)


def test_calls_of_one_response_are_stored_and_found_one_by_one(store):
    with SimServer(fault=lambda call: "500" if call.number == 2 else "") as server:
        judge = Judge(config(server, criteria_per_call=1, retries=0, concurrency=1), store)
        first = judge.grade(RUBRIC, "x")
        assert [v.cause for v in first.verdicts] == [None, Cause.SERVER_ERROR, None]
        second = judge.grade(RUBRIC, "x")
        assert server.requests == 4
    assert second.score.raw == expected_raw(RUBRIC, "x")
    assert second.source is Source.CALL
    assert judge.tally.stored == 2


def test_what_cannot_be_read_is_asked_once_more_and_no_further(store):
    with SimServer(fault=lambda call: "" if call.repair else "garbage") as server:
        judge = Judge(config(server), store)
        judged = judge.grade(RUBRIC, "x")
        assert server.requests == 2
    assert judged.score.raw == expected_raw(RUBRIC, "x")
    assert judge.tally.calls == 2
    with SimServer(fault=always("garbage")) as server:
        judged = Judge(config(server, revision="2"), store).grade(RUBRIC, "x")
        assert server.requests == 2
    assert {v.cause for v in judged.verdicts} == {Cause.UNPARSABLE}


def test_a_repair_asks_only_for_what_is_unknown(store):
    with SimServer(fault=lambda call: "" if call.repair else "missing id") as server:
        judged = Judge(config(server), store).grade(RUBRIC, "x")
    assert judged.score.raw == expected_raw(RUBRIC, "x")
    text = server.bodies[1]["messages"][-1]["content"]
    assert "Names reason 0" in text  # the first, which the answer was without
    assert "Is polite" not in text


def test_a_repair_is_found_in_the_store_again(store):
    with SimServer(fault=lambda call: "" if call.repair else "garbage") as server:
        first = Judge(config(server), store).grade_all(items(20))
        judge = Judge(config(server), store, secret=b"another run's")
        again = judge.grade_all(items(20))
        assert server.requests == 40
        stored = [judge.judged(outcome) for outcome in judge.stored(items(20))]
    assert [j.verdicts for j in again] == [j.verdicts for j in first]
    assert [j.verdicts for j in stored] == [j.verdicts for j in first]


def test_a_repair_that_is_lost_to_the_service_is_asked_again_next_time(store):
    with SimServer(fault=lambda call: "500" if call.repair else "garbage") as server:
        judged = Judge(config(server, retries=0), store).grade(RUBRIC, "x")
        assert {v.cause for v in judged.verdicts} == {Cause.SERVER_ERROR}
        server.fault = always("")
        judged = Judge(config(server), store).grade(RUBRIC, "x")
        assert server.requests == 3
    assert judged.score.raw == expected_raw(RUBRIC, "x")


def test_only_what_changed_in_a_rubric_is_asked(store):
    kept, _, penalty = RUBRIC.criteria
    new = Criterion(criterion="Cites a source", weight=2)
    heavier = Criterion(criterion=kept.criterion, weight=5, tags=("axis:accuracy",))
    second = edited(RUBRIC, new, heavier, penalty)
    with SimServer() as server:
        Judge(config(server), store).grade(RUBRIC, "x")
        judge = Judge(config(server, rejudge="changed"), store)
        (judged,) = judge.grade_all([Item(second, "x", previous=(RUBRIC,))])
        assert server.requests == 2
        text = server.bodies[1]["messages"][-1]["content"]
        assert "Cites a source" in text
        assert kept.criterion not in text
        # The same again costs nothing; and judged in full, everything is asked.
        (again,) = judge.grade_all([Item(second, "x", previous=(RUBRIC,))])
        assert server.requests == 2
        full = Judge(config(server), store).grade(second, "x")
        assert server.requests == 3
    assert again.verdicts == judged.verdicts
    assert judged.score.raw == full.score.raw == expected_raw(second, "x")


def test_a_chain_of_rubrics_is_followed_to_its_first(store):
    one, two, three = (
        edited(RUBRIC, *(Criterion(criterion=f"States {i}", weight=1) for i in range(n)))
        for n in (1, 2, 3)
    )
    with SimServer() as server:
        judge = Judge(config(server, rejudge="changed"), store)
        for rubric, previous in ((one, ()), (two, (one,)), (three, (one, two))):
            (judged,) = judge.grade_all([Item(rubric, "x", previous=previous)])
        texts = [body["messages"][-1]["content"] for body in server.bodies]
    assert [[f"States {i}" in text for i in range(3)] for text in texts] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]
    assert judged.score.raw == expected_raw(three, "x")


def test_what_was_unknown_before_is_asked_about_again(store):
    second = edited(RUBRIC, *RUBRIC.criteria, Criterion(criterion="Cites a source", weight=2))
    with SimServer(fault=always("missing id")) as server:
        Judge(config(server, repair=False), store).grade(RUBRIC, "x")
        server.fault = always("")
        judge = Judge(config(server, rejudge="changed"), store)
        (judged,) = judge.grade_all([Item(second, "x", previous=(RUBRIC,))])
        text = server.bodies[1]["messages"][-1]["content"]
    assert RUBRIC.criteria[0].criterion in text
    assert RUBRIC.criteria[1].criterion not in text
    assert judged.score.raw == expected_raw(second, "x")


def test_an_unchanged_rubric_costs_nothing_though_its_weights_do_change(store):
    second = edited(
        RUBRIC, *(Criterion(criterion=c.criterion, weight=2 * c.weight) for c in RUBRIC.criteria)
    )
    with SimServer() as server:
        Judge(config(server), store).grade(RUBRIC, "x")
        judge = Judge(config(server, rejudge="changed"), store)
        (judged,) = judge.grade_all([Item(second, "x", previous=(RUBRIC,))])
        assert server.requests == 1
    assert judged.source is Source.STORE
    assert judged.score.raw == expected_raw(second, "x")


def test_an_open_judge_keeps_its_connections_from_stream_to_stream(store):
    async def twice(judge):
        async with judge:
            first = [j async for j in judge.stream(items(10))]
            second = [j async for j in judge.stream(items(20))]
        return first, second

    with SimServer() as server:
        first, second = run(lambda: twice(Judge(config(server, concurrency=4), store)))
        assert server.requests == 20
    assert (len(first), len(second)) == (10, 20)


def test_stopping_one_stream_of_an_open_judge_leaves_it_usable(store):
    async def stopped_then_whole(judge):
        async with judge:
            async with aclosing(judge.stream(items(200))) as stream:
                async for _ in stream:
                    judge.stop()
            return [j async for j in judge.stream(items(200))]

    with SimServer(fault=lambda call: "500" if call.attempt == 1 else "") as server:
        graded = run(lambda: stopped_then_whole(Judge(config(server, concurrency=4), store)))
    assert len(graded) == 200
    assert all(v.status is not Status.UNKNOWN for j in graded for v in j.verdicts)


def test_a_response_stopped_between_its_calls_keeps_those_that_were_made(store):
    async def stop_at_first_call(judge, server):
        seen = []
        async with aclosing(judge.stream(items(3))) as stream:

            async def stop():
                while not server.requests:
                    await asyncio.sleep(0.01)
                judge.stop()

            stopper = asyncio.create_task(stop())
            async for judged in stream:
                seen.append(judged)
            await stopper
        return seen

    with SimServer(latency=0.2) as server:
        judge = Judge(config(server, criteria_per_call=1, concurrency=1), store)
        seen = run(lambda: stop_at_first_call(judge, server))
        assert server.requests == 1
    # One call of the first response was under way; the others of it, and all others, were not.
    assert [[v.cause for v in j.verdicts] for j in seen] == [
        [None, Cause.CANCELLED, Cause.CANCELLED]
    ]
    store.flush()
    assert store.count() == 1


def test_a_repair_does_not_depend_on_what_became_of_other_calls(store):
    # Two calls: about criteria 1 and 2, lost; about 3, unreadable and repaired.
    faults = iter(["500", "garbage", "", "missing id", ""])
    with SimServer(fault=lambda call: next(faults)) as server:
        judge = Judge(config(server, criteria_per_call=2, concurrency=1, retries=0), store)
        first = judge.grade(RUBRIC, "x")
        assert [v.cause for v in first.verdicts] == [Cause.SERVER_ERROR] * 2 + [None]
        # Started again, the lost one is asked, comes without criterion 1, and that alone is again.
        second = judge.grade(RUBRIC, "x")
        assert server.requests == 5
        again = server.bodies[4]["messages"][-1]["content"]
        (stored,) = map(judge.judged, judge.stored([Item(RUBRIC, "x")]))
    assert [c.criterion in again for c in RUBRIC.criteria] == [True, False, False]
    assert second.score.raw == stored.score.raw == expected_raw(RUBRIC, "x")


def test_what_was_judged_in_full_is_not_judged_again_for_what_changed(store):
    second = edited(RUBRIC, *RUBRIC.criteria[:2], Criterion(criterion="Cites a source", weight=2))
    item = Item(second, "x", previous=(RUBRIC,))
    with SimServer() as server:
        judge = Judge(config(server, rejudge="changed"), store)
        (before,) = judge.grade_all([item])  # when nothing was known of the earlier rubric
        judge.grade(RUBRIC, "x")  # by another run, say
        (after,) = judge.grade_all([item])
        assert server.requests == 2
    assert after.verdicts == before.verdicts
    assert after.source is Source.STORE


def test_an_earlier_rubric_of_another_prompt_is_refused(store):
    with SimServer() as server:
        judge = Judge(config(server, rejudge="changed"), store)
        with pytest.raises(InputError, match="of the same prompt"):
            judge.grade_all([Item(RUBRIC, "x", previous=(make_rubric(1),))])
        assert server.requests == 0
