"""Text to token shards: the same ids as tiktoken's, whatever the files, the cuts and the interruptions."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import regex

from deepfield_cli.datasets import texts as texts_module
from deepfield_cli.datasets import tokenizing
from deepfield_cli.datasets.encoder import (
    MergesEncoder,
    byte_order,
    merges_as_bytes,
    printable_bytes,
    read_merges,
)
from deepfield_cli.datasets.errors import DatasetError
from deepfield_cli.datasets.examining import examine
from deepfield_cli.datasets.shape import TokenShards
from deepfield_cli.datasets.shards import Shard, read_shard, shard_paths
from deepfield_cli.datasets.texts import TextSource, text_files
from deepfield_cli.datasets.tokenizing import ShardPlan, require_name, tokenize
from graders.llm.bpe import oracle, published, texts

RNG = np.random.default_rng(0)
MERGES = oracle.train(texts.book(RNG, 60_000), 256 + 500)
MARK = 256 + 500
SMALL = ShardPlan("words", shard_tokens=1_000, validation_tokens=300)


@pytest.fixture
def merges_file(tmp_path: Path) -> Path:
    lines = [f"{oracle.to_characters(left)} {oracle.to_characters(right)}" for left, right in MERGES]
    path = tmp_path / "vocab.bpe"
    path.write_text("\n".join(["#version: 0.2", *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def encoder(merges_file: Path) -> MergesEncoder:
    return MergesEncoder(merges_file)


def source(*paths: Path, field: str = "text", lines: bool = False) -> TextSource:
    return TextSource(text_files(paths), field=field, lines=lines)


def ids_of(shards: Sequence[Shard]) -> list[int]:
    return [token for shard in sorted(shards, key=_number) for token in shard.tokens(0, shard.count)]


def _number(shard: Shard) -> str:
    return shard.path.stem[-6:]


def expected(documents: Sequence[str]) -> list[int]:
    """As tiktoken has it, each document behind its mark."""
    encoding = published.tiktoken_encoding(MERGES)
    return [token for text in documents for token in (MARK, *encoding.encode_ordinary(text))]


DOCUMENTS = [texts.book(RNG, 3_000), *(texts.tricky(RNG, 8) for _ in range(40)), "", "<|endoftext|> is text", "a"]


def test_bytes_stand_in_gpt2s_order() -> None:
    assert byte_order() == list(oracle.BYTE_ORDER)
    assert [oracle.to_bytes(character) for character in printable_bytes()] == [bytes([byte]) for byte in byte_order()]


def test_merges_are_read_as_they_were_written(merges_file: Path) -> None:
    merges = read_merges(merges_file.read_text(encoding="utf-8"), merges_file)
    assert merges_as_bytes(merges, merges_file) == list(MERGES)


def test_ids_are_tiktokens(encoder: MergesEncoder) -> None:
    found = encoder.encode(DOCUMENTS)
    assert [[MARK, *ids] for ids in found] == [expected([text]) for text in DOCUMENTS]
    assert (encoder.vocabulary, encoder.document_start) == (MARK + 1, MARK)


def test_documents_become_shards(tmp_path: Path, encoder: MergesEncoder) -> None:
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in DOCUMENTS))
    shards = tokenize(source(tmp_path / "a.jsonl"), encoder, tmp_path / "out", SMALL)
    assert ids_of(shards) == expected(DOCUMENTS)
    names = sorted(path.name for path in shard_paths(tmp_path / "out"))
    assert names[-1] == "words_val_000000.bin"
    assert names[0] == "words_train_000001.bin"
    assert read_shard(tmp_path / "out" / "words_val_000000.bin").count == 300
    full = [read_shard(tmp_path / "out" / name).count for name in names[:-2]]
    assert set(full) == {1_000}
    shape = TokenShards(kind="token-shards", vocabulary=MARK + 1)
    assert examine(shape, tmp_path / "out") == f"{len(shards)} shards, {len(expected(DOCUMENTS)):,} tokens"


@pytest.mark.parametrize("kind", ["txt", "lines", "jsonl.gz", "txt.gz"])
def test_every_kind_of_file(tmp_path: Path, encoder: MergesEncoder, kind: str) -> None:
    documents = [" ".join(text.split()) or "-" for text in DOCUMENTS]  # no line breaks inside of a line
    folder = tmp_path / "texts"
    folder.mkdir()
    if kind == "lines":
        (folder / "all.txt").write_text("\n".join(documents) + "\n\n", encoding="utf-8")
    elif kind == "jsonl.gz":
        lines = "".join(json.dumps({"body": text}) + "\n" for text in documents)
        (folder / "all.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    else:
        for number, text in enumerate(documents):
            content = text.encode()
            path = folder / f"{number:03d}.{kind}"
            path.write_bytes(gzip.compress(content) if kind.endswith("gz") else content)
    found = source(folder, field="body", lines=kind == "lines")
    assert ids_of(tokenize(found, encoder, tmp_path / "out", SMALL)) == expected(documents)


def test_parquet(tmp_path: Path, encoder: MergesEncoder) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({"id": list(range(len(DOCUMENTS))), "text": DOCUMENTS})
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=7)
    assert ids_of(tokenize(source(tmp_path / "a.parquet"), encoder, tmp_path / "out", SMALL)) == expected(DOCUMENTS)
    with pytest.raises(DatasetError, match='there is no column "body"'):
        tokenize(source(tmp_path / "a.parquet", field="body"), encoder, tmp_path / "other", SMALL)
    (tmp_path / "b.parquet").write_bytes((tmp_path / "a.parquet").read_bytes()[:-100])
    with pytest.raises(DatasetError, match="no Parquet file, or not a whole one"):
        tokenize(source(tmp_path / "b.parquet"), encoder, tmp_path / "third", SMALL)


def test_parquet_without_its_reader(tmp_path: Path, encoder: MergesEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1PAR1")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(DatasetError, match="pip install pyarrow"):
        tokenize(source(tmp_path / "a.parquet"), encoder, tmp_path / "out", SMALL)


def test_a_long_text_is_cut_where_nothing_changes(
    tmp_path: Path, encoder: MergesEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read in blocks of a few characters, a text of every kind of blank gives the ids of the whole."""
    generator = random.Random(0)
    parts = [
        "\n",
        "\n\n",
        " \n",
        "\n ",
        "\r\n",
        "\u2028",
        "\x1c",
        "\x85",
        "a",
        "1",
        "'s",
        "'",
        " ",
        "é",
        "你",
        "🙂",
        ".",
    ]
    text = "".join(generator.choice(parts) for _ in range(20_000))
    (tmp_path / "a.txt").write_bytes(text.encode())
    whole = regex.findall(published.PATTERN, text)
    for characters in (1, 7, 64, 1_000):
        monkeypatch.setattr(texts_module, "_BLOCK_CHARACTERS", characters)
        pieces = list(source(tmp_path / "a.txt").pieces())
        assert "".join(piece.text for piece in pieces) == text
        assert [piece.begins for piece in pieces] == [True] + [False] * (len(pieces) - 1)
        assert len(pieces) > 10
        assert [word for piece in pieces for word in regex.findall(published.PATTERN, piece.text)] == whole
        ids = [token for ids in encoder.encode([piece.text for piece in pieces]) for token in ids]
        assert [MARK, *ids] == expected([text])


