"""What a long check leaves behind and tells on its way."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from deepfield_cli.grading.long_run import LongRun, Progress
from tests.grading.conftest import Bench, check

WRITES = """
import json, os

def square(number):
    with open('progress.jsonl', 'a') as file:
        for step in range(number):
            file.write(json.dumps({'step': step, 'loss': 1 / (step + 1)}) + '\\n')
    return os.getcwd()
"""


def lines(run: LongRun, *texts: bytes, ended: bool = True) -> None:
    with open(run.place / "progress.jsonl", "ab") as file:
        file.write(b"\n".join(texts) + (b"\n" if ended else b""))


def test_the_worker_stands_in_the_folder_and_its_steps_are_told(bench: Bench, tmp_path: Path) -> None:
    told: list[Progress] = []
    seen: dict[str, Any] = {}

    def trains(submission: Any, run: LongRun) -> dict[str, float]:
        """Trains."""
        with run.following("progress.jsonl", total=5):
            seen["cwd"] = submission.call("square", 5)
        seen["folder"], seen["resumed"] = run.folder, run.resumed
        return {"final": 0.5}

    for resumed in (False, True):
        run = bench.prepare(WRITES, keep=tmp_path / "keep", on_progress=told.append)
        (result,) = run.run([check(trains)])
        assert result.outcome == "passed", result.cause
        assert seen == {"cwd": str(tmp_path / "keep" / "trains"), "folder": seen["cwd"], "resumed": resumed}
        assert result.metrics == {**{f"loss@{step}": 1 / (step + 1) for step in range(5)}, "final": 0.5}
    assert told[4] == Progress("trains", 4, 5, {"loss": 0.2})


def test_a_failed_check_keeps_its_curve(bench: Bench, tmp_path: Path) -> None:
    def trains(submission: Any, run: LongRun) -> None:
        """Trains."""
        run.report(step=1, loss=3.0)
        submission.call("cube", 3)

    (result,) = bench.prepare(keep=tmp_path / "keep").run([check(trains)])
    assert (result.outcome, result.metrics) == ("failed", {"loss@1": 3.0})


def test_a_run_without_a_folder_is_the_graders_fault(bench: Bench) -> None:
    def trains(submission: Any, run: LongRun) -> None:
        """Trains."""
        submission.call("square", 3)

    (result,) = bench.prepare().run([check(trains)])
    assert result.outcome == "errored"


def test_what_is_no_progress_is_passed_over(tmp_path: Path) -> None:
    run = LongRun("trains", tmp_path)
    strange = [
        b"",
        b"{",
        b"[1]",
        b'{"loss": 1}',
        b'{"step": true, "loss": 1}',
        b'{"step": 1.5}',
        b"\xff\xfe",
        b"[" * 9999,
    ]
    values = {"step": 3, "loss": 2, "nan": float("nan"), "big": 10**400, "text": "x", "Bad Name": 1, "flag": True}
    with run.following("progress.jsonl"):
        lines(run, *strange, json.dumps(values).encode())
    assert run.metrics() == {"loss@3": 2.0}


def test_a_line_in_two_pieces_is_one(tmp_path: Path) -> None:
    told: list[int] = []
    run = LongRun("trains", tmp_path, on_progress=lambda progress: told.append(progress.step))
    with run.following("progress.jsonl"):
        lines(run, b'{"step": 1}', b'{"step"', ended=False)
        lines(run, b": 2}")
    assert told == [1, 2]


def test_a_long_curve_is_thinned_to_its_shape(tmp_path: Path) -> None:
    run = LongRun("trains", tmp_path)
    for step in range(5000):
        run.report(step=step, loss=float(step))
    kept = [int(name.partition("@")[2]) for name in run.metrics()]
    assert (kept[0], kept[-1], len(kept)) == (0, 4999, 120)
    assert max(after - before for before, after in itertools.pairwise(kept)) <= 43
