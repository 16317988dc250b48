"""A grade as JUnit XML, for whoever collects results in that form."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from deepfield_cli.grading.result import CheckResult, GradeResult


def junit_xml(result: GradeResult) -> str:
    """One test suite with a test case for each check."""
    outcomes = [check.outcome for check in result.checks]
    counts = {outcome: outcomes.count(outcome) for outcome in ("failed", "errored", "skipped")}
    suite = ElementTree.Element(
        "testsuite",
        name=f"{result.problem}:{result.rung}",
        tests=str(len(result.checks)),
        failures=str(counts["failed"]),
        errors=str(counts["errored"]),
        skipped=str(counts["skipped"]),
        time=f"{result.seconds:.3f}",
        timestamp=result.started_at,
    )
    for check in result.checks:
        _add_case(suite, result, check)
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _add_case(suite: ElementTree.Element, result: GradeResult, check: CheckResult) -> None:
    case = ElementTree.SubElement(
        suite, "testcase", classname=result.problem.replace("/", "."), name=check.name, time=f"{check.seconds:.3f}"
    )
    element = {"failed": "failure", "errored": "error", "skipped": "skipped"}.get(check.outcome)
    if element is None or check.cause is None:
        return
    detail = ElementTree.SubElement(case, element, message=_printable(check.cause.rationale))
    if check.cause.diagnosis:
        detail.set("type", check.cause.diagnosis)
    detail.text = _printable("\n".join(filter(None, (check.cause.expected, check.cause.actual, check.cause.help))))


def _printable(text: str) -> str:
    """XML has no way to write most control characters."""
    return "".join(character if character.isprintable() or character in "\n\t" else "\ufffd" for character in text)
