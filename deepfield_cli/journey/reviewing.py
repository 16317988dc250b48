"""Reviews: a passed problem is written again from its stub and graded by the same suite, on inputs as fresh as ever.

Each lives in a folder of its own, ``review/<field>/<slug>-<date>/``, so that the first work is never touched. Every
grade of it is a review: failed is *again*, solved after a failure or with a hint is *hard*, solved at once is *good*.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfield_cli.content.catalogue import read_catalogue
from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.cards import AGAIN, GOOD, HARD, REVIEW, Card, read_cards
from deepfield_cli.journey.clock import now, today
from deepfield_cli.journey.hints import HINT
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry, Ledger

if TYPE_CHECKING:
    from deepfield_cli.grading.grade import Grade

REVIEW_START = "review-start"
_FOLDER = "review"


@dataclass(frozen=True, slots=True)
class Agenda:
    """What comes back.

    Attributes:
        due: the cards that are due, those that have waited longest first.
        later: the others, the next first.

    """

    due: tuple[Card, ...]
    later: tuple[Card, ...]

    @property
    def due_concepts(self) -> list[str]:
        """Ids of the concepts that are due."""
        return [card.concept for card in self.due if card.concept]


@dataclass(frozen=True, slots=True)
class OpenReview:
    """A review that was begun and not finished.

    Attributes:
        problem: problem id.
        folder: where its files stand.
        began_at: when it was begun, UTC.
        failures: how often it was graded and failed.
        is_new: whether it was laid out just now.

    """

    problem: str
    folder: Path
    began_at: str
    failures: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a review came to: its rating, why, and when the problem comes back."""

    rating: str
    because: str
    due: datetime


def read_agenda(workspace: Workspace) -> Agenda:
    """Every card, due or not; problems that cannot be graded here are passed over."""
    known = {problem.id for problem in read_catalogue().problems if problem.graded}
    with workspace.record() as ledger:
        cards = sorted(read_cards(ledger, known), key=lambda card: (card.due, card.id))
    moment = now()
    due = tuple(card for card in cards if card.due <= moment)
    return Agenda(due, tuple(cards[len(due) :]))


def begin_review(workspace: Workspace, location: ProblemLocation) -> OpenReview:
    """Lay out the stub for a review, or find the one that was begun.

    Raises:
        WorkspaceError: the problem was never solved here, or nothing can be written.

    """
    with workspace.record() as ledger:
        if not any(row.problem == location.id and row.solved for row in ledger.progress()):
            raise WorkspaceError(f"{location.id} was not solved yet", fix=f"deepfield grade {location.id}")
        found = _open_review(workspace, ledger, location.id)
    return found or _lay_out(workspace, location)


def is_untouched(review: OpenReview, location: ProblemLocation) -> bool:
    """Whether nothing has been written yet: the files are the starter's, byte for byte."""
    starter = location.starter
    offered = [path for path in starter.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return all(_same(path, review.folder / path.relative_to(starter)) for path in offered)


def finish_review(workspace: Workspace, review: OpenReview, outcome: Grade) -> Reviewed:
    """Record a grade of a review and move the problem's card; it is no attempt and changes no progress.

    Raises:
        WorkspaceError: the grader broke; nothing is recorded, and the review stays open.

    """
    result = outcome.result
    if result.score is None:
        raise WorkspaceError("the grader broke: this was no review", fix="deepfield doctor; then try again")
    with workspace.ledger() as ledger:
        rating, because = _rate(ledger, review, solved=result.solved)
        details = {"folder": review.folder.name, "closed": result.solved, "result": result.model_dump(mode="json")}
        return _record(
            ledger,
            review,
            rating,
            because,
            details,
            solved=result.solved,
            score=result.score,
            files=outcome.files.files,
        )


def give_up_review(workspace: Workspace, review: OpenReview) -> Reviewed:
    """End a review unsolved; the problem comes back tomorrow."""
    with workspace.ledger() as ledger:
        details = {"folder": review.folder.name, "closed": True}
        return _record(ledger, review, AGAIN, "given up", details, solved=False)


def concepts_of(problem_id: str) -> list[str]:
    """Concepts of a problem that drills ask about: they come into the deck with its first review."""
    from deepfield_cli.content.road import open_roadmap
    from deepfield_cli.practice.envelope import drills_about

    problem = open_roadmap().problems.get(problem_id)
    return [concept for concept in problem.concepts if drills_about(concept)] if problem is not None else []


def _record(
    ledger: Ledger, review: OpenReview, rating: int, because: str, details: dict[str, Any], **columns: Any
) -> Reviewed:
    from deepfield_cli.journey.scheduling import record_review

    entry = record_review(
        ledger,
        review.problem,
        rating,
        because,
        now(),
        enrol=concepts_of(review.problem),
        details=details,
        **columns,
    )
    payload = ledger.payload(entry)
    return Reviewed(payload["rating"], because, datetime.fromisoformat(payload["due"][review.problem]))


def _rate(ledger: Ledger, review: OpenReview, *, solved: bool) -> tuple[int, str]:
    if not solved:
        return AGAIN, "failed"
    if review.failures:
        return HARD, f"solved after {review.failures} failed"
    if any(entry.at >= review.began_at for entry in ledger.entries(HINT, review.problem, limit=1)):
        return HARD, "solved with a hint"
    return GOOD, "solved at once"


def _open_review(workspace: Workspace, ledger: Ledger, problem: str) -> OpenReview | None:
    """The review that was begun last, unless it is over or its folder is gone."""
    started = ledger.entries(REVIEW_START, problem, limit=1)
    if not started:
        return None
    name = str(ledger.payload(started[0])["folder"])
    since = _since(ledger, ledger.entries(REVIEW, problem), started[0])
    folder = _home(workspace, problem) / name
    if any(payload.get("closed") for payload in since) or not folder.is_dir():
        return None
    return OpenReview(problem, folder, started[0].at, len(since), is_new=False)


def _since(ledger: Ledger, reviews: Sequence[Entry], start: Entry) -> list[dict[str, Any]]:
    return [ledger.payload(entry) for entry in reviews if entry.id > start.id]


def _same(path: Path, other: Path) -> bool:
    return other.is_file() and other.read_bytes() == path.read_bytes()


def _lay_out(workspace: Workspace, location: ProblemLocation) -> OpenReview:
    import shutil

    home = _home(workspace, location.id)
    name = f"{location.id.partition('/')[2]}-{today().isoformat()}"
    folder, number = home / name, 2
    while folder.exists():
        folder, number = home / f"{name}-{number}", number + 1
    try:
        home.mkdir(parents=True, exist_ok=True)
        shutil.copytree(location.starter, folder, ignore=shutil.ignore_patterns("__pycache__"))
        if location.brief.is_file():
            shutil.copyfile(location.brief, folder / location.brief.name)
    except OSError as error:
        what = f"cannot lay out the review: {error.strerror}"
        raise WorkspaceError(what, where=str(folder), fix="check space and permissions") from error
    with workspace.ledger() as ledger:
        entry = ledger.append(REVIEW_START, {"folder": folder.name}, problem=location.id, at=now())
    return OpenReview(location.id, folder, entry.at, 0, is_new=True)


def _home(workspace: Workspace, problem: str) -> Path:
    return workspace.root / _FOLDER / problem.partition("/")[0]
