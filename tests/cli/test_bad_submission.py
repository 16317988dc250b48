"""Submissions that fail in every way there is: the learner is told in words, and nothing of theirs is touched."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deepfield_cli.grading.grade import GradeRequest, grade
from deepfield_cli.grading.result import CheckResult, GradeResult
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.sandbox import landlock
from deepfield_cli.sandbox.pool import WarmPool
from tests import processes
from tests.cli.conftest import RIGHT_MEAN, RIGHT_SQUARE, RunHere, belongings, entries_of
from tests.conftest import TINY_PACK, MakeWorkspace
from tests.grading.conftest import tiny

IN_SQUARE = "def square(number):\n    {}\n"


def graded(run_here: RunHere, workspace: Workspace, problem: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the document of a grade that touches nothing and says nothing but its document."""
    before = belongings(workspace)
    outcome = run_here("grade", problem, "--json", cwd=workspace.root)
    assert outcome.err == ""
    before.kept_in(workspace)
    document: dict[str, Any] = json.loads(outcome.out)
    assert [entry.solved for entry in entries_of(workspace)] == [document["solved"]]
    assert all(one["outcome"] != "errored" for one in document["checks"])
    return outcome.code, document


def first_cause(document: dict[str, Any]) -> dict[str, Any]:
    cause: dict[str, Any] = next(one["cause"] for one in document["checks"] if one["outcome"] == "failed")
    for text in (cause["rationale"], cause["actual"] or "", cause["expected"] or ""):
        assert "Traceback" not in text
        assert len(text.splitlines()) <= 13
    return cause


# Files that are no program

NO_PROGRAM = {
    "empty": (b"", "missing-name", "square: square.py has no square"),
    "only-a-comment": (b"# later\n", "missing-name", "square: square.py has no square"),
    "syntax-error": (b"def square(number)\n    return 1\n", "not-loadable", "SyntaxError (square.py:1): expected ':'"),
    "bad-indentation": (
        b"def square(n):\nreturn 1\n",
        "not-loadable",
        "SyntaxError (square.py:2): expected an indented",
    ),
    "null-bytes": (b"a\x00b\n", "not-loadable", "null bytes"),
    "no-text": (b"\xff\xfe\x00\x01", "not-loadable", "SyntaxError"),
    "missing-library": (b"import nothing_like_it\n", "not-loadable", "No module named 'nothing_like_it'"),
    "raises-at-import": (
        b"1 / 0\n",
        "not-loadable",
        "square.py raised ZeroDivisionError (square.py:1): division by zero",
    ),
    "exits-at-import": (b"import sys\nsys.exit(3)\n", "exited", "square.py ended the process by SystemExit(3)"),
    "dies-at-import": (b"import os\nos._exit(0)\n", "exited", "exit code 0 while square.py ran"),
    "is-another-thing": (b"square = 9\n", "wrong-signature", "'int' object is not callable"),
    "other-parameters": (b"def square():\n    return 9\n", "wrong-signature", "takes 0 positional arguments but 1 was"),
    "imports-itself": (b"from square import square\n", "not-loadable", "cannot import name 'square'"),
}


@pytest.mark.parametrize("name", NO_PROGRAM)
def test_a_file_that_is_no_program(run_here: RunHere, make_workspace: MakeWorkspace, name: str) -> None:
    source, diagnosis, words = NO_PROGRAM[name]
    code, document = graded(run_here, make_workspace("tiny/square", source), "tiny/square")
    cause = first_cause(document)
    assert (code, cause["diagnosis"]) == (1, diagnosis), cause
    assert words in cause["rationale"]


# Code that does not give an answer

