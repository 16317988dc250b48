"""Looking into files to tell the right thing from another: what each shape asks, in a few reads."""

from __future__ import annotations

import ast
import codecs
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepfield_cli.content.python_source import parse
from deepfield_cli.datasets.errors import DatasetError, reading
from deepfield_cli.datasets.shape import (
    JsonLines,
    PlainText,
    Safetensors,
    Shape,
    Signed,
    TaskFolders,
    TextLines,
    TokenShards,
)
from deepfield_cli.datasets.shards import VALIDATION_MARK, read_shard, shard_paths

# No header of a checkpoint is larger; a length beyond it is not a length.
_LONGEST_HEADER = 100_000_000
_TEXT_LOOKED_AT = 1 << 20


def examine(shape: Shape, path: Path) -> str:
    """What was found, in a few words; raise DatasetError if it is not of this shape."""
    with reading(path):
        return _examine(shape, path)


def _examine(shape: Shape, path: Path) -> str:
    match shape:
        case TokenShards():
            return _token_shards(shape, path)
        case JsonLines():
            return _json_lines(shape, path)
        case TextLines():
            return _text_lines(shape, path)
        case PlainText():
            return _plain_text(shape, path)
        case Signed():
            return _signed(shape, path)
        case Safetensors():
            return _safetensors(shape, path)
        case TaskFolders():
            return _task_folders(shape, path)


def _token_shards(shape: TokenShards, path: Path) -> str:
    paths = shard_paths(path)
    if path.is_dir() and not any(VALIDATION_MARK in shard.name for shard in paths):
        raise DatasetError(f'no file has "{VALIDATION_MARK}" in its name', where=str(path), fix="one is for validation")
    shards = [read_shard(shard) for shard in paths]
    for shard in shards:
        shard.require_below(shape.vocabulary)
    return f"{_counted(len(shards), 'shard')}, {sum(shard.count for shard in shards):,} tokens"


def _json_lines(shape: JsonLines, path: Path) -> str:
    count = 0
    for number, line in _lines(path):
        if not line.strip():
            continue
        item = _json_object(line, f"{path}:{number}")
        missing = [key for key in shape.keys if key not in item]
        if missing:
            raise DatasetError(f'an item without "{missing[0]}"', where=f"{path}:{number}")
        count += 1
    if count != shape.items:
        raise DatasetError(f"{count:,} items where there should be {shape.items:,}", where=str(path))
    return f"{count:,} items"


def _text_lines(shape: TextLines, path: Path) -> str:
    lines = [line.rstrip("\r\n") for _, line in _lines(path)]
    if not lines or lines[0] != shape.first:
        raise DatasetError(f'the first line is not "{shape.first}"', where=str(path))
    if len(lines) != shape.lines:
        raise DatasetError(f"{len(lines):,} lines where there should be {shape.lines:,}", where=str(path))
    return f"{len(lines):,} lines"


def _plain_text(shape: PlainText, path: Path) -> str:
    size = path.stat().st_size
    if size < shape.minimum_bytes:
        raise DatasetError(f"{size:,} bytes where there should be {shape.minimum_bytes:,} or more", where=str(path))
    with path.open("rb") as file:
        start = file.read(_TEXT_LOOKED_AT)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # the last character may have been cut
    except UnicodeDecodeError as error:
        raise DatasetError("this is no text in UTF-8", where=str(path)) from error
    return f"{size:,} bytes of text"


def _signed(shape: Signed, path: Path) -> str:
    paths = sorted(path.rglob(f"*{shape.suffix}")) if path.is_dir() else [path]
    if not paths:
        raise DatasetError(f"no file ends with {shape.suffix}", where=str(path))
    begins, ends = shape.begins.encode(), shape.ends.encode()
    for file in paths:
        with file.open("rb") as opened:
            first = opened.read(len(begins))
            opened.seek(-min(len(ends), file.stat().st_size), 2)
            if first != begins or opened.read() != ends:
                raise DatasetError(f"this is no {shape.suffix[1:]} file, or not a whole one", where=str(file))
    return _counted(len(paths), "file")


def _safetensors(shape: Safetensors, path: Path) -> str:
    """Format: eight bytes, little-endian: length of a JSON header; the header; the tensors, to the end of the file."""
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else _LONGEST_HEADER + 1
        header = file.read(length) if length <= _LONGEST_HEADER else b""
    names = _json_object(header.decode("utf-8", "replace"), str(path))
    missing = [name for name in shape.tensors if name not in names]
    if missing:
        raise DatasetError(f'it has no tensor "{missing[0]}"', where=str(path))
    try:
        sizes = [int(entry["data_offsets"][1]) for name, entry in names.items() if name != "__metadata__"]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise DatasetError("its header cannot be read", where=str(path)) from error
    if path.stat().st_size != 8 + length + max(sizes):
        raise DatasetError("it is not as long as its header says", where=str(path))
    return f"{len(sizes):,} tensors"


def _task_folders(shape: TaskFolders, path: Path) -> str:
    for folder, count in shape.folders.items():
        files = sorted((path / folder).glob("*.py"))
        if len(files) != count:
            raise DatasetError(f"{folder} has {len(files)} files where there should be {count}", where=str(path))
        for file in files:
            missing = set(shape.defines) - _defined(file)
            if missing:
                raise DatasetError(f"it does not define {min(missing)}", where=str(file))
    return f"{sum(shape.folders.values()):,} tasks"


def _defined(path: Path) -> set[str]:
    """Functions and classes at the top level of a file; nothing of it runs."""
    try:
        tree = parse(path.read_bytes())
    except (SyntaxError, ValueError) as error:
        raise DatasetError("this is no Python", where=str(path)) from error
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from enumerate(file, start=1)
    except UnicodeDecodeError as error:
        raise DatasetError("this is no text in UTF-8", where=str(path)) from error


def _json_object(text: str, where: str) -> dict[str, Any]:
    try:
        item = json.loads(text)
    except ValueError as error:
        raise DatasetError("this is no JSON", where=where) from error
    if not isinstance(item, dict):
        raise DatasetError("this is no JSON object", where=where)
    return item


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
