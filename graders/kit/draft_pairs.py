"""Pairs of a target and a draft model whose acceptance rate is known, and what follows from the rate.

A bigram model is its table: row l holds the distribution of the token after token l. Every row of a pair is the same
two distributions, moved along by l: the tokens depend on each other, the chance to accept a proposal does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_TRIES = 10_000


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

    Between the target's distribution and another one the acceptance falls linearly from 1, so a mixture of the two has
    any acceptance down to that of the other.
    """
    for _ in range(_TRIES):
        order = rng.permutation(vocab_size)
        p, other = (np.sort(rng.dirichlet(np.ones(vocab_size))) for _ in range(2))
        p, other = p[order], other[::-1][order]
        farthest = 1 - acceptance_rate(p, other)
        if farthest >= 1 - acceptance >= 0 and min(p.min(), other.min()) > 0.05 / vocab_size:
            break
    else:
        raise ValueError(f"no pair over {vocab_size} tokens with the acceptance {acceptance} was found")
    share = (1 - acceptance) / farthest
    rows = (np.arange(vocab_size) - np.arange(vocab_size)[:, None]) % vocab_size
    return DraftPair(p[rows], ((1 - share) * p + share * other)[rows], acceptance)


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
