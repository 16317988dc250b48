# fails: names_nobody_knows   diagnosis: none
"""Half of a number."""


def halve(number: int) -> int:
    """Half of an even number."""
    return number // 2


def label(number: int) -> str:
    """The name of a number."""
    return str(number)


def mentioned() -> None:
    """Never called."""


def forgotten() -> None:
    """Never named."""
