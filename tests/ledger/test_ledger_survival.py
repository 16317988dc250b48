"""Nothing acknowledged is ever lost: not to kill -9, not to a race, not to a full disk."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.ledger.schema import MIGRATIONS

RunScript = Callable[..., Any]
KILLS = 25


def test_kill_at_a_random_moment_loses_nothing_that_was_acknowledged(run_script: RunScript, tmp_path: Path) -> None:
    found = run_script("crashes.py", "kill-appends", tmp_path, KILLS)
    assert [kill["code"] for kill in found] == [-9] * KILLS
    before = 0
    for kill in found:
        assert kill["sound"], kill
        # The one entry more is the one that was written but not yet acknowledged.
        assert max(before, kill["acknowledged"]) <= kill["entries"] <= max(before, kill["acknowledged"]) + 1, kill
        before = kill["entries"] + 1
    assert before > KILLS


def test_kill_before_each_statement_leaves_the_old_state_or_the_new(run_script: RunScript, tmp_path: Path) -> None:
    found = run_script("crashes.py", "kill-each-statement", tmp_path)
    now = len(MIGRATIONS)
    expected = {
        "create": {(version, 0) for version in range(now + 1)},
        "append": {(now, 2), (now, 3)},
        "upgrade": {(now, 2), (98, 2), (99, 2)},
    }
    for scenario, states in expected.items():
        kills = found[scenario]
        assert all(kill["sound"] for kill in kills), kills
        assert [kill["code"] for kill in kills] == [-9] * (len(kills) - 1) + [0]
        assert {(kill["version"], kill["entries"]) for kill in kills} == states
        assert len(kills) > 15


def test_writers_that_start_at_once_share_one_chain(run_script: RunScript, tmp_path: Path) -> None:
    found = run_script("crashes.py", "writers", tmp_path, 4, 25)
    assert found["codes"] == [0, 0, 0, 0]
    assert found["sound"]
    for writer in range(4):
        counts = [payload["count"] for payload in found["payloads"] if payload["writer"] == writer]
        assert counts == list(range(25))


def check_full(found: dict[str, Any]) -> None:
    kind, line = found["refusal"]
    assert kind == "LedgerFull"
    assert "progress.db: the disk refused the write" in line
    assert "everything recorded before is kept — free some space, then run the command again" in line
    assert "\n" not in line
    assert found["next"] == found["kept"] + 1
    assert found["sound"]


def test_a_file_size_limit_is_one_clear_line_and_loses_nothing(run_script: RunScript, tmp_path: Path) -> None:
    found = run_script("refusals.py", "file-size-limit", tmp_path)
    check_full(found)
    assert found["kept"] >= found["before"]
    assert found["elsewhere"] == ["done", [found["kept"], True]]


def test_a_full_disk_is_one_clear_line_and_loses_nothing(run_script: RunScript, tmp_path: Path) -> None:
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    found = run_script("refusals.py", "full-disk", tmp_path, before=("unshare", "-rm"))
    check_full(found)
    assert found["kept"] > 0
    assert found["reopened"] == ["done", [found["kept"], True]]
    assert [found[step][0] for step in ("creation", "still")] == ["LedgerFull", "LedgerFull"]


def test_a_disk_without_one_free_byte_is_still_read(run_script: RunScript, tmp_path: Path) -> None:
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    found = run_script("refusals.py", "disk-without-a-byte", tmp_path, before=("unshare", "-rm"))
    assert found["files"] == ["filler", "progress.db"]
    assert found["read"] == ["done", [1, True]]
    assert found["write"][0] == "LedgerFull" and "free some space" in found["write"][1]


READABLE = {"read": 2, "read a read-only file": 1, "read while its owner writes": 1}
REFUSED = {
    "write": "the ledger cannot be written",
    "write a read-only file": "the ledger cannot be written",
    "read what is only in the log": "the newest entries are still in progress.db-wal",
    "read an empty file": "the ledger is empty or has an older format",
    "read a secret file": "the ledger cannot be read",
    "make one": "the folder for the ledger cannot be made",
    "make one beside": "the ledger cannot be written",
    "recover": "the damaged ledger cannot be set aside",
}


def test_a_read_only_folder_can_be_read_and_says_why_it_cannot_be_written(run_script: RunScript) -> None:
    # Not below tmp_path or TMPDIR: those are closed to the user that the script becomes when root runs the tests.
    folder = Path(
        subprocess.run(
            ["mktemp", "-d", "/tmp/deepfield-test.XXXXXX"], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
    folder.chmod(0o777)
    try:
        found = run_script("refusals.py", "read-only", folder)
    finally:
        for place in folder.iterdir():
            place.chmod(0o755)
        shutil.rmtree(folder)
    assert set(found) == {*READABLE, *REFUSED}
    for step, entries in READABLE.items():
        assert found[step] == ["done", [entries, True]], step
    for step, words in REFUSED.items():
        kind, line = found[step]
        assert (kind, words in line, "—" in line) == ("LedgerReadOnly", True, True), (step, line)
