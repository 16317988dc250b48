"""The folders of long grades: what an interrupted one leaves, so that it can go on where it stood.

.deepfield/runs/llm-gpt2-laptop/
lock            held while the grade is under way
run.json        what is graded, and with which seed
spent           seconds of the budget that were used
events.jsonl    what happened so far, for whoever looks from another terminal
checks/         one folder for each long check: the worker's scratch, with its checkpoints
.deepfield/runs/llm-gpt2-laptop.log     what a detached grade printed
.deepfield/runs/llm-gpt2-laptop.ended   how the last grade ended
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfield_cli.journey.run_lock import is_locked, locked_by
from deepfield_cli.journey.run_note import Ending, RunNote, read_kept, write_note
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.sandbox.clearing import remove_tree
from deepfield_cli.whole_files import write_whole

_GONE = ".gone-"
_LOG, _ENDED = ".log", ".ended"


@dataclass(frozen=True)
class RunFolder:
    """The place of the long grades of one rung of one problem."""

    place: Path

    @property
    def checks(self) -> Path:
        """What the checks keep; written by the learner's code."""
        return self.place / "checks"

    @property
    def events(self) -> Path:
        """What happened so far."""
        return self.place / "events.jsonl"

    @property
    def lock(self) -> Path:
        """Held while the grade is under way."""
        return self.place / "lock"

    @property
    def log(self) -> Path:
        """What a detached grade printed."""
        return self.place.with_name(f"{self.place.name}{_LOG}")

    def is_under_way(self) -> bool:
        """Whether a grade is running here now."""
        return is_locked(self.lock)

    def process(self) -> int | None:
        """The number of the process that grades here now."""
        return locked_by(self.lock)

    def has_training(self) -> bool:
        """Whether a check has left anything that would be lost."""
        try:
            return any(map(_holds_something, self.checks.iterdir()))
        except OSError:
            return False

    def note(self) -> RunNote | None:
        """What was graded here; None where that is not known (any more)."""
        return read_kept(self._note, RunNote)

    def write_note(self, note: RunNote) -> None:
        """Keep what is graded."""
        write_note(self._note, note)

    def spent_seconds(self) -> float:
        """How much of the budget the sittings so far have used."""
        try:
            return max(float(self._spent.read_text()), 0.0)
        except (OSError, ValueError):
            return 0.0

    def write_spent(self, seconds: float) -> None:
        """Keep how much was used; a full disk loses a few seconds of it and nothing else."""
        with contextlib.suppress(OSError):
            write_whole(self._spent, f"{seconds:.1f}".encode())

    def ending(self) -> Ending | None:
        """How the last grade ended, if no other has begun since."""
        return read_kept(self._ended, Ending)

    def write_ending(self, ending: Ending) -> None:
        """Keep how the grade ended, for whoever comes back later; the record has it in any case."""
        with contextlib.suppress(OSError):
            write_whole(self._ended, ending.model_dump_json().encode())

    def last_seen(self) -> float:
        """When the last grade ended or was interrupted, as seconds of the wall clock; 0 where there was none."""
        for path in (self._ended, self._spent, self._note):
            with contextlib.suppress(OSError):
                return path.stat().st_mtime
        return 0.0

    def begin(self) -> None:
        """Nothing of an earlier grade stays but the lock, which must be held."""
        self._put_away(self.checks)
        for path in (self._spent, self._note, self.events):
            path.unlink(missing_ok=True)
        self.go_on()

    def go_on(self) -> None:
        """What was said of an earlier sitting holds no more; the lock must be held."""
        for path in (self._ended, self.log):
            path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder with all in it; the lock must be held, and is worth nothing afterwards."""
        self._put_away(self.place)

    @property
    def _note(self) -> Path:
        return self.place / "run.json"

    @property
    def _spent(self) -> Path:
        return self.place / "spent"

    @property
    def _ended(self) -> Path:
        return self.place.with_name(f"{self.place.name}{_ENDED}")

    def _put_away(self, path: Path) -> None:
        """Move it aside in one step, so that whoever begins now meets nothing half removed; then delete it."""
        aside = self.place.with_name(f"{_GONE}{secrets.token_hex(8)}")
        with contextlib.suppress(OSError):
            path.rename(aside)
            remove_tree(aside)


def run_folder(workspace: Workspace, problem_id: str, rung: str) -> RunFolder:
    """The place of the long grades of a problem at a rung; it may not exist yet."""
    return RunFolder(_runs(workspace) / f"{problem_id.replace('/', '-')}-{rung}")


def run_folders(workspace: Workspace) -> Sequence[RunFolder]:
    """Every place where a long grade is under way, was interrupted, or has ended."""
    try:
        found = sorted(_runs(workspace).iterdir())
    except OSError:
        return []
    names = {path.with_suffix("") for path in found if path.suffix in ("", _LOG, _ENDED)}
    return [RunFolder(place) for place in sorted(names) if not place.name.startswith(".")]


def remove_half_removed(workspace: Workspace) -> None:
    """Delete what a grade that was killed had put aside to delete."""
    with contextlib.suppress(OSError):
        for leftover in _runs(workspace).glob(f"{_GONE}*"):
            remove_tree(leftover)


def _runs(workspace: Workspace) -> Path:
    return workspace.private / "runs"


def _holds_something(folder: Path) -> bool:
    try:
        return bool(os.listdir(folder))
    except OSError:  # its rights were taken away by the learner's code: it was used
        return True
