"""However a learner's code ends or answers, the check hears it in words, and the next worker is as good as new."""

from __future__ import annotations

from typing import Any

import pytest

from deepfield_cli.errors import CheckFailed
from deepfield_cli.sandbox import process
from deepfield_cli.sandbox.endings import wait_status_text
from deepfield_cli.sandbox.submission import Reference
from tests.sandbox.conftest import Open


def diagnosis(open_submission: Open, body: str, *, imports: str = "import os", **options: Any) -> str | None:
    source = f"{imports}\n\ndef work(*arguments):\n    " + body.replace("\n", "\n    ") + "\n"
    with pytest.raises(CheckFailed) as caught:
        open_submission(source, **options).call("work")
    caught.value.rationale.encode()
    return caught.value.diagnosis


ENDINGS = {
    "os._exit(0)": "exited",
    "os._exit(70)": "exited",
    "raise SystemExit": "exited",
    "raise SystemExit('done')": "exited",
    "os.abort()": "crashed",
    "import ctypes; ctypes.string_at(0)": "crashed",
    "import ctypes; ctypes.CDLL(None).syscall(234, os.getpid(), os.getpid(), 40)": "crashed",
    "import ctypes; ctypes.CDLL(None).syscall(234, os.getpid(), os.getpid(), 15)": "crashed",
    "import signal; signal.setitimer(signal.ITIMER_REAL, 0.01); import time; time.sleep(600)": "crashed",
    "raise NotImplementedError": "not-implemented",
    "raise KeyboardInterrupt": "raised",
    "raise GeneratorExit": "raised",
    "raise StopIteration": "raised",
    "raise MemoryError": "out-of-memory",
    "held = [0]\nwhile True: held *= 2": "out-of-memory",
    "held = bytes(1 << 30)": "out-of-memory",
    "return work(*arguments)": "raised",
    "return (lambda: 1)(2)": "raised",
    "return open('/etc/passwd').read()": "raised",
}


@pytest.mark.parametrize("body", ENDINGS)
def test_every_ending_has_its_word(open_submission: Open, body: str) -> None:
    assert diagnosis(open_submission, body) == ENDINGS[body]


def test_endless_work_is_ended(open_submission: Open) -> None:
    assert diagnosis(open_submission, "while True: pass", seconds=0.5) == "timeout"


HOSTILE_EXCEPTIONS = {
    "its text raises": "def __str__(self): raise ValueError",
    "its text is no text": "def __str__(self): return 5",
    "its text ends the process": "def __str__(self): os._exit(0)",
    "its text has no end": "def __str__(self): return 'x' * 10**7",
    "its text is a subclass": "def __str__(self): return type('T', (str,), {'__getitem__': lambda *a: 5})('x')",
    "its class lies": "__class__ = NotImplementedError",
    "its attributes lie": "def __getattribute__(self, name): raise ValueError",
    "it has a trace of its own": "__traceback__ = None",
}


@pytest.mark.parametrize("base", ["Exception", "BaseException", "SystemExit", "SyntaxError"])
@pytest.mark.parametrize("name", HOSTILE_EXCEPTIONS)
def test_hostile_exceptions_are_failures(open_submission: Open, base: str, name: str) -> None:
    kind = f"class Hostile({base}):\n    {HOSTILE_EXCEPTIONS[name]}\n"
    found = diagnosis(open_submission, "raise Hostile", imports=f"import os\n\n{kind}")
    assert found in {"raised", "exited", "not-implemented", "not-loadable", "bad-answer"}


def test_a_class_whose_name_is_hostile(open_submission: Open) -> None:
    kind = "class Meta(type):\n    @property\n    def __name__(self): raise ValueError\n\n"
    source = f"import os\n\n{kind}class Hostile(Exception, metaclass=Meta): pass\n"
    assert diagnosis(open_submission, "raise Hostile", imports=source) in {"raised", "exited"}


