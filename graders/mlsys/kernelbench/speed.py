"""How fast the kernels are beside eager torch, task by task, and what fraction of the tasks is faster than p times.

The reference runs in another process than the submission: nothing of it can be found, freed or inherited there. Both
make the same inputs from the same seed, a new one for every call; what every timed call returned is compared.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deepfield_cli.grading import CheckFailed, Submission, Tensor
from graders.kit.intervals import Interval, speed_up

from .verdicts import is_work

# fast_p is told for these p. The fraction counts tasks that are right and more than p times as fast, of all tasks.
THRESHOLDS = (0.5, 0.8, 1.0, 1.5, 2.0, 4.0)
# Absolute and relative, as the newest version of the public benchmark has it for float32.
TOLERANCE = 1e-4
# The error may be this many times that of torch in float32, both measured against float64. Sums in another order stay
# below 10; TF32 and float16 are some 1,000 times worse.
NOISE_FACTOR = 50.0
# Nothing reads its inputs faster than this many times the rate of a copy, or multiplies faster than the library does
# in TF32: what seems to is a fault of the measurement, whoever's it is.
PLAUSIBLE = 1.25


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        device: "cuda", or "cpu" for a stand-in that says nothing about speed.
        trials: inputs on which the answers are compared before anything is timed.
        rounds: turns of submission and reference.
        repetitions: timed calls in each turn.
        warm_ups: calls before the first turn; one before every other.
        places: elements that are compared of every output.
        copy_bytes: size of the copy whose rate is the roof for reading.
        product_size: side of the product whose rate is the roof for arithmetic.
        roofs: whether a speed above the roofs is a fault.

    """

    device: str = "cuda"
    trials: int = 5
    rounds: int = 10
    repetitions: int = 10
    warm_ups: int = 3
    places: int = 4096
    copy_bytes: int = 1 << 30
    product_size: int = 8192
    roofs: bool = True


@dataclass(frozen=True)
class Peaks:
    """What the device was seen to do."""

    bytes_per_second: float
    operations_per_second: float


@dataclass(frozen=True)
class Measured:
    """One task.

    Attributes:
        task: its name.
        fault: why it does not count, in words; empty for one that does.
        ratio: the reference's time by the submission's, an interval.
        milliseconds: the submission's time of one call, the median.
        reference_milliseconds: the reference's.

    """

    task: str
    fault: str = ""
    ratio: Interval | None = None
    milliseconds: float = math.nan
    reference_milliseconds: float = math.nan

    @property
    def counted(self) -> float:
        """How many times faster it is; 0 for a task that is wrong."""
        return 0.0 if self.fault or self.ratio is None else self.ratio.median


