"""Comparing the learner's answers with the oracle's: the shortest counterexample, and the mistake behind it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from typing import Any

from deepfield_cli.grading import CheckFailed, Tensor, ValueMismatch

from . import misconceptions, oracle
from .misconceptions import NO_MISTAKE, Learner, Switches
from .oracle import Merge
from .texts import Training

# How much of a text, and of its ids, a message shows.
_SHOWN_CHARACTERS = 120
_SHOWN_TOKENS = 12
# Longer questions are left out where mistakes are tried one by one: it would be slow, and the short ones say enough.
_LONGEST_TELLING = 5_000


@dataclass(frozen=True)
class Answer:
    """One answer: what was asked for, what the learner gave, what is right, and what each mistake would give.

    ``ask`` puts the same question once more, by itself: where many were asked in one call, that is what a learner can
    step through.
    """

    question: str
    size: int
    expected: Any
    actual: Any
    mistaken: Callable[[Switches], Any]
    vocab: Mapping[int, bytes]
    ask: Callable[[], Any] | None = None


def judge(answers: Sequence[Answer], mistakes: Sequence[str]) -> None:
    """Raise CheckFailed with the shortest question that is answered wrongly, and the mistake that explains them all."""
    wrong = sorted((answer for answer in answers if answer.actual != answer.expected), key=lambda answer: answer.size)
    if not wrong:
        return
    right = [answer for answer in answers if answer.actual == answer.expected]
    telling = [answer for answer in (*wrong, *right) if answer.size <= _LONGEST_TELLING]

    def explains(way: Switches) -> bool:
        try:
            return all(answer.mistaken(way) == answer.actual for answer in telling)
        except (ValueError, LookupError):  # the mistake raises where the learner's code answered
            return False

    first = wrong[0]
    counted = f"{len(wrong):,} of {len(answers):,} answers are wrong; the shortest question is {first.question}"
    failure = ValueMismatch(
        counted,
        expected=f"{first.question}\n{described(first.expected, first.vocab)}",
        actual=described(first.actual, first.vocab),
        diagnosis=find_mistake(mistakes, explains) if first in telling else None,
    )
    raise _asked_alone(failure, first)


def _asked_alone(failure: ValueMismatch, answer: Answer) -> ValueMismatch:
    """The failure with the one question put again by itself, for the repro; as it was if that is answered rightly."""
    if answer.ask is None:
        return failure
    try:
        again = answer.ask()
    except CheckFailed:  # it raises, or the time is up: what was seen stands
        return failure
    if again == answer.expected:
        return failure
    return failure.comparing({"the answer": answer.expected}, {"the answer": again})


def find_mistake(mistakes: Sequence[str], explains: Callable[[Switches], bool]) -> str | None:
    """The first mistake that explains the answers; else the first two that do so together."""
    for name in mistakes:
        if any(map(explains, misconceptions.ways(name))):
            return name
    for first, second in itertools.combinations(mistakes, 2):
        together = itertools.product(misconceptions.ways(first), misconceptions.ways(second))
        if any(explains(one | other) for one, other in together):
            return f"{first}+{second}"
    return None


def described(answer: Any, vocab: Mapping[int, bytes]) -> str:
    """Ids as the pieces that they stand for, then as numbers; anything else as it is."""
    if not isinstance(answer, list) or any(type(item) is not int for item in answer):
        return shown(answer)
    pieces = " ".join(shown_token(vocab.get(item)) for item in answer[:_SHOWN_TOKENS])
    more = f" … ({len(answer):,} ids)" if len(answer) > _SHOWN_TOKENS else ""
    return f"pieces: {pieces}{more}\nids:    {answer[:_SHOWN_TOKENS]}{more}"


def shown_token(token: bytes | None) -> str:
    """The text of a token if it is text, else its bytes."""
    if token is None:
        return "<no such id>"
    try:
        return shown(token.decode())
    except UnicodeDecodeError:
        return shown(token)


def shown(value: Any) -> str:
    """A value on one line, without anything that a terminal would act on."""
    text = repr(value) if not isinstance(value, str) or value.isprintable() else ascii(value)
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    size = f" ({len(value):,} long)" if isinstance(value, Sized) else ""
    return f"{text[:_SHOWN_CHARACTERS]} …{size}"


def plain_ids(value: Any, what: str) -> list[int]:
    """The answer as a list of exact ints; raises CheckFailed if it is something else."""
    if isinstance(value, Tensor) and value.array.ndim == 1:
        value = value.array.tolist()
    if not isinstance(value, list | tuple):
        raise CheckFailed(f"{what} has to be a list of int", actual=shown(value), diagnosis="wrong-type")
    ids = [item.array.item() if isinstance(item, Tensor) and item.array.ndim == 0 else item for item in value]
    strange = [item for item in ids if type(item) is not int]
    if strange:
        words = f"{what} has to be a list of int, and holds {shown(strange[0])}"
        raise CheckFailed(words, actual=shown(value), diagnosis="wrong-type")
    return ids


def plain_merges(value: Any, what: str) -> list[Merge]:
    """The answer as a list of (bytes, bytes); raises CheckFailed if it is something else."""
    if not isinstance(value, list | tuple):
        raise CheckFailed(f"{what} has to be a list of (bytes, bytes)", actual=shown(value), diagnosis="wrong-type")
    for pair in value:
        if not isinstance(pair, list | tuple) or len(pair) != 2 or any(type(part) is not bytes for part in pair):
            words = f"{what} has to be a list of (bytes, bytes), and holds {shown(pair)}"
            raise CheckFailed(words, actual=shown(pair), diagnosis="wrong-type")
    return [(left, right) for left, right in value]


def judge_trainings(trainings: Sequence[Training], merges: Sequence[list[Merge]], mistakes: Sequence[str]) -> None:
    """Compare merges with the oracle's, in order; the first merge that differs tells whether it was a tie."""
    expected = [oracle.train(training.text, training.vocab_size, training.specials) for training in trainings]
    wrong = [index for index, answer in enumerate(merges) if answer != expected[index]]
    if not wrong:
        return
    right = [index for index in range(len(trainings)) if index not in wrong]

    def explains(way: Switches) -> bool:
        return all(trained(trainings[index], way) == merges[index] for index in (*wrong, *right))

    shortest = min(wrong, key=lambda index: len(trainings[index].text))
    raise merge_difference(
        trainings[shortest], merges[shortest], expected[shortest], diagnosis=find_mistake(mistakes, explains)
    )


