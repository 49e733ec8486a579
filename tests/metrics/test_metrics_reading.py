"""Tables read from files: alike in every format, whatever the order, and as pandas has them."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubricbench.errors import InputError
from rubricbench.metrics.columnar import read_table
from rubricbench.metrics.reading import (
    arms_of,
    join_samples,
    read_points,
    read_samples,
    read_trajectories,
)
from rubricbench.metrics.tables import LAYOUTS, SAMPLES, TRAJECTORY, kind_of

QUICK = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def save(frame: pd.DataFrame, path):
    """Write a frame in the format of the path's ending."""
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    elif path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_json(path, orient="records", lines=True, double_precision=15)
    return path


def scored(prompts: int = 5, samples: int = 4, seed: int = 0) -> pd.DataFrame:
    """Return a frame of layout samples."""
    rng = np.random.default_rng(seed)
    n = prompts * samples
    return pd.DataFrame(
        {
            "prompt_id": np.repeat([f"p{i}" for i in range(prompts)], samples),
            "response_id": [f"r{i}" for i in range(n)],
            "proxy": rng.normal(size=n),
            "gold": rng.normal(size=n),
            "length": rng.integers(1, 99, n),
        }
    )


def same(a, b) -> bool:
    return (
        a.prompts.tolist() == b.prompts.tolist()
        and np.array_equal(a.starts, b.starts)
        and np.array_equal(a.proxy, b.proxy)
        and np.array_equal(a.gold, b.gold)
    )


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl", "ndjson"])
def test_every_format_gives_the_same_samples(tmp_path, ending):
    frame = scored()
    found = read_samples(save(frame, tmp_path / f"a.{ending}"))
    means = frame.groupby("prompt_id")[["proxy", "gold", "length"]].mean()
    assert found.prompts.tolist() == list(means.index)
    np.testing.assert_allclose(found.means(found.proxy), means.proxy, rtol=1e-12)
    np.testing.assert_allclose(found.means(found.gold), means.gold, rtol=1e-12)
    np.testing.assert_allclose(found.means(found.columns["length"]), means.length)


def test_order_of_rows_leaves_no_trace(tmp_path):
    frame = scored()
    first = read_samples(save(frame, tmp_path / "a.parquet"))
    mixed = frame.sample(frac=1, random_state=3)
    assert same(first, read_samples(save(mixed, tmp_path / "b.parquet")))


@QUICK
@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["a", "B", "ä", "0", "007", "7 "]),
            st.floats(-1e6, 1e6) | st.none(),
            st.floats(-1e6, 1e6) | st.none(),
        ),
        min_size=1,
        max_size=12,
    ),
    ending=st.sampled_from(["parquet", "csv", "jsonl"]),
)
def test_whatever_the_rows_are_pandas_agrees(tmp_path, rows, ending):
    frame = pd.DataFrame(rows, columns=["prompt_id", "proxy", "gold"])
    frame = frame.astype({"proxy": float, "gold": float})
    path = tmp_path / f"a.{ending}"
    if ending == "jsonl":  # pandas writes fewer digits than there are
        keys = [dict(zip(frame.columns, row, strict=True)) for row in rows]
        path.write_text("".join(json.dumps(k) + "\n" for k in keys), encoding="utf-8")
    else:
        save(frame, path)
    known = frame.dropna()
    if not len(known):
        with pytest.raises(InputError, match=r"no sample has"):
            read_samples(path, unknown="drop")
        return
    found = read_samples(path, unknown="drop")
    grouped = known.groupby("prompt_id")
    assert found.prompts.tolist() == sorted(known.prompt_id.unique())
    assert found.counts.tolist() == [len(grouped.get_group(p)) for p in found.prompts]
    assert found.left_out == len(frame) - len(known)
    np.testing.assert_allclose(found.means(found.gold), grouped.gold.mean(), rtol=1e-9, atol=1e-9)
    if len(known) < len(frame):
        with pytest.raises(InputError, match=r"lack their|no sample has"):
            read_samples(path)


def test_text_ids_stay_text_and_whole_numbers_become_text(tmp_path):
    (tmp_path / "a.csv").write_text("prompt_id,proxy,gold\n007,1,2\n7,3,4\n")
    assert read_samples(tmp_path / "a.csv").prompts.tolist() == ["007", "7"]
    rows = [{"prompt_id": 7, "proxy": 1, "gold": 2}, {"prompt_id": "7", "proxy": 3, "gold": 4}]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    assert read_samples(tmp_path / "a.jsonl").prompts.tolist() == ["7"]
    pq.write_table(
        pa.table({"prompt_id": [7, 8], "proxy": [1, 2], "gold": [3, 4]}), tmp_path / "a.parquet"
    )
    assert read_samples(tmp_path / "a.parquet").prompts.tolist() == ["7", "8"]


