"""The home screen: where the learner stands, in one look."""

from __future__ import annotations

import os
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deepfield_cli.journey.past_attempt import PastAttempt
from deepfield_cli.journey.status import RUNGS, FieldStatus, ProblemStatus, Status
from deepfield_cli.render.console import foreign
from deepfield_cli.render.moments import ago
from deepfield_cli.render.signs import dash, legend, pointer, progress_bar, sign

WIDEST = 100
_NARROW = 64
# So many problems of a field fit into a rung's column as one sign each.
_SIGNS_IN_A_COLUMN = 6


def show_status(console: Console, status: Status, *, now: datetime | None = None, everything: bool = False) -> None:
    """Print the home screen: every stage, and the problems of the stage at hand, or of all."""
    console.print(_head(console, status))
    console.print()
    shown = {field.name for field in status.fields} if everything else {_field_at_hand(status)}
    table = make_problem_table(console)
    for field in status.fields:
        table.add_row(*_field_cells(console, field))
        for problem in field.problems if field.name in shown else ():
            table.add_row(*_problem_cells(console, problem, status.current))
    console.print(table)
    states = {rung.state for one in status.problems for rung in one.rungs}
    console.print()
    console.print(Text("  ").append_text(legend(console, states)))
    console.print()
    for label, line in _facts(console, status, now):
        _show_fact(console, label, line)


def make_problem_table(console: Console) -> Table:
    """The columns in which problems stand: pointer, id, title, one for each rung, tries."""
    table = Table.grid(padding=(0, 1), expand=True)
    table.width = min(console.width, WIDEST)
    table.add_column(width=1)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for _ in RUNGS:
        table.add_column(width=6, justify="center")
    table.add_column(width=5, justify="right")
    table.add_row("", "", "", *[Text(rung, "quiet") for rung in RUNGS], Text("tries", "quiet"))
    return table


def home_relative(path: object) -> str:
    """A path as people write it, with their home folder as a tilde."""
    text, home = str(path), os.path.expanduser("~")
    return f"~{text[len(home) :]}" if home != "/" and (text == home or text.startswith(home + os.sep)) else text


def _head(console: Console, status: Status) -> Table:
    solved = sum(field.solved for field in status.fields)
    tally = f"{solved} of {len(status.problems)} problems solved"
    head = Table.grid(expand=True)
    head.width = min(console.width, WIDEST)
    head.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    head.add_column(justify="right", no_wrap=True)
    place = Text("deepfield", "strong").append("  ").append_text(foreign(home_relative(status.root), "quiet"))
    head.add_row(place, Text(tally, "quiet"))
    return head


def _field_at_hand(status: Status) -> str:
    """The field of the problem at hand, else of the season, else the first."""
    wanted = [status.current.partition("/")[0]] if status.current else []
    wanted += [status.season.season.field] if status.season else []
    names = [field.name for field in status.fields]
    return next((name for name in [*wanted, *names] if name in names), "")


def _field_cells(console: Console, field: FieldStatus) -> list[Text]:
    title = field.title if console.width >= _NARROW else ""
    words = foreign(title)
    if field.surveyed:
        words.append("  surveyed", "good")
    rungs = [_rung_cell(console, field, place) for place in range(len(RUNGS))]
    return [Text(), foreign(field.name, "strong"), words, *rungs, Text()]


def _rung_cell(console: Console, field: FieldStatus, place: int) -> Text:
    """One sign for each problem that has this rung, or how many of how many where there are too many."""
    states = [one.rungs[place].state for one in field.problems if one.rungs[place].state != "absent"]
    if len(states) > _SIGNS_IN_A_COLUMN:
        return Text(f"{states.count('solved')}/{len(states)}", "quiet")
    return Text().join(sign(console, state) for state in states).append(" " * (_SIGNS_IN_A_COLUMN - 1 - len(states)))


def _problem_cells(console: Console, one: ProblemStatus, current: str | None) -> list[Text]:
    here = one.problem.id == current
    title = one.problem.title if console.width >= _NARROW else ""
    note = " (solution seen)" if one.gave_up else ""
    return [
        Text(pointer(console) if here else "", "accent"),
        foreign(one.problem.id, "accent" if here else ""),
        foreign(title, "quiet").append(note, "warn"),
        *[sign(console, rung.state) for rung in one.rungs],
        Text(str(one.attempts) if one.attempts else "", "quiet"),
    ]


