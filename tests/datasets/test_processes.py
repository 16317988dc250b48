"""Whole commands, killed, interrupted, started twice, and on disks that refuse."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepfield_cli.datasets import locate
from deepfield_cli.datasets.getting import get
from tests.cli.conftest import NO_POWERS, RESTRAINED, Outcome, outcome_of
from tests.cli.terminal import CTRL_C, Terminal
from tests.conftest import PATIENCE_SECONDS, RunCli, cli_command
from tests.datasets.conftest import MakeDataset, state_file
from tests.datasets.server import Served, Server, Step

TEXT = b"some words, and then some more\n" * 20_000
HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """A server waits for it; opened at the end in any case, so that its threads end."""
    event = threading.Event()
    yield event
    event.set()


def start(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        cli_command(*arguments),
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def end(process: subprocess.Popen[str]) -> Outcome:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Outcome(process.returncode, out, err)


def wait_for_part(folder: Path) -> Path:
    """The part, once its first bytes are on the disk."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    part = folder / ".words.txt.part"
    while not (part.exists() and part.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return part


def halting(server: Server, gate: threading.Event) -> Served:
    """The file, whose first answer stops after its first bytes until the gate opens."""
    served = server.files["/words.txt"]
    served.script = [Step(wait_for=gate)]
    return served


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_killed_download_leaves_nothing_and_goes_on(
    make_dataset: MakeDataset,
    server: Server,
    cache: Path,
    tmp_path: Path,
    gate: threading.Event,
    number: signal.Signals,
    run_cli: RunCli,
) -> None:
    make_dataset("words", {"words.txt": TEXT})
    served = halting(server, gate)
    running = start("data", "get", "words", cwd=tmp_path)
    part = wait_for_part(cache / "words")
    running.send_signal(number)
    assert end(running).code == -number
    kept = part.stat().st_size
    assert locate("words") is None
    assert run_cli("data", "where", "words", cwd=tmp_path).returncode == 1
    finished = run_cli("data", "get", "words", cwd=tmp_path)
    assert finished.returncode == 0
    assert (cache / "words" / "words.txt").read_bytes() == TEXT
    assert served.ranges_asked() == [None, f"bytes={kept}-"]


def test_ctrl_c_says_what_is_kept(
    make_dataset: MakeDataset, server: Server, cache: Path, tmp_path: Path, gate: threading.Event
) -> None:
    make_dataset("words", {"words.txt": TEXT})
    halting(server, gate)
    running = start("data", "get", "words", cwd=tmp_path)
    wait_for_part(cache / "words")
    running.send_signal(signal.SIGINT)
    outcome = end(running)
    assert outcome.code == 130
    assert outcome.err.splitlines()[-2:] == [
        "what was fetched is kept; deepfield data get words goes on from there",
        "deepfield: interrupted",
    ]
    assert "Traceback" not in outcome.err


def test_ctrl_c_in_a_terminal_leaves_it_as_it_was(
    make_dataset: MakeDataset, server: Server, cache: Path, tmp_path: Path, gate: threading.Event
) -> None:
    make_dataset("words", {"words.txt": TEXT})
    halting(server, gate)
    with Terminal(columns=80) as terminal:
        running = subprocess.Popen(
            cli_command("data", "get", "words"), cwd=tmp_path, start_new_session=True, **terminal.options
        )
        terminal.wait_for(lambda shown: "fetching words.txt" in shown and "of 620 kB" in shown)
        terminal.press(CTRL_C)
        assert running.wait(PATIENCE_SECONDS) == 130
        shown = terminal.shown()
        assert shown.count(SHOW_CURSOR) == shown.count(HIDE_CURSOR)
        assert terminal.settings() == terminal.settings_before


def test_two_at_once_fetch_once(
    make_dataset: MakeDataset, server: Server, cache: Path, tmp_path: Path, gate: threading.Event
) -> None:
    make_dataset("words", {"words.txt": TEXT})
    served = halting(server, gate)
    first = start("data", "get", "words", cwd=tmp_path)
    wait_for_part(cache / "words")
    second = start("data", "get", "words", cwd=tmp_path)
    assert second.stderr is not None
    assert "another deepfield is fetching words; waiting for it" in second.stderr.readline()
    busy = end(start("data", "remove", "words", cwd=tmp_path))
    assert busy.complaint == "another deepfield is fetching words — wait until it is done"
    gate.set()
    assert end(first).code == 0
    assert end(second).code == 0
    assert len(served.asked) == 1
    assert (cache / "words" / "words.txt").read_bytes() == TEXT


def test_who_waits_goes_on_when_the_other_is_killed(
    make_dataset: MakeDataset, server: Server, cache: Path, tmp_path: Path, gate: threading.Event
) -> None:
    make_dataset("words", {"words.txt": TEXT})
    served = halting(server, gate)
    first = start("data", "get", "words", cwd=tmp_path)
    wait_for_part(cache / "words")
    second = start("data", "get", "words", cwd=tmp_path)
    assert second.stderr is not None
    assert "waiting for it" in second.stderr.readline()
    first.kill()
    end(first)
    assert end(second).code == 0
    assert len(served.asked) == 2
    assert (cache / "words" / "words.txt").read_bytes() == TEXT


def test_a_disk_that_takes_no_more_keeps_what_it_has(
    make_dataset: MakeDataset, server: Server, cache: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    """A limit on the size of files, as a quota sets it."""
    make_dataset("words", {"words.txt": TEXT})
    outcome = outcome_of(run_cli("data", "get", "words", cwd=tmp_path, before=(*RESTRAINED, "--file-bytes", "100000")))
    assert outcome.code == 2
    assert outcome.err.splitlines()[-1] == (
        f"deepfield: {cache}/words/.words.txt.part: the disk is full (File too large); what was fetched so far is kept"
        " — free some space and run it again, or choose another folder with DEEPFIELD_DATA or --cache"
    )
    assert (cache / "words" / ".words.txt.part").stat().st_size == 100_000
    assert run_cli("data", "get", "words", cwd=tmp_path).returncode == 0
    assert server.files["/words.txt"].ranges_asked() == [None, "bytes=100000-"]


def test_a_full_disk(make_dataset: MakeDataset, server: Server, cache: Path, tmp_path: Path) -> None:
    """A disk that has room when the download begins, and none when it is half done."""
    make_dataset("words", {"words.txt": TEXT})
    cache.mkdir()
    (tmp_path / "mount.sh").write_text('mount -t tmpfs -o size=1m tmpfs "$1" && shift && exec "$@"\n')
    disk = ("unshare", "-rm", "sh", str(tmp_path / "mount.sh"), str(cache))
    if shutil.which("unshare") is None or subprocess.run([*disk, "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs user name spaces")
    filler = f"dd if=/dev/zero of={cache}/filler bs=1k count=700 2>/dev/null"
    command = " ".join(cli_command("data", "get", "words"))
    too_small = subprocess.run([*disk, "sh", "-c", f"{filler}; {command}"], capture_output=True, text=True, check=False)
    assert too_small.returncode == 2
    assert "620 kB are needed and" in too_small.stderr
    assert server.files["/words.txt"].asked == []
    server.files["/words.txt"].script = [Step(headers={"X-Linked-ETag": "none"})]
    lost = f"({command}; echo code $?) 2>&1 & sleep 0; while ! ls {cache}/words/.words.txt.part >/dev/null 2>&1; "
    lost += f"do sleep 0.01; done; {filler}; wait; ls {cache}/words"
    gate = threading.Event()
    server.files["/words.txt"].script = [Step(wait_for=gate)]
    opened = threading.Timer(3.0, gate.set)
    opened.start()
    full = subprocess.run([*disk, "sh", "-c", lost], capture_output=True, text=True, check=False)
    opened.cancel()
    assert "the disk is full (No space left on device)" in full.stdout
    assert "code 2" in full.stdout
    assert "Traceback" not in full.stdout
    assert not full.stdout.endswith("words.txt\n")


def test_a_cache_that_may_not_be_written(
    make_dataset: MakeDataset, cache: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    """What is there can be used; nothing can be fetched, added or removed, and each says so in one line."""
    get(make_dataset("words", {"words.txt": TEXT}))
    make_dataset("others", {"others.txt": TEXT})
    (tmp_path / "mine.txt").write_bytes(TEXT)
    folders = [cache, *(folder for folder in cache.rglob("*") if folder.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        found = run_cli("data", "where", "words", cwd=tmp_path, before=NO_POWERS)
        assert found.stdout == f"{cache}/words/words.txt\n"
        assert run_cli("data", "get", "words", cwd=tmp_path, before=NO_POWERS).returncode == 0
        assert run_cli("data", "list", cwd=tmp_path, before=NO_POWERS).returncode == 0
        for command in (("get", "others"), ("add", "others", "mine.txt"), ("remove", "words")):
            outcome = outcome_of(run_cli("data", *command, cwd=tmp_path, before=NO_POWERS))
            assert outcome.code == 2
            assert "cannot be written: Permission denied" in outcome.complaint
            assert "DEEPFIELD_DATA" in outcome.complaint
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert (cache / "words" / "words.txt").read_bytes() == TEXT


def test_a_cache_that_may_not_be_read(make_dataset: MakeDataset, cache: Path, tmp_path: Path, run_cli: RunCli) -> None:
    get(make_dataset("words", {"words.txt": TEXT}))
    (cache / "words").chmod(0o000)
    try:
        assert run_cli("data", "where", "words", cwd=tmp_path, before=NO_POWERS).returncode == 1
        assert run_cli("data", "list", cwd=tmp_path, before=NO_POWERS).returncode == 0
        outcome = outcome_of(run_cli("data", "get", "words", cwd=tmp_path, before=NO_POWERS))
        assert outcome.code == 2
        assert "Permission denied" in outcome.complaint
        assert run_cli("data", "verify", "words", cwd=tmp_path, before=NO_POWERS).returncode == 0
        (cache / "words").chmod(0o755)
        (cache / "words" / "words.txt").chmod(0o000)
        unreadable = run_cli("data", "verify", "words", cwd=tmp_path, before=NO_POWERS)
        assert unreadable.returncode == 1
        assert "cannot be read: Permission denied" in unreadable.stdout
    finally:
        (cache / "words").chmod(0o755)


def test_without_a_network_it_is_one_line(make_dataset: MakeDataset, tmp_path: Path, run_cli: RunCli) -> None:
    """Port 9 of this machine: nobody listens there."""
    make_dataset("words", {"words.txt": TEXT}, files=[_elsewhere("http://127.0.0.1:9/words.txt")])
    outcome = outcome_of(run_cli("data", "get", "words", cwd=tmp_path))
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.splitlines()[-1] == (
        "deepfield: http://127.0.0.1:9/words.txt: 127.0.0.1: nobody listens there, 2 times in a row"
        " — run it again when the network is back, or deepfield data add a copy that you have"
    )


def _elsewhere(url: str) -> dict[str, object]:
    class Nothing:
        def serve(self, *_: object) -> None: ...

        def url(self, _: str) -> str:
            return url

    return state_file(Nothing(), "words.txt", TEXT)  # type: ignore[arg-type]
