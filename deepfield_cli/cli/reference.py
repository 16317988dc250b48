"""Writes docs/commands.md from the application itself: ``python -m deepfield_cli.cli.reference``.

What each command takes is asked of the parser, so that the page cannot say anything else. Only exit codes that differ
from the usual ones are told here, since no parser knows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "commands.md"
# What a code means where it is not the usual; see _HEAD.
_CODES = {
    "grade": "0 solved · 1 not solved · 2 cannot be graded · 3 a fault of the grader or the sandbox",
    "attach": "those of the grade at its end · 2 none is under way, or it ended without a verdict · 130 it goes on",
    "verify": "0 the record holds · 1 something disagrees",
    "doctor": "0 nothing is wrong · 1 something is",
    "search": "0 found · 1 nothing found",
    "attest": "0 recorded · 1 the answers are not enough, nothing recorded · 2 something is missing",
    "data where": "0 it is here · 1 it is not · 2 there is no such dataset",
    "data verify": "0 every file is as it came · 1 something has changed",
    "confirm pr": "0 confirmed · 1 GitHub answers, and it is not what is asked for · 2 GitHub could not be asked",
    "confirm codeforces": "0 confirmed · 1 there is no rating yet · 2 Codeforces could not be asked",
    "confirm reproduction": "0 both rungs hold · 1 something does not · 2 cannot be measured · 3 a sandbox fault",
    "confirm blog": "0 everything holds · 1 something does not · 2 cannot be graded, or no network for its links",
    "dev links": "0 none is dead · 1 some are · 2 no network",
    "commit": "0 committed · 2 refused, with the rule and the date",
}
_HEAD = """# Commands

Made from the program by `python -m deepfield_cli.cli.reference`; a test holds the two together.

Every command takes `-h` or `--help`. Exit codes, where nothing else is said: 0 done · 2 it cannot be done, and one line
on standard error says what, where and what to do · 3 a bug or a fault of deepfield · 130 interrupted. With `--json` a
command prints one JSON document on standard output and nothing else.

| variable | what it does |
|---|---|
| `DEEPFIELD_WORKSPACE` | the workspace, wherever you stand |
| `DEEPFIELD_PACKS` | folders with more problems, separated as in `PATH` |
| `DEEPFIELD_CACHE` | where what can be computed again is kept |
| `DEEPFIELD_DATA` | where datasets are kept; else `data` in the cache folder |
| `DEEPFIELD_NOW` | sets the clock of the journey, for tests: an ISO date and time, UTC unless it says otherwise |
| `DEEPFIELD_DEBUG` | shows the traceback of a bug |
| `GITHUB_TOKEN`, `GH_TOKEN` | sent to GitHub, and to nobody else, by `confirm pr`; not needed |
| `DEEPFIELD_GITHUB_API`, `DEEPFIELD_CODEFORCES_API` | where `confirm` asks instead, for tests; the record says where |
| `NO_COLOR`, `COLUMNS` | as everywhere |
"""


def commands_page() -> str:
    """The whole page."""
    from deepfield_cli.cli.app import make_app

    root = typer.main.get_command(make_app())
    return _HEAD + "".join(_section(name, command) for name, command in _walk(root, ""))


def _walk(group: Any, before: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its full name, in the order of --help; hidden ones are left out."""
    for name, command in group.commands.items():
        if command.hidden:
            continue
        full = f"{before}{name}"
        if hasattr(command, "commands"):
            yield from _walk(command, f"{full} ")
        else:
            yield full, command


def _section(name: str, command: Any) -> str:
    lines = ["", f"## deepfield {name}", "", _one_line(command.help)]
    rows = [_row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
    if rows:
        lines += ["", "| takes | what it is | default |", "|---|---|---|", *rows]
    code = _CODES.get(name)
    if code:
        lines += ["", f"Exit codes: {code}."]
    return "\n".join(lines) + "\n"


def _row(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts)) if is_option else ""
    value = "" if getattr(parameter, "is_flag", False) else f"`{_value(parameter, is_option=is_option)}`"
    repeats = " (repeatable)" if parameter.multiple or parameter.nargs == -1 else ""
    takes = " ".join(filter(None, (names, value))) + repeats
    return f"| {takes} | {_one_line(parameter.help)} | {_default(parameter)} |"


def _value(parameter: Any, *, is_option: bool) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    kind = parameter.type.name.lower()  # its spelling changes with the version of typer
    number = "N" if kind.startswith("int") else "NUMBER" if kind.startswith("float") else "TEXT"
    return number if is_option else str(parameter.name).upper()


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if isinstance(parameter.show_default, str):
        return str(parameter.show_default)
    if parameter.name == "jobs":
        return "the number of processors"  # the same page on every machine
    plain = parameter.default
    if plain is None or plain is False or plain == "" or callable(plain) or plain == []:
        return ""
    return f"`{plain}`"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(commands_page(), encoding="utf-8")
