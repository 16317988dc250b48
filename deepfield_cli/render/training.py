"""How far a long check is: steps, the time that is left, the latest numbers, and a small plot of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text

from deepfield_cli.render.console import foreign
from deepfield_cli.render.plot import Series, legend, number, plot
from deepfield_cli.render.signs import can_show_signs, dash, progress_bar

# A curve is halved when it has twice as many points: more than a terminal has columns, at any time.
_KEPT_POINTS = 400
# Moments from which the pace is reckoned; what comes within one is told at once.
_KEPT_MOMENTS, _MOMENT_SECONDS = 64, 0.25
_BAR, _FEWEST_ROWS, _MOST_ROWS, _WIDEST = 24, 3, 7, 100
_MINUTE, _HOUR = 60, 3600
# Up to here in the smaller unit: "90 s" and "90 min" read better than their like.
_UP_TO = 1.5


class Training:
    """What is known of one long check; times are seconds of any one clock."""

    def __init__(self) -> None:
        self.step = 0
        self.total: int | None = None
        self._values: Mapping[str, float] = {}
        self._curves: dict[str, dict[int, float]] = {}
        self._moments: list[tuple[float, int]] = []

    def add(self, points: Sequence[tuple[int, Mapping[str, float]]], total: int | None, at: float) -> None:
        """Some more steps."""
        for step, values in points:
            self.step = step
            self._values = {**self._values, **values}
            for name, value in values.items():
                self._keep(name, step, value)
        self.total = total
        self._note(at)

    def seconds_left(self, at: float) -> float | None:
        """How long it will take at the pace of the later half of the time; None while that cannot be said.

        What is read at once after an interruption was not done at once: so the pace is reckoned between moments, and
        never from the first step.
        """
        if self.total is None or len(self._moments) < 2:
            return None
        *before, (last_at, last) = self._moments
        middle = (before[0][0] + last_at) / 2
        from_at, begun = next((moment for moment in before if moment[0] >= middle), before[-1])
        if last <= begun:
            return None
        pace = (last_at - from_at) / (last - begun)
        return max((self.total - last) * pace - (at - last_at), 0.0)

    def words(self, console: Console, at: float) -> Text:
        """The step, how much of the whole that is, and the time that is left."""
        if not self.total:
            return Text(f"step {self.step:,}")
        parts = [f"step {self.step:,} of {self.total:,}", f"{self._share:.0%}"]
        left = self.seconds_left(at)
        parts += [f"about {duration(left)} left"] if left is not None and self.step < self.total else []
        return Text(f" {dash(console)} ".join(parts))

    def numbers(self) -> Text:
        """The latest number of each curve."""
        return foreign("  ".join(f"{name} {number(value)}" for name, value in self._values.items()))

    def view(self, console: Console, at: float, *, width: int, rows: int) -> list[Text]:
        """The words with a bar, the numbers, and below them the plot if there is room for it in so many rows."""
        bar = [progress_bar(console, round(_BAR * self._share), _BAR), Text("  ")] if self.total else []
        lines = [Text.assemble(*bar, self.words(console, at))]
        lines += [self.numbers()] if self._values else []
        curves = self._together()
        names = [Text("   ").join(legend(console, curves))] if len(curves) > 1 else []
        height = min(rows - len(lines) - len(names) - 2, _MOST_ROWS)
        if curves and height >= _FEWEST_ROWS:
            lines += [*plot(console, curves, width=min(width, _WIDEST), height=height), *names]
        for line in lines:
            line.truncate(width, overflow="ellipsis" if can_show_signs(console) else "crop")
        return lines

    @property
    def _share(self) -> float:
        return min(max(self.step / self.total, 0.0), 1.0) if self.total else 0.0

    def _keep(self, name: str, step: int, value: float) -> None:
        curve = self._curves.setdefault(name, {})
        curve[step] = value
        if len(curve) > 2 * _KEPT_POINTS:
            steps = sorted(curve)
            self._curves[name] = {kept: curve[kept] for kept in (*steps[:-1:2], steps[-1])}

    def _note(self, at: float) -> None:
        if self._moments and at - self._moments[-1][0] < _MOMENT_SECONDS:
            self._moments[-1] = (self._moments[-1][0], self.step)
            return
        if len(self._moments) == _KEPT_MOMENTS:  # every second one is enough, over twice the time
            self._moments = self._moments[::2]
        self._moments.append((at, self.step))

    def _together(self) -> list[Series]:
        """The first curve and those of its kind: ``train_loss`` goes with ``val_loss``, never with a learning rate."""
        drawn = [name for name, curve in self._curves.items() if len(curve) > 1]
        kin = [name for name in drawn if name.rpartition("_")[2] == drawn[0].rpartition("_")[2]]
        return [Series(name, sorted(self._curves[name].items())) for name in kin[:2]]


def duration(seconds: float) -> str:
    """A time in the coarsest words that still help."""
    if seconds <= _UP_TO * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds <= _UP_TO * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    hours, minutes = divmod(round(seconds / _MINUTE), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