ANSWERS = {
    "10**5000": "bad-answer",
    "(lambda a: (a.append(a), a)[1])([])": "bad-answer",
    "__import__('functools').reduce(lambda inner, _: [inner], range(300), 1)": "bad-answer",
    "__import__('functools').reduce(lambda inner, _: (inner,), range(300), 1)": "bad-answer",
    "[{}] * 1_500_000": "bad-answer",
}


@pytest.mark.parametrize("value", ANSWERS)
def test_answers_that_cannot_be_read_are_failures(open_submission: Open, value: str) -> None:
    assert diagnosis(open_submission, f"return {value}", seconds=120.0) == ANSWERS[value]


def test_a_gigabyte_is_not_taken(open_submission: Open) -> None:
    roomy = {"memory_mb": 1500}
    assert diagnosis(open_submission, "return bytes(140 << 20)", limits=roomy) == "bad-answer"
    assert diagnosis(open_submission, "return bytes(1 << 30)", limits={"memory_mb": 256}) == "out-of-memory"


def test_strange_but_plain_answers_cross(open_submission: Open) -> None:
    source = "import itertools\n\ndef work(value):\n    return value\n\ndef many():\n    yield from itertools.count()\n"
    submission = open_submission(source)
    values: list[Any] = ["\ud800", "\x1b[31m\u202e", 10**4000, [[[[]]]], {(1, ("x",)): [None]}, float("inf"), -0.0]
    for value in values:
        assert repr(submission.call("work", value)) == repr(value)
    endless = submission.call("many")
    assert isinstance(endless, Reference)
    assert endless.take(3) == [0, 1, 2]
    assert endless.take(2) == [3, 4]


def test_threads_that_are_left_running_do_not_hold_anything_up(open_submission: Open) -> None:
    start = "threading.Thread(target=time.sleep, args=(600,)).start()"
    source = f"import threading, time\n\ndef work():\n    {start}\n    return 1\n"
    submission = open_submission(source)
    assert [submission.call("work"), submission.call("work")] == [1, 1]


def test_prints_are_shown_even_if_the_process_dies(open_submission: Open) -> None:
    submission = open_submission("import os\nprint('loading')\n\ndef work():\n    print('dying')\n    os.abort()\n")
    with pytest.raises(CheckFailed):
        submission.call("work")
    assert submission.output() == "loading\ndying\n"


def test_a_flood_is_capped_and_counted(open_submission: Open) -> None:
    submission = open_submission(
        "import os\n\ndef work():\n    for _ in range(40):\n        os.write(1, b'x' * 65536)\n    return 1\n"
    )
    assert submission.call("work") == 1
    submission.close()
    text = submission.output()
    assert len(text) < process.MAXIMUM_OUTPUT_BYTES + 100
    assert "bytes more" in text


def test_bytes_that_are_no_text_are_shown_as_what_they_are(open_submission: Open) -> None:
    submission = open_submission(
        "import os\n\ndef work():\n    os.write(1, b'\\xff\\xfe')\n    print('\\ud800')\n    return 1\n"
    )
    assert submission.call("work") == 1
    submission.output().encode()


def test_a_full_scratch_folder_ends_the_worker(open_submission: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAXIMUM_SCRATCH_BYTES", 3 << 20)
    monkeypatch.setattr(process, "_SCRATCH_INTERVAL_SECONDS", 0.01)
    body = "import time\nfor number in range(9):\n    open(str(number), 'wb').write(bytes(1 << 20))\ntime.sleep(600)"
    assert diagnosis(open_submission, body) == "out-of-memory"


def test_a_thousand_folders_within_each_other_are_survived(
    open_submission: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_SCRATCH_INTERVAL_SECONDS", 0.01)
    body = "import time\nfor _ in range(1500):\n    os.mkdir('d'); os.chdir('d')\ntime.sleep(0.1)\nreturn 1"
    submission = open_submission("import os\n\ndef work():\n    " + body.replace("\n", "\n    ") + "\n")
    assert submission.call("work") == 1


def test_every_way_to_end_can_be_said() -> None:
    for number in range(1, 65):
        assert f"signal {number}" in wait_status_text(number)
    assert wait_status_text(3 << 8) == "ended by itself with exit code 3"
