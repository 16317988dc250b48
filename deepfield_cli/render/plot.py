"""Curves as text: braille dots where the terminal has them, letters where it has only ASCII or no colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter

from rich.console import Console
from rich.text import Text

from deepfield_cli.render.signs import can_show_signs

# Colours that hold on dark and light backgrounds alike, in the order in which curves get them.
STYLES = ("cyan", "yellow", "magenta", "green", "blue", "red")
_MARKS = "*ox+#@"
_BRAILLE = 0x2800
# The bit of a dot in a braille cell, by row and column.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_LEAST_WIDTH, _MIDDLE_FROM = 12, 7

Cells = dict[tuple[int, int], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Series:
    """One curve: what it is called, and its points in order of x."""

    name: str
    points: Sequence[tuple[float, float]]


def plot(console: Console, series: Sequence[Series], *, width: int, height: int) -> list[Text]:
    """The curves in one frame: ``height`` rows of cells, and two below them for the axis.

    At most as many curves as there are styles; each needs a point.
    """
    frame = _Frame.around(series)
    labels = _labels(frame, height)
    margin = max(map(len, labels.values()))
    columns = max(width - margin - 2, _LEAST_WIDTH)
    cells = _cells(console, series, frame, columns, height)
    signs = can_show_signs(console)
    lines = []
    for row in range(height):
        line = Text(labels.get(row, "").rjust(margin), "quiet")
        line.append((" ┤" if row in labels else " │") if signs else " |", "quiet")
        row_of_cells = (cells.get((row, column), (" ", "")) for column in range(columns))
        for style, run in groupby(row_of_cells, key=itemgetter(1)):
            line.append("".join(sign for sign, _ in run), style)
        line.rstrip()
        lines.append(line)
    lines.append(Text(" " * margin + (" └" if signs else " +") + ("─" if signs else "-") * columns, "quiet"))
    first, last = number(frame.left), number(frame.right)
    lines.append(Text(" " * (margin + 2) + first + last.rjust(columns - len(first)), "quiet"))
    return lines


def legend(console: Console, series: Sequence[Series]) -> list[Text]:
    """One line for each curve: its mark or its colour, and its name."""
    lines = []
    for index, one in enumerate(series):
        mark = "━━" if _can_tell_colours(console) and can_show_signs(console) else _MARKS[index]
        lines.append(Text(mark, STYLES[index]).append(f" {one.name}", ""))
    return lines


def number(value: float) -> str:
    """A number short enough for an axis."""
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:.4g}"


@dataclass(frozen=True, slots=True)
class _Frame:
    """What is to be seen."""

    left: float
    right: float
    low: float
    high: float

    @staticmethod
    def around(series: Sequence[Series]) -> _Frame:
        xs = [x for one in series for x, _ in one.points]
        ys = [y for one in series for _, y in one.points]
        return _Frame(min(xs), max(xs), min(ys), max(ys))

    def place(self, point: tuple[float, float], columns: int, rows: int) -> tuple[int, int]:
        """Column and row of a point, the top row being 0; a curve without extent lies in the middle."""
        across = _share(point[0], self.left, self.right, 0.0)
        up = _share(point[1], self.low, self.high, 0.5)
        return round(across * (columns - 1)), round((1 - up) * (rows - 1))


def _share(value: float, low: float, high: float, otherwise: float) -> float:
    # halves first: the distance of two large numbers of opposite sign is more than a float can hold
    extent = high / 2 - low / 2
    return (value / 2 - low / 2) / extent if extent > 0 else otherwise


def _labels(frame: _Frame, height: int) -> dict[int, str]:
    if frame.high == frame.low:
        return {(height - 1) // 2: number(frame.low)}
    labels = {0: number(frame.high), height - 1: number(frame.low)}
    if height >= _MIDDLE_FROM and height % 2:
        labels[height // 2] = number(float(f"{frame.low / 2 + frame.high / 2:.4g}"))
    return labels


def _can_tell_colours(console: Console) -> bool:
    return console.color_system is not None and not console.no_color


def _cells(console: Console, series: Sequence[Series], frame: _Frame, columns: int, rows: int) -> Cells:
    if can_show_signs(console) and (len(series) == 1 or _can_tell_colours(console)):
        return _braille(series, frame, columns, rows)
    return {
        (row, column): (_MARKS[index], STYLES[index])
        for index, one in _last_first(series)
        for column, row in _dots(one, frame, columns, rows)
    }


def _last_first(series: Sequence[Series]) -> list[tuple[int, Series]]:
    """In the order of drawing: the first curve is what matters most, and lies on top."""
    return list(enumerate(series))[::-1]


def _braille(series: Sequence[Series], frame: _Frame, columns: int, rows: int) -> Cells:
    bits: dict[tuple[int, int], int] = {}
    styles: dict[tuple[int, int], str] = {}
    for index, one in _last_first(series):
        for x, y in _dots(one, frame, 2 * columns, 4 * rows):
            cell = y // 4, x // 2
            bits[cell] = bits.get(cell, 0) | _DOTS[y % 4][x % 2]
            styles[cell] = STYLES[index]
    return {cell: (chr(_BRAILLE | found), styles[cell]) for cell, found in bits.items()}


def _dots(one: Series, frame: _Frame, columns: int, rows: int) -> Iterator[tuple[int, int]]:
    """Every dot on the lines from each point to the next."""
    places = [frame.place(point, columns, rows) for point in one.points]
    yield places[0]
    for (from_x, from_y), (to_x, to_y) in pairwise(places):
        steps = max(abs(to_x - from_x), abs(to_y - from_y))
        for step in range(1, steps + 1):
            share = step / steps
            yield round(from_x + share * (to_x - from_x)), round(from_y + share * (to_y - from_y))
