"""What the quick commands load: a look must not cost what a grade costs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from deepfield_cli.content.catalogue import read_catalogue
from deepfield_cli.content.kept import cache_folder
from deepfield_cli.journey.workspace import Workspace
from tests.cli.past.conftest import Attempt
from tests.conftest import PATIENCE_SECONDS

HEAVY = {"torch", "triton", "numpy", "sqlite_utils", "tokenizers", "tiktoken"}
SLOW = HEAVY | {"pydantic", "yaml", "rich.markdown", "rich.syntax", "rich.live", "pygments"}


COMMANDS = {
    "--help": SLOW | {"sqlite3", "rich.table"},
    "--version": SLOW | {"sqlite3", "rich.table"},
    "status": SLOW,
    "status --json": SLOW | {"rich.table"},
    "list": SLOW,
    "history": SLOW,
    "history --json": SLOW,
    "hint --again": HEAVY - {"numpy"},
    "show tiny/mean": HEAVY - {"numpy"},
    "diff 2": HEAVY - {"numpy"},
    "verify": HEAVY - {"numpy"},
}


@pytest.mark.parametrize("command", list(COMMANDS))
def test_it_loads_only_what_it_needs(workspace: Workspace, attempt: Attempt, command: str) -> None:
    attempt({"mean_matches": "failed"})
    if command.startswith(("status", "list")):
        read_catalogue()  # kept from now on

    assert _loaded(*command.split()) & COMMANDS[command] == set()


def test_the_first_status_may_be_slower_but_not_heavy(workspace: Workspace, attempt: Attempt) -> None:
    attempt()
    shutil.rmtree(cache_folder())

    loaded = _loaded("status")

    assert "yaml" in loaded  # else this test would not have seen an empty cache
    assert loaded & HEAVY == set()


def _loaded(*command: str) -> set[str]:
    """The modules that a command has imported, by Python's own account."""
    ran = subprocess.run(
        [sys.executable, "-P", "-X", "importtime", "-m", "deepfield_cli", *command],
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")}