NO_ANSWER = {
    "stub": ("raise NotImplementedError", "not-implemented"),
    "raises": ("raise ValueError('\\ud800\\x1b[31m')", "raised"),
    "raises-what-cannot-be-shown": (
        "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0, '__repr__': lambda self: 1 / 0})",
        "raised",
    ),
    "raises-a-base-exception": ("raise KeyboardInterrupt", "raised"),
    "sys-exit": ("import sys; sys.exit(0)", "exited"),
    "os-exit": ("import os; os._exit(0)", "exited"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "crashed"),
    "abort": ("import os; os.abort()", "crashed"),
    "recursion": ("return square(number)", "raised"),
    "kills-itself": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", None),
    "a-hundred-gigabytes": ("return len(bytearray(100 << 30))", "out-of-memory"),
    "grows-in-a-global": (
        "globals()['kept'] = kept = []\n    while True: kept.append(bytes(1 << 16))",
        "out-of-memory",
    ),
    "grows-without-end": ("kept = []\n    while True: kept.append(bytes(1 << 20))", "out-of-memory"),
    "a-large-answer": ("return bytes(400 << 20)", None),
    "an-answer-of-many-parts": ("return [0] * 30_000_000", None),
    "a-generator": ("yield number * number", "wrong-type"),
    "a-coroutine": ("async def later(): return 9\n    return later()", None),
    "nothing": ("pass", "wrong-type"),
    "a-float": ("return float(number * number)", "wrong-type"),
    "nan": ("return float('nan')", "wrong-type"),
    "a-type": ("return int", "wrong-type"),
    "itself": ("answer = []; answer.append(answer)\n    return answer", "bad-answer"),
    "a-fork-bomb": ("import os\n    while True: os.fork()", "raised"),
    "a-subprocess": ("import subprocess; return int(subprocess.check_output(['echo', str(number ** 2)]))", "raised"),
    "closes-its-socket": ("import os; os.closerange(0, 100)\n    return number * number", None),
    "fills-the-disk": ("open('big', 'wb').write(bytes(1 << 20) * 700)\n    return 1", None),
}


@pytest.mark.parametrize("name", NO_ANSWER)
@pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning")
def test_code_that_gives_no_answer(run_here: RunHere, make_workspace: MakeWorkspace, name: str) -> None:
    body, diagnosis = NO_ANSWER[name]
    workspace = make_workspace("tiny/square", IN_SQUARE.format(body))
    code, document = graded(run_here, workspace, "tiny/square")
    cause = first_cause(document)
    assert (code, document["solved"], document["score"]) == (1, False, 0.0)
    assert diagnosis is None or cause["diagnosis"] == diagnosis, cause
    assert cause["help"]


STUCK = {
    "in-the-call": IN_SQUARE.format("while True: pass"),
    "at-import": "while True:\n    pass\n",
    "deaf-to-signals": "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n"
    "    except OSError: pass\n" + IN_SQUARE.format("while True: pass"),
    "printing": IN_SQUARE.format("while True: print('x' * 1000)"),
    "sleeping": IN_SQUARE.format("import time; time.sleep(600)"),
}


@pytest.mark.parametrize("name", STUCK)
def test_code_that_never_ends(run_here: RunHere, make_workspace: MakeWorkspace, name: str) -> None:
    code, document = graded(run_here, make_workspace("tiny/impatient", STUCK[name]), "tiny/impatient")
    assert (code, first_cause(document)["diagnosis"]) == (1, "timeout")
    assert len(document["checks"][0]["output"]) < 70_000


# Right answers with noise


