"""``doctor``: what this machine and this workspace are like, and what to do about what is wrong."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest

from deepfield_cli.content.packs import PACKS_VARIABLE
from deepfield_cli.journey import libraries
from deepfield_cli.journey.belongings import examine_belongings
from deepfield_cli.journey.doctor import Diagnosis
from deepfield_cli.journey.finding import Finding
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.render.console import make_console
from deepfield_cli.render.doctor import show_diagnosis
from tests.conftest import RunCli


def test_a_healthy_workspace_looked_over_without_torch_in_this_process(workspace: Workspace, run_cli: RunCli) -> None:
    answer = run_cli("doctor", "--json", cwd=workspace.root, environment={"PYTHONPROFILEIMPORTTIME": "1"})

    document = json.loads(answer.stdout)
    states = {(one["area"], one["name"]): one["state"] for one in document["findings"]}
    assert answer.returncode == 0
    assert document["ok"] is True
    assert states["libraries", "torch"] == "ok"
    assert states["isolation", "worker"] == "ok"
    assert states["workspace", "folder"] == "ok"
    assert states["workspace", "record"] == "ok"
    assert states["content", "pack tiny"] == "ok"
    assert [one["name"] for one in document["findings"] if one["state"] != "ok" and not one["advice"]] == []
    assert [line for line in answer.stderr.splitlines() if line.endswith("| torch")] == []


def test_no_workspace_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    folder = _found(examine_belongings(), "folder")

    assert folder.state == "absent"
    assert folder.advice == "deepfield start llm/attention makes one"


def test_a_damaged_record_is_bad(workspace: Workspace) -> None:
    workspace.database.write_bytes(b"this is no database" * 100)

    record = _found(examine_belongings(), "record")

    assert record.state == "bad"
    assert "--rebuild-ledger" in str(record.advice)


def test_a_broken_pack_names_file_and_line(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = tmp_path / "broken" / "problems" / "a" / "b" / "problem.yaml"
    declared.parent.mkdir(parents=True)
    declared.write_text("format_version: 1\nid: a/b\nversio: 1\n", encoding="utf-8")
    monkeypatch.setenv(PACKS_VARIABLE, str(tmp_path / "broken"))

    pack = _found(examine_belongings(), "pack broken")

    assert pack.state == "bad"
    assert str(declared) in pack.value


def test_a_cache_that_cannot_be_written_is_a_warning(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "a-file"
    in_the_way.write_text("")
    monkeypatch.setenv("DEEPFIELD_CACHE", str(in_the_way / "cache"))

    cache = _found(examine_belongings(), "cache")

    assert cache.state == "warn"
    assert "DEEPFIELD_CACHE" in str(cache.advice)


def test_the_folder_of_datasets_is_shown_with_what_is_in_it_and_what_is_free(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPFIELD_DATA", str(tmp_path / "far" / "data"))

    before = _found(examine_belongings(), "data")
    assert before.state == "absent"
    assert re.fullmatch(rf"nothing in {tmp_path}/far/data yet, [\d.,]+ \w+ free", before.value)
    assert before.advice == "deepfield data list"
    assert not (tmp_path / "far").exists()

    (tmp_path / "far" / "data" / "words").mkdir(parents=True)
    (tmp_path / "far" / "data" / "words" / "a.txt").write_bytes(bytes(1500))
    (tmp_path / "far" / "data" / "words" / ".b.txt.part").write_bytes(bytes(500))
    after = _found(examine_belongings(), "data")
    assert after.state == "ok"
    assert re.fullmatch(rf"{tmp_path}/far/data: 2 kB in it, [\d.,]+ \w+ free", after.value)


def test_datasets_that_cannot_be_fetched_are_a_warning(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-file").write_text("")
    for place in ("a-file", "a-file/data"):
        monkeypatch.setenv("DEEPFIELD_DATA", str(tmp_path / place))
        data = _found(examine_belongings(), "data")
        assert data.state == "warn"
        assert "DEEPFIELD_DATA names another folder" in str(data.advice)


def test_a_torch_that_crashes_is_reported_and_does_not_take_the_doctor_along(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_LOOK_AT_TORCH", "import os; os.abort()")

    torch = _found(libraries.examine_libraries(), "torch")

    assert torch.state == "bad"
    assert "status -6" in torch.value


def test_a_torch_that_hangs_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libraries, "_LOOK_AT_TORCH", "import time; time.sleep(600)")
    monkeypatch.setattr(libraries, "_IMPORT_SECONDS", 1)

    assert "does not end within 1 s" in _found(libraries.examine_libraries(), "torch").value


def test_exit_code_and_summary_follow_the_worst(workspace: Workspace) -> None:
    well = Diagnosis((Finding("a", "x", "ok", "fine"), Finding("a", "y", "absent", "none", "get one")))
    weak = Diagnosis((*well.findings, Finding("b", "z", "warn", "weak", "do this")))
    ill = Diagnosis((*weak.findings, Finding("b", "w", "bad", "gone", "do that")))

    assert [one.exit_code for one in (well, weak, ill)] == [0, 0, 1]
    assert "Everything is in order." in _shown(well)
    assert "weaker than it could be: z" in _shown(weak)
    assert "Not in order: w." in _shown(ill)


def _found(findings: list[Finding], name: str) -> Finding:
    return next(one for one in findings if one.name == name)


def _shown(diagnosis: Diagnosis) -> str:
    file = StringIO()
    show_diagnosis(make_console(file, width=80), diagnosis)
    return file.getvalue()
