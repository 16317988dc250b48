"""A month with deepfield, from an empty folder to a season, at a clock of our own and with real grades."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.content.packs import find_location
from deepfield_cli.ledger import Ledger
from tests.conftest import PATIENCE_SECONDS, RunCli, cli_command

PROBLEM = "tiny/mean"
WRONG = "def mean(values):\n    return sum(values)\n\n\ndef center(x):\n    return x\n"


@dataclass
class Learner:
    """Somebody with a folder, and a day."""

    folder: Path
    run_cli: RunCli
    now: str = "2026-11-02T08:00"

    def says(self, *arguments: str | Path, code: int = 0) -> str:
        """Type a command on this day; return what it prints."""
        ran = self.run_cli(*arguments, cwd=self.folder, environment={"DEEPFIELD_NOW": self.now})
        assert ran.returncode == code, (arguments, ran.stdout, ran.stderr)
        return ran.stdout + ran.stderr

    def asks(self, *arguments: str | Path) -> Any:
        """Type a command that answers in JSON."""
        return json.loads(self.says(*arguments, "--json"))

    def at_the_terminal(self, *arguments: str, question: str, key: str) -> str:
        """Type a command at a terminal, and one key when it asks."""
        leader, follower = pty.openpty()
        environment = {**os.environ, "DEEPFIELD_NOW": self.now, "COLUMNS": "100"}
        process = subprocess.Popen(
            cli_command(*arguments), cwd=self.folder, env=environment, stdin=follower, stdout=follower, stderr=follower
        )
        os.close(follower)
        seen, answered, deadline = "", False, time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if not select.select([leader], [], [], 0.5)[0]:
                if process.poll() is not None:
                    break
                if question in seen:  # what is typed before the question stands is thrown away, as it should be
                    os.write(leader, key.encode())
                    answered = True
                continue
            try:
                piece = os.read(leader, 65536)
            except OSError:  # the terminal closes with its last process
                break
            if not piece:
                break
            seen += piece.decode(errors="replace")
        os.close(leader)
        assert process.wait(PATIENCE_SECONDS) == 0, seen
        assert answered, seen
        return seen


@pytest.fixture
def learner(tiny_pack: Path, tmp_path: Path, run_cli: RunCli) -> Learner:
    folder = tmp_path / "learning"
    folder.mkdir()
    return Learner(folder, run_cli)


@pytest.mark.slow
def test_a_month(learner: Learner, tmp_path: Path) -> None:
    entry = learner.folder / PROBLEM / find_location(PROBLEM).load().entry
    solution = find_location(PROBLEM).solutions()[0].read_text(encoding="utf-8")

    # Week 1: a workspace, a plan, the first problem; a failure, a hint, a pass, and one key after it.
    learner.says("init")
    learner.says("plan", "--hours-per-week", "8", "--start", "2026-11-02", "--ics", "road.ics")
    assert (learner.folder / "road.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    learner.says("start", PROBLEM)
    learner.now = "2026-11-03T19:00"
    entry.write_text(WRONG, encoding="utf-8")
    learner.says("grade", PROBLEM, code=1)
    learner.says("hint", PROBLEM)
    learner.now = "2026-11-04T19:00"
    entry.write_text(solution, encoding="utf-8")
    seen = learner.at_the_terminal("grade", PROBLEM, question="How much did you enjoy that?", key="5")
    assert "solved" in seen
    assert learner.asks("status")["streak"] == {"days": 2, "today": True}

    # Week 2: reading, and a problem of the road that nothing can grade yet.
    learner.now = "2026-11-10T19:00"
    learner.says("done", "minbpe")
    planned = next(
        one["id"] for field in learner.asks("status")["fields"] for one in field["problems"] if not one["pack"]
    )
    learner.says("start", planned)
    assert "its grader is not written yet" in learner.says("grade", planned, code=2)

    # Week 3: the quiz, stopped and taken up again, and the season that follows from it.
    learner.now = "2026-11-17T19:00"
    answers = tmp_path / "answers.yaml"
    answers.write_text("friday-bug: agent-forgets\nfree-afternoon: prove\nnew-paper: derivation\n", encoding="utf-8")
    choice = learner.asks("pick-field", "--answers", answers)
    field = choice["ranking"][0]["field"]
    assert field == "rl"
    learner.says("commit", field)
    refusal = learner.says("commit", "llm", code=2)
    assert "2027-02-09" in refusal
    assert "you do not switch" in refusal

    # Week 4: the season's first milestone, the gap log, an attestation.
    learner.now = "2026-11-25T19:00"
    learner.says("season", "--reached", "1")
    learner.says("gap", "add", "rl/ppo", "--paper", "Adam", "--reality", "Adam with eps 1e-5", "--effect", "+120")
    assert "Adam with eps 1e-5" in learner.says("gap", "export", "rl/ppo")
    proof = learner.folder / "proof.md"
    proof.write_text("The operator contracts, because gamma < 1.\n", encoding="utf-8")
    replies = tmp_path / "replies.yaml"
    criteria = ["statement", "each-step", "rows", "consequence", "limits"]
    replies.write_text("".join(f"{name}: true\n" for name in criteria), encoding="utf-8")
    learner.says("attest", "contraction-proof", "--file", proof, "--answers", replies)

    # The last day of the month: one screen says it all, and the record is whole.
    learner.now = "2026-11-30T19:00"
    status = learner.asks("status")
    assert (status["season"]["field"], status["season"]["week"], status["season"]["reached"]) == ("rl", 2, 1)
    assert status["season"]["weeks_left"] == 11
    assert status["pace"]["total"] > 20
    assert status["solved"] == 1
    screen = learner.says("status")
    for told in ("week 2 of 12", "behind the plan", "deepfield"):
        assert told in screen
    page = learner.asks("season")
    assert page["worked"] == {"2": 1}
    assert page["milestones"][0]["reached"] == "2026-11-25"
    assert status["due_reviews"] >= 1
    learner.says("portfolio", "--out", "page.html")
    portfolio = (learner.folder / "page.html").read_text(encoding="utf-8")
    for shown in (PROBLEM, "attested", "Adam with eps 1e-5", "rl"):
        assert shown in portfolio
    assert learner.asks("verify")["ok"]

    # Twelve weeks later: the same quiz again, now with what was done since.
    learner.now = "2027-02-10T19:00"
    assert "pick-field --since 2026-11-17" in learner.says("status")
    learner.asks("pick-field", "--answers", answers, "--since", "2026-11-17")
    learner.says("commit", "llm")
    with Ledger.open(learner.folder / ".deepfield" / "progress.db", create=False, write=False) as ledger:
        kinds = {entry.kind for entry in ledger.entries()}
        assert ledger.payload(ledger.entries("enjoy")[0])["rating"] == 5
        assert [ledger.payload(entry)["field"] for entry in ledger.entries("commit")] == ["llm", "rl"]
    assert {"plan", "start", "attempt", "hint", "enjoy", "done", "quiz", "commit", "gap", "attest"} <= kinds
    assert {"season-milestone", "season-review"} <= kinds
