"""A record of some months, with everything in it that a portfolio can show."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from deepfield_cli.journey.workspace import Workspace, create_workspace

START = datetime(2026, 5, 4, 18, 0, tzinfo=UTC)
NOW = "2026-11-23T09:00:00+00:00"


def sample_workspace(root: Path, *, name: str = "") -> Workspace:
    """Two problems solved after some tries, a season, gaps, attestations, a confirmation, drills and reviews.

    Everything that a learner can write is ``name`` where a text is asked for, so that hostile text can be tried.
    """
    workspace, _ = create_workspace(root)
    rng = Random(7)
    with workspace.ledger() as ledger, ledger.batch():
        moment = START
        for problem, scores in (
            ("llm/attention", [0.0, 0.21, 0.5, 0.43, 0.86, 0.93, 1.0]),
            ("llm/bpe", [0.0, 0.1, 0.34, 0.34, 0.62, 0.71, 0.9, 0.88, 0.97, 1.0]),
        ):
            ledger.append("start", {}, problem=problem, at=moment)
            for score in scores:
                moment += timedelta(hours=rng.choice([1, 1, 20, 26, 50, 75]))
                ledger.append("attempt", _result(problem, score), problem=problem, rung="core", solved=score == 1.0,
                              score=score, files={"notes.py": b"secret = 'my own code'\n"}, at=moment)  # fmt: skip
        ledger.append("hint", {"hint": 1}, problem="llm/bpe", at=START)
        ledger.append("commit", {"field": "llm", "weeks": 12}, at=datetime(2026, 10, 5, 8, 0, tzinfo=UTC))
        for day in range(110):
            if rng.random() < 0.55:
                at = START + timedelta(days=60 + day, hours=rng.randint(-4, 3))
                for _ in range(rng.randint(1, 9)):
                    right = rng.random() < 0.7
                    payload = {"drill": "envelope", "right": right, "question": rng.choice(["llm/kv-cache", "rl/x"])}
                    ledger.append("drill", payload, at=at)
        for paper, reality in (
            ("Adam with a learning rate of 3e-4.", "It diverged until the warm-up was four times as long."),
            ("“Standard preprocessing” of the corpus.", "Deduplication alone moved the loss by 0.08."),
        ):
            gap = {"paper": name or paper, "reality": name or reality, "effect": name or "loss 3.41 → 3.29"}
            ledger.append("gap", gap, problem="llm/gpt2-124m", at=START + timedelta(days=130))
        for rubric, count in (("proof", 4), ("talk", 1)):
            ledger.append("attest", {"rubric": name or rubric, "count": count, "answers": {}, "note": name or "a note",
                                     "link": name or "https://example.org/talk", "file": "secret-file.pdf",
                                     "sha256": "0" * 64, "size": 3}, at=START + timedelta(days=140))  # fmt: skip
        confirmed = {"what": name or "merged-pr", "value": 1, "url": name or "https://github.com/example/repo/pull/1"}
        ledger.append("confirm", confirmed, at=START + timedelta(days=150))
    return workspace


def _result(problem: str, score: float) -> dict[str, Any]:
    metrics: dict[str, float] = {}
    if score == 1.0:
        metrics = {"agreement": 4.1e-7, "texts": 412.0, "backward_cpu_seconds": 0.0123}
        metrics |= {f"loss@{step}": 3.2 + 6 * math.exp(-step / 300) for step in range(0, 2000, 50)}
    check = {"name": "forward_matches", "outcome": "passed" if score == 1.0 else "failed", "metrics": metrics}
    environment = {"machine": "secret-machine", "system": "SecretOS"}
    return {"problem": problem, "problem_version": 1, "checks": [check], "environment": environment, "seed": 1}
