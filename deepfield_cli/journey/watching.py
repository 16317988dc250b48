"""Grading at every save: notice it, give up the run that it overtakes, and have the next workers ready."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from deepfield_cli.errors import DeepfieldError
from deepfield_cli.grading.grade import Grade
from deepfield_cli.grading.running import Cancelled
from deepfield_cli.journey.session import Listener, Session
from deepfield_cli.sandbox.staging import SubmissionFiles, read_submission

# Editors write in bursts: a save is over when nothing has changed for so long.
SETTLE_MILLISECONDS = 20
# An editor that replaces a file leaves a moment without it, or with nothing in it; after this long that is how it is.
_VANISHED_SECONDS = 1.0
_RETRY_SECONDS = 0.02
_PASSED_OVER = (".", "#", "4913")
_PASSED_OVER_ENDINGS = ("~", ".pyc", ".swp", ".swx", ".tmp", ".new.py")


class Audience(Protocol):
    """Who is told what the watch does; called from the grading thread."""

    def begin(self, saved_at: float) -> Listener:
        """A grade begins; the last verdict stays in sight."""

    def verdict(self, outcome: Grade, seconds_since_save: float) -> None:
        """A grade is done."""

    def overtaken(self) -> None:
        """A grade was given up for a newer save."""

    def problem(self, error: DeepfieldError) -> None:
        """There is nothing to grade just now."""


@dataclass
class _Round:
    """One grade in progress."""

    cancelled: threading.Event
    thread: threading.Thread


class Watch:
    """Watches the session's folder and keeps one grade going: that of the newest save."""

    def __init__(self, session: Session, audience: Audience, record: Callable[[Grade], None]) -> None:
        self._session = session
        self._audience = audience
        self._record = record
        self._round: _Round | None = None
        self._last_digest: str | None = None
        self._spares = 0
        self._stop = threading.Event()
        self._crash: BaseException | None = None

    def run(self, stop: threading.Event | None = None) -> None:
        """Grade now and at every save until stopped; Ctrl-C ends it."""
        import watchfiles

        self._session.require_submission()
        self._spares = _check_count(self._session)
        self._stop = stop or threading.Event()
        try:
            self._saved(time.time())
            for changes in watchfiles.watch(
                self._session.folder,
                watch_filter=lambda _, path: is_source(Path(path)),
                debounce=200,
                step=SETTLE_MILLISECONDS,
                stop_event=self._stop,
                rust_timeout=500,
                raise_interrupt=True,
            ):
                self._saved(_newest_change([Path(path) for _, path in changes]))
        finally:
            self._end_round()
        if self._crash is not None:
            raise self._crash

    def _saved(self, saved_at: float) -> None:
        try:
            files = self._files_when_settled()
        except DeepfieldError as error:
            self._end_round()
            self._last_digest = None
            self._audience.problem(error)
            return
        if files.digest == self._last_digest:
            return  # the same content: a second event of the same save, or a touch
        self._end_round()
        self._last_digest = files.digest
        cancelled = threading.Event()
        arguments = (files, saved_at, cancelled)
        thread = threading.Thread(target=self._grade_and_prepare, args=arguments, name="grade", daemon=True)
        self._round = _Round(cancelled, thread)
        thread.start()

    def _files_when_settled(self) -> SubmissionFiles:
        """The files, waiting a moment for an entry file that an editor is just replacing, or has emptied to fill it."""
        deadline = time.monotonic() + _VANISHED_SECONDS
        entry = self._session.location.load().entry
        while True:
            try:
                self._session.require_submission()
                files = read_submission(self._session.folder, entry)
                if files.files.get(entry) or time.monotonic() > deadline:
                    return files
            except (DeepfieldError, OSError) as error:
                if time.monotonic() > deadline:
                    raise error if isinstance(error, DeepfieldError) else DeepfieldError(str(error)) from error
            time.sleep(_RETRY_SECONDS)

    def _end_round(self) -> None:
        if self._round is not None:
            self._round.cancelled.set()
            self._round.thread.join()
            self._round = None

    def _grade_and_prepare(self, files: SubmissionFiles, saved_at: float, cancelled: threading.Event) -> None:
        try:
            self._grade(files, saved_at, cancelled)
            if not cancelled.is_set():
                self._session.warm_up(self._spares)
        except DeepfieldError as error:
            self._audience.problem(error)
        except Exception as error:  # noqa: BLE001 - our bug: it must end the watch, not only this thread
            self._crash = error
            self._stop.set()

    def _grade(self, files: SubmissionFiles, saved_at: float, cancelled: threading.Event) -> None:
        try:
            outcome = self._session.grade(self._audience.begin(saved_at), cancelled, files)
        except Cancelled:
            self._audience.overtaken()
        else:
            self._audience.verdict(outcome, max(time.time() - saved_at, 0.0))
            self._keep(outcome)

    def _keep(self, outcome: Grade) -> None:
        try:
            self._record(outcome)
        except DeepfieldError as error:
            self._audience.problem(error)


def is_source(path: Path) -> bool:
    """Whether a change of this file is a save of the learner's, and not an editor's or our own side effect."""
    if "__pycache__" in path.parts or ".deepfield" in path.parts:
        return False
    return not path.name.startswith(_PASSED_OVER) and not path.name.endswith(_PASSED_OVER_ENDINGS)


def _newest_change(paths: list[Path]) -> float:
    """When the save happened: the newest modification, where the files still stand."""
    times = []
    for path in paths:
        try:
            times.append(path.stat().st_mtime)
        except OSError:
            continue
    return min(max(times, default=time.time()), time.time())


def _check_count(session: Session) -> int:
    from deepfield_cli.grading.loading import load_suite

    return len(load_suite(session.location).of_rung(session.wish.rung))
