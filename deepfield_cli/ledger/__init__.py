"""The honest record: what was tried, when, and with which files; nothing in it is ever changed or thrown away."""

from deepfield_cli.ledger.blobs import Blob
from deepfield_cli.ledger.chain import BadEntry, ChainReport
from deepfield_cli.ledger.entry import Entry, Moment
from deepfield_cli.ledger.errors import (
    LedgerBusy,
    LedgerCorrupt,
    LedgerFull,
    LedgerMissing,
    LedgerReadOnly,
    LedgerTooNew,
)
from deepfield_cli.ledger.ledger import Ledger
from deepfield_cli.ledger.progress import ProblemProgress

__all__ = [
    "BadEntry",
    "Blob",
    "ChainReport",
    "Entry",
    "Ledger",
    "LedgerBusy",
    "LedgerCorrupt",
    "LedgerFull",
    "LedgerMissing",
    "LedgerReadOnly",
    "LedgerTooNew",
    "Moment",
    "ProblemProgress",
]
