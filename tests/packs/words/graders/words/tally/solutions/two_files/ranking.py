"""The ranking alone."""

from __future__ import annotations


def rank(words: list[str]) -> list[tuple[str, int]]:
    """All words, ranked."""
    return sorted([(word, words.count(word)) for word in dict.fromkeys(words)], key=lambda pair: (-pair[1], pair[0]))
