"""What is put in place of a right answer: every kind of target, every answer, every change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepfield_cli.authoring import strange_answers
from deepfield_cli.authoring.strange_answers import ANSWERS, APPLICABLE, CHANGES, REACHED, names, replace, watch

SOURCE = """
def twice(number):
    return 2 * number

class Box:
    size = 3

    def __init__(self, item):
        self.item = item
        self.seen = 0

    @classmethod
    def of(cls, item):
        return cls(item)

    @staticmethod
    def empty():
        return Box(None)

    @property
    def label(self):
        return f"a box with {self.item}"

    def open(self):
        return self.item
"""


@pytest.fixture
def module() -> dict[str, Any]:
    """A submission's names."""
    namespace: dict[str, Any] = {}
    exec(SOURCE, namespace)
    return namespace


TARGETS = [
    ("twice", "twice(4)"),
    ("Box", "Box(4)"),
    ("Box.of", "Box.of(4)"),
    ("Box.empty", "Box.empty()"),
    ("Box.open", "Box(4).open()"),
    ("Box.label", "Box(4).label"),
    ("Box.size", "Box(4).size"),
    ("Box.seen", "Box(4).seen"),
]


@pytest.mark.parametrize(("target", "use"), TARGETS)
def test_one_target_answers_strangely_and_the_others_as_before(module: dict[str, Any], target: str, use: str) -> None:
    others = [expression for name, expression in TARGETS if name not in (target, "Box") and target != "Box"]
    before = {expression: repr(type(eval(expression, module))) for expression in others}
    replace(module, target, "text")
    assert eval(use, module) == "x"
    assert {expression: repr(type(eval(expression, module))) for expression in others} == before


@pytest.mark.parametrize(("target", "use"), TARGETS)
def test_a_watched_target_works_as_before_and_says_once_that_it_was_called(
    module: dict[str, Any], target: str, use: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = eval(use, module)
    watch(module, target)
    first, second = eval(use, module), eval(use, module)
    assert type(first) is type(second) is type(before)
    assert isinstance(before, module["Box"]) or first == second == before
    assert capsys.readouterr().out.splitlines().count(REACHED + target) == 1


def test_calls_are_told_in_the_words_that_the_judge_looks_for(
    module: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    watch(module, "Box.open")
    module["Box"].of(1)
    assert capsys.readouterr().out == ""
    module["Box"].of("a").open()
    reached, applicable = capsys.readouterr().out.splitlines()
    assert reached == REACHED + "Box.open"
    assert applicable.startswith(APPLICABLE + "Box.open|")
    assert "the right answer as text" in applicable
    assert "its first item" not in applicable


def test_the_solutions_own_calls_go_on_as_before(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "strange.py").write_bytes(Path(strange_answers.__file__).read_bytes())
    text = "import strange\n\ndef inner():\n    return 1\n\n\ndef outer():\n    return inner() + 1\n\n\n"
    for name in ("watched", "replaced"):
        edit = (
            "strange.watch(globals(), 'inner')" if name == "watched" else "strange.replace(globals(), 'inner', 'text')"
        )
        (tmp_path / f"{name}.py").write_text(text + edit)
    code = (
        "import sys; sys.path.insert(0, '.'); import watched, replaced\n"
        "print(watched.outer(), replaced.outer(), replaced.inner())\n"
        "watched.inner()"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, env={"PATH": ""}
    )
    first, second, _ = run.stdout.splitlines()
    assert first == "2 2 x"
    assert second == REACHED + "inner"


MADE_OTHERWISE = {
    "a named tuple": "from typing import NamedTuple\n\nclass Box(NamedTuple):\n    item: int\n    size: int = 3\n",
    "a tuple that checks its items": """
class Box(tuple):
    def __new__(cls, item, size=3):
        return super().__new__(cls, (item, size))

    def __repr__(self):
        return f"Box{tuple(self)}"
""",
    "nothing but __new__": """
class Box:
    def __new__(cls, item, size=3):
        box = super().__new__(cls)
        box.item, box.size = item, size
        return box

    def __repr__(self):
        return f"Box({self.item}, {self.size})"
""",
    "both": """
class Box:
    def __new__(cls, item, size=3):
        return super().__new__(cls)

    def __init__(self, item, size=3):
        self.item, self.size = item, size

    def __repr__(self):
        return f"Box({self.item}, {self.size})"
""",
    "a number": "class Box(int):\n    pass\n",
    "a list": "class Box(list):\n    def __init__(self, item):\n        super().__init__([item])\n",
    "a dataclass": "from dataclasses import dataclass\n\n@dataclass(frozen=True)\nclass Box:\n    item: int\n",
    "an error": "class Box(ValueError):\n    pass\n",
    "a subclass": """
class Lid:
    def __new__(cls, item):
        return super().__new__(cls)

class Box(Lid):
    def __repr__(self):
        return "Box"
""",
}


@pytest.mark.parametrize("source", MADE_OTHERWISE.values(), ids=MADE_OTHERWISE)
def test_a_watched_class_is_made_as_before_however_it_is_made(source: str, capsys: pytest.CaptureFixture[str]) -> None:
    module: dict[str, Any] = {"__name__": __name__}
    exec(source, module)
    before = repr(eval("Box(4)", module))
    watch(module, "Box")
    assert [repr(eval("Box(4)", module)) for _ in range(2)] == [before, before]
    assert isinstance(eval("Box(4)", module), module["Box"])
    assert capsys.readouterr().out.splitlines().count(REACHED + "Box") == 1


def test_a_watched_class_without_arguments_is_made_as_before(capsys: pytest.CaptureFixture[str]) -> None:
    module: dict[str, Any] = {}
    exec("class Box:\n    pass\n", module)
    watch(module, "Box")
    assert type(module["Box"]()) is module["Box"]
    assert REACHED + "Box" in capsys.readouterr().out


def test_a_replaced_method_keeps_what_the_class_does_besides(module: dict[str, Any]) -> None:
    replace(module, "Box.seen", "the right answer as text")
    assert module["Box"](4).seen == "0"


RIGHT = [
    ["a", 1.5],
    ("a", [1, 2]),
    {"y": np.arange(6.0).reshape(2, 3), "n": 3},
    np.arange(4),
    "text",
    b"bytes",
    7,
    2.5,
]


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_applies_to_something_and_leaves_the_original_alone(name: str) -> None:
    originals = [repr(answer) for answer in RIGHT]
    changed = []
    for answer in RIGHT:
        namespace: dict[str, Any] = {"answer": lambda answer=answer: answer}
        replace(namespace, "answer", name)
        changed.append(repr(namespace["answer"]()))
    assert changed != originals
    assert [repr(answer) for answer in RIGHT] == originals


@pytest.mark.parametrize("name", [name for name in ANSWERS if "tensor" not in name])
def test_every_answer_is_made_or_raised(name: str, module: dict[str, Any]) -> None:
    replace(module, "twice", name)
    if name in ("a ValueError", "a StopIteration"):
        with pytest.raises((ValueError, StopIteration)):
            module["twice"](4)
    else:
        assert repr(module["twice"](4)) != "8"
        assert repr(module["twice"](number=4)) != "8"


def test_tensors_only_where_the_problem_has_torch() -> None:
    assert not [name for name in names(("numpy",)) if "tensor" in name]
    assert [name for name in names(("torch",)) if "tensor" in name]
    assert [name for name in names(()) if "array" in name] == ["an array of one axis"]
    assert set(names(("torch",))) == {*ANSWERS, *CHANGES}
