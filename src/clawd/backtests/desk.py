"""The desk at which backtests are asked for: they wait their turn, run one at a time, and can be called off."""

from __future__ import annotations

import datetime as dt
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO

from clawd.backtests.limits import LONGEST, MOST_KEPT, MOST_MEMORY, MOST_WAITING, TOO_LARGE
from clawd.backtests.request import Request
from clawd.backtests.run import ENDED, Run, Stage, State, progress_of
from clawd.backtests.shelf import Shelf
from clawd.backtests.worker_process import WorkerProcess
from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.store.lock import take_lock

#: Seconds after the start until a worker is kept ready: a server that starts has other things to do.
_READY_AFTER: Final = 6.0
_BETWEEN_LOOKS: Final = 0.25
_BETWEEN_TELLINGS: Final = 0.2
#: Workers that may end in a row before they are ready, until whoever waits is told.
_MOST_DEATHS: Final = 3

_log = logging.getLogger("clawd.backtests")


class BusyError(ClawdError):
    """It cannot be done as things stand now."""


class Desk:
    """Runs backtests one at a time, in a process of their own, in the order in which they were asked for.

    Every method may be called from any thread.

    Args:
        home: where backtests are kept, and where the catalog and the ledger lie.
        clock: stamps what happens.
        changed: told whenever anything that a page may show has changed.
    """

    def __init__(self, home: Path, clock: Clock, changed: Callable[[], None] = lambda: None) -> None:
        self.shelf = Shelf(home / "backtests")
        self._home, self._clock, self._changed = home, clock, changed
        self._runs: dict[str, Run] = {}
        self._waiting: list[str] = []
        self._showing: str | None = None  # its result is being written down
        self._worker: WorkerProcess | None = None
        self._lock = threading.Condition()
        self._closing = False
        self._thread: threading.Thread | None = None
        self._file_lock: TextIO | None = None
        self._given: str | None = None  # what the worker was given
        self._begun: str | None = None  # the last that a worker has said anything of
        self._tried_again: str | None = None  # the last that was given to a second worker
        self._deaths = 0  # workers in a row that ended before they were ready
        self._told = 0.0

    # From the server

    def open(self) -> None:
        """Read what is kept and begin to work; what ran when an earlier server died is marked so.

        Raises:
            ClawdError: when another process is at work here, or the disk refuses.
        """
        self.shelf.open()
        self._file_lock = take_lock(self.shelf.root / "desk", "backtests")
        for run in self.shelf.runs():
            self._runs[run.id] = run if run.state in ENDED else self._found_open(run)
        self._thread = threading.Thread(target=self._work, name="backtests", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop; what runs or waits is marked as interrupted."""
        with self._lock:
            self._closing = True
            if self._worker is not None:
                self._worker.kill()
            self._lock.notify_all()
        if self._thread is not None:
            self._thread.join()
        if self._file_lock is not None:
            self._file_lock.close()

    # From people

    def ask(self, request: Request, name: str, content_hash: str) -> Run:
        """Ask for a backtest.

        Args:
            request: what is asked for.
            name, content_hash: of its strategy.

        Raises:
            BusyError: when too many wait already.
            ClawdError: when it cannot be written down.
        """
        with self._lock:
            self._must_be_open()
            if len(self._waiting) >= MOST_WAITING:
                raise BusyError(
                    f"{MOST_WAITING} backtests are waiting already", hint="wait for one to end, or call one off"
                )
            now = self._clock.now()
            run = Run(_new_id(now), now, name, content_hash, request)
            self._make_room()
            self._keep(run)
            self._waiting.append(run.id)
            self._lock.notify_all()
        self._changed()
        return run

    def runs(self) -> list[Run]:
        """All that are kept, the newest first."""
        with self._lock:
            return sorted(self._runs.values(), key=lambda run: (run.created, run.id), reverse=True)

    def find(self, run_id: str) -> Run | None:
        """A backtest by its name, None where there is none."""
        with self._lock:
            return self._runs.get(run_id)

    def place(self, run_id: str) -> int | None:
        """How many run or wait before it, and itself, are to be done; None for one that does not wait."""
        with self._lock:
            return self._waiting.index(run_id) + 1 if run_id in self._waiting else None

    def engine(self) -> Stage | None:
        """What the engine is doing before it is ready; None when it is, or is not wanted yet."""
        with self._lock:
            worker = self._worker
        if worker is None or worker.ready or self._given is not None:
            return None
        return worker.idle_stage

    def cancel(self, run_id: str) -> Run:
        """Call a backtest off. Nothing of it is counted or kept but that it was asked for.

        Raises:
            BusyError: when it has ended, or its result is being shown.
            KeyError: when there is none.
        """
        with self._lock:
            run = self._runs[run_id]
            if run.state in ENDED:
                raise BusyError(f"this backtest is {run.state} already")
            if self._showing == run_id:
                raise BusyError(
                    "this backtest is done: its result is being written down", hint="look at it in a moment"
                )
            run = run.told(state="cancelled", stage=None, ended=self._clock.now())
            self._keep(run)
            if run_id in self._waiting:
                self._waiting.remove(run_id)
            elif self._worker is not None and self._given == run_id:
                self._worker.kill()
        self._changed()
        return run

    def pin(self, run_id: str, pinned: bool) -> Run:
        """Let a backtest stay when the oldest have to go, or no longer.

        Raises:
            KeyError: when there is none.
        """
        with self._lock:
            run = self._runs[run_id].told(pinned=pinned)
            self._keep(run)
        self._changed()
        return run

    def remove(self, run_id: str) -> None:
        """Move a backtest aside.

        Raises:
            BusyError: when it waits or runs.
            ClawdError: when the disk refuses.
            KeyError: when there is none.
        """
        with self._lock:
            if self._runs[run_id].state not in ENDED:
                raise BusyError("this backtest has not ended", hint="call it off first")
            self.shelf.remove(run_id)
            del self._runs[run_id]
        self._changed()

    # The thread that works

    def _work(self) -> None:
        with self._lock:
            self._lock.wait_for(lambda: self._closing or bool(self._waiting), _READY_AFTER)
        while not self._closing:
            run = self._next()
            try:
                if run is None:
                    self._tend()
                else:
                    self._changed()
                    self._run(run)
            except Exception as error:  # whatever it is, the next one must not suffer for it
                _log.exception("a worker for backtests has failed" if run is None else f"backtest {run.id} has failed")
                self._dismiss()
                if run is None:
                    self._rest()
                else:
                    self._end(run.id, "failed", _why(error))
        self._dismiss()
        for run in self.runs():
            self._end(run.id, "interrupted", ClawdError("the server was stopped", hint="run it again"))

    def _next(self) -> Run | None:
        """The backtest whose turn it is, None where none comes for a moment."""
        with self._lock:
            self._lock.wait_for(lambda: self._closing or bool(self._waiting), _BETWEEN_LOOKS)
            if self._closing or not self._waiting:
                return None
            run = self._runs[self._waiting.pop(0)].told(state="running", stage="starting", started=self._clock.now())
            with suppress(ClawdError):  # that it waits is written down, and no more is needed
                self._keep(run)
            self._runs[run.id] = run
            return run

    def _tend(self) -> None:
        """Keep a worker ready while there is nothing to do."""
        worker = self._hired()
        with suppress(queue.Empty):
            while True:
                words = worker.hear(0.001)
                if words is None:
                    self._dismiss()
                    self._rest()
                    return
                self._heard_idle(worker, words)

    def _rest(self) -> None:
        """A worker that dies by itself, or cannot be started, is not replaced at once unless one is needed."""
        with self._lock:
            self._lock.wait_for(lambda: self._closing or bool(self._waiting), _READY_AFTER)

    def _hired(self) -> WorkerProcess:
        with self._lock:
            if self._worker is None:
                self._worker = WorkerProcess(self._home)
                self._deaths += 1
            return self._worker

    def _heard_idle(self, worker: WorkerProcess, words: dict[str, Any]) -> None:
        if "ready" in words:
            worker.ready, self._deaths = True, 0
        elif "stage" in words:
            worker.idle_stage = words["stage"]
        self._changed()

    def _run(self, run: Run) -> None:
        """See a backtest through."""
        worker, deadline = self._hired(), None
        self.shelf.discard_work(run.id)
        self._progressed(run.id, worker.idle_stage, 0.0)
        while True:
            if worker.ready and deadline is None:
                with self._lock:
                    if self._runs[run.id].state != "running":
                        return  # called off before it began
                    worker.ready, deadline, self._given = False, time.monotonic() + LONGEST, run.id
                worker.tell(run=run.id, request=run.request.to_json(), folder=str(self.shelf.work_folder(run.id)))
            try:
                words = worker.hear(_BETWEEN_LOOKS)
            except queue.Empty:
                if deadline is not None and time.monotonic() > deadline:
                    self._end(run.id, "failed", _too_long())
                    worker.kill()
                continue
            if words is None:
                self._lost(run.id)
                return
            if deadline is None:
                self._heard_idle(worker, words)
            if "stage" in words:
                self._begun = self._given
                self._progressed(run.id, words["stage"], words["share"])
            elif "found" in words:
                with self._lock:
                    if self._runs[run.id].state == "running":
                        self._showing = run.id
                        worker.tell(show=True)
            elif "ready" not in words:
                self._answered(run.id, words)
                return

    def _answered(self, run_id: str, words: dict[str, Any]) -> None:
        if "written" in words:
            try:
                self.shelf.show_result(run_id)
                self._end(run_id, "done", figures=self.shelf.result(run_id)["figures"])
            except ClawdError as error:
                self._end(run_id, "failed", error)
        elif "refused" in words:
            self._end(run_id, "failed", ClawdError(**words["refused"]))
        else:
            self._end(run_id, "failed", ClawdError(f"the engine failed: {words['failed']}", hint="a fault of ours"))

    def _lost(self, run_id: str) -> None:
        """The worker is gone: because it was told to go, or died."""
        code, deaths = self._dismiss(), self._deaths
        self.shelf.discard_work(run_id)
        with self._lock:
            if self._closing or self._runs[run_id].state != "running":
                self._given = self._showing = None
                return
        if code == TOO_LARGE:
            what = f"it needed more than {MOST_MEMORY // 1024**3} GiB of memory"
            self._end(run_id, "failed", ClawdError(what, hint="take fewer instruments or a shorter time"))
        elif self._given is None and deaths < _MOST_DEATHS:
            with self._lock:  # the next worker does it
                self._waiting.insert(0, run_id)
        elif self._given is not None and run_id not in (self._begun, self._tried_again):
            with self._lock:  # it died before it heard of it
                self._given, self._tried_again = None, run_id
                self._waiting.insert(0, run_id)
        elif self._given is None:
            self._end(run_id, "failed", ClawdError("the engine cannot be started", hint="`clawd backtest` says why"))
        else:
            how = f"by signal {-code}" if code < 0 else f"with code {code}"
            self._end(run_id, "interrupted", ClawdError(f"the process that ran it ended {how}", hint="run it again"))

    def _dismiss(self) -> int:
        """End the worker, if it has not ended by itself, and say with which code."""
        with self._lock:
            worker, self._worker = self._worker, None
        return 0 if worker is None else worker.buried()

    # What is known of the runs

    def _progressed(self, run_id: str, stage: Stage, share: float) -> None:
        with self._lock:
            run = self._runs[run_id]
            if run.state != "running":
                return
            fresh = stage != run.stage
            self._runs[run_id] = run.told(stage=stage, progress=max(run.progress, progress_of(stage, share)))
        now = time.monotonic()
        if fresh or now - self._told >= _BETWEEN_TELLINGS:
            self._told = now
            self._changed()

    def _end(
        self, run_id: str, state: State, error: ClawdError | None = None, figures: dict[str, Any] | None = None
    ) -> None:
        with self._lock:
            run = self._runs[run_id]
            if run.state not in ENDED:
                run = run.told(state=state, stage=None, ended=self._clock.now(), error=error, figures=figures)
                with suppress(ClawdError):  # it is in memory still, and the next start finds it unfinished
                    self._keep(run)
                self._runs[run_id] = run
            if run_id in self._waiting:
                self._waiting.remove(run_id)
            self._given = self._showing = None
        self._changed()

    def _keep(self, run: Run) -> None:
        self.shelf.keep(run)
        self._runs[run.id] = run

    def _make_room(self) -> None:
        """Let the oldest that may go make room for one more."""
        old = [run for run in self._runs.values() if run.state in ENDED and not run.pinned]
        old.sort(key=lambda run: (run.created, run.id))
        for run in old[: max(len(self._runs) + 1 - MOST_KEPT, 0)]:
            self.shelf.remove(run.id)
            del self._runs[run.id]
        if len(self._runs) >= MOST_KEPT:
            raise BusyError(f"{MOST_KEPT} backtests are kept, and all are pinned", hint="unpin or remove one")

    def _found_open(self, run: Run) -> Run:
        """What an earlier server left in the middle: whole after all, or interrupted."""
        now = self._clock.now()
        if self.shelf.has_result(run.id):
            with suppress(ClawdError):
                found = run.told(state="done", ended=now, figures=self.shelf.result(run.id)["figures"])
                self.shelf.keep(found)
                return found
        error = ClawdError("the server was stopped in the middle of it", hint="run it again")
        found = run.told(state="interrupted", ended=now, error=error)
        self.shelf.keep(found)
        return found

    def _must_be_open(self) -> None:
        if self._closing or self._thread is None:
            raise BusyError("the server is being stopped")


def _new_id(now: int) -> str:
    moment = dt.datetime.fromtimestamp(now // 1_000_000_000, tz=dt.UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def _why(error: Exception) -> ClawdError:
    """What went wrong, for whoever has asked: a machine that refuses a process or a file is no mistake of ours."""
    if isinstance(error, OSError):
        said = error.strerror or str(error)
        return ClawdError(
            f"this machine refused what it needed to run: {said}"[:300],
            hint="see that there is memory, room for another process and for open files, then run it again",
        )
    return ClawdError(f"it could not be run: {error!r}"[:300], hint="a fault of ours; the log says more")


def _too_long() -> ClawdError:
    return ClawdError(
        f"it took longer than {LONGEST / 60:.0f} minutes", hint="take fewer instruments, larger bars or a shorter time"
    )
