# fails: ranking   diagnosis: none
"""A mistake that has no name."""

from __future__ import annotations


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

    def top(self, size: int) -> list[str]:
        """Words without their counts."""
        return sorted(set(self.words), key=lambda word: (-self.words.count(word), word))[:size]
