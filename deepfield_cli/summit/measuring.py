"""Measuring a reproduction again: the learner's command in a clean copy, with artefacts as they are or disturbed."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfield_cli.errors import CheckFailed, DeepfieldError
from deepfield_cli.sandbox.clearing import remove_tree
from deepfield_cli.summit.artefacts import disturb, encode_again
from deepfield_cli.summit.claims import Claims
from deepfield_cli.summit.clean_copy import copy_again
from deepfield_cli.summit.command import Command, Ran, run_command

if TYPE_CHECKING:
    import numpy as np

# Of a traceback the last lines are what helps.
_SHOWN_LINES = 12
Numbers = Mapping[tuple[str, int], float]


@dataclass
class Bench:
    """Where a reproduction is measured.

    Attributes:
        clean: the clean copy, which nothing writes to.
        scratch: where runs take place.
        claims: what is claimed.
        data: files and folders by the names that the claims give them.
        python: the interpreter; None for the one that runs deepfield.
        isolation: what held the last run in.

    """

    clean: Path
    scratch: Path
    claims: Claims
    data: Mapping[str, Path] = field(default_factory=dict)
    python: Path | None = None
    isolation: str = ""

    def measure(self) -> Numbers:
        """The numbers as the artefacts give them; raise CheckFailed if the command does not."""
        numbers = self._numbers(self._run(lambda folder: None))
        for (claim, seed), value in numbers.items():
            if not math.isfinite(value):
                raise CheckFailed(f"{claim} of seed {seed} is {value}.", diagnosis="not-finite")
        return numbers

    def measure_disturbed(self, disturbed: Collection[str], rng: np.random.Generator) -> Numbers:
        """The numbers with some artefacts disturbed; the others hold next to the same numbers in other bytes."""

        def prepare(folder: Path) -> None:
            for name in self.claims.artefacts:
                if name in disturbed:
                    disturb(folder / name, rng)
                else:
                    encode_again(folder / name, rng)

        return self._numbers(self._run(prepare), disturbed)

    def _run(self, prepare: Callable[[Path], None]) -> Ran:
        place = self.scratch / "run"
        try:
            place.mkdir()
            copy_again(self.clean, place / "work")
            prepare(place / "work")
            ran = run_command(self._command(), place / "work", place)
        except (OSError, shutil.Error) as error:
            what = f"no copy can be made: {getattr(error, 'strerror', None) or 'no room'}"
            raise DeepfieldError(what, where=str(place), fix="free space, or set TMPDIR") from error
        finally:
            remove_tree(place)
        self.isolation = ran.isolation
        return ran

    def _command(self) -> Command:
        wish = self.claims.evaluate
        return Command(
            words=wish.command,
            seconds=wish.seconds,
            memory_mb=wish.memory_mb,
            gpu=wish.gpu,
            readable=tuple(self.data.values()),
            environment={variable_of(name): str(path) for name, path in self.data.items()},
            python=self.python,
        )

    def _numbers(self, ran: Ran, disturbed: Collection[str] = ()) -> Numbers:
        when = " with disturbed artefacts" if disturbed else ""
        if ran.ended_for is not None or ran.status != 0:
            raise _broken(ran, self.claims, when)
        document = _last_object(ran.printed)
        if document is None:
            raise CheckFailed(
                f"The command printed no numbers{when}.",
                help="Its last line is one JSON object, {claim: {seed: number}}.",
                actual=_end_of(ran.printed) or "nothing",
                diagnosis="no-numbers",
            )
        return {
            (claim.id, run.seed): _number(document, claim.id, run.seed)
            for claim in self.claims.claims
            for run in claim.runs
        }


def variable_of(name: str) -> str:
    """The environment variable under which a command finds a file of the user's."""
    return f"DATA_{name.upper().replace('-', '_')}"


def _broken(ran: Ran, claims: Claims, when: str) -> CheckFailed:
    diagnosis = "breaks-when-disturbed" if when else "command-failed"
    if ran.ended_for == "timeout":
        words = f"The command did not end within {claims.evaluate.seconds:g} s{when}."
        return CheckFailed(words, help="evaluate.seconds allows for more.", diagnosis="timeout")
    if ran.ended_for == "disk":
        return CheckFailed(f"The command filled its disk{when}.", diagnosis="disk-full")
    status = ran.status or 0
    how = f"was ended by signal {-status}" if status < 0 else f"ended with exit code {status}"
    return CheckFailed(f"The command {how}{when}.", actual=_end_of(ran.complained) or None, diagnosis=diagnosis)


def _last_object(printed: str) -> Mapping[str, Any] | None:
    """The JSON object on the last line that is one."""
    for line in reversed(printed.splitlines()):
        if line.startswith("{"):
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                return found
    return None


def _number(document: Mapping[str, Any], claim: str, seed: int) -> float:
    seeds = document.get(claim)
    value = seeds.get(str(seed)) if isinstance(seeds, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CheckFailed(
            f"The command printed no number for claim {claim}, seed {seed}.",
            help=f'Its last line holds, among the others, {{"{claim}": {{"{seed}": …}}}}.',
            actual=json.dumps(document)[:300],
            diagnosis="number-missing",
        )
    return float(value)


def _end_of(text: str) -> str:
    return "\n".join(line[:300] for line in text.strip().splitlines()[-_SHOWN_LINES:])
