"""Text sources whose entropy rate is known exactly, and which no n-gram and no single layer of attention can follow.

A document of the echo source is a row of records of three tokens:

    flag      which of several kinds the record is, and a synonym that says nothing about the kind
    middle    WAIT with a fixed probability, else the record's letter already
    letter    kind 0: fresh, drawn from the row of the flag's synonym in a Markov kernel
              kind j: the letter that stood j · distance records before (fresh, where the document is too young for it)

Whoever predicts a letter right after its flag has to look where the flag says: one layer of attention can. Whoever
predicts it after WAIT has to look one back for the flag first, and then where it points: that takes two layers in a
row. Kinds and synonyms are independent of everything before them, and each row of the kernel is a permutation of one
distribution, so every entropy below is a finite sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Tokens = NDArray[np.int64]
Array = NDArray[np.float64]

RECORD = 3


@dataclass(frozen=True)
class EchoSource:
    """Letters that come back at a distance, on top of a Markov chain from flags to letters.

    Attributes:
        kernel: (synonyms, letters), each row a permutation of the same distribution.
        kinds: probability of each kind; kind 0 is fresh.
        wait: probability that the middle token is WAIT.
        distance: records between a letter and its echo of kind 1.
        records: records of one document.
        names: the token id of each symbol: flags by kind and synonym, letters, WAIT.

    """

    kernel: Array
    kinds: Array
    wait: float
    distance: int
    records: int
    names: Tokens

    @property
    def vocab_size(self) -> int:
        """How many different tokens there are."""
        return len(self.names)

    @property
    def document_length(self) -> int:
        """Tokens of one document."""
        return RECORD * self.records

    @property
    def blind_order(self) -> int:
        """The highest order of an n-gram whose n - 1 tokens of context never hold the letter that comes back."""
        return RECORD * self.distance - 1

    def sample(self, rng: np.random.Generator, documents: int) -> Tokens:
        """Independent documents, (documents, document_length)."""
        shape = (documents, self.records)
        synonyms = len(self.kernel)
        kind = rng.choice(len(self.kinds), shape, p=self.kinds)
        synonym = rng.integers(synonyms, size=shape)
        ladder = self.kernel.cumsum(1)
        ladder[:, -1] = 1.0  # rounding must not leave a gap at the top
        letter = (rng.random(shape)[..., None] > ladder[synonym]).sum(-1)
        for record in range(self.distance, self.records):
            letter[:, record] = self._echo(kind[:, record], letter, record)
        found = np.empty((*shape, RECORD), dtype=np.int64)
        found[..., 0] = kind * synonyms + synonym
        found[..., 2] = self._first_letter + letter
        found[..., 1] = np.where(rng.random(shape) < self.wait, self._wait_symbol, found[..., 2])
        return self.names[found].reshape(documents, -1)

    def _echo(self, kind: Tokens, letter: Tokens, record: int) -> Tokens:
        """The letters of one record of every document, echoes in the place of fresh ones."""
        back = np.minimum(kind, record // self.distance) * (kind * self.distance <= record)
        rows = np.arange(len(letter))
        found: np.ndarray = letter[rows, record - back * self.distance]
        return found

    def log_probabilities(self, documents: Tokens) -> Array:
        """The log-probability of each token given all tokens before it in its document, in nats."""
        symbols = np.argsort(self.names)[documents].reshape(len(documents), self.records, RECORD)
        synonyms = self.kernel.shape[0]
        kind, synonym = np.divmod(symbols[..., 0], synonyms)
        letter = symbols[..., 2] - self._first_letter
        fresh = (kind == 0) | (kind * self.distance > np.arange(self.records))
        with np.errstate(divide="ignore"):
            of_letter = np.where(fresh, np.log(self.kernel)[synonym, letter], 0.0)
        waits = symbols[..., 1] == self._wait_symbol
        found = np.empty(symbols.shape)
        found[..., 0] = np.log(self.kinds)[kind] - math.log(synonyms)
        found[..., 1] = np.where(waits, math.log(self.wait), math.log(1.0 - self.wait) + of_letter)
        found[..., 2] = np.where(waits, of_letter, 0.0)
        return found.reshape(documents.shape)

    def entropy_rate(self) -> float:
        """Nats per token that nobody can save."""
        fresh = self._fresh_letters() * _entropy(self.kernel[0])
        return (self._flags_and_waits() + fresh) / self.document_length

    def ngram_bound(self, order: int) -> float:
        """Nats per token that no n-gram of this order can fall below, however much text it has seen.

        What comes back is outside of its context, and independent of everything inside: letters that are 1 to
        distance - 1 records apart descend from different draws, and flags are drawn by themselves. So an echo costs the
        entropy of the letters' own distribution. The bound is for an n-gram that is even told where the document began.

        Raises:
            ValueError: for an order at which the context may hold the letter.

        """
        if order > self.blind_order:
            raise ValueError(f"an n-gram of order {order} may see the letter; up to {self.blind_order} none does")
        fresh = self._fresh_letters()
        echoes = (self.records - fresh) * _entropy(self.kernel.mean(0))
        return (self._flags_and_waits() + fresh * _entropy(self.kernel[0]) + echoes) / self.document_length

    def _flags_and_waits(self) -> float:
        """Nats of a document that flags and WAIT take."""
        flag = _entropy(self.kinds) + math.log(len(self.kernel))
        return self.records * (flag + _entropy(np.array([self.wait, 1.0 - self.wait])))

    def _fresh_letters(self) -> float:
        """Expected number of letters of a document that are no echo."""
        young = np.arange(self.records)[:, None] < np.arange(len(self.kinds)) * self.distance
        young[:, 0] = True
        return float((young * self.kinds).sum())

    @property
    def _first_letter(self) -> int:
        return int(len(self.kinds) * self.kernel.shape[0])

    @property
    def _wait_symbol(self) -> int:
        return int(self._first_letter + self.kernel.shape[1])


def draw_echo(
    rng: np.random.Generator,
    *,
    letters: int = 16,
    synonyms: int = 2,
    echoes: int = 3,
    distance: int = 6,
    records: int = 42,
    fresh: float = 0.25,
    wait: float = 0.6,
) -> EchoSource:
    """A source of this form with a kernel and token names that nobody knows before.

    Args:
        rng: draws the kernel and the names.
        letters: how many there are; some are frequent after a synonym, most are rare.
        synonyms: flags of each kind.
        echoes: kinds of echo, from 1 · distance to echoes · distance records back.
        distance: 6 puts a letter 16 tokens or more before the flag that points at it: out of reach of two layers of
            attention with a window of 8.
        records: per document.
        fresh: probability of kind 0.
        wait: probability of WAIT.

    """
    weights = 0.7 ** np.arange(letters) * rng.uniform(0.8, 1.2, letters) + 0.002
    distribution = weights / weights.sum()
    kernel = np.stack([distribution[rng.permutation(letters)] for _ in range(synonyms)])
    kinds = np.array([fresh, *[(1.0 - fresh) / echoes] * echoes])
    names = rng.permutation((echoes + 1) * synonyms + letters + 1)
    return EchoSource(kernel, kinds, wait, distance, records, names)


def _entropy(distribution: Array) -> float:
    """In nats."""
    present = distribution[distribution > 0]
    return -float((present * np.log(present)).sum())
