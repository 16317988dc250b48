"""The hidden checks of words/tally."""

from __future__ import annotations

import numpy as np

from deepfield_cli.grading import CheckFailed, Reference, Submission, Suite, expect_equal

from . import oracle

suite = Suite("words/tally")
SOME_WORDS = ["owl", "Owl", "elk", "cod", "ant", "bee"]


def tally_of(submission: Submission, words: list[str]) -> Reference:
    """The learner's object, which stays in the worker."""
    tally = submission.call("Tally.of", words)
    if not isinstance(tally, Reference):
        raise CheckFailed("Tally.of returned no Tally", diagnosis="wrong-type")
    return tally


@suite.check(rung="core", points=1, timeout_seconds=2.0)
def counts(submission: Submission, rng: np.random.Generator) -> None:
    """Every word is counted, and a word that is not there counts as 0."""
    words = ["owl", "owl", "Owl", *rng.choice(SOME_WORDS, size=20).tolist()]
    tally = tally_of(submission, words)
    lowered = [word.lower() for word in words]
    for word in ("owl", "Owl", "yak"):
        bugs = {"case-blind": oracle.count(lowered, word.lower())}
        expect_equal(tally.call("count", word), oracle.count(words, word), what=f"count({word!r})", bugs=bugs)


@suite.check(rung="core", needs=[counts], points=2, timeout_seconds=2.0)
def ranking(submission: Submission, rng: np.random.Generator) -> None:
    """The most frequent words come first, and the alphabet decides between equals."""
    words = ["yak", "owl", "elk", "cod", "yak", *rng.permutation(["owl", "elk", "cod", "yak"]).tolist(), "ant"]
    tally = tally_of(submission, words)
    bugs = {"ties-by-first-seen": oracle.top_by_first_seen(words, 3)}
    expect_equal(tally.call("top", 3), oracle.top(words, 3), what="top(3)", bugs=bugs)


@suite.check(rung="core", needs=[ranking], points=1, timeout_seconds=2.0)
def short_rankings(submission: Submission, rng: np.random.Generator) -> None:
    """A ranking of more words than there are holds all of them."""
    tally = tally_of(submission, ["elk", "bee", "elk"])
    expect_equal(tally.call("top", 9), [("elk", 2), ("bee", 1)], what="top(9)")
