"""What is shown of a training: how far it is, how long it will take, and its curves as text."""

from __future__ import annotations

import math
from io import BytesIO, TextIOWrapper
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from rich.console import Console

from deepfield_cli.render import live
from deepfield_cli.render.live import Finished, LiveChecks
from deepfield_cli.render.plot import STYLES, Series, legend, number, plot
from deepfield_cli.render.training import Training, duration

FALLING = Series("loss", [(step, 4.0 * math.exp(-step / 20)) for step in range(100)])
RISING = Series("reward", [(step, step / 25) for step in range(100)])


def console_of(encoding: str, *, colours: bool = False, width: int = 80) -> Console:
    file = TextIOWrapper(BytesIO(), encoding=encoding)
    return Console(
        file=file, width=width, height=40, force_terminal=colours, color_system="standard" if colours else None
    )


def lines(console: Console, *series: Series, width: int = 60, height: int = 7) -> list[str]:
    return [line.plain for line in plot(console, series, width=width, height=height)]


def test_a_falling_curve_falls() -> None:
    drawn = lines(console_of("utf-8"), FALLING)
    assert drawn[0].startswith("      4 ┤⢣") or drawn[0].lstrip().startswith("4 ┤")
    assert [line.strip("│┤ ")[:1] != "" for line in drawn[:7]] == [True] * 7
    firsts = [min(i for i, sign in enumerate(line) if 0x2800 < ord(sign) < 0x2900) for line in drawn[:7]]
    assert firsts == sorted(firsts)
    assert drawn[-2].strip().startswith("└──")
    assert drawn[-1].split() == ["0", "99"]


def test_ascii_has_no_braille() -> None:
    drawn = lines(console_of("ascii"), FALLING)
    assert all(line.isascii() for line in drawn)
    assert drawn[0].lstrip().startswith("4 |*")


def test_several_curves_are_told_apart_with_and_without_colours() -> None:
    plain = console_of("utf-8")
    drawn = "\n".join(lines(plain, FALLING, RISING))
    assert ("*" in drawn, "o" in drawn, "⠉" in drawn) == (True, True, False)
    assert [line.plain for line in legend(plain, [FALLING, RISING])] == ["* loss", "o reward"]
    coloured = console_of("utf-8", colours=True)
    styles = {str(span.style) for line in plot(coloured, [FALLING, RISING], width=60, height=7) for span in line.spans}
    assert set(STYLES[:2]) <= styles
    assert [line.plain for line in legend(coloured, [FALLING, RISING])] == ["━━ loss", "━━ reward"]


NUMBERS = some.floats(allow_nan=False, allow_infinity=False)
POINTS = some.lists(some.tuples(NUMBERS, NUMBERS), min_size=1, max_size=30).map(lambda found: sorted(found))


@given(
    curves=some.lists(POINTS, min_size=1, max_size=len(STYLES)),
    width=some.integers(1, 130),
    height=some.integers(1, 20),
    encoding=some.sampled_from(["utf-8", "ascii"]),
)
def test_any_finite_curve_can_be_drawn(curves: Any, width: int, height: int, encoding: str) -> None:
    series = [Series(str(index), points) for index, points in enumerate(curves)]
    drawn = lines(console_of(encoding), *series, width=width, height=height)
    assert len(drawn) == height + 2
    if width >= 60:
        assert max(map(len, drawn)) <= width