@dataclass(frozen=True)
class Pair:
    """The submission and the reference, each in its own worker, with one task at a time."""

    submission: Submission
    reference: Submission
    plan: Plan
    own: bool
    peaks: Peaks | None = None
    operations: Mapping[str, float] = field(default_factory=dict)

    def measure(self, task: str, source: str, rng: np.random.Generator) -> Measured:
        """Make both models, compare them, time them; what the submission does wrong becomes the task's fault."""
        try:
            self._begin(task, source, rng)
            size = self._compare(rng)
            self._watch(rng)
            return self._plausible(self._race(task, rng), size)
        except CheckFailed as failure:
            # whatever it was, it may have left the device in disorder: a process of its own for the next task
            self.submission.restart()
            return Measured(task, fault=": ".join(part for part in (failure.rationale, failure.actual) if part))
        finally:
            self.reference.probe("end")
            with suppress(CheckFailed):
                self.submission.probe("end")

    def _begin(self, task: str, source: str, rng: np.random.Generator) -> None:
        seed = _seed(rng)
        request = (task, source, self.plan.device, seed)
        wanted = _parameters(self._ask_reference("begin", "reference", *request))
        found = _parameters(self.submission.probe("begin", "contender", *request))
        if wanted == found:  # names and shapes: the same weights can be moved in both
            seed = _seed(rng)
            self._ask_reference("shake_weights", seed)
            self.submission.probe("shake_weights", seed)
        elif self.own:
            raise CheckFailed("ModelNew lacks parameters of Model, or has others", actual=", ".join(sorted(found)))

    def _ask_reference(self, function: str, *arguments: Any) -> Any:
        """Ask the reference's worker; what goes wrong there is not the submission's fault."""
        try:
            return self.reference.probe(function, *arguments)
        except CheckFailed as failure:
            self.reference.restart()
            raise CheckFailed("the reference cannot run on this device", actual=failure.rationale) from failure

    def _compare(self, rng: np.random.Generator) -> int:
        """Compare the answers on several inputs; return the size of the inputs in bytes."""
        size = 0
        for _ in range(self.plan.trials):
            seed, places = _seed(rng), _seed(rng)
            exact = self._exact(seed, places)
            usual = _outputs(self._ask_reference("answer", seed, places, self.plan.places, False))
            told = _dict(self.submission.probe("answer", seed, places, self.plan.places, False))
            found = _outputs(told)
            _expect_same(found, usual, "")
            if exact is not None:
                _expect_precise(found, usual, exact)
            if told.get("unchanged") is not True:
                raise CheckFailed("forward changed one of its inputs")
            size = _whole(told.get("input_bytes"))
        return size

    def _exact(self, seed: int, places: int) -> list[Sample] | None:
        """The reference in float64, where it can be had."""
        try:
            return _outputs(self.reference.probe("answer", seed, places, self.plan.places, True))
        except CheckFailed:  # a constant in float32, or no memory for twice the size: float32 has to do
            return None

    def _watch(self, rng: np.random.Generator) -> None:
        told = _dict(self.submission.probe("watched", _seed(rng)))
        if not _whole(told.get("launches")):
            raise CheckFailed("forward launched no kernel of yours")
        work = sorted(filter(is_work, map(str, _dict(told.get("operators")))))
        if work and self.own:
            raise CheckFailed("torch computes inside forward", actual=", ".join(work))
        if _whole(told.get("threads")) > 0:
            raise CheckFailed("forward returned and left threads behind")

    def _race(self, task: str, rng: np.random.Generator) -> Measured:
        ours: list[float] = []
        theirs: list[float] = []
        for turn in range(self.plan.rounds):
            seed = _seed(rng)
            warm_ups = self.plan.warm_ups if turn == 0 else 1
            request = ("timed", seed, self.plan.repetitions, warm_ups, self.plan.places // 8)
            reference = _dict(self._ask_reference(*request))
            told = _dict(self.submission.probe(*request))
            found, right = _looked_at(told), _looked_at(reference)
            if len(found) != len(right):
                raise _unreadable()
            for one, other in zip(found, right, strict=True):
                _expect_same(one, other, " in the timed loop")
            notes = told.get("notes")
            if not isinstance(notes, list) or notes:
                raise CheckFailed(f"the clock found something odd: {notes[0] if notes else notes}")
            ours += _seconds(told, self.plan.repetitions)
            theirs += _seconds(reference, self.plan.repetitions)
        ratio = speed_up(theirs, ours)
        return Measured(task, "", ratio, 1e3 * statistics.median(ours), 1e3 * statistics.median(theirs))

    def _plausible(self, measured: Measured, input_bytes: int) -> Measured:
        if self.peaks is None:
            return measured
        floor = input_bytes / self.peaks.bytes_per_second
        floor = max(floor, self.operations.get(measured.task, 0.0) / self.peaks.operations_per_second)
        if measured.milliseconds / 1e3 * PLAUSIBLE >= floor:
            return measured
        raise CheckFailed(
            "faster than this device can read the inputs or multiply them: a fault of the measurement, not a record",
            actual=f"{measured.milliseconds:.4g} ms, where {1e3 * floor:.4g} ms are the floor",
        )


def find_peaks(reference: Submission, plan: Plan) -> Peaks | None:
    """Measure the roofs in the reference's worker."""
    if not plan.roofs:
        return None
    told = _dict(reference.probe("peaks", plan.device, plan.copy_bytes, plan.product_size))
    copies, products = (_numbers(told.get(name)) for name in ("copy", "product"))
    return Peaks(2 * plan.copy_bytes / min(copies), 2 * plan.product_size**3 / min(products))


# ---- what is made of it ----------------------------------------------------------------------------------------------


def fast_p(measured: Sequence[Measured], p: float, tasks: int | None = None) -> float:
    """The fraction of tasks that are right and more than p times as fast as the reference; strictly more."""
    return sum(one.counted > p for one in measured) / (tasks or len(measured))


def metrics(measured: Sequence[Measured]) -> dict[str, float]:
    """Speed-up of each task, and the curve of fast_p."""
    found = {f"speed_up_{one.task}": one.counted for one in measured}
    return {**found, **{f"fast_p@{p:g}": fast_p(measured, p) for p in THRESHOLDS}}


def public_metrics(measured: Sequence[Measured], names: Sequence[str]) -> dict[str, float]:
    """Figures of the public benchmark, over all tasks of a level: one that was not attempted is not faster."""
    found = {f"speed_up_{one.task.replace('/', '_')}": one.counted for one in measured}
    for number in (1, 2):
        tasks = sum(name.startswith(f"level{number}/") for name in names)
        if tasks:
            level = [one for one in measured if one.task.startswith(f"level{number}/")]
            found[f"fast_1_level_{number}_o1"] = 100 * fast_p(level, 1.0, tasks)
            found[f"tasks_level_{number}"] = tasks
            found["tolerance_fp32"] = TOLERANCE
    return found


def table(measured: Sequence[Measured]) -> str:
    """One line for each task, the slowest first."""
    return "\n".join(_line(one) for one in sorted(measured, key=lambda one: one.counted))


def _line(one: Measured) -> str:
    if one.ratio is None or one.fault:
        return f"{one.task}: {one.fault}"
    times = f"{one.milliseconds:.3g} ms, torch {one.reference_milliseconds:.3g} ms"
    return f"{one.task}: {one.ratio.median:.2f} times ({one.ratio.low:.2f} to {one.ratio.high:.2f}); {times}"


def public_tasks(checkout: Path) -> Iterator[tuple[str, str]]:
    """Name and text of the tasks of levels 1 and 2 in a checkout of the public benchmark."""
    root = checkout / "KernelBench" if (checkout / "KernelBench").is_dir() else checkout
    for level in ("level1", "level2"):
        for path in sorted((root / level).glob("*.py"), key=_number):
            yield f"{level}/{path.stem}", path.read_text(encoding="utf-8")


def _number(path: Path) -> tuple[int, str]:
    digits = path.stem.partition("_")[0]
    return (int(digits) if digits.isdecimal() else 0, path.stem)


# ---- reading what workers told ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """An output: its shape, and its values at some places."""

    shape: tuple[int, ...]
    values: np.ndarray


def _expect_same(found: Sequence[Sample], right: Sequence[Sample], where: str) -> None:
    if len(found) != len(right):
        raise CheckFailed(f"forward returned {len(found)} outputs{where}, where there are {len(right)}")
    for number, (one, other) in enumerate(zip(found, right, strict=True)):
        what = f"output {number}{where}"
        if (one.shape, one.values.dtype) != (other.shape, other.values.dtype):
            raise CheckFailed(
                f"{what} has another shape or dtype than the reference's",
                actual=f"{list(one.shape)} {one.values.dtype} in place of {list(other.shape)} {other.values.dtype}",
            )
        off = _distance(one.values, other.values)
        wrong = off > TOLERANCE + TOLERANCE * np.abs(np.nan_to_num(other.values.astype(np.float64)))
        if wrong.any():
            raise CheckFailed(
                f"{what} is wrong", actual=f"{int(wrong.sum())} of {wrong.size} values, the worst by {off.max():.2g}"
            )


def _distance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far apart, element by element; two NaN are no distance apart, and a NaN is infinitely far from a number."""
    with np.errstate(all="ignore"):
        off = np.abs(one.astype(np.float64) - other.astype(np.float64))
    same = (one == other) | ((one != one) & (other != other))
    return np.where(same, 0.0, np.where(np.isnan(off), np.inf, off))


def _expect_precise(found: Sequence[Sample], usual: Sequence[Sample], exact: Sequence[Sample]) -> None:
    """Lower precision than asked fits into a tolerance; it does not fit into the noise of float32."""
    for number, (one, other, right) in enumerate(zip(found, usual, exact, strict=True)):
        if one.values.dtype.kind != "f" or not np.isfinite(right.values).all():
            continue
        mine, theirs = _size(one.values - right.values), _size(other.values - right.values)
        scale = _size(right.values)
        if mine > NOISE_FACTOR * max(theirs, np.finfo(one.values.dtype).eps * scale):
            raise CheckFailed(
                f"output {number} is less precise than its dtype",
                actual=f"an error of {mine / scale:.1e} of its size, where torch has {theirs / scale:.1e}",
            )


def _size(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array.astype(np.float64)))))


def _parameters(told: Any) -> dict[str, Any]:
    answer = _dict(told)
    if "fault" in answer:
        raise CheckFailed("the task file cannot be read", actual=str(answer["fault"]))
    return _dict(answer.get("parameters"))


def _outputs(told: Any) -> list[Sample]:
    return _samples(_dict(told).get("outputs"))


def _looked_at(told: Mapping[str, Any]) -> list[list[Sample]]:
    looks = _dict(told.get("looked_at")).get("model")
    if not isinstance(looks, list):
        raise _unreadable()
    return [_samples(look) for look in looks]


def _samples(told: Any) -> list[Sample]:
    if not isinstance(told, list):
        raise _unreadable()
    return [_sample(_dict(one)) for one in told]


def _sample(told: Mapping[str, Any]) -> Sample:
    if told.get("kind") != "Tensor":
        raise CheckFailed(f"forward returned a {told.get('kind')}, where a plain tensor is expected")
    values, shape = told.get("values"), told.get("shape")
    if not isinstance(values, Tensor) or type(shape) is not list or values.array.dtype.kind not in "fiub":
        raise _unreadable()
    return Sample(tuple(map(_whole, shape)), values.array.reshape(-1))


def _seconds(told: Mapping[str, Any], count: int) -> list[float]:
    seconds = _numbers(_dict(told.get("seconds")).get("model"))
    if len(seconds) != count:
        raise _unreadable()
    return seconds


def _numbers(value: Any) -> list[float]:
    if not isinstance(value, list) or not value:
        raise _unreadable()
    if not all(type(one) is float and math.isfinite(one) and one > 0 for one in value):
        raise CheckFailed("a call took no time: the clock was changed")
    return value


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise _unreadable()
    return value


def _dict(value: Any) -> dict[str, Any]:
    if type(value) is not dict:
        raise _unreadable()
    return value


def _unreadable() -> CheckFailed:
    return CheckFailed("what was told about your kernels cannot be read", diagnosis="bad-answer")


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 48))
