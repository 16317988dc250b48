"""What a worker is told about the submission it will run, and the step that locks it down for it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deepfield_cli.errors import CheckFailed, SandboxError
from deepfield_cli.sandbox.exchange import exchange
from deepfield_cli.sandbox.limits import Limits
from deepfield_cli.sandbox.process import WorkerProcess

_CONFINE_SECONDS = 30.0


@dataclass(frozen=True)
class Blueprint:
    """Everything that a worker is told about the submission it will run.

    Attributes:
        folder: the staged copy of the submission; may be filled after workers were confined to it.
        entry: the file to run.
        scratch: the folder under which each worker gets its own.
        limits: what a worker may use.
        preload: modules that the warm process imports.
        environment: variables that those modules read when they are imported.
        rules: forbidden calls, as plain maps (call, operators, reason).
        modules: forbidden packages and why.
        hidden: folders that no worker may read.
        probe: source of the problem's probe, if it has one.
        kit: sources of the kit's modules that the probe imports, by dotted name; a package's name ends in a dot.
        readable: files and folders that the worker may read beside its own (a rung's data).
        kept: a folder that the worker uses as its scratch, instead of a fresh one (a run that may be resumed).

    """

    folder: Path
    entry: str
    scratch: Path
    limits: Limits
    preload: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    rules: Sequence[Mapping[str, Any]] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    hidden: Sequence[str] = ()
    probe: str | None = None
    kit: Mapping[str, str] = field(default_factory=dict)
    readable: Sequence[str] = ()
    kept: Path | None = None

    def arming(self) -> dict[str, Any]:
        """What is the same for every submission to a problem: set once, in the warm process."""
        return {
            "rules": [dict(rule) for rule in self.rules],
            "modules": dict(self.modules),
            "probe": self.probe,
            "kit": dict(self.kit),
            "threads": self.limits.threads,
        }

    def place(self) -> tuple[str, ...]:
        """What a worker is confined to; a spare worker fits a grade where this is equal."""
        kept = "" if self.kept is None else str(self.kept)
        return str(self.folder), str(self.scratch), kept, *self.hidden, "", *self.readable


def confine(process: WorkerProcess, blueprint: Blueprint) -> None:
    """Lock a worker down to its blueprint; raise SandboxError if that cannot be done."""
    process.scratch = blueprint.kept or Path(tempfile.mkdtemp(dir=blueprint.scratch))
    request = {
        "op": "confine",
        "folder": str(blueprint.folder),
        "scratch": str(process.scratch),
        "limits": blueprint.limits.as_wire(),
        "hidden": list(blueprint.hidden),
        "readable": list(blueprint.readable),
    }
    try:
        process.isolation = str(exchange(process, request, "the worker", _CONFINE_SECONDS))
    except CheckFailed as failure:  # nothing of the learner's has run yet
        raise SandboxError(f"the worker cannot be confined: {failure.rationale} {failure.actual or ''}") from failure
    process.prepared_for = blueprint.place()