def trained(training: Training, way: Switches) -> list[Merge]:
    """The merges that a learner with these mistakes would get."""
    return Learner.train(training.text, training.vocab_size, training.specials, way).merges


def merge_difference(
    training: Training, actual: Sequence[Merge], expected: Sequence[Merge], *, diagnosis: str | None = None
) -> CheckFailed:
    """The failure in words: which merge differs first, and how often both candidates occur at that moment."""
    both = zip(actual, expected, strict=False)
    place = next((index for index, (got, due) in enumerate(both) if got != due), min(len(actual), len(expected)))
    if place == len(expected):
        words = f"{len(actual)} merges where there are only {len(expected)}"
    elif place == len(actual):
        words = f"only {len(actual)} merges where there are {len(expected)}"
    else:
        words = f"merge {place + 1} of {len(expected)} differs"
    question = f"train({shown(training.text)}, {training.vocab_size})"
    candidates = [*expected[place : place + 1], *actual[place : place + 1]]
    return CheckFailed(
        f"{words}, in {question}",
        expected="\n".join(
            [question, *numbered(expected, place), *occurrences(training, expected[:place], candidates)]
        ),
        actual="\n".join(numbered(actual, place)),
        diagnosis=diagnosis,
    )


def numbered(merges: Sequence[Merge], place: int) -> list[str]:
    """The merges around a place."""
    start = max(place - 1, 0)
    lines = [f"merge {start + index + 1}: {pair!r}" for index, pair in enumerate(merges[start : place + 2])]
    return lines or ["no merge"]


def occurrences(training: Training, before: Sequence[Merge], pairs: Iterable[Merge]) -> list[str]:
    """How often the pairs occur once the merges before them are made; empty where the text is too long to recount."""
    if len(training.text) > 20_000:
        return []
    learner = Learner(before, training.specials)
    number = {token: index for index, token in learner.vocab.items() if index < 256 + len(before)}
    words: dict[tuple[int, ...], int] = {}
    for word, count in learner.training_words(training.text).items():
        ids = tuple(learner.merge_ids([*word], ""))
        words[ids] = words.get(ids, 0) + count
    counts = misconceptions.count_pairs(words, NO_MISTAKE)
    known = [pair for pair in dict.fromkeys(pairs) if pair[0] in number and pair[1] in number]
    numbers = {pair: (number[pair[0]], number[pair[1]]) for pair in known}
    return [f"{pair!r}: ids {ids}, side by side {counts.get(ids, 0)} times" for pair, ids in numbers.items()]