def test_a_flood_of_output_is_cut_and_the_answer_counts(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    flood = IN_SQUARE.format("print('x' * 20_000_000)\n    return number * number")
    code, document = graded(run_here, make_workspace("tiny/square", flood), "tiny/square")
    assert code == 0
    output = document["checks"][0]["output"]
    assert len(output) < 70_000
    assert output.endswith("bytes more")


def test_what_is_printed_cannot_steer_the_terminal(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    source = IN_SQUARE.format("print('\\x1b[2J\\x1b]0;title\\x07 \\u202e evil [bold]x[/bold]')\n    return 0")
    outcome = run_here("grade", "tiny/square", cwd=make_workspace("tiny/square", source).root)
    assert outcome.code == 1
    assert "\x1b" not in outcome.out
    assert "\u202e" not in outcome.out
    assert "\\x1b[2J\\x1b]0;title\\x07 \\u202e evil [bold]x[/bold]" in outcome.out


def test_threads_left_running_end_with_the_worker(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    source = (
        "import threading\n\ndef spin():\n    while True: pass\n\n"
        "def square(number):\n    for daemon in (True, False):\n"
        "        threading.Thread(target=spin, daemon=daemon).start()\n    return number * number\n"
    )
    code, _ = graded(run_here, make_workspace("tiny/square", source), "tiny/square")
    assert code == 0
    assert [found for found in processes.marked_processes() if "zygote" in found.command] == []


# What the worker may not touch


@pytest.fixture
def confined() -> None:
    """Only Landlock keeps a worker from reading what its user may read."""
    if landlock.version() == 0:
        pytest.skip("this kernel has no Landlock: files are not protected, and each result says so")


def reads(path: Path) -> str:
    """Right if and only if the file (or folder) can be read."""
    return (
        "import os\n\ndef square(number):\n"
        f"    path = {str(path)!r}\n"
        "    seen = os.listdir(path) if os.path.isdir(path) else open(path, 'rb').read()\n"
        "    return number * number\n"
    )


@pytest.mark.usefixtures("confined")
@pytest.mark.parametrize("target", ["ledger", "suite", "graders", "solution", "home", "workspace", "passwords"])
def test_what_is_not_the_worker_s_cannot_be_read(
    run_here: RunHere, make_workspace: MakeWorkspace, clean_environment: Path, target: str
) -> None:
    workspace = make_workspace("tiny/square")
    (clean_environment / "secret").write_text("mine")
    path = {
        "ledger": workspace.database,
        "suite": TINY_PACK / "graders/tiny/square/suite.py",
        "graders": TINY_PACK / "graders",
        "solution": TINY_PACK / "graders/tiny/square/solutions/times.py",
        "home": clean_environment / "secret",
        "workspace": workspace.folder("tiny/square") / "README.md",
        "passwords": Path("/etc/passwd"),
    }[target]
    assert path.exists()
    (workspace.folder("tiny/square") / "square.py").write_text(reads(path))
    code, document = graded(run_here, workspace, "tiny/square")
    assert code == 1
    assert "PermissionError" in first_cause(document)["rationale"]


@pytest.mark.usefixtures("confined")
def test_nothing_is_written_outside(run_here: RunHere, make_workspace: MakeWorkspace, clean_environment: Path) -> None:
    workspace = make_workspace("tiny/square")
    places = [workspace.root, workspace.private, workspace.folder("tiny/square"), clean_environment, Path("/tmp")]
    source = (
        "def square(number):\n    written = 0\n"
        f"    for place in {[str(place) for place in places]!r}:\n"
        "        try:\n            open(place + '/deepfield-was-here', 'w').write('x')\n            written += 1\n"
        "        except OSError:\n            pass\n"
        "    return number * number if written else -1\n"
    )
    (workspace.folder("tiny/square") / "square.py").write_text(source)
    code, _ = graded(run_here, workspace, "tiny/square")
    assert code == 1
    assert not any((place / "deepfield-was-here").exists() for place in places)


@pytest.fixture
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A port of this machine, and who has called at it."""
    callers: list[Any] = []
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            try:
                while True:
                    caller, _ = server.accept()
                    callers.append(caller)
                    caller.close()
            except OSError:
                return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1], callers
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_no_network(run_here: RunHere, make_workspace: MakeWorkspace, listener: tuple[int, list[Any]]) -> None:
    port, callers = listener
    with socket.create_connection(("127.0.0.1", port)):
        pass  # the port answers
    source = IN_SQUARE.format(
        f"import socket; socket.create_connection(('127.0.0.1', {port}), timeout=5).close(); return number * number"
    )
    code, document = graded(run_here, make_workspace("tiny/square", source), "tiny/square")
    if "seccomp" not in document["isolation"] and "landlock" not in document["isolation"]:
        pytest.skip("this kernel has neither seccomp nor Landlock: the network is not closed, and each result says so")
    assert code == 1
    assert "PermissionError" in first_cause(document)["rationale"]
    assert len(callers) == 1


# Answers that lie

LIES = {
    "equal-to-everything": "class Yes(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"
    + IN_SQUARE.format("return Yes(7)"),
    "an-object-equal-to-everything": "class Yes:\n    def __eq__(self, other): return True\n"
    + IN_SQUARE.format("return Yes()"),
    "a-subclass-that-changes-its-mind": "class Late(int):\n    def __int__(self): return 1 / 0\n"
    + IN_SQUARE.format("return Late(7)"),
    "true": IN_SQUARE.format("return True"),
    "digits": IN_SQUARE.format("return str(number * number)"),
    "a-list-with-the-answer": IN_SQUARE.format("return [number * number]"),
    "patches-the-wire": "import msgpack\nmsgpack.packb = lambda *a, **k: b'\\x81\\xa2ok\\x07'\n"
    + IN_SQUARE.format("return 7"),
    "patches-the-worker": "import sys\nworker = sys.modules['deepfield_cli.sandbox.worker']\n"
    "worker.encode = lambda *a, **k: b'garbage'\n" + IN_SQUARE.format("return 7"),
    "patches-builtins": "import builtins\nbuiltins.isinstance = lambda *a: True\n" + IN_SQUARE.format("return 7"),
}


@pytest.mark.parametrize("name", LIES)
def test_an_answer_that_lies_is_wrong(run_here: RunHere, make_workspace: MakeWorkspace, name: str) -> None:
    code, document = graded(run_here, make_workspace("tiny/square", LIES[name]), "tiny/square")
    assert (code, document["score"]) == (1, 0.0)


MEAN_LIES = {
    "patched-numpy": "import numpy, numpy.testing\n"
    "for name in ('allclose', 'isclose', 'array_equal', 'all', 'array_equiv'):\n"
    "    setattr(numpy, name, lambda *a, **k: True)\n"
    "numpy.testing.assert_allclose = lambda *a, **k: None\n"
    "def mean(values): return 7.0\ndef center(x): return x\n",
    "array-subclass": "import numpy\nclass Yes(numpy.ndarray):\n"
    "    def __sub__(self, other): return numpy.zeros(1).view(Yes)\n    __rsub__ = __sub__\n"
    "    def __eq__(self, other): return True\n    def tobytes(self, *a): return b''\n"
    "def mean(values): return numpy.array(7.0).view(Yes)\ndef center(x): return x.view(Yes)\n",
    "nan": "def mean(values): return float('nan')\ndef center(x): return x * float('nan')\n",
    "infinite": "def mean(values): return float('inf')\ndef center(x): return x / 0.0\n",
    "wrong-dtype": RIGHT_MEAN.replace(
        "return x - x.sum() / x.size", "return (x - x.sum() / x.size).astype('float32')"
    ).replace("return sum(values) / len(values)", "return str(sum(values) / len(values))"),
    "wrong-shape": "def mean(values): return [sum(values) / len(values)]\n"
    "def center(x): return (x - x.sum() / x.size)[:, None]\n",
    "objects": "import numpy\ndef mean(values): return numpy.array([None], dtype=object)\n"
    "def center(x): return x.astype(object)\n",
    "integer-beyond-floats": "def mean(values): return 10 ** 400\ndef center(x): return 10 ** 5000\n",
}


@pytest.mark.parametrize("name", MEAN_LIES)
def test_an_array_that_lies_is_wrong(run_here: RunHere, make_workspace: MakeWorkspace, name: str) -> None:
    code, document = graded(run_here, make_workspace("tiny/mean", MEAN_LIES[name]), "tiny/mean")
    outcomes = {one["name"]: one["outcome"] for one in document["checks"]}
    assert code == 1
    assert (outcomes["one_number"], outcomes["mean_matches"], outcomes["center_matches"]) == (
        *("failed", "skipped", "failed"),
    )


def test_an_input_changed_in_place_is_noticed(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    source = RIGHT_MEAN.replace("return x - x.sum() / x.size", "x -= x.sum() / x.size\n    return x")
    code, document = graded(run_here, make_workspace("tiny/mean", source), "tiny/mean")
    assert (code, first_cause(document)["diagnosis"]) == (1, "mutates-input")


@pytest.mark.parametrize(
    "source",
    [
        "import numpy\n" + RIGHT_MEAN.replace("sum(values) / len(values)", "float(numpy.mean(values))"),
        "import numpy\n"
        + RIGHT_MEAN.replace("sum(values) / len(values)", "float(getattr(numpy, 'me' + 'an')(values))"),
        "import statistics\n" + RIGHT_MEAN.replace("sum(values) / len(values)", "statistics.fmean(values)"),
    ],
    ids=["call", "by-another-name", "module"],
)
def test_what_is_forbidden_is_told_with_the_rule(run_here: RunHere, make_workspace: MakeWorkspace, source: str) -> None:
    code, document = graded(run_here, make_workspace("tiny/mean", source), "tiny/mean")
    assert code == 1
    assert "The average is what you are to write." in first_cause(document)["rationale"]


# What only tensors can do


@pytest.fixture(scope="module")
def torch_pool() -> Iterator[WarmPool]:
    with WarmPool() as pool:
        yield pool


TENSOR_LIES = {
    "subclass": "class Yes(torch.Tensor):\n    @classmethod\n"
    "    def __torch_function__(cls, *a, **k): return True\n    def __eq__(self, other): return True\n"
    "def twice(x): return x.as_subclass(Yes)\n",
    "patched-torch": "torch.allclose = torch.equal = lambda *a, **k: True\ntorch.Tensor.__eq__ = lambda *a: True\n"
    "torch.Tensor.numpy = lambda self, *a, **k: 1 / 0\ndef twice(x): return x\n",
    "wrong-dtype": "def twice(x): return (2 * x).double()\n",
    "half": "def twice(x): return (2 * x).bfloat16()\n",
    "nan": "def twice(x): return x * float('nan')\n",
    "meta": "def twice(x): return (2 * x).to('meta')\n",
    "sparse": "def twice(x): return (2 * x).to_sparse()\n",
    "broadcasts": "def twice(x): return (2 * x)[None]\n",
    "a-gigabyte": "def twice(x): return torch.zeros(1 << 28)\n",
    "torch-out-of-memory": "def twice(x): return torch.zeros(1 << 40)\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TENSOR_LIES)
def test_a_tensor_that_lies_is_wrong(torch_pool: WarmPool, tmp_path: Path, name: str) -> None:
    result = graded_with(torch_pool, tmp_path, "import torch\n" + TENSOR_LIES[name])
    assert (result.outcome, result.cause is not None) == ("failed", True), result


@pytest.mark.slow
def test_an_honest_tensor_is_right_whatever_it_is_made_of(torch_pool: WarmPool, tmp_path: Path) -> None:
    for body in (
        "2 * x",
        "(x.T.contiguous().T * 2).requires_grad_()",
        "torch.nn.Parameter(x + x)",
        "(x * 2).expand(2, 3)",
    ):
        result = graded_with(torch_pool, tmp_path, f"import torch\n\ndef twice(x):\n    return {body}\n")
        assert result.outcome == "passed", (body, result)


def graded_with(pool: WarmPool, folder: Path, source: str) -> CheckResult:
    path = folder / "twice.py"
    path.write_text(source)
    result: GradeResult = grade(GradeRequest(tiny("tiny/tensor"), path), pool).result
    return result.checks[0]


# Folders


def test_a_folder_that_is_too_large_is_told_before_anything_runs(
    run_here: RunHere, make_workspace: MakeWorkspace
) -> None:
    workspace = make_workspace("tiny/square", RIGHT_SQUARE)
    (workspace.folder("tiny/square") / "data.bin").write_bytes(bytes(40 << 20))
    outcome = run_here("grade", "tiny/square", cwd=workspace.root)
    assert outcome.code == 2
    assert "the submission is too large" in outcome.complaint
    assert entries_of(workspace) == []


def test_links_and_pipes_are_left_out(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/square", RIGHT_SQUARE)
    folder = workspace.folder("tiny/square")
    (folder / "link.py").symlink_to("/etc/passwd")
    (folder / "loop").symlink_to(folder)
    os.mkfifo(folder / "pipe")
    outcome = run_here("grade", "tiny/square", "--json", cwd=workspace.root)
    assert outcome.code == 0
    assert json.loads(outcome.out)["submission_files"] == ["README.md", "square.py"]


def test_a_file_named_like_a_library_shadows_nothing(run_here: RunHere, make_workspace: MakeWorkspace) -> None:
    workspace = make_workspace("tiny/mean", "import numpy, json, helper\n\n\n" + RIGHT_MEAN)
    folder = workspace.folder("tiny/mean")
    for name in ("numpy", "json", "msgpack", "sitecustomize", "conftest"):
        (folder / f"{name}.py").write_text("raise RuntimeError('shadowed')\n")
    (folder / "helper.py").write_text("value = 1\n")
    code, _ = graded(run_here, workspace, "tiny/mean")
    assert code == 0
