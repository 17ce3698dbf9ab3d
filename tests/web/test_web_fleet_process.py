"""The process that trades, as the one that serves sees it, when several want something of it at once."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from clawd.core.errors import ClawdError
from clawd.server import fleet_process
from clawd.server.fleet_process import FleetProcess, Progress


class Child:
    """A process that trades until its input ends, and then for as long as its bar takes."""

    def __init__(self, arguments: Sequence[str], begun: list[Child], bar: threading.Event) -> None:
        self.arguments, self.bar, self.pid = list(arguments), bar, len(begun) + 1
        self.stdin, self.stdout, self.stderr = io.StringIO(), io.StringIO(), io.StringIO()
        self.killed = threading.Event()
        begun.append(self)

    def poll(self) -> int | None:
        return 0 if self.stdin.closed and self.bar.is_set() else None

    def wait(self, timeout: float | None = None) -> int:
        assert self.bar.wait(timeout or 60)
        while not self.stdin.closed:
            if self.killed.wait(0.01):
                return 1
        return 0

    def word(self, option: str) -> str | None:
        return self.arguments[self.arguments.index(option) + 1] if option in self.arguments else None


@pytest.fixture
def bar() -> threading.Event:
    """Set, a bar takes no time."""
    return threading.Event()


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch, bar: threading.Event) -> list[Child]:
    children: list[Child] = []

    def popen(arguments: Sequence[str], **_: Any) -> Child:
        return Child(arguments, children, bar)

    monkeypatch.setattr(fleet_process.subprocess, "Popen", popen)
    return children


def until(true: Callable[[], bool]) -> None:
    waited = threading.Event()
    for _ in range(500):
        if true():
            return
        waited.wait(0.01)
    raise AssertionError("it has not come to that")


def test_two_restarts_at_once_end_in_what_was_asked_for_last(begun: list[Child], bar: threading.Event) -> None:
    fleet = FleetProcess([], 2.0)
    fleet.start()
    fleet.restart_soon(5.0)
    fleet.restart_soon(7.0, fresh=True)
    bar.set()
    until(lambda: len(begun) == 3)
    until(lambda: fleet.pid == 3)
    assert fleet.pace == 7.0 == float(begun[-1].word("--pace") or 0)
    assert "--fresh" in begun[-1].arguments and "--fresh" not in begun[-2].arguments
    fleet.stop()


def test_a_restart_that_cannot_begin_is_said(begun: list[Child], bar: threading.Event) -> None:
    broken: list[str] = []

    def added() -> list[str]:
        if broken:
            raise ClawdError("not a list of strategies", where="fleet.json")
        return []

    bar.set()
    fleet = FleetProcess([], 2.0, added)
    said: list[Progress] = []
    fleet.changed = said.append
    fleet.start()
    broken.append("damaged")
    fleet.restart_soon()
    until(lambda: fleet.progress.phase == "failed")
    assert "not a list of strategies" in fleet.progress.text and said[-1].phase == "failed"
    assert len(begun) == 1
