"""A failed check as a script: it runs by itself, calls the learner's file where it is, and shows the difference."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepfield_cli.content.packs import find_location
from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading.expectations import ValueMismatch
from deepfield_cli.grading.grade import GradeRequest, grade
from deepfield_cli.grading.repro import write_repro
from deepfield_cli.grading.result import Cause
from deepfield_cli.grading.running import Failure
from deepfield_cli.grading.suite import Check
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.submission import Recorder
from deepfield_cli.sandbox.wire import Tensor
from tests.cli.past.conftest import NEVER_DIVIDES, RIGHT, Ask, Attempt, made_result
from tests.conftest import PATIENCE_SECONDS

# A script is made of what its problem declares.
pytestmark = pytest.mark.usefixtures("tiny_pack")
Note = dict[str, Any]
SCRIPT = Path(".deepfield/repro/tiny-mean/mean_matches/repro.py")


@pytest.fixture(scope="module")
def pool() -> Iterator[WarmPool]:
    """Workers for all tests of this module."""
    with WarmPool() as opened:
        yield opened


def test_a_failed_grade_leaves_a_script_that_shows_the_difference(workspace: Workspace, ask: Ask) -> None:
    _write(workspace, NEVER_DIVIDES)
    assert ask("grade").code == 1

    printed = _run(workspace.root / SCRIPT)

    assert "in the grader: The numbers are added up and never divided by how many there are." in printed
    assert "mean: a float, off by" in printed
    assert "  expected 1." in printed


def test_the_script_is_the_learners_own(workspace: Workspace, ask: Ask) -> None:
    _write(workspace, NEVER_DIVIDES)
    ask("grade")
    text = (workspace.root / SCRIPT).read_text(encoding="utf-8")

    assert "deepfield_cli" not in text
    assert text.startswith("# tiny/mean, check mean_matches\n")
    assert "# diagnosis: sum-not-mean" in text
    assert "# seed " in text
    assert "answer_1 = mean.mean(" in text


def test_repro_writes_it_again_from_the_record(workspace: Workspace, ask: Ask) -> None:
    _write(workspace, NEVER_DIVIDES)
    ask("grade")
    before = (workspace.root / SCRIPT).read_text(encoding="utf-8")
    shutil.rmtree(workspace.repro)

    answer = ask("repro")

    assert answer.code == 0
    assert f"python {SCRIPT}" in answer.out
    assert "sum-not-mean" in answer.out
    assert (workspace.root / SCRIPT).read_text(encoding="utf-8") == before


def test_a_fixed_file_shows_no_difference_and_repro_says_that_it_changed(workspace: Workspace, ask: Ask) -> None:
    _write(workspace, NEVER_DIVIDES)
    ask("grade")
    _write(workspace, RIGHT)

    assert "Your files have changed since that attempt" in ask("repro").out
    assert re.search(r"mean: a float, off by (0|[\d.]+e-1\d) at most", _run(workspace.root / SCRIPT))


def test_an_exception_of_the_learner_comes_out_in_their_file(workspace: Workspace, ask: Ask) -> None:
    _write(workspace, "def mean(values):\n    return values[1000]\n\ndef center(x):\n    return x\n")
    ask("grade")

    ran = _ran(workspace.root / ".deepfield/repro/tiny-mean/one_number/repro.py")

    assert ran.returncode == 1
    assert str(workspace.folder("tiny/mean") / "mean.py") in ran.stderr
    assert ran.stderr.strip().endswith("IndexError: list index out of range")


def test_a_file_that_is_no_python_fails_where_it_does(workspace: Workspace, ask: Ask) -> None:
    _write(workspace, "def mean(values:\n")
    ask("grade")

    ran = _ran(workspace.root / ".deepfield/repro/tiny-mean/one_number/repro.py")

    assert "SyntaxError" in ran.stderr
    assert "mean.py" in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--check", "mean_matchs"], 'did you mean "mean_matches"?'),
        (["--check", "one_number"], "one_number passed in attempt 2"),
        (["--attempt", "1"], "entry 1 is a start, not an attempt"),
        (["--attempt", "50"], "no entry 50"),
        (["tiny/square", "--attempt", "2"], "attempt 2 is at tiny/mean, not at tiny/square"),
        (["tiny/square"], "no attempt yet"),
        (["--data", "nonsense"], "not NAME=PATH"),
    ],
)
def test_what_cannot_be_reproduced_is_one_clear_line(
    workspace: Workspace, attempt: Attempt, ask: Ask, arguments: list[str], complaint: str
) -> None:
    attempt({"mean_matches": "failed"})

    answer = ask("repro", *arguments)

    assert answer.code == 2
    assert complaint in answer.err
    assert answer.err.count("\n") == 1


def test_an_attempt_in_which_nothing_failed_has_no_repro(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt()

    assert "no check failed in attempt 2" in ask("repro").err


def test_a_check_that_no_longer_fails_is_not_made_up(workspace: Workspace, attempt: Attempt, ask: Ask) -> None:
    attempt({"mean_matches": "failed"})

    answer = ask("repro")

    assert answer.code == 2
    assert "mean_matches of attempt 2 does not fail now" in answer.err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("problem", "wrong", "shown"),
    [
        ("llm/attention", "missing_scale", "y: torch.float32 "),
        ("llm/attention", "gradient_overwritten", "the gradient of w_out: torch.float32 "),
        ("llm/attention", "mutates_x", "kept_1: was modified in place"),
        ("llm/bpe", "streams_share_state", "answer_2 = [["),
        ("llm/bpe", "ties_by_last_seen", "the one that was counted last is merged"),
    ],
)
def test_real_mistakes_of_real_problems(pool: WarmPool, tmp_path: Path, problem: str, wrong: str, shown: str) -> None:
    location = find_location(problem)
    entry = tmp_path / "mine" / location.load().entry
    entry.parent.mkdir()
    shutil.copy(location.grader / "wrong" / f"{wrong}.py", entry)
    check = entry.read_text(encoding="utf-8").split()[2]  # "# fails: <check>   diagnosis: ..."
    found = grade(GradeRequest(location, entry.parent, only=(check,)), pool)

    script = write_repro(tmp_path / "repro", entry, found.failures[0], found.result)

    assert shown in _run(script)


@pytest.mark.parametrize(("layout", "strides"), [("contiguous", (24, 8)), ("strided", (48, 16)), ("permuted", (8, 16))])
def test_arrays_lie_in_memory_as_they_did_in_the_grader(tmp_path: Path, layout: str, strides: tuple[int, int]) -> None:
    entry = _entry(tmp_path, "def look(x):\n    return list(x.strides)\n")
    sent = Tensor(np.arange(6.0).reshape(2, 3), kind="numpy", layout=layout)
    note: Note = {"target": "look", "on": None, "positional": [sent], "named": {}, "result": list(strides)}

    assert f"answer_1 = {list(strides)}" in _run(_repro(tmp_path, entry, [note], CheckFailed("It is off.")))


def test_a_changed_argument_is_shown(tmp_path: Path) -> None:
    entry = _entry(tmp_path, "def halve(x):\n    x /= 2\n    return x\n")
    kept: Any = _Number(3)
    notes = [
        {"op": "put", "value": Tensor(np.arange(4.0), kind="numpy"), "result": kept},
        {"op": "call", "target": "halve", "on": None, "positional": [kept], "named": {}, "result": None},
    ]

    printed = _run(_repro(tmp_path, entry, notes, CheckFailed("x was changed", diagnosis="mutates-input")))

    assert "kept_1: was modified in place" in printed


def test_plain_answers_are_compared_from_their_first_difference_on(tmp_path: Path) -> None:
    entry = _entry(tmp_path, "def encode(text):\n    return list(text.encode())\n")
    answer = [104, 105, 33]
    note: Note = {"target": "encode", "on": None, "positional": ["hi!"], "named": {}, "result": answer}
    failure = ValueMismatch("ids differ").comparing({"ids": [104, 105, 34]}, {"ids": answer})

    printed = _run(_repro(tmp_path, entry, [note], failure))

    assert "ids: differs from item 2 on (3 items, 3 expected)" in printed
    assert "expected  [104, 105, 34]" in printed
    assert "got       [104, 105, 33]" in printed


def test_an_answer_that_was_taken_apart_is_still_found(tmp_path: Path) -> None:
    entry = _entry(tmp_path, "def encode(text):\n    return list(text.encode())\n")
    note: Note = {"target": "encode", "on": None, "positional": ["hi"], "named": {}, "result": [104, 105]}
    failure = ValueMismatch("ids differ").comparing({"ids": [104, 106]}, {"ids": [104, 105]})

    assert "ids: differs from item 1 on" in _run(_repro(tmp_path, entry, [note], failure))


def test_what_is_computed_from_several_answers_is_said_to_be(tmp_path: Path) -> None:
    entry = _entry(tmp_path, "def slope(x):\n    return 2.0 * x\n")
    note: Note = {"target": "slope", "on": None, "positional": [3.0], "named": {}, "result": 6.0}
    failure = ValueMismatch("off").comparing({"a difference": np.array(1.0)}, {"a difference": 0.5})

    script = _repro(tmp_path, entry, [note], failure)

    assert "# a difference is computed from several answers" in script.read_text(encoding="utf-8")
    assert "answer_1 = 6.0" in _run(script)


def test_what_the_learner_printed_cannot_become_code(tmp_path: Path) -> None:
    entry = _entry(tmp_path, "def f():\n    return 1\n")
    words = 'x\nraise SystemExit("owned")\r\x1b[31m """ \\ \u2028 raise'
    failure = CheckFailed(words, expected=words, actual=words)
    note: Note = {"target": "f", "on": None, "positional": [], "named": {}, "result": 1}

    printed = _run(_repro(tmp_path, entry, [note], failure))

    assert "answer_1 = 1" in printed
    assert "\x1b" not in printed


