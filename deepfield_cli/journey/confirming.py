"""What others confirm and what the summit's graders measured, put on the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepfield_cli.journey.clock import now
from deepfield_cli.journey.counts import CONFIRM
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry, Ledger

if TYPE_CHECKING:
    from deepfield_cli.grading.result import GradeResult
    from deepfield_cli.summit.codeforces import Rating
    from deepfield_cli.summit.merged import Examined
    from deepfield_cli.summit.reproduction import Reproduced

MERGED, RATED = "merged-pr", "codeforces-rating"
PULL_REQUEST = "summit/merged-pr"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One thing that an outside service says.

    Attributes:
        number: its entry in the record.
        what: merged-pr or codeforces-rating.
        value: how many, or the rating.
        account: the account that the learner calls their own.
        url: where anybody can look it up.
        service: who was asked.
        at: when, UTC.
        is_new: whether it was recorded now, and not before.

    """

    number: int
    what: str
    value: int
    account: str
    url: str
    service: str
    at: str
    is_new: bool = True


def record_pull_request(workspace: Workspace, found: Examined, answers: Mapping[str, bytes]) -> Confirmation:
    """Record a pull request that holds, with what GitHub answered; one that is on the record stays as it is."""
    request = found.request
    payload = {
        "what": MERGED,
        "value": 1,
        "account": found.account,
        "url": request.url,
        "service": found.service,
        "repository": request.repository,
        "number": request.number,
        "title": request.title,
        "merged_at": request.merged_at,
        "commit": request.commit,
        "lines": found.substance.lines,
        "reviewers": list(request.reviewers),
        "remarks": request.remarks,
    }
    return _record(workspace, payload, answers, problem=PULL_REQUEST)


def record_rating(workspace: Workspace, rating: Rating, answers: Mapping[str, bytes]) -> Confirmation:
    """Record a rating, with what Codeforces answered; one that is on the record stays as it is."""
    payload = {
        "what": RATED,
        "value": rating.highest,
        "account": rating.handle,
        "url": rating.url,
        "service": rating.service,
        "contests": rating.contests,
        "reached_in": rating.reached_in,
        "reached_at": rating.reached_at,
    }
    return _record(workspace, payload, answers)


def last_account(workspace: Workspace | None, what: str) -> str | None:
    """The account that was named last, so that nobody types it twice."""
    if workspace is None or not workspace.has_record():
        return None
    with workspace.record() as ledger:
        for entry in ledger.entries(CONFIRM):
            payload = ledger.payload(entry)
            if payload.get("what") == what and payload.get("account"):
                return str(payload["account"])
    return None


def record_result(
    workspace: Workspace, result: GradeResult, files: Mapping[str, bytes], beside: Mapping[str, Any] | None = None
) -> Entry:
    """Record a verdict of the summit as an attempt, like any other grade; ``beside``: what it rests on."""
    payload = {**result.model_dump(mode="json"), **(beside or {})}
    with workspace.ledger() as ledger:
        return ledger.append(
            "attempt",
            payload,
            problem=result.problem,
            rung=result.rung,
            solved=result.solved,
            score=result.score,
            files=files,
            at=now(),
        )


def record_reproduction(workspace: Workspace, found: Reproduced) -> None:
    """Record both verdicts of a reproduction, with the claims, the numbers and the digests of the artefacts."""
    beside = {
        "claims": found.claims.model_dump(mode="json"),
        "measured": found.measured,
        "artefacts": dict(found.artefacts),
    }
    for result in filter(None, (found.core, found.paper)):
        record_result(workspace, result, found.files, beside)


def _record(
    workspace: Workspace, payload: Mapping[str, Any], answers: Mapping[str, bytes], problem: str | None = None
) -> Confirmation:
    files = {f"{_file_name(path)}.json": body for path, body in answers.items()}
    with workspace.ledger() as ledger:
        before = _same(ledger, payload)
        if before is not None:
            return _confirmation(before, payload, is_new=False)
        rung = "core" if problem else None
        entry = ledger.append(CONFIRM, payload, problem=problem, rung=rung, files=files, at=now())
    return _confirmation(entry, payload, is_new=True)


def _same(ledger: Ledger, payload: Mapping[str, Any]) -> Entry | None:
    """The entry that says the same already."""
    telling = ("what", "value", "url", "service")
    for entry in ledger.entries(CONFIRM):
        known = ledger.payload(entry)
        if all(known.get(key) == payload[key] for key in telling):
            return entry
    return None


def _confirmation(entry: Entry, payload: Mapping[str, Any], *, is_new: bool) -> Confirmation:
    return Confirmation(
        number=entry.id,
        what=payload["what"],
        value=payload["value"],
        account=payload["account"],
        url=payload["url"],
        service=payload["service"],
        at=entry.at,
        is_new=is_new,
    )


def _file_name(path: str) -> str:
    return "".join(one if one.isalnum() or one in "._" else "-" for one in path.strip("/"))
