"""A tally of words."""

from __future__ import annotations


class Tally:
    """How often each word was seen."""

    @classmethod
    def of(cls, words: list[str]) -> Tally:
        """Count the words."""
        raise NotImplementedError

    def count(self, word: str) -> int:
        """How often this word was seen."""
        raise NotImplementedError

    def top(self, size: int) -> list[tuple[str, int]]:
        """The most frequent words and their counts; among equals the alphabet decides."""
        raise NotImplementedError
