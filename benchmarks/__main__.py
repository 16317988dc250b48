"""``make bench``: the figures of the README, measured here and now, each beside its yardstick."""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import ledger_scale, saving, wire
from benchmarks.processes import DEEPFIELD, Ratio, compare
from deepfield_cli.content.packs import find_location

IMPORT_TYPER = (sys.executable, "-c", "import typer, rich.table")
COLD_BOUND, STATUS_BOUND = 1.3, 2.5


def main() -> int:
    """Measure, print a table, and return 1 if a figure is out of its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="pairs of runs for each ratio")
    runs = parser.parse_args().runs
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"load average {os.getloadavg()[0]:.2f}; ratios within this run\n")
    kept = True
    for ratio in _measure(runs):
        mark = "ok  " if ratio.holds else "OVER"
        print(f"{mark} {ratio.name:<44} {ratio.value:6.2f}   bound {ratio.bound:<5} {ratio.detail}", flush=True)
        kept = kept and ratio.holds
    return 0 if kept else 1


def _measure(runs: int) -> Iterator[Ratio]:
    solution = find_location("llm/attention").solutions()[0]
    with tempfile.TemporaryDirectory() as root:
        cold = _workspace(Path(root, "cold"), solution)
        grade = (*DEEPFIELD, "grade", "llm/attention")
        yield compare("cold grade / import torch", grade, saving.IMPORT_TORCH, cold, runs=runs, bound=COLD_BOUND)
        yield _pytest_for_comparison(Path(root), runs)
        saves = Path(root, "saves")
        saves.mkdir()
        yield saving.measure(saves, solution, saves=runs)
        for attempts in (10_000, 100_000):
            full = _workspace(Path(root, f"full-{attempts}"), solution)
            ledger_scale.build(full / ".deepfield" / "progress.db", attempts)
            for command in ("status", "history"):
                name = f"{command}, {attempts:,} attempts / import typer"
                yield compare(name, (*DEEPFIELD, command), IMPORT_TYPER, full, runs=runs, bound=STATUS_BOUND)
    yield wire.measure(calls=1000)


def _workspace(folder: Path, solution: Path) -> Path:
    folder.mkdir()
    subprocess.run([*DEEPFIELD, "start", "llm/attention"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (folder / "llm" / "attention" / "attention.py").write_bytes(solution.read_bytes())
    return folder


def _pytest_for_comparison(root: Path, runs: int) -> Ratio:
    """What the usual way costs: pytest with a single test that uses torch."""
    folder = root / "pytest"
    folder.mkdir()
    (folder / "test_one.py").write_text("import torch\n\ndef test_one():\n    assert torch.ones(2).sum() == 2\n")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder))
    ratio = compare(
        "(pytest with one torch test / import torch)", command, saving.IMPORT_TORCH, folder, runs=runs, bound=0
    )
    return Ratio(ratio.name, ratio.value, float("inf"), ratio.detail)


if __name__ == "__main__":
    sys.exit(main())
