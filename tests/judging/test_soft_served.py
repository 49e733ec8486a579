"""Soft verdicts through the whole path: asked for, served, stored, read."""

from __future__ import annotations

import pytest
from judging_samples import config, items
from simserver.dialect import Dialect
from simserver.latent import LatentJudge
from simserver.server import SimServer
from simserver.tokens import STYLES

from rubricbench.judging import Judge
from rubricbench.store import Store

FORMATS = ["json", "reasoned", "compact", "paper"]
UNSURE = LatentJudge(margin=3.0)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("form", FORMATS)
def test_p_met_is_what_the_judge_believes_however_its_tokens_are_cut(store, form, style):
    dialect = Dialect(tokens=style, captured=0.9)
    with SimServer(judge=UNSURE, dialect=dialect) as server:
        judge = Judge(config(server, format=form, logprobs=20), store)
        called = judge.grade_all(items(8))
        stored = judge.grade_all(items(8))
        assert server.requests == 8
    assert [j.verdicts for j in called] == [j.verdicts for j in stored]
    for judged in called:
        for criterion, verdict in zip(judged.item.rubric.criteria, judged.verdicts, strict=True):
            believed = UNSURE.p_met(criterion.criterion, judged.item.response)
            assert verdict.p_met == pytest.approx(believed, abs=1e-6)
            assert verdict.captured == pytest.approx(0.9, abs=1e-6)
            assert (verdict.status == "met") == (believed >= 0.5)


@pytest.mark.parametrize(("listed", "error"), [(1, 0.1), (2, 1e-6), (5, 1e-6)])
def test_a_short_list_of_alternatives_leaves_p_met_near_what_is_believed(store, listed, error):
    # The word said has m = 0.97 x 0.9 q, where q is from 0.5 to sigmoid(1) = 0.731. Alone, it is
    # read as max(0.5, m), at most 0.731 - 0.638 = 0.093 below q. Two words share out the same 0.9.
    unsure = LatentJudge(margin=1.0)
    with SimServer(judge=unsure, dialect=Dialect(captured=0.97)) as server:
        graded = Judge(config(server, logprobs=listed), store).grade_all(items(8))
    for judged in graded:
        for criterion, verdict in zip(judged.item.rubric.criteria, judged.verdicts, strict=True):
            believed = unsure.p_met(criterion.criterion, judged.item.response)
            assert verdict.p_met == pytest.approx(believed, abs=error)


@pytest.mark.parametrize("thinking", ["inline", "apart"])
@pytest.mark.parametrize("form", FORMATS)
def test_a_thought_before_the_answer_does_not_shift_the_tokens(store, form, thinking):
    with SimServer(judge=UNSURE, dialect=Dialect(thinking=thinking)) as server:
        (judged,) = Judge(config(server, format=form, logprobs=20), store).grade_all(items(1))
    for criterion, verdict in zip(judged.item.rubric.criteria, judged.verdicts, strict=True):
        believed = UNSURE.p_met(criterion.criterion, judged.item.response)
        assert verdict.p_met == pytest.approx(believed, abs=1e-6)


def test_an_endpoint_without_logprobs_leaves_hard_verdicts(store):
    with SimServer(judge=UNSURE, dialect=Dialect(logprobs="ignored")) as server:
        (judged,) = Judge(config(server, logprobs=5), store).grade_all(items(1))
    assert {verdict.p_met for verdict in judged.verdicts} == {None}
    assert judged.score.value is not None


def test_what_is_stored_of_logprobs_is_the_same_in_every_run(tmp_path):
    stored = []
    with SimServer(judge=UNSURE) as server:
        for run in range(2):  # each with a secret, and so labels, of its own
            with Store.open(tmp_path / f"{run}.sqlite") as store:
                Judge(config(server, logprobs=5), store).grade_all(items(5))
                stored.append({c.key: (c.text, c.logprobs) for c in store.iterate()})
    assert stored[0] == stored[1]
    assert all(logprobs for _, logprobs in stored[0].values())
