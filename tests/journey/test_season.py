"""Seasons: twelve weeks or more, no switching inside, and an honest account of the weeks."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from deepfield_cli.errors import ContentError, DeepfieldError, WorkspaceError
from deepfield_cli.journey.facts import read_facts
from deepfield_cli.journey.season import SeasonError, commit, last_season
from deepfield_cli.journey.season_page import open_season, reach_milestone
from deepfield_cli.journey.workspace import Workspace
from tests.conftest import RunCli
from tests.journey.conftest import Attempted, SetClock


def test_a_season_has_twelve_weeks_at_least(workspace: Workspace, set_clock: SetClock) -> None:
    set_clock("2026-11-23T12:00")
    with pytest.raises(SeasonError, match="at least 12 weeks, not 11"):
        commit(workspace, "llm", 11)
    season = commit(workspace, "llm")
    assert (season.started, season.ends, season.weeks) == (date(2026, 11, 23), date(2027, 2, 15), 12)


def test_an_unknown_field_is_told_with_its_near_miss(workspace: Workspace) -> None:
    with pytest.raises(ContentError, match='did you mean "vision"'):
        commit(workspace, "vison")


def test_switching_is_refused_until_the_last_day_and_free_after_it(workspace: Workspace, set_clock: SetClock) -> None:
    set_clock("2026-11-23T12:00")
    commit(workspace, "llm")
    set_clock("2027-02-14T23:00")
    with pytest.raises(SeasonError, match="runs until 2027-02-15") as refusal:
        commit(workspace, "rl")
    assert "you do not switch" in str(refusal.value)
    with pytest.raises(SeasonError, match="already your season"):
        commit(workspace, "llm")
    set_clock("2027-02-15T12:00")
    assert commit(workspace, "rl").field == "rl"


def test_the_refusal_ends_in_one_line_and_exit_code_2(workspace: Workspace, run_cli: RunCli) -> None:
    assert run_cli("commit", "llm", cwd=workspace.root).returncode == 0
    refused = run_cli("commit", "rl", cwd=workspace.root)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1
    with workspace.record() as ledger:
        season = last_season(ledger)
    assert season is not None
    assert season.field == "llm"


def test_weeks_slips_and_milestones(workspace: Workspace, set_clock: SetClock, attempted: Attempted) -> None:
    set_clock("2026-11-02T08:00")
    commit(workspace, "llm")
    attempted("llm/attention", "2026-11-03T10:00", solved=False)
    attempted("llm/attention", "2026-11-04T10:00", solved=True)
    attempted("rl/dqn", "2026-11-10T10:00", solved=False)  # another field's work keeps no week of this one
    attempted("llm/bpe", "2026-11-17T10:00", solved=False)
    set_clock("2026-11-27T12:00")
    reach_milestone(workspace, 1)
    page = open_season(workspace)
    assert page.worked == {1: 2, 3: 1}
    assert page.quiet == (2,)
    first, second = page.milestones[:2]
    assert (first.due, first.reached, first.late) == (date(2026, 11, 19), date(2026, 11, 27), 1)
    assert (second.reached, second.late) == (None, 0)
    assert [passed.problem for passed in page.deeds["llm"].passes] == ["llm/attention"]


def test_a_milestone_is_reached_once_and_must_exist(workspace: Workspace) -> None:
    commit(workspace, "llm")
    reach_milestone(workspace, 2)
    with pytest.raises(DeepfieldError, match="on the record already"):
        reach_milestone(workspace, 2)
    with pytest.raises(DeepfieldError, match="no milestone 9"):
        reach_milestone(workspace, 9)


def test_a_new_season_has_its_own_milestones(workspace: Workspace, set_clock: SetClock) -> None:
    set_clock("2026-11-02T08:00")
    commit(workspace, "llm")
    reach_milestone(workspace, 1)
    set_clock("2027-02-01T08:00")
    commit(workspace, "rl")
    page = open_season(workspace)
    assert page.milestones[0].reached is None
    assert [season.field for season in page.earlier] == ["llm"]


def test_no_season_yet(workspace: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="no season yet"):
        open_season(workspace)


@pytest.mark.parametrize(("worked", "kept"), [(12, 12), (10, 12), (9, 9), (0, 0)])
def test_a_season_counts_as_kept_if_it_was_worked_in(
    workspace: Workspace, set_clock: SetClock, attempted: Attempted, worked: int, kept: int
) -> None:
    set_clock("2026-01-05T08:00")
    commit(workspace, "llm")
    for week in range(worked):
        attempted("llm/attention", str(date.fromordinal(date(2026, 1, 6).toordinal() + 7 * week)), solved=False)
    set_clock("2026-03-29T08:00")
    assert read_facts(workspace).season_weeks == 0
    set_clock("2026-03-30T12:00")
    assert read_facts(workspace).season_weeks == kept


def test_at_its_end_the_choice_is_offered_again(workspace: Workspace, run_cli: RunCli, tmp_path: Path) -> None:
    def run(*arguments: str, now: str) -> str:
        return run_cli(*arguments, cwd=workspace.root, environment={"DEEPFIELD_NOW": now}).stdout

    run("commit", "llm", now="2026-01-05T08:00")
    over = "2026-04-01T08:00"
    assert "deepfield pick-field --since 2026-01-05" in run("season", now=over)
    assert "deepfield pick-field --since 2026-01-05" in run("status", now=over)
    answers = tmp_path / "answers.yaml"
    answers.write_text("friday-bug: agent-forgets\n", encoding="utf-8")
    assert '"rl"' in run("pick-field", "--since", "2026-01-05", "--answers", str(answers), "--json", now=over)
    with workspace.record() as ledger:
        review = ledger.payload(ledger.entries("season-review")[0])
    assert review["first"] == "rl"
