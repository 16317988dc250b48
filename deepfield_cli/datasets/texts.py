"""Documents out of text, JSON lines and Parquet files, one after the other, never a whole file in memory."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import IO, Any, cast

from deepfield_cli.datasets.errors import DatasetError, reading

_BLOCK_CHARACTERS = 1 << 20
_ROWS = 1_000
_JSON_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Piece:
    """A document, or a part of a long one; ``begins`` is true for the first part."""

    text: str
    begins: bool


@dataclass(frozen=True, slots=True)
class TextSource:
    """Where documents come from.

    Attributes:
        paths: the files, in order: .txt, .jsonl, .parquet, the first two also with .gz.
        field: name of the text in a JSON object, or of the column.
        lines: whether each line of a text file is a document; otherwise the file is one.

    """

    paths: tuple[Path, ...]
    field: str = "text"
    lines: bool = False

    def pieces(self) -> Iterator[Piece]:
        """Every piece of every document, in order; raise DatasetError where a file is not what its name says."""
        for path in self.paths:
            try:
                with reading(path):
                    yield from self._pieces_of(path)
            except UnicodeDecodeError as error:
                raise DatasetError("this is no text in UTF-8", where=str(path)) from error

    def _pieces_of(self, path: Path) -> Iterator[Piece]:
        name = path.name.removesuffix(".gz")
        if name.endswith(".parquet"):
            return (Piece(text, True) for text in _column(path, self.field))
        if name.endswith(_JSON_LINES):
            return (Piece(text, True) for text in _objects(path, self.field))
        if self.lines:
            return (Piece(line.rstrip("\r\n"), True) for line in _text_lines(path) if line.strip())
        return _whole(path)


def text_files(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The files, and those in the folders among them, sorted by name; raise DatasetError if one is missing."""
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise DatasetError("there is nothing", where=str(path), fix="check the path")
        inside = sorted(file for file in path.rglob("*") if file.is_file() and not file.name.startswith("."))
        found += inside if path.is_dir() else [path]
    if not found:
        raise DatasetError("there are no files here", where=str(paths[0]))
    return tuple(found)


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return cast("IO[str]", gzip.open(path, "rt", encoding="utf-8", newline=""))
    return path.open(encoding="utf-8", newline="")


def _text_lines(path: Path) -> Iterator[str]:
    with _open(path) as file:
        yield from file


def _objects(path: Path, field: str) -> Iterator[str]:
    for number, line in enumerate(_text_lines(path), start=1):
        if not line.strip():
            continue
        try:
            item: Any = json.loads(line)
            text = item[field]
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f'no JSON object with the key "{field}"', where=f"{path}:{number}") from error
        if not isinstance(text, str):
            raise DatasetError(f'"{field}" is no text', where=f"{path}:{number}")
        yield text


def _column(path: Path, field: str) -> Iterator[str]:
    try:
        parquet, library = import_module("pyarrow.parquet"), import_module("pyarrow")
    except ImportError as error:
        raise DatasetError(
            "Parquet is read with pyarrow, which is not installed", where=str(path), fix="pip install pyarrow"
        ) from error
    try:
        opened = parquet.ParquetFile(path)
        if field not in opened.schema_arrow.names:
            raise DatasetError(f'there is no column "{field}"', where=str(path), fix="--field names another")
        for batch in opened.iter_batches(batch_size=_ROWS, columns=[field]):
            yield from (text for text in batch.column(0).to_pylist() if text is not None)
    except library.ArrowException as error:
        raise DatasetError(f"this is no Parquet file, or not a whole one ({error})", where=str(path)) from error


def _whole(path: Path) -> Iterator[Piece]:
    """A file as one document, cut only where no tokenizer of GPT-2's kind would join the two sides."""
    begins, held = True, ""
    with _open(path) as file:
        while block := file.read(_BLOCK_CHARACTERS):
            held += block
            end = _cut(held)
            if end:
                yield Piece(held[:end], begins)
                begins, held = False, held[end:]
    if held or begins:
        yield Piece(held, begins)


def _cut(text: str) -> int:
    """Behind the last line break that stands alone between two letters or digits; 0 if there is none.

    GPT-2's pattern takes such a line break by itself, whatever stands further left or right; a run of blanks may be cut
    differently when its end is not in sight.
    """
    end = len(text)
    while (found := text.rfind("\n", 1, end - 1)) > 0:
        if text[found - 1].isalnum() and text[found + 1].isalnum():
            return found + 1
        end = found + 1
    return 0
