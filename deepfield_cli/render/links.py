"""What became of the links: those that need a hand, and a count of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document
from deepfield_cli.summit.link_check import LinkReport

_STYLES = {"dead": "bad", "moved": "warn", "refused": "quiet", "unreachable": "warn", "alive": "good"}
_ORDER = ("dead", "moved", "unreachable", "refused", "alive")
_EXPLAINED = {
    "dead": "gone: replace it, or mark it so",
    "moved": "moved for good: write the new address down",
    "unreachable": "no answer this time: ask again before you believe it",
    "refused": "answers, but not to programs: look with a browser",
}


def show_links(console: Console, reports: Sequence[LinkReport]) -> None:
    """Print every link that is not plainly alive, worst first, then the count."""
    for state in _ORDER[:-1]:
        members = [report for report in reports if report.state == state]
        if members:
            console.print(Text(state, _STYLES[state]).append(f"  {_EXPLAINED[state]}", "quiet"))
        for report in members:
            _show_link(console, report)
    counts = _counts(reports)
    tally = ", ".join(f"{counts[state]} {state}" for state in reversed(_ORDER) if counts[state])
    console.print(f"{len(reports)} links: {tally}")


def links_document(reports: Sequence[LinkReport]) -> dict[str, Any]:
    """The same as JSON, with every link and when it was last looked at."""
    rows = []
    for report in reports:
        row = as_document(report)
        rows.append({**row.pop("link"), **row})
    return {"schema_version": SCHEMA_VERSION, "counts": _counts(reports), "links": rows}


def _show_link(console: Console, report: LinkReport) -> None:
    # addresses are printed whole, so that the terminal can follow them
    console.print(foreign(f"  {report.link.url}"), soft_wrap=True)
    if report.now_at:
        console.print(foreign(f"    now {report.now_at}", "accent"), soft_wrap=True)
    days = sorted({str(source.checked) for source in report.link.sources if source.checked})
    looked = f", last looked at {days[-1]}" if days else ""
    words = "" if report.state == "moved" else f"; {report.words}"
    console.print(foreign(f"    {', '.join(report.link.ids)}{looked}{words}", "quiet"), soft_wrap=True)


def _counts(reports: Sequence[LinkReport]) -> dict[str, int]:
    found = Counter(str(report.state) for report in reports)
    return {state: found[state] for state in ("alive", "moved", "dead", "refused", "unreachable")}
