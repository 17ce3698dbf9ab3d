"""A value that takes long to compute: by one thread of its own, once for each state of what it is computed from."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from clawd.core.errors import ClawdError

Value = TypeVar("Value")

#: What takes a second to compute is computed every ten seconds at most, however often its source changes.
_REST: Final = 10.0


@dataclass(frozen=True, slots=True)
class Reading(Generic[Value]):
    """What is known of the value.

    Attributes:
        value: the newest that was computed, None before the first.
        state: of its source when that was begun.
        current: whether its source is still as it was.
    """

    value: Value | None
    state: Hashable
    current: bool


class Background(Generic[Value]):
    """Computes a value when somebody asks for it and its source has changed.

    Args:
        compute: makes the value; runs in a thread of its own, one at a time.
        state: of the source; quick. What is computed is kept as long as this stays equal.
        done: called when a value was computed, in that thread.
    """

    def __init__(
        self, compute: Callable[[], Value], state: Callable[[], Hashable], done: Callable[[], None] = lambda: None
    ) -> None:
        self._compute, self._state, self._done = compute, state, done
        self._changed = threading.Condition()
        self._busy = False
        self._reading: Reading[Value] = Reading(None, None, current=False)
        self._failure: ClawdError | None = None
        self._not_before = 0.0

    def read(self, patience: float = 0.0) -> Reading[Value]:
        """What is known now; where it is not current, a computation goes on or is begun.

        Args:
            patience: how many seconds to wait for a first value.

        Raises:
            ClawdError: where the computation has failed on the source as it is.
        """
        state = self._state()
        with self._changed:
            if self._is_known(state):
                return self._known(state)
            if not self._busy and time.monotonic() >= self._not_before:
                self._busy = True
                threading.Thread(target=self._work, args=(state,), name="background", daemon=True).start()
            if self._reading.value is None:
                self._changed.wait_for(lambda: not self._busy, patience)
            return self._known(state)

    def _is_known(self, state: Hashable) -> bool:
        return self._reading.state == state and (self._reading.value is not None or self._failure is not None)

    def _known(self, state: Hashable) -> Reading[Value]:
        if self._failure is not None and not self._busy:
            raise self._failure
        return Reading(self._reading.value, self._reading.state, current=self._reading.state == state)

    def _work(self, state: Hashable) -> None:
        began = time.monotonic()
        # What nobody has foreseen leaves everything as it was, and is told by the thread's own end.
        value, known, failure = self._reading.value, self._reading.state, None
        try:
            value, known = self._compute(), state
        except ClawdError as error:
            failure, known = error, state
        finally:
            with self._changed:
                self._reading = Reading(value, known, current=True)
                self._failure = failure
                self._busy = False
                self._not_before = time.monotonic() + _REST * (time.monotonic() - began)
                self._changed.notify_all()
        self._done()
