"""Attestations: the learner's word for what no grader can see, held against a rubric and tied to a file or a link."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepfield_cli.content.milestone import Rubric
from deepfield_cli.content.road import open_roadmap
from deepfield_cli.errors import ContentError, DeepfieldError, near_miss
from deepfield_cli.journey.clock import now
from deepfield_cli.journey.counts import ATTEST
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry, Ledger

# What is handed in as a file is kept in the record: room for scans and slides. A film is shown by its link.
LARGEST_FILE_BYTES = 32 << 20
_LINK = re.compile(r"https?://[^\s/]+\.[^\s]+")


class NotEnough(DeepfieldError):
    """The rubric's questions were answered honestly, and the answers are not enough."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is handed in.

    Attributes:
        file: a file of the learner's; it is kept in the record.
        link: an address.
        count: how many things it holds, where the rubric counts.
        note: anything worth saying.

    """

    file: Path | None = None
    link: str | None = None
    count: int = 1
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Attestation:
    """One attestation on the record; never shown as anything else.

    Attributes:
        number: its entry in the record.
        rubric: what it was held against.
        at: when, UTC.
        count: how many things it holds.
        yes: the questions answered with yes.
        no: the questions answered with no.
        file: name of the file.
        sha256: the file's digest.
        size: the file's size in bytes.
        link: the address.
        note: the learner's note.
        kept: whether the record holds the file itself; older ones hold only its digest.

    """

    number: int
    rubric: str
    at: str
    count: int
    yes: tuple[str, ...]
    no: tuple[str, ...]
    file: str | None
    sha256: str | None
    size: int | None
    link: str | None
    note: str | None
    kept: bool = False


def find_rubric(thing: str) -> Rubric:
    """The rubric of this id, or the only one that an item of the road asks for; raise ContentError otherwise."""
    from deepfield_cli.content.evidence import Attested, leaves

    roadmap = open_roadmap()
    if thing in roadmap.rubrics:
        return roadmap.rubrics[thing]
    milestones = {**roadmap.projects, **roadmap.arena, **roadmap.signals}
    if thing not in milestones:
        hint = near_miss(thing, [*roadmap.rubrics, *milestones])
        raise ContentError(f'nothing called "{thing}" is attested', fix=hint or "deepfield attest lists what can be")
    wanted = dict.fromkeys(leaf.attested for leaf in leaves(milestones[thing].evidence) if isinstance(leaf, Attested))
    if len(wanted) == 1:
        return roadmap.rubrics[next(iter(wanted))]
    if not wanted:
        raise ContentError(f"{thing} is derived from what was graded; nothing of it is attested")
    raise ContentError(f"{thing} asks for several attestations", fix=f"one of {', '.join(wanted)}")


def attest(workspace: Workspace, rubric: Rubric, answers: Mapping[str, bool], evidence: Evidence) -> Attestation:
    """Record an attestation.

    Raises:
        DeepfieldError: something is missing: an answer, the file or the link.
        NotEnough: the answers do not meet the rubric; nothing is recorded.

    """
    _require_answers(rubric, answers)
    _require_evidence(rubric, evidence)
    yes = tuple(criterion.id for criterion in rubric.criteria if answers[criterion.id])
    missing = [one.ask for one in rubric.criteria if one.essential and one.id not in yes]
    if missing:
        raise NotEnough(f"not attested: {missing[0]}", fix="without this one nothing is attested")
    if len(yes) < rubric.enough:
        raise NotEnough(f"not attested: {len(yes)} of the {rubric.enough} that are enough", fix="come back when it is")
    content = _content(evidence.file)
    payload = {
        "rubric": rubric.id,
        "count": evidence.count,
        "answers": {criterion.id: answers[criterion.id] for criterion in rubric.criteria},
        "link": evidence.link,
        "note": evidence.note,
        **_digest(evidence.file, content),
    }
    files = None if evidence.file is None else {evidence.file.name: content}
    with workspace.ledger() as ledger:
        return _attestation(ledger, ledger.append(ATTEST, payload, files=files, at=now()))


def read_attestations(workspace: Workspace | None, rubric: str | None = None) -> list[Attestation]:
    """What was attested, the oldest first."""
    if workspace is None or not workspace.has_record():
        return []
    with workspace.record() as ledger:
        found = [_attestation(ledger, entry) for entry in ledger.entries(ATTEST, newest_first=False)]
    return [one for one in found if rubric in (None, one.rubric)]


def read_rubric_answers(path: Path, rubric: Rubric) -> dict[str, bool]:
    """Answers from a YAML or JSON file, question id to true or false."""
    from deepfield_cli.content.strict_yaml import load_yaml

    document = load_yaml(path)
    known = [criterion.id for criterion in rubric.criteria]
    if not isinstance(document, Mapping):
        raise ContentError("the file holds no answers", where=str(path), fix=f"lines such as {known[0]}: true")
    for name, value in document.items():
        if name not in known:
            hint = near_miss(str(name), known) or f"one of {', '.join(known)}"
            raise ContentError(f'rubric "{rubric.id}" has no question "{name}"', where=str(path), fix=hint)
        if not isinstance(value, bool):
            raise ContentError(f"{name}: is neither true nor false", where=str(path), fix="write true or false")
    return {str(name): bool(value) for name, value in document.items()}


def _require_answers(rubric: Rubric, answers: Mapping[str, bool]) -> None:
    open_ones = [criterion.id for criterion in rubric.criteria if criterion.id not in answers]
    if open_ones:
        fix = "answer them in a file: deepfield attest … --answers FILE"
        raise DeepfieldError(f"{rubric.id}: not answered: {', '.join(open_ones)}", fix=fix)


def _require_evidence(rubric: Rubric, evidence: Evidence) -> None:
    if evidence.link is not None and not _LINK.fullmatch(evidence.link):
        raise DeepfieldError(f'--link: "{evidence.link}" is no address', fix="it begins with https://")
    allowed = {"file": evidence.file, "link": evidence.link, "file-or-link": evidence.file or evidence.link}
    if allowed[rubric.attach] is None:
        option = {"file": "--file", "link": "--link", "file-or-link": "--file or --link"}[rubric.attach]
        raise DeepfieldError(f"{rubric.id}: {option} is missing", fix=rubric.hand_in)
    if evidence.count < 1:
        raise DeepfieldError(f"--count: {evidence.count} is not 1 or more")
    if evidence.count != 1 and not rubric.counted:
        raise DeepfieldError(f"--count: {rubric.id} is attested one at a time", fix="leave it out")


def _content(path: Path | None) -> bytes:
    """What the file holds; raise DeepfieldError if that is nothing, or more than a record keeps."""
    if path is None:
        return b""
    try:
        with path.expanduser().open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise DeepfieldError(f"cannot be read: {error.strerror}", where=str(path), fix="check the path") from error
    if not content:
        raise DeepfieldError("the file is empty", where=str(path))
    if len(content) > LARGEST_FILE_BYTES:
        fix = "hand in a smaller one, or put it online and give --link"
        raise DeepfieldError(f"larger than the {LARGEST_FILE_BYTES >> 20} MB that are kept", where=str(path), fix=fix)
    return content


def _digest(path: Path | None, content: bytes) -> dict[str, Any]:
    if path is None:
        return {"file": None, "sha256": None, "size": None}
    return {"file": path.name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _attestation(ledger: Ledger, entry: Entry) -> Attestation:
    payload = ledger.payload(entry)
    answers: Mapping[str, bool] = payload["answers"]
    return Attestation(
        number=entry.id,
        rubric=payload["rubric"],
        at=entry.at,
        count=payload["count"],
        yes=tuple(name for name, answer in answers.items() if answer),
        no=tuple(name for name, answer in answers.items() if not answer),
        file=payload["file"],
        sha256=payload["sha256"],
        size=payload["size"],
        link=payload["link"],
        note=payload["note"],
        kept=entry.files_digest is not None,
    )
