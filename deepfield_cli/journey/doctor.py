"""The doctor: looks over the machine and the workspace, from the ground up."""

from __future__ import annotations

from dataclasses import dataclass

from deepfield_cli.journey.finding import Finding


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found."""

    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """1 if anything will not work."""
        return int(any(finding.state == "bad" for finding in self.findings))


def examine() -> Diagnosis:
    """Look at libraries, device, isolation, workspace, record, packs and cache."""
    from deepfield_cli.journey.belongings import examine_belongings
    from deepfield_cli.journey.isolation import examine_isolation
    from deepfield_cli.journey.libraries import examine_libraries

    return Diagnosis((*examine_libraries(), *examine_isolation(), *examine_belongings()))
