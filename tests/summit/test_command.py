"""A command runs behind walls: it reads its own folder and its data, reaches nobody, and leaves nothing running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.sandbox import landlock, seccomp
from deepfield_cli.summit.command import Command, Ran, run_command
from tests import processes

walls = pytest.mark.skipif(not landlock.version(), reason="no Landlock on this machine")
filters = pytest.mark.skipif(not seccomp.available(), reason="no seccomp filter on this machine")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch" / "work").mkdir(parents=True)
    return tmp_path / "scratch"


def run(scratch: Path, source: str = "", *words: str, **wishes: Any) -> Ran:
    (scratch / "work" / "evaluate.py").write_text(textwrap.dedent(source), encoding="utf-8")
    wishes = {"seconds": 120.0, **wishes}
    return run_command(Command(words or ("python", "evaluate.py"), **wishes), scratch / "work", scratch)


def test_what_it_printed_and_how_it_ended(scratch: Path) -> None:
    ran = run(scratch, "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (ran.status, ran.ended_for, ran.printed, ran.complained) == (3, None, "out\n", "err\n")


@walls
@filters
def test_the_walls_are_named(scratch: Path) -> None:
    assert run(scratch).isolation == "landlock+seccomp"


def test_a_shell_a_script_and_a_program_that_is_not_there(scratch: Path) -> None:
    assert run(scratch, "print(2)", "sh", "-c", "python evaluate.py && echo $HOME").printed == f"2\n{scratch}\n"
    script = scratch / "work" / "evaluate"
    script.write_text("#!/bin/sh\necho script\n", encoding="utf-8")
    script.chmod(0o755)
    assert run(scratch, "", "./evaluate").printed == "script\n"
    gone = run(scratch, "", "no-such-program")
    assert (gone.status, gone.complained) == (127, "no-such-program: No such file or directory\n")


def test_its_folder_and_its_scratch_are_its_own(scratch: Path) -> None:
    source = """
        import os, tempfile
        open("beside.txt", "w").write("x")
        tempfile.NamedTemporaryFile(delete=False).close()
        print(os.getcwd(), os.environ["HOME"], sorted(os.listdir(".")))
        """
    ran = run(scratch, source)
    assert ran.printed == f"{scratch}/work {scratch} ['beside.txt', 'evaluate.py']\n", ran.complained


def test_the_environment_is_a_short_list(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    ran = run(scratch, "import os; print(sorted(os.environ))", environment={"DATA_CORPUS": "/x"})
    assert "GITHUB_TOKEN" not in ran.printed
    assert "DATA_CORPUS" in ran.printed


@walls
def test_it_reads_its_data_and_nothing_else(scratch: Path, tmp_path: Path) -> None:
    data, secret = tmp_path / "data.txt", tmp_path / "secret.txt"
    for path in (data, secret):
        path.write_text("text", encoding="utf-8")
    assert run(scratch, f"print(open({str(data)!r}).read())", readable=[data]).printed == "text\n"
    assert "PermissionError" in run(scratch, f"open({str(data)!r}, 'a')", readable=[data]).complained
    assert "PermissionError" in run(scratch, f"open({str(secret)!r})", readable=[data]).complained
    graders = Path(__file__).parent.parent.parent / "graders"
    assert "PermissionError" in run(scratch, f"import os; os.listdir({str(graders)!r})").complained
    assert "cannot open" in run(scratch, "", "sh", "-c", f"ls {tmp_path}").complained


@filters
@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import os; os.setsid()",
        "import os; os.setpgid(0, 0)",
        "import os; os.kill(os.getppid(), 9)",
        "import os; os.kill(1, 0)",
    ],
)
def test_what_it_may_not_do(scratch: Path, attempt: str) -> None:
    ran = run(scratch, attempt)
    assert "PermissionError" in ran.complained
    assert ran.status == 1


def test_what_it_leaves_behind_ends_with_it(scratch: Path) -> None:
    mark = "78787"
    ran = run(scratch, "", "sh", "-c", f"sleep {mark} & (sleep {mark} &) ; echo done")
    assert ran.printed == "done\n"
    assert not [found for found in processes.marked_processes() if mark in found.command]


def test_a_command_that_takes_too_long(scratch: Path) -> None:
    ran = run(scratch, "", "sh", "-c", "echo begun; sleep 78788", seconds=1.0)
    assert (ran.ended_for, ran.status, ran.printed) == ("timeout", None, "begun\n")
    assert not [found for found in processes.marked_processes() if "78788" in found.command]


def test_a_flood_of_output_is_cut(scratch: Path) -> None:
    ran = run(scratch, "import os\nfor _ in range(300): os.write(1, b'x' * 65536)\nprint('last')")
    assert len(ran.printed) <= 65536
    assert ran.printed.endswith("xlast\n")


def test_memory_is_limited(scratch: Path) -> None:
    source = "block = bytearray(3 << 30); print('got it')"
    assert "MemoryError" in run(scratch, source, memory_mb=1024).complained
    assert run(scratch, "print('fine')", memory_mb=1024).printed == "fine\n"


def test_a_full_scratch_folder_ends_it(scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepfield_cli.summit import command

    monkeypatch.setattr(command, "MAXIMUM_SCRATCH_BYTES", 1 << 20)
    ran = run(scratch, "import time; open('x', 'wb').write(bytes(4 << 20)); time.sleep(600)")
    assert ran.ended_for == "disk"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_whoever_asked_for_it(scratch: Path, number: int) -> None:
    mark = "78789" if number == signal.SIGKILL else "78790"
    script = f"""
        from pathlib import Path
        from deepfield_cli.summit.command import Command, run_command
        scratch = Path({str(scratch)!r})
        words = ["sh", "-c", "echo up > ../up; sleep {mark} & sleep {mark}"]
        run_command(Command(words, 600.0), scratch / "work", scratch)
        """
    grader = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)])
    while not (scratch / "up").exists():
        assert grader.poll() is None
        os.sched_yield()
    grader.send_signal(number)
    grader.wait()
    assert processes.wait_until_gone("") == []


def test_another_interpreter(scratch: Path, tmp_path: Path) -> None:
    import venv

    place = tmp_path / "environment"
    venv.create(place, symlinks=True, with_pip=False)
    source = "import sys; print(sys.prefix)"
    ran = run(scratch, source, python=place / "bin" / "python")
    assert ran.printed == f"{place}\n", ran.complained


STOPPED = """
import sys
from pathlib import Path
from deepfield_cli.summit.command import Command, run_command

ran = run_command(Command(("python", "evaluate.py"), seconds=6.0), Path(sys.argv[1]) / "work", Path(sys.argv[1]))
print(ran.ended_for, ran.status)
"""


def test_a_command_has_its_time_although_the_grader_was_stopped(scratch: Path) -> None:
    work = scratch / "work"
    source = (
        "import pathlib, time\npathlib.Path('begun').touch()\nwhile not pathlib.Path('go').exists(): time.sleep(0.05)"
    )
    (work / "evaluate.py").write_text(source, encoding="utf-8")
    with subprocess.Popen([sys.executable, "-c", STOPPED, str(scratch)], stdout=subprocess.PIPE, text=True) as grader:
        while not (work / "begun").exists():
            assert grader.poll() is None
            time.sleep(0.05)
        grader.send_signal(signal.SIGSTOP)
        time.sleep(7.0)
        grader.send_signal(signal.SIGCONT)
        time.sleep(0.3)  # longer than it sleeps between two looks at the clock
        (work / "go").touch()
        assert grader.stdout is not None
        assert grader.stdout.read() == "None 0\n"
