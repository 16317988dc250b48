"""A training that waits half way until it is let on, and what can be seen of it from outside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from deepfield_cli.journey.runs import RunFolder, run_folder
from deepfield_cli.journey.workspace import Workspace
from tests.conftest import PATIENCE_SECONDS, TINY_PACK

DESCENT = "tiny/descent"
LAPTOP = ("grade", DESCENT, "--rung", "laptop")
RESUME = "deepfield grade tiny/descent --rung laptop --resume"
TRAINS = (TINY_PACK / "graders/tiny/descent/solutions/checkpoint.py").read_text(encoding="utf-8")
# At this step it waits for a file called `on`, and it notes the step at which each call of it began.
HALF_WAY = 40
WAITS = TRAINS.replace(
    "        for number in range(done + 1, steps + 1):\n",
    "        print(done, file=open('began', 'a'))\n"
    "        for number in range(done + 1, steps + 1):\n"
    f"            while number > {HALF_WAY} and not os.path.exists('on'):\n"
    "                time.sleep(0.01)\n",
).replace("import os\n", "import os\nimport time\n")
WAITS_AND_FAILS = WAITS.replace("    return weights\n", "    return weights * (1 if steps < 50 else 2)\n")


class Training:
    """The folder of the long check of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.runs = workspace.private / "runs"
        self.folder: RunFolder = run_folder(workspace, DESCENT, "laptop")
        self._kept = self.folder.checks / "reaches_the_minimum"

    def wait_half_way(self, sitting: int = 1) -> None:
        """Wait until it has come as far as it does by itself, in this sitting."""
        wait_for(lambda: self.told_steps()[-1:] == [HALF_WAY] and len(self.began_at()) == sitting)

    def told_steps(self) -> list[int]:
        """The steps that stand in the learner's own file."""
        try:
            lines = (self._kept / "progress.jsonl").read_text().splitlines()
        except OSError:
            return []
        return [json.loads(line)["step"] for line in lines]

    def began_at(self) -> list[int]:
        """The step from which each call went on."""
        try:
            return [int(line) for line in (self._kept / "began").read_text().split()]
        except OSError:
            return []

    def let_on(self) -> None:
        """Let it come to its end."""
        (self._kept / "on").touch()

    def left(self) -> set[str]:
        """What is in the folder of all runs."""
        return {path.name for path in self.runs.iterdir()}


def wait_for(condition: Callable[[], Any]) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def newest_result(workspace: Workspace) -> dict[str, Any]:
    """The payload of the newest attempt on record."""
    with workspace.record() as ledger:
        return ledger.payload(ledger.entries(kind="attempt", limit=1)[0])
