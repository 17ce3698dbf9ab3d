"""``clawd up``: the main job, from bars to a paper fleet."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from clawd.authors.starter import starter_library
from clawd.cli.json_view import JsonView
from clawd.cli.live_view import LiveView
from clawd.cli.options import BarOption, DataOption, UniverseOption, read_market, read_strategy
from clawd.cli.plain_view import PlainView
from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.fleet.campaign import campaign


def up(
    data: DataOption = "sample",
    universe: UniverseOption = None,
    bar: BarOption = None,
    strategies: Annotated[
        list[str] | None,
        typer.Option("--strategy", help="a file or starter name, again for more; the whole library when left out"),
    ] = None,
    capital: Annotated[str | None, typer.Option("--capital", help="the paper account, quote currency")] = None,
    day_limit: Annotated[str | None, typer.Option("--day-limit", help="hard stop of a UTC day, quote currency")] = None,
    slots: Annotated[int | None, typer.Option("--slots", min=1, max=2000, help="agents that trade at once")] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="begin anew; the earlier run is set aside, not deleted")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line, for programs")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="plain lines even on a terminal")] = False,
) -> None:
    """Bring the fleet up on paper: check the data, try every strategy, hire the best, trade the later bars, say what came of it.

    Started again, it goes on where it stopped. Ctrl-C stops it cleanly.
    """
    settings = _settings(
        capital=_amount(capital, "--capital"), day_loss_limit=_amount(day_limit, "--day-limit"), slots=slots
    )
    tried = [read_strategy(name) for name in strategies] if strategies else list(starter_library())
    names = [strategy.content_hash for strategy in tried]
    if len(set(names)) != len(names):
        raise ClawdError("the same strategy was given twice", where="--strategy")
    market = read_market(data, universe, bar)
    view = JsonView() if as_json else LiveView() if sys.stdout.isatty() and not plain else PlainView()
    with _interruptions() as interrupted, view:
        for stage in campaign(market, tried, settings, SystemClock(), fresh=fresh, stop=lambda: bool(interrupted)):
            view.show(stage)
    if interrupted:
        raise typer.Exit(130)


def _settings(**given: Any) -> Settings:
    return Settings(**{name: value for name, value in given.items() if value is not None})


def _amount(text: str | None, option: str) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ClawdError(f"`{text}` is not an amount of money", where=option) from None
    if not amount.is_finite() or not 0 < amount <= 10**9:
        raise ClawdError(f"an amount above 0 and at most a billion is needed, not {text}", where=option)
    return amount


@contextmanager
def _interruptions() -> Iterator[list[int]]:
    """Signals received: the first asks the run to stop after this bar, a second one stops at once."""
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
