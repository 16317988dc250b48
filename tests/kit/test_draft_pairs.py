"""The pairs accept as often as they say, and what follows from the rate is counted out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from graders.kit import draft_pairs


@pytest.mark.parametrize("acceptance", [0.4, 0.6, 0.8, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_every_row_accepts_the_same(acceptance: float, seed: int) -> None:
    pair = draft_pairs.constant_acceptance(np.random.default_rng(seed), 8, acceptance)
    assert np.abs(pair.target.sum(axis=1) - 1).max() < 1e-12
    assert np.abs(pair.draft.sum(axis=1) - 1).max() < 1e-12
    assert min(pair.target.min(), pair.draft.min()) > 0
    for p, q in zip(pair.target, pair.draft, strict=True):
        assert draft_pairs.acceptance_rate(p, q) == pytest.approx(acceptance, abs=1e-12)
    assert not np.allclose(pair.target[0], pair.target[1]), "the last token matters"


def test_a_proposal_is_accepted_as_often_as_that() -> None:
    pair = draft_pairs.constant_acceptance(np.random.default_rng(5), 6, 0.7)
    p, q = pair.target[2], pair.draft[2]
    assert float((q * np.minimum(1, p / q)).sum()) == pytest.approx(0.7)


@pytest.mark.parametrize("acceptance", [0.5, 0.8])
def test_a_ratio_that_is_bent_shows(acceptance: float) -> None:
    pair = draft_pairs.constant_acceptance(np.random.default_rng(6), 6, acceptance)
    for p, q in zip(pair.target, pair.draft, strict=True):
        generous = float((q * np.minimum(1, 1.15 * p / q)).sum())
        assert generous > 1.13 * acceptance


@pytest.mark.parametrize(("vocab_size", "acceptance"), [(2, 1e-6), (1, 0.8), (4, 1.1)])
def test_what_cannot_be_is_refused(vocab_size: int, acceptance: float) -> None:
    with pytest.raises(ValueError, match="no pair"):
        draft_pairs.constant_acceptance(np.random.default_rng(0), vocab_size, acceptance)


def test_expected_tokens_is_the_closed_form() -> None:
    for a, gamma in ((0.8, 4), (0.6, 7), (0.9, 5)):
        assert draft_pairs.expected_tokens(a, gamma) == pytest.approx((1 - a ** (gamma + 1)) / (1 - a))
    assert draft_pairs.expected_tokens(0.8, 4) == pytest.approx(3.3616)
    assert draft_pairs.expected_tokens(1.0, 4) == 5.0


def followed(acceptance: float, gamma: int, tokens: int) -> np.ndarray:
    """The same distribution by writing down every run: one bit for each proposal that is judged."""
    found = np.zeros(tokens + 1)
    for bits in itertools.product((True, False), repeat=tokens):
        left, calls, used, chance = tokens, 0, 0, 1.0
        while left:
            proposed = min(gamma, left - 1)
            accepted = 0
            while accepted < proposed:
                said = bits[used]
                used += 1
                chance *= acceptance if said else 1 - acceptance
                if not said:
                    break
                accepted += 1
            left -= accepted + 1
            calls += 1
        # runs that judge fewer proposals than there are bits occur once for each value of the others
        found[calls] += chance / 2 ** (tokens - used)
    return found


@pytest.mark.parametrize(("acceptance", "gamma", "tokens"), [(0.8, 4, 9), (0.5, 2, 8), (0.3, 1, 7), (0.9, 12, 6)])
def test_the_number_of_calls_agrees_with_every_run_written_down(acceptance: float, gamma: int, tokens: int) -> None:
    found = draft_pairs.calls_distribution(acceptance, gamma, tokens)
    assert found.sum() == pytest.approx(1.0)
    assert np.abs(found - followed(acceptance, gamma, tokens)).max() < 1e-12


def test_long_runs_approach_the_formula() -> None:
    calls = draft_pairs.calls_distribution(0.8, 4, 3000)
    mean = float((np.arange(len(calls)) * calls).sum())
    assert 3000 / mean == pytest.approx(3.3616, rel=1e-3)
