"""The gap log: what the paper says, what it took in reality, and what difference that made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from deepfield_cli.content.catalogue import read_catalogue
from deepfield_cli.errors import ContentError, DeepfieldError, near_miss
from deepfield_cli.journey.clock import day_of, now
from deepfield_cli.journey.counts import GAP
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import Entry, Ledger


@dataclass(frozen=True, slots=True)
class Gap:
    """One difference between a paper and the world.

    Attributes:
        number: its entry in the record.
        problem: the reproduction that it belongs to.
        at: when it was logged, UTC.
        paper: what the paper says.
        reality: what it took.
        effect: what difference it made, e.g. in the metric; None where nobody measured.

    """

    number: int
    problem: str
    at: str
    paper: str
    reality: str
    effect: str | None


def add_gap(workspace: Workspace, problem: str, paper: str, reality: str, effect: str | None = None) -> Gap:
    """Log a gap; raise DeepfieldError for an empty side or a problem that is not on the road."""
    require_problem(problem)
    for option, text in (("--paper", paper), ("--reality", reality)):
        if not text.strip():
            raise DeepfieldError(f"{option}: there is nothing in it", fix="a sentence is enough")
    payload = {"paper": paper.strip(), "reality": reality.strip(), "effect": effect.strip() if effect else None}
    with workspace.ledger() as ledger:
        return _gap(ledger, ledger.append(GAP, payload, problem=problem, at=now()))


def read_gaps(workspace: Workspace, problem: str | None = None) -> list[Gap]:
    """The log of one problem, or of all; the oldest first."""
    if problem is not None:
        require_problem(problem)
    with workspace.record() as ledger:
        return [_gap(ledger, entry) for entry in ledger.entries(GAP, problem, newest_first=False)]


def gaps_markdown(gaps: Sequence[Gap]) -> str:
    """The log as Markdown, problem by problem."""
    titles = {problem.id: problem.title for problem in read_catalogue().problems}
    lines = ["# Where the paper and the world differ"]
    for problem, members in groupby(sorted(gaps, key=lambda gap: gap.problem), key=lambda gap: gap.problem):
        lines += ["", f"## {titles.get(problem, problem)} (`{problem}`)", ""]
        lines += ["| day | the paper says | what it took | what it changed |", "|---|---|---|---|"]
        for gap in members:
            cells = (str(day_of(gap.at)), gap.paper, gap.reality, gap.effect or "not measured")
            lines.append(f"| {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines) + "\n"


def require_problem(problem: str) -> None:
    """Raise ContentError for what is no problem, graded or planned."""
    names = [one.id for one in read_catalogue().problems]
    if problem not in names:
        hint = near_miss(problem, names) or "deepfield list shows all of them"
        raise ContentError(f'there is no problem "{problem}"', fix=hint)


def _cell(text: str) -> str:
    """A text inside a Markdown table: one line, and no bar that would end the cell."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _gap(ledger: Ledger, entry: Entry) -> Gap:
    payload = ledger.payload(entry)
    return Gap(entry.id, entry.problem or "", entry.at, payload["paper"], payload["reality"], payload.get("effect"))
