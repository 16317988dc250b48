"""A suite: the hidden checks of one problem, in the order in which learners should meet them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from deepfield_cli.errors import ContentError

CheckFunction = Callable[..., "dict[str, float] | None"]
# What a check may ask for by parameter name, beside submission and rng.
_PARAMETERS = {"submission", "rng", "shipped", "data", "run"}


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: the function's name.
        description: its docstring, which the learner reads.
        rung: the rung at which it runs.
        needs: names of the checks that must pass before it makes sense.
        points: its weight in the score.
        timeout_seconds: wall-clock limit of the whole check.
        exclusive: nothing else runs beside it (timings).
        function: the check itself.
        parameters: what it asks for.

    """

    name: str
    description: str
    rung: str
    needs: tuple[str, ...]
    points: int
    timeout_seconds: float
    exclusive: bool
    function: CheckFunction
    parameters: tuple[str, ...]


class Suite:
    """The checks of one problem; filled by decorating functions."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        self.checks: list[Check] = []

    def check(
        self,
        *,
        rung: str = "core",
        needs: Sequence[CheckFunction] = (),
        points: int = 1,
        timeout_seconds: float = 20.0,
        exclusive: bool = False,
    ) -> Callable[[CheckFunction], CheckFunction]:
        """Add a function as a check; its name is the id and its docstring is what the learner reads."""

        def add(function: CheckFunction) -> CheckFunction:
            known = {check.name for check in self.checks}
            if function.__name__ in known:
                raise ContentError(f"two checks are called {function.__name__}", where=self.problem)
            missing = [need.__name__ for need in needs if need.__name__ not in known]
            if missing:
                raise ContentError(f"{function.__name__} needs {missing[0]}, which is not a check", where=self.problem)
            self.checks.append(
                Check(
                    name=function.__name__,
                    description=_description(function, self.problem),
                    rung=rung,
                    needs=tuple(need.__name__ for need in needs),
                    points=points,
                    timeout_seconds=timeout_seconds,
                    exclusive=exclusive,
                    function=function,
                    parameters=_parameters(function, self.problem),
                )
            )
            return function

        return add

    def of_rung(self, rung: str) -> list[Check]:
        """The checks of one rung, in order."""
        return [check for check in self.checks if check.rung == rung]


def _description(function: CheckFunction, problem: str) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise ContentError(f"{function.__name__} has no docstring: it is what the learner reads", where=problem)
    return " ".join(text.split())


def _parameters(function: CheckFunction, problem: str) -> tuple[str, ...]:
    names: tuple[Any, ...] = tuple(inspect.signature(function).parameters)
    unknown = [name for name in names if name not in _PARAMETERS]
    if unknown:
        raise ContentError(f"{function.__name__} asks for {unknown[0]}, which no check is given", where=problem)
    return names
