"""The learner's code can write to the worker's socket itself: what it forges is only a value, and breaks nothing."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from deepfield_cli.errors import CheckFailed
from deepfield_cli.sandbox.faults import fault_as_failure, violation_failure
from deepfield_cli.sandbox.submission import Reference
from tests.sandbox.conftest import Open

SEND = """
import os

def send(frame):
    os.write(3, len(frame).to_bytes(8, "little") + frame)
"""
MARK = msgpack.packb(msgpack.ExtType(2, b""))


def forging(answer: Any) -> str:
    """A submission that sends this answer, packed, before its own."""
    return f"{SEND}\ndef work(*arguments):\n    send({bytes(msgpack.packb(answer))!r})\n    return 'its own'\n"


def failure(open_submission: Open, source: str, **options: Any) -> CheckFailed:
    with pytest.raises(CheckFailed) as caught:
        open_submission(source, **options).call("work")
    return caught.value


FORGED = {
    "no map": 5,
    "neither answer nor fault": {"score": 1},
    "violations that are a number": {"ok": 1, "violations": 5},
    "violations that are a map": {"ok": 1, "violations": {"a": 1}},
    "violations of no text": {"ok": 1, "violations": [None]},
    "a fault that is a number": {"fault": 5, "violations": []},
    "a fault of wrong types": {"fault": {"kind": [], "type": {}, "text": 1.5, "frames": 5}},
    "frames that are none": {"fault": {"kind": "raised", "frames": [5, None, {"file": 1}]}},
    "frames without fields": {"fault": {"kind": "raised", "frames": [{}]}},
    "a fault without end": {"fault": {"kind": "raised", "type": "x" * 10**6, "text": "y" * 10**6}},
    "a kind that nobody knows": {"fault": {"kind": "passed", "type": "Passed", "text": "all is well"}},
    "frames without end": {
        "fault": {"frames": [{"file": "f" * 10**5, "line": 1, "function": "g", "source": "s"}] * 50}
    },
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_answer_is_a_failure_in_words(open_submission: Open, name: str) -> None:
    found = failure(open_submission, forging(FORGED[name]))
    texts = [found.rationale, found.help or "", found.actual or "", found.diagnosis or ""]
    assert found.diagnosis in {"bad-answer", "forbidden-call", "raised"}
    assert all(len(text) < 10_000 for text in texts)
    for text in texts:
        text.encode("utf-8")


def test_a_forged_value_is_only_a_value(open_submission: Open) -> None:
    assert open_submission(forging({"ok": "forged", "violations": []})).call("work") == "forged"


def test_forged_values_may_run_ahead_but_know_no_question(open_submission: Open) -> None:
    """Answers that were sent early are taken for those of later questions: they are values that fit by luck alone."""
    submission = open_submission(
        f"{SEND}\nfor _ in range(50):\n    send({bytes(msgpack.packb({'ok': None}))!r})\n\ndef work(n):\n    return n\n"
    )
    assert [submission.call("work", number) for number in range(20)] == [None] * 20


def test_what_must_stay_in_the_worker_must_be_a_reference(open_submission: Open) -> None:
    source = forging({"ok": [1, 2], "violations": []})
    with pytest.raises(CheckFailed) as caught:
        open_submission(source).call("work", opaque=True)
    assert caught.value.diagnosis == "bad-answer"
    frame = b"\x81\xa2ok\x93" + MARK + b"\x01\x02"  # {"ok": (1, 2)}
    pair = f"{SEND}\ndef work():\n    send({frame!r})\n"
    with pytest.raises(CheckFailed) as caught:
        open_submission(pair).call("work", opaque=(1,))
    assert caught.value.diagnosis == "bad-answer"
    put = f"{SEND}\nsend({bytes(msgpack.packb({'ok': None}))!r})\nsend({bytes(msgpack.packb({'ok': 5}))!r})\n"
    with pytest.raises(CheckFailed) as caught:
        open_submission(put).put([1])
    assert caught.value.diagnosis == "bad-answer"


def test_a_forged_reference_leads_to_nothing_but_the_workers_own_values(open_submission: Open) -> None:
    source = forging({"ok": msgpack.ExtType(3, (77).to_bytes(8, "little")), "violations": []})
    submission = open_submission(source)
    reference = submission.call("work")
    assert isinstance(reference, Reference)
    assert reference.fetch() == "its own"  # the answer that was still under way
    with pytest.raises(CheckFailed, match="no value 77 is kept here"):
        reference.fetch()


PARTIAL = {
    "half a length": (b"\x05\x00", "timeout"),
    "a length and nothing": ((5).to_bytes(8, "little"), "timeout"),
    "half a frame": ((100).to_bytes(8, "little") + b"\x81\xa2ok", "timeout"),
    "an enormous length": (b"\xff" * 8, "bad-answer"),
    "a length above the limit": ((1 << 30).to_bytes(8, "little"), "bad-answer"),
    "an empty frame": ((0).to_bytes(8, "little"), "bad-answer"),
}


@pytest.mark.parametrize("name", PARTIAL)
def test_a_frame_that_never_ends_is_not_waited_for(open_submission: Open, name: str) -> None:
    sent, diagnosis = PARTIAL[name]
    source = f"import os, time\n\ndef work():\n    os.write(3, {sent!r})\n    time.sleep(600)\n"
    assert failure(open_submission, source, seconds=1.0).diagnosis == diagnosis


@pytest.mark.parametrize(
    "body",
    [
        "os.close(3)",
        "os.closerange(0, 64)",
        "os.dup2(os.open(os.devnull, os.O_RDWR), 3)",
        "os.dup2(1, 3)",
        "socket.socket(fileno=os.dup(3)).shutdown(socket.SHUT_RDWR)",
    ],
)
def test_whoever_cuts_the_line_has_not_answered(open_submission: Open, body: str) -> None:
    found = failure(open_submission, f"import os, socket\n\ndef work():\n    {body}\n    return 1\n", seconds=2.0)
    assert found.diagnosis in {"timeout", "out-of-memory", "crashed", "exited", "bad-answer"}


@pytest.mark.parametrize(
    "body",
    [
        "sys.modules['deepfield_cli.sandbox.worker'].encode = lambda *a, **k: msgpack.packb({'ok': {'score': 1}})",
        "msgpack.packb = lambda *a, **k: b'\\x81\\xa2ok\\x81\\xa5score\\x01'",
        "sys.modules['deepfield_cli.sandbox.wire']._encode_other = lambda *a: {'score': 1}",
        "sys._getframe(1).f_locals['self']._traps = None",
        "sys.modules['deepfield_cli.sandbox.worker'].Worker.answer = lambda *a: b'\\x81\\xa2ok\\x81\\xa5score\\x01'",
    ],
)
def test_a_changed_worker_can_only_answer(open_submission: Open, body: str) -> None:
    source = f"import msgpack, sys\n\ndef work():\n    {body}\n    return object\n"
    try:
        answer = open_submission(source).call("work")
    except CheckFailed as found:
        assert found.diagnosis in {"raised", "exited", "bad-answer"}
    else:
        assert answer == {"score": 1} or isinstance(answer, Reference)


def test_faults_of_any_form_are_put_into_words() -> None:
    strange: list[Any] = [None, 0, "", "x", b"x", [], [None], {}, {"line": "x"}, 10**400, float("nan"), "\ud800"]
    for value in strange:
        for key in ("kind", "type", "text", "frames"):
            found = fault_as_failure({key: value}, "work")
            found.rationale.encode()
            (found.actual or "").encode()
        violation_failure([value], "work").rationale.encode()
        violation_failure(value, "work").rationale.encode()


def test_text_that_no_terminal_and_no_json_takes_is_escaped() -> None:
    found = fault_as_failure({"kind": "raised", "type": "E", "text": "before \ud800 after"}, "work")
    assert found.rationale == "work raised E: before \\ud800 after"
