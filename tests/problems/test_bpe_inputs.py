"""The inputs of llm/bpe must show every known mistake, and tell each from every other, whatever the seed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading import Tensor
from graders.llm.bpe import misconceptions, oracle, suite, texts, verdicts
from graders.llm.bpe.misconceptions import NO_MISTAKE, Learner, Switches
from graders.llm.bpe.texts import Encoding, Training

ROOT = Path(__file__).resolve().parents[2]
BRIEF = (ROOT / "problems/llm/bpe/README.md").read_text(encoding="utf-8")
DECLARED = yaml.safe_load((ROOT / "problems/llm/bpe/problem.yaml").read_text(encoding="utf-8"))
SEEDS = [1, 2]

Answers = Callable[[Switches], Any]


def draw(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def told_apart(answers: Answers, right: Any, mistakes: Iterable[str], *, every_way: bool = True) -> None:
    """The right answer and those of all mistakes differ pairwise; several ways of one mistake may coincide.

    Every mistake must show, in every way in which it is made unless ``every_way`` is false.
    """
    assert answers(NO_MISTAKE) == right
    seen = {repr(right): "nothing wrong"}
    for name in mistakes:
        for index, way in enumerate(misconceptions.ways(name)):
            answer = repr(answers(way))
            if index and answer == repr(right) and not every_way:
                continue
            assert seen.get(answer, name) == name, f"{name} looks like {seen[answer]}"
            seen[answer] = name


def encodings(cases: Sequence[Encoding]) -> tuple[Answers, Any]:
    def answers(way: Switches) -> Any:
        learners = [Learner(case.merges, case.specials, way) for case in cases]
        return [[learner.encode(text) for text in case.texts] for learner, case in zip(learners, cases, strict=True)]

    return answers, [oracle.Oracle(case.merges, case.specials).encode_many(case.texts) for case in cases]


def trainings(cases: Sequence[Training]) -> tuple[Answers, Any]:
    def answers(way: Switches) -> Any:
        return [verdicts.trained(case, way) for case in cases]

    return answers, [oracle.train(case.text, case.vocab_size, case.specials) for case in cases]


# ---- every mistake shows ---------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_boundaries(seed: int) -> None:
    case = texts.boundaries(draw(seed))
    answers, right = encodings([case])
    told_apart(answers, right, (*texts.BOUNDARY_MISTAKES, *texts.BYTE_MISTAKES))
    learner = Learner(case.merges)
    pieces = sum(len(learner.split(text)) for text in case.texts)
    assert sum(map(len, right[0])) == pieces, "every pre-token is one id, so that ids show the boundaries"


@pytest.mark.parametrize("seed", SEEDS)
def test_merge_order(seed: int) -> None:
    rng = draw(seed)
    cases = [texts.few_letters(rng) for _ in range(3)] + [texts.runs(rng) for _ in range(4)]
    told_apart(*encodings(cases), texts.MERGE_MISTAKES)


@pytest.mark.parametrize("seed", SEEDS)
def test_special_tokens(seed: int) -> None:
    told_apart(*encodings([texts.with_specials(draw(seed))]), texts.SPECIAL_MISTAKES)


@pytest.mark.parametrize("seed", SEEDS)
def test_strings_of_everything(seed: int) -> None:
    told_apart(*encodings([texts.mixture(draw(seed), 600)]), texts.BYTE_MISTAKES)


@pytest.mark.parametrize("seed", SEEDS)
def test_decoding(seed: int) -> None:
    case, sequences = texts.decoding(draw(seed))
    right = oracle.Oracle(case.merges, case.specials)

    def answers(way: Switches) -> list[str]:
        return [suite.mistaken_decode(case, ids, way) for ids in sequences]

    told_apart(answers, [right.decode(ids) for ids in sequences], texts.DECODING_MISTAKES)


@pytest.mark.parametrize("seed", SEEDS)
def test_training_counts(seed: int) -> None:
    rng = draw(seed)
    cases = [texts.counted(rng) for _ in range(6)]
    told_apart(*trainings(cases), texts.COUNT_MISTAKES)
    for tie_break in texts.TIE_MISTAKES[:-1]:
        way = frozenset({tie_break})
        assert all(verdicts.trained(case, way) == verdicts.trained(case, NO_MISTAKE) for case in cases), tie_break


@pytest.mark.parametrize("seed", [*SEEDS, 3, 4])
def test_training_ties(seed: int) -> None:
    rng = draw(seed)
    told_apart(*trainings([texts.tied(rng) for _ in range(8)]), texts.TIE_MISTAKES)


@pytest.mark.parametrize("seed", SEEDS)
def test_training_with_special_tokens(seed: int) -> None:
    rng = draw(seed)
    told_apart(*trainings([texts.sprinkled(rng) for _ in range(3)]), texts.SPECIAL_TRAINING_MISTAKES)


@pytest.mark.parametrize("seed", SEEDS)
def test_training_to_the_end(seed: int) -> None:
    cases = texts.exhausted(draw(seed))
    answers, right = trainings(cases)
    told_apart(answers, right, texts.EXHAUSTION_MISTAKES)
    assert all(256 + len(merges) + 1 < case.vocab_size for merges, case in zip(right, cases, strict=True))


@pytest.mark.parametrize("seed", SEEDS)
def test_streams(seed: int) -> None:
    case = texts.streams(draw(seed))
    short = [chunks for chunks in case.streams if sum(map(len, chunks)) < 5_000]
    assert len(short) == len(case.streams) - 2, "two streams are so long that blocks must be cut somewhere"
    right = oracle.Oracle(case.merges, case.specials).encode_many(["".join(chunks) for chunks in short])

    def answers(way: Switches) -> Any:
        learner = Learner(case.merges, case.specials, way)
        return [[*learner.encode_stream(chunks)] for chunks in short]

    told_apart(answers, right, texts.STREAM_MISTAKES)


@pytest.mark.parametrize(
    ("which", "name"),
    [(-2, "stream-holds-back-too-little"), (-2, "stream-splits-again"), (-1, "stream-cuts-specials")],
)
def test_the_long_streams_are_bad_to_cut_at_many_places(which: int, name: str) -> None:
    case = texts.streams(draw(5))
    text = "".join([chunks for chunks in case.streams if len(chunks) > 200][which])
    right, wrong = Learner(case.merges, case.specials), Learner(case.merges, case.specials, frozenset({name}))
    places = np.linspace(100, len(text) - 100, 200).astype(int).tolist()
    around = [[text[place - 80 : place], text[place : place + 80]] for place in places]
    broken = sum([*wrong.encode_stream(halves)] != right.encode("".join(halves)) for halves in around)
    # Blocks of at most 20,000 characters leave twenty places: all of them harmless in less than one run of twenty.
    assert broken >= 0.14 * len(places)


# ---- the example of the brief ----------------------------------------------------------------------------------------


def test_the_example_tells_its_mistakes_apart_and_has_no_ties() -> None:
    example = suite.EXAMPLE
    merges = oracle.train(example.text, example.vocab_size, example.specials)
    assert texts.merges_before_tie(example.text, 100) == len(merges) == 6

    def answers(way: Switches) -> Any:
        learned = verdicts.trained(example, way)
        learner = Learner(merges, example.specials, way)
        return learned, learner.vocab, learner.encode(suite.EXAMPLE_TEXT)

    right = oracle.Oracle(merges, example.specials)
    told_apart(
        answers, (merges, right.vocab, right.encode(suite.EXAMPLE_TEXT)), suite.EXAMPLE_MISTAKES, every_way=False
    )


def test_the_brief_says_what_the_oracle_says() -> None:
    merges = oracle.train(suite.EXAMPLE.text, suite.EXAMPLE.vocab_size, suite.EXAMPLE.specials)
    answers = oracle.Oracle(merges, suite.EXAMPLE.specials)
    assert f'Tokenizer.train("{suite.EXAMPLE.text}", {suite.EXAMPLE.vocab_size}, ["<|endoftext|>"])' in BRIEF
    assert f'encode("{suite.EXAMPLE_TEXT}")\n    {answers.encode(suite.EXAMPLE_TEXT)}' in BRIEF
    for rank, (left, right) in enumerate(merges):
        pair = " ".join(f"`{part.decode().replace(' ', '␣')}`" for part in (left, right))
        assert f"| {pair} | {256 + rank} |" in BRIEF
    assert f"it has {len(answers.vocab)}: 256 bytes, {len(merges)}" in BRIEF
    pieces = Learner(()).split("I'll   pay 30€")
    assert " ".join(f"`{piece.replace(' ', '␣')}`" for piece in pieces) in BRIEF
    assert Learner(()).split("you're") == ["you", "'re"]
    assert misconceptions.pattern(NO_MISTAKE) != ""
    assert DECLARED["targets"][2]["value"] in BRIEF


def test_the_declared_pattern_splits_as_the_reference_does() -> None:
    import regex

    rng = draw(7)
    declared = regex.compile(DECLARED["targets"][2]["value"])
    learner = Learner(())
    for _ in range(300):
        text = texts.tricky(rng, 8)
        assert declared.findall(text) == learner.split(text)


def test_the_brief_names_every_check() -> None:
    for check in suite.suite.of_rung("core"):
        assert f"`{check.name}`" in BRIEF, check.name


# ---- names -----------------------------------------------------------------------------------------------------------


def test_every_switch_that_is_asked_for_belongs_to_a_declared_misconception() -> None:
    source = Path(misconceptions.__file__).read_text(encoding="utf-8")
    asked = set(re.findall(r'"([a-z-]+)" (?:not )?in (?:self\.)?switches', source))
    declared = {switch for name in DECLARED["misconceptions"] for way in misconceptions.ways(name) for switch in way}
    assert asked <= declared
    tried = {name for table in vars(texts) if table.endswith("MISTAKES") for name in getattr(texts, table)}
    assert tried | set(suite.EXAMPLE_MISTAKES) <= set(DECLARED["misconceptions"])
    switches = {switch for name in tried for way in misconceptions.ways(name) for switch in way}
    # The last three are sets of several ways, looked up in a loop.
    assert switches <= asked | {"chunks-encoded-alone", "stream-cuts-blank-runs", "stream-splits-again"}


# ---- verdicts --------------------------------------------------------------------------------------------------------


def verdict_on(actual: list[list[int]], case: Encoding, mistakes: Sequence[str]) -> CheckFailed | None:
    right = oracle.Oracle(case.merges, case.specials)
    answers = [
        verdicts.Answer(
            question=f"encode({text!r})",
            size=len(text),
            expected=right.encode(text),
            actual=ids,
            mistaken=lambda way, text=text: Learner(case.merges, case.specials, way).encode(text),  # type: ignore[misc]
            vocab=right.vocab,
        )
        for text, ids in zip(case.texts, actual, strict=True)
    ]
    try:
        verdicts.judge(answers, mistakes)
    except CheckFailed as failure:
        return failure
    return None


def test_the_shortest_counterexample_is_shown_in_pieces() -> None:
    case = Encoding(oracle.train("there there", 256 + 5), (), ["there is more there", "there", "x"])
    right = oracle.Oracle(case.merges).encode_many(case.texts)
    failure = verdict_on([right[0][1:], [83, 71], right[2]], case, ())
    assert failure is not None
    assert failure.rationale == "2 of 3 answers are wrong; the shortest question is encode('there')"
    assert failure.actual == "pieces: 't' 'h'\nids:    [83, 71]"
    assert verdict_on(right, case, ()) is None


def test_two_mistakes_at_once_are_named() -> None:
    case = texts.boundaries(draw(11))
    both = Learner(case.merges, (), frozenset({"identity-byte-order", "curly-contractions"}))
    failure = verdict_on(
        [both.encode(text) for text in case.texts], case, ("identity-byte-order", "curly-contractions")
    )
    assert failure is not None
    assert failure.diagnosis == "identity-byte-order+curly-contractions"


def test_a_mistake_that_does_not_explain_every_answer_is_not_named() -> None:
    case = texts.boundaries(draw(12))
    learner = Learner(case.merges, (), frozenset({"curly-contractions"}))
    given = [learner.encode(text) for text in case.texts]
    given[0] = [1, 2, 3]
    failure = verdict_on(given, case, ("curly-contractions",))
    assert failure is not None
    assert failure.diagnosis is None


def test_a_merge_that_differs_comes_with_the_counts_of_both_candidates() -> None:
    training = Training("ab b", 257)
    failure = verdicts.merge_difference(training, [(b" ", b"b")], [(b"a", b"b")])
    assert failure.expected is not None
    assert "(b'a', b'b'): ids (64, 65), side by side 1 times" in failure.expected
    assert "(b' ', b'b'): ids (220, 65), side by side 1 times" in failure.expected


@pytest.mark.parametrize(
    "strange", [None, 5, "ab", b"ab", {1: 2}, [1, None], [1, True], [1.0], [[1]], Tensor(np.ones(3))]
)
def test_ids_of_another_type_are_a_failure_and_never_a_fault(strange: Any) -> None:
    with pytest.raises(CheckFailed) as caught:
        verdicts.plain_ids(strange, "ids")
    assert caught.value.diagnosis == "wrong-type"


def test_ids_in_arrays_and_tuples_are_ids() -> None:
    assert verdicts.plain_ids((1, 2), "ids") == [1, 2]
    assert verdicts.plain_ids(Tensor(np.array([1, 2]), kind="numpy"), "ids") == [1, 2]
    assert verdicts.plain_ids([Tensor(np.array(1), kind="numpy"), 2], "ids") == [1, 2]


@pytest.mark.parametrize("strange", [None, 7, [b"ab"], [(b"a",)], [("a", "b")], [(b"a", b"b", b"c")], {b"a": b"b"}])
def test_merges_of_another_type_are_a_failure_and_never_a_fault(strange: Any) -> None:
    with pytest.raises(CheckFailed) as caught:
        verdicts.plain_merges(strange, "merges")
    assert caught.value.diagnosis == "wrong-type"


def test_what_is_shown_is_short_and_harmless() -> None:
    assert verdicts.shown("\x1b[31m") == r"'\x1b[31m'"
    assert verdicts.shown(10**400).endswith(" …")
    assert len(verdicts.shown("a" * 9999)) < 160
