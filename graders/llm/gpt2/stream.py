"""Token shards: the files as published, the batches that each rank reads from them, and the mistakes people make there.

The truth is one line: the shards in the order given make one stream that repeats for ever, window number n of it holds
the tokens from n · S on (S = batch_size · seq_len), and rank r of W takes the windows r, r + W, r + 2W and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .oracle import NO_BUGS, Bugs

Tokens = NDArray[np.int64]
Batch = tuple[Tokens, Tokens]

HEADER_NUMBERS = 256
_MAGIC, _VERSION = 20240520, 1


def shard_bytes(tokens: Tokens) -> bytes:
    """A file of llm.c's format: a header of 256 int32, then the ids as uint16, all little-endian."""
    header = np.zeros(HEADER_NUMBERS, dtype="<i4")
    header[:3] = _MAGIC, _VERSION, len(tokens)
    return header.tobytes() + np.asarray(tokens).astype("<u2").tobytes()


@dataclass(frozen=True)
class Reader:
    """What TokenShards is constructed with, and the tokens behind the paths."""

    shards: Sequence[Tokens]
    batch_size: int
    seq_len: int
    rank: int = 0
    world_size: int = 1

    @property
    def window(self) -> int:
        """Tokens of one batch."""
        return self.batch_size * self.seq_len

    def batches(self, count: int, bugs: Bugs = NO_BUGS, *, skip: int = 0) -> list[Batch]:
        """The batches from number `skip` on, each a pair of (B, T) arrays."""
        starts = self._starts(skip + count, bugs)[skip:]
        stream = np.concatenate(self._seen(bugs))
        return [self._batch(stream, start, bugs) for start in starts]

    def _seen(self, bugs: Bugs) -> list[Tokens]:
        """The tokens of each shard as this learner reads them."""
        shards = [np.asarray(shard) for shard in self.shards]
        if "shards-reordered" in bugs:
            shards = shards[::-1]
        if "header-read-as-tokens" in bugs:
            shards = [np.frombuffer(shard_bytes(shard), "<u2").astype(np.int64) for shard in shards]
        if "shard-tail-dropped/last-token" in bugs:
            shards = [shard[:-1] for shard in shards]
        if "ids-read-as-signed" in bugs:
            shards = [shard.astype(np.uint16).astype(np.int16).astype(np.int64) for shard in shards]
        return shards[:1] if "first-shard-only" in bugs else shards

    def _starts(self, count: int, bugs: Bugs) -> list[int]:
        """Where in the stream each window begins."""
        rank, world, size = self.rank, self.world_size, self.window
        if "ranks-read-the-same/alone" in bugs:
            rank, world = 0, 1
        if "ranks-read-the-same/skipping" in bugs:
            rank = 0
        if "ranks-overlap" in bugs:
            world = 1
        if "ranks-shifted-by-a-row" in bugs:
            return [(n * world * size + rank * self.seq_len) for n in range(count)]
        if "token-skipped-between-windows" in bugs:
            size += 1
        numbers = [rank + n * world for n in range(count)]
        if "shard-tail-dropped/short-window" in bugs:
            return self._within_shards(count, bugs)
        if "epoch-tail-dropped" in bugs:
            each = (sum(map(len, self._seen(bugs))) - 1) // (size * world) * world
            return [number % max(each, 1) * size for number in numbers]
        return [number * size for number in numbers]

    def _within_shards(self, count: int, bugs: Bugs) -> list[int]:
        """Windows that never cross a border: where too little is left, the next shard begins."""
        starts: list[int] = []
        offset, each = 0, self.window * self.world_size
        lengths = [len(shard) for shard in self._seen(bugs)]
        while len(starts) < count:
            before = len(starts)
            for length in lengths:
                at = self.rank * self.window
                while at + self.window + 1 <= length:
                    starts.append(offset + at)
                    at += each
                offset += length
            offset = 0
            if len(starts) == before:  # no shard is long enough for a single window
                return [0] * count
        return starts[:count]

    def _batch(self, stream: Tokens, start: int, bugs: Bugs) -> Batch:
        def take(first: int) -> Tokens:
            piece = np.take(stream, np.arange(first, first + self.window), mode="wrap")
            if "batch-filled-by-column" in bugs:
                return piece.reshape(self.seq_len, self.batch_size).T
            return piece.reshape(self.batch_size, self.seq_len)

        x = take(start)
        if "no-shift" in bugs:
            return x, x
        if "shifted-within-rows" in bugs:
            return x, np.concatenate([x[:, 1:], x[:, :1]], axis=1)
        return x, take(start + (2 if "shifted-twice" in bugs else 1))
