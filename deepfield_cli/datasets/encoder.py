"""What turns text into ids: a file of merges with the tokenizers package, or anything else that has this form."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from deepfield_cli.datasets.errors import DatasetError

DOCUMENT_MARK = "<|endoftext|>"
_BYTES = 256


class Encoder(Protocol):
    """Text to ids. ``vocabulary`` counts all ids; ``document_start`` is the one that stands before each document."""

    @property
    def vocabulary(self) -> int: ...

    @property
    def document_start(self) -> int: ...

    @property
    def fingerprint(self) -> str: ...

    def encode(self, texts: Sequence[str]) -> list[list[int]]: ...


class MergesEncoder:
    """GPT-2's encoding with these merges: ids 0 to 255 are bytes in GPT-2's order, merges follow, then the mark."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer, models, pre_tokenizers

        content = _read(path)
        merges = read_merges(content, path)
        tokens = [*printable_bytes(), *(left + right for left, right in merges)]
        vocabulary = {token: number for number, token in enumerate(tokens)}
        if len(vocabulary) != len(tokens):
            raise DatasetError("two merges make the same token", where=str(path))
        loose = next((token for pair in merges for token in pair if token not in vocabulary), None)
        if loose is not None:
            raise DatasetError(f'"{loose}" is merged, but no merge makes it', where=str(path))
        self._tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
        self._tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        self.vocabulary = len(tokens) + 1
        self.document_start = len(tokens)
        self.fingerprint = hashlib.sha256(content.encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text; the mark in a text is text like any other."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


def read_merges(content: str, path: Path) -> list[tuple[str, str]]:
    """Pairs of tokens in GPT-2's printable characters, in the order of their ranks."""
    lines = [line for line in content.split("\n") if line and not line.startswith("#version")]
    pairs = [tuple(line.split(" ")) for line in lines]
    wrong = next((number for number, pair in enumerate(pairs, start=1) if len(pair) != 2), None)
    if wrong is not None or not pairs:
        raise DatasetError(f"merge {wrong or 1} is not two tokens with a blank between", where=str(path))
    return [(pair[0], pair[1]) for pair in pairs]


def byte_order() -> list[int]:
    """Bytes in the order of GPT-2's ids: those that are printable, then the others."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return shown + [byte for byte in range(_BYTES) if byte not in shown]


def printable_bytes() -> list[str]:
    """The character that stands for each byte, in the order of GPT-2's ids."""
    order = byte_order()
    hidden = next(index for index, byte in enumerate(order) if byte == 0)
    return [chr(byte if index < hidden else _BYTES + index - hidden) for index, byte in enumerate(order)]


def merges_as_bytes(merges: Sequence[tuple[str, str]], path: Path) -> list[tuple[bytes, bytes]]:
    """The same merges as the bytes that they stand for."""
    byte_of = dict(zip(printable_bytes(), byte_order(), strict=True))
    try:
        return [(_as_bytes(left, byte_of), _as_bytes(right, byte_of)) for left, right in merges]
    except KeyError as error:
        raise DatasetError(f"the character {error} stands for no byte", where=str(path)) from error


def _as_bytes(token: str, byte_of: Mapping[str, int]) -> bytes:
    return bytes(byte_of[character] for character in token)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot be read: {error}", where=str(path)) from error
