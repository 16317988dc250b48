"""A folder of submissions: one result for each, whatever any of them does to its worker."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import cast

import pytest

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.grading.batch import BatchItem, grade_all, submissions_in
from deepfield_cli.render.batch import batch_line
from tests import processes
from tests.grading.conftest import RIGHT, STUCK, tiny

CRASHES = {
    "exits": "import os\ndef square(number):\n    os._exit(0)\n",
    "segfaults": "import ctypes\ndef square(number):\n    ctypes.string_at(0)\n",
    "kills": "import os, signal\ndef square(number):\n    os.kill(os.getppid(), signal.SIGKILL)\n",
    "aborts": "import os\ndef square(number):\n    os.abort()\n",
}


def write(folder: Path, sources: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    return folder


def results(folder: Path, *, jobs: int = 2, seed: int | None = None) -> dict[str, BatchItem]:
    sources = submissions_in(folder)
    items = list(grade_all(tiny("tiny/square"), sources, jobs=jobs, seed=seed))
    assert len(items) == len(sources)
    return {item.name.removesuffix(".py"): item for item in items}


def test_each_has_its_result_whatever_its_neighbours_do(tmp_path: Path) -> None:
    honest = {f"honest-{number}": RIGHT for number in range(6)}
    wrong = {"doubles": "def square(number):\n    return 2 * number\n", "stub": "def square(number):\n    pass\n"}
    found = results(write(tmp_path / "all", {**honest, **wrong, **CRASHES}), jobs=3)
    assert {name for name, item in found.items() if item.exit_code == 0} == set(honest)
    assert {name for name, item in found.items() if item.exit_code == 1} == {*wrong, *CRASHES}
    assert json.loads(batch_line(found["doubles"], full=False))["diagnosis"] == "doubled"


def test_what_cannot_be_read_has_a_reason_and_the_others_their_results(tmp_path: Path) -> None:
    folder = write(tmp_path / "all", {"honest": RIGHT})
    (folder / "huge.py").write_bytes(b"#" * (33 << 20))
    (folder / "empty").mkdir()
    found = results(folder)
    assert found["honest"].exit_code == 0
    assert (found["huge"].exit_code, found["huge"].result) == (2, None)
    assert "too large" in (found["huge"].fault or "")
    assert found["empty"].exit_code == 1
    assert json.loads(batch_line(found["huge"], full=False)) == {
        "submission": "huge.py",
        "solved": False,
        "score": None,
        "exit_code": 2,
        "fault": found["huge"].fault,
    }


def test_one_seed_gives_all_the_same_inputs(tmp_path: Path) -> None:
    shows = "def square(number):\n    raise ValueError(str(number))\n"
    found = results(write(tmp_path / "all", {"a": shows, "b": shows}), seed=3)
    causes = [item.result.checks[0].cause for item in found.values() if item.result]
    assert len({cause.rationale for cause in causes if cause}) == 1


def test_folders_and_files_are_submissions_and_hidden_ones_are_not(tmp_path: Path) -> None:
    folder = write(tmp_path / "all", {"b": RIGHT, "_draft": RIGHT, ".hidden": RIGHT})
    (folder / "a").mkdir()
    (folder / "notes.txt").write_text("no submission")
    (folder / ".git").mkdir()
    assert [path.name for path in submissions_in(folder)] == ["a", "b.py"]


@pytest.mark.parametrize(("make", "words"), [(False, "no such folder"), (True, "no submission in it")])
def test_a_folder_without_submissions_is_told_in_one_line(tmp_path: Path, make: bool, words: str) -> None:
    folder = tmp_path / "all"
    if make:
        folder.mkdir()
    with pytest.raises(DeepfieldError, match=words):
        submissions_in(folder)


def test_a_batch_that_is_given_up_ends_its_workers(tmp_path: Path) -> None:
    folder = write(tmp_path / "all", {"a-first": RIGHT, **{f"stuck-{number}": STUCK for number in range(4)}})
    items = cast("Generator[BatchItem, None, None]", grade_all(tiny("tiny/square"), submissions_in(folder), jobs=2))
    assert next(items).name == "a-first.py"
    items.close()
    assert [found for found in processes.marked_processes() if "zygote" in found.command] == []


def test_the_full_line_is_the_whole_result(tmp_path: Path) -> None:
    found = results(write(tmp_path / "all", {"honest": RIGHT}))["honest"]
    assert found.result is not None
    document = json.loads(batch_line(found, full=True))
    assert (document.pop("submission"), document.pop("exit_code")) == ("honest.py", 0)
    assert document == found.result.model_dump(mode="json")


def test_a_link_is_no_submission(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "taken.py").symlink_to(tmp_path / "own.py")

    assert [path.name for path in submissions_in(tmp_path)] == ["own.py"]
