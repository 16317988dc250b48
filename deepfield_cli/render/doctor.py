"""What the doctor found, area by area."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.doctor import Diagnosis
from deepfield_cli.journey.finding import Finding
from deepfield_cli.render.console import foreign
from deepfield_cli.render.plain import SCHEMA_VERSION, as_document
from deepfield_cli.render.signs import can_show_signs

_SIGNS = {"ok": "✓", "absent": "·", "warn": "!", "bad": "✗"}
_PLAIN_SIGNS = {"ok": "ok", "absent": "-", "warn": "!", "bad": "X"}
_STYLES = {"ok": "good", "absent": "quiet", "warn": "warn", "bad": "bad"}


def show_diagnosis(console: Console, diagnosis: Diagnosis) -> None:
    """Print every finding, with what to do below those that need it."""
    width = max(len(finding.name) for finding in diagnosis.findings)
    for area, findings in groupby(diagnosis.findings, key=lambda finding: finding.area):
        console.print(Text(area, "strong"))
        console.print(_table(console, list(findings), width))
        console.print()
    console.print(_summary(diagnosis))


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """Every finding as JSON."""
    return {"schema_version": SCHEMA_VERSION, "ok": diagnosis.exit_code == 0, **as_document(diagnosis)}


def _table(console: Console, findings: list[Finding], width: int) -> Table:
    signs = _SIGNS if can_show_signs(console) else _PLAIN_SIGNS
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=4, justify="right")
    table.add_column(width=width, no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        value = foreign(finding.value)
        if finding.advice:
            value.append("\n").append_text(foreign(finding.advice, "quiet" if finding.state == "absent" else "accent"))
        table.add_row(Text(signs[finding.state], _STYLES[finding.state]), foreign(finding.name), value)
    return table


def _summary(diagnosis: Diagnosis) -> Text:
    bad = [finding.name for finding in diagnosis.findings if finding.state == "bad"]
    weak = [finding.name for finding in diagnosis.findings if finding.state == "warn"]
    if bad:
        return foreign(f"Not in order: {', '.join(bad)}.", "bad")
    if weak:
        return foreign(f"Everything works; weaker than it could be: {', '.join(weak)}.", "warn")
    return Text("Everything is in order.", "good")
