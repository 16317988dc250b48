"""A file is there with all its content or not at all, whatever happens while it is written."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deepfield_cli.whole_files import ENDING, whole_file, write_whole

KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from deepfield_cli.whole_files import whole_file
with whole_file(Path(sys.argv[1])) as fresh:
    fresh.write_bytes(b"half of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("lasting", [False, True])
def test_it_takes_the_place_of_what_was_there(tmp_path: Path, lasting: bool) -> None:
    path = tmp_path / "note.json"
    for content in (b"first", b"", b"third, and longer"):
        write_whole(path, content, lasting=lasting)
        assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["note.json"]


@pytest.mark.parametrize("trouble", [OSError, ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path, trouble: type[BaseException]) -> None:
    path = tmp_path / "note.json"
    path.write_bytes(b"before")
    with pytest.raises(trouble), whole_file(path) as fresh:
        fresh.write_bytes(b"half of it")
        raise trouble
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["note.json"]


def test_a_place_that_cannot_be_taken_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "note" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "note", b"a file cannot replace a folder")
    assert os.listdir(tmp_path) == ["note"]
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "note", b"")


def test_a_file_that_was_taken_away_meanwhile_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "note") as fresh:
        fresh.unlink()
    assert os.listdir(tmp_path) == []


def test_a_killed_process_leaves_what_was_there_and_a_file_known_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    path.write_bytes(b"before")
    finished = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(path)], check=False)
    assert finished.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"before"
    assert [left.read_bytes() for left in tmp_path.glob(f".note.json-*{ENDING}")] == [b"half of it"]
    write_whole(path, b"after")
    assert path.read_bytes() == b"after"


def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "note.json"
    with whole_file(path) as first, whole_file(path) as second:
        first.write_bytes(b"of the first")
        second.write_bytes(b"of the second")
    assert path.read_bytes() == b"of the first"  # the outer block ends last
    assert os.listdir(tmp_path) == ["note.json"]


def test_a_reader_never_meets_half_of_it(tmp_path: Path) -> None:
    path, large = tmp_path / "note.json", 1 << 20
    write_whole(path, bytes(large))

    def rewrite() -> None:
        for number in range(1, 30):
            write_whole(path, bytes([number]) * large)

    writer = threading.Thread(target=rewrite)
    writer.start()
    seen = [path.read_bytes()]
    while writer.is_alive():
        seen.append(path.read_bytes())
    writer.join()
    assert all(len(content) == large and len(set(content)) == 1 for content in seen)


def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "shared", b"")
        with whole_file(tmp_path / "private", mode=0o600):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "shared").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


def test_a_link_is_replaced_and_what_it_points_at_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"theirs")
    (tmp_path / "note").symlink_to("elsewhere")
    write_whole(tmp_path / "note", b"ours")
    assert (tmp_path / "elsewhere").read_bytes() == b"theirs"
    assert (tmp_path / "note").read_bytes() == b"ours"