@pytest.mark.parametrize(("rung", "seen"), [("core", "1"), ("paper", None)])
def test_variables_of_the_problem_hold_before_anything_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rung: str, seen: str | None
) -> None:
    """Triton reads TRITON_INTERPRET once; at a rung with a GPU the grader does not set it."""
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    entry = _entry(tmp_path, "import os\n\nSEEN = os.environ.get('TRITON_INTERPRET')\n\ndef f(x):\n    return SEEN\n")
    sent = Tensor(np.arange(3.0), kind="torch")
    note: Note = {"target": "f", "on": None, "positional": [sent], "named": {}, "result": None}

    script = _repro(tmp_path, entry, [note], CheckFailed("It is off."), problem="mlsys/softmax-matmul", rung=rung)

    text = script.read_text(encoding="utf-8")
    assert f"answer_1 = {seen!r}" in _run(script)
    assert "import torch" in text
    if seen:
        assert text.index("os.environ[") < min(text.index(line) for line in ("import numpy", "import torch"))
    else:
        assert "environ" not in text


def test_the_script_of_a_check_that_passes_now_is_removed(workspace: Workspace, ask: Ask) -> None:
    place = workspace.repro / "tiny-mean"
    _write(workspace, "def mean(values):\n    return values[1000]\n\ndef center(x):\n    return x\n")
    ask("grade")
    assert _names(place) == {"one_number", "center_matches"}

    _write(workspace, NEVER_DIVIDES)
    ask("grade", "--only", "mean_matches")
    assert _names(place) >= {"one_number", "mean_matches"}  # what was not graded is as it was
    ask("grade")
    assert "one_number" not in _names(place)
    assert "mean_matches" in _names(place)

    _write(workspace, RIGHT)
    assert ask("grade").code == 0
    assert _names(place) == set()


