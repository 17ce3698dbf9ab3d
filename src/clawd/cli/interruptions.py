"""Ctrl-C, heard and not obeyed at once; and the end of who started us."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds between two looks at whether to stop.
_LOOK_EVERY = 0.05


@contextmanager
def interruptions() -> Iterator[list[int]]:
    """Signals received: the first asks the run to stop when it can, a second one stops at once."""
    received: list[int] = []

    def note(number: int, _: object) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_with_stdin(received: list[int]) -> None:
    """Ask the run to stop when the standard input ends: whoever holds its other end is gone, or wants that."""

    stdin = sys.stdin.fileno()

    def watch() -> None:
        # Past Python's own buffer, whose lock a thread must not hold when the interpreter ends.
        while os.read(stdin, 1024):
            pass
        received.append(0)

    threading.Thread(target=watch, name="stdin", daemon=True).start()


def keep_pace(bars_per_second: float, received: list[int]) -> Iterator[None]:
    """Yields when the next bar is due; at once when a stop was asked for. A bar that was late delays none after it."""
    due = time.monotonic()
    while True:
        due = max(due + 1 / bars_per_second, time.monotonic())
        while not received and (left := due - time.monotonic()) > 0:
            time.sleep(min(left, _LOOK_EVERY))
        yield
