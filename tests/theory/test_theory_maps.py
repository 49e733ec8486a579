"""Misspecification maps: the paper's, and those a user gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubricbench.errors import InputError
from rubricbench.theory.maps import (
    IDENTITY,
    REVERSED,
    Misspecification,
    from_points,
    named,
    top_wrong,
    worst_wrong,
)

SHARES = st.floats(0, 1)
REWARDS = np.linspace(0, 1, 101)


@given(SHARES)
def test_each_map_undoes_itself(share):
    for map_ in (IDENTITY, REVERSED, top_wrong(share), worst_wrong(share)):
        inner = REWARDS[1:-1][np.abs(REWARDS[1:-1, None] - [share, 1 - share]).min(axis=1) > 1e-9]
        np.testing.assert_allclose(map_.inverse(map_(inner)), inner, atol=1e-12)


@given(SHARES)
def test_each_map_keeps_the_uniform_distribution(share):
    for map_ in (IDENTITY, REVERSED, top_wrong(share), worst_wrong(share)):
        assert map_.preserves_uniform()


def test_what_the_maps_do_by_hand():
    # top 25% wrong: .8 is above .75, so 2 − .25 − .8 = .95; worst 50% wrong: .5 − .2 = .3
    np.testing.assert_allclose(top_wrong(0.25)(np.array([0.5, 0.8, 1.0])), [0.5, 0.95, 0.75])
    np.testing.assert_allclose(worst_wrong(0.5)(np.array([0.2, 0.5, 0.8])), [0.3, 0.0, 0.8])


@given(SHARES)
def test_the_pieces_are_the_inverse(share):
    for map_ in (top_wrong(share), worst_wrong(share)):
        for u0, u1, r0, r1 in map_.pieces:
            if u1 - u0 < 1e-6:
                continue
            inside = u0 + (u1 - u0) * np.array([0.1, 0.5, 0.9])
            line = r0 + (r1 - r0) * np.array([0.1, 0.5, 0.9])
            np.testing.assert_allclose(map_.inverse(inside), line, atol=1e-9)


def test_a_map_that_changes_the_distribution_is_found_out():
    assert not Misspecification("square", lambda r: r**2).preserves_uniform()


def test_names_of_maps():
    assert named("identity") is IDENTITY
    assert named("reversed") is REVERSED
    assert named("top-25").name == "top 25% wrong"
    assert named("worst-50").breaks == (0.5,)


def test_a_map_in_a_csv(tmp_path):
    file = tmp_path / "map.csv"
    file.write_text("gold,proxy\n1,0.5\n0,0\n0.5,1\n")
    map_ = named(str(file))
    np.testing.assert_allclose(map_(np.array([0.0, 0.25, 0.75, 1.0])), [0, 0.5, 0.75, 0.5])


def test_a_map_in_a_module(tmp_path, monkeypatch):
    (tmp_path / "my_theory_map.py").write_text("def clipped(r):\n    return r.clip(0, 0.5)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", ["/nowhere"])
    np.testing.assert_allclose(named("my_theory_map:clipped")(np.array([0.2, 0.9])), [0.2, 0.5])


@pytest.mark.parametrize(
    "name",
    ["nothing", "top-many", "top-150", "no_such_module_x:f", "math:pi", "math:no_such", "gone.csv"],
)
def test_names_that_are_no_map(name):
    with pytest.raises(InputError):
        named(name)


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", "gold,proxy\n1,x\n", "gold,proxy\n1,1\n", "gold,proxy\n1,1\n1,2\n"]
)
def test_files_that_are_no_map(tmp_path, text):
    file = tmp_path / "map.csv"
    file.write_text(text)
    with pytest.raises(InputError, match=r"map\.csv"):
        named(str(file))


def test_points_that_are_not_finite():
    with pytest.raises(InputError, match="finite"):
        from_points("mine", np.array([0.0, 1.0]), np.array([0.0, np.nan]))


def test_a_map_that_fails_or_answers_in_another_shape():
    with pytest.raises(InputError, match="fails"):
        Misspecification("odd", lambda r: r.no_such_thing)(REWARDS)
    with pytest.raises(InputError, match="shape"):
        Misspecification("odd", lambda r: r[:2])(REWARDS)
