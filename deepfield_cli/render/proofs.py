"""Gap logs and attestations; what is attested is always called so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from deepfield_cli.content.milestone import Rubric
from deepfield_cli.journey.attesting import Attestation
from deepfield_cli.journey.gaps import Gap
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document
from deepfield_cli.render.moments import local

_WIDEST = 100


def show_gaps(console: Console, gaps: Sequence[Gap]) -> None:
    """Print the log."""
    if not gaps:
        console.print("No gaps yet. [accent]deepfield gap add PROBLEM[/] logs the first.")
    for gap in gaps:
        console.print(foreign(gap.problem, "strong").append(f"  {local(gap.at)}", "quiet"))
        for label, text in (("paper", gap.paper), ("reality", gap.reality), ("effect", gap.effect)):
            if text:
                line = Text(f"{label:<8}", "quiet").append_text(foreign(text))
                console.print(Padding(line, (0, 0, 0, 2)), width=min(console.width, _WIDEST))


def gaps_document(gaps: Sequence[Gap]) -> dict[str, Any]:
    """The log as JSON."""
    return {"schema_version": SCHEMA_VERSION, "gaps": as_document(list(gaps))}


def show_rubrics(console: Console, rubrics: Mapping[str, Rubric], attestations: Sequence[Attestation]) -> None:
    """Print what can be attested, and what was."""
    for rubric in rubrics.values():
        own = [one for one in attestations if one.rubric == rubric.id]
        count = sum(one.count for one in own)
        line = foreign(f"{rubric.id:<24}", "accent").append_text(foreign(rubric.title))
        console.print(line.append(f"  attested: {count}" if count else "", "warn"), width=min(console.width, _WIDEST))
        for one in own:
            console.print(Padding(_attestation(one), (0, 0, 0, 4)), width=min(console.width, _WIDEST))


def attestations_document(rubrics: Mapping[str, Rubric], attestations: Sequence[Attestation]) -> dict[str, Any]:
    """The same as JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "rubrics": [rubric.model_dump(mode="json") for rubric in rubrics.values()],
        "attestations": [attestation_document(one) for one in attestations],
    }


def attestation_document(one: Attestation) -> dict[str, Any]:
    """One attestation as JSON; its evidence is named, so that nobody takes it for a grade."""
    return {**as_document(one), "evidence": "attested"}


def show_attestation(console: Console, rubric: Rubric, one: Attestation) -> None:
    """Say what went on the record."""
    console.print(Text("attested  ", "warn").append_text(foreign(rubric.title, "strong")))
    console.print(Padding(_attestation(one), (0, 0, 0, 2)), width=min(console.width, _WIDEST))
    console.print("It is your word, and is always shown as that.", style="quiet")


def _attestation(one: Attestation) -> Text:
    line = Text(f"attested {local(one.at)}", "warn")
    line.append(f", {one.count}" if one.count > 1 else "")
    if one.file:
        line.append_text(foreign(f"  {one.file} (sha256 {(one.sha256 or '')[:12]})", "quiet"))
    if one.link:
        line.append_text(foreign(f"  {one.link}", "quiet"))
    return line.append_text(foreign(f"  {one.note}" if one.note else ""))
