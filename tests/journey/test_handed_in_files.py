"""What is attested with a file keeps the file: in the record, in its export, and within a limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.journey import attesting
from deepfield_cli.journey.attesting import Evidence, attest, find_rubric, read_attestations
from deepfield_cli.journey.parcel.importing import import_record
from deepfield_cli.journey.parcel.writing import export_record
from deepfield_cli.journey.workspace import Workspace

ANSWERS = dict.fromkeys(("statement", "each-step", "rows", "consequence", "limits"), True)


def test_the_file_is_kept_and_travels_with_the_record(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "proof of ½.pdf"
    path.write_bytes(b"%PDF \x00\xff" * 1000)
    made = attest(workspace, find_rubric("contraction-proof"), ANSWERS, Evidence(file=path))
    assert made.kept
    export_record(workspace, tmp_path / "record.zip")
    imported = import_record(tmp_path / "record.zip", tmp_path / "copy", None).workspace
    assert imported is not None
    with imported.record() as ledger:
        assert ledger.files(ledger.entry(made.number)) == {path.name: path.read_bytes()}
    assert read_attestations(imported) == [made]


def test_a_file_beyond_the_limit_is_one_clear_line(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attesting, "LARGEST_FILE_BYTES", 1 << 20)
    path = tmp_path / "talk.mp4"
    path.write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(DeepfieldError, match=r"talk\.mp4: larger than the 1 MB that are kept — .*--link"):
        attest(workspace, find_rubric("contraction-proof"), ANSWERS, Evidence(file=path))
    assert read_attestations(workspace) == []
    path.write_bytes(bytes(1 << 20))
    assert attest(workspace, find_rubric("contraction-proof"), ANSWERS, Evidence(file=path)).kept


def test_older_attestations_hold_a_digest_alone(workspace: Workspace) -> None:
    payload = {"rubric": "talk", "count": 1, "answers": {}, "link": None, "note": None}
    with workspace.ledger() as ledger:
        ledger.append("attest", {**payload, "file": "a.pdf", "sha256": "0" * 64, "size": 3})
        ledger.append("attest", {**payload, "file": None, "sha256": None, "size": None, "link": "https://a.org/b"})
    assert [one.kept for one in read_attestations(workspace)] == [False, False]


def test_the_home_screen_asks_for_the_progress_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepfield_cli.journey.progress import read_status
    from deepfield_cli.ledger import Ledger, ProblemProgress

    asked = 0
    ask = Ledger.progress

    def counting(ledger: Ledger) -> list[ProblemProgress]:
        nonlocal asked
        asked += 1
        return ask(ledger)

    with workspace.ledger() as ledger:
        ledger.append("attempt", {}, problem="llm/bpe", rung="core", solved=True, score=1.0)
    monkeypatch.setattr(Ledger, "progress", counting)
    assert read_status(workspace).due_reviews == 0
    assert asked == 1
