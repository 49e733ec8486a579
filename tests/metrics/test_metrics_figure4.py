"""The published curves of Figure 4 (arXiv 2509.21500): the table of docs/figure4.md."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from rubricbench.metrics.peak import point_peak

DOCS = Path(__file__).parents[2] / "docs"
PANELS = ("health_win_rate", "healthbench", "finance_win_rate", "prbench_finance")


def curves(panel: str) -> dict[str, list[tuple[float, float]]]:
    """Return the points of every arm of a panel."""
    found: dict[str, list[tuple[float, float]]] = {}
    with (DOCS / "figure4" / f"{panel}.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["arm"], []).append((float(row["step"]), float(row["gold"])))
    return found


def published() -> dict[tuple[str, str], tuple[float, float, float]]:
    """Return (panel, arm) -> peak, step, drop, as the page prints them."""
    text = (DOCS / "figure4.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| ([^|]+) \| ([\d.]+) \| (\d+) \| ([\d.]+) \|$", text, re.M)
    return {(p, arm): (float(a), float(s), float(d)) for p, arm, a, s, d in rows}


@pytest.mark.parametrize("panel", PANELS)
def test_the_page_has_every_curve_as_it_is_computed(panel: str) -> None:
    table = published()
    for arm, points in curves(panel).items():
        steps, gold = zip(*points, strict=True)
        found = point_peak(steps, gold, arm=arm)
        given = (found.point_peak.estimate, found.point_step.estimate, found.point_drop.estimate)
        assert given == pytest.approx(table[panel, arm], abs=1e-9)


def test_by_hand_the_health_win_rate_of_one_good_pair_loses_a_third() -> None:
    """25.0 at step 40 and 16.5 at step 200: 8.5 lower."""
    assert published()["health_win_rate", "1 good pair"] == (25.0, 40, 8.5)


def test_there_are_five_curves_in_each_of_four_panels() -> None:
    assert len(published()) == 20
    assert [len(curves(p)) for p in PANELS] == [5, 5, 5, 5]