def _facts(console: Console, status: Status, now: datetime | None) -> list[tuple[str, Text]]:
    facts = [("last", _last_line(console, status.last, now))] if status.last is not None else []
    if status.elsewhere:
        names = ", ".join(status.elsewhere[:3]) + (", …" if len(status.elsewhere) > 3 else "")
        facts.append(("also", foreign(f"attempts at {names}, which no pack holds now", "quiet")))
    facts += [("season", _season_line(console, status)), ("pace", _pace_line(console, status))]
    facts.append(("streak", _streak_line(status)))
    review = _review_line(console, status)
    if review:
        facts.append(("review", review))
    step = status.next_step
    facts.append(("next", foreign(step.command, "accent").append_text(foreign(f"  {step.reason}", "quiet"))))
    return facts


def _last_line(console: Console, last: PastAttempt, now: datetime | None) -> Text:
    line = foreign(f"{last.problem} {last.rung}  ")
    line.append("solved" if last.solved else "not solved", "good" if last.solved else "bad")
    line.append("" if last.score is None or last.solved else f", {last.score:.0%}")
    if last.check is not None and not last.solved:
        line.append(f" {dash(console)} ").append_text(foreign(last.diagnosis or last.check, "bad"))
    return line.append(f" {dash(console)} {ago(last.at, now)} {dash(console)} attempt {last.number}", "quiet")


def _season_line(console: Console, status: Status) -> Text:
    season = status.season
    if season is None:
        return Text("none yet: ", "quiet").append("deepfield pick-field", "accent").append(" finds your field", "quiet")
    line = foreign(season.season.field, "strong")
    if season.over:
        line.append(f"  over since {season.season.ends}: ", "good")
        return line.append("deepfield season", "accent")
    left = f"{season.weeks_left} week{'s' if season.weeks_left != 1 else ''} left"
    line.append(" ").append_text(progress_bar(console, season.week, season.season.weeks))
    line.append(f" week {season.week} of {season.season.weeks}").append(f" {dash(console)} {left}", "quiet")
    return line.append(f" {dash(console)} {season.reached} of {season.milestones} milestones", "quiet")


def _pace_line(console: Console, status: Status) -> Text:
    pace = status.pace
    if pace is None:
        command = "deepfield plan --hours-per-week 8"
        return Text("no plan yet: ", "quiet").append(command, "accent")
    if pace.due is None:
        done = pace.solved == pace.total
        return Text("everything planned is solved" if done else "all that can be graded yet is solved", "good")
    if pace.days < 0:
        days = f"{-pace.days} day{'s' if pace.days != -1 else ''} behind the plan"
        return Text(days, "warn").append(f" {dash(console)} {pace.due.problem} was due on {pace.due.end}", "quiet")
    words = f"{pace.days} day{'s' if pace.days != 1 else ''} ahead of the plan" if pace.days else "on time"
    return Text(words, "good").append(f" {dash(console)} {pace.due.problem} until {pace.due.end}", "quiet")


def _streak_line(status: Status) -> Text:
    streak = status.streak
    if streak.days == 0:
        return Text("begins with the next thing you do", "quiet")
    line = Text(f"{streak.days} day{'s' if streak.days != 1 else ''}", "strong" if streak.days > 1 else "")
    return line.append("" if streak.today else ", and today is still open", "quiet")


def _review_line(console: Console, status: Status) -> Text:
    """What was known once and has to be looked at again."""
    line = Text()
    if status.due_reviews:
        line.append(f"{status.due_reviews} due", "warn").append(": ", "quiet").append("deepfield review", "accent")
    if status.outdated:
        names = ", ".join(status.outdated[:2]) + (", …" if len(status.outdated) > 2 else "")
        line.append(f" {dash(console)} " if line else "", "quiet")
        line.append_text(foreign(f"{names}: the checks have changed since", "warn"))
    return line


def _show_fact(console: Console, label: str, line: Text) -> None:
    text = Text(f"  {label:<8}", "quiet").append_text(line)
    console.print(text, no_wrap=True, overflow="ellipsis", width=min(console.width, WIDEST))
