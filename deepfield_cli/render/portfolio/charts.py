"""Plots as inline SVG: they scale with the page, take its colours, and can be read by a screen reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from deepfield_cli.journey.curves import Curve
from deepfield_cli.journey.portfolio.proved import Score
from deepfield_cli.practice.quantity import format_quantity
from deepfield_cli.render.portfolio.markup import Markup, element, join

_CELL, _GAP = 12, 3
_FEWEST_WEEKS, _MOST_WEEKS = 26, 53
_LEVELS = (1, 3, 6, 12)
_WIDTH, _HEIGHT, _EDGE = 320.0, 72.0, 8.0
_DAYS = 7
_RUNG_CLASSES = {"core": "s1", "laptop": "s2", "paper": "s3"}


def activity(days: Mapping[date, int], until: date) -> Markup:
    """A square per day, darker the more was done; at least half a year, at most a year."""
    first = min(days, default=until)
    monday = until - timedelta(days=until.weekday())
    weeks = min(max((monday - first).days // _DAYS + 2, _FEWEST_WEEKS), _MOST_WEEKS)
    start = monday - timedelta(weeks=weeks - 1)
    pitch = _CELL + _GAP
    cells, months = [], []
    for week in range(weeks):
        top = start + timedelta(weeks=week)
        if top.day <= _DAYS and week < weeks - 1:
            months.append(element("text", f"{top:%b}", x=week * pitch, y=10, class_="tick"))
        for weekday in range(_DAYS):
            day = top + timedelta(days=weekday)
            if day <= until:
                cells.append(_cell(day, days.get(day, 0), week * pitch, 16 + weekday * pitch))
    worked = sum(1 for day, count in days.items() if count and start <= day <= until)
    label = f"{worked} days with work in {weeks} weeks"
    box = f"0 0 {weeks * pitch - _GAP} {16 + _DAYS * pitch - _GAP}"
    return element(
        "svg", element("title", label), *months, *cells, viewBox=box, class_="activity", role="img", aria_label=label
    )


def scores(attempts: Sequence[Score]) -> Markup:
    """The score of each attempt over their number, one mark per attempt, one colour per rung."""
    step = (_WIDTH - 2 * _EDGE) / max(len(attempts) - 1, 1)
    places = [(_EDGE + number * step, _height(one.score)) for number, one in enumerate(attempts)]
    if len(places) == 1:
        places = [(_WIDTH / 2, places[0][1])]
    marks = [
        element("circle", cx=x, cy=y, r=3.2, class_=f"mark {_RUNG_CLASSES.get(one.rung, 's1')}")
        for (x, y), one in zip(places, attempts, strict=True)
    ]
    best = max((one.score for one in attempts), default=0.0)
    label = f"scores of {len(attempts)} attempts, the best {best:.0%}"
    lines = [
        element("line", x1=0, x2=_WIDTH, y1=_height(level), y2=_height(level), class_="grid") for level in (0.0, 1.0)
    ]
    lines.append(element("text", "100%", x=0, y=_height(1.0) - 2, class_="tick"))
    path = element("polyline", points=_points(places), class_="line")
    return _plot(label, join(*lines, path, *marks))


def curve(one: Curve) -> Markup:
    """A curve over its own range."""
    first, last = (format_quantity(y, "", 3) if y > 0 else f"{y:.3g}" for y in (one.points[0][1], one.points[-1][1]))
    label = f"{one.name}: from {first} to {last}"
    box = Box(_EDGE, _EDGE, _WIDTH - 2 * _EDGE, _HEIGHT - 2 * _EDGE)
    return _plot(label, polyline(one.points, Extent.of([one.points]), box, class_="line strong"))


@dataclass(frozen=True, slots=True)
class Extent:
    """What a chart shows: the smallest and largest of all its points."""

    left: float
    right: float
    low: float
    high: float

    @staticmethod
    def of(curves: Sequence[Sequence[tuple[float, float]]]) -> Extent:
        """The extent of some curves, at least one of them with a point."""
        xs = [x for points in curves for x, _ in points]
        ys = [y for points in curves for _, y in points]
        return Extent(min(xs), max(xs), min(ys), max(ys))


@dataclass(frozen=True, slots=True)
class Box:
    """Where on the page a chart is drawn."""

    left: float
    top: float
    width: float
    height: float


def polyline(
    points: Sequence[tuple[float, float]], extent: Extent, box: Box, **attributes: str | float | None
) -> Markup:
    """One curve of a chart."""
    places = [
        (
            box.left + _share(x, extent.left, extent.right) * box.width,
            box.top + (1 - _share(y, extent.low, extent.high)) * box.height,
        )
        for x, y in points
    ]
    return element("polyline", points=_points(places), **attributes)


def _plot(label: str, content: Markup) -> Markup:
    box = f"0 0 {_WIDTH:g} {_HEIGHT:g}"
    return element("svg", element("title", label), content, viewBox=box, class_="plot", role="img", aria_label=label)


def _cell(day: date, count: int, x: int, y: int) -> Markup:
    level = sum(count >= least for least in _LEVELS)
    said = f"{day.isoformat()}: {count} entries" if count else f"{day.isoformat()}: nothing"
    square = {"x": x, "y": y, "width": _CELL, "height": _CELL, "rx": 2.5}
    return element("rect", element("title", said), **square, class_=f"day l{level}")


def _height(share: float) -> float:
    return _HEIGHT - _EDGE - min(max(share, 0.0), 1.0) * (_HEIGHT - 2 * _EDGE)


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
