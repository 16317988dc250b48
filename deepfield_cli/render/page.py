"""The page of one problem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deepfield_cli.content.problem import Problem, RungSpec
from deepfield_cli.journey.page import Page
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document, problem_document
from deepfield_cli.render.signs import dash, sign

_WIDEST = 100
_SHORT = 40
# What would spoil the problem: told one at a time, by `hint` and by the grader.
_UNTOLD = {"hints", "misconceptions"}


def show_page(console: Console, page: Page) -> None:
    """Print everything about a problem that is no secret."""
    problem = page.problem
    head = foreign(problem.title, "strong")
    console.print(head.append_text(foreign(f"  {problem.id} {dash(console)} {problem.difficulty}", "quiet")))
    _paragraph(console, problem.summary)
    _paragraph(console, problem.why, "quiet")
    _section(console, "rungs", [_rung_row(console, page, name, spec) for name, spec in problem.rungs.items()])
    _section(console, f"what you write in {problem.entry}", [(Text(), foreign(api.signature)) for api in problem.api])
    _section(console, "what is checked", _check_rows(page))
    _show_targets(console, problem)
    _section(console, "what may not be used", _rule_rows(problem))
    _section(console, "concepts", [(Text(), foreign(concept)) for concept in problem.concepts])
    _section(console, "solve before", [(Text(), foreign(need)) for need in problem.needs])
    _show_resources(console, problem)
    _section(console, "where you are", [(Text(), foreign(line)) for line in _standing(page)])


def page_document(page: Page) -> dict[str, Any]:
    """The page as JSON, without what would spoil the problem."""
    declared = page.problem.model_dump(mode="json", exclude=_UNTOLD)
    standing = problem_document(page.status)
    for name, spec in declared["rungs"].items():
        spec["progress"] = standing["rungs"][name]
    return {
        "schema_version": SCHEMA_VERSION,
        **declared,
        "field": page.problem.field,
        "hints": {"shown": page.status.hints_shown, "total": len(page.problem.hints)},
        "checks": as_document(page.checks),
        "without_checks": page.without_checks,
        **{name: standing[name] for name in ("attempts", "started", "gave_up")},
    }


def _paragraph(console: Console, text: str, style: str = "") -> None:
    console.print(foreign(text, style), width=min(console.width, _WIDEST))


def _section(console: Console, title: str, rows: list[tuple[Text, Text]]) -> None:
    if not rows:
        return
    _title(console, title, rows)
    table = Table.grid(padding=(0, 2, 0, 0))
    if any(first for first, _ in rows):
        table.add_column(max_width=30, overflow="fold")
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row[-len(table.columns) :])
    console.print(Padding(table, (0, 0, 0, 2), expand=False), width=min(console.width, _WIDEST))


def _rung_row(console: Console, page: Page, name: str, spec: RungSpec) -> tuple[Text, Text]:
    state = next(rung for rung in page.status.rungs if rung.rung == name)
    limits = [f"{spec.seconds:g} s", f"{spec.memory_mb:,} MB"]
    limits += ["a CUDA device"] if spec.gpu else []
    limits += ["the network"] if spec.network else []
    label = sign(console, state.state).append(f" {name}", "")
    words = foreign(", ".join(limits))
    if state.best_score is not None:
        words.append(f"  best {state.best_score:.0%} in {state.attempts} attempts", "quiet")
    for item in spec.data:
        words.append("\n--data ", "quiet").append_text(foreign(f"{item.name}=PATH"))
        words.append_text(foreign(f"  {item.description}", "quiet"))
    return label, words


def _check_rows(page: Page) -> list[tuple[Text, Text]]:
    if page.without_checks is not None:
        return [(Text(), foreign(page.without_checks, "warn"))]
    rows = []
    for check in page.checks:
        description = foreign(check.description)
        if len(page.problem.rungs) > 1 and check.rung != "core":
            description.append(f"  ({check.rung})", "quiet")
        rows.append((foreign(check.name), description))
    return rows


def _show_targets(console: Console, problem: Problem) -> None:
    _title(console, "what to reach", problem.targets)
    for target in problem.targets:
        bound = {"higher": "at least ", "lower": "at most ", "equal": ""}[target.direction]
        spread = f" ± {target.spread}" if target.spread is not None else ""
        unit = f" {target.unit}" if target.unit else ""
        proof = "" if target.verified else "; not verified: shown, never asked for"
        _item(console, f"{target.metric}: {bound}{target.value}{spread}{unit} ({target.rung}{proof})")
        _item(console, f"  {target.source}", "quiet")
        _address(console, target.url)


def _show_resources(console: Console, problem: Problem) -> None:
    _title(console, "to read", problem.resources)
    for resource in problem.resources:
        _item(console, f"{resource.title} ({resource.kind})")
        _address(console, resource.url)


def _title(console: Console, title: str, items: Sequence[object]) -> None:
    if items:
        console.print()
        console.print(Text(title, "strong"))


def _item(console: Console, text: str, style: str = "") -> None:
    console.print(Padding(foreign(text, style), (0, 0, 0, 2), expand=False), width=min(console.width, _WIDEST))


def _address(console: Console, url: str | None) -> None:
    """Never wrapped by us: a terminal can follow an address only in one piece."""
    if url:
        console.print(foreign(f"  {url}", "quiet"), soft_wrap=True)


def _rule_rows(problem: Problem) -> list[tuple[Text, Text]]:
    """Each reason once, with everything that it rules out."""
    names: dict[str, list[str]] = {}
    for rule in problem.forbidden:
        names.setdefault(rule.reason, []).append(rule.call or rule.module or "")
    return [(Text(), _rule(", ".join(named), reason)) for reason, named in names.items()]


def _rule(names: str, reason: str) -> Text:
    """A name and why; many names go below the reason, which is what matters."""
    if len(names) <= _SHORT:
        return foreign(names).append_text(foreign(f": {reason}", "quiet"))
    return foreign(reason).append("\n").append_text(foreign(names, "quiet"))


def _standing(page: Page) -> list[str]:
    status = page.status
    shown, total = status.hints_shown, len(page.problem.hints)
    lines = [f"{status.attempts} attempts, {shown} of {total} hints shown"]
    lines += ["the solution was shown"] if status.gave_up else []
    lines += [] if status.started else [f"deepfield start {page.problem.id} begins it"]
    return lines
