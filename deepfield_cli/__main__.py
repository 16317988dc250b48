"""The door: ``deepfield`` and ``python -m deepfield_cli``."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from deepfield_cli.early import head_start

    head_start(sys.argv[1:])
    from deepfield_cli.cli.app import run

    sys.exit(run())


if __name__ == "__main__":
    main()
