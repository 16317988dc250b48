"""Kills and races between real processes; prints as JSON what was found after each.

    python crashes.py kill-appends FOLDER KILLS     kill -9 at a random moment of a row of appends
    python crashes.py kill-each-statement FOLDER    kill -9 before every single statement of three pieces of work
    python crashes.py writers FOLDER WRITERS EACH   writers that start at once, on a ledger that is not there yet

One process imports everything and forks the victims, so that a kill costs milliseconds.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from deepfield_cli.ledger import Ledger, schema

importlib.import_module("sqlite_utils")  # else every victim that migrates would import it anew
SHIPPED = schema.MIGRATIONS
FILES = {"bpe.py": b"merge = 1\n" * 400, "notes.md": b"why\n" * 50}


def forked(work: Callable[[], None]) -> int:
    """The id of a child that does the work and ends without cleaning up anything of ours."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def ended(child: int) -> int:
    """Negative: the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def append(ledger: Ledger, number: int) -> int:
    noise = os.urandom(6_000).hex()
    files = {**FILES, "noise.txt": noise.encode()}
    payload = {"number": number, "noise": noise}
    return ledger.append("attempt", payload, problem="p/q", rung="core", solved=True, score=1.0, files=files).id


def state(path: Path) -> dict[str, Any]:
    """What the next one to open the ledger finds, and whether it can go on."""
    with Ledger.open(path) as ledger:
        report = ledger.verify()
        readable = all(ledger.payload(entry) and ledger.files(entry) for entry in ledger.walk_entries())
        following = append(ledger, -1)
        sound_after = ledger.verify().ok
    return {
        "entries": report.entries,
        "sound": report.ok and readable and sound_after and following == report.entries + 1,
    }


def kill_appends(folder: Path, kills: int) -> list[dict[str, Any]]:
    path, found, rng = folder / "progress.db", [], random.Random()
    for _ in range(kills):
        reading, writing = os.pipe()

        def work(writing: int = writing) -> NoReturn:
            with Ledger.open(path) as ledger:
                while True:
                    os.write(writing, f"{append(ledger, 0)} ".encode())

        child = forked(work)
        os.close(writing)
        time.sleep(rng.uniform(0.0, 0.04))
        os.kill(child, signal.SIGKILL)
        code = ended(child)
        with os.fdopen(reading) as acknowledged:
            last = max((int(word) for word in acknowledged.read().split()), default=0)
        found.append({"code": code, "acknowledged": last, **state(path)})
    return found


def kill_each_statement(folder: Path) -> dict[str, list[dict[str, Any]]]:
    scenarios: dict[str, tuple[Callable[[Path], None], Callable[[Path], None]]] = {
        "create": (nothing, open_and_close),
        "append": (two_entries, third_entry),
        "upgrade": (two_old_entries, open_and_close),
    }
    return {name: kill_until_it_ends(folder / name, prepare, work) for name, (prepare, work) in scenarios.items()}


def nothing(path: Path) -> None:
    del path


def two_entries(path: Path) -> None:
    """A copy of one that is made once, so that a kill costs less."""
    template = path.parents[1] / "template.db"
    if not template.exists():
        schema.MIGRATIONS = SHIPPED
        with Ledger.open(template) as ledger:
            append(ledger, 1)
            append(ledger, 2)
    path.parent.mkdir()
    shutil.copy(template, path)


def two_old_entries(path: Path) -> None:
    """A ledger of the shipped version, in a program that has since learned two more."""
    two_entries(path)
    schema.MIGRATIONS = (*SHIPPED, schema.Migration(98, add_note), schema.Migration(99, add_mood))


def open_and_close(path: Path) -> None:
    Ledger.open(path).close()


def third_entry(path: Path) -> None:
    with Ledger.open(path) as ledger:
        append(ledger, 3)


def kill_until_it_ends(
    folder: Path, prepare: Callable[[Path], None], work: Callable[[Path], None]
) -> list[dict[str, Any]]:
    """Kill before statement 1, then in a new folder before statement 2, and so on, until the work gets to its end."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["code"] != 0:
        statement = len(found) + 1
        path = folder / str(statement) / "progress.db"
        prepare(path)
        code = ended(forked(lambda path=path, statement=statement: run_and_die(path, work, statement)))  # type: ignore[misc]
        found.append({"code": code, "version": version_of(path), **state(path)})
    return found


def run_and_die(path: Path, work: Callable[[Path], None], at_statement: int) -> None:
    connect, seen = sqlite3.connect, [0]

    def count(statement: str) -> None:
        del statement
        seen[0] += 1
        if seen[0] == at_statement:
            os.kill(os.getpid(), signal.SIGKILL)

    def connect_and_count(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.set_trace_callback(count)
        return connection

    sqlite3.connect = connect_and_count  # type: ignore[assignment]
    work(path)


def version_of(path: Path) -> int:
    """Asked of a file that the victim may not even have made."""
    if not path.exists():
        return 0
    connection = sqlite3.connect(path)
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    connection.close()
    return version


def add_note(database: Any) -> None:
    database.table("entries").add_column("note", str)
    database.table("notes").create({"id": int, "text": str}, pk="id")


def add_mood(database: Any) -> None:
    database.table("entries").add_column("mood", int)


def writers(folder: Path, number: int, each: int) -> dict[str, Any]:
    path = folder / ".deepfield" / "progress.db"
    waiting, go = os.pipe()

    def work(writer: int) -> None:
        os.close(go)
        os.read(waiting, 1)  # returns, for all of them at once, when the parent closes its end
        with Ledger.open(path) as ledger:
            for count in range(each):
                ledger.append("note", {"writer": writer, "count": count}, files={"a.py": f"{count}".encode()})

    children = [forked(lambda writer=writer: work(writer)) for writer in range(number)]  # type: ignore[misc]
    os.close(go)
    codes = [ended(child) for child in children]
    with Ledger.open(path, write=False) as ledger:
        payloads = [ledger.payload(entry) for entry in ledger.walk_entries()]
        return {"codes": codes, "payloads": payloads, "sound": ledger.verify().ok}


if __name__ == "__main__":
    scenario, place, *numbers = sys.argv[1:]
    scenarios: dict[str, Callable[..., Any]] = {
        "kill-appends": kill_appends,
        "kill-each-statement": kill_each_statement,
        "writers": writers,
    }
    print(json.dumps(scenarios[scenario](Path(place), *map(int, numbers))))
