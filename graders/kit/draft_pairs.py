"""Pairs of a target and a draft model whose acceptance rate is known, and what follows from the rate.

A bigram model is its table: row l holds the distribution of the token after token l. Every row of a pair is the same
two distributions, moved along by l: the tokens depend on each other, the chance to accept a proposal does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# The share of proposals that are accepted in any case.
_SELDOM = 0.05


@dataclass(frozen=True)
class DraftPair:
    """Two bigram models over the same tokens.

    Attributes:
        target: (V, V), every row a distribution.
        draft: the same for the draft.
        acceptance: the probability that a proposal is accepted, after every token.

    """

    target: np.ndarray
    draft: np.ndarray
    acceptance: float


def acceptance_rate(p: np.ndarray, q: np.ndarray) -> float:
    """The probability that a token drawn from q is accepted, which happens with min(1, p/q): the sum of min(p, q)."""
    return float(np.minimum(p, q).sum())


def constant_acceptance(rng: np.random.Generator, vocab_size: int, acceptance: float) -> DraftPair:
    """A pair that accepts with exactly this probability after every token.

    The draft proposes half of the tokens far too often, all by the same factor, and the others next to never: nearly
    every proposal is one whose p/q is below 1, so a rule that bends this ratio cannot hide behind proposals that are
    accepted in any case.
    """
    often = vocab_size // 2
    if often < 1 or not 2 * _SELDOM < acceptance <= 1:
        raise ValueError(f"no pair over {vocab_size} tokens has the acceptance {acceptance}")
    shares = [_uneven(rng, often), _uneven(rng, vocab_size - often)]
    p, q = (np.concatenate([mass * shares[0], (1 - mass) * shares[1]]) for mass in (acceptance - _SELDOM, 1 - _SELDOM))
    rows = rng.permutation(vocab_size)[(np.arange(vocab_size) - np.arange(vocab_size)[:, None]) % vocab_size]
    return DraftPair(p[rows], q[rows], acceptance)


def _uneven(rng: np.random.Generator, size: int) -> np.ndarray:
    """A distribution in which no share is more than three times another."""
    weights = rng.uniform(0.5, 1.5, size)
    shares: np.ndarray = weights / weights.sum()
    return shares


def expected_tokens(acceptance: float, gamma: int) -> float:
    """Tokens per call of the target: 1 + a + ... + a^gamma = (1 - a^(gamma + 1)) / (1 - a)."""
    return float(sum(acceptance**count for count in range(gamma + 1)))


def calls_distribution(acceptance: float, gamma: int, tokens: int) -> np.ndarray:
    """Probability of each number of target calls, 0 to `tokens`, that make so many tokens.

    A block proposes min(gamma, left - 1) tokens, since the call adds one of its own to those that are accepted.
    """
    left_to_calls = np.zeros((tokens + 1, tokens + 1))
    left_to_calls[0, 0] = 1.0
    for left in range(1, tokens + 1):
        proposed = min(gamma, left - 1)
        for accepted in range(proposed + 1):
            chance = acceptance**accepted * (1.0 if accepted == proposed else 1 - acceptance)
            left_to_calls[left, 1:] += chance * left_to_calls[left - accepted - 1, :-1]
    answer: np.ndarray = left_to_calls[tokens]
    return answer
