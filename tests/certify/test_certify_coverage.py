"""95% intervals hold the truth about as often as they say (`cover` prints the whole table)."""

from __future__ import annotations

import cover
import pytest

QUICK = (
    "60 prompts x 2, judge .85/.90",
    "correct 150 by 60, judge .85/.90",
    "PPI, 50 labelled of 250",
    "bridge, line, 60 and 100 prompts",
    "bridge, bent, 60 and 100 prompts",
)
RAW = ("judged mean (not corrected)",)


@pytest.mark.parametrize("setting", QUICK)
def test_intervals_cover_in_few_draws(setting: str):
    # Over 400 draws the share of a true 95% has an sd of sqrt(.95·.05/400) = .0109; three and a
    # half of those on either side.
    found = cover.covered(cover.SETTINGS[setting], 400, seed=11)
    for name, measured in found.items():
        if name not in RAW:
            assert 0.912 <= measured.share <= 0.988, name


def test_correction_removes_the_bias_that_is_there():
    setting = cover.SETTINGS["correct 150 by 60, judge .85/.90"]
    found = cover.covered(setting, 400, seed=12)
    # By hand: at quality .75 the judge passes .85·.75 + .1·.25 = .6625 of merits and penalties
    # alike, so it scores .6625/.75 of the truth: -.0875·MEAN_WEIGHT = -.0754. An estimate's sd is
    # its width/3.96, so the mean of 400 has .149/3.96/20 = .0019; three and a half of those.
    assert found["judged mean (not corrected)"].bias == pytest.approx(-0.0754, abs=0.005)
    assert found["judged mean (not corrected)"].share < 0.5
    assert abs(found["corrected mean"].bias) < 0.0066


@pytest.mark.slow
@pytest.mark.parametrize("setting", cover.SETTINGS)
def test_intervals_cover_in_93_to_97_of_100(setting: str):
    seed = list(cover.SETTINGS).index(setting)
    for name, measured in cover.covered(cover.SETTINGS[setting], 2000, seed).items():
        print(f"{setting}: {name}: {measured}")
        if name not in RAW:
            assert 0.93 <= measured.share <= 0.97, name
