"""Units as people write them: ``GB``, ``tok/s``, ``min``, ``%``; each is a kind of thing and a factor."""

from __future__ import annotations

from dataclasses import dataclass

DECIMAL_PREFIXES = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18, "Z": 1e21}
_BINARY_PREFIXES = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50}
_SECONDS = {
    1e-9: ("ns", "nanosecond", "nanoseconds"),
    1e-6: ("µs", "us", "μs", "microsecond", "microseconds"),
    1e-3: ("ms", "msec", "millisecond", "milliseconds"),
    1.0: ("s", "sec", "secs", "second", "seconds"),
    60.0: ("min", "mins", "minute", "minutes"),
    3600.0: ("h", "hr", "hrs", "hour", "hours"),
    86400.0: ("d", "day", "days"),
    604800.0: ("week", "weeks"),
    31557600.0: ("year", "years"),
}
# What is counted; the first word is the one that questions use.
_COUNTED = (
    ("tokens", "token", "tok", "toks"),
    ("parameters", "parameter", "params", "param", "weights", "weight"),
    ("steps", "step", "updates", "update"),
    ("pixels", "pixel", "px"),
    ("vectors", "vector"),
    ("samples", "sample"),
    ("requests", "request"),
    ("impressions", "impression"),
    ("runs", "run", "seeds", "seed"),
    ("pairs", "pair"),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """What a number counts, and how much of it one is.

    Attributes:
        above: the kind of thing: "byte", "flop", "second", a word for what is counted, or "" for a pure number.
        below: the kind of thing that it is per; "" for none.
        factor: how many base units one of these is.

    """

    above: str
    below: str
    factor: float

    def measures_the_same(self, other: Unit) -> bool:
        """Whether numbers with the two units can be compared."""
        return (self.above, self.below) == (other.above, other.below)


def _atoms() -> dict[str, tuple[str, float]]:
    found = {"": ("", 1.0), "%": ("", 0.01), "percent": ("", 0.01), "x": ("", 1.0), "×": ("", 1.0), "times": ("", 1.0)}
    for prefix, factor in {"": 1.0, **DECIMAL_PREFIXES, "K": 1e3, **_BINARY_PREFIXES}.items():
        found[f"{prefix}B"] = ("byte", factor)
        found[f"{prefix}bit"] = found[f"{prefix}bits"] = ("byte", factor / 8)
        for name in ("FLOP", "FLOPs", "flop", "flops"):
            found[f"{prefix}{name}"] = ("flop", factor)
    found["byte"] = found["bytes"] = ("byte", 1.0)
    for factor, names in _SECONDS.items():
        found.update(dict.fromkeys(names, ("second", factor)))
    for words in _COUNTED:
        found.update(dict.fromkeys(words, (words[0], 1.0)))
    return found


_ATOMS = _atoms()
# Written in small letters by many. A mixed form such as "Gb" is not here: it may mean bits as well as bytes.
_SMALL = {name.lower(): atom for name, atom in _ATOMS.items() if name[-1:] in "Bps" and "bit" not in name}


def find_unit(text: str) -> Unit | None:
    """The unit of this name, or None."""
    above, slash, below = text.replace(" per ", "/").strip().partition("/")
    first, second = _atom(above), _atom(below) if slash else ("", 1.0)
    if first is None or second is None or (slash and not second[0]):
        return None
    return Unit(first[0], second[0], first[1] / second[1])


def known_unit(text: str) -> Unit:
    """The unit of a question, which is one of ours."""
    found = find_unit(text)
    if found is None:
        raise ValueError(f"{text!r} is no unit")
    return found


def _atom(text: str) -> tuple[str, float] | None:
    word = text.strip()
    return _ATOMS.get(word) or (_SMALL.get(word) if word.islower() else None)
