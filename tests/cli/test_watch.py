"""``watch``: a verdict for every save, and only for the newest; whatever editors do to files on the way."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

from deepfield_cli.content.packs import ProblemLocation, find_location
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.grading.grade import Grade
from deepfield_cli.journey import watching
from deepfield_cli.journey.session import Listener, Session, Wish
from deepfield_cli.journey.watching import is_source
from deepfield_cli.journey.workspace import Workspace
from tests.cli.conftest import RIGHT_MEAN, STUCK_MEAN, Outcome, Running, Start, belongings, entries_of
from tests.cli.terminal import CTRL_C, Terminal
from tests.conftest import PATIENCE_SECONDS, MakeWorkspace

VERDICT = "watching; Ctrl-C ends"
CLEAR = "\x1b[2J"


def marked(text: str) -> str:
    """A submission whose verdict carries a text."""
    return f"def mean(values):\n    raise ValueError({text!r})\n\n\ncenter = mean\n"


class Watched:
    """A watch that runs beside the test, without a terminal: everything it says is collected."""

    def __init__(self, running: Running, entry: Path) -> None:
        self.running = running
        self.entry = entry
        self.said = ""
        assert running.process.stdout is not None
        self._reader = threading.Thread(target=self._collect, args=(running.process.stdout,), daemon=True)
        self._reader.start()

    def _collect(self, stream: IO[str]) -> None:
        for line in iter(stream.readline, ""):
            self.said += line

    def wait_for(self, condition: Callable[[str], bool]) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition(self.said):
            assert self.running.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.01)
        return self.said

    def verdicts(self) -> list[str]:
        """The verdicts so far, each as it was shown."""
        return self.said.split(VERDICT)[:-1]

    def next_verdict(self, after: int) -> str:
        """Wait for the verdict that follows so many others."""
        self.wait_for(lambda said: said.count(VERDICT) > after)
        return self.verdicts()[after]

    def save(self, source: str) -> None:
        self.entry.write_text(source)

    def stop(self) -> Outcome:
        """Ctrl-C, and everything it said."""
        self.running.send(signal.SIGINT)
        self.running.process.wait(PATIENCE_SECONDS)
        self._reader.join()
        outcome = self.running.end()
        return Outcome(outcome.code, self.said, outcome.err)


@pytest.fixture
def workspace(make_workspace: MakeWorkspace) -> Workspace:
    return make_workspace("tiny/mean", marked("first"))


@pytest.fixture
def watch(start_cli: Start, workspace: Workspace) -> Iterator[Watched]:
    """A watch that has given its first verdict."""
    running = start_cli("watch", "tiny/mean", cwd=workspace.root)
    watched = Watched(running, workspace.folder("tiny/mean") / "mean.py")
    assert "ValueError (mean.py:2): first" in watched.next_verdict(0)
    yield watched


def test_a_save_is_graded_and_recorded(watch: Watched, workspace: Workspace) -> None:
    watch.save(marked("second"))
    second = watch.next_verdict(1)
    assert "ValueError (mean.py:2): second" in second
    assert re.search(r"tiny/mean · core  \d\d:\d\d:\d\d, \d+ ms after the save", second)
    watch.save(RIGHT_MEAN)
    assert "solved: tiny/mean core  4 of 4 checks passed" in watch.next_verdict(2)
    outcome = watch.stop()
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.rstrip().endswith("3 runs; each is in deepfield history")
    assert [entry.solved for entry in entries_of(workspace)] == [False, False, True]


def test_ctrl_c_leaves_no_process_and_no_word_of_python(watch: Watched, workspace: Workspace) -> None:
    before = belongings(workspace)
    outcome = watch.stop()
    assert (outcome.code, outcome.err) == (0, "")
    assert "Traceback" not in outcome.out
    before.kept_in(workspace)


def test_ctrl_c_while_a_run_is_stuck(watch: Watched, workspace: Workspace) -> None:
    watch.save(STUCK_MEAN)
    _wait_for_stuck_workers(watch)
    outcome = watch.stop()
    assert (outcome.code, outcome.err) == (0, "")
    assert len(entries_of(workspace)) == 1


def _wait_for_stuck_workers(watch: Watched) -> None:
    """Wait until a run is on its way that will not end by itself."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not _stuck(watch):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _stuck(watch: Watched) -> list[int]:
    """The workers that sleep in the submission."""
    workers = [found.pid for found in watch.running.family() if "zygote" in found.command]
    return [pid for pid in workers if _sleeps(pid)]


def _sleeps(pid: int) -> bool:
    """Whether a process waits on the clock, as time.sleep does."""
    try:
        return Path(f"/proc/{pid}/wchan").read_text() == "hrtimer_nanosleep"
    except OSError:
        return False


