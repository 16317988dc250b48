"""Counting and ranking in the plainest way."""

from __future__ import annotations


def count(words: list[str], word: str) -> int:
    """How often a word is there."""
    return words.count(word)


def top(words: list[str], size: int) -> list[tuple[str, int]]:
    """Ranked by count, then by the alphabet."""
    return sorted(((word, words.count(word)) for word in set(words)), key=lambda pair: (-pair[1], pair[0]))[:size]


def top_by_first_seen(words: list[str], size: int) -> list[tuple[str, int]]:
    """What a stable sort by count alone gives."""
    return sorted(((word, words.count(word)) for word in dict.fromkeys(words)), key=lambda pair: -pair[1])[:size]
