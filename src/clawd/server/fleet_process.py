"""The process that trades, as the one that serves sees it: started, listened to, and started again when it dies.

It is ``clawd up --headless --json`` with its standard input held open: when whoever started it is gone, however that
happened, its input ends and it stops after the bar at hand. What it has done is in its journal, so starting it again is
going on.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final, NamedTuple

from clawd.core.errors import ClawdError
from clawd.server.frames import Phase

#: Seconds until a process that was killed or has crashed is started again, one after the other; then it stays down.
_RESTARTS: Final = (1.0, 2.0, 5.0, 15.0, 60.0)
#: Seconds without a crash after which those before no longer count.
_FORGIVEN: Final = 300.0
#: Seconds that a process has to stop after the bar at hand.
_PATIENCE: Final = 15.0
#: What a command answers with when a person can mend what was wrong.
_USAGE: Final = 2


@dataclass(frozen=True, slots=True)
class Progress:
    """What the process is doing.

    Attributes:
        phase: of its work.
        text: for people.
        share: of the phase that is done, None where that is not known.
    """

    phase: Phase
    text: str
    share: float | None = None


class Given(NamedTuple):
    """An option that sets a setting for every run that is started here: its word, and what was given with it."""

    word: str
    text: str


class FleetProcess:
    """The process that trades.

    Args:
        options: for ``clawd up``, such as ``["--data", "sample"]``.
        given: further options by the setting that each of them sets: they hold at every start, before whatever the
            environment and the home's file say.
        pace: bars a second.
        added: asked at every start which strategies are to be tried beside those of the options.
        fresh: begin anew instead of going on, at the first start.

    Attributes:
        progress: what it is doing.
        traded: whether it has come as far as trading since the program began.
        refused: what it said when it ended because of something that a person has to mend, None otherwise.
        changed: called from another thread whenever the progress is another one.
    """

    def __init__(
        self,
        options: Sequence[str],
        pace: float,
        added: Callable[[], Sequence[str]] = tuple,
        fresh: bool = False,
        given: Mapping[str, Given] | None = None,
    ) -> None:
        self.pace = pace
        self.given = dict(given or {})
        self.progress = Progress("idle", "nothing was started yet")
        self.traded = False
        self.refused: str | None = None
        self.changed: Callable[[Progress], None] = lambda progress: None
        self._options = tuple(options)
        self._added = added
        self._fresh = fresh
        self._lock = threading.RLock()
        self._turn = threading.Lock()  # one after the other: else the last would find the process of the one before
        self._process: subprocess.Popen[str] | None = None
        self._again: threading.Timer | None = None
        self._crashes = 0
        self._wanted = False

    @property
    def pid(self) -> int | None:
        """Of the process at work, None where none is."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def arguments(self) -> list[str]:
        """What ``clawd up`` is started with."""
        added = [word for name in self._added() for word in ("--add", name)]
        given = [word for option in self.given.values() for word in option]
        return [*self._options, *given, *added, "--pace", f"{self.pace:g}", *(["--fresh"] if self._fresh else [])]

    def start(self) -> None:
        """Start it, unless it is at work."""
        with self._lock:
            self._wanted, self.refused = True, None
            if self.pid is not None:
                return
            self._process = subprocess.Popen(
                [sys.executable, "-m", "clawd", "up", *self.arguments(), "--headless", "--json", "--while-stdin"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                start_new_session=True,  # Ctrl-C is for who serves, who then ends this one's input
            )
            self._set(Progress("reading", "reading the market"))
            threading.Thread(target=self._listen, args=(self._process,), name="fleet", daemon=True).start()

    def stop(self) -> None:
        """Stop it after the bar at hand; what does not stop in time is killed, which its journal survives."""
        with self._lock:
            self._wanted = False
            if self._again is not None:
                self._again.cancel()
                self._again = None
            process = self._process
        if process is None or process.poll() is not None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        with self._lock:
            if process is self._process:
                self._process = None  # who listens to it hears of its end too late to say what that means
                self._set(Progress("stopped", "the fleet was stopped"))

    def restart(self, pace: float | None = None, fresh: bool = False) -> None:
        """Stop it and start it: it goes on from its journal, or begins anew.

        Args:
            pace: bars a second from now on; as before where it is None.
            fresh: set the run aside and begin it again.
        """
        with self._turn:
            self.stop()
            with self._lock:
                self.pace = self.pace if pace is None else pace
                self._fresh, self._crashes = fresh, 0
                self._begin()

    def restart_soon(self, pace: float | None = None, fresh: bool = False) -> None:
        """The same from another thread: the bar at hand may take its time."""
        self._set(Progress("reading", "stopping after the bar at hand, to begin again"))
        threading.Thread(target=self.restart, args=(pace, fresh), name="fleet restart", daemon=True).start()

    def _begin(self) -> None:
        """Start it, or say why that cannot be: nobody else hears of it in a thread of its own."""
        try:
            self.start()
        except (ClawdError, OSError) as error:
            self._set(Progress("failed", str(error)))

    def _listen(self, process: subprocess.Popen[str]) -> None:
        """Hear what it says until it ends, and see to what comes then."""
        assert process.stdout is not None and process.stderr is not None
        said: deque[str] = deque(maxlen=20)
        errors = threading.Thread(target=_keep, args=(process.stderr, said), daemon=True)
        errors.start()
        summary: dict[str, Any] | None = None
        tried = 0
        for line in process.stdout:
            try:
                stage = json.loads(line)
            except ValueError:
                continue
            match stage.get("stage"):
                case "summary":
                    summary = stage
                case "tried":
                    tried += 1
                    total = int(stage.get("total", 0))
                    self._set(_searching(tried, total))
                case "compiling":
                    self._set(Progress("compiling", "compiling the engine for this machine, about a minute, once"))
                case "market":
                    self._set(Progress("reading", f"read {stage['bars']:,} bars of {', '.join(stage['symbols'][:6])}"))
                case "searched":
                    self._set(
                        Progress("catching_up", "every strategy was tried and ranked; the run goes on from its journal")
                    )
                case "paper":
                    self.traded, self._fresh = True, False  # what was begun is not begun again
                    self._set(Progress("trading", "trading on paper"))
                case _:
                    pass
        code = process.wait()
        errors.join(5)
        process.stdout.close()
        process.stderr.close()
        with self._lock:
            if process is self._process:
                self._ended(code, summary, list(said))

    def _ended(self, code: int, summary: dict[str, Any] | None, said: list[str]) -> None:
        if summary is not None and not summary.get("stopped"):
            self._set(Progress("ended", "the bars of the market have come to their end", 1.0))
        elif not self._wanted:
            self._set(Progress("stopped", "the fleet was stopped"))
        elif code == _USAGE:
            self.refused = " ".join(said).removeprefix("error: ") or "the fleet ended without a word"
            self._set(Progress("failed", self.refused))
        else:
            why = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            self._recover(f"the fleet's process has ended {why}", said)

    def _recover(self, what: str, said: list[str]) -> None:
        last = f": {said[-1].strip()}" if said else ""
        if self._crashes == len(_RESTARTS):
            self._set(Progress("failed", f"{what}, {self._crashes + 1} times in a row{last}"))
            return
        wait = _RESTARTS[self._crashes]
        self._crashes += 1
        self._set(Progress("failed", f"{what}{last}; it is started again in {wait:g} s and goes on from its journal"))
        self._again = threading.Timer(wait, self._start_again)
        self._again.daemon = True
        self._again.start()

    def _start_again(self) -> None:
        with self._lock:
            self._again = None
            if not self._wanted:
                return
            self._begin()
            began, process = self._crashes, self._process
        forgive = threading.Timer(_FORGIVEN, self._forgive, (process, began))
        forgive.daemon = True
        forgive.start()

    def _forgive(self, process: subprocess.Popen[str] | None, crashes: int) -> None:
        with self._lock:
            if process is self._process and self.pid is not None and self._crashes == crashes:
                self._crashes = 0

    def _set(self, progress: Progress) -> None:
        if progress != self.progress:
            self.progress = progress
            self.changed(progress)


def _searching(tried: int, total: int) -> Progress:
    if not total:
        return Progress("searching", f"tried {tried:,} strategies on the earlier bars")
    return Progress("searching", f"tried {tried:,} of {total:,} strategies on the earlier bars", tried / total)


def _keep(stream: IO[str], into: deque[str]) -> None:
    for line in stream:
        if line.strip():
            into.append(line.strip())
