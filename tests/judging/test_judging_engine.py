"""The stream: everything once, bounded, and nothing received is lost."""

from __future__ import annotations

import asyncio
import threading
import time
import tracemalloc
from contextlib import aclosing

import pytest
from judging_samples import config, expected_raw, items, make_rubric
from simserver.server import SimServer, always, at_first

from rubricbench.errors import EndpointError, InputError, StoreError
from rubricbench.judging import Item, Judge, Source
from rubricbench.judging import book as book_module
from rubricbench.judging.engine import LOOKUP_CALLS
from rubricbench.judging.loops import run
from rubricbench.schema import Cause, Criterion, Prompt, Rubric
from rubricbench.store import Store


def test_every_item_comes_back_once_with_its_tag_and_its_own_score(store):
    with SimServer(latency=0.005) as server:
        judged = Judge(config(server), store).grade_all(items(500))
        assert server.most_in_flight <= 32
    assert [j.item.tag for j in judged] == list(range(500))
    for j in judged:
        assert j.score.raw == expected_raw(j.item.rubric, j.item.response)
    assert {j.source for j in judged} == {Source.CALL}


@pytest.mark.parametrize("concurrency", [1, 7, 64])
def test_calls_in_flight_stay_within_concurrency_and_reach_it(store, concurrency):
    with SimServer(latency=0.02) as server:
        judge = Judge(config(server, concurrency=concurrency), store)
        judge.grade_all(items(100 + 4 * concurrency))  # the pace is found on the way
        assert server.most_in_flight == concurrency


def test_equal_items_share_one_call_whenever_they_come(store):
    # Equal items before 1,000 others, among them, and behind: the answer is under way, queued for
    # the disk, and on it.
    one, others = items(1), items(1_001)[1:]
    mixed = [item for other in others for item in (other, *one)]
    with SimServer() as server:
        judge = Judge(config(server), store)
        judged = judge.grade_all(one * 20 + mixed)
        assert server.requests == 1_001
        assert server.log()["repeated"] == 0
    assert len({j.verdicts for j in judged if j.item is one[0]}) == 1
    assert judge.tally.shared >= 19
    assert judge.tally.shared + judge.tally.stored == 1_019


def test_a_second_pass_asks_nothing(store):
    with SimServer() as server:
        first = Judge(config(server), store).grade_all(items(150))
        judge = Judge(config(server), store, secret=b"another run's")
        again = judge.grade_all(items(150))
        assert server.requests == 150
    assert [j.verdicts for j in again] == [j.verdicts for j in first]
    assert (judge.tally.calls, judge.tally.stored) == (0, 150)


def test_another_revision_is_another_judge(store):
    with SimServer() as server:
        for revision in ("1", "2"):
            Judge(config(server, revision=revision), store).grade_all(items(5))
        assert server.requests == 10


def test_a_failed_call_fails_all_that_share_it_and_is_not_stored(store):
    with SimServer(latency=0.05, fault=always("500")) as server:
        judged = Judge(config(server, retries=0), store).grade_all(items(1) * 5)
        assert server.requests == 1
    assert {v.cause for j in judged for v in j.verdicts} == {Cause.SERVER_ERROR}
    store.flush()
    assert store.count() == 0


def test_an_asynchronous_source_is_graded_as_it_comes(store):
    async def source():
        for item in items(5):
            yield item
            await asyncio.sleep(0.1)

    async def collect(judge):
        start, seen = time.monotonic(), []
        async for judged in judge.stream(source()):
            seen.append((judged.item.tag, time.monotonic() - start))
        return seen

    with SimServer() as server:
        seen = run(lambda: collect(Judge(config(server), store)))
    assert [tag for tag, _ in seen] == [0, 1, 2, 3, 4]
    assert seen[0][1] < 0.4  # five items take half a second to come: the first did not wait


