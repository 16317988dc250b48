"""The same in two files."""

from __future__ import annotations

from ranking import rank  # type: ignore[import-not-found]


class Tally:
    """Keeps the words as they came."""

    def __init__(self, words: list[str]) -> None:
        self.words = words

    @classmethod
    def of(cls, words: list[str]) -> Tally:
        """Keep them."""
        return cls(words)

    def count(self, word: str) -> int:
        """Count when asked."""
        return self.words.count(word)

    def top(self, size: int) -> list[tuple[str, int]]:
        """Rank when asked."""
        ranked: list[tuple[str, int]] = rank(self.words)
        return ranked[:size]
