"""Several endpoints behind one judge: load goes where there is room, and not to an ill one."""

from __future__ import annotations

import pytest
from judging_samples import config, expected_raw, items
from simserver.server import SimServer, always

from rubricbench.errors import EndpointError
from rubricbench.judging import Judge
from rubricbench.judging.faults import PassingFaultError
from rubricbench.judging.fleet import FAILURES_TO_SET_ASIDE, Fleet
from rubricbench.judging.loops import run
from rubricbench.schema import Cause


class Place:
    """Stands for an endpoint: a name and a load."""

    def __init__(self, name: str, in_flight: int = 0) -> None:
        self.name = self.url = name
        self.in_flight = in_flight


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def failing(fleet: Fleet, place: Place, times: int, cause: Cause = Cause.CONNECTION) -> None:
    for _ in range(times):
        fleet.failed(place, PassingFaultError(cause, "down"))


def test_the_least_loaded_is_next():
    a, b, c = Place("a", 3), Place("b", 1), Place("c", 2)
    assert Fleet([a, b, c]).pick() is b


def test_an_ill_one_is_set_aside_and_probed_by_one_call_at_a_time():
    a, b, clock = Place("a"), Place("b", 9), Clock()
    fleet = Fleet([a, b], clock)
    failing(fleet, a, FAILURES_TO_SET_ASIDE)
    assert fleet.pick() is b  # though nine calls are under way there
    clock.now = 1.0
    assert [fleet.pick().name for _ in range(3)] == ["a", "b", "b"]
    failing(fleet, a, 1)
    clock.now = 2.5  # twice as long from the last failure: 1.0 + 2.0
    assert fleet.pick() is b
    clock.now = 3.0
    assert fleet.pick() is a
    fleet.answered(a)
    assert fleet.pick() is a


def test_being_told_to_slow_down_is_no_illness():
    a, b = Place("a"), Place("b", 9)
    fleet = Fleet([a, b])
    failing(fleet, a, 10, Cause.RATE_LIMITED)
    assert fleet.pick() is a


def test_where_all_are_ill_the_first_to_be_probed_is_next():
    a, b, clock = Place("a"), Place("b"), Clock()
    fleet = Fleet([a, b], clock)
    failing(fleet, b, FAILURES_TO_SET_ASIDE)
    clock.now = 0.5
    failing(fleet, a, FAILURES_TO_SET_ASIDE)
    assert fleet.pick() is b


def test_one_with_a_wrong_key_is_used_no_more_and_the_last_one_is_an_error():
    a, b = Place("a"), Place("b", 9)
    fleet = Fleet([a, b])
    fleet.lost(a, EndpointError("wrong key"))
    assert fleet.pick() is b
    assert fleet.faults == {"a": "wrong key"}
    with pytest.raises(EndpointError):
        fleet.lost(b, EndpointError("wrong key"))


def test_replicas_share_the_load_and_the_store(store):
    with SimServer(latency=0.02) as one, SimServer(latency=0.02) as two:
        judge = Judge(config(one, endpoints=(two.base_url,), concurrency=8), store)
        graded = judge.grade_all(items(200))
        assert one.requests + two.requests == 200
        assert min(one.requests, two.requests) > 60
    for j in graded:
        assert j.score.raw == expected_raw(j.item.rubric, j.item.response)
    store.flush()
    urls = {completion.url for completion in store.iterate()}
    assert urls == {f"{server.base_url}/chat/completions" for server in (one, two)}


@pytest.mark.parametrize("fault", ["500", "cut off", "403"])
def test_a_replica_that_is_ill_costs_no_verdict(store, fault):
    with SimServer(fault=always(fault)) as ill, SimServer() as well:
        judge = Judge(config(ill, endpoints=(well.base_url,), concurrency=8), store)
        graded = judge.grade_all(items(100))
        assert ill.requests < 30
    assert all(j.score.value is not None for j in graded)
    assert judge.tally.failed == 0


def test_a_replica_that_is_not_there_costs_no_verdict(store):
    with SimServer() as gone:
        pass
    with SimServer() as well:
        judge = Judge(config(gone, endpoints=(well.base_url,)), store)
        graded = judge.grade_all(items(50))
    assert all(j.score.value is not None for j in graded)


def test_a_replica_that_recovers_is_used_again(store):
    recovering = SimServer(fault=lambda call: "500" if call.number <= 3 else "")
    with recovering as ill, SimServer(latency=0.05) as well:
        judge = Judge(config(ill, endpoints=(well.base_url,), concurrency=4), store)
        graded = judge.grade_all(items(250))
        assert ill.requests - 3 > 20
    assert all(j.score.value is not None for j in graded)


def test_all_replicas_wrong_is_an_error(store):
    with SimServer(api_key="k") as one, SimServer(api_key="k") as two:
        judge = Judge(config(one, endpoints=(two.base_url,)), store)
        with pytest.raises(EndpointError, match="API key"):
            judge.grade_all(items(10))


def test_one_outage_that_many_calls_meet_delays_the_probe_once():
    a, b, clock = Place("a"), Place("b", 9), Clock()
    fleet = Fleet([a, b], clock)
    failing(fleet, a, 32)  # all that were in flight when it went down
    clock.now = 1.0
    assert fleet.pick() is a


def test_where_all_are_lost_each_call_is_told_why():
    a, b = Place("a"), Place("b")
    fleet = Fleet([a, b])
    fleet.lost(a, EndpointError("wrong key"))
    with pytest.raises(EndpointError):
        fleet.lost(b, EndpointError("wrong model"))
    with pytest.raises(EndpointError, match="wrong model"):  # a call that was waiting meanwhile
        fleet.pick()


def test_an_open_judge_whose_replicas_are_all_wrong_says_so_in_every_stream(store):
    async def twice(judge):
        async with judge:
            for _ in range(2):
                with pytest.raises(EndpointError, match="API key"):
                    _ = [j async for j in judge.stream(items(3))]

    with SimServer(api_key="k") as one, SimServer(api_key="k") as two:
        run(lambda: twice(Judge(config(one, endpoints=(two.base_url,)), store)))


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_replica_that_is_not_there_ends_no_run_while_another_is_slow(store, concurrency):
    with SimServer() as gone:
        pass
    with SimServer(latency=0.3) as slow:
        judge = Judge(config(gone, endpoints=(slow.base_url,), concurrency=concurrency), store)
        graded = judge.grade_all(items(4))
    assert all(j.score.value is not None for j in graded)
