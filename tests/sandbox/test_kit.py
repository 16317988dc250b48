"""Kit modules travel with a probe, all that are needed and nothing else; the learner's code finds none of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepfield_cli.content import kit as module
from deepfield_cli.content.kit import kit_sources
from deepfield_cli.errors import ContentError
from deepfield_cli.sandbox.loading import load_probe
from tests.sandbox.conftest import Open


@pytest.fixture
def kit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kit of a test's own."""
    folder = tmp_path / "graders" / "kit"
    (folder / "counters").mkdir(parents=True)
    files = {
        "__init__.py": "",
        "plain.py": "from graders.kit.deep import BASE\n\ndef total(x):\n    return x + BASE\n",
        "deep.py": "BASE = 40\n",
        "other.py": "raise RuntimeError('nobody asked for it')\n",
        "counters/__init__.py": "from .bytes import moved\n",
        "counters/bytes.py": "from ..deep import BASE\n\ndef moved():\n    return BASE * 2\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(module, "_kit_folder", lambda: folder)
    return folder


PROBE = """
from graders.kit import plain
from graders.kit.counters import moved

def both(module, x):
    return plain.total(x), moved()
"""


@pytest.mark.usefixtures("kit")
def test_what_is_imported_comes_along_with_what_that_imports() -> None:
    found = kit_sources(PROBE)
    assert set(found) == {
        "graders.", "graders.kit.", "graders.kit.plain", "graders.kit.deep", "graders.kit.counters.",
        "graders.kit.counters.bytes",
    }  # fmt: skip


@pytest.mark.usefixtures("kit")
def test_a_probe_without_the_kit_brings_nothing() -> None:
    assert kit_sources("import numpy\nfrom os import path\n") == {}


@pytest.mark.usefixtures("kit")
def test_a_module_that_the_kit_lacks_is_told() -> None:
    with pytest.raises(ContentError, match=r"graders\.kit\.nothing"):
        kit_sources("from graders.kit.nothing import x\n")


@pytest.mark.usefixtures("kit")
def test_the_probe_uses_the_kit_and_the_learner_cannot_find_it(open_submission: Open) -> None:
    source = """
def look():
    import importlib, sys
    found = [name for name in sys.modules if name.startswith('graders')]
    try:
        importlib.import_module('graders.kit.plain')
    except (ImportError, PermissionError):  # not to be found, or not to be read
        return found
    return 'imported'
"""
    submission = open_submission(source, probe=PROBE, kit=kit_sources(PROBE))
    assert submission.probe("both", 2) == (42, 80)
    assert submission.call("look") == []


def test_a_function_of_the_probe_has_its_source() -> None:
    import inspect

    loaded = load_probe("def kernel(x):\n    return x\n", {})
    assert inspect.getsource(loaded.kernel) == "def kernel(x):\n    return x\n"


def test_settings_are_there_when_modules_are_imported(open_submission: Open) -> None:
    source = "import os\n\ndef setting():\n    return os.environ.get('TINY_MODE')\n"
    assert open_submission(source, environment={"TINY_MODE": "1"}).call("setting") == "1"
    assert open_submission(source).call("setting") is None