def test_an_editor_that_replaces_the_file(watch: Watched) -> None:
    for number in range(1, 4):
        new = watch.entry.with_name("4913")
        new.write_text(marked(f"replaced-{number}"))
        os.replace(watch.entry, watch.entry.with_name("mean.py~"))
        os.replace(new, watch.entry)
        assert f"replaced-{number}" in watch.next_verdict(number)
    outcome = watch.stop()
    assert len(outcome.out.split(VERDICT)) == 5
    assert "there is no mean.py" not in outcome.out


def test_a_file_that_is_gone_is_told_and_its_return_is_graded(watch: Watched) -> None:
    watch.entry.unlink()
    watch.wait_for(lambda said: "there is no mean.py here" in said)
    watch.save(marked("returned"))
    assert "returned" in watch.next_verdict(1)
    assert watch.stop().code == 0


def test_a_newer_save_overtakes_a_run(watch: Watched, workspace: Workspace) -> None:
    watch.save(STUCK_MEAN)
    _wait_for_stuck_workers(watch)
    for number in range(20):
        watch.save(STUCK_MEAN + f"# {number}\n")
    watch.save(marked("newest"))
    assert "newest" in watch.next_verdict(1)
    assert _stuck(watch) == []
    outcome = watch.stop()
    assert "timeout" not in outcome.out
    assert len(outcome.out.split(VERDICT)) == 3
    assert len(entries_of(workspace)) == 2


def test_what_is_no_save_starts_no_run(watch: Watched, workspace: Workspace) -> None:
    folder = watch.entry.parent
    (folder / "__pycache__").mkdir()
    for name in ("__pycache__/mean.cpython-311.pyc", ".mean.py.swp", "mean.py~", "#mean.py#", "x.tmp", "mean.new.py"):
        (folder / name).write_text("noise")
    os.utime(watch.entry)
    watch.entry.write_bytes(watch.entry.read_bytes())
    watch.save(marked("second"))
    assert "second" in watch.next_verdict(1)
    watch.stop()
    assert len(watch.verdicts()) == 2
    assert len(entries_of(workspace)) == 2


def test_a_sibling_file_counts_as_a_save(watch: Watched) -> None:
    watch.save("import helper\n\n\n" + marked("waits for its helper"))
    assert "No module named 'helper'" in watch.next_verdict(1)
    (watch.entry.parent / "helper.py").write_text("value = 1\n")
    assert "waits for its helper" in watch.next_verdict(2)
    watch.stop()


def test_a_syntax_error_and_its_repair(watch: Watched, workspace: Workspace) -> None:
    watch.save("def mean(values:\n")
    broken = watch.next_verdict(1)
    assert "not-loadable" in broken
    assert "SyntaxError (mean.py:1)" in broken
    watch.save(RIGHT_MEAN)
    assert "solved: tiny/mean core" in watch.next_verdict(2)
    watch.stop()
    assert [entry.solved for entry in entries_of(workspace)] == [False, False, True]


def test_a_submission_that_kills_its_workers_does_not_end_the_watch(watch: Watched) -> None:
    watch.save("import os\n\n\ndef mean(values):\n    os._exit(0)\n\n\ncenter = mean\n")
    assert "exited" in watch.next_verdict(1)
    watch.save(RIGHT_MEAN)
    assert "solved: tiny/mean core" in watch.next_verdict(2)
    assert watch.stop().code == 0


def test_a_lost_warm_process_is_nobody_s_failure(watch: Watched, workspace: Workspace) -> None:
    """The kernel's memory killer takes what is largest: the next save has to be graded all the same."""
    watch.running.wait_for_workers(4)  # the spares for the next save
    zygote = min(found.pid for found in watch.running.family() if "zygote" in found.command)
    os.kill(zygote, signal.SIGKILL)
    watch.save(RIGHT_MEAN)
    assert "solved: tiny/mean core" in watch.next_verdict(1)
    outcome = watch.stop()
    assert (outcome.code, outcome.err) == (0, "")
    assert [entry.solved for entry in entries_of(workspace)] == [False, True]


def test_a_record_that_cannot_be_written_costs_no_verdict(watch: Watched, workspace: Workspace) -> None:
    log = workspace.database.with_name(f"{workspace.database.name}-wal")
    # a verdict is shown before it is recorded, and SQLite would write its pages over what follows, and mend it
    watch.wait_for(lambda said: bool(entries_of(workspace)) and not log.exists())
    workspace.database.write_bytes(b"no database at all, and long enough to be one" * 50)
    watch.save(marked("second"))
    assert "second" in watch.next_verdict(1)
    watch.wait_for(lambda said: "rebuild-ledger" in said)
    watch.save(marked("third"))
    assert "third" in watch.next_verdict(2)
    assert watch.stop().code == 0


