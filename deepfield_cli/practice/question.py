"""One made-up question, and everything that is needed to put it, judge the reply and explain the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from deepfield_cli.practice.number import Number, compact
from deepfield_cli.practice.quantity import format_quantity, in_words

RIGHT_WITHIN = 2.0
"""An estimate on the back of an envelope is right within this factor, either way."""
_GIVEN_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Given:
    """A number that the question names.

    Attributes:
        name: what it is, as an identifier.
        value: its value in base units.
        unit: its unit; "" for a plain number.
        words: as it stands in the text.

    """

    name: str
    value: float
    unit: str
    words: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the explanation.

    Attributes:
        label: what is worked out.
        working: the arithmetic, e.g. ``2 × 32 × 128``.
        value: the result in base units.
        unit: the unit of the result.
        why: why it is this arithmetic.

    """

    label: str
    working: str
    value: float
    unit: str
    why: str

    @property
    def result(self) -> str:
        """The result as people read it."""
        return format_quantity(self.value, self.unit)


@dataclass(frozen=True, slots=True)
class Question:
    """A question with its answer.

    Attributes:
        id: field/slug of its drill.
        field: llm, vision, rl, recsys or mlsys.
        concept: id of the concept that it exercises.
        text: what is asked.
        answer: in base units of ``unit``.
        unit: B, s, FLOP, %, tokens and so on; "" for a pure number.
        given: the numbers in the text.
        steps: the explanation; the last one is the answer.
        sources: ids of resources that have the formula or the numbers.

    """

    id: str
    field: str
    concept: str
    text: str
    answer: float
    unit: str
    given: tuple[Given, ...]
    steps: tuple[Step, ...]
    sources: tuple[str, ...]

    def is_right(self, reply: float) -> bool:
        """Whether a reply in base units is within a factor of two; the bounds themselves count."""
        slack = 1 + 1e-9
        return 1 / (RIGHT_WITHIN * slack) <= reply / self.answer <= RIGHT_WITHIN * slack

    @property
    def answer_in_words(self) -> str:
        """The answer as people read it."""
        return format_quantity(self.answer, self.unit)


class Sheet:
    """The sheet of paper on which a drill makes up one question: numbers are drawn, steps are written down."""

    def __init__(self, drill: Drill, rng: Random) -> None:
        self._drill = drill
        self._rng = rng
        self._given: list[Given] = []
        self._steps: list[Step] = []

    def draw(self, name: str, *choices: float, unit: str = "") -> Number:
        """One of the choices, which the text must then name."""
        value = float(self._rng.choice(choices))
        words = format_quantity(value, unit, _GIVEN_DIGITS) if unit else in_words(value, _GIVEN_DIGITS)
        self._given.append(Given(name, value, unit, words))
        return Number(value, compact(value), words)

    def step(self, label: str, result: Number, unit: str, why: str) -> Number:
        """Write down a line; what follows goes on with its result."""
        self._steps.append(Step(label, result.working, result.value, unit, why))
        return Number(result.value, compact(result.value))

    def ask(self, text: str) -> Question:
        """The question; its answer is the last step."""
        last = self._steps[-1]
        return Question(
            id=self._drill.id,
            field=self._drill.field,
            concept=self._drill.concept,
            text=text,
            answer=last.value,
            unit=last.unit,
            given=tuple(self._given),
            steps=tuple(self._steps),
            sources=self._drill.sources,
        )


@dataclass(frozen=True, slots=True)
class Drill:
    """A generator of questions of one kind.

    Attributes:
        id: field/slug; never renamed, since the record names it.
        concept: id of the concept that it exercises.
        sources: ids of resources that have the formula or the numbers.
        write: draws the numbers and writes the sheet.

    """

    id: str
    concept: str
    sources: tuple[str, ...]
    write: Callable[[Sheet], Question]

    @property
    def field(self) -> str:
        """The field that it belongs to."""
        return self.id.partition("/")[0]

    def question(self, rng: Random) -> Question:
        """A fresh question; the same generator state makes the same one."""
        return self.write(Sheet(self, rng))


def drill(name: str, concept: str, *sources: str) -> Callable[[Callable[[Sheet], Question]], Drill]:
    """Make a drill of the function that writes its sheet."""
    return lambda write: Drill(name, concept, sources, write)
