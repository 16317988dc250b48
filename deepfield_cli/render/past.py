"""What ``restore``, ``repro`` and ``verify`` say."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from deepfield_cli.journey.reproduction import Reproduction
from deepfield_cli.journey.restoring import Restored
from deepfield_cli.journey.verification import Regrade, Verification
from deepfield_cli.journey.workspace import Workspace
from deepfield_cli.ledger import ChainReport
from deepfield_cli.render.console import foreign
from deepfield_cli.render.plain import SCHEMA_VERSION, as_document

_WIDEST = 100


def show_restored(console: Console, workspace: Workspace, restored: Restored) -> None:
    """Say where the files are, and that nothing was overwritten."""
    console.print(foreign(f"The files of attempt {restored.number} are in {workspace.shown(restored.folder)}"))
    for name in restored.files:
        console.print(foreign(f"  {name}", "quiet"))
    console.print(foreign(f"Yours in {restored.problem} are as they were.", "quiet"))


def show_reproduction(console: Console, workspace: Workspace, reproduction: Reproduction) -> None:
    """Say what fails and how to look at it."""
    check, cause = reproduction.check, reproduction.check.cause
    head = Text(check.name, "strong").append(f"  attempt {reproduction.number}", "quiet")
    if cause is not None and cause.diagnosis:
        head.append("  ").append_text(foreign(cause.diagnosis, "bad"))
    console.print(head)
    if cause is not None:
        _paragraph(console, cause.rationale)
    script = workspace.shown(reproduction.script)
    console.print()
    console.print(Text("  run   ", "quiet").append_text(foreign(f"python {script}", "accent")), soft_wrap=True)
    console.print(Text("  step  ", "quiet").append_text(foreign(f"python -m pdb {script}", "accent")), soft_wrap=True)
    if reproduction.files_changed:
        console.print()
        words = "Your files have changed since that attempt, and the script calls them as they are now."
        _paragraph(console, words, "quiet")


def show_verification(console: Console, verification: Verification) -> None:
    """Say what was proved and what was not."""
    chain = verification.chain
    if chain.ok:
        console.print(Text("record   ", "quiet").append("as it was written", "good").append(_size(chain), "quiet"))
        console.print(foreign(f"hash     {chain.head}", "quiet"), soft_wrap=True)
    else:
        console.print(Text("record   ", "quiet").append("not as it was written", "bad").append(_size(chain), "quiet"))
        for line in _damage(chain):
            _paragraph(console, line)
    for regrade in verification.regrades:
        _show_regrade(console, regrade)


def verification_document(verification: Verification) -> dict[str, Any]:
    """What was found, as JSON."""
    return {"schema_version": SCHEMA_VERSION, "ok": verification.ok, **as_document(verification)}


def _size(chain: ChainReport) -> str:
    return f"  {chain.entries:,} entries, {chain.blobs:,} blobs"


def _damage(chain: ChainReport) -> list[str]:
    lines = []
    if chain.first_bad is not None:
        more = f" ({chain.bad_entries - 1} more after it)" if chain.bad_entries > 1 else ""
        lines.append(f"entry {chain.first_bad.id}: {chain.first_bad.reason}{more}")
    lines += [f"damaged: {name[:16]}" for name in chain.damaged_blobs]
    lines += [f"missing: {name[:16]}" for name in chain.missing_blobs]
    return [*lines, *chain.file_faults]


def _show_regrade(console: Console, regrade: Regrade) -> None:
    line = Text("graded   ", "quiet").append(f"attempt {regrade.number}  {regrade.problem} {regrade.rung}  ")
    if regrade.obstacle is not None:
        console.print(line.append("not graded here", "warn"))
        _paragraph(console, regrade.obstacle, "quiet")
        return
    if regrade.same:
        console.print(line.append("as on record", "good").append(f"  {regrade.checks} checks", "quiet"))
        return
    console.print(line.append("not as on record", "bad"))
    for change in regrade.turned:
        _paragraph(console, f"{change.name}: {change.before or 'not run'} -> {change.after or 'not run'}")
    if regrade.suite_changed:
        _paragraph(console, "The checks have changed since that attempt, which may be why.", "quiet")


def _paragraph(console: Console, text: str, style: str = "") -> None:
    console.print(Padding(foreign(text, style), (0, 0, 0, 2), expand=False), width=min(console.width, _WIDEST))
