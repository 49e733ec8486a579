"""The commands on worlds with known truth: what they find, write and print."""

from __future__ import annotations

import json
from dataclasses import dataclass

import msgspec
import numpy as np
import pandas as pd
import pytest
from overopt_worlds import STEPS, run_table, sample_table

from rubricbench import cli
from rubricbench.metrics.auc import area
from rubricbench.metrics.holm import holm
from rubricbench.metrics.result import walk
from rubricbench.metrics.samples import Samples
from rubricbench.overopt.analyse import analyse
from rubricbench.overopt.document import Document, Outcome
from rubricbench.overopt.inputs import Request, gather
from rubricbench.overopt.rows import SCHEMA, rows
from rubricbench.overopt.settings import Settings
from rubricbench.overopt.study import study
from rubricbench.overopt.verdict_samples import verdict
from rubricbench.overopt.write import read


@dataclass
class _Shown:
    """A curve, as far as a verdict reads it."""

    points: tuple

    def shown(self):
        return tuple(p for p in self.points if p.gold.estimate is not None)


QUICK = Settings(resamples=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("worlds")
    run_table(falls={"rubric": 0.05, "bt": 0.3}).to_parquet(path / "runs.parquet")
    sample_table().to_parquet(path / "samples.parquet")
    return path


@pytest.fixture(scope="module")
def document(folder) -> Document:
    """Return the report of both files."""
    request = Request(
        paths=(str(folder / "runs.parquet"), str(folder / "samples.parquet")),
        proxies=("faithful", "hacked", "chance"),
    )
    return analyse("report", gather(request, QUICK), QUICK)


def call(capsys, *line: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["overopt", *map(str, line)])
    captured = capsys.readouterr()
    return int(ended.value.code or 0), captured.out, captured.err


def test_over_optimization_is_found_where_it_is_and_nowhere_else(document):
    verdicts = {c.arm: c.verdict.outcome for c in (*document.curves, *document.samples)}
    assert verdicts == {
        "bt": Outcome.OVER,  # gold d(1 − .3 d) peaks at d = 1.67, the runs go to 3.16
        "rubric": Outcome.HOLDS,  # at d = 10, beyond them
        "faithful": Outcome.HOLDS,
        "hacked": Outcome.OVER,  # a loophole wins 15% of best of 4, gold .6; 62% of 24, −.5
        "chance": Outcome.RISK,
    }


def test_figures_of_a_training_arm_are_those_of_the_world(document):
    bt = next(c for c in document.curves if c.arm == "bt")
    assert [c.step for c in bt.checkpoints] == list(STEPS)
    assert bt.prompts == 60
    assert bt.seeds == (0, 1)
    np.testing.assert_allclose([c.distance for c in bt.checkpoints], np.sqrt(STEPS) / 4)
    d = np.sqrt(STEPS) / 4
    truth = d * (1 - 0.3 * d)
    assert bt.peak_step.over_prompts.estimate == 40  # of the steps, d = 1.58 is nearest to 1.67
    # The same prompts at every checkpoint: their ease cancels; noise .4 / √(60·3·2) = .02 a mean.
    drop = bt.drop.over_prompts
    assert drop.estimate == pytest.approx(truth.max() - truth[-1], abs=0.1)
    assert bt.drop.over_seeds.n == 2
    # A straight line joins the checkpoints, the truth and the estimate alike.
    expected = area(d[None], truth[None], np.array([d[-1]]))[0]
    assert bt.auc.over_prompts.estimate == pytest.approx(expected, abs=0.1)
    assert bt.fit is not None
    assert bt.fit.curve_x[-1] == pytest.approx(d[-1])
    # z of gold at the end: its gain over the spread of a sample at step 0, √(1 + .4²).
    last = bt.checkpoints[-1]
    assert last.gold_z is not None
    assert last.gold_z.estimate == pytest.approx(truth[-1] / np.sqrt(1.16), abs=0.2)
    assert last.gap is not None
    assert last.proxy_z is not None
    gap = last.proxy_z.estimate - last.gold_z.estimate
    assert last.gap.estimate == pytest.approx(gap, abs=1e-9)


def test_contrasts_are_paired_and_corrected_together(document):
    tested = [c for c in document.contrasts if c.p is not None]
    assert [c.p_holm for c in tested] == pytest.approx(holm([c.p for c in tested]).tolist())
    final = next(c for c in document.contrasts if c.metric == "final gold")
    assert {final.a, final.b} == {"bt", "rubric"}
    d = np.sqrt(STEPS[-1]) / 4
    truth = -0.25 * d * d * (1 if final.a == "bt" else -1)
    assert final.difference.estimate == pytest.approx(truth, abs=0.1)
    # Unpaired, prompts of a spread of 1 would make ±0.36; paired, noise .4/√(60·3) alone ±0.08.
    low, high = final.difference.interval
    assert high - low < 0.2
    assert final.over_seeds is not None
    assert final.over_seeds.n == 2
    # One pool: its gold is no contrast.
    assert not any(c.metric == "gold" for c in document.contrasts)


def test_paired_difference_is_that_of_pandas(folder, document):
    frame = pd.read_parquet(folder / "runs.parquet")
    last = frame[frame.step == STEPS[-1]].groupby(["arm", "prompt_id"]).gold.mean().unstack(0)
    final = next(c for c in document.contrasts if c.metric == "final gold")
    difference = last[final.a] - last[final.b]
    assert final.difference.estimate == pytest.approx(difference.mean())
    from scipy.stats import ttest_1samp

    found = ttest_1samp(difference, 0)
    assert final.p == pytest.approx(found.pvalue, rel=1e-6)
    assert final.difference.interval == pytest.approx(tuple(found.confidence_interval()))


def test_nothing_depends_on_the_order_of_rows(folder, tmp_path, document):
    for name in ("runs", "samples"):
        frame = pd.read_parquet(folder / f"{name}.parquet").sample(frac=1, random_state=5)
        frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
    request = Request(
        paths=(str(tmp_path / "runs.parquet"), str(tmp_path / "samples.parquet")),
        proxies=("faithful", "hacked", "chance"),
    )
    again = analyse("report", gather(request, QUICK), QUICK)
    for part in ("curves", "samples", "contrasts"):
        first, second = (msgspec.to_builtins(getattr(x, part)) for x in (document, again))
        assert first == second, part


def test_document_comes_back_from_its_json_and_table(document):
    again = msgspec.json.decode(msgspec.json.encode(document), type=Document)
    assert msgspec.to_builtins(again) == msgspec.to_builtins(document)
    found = list(rows(document))
    assert {tuple(row) for row in found}
    assert all(set(row) <= set(SCHEMA.names) for row in found)
    results = [r for part in (document.curves, document.samples) for r in walk(list(part))]
    results += [c.difference for c in document.contrasts]
    assert len(found) == len(results)
    assert sum(r["estimate"] is None for r in found) == sum(r.estimate is None for r in results)


def test_report_writes_what_it_says(folder, tmp_path, capsys):
    out = tmp_path / "out"
    line = ["report", folder / "samples.parquet", "--proxy", "faithful", "--out", out]
    line += ["--resamples", "200", "--figures", "csv"]
    code, text, err = call(capsys, *line)
    assert code == 0, err
    assert "faithful: holds." in text
    assert (out / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert read(out).samples[0].arm == "faithful"
    table = pd.read_csv(out / "results.csv")
    assert len(table) == len(pd.read_parquet(out / "results.parquet")) > 50
    figures = sorted(p.name for p in (out / "figures").iterdir())
    assert figures
    assert all(name.endswith(".csv") for name in figures)
    # Again, the same; another seed is another run, and refused by name.
    assert call(capsys, *line)[0] == 0
    code, _, err = call(capsys, *line, "--seed", "1")
    assert code == 1
    assert "seed" in err


def test_json_is_the_document(folder, capsys):
    code, text, _ = call(capsys, "curve", folder / "runs.parquet", "--json", "-q")
    assert code == 0
    found = msgspec.convert(json.loads(text), Document)
    assert [c.arm for c in found.curves] == ["bt", "rubric"]
    assert found.provenance.command == "curve"


def test_joined_files_are_studied_like_one(folder, tmp_path, capsys):
    frame = pd.read_parquet(folder / "samples.parquet")
    scores = frame.rename(columns={"hacked": "value"})[["prompt_id", "response_id", "value"]]
    (tmp_path / "judged").mkdir()
    scores.sample(frac=1, random_state=0).to_parquet(tmp_path / "judged" / "scores.parquet")
    line = ["bon", "--proxy", f"{tmp_path}/judged", "--gold", f"{folder}/samples.parquet:gold"]
    code, text, err = call(capsys, *line, "--resamples", "200")
    assert code == 0, err
    assert text.startswith("judged: over-optimized.")


def test_published_points_have_points_and_reasons(tmp_path, capsys):
    # Figure 4 of the paper, health win rate of the initial rubric and of four great pairs.
    initial = (8.3, 16.9, 23.6, 18.6, 19.0, 16.9, 14.7, 15.9, 15.1, 15.9, 13.7)
    great = (8.3, 17.5, 24.8, 29.8, 33.5, 31.5, 29.6, 33.9, 29.2, 30.0, 26.6)
    frame = pd.DataFrame(
        [
            (a, 20 * i, g)
            for a, c in (("initial", initial), ("great", great))
            for i, g in enumerate(c)
        ],
        columns=["arm", "step", "gold"],
    )
    frame.to_csv(tmp_path / "points.csv", index=False)
    code, text, _ = call(capsys, "curve", tmp_path / "points.csv", "--json", "-q")
    assert code == 0
    found = msgspec.convert(json.loads(text), Document)
    curves = {c.arm: c for c in found.curves}
    assert curves["initial"].peak.over_prompts.estimate == 23.6
    assert curves["initial"].drop.over_prompts.estimate == pytest.approx(23.6 - 13.7)
    assert curves["great"].peak_step.over_prompts.estimate == 140
    assert curves["great"].peak.over_prompts.interval is None
    for figure in (curves["great"].onset, curves["great"].auc, curves["great"].gap):
        assert figure.over_prompts.estimate is None
        assert figure.over_prompts.reason


def test_validate_says_what_is_missing_for_each_analysis(folder, tmp_path, capsys):
    code, text, _ = call(capsys, "validate", folder / "runs.parquet")
    assert code == 0
    assert "  yes  onset of over-optimization" in text
    assert "  no   win-rate curve: needs a column win" in text
    bare = pd.read_parquet(folder / "runs.parquet").drop(columns=["proxy", "kl"])
    bare[bare.step > 0].to_csv(tmp_path / "bare.csv", index=False)
    _, text, _ = call(capsys, "validate", tmp_path / "bare.csv")
    assert "  no   onset of over-optimization: needs a column proxy" in text
    assert "  no   area under gold over √KL: needs a column kl or kl_k1" in text
    assert "  yes  gold peak and drop" in text


def _study(proxy, gold, **settings):
    ids = np.repeat([f"p{i:02d}" for i in range(len(gold))], gold.shape[1])
    samples = Samples.of(ids, np.ravel(proxy), np.ravel(gold))
    return study("a", samples, Settings(resamples=300, **settings))


def test_what_does_not_vary_is_named_and_not_taken_for_too_few_samples():
    gold = np.random.default_rng(5).normal(size=(30, 48))
    still = _study(np.repeat(gold[:, :1], 48, axis=1), gold)  # differs between prompts alone
    assert still.verdict.outcome is Outcome.UNCLEAR
    assert still.verdict.headline.startswith("the proxy does not vary within any prompt")
    assert still.safe_tilt.largest.reason == "the proxy does not vary within any prompt"
    flat = _study(gold, np.ones_like(gold))
    assert flat.verdict.headline.startswith("gold does not vary within any prompt")
    assert flat.agreement[0].reason == "no prompt has two samples of different gold"


def test_a_reversed_proxy_lowers_gold_from_the_start():
    gold = np.random.default_rng(6).normal(size=(30, 48))
    found = _study(-gold, gold)
    assert found.verdict.outcome is Outcome.OVER
    assert found.verdict.headline == "optimising the proxy lowers gold from the start"


def test_agreement_is_the_share_of_pairs_that_the_proxy_orders_as_gold_does():
    # Gold 1 < 2 < 3: the proxy 1, 3, 2 misorders one pair of three (2/3), 1, 1, 2 ties one (5/6).
    found = _study(np.array([[1.0, 3, 2], [1, 1, 2]]), np.array([[1.0, 2, 3]] * 2))
    assert found.agreement[0].estimate == pytest.approx((2 / 3 + 5 / 6) / 2)
    assert [r.name for r in found.agreement] == ["agreement", "proxy_ties"]


def test_the_two_ways_of_a_study_share_the_error_and_say_so():
    gold = np.random.default_rng(7).normal(size=(30, 48))
    found = _study(-gold, gold, level=0.9)
    for safe in (found.safe_best_of_n, found.safe_tilt):
        assert {r.level for r in (safe.largest, safe.safe_up_to, safe.onset, safe.drop)} == {0.95}


def test_gold_is_not_said_to_rise_further_than_it_is_seen_to():
    # Best-of-n proves no gain by its last n (its interval holds 0); the tilt, which goes less far,
    # does. So the range of the tilt is what is said.
    gold = np.random.default_rng(9).normal(size=(40, 64))
    real = _study(gold, gold)
    unsure = msgspec.structs.replace(real.best_of_n[-1].gain, low=-0.1)
    last = msgspec.structs.replace(real.best_of_n[-1], gain=unsure)
    said = verdict(
        _Shown((*real.best_of_n[:-1], last)),
        _Shown(real.tilt),
        {"best-of-n": real.safe_best_of_n, "the tilt": real.safe_tilt},
        real.tail,
        real.rank,
    )
    assert real.safe_tilt.range_end < real.safe_best_of_n.range_end
    assert f"up to {real.safe_tilt.range_end:.2g} nats" in said.headline


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("kind", ["normal", "vast", "tied"])
def test_a_study_is_the_same_to_the_last_bit_in_any_order_of_rows(kind, uneven):
    rng = np.random.default_rng(10)
    counts = rng.integers(20, 40, 25) if uneven else np.full(25, 32)
    ids = np.repeat([f"p{i:02d}" for i in range(25)], counts)
    values = rng.normal(size=(2, len(ids)))
    proxy, gold = {
        "normal": values,
        "vast": values * 10.0 ** rng.integers(-6, 6, values.shape),
        "tied": np.round(values, 1),
    }[kind]
    length = rng.integers(1, 9, len(ids))
    order = rng.permutation(len(ids))
    found = [
        msgspec.json.encode(
            study("a", Samples.of(ids[o], proxy[o], gold[o], length=length[o]), QUICK)
        )
        for o in (np.arange(len(ids)), order)
    ]
    assert found[0] == found[1]
