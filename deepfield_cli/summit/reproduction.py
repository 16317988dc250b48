"""A reproduction, graded: what the claims say is measured again from the artefacts, and held against the paper.

``core`` asks whether the folder is whole and its numbers come out of its artefacts; ``paper`` whether they hold against
what was published. That a number comes out of an artefact is shown by disturbing it: the number must get worse, and
must not change where the same artefact is only written in other bytes.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from deepfield_cli.content.road import open_roadmap
from deepfield_cli.errors import DeepfieldError
from deepfield_cli.grading.leftovers import make_held_folder
from deepfield_cli.grading.result import GradeResult
from deepfield_cli.sandbox.clearing import remove_tree
from deepfield_cli.sandbox.devices import cuda_devices
from deepfield_cli.summit.artefacts import survey
from deepfield_cli.summit.claims import FILE, Claims, read_claims
from deepfield_cli.summit.clean_copy import Copied, copy_folder
from deepfield_cli.summit.core_trial import core_stations
from deepfield_cli.summit.course import Graded, as_result, walk
from deepfield_cli.summit.measuring import Bench
from deepfield_cli.summit.paper_trial import paper_stations
from deepfield_cli.summit.trial import Trial

PROBLEM = "summit/reproduction"
# As of any grade: enough that nobody tries them all.
_SEED_BITS = 63
# The largest file that goes into the record, and all of them together.
_KEPT_FILE_BYTES, _KEPT_BYTES = 1 << 20, 16 << 20


@dataclass(frozen=True)
class ReproductionRequest:
    """What is to be graded.

    Attributes:
        folder: the learner's folder.
        data: files and folders by the names that the claims give them.
        release: files that the paper's authors released, to compare with.
        python: the interpreter for the command; None for the one that runs deepfield.
        seed: replays a run; None draws a fresh one.

    """

    folder: Path
    data: Mapping[str, Path]
    release: Sequence[Path] = ()
    python: Path | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Reproduced:
    """What came of it.

    Attributes:
        core: the result at the core rung.
        paper: the result at the paper rung; None unless core is solved.
        files: the small files of the folder, for the record.
        claims: what was claimed.
        measured: claim to seed to number, as measured from the artefacts.
        artefacts: artefact to SHA-256.

    """

    core: GradeResult
    paper: GradeResult | None
    files: Mapping[str, bytes]
    claims: Claims
    measured: Mapping[str, Mapping[str, float]]
    artefacts: Mapping[str, str]


def grade_reproduction(request: ReproductionRequest, on_start: Callable[[str], None] = lambda name: None) -> Reproduced:
    """Measure everything again, in clean copies.

    Raises:
        DeepfieldError: the claims cannot be read, something that they need is not there, or there is no room.

    """
    claims = read_claims(request.folder, open_roadmap())
    _require_means(claims, request)
    started, clock = datetime.now(UTC), time.monotonic()
    root, lock = make_held_folder()
    try:
        (root / "clean").mkdir()
        copied = copy_folder(request.folder, root / "clean")
        bench = Bench(root / "clean", root, claims, request.data, request.python)
        seed = secrets.randbits(_SEED_BITS) if request.seed is None else request.seed
        trial = Trial(bench, copied, seed)
        core = walk(tuple(core_stations(trial)), on_start)
        passed = all(check.outcome == "passed" for check in core)
        paper = walk(tuple(paper_stations(trial, request.release)), on_start) if passed else ()
        files = _small_files(root / "clean", copied, claims)
    finally:
        remove_tree(root)
        os.close(lock)
    graded = partial(
        Graded,
        problem=PROBLEM,
        title=open_roadmap().problems[PROBLEM].title,
        seed=seed,
        isolation=bench.isolation or "nothing ran",
        files=tuple(files),
        digest=copied.digest,
        started=started,
        seconds=time.monotonic() - clock,
        environment={"interpreter": str(request.python)} if request.python else {},
    )
    return Reproduced(
        core=as_result(graded(rung="core"), core),
        paper=as_result(graded(rung="paper"), paper) if paper else None,
        files=files,
        claims=claims,
        measured=trial.by_claim(),
        artefacts={name: copied.digests[name] for name in claims.artefacts if name in copied.digests},
    )


def _small_files(clean: Path, copied: Copied, claims: Claims) -> dict[str, bytes]:
    """What the record keeps: everything that people wrote, and no artefact; those are known there by their digests."""
    files: dict[str, bytes] = {}
    room = _KEPT_BYTES
    for name, size in copied.sizes.items():
        if name not in claims.artefacts and size <= min(_KEPT_FILE_BYTES, room):
            files[name] = (clean / name).read_bytes()
            room -= size
    return files


def _require_means(claims: Claims, request: ReproductionRequest) -> None:
    """Everything that the command needs is at hand, before anything is copied."""
    for name in claims.evaluate.data:
        path = request.data.get(name)
        if path is None:
            raise DeepfieldError(f"{FILE} asks for the data {name}", fix=f"--data {name}=PATH")
        if not path.exists():
            raise DeepfieldError("no such file or folder", where=f"--data {name}={path}")
    for name in request.data:
        if name not in claims.evaluate.data:
            fix = f"it has {', '.join(claims.evaluate.data) or 'none'}"
            raise DeepfieldError(f'--data: {FILE} asks for no data "{name}"', fix=fix)
    if claims.evaluate.gpu and not cuda_devices():
        raise DeepfieldError("the command needs a CUDA device, and there is none here", fix="run it where there is one")
    for path in request.release:
        survey(path)
