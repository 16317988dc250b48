"""Beginning a problem: what is written is judged green at once, and nothing is ever overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepfield_cli.authoring.new import new_problem
from deepfield_cli.content.packs import PACKS_VARIABLE, Pack, builtin_pack
from deepfield_cli.content.stage import Stage
from deepfield_cli.content.strict_yaml import load_model
from deepfield_cli.errors import ContentError, WorkspaceError
from tests.conftest import RunCli

STAGE = Path(__file__).parent / "stage.yaml"


def test_what_is_written_is_green_at_once(run_cli: RunCli, tmp_path: Path) -> None:
    """As an author would: three commands, a pack of their own."""
    written = run_cli("dev", "new", "stats/moving-average", "--pack", "mine", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    *files, following = written.stdout.splitlines()
    assert f"{tmp_path}/mine/problems/stats/moving-average/starter/moving_average.py" in files
    assert all(Path(file).is_file() for file in files)
    assert following == f"Next: DEEPFIELD_PACKS={tmp_path}/mine deepfield dev check stats/moving-average"
    environment = {PACKS_VARIABLE: str(tmp_path / "mine")}

    judged = run_cli("dev", "check", "stats/moving-average", "--json", cwd=tmp_path, environment=environment)
    assert judged.returncode == 0, judged.stdout
    (problem,) = json.loads(judged.stdout)["problems"]
    assert problem["findings"] == []
    assert len(problem["wrongs"]) == 4
    assert problem["strange_answers"] > 30

    mutated = run_cli("dev", "mutate", "stats/moving-average", cwd=tmp_path, environment=environment)
    assert mutated.returncode == 0, mutated.stdout
    assert " 0 survived" in mutated.stdout


def test_every_name_is_that_of_the_new_problem(tmp_path: Path) -> None:
    written = new_problem("stats/2d-mean", tmp_path)
    location = Pack(tmp_path.name, tmp_path).location("stats/2d-mean")
    problem = location.load()
    assert problem.entry == "problem_2d_mean.py"
    assert (location.starter / problem.entry).is_file()
    assert 'Suite("stats/2d-mean")' in (location.grader / "suite.py").read_text()
    assert not [path for path in written.files if "example/" in path.read_text() or "CONCEPT" in path.read_text()]


def test_it_begins_with_a_concept_of_the_stage(tmp_path: Path) -> None:
    stages = tmp_path / "curriculum" / "stages"
    stages.mkdir(parents=True)
    (stages / "llm.yaml").write_text(STAGE.read_text())
    new_problem("llm/mean", tmp_path)
    assert Pack(tmp_path.name, tmp_path).location("llm/mean").load().concepts == ("counting",)


def test_a_field_of_the_built_in_roadmap_lends_its_concept(tmp_path: Path) -> None:
    paths = {stage.id: stage for stage in map(_stage, (builtin_pack().root / "curriculum" / "stages").glob("*.yaml"))}
    new_problem("llm/mean", tmp_path)
    (concept,) = Pack(tmp_path.name, tmp_path).location("llm/mean").load().concepts
    assert concept == paths["llm"].concepts[0].name


def _stage(path: Path) -> Stage:
    return load_model(path, Stage)


@pytest.mark.parametrize("part", ["problems", "graders"])
def test_nothing_is_overwritten(tmp_path: Path, part: str) -> None:
    folder = tmp_path / part / "stats" / "mean"
    folder.mkdir(parents=True)
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(ContentError, match=f"{folder}: it is there already"):
        new_problem("stats/mean", tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["mean", "Stats/mean", "stats/mean/more", "stats/", "../up/mean", "stats/me an"])
def test_a_name_has_to_be_an_id(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContentError, match=r"is not a problem id — field/slug in small letters, e\.g\. llm/layer-norm"):
        new_problem(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_pack_that_cannot_be_written_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        new_problem("stats/mean", tmp_path / "file")
