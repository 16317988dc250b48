"""The order that is wrong."""

from __future__ import annotations


def by_count(words: list[str]) -> list[tuple[str, int]]:
    """A stable sort by count alone."""
    return sorted([(word, words.count(word)) for word in dict.fromkeys(words)], key=lambda pair: -pair[1])
