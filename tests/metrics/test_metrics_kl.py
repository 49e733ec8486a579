"""KL of a policy: both estimators against the enumeration of every sequence of a small policy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rubricbench.errors import InputError
from rubricbench.metrics import Bootstrap
from rubricbench.metrics.kl import k1, policy_kl, rao_blackwell

END, LONGEST = 2, 4


class _Chain:
    """Tokens 0, 1 and the end; the next depends on the last. At most four tokens."""

    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.rows = rng.dirichlet(np.ones(3) * 2, size=3)  # by last token; row 2: at the start

    def next(self, history):
        return self.rows[history[-1] if history else 2]

    def sequences(self, history=()):
        """Every sequence that ends or is cut off at the longest, with its probability."""
        if len(history) == LONGEST or (history and history[-1] == END):
            yield history, 1.0
            return
        for token, p in enumerate(self.next(history)):
            for rest, q in self.sequences((*history, token)):
                yield rest, p * q

    def along(self, sequence):
        return np.array([self.next(sequence[:t]) for t in range(len(sequence))])


POLICY, INITIAL = _Chain(1), _Chain(2)


def _padded(sequence):
    """Distributions, log-probabilities of the tokens, and mask, padded to the longest."""
    used = len(sequence)
    full = [np.full((LONGEST, 3), 1 / 3) for _ in range(2)]
    taken = [np.zeros(LONGEST) for _ in range(2)]
    for of, chain in enumerate((POLICY, INITIAL)):
        full[of][:used] = chain.along(sequence)
        taken[of][:used] = np.log(full[of][np.arange(used), list(sequence)])
    return (*full, *taken, np.arange(LONGEST) < used)


def test_both_are_the_kl_of_sequences_in_expectation():
    sequences, p = zip(*POLICY.sequences(), strict=True)
    q = dict(INITIAL.sequences())
    assert sum(p) == pytest.approx(1)
    truth = sum(a * np.log(a / q[s]) for s, a in zip(sequences, p, strict=True))
    full, other, ours, theirs, mask = (
        np.stack(x) for x in zip(*map(_padded, sequences), strict=True)
    )
    by_tokens = rao_blackwell(full, other, mask, form="probabilities")
    assert np.dot(p, by_tokens) == pytest.approx(truth, abs=1e-12)
    assert np.dot(p, k1(ours, theirs, mask)) == pytest.approx(truth, abs=1e-12)
    assert (by_tokens >= 0).all()
    # The first is the better: lower variance. Over whole sequences k3 has no such promise.
    spread = [np.dot(p, (x - truth) ** 2) for x in (by_tokens, k1(ours, theirs, mask))]
    assert spread[0] < spread[1]


def test_samples_of_the_policy_agree_within_their_intervals():
    sequences, p = zip(*POLICY.sequences(), strict=True)
    q = dict(INITIAL.sequences())
    truth = sum(a * np.log(a / q[s]) for s, a in zip(sequences, p, strict=True))
    drawn = np.random.default_rng(3).choice(len(sequences), size=2_000, p=p)
    full, other, ours, theirs, mask = (
        np.stack(x)[drawn] for x in zip(*map(_padded, sequences), strict=True)
    )
    found = policy_kl(
        np.repeat([f"p{i}" for i in range(200)], 10),
        rao_blackwell=rao_blackwell(full, other, mask, form="probabilities"),
        k1=k1(ours, theirs, mask),
    )
    for result in (found.rao_blackwell, found.k1):
        assert result.low < truth < result.high
    assert found.difference.low < 0 < found.difference.high
    assert found.rao_blackwell.high - found.rao_blackwell.low < found.k1.high - found.k1.low
    assert (found.k1.n, found.k1.items) == (200, 2_000)


def test_samples_of_another_policy_are_found_out_by_the_difference():
    # Drawn from π0 instead: the sampled log-ratio turns negative, the token KL does not.
    sequences, p = zip(*INITIAL.sequences(), strict=True)
    drawn = np.random.default_rng(4).choice(len(sequences), size=2_000, p=p)
    full, other, ours, theirs, mask = (
        np.stack(x)[drawn] for x in zip(*map(_padded, sequences), strict=True)
    )
    found = policy_kl(
        np.repeat([f"p{i}" for i in range(200)], 10),
        rao_blackwell=rao_blackwell(full, other, mask, form="probabilities"),
        k1=k1(ours, theirs, mask),
    )
    assert found.difference.high < 0
    assert found.k1.estimate < 0


def test_logits_need_not_be_normalised():
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(2, 6, 11)) * 5
    p, q = (np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True) for x in logits)
    expected = sum(stats.entropy(a, b) for a, b in zip(p, q, strict=True))
    assert rao_blackwell(logits[0], logits[1] + 7) == pytest.approx(expected)
    assert rao_blackwell(logits[0], logits[0]) == 0


def test_a_token_that_neither_can_emit_costs_nothing():
    p, q = [[0.5, 0.5, 0.0]], [[0.25, 0.25, 0.5]]
    assert rao_blackwell(p, q, form="probabilities") == pytest.approx(np.log(2))
    assert rao_blackwell([[0.5, 0.5, 0]], [[0.5, 0.5, 0]], form="probabilities") == 0


def test_a_token_that_the_initial_policy_cannot_emit_is_refused_unless_it_is_padding():
    p, q = [[0.5, 0.5], [0.5, 0.5]], [[0.5, 0.5], [1.0, 0.0]]
    with pytest.raises(InputError, match="top_p 1"):
        rao_blackwell(p, q, form="probabilities")
    assert rao_blackwell(p, q, [1, 0], form="probabilities") == 0


@pytest.mark.parametrize("filler", [np.nan, -np.inf, np.inf, 0.0])
@pytest.mark.parametrize("form", ["logits", "probabilities"])
def test_what_padding_holds_does_not_count(filler, form):
    # ½ log(½/¼) + ½ log(½/¾) = ½ log 4/3
    ours, theirs = np.array([[0.5, 0.5]] * 2), np.array([[0.25, 0.75]] * 2)
    if form == "logits":
        ours, theirs = np.log(ours), np.log(theirs)
    ours[1] = theirs[1] = filler
    found = rao_blackwell(ours, theirs, [1, 0], form=form)
    assert found == pytest.approx(np.log(4 / 3) / 2, abs=1e-15)


def test_a_position_without_any_possible_token_is_refused_not_taken_for_zero():
    with pytest.raises(InputError, match="no token is possible"):
        rao_blackwell([[-np.inf, -np.inf]], [[0.0, 0.0]])


def test_prompts_count_alike_however_many_sequences_they_have():
    found = policy_kl(["a", "a", "a", "b"], k1=[1, 1, 1, 3], boot=Bootstrap(["a", "b"]))
    assert found.k1.estimate == 2
    assert found.rao_blackwell.reason == "not measured"
    assert found.difference.reason == "only one of the two was measured"


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: policy_kl(["a"]), "no KL"),
        (lambda: policy_kl([], k1=[]), "no KL"),
        (lambda: policy_kl(["a", "b"], k1=[1.0]), "2 sequences"),
        (lambda: policy_kl(["a", "b"], k1=[1.0, np.nan]), "sequence 2"),
        (lambda: policy_kl(["a", "b"], rao_blackwell=[1.0, -0.5]), "cannot be negative"),
        (lambda: rao_blackwell([[0.0, np.nan]], [[0.0, 0.0]]), "NaN"),
        (lambda: rao_blackwell([[0.0, 1.0]], [[0.0, 1.0, 2.0]]), "differ in shape"),
        (lambda: rao_blackwell([[0.4, 0.4]], [[0.5, 0.5]], form="probabilities"), "sum to 1"),
        (lambda: rao_blackwell([[0.5, 0.5]], [[0.5, 0.5]], form="odds"), "logits or"),
        (lambda: rao_blackwell([[0.5, 0.5]], [[0.5, 0.5]], [[1, 1]]), "mask"),
        (lambda: k1([-1.0], [-np.inf]), "finite"),
        (lambda: k1([0.5], [-1.0]), "at most 0"),
        (lambda: k1([-1.0], [-1.0, -2.0]), "shapes differ"),
    ],
)
def test_what_cannot_be_a_kl_is_refused(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_a_negative_k1_is_noise_and_allowed():
    assert policy_kl(["a", "b"], k1=[-0.1, 0.05]).k1.estimate == pytest.approx(-0.025)
