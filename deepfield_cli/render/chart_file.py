"""Charts as one SVG file that stands alone: axes, a legend, colours for light and dark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.journey.curves import Chart
from deepfield_cli.render.curves import line_name, title
from deepfield_cli.render.moments import local
from deepfield_cli.render.plot import number
from deepfield_cli.render.portfolio.charts import Box, Extent, polyline
from deepfield_cli.render.portfolio.markup import Markup, element, join

_WIDTH, _BOX_HEIGHT = 720.0, 220.0
_LEFT, _TOP, _RIGHT, _LINE = 76.0, 44.0, 16.0, 18.0
# Told apart by most people who see colours differently (Okabe and Ito, 2008), and by their dashes without colour.
_COLOURS = ("#0072b2", "#e69f00", "#cc79a7", "#009e73", "#56b4e9", "#d55e00")
_DASHES = (None, "7 3", "2 3", "9 3 2 3", "12 4", "4 4")
_STYLE = (
    "svg{background:#fff;color:#1c1d21;font:12px system-ui,sans-serif}text{fill:currentColor}"
    ".title{font-weight:600;font-size:14px}.soft{opacity:.65}.grid{stroke:currentColor;opacity:.18}"
    "@media(prefers-color-scheme:dark){svg{background:#121316;color:#ecebe6}}"
)


def write_charts(path: Path, charts: Sequence[Chart]) -> None:
    """Write the file; raise DeepfieldError where there is nothing to draw, or it cannot be written."""
    if not charts:
        raise DeepfieldError("there is no curve to draw", fix="a laptop or paper rung that trains keeps one")
    try:
        path.write_text(svg_document(charts), encoding="utf-8")
    except OSError as error:
        raise DeepfieldError(f"cannot write: {error.strerror}", where=str(path), fix="choose another file") from error


def svg_document(charts: Sequence[Chart]) -> str:
    """All charts, one below the other."""
    drawn, top = [], 0.0
    for chart in charts:
        drawn.append(_chart(chart, top))
        top += _height(chart)
    label = "; ".join(title(chart) for chart in charts)
    return element(
        "svg",
        element("title", label),
        element("style", Markup(_STYLE)),
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {_WIDTH:g} {top:g}",
        width=_WIDTH,
        role="img",
    )


def _height(chart: Chart) -> float:
    return _TOP + _BOX_HEIGHT + _LINE * (len(chart.lines) + 3)


def _chart(chart: Chart, top: float) -> Markup:
    box = Box(_LEFT, top + _TOP, _WIDTH - _LEFT - _RIGHT, _BOX_HEIGHT)
    extent = Extent.of([line.points for line in chart.lines])
    lines = [
        polyline(line.points, extent, box, **_stroke(index), fill="none", stroke_linejoin="round")
        for index, line in enumerate(chart.lines)
    ]
    legend = [_legend(index, line_name(line, local(line.at)), box) for index, line in enumerate(chart.lines)]
    head = element("text", title(chart), x=_LEFT, y=top + _TOP / 2, class_="title")
    return join(head, _axes(extent, box), *reversed(lines), *legend)  # the newest on top


def _stroke(index: int) -> dict[str, str | float | None]:
    return {"stroke": _COLOURS[index], "stroke_width": 2.0 if index == 0 else 1.5, "stroke_dasharray": _DASHES[index]}


def _axes(extent: Extent, box: Box) -> Markup:
    low, high = extent.low, extent.high
    levels = [(1.0, high), (0.5, low / 2 + high / 2), (0.0, low)] if high > low else [(0.5, low)]
    parts = []
    for share, value in levels:
        y = box.top + (1 - share) * box.height
        parts.append(element("line", x1=box.left, x2=box.left + box.width, y1=y, y2=y, class_="grid"))
        parts.append(element("text", number(value), x=box.left - 8, y=y + 4, text_anchor="end", class_="soft"))
    below = box.top + box.height + _LINE
    right = box.left + box.width
    parts.append(element("text", number(extent.left), x=box.left, y=below, class_="soft"))
    parts.append(element("text", number(extent.right), x=right, y=below, text_anchor="end", class_="soft"))
    return join(*parts)


def _legend(index: int, name: str, box: Box) -> Markup:
    y = box.top + box.height + _LINE * (index + 2.2)
    swatch = element("line", x1=box.left, x2=box.left + 28, y1=y - 4, y2=y - 4, **_stroke(index))
    return join(swatch, element("text", name, x=box.left + 36, y=y))
