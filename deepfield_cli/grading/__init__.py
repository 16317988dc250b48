"""Checks, outcomes, expectations and diagnosis: what a suite imports, and what runs it."""

from deepfield_cli.errors import CheckFailed
from deepfield_cli.grading.bugs import Bugs
from deepfield_cli.grading.expectations import ValueMismatch, expect, expect_close, expect_equal, expect_unchanged
from deepfield_cli.grading.suite import Check, Suite
from deepfield_cli.grading.tolerance import Tolerance
from deepfield_cli.sandbox.submission import Reference, Submission, Usage
from deepfield_cli.sandbox.wire import Stream, Tensor

__all__ = [
    "Bugs",
    "Check",
    "CheckFailed",
    "Reference",
    "Stream",
    "Submission",
    "Suite",
    "Tensor",
    "Tolerance",
    "Usage",
    "ValueMismatch",
    "expect",
    "expect_close",
    "expect_equal",
    "expect_unchanged",
]
