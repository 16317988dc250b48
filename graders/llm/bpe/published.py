"""GPT-2 as published: its merges from a file that the user points at, and tiktoken's encoding built from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deepfield_cli.errors import ContentError

from .oracle import BYTE_ORDER, Merge, to_bytes

if TYPE_CHECKING:
    import tiktoken

SPECIAL_TOKENS = ("<|endoftext|>",)
PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""

# SHA-256 of vocab.bpe (also distributed as merges.txt), as tiktoken itself checks it before use.
_GPT2_MERGES_SHA256 = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"

# One request to the worker: enough lines that the wire costs nothing, few enough that memory stays small.
_BATCH_CHARACTERS = 1_000_000
# A file without line breaks is compared piece by piece.
_LONGEST_LINE = 100_000


def gpt2_merges(path: Path) -> list[Merge]:
    """The 50,000 merges of GPT-2; raises ContentError if the file is not the published one."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != _GPT2_MERGES_SHA256:
        raise ContentError(
            "this is not the published vocab.bpe of GPT-2", where=str(path), fix=f"SHA-256 is {_GPT2_MERGES_SHA256}"
        )
    return read_merges(content.decode())


def read_merges(content: str) -> list[Merge]:
    """The merges of a vocab.bpe: after its first line, two tokens in printable characters on each line."""
    pairs = [line.split(" ") for line in content.split("\n") if line and not line.startswith("#version")]
    return [(to_bytes(left), to_bytes(right)) for left, right in pairs]


def tiktoken_encoding(merges: Sequence[Merge]) -> tiktoken.Encoding:
    """tiktoken's own encoder for these merges; nothing is downloaded."""
    import tiktoken

    tokens = [bytes([byte]) for byte in BYTE_ORDER] + [left + right for left, right in merges]
    return tiktoken.Encoding(
        "gpt2-from-file",
        pat_str=PATTERN,
        mergeable_ranks={token: rank for rank, token in enumerate(tokens)},
        special_tokens={special: len(tokens) + index for index, special in enumerate(SPECIAL_TOKENS)},
    )


def batches(corpus: Path) -> Iterator[list[str]]:
    """All lines of a text, line breaks included, many at a time; what is not UTF-8 is read as U+FFFD."""
    batch: list[str] = []
    size = 0
    with corpus.open(encoding="utf-8", errors="replace", newline="\n") as file:
        while line := file.readline(_LONGEST_LINE):
            batch.append(line)
            size += len(line)
            if size >= _BATCH_CHARACTERS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch
