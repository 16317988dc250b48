"""A post, graded: its code runs in order and prints what the post shows, and what it points at is there.

That it explains anything, only people can say; they do so against a rubric.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from deepfield_cli.content.road import open_roadmap
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.grading.result import Cause, CheckResult, GradeResult
from deepfield_cli.sandbox.staging import SubmissionFiles, read_submission
from deepfield_cli.summit.course import Graded, as_result, walk
from deepfield_cli.summit.link_check import LinkReport, Manners
from deepfield_cli.summit.post import Post, read_post
from deepfield_cli.summit.review import Review

PROBLEM = "summit/blog"
_SEED_BITS = 63
# One page is asked for a handful of links; a browser would not wait longer either.
_MANNERS = Manners(pause_seconds=0.5)


@dataclass(frozen=True)
class BlogRequest:
    """What is to be graded.

    Attributes:
        path: the post.
        seconds: how long all its code may take.
        manners: how its links are asked for.

    """

    path: Path
    seconds: float = 120.0
    manners: Manners = _MANNERS


@dataclass(frozen=True)
class Blogged:
    """What came of it.

    Attributes:
        result: the result at the core rung; without a network its links are skipped.
        files: the post and what lies beside it, for the record.
        post: the post, read.
        unsure: links that gave no clear answer.
        offline: whether there was no network to ask for its links.

    """

    result: GradeResult
    files: Mapping[str, bytes]
    post: Post
    unsure: Sequence[LinkReport]
    offline: bool


def grade_blog(request: BlogRequest, on_start: Callable[[str], None] = lambda name: None) -> Blogged:
    """Read, run and look up.

    Raises:
        DeepfieldError: there is no such post, or too much lies beside it.
        SandboxError: its code cannot be confined.

    """
    started, clock = datetime.now(UTC), time.monotonic()
    files = read_submission(request.path.parent, request.path.name)
    text = _text_of(files, request.path)
    review = Review(request.path.name, files, read_post(text), request.seconds, request.manners)
    checks = walk(tuple(review.stations()), on_start)
    graded = Graded(
        problem=PROBLEM,
        title=open_roadmap().problems[PROBLEM].title,
        rung="core",
        seed=secrets.randbits(_SEED_BITS),
        isolation=review.isolation or "nothing ran",
        files=tuple(files.files),
        digest=files.digest,
        started=started,
        seconds=time.monotonic() - clock,
        environment={},
    )
    result = as_result(graded, _without_network(checks) if review.offline else checks, _notes(review))
    return Blogged(result, files.files, review.post, tuple(review.unsure), review.offline)


def _text_of(files: SubmissionFiles, path: Path) -> str:
    content = files.files.get(path.name)
    if content is None:
        raise WorkspaceError("there is no such post", where=str(path), fix="point at a Markdown file")
    try:
        return content.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise WorkspaceError("the post is no UTF-8 text", where=str(path), fix="save it as UTF-8") from error


def _without_network(checks: Sequence[CheckResult]) -> list[CheckResult]:
    """The same, with the links as what they are: not asked for."""
    cause = Cause(rationale="There is no network: nobody knows whether the links lead anywhere.")
    return [
        check.model_copy(update={"outcome": "skipped", "cause": cause}) if check.name == "links_resolve" else check
        for check in checks
    ]


def _notes(review: Review) -> list[str]:
    """What the verdict leaves open."""
    notes = [f"{report.link.url} gave no clear answer: {report.words}" for report in review.unsure]
    counts = {name: review.post.passed_over.count(name) for name in dict.fromkeys(review.post.passed_over)}
    if counts:
        notes.append("not run: " + ", ".join(f"{count} × {name}" for name, count in counts.items()))
    return notes
