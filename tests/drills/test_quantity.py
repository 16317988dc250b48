"""Numbers with units: what people type is understood, what they cannot have meant is refused with an example."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepfield_cli.practice.quantity import QuantityError, format_quantity, parse_quantity

UNITS = ("B", "FLOP", "s", "%", "", "tokens", "tokens/s", "parameters", "FLOP/B", "B/s", "FLOP/s", "requests", "pixels")


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("12 GB", "B", 12e9),
        ("12GB", "B", 12e9),
        ("12 gb", "B", 12e9),
        ("12e9 B", "B", 12e9),
        ("12e9", "B", 12e9),
        ("12 G", "B", 12e9),
        ("1.5 KiB", "B", 1536),
        ("512 MiB", "B", 2**29),
        ("8 Gbit", "B", 1e9),
        ("100 bytes", "B", 100),
        ("1.2e10", "FLOP", 1.2e10),
        ("3 TFLOP", "FLOP", 3e12),
        ("3 tflops", "FLOP", 3e12),
        ("4.2 x 10^22", "FLOP", 4.2e22),
        ("4.2×10^22 FLOPs", "FLOP", 4.2e22),
        ("10^9", "FLOP", 1e9),
        ("2**30", "B", 2**30),
        ("2^20 tokens", "tokens", 2**20),
        ("3 min", "s", 180),
        ("40 ms", "s", 0.04),
        ("7 µs", "s", 7e-6),
        ("7 us", "s", 7e-6),
        ("1.5 h", "s", 5400),
        ("2 weeks", "s", 1209600),
        ("12.5", "s", 12.5),
        ("40%", "%", 0.4),
        ("40 %", "%", 0.4),
        ("0.4", "%", 0.4),
        ("2.5k", "tokens", 2500),
        ("2.5k tokens", "tokens", 2500),
        ("7B", "parameters", 7e9),
        ("7B params", "parameters", 7e9),
        ("7 billion", "parameters", 7e9),
        ("7 billion parameters", "parameters", 7e9),
        ("1,234,567", "tokens", 1234567),
        ("1_000_000", "tokens", 1e6),
        ("120 tok/s", "tokens/s", 120),
        ("7k tokens/min", "tokens/s", 7000 / 60),
        ("120 tokens per second", "tokens/s", 120),
        ("300 FLOP/byte", "FLOP/B", 300),
        ("3.35 TB/s", "B/s", 3.35e12),
        ("~ 12", "", 12),
        ("≈12", "", 12),
        ("12x", "", 12),
        (".5", "", 0.5),
    ],
)
def test_it_is_understood(text: str, unit: str, value: float) -> None:
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("", "B"),
        ("   ", "B"),
        ("many", "B"),
        ("-3 GB", "B"),
        ("0", "B"),
        ("nan", "B"),
        ("inf", "B"),
        ("1e999", "B"),
        ("2^99999", "B"),
        ("10 x 10^9999", "B"),
        ("12 s", "B"),
        ("12 GB", "s"),
        ("12 tokens", "steps"),
        ("12 tokens", "tokens/s"),
        ("12 Gb", "B"),
        ("12 m", "s"),
        ("12 Btokens", "tokens"),
        ("12 GB extra", "B"),
        ("12 furlongs", "s"),
        ("12 /s", "s"),
        ("1 2", "B"),
        ("12 GB/", "B"),
        ("0^-1", ""),
        ("1" * 400, "B"),
    ],
)
def test_it_is_refused_with_an_example(text: str, unit: str) -> None:
    with pytest.raises(QuantityError, match="for example") as refused:
        parse_quantity(text, unit)
    assert len(str(refused.value)) < 250


@given(
    value=st.floats(min_value=1e-9, max_value=1e25, allow_nan=False),
    unit=st.sampled_from(UNITS),
    digits=st.integers(min_value=3, max_value=6),
)
def test_what_is_written_is_read_back(value: float, unit: str, digits: int) -> None:
    assert parse_quantity(format_quantity(value, unit, digits), unit) == pytest.approx(value, rel=10.0 ** (1 - digits))


@given(text=st.text(max_size=30), unit=st.sampled_from(UNITS))
def test_any_text_is_a_positive_number_or_refused(text: str, unit: str) -> None:
    with contextlib.suppress(QuantityError):
        assert 0 < parse_quantity(text, unit) < float("inf")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12.88e9, "B", "12.9 GB"),
        (999.9999999, "steps", "1,000 steps"),
        (0.0032, "s", "3.2 ms"),
        (94672800.0, "s", "3 years"),
        (4.2e22, "FLOP", "4.2e22 FLOP"),
        (989e12, "FLOP/s", "989 TFLOP/s"),
        (1100.0, "FLOP/B", "1,100 FLOP/B"),
        (0.125, "%", "12.5%"),
        (1.2e6, "tokens", "1.2 million tokens"),
        (8.41, "", "8.41"),
        (2.5e-5, "", "2.5e-5"),
    ],
)
def test_it_reads_well(value: float, unit: str, text: str) -> None:
    assert format_quantity(value, unit) == text