def test_a_seed_gives_the_same_inputs_at_every_save(start_cli: Start, make_workspace: MakeWorkspace) -> None:
    shows = "def mean(values):\n    raise ValueError(repr(values))\n\n\ncenter = mean\n"
    workspace = make_workspace("tiny/mean", shows)
    running = start_cli("watch", "tiny/mean", "--seed", "7", "--only", "one_number", cwd=workspace.root)
    watch = Watched(running, workspace.folder("tiny/mean") / "mean.py")
    first = re.findall(r"\[1\.\d+\]", watch.next_verdict(0))
    watch.save(shows + "# the same again\n")
    assert re.findall(r"\[1\.\d+\]", watch.next_verdict(1)) == first != []
    watch.stop()
    assert entries_of(workspace) == []


def test_in_a_terminal_the_last_verdict_stays_until_the_next(start_cli: Start, workspace: Workspace) -> None:
    with Terminal() as terminal:
        running = start_cli("watch", "tiny/mean", cwd=workspace.root, **terminal.options)
        entry = workspace.folder("tiny/mean") / "mean.py"
        first = len(terminal.wait_for(lambda text: VERDICT in text and "first" in text))
        entry.write_text(STUCK_MEAN)
        running.wait_for_workers(2)
        terminal.wait_for(lambda text: text.count("\n") >= 0)
        meanwhile = terminal.shown()[first:]
        assert CLEAR not in meanwhile
        entry.write_text(RIGHT_MEAN)
        shown = terminal.wait_for(lambda text: "solved: tiny/mean" in text and text.count(VERDICT) == 2)
        assert CLEAR in shown[first:]
        terminal.press(CTRL_C)
        assert running.end().code == 0
        assert terminal.settings() == terminal.settings_before
        assert "Traceback" not in terminal.shown()


class Looking(Session):
    """A session that counts how often somebody looks whether there is something to grade."""

    def __init__(self, workspace: Workspace, location: ProblemLocation, wish: Wish) -> None:
        super().__init__(workspace, location, wish)
        self.looks = threading.Semaphore(0)

    def require_submission(self) -> None:
        self.looks.release()
        super().require_submission()


class Listening:
    """An audience that keeps what it is told."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.outcomes: list[Grade] = []
        self.changed = threading.Condition()

    def begin(self, saved_at: float) -> Listener:
        return Listener()

    def verdict(self, outcome: Grade, seconds_since_save: float) -> None:
        with self.changed:
            self.outcomes.append(outcome)
            self.changed.notify_all()

    def overtaken(self) -> None:
        return

    def problem(self, error: DeepfieldError) -> None:
        self.problems.append(str(error))

    def wait_for_verdicts(self, count: int) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.outcomes) >= count, PATIENCE_SECONDS)


@pytest.mark.parametrize("moment", ["gone", "empty"])
def test_a_file_that_is_not_whole_for_a_moment_is_not_graded(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """However long the moment is: here it lasts until the watch has looked and seen the file as it should not be."""
    monkeypatch.setattr(watching, "_VANISHED_SECONDS", PATIENCE_SECONDS)
    audience, stop = Listening(), threading.Event()
    entry = workspace.folder("tiny/mean") / "mean.py"
    session = Looking(workspace, find_location("tiny/mean"), Wish())
    with session:
        thread = threading.Thread(target=watching.Watch(session, audience, lambda outcome: None).run, args=(stop,))
        thread.start()
        audience.wait_for_verdicts(1)
        session.looks.acquire()
        if moment == "gone":
            entry.unlink()
        else:
            entry.write_text("")
        for _ in range(3):  # the second look shows that the first one was not enough
            assert session.looks.acquire(timeout=PATIENCE_SECONDS)
        entry.write_text(marked("whole again"))
        audience.wait_for_verdicts(2)
        stop.set()
        thread.join()
    assert audience.problems == []
    assert [outcome.files.files["mean.py"] for outcome in audience.outcomes] == [
        *(marked("first").encode(), marked("whole again").encode()),
    ]


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("mean.py", True),
        ("helper.py", True),
        ("data/table.csv", True),
        (".mean.py.swp", False),
        (".mean.py.un~", False),
        ("mean.py~", False),
        ("#mean.py#", False),
        ("4913", False),
        ("mean.pyc", False),
        ("__pycache__/mean.py", False),
        (".deepfield/progress.db", False),
        ("mean.new.py", False),
    ],
)
def test_which_files_are_sources(path: str, counts: bool) -> None:
    assert is_source(Path("/workspace/tiny/mean") / path) is counts
