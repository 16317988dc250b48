"""Turning text into token shards, one for validation and the others for training; goes on where it was interrupted."""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deepfield_cli.datasets import disk
from deepfield_cli.datasets.encoder import Encoder
from deepfield_cli.datasets.errors import DatasetError, writing
from deepfield_cli.datasets.listener import Listener
from deepfield_cli.datasets.shards import Shard, read_shard, shard_paths, write_shard
from deepfield_cli.datasets.texts import Piece, TextSource

# As the public shards of FineWeb-Edu have it.
SHARD_TOKENS = 100_000_000
_LARGEST_VOCABULARY = 1 << 16
# Characters that are encoded together: enough for all cores, little enough for memory.
_BATCH_CHARACTERS = 1 << 22
_STATE = ".tokenize.json"


@dataclass(frozen=True, slots=True)
class ShardPlan:
    """How the tokens are dealt out; the first shard is for validation."""

    name: str = "tokens"
    shard_tokens: int = SHARD_TOKENS
    validation_tokens: int = SHARD_TOKENS

    def file_name(self, number: int) -> str:
        """The name of a shard, validation being number 0."""
        return f"{self.name}_{'train' if number else 'val'}_{number:06d}.bin"

    def tokens(self, number: int) -> int:
        """How many tokens a shard has at most."""
        return self.shard_tokens if number else self.validation_tokens


def require_name(text: str) -> str:
    """A beginning of file names; raise DatasetError for anything that is more."""
    if not re.fullmatch(r"[A-Za-z0-9][\w-]{0,63}", text, re.ASCII):
        raise DatasetError(f'--name: "{text}" cannot begin the name of a file', fix="letters, digits, - and _")
    return text


@dataclass(frozen=True, slots=True)
class _State:
    """How far it is: shards that are done, and the place of the next token as piece and number within it."""

    task: str
    shards: int = 0
    piece: int = 0
    skip: int = 0
    done: bool = False


def tokenize(
    source: TextSource, encoder: Encoder, folder: Path, plan: ShardPlan | None = None, listener: Listener | None = None
) -> tuple[Shard, ...]:
    """Write the shards into a folder and return them; raise DatasetError if there is too little text for two.

    Each document begins with the encoder's mark. The same call again after an interruption goes on after the last shard
    that was written; with other texts, encoder or plan it is refused.
    """
    plan, listener = plan or ShardPlan(), listener or Listener()
    if encoder.vocabulary > _LARGEST_VOCABULARY:
        raise DatasetError(f"{encoder.vocabulary:,} ids do not fit into two bytes", fix="use a vocabulary of 65,536")
    disk.make_folder(folder)
    state = _resumed(folder, _task(source, encoder, plan))
    if not state.done:
        _write(source, encoder, folder, plan, state, listener)
    shards = tuple(read_shard(path) for path in shard_paths(folder))
    if len(shards) < 2:
        raise DatasetError(
            f"all {shards[0].count:,} tokens are in the validation shard",
            where=str(folder),
            fix="--validation-tokens N makes it smaller; begin again in another folder",
        )
    return shards


def _write(
    source: TextSource, encoder: Encoder, folder: Path, plan: ShardPlan, state: _State, listener: Listener
) -> None:
    stream = _Tokens(source, encoder, state)
    number = state.shards
    while not stream.is_at_end:
        name = plan.file_name(number)
        listener.on_file(name, number + 1, 0, plan.tokens(number))
        listener.on_step("encoding")
        write_shard(folder / name, stream.take(plan.tokens(number), listener))
        number += 1
        _keep(folder, _State(state.task, number, stream.piece, stream.skip))
    if number == 0:
        raise DatasetError("there is no text", where=str(source.paths[0]))
    _keep(folder, _State(state.task, number, stream.piece, stream.skip, done=True))


class _Tokens:
    """All tokens in order, and the place of the next one."""

    def __init__(self, source: TextSource, encoder: Encoder, state: _State) -> None:
        self._encoder = encoder
        self._encoded = self._encode(source.pieces(), state.piece)
        self._held: array[int] | None = None
        self.piece = state.piece
        self.skip = state.skip
        self._advance()

    @property
    def is_at_end(self) -> bool:
        """Whether there is no further token."""
        return self._held is None

    def take(self, count: int, listener: Listener) -> Iterator[array[int]]:
        """At most so many tokens, as arrays."""
        left = count
        while left and self._held is not None:
            ids = self._held[self.skip : self.skip + left]
            yield ids
            left -= len(ids)
            self.skip += len(ids)
            listener.on_bytes(count - left, count)
            if self.skip >= len(self._held):
                self.piece, self.skip = self.piece + 1, 0
                self._advance()

    def _advance(self) -> None:
        """Go on to the next piece that has tokens left."""
        for ids in self._encoded:
            self._held = ids
            if self.skip < len(ids):
                return
            self.piece, self.skip = self.piece + 1, 0
        self._held = None

    def _encode(self, pieces: Iterator[Piece], skip: int) -> Iterator[array[int]]:
        for batch in _batches(pieces, skip):
            for piece, ids in zip(batch, self._encoder.encode([piece.text for piece in batch]), strict=True):
                try:
                    yield array("H", [self._encoder.document_start, *ids] if piece.begins else ids)
                except (OverflowError, TypeError) as error:
                    raise DatasetError("the tokenizer gave something else than ids from 0 to 65,535") from error


def _batches(pieces: Iterator[Piece], skip: int) -> Iterator[Sequence[Piece]]:
    batch: list[Piece] = []
    size = 0
    for number, piece in enumerate(pieces):
        if number < skip:
            continue
        batch.append(piece)
        size += len(piece.text)
        if size >= _BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _task(source: TextSource, encoder: Encoder, plan: ShardPlan) -> str:
    """Changes whenever the shards would."""
    files = [(str(path.absolute()), path.stat().st_size, path.stat().st_mtime_ns) for path in source.paths]
    facts = json.dumps([files, source.field, source.lines, encoder.fingerprint, asdict(plan)])
    return hashlib.sha256(facts.encode("utf-8", "surrogateescape")).hexdigest()


def _resumed(folder: Path, task: str) -> _State:
    """Where to go on; raise DatasetError if the folder holds something else."""
    try:
        state = _State(**json.loads((folder / _STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        state = _State("")
    if state.task == task:
        return state
    with writing(folder):
        taken = any(not path.name.startswith(".") for path in folder.iterdir())
    if taken or state.task:
        raise DatasetError(
            "there is something else in this folder already", where=str(folder), fix="name another folder, or empty it"
        )
    _keep(folder, _State(task))
    return _State(task)


def _keep(folder: Path, state: _State) -> None:
    disk.write_whole(folder / _STATE, json.dumps(asdict(state)).encode())