@pytest.mark.parametrize("own", ["the script", "a note beside it", "an input", "a link", "a folder"])
def test_what_the_learner_changed_in_it_stays(workspace: Workspace, ask: Ask, own: str) -> None:
    _write(workspace, NEVER_DIVIDES)
    ask("grade")
    script = workspace.root / SCRIPT
    if own == "the script":
        script.write_text(script.read_text() + "print(1)\n")
    elif own == "a note beside it":
        (script.parent / "notes.txt").write_text("it is the division")
    elif own == "an input":
        script.unlink()
    elif own == "a link":
        (script.parent / "mine.py").symlink_to(workspace.folder("tiny/mean") / "mean.py")
    else:
        (script.parent / "tries").mkdir()
    before = _names(script.parent)

    _write(workspace, RIGHT)
    assert ask("grade").code == 0

    assert _names(script.parent) == before


def test_a_script_that_was_run_is_still_as_it_was_written(workspace: Workspace, ask: Ask) -> None:
    _write(workspace, NEVER_DIVIDES)
    ask("grade")
    _run(workspace.root / SCRIPT)
    (workspace.root / SCRIPT).with_name("__pycache__").mkdir(exist_ok=True)  # a problem with a probe leaves one
    _write(workspace, RIGHT)
    ask("grade")
    assert not (workspace.root / SCRIPT).parent.exists()


def test_a_folder_that_nobody_knows_stays(workspace: Workspace, ask: Ask) -> None:
    strange = workspace.repro / "tiny-mean" / "mean_matches"
    strange.mkdir(parents=True)
    (strange / "repro.py").write_text("print('written before there were notes of it')")
    (workspace.repro / "tiny-mean" / "one_number").write_text("no folder at all")
    _write(workspace, RIGHT)
    assert ask("grade").code == 0
    assert (strange / "repro.py").is_file()
    assert (workspace.repro / "tiny-mean" / "one_number").is_file()


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


class _Number:
    """Stands for a reference: all that a note needs of it is its number."""

    def __new__(cls, number: int) -> Any:
        from deepfield_cli.sandbox.submission import Reference, Submission

        submission: Submission = object.__new__(Submission)
        return Reference(submission, number)


def _entry(folder: Path, source: str) -> Path:
    path = folder / "mine" / "work.py"
    path.parent.mkdir()
    path.write_text(source, encoding="utf-8")
    return path


def _repro(folder: Path, entry: Path, notes: list[Note], error: CheckFailed, **changes: Any) -> Path:
    """The script of a failure that never happened."""
    recorder = Recorder()
    for note in notes:
        recorder.note(note)
    check = Check("mean_matches", "A promise.", "core", (), 1, 20.0, False, lambda: None, ())
    result = made_result({"mean_matches": "failed"}, diagnosis=error.diagnosis)
    cause = Cause(rationale=error.rationale, expected=error.expected, actual=error.actual, diagnosis=error.diagnosis)
    checks = tuple(one.model_copy(update={"cause": cause}) if one.cause else one for one in result.checks)
    result = result.model_copy(update={"checks": checks, **changes})
    return write_repro(folder / "repro", entry, Failure(check, error, recorder), result)


def _write(workspace: Workspace, source: str) -> None:
    (workspace.folder("tiny/mean") / "mean.py").write_text(source, encoding="utf-8")


def _run(script: Path) -> str:
    ran = _ran(script)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _ran(script: Path) -> subprocess.CompletedProcess[str]:
    """Run a script as a learner would, from somewhere else."""
    return subprocess.run(
        [sys.executable, str(script)],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