def test_a_long_text_is_one_document(tmp_path: Path, encoder: MergesEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts_module, "_BLOCK_CHARACTERS", 500)
    text = texts.book(np.random.default_rng(3), 20_000).replace(". ", "\n")
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert len(list(source(tmp_path / "a.txt").pieces())) > 10
    assert ids_of(tokenize(source(tmp_path / "a.txt"), encoder, tmp_path / "out", SMALL)) == expected([text])


class Interrupted(Exception):
    """What stops an encoder in the middle."""


class Faltering:
    """Gives up after so many texts, as a process that is killed does; counts what it was asked."""

    def __init__(self, encoder: MergesEncoder, texts: int) -> None:
        self._encoder, self._left = encoder, texts
        self.asked = 0
        self.vocabulary, self.document_start = encoder.vocabulary, encoder.document_start
        self.fingerprint = encoder.fingerprint

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        self.asked += len(texts)
        if self._left < self.asked:
            raise Interrupted
        return self._encoder.encode(texts)


def test_an_interrupted_run_goes_on(tmp_path: Path, encoder: MergesEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizing, "_BATCH_CHARACTERS", 1)
    documents = [*DOCUMENTS, texts.book(np.random.default_rng(4), 9_000), *DOCUMENTS]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in documents))
    asked = []
    for patience in (5, 20, 30):
        faltering = Faltering(encoder, patience)
        with pytest.raises(Interrupted):
            tokenize(source(tmp_path / "a.jsonl"), faltering, tmp_path / "out", SMALL)
        asked.append(faltering.asked)
        (tmp_path / "out" / ".words_train_000009.bin.part").write_bytes(b"left by the one that was killed")
    whole = Faltering(encoder, 1_000)
    assert ids_of(tokenize(source(tmp_path / "a.jsonl"), whole, tmp_path / "out", SMALL)) == expected(documents)
    assert whole.asked < len(documents)
    again = Faltering(encoder, 0)
    assert ids_of(tokenize(source(tmp_path / "a.jsonl"), again, tmp_path / "out", SMALL)) == expected(documents)