class Read:
    """An iterable that counts how far it was read."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.count = 0

    def __iter__(self):
        for item in items(self.n):
            self.count += 1
            yield item


def test_a_slow_reader_holds_everything_back(store):
    source = Read(5_000)

    async def read_ten(judge):
        async with aclosing(judge.stream(source)) as stream:
            for _ in range(10):
                await anext(stream)
                await asyncio.sleep(0.05)

    with SimServer() as server:
        run(lambda: read_ten(Judge(config(server, concurrency=8), store)))
        # What lies between: the window (2 x 8 + 4 chunks), a chunk on its way in, ten read.
        bound = 2 * 8 + 5 * LOOKUP_CALLS + 10
        assert source.count <= bound
        assert server.requests <= bound


def test_criterion_by_criterion_calls_are_what_is_bounded(store):
    criteria = tuple(Criterion(criterion=f"States {i}", weight=1) for i in range(100))
    rubric = Rubric(prompt=Prompt.from_text("Q?"), criteria=criteria)
    read = 0

    def source():
        nonlocal read
        for read in range(1, 501):
            yield Item(rubric, f"Answer {read}", read)

    async def wait_a_little(judge):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await _drain(judge.stream(source()))

    with SimServer(fault=always("hang")) as server:
        judge = Judge(config(server, criteria_per_call=1, concurrency=4), store)
        run(lambda: wait_a_little(judge))
    # A chunk is read at a time; of its items, 2 x 4 + 4 x 64 places hold four of 64 places each.
    assert judge.tally.attempts == 4
    assert read == LOOKUP_CALLS


def test_items_of_many_calls_all_come_back(store):
    criteria = tuple(Criterion(criterion=f"States {i}", weight=1) for i in range(100))
    rubric = Rubric(prompt=Prompt.from_text("Q?"), criteria=criteria)
    work = [Item(rubric, f"Answer {i}", i) for i in range(12)]
    with SimServer() as server:
        judge = Judge(config(server, criteria_per_call=1), store)
        judged = judge.grade_all(work)
        assert server.requests == 1_200
    for j in judged:
        assert j.score.raw == expected_raw(rubric, j.item.response)
    assert len(list(judge.stored(work))) == 12


def test_a_hanging_call_does_not_let_duplicates_pile_up(store):
    one, read = items(1)[0], 0

    def source():
        nonlocal read
        for read in range(100_000):  # noqa: B007 - counts how far it was read
            yield one

    async def wait_a_little(judge):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await _drain(judge.stream(source()))

    with SimServer(fault=always("hang")) as server:
        run(lambda: wait_a_little(Judge(config(server, timeout=30.0), store)))
    assert 0 < read < 1_000


def test_memory_does_not_grow_with_the_number_of_items(store):
    rubrics = [make_rubric(i) for i in range(7)]

    async def peak(judge, n):
        """Peak of traced bytes while n items that were never asked before are graded."""
        work = (Item(rubrics[i % 7], f"{n} {i} " + "x" * 2_000, i) for i in range(n))
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        await _drain(judge.stream(work))
        return tracemalloc.get_traced_memory()[1] - before

    with SimServer(keep=False) as server:
        judge = Judge(config(server, concurrency=8), store)
        tracemalloc.start()
        try:
            few = run(lambda: peak(judge, 300))
            many = run(lambda: peak(judge, 700))
        finally:
            tracemalloc.stop()
    # The window holds 272 items: it fills both times. 400 more, were they kept, would be .8 MB of
    # responses and 3 MB of requests. The simulator in this process keeps a key of each.
    assert many - few < 700_000


def test_stored_answers_do_not_starve_the_loop(store):
    work = items(2_000)
    with SimServer() as server:
        judge = Judge(config(server), store)
        judge.grade_all(work)

        async def beats_meanwhile():
            beats = 0

            async def beat():
                nonlocal beats
                while True:
                    beats += 1
                    await asyncio.sleep(0)

            heart = asyncio.create_task(beat())
            async for _ in judge.stream(work):
                pass
            heart.cancel()
            return beats

        assert run(beats_meanwhile) >= len(work) / LOOKUP_CALLS


def test_stopping_ends_in_order_and_keeps_what_was_under_way(store):
    async def stop_midway(judge):
        seen, left = 0, 0
        async for judged in judge.stream(items(500)):
            assert judged.score.value is not None
            seen += 1
            if seen == 20:
                left = judge.stop()
        return seen, left

    with SimServer(latency=0.05) as server:
        judge = Judge(config(server, concurrency=8), store)
        seen, left = run(lambda: stop_midway(judge))
        assert 0 < left <= 8
        assert seen == server.requests == server.answered < 60
    store.flush()
    assert store.count() == seen


def test_stopping_does_not_wait_out_pauses(store):
    async def stop_soon(judge):
        async def later():
            await asyncio.sleep(0.3)
            judge.stop()

        stopping = asyncio.create_task(later())
        causes = [j.verdicts[0].cause async for j in judge.stream(items(4))]
        await stopping
        return causes

    with SimServer(fault=always("429 for an hour")) as server:
        judge = Judge(config(server, deadline=10_000.0), store)
        start = time.monotonic()
        assert run(lambda: stop_soon(judge)) == [Cause.RATE_LIMITED] * 4
        assert time.monotonic() - start < 5


def test_cancelling_loses_nothing_that_was_received(store):
    async def cancel_midway(judge):
        async def read():
            async for _ in judge.stream(items(500)):
                pass

        task = asyncio.create_task(read())
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with SimServer(latency=0.02) as server:
        judge = Judge(config(server, concurrency=8), store)
        run(lambda: cancel_midway(judge))
        answered = server.answered
        in_flight = 8
    store.flush()
    assert store.count() == judge.tally.calls
    assert answered - in_flight <= store.count() <= answered
    assert store.count() > 0


def test_leaving_a_stream_early_ends_its_calls(store):
    async def take_three(judge):
        async with aclosing(judge.stream(items(500))) as stream:
            async for _ in stream:
                if judge.tally.calls >= 3:
                    break
        return len(asyncio.all_tasks())

    with SimServer(latency=0.02) as server:
        assert run(lambda: take_three(Judge(config(server, concurrency=8), store))) == 1
        time.sleep(0.1)
        asked = server.requests
        time.sleep(0.2)
        assert server.requests == asked < 40


def test_a_source_that_breaks_breaks_the_stream(store):
    def source():
        yield from items(3)
        raise InputError("row 4 is broken")

    with SimServer() as server, pytest.raises(InputError, match="row 4"):
        run(lambda: _drain(Judge(config(server), store).stream(source())))


async def _drain(stream):
    async for _ in stream:
        pass


def test_a_store_that_cannot_write_stops_the_run(tmp_path):
    Store.open(tmp_path / "s.sqlite").close()
    with (
        Store.open(tmp_path / "s.sqlite", read_only=True) as store,
        SimServer() as server,
        pytest.raises(StoreError, match="read-only"),
    ):
        Judge(config(server, concurrency=2), store).grade_all(items(50))
    assert server.requests <= 4


def test_grading_works_inside_a_running_loop(store):
    async def notebook(judge):
        return judge.grade(make_rubric(), judge.config.base_url)

    with SimServer() as server:
        judged = asyncio.run(notebook(Judge(config(server), store)))
        assert judged.score.value is not None
        with pytest.raises(EndpointError):
            asyncio.run(notebook(Judge(config(server, base_url="http://127.0.0.1:9/v1"), store)))


def test_two_streams_of_one_judge_run_side_by_side(store):
    async def both(judge):
        return await asyncio.gather(*(_collect(judge.stream(items(60))) for _ in range(2)))

    async def _collect(stream):
        return {j.item.tag: j.verdicts async for j in stream}

    with SimServer(latency=0.01) as server:
        one, other = run(lambda: both(Judge(config(server), store)))
    assert one == other
    assert len(one) == 60


def test_two_threads_share_a_store(tmp_path):
    with SimServer(latency=0.005) as server, Store.open(tmp_path / "s.sqlite") as store:
        judges = [Judge(config(server), store) for _ in range(2)]
        halves = [items(200)[:150], items(200)[50:]]
        threads = [
            threading.Thread(target=judge.grade_all, args=(half,))
            for judge, half in zip(judges, halves, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.flush()
        assert store.count() == 200


class TestWithoutJudge:
    def test_checked_rubrics_need_none(self, store):
        rubric = make_rubric(checked=True)
        checked = type(rubric)(prompt=rubric.prompt, criteria=rubric.criteria[3:])
        judged = Judge(None, store).grade_all([Item(checked, "no comma"), Item(checked, "a, b")])
        assert [j.score.value for j in judged] == [1.0, 0.0]
        assert {j.source for j in judged} == {Source.CHECKS}

    def test_others_say_what_is_missing(self, store):
        with pytest.raises(InputError, match="'Names reason 0' needs a judge"):
            Judge(None, store).grade(make_rubric(), "x")


def test_more_rubrics_than_are_kept_prepared_are_graded_all_the_same(store, monkeypatch):
    monkeypatch.setattr(book_module, "MAX_QUESTIONS", 3)
    with SimServer() as server:
        judged = Judge(config(server), store).grade_all(items(50, prompts=10))
    for j in judged:
        assert j.score.raw == expected_raw(j.item.rubric, j.item.response)


def test_a_retry_is_no_second_answer(store):
    with SimServer(fault=at_first("500")) as server:
        judge = Judge(config(server), store)
        judge.grade_all(items(20))
        assert (judge.tally.calls, judge.tally.attempts) == (20, 40)
        assert server.answered == 20
