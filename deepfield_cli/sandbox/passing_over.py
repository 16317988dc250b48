"""Names that no submission consists of: what is hidden, what tools leave behind, what editors write meanwhile."""

from __future__ import annotations

_FOLDERS = frozenset({"__pycache__", "node_modules", "venv"})
_ENDINGS = (".pyc", "~", ".swp")


def is_passed_over(name: str) -> bool:
    """Whether a file or folder of this name is left where it is: caches, environments, repositories, settings."""
    return name.startswith(".") or name in _FOLDERS or name.endswith(_ENDINGS)
