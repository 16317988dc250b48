"""Datasets that problems need and that do not come with deepfield: fetched once, verified, shared by all workspaces."""

from deepfield_cli.datasets.locating import locate, missing

__all__ = ["locate", "missing"]
