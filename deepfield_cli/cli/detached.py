"""``grade --detach``: the same command line in a session of its own."""

from __future__ import annotations

from pathlib import Path

from deepfield_cli.cli.shared import print_json
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.journey.detaching import detach
from deepfield_cli.journey.runs import run_folder
from deepfield_cli.journey.session import SHORT_RUNG, Wish
from deepfield_cli.journey.sitting import under_way
from deepfield_cli.journey.workspace import choose_problem, require_workspace


def grade_detached(problem: str | None, wish: Wish, junit: Path | None, *, as_json: bool) -> None:
    """Start it, and say so once its first check has begun; what keeps it from that is told as if it ran here."""
    workspace = require_workspace()
    location = choose_problem(workspace, problem)
    if wish.rung == SHORT_RUNG:
        raise DeepfieldError(f"--detach: {wish.rung} takes seconds", fix="name a --rung that takes longer")
    folder = run_folder(workspace, location.id, wish.rung)
    if folder.is_under_way():  # the process would say so itself, after its imports
        raise under_way(location.id, wish.rung)
    detach(folder, ["grade", location.id, *_options(wish, junit), "--detached"])
    if as_json:
        return print_json(
            {
                "schema_version": 1,
                "problem": location.id,
                "rung": wish.rung,
                "under_way": True,
                "log": str(folder.log),
            }
        )
    from deepfield_cli.render.attach import cost, show_detached
    from deepfield_cli.render.console import make_console

    return show_detached(make_console(), location.id, wish.rung, cost(location.load().rungs[wish.rung].seconds))


def _options(wish: Wish, junit: Path | None) -> list[str]:
    words = ["--rung", wish.rung]
    words += ["--seed", str(wish.seed)] if wish.seed is not None else []
    words += [word for name in wish.only for word in ("--only", name)]
    words += [word for name, path in wish.data.items() for word in ("--data", f"{name}={path.absolute()}")]
    words += ["--junit", str(junit.absolute())] if junit is not None else []
    words += [option for option, is_set in (("--resume", wish.resume), ("--fresh", wish.fresh)) if is_set]
    return words
