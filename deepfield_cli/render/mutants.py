"""What became of the mutants of a solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from deepfield_cli.render.console import foreign

if TYPE_CHECKING:
    from deepfield_cli.authoring.mutation_report import MutantRow, MutationReport


def show_mutation(console: Console, report: MutationReport) -> None:
    """Print each survivor as a small diff, stale notes, and one line with the numbers."""
    for row in report.of_fate("survived"):
        _print_survivor(row, console)
    for row in report.of_fate("broke the suite"):
        _print(console, f"{row.solution} {row.mutant}", "bad")
        _print(console, f"  {row.by} breaks: {row.how}", "bad")
    for finding in report.stale:
        _print(console, str(finding), "bad")
    if report.unexplained:
        _print_entries(report, console)
    _print(console, _summary(report), "good" if report.green else "bad")


def _print_survivor(row: MutantRow, console: Console) -> None:
    _print(console, f"{row.solution} {row.mutant}", "strong" if row.reason else "bad")
    _print(console, f"  in {row.function}", "quiet")
    _print(console, f"  - {row.before}", "bad")
    _print(console, f"  + {row.after}", "good")
    _print(console, f"  explained: {row.reason}" if row.reason else "  not explained", "" if row.reason else "bad")


def _print_entries(report: MutationReport, console: Console) -> None:
    """What to paste into mutants.yaml, for those that are no mistakes."""
    from deepfield_cli.authoring.mutant_notes import as_yaml

    _print(console, "\nStrengthen the suite; or, if nobody could tell, add to mutants.yaml with a reason:", "")
    for row in report.unexplained:
        _print(console, as_yaml(row.mutant, row.solution), "quiet")
    _print(console, "", "")


def _summary(report: MutationReport) -> str:
    survived = report.of_fate("survived")
    explained = len(survived) - len(report.unexplained)
    tried = (
        f"{len(report.mutants)} mutants"
        if len(report.mutants) == report.possible
        else (f"{len(report.mutants)} of {report.possible} mutants")
    )
    parts = [
        f"{report.problem} {report.solution}: {tried}",
        f"{len(report.of_fate('killed'))} killed",
        f"{len(survived)} survived ({explained} explained)",
    ]
    broke = len(report.of_fate("broke the suite"))
    parts += [f"{broke} broke the suite"] if broke else []
    parts += [f"{len(report.stale)} stale entries"] if report.stale else []
    return ", ".join([*parts, f"{report.seconds:.1f} s"])


def _print(console: Console, text: str, style: str) -> None:
    console.print(foreign(text, style), soft_wrap=True)
