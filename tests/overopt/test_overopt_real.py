"""The study of `real_study.py` on some of the real responses (CC BY-NC: read, never kept)."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_study import scored, strong

from rubricbench.overopt.analyse import analyse
from rubricbench.overopt.document import Outcome
from rubricbench.overopt.inputs import Request, gather
from rubricbench.overopt.settings import Settings

PATH = Path(__file__).parents[3] / "shared" / "data" / "alpaca_eval" / "responses.parquet"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not PATH.exists(), reason="no AlpacaEval responses here"),
]


def test_a_rubric_holds_where_length_is_hacked(tmp_path):
    scored(strong(PATH, prompts=60)).to_parquet(tmp_path / "samples.parquet", index=False)
    request = Request(paths=(str(tmp_path / "samples.parquet"),), proxies=("half_rubric", "length"))
    settings = Settings(resamples=500)
    document = analyse("report", gather(request, settings), settings)
    rubric, length = document.samples
    assert (rubric.prompts, rubric.per_prompt) == (60, (14, 14))
    # Half of gold's own criteria cannot order worse than chance; length is against its first one.
    assert rubric.verdict.outcome is not Outcome.OVER
    assert rubric.tail.accuracy.low is not None
    assert rubric.tail.accuracy.low > 0.5
    assert length.verdict.outcome is Outcome.OVER
    assert length.tail.accuracy.high is not None
    assert length.tail.accuracy.high < 0.5
    best = next(c for c in document.contrasts if c.metric == "best of 6")
    assert best.difference.low is not None
    assert best.difference.low > 0
    assert best.p_holm is not None
    assert best.p_holm < 1e-6
    # 14 samples a prompt cannot have an effective sample size of 20: the tilt is withheld, said.
    assert [p.beta for p in rubric.tilt if p.gold.estimate is not None] == [None]
    assert any(c.code == "low_ess" for c in rubric.cautions)
