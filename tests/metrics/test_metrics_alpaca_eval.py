"""AlpacaEval 2's leaderboard, recomputed from its preferences."""

from pathlib import Path

import pandas as pd
import pytest

from rubricbench.metrics.comparisons import Comparisons
from rubricbench.metrics.length_controlled import length_controlled_win_rate
from rubricbench.metrics.winrate import Form, win_rate

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "alpaca_eval"

pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="no AlpacaEval data beside the checkout"),
]


@pytest.fixture(scope="module")
def published():
    return pd.read_csv(FOLDER / "leaderboard.csv", index_col=0)


@pytest.fixture(scope="module")
def verdicts():
    table = pd.read_parquet(FOLDER / "preferences.parquet")
    return {
        name: Comparisons.of(
            rows.prompt, rows.preference - 1, length=rows.len_2, other_length=rows.len_1
        )
        for name, rows in table.groupby("generator_2")
    }


def test_win_rates_and_standard_errors_are_the_published_ones(published, verdicts):
    assert len(published) == 6
    for name, row in published.iterrows():
        found = win_rate(verdicts[name], form=Form.FRACTIONAL)
        assert 100 * found.win_rate.estimate == pytest.approx(row.win_rate, abs=0.01)
        assert 100 * found.standard_error.estimate == pytest.approx(row.standard_error, abs=0.01)
        assert found.win_rate.n == row.n_total


def test_mean_lengths_are_the_published_ones(published, verdicts):
    # Theirs is over all 805 answers, ours over those with a verdict: for one model two have none.
    for name, row in published[published.n_total == 805].iterrows():
        found = win_rate(verdicts[name], form=Form.FRACTIONAL).length
        assert int(found.estimate) == row.avg_length


def test_length_only_goes_the_way_of_the_published_control(published, verdicts):
    """Without difficulty the figure differs; which way length moves it does not."""
    print("\n| model | win rate | standard error | length-controlled, published | length-only |")
    print("|---|---|---|---|---|")
    for name, row in published.iterrows():
        found = length_controlled_win_rate(verdicts[name])
        error = win_rate(verdicts[name], form=Form.FRACTIONAL).standard_error
        raw, ours = found.win_rate, found.length_controlled
        print(
            f"| {name} | {100 * raw.estimate:.2f} | {100 * error.estimate:.2f} "
            f"| {row.length_controlled_winrate:.1f} "
            f"| {100 * ours.estimate:.1f} [{100 * ours.low:.1f}, {100 * ours.high:.1f}] |"
        )
        moved = 100 * (ours.estimate - raw.estimate)
        assert moved * (row.length_controlled_winrate - row.win_rate) > 0, name
