"""A submission finds its own files, shadows nothing, and does not get at what is forbidden."""

from __future__ import annotations

import pytest

from deepfield_cli.errors import CheckFailed
from tests.sandbox.conftest import Open

NUMPY_IS_OUT = {"modules": {"numpy": "Write it yourself."}}
EVIL = "import os\nos._exit(0)\n"
LIBRARIES = ("random", "typing", "json", "collections", "msgpack", "torch", "numpy", "regex", "deepfield_cli", "socket")


def test_a_right_answer_is_right_whatever_files_lie_beside_it(open_submission: Open) -> None:
    """An honest learner has a random.py too, and an attacker hopes that the worker imports it."""
    files = {f"{name}.py": EVIL for name in (*LIBRARIES, "conftest", "sitecustomize", "usercustomize")}
    files["deepfield_cli/__init__.py"] = EVIL
    source = "import json, random, typing\n\ndef work(value):\n    return json.loads(json.dumps(value))\n"
    assert open_submission(source, files=files).call("work", [1, "x"]) == [1, "x"]


def test_sibling_files_and_folders_are_found(open_submission: Open) -> None:
    files = {
        "helpers.py": "ONE = 1\n",
        "parts/__init__.py": "",
        "parts/two.py": "from helpers import ONE\nTWO = ONE + 1\n",
    }
    source = "from helpers import ONE\nfrom parts.two import TWO\n\ndef work():\n    return [ONE, TWO]\n"
    assert open_submission(source, files=files).call("work") == [1, 2]


def test_the_module_is_registered_before_it_runs(open_submission: Open) -> None:
    """Dataclasses with postponed annotations look their module up."""
    source = """
from __future__ import annotations
import dataclasses, sys

@dataclasses.dataclass
class Pair:
    left: int = 1
    registered: bool = __name__ in sys.modules

def work():
    return dataclasses.astuple(Pair())
"""
    assert open_submission(source).call("work") == (1, True)


@pytest.mark.parametrize(
    ("source", "diagnosis"),
    [
        ("", "missing-name"),
        ("work = 5", "wrong-signature"),
        ("def work(: pass", "not-loadable"),
        ("import no_such_module", "not-loadable"),
        ("raise RuntimeError", "not-loadable"),
        ("raise NotImplementedError", "not-implemented"),
        ("import sys; sys.exit()", "exited"),
        ("def work(a, b): pass", "wrong-signature"),
        ("\0", "not-loadable"),
        ("# -*- coding: no-such-code -*-", "not-loadable"),
    ],
)
def test_files_that_cannot_be_used(open_submission: Open, source: str, diagnosis: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        open_submission(source).call("work")
    assert caught.value.diagnosis == diagnosis


@pytest.mark.parametrize(
    "attempt",
    [
        "import numpy",
        "from numpy import cumsum",
        "__import__('numpy')",
        "import importlib; importlib.import_module('numpy.linalg')",
        "import sys; sys.modules.pop('numpy', None); import numpy",
        "exec('import numpy')",
    ],
)
def test_a_forbidden_package_says_why(open_submission: Open, attempt: str) -> None:
    with pytest.raises(CheckFailed) as caught:
        open_submission(f"{attempt}\n\ndef work(): pass\n", **NUMPY_IS_OUT).call("work")
    assert "numpy may not be used in this problem: Write it yourself." in caught.value.rationale
