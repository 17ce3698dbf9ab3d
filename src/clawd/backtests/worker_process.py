"""The worker as its parent sees it: a process that is told what to do, heard, and ended."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from clawd.backtests.run import Stage

_FAREWELL: Final = 1.0  # seconds


class WorkerProcess:
    """A process of :mod:`clawd.backtests.worker`.

    Args:
        home: where the catalog and the ledger lie.

    Attributes:
        ready: whether it waits for something to do.
        idle_stage: what it is doing before it is ready for the first time.
    """

    def __init__(self, home: Path) -> None:
        self.ready = False
        self.idle_stage: Stage = "starting"
        self._heard: queue.Queue[dict[str, Any] | None] = queue.Queue()
        # A session of its own: Ctrl-C in the server's terminal is for the server, which ends its workers.
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__.removesuffix("_process"), str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def tell(self, **order: Any) -> bool:
        """Give it an order; false where it is gone."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except OSError:
            return False
        return True

    def hear(self, timeout: float) -> dict[str, Any] | None:
        """Its next words.

        Returns:
            None when it is gone.

        Raises:
            queue.Empty: when it has said nothing for so many seconds.
        """
        words = self._heard.get(timeout=timeout)
        if words is None:
            self._heard.put(None)  # whoever asks next is told the same
        return words

    def kill(self) -> None:
        """End it, whatever it is doing; what it was writing is worth nothing."""
        with suppress(ProcessLookupError, PermissionError):
            # The compiler that it may wait for is a session of its own and goes on: the next worker needs it too.
            os.killpg(self._process.pid, 9)

    def buried(self) -> int:
        """End it, if it has not ended by itself, and say with which code; minus a signal where one has ended it."""
        with suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            code = self._process.wait(_FAREWELL)
        except subprocess.TimeoutExpired:
            self.kill()
            code = self._process.wait()
        return code

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with suppress(OSError, ValueError):  # it is closed from elsewhere, or ended in the middle of a line
            for line in self._process.stdout:
                self._heard.put(json.loads(line))
            self._process.stdout.close()
        self._heard.put(None)
