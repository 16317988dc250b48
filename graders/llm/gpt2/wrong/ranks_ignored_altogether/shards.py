# fails: worked_example   diagnosis: ranks-read-the-same   over: classic
"""Token files as one endless stream, cut into windows that the ranks take in turn."""

from __future__ import annotations

import math

import numpy as np
import torch

HEADER_BYTES = 1024


class TokenShards:
    """The shards as one endless stream: all of them in order, then all of them again."""

    def __init__(self, paths, batch_size, seq_len, rank=0, world_size=1):
        self.shards = [np.memmap(path, dtype="<u2", mode="r", offset=HEADER_BYTES) for path in paths]
        self.ends = np.cumsum([len(shard) for shard in self.shards])
        self.shape = (batch_size, seq_len)
        self.window = 0  # number of the next window of batch_size * seq_len tokens
        self.world_size = world_size

    def next_batch(self):
        size = math.prod(self.shape)
        tokens = torch.from_numpy(self._read(self.window * size, size + 1))
        self.window += 1
        return tokens[:-1].view(self.shape), tokens[1:].view(self.shape)

    def _read(self, start, count):
        """The tokens of the stream from start on, as int64."""
        pieces = []
        while count > 0:
            place = start % self.ends[-1]
            index = int(np.searchsorted(self.ends, place, side="right"))
            shard = self.shards[index]
            offset = place - (self.ends[index] - len(shard))
            piece = shard[offset : offset + count]
            pieces.append(piece)
            start, count = start + len(piece), count - len(piece)
        return np.concatenate(pieces).astype(np.int64)

    def state_dict(self):
        return {"window": self.window}

    def load_state_dict(self, state):
        self.window = state["window"]
