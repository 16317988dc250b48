"""The private folder in which one grade is laid out, and what its workers are told about it."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from deepfield_cli.content.kit import kit_sources
from deepfield_cli.content.packs import ProblemLocation, packs
from deepfield_cli.content.problem import Rung
from deepfield_cli.errors import SandboxError
from deepfield_cli.grading.leftovers import make_held_folder
from deepfield_cli.grading.loading import load_suite, probe_source
from deepfield_cli.sandbox.blueprint import Blueprint
from deepfield_cli.sandbox.clearing import remove_tree
from deepfield_cli.sandbox.limits import Limits
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import SubmissionFiles, read_submission
from deepfield_cli.sandbox.submission import Submission


class Stage:
    """A folder for one grade; made ahead of time, workers can be confined to it before there is anything in it.

    Args:
        location: the problem.
        rung: whose limits hold.
        hidden: more folders that no worker may read.
        data: files and folders that a worker may read.

    """

    def __init__(
        self,
        location: ProblemLocation,
        rung: Rung = "core",
        hidden: Sequence[Path] = (),
        data: Sequence[Path] = (),
    ) -> None:
        with _room_needed():
            self.root, self._lock = make_held_folder()
            for name in ("submission", "shipped", "scratch"):
                (self.root / name).mkdir()
        self._location = location
        self._problem = location.load()
        self._hidden = [str(path) for path in hidden]
        self._data = [str(path.resolve()) for path in data]
        self.blueprint = self._blueprint("submission", rung)
        self._shipped = self._blueprint("shipped", rung)
        self._shipped_laid_out = False

    def lay_out(self, files: SubmissionFiles) -> None:
        """Write the learner's files; once per stage."""
        with _room_needed():
            files.write_to(self.blueprint.folder)

    def submission(self, pool: WarmPool, seconds: float, kept: Path | None = None) -> Submission:
        """A fresh worker's view of the learner's files; ``kept``: the folder it is to use as its scratch."""
        return Submission(pool, replace(_within(self.blueprint, seconds), kept=kept), call_seconds=seconds)

    def shipped(self, pool: WarmPool, seconds: float) -> Submission:
        """A fresh worker's view of the shipped solution."""
        if not self._shipped_laid_out:
            self._shipped_laid_out = True
            read_submission(self._location.solutions()[0], self._problem.entry).write_to(self._shipped.folder)
        return Submission(pool, _within(self._shipped, seconds), call_seconds=seconds)

    def warm(self, pool: WarmPool, spares: int) -> None:
        """Fork and confine spare workers for this stage."""
        longest = max(check.timeout_seconds for check in load_suite(self._location).checks)
        pool.refill(_within(self.blueprint, longest), spares)

    def remove(self) -> None:
        """Delete the folder; nothing may be asked of the stage afterwards."""
        remove_tree(self.root)
        os.close(self._lock)

    def _blueprint(self, folder: str, rung: Rung) -> Blueprint:
        problem, spec = self._problem, self._problem.rungs[rung]
        modules = {rule.module: rule.reason for rule in problem.forbidden if rule.module}
        probe = probe_source(self._location)
        return Blueprint(
            folder=self.root / folder,
            entry=problem.entry,
            scratch=self.root / "scratch",
            limits=Limits(
                memory_mb=spec.memory_mb,
                threads=spec.threads,
                network=problem.network == "loopback",
                gpu=spec.gpu,
                processes=spec.gpu,  # Triton runs an assembler for each kernel, and a C compiler for its launcher
            ),
            preload=problem.preload,
            environment=problem.environment_at(rung),
            rules=[rule.model_dump(include={"call", "operators", "reason"}) for rule in problem.forbidden if rule.call],
            modules=modules,
            hidden=[*self._hidden, *_graders_folders(), *_package_folders(list(modules))],
            probe=probe,
            kit=kit_sources(probe) if probe else {},
            readable=self._data,
        )


@contextmanager
def _room_needed() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = os.environ.get("TMPDIR", "/tmp")
        raise SandboxError(
            f"there is no room for the grade: {error.strerror}", where=place, fix="free some space, or set TMPDIR"
        ) from error


def _within(blueprint: Blueprint, seconds: float) -> Blueprint:
    return replace(blueprint, limits=blueprint.limits.with_seconds(seconds))


def _graders_folders() -> list[str]:
    bundled = Path(__file__).resolve().parent.parent / "_pack"
    return [str(bundled), *(str(pack.root / "graders") for pack in packs())]


def _package_folders(names: Sequence[str]) -> list[str]:
    """Where forbidden packages would lie, so that they are unreadable as well as unimportable."""
    roots = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return [os.path.join(root, name) for root in roots for name in names]
