"""Workers for the tests of every grader, as a grade would start them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.content.problem import Rung
from deepfield_cli.grading import Submission
from deepfield_cli.grading.stage import Stage
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import read_submission, submission_files

PATIENCE_SECONDS = 240.0
Submit = Callable[[Path], AbstractContextManager[Submission]]


class Desk:
    """Lays submissions out and opens them. At rung core, the interpreter stands in for the GPU."""

    def __init__(self, pool: WarmPool) -> None:
        self.pool = pool

    @contextmanager
    def stage(self, location: ProblemLocation, files: Mapping[str, bytes], rung: Rung = "core") -> Iterator[Stage]:
        """A stage with these files."""
        stage = Stage(location, rung)
        try:
            self.pool.start(stage.blueprint)
            stage.lay_out(submission_files(files))
            yield stage
        finally:
            stage.remove()

    @contextmanager
    def submission(self, location: ProblemLocation, source: Path, rung: Rung = "core") -> Iterator[Submission]:
        """A worker with this file or folder; a wrong one that is only a part is laid over the shipped solution."""
        entry = location.load().entry
        files = dict(read_submission(source, entry).files)
        if source.parent.name == "wrong" and source.is_dir():
            files = {**read_submission(location.solutions()[0], entry).files, **files}
        with self.stage(location, files, rung) as stage:
            submission = stage.submission(self.pool, PATIENCE_SECONDS)
            try:
                yield submission
            finally:
                submission.close()
                self.pool.tidy()


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """One warm process for all tests of a module: starting it takes longer than most of them do."""
    with WarmPool() as pool:
        yield Desk(pool)
