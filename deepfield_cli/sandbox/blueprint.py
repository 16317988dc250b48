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
        rules: forbidden calls, as plain maps (call, operators, reason).
        modules: forbidden packages and why.
        hidden: folders that no worker may read.
        probe: source of the problem's probe, if it has one.

    """

    folder: Path
    entry: str
    scratch: Path
    limits: Limits
    preload: Sequence[str] = ()
    rules: Sequence[Mapping[str, Any]] = ()
    modules: Mapping[str, str] = field(default_factory=dict)
    hidden: Sequence[str] = ()
    probe: str | None = None

    def arming(self) -> dict[str, Any]:
        """What is the same for every submission to a problem: set once, in the warm process."""
        return {
            "rules": [dict(rule) for rule in self.rules],
            "modules": dict(self.modules),
            "probe": self.probe,
            "threads": self.limits.threads,
        }

    def place(self) -> tuple[str, str, tuple[str, ...]]:
        """What a worker is confined to; a spare worker fits a grade where this is equal."""
        return str(self.folder), str(self.scratch), tuple(self.hidden)


def confine(process: WorkerProcess, blueprint: Blueprint) -> None:
    """Lock a worker down to its blueprint; raise SandboxError if that cannot be done."""
    process.scratch = Path(tempfile.mkdtemp(dir=blueprint.scratch))
    request = {
        "op": "confine",
        "folder": str(blueprint.folder),
        "scratch": str(process.scratch),
        "limits": blueprint.limits.as_wire(),
        "hidden": list(blueprint.hidden),
    }
    try:
        process.isolation = str(exchange(process, request, "the worker", _CONFINE_SECONDS))
    except CheckFailed as failure:  # nothing of the learner's has run yet
        raise SandboxError(f"the worker cannot be confined: {failure.rationale} {failure.actual or ''}") from failure
    process.prepared_for = blueprint.place()
