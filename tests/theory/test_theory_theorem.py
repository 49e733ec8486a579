"""Theorem 1: the closed forms against quadrature at 40 digits, and the table of the paper."""

from __future__ import annotations

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.errors import InputError
from rubricbench.theory.figure2 import cell_at_kl, figure_2a, figure_2b, table
from rubricbench.theory.maps import (
    IDENTITY,
    REVERSED,
    Misspecification,
    top_wrong,
    worst_wrong,
)
from rubricbench.theory.theorem import beta_at, ideal_win_rate, kl, win_rate

MAPS = [IDENTITY, REVERSED, top_wrong(0.25), top_wrong(0.5), worst_wrong(0.5), worst_wrong(0.9)]

# Win rates at fixed KL, computed independently of this code: identity, top 10/25/50% wrong,
# worst 50/60/90% wrong.
TABLE = {
    0.5: (0.7737, 0.7714, 0.7462, 0.6313, 0.7556, 0.7334, 0.4718),
    1: (0.8646, 0.8583, 0.8035, 0.6170, 0.8583, 0.8467, 0.5625),
    2: (0.9502, 0.9230, 0.7975, 0.5498, 0.9502, 0.9501, 0.8428),
    3: (0.9817, 0.9177, 0.7683, 0.5183, 0.9817, 0.9817, 0.9780),
    4: (0.9933, 0.9067, 0.7567, 0.5067, 0.9933, 0.9933, 0.9933),
}


def quadrature(integrand, beta: float) -> mpmath.mpf:
    """Return ∫₀¹ of a function of u and the tilted density there, to 40 digits."""
    with mpmath.workdps(40):
        a = 1 / mpmath.mpf(beta)
        near = [1 - mpmath.mpf(k) / a for k in (1, 5, 20, 60, 150) if k < a]
        cuts = sorted({mpmath.mpf(0), mpmath.mpf(1), *near, *map(mpmath.mpf, (0.1, 0.5, 0.75))})
        return mpmath.quad(
            lambda u: integrand(u, a * mpmath.exp(a * (u - 1)) / -mpmath.expm1(-a)), cuts
        )


def test_every_cell_of_the_table_to_four_decimals():
    found = table()
    assert found.at == tuple(float(k) for k in TABLE)
    for row, expected in zip(found.rows, TABLE.values(), strict=True):
        rates = [round(cell.win_rate.estimate, 4) for cell in row]
        assert rates[:7] == list(expected)
    assert round(found.rows[1][7].win_rate.estimate, 4) == 0.1354  # reversed, KL 1


@pytest.mark.parametrize("beta", [1e-4, 1e-3, 0.0136, 0.2, 1.0, 7.0, 40.0, 1e4])
def test_the_kl_equals_quadrature_to_ten_digits(beta):
    expected = quadrature(lambda u, w: w * mpmath.log(w) if w > 0 else mpmath.mpf(0), beta)
    assert abs(kl(beta) - float(expected)) < 1e-10
    assert kl(beta) == pytest.approx(float(expected), rel=1e-10)  # also where it is tiny


def test_the_kl_as_the_paper_prints_it():
    # ((1/β−1)e^{1/β}+1)/(e^{1/β}−1) − log β − log(e^{1/β}−1), at 60 digits, from where floats fail
    for beta in (1e-4, 0.0014, 0.05, 1.0):
        with mpmath.workdps(60):
            b = mpmath.mpf(beta)
            e = mpmath.exp(1 / b)
            printed = ((1 / b - 1) * e + 1) / (e - 1) - mpmath.log(b) - mpmath.log(e - 1)
            assert abs(kl(beta) - float(printed)) < 1e-11


