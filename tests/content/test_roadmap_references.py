"""Ids that lead nowhere, and statements that contradict each other, are refused with the words that repair them."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepfield_cli.content.roadmap import Roadmap
from deepfield_cli.content.roadmap_loader import load_roadmap, read_roadmap
from deepfield_cli.content.roadmap_references import faults
from deepfield_cli.errors import ContentError

# file, what stands there, what is put there, what must be said
BREAKS = {
    "reading": ("stages/1-llm.yaml", "{resource: annotated-transformer}", "{resource: anotated-transformer}",
                'resource "anotated-transformer" does not exist; did you mean "annotated-transformer"?'),
    "stage problem": ("stages/1-llm.yaml", "problems: [llm/attention, llm/bpe,", "problems: [llm/attention,",
                      'problem "llm/bpe" is either not listed'),
    "concept resource": ("stages/1-llm.yaml", "learn: [mamba-paper]", "learn: [mamba]",
                         'resource "mamba" does not exist'),
    "stage number": ("stages/2-vision.yaml", "number: 2", "number: 7", "the stages are numbered"),
    "concept of a problem": ("problems/llm.yaml", "concepts: [byte-level-bpe]", "concepts: [byte-level-bp]",
                             'concept "byte-level-bp" does not exist'),
    "need": ("problems/llm.yaml", "needs: [llm/attention, llm/bpe]", "needs: [llm/attention, llm/bpee]",
             'problem "llm/bpee" does not exist; did you mean "llm/bpe"?'),
    "circle": ("problems/llm.yaml", "concepts: [byte-level-bpe]", "concepts: [byte-level-bpe]\n    needs: [llm/gpt2]",
               "need each other in a circle"),
    "overlap": ("problems/llm.yaml", "overlaps: [mlsys/flash-attention]", "overlaps: [mlsys/flash]", "does not exist"),
    "rung of a rule": ("arena.yaml", "{solved: rl/ppo, rung: laptop}", "{solved: rl/sutton-barto, rung: laptop}",
                       'problem "rl/sutton-barto" has no rung "laptop"'),
    "rubric": ("arena.yaml", "attested: putnam-problem", "attested: putnam-problems",
               'rubric "putnam-problems" does not exist'),
    "duplicate id": ("arena.yaml", "- id: putnam", "- id: jane-street-puzzles",
                     '"jane-street-puzzles" is defined twice'),
    "one name for two things": ("arena.yaml", "- id: putnam\n", "- id: kaggle\n",
                                'the name "kaggle" stands for 2 things'),
    "one address for two": ("resources/blogs.yaml", "url: https://aman.ai/", "url: https://importai.net",
                            "the address https://importai.net belongs to 2 resources"),
    "replacement": ("resources/repositories.yaml", "replaced_by: nanochat", "replaced_by: nanochats",
                    '"nanochats" does not'),
    "work of a person": ("people.yaml", "works: [cs224w]", "works: [cs224]", 'resource "cs224" does not exist'),
    "flagship guide": ("charter.yaml", "guide: faiss-contributing", "guide: faiss-guide",
                       '"faiss-guide" does not exist'),
    "correction": ("corrections.yaml", "settled_in: [llm/gpt2, build", "settled_in: [llm/gpt3, build", '"llm/gpt3"'),
    "rabbit hole": ("onward.yaml", "resources: [hellaswag, lm-eval-harness]", "resources: [hellaswagg]",
                    '"hellaswagg"'),
    "try first": ("quiz.yaml", "problems: [recsys/mf, recsys/two-tower]", "problems: [recsys/als]", '"recsys/als"'),
}  # fmt: skip

# the same, for what a single file can be wrong about by itself
BREAKS_IN_ONE_FILE = {
    "unknown key": ("arena.yaml", "    resources: [putnam-archive]", "    resorces: [putnam-archive]",
                    'did you mean "resources"'),
    "unverified bar": ("problems/llm.yaml", "source: convention, from memory\n        verified: false",
                       "source: convention, from memory\n        verified: false\n        pass_mark: true",
                       "not verified"),
    "target without its rung": ("problems/llm.yaml", "- id: gpt2_vocab\n        rung: paper",
                                "- id: gpt2_vocab\n        rung: laptop",
                                'names rung "laptop", which this problem does not have'),
    "no rule": ("signals.yaml", "evidence: {season_weeks: 12}", "evidence: {weeks: 12}", "a rule has exactly one of"),
    "two rules in one": ("signals.yaml", "evidence: {season_weeks: 12}", "evidence: {season_weeks: 12, gaps_logged: 3}",
                         "a rule has exactly one of"),
    "impossible drill": ("signals.yaml", "right: 24, out_of: 30", "right: 40, out_of: 30", "can never be met"),
    "impossible rubric": ("rubrics.yaml", "    enough: 4\n", "    enough: 9\n", "enough is 9"),
    "address": ("resources/blogs.yaml", "url: https://aman.ai/", "url: aman.ai", "url"),
    "date": ("resources/blogs.yaml", "checked: 2026-11-22", "checked: lately", "checked"),
    "weeks": ("stages/2-vision.yaml", "{min: 10, max: 14}", "{min: 14, max: 10}", "min 14 is above max 10"),
    "enjoyment": ("quiz.yaml", "4: 1, 5: 2}", "4: 3, 5: 2}", "must never give fewer points"),
    "pace": ("quiz.yaml", "{up_to: 0.5, points: 1}", "{up_to: 0.5, points: 0.1}", "faster pass"),
}  # fmt: skip


def test_the_roadmap_holds_together(pack_root: Path) -> None:
    assert faults(read_roadmap(pack_root)) == []


@pytest.mark.parametrize(("file", "good", "bad", "said"), BREAKS.values(), ids=BREAKS)
def test_a_broken_reference_is_named(broken_pack: Path, file: str, good: str, bad: str, said: str) -> None:
    change(broken_pack, file, good, bad)
    with pytest.raises(ContentError) as caught:
        load_roadmap(broken_pack)
    assert said in str(caught.value)


@pytest.mark.parametrize(("file", "good", "bad", "said"), BREAKS_IN_ONE_FILE.values(), ids=BREAKS_IN_ONE_FILE)
def test_a_broken_entry_is_named_with_its_line(broken_pack: Path, file: str, good: str, bad: str, said: str) -> None:
    change(broken_pack, file, good, bad)
    with pytest.raises(ContentError) as caught:
        load_roadmap(broken_pack)
    assert said in str(caught.value)
    assert f"{file}:" in str(caught.value), "file and line"


def test_every_fault_is_counted(broken_pack: Path) -> None:
    change(broken_pack, "arena.yaml", "{solved: rl/ppo, rung: laptop}", "{solved: rl/sutton-barto, rung: laptop}")
    change(broken_pack, "arena.yaml", "attested: putnam-problem", "attested: putnam-problems")
    with pytest.raises(ContentError, match=r"and 1 more"):
        load_roadmap(broken_pack)


def test_an_unreachable_choice_is_a_circle(roadmap: Roadmap) -> None:
    """``any_of`` counts as a need: a problem whose only ways in need it first can never be started."""
    attention = roadmap.problems["llm/attention"].model_copy(update={"any_of": ("llm/gpt2",)})
    changed = roadmap.model_copy(update={"problems": {**roadmap.problems, "llm/attention": attention}})
    assert any("circle" in fault for fault in faults(changed))


def change(pack: Path, file: str, good: str, bad: str) -> None:
    path = pack / "curriculum" / file
    text = path.read_text(encoding="utf-8")
    assert good in text, "the test breaks something that is no longer there"
    path.write_text(text.replace(good, bad, 1), encoding="utf-8")