def test_nan_of_pythons_json_is_unknown(tmp_path):
    row = {"prompt_id": "a", "proxy": float("nan"), "gold": 1.0}
    (tmp_path / "a.jsonl").write_text(json.dumps(row) + "\n" + json.dumps({**row, "proxy": 2}))
    assert read_samples(tmp_path / "a.jsonl", unknown="drop").left_out == 1


def test_categories_large_strings_and_decimals_are_read(tmp_path):
    from decimal import Decimal

    table = pa.table(
        {
            "prompt_id": pa.array(["b", "a", "b"]).dictionary_encode(),
            "proxy": pa.array([Decimal("1.5"), Decimal("2.5"), Decimal("3.5")]),
            "gold": pa.array([1, 2, 3], pa.int32()),
            "response_id": pa.array(["x", "y", "z"], pa.large_string()),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    found = read_samples(tmp_path / "a.parquet")
    assert found.prompts.tolist() == ["a", "b"]
    assert found.proxy.tolist() == [2.5, 1.5, 3.5]


def test_several_batches_keep_their_ids_apart(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"prompt_id": [f"q{i}" for i in rng.integers(0, 900, 150_000)], "proxy": 0.0}
    )
    frame["gold"] = np.arange(len(frame), dtype=float)
    found = read_samples(save(frame, tmp_path / "a.parquet"))
    expected = frame.groupby("prompt_id").gold.mean()
    assert found.prompts.tolist() == list(expected.index)
    np.testing.assert_allclose(found.means(found.gold), expected)


def test_an_arm_and_a_step_are_picked(tmp_path):
    frame = pd.concat([scored().assign(arm=a, step=s) for a in "xy" for s in (0, 5)])
    frame.loc[(frame.arm == "y") & (frame.step == 5), "gold"] = 9.0
    path = save(frame, tmp_path / "a.parquet")
    assert arms_of(path) == ["x", "y"]
    assert set(read_samples(path, arm="y", step=5).gold) == {9.0}
    with pytest.raises(InputError, match=r"rows of 2 values of step: 0, 5"):
        read_samples(path, arm="y")


def test_a_run_folder_stands_for_its_samples(tmp_path):
    save(scored(), tmp_path / "samples.parquet")
    assert read_samples(tmp_path).size == 20


def test_join_is_that_of_pandas_whatever_the_order(tmp_path):
    frame = scored()
    left = frame[["prompt_id", "response_id", "proxy"]].rename(columns={"proxy": "value"})
    right = frame[["prompt_id", "response_id", "gold", "length"]].sample(frac=1, random_state=1)
    save(left, tmp_path / "scores.parquet")
    save(right, tmp_path / "pool.csv")
    found = join_samples(f"{tmp_path}/scores.parquet", f"{tmp_path}/pool.csv:gold")
    direct = read_samples(save(frame, tmp_path / "both.parquet"))
    assert same(found, direct)
    assert found.columns["length"].tolist() == direct.columns["length"].tolist()


def test_join_counts_what_only_one_file_has(tmp_path):
    frame = scored()
    save(frame.iloc[2:].rename(columns={"proxy": "value"}), tmp_path / "p.parquet")
    save(frame.iloc[:-1], tmp_path / "g.parquet")
    both = (f"{tmp_path}/p.parquet:value", f"{tmp_path}/g.parquet")
    with pytest.raises(InputError, match=r"1 responses are in .*p.parquet alone, 2 in"):
        join_samples(*both)
    found = join_samples(*both, unknown="drop")
    assert (found.size, found.left_out) == (17, 3)


def test_same_response_id_in_two_prompts_is_two_responses(tmp_path):
    (tmp_path / "p.csv").write_text("prompt_id,response_id,value\na,1,1\nb,1,2\n")
    (tmp_path / "g.csv").write_text("prompt_id,response_id,gold\nb,1,20\na,1,10\n")
    found = join_samples(f"{tmp_path}/p.csv", f"{tmp_path}/g.csv")
    assert found.proxy.tolist() == [1, 2]
    assert found.gold.tolist() == [10, 20]


def run_frame(**more) -> pd.DataFrame:
    """Return two checkpoints of three prompts with two samples each."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        [(s, p) for s in (0, 10) for p in "abc" for _ in range(2)], columns=["step", "prompt_id"]
    )
    frame["gold"], frame["proxy"] = rng.normal(size=(2, len(frame)))
    frame["kl"] = np.where(frame.step > 0, 0.5, np.nan)
    return frame.assign(**more)


def test_trajectory_cells_are_pandas_means(tmp_path):
    frame = run_frame(arm="bt", seed=3)
    (run,) = read_trajectories(save(frame, tmp_path / "a.parquet"))
    assert (run.arm, run.seed, run.steps.tolist()) == ("bt", 3, [0, 10])
    for name in ("gold", "proxy"):
        expected = frame.pivot_table(values=name, index="step", columns="prompt_id")
        np.testing.assert_allclose(run.columns[name], expected.to_numpy(), rtol=1e-12)
    start = frame[frame.step == 0]
    assert run.base["gold"] == pytest.approx((start.gold.mean(), start.gold.std(ddof=1)))
    # The KL of the initial policy to itself needs no logging: the mean of the rest is 0.5.
    assert run.distance() is not None
    np.testing.assert_allclose(run.distance(), [0, np.sqrt(0.5)])
    assert run.samples.tolist() == [[2, 2, 2], [2, 2, 2]]


def test_trajectory_does_not_depend_on_the_order_of_rows(tmp_path):
    frame = run_frame()
    (a,) = read_trajectories(save(frame, tmp_path / "x.parquet"))
    (b,) = read_trajectories(save(frame.sample(frac=1, random_state=2), tmp_path / "x.csv"))
    for name in a.columns:
        assert np.array_equal(a.columns[name], b.columns[name]), name
    assert a.base == b.base


def test_folders_name_arms_and_are_found_in_folders(tmp_path):
    for name in ("bt", "rubric"):
        (tmp_path / name).mkdir()
        save(run_frame(), tmp_path / name / "trajectory.parquet")
    assert [r.arm for r in read_trajectories(tmp_path)] == ["bt", "rubric"]
    assert [r.arm for r in read_trajectories([tmp_path / "bt"])] == ["bt"]


def test_prompts_missing_at_a_checkpoint_are_left_out_and_said(tmp_path):
    frame = run_frame()
    gone = frame[~((frame.step == 10) & (frame.prompt_id == "b"))]
    (run,) = read_trajectories(save(gone, tmp_path / "a.parquet"))
    assert run.prompts.tolist() == ["a", "c"]
    assert "1 prompts are missing" in run.cautions[0].text


def test_a_measure_missing_somewhere_is_not_used_and_said(tmp_path):
    frame = run_frame(length=5.0)
    frame.loc[(frame.step == 10) & (frame.prompt_id == "c"), "length"] = np.nan
    (run,) = read_trajectories(save(frame, tmp_path / "a.parquet"))
    assert "length" not in run.columns
    assert any("length" in c.text and "step 10" in c.text for c in run.cautions)


def test_rows_that_lack_a_measure_are_counted_where_others_of_the_prompt_have_it(tmp_path):
    frame = run_frame(length=5.0, kl=0.5)
    frame.loc[[0, 3], "length"] = np.nan  # one of each prompt's two rows
    frame.loc[frame.step == 0, "kl"] = np.nan  # of the initial policy to itself: 0, none is lost
    (run,) = read_trajectories(save(frame, tmp_path / "a.parquet"))
    assert (run.columns["length"] == 5.0).all()
    assert [c.text.split(":")[0] for c in run.cautions] == ["2 rows without length"]


def test_unknown_gold_is_refused_or_counted(tmp_path):
    frame = run_frame()
    frame.loc[0, "gold"] = np.nan
    path = save(frame, tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"1 of 12 rows lack their gold"):
        read_trajectories(path)
    (run,) = read_trajectories(path, unknown="drop")
    assert run.samples[0].tolist() == [1, 2, 2]
    assert run.columns["gold"][0, 0] == frame.gold[1]
    assert any("1 rows" in c.text for c in run.cautions)


def test_two_sets_in_one_checkpoint_are_noticed(tmp_path):
    frame = pd.concat([run_frame(step=s) for s in (0, 5, 10, 10)])
    (run,) = read_trajectories(save(frame, tmp_path / "a.parquet"))
    assert any(c.code == "uneven" and "two sets" in c.text for c in run.cautions)


def test_k1_may_be_negative_and_rao_blackwell_may_not(tmp_path):
    read_trajectories(save(run_frame(kl=0.1, kl_k1=-0.2), tmp_path / "a.parquet"))
    with pytest.raises(InputError, match=r"column kl, row 1: -0\.2 is below 0"):
        read_trajectories(save(run_frame(kl=-0.2), tmp_path / "b.parquet"))


def test_points_are_sorted_and_kept_apart_by_seed(tmp_path):
    text = "arm,step,gold,seed,kl\nb,10,3,0,1\nb,0,1,0,0\na,0,5,0,\na,0,6,1,0\n"
    (tmp_path / "p.csv").write_text(text)
    found = read_points(tmp_path / "p.csv")
    assert [(c.arm, c.seed, c.gold.tolist()) for c in found] == [
        ("a", 0, [5]),
        ("a", 1, [6]),
        ("b", 0, [1, 3]),
    ]
    assert found[0].kl is None  # not logged there
    assert found[2].kl is not None


def test_layouts_are_told_apart_by_their_columns():
    for layout in LAYOUTS.values():
        assert kind_of(frozenset(layout.required)) is layout
    assert kind_of({"prompt_id", "step", "gold", "proxy"}) is TRAJECTORY


def test_only_named_columns_are_read(tmp_path):
    frame = scored().assign(text="x" * 1000)
    path = save(frame, tmp_path / "a.parquet")
    table = read_table(path, {"gold": SAMPLES.column("gold")})
    assert list(table.numbers) == ["gold"]
    assert not table.labels
