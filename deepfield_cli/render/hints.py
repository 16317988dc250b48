"""What ``hint`` says."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding

from deepfield_cli.journey.hints import Hints, NamedMistake
from deepfield_cli.render.console import foreign

_WIDEST = 90


def show_hints(console: Console, hints: Hints, *, again: bool) -> None:
    """Print the mistake of the last attempt, the hints, and how many are left."""
    if hints.mistake is not None:
        _show_mistake(console, hints.mistake)
    for hint in hints.hints:
        console.print(f"[strong]hint {hint.number} of {hints.total}[/]  [quiet]{hints.problem}[/]")
        _block(console, hint.text)
        console.print()
    console.print(foreign(_outlook(hints, again=again), "quiet"), width=min(console.width, _WIDEST))


def _show_mistake(console: Console, mistake: NamedMistake) -> None:
    line = foreign(f"your last attempt ({mistake.attempt}): ").append_text(foreign(mistake.name, "bad"))
    console.print(line.append_text(foreign(f"  in {mistake.check}", "quiet")))
    _block(console, mistake.explanation)
    _block(console, mistake.help, "accent")
    console.print()


def _block(console: Console, text: str, style: str = "") -> None:
    console.print(Padding(foreign(text, style), (0, 0, 0, 2), expand=False), width=min(console.width, _WIDEST))


def _outlook(hints: Hints, *, again: bool) -> str:
    if again and not hints.hints:
        return f"No hint was shown yet: deepfield hint {hints.problem} shows the first of {hints.total}."
    rest = f"deepfield repro {hints.problem}, and deepfield solution {hints.problem} --give-up, which is recorded"
    if hints.remaining:
        return f"{hints.remaining} more where this came from. Shown hints are on the record; --again costs nothing."
    if hints.hints:
        return f"That was the last. What is left: {rest}."
    return f"All {hints.total} hints were shown; --again shows them. What is left: {rest}."
