"""``python -m benchmarks.core_rungs``: how long each problem's whole core suite takes on its shipped solution."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import DEEPFIELD
from deepfield_cli.content.packs import ProblemLocation, find_location, problem_ids

# What a learner waits for, at most, on two cores.
BOUND_SECONDS = 60.0


@dataclass(frozen=True)
class CoreRung:
    """One grade: seconds of the command as a whole, and of its checks."""

    problem: str
    solved: bool
    checks: int
    command_seconds: float
    suite_seconds: float


def main() -> int:
    """Grade every shipped solution once, print a table in Markdown, and return 1 if one is over the bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.core_rungs", description=__doc__)
    parser.add_argument("problems", nargs="*", help="problem ids; all if none")
    wanted = parser.parse_args().problems or [name for name in problem_ids() if find_location(name).solutions()]
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"load average {os.getloadavg()[0]:.2f}\n")
    print("| problem | checks | suite | whole command | solved |\n|---|---|---|---|---|")
    held = True
    for name in wanted:
        rung = measure(find_location(name))
        cells = f"{rung.checks} | {rung.suite_seconds:.1f} s | {rung.command_seconds:.1f} s"
        print(f"| `{rung.problem}` | {cells} | {'yes' if rung.solved else 'NO'} |", flush=True)
        held = held and rung.solved and rung.command_seconds <= BOUND_SECONDS
    return 0 if held else 1


def measure(location: ProblemLocation) -> CoreRung:
    """Start the problem in a workspace of its own, lay the shipped solution in it, and grade it as a learner would."""
    with tempfile.TemporaryDirectory() as root:
        subprocess.run([*DEEPFIELD, "start", location.id], cwd=root, check=True, stdout=subprocess.DEVNULL)
        _lay_out(location, Path(root) / location.id)
        started = time.perf_counter()
        command = [*DEEPFIELD, "grade", location.id, "--json"]
        found = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        elapsed = time.perf_counter() - started
    result = json.loads(found.stdout)
    return CoreRung(location.id, result["solved"], len(result["checks"]), elapsed, result["seconds"])


def _lay_out(location: ProblemLocation, folder: Path) -> None:
    solution = location.solutions()[0]
    if solution.is_dir():
        shutil.copytree(solution, folder, dirs_exist_ok=True)
    else:
        shutil.copy(solution, folder / location.load().entry)


if __name__ == "__main__":
    sys.exit(main())
