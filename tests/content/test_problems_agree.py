"""Where a problem's pack exists, the roadmap and its problem.yaml say the same."""

from __future__ import annotations

from pathlib import Path

from deepfield_cli.content.packs import builtin_pack
from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.content.roadmap_loader import availability


def test_packs_and_roadmap_agree(roadmap: Roadmap, pack_root: Path) -> None:
    pack = builtin_pack()
    graded = pack.problem_ids()
    assert {"llm/attention", "llm/bpe"} <= set(graded)
    for name in graded:
        problem, planned = pack.location(name).load(), roadmap.problems[name]
        assert [roadmap.concept_ids[concept] for concept in problem.concepts] == list(planned.concepts), name
        assert problem.difficulty == planned.difficulty, name
        assert set(problem.needs) == set(planned.needs), name
        assert problem.entry == planned.entry, name
        assert set(problem.rungs) == set(planned.rungs), name
        assert {entry.name for entry in problem.api} == {entry.name for entry in planned.api}, name
        values = {target.id: target.value for target in planned.targets}
        assert all(values.get(target.id, target.value) == target.value for target in problem.targets), name


def test_the_others_are_planned_and_still_have_a_brief(roadmap: Roadmap, pack_root: Path) -> None:
    planned = [problem for problem in roadmap.problems.values() if availability(pack_root, problem.id) == "planned"]
    for problem in planned:
        assert problem.goal and problem.why and problem.resources and problem.rungs, problem.id
        assert problem.api or problem.field == "summit", problem.id
