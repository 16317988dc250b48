"""What the summit's graders found: point by point, and what it amounts to as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document
from deepfield_cli.render.moments import local
from deepfield_cli.render.signs import dash, sign

if TYPE_CHECKING:
    from deepfield_cli.grading.result import CheckResult, GradeResult
    from deepfield_cli.journey.confirming import Confirmation
    from deepfield_cli.summit.codeforces import Rating
    from deepfield_cli.summit.merged import Examined
    from deepfield_cli.summit.reproduction import Reproduced

_WIDEST = 100
_INDENT = 4
_STATES = {"passed": "solved", "failed": "open", "skipped": "absent", "errored": "outdated"}


def show_examined(console: Console, found: Examined) -> None:
    """Print each point of a pull request, and what GitHub says about it."""
    request = found.request
    console.print(
        foreign(request.title, "strong").append_text(foreign(f"  {request.repository}#{request.number}", "quiet"))
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for point in found.points:
        words = foreign(point.words, "" if point.holds else "bad")
        if point.diagnosis:
            words = foreign(f"{point.diagnosis}  ", "bad").append_text(foreign(point.words))
        table.add_row(sign(console, "solved" if point.holds else "open"), Text(point.name), words)
    console.print(Padding(table, (0, 0, 0, 2), expand=False), width=min(console.width, _WIDEST))


def show_rating(console: Console, rating: Rating) -> None:
    """Print a rating, and when it was reached."""
    console.print(foreign(rating.handle, "strong").append_text(foreign(f"  {rating.url}", "quiet")), soft_wrap=True)
    when = f"{rating.reached_in}, {rating.reached_at[:10]}"
    console.print(
        foreign(f"  highest {rating.highest} ({when}); now {rating.current} after {rating.contests} contests")
    )


def show_confirmation(console: Console, one: Confirmation, service: str) -> None:
    """Say what went on the record, and who says so."""
    word = "confirmed" if one.is_new else f"confirmed already, on {local(one.at)}"
    console.print(Text(word, "accent").append_text(foreign(f"  {one.what}: {one.value}", "strong")))
    where = "" if one.service.startswith("https://") else f" (asked at {one.service})"
    words = f"{service} says so{where}; that {one.account} is you, you say."
    console.print(foreign(words, "quiet"), width=min(console.width, _WIDEST))


def confirmation_document(one: Confirmation | None, found: Any) -> dict[str, Any]:
    """What was found, and the confirmation if there is one, as JSON; its evidence is named."""
    confirmation = None if one is None else {**as_document(one), "evidence": "confirmed"}
    return {"schema_version": SCHEMA_VERSION, "found": as_document(found), "confirmation": confirmation}


def show_result(console: Console, result: GradeResult, where: str) -> None:
    """Print the checks of one rung, the causes of what failed, and the verdict."""
    console.print(foreign(result.problem, "strong").append_text(foreign(f"  {result.rung}", "quiet")))
    for check in result.checks:
        _show_check(console, check)
    for note in result.notes:
        console.print(Padding(foreign(f"note: {note}", "quiet"), (0, 0, 0, 2), expand=False))
    passed = sum(check.outcome == "passed" for check in result.checks)
    tally = f"{passed} of {len(result.checks)} checks passed"
    verdict = Text("verified  ", "good") if result.solved else Text("not yet  ", "bad")
    console.print(verdict.append(f"{result.problem} {result.rung}  ").append(tally, "quiet"))
    what = f"measured {where} (sha256 {result.submission_digest[:12]}), seed {result.seed}, "
    console.print(foreign(f"{what}isolation {result.isolation}, {result.seconds:.1f} s", "quiet"))


def reproduction_document(found: Reproduced) -> dict[str, Any]:
    """Both verdicts, and the numbers that they rest on, as JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "core": found.core.model_dump(mode="json"),
        "paper": found.paper.model_dump(mode="json") if found.paper else None,
        "claims": found.claims.model_dump(mode="json"),
        "measured": as_document(dict(found.measured)),
        "artefacts": dict(found.artefacts),
    }


def show_claims(console: Console, found: Reproduced) -> None:
    """Print the table: what the paper says, what was claimed, and what the artefacts give."""
    if not found.measured:
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_row(*(Text(word, "quiet") for word in ("claim", "paper", "claimed", "measured", "seeds")))
    for claim in found.claims.claims:
        values = list(found.measured.get(claim.id, {}).values())
        mean = f"{sum(values) / len(values):g}" if values else dash(console)
        spread = f" ± {claim.spread:g}" if claim.spread is not None else ""
        cells = (claim.id, f"{claim.published:g}{spread}", f"{claim.reached:g}", mean, str(len(claim.runs)))
        table.add_row(*map(foreign, cells))
    console.print(Padding(table, (0, 0, 0, 2), expand=False), width=min(console.width, _WIDEST))


def _show_check(console: Console, check: CheckResult) -> None:
    line = Text("  ").append_text(sign(console, _STATES[check.outcome])).append(f" {check.name}")
    cause = check.cause
    if cause is not None and cause.diagnosis:
        line.append("  ").append_text(foreign(cause.diagnosis, "bad"))
    if cause is None:
        console.print(line)
        return
    if check.outcome == "skipped":
        line.append_text(foreign(f"  {cause.rationale}", "quiet"))
    console.print(line, width=min(console.width, _WIDEST))
    if check.outcome == "skipped":
        return
    rows: Sequence[tuple[str, str | None, str]] = (
        ("expected", cause.expected, "good"),
        ("got", cause.actual, "bad"),
        ("try", cause.help, "accent"),
    )
    for words, shade in ((check.description, "quiet"), (cause.rationale, "")):
        console.print(
            Padding(foreign(words, shade), (0, 0, 0, _INDENT), expand=False), width=min(console.width, _WIDEST)
        )
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=9)
    table.add_column(overflow="fold")
    for label, text, style in rows:
        if text:
            table.add_row(Text(label, style), foreign(text))
    if not table.rows:
        return
    console.print(Padding(table, (0, 0, 0, _INDENT), expand=False), width=min(console.width, _WIDEST))
