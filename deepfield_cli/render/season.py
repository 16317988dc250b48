"""The season: weeks as a strip, milestones with their days, slips, and what comes at its end."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.deeds import Deeds
from deepfield_cli.journey.season import Season
from deepfield_cli.journey.season_page import MilestoneStatus, SeasonPage
from deepfield_cli.render.console import foreign
from deepfield_cli.render.document import SCHEMA_VERSION, as_document
from deepfield_cli.render.signs import can_show_signs, dash

_WIDEST = 100
_SHADES, _PLAIN_SHADES = " ░▒▓█", ".1234"


def show_commitment(console: Console, season: Season, rule: str) -> None:
    """Say what was just promised."""
    console.print(Text("Your season of ").append(season.field, "strong").append(" has begun."))
    console.print(foreign(f"{season.started} to {season.ends}, {season.weeks} weeks.", "quiet"))
    console.print(foreign(rule, "quiet"), width=min(console.width, _WIDEST))
    console.print("Next: [accent]deepfield season[/] shows its weeks and milestones")


def show_season(console: Console, page: SeasonPage) -> None:
    """Print the season."""
    season = page.season
    week = f"week {season.week(page.today)} of {season.weeks}" if not page.over else "over"
    head = Text("season of ").append(season.field, "strong").append(f"  {week}", "good" if page.over else "accent")
    console.print(head.append(f"  {season.started} {dash(console)} {season.ends}", "quiet"))
    console.print()
    console.print(Text("  weeks  ", "quiet").append_text(_strip(console, page)))
    if page.quiet:
        weeks = ", ".join(map(str, page.quiet))
        console.print(Text("  slips  ", "quiet").append(f"no work on {season.field} in week {weeks}", "warn"))
    console.print()
    _show_milestones(console, page)
    deeds = page.deeds.get(season.field)
    if deeds is not None and not deeds.is_empty:
        console.print(Text("  since  ", "quiet").append_text(foreign(_in_words(deeds))))
    if page.over:
        console.print()
        console.print("The season is over: look at the evidence again, and choose freely.")
        console.print(f"Next: [accent]deepfield pick-field --since {season.started}[/]")


def season_page_document(page: SeasonPage) -> dict[str, Any]:
    """The season as JSON."""
    found = as_document(page)
    found["season"]["ends"] = page.season.ends.isoformat()
    found["worked"] = {str(week): days for week, days in page.worked.items()}
    return {"schema_version": SCHEMA_VERSION, "over": page.over, **found}


def _strip(console: Console, page: SeasonPage) -> Text:
    """One mark for each week: the more days with work, the fuller."""
    shades = _SHADES if can_show_signs(console) else _PLAIN_SHADES
    strip = Text()
    for week in range(1, page.season.weeks + 1):
        days = page.worked.get(week, 0)
        if week > page.season.week(page.today) and not page.over:
            strip.append("·" if can_show_signs(console) else "-", "quiet")
        elif days:
            strip.append(shades[min(days, len(shades) - 1)] * 1, "good")
        else:
            strip.append("_", "warn" if week in page.quiet else "accent")
    return strip.append(f"  days with work: {sum(page.worked.values())}", "quiet")


def _show_milestones(console: Console, page: SeasonPage) -> None:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    for milestone in page.milestones:
        text = foreign(milestone.text, "quiet" if milestone.reached else "")
        table.add_row(Text(str(milestone.number), "strong"), text, _standing(milestone))
    console.print(Padding(table, (0, 0, 0, 2)), width=min(console.width, _WIDEST))
    console.print()


def _standing(milestone: MilestoneStatus) -> Text:
    if milestone.reached is not None:
        late = f", {milestone.late} weeks late" if milestone.late else ""
        return Text(f"{milestone.reached}{late} (attested)", "good")
    if milestone.late:
        return Text(f"due {milestone.due}, slipped {milestone.late} weeks", "warn")
    return Text(f"due {milestone.due}", "quiet")


def _in_words(deeds: Deeds) -> str:
    ratings = list((deeds.ratings or {}).values())
    words = [f"{len(deeds.passes)} passed"]
    words += [f"enjoyed at {sum(ratings) / len(ratings):.1f} of 5"] if ratings else []
    words += [f"{len(deeds.given_up)} given up"] if deeds.given_up else []
    return ", ".join(words)
