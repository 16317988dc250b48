"""A workspace that several first commands make at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deepfield_cli.errors import WorkspaceError
from deepfield_cli.journey.workspace import create_workspace


@pytest.mark.parametrize("round_number", range(20))
def test_one_of_many_makes_it_and_the_others_find_it(tmp_path: Path, round_number: int) -> None:
    together = threading.Barrier(6)

    def make(_: int) -> bool:
        together.wait()
        return create_workspace(tmp_path / "new" / "road")[1]

    with ThreadPoolExecutor(6) as executor:
        assert sorted(executor.map(make, range(6))) == [False] * 5 + [True], round_number


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / ".deepfield").write_text("not a folder")
    with pytest.raises(WorkspaceError, match="cannot make a workspace"):
        create_workspace(tmp_path)
