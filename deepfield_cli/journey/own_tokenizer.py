"""The learner's own tokenizer, from their solution of llm/bpe, at work on text: in a worker, as when it is graded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deepfield_cli.content.packs import find_location
from deepfield_cli.datasets.encoder import DOCUMENT_MARK, merges_as_bytes, read_merges
from deepfield_cli.datasets.errors import DatasetError
from deepfield_cli.errors import CheckFailed, WorkspaceError
from deepfield_cli.grading.stage import Stage
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.sandbox.pool import WarmPool
from deepfield_cli.sandbox.staging import read_submission
from deepfield_cli.sandbox.submission import Reference, Submission

PROBLEM = "llm/bpe"
# A worker is replaced after so much text: a tokenizer may keep every word that it has seen, and time is limited.
_CHARACTERS_PER_WORKER = 50_000_000
# At the slowest that passes the problem's checks, so much text takes a quarter of this.
_SECONDS_PER_WORKER = 3_600.0


class OwnTokenizer:
    """Gives ids as ``Tokenizer.from_merges(merges, ["<|endoftext|>"])`` of a submission does."""

    def __init__(self, stage: Stage, pool: WarmPool, merges: list[tuple[bytes, bytes]], fingerprint: str) -> None:
        self._stage = stage
        self._pool = pool
        self._merges = merges
        self._submission: Submission | None = None
        self._tokenizer: Reference | None = None
        self._characters = 0
        self.fingerprint = fingerprint
        self.vocabulary = 256 + len(merges) + 1
        self.document_start = 256 + len(merges)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text; raise DatasetError in the words in which a grade would tell what is wrong."""
        try:
            return [self._ids(text) for text in texts]
        except CheckFailed as failure:
            raise DatasetError(
                f"your tokenizer: {failure.rationale}", where=PROBLEM, fix=f"deepfield grade {PROBLEM}"
            ) from failure

    def close(self) -> None:
        """End the worker."""
        if self._submission is not None:
            self._submission.close()
            self._submission = self._tokenizer = None

    def _ids(self, text: str) -> list[int]:
        self._characters += len(text)
        if self._characters > _CHARACTERS_PER_WORKER:
            self.close()
            self._characters = len(text)
        ids: Any = self._made().call("encode", text)
        if not isinstance(ids, list) or not all(type(token) is int and 0 <= token < self.vocabulary for token in ids):
            raise DatasetError("your tokenizer gives something else than ids", fix=f"deepfield grade {PROBLEM}")
        return ids

    def _made(self) -> Reference:
        if self._tokenizer is None:
            self._submission = self._stage.submission(self._pool, _SECONDS_PER_WORKER)
            self._tokenizer = self._submission.call("Tokenizer.from_merges", self._merges, [DOCUMENT_MARK], opaque=True)
        return self._tokenizer


@contextmanager
def own_tokenizer(workspace: Workspace, merges: Path) -> Iterator[OwnTokenizer]:
    """The tokenizer of a workspace with the merges of a file; raise WorkspaceError where there is none."""
    location = find_location(PROBLEM)
    entry = location.load().entry
    folder = workspace.folder(PROBLEM)
    if not (folder / entry).is_file():
        raise WorkspaceError(
            f"there is no {entry} here", where=workspace.shown(folder), fix=f"deepfield start {PROBLEM}, and solve it"
        )
    content = merges.read_bytes()
    pairs = merges_as_bytes(read_merges(content.decode(), merges), merges)
    files = read_submission(folder, entry)
    stage = Stage(location, "paper", (workspace.private,))
    try:
        with WarmPool() as pool:
            pool.start(stage.blueprint)
            stage.lay_out(files)
            digest = hashlib.sha256(content + (folder / entry).read_bytes()).hexdigest()
            tokenizer = OwnTokenizer(stage, pool, pairs, digest)
            try:
                yield tokenizer
            finally:
                tokenizer.close()
    finally:
        stage.remove()
