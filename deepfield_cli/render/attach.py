"""What is said of a grade that runs on its own, and the picture of it in another terminal."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from rich.console import Console

from deepfield_cli.journey.run_events import Event
from deepfield_cli.journey.run_note import Ending
from deepfield_cli.render.console import foreign
from deepfield_cli.render.live import Finished, LiveChecks
from deepfield_cli.render.moments import ago
from deepfield_cli.render.training import duration


def cost(seconds: float, whole: float | None = None) -> str:
    """What a long grade may take, told before it does."""
    most, all_of_it = duration(seconds), duration(whole if whole is not None else seconds)
    return f"up to {most}" if most == all_of_it else f"up to {most} more of its {all_of_it}"


def show_event(live: LiveChecks, event: Event) -> None:
    """One thing that happened, some time ago, in the other process."""
    ago = max(time.time() - event.at, 0.0)
    check = event.check or ""
    if event.event == "begin":
        live.begin(ago)
    elif event.event == "plan":
        live.plan(event.checks or ())
    elif event.event == "start":
        live.start(check, ago)
    elif event.event == "progress":
        live.progress(check, event.points or (), event.total, ago)
    elif event.event == "finish":
        live.finish(check, Finished(event.outcome or "errored", event.seconds or 0.0, event.diagnosis or ""))


def show_detached(console: Console, problem: str, rung: str, most: str) -> None:
    """It is on its way."""
    console.print(foreign(f"{problem} {rung} is under way by itself, {most}."))
    console.print("You may close this terminal: deepfield attach shows it, and its verdict later.", style="quiet")


def show_stopped(console: Console, problem: str, rung: str, resume: str | None) -> None:
    """It was ended from here."""
    console.print(foreign(f"The grade of {problem} {rung} was interrupted."))
    if resume is not None:
        show_kept(console, resume)


def show_over(console: Console, ending: Ending, ended_at: float) -> None:
    """Nothing is under way any more; how it ended follows."""
    when = ago(datetime.fromtimestamp(ended_at, UTC).isoformat())
    number = f", attempt {ending.entry}" if ending.entry is not None else ""
    console.print(foreign(f"{ending.problem} {ending.rung} ended {when}{number}", "quiet"))


def show_kept(console: Console, command: str) -> None:
    """No verdict, and what was trained is still there."""
    console.print(foreign(f"What was trained is kept: {command} goes on", "quiet"), soft_wrap=True)
