"""What the tests of the summit share: servers on the loopback, and a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deepfield_cli.journey.workspace import Workspace, create_workspace
from tests.summit.server import Service, serving


@pytest.fixture
def service() -> Iterator[Service]:
    """A server that says what the test tells it to."""
    with serving() as running:
        yield running


@pytest.fixture
def other_service() -> Iterator[Service]:
    """A second one, at another address."""
    with serving() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made, _ = create_workspace(tmp_path / "workspace")
    made.ledger().close()
    return made
