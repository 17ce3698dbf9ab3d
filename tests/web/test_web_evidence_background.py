"""What is computed in the background: once for each state of its source, by one thread, and never in the way."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.server.background import Background
from clawd.server.evidence_desk import EvidenceDesk, Order, Telling


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
    deadline = time.monotonic() + 60
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
    deadline = time.monotonic() + 60
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


def test_a_machine_that_refuses_a_process_fails_one_story_and_the_next_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    announced: list[int] = []
    desk = EvidenceDesk(tmp_path, SystemClock(), lambda: announced.append(1))
    refusals = iter([OSError(errno.EMFILE, os.strerror(errno.EMFILE)), RuntimeError("odd")])

    def told(desk: EvidenceDesk, order: Order) -> None:
        for refusal in refusals:
            raise refusal

    monkeypatch.setattr(EvidenceDesk, "_told", told)
    worker = threading.Thread(target=desk.work)
    worker.start()
    try:
        states = []
        for name in ("a", "b", "c"):
            desk.tell(Order(name * 64, "sample", None, None, "0", "0", "100"))
            until(lambda name=name: telling(desk, name).state in ("told", "failed"))
            states.append(telling(desk, name))
    finally:
        desk.close()
        worker.join(20)
    assert [each.state for each in states] == ["failed", "failed", "told"]
    assert states[0].problem is not None and states[1].problem is not None
    assert "this machine refused what it needed to be told: Too many open files" in states[0].problem[0]
    assert "a fault of ours" in (states[1].problem[2] or "")
    assert caplog.text.count("could not be told") == 2 and len(announced) == 6


def telling(desk: EvidenceDesk, name: str) -> Telling:
    found = desk.telling(name * 64)
    assert found is not None
    return found


def until(true: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError("it has not come to that")