@pytest.mark.parametrize(
    ("value", "words"), [(0.0, "0"), (1200.0, "1,200"), (0.00018114, "0.0001811"), (1e12, "1e+12"), (-2.5, "-2.5")]
)
def test_numbers_on_an_axis_are_short(value: float, words: str) -> None:
    assert number(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (90.0, "90 s"), (120.0, "2 min"), (900.0, "15 min"), (5400.0, "90 min"), (9000.0, "2 h 30 min")],
)
def test_durations_are_coarse(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_time_left_is_that_of_the_pace() -> None:
    training = Training()
    assert training.seconds_left(0.0) is None
    for second in range(101):
        training.add([(second * 2, {"loss": 1.0})], 1000, float(second))
    assert training.seconds_left(100.0) == pytest.approx(400.0, rel=0.02)
    assert training.seconds_left(110.0) == pytest.approx(390.0, rel=0.02)
    assert training.words(console_of("utf-8"), 100.0).plain == "step 200 of 1,000 · 20% · about 7 min left"


def test_the_pace_is_that_of_late() -> None:
    training = Training()
    for second in range(1000):
        step = second if second < 400 else 400 + (second - 400) * 10
        training.add([(step, {})], 10_000, float(second))
    assert training.seconds_left(999.0) == pytest.approx((10_000 - 6390) / 10, rel=0.05)


def test_what_is_read_again_after_an_interruption_was_not_done_in_a_moment() -> None:
    training = Training()
    for step in range(900):
        training.add([(step, {})], 1000, 0.001 * step / 900)
    assert training.seconds_left(0.1) is None
    for second in range(1, 11):
        training.add([(900 + second, {})], 1000, float(second))
    assert training.seconds_left(10.0) == pytest.approx(90.0, rel=0.1)


def test_without_a_total_there_is_a_step_and_no_bar() -> None:
    training = Training()
    training.add([(7, {"loss": 0.25})], None, 0.0)
    assert [line.plain for line in training.view(console_of("utf-8"), 1.0, width=76, rows=20)] == [
        "step 7",
        "loss 0.25",
    ]


def test_a_curve_of_fifty_thousand_points_stays_small_and_whole() -> None:
    training = Training()
    for step in range(50_000):
        training.add([(step, {"loss": 5.0 - step / 10_000})], 50_000, step / 100)
    (curve,) = training._together()
    assert len(curve.points) <= 800
    assert (curve.points[0], curve.points[-1]) == ((0, 5.0), (49_999, 5.0 - 4.9999))


def test_a_learning_rate_is_no_loss() -> None:
    training = Training()
    for step in range(3):
        training.add([(step, {"train_loss": 2.0, "lr": 0.1, "val_loss": 3.0})], 3, float(step))
    assert [one.name for one in training._together()] == ["train_loss", "val_loss"]


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("rows", [0, 3, 5, 9, 30])
def test_no_view_is_larger_than_its_place(width: int, rows: int) -> None:
    training = Training()
    for step in range(100):
        values = {"loss": 1 / (step + 1), "val_loss": 2 / (step + 1), "a_number_with_a_long_name": 0.123456}
        training.add([(step, values)], 100, float(step))
    view = training.view(console_of("utf-8"), 100.0, width=width, rows=rows)
    assert len(view) <= max(rows, 2)
    assert max(len(line) for line in view) <= width


class Clock:
    """A clock that is moved by hand."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_without_a_terminal_there_is_a_line_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, console: Console
) -> None:
    clock = Clock()
    monkeypatch.setattr(live, "time", clock)
    with LiveChecks(console, "tiny/descent", "laptop", "up to 15 min") as view:
        view.plan(["trains"])
        view.start("trains")
        for second in range(35):
            clock.now = float(second)
            view.progress("trains", [(second, {"loss": 0.5})], 100)
        view.finish("trains", Finished("passed", 35.0))
    printed: str = console.file.getvalue()  # type: ignore[attr-defined]
    told = [line.partition("step ")[2].split()[0] for line in printed.splitlines() if "step" in line]
    assert told == ["0", "10", "20", "30"]


def test_old_news_are_not_printed_again(console: Console) -> None:
    """Whoever begins to look at a run of an hour wants to know how it stands."""
    with LiveChecks(console, "tiny/descent", "laptop", "up to 15 min") as view:
        view.plan(["trains"])
        for second in range(3600, -1, -1):
            view.progress("trains", [(3600 - second, {})], 5000, float(second))
    printed: str = console.file.getvalue()  # type: ignore[attr-defined]
    told = [line.partition("step ")[2].split()[0] for line in printed.splitlines() if "step" in line]
    assert len(told) <= 2
    assert int(told[0].replace(",", "")) > 3500


def test_a_learners_names_bring_no_markup(console: Console) -> None:
    training = Training()
    training.add([(1, {"loss[red]": 1.0})], 2, 0.0)
    for line in training.view(console, 0.0, width=76, rows=20):
        console.print(line)
    assert "loss[red] 1" in console.file.getvalue()  # type: ignore[attr-defined]
