"""The frozen model of one problem, as ``problem.yaml`` states it."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
ProblemId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*/[a-z0-9]+(-[a-z0-9]+)*$")]
Rung = Literal["core", "laptop", "paper"]
Difficulty = Literal["medium", "hard", "brutal", "legendary"]
RUNGS: tuple[Rung, ...] = ("core", "laptop", "paper")


class Frozen(BaseModel):
    """A model that cannot be changed once read, and that knows every key it accepts."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Api(Frozen):
    """One function, class or method that the suite calls."""

    name: str = Field(description="dotted name as the suite calls it, e.g. Tokenizer.train")
    signature: str = Field(description="one line: parameters and what is returned")


class Forbidden(Frozen):
    """Something that a submission may not use, with the reason the learner reads."""

    call: str | None = Field(default=None, description="dotted name of a function or class, trapped at run time")
    module: str | None = Field(default=None, description="a package that may not be imported")
    operators: tuple[str, ...] = Field(default=(), description="dispatcher operators to trap, fnmatch patterns")
    reason: str = Field(description="the rule in the learner's words")

    @model_validator(mode="after")
    def _names_one_thing(self) -> Forbidden:
        if (self.call is None) == (self.module is None):
            raise ValueError("give exactly one of call and module")
        return self


class DataFile(Frozen):
    """A file or folder that a rung needs: found in the data cache, or the user points at it."""

    name: Identifier = Field(description="the name used in --data NAME=PATH")
    description: str = Field(description="what the file is")
    how: str = Field(description="where to get it")
    kind: Literal["file", "folder"] = Field(default="file", description="what it is on the disk")
    dataset: Identifier | None = Field(default=None, description="the dataset of `deepfield data` that it is")
    optional: bool = Field(default=False, description="the rung runs without it, and proves less")
    minimum_mb: float = Field(
        default=0.0, ge=0, description="a smaller file is refused: the rung would prove too little"
    )


class RungSpec(Frozen):
    """What one rung may use."""

    seconds: float = Field(gt=0, description="wall-clock budget of the whole rung on two CPU cores")
    memory_mb: int = Field(default=2048, gt=0, description="memory that a worker may add to the preloaded modules")
    threads: int = Field(default=1, ge=1, description="threads that numeric libraries may use in a worker")
    gpu: bool = Field(default=False, description="needs a CUDA device")
    data: tuple[DataFile, ...] = Field(default=(), description="files that the user must point at")
    network: bool = Field(default=False, description="needs the network")


class Target(Frozen):
    """A published or derived number, with its source."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", description="unique within the problem")
    rung: Rung = Field(description="the rung at which the number is measured")
    metric: str = Field(description="what is measured")
    value: float | int | str = Field(description="the number, or the text to match")
    spread: float | str | None = Field(default=None, description="spread over seeds, as published")
    unit: str | None = Field(default=None, description="unit of value")
    tolerance: float | str | None = Field(default=None, description="distance that still passes")
    direction: Literal["higher", "lower", "equal"] = Field(default="equal", description="which side is better")
    source: str = Field(description="paper, section or repository")
    url: str | None = Field(default=None, description="where the source can be read")
    verified: bool = Field(description="false: shown, never gated on")


class Misconception(Frozen):
    """A known mistake: its name is the key it stands under."""

    explanation: str = Field(min_length=20, description="one sentence: what the code computes instead")
    help: str = Field(min_length=20, description="what to look at to undo it")


class Resource(Frozen):
    """Something to read or watch."""

    title: str = Field(description="as its author calls it")
    url: str = Field(pattern=r"^https?://", description="where it is")
    kind: str = Field(description="paper, video, blog, course, repo, book or site")


class Problem(Frozen):
    """One graded task."""

    format_version: Literal[1] = Field(description="version of this format")
    id: ProblemId = Field(description="field/slug; equals the folder; never renamed")
    version: int = Field(ge=1, description="raised when a check changes what passes")
    title: str = Field(description="what the problem is called")
    difficulty: Difficulty = Field(description="medium, hard, brutal or legendary")
    summary: str = Field(description="one sentence")
    why: str = Field(description="why it is worth the learner's week")
    concepts: tuple[str, ...] = Field(min_length=1, description="names of concepts in the stage's list")
    needs: tuple[ProblemId, ...] = Field(default=(), description="problems to solve before")
    entry: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\.py$", description="the file that the learner fills in")
    api: tuple[Api, ...] = Field(min_length=1, description="everything that the suite calls")
    preload: tuple[str, ...] = Field(default=(), description="modules imported once, before workers fork")
    environment: dict[str, str] = Field(
        default={}, description="variables that those modules read when imported; a rung with a GPU runs without them"
    )
    extra: str | None = Field(default=None, description="pip extra that holds the suite's own libraries")
    forbidden: tuple[Forbidden, ...] = Field(default=(), description="what may not be used")
    network: Literal["none", "loopback"] = Field(default="none", description="sockets that a worker may open")
    rungs: dict[Rung, RungSpec] = Field(min_length=1, description="the rungs that the problem has")
    targets: tuple[Target, ...] = Field(default=(), description="numbers to reach, with their sources")
    hints: tuple[str, ...] = Field(min_length=3, description="in order, from nudge to near-answer")
    misconceptions: dict[Identifier, Misconception] = Field(description="the mistakes that the grader names")
    resources: tuple[Resource, ...] = Field(default=(), description="what to read")

    @property
    def field(self) -> str:
        """The stage that the problem belongs to."""
        return self.id.partition("/")[0]

    @property
    def slug(self) -> str:
        """The last part of the id."""
        return self.id.partition("/")[2]

    def environment_at(self, rung: Rung) -> dict[str, str]:
        """Variables that hold where a rung's modules are imported: none where a GPU does the work."""
        return {} if self.rungs[rung].gpu else self.environment

    @model_validator(mode="after")
    def _targets_stand_on_rungs(self) -> Problem:
        for target in self.targets:
            if target.rung not in self.rungs:
                raise ValueError(f'target "{target.id}" names rung "{target.rung}", which this problem does not have')
        return self

    @model_validator(mode="after")
    def _modules_are_names(self) -> Problem:
        for name in self.environment:
            if not re.fullmatch(r"[A-Z][A-Z0-9]*_[A-Z0-9_]*", name) or name.startswith(("LD_", "PYTHON")):
                raise ValueError(f'environment: "{name}" is not a variable of a library')
        for name in self.preload:
            if not re.fullmatch(r"[A-Za-z_][\w.]*", name):
                raise ValueError(f'preload: "{name}" is not a module name')
        return self
