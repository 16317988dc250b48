"""A stub that answers something."""


def halve(number: int) -> int:
    """Half of an even number."""
    return 0


def labl(number: int) -> str:
    """The name of a number."""
    raise NotImplementedError


def mentioned() -> None:
    """Never called."""


def forgotten() -> None:
    """Never named."""