@pytest.mark.parametrize("map_", MAPS, ids=lambda m: m.name)
@pytest.mark.parametrize("beta", [1e-4, 0.0136, 0.2, 1.0, 30.0])
def test_the_win_rate_equals_quadrature(map_, beta):
    def inverse(u):
        return mpmath.mpf(float(map_.inverse(np.asarray(float(u)))))

    cuts = sorted({0.0, 1.0, *map_.breaks})
    expected = 0.0
    with mpmath.workdps(20):
        a = 1 / mpmath.mpf(beta)
        for low, high in itertools.pairwise(cuts):
            near = [high - k / float(a) for k in (0.5, 2, 8, 30) if high - k / float(a) > low]
            expected += float(
                mpmath.quad(
                    lambda u: inverse(u) * a * mpmath.exp(a * (u - 1)) / -mpmath.expm1(-a),
                    sorted([low, *near, high]),
                )
            )
    assert win_rate(map_, beta) == pytest.approx(expected, abs=1e-11)


@given(st.floats(1e-6, 500))
def test_the_temperature_of_a_kl_has_that_kl(target):
    assert kl(beta_at(target)) == pytest.approx(target, rel=1e-9)


@given(st.floats(1e-4, 1e6))
def test_the_closed_form_of_the_perfect_proxy(beta):
    assert win_rate(IDENTITY, beta) == pytest.approx(ideal_win_rate(beta), abs=1e-12)
    assert win_rate(REVERSED, beta) == pytest.approx(1 - ideal_win_rate(beta), abs=1e-12)


@given(st.floats(1e-4, 100), st.floats(0, 1))
def test_no_map_beats_the_perfect_proxy_nor_falls_below_the_reversed_one(beta, share):
    for map_ in (top_wrong(share), worst_wrong(share)):
        low, high = 1 - ideal_win_rate(beta), ideal_win_rate(beta)
        assert low - 1e-12 <= win_rate(map_, beta) <= high + 1e-12


def test_an_inverse_that_is_not_made_of_pieces_goes_by_quadrature():
    plain = Misspecification("plain", lambda r: 1 - r, lambda u: 1 - u)
    for beta in (1e-3, 0.1, 2.0):
        assert win_rate(plain, beta) == pytest.approx(win_rate(REVERSED, beta), abs=1e-9)


def test_top_wrong_tends_to_the_share_that_is_right():
    # As β→0 all weight goes to where f is greatest, which is r = 1 − c.
    for share in (0.1, 0.25, 0.5):
        assert win_rate(top_wrong(share), 1e-9) == pytest.approx(1 - share, abs=1e-8)


def test_the_initial_policy_wins_half():
    assert beta_at(0) == math.inf
    assert kl(math.inf) == 0
    for map_ in MAPS:
        assert win_rate(map_, math.inf) == pytest.approx(0.5, abs=1e-15)


@pytest.mark.parametrize("bad", [-1.0, math.nan, math.inf, 1000.0])
def test_a_kl_that_cannot_be(bad):
    with pytest.raises(InputError, match="KL"):
        beta_at(bad)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_a_beta_that_cannot_be(bad):
    with pytest.raises(InputError, match="beta"):
        kl(bad)


def test_figure_2_has_every_curve_of_the_paper():
    a, b = figure_2a(), figure_2b()
    assert [s.name for s in a.series] == [
        "correct",
        "reversed",
        "top 25% wrong",
        "top 50% wrong",
        "worst 50% wrong",
        "worst 90% wrong",
    ]
    assert [s.name for s in b.series] == [f"top {s}% correct" for s in range(10, 101, 10)]
    assert (a.series[0].x[0], a.series[0].x[-1], b.series[0].x[-1]) == (0, 8, 4)
    for figure in (a, b):
        for series in figure.series:
            assert series.y[0] == pytest.approx(0.5)
    # the last curve of 2b is the perfect proxy, the first has 90% wrong
    assert b.series[-1].y[-1] == pytest.approx(ideal_win_rate(beta_at(4)))
    assert b.series[0].y[-1] == cell_at_kl(worst_wrong(0.9), 4).win_rate.estimate
