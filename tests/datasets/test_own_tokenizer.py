"""The learner's own tokenizer makes shards: in a worker, with the merges that it is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deepfield_cli.content.packs import find_location
from deepfield_cli.datasets.encoder import DOCUMENT_MARK
from deepfield_cli.datasets.errors import DatasetError
from deepfield_cli.datasets.shards import read_shard, shard_paths
from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey import own_tokenizer as module
from deepfield_cli.journey.own_tokenizer import own_tokenizer
from tests.conftest import MakeWorkspace, RunCli
from tests.datasets.test_tokenizing import DOCUMENTS, MARK, expected, ids_of, merges_file

__all__ = ["merges_file"]  # the fixture
SOLUTION = find_location("llm/bpe").solutions()[0].read_text(encoding="utf-8")
REVERSED = (
    SOLUTION + "\n\n_encode = Tokenizer.encode\nTokenizer.encode = lambda self, text: _encode(self, text)[::-1]\n"
)


def test_its_ids_are_its_own(make_workspace: MakeWorkspace, merges_file: Path) -> None:
    workspace = make_workspace("llm/bpe", REVERSED)
    with own_tokenizer(workspace, merges_file) as tokenizer:
        found = tokenizer.encode(DOCUMENTS[:5])
        assert [[MARK, *ids[::-1]] for ids in found] == [expected([text]) for text in DOCUMENTS[:5]]
        assert (tokenizer.vocabulary, tokenizer.document_start) == (MARK + 1, MARK)


def test_the_command_makes_shards(
    make_workspace: MakeWorkspace, merges_file: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    workspace = make_workspace("llm/bpe", SOLUTION)
    (tmp_path / "words.txt").write_text(DOCUMENTS[0], encoding="utf-8")
    command = ["data", "tokenize", tmp_path / "words.txt", "--merges", merges_file, "--validation-tokens", "100"]
    own = run_cli(*command, "--own", "--out", tmp_path / "own", cwd=workspace.root)
    assert own.returncode == 0, own.stderr
    theirs = run_cli(*command, "--out", tmp_path / "theirs", cwd=workspace.root)
    assert theirs.returncode == 0, theirs.stderr
    ids = [ids_of([read_shard(path) for path in shard_paths(tmp_path / name)]) for name in ("own", "theirs")]
    assert ids[0] == ids[1] == expected(DOCUMENTS[:1])
    assert "2 files in" in own.stdout
    assert "100 of them for validation" in own.stdout


def test_the_worker_is_replaced_now_and_then(
    make_workspace: MakeWorkspace, merges_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_CHARACTERS_PER_WORKER", 2_000)
    counting = SOLUTION + "\n\nasked = 0\n_encode = Tokenizer.encode\n\n\ndef _counted(self, text):\n"
    counting += "    global asked\n    asked += 1\n    return [asked]\n\n\nTokenizer.encode = _counted\n"
    workspace = make_workspace("llm/bpe", counting)
    with own_tokenizer(workspace, merges_file) as tokenizer:
        assert tokenizer.encode(["x" * 900] * 5) == [[1], [2], [1], [2], [1]]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError('no')", "your tokenizer:"),
        ("return 'abc'", "something else than ids"),
        ("return [10 ** 9]", "something else than ids"),
        ("return [True]", "something else than ids"),
        ("return [-1]", "something else than ids"),
    ],
)
def test_a_tokenizer_that_fails_is_told(
    make_workspace: MakeWorkspace, merges_file: Path, body: str, words: str
) -> None:
    workspace = make_workspace(
        "llm/bpe", SOLUTION + f"\n\ndef _wrong(self, text):\n    {body}\n\n\nTokenizer.encode = _wrong\n"
    )
    with own_tokenizer(workspace, merges_file) as tokenizer, pytest.raises(DatasetError) as caught:
        tokenizer.encode(["some words"])
    assert words in str(caught.value)
    assert "deepfield grade llm/bpe" in str(caught.value)


def test_without_a_tokenizer_it_is_told(make_workspace: MakeWorkspace, merges_file: Path) -> None:
    workspace = make_workspace()
    with pytest.raises(WorkspaceError, match=r"there is no bpe.py here"), own_tokenizer(workspace, merges_file):
        pass


def test_the_mark_is_the_one_of_gpt2() -> None:
    assert DOCUMENT_MARK == "<|endoftext|>"
    assert np.uint16(50_256) == 256 + 50_000
