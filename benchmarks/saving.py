"""Save to verdict: the time from writing the file to the verdict of a running watch, against ``import torch``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks.processes import Ratio, seconds_of
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.grading.grade import Grade
from deepfield_cli.journey.session import Listener, Session, Wish
from deepfield_cli.journey.watching import Watch
from deepfield_cli.journey.workspace import Workspace, choose_problem

IMPORT_TORCH = (sys.executable, "-c", "import torch")
BOUND = 0.15
_SETTLE_SECONDS = 1.0


class Stopwatch:
    """Hears the verdicts of a watch."""

    def __init__(self) -> None:
        self.heard = threading.Event()
        self.seconds: list[float] = []
        self.solved: list[bool] = []

    def begin(self, saved_at: float) -> Listener:
        return Listener()

    def verdict(self, outcome: Grade, seconds_since_save: float) -> None:
        self.seconds.append(seconds_since_save)
        self.solved.append(outcome.result.solved)
        self.heard.set()

    def overtaken(self) -> None:
        raise RuntimeError("no save overtakes another here")

    def problem(self, error: DeepfieldError) -> None:
        raise error


def measure(folder: Path, solution: Path, *, saves: int) -> Ratio:
    """Save a right submission again and again, each time a little different, beside a running watch."""
    subprocess.run(
        [sys.executable, "-m", "deepfield_cli", "start", "llm/attention"],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    workspace = Workspace(folder)
    entry = workspace.folder("llm/attention") / "attention.py"
    entry.write_bytes(solution.read_bytes())
    yardsticks = []
    with Session(workspace, choose_problem(workspace, "llm/attention"), Wish()) as session:
        stopwatch, stop = Stopwatch(), threading.Event()
        runner = threading.Thread(target=Watch(session, stopwatch, lambda outcome: None).run, args=(stop,))
        runner.start()
        _await(stopwatch)
        for number in range(saves):
            yardsticks.append(seconds_of(IMPORT_TORCH, folder))
            time.sleep(_SETTLE_SECONDS)  # a person types; the next workers are made ready meanwhile
            stopwatch.heard.clear()
            entry.write_bytes(solution.read_bytes() + f"# save {number}\n".encode())
            _await(stopwatch)
        stop.set()
        runner.join()
    if not all(stopwatch.solved):
        raise RuntimeError("the shipped solution was not accepted")
    ours, theirs = statistics.median(stopwatch.seconds[1:]), statistics.median(yardsticks)
    return Ratio(
        "save to verdict / import torch", ours / theirs, BOUND, f"{ours * 1000:.0f} ms of {theirs * 1000:.0f} ms"
    )


def _await(stopwatch: Stopwatch) -> None:
    if not stopwatch.heard.wait(timeout=120):
        raise RuntimeError("no verdict within two minutes")
