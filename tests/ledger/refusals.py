"""Disks and folders that refuse; prints as JSON what each thing said and what was left.

python refusals.py file-size-limit FOLDER     the limit that a shell or a quota sets
python refusals.py full-disk FOLDER           a disk of 512 kB, mounted on the folder; needs `unshare -rm`
python refusals.py disk-without-a-byte FOLDER  the same, with not one byte left; needs `unshare -rm`
python refusals.py read-only FOLDER           as a user who may not write, whoever runs the tests
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deepfield_cli.errors import LedgerError
from deepfield_cli.ledger import Ledger

# Now, because the user that the script becomes later may not be able to read the checkout.
importlib.import_module("sqlite_utils")
NOBODY = 65534


def said(action: Callable[[], Any]) -> list[Any]:
    """The kind of error and its line, or "done" and what came of it."""
    try:
        answer = action()
        return ["done", answer if isinstance(answer, list) else str(answer)]
    except LedgerError as error:
        return [type(error).__name__, str(error)]


def append(ledger: Ledger, size: int = 20_000) -> int:
    return ledger.append("note", {}, files={"noise.bin": os.urandom(size)}).id


def append_until_refused(ledger: Ledger) -> list[Any]:
    for _ in range(200):
        refusal = said(lambda: append(ledger))
        if refusal[0] != "done":
            return refusal
    raise AssertionError("the disk took everything")


def state(path: Path, *, write: bool = False) -> list[Any]:
    with Ledger.open(path, write=write) as ledger:
        report = ledger.verify()
        readable = all(len(ledger.files(entry)) == 1 for entry in ledger.walk_entries())
        return [report.entries, report.ok and readable]


def file_size_limit(folder: Path) -> dict[str, Any]:
    path = folder / "progress.db"
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    with Ledger.open(path) as ledger:
        before = [append(ledger) for _ in range(3)][-1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
        refusal = append_until_refused(ledger)
        kept = ledger.count()
        elsewhere = said(lambda: state(path))
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        return {
            "before": before,
            "refusal": refusal,
            "kept": kept,
            "elsewhere": elsewhere,
            "next": append(ledger),
            "sound": ledger.verify().ok,
        }


def full_disk(folder: Path) -> dict[str, Any]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=True)
    path, filler = folder / "progress.db", folder / "filler"
    filler.write_bytes(bytes(450_000))
    creation = said(lambda: append(Ledger.open(path), 100_000))
    filler.unlink()
    with Ledger.open(path) as ledger:
        refusal = append_until_refused(ledger)
        kept = ledger.count()
        report = ledger.verify()
    reopened = said(lambda: state(path))
    still = said(lambda: append(Ledger.open(path), 100_000))
    subprocess.run(["mount", "-o", "remount,size=4m", str(folder)], check=True)
    with Ledger.open(path) as ledger:
        following = append(ledger)
        sound = ledger.verify().ok
    return {
        "creation": creation,
        "refusal": refusal,
        "kept": kept,
        "reopened": reopened,
        "still": still,
        "next": following,
        "sound": report.ok and sound,
    }


def disk_without_a_byte(folder: Path) -> dict[str, Any]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)], check=True)
    path = folder / "progress.db"
    with Ledger.open(path) as ledger:
        append(ledger)
    fill_to_the_brim(folder / "filler")
    return {
        "files": sorted(os.listdir(folder)),
        "read": said(lambda: state(path)),
        "write": said(lambda: Ledger.open(path)),
    }


def fill_to_the_brim(filler: Path) -> None:
    """Leave not one free byte."""
    for size in (4096, 1):
        try:
            with filler.open("ab", buffering=0) as file:
                while True:
                    file.write(bytes(size))
        except OSError:
            continue


def read_only(folder: Path) -> dict[str, Any]:
    sound, logged, empty, file_only, secret = (folder / name for name in ("sound", "logged", "empty", "file", "secret"))
    live, wreck = folder / "live", folder / "wreck"
    for place in (sound, file_only, secret):
        with Ledger.open(place / "progress.db") as ledger:
            append(ledger)
    with Ledger.open(sound / "progress.db") as open_elsewhere:
        append(open_elsewhere)
        shutil.copytree(sound, logged)
        (logged / "progress.db-shm").unlink()
    writer = Ledger.open(live / "progress.db")
    append(writer)
    for place in (empty, wreck):
        place.mkdir()
    (empty / "progress.db").touch()
    (wreck / "progress.db").write_bytes(b"no ledger" * 99)
    for place in (sound, logged, empty, secret, live, wreck):
        for file in place.iterdir():
            file.chmod(0o000 if place is secret else 0o444)
        place.chmod(0o555)
    (file_only / "progress.db").chmod(0o444)
    file_only.chmod(0o777)
    if os.getuid() == 0:
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    path = {place.name: place / "progress.db" for place in (sound, logged, empty, file_only, secret, live, wreck)}
    return {
        "read": said(lambda: state(path["sound"])),
        "write": said(lambda: Ledger.open(path["sound"])),
        "read a read-only file": said(lambda: state(path["file"])),
        "write a read-only file": said(lambda: Ledger.open(path["file"])),
        "read while its owner writes": said(lambda: state(path["live"])),
        "read what is only in the log": said(lambda: state(path["logged"])),
        "read an empty file": said(lambda: state(path["empty"])),
        "read a secret file": said(lambda: state(path["secret"])),
        "make one": said(lambda: Ledger.open(folder / "sound" / ".deepfield" / "progress.db")),
        "make one beside": said(lambda: Ledger.open(folder / "sound" / "other.db")),
        "recover": said(lambda: Ledger.recover(path["wreck"])),
    }


if __name__ == "__main__":
    scenario, place = sys.argv[1:]
    scenarios: dict[str, Callable[[Path], Any]] = {
        "file-size-limit": file_size_limit,
        "full-disk": full_disk,
        "disk-without-a-byte": disk_without_a_byte,
        "read-only": read_only,
    }
    print(json.dumps(scenarios[scenario](Path(place))))
