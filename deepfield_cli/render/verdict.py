"""A grade in words: what failed and why, what to do next, and on what the verdict rests."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deepfield_cli.grading.result import CheckResult, GradeResult
from deepfield_cli.render.console import foreign
from deepfield_cli.render.live import mark

# Beyond this many failures the first ones are what to work on.
_DETAILED_FAILURES = 3
_OUTPUT_LINES = 8
_INDENT = 4


def show_checks(console: Console, checks: Sequence[CheckResult]) -> None:
    """One line for each check: its sign, its name, and the diagnosis if there is one."""
    for check in checks:
        line = mark(console, check.outcome)
        line.pad_left(2)
        line.append(f" {check.name}", "quiet" if check.outcome == "skipped" else "")
        if check.cause is not None and check.cause.diagnosis:
            line.append("  ").append_text(foreign(check.cause.diagnosis, "bad"))
        console.print(line)


def show_verdict(console: Console, result: GradeResult, *, folder: str) -> None:
    """Print the causes of what failed, the verdict, and what it was given for."""
    failed = [check for check in result.checks if check.outcome in ("failed", "errored")]
    detailed = _telling(failed)
    for check in detailed:
        console.print()
        _show_failure(console, result, check)
    if len(failed) > len(detailed):
        names = ", ".join(check.name for check in failed if check not in detailed)
        console.print()
        console.print(f"  and {len(failed) - len(detailed)} more: {names}", style="quiet")
    for note in result.notes if failed else ():
        console.print(Padding(foreign(f"note: {note}", "quiet"), (0, 0, 0, 2), expand=False))
    console.print()
    console.print(_headline(console, result))
    console.print(foreign(_foundation(result, folder), "quiet"))


def _telling(failed: Sequence[CheckResult]) -> list[CheckResult]:
    """The failures that say something new: one for each diagnosis, and those without one."""
    seen: set[str] = set()
    telling = []
    for check in failed:
        diagnosis = check.cause.diagnosis if check.cause is not None else None
        if diagnosis is None or diagnosis not in seen:
            telling.append(check)
        seen.add(diagnosis or "")
    return telling[:_DETAILED_FAILURES]


def _show_failure(console: Console, result: GradeResult, check: CheckResult) -> None:
    cause = check.cause
    if cause is None:
        return
    head = Text("  ").append_text(mark(console, check.outcome)).append(f" {check.name}", "strong")
    if cause.diagnosis:
        head.append("  ").append_text(foreign(cause.diagnosis, "bad"))
    console.print(head)
    _block(console, check.description, "quiet")
    _block(console, cause.rationale, "")
    if cause.expected is not None:
        _labelled(console, "expected", cause.expected, "good")
    if cause.actual is not None:
        _labelled(console, "got" if cause.expected is not None else "where", cause.actual, "bad")
    if cause.help:
        _labelled(console, "try", cause.help, "accent")
    if check.output.strip():
        lines = check.output.strip().splitlines()
        _labelled(console, "printed", "\n".join(lines[-_OUTPUT_LINES:]), "quiet")
    if check.outcome == "failed":
        _labelled(console, "hint", f"deepfield hint {result.problem}", "quiet")
        _labelled(console, "repro", f"deepfield repro {result.problem} --check {check.name}", "quiet")


def _block(console: Console, text: str, style: str) -> None:
    console.print(Padding(foreign(text, style), (0, 0, 0, _INDENT), expand=False))


def _labelled(console: Console, label: str, text: str, style: str) -> None:
    row = Table.grid(padding=0)
    row.add_column(width=9)
    row.add_column(overflow="fold")
    row.add_row(Text(label, style), foreign(text))
    console.print(Padding(row, (0, 0, 0, _INDENT), expand=False))


def _headline(console: Console, result: GradeResult) -> Text:
    counts = {
        outcome: sum(check.outcome == outcome for check in result.checks) for outcome in ("passed", "failed", "skipped")
    }
    tally = f"{counts['passed']} of {len(result.checks)} checks passed"
    if counts["skipped"]:
        tally += f", {counts['skipped']} skipped"
    if result.score is None:
        return Text.assemble(("! no verdict", "warn"), f"  a check of ours broke: nothing is counted  ({tally})")
    if result.partial:
        return Text.assemble(("partial run", "accent"), f"  {tally}; run deepfield grade without --only for a verdict")
    sign = mark(console, "passed" if result.solved else "failed")
    word = (f" solved: {result.problem} {result.rung}", "good") if result.solved else (" not solved yet", "bad")
    score = f"  {result.points}/{result.points_possible} points"
    return Text.assemble(sign, word, f"  {tally}", (score, "quiet"))


def _foundation(result: GradeResult, folder: str) -> str:
    code_first = sorted(result.submission_files, key=lambda name: not name.endswith(".py"))
    files = ", ".join(code_first[:3]) + (", …" if len(code_first) > 3 else "")
    return (
        f"graded {folder}: {files} (sha256 {result.submission_digest[:12]}), seed {result.seed}, "
        f"isolation {result.isolation}, {result.seconds:.2f} s"
    )
