"""``make demo``: the main job on real input, with nothing asked; every line below it is a real run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.content.packs import find_location

SOLVED, NOT_SOLVED = 0, 1


@dataclass(frozen=True)
class Scene:
    """One problem of the demonstration, and the wrong submission whose bug is to be named."""

    problem: str
    wrong: str


SCENES = (Scene("llm/bpe", "ties_by_bytes_ascending.py"), Scene("llm/attention", "missing_scale.py"))


def main() -> int:
    """Play the scenes in a temporary workspace; return 0 if every verdict was the due one."""
    with tempfile.TemporaryDirectory(prefix="deepfield-demo-") as root:
        workspace = Path(root)
        for scene in SCENES:
            _deepfield(workspace, "start", scene.problem, due=0)
        verdicts = [_play(workspace, scene) for scene in SCENES]
        _deepfield(workspace, "status", due=0)
    if not all(verdicts):
        print("\nA verdict was not the due one: see above.", file=sys.stderr)
        return 1
    print("\nEvery verdict above was the due one. Your turn: deepfield start llm/attention")
    return 0


def _play(workspace: Path, scene: Scene) -> bool:
    location = find_location(scene.problem)
    entry = workspace / scene.problem / location.load().entry
    _say(f"{scene.problem}: the untouched stub earns nothing")
    kept = _deepfield(workspace, "grade", scene.problem, due=NOT_SOLVED)
    _say(f"{scene.problem}: a wrong submission ({scene.wrong}) is told the name of its bug")
    entry.write_bytes((location.grader / "wrong" / scene.wrong).read_bytes())
    kept = _deepfield(workspace, "grade", scene.problem, due=NOT_SOLVED) and kept
    _say(f"{scene.problem}: the shipped solution passes")
    entry.write_bytes(location.solutions()[0].read_bytes())
    return _deepfield(workspace, "grade", scene.problem, due=SOLVED) and kept


def _say(text: str) -> None:
    print(f"\n── {text} ".ljust(78, "─"), flush=True)


def _deepfield(workspace: Path, *arguments: str, due: int) -> bool:
    print(f"\n$ deepfield {' '.join(arguments)}", flush=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DEEPFIELD_")}
    command = [sys.executable, "-m", "deepfield_cli", *arguments]
    return subprocess.run(command, cwd=workspace, env=environment).returncode == due


if __name__ == "__main__":
    sys.exit(main())
