"""Packs to judge: a sound one, one in which everything is wrong, and copies of the sound one with one fault each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deepfield_cli.authoring.check import check_problem
from deepfield_cli.authoring.report import ProblemReport
from deepfield_cli.authoring.terms import Terms
from deepfield_cli.content.packs import PACKS_VARIABLE, Pack, ProblemLocation

PACKS = Path(__file__).parent.parent / "packs"
WORDS, BROKEN = PACKS / "words", PACKS / "broken"
TALLY = "words/tally"

FaultyCopy = Callable[..., ProblemLocation]


@pytest.fixture(scope="session")
def sound_report() -> ProblemReport:
    """The judge's report on a problem that is as it should be; made once, with real workers."""
    return check_problem(Pack("words", WORDS).location(TALLY), Terms(runs=2))


@pytest.fixture(scope="session")
def broken_report() -> ProblemReport:
    """The judge's report on a problem in which everything is wrong."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PACKS_VARIABLE, os.pathsep.join(map(str, [WORDS, BROKEN])))
        return check_problem(Pack("broken", BROKEN).location("broken/halve"))


@pytest.fixture
def tally() -> ProblemLocation:
    """The sound problem."""
    return Pack("words", WORDS).location(TALLY)


@pytest.fixture
def faulty_copy(tmp_path: Path, request: pytest.FixtureRequest) -> FaultyCopy:
    """``faulty_copy("problems/words/tally/problem.yaml", old, new)``: the sound problem with one change in one file."""

    def copy(file: str | None = None, old: str = "", new: str | None = None) -> ProblemLocation:
        # suites stay imported under their pack's name, so each copy needs one of its own
        root = tmp_path / f"pack_{abs(hash(request.node.nodeid))}"
        shutil.copytree(WORDS, root, ignore=shutil.ignore_patterns("__pycache__"))
        if file is not None and new is None:
            _remove(root / file)
        elif file is not None and new is not None:
            text = (root / file).read_text(encoding="utf-8")
            assert old in text, f"{file} has no {old!r}"
            (root / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return Pack(root.name, root).location(TALLY)

    return copy


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
