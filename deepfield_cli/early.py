"""A head start: the warm process begins to import torch before this one has read its own command line.

Only a guess is made here, from the arguments and the current folder; nothing depends on its being right. What is
imported is kept to the minimum, since every millisecond spent before the start is one that nothing runs beside.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

    # modules, the environment they are imported in, and the process
    Started = tuple[list[str], dict[str, str], tuple[int, socket.socket]]

_started: list[Started] = []
_PRELOAD = re.compile(r"^preload:\s*\[([\w., ]*)\]", re.MULTILINE)
_ENVIRONMENT = re.compile(r"^environment:\s*\{([^}]*)\}", re.MULTILINE)
_SETTING = re.compile(r"([A-Z][A-Z0-9_]*):\s*\"?([^\",]*)\"?")
# With --detach another process grades, and that one has no head start: nobody waits for it.
_OPTIONS_WITHOUT_GRADE = ("-h", "--help", "--all", "--detach", "--detached")


def head_start(arguments: list[str]) -> None:
    """Start the warm process for the problem that ``grade`` or ``watch`` is most likely about."""
    if not arguments or arguments[0] not in ("grade", "watch") or any(o in arguments for o in _OPTIONS_WITHOUT_GRADE):
        return
    recipe = _recipe_of(_likely_problem(arguments[1:]))
    if recipe is not None:
        from deepfield_cli.sandbox.spawning import spawn_zygote

        _started.append((*recipe, spawn_zygote(*recipe)))


def take() -> list[Started]:
    """The processes that were started early, with what they import; the caller owns them from now on."""
    taken = list(_started)
    _started.clear()
    return taken


def end_unused() -> None:
    """End what was started early and never taken: the command came to nothing before it could grade."""
    for _, _, (process, control) in take():
        control.close()
        os.kill(process, 9)  # the signal module would be one more import for every command
        os.waitpid(process, 0)


def _likely_problem(arguments: list[str]) -> str:
    words = [argument.rstrip("/") for argument in arguments if not argument.startswith("-")]
    named = [word for word in words if word.count("/") == 1]
    return named[0] if named else "/".join(_current_folder().split(os.sep)[-2:])


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was deleted: the command itself will say so
        return ""


def _recipe_of(problem_id: str) -> tuple[list[str], dict[str, str]] | None:
    package = os.path.dirname(os.path.abspath(__file__))
    for root in (os.path.join(package, "_pack"), os.path.dirname(package)):
        try:
            with open(os.path.join(root, "problems", problem_id, "problem.yaml"), encoding="utf-8") as declaration:
                text = declaration.read()
        except OSError:
            continue
        found, settings = _PRELOAD.search(text), _ENVIRONMENT.search(text)
        names = [name.strip() for name in found.group(1).split(",") if name.strip()] if found else None
        return None if names is None else (names, dict(_SETTING.findall(settings.group(1))) if settings else {})
    return None
