# fails: counts   diagnosis: case-blind
"""Lowers every word."""

from __future__ import annotations


class Tally:
    """Counts in small letters."""

    def __init__(self, words: list[str]) -> None:
        self.words = [word.lower() for word in words]

    @classmethod
    def of(cls, words: list[str]) -> Tally:
        """Keep them."""
        return cls(words)

    def count(self, word: str) -> int:
        """Count in small letters."""
        return self.words.count(word.lower())

    def top(self, size: int) -> list[tuple[str, int]]:
        """Rank."""
        pairs = [(word, self.words.count(word)) for word in set(self.words)]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:size]