def test_a_folder_with_something_else_is_refused(tmp_path: Path, encoder: MergesEncoder) -> None:
    (tmp_path / "a.txt").write_text(texts.book(np.random.default_rng(5), 9_000), encoding="utf-8")
    tokenize(source(tmp_path / "a.txt"), encoder, tmp_path / "out", SMALL)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    for other in (ShardPlan("others", 1_000, 300), ShardPlan("words", 500, 300)):
        with pytest.raises(DatasetError, match="something else in this folder"):
            tokenize(source(tmp_path / "a.txt"), encoder, tmp_path / "out", other)
    with pytest.raises(DatasetError, match="something else in this folder"):
        tokenize(source(tmp_path / "a.txt", lines=True), encoder, tmp_path / "out", SMALL)
    with pytest.raises(DatasetError, match="something else in this folder"):
        tokenize(source(tmp_path / "a.txt"), encoder, tmp_path, SMALL)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_too_little_text_for_two_shards(tmp_path: Path, encoder: MergesEncoder) -> None:
    (tmp_path / "a.txt").write_text("a few words", encoding="utf-8")
    with pytest.raises(DatasetError, match="are in the validation shard"):
        tokenize(source(tmp_path / "a.txt"), encoder, tmp_path / "out", SMALL)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"\xff\xfe", "no text in UTF-8"),
        ("a.jsonl", b'{"text": "a"}\n{"texts": "b"}\n', 'a.jsonl:2: no JSON object with the key "text"'),
        ("a.jsonl", b'{"text": 1}\n', '"text" is no text'),
        ("a.jsonl", b"[]\n", "no JSON object"),
        ("a.txt.gz", b"no gzip", "cannot be read"),
    ],
)
def test_files_that_are_not_what_their_names_say(
    tmp_path: Path, encoder: MergesEncoder, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DatasetError) as caught:
        tokenize(source(tmp_path / name), encoder, tmp_path / "out", SMALL)
    assert words in str(caught.value)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="there is nothing"):
        text_files([tmp_path / "nowhere.txt"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="there are no files here"):
        text_files([tmp_path / "empty"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("#version: 0.2\na b\nabc\n", "merge 2 is not two tokens"),
        ("", "merge 1 is not two tokens"),
        ("ab c\n", '"ab" is merged, but no merge makes it'),
        ("a b\na b\n", "two merges make the same token"),
    ],
)
def test_merges_that_are_none(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "merges.txt").write_text(content)
    with pytest.raises(DatasetError) as caught:
        MergesEncoder(tmp_path / "merges.txt")
    assert words in str(caught.value)


class Wide:
    """A tokenizer with more ids than two bytes can hold, or with ids that are none."""

    def __init__(self, vocabulary: int, ids: list[int]) -> None:
        self.vocabulary, self.document_start, self.fingerprint, self._ids = vocabulary, 1, "wide", ids

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._ids for _ in texts]


@pytest.mark.parametrize("ids", [[70_000], [-1], [1.5], ["a"]])
def test_ids_that_do_not_fit_are_refused(tmp_path: Path, ids: list[int]) -> None:
    (tmp_path / "a.txt").write_text("some words")
    with pytest.raises(DatasetError, match="do not fit into two bytes"):
        tokenize(source(tmp_path / "a.txt"), Wide(100_000, ids), tmp_path / "out", SMALL)
    with pytest.raises(DatasetError, match="something else than ids"):
        tokenize(source(tmp_path / "a.txt"), Wide(50_000, ids), tmp_path / "out", SMALL)


def test_names_of_shards() -> None:
    assert require_name("fineweb-edu_1") == "fineweb-edu_1"
    for name in ("", "../evil", "a/b", ".hidden", "a" * 65, "ä"):
        with pytest.raises(DatasetError, match="cannot begin the name of a file"):
            require_name(name)


def test_a_file_is_never_whole_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has been read when the first piece comes out is a block, not the file."""
    monkeypatch.setattr(texts_module, "_BLOCK_CHARACTERS", 1_000)
    (tmp_path / "a.txt").write_text("words and words\n" * 10_000)
    pieces: Iterator[texts_module.Piece] = source(tmp_path / "a.txt").pieces()
    assert all(len(piece.text) <= 2_000 for piece in islice(pieces, 5))
