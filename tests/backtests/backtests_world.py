"""What the tests of the desk share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from clawd.authors.starter import find_starter
from clawd.backtests.desk import Desk
from clawd.backtests.request import Request
from clawd.backtests.run import ENDED, Run
from clawd.core.clock import SystemClock

#: Seconds within which anything on the sample market is done, on a machine that is busy.
PATIENCE = 60.0


def request(name: str = "ema_crossover", **changes: object) -> Request:
    plain: dict[str, object] = {
        "text": find_starter(name).to_toml(),
        "data": "sample",
        "universe": None,
        "bar": None,
        "start": None,
        "end": None,
        "capital": Decimal(10_000),
        "fee": Decimal("0.0005"),
        "slippage": Decimal("0.0002"),
    }
    return Request(**{**plain, **changes})  # type: ignore[arg-type]


def asked(desk: Desk, **changes: object) -> Run:
    return desk.ask(request(**changes), "EMA crossover", "0" * 64)


@contextmanager
def opened(home: Path) -> Iterator[Desk]:
    desk = Desk(home, SystemClock())
    desk.open()
    try:
        yield desk
    finally:
        desk.close()


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it has not come"
        time.sleep(0.005)


def ended(desk: Desk, run: Run) -> Run:
    """Wait for the end of a run."""

    def now() -> Run:
        found = desk.find(run.id)
        assert found is not None
        return found

    until(lambda: now().state in ENDED)
    return now()
