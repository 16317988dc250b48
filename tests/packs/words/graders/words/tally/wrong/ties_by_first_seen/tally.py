# fails: ranking   diagnosis: ties-by-first-seen
"""Sorts by the count alone; a folder may be wrong too."""

from __future__ import annotations

from order import by_count  # type: ignore[import-not-found]


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
        """Rank by count."""
        ranked: list[tuple[str, int]] = by_count(self.words)
        return ranked[:size]
