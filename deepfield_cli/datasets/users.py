"""Which rungs need a dataset."""

from __future__ import annotations

from deepfield_cli.content.packs import find_problem, problem_ids


def needed_by(name: str) -> tuple[str, ...]:
    """Rungs that name this dataset, as ``llm/gpt2 (paper)``."""
    return tuple(
        f"{problem} ({rung})"
        for problem in problem_ids()
        for rung, spec in find_problem(problem)[0].rungs.items()
        if any(item.dataset == name for item in spec.data)
    )
