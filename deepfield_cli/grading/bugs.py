"""Diagnosis: the search for the known mistake that gives exactly this answer."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

# Two mistakes at once are looked for up to this many pairs: beyond it a check would dawdle before it fails.
_MAXIMUM_PAIRS = 400


class Bugs:
    """Mistakes that can be computed together: one oracle with switches.

    Args:
        compute: returns what a learner with this set of mistakes would have returned.
        names: misconception ids, the likelier first.

    """

    def __init__(self, compute: Callable[[frozenset[str]], Any], names: Sequence[str]) -> None:
        self._compute = compute
        self._names = list(names)

    def candidates(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Each mistake alone, then each two together (``first+second``)."""
        for name in self._names:
            yield name, self._answer(frozenset([name]))
        pairs = itertools.islice(itertools.combinations(self._names, 2), _MAXIMUM_PAIRS)
        for first, second in pairs:
            yield f"{first}+{second}", self._answer(frozenset([first, second]))

    def sieved(self, got: Mapping[str, Any]) -> Bugs:
        """Those that are worth computing in full where this was answered: all, unless a grader knows a cheap sieve."""
        return self

    def _answer(self, names: frozenset[str]) -> Callable[[], Any]:
        return lambda: self._compute(names)


BugSource = Bugs | Mapping[str, Any]


def find_bug(bugs: BugSource, matches: Callable[[Any], bool]) -> str | None:
    """The first known mistake whose answer matches, or None.

    A mapping's values are answers, or functions that compute them when asked.
    """
    for name, answer in _candidates(bugs):
        value = answer() if callable(answer) else answer
        if matches(value):
            return name
    return None


def _candidates(bugs: BugSource) -> Iterator[tuple[str, Any]]:
    if isinstance(bugs, Bugs):
        yield from bugs.candidates()
    else:
        yield from bugs.items()
