"""Count in a dictionary, sort by two keys."""

from __future__ import annotations


class Tally:
    """How often each word was seen."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = counts

    @classmethod
    def of(cls, words: list[str]) -> Tally:
        """Count the words."""
        counts: dict[str, int] = {}
        for word in words:
            counts[word] = counts.get(word, 0) + 1
        return cls(counts)

    def count(self, word: str) -> int:
        """How often this word was seen."""
        return self.counts.get(word, 0)

    def top(self, size: int) -> list[tuple[str, int]]:
        """Sort all, then cut."""
        if len(self.counts) < size:
            size = len(self.counts)
        ranked = sorted(self.counts.items(), key=lambda pair: (-pair[1], pair[0]))
        return ranked[:size]
