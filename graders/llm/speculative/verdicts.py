"""From answers to a verdict: their form, the tests of exactness on a sample, and the mistake that fits it best."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deepfield_cli.grading import CheckFailed, Tensor, expect
from graders.kit.exactness import Exactness, Finding, chi_square, chi_square_tail

from .algorithm import Outcome, Tokens
from .misconceptions import name_of

Cell = tuple[int, ...]
Chances = Mapping[Cell, float]

# A mistake explains a sample if the sample is not strange for it, in any view, and far likelier than for right code.
_NOT_STRANGE = 1e-5
_FAR_LIKELIER = 10.0
_RARE = 1e-6


# ---- the form of an answer -------------------------------------------------------------------------------------------


def plain_tokens(answer: Any, count: int, prompt: Sequence[int], vocab_size: int, what: str) -> Tokens:
    """The tokens that were returned: so many ids of the vocabulary, without the prompt."""
    if isinstance(answer, Tensor) and answer.array.ndim == 1 and answer.array.dtype.kind in "iu":
        answer = answer.array.tolist()
    is_list = isinstance(answer, list | tuple)
    expect(is_list, f"{what} is no list of tokens", actual=_kind_of(answer), diagnosis="wrong-type")
    tokens = tuple(_plain_integer(item, f"an item of {what}") for item in answer)
    if len(tokens) != count:
        raise CheckFailed(
            f"{what} has {len(tokens)} tokens where {count} were asked for",
            expected=f"{count} new tokens",
            actual=str(list(tokens)),
            diagnosis=_wrong_length(tokens, count, tuple(prompt)),
        )
    outside = [token for token in tokens if not 0 <= token < vocab_size]
    expect(not outside, f"{what} holds {outside[:1]}, which is no token: there are {vocab_size}", actual=str(tokens))
    return tokens


def _wrong_length(tokens: Tokens, count: int, prompt: Tokens) -> str | None:
    if len(tokens) == len(prompt) + count and tokens[: len(prompt)] == prompt:
        return "returns-the-prompt"
    if len(tokens) == max(count - len(prompt), 0) or (len(tokens) == count and tokens[: len(prompt)] == prompt):
        return "counts-the-prompt"
    return "overshoots" if len(tokens) > count else None


def plain_outcome(answer: Any, count: int, prompt: Sequence[int], vocab_size: int) -> Outcome:
    """What speculative_generate returned, as tokens and three counts."""
    is_pair = isinstance(answer, list | tuple) and len(answer) == 2
    words = "speculative_generate returned no pair (tokens, stats)"
    expect(is_pair, words, actual=_kind_of(answer), diagnosis="wrong-type")
    what = "the first item that speculative_generate returns"
    tokens = plain_tokens(answer[0], count, prompt, vocab_size, what)
    return Outcome(tokens, **plain_stats(answer[1]))


def plain_stats(stats: Any) -> dict[str, int]:
    """The three counts of the stats."""
    words = "the stats of speculative_generate are no dict"
    expect(isinstance(stats, dict), words, actual=_kind_of(stats), diagnosis="wrong-type")
    missing = [name for name in Outcome._fields[1:] if name not in stats]
    keys = ", ".join(map(str, stats))
    expect(not missing, f"the stats lack {', '.join(missing)}", actual=f"the keys {keys}", diagnosis="missing-key")
    return {name: _plain_integer(stats[name], f'stats["{name}"]') for name in Outcome._fields[1:]}


def _plain_integer(value: Any, what: str) -> int:
    if isinstance(value, Tensor) and value.array.size == 1 and value.array.dtype.kind in "iu":
        return int(value.array.item())
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise CheckFailed(f"{what} is no integer", actual=_kind_of(value), diagnosis="wrong-type")


def _kind_of(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {list(value.shape)}"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}" if type(value) in (int, float, str, bytes, dict, bool) else "something else"


def first_answer(answers: Any) -> list[Any]:
    """What a probe sent back for many calls; only a forged answer is no list."""
    if not isinstance(answers, list):
        raise CheckFailed("the worker sent no list of answers", diagnosis="wrong-type")
    return answers


# ---- samples ---------------------------------------------------------------------------------------------------------


@dataclass
class Question:
    """One thing that was sampled: what may come out how often, and what a learner with a mistake would draw.

    Attributes:
        words: the question, as the learner reads it.
        right: for each right reading of the brief, the probability of each outcome.
        mistaken: the probabilities under a mistake; None where a mistake may show in several ways.
        views: which items of an outcome are tested together, as ranges; the others only help to name a mistake.
        name_cell: an outcome in words.
        seen: how often each outcome came.

    """

    words: str
    right: Sequence[Chances]
    mistaken: Callable[[str], Chances] | None
    views: Sequence[tuple[int, int]]
    name_cell: Callable[[Cell], str] = str
    seen: Counter[Cell] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Strange:
    """A view of a question in which the sample does not fit."""

    question: Question
    view: tuple[int, int]
    finding: Finding


def judge(tests: Exactness, questions: Sequence[Question], names: Sequence[str]) -> None:
    """Raise CheckFailed if a sample does not come from its distribution, with the mistake that explains it.

    Takes as many tests as `tests_needed` says.
    """
    strange = [found for question in questions if (found := _strangest(tests, question)) is not None]
    single = [question for question in questions if len(question.right) == 1]
    whole = [max(question.views, key=lambda view: view[1] - view[0]) for question in single]
    together = tests.together(
        [_sample(question, question.right[0], view) for question, view in zip(single, whole, strict=True)]
    )
    if not strange and together.rejected:
        strange = [_Strange(question, view, together) for question, view in zip(single, whole, strict=True)]
    if strange:
        worst = min(strange, key=lambda one: one.finding.p_value)
        raise _failure(worst, _best_explanation(questions, names))


def tests_needed(questions: int, views: int, readings: int = 1) -> int:
    """How many tests one call of `judge` makes."""
    return questions * views * readings + 1


def _strangest(tests: Exactness, question: Question) -> _Strange | None:
    """The view that fits worst, under the reading that fits best; None if some reading fits everywhere."""
    found: list[_Strange] = []
    for chances in question.right:
        views = [(tests.counts(*_sample(question, chances, view)), view) for view in question.views]
        worst, view = min(views, key=lambda pair: pair[0].p_value)
        if not worst.rejected:
            return None
        found.append(_Strange(question, view, worst))
    return found[0]


def _sample(question: Question, chances: Chances, view: tuple[int, int]) -> tuple[list[int], list[float]]:
    """Counts and probabilities of what can be seen in a view, impossible ones that were seen included."""
    seen, known = _viewed(question.seen, view), _viewed(chances, view)
    cells = sorted({*seen, *known})
    total = sum(known.values())
    return [int(seen.get(cell, 0)) for cell in cells], [known.get(cell, 0.0) / total for cell in cells]


def _viewed(amounts: Mapping[Cell, float], view: tuple[int, int]) -> dict[Cell, float]:
    found: dict[Cell, float] = {}
    for cell, amount in amounts.items():
        part = cell[slice(*view)]
        found[part] = found.get(part, 0) + amount
    return found


def _best_explanation(questions: Sequence[Question], names: Sequence[str]) -> str | None:
    """The mistake under which the whole sample is likeliest, if it is far likelier than for right code."""
    telling = [question for question in questions if question.mistaken is not None]
    best, likeliest = None, _likelihood(telling, [question.right[0] for question in telling]) + _FAR_LIKELIER
    for bug in names:
        chances = _chances_under(bug, telling)
        likelihood = -math.inf if chances is None else _likelihood(telling, chances)
        if likelihood > likeliest:
            best, likeliest = name_of(bug), likelihood
    return best


def _chances_under(bug: str, questions: Sequence[Question]) -> list[Chances] | None:
    """What a learner with this mistake would draw from, question by question; None as soon as one does not fit."""
    found: list[Chances] = []
    for question in questions:
        found.append(question.mistaken(bug) if question.mistaken else question.right[0])
        if not _fits(question, found[-1]):
            return None
    return found


def _fits(question: Question, chances: Chances) -> bool:
    return all(
        chi_square_tail(*chi_square(*_sample(question, chances, view))) > _NOT_STRANGE for view in question.views
    )


def _likelihood(questions: Sequence[Question], chances: Iterable[Chances]) -> float:
    return sum(
        count * math.log(max(known.get(cell, 0.0), _RARE))
        for question, known in zip(questions, chances, strict=True)
        for cell, count in question.seen.items()
    )


def _failure(strange: _Strange, diagnosis: str | None) -> CheckFailed:
    question, view = strange.question, strange.view
    counts, chances = _sample(question, question.right[0], view)
    cells = sorted({*_viewed(question.seen, view), *_viewed(question.right[0], view)})
    total = sum(counts)

    def surprise(index: int) -> float:
        return abs(counts[index] - total * chances[index]) / math.sqrt(total * chances[index] + 1)

    worst = sorted(range(len(cells)), key=surprise, reverse=True)[:6]
    shown = [f"{question.name_cell(cells[index]):<12}" for index in worst]
    return CheckFailed(
        f"{question.words}: the answers do not come from the right distribution. In {total:,} of them, right code is "
        f"this far off {_rarely(strange.finding.p_value)}",
        expected="\n".join(f"{cell} {chances[index]:7.2%}" for cell, index in zip(shown, worst, strict=True)),
        actual="\n".join(f"{cell} {counts[index] / total:7.2%}" for cell, index in zip(shown, worst, strict=True)),
        diagnosis=diagnosis,
    )


def _rarely(p_value: float) -> str:
    return f"with probability {p_value:.0e}" if p_value > 1e-99 else "never"
