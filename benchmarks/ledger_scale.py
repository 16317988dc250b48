"""How the ledger's answers and its proof hold up with many attempts, as ratios that mean the same on any machine.

    python benchmarks/ledger_scale.py [--attempts 100000] [--folder FOLDER]

Every time is the median of several runs in this one call. `status` stands for a process that opens the ledger and reads
the progress and the last 20 entries, set against `python -c "import typer, rich.table"`.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deepfield_cli.ledger import Ledger

PROBLEMS = [f"{field}/problem-{number}" for field in ("llm", "vision", "rl", "recsys", "mlsys") for number in range(6)]
RUNGS = ["core", "core", "core", "laptop", "paper"]
CHECKS = ["shapes", "forward_matches", "backward_matches", "mask_is_causal", "keeps_its_inputs", "is_not_quadratic"]
BATCH = 2_000
START = datetime(2026, 1, 1, tzinfo=UTC)


def build(path: Path, attempts: int) -> float:
    """Fill a new ledger with attempts like real ones; returns the seconds per attempt."""
    rng = random.Random(attempts)
    begin = time.perf_counter()
    with Ledger.open(path) as ledger:
        for first in range(0, attempts, BATCH):
            with ledger.batch():
                for number in range(first, min(first + BATCH, attempts)):
                    append_attempt(ledger, rng, number)
    return (time.perf_counter() - begin) / attempts


def append_attempt(ledger: Ledger, rng: random.Random, number: int) -> None:
    passed = rng.randint(0, len(CHECKS))
    checks = [
        {"name": name, "outcome": "passed" if index < passed else "failed", "seconds": rng.random(), "cause": None}
        for index, name in enumerate(CHECKS)
    ]
    source = f"# try {number // 3}\n" + "def attention_forward(x, w_qkv):\n    raise NotImplementedError\n" * 10
    ledger.append(
        "attempt",
        {"schema_version": 1, "seed": rng.getrandbits(64), "checks": checks},
        problem=rng.choice(PROBLEMS),
        rung=rng.choice(RUNGS),
        solved=passed == len(CHECKS),
        score=passed / len(CHECKS),
        files={"attention.py": source.encode()},
        at=START + timedelta(minutes=5 * number),
    )


def median_seconds(action: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def process_seconds(code: str) -> float:
    return median_seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True), 7)


def measure(path: Path) -> dict[str, float]:
    """Milliseconds of each answer, every one on a ledger opened afresh."""

    def fresh(ask: Callable[[Ledger], object]) -> float:
        def run() -> None:
            with Ledger.open(path, write=False) as ledger:
                ask(ledger)

        return 1000 * median_seconds(run, 9)

    return {
        "open": fresh(lambda ledger: None),
        "open + progress()": fresh(lambda ledger: ledger.progress()),
        "open + entries(limit=20)": fresh(lambda ledger: ledger.entries(limit=20)),
        "open + entries(problem, limit=20)": fresh(lambda ledger: ledger.entries(problem=PROBLEMS[0], limit=20)),
        "open + count('hint', problem)": fresh(lambda ledger: ledger.count("hint", PROBLEMS[0])),
        "append, committed to disk": 1000 * one_append(path),
    }


def one_append(path: Path) -> float:
    rng = random.Random(0)
    with Ledger.open(path) as ledger:
        return median_seconds(lambda: append_attempt(ledger, rng, rng.getrandbits(40) % 10**6), 9)


def measure_proof(path: Path) -> str:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin = time.perf_counter()
    with Ledger.open(path, write=False) as ledger:
        report = ledger.verify()
    seconds = time.perf_counter() - begin
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    return (
        f"verify(): {report.entries:,} entries and {report.blobs:,} blobs in {seconds:.1f} s "
        f"({report.entries / seconds:,.0f} entries/s), ok={report.ok}, peak memory grew by {grown:.0f} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attempts", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="keep the ledgers here, and use them again")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run(options.folder or Path(scratch), options.attempts)


def run(folder: Path, attempts: int) -> None:
    few, many = folder / "few.db", folder / f"{attempts}.db"
    for path, size in ((few, 100), (many, attempts)):
        if not path.exists():
            each = 1e6 * build(path, size)
            print(f"built {size:,} attempts: {each:.0f} µs each, {path.stat().st_size / 2**20:.0f} MiB")
    small, large = measure(few), measure(many)
    print(f"{'':36}{'100':>10}{attempts:>12,}{'ratio':>10}")
    for name in small:
        print(f"{name:36}{small[name]:8.2f} ms{large[name]:9.2f} ms{large[name] / small[name]:9.1f}x")
    bare = process_seconds("import typer, rich.table")
    status = process_seconds(
        "from deepfield_cli.ledger import Ledger\n"
        f"ledger = Ledger.open({json.dumps(str(many))}, write=False)\n"
        "ledger.progress(); ledger.entries(limit=20); ledger.close()"
    )
    print(f"a process that reads both: {status / bare:.2f}x `import typer, rich.table` ({1000 * bare:.0f} ms)")
    print(measure_proof(many))


if __name__ == "__main__":
    main()
