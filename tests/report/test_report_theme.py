"""Colours that can be read, in both themes, and told apart without colour vision."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from rubricbench.report.page import asset

TOKENS = {
    name: {"light": light, "dark": dark}
    for name, light, dark in re.findall(
        r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", asset("base.css") + asset("evaluation.css")
    )
}
TEXT = ("ink", "muted", "link", "good", "bad", "unsure", "model-1", "model-2", "model-3", "model-4")
LINES = ("strong-rule", "focus", "floor-1", "floor-2", "ceiling-1")


def linear(colour: str) -> list[float]:
    """Return linear RGB (IEC 61966-2-1)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def luminance(rgb: list[float]) -> float:
    return 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]


def contrast(a: str, b: str) -> float:
    """Return the contrast ratio of WCAG 2.2."""
    high, low = sorted((luminance(linear(a)), luminance(linear(b))), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_of_black_on_white() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "surface"])
@pytest.mark.parametrize("name", TEXT)
def test_text_has_contrast_of_4_5(name: str, ground: str, theme: str) -> None:
    assert contrast(TOKENS[name][theme], TOKENS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", LINES)
def test_lines_and_markers_have_contrast_of_3(name: str, theme: str) -> None:
    assert contrast(TOKENS[name][theme], TOKENS["paper"][theme]) >= 3


# Viénot, Brettel and Mollon (1999): what is left of linear RGB without one kind of cone.
BLIND = {
    "protan": [(0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0)],
    "deutan": [(0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0)],
}


def lab(rgb: list[float]) -> list[float]:
    """Return CIE L*a*b* (D65) of linear RGB."""
    matrix = [(0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)]
    white = (0.9505, 1.0, 1.089)
    xyz = [sum(m * c for m, c in zip(row, rgb, strict=True)) for row in matrix]
    f = [(v / w) ** (1 / 3) for v, w in zip(xyz, white, strict=True)]
    return [116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", list(BLIND))
def test_model_floor_and_ceiling_differ_without_red_or_green(kind: str, theme: str) -> None:
    seen = {}
    for name in ("model-1", "floor-1", "ceiling-1"):
        rgb = linear(TOKENS[name][theme])
        left = [sum(m * c for m, c in zip(row, rgb, strict=True)) for row in BLIND[kind]]
        seen[name] = lab([max(c, 0.0) for c in left])
    for a, b in combinations(seen.values(), 2):
        assert sum((x - y) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5 > 15
