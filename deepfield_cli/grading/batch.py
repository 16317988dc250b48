"""Grading many submissions to one problem: an instructor's folder, one result each, whatever any of them does."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.content.packs import ProblemLocation
from deepfield_cli.content.problem import Rung
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.grading.grade import GradeRequest, grade
from deepfield_cli.grading.result import GradeResult
from deepfield_cli.sandbox.pool import WarmPool


@dataclass(frozen=True)
class BatchItem:
    """One submission of a batch: its result, or why there is none; the exit code is that of a grade of it alone."""

    name: str
    result: GradeResult | None
    exit_code: int
    fault: str | None = None


def submissions_in(folder: Path) -> list[Path]:
    """The submissions in a folder: each sub-folder, and each Python file, in order of name.

    Links are left out: one learner's could lead to another's work, or to a solution.
    """
    if not folder.is_dir():
        raise DeepfieldError("no such folder", where=str(folder), fix="--all takes a folder of submissions")
    visible = (path for path in folder.iterdir() if not path.name.startswith((".", "_")))
    found = sorted(path for path in visible if not path.is_symlink() and (path.is_dir() or path.suffix == ".py"))
    if not found:
        raise DeepfieldError("no submission in it", where=str(folder), fix="one folder or .py file per learner")
    return found


def grade_all(
    location: ProblemLocation,
    sources: Sequence[Path],
    *,
    jobs: int,
    rung: Rung = "core",
    seed: int | None = None,
) -> Iterator[BatchItem]:
    """Grade every source with fresh workers, ``jobs`` at a time; yield each as it is done, in no order."""
    cancelled = threading.Event()
    with WarmPool() as pool, ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="submission") as executor:

        def one(source: Path) -> BatchItem:
            request = GradeRequest(location, source, rung=rung, seed=seed, parallel=1)
            try:
                result = grade(request, pool, cancelled=cancelled).result
                return BatchItem(source.name, result, result.exit_code)
            except DeepfieldError as error:  # too large, unreadable: this one has no verdict, the others have theirs
                return BatchItem(source.name, None, error.exit_code, str(error))
            finally:
                pool.tidy()

        futures = [executor.submit(one, source) for source in sources]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:  # Ctrl-C, or nobody reads on: what runs is given up, what waits is never begun
            cancelled.set()
            executor.shutdown(wait=False, cancel_futures=True)
            raise
