"""Keyed draws: the key decides, nothing else."""

from __future__ import annotations

from collections import Counter

from rubricbench.draws import Draws


def test_same_key_same_stream():
    first, second = Draws(1, "topic", "row-3"), Draws(1, "topic", "row-3")
    assert [first.below(100) for _ in range(20)] == [second.below(100) for _ in range(20)]


def test_seed_purpose_and_item_each_make_another_stream():
    streams = {
        tuple(Draws(seed, purpose, item).below(10**6) for _ in range(3))
        for seed in (0, 1)
        for purpose in ("a", "b")
        for item in ("x", "y")
    }
    assert len(streams) == 8
    # The parts of a key do not run into one another.
    assert Draws(0, "a", "bc").below(10**9) != Draws(0, "ab", "c").below(10**9)


def test_values_are_the_same_on_every_platform():
    # sha256 of b"7\x1fx\x1fy\x1f0", "…1", "…2": first 16 bytes, big-endian, modulo 1000.
    draws = Draws(7, "x", "y")
    import hashlib

    expected = [
        int.from_bytes(hashlib.sha256(b"7\x1fx\x1fy\x1f" + str(i).encode()).digest()[:16], "big")
        % 1000
        for i in range(3)
    ]
    assert [draws.below(1000) for _ in range(3)] == expected


def test_bounds_are_included_and_nothing_beyond():
    draws = Draws(0, "dice", "")
    seen = Counter(draws.between(1, 6) for _ in range(6000))
    assert set(seen) == {1, 2, 3, 4, 5, 6}
    assert min(seen.values()) > 800  # 1000 ± 29 each; seven standard deviations off


def test_chance_is_in_percent():
    draws = Draws(0, "coin", "")
    assert 0.23 < sum(draws.chance(25) for _ in range(4000)) / 4000 < 0.27
    assert not any(draws.chance(0) for _ in range(100))
    assert all(draws.chance(100) for _ in range(100))


def test_shuffling_keeps_all_and_favours_none():
    firsts = Counter(Draws(0, "shuffle", str(i)).shuffled("abcd")[0] for i in range(4000))
    assert set(firsts) == set("abcd")
    assert min(firsts.values()) > 850
    assert sorted(Draws(0, "shuffle", "").shuffled([3, 1, 2])) == [1, 2, 3]


def test_sample_of_more_than_there_are_is_all():
    assert sorted(Draws(0, "sample", "").sample([1, 2, 3], 5)) == [1, 2, 3]
    assert len(Draws(0, "sample", "").sample([1, 2, 3], 2)) == 2


def test_weights_decide_who_comes_first():
    firsts = Counter(
        Draws(0, "weights", str(i)).weighted_order(["light", "heavy"], [1, 3])[0]
        for i in range(4000)
    )
    assert 0.72 < firsts["heavy"] / 4000 < 0.78
