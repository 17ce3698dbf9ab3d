"""What is computed in the background: once for each state of its source, by one thread, and never in the way."""

from __future__ import annotations

import threading
import time

import pytest

from clawd.core.errors import ClawdError
from clawd.server.background import Background


def test_it_is_computed_once_for_each_state() -> None:
    state, made = ["a"], []

    def compute() -> str:
        made.append(state[0])
        return f"value of {state[0]}"

    value = Background(compute, lambda: state[0])
    assert value.read(5).value == "value of a"
    for _ in range(20):
        assert value.read().current
    assert made == ["a"]
    state[0] = "b"
    deadline = time.monotonic() + 5
    while not (found := value.read()).current:
        assert found.value == "value of a", "the old one stands until the new one is there"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert found.value == "value of b"
    assert made == ["a", "b"]


def test_who_asks_does_not_wait_longer_than_he_wants_and_one_thread_works() -> None:
    go, at_work = threading.Event(), []

    def compute() -> int:
        at_work.append(threading.get_ident())
        go.wait(5)
        return 7

    value = Background(compute, lambda: 1)
    assert value.read(0.1).value is None
    assert value.read().value is None
    assert len(at_work) == 1
    go.set()
    assert value.read(5).value == 7


def test_what_fails_says_so_and_is_tried_again_when_its_source_changes() -> None:
    state, done = [1], []

    def compute() -> int:
        if state[0] == 1:
            raise ClawdError("damaged", where="here")
        return state[0]

    value = Background(compute, lambda: state[0], lambda: done.append(state[0]))
    with pytest.raises(ClawdError, match="damaged"):
        value.read(5)
    with pytest.raises(ClawdError, match="damaged"):
        value.read()
    state[0] = 2
    deadline = time.monotonic() + 5
    while True:
        try:
            found = value.read(0.1)
        except ClawdError:
            pass
        else:
            if found.current:
                break
        assert time.monotonic() < deadline
    assert found.value == 2
    assert done == [1, 2]


def test_a_source_that_never_rests_does_not_keep_a_processor_busy() -> None:
    ticks, spent = [0], [0.0]

    def state() -> int:
        ticks[0] += 1
        return ticks[0]

    def compute() -> int:
        time.sleep(0.05)
        spent[0] += 0.05
        return ticks[0]

    value = Background(compute, state)
    began = time.monotonic()
    while time.monotonic() - began < 1.2:
        value.read()
        time.sleep(0.005)
    assert 0.05 <= spent[0] <= 0.2 * (time.monotonic() - began), "a tenth of the time or so"
