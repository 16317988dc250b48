"""Calls as lines of Python: every value that a suite can send can be read back by the script."""

from __future__ import annotations

import ast
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfield_cli.grading.parameters import parameter_names
from deepfield_cli.grading.replay import Replay, quoted
from deepfield_cli.sandbox.submission import Reference, Submission
from deepfield_cli.sandbox.wire import RemoteObject, Stream, Tensor

SOURCE = b"def forward(x, n_heads=2, *, scale=None):\n    ...\n\nclass Model:\n    def fit(self, data): ...\n"
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(value=PLAIN)
def test_every_plain_value_comes_back_as_it_was(value: Any) -> None:
    replay = Replay("m", b"")

    expression = replay.literal(value, "value")

    read_back = eval(expression, {"literal": lambda name: ast.literal_eval(replay.texts[name]), "float": float})
    assert _same(read_back, value)


@given(text=st.text())
def test_quoted_text_is_the_same_text_on_one_line(text: str) -> None:
    literal = quoted(text)

    assert ast.literal_eval(literal) == text
    assert len(literal.splitlines()) == 1


def test_lone_surrogates_can_be_written_to_a_file(tmp_path: Path) -> None:
    replay = Replay("m", b"")
    (tmp_path / "script.py").write_text(replay.literal("\ud800 and \u202e", "value"), encoding="utf-8")

    assert ast.literal_eval((tmp_path / "script.py").read_text(encoding="utf-8")) == "\ud800 and \u202e"


def test_a_call_names_its_arrays_after_the_learners_parameters() -> None:
    replay = _written(_call("forward", [Tensor(np.zeros((2, 3), np.float32), layout="strided"), 4], scale=0.5))

    assert replay.lines == [
        'x_1 = tensor("x_1", layout="strided")  # float32 [2, 3], strided',
        "answer_1 = m.forward(x_1, 4, scale=0.5)",
    ]
    assert replay.arrays["x_1"].shape == (2, 3)


def test_equal_arrays_are_stored_once() -> None:
    first, second = (Tensor(np.arange(4.0)) for _ in range(2))

    replay = _written(_call("forward", [first]), _call("forward", [second]))

    assert 'x_2 = tensor("x_1")  # float64 [4]' in replay.lines
    assert list(replay.arrays) == ["x_1"]


def test_what_numpy_has_no_type_for_is_converted_in_the_script() -> None:
    tensor = Tensor(np.zeros(2, np.float32), dtype="bfloat16", requires_grad=True)

    assert (
        'x_1 = tensor("x_1").to(torch.bfloat16).requires_grad_()  # bfloat16 [2]'
        in _written(_call("forward", [tensor])).lines
    )


def test_references_become_the_variables_that_hold_them() -> None:
    cache = _reference(7)
    replay = _written(
        _call("forward", [1], result=(Tensor(np.zeros(1)), {"kept": cache})),
        _call("backward", [cache]),
        _call("step", [], on=7),
    )

    assert 'answer_2 = m.backward(answer_1[1]["kept"])' in replay.lines
    assert 'answer_3 = answer_1[1]["kept"].step()' in replay.lines


def test_the_other_operations_are_replayed_too() -> None:
    kept, model = _reference(1), _reference(2)
    owner = [RemoteObject(2)]
    replay = _written(
        {"op": "put", "value": Tensor(np.zeros(2), kind="numpy"), "result": kept},
        _call("Model", [kept], result=model),
        {"op": "get", "target": "weights", "on": owner, "result": [1, 2]},
        {"op": "take", "value": RemoteObject(2), "count": 3, "result": [1, 2, 3]},
        {"op": "fetch", "value": RemoteObject(1), "result": None},
        {"op": "probe", "function": "count", "positional": [model, 5], "named": {}, "result": 1},
    )

    assert [line for line in replay.lines if line] == [
        'kept_1 = array("kept_1")  # float64 [2]',
        "answer_2 = m.Model(kept_1)",
        "answer_3 = answer_2.weights",
        "answer_4 = list(itertools.islice(answer_2, 3))",
        "answer_6 = probe.count(m, answer_2, 5)",
    ]
    assert replay.kept == {"kept_1": "kept_1"}


def test_a_generator_and_a_long_text_get_lines_of_their_own() -> None:
    replay = _written(_call("forward", [Stream(["a", "b"]), "long " * 100]))

    assert replay.lines == [
        'x_1 = (item for item in ["a", "b"])  # a generator of 2 items',
        'n_heads_1 = literal("n_heads_1")  # str, 500 characters',
        "answer_1 = m.forward(x_1, n_heads_1)",
    ]
    assert ast.literal_eval(replay.texts["n_heads_1"]) == "long " * 100


def test_many_calls_are_cut_down_to_what_led_to_the_comparison() -> None:
    model, answer = _reference(1), [1, 2]
    noise = [_call("forward", [number]) for number in range(20)]
    notes = [_call("Model", [], result=model), *noise, _call("run", [3], on=1, result=answer), *noise]

    replay = Replay("m", SOURCE)
    replay.write(notes, [answer])

    assert [line for line in replay.lines if line] == [
        "# 40 calls on whose answers nothing below depends are left out.",
        "answer_1 = m.Model()",
        "answer_2 = answer_1.run(3)",
    ]


def test_it_stops_and_says_so_where_a_step_is_not_on_record() -> None:
    replay = _written(_call("forward", [1]), _call("forward", [_reference(99)]), _call("forward", [2]))

    assert replay.lines[-1].startswith("# From here on it cannot be replayed")


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("forward", ["x", "n_heads"]),
        ("Model.fit", ["data"]),
        ("Model.missing", []),
        ("missing", []),
        ("Missing.fit", []),
    ],
)
def test_parameters_are_read_and_never_run(target: str, names: list[str]) -> None:
    assert parameter_names(SOURCE, target) == names


@pytest.mark.parametrize("source", [b"def (", b"\xff\xfe", b"", b"x = " + b"(" * 5000])
def test_a_broken_file_has_no_parameters(source: bytes) -> None:
    assert parameter_names(source, "forward") == []


def _written(*notes: dict[str, Any]) -> Replay:
    replay = Replay("m", SOURCE)
    replay.write(list(notes), [])
    replay.lines = [line for line in replay.lines if line]
    return replay


def _call(target: str, positional: list[Any], *, on: int | None = None, result: Any = None, **named: Any) -> Any:
    return {"target": target, "on": on, "positional": positional, "named": named, "result": result}


def _reference(number: int) -> Reference:
    submission: Submission = object.__new__(Submission)
    return Reference(submission, number)


def _same(first: Any, second: Any) -> bool:
    """Equal in value and type, all the way down; NaN is itself."""
    if type(first) is not type(second):
        return False
    if isinstance(first, float):
        return first == second or (math.isnan(first) and math.isnan(second))
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    if isinstance(first, dict):
        return list(first) == list(second) and all(map(_same, first.values(), second.values()))
    return bool(first == second)
