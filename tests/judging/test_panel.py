"""Several judges on the same responses: votes, spread, and how they agree."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging_samples import config, items, make_rubric
from simserver.latent import LatentJudge, truth
from simserver.server import SimServer, always

from rubricbench.errors import InputError
from rubricbench.judging import Item, Judge
from rubricbench.judging.agreement import Agreement, kappa
from rubricbench.judging.panel import Panel, replicates
from rubricbench.judging.vote import spread, vote
from rubricbench.schema import Cause, Status, Verdict, met, unknown, unmet

Y, N = met("c"), unmet("c")


def lost(cause: Cause = Cause.TIMEOUT) -> Verdict:
    return unknown("c", cause)


def soft(p: float) -> Verdict:
    return Verdict(criterion_id="c", status=Status.MET if p >= 0.5 else Status.UNMET, p_met=p)


class TestVote:
    @pytest.mark.parametrize(
        ("verdicts", "status", "p_met"),
        [
            ([Y, Y, N], "met", 2 / 3),
            ([N, N, Y], "unmet", 1 / 3),
            ([Y, N], "met", 0.5),  # as in scoring, one half is met
            ([Y], "met", 1.0),
            ([N, N, lost()], "unmet", 0.0),
            ([soft(0.9), soft(0.4)], "met", 0.65),
            ([soft(0.6), N, lost()], "unmet", 0.3),
        ],
    )
    def test_a_share_is_the_mean_credit_of_what_is_known(self, verdicts, status, p_met):
        found = vote(verdicts).verdict
        assert (found.criterion_id, found.status) == ("c", status)
        assert found.p_met == pytest.approx(p_met)
        assert found.captured is None

    @pytest.mark.parametrize(
        ("verdicts", "status"),
        [
            ([Y, Y, N], "met"),
            ([Y, N, N], "unmet"),
            ([Y, Y, lost()], "met"),  # whatever the third would have said
            ([soft(0.6), soft(0.6), soft(0.0)], "met"),  # a vote each, however sure
        ],
    )
    def test_a_majority_is_more_than_half_of_all(self, verdicts, status):
        found = vote(verdicts, "majority").verdict
        assert (found.status, found.p_met) == (status, None)

    @pytest.mark.parametrize(
        ("verdicts", "rule", "cause"),
        [
            ([Y, N], "majority", Cause.TIED),
            ([Y, N, Y, N], "majority", Cause.TIED),
            ([Y, N, lost()], "majority", Cause.TIMEOUT),  # who could have turned it
            ([Y, Y, N, lost(Cause.REFUSAL)], "majority", Cause.REFUSAL),  # or made it even
            ([Y, lost()], "majority", Cause.TIMEOUT),
            ([Y, lost()], "share", Cause.TIMEOUT),
            ([Y, lost(Cause.REFUSAL), lost(Cause.TIMEOUT)], "share", Cause.TIMEOUT),
            ([lost(Cause.REFUSAL), lost(Cause.EMPTY), lost(Cause.EMPTY)], "share", Cause.EMPTY),
            ([lost(Cause.TRUNCATED), lost(Cause.EMPTY)], "share", Cause.EMPTY),  # by name
        ],
    )
    def test_what_is_not_decided_is_unknown_with_a_cause(self, verdicts, rule, cause):
        for order in (verdicts, verdicts[::-1]):
            assert vote(order, rule).verdict == unknown("c", cause)

    def test_counts_and_spread_are_kept(self):
        found = vote([Y, Y, N, lost()])
        assert (found.met, found.unmet, found.unknown) == (2, 1, 1)
        # credits 1, 1, 0: mean 2/3, squares 1/9 + 1/9 + 4/9 = 2/3, by n - 1 = 2
        assert found.spread == pytest.approx(math.sqrt(1 / 3))
        assert found.side is Status.MET
        assert vote([Y, N]).side is None
        assert vote([Y, lost()]).spread is None
        assert spread([0.25, 0.25]) == 0.0

    def test_a_rule_that_is_none_is_refused(self):
        with pytest.raises(InputError, match="unknown vote 'plurality'; choose from share, maj"):
            vote([Y], "plurality")
        with pytest.raises(InputError, match="needs a verdict"):
            vote([])

    @given(st.lists(st.sampled_from([Y, N, lost(), soft(0.7)]), min_size=1, max_size=7))
    def test_a_majority_holds_whatever_the_unknown_ones_had_said(self, verdicts):
        found = vote(verdicts, "majority").verdict
        if found.status is Status.UNKNOWN:
            return
        for other in (Y, N):
            settled = [other if v.status is Status.UNKNOWN else v for v in verdicts]
            assert vote(settled, "majority").verdict.status is found.status


class TestAgreement:
    def test_kappa_by_hand(self):
        # Cohen 1960's form: 20 + 15 of 50 agree, 0.7; chance .5 * .6 + .5 * .4 = 0.5
        assert kappa(20, 5, 10, 15) == pytest.approx((0.7 - 0.5) / (1 - 0.5))
        assert kappa(3, 0, 0, 2) == 1.0
        assert kappa(0, 2, 2, 0) == -1.0
        assert kappa(5, 0, 0, 0) is None
        assert kappa(0, 0, 0, 0) is None

    def test_each_judge_beside_the_majority_and_the_others(self):
        agreement = Agreement([("a", 0), ("b", 0), ("b", 1)], "share")
        rows = [(Y, Y, N), (N, N, N), (Y, N, Y), (Y, N, lost()), (N, Y, Y), (Y, lost(), lost())]
        for row in rows:
            agreement.add(vote(row), row)
        report = agreement.report()
        first, second, third = report.members
        assert [m.verdicts for m in report.members] == [6, 6, 6]
        assert [m.met_rate for m in report.members] == [4 / 6, 2 / 5, 2 / 4]
        assert [m.unknown_rate for m in report.members] == [0.0, 1 / 6, 2 / 6]
        assert (second.judge, third.replicate, third.unknown) == ("b", 1, {"timeout": 2})
        # The fourth row is split evenly and has no side.
        assert first.majority == pytest.approx(4 / 5)
        assert second.majority == pytest.approx(3 / 4)
        assert third.majority == pytest.approx(3 / 4)
        assert report.split == pytest.approx(4 / 6)
        pairs = {(p.first, p.second): p for p in report.pairs}
        assert [p.verdicts for p in report.pairs] == [5, 4, 4]
        assert pairs[0, 1].agreement == pytest.approx(2 / 5)
        # (Y,Y) 1, (Y,N) 2, (N,Y) 1, (N,N) 1 of 5: chance 3/5 * 2/5 + 2/5 * 3/5 = 12/25
        assert pairs[0, 1].kappa == pytest.approx((2 / 5 - 12 / 25) / (1 - 12 / 25))
        assert "1 and 2 agree on 40.0% of 5 verdicts, kappa -0.154" in report.text()
        assert (
            "2. b replicate 0: met 40.0%, unknown 16.7%, with the majority 75.0%" in report.text()
        )

    def test_nothing_counted_is_nothing_known(self):
        report = Agreement([("a", 0), ("b", 0)], "share").report()
        assert (report.split, report.pairs[0].kappa, report.members[0].met_rate) == (None,) * 3
        assert "unknown" in report.text()


NOISY = LatentJudge(margin=2.0, noise=1.0)


class TestPanel:
    def test_replicates_are_asked_each_on_its_own_and_stored(self, store):
        with SimServer(judge=NOISY) as server:
            panel = Panel.replicated(config(server, temperature=1.0), store, 3)
            rulings = panel.grade_all(items(20))
            assert server.requests == 60
            again = Panel.replicated(config(server, temperature=1.0), store, 3)
            assert [r.votes for r in again.grade_all(items(20))] == [r.votes for r in rulings]
            one_more = Panel.replicated(config(server, temperature=1.0), store, 4)
            one_more.grade_all(items(20))
            assert server.requests == 80
        assert [r.item.tag for r in rulings] == list(range(20))
        for ruling in rulings:
            for i, found in enumerate(ruling.votes):
                statuses = [judged.verdicts[i].status for judged in ruling.members]
                assert found.met == statuses.count(Status.MET)
                assert ruling.verdicts[i].p_met == found.met / 3
            values = [judged.score.value for judged in ruling.members]
            assert ruling.score.value == pytest.approx(sum(values) / 3)  # the mean is linear
            assert ruling.spread == pytest.approx(spread(values))
            assert all(judged.item is ruling.item for judged in ruling.members)
        assert 0.0 < panel.report().split < 1.0

    def test_a_majority_is_hard(self, store):
        with SimServer(judge=NOISY) as server:
            panel = Panel.replicated(config(server, temperature=1.0), store, 3, vote="majority")
            for ruling in panel.grade_all(items(20)):
                for found, verdict in zip(ruling.votes, ruling.verdicts, strict=True):
                    assert (verdict.status is Status.MET) == (found.met >= 2)
                    assert verdict.p_met is None

    def test_different_judges_are_told_apart(self, store):
        right, wrong = LatentJudge(), LatentJudge(sensitivity=0.0, specificity=0.0)
        with SimServer(judge=right) as one, SimServer(judge=wrong) as other:
            judges = [
                Judge(config(one, model="right"), store),
                Judge(config(other, model="wrong"), store),
            ]
            panel = Panel(judges)
            rulings = panel.grade_all(items(6))
        for ruling in rulings:
            assert {v.p_met for v in ruling.verdicts} == {0.5}
            for i, criterion in enumerate(ruling.item.rubric.criteria):
                is_met = truth(criterion.criterion, ruling.item.response)
                assert [j.verdicts[i].credit for j in ruling.members] == [is_met, not is_met]
        report = panel.report()
        assert [m.judge for m in report.members] == ["right", "wrong"]
        assert (report.split, report.pairs[0].agreement) == (1.0, 0.0)

    def test_a_judge_that_fails_leaves_the_others_verdicts(self, store):
        with SimServer() as well, SimServer(fault=always("500")) as ill:
            judges = [
                Judge(config(well, model="a"), store),
                Judge(config(well, model="b"), store),
                Judge(config(ill, model="c", retries=0), store),
            ]
            (ruling,) = Panel(judges).grade_all(items(1))
        assert ruling.score.coverage == 1.0
        assert [v.unknown for v in ruling.votes] == [1, 1, 1]
        assert ruling.members[2].fault

    def test_what_a_program_decides_is_the_same_for_all(self, store):
        rubric = make_rubric(checked=True)
        with SimServer() as server:
            panel = Panel.replicated(config(server, temperature=1.0), store, 2)
            (ruling,) = panel.grade_all([Item(rubric, "No comma here")])
        checked = ruling.votes[-1]
        assert (checked.met, checked.verdict.p_met, checked.spread) == (2, None, None)
        assert panel.report().members[0].verdicts == len(rubric.criteria) - 1

    def test_it_streams_and_stops(self, store):
        async def some() -> list[int]:
            panel = Panel.replicated(config(server, temperature=1.0), store, 2)
            seen = []
            async with panel, aclosing(panel.stream(iter(items(3000)))) as rulings:
                async for ruling in rulings:
                    seen.append(ruling.item.tag)
                    if len(seen) == 1:
                        panel.stop()
            return seen

        with SimServer() as server:
            seen = asyncio.run(some())
            assert seen == list(range(len(seen)))
            assert 0 < len(seen) < 3000
            assert server.requests == 2 * len(seen)

    @pytest.mark.parametrize("count", [1, 0, -1, True, 2.5, "3"])
    def test_so_few_replicates_are_refused(self, count):
        with SimServer() as server, pytest.raises(InputError, match="a whole number from 2 on"):
            replicates(config(server, temperature=1.0), count)

    def test_replicates_that_say_the_same_are_refused(self, store):
        with SimServer() as server:
            with pytest.raises(InputError, match="temperature 0 all say the same"):
                replicates(config(server), 3)
            first, second = replicates(config(server, temperature=None, replicate=4), 2)
            assert (first.replicate, second.replicate) == (4, 5)
            same = config(server, concurrency=3)
            for twice in ([config(server), same], [first, second, first]):
                with pytest.raises(InputError, match="is in the panel twice"):
                    Panel([Judge(c, store) for c in twice])
            Panel([Judge(config(server), store), Judge(config(server, format="compact"), store)])

    def test_what_is_no_panel_is_refused(self, store):
        with SimServer() as server:
            one = Judge(config(server), store)
            with pytest.raises(InputError, match="two judges or more"):
                Panel([one])
            with pytest.raises(InputError, match="not configured"):
                Panel([one, Judge(None, store)])
            with pytest.raises(InputError, match="unknown vote"):
                Panel([one, Judge(config(server, model="b"), store)], vote="mean")
