"""The parts of a pace: window, probes, spacing, gate, saturation, blame."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from pace_world import LimitedRun, Setting

from rubricbench.judging.pace.control import Pace
from rubricbench.judging.pace.gate import Gate
from rubricbench.judging.pace.passage import Passage
from rubricbench.judging.pace.saturation import HEADROOM, Saturation
from rubricbench.judging.pace.spacing import Spacing
from rubricbench.judging.pace.window import FIRST, HOLD, Window


def _fill(pace: Pace, now: float) -> list:
    sent = []
    while pace.wait(now) == 0:
        sent.append(pace.send(now))
    return sent


def test_without_refusals_the_window_doubles_each_round_trip_up_to_the_ceiling():
    pace, now = Pace(200), 0.0
    flying, sizes = _fill(pace, now), [FIRST]
    for _ in range(3):
        now += 1.0
        sent = []
        for request in flying:
            pace.answered(request, now, wanted=True)
            sent += _fill(pace, now)
        flying = sent
        sizes.append(len(flying))
    assert sizes == [FIRST, 2 * FIRST, 4 * FIRST, 200]


def test_a_window_that_nobody_waits_for_does_not_grow():
    pace = Pace(200)
    for _ in range(FIRST):
        pace.answered(pace.send(0.0), 1.0, wanted=False)
    assert pace.window.most == FIRST


def test_a_small_ceiling_holds_from_the_start():
    pace = Pace(3)
    for _ in range(3):
        assert pace.wait(0.0) == 0
        pace.send(0.0)
    assert pace.wait(0.0) == math.inf


def test_all_refusals_of_one_bunch_cut_once():
    pace = Pace(FIRST)
    sent = [pace.send(0.0) for _ in range(FIRST)]
    for request in sent[20:]:
        pace.refused(request, 0.01)
    once = pace.window.size
    # The first refused found 20 in flight, but a window is not cut below .7 of its size for that.
    assert once == pytest.approx(HOLD * 0.7 * FIRST)
    assert pace.in_flight == 20


def test_a_refusal_gives_the_slot_back_and_shuts_for_half_a_round_trip():
    pace = Pace(4)
    pace.answered(pace.send(0.0), 1.0, wanted=True)
    first, second = pace.send(1.0), pace.send(1.0)
    pace.refused(second, 1.1)
    assert pace.in_flight == 1
    assert pace.wait(1.1) == pytest.approx(0.5)
    pace.failed(first)
    assert pace.in_flight == 0


def test_the_wall_is_remembered_and_probed_ever_more_seldom():
    window = Window(100)
    window.size = 50.0
    window.cut(0.0, 50, None, round_trip=0.1)
    assert window.wall == 50
    assert window.size == pytest.approx(0.9 * 50)
    ladders, now, size = [], 0.0, 0.0
    while len(ladders) < 4:
        now += 0.01
        begins = window.grow(now, 0, 0.1)
        size = max(size, window.size)
        if begins:
            ladders.append(now)
            window.cut(now, 50, None, round_trip=0.1)
    # It never went further than a step of 3% above 97% of the wall.
    assert size == pytest.approx(1.03 * HOLD * 50)
    gaps = [b - a for a, b in itertools.pairwise(ladders)]
    assert gaps[1] == pytest.approx(2 * gaps[0], rel=0.2)
    assert gaps[2] == pytest.approx(2 * gaps[1], rel=0.2)


def test_a_limit_that_is_raised_is_found():
    run = LimitedRun(Setting("in flight 20", 0.05, seconds=60))
    run.world.at(20.0, lambda: setattr(run.limit, "most", 90))
    run.result()
    assert run.pace.window.size >= 0.8 * 90


def test_sends_keep_a_distance_of_most_of_a_round_trip_over_the_window():
    spacing = Spacing()
    times = []
    now = 100.0
    for _ in range(30):
        now = max(now, spacing.next_at)
        times.append(now)
        spacing.sent(now, window=30, round_trip=3.0)
    # .8 and a tenth of the rest (3 / 30) of 3 s over 30; up to three of a pause are caught up on.
    gaps = [round(b - a, 9) for a, b in itertools.pairwise(times)]
    assert gaps[:2] == [0, 0]
    assert set(gaps[2:]) == {round(0.82 * 3 / 30, 9)}


@pytest.mark.parametrize(
    ("told", "pauses"),
    [
        (None, [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]),  # doubling, up to five seconds
        (1.5, [0.5, 1.0, 1.5, 1.5, 1.5, 1.5]),  # no longer than asked to
        (40.0, [0.5, 2.0, 8.0, 32.0, 40.0, 40.0]),  # a long time is approached faster
    ],
)
def test_the_gate_stays_shut_longer_each_time(told, pauses):
    gate, found = Gate(), []
    for now in range(6):
        gate.shut(now, 1.0, told)
        found.append(gate.opens_at - now)
    assert found == pauses
    gate.passed(100.0, 1.0)
    gate.shut(200.0, 1.0, told)
    assert gate.opens_at == 200.5


def test_passage_is_what_got_through_over_the_time():
    passage = Passage()
    assert passage.sustained(0.0, 100, 0.5) is None
    passage.refused(99)  # sent before
    passage.refused(110)
    passage.refused(111)
    passage.paused(1.0)
    # 20 sent, 2 refused, in 9 s of which we paused one; the next would be the 19th: 19/8 a second.
    assert passage.sustained(9.0, 120, 0.5) == pytest.approx(19 / 8 * 0.5)
    assert passage.sustained(9.5, 121, 0.5) is None  # less than two round trips: goes on counting


def test_throughput_that_stays_flat_is_saturation():
    saturation = Saturation()

    def rounds(in_flight: int, seconds: float) -> bool:
        found = [saturation.answered(in_flight, seconds, 10) for _ in range(10)]
        return any(found)

    # 10/s per request in flight, up to 40 of them; then a queue.
    assert not rounds(20, 0.1)
    assert not rounds(40, 0.1)
    assert not saturation.doubt
    assert not rounds(80, 0.2)
    assert saturation.doubt
    assert rounds(160, 0.4)
    assert saturation.enough == pytest.approx(HEADROOM * 40)


def test_a_saturated_server_that_never_refuses_stops_the_growth():
    # 40 workers, 50 ms: 800/s with 40 in flight; 1,000 in flight would wait 1.25 s.
    pace, now, done = Pace(1_000), 0.0, []
    free = [0.0] * 40
    while now < 20.0:
        while pace.wait(now) == 0:
            worker = min(range(40), key=free.__getitem__)
            free[worker] = max(free[worker], now) + 0.05
            done.append((free[worker], pace.send(now)))
        done.sort(key=lambda entry: entry[0])
        now, request = done.pop(0)
        pace.answered(request, now, wanted=True)
    assert pace.window.size < 200
    assert pace.round_trip < 0.25


class _Random:
    """Refuses a share of the requests, whatever the pace."""

    def __init__(self, share: float) -> None:
        self._share, self._random = share, random.Random(1)

    def admit(self, now: float) -> bool:
        return self._random.random() > self._share

    def done(self, now: float) -> None:
        pass

    def quota(self, now: float) -> tuple[float, float, float]:
        return 1, 1, 1

    def permits(self, start: float, end: float, held: float) -> float:
        return 32 * (end - start) / held


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_refusals_that_come_at_any_pace_do_not_close_the_window(share):
    run = LimitedRun(Setting("in flight 32", 0.05, ceiling=32))
    run.limit = _Random(share)
    # Cut for each of them, the window would let through two in a hundred.
    assert run.result().steady > 0.8
