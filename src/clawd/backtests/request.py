"""What a person asks for: a strategy, a market, a stretch of time, and what trading costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from clawd.core.clock import parse_duration, parse_time
from clawd.core.errors import ClawdError
from clawd.language.strategy import Strategy, parse_json, parse_toml


@dataclass(frozen=True, slots=True)
class Request:
    """A backtest that is asked for.

    Attributes:
        text: the strategy, TOML or JSON.
        data: ``sample`` or ``catalog``.
        universe: the instruments, by commas; None for all.
        bar: the size of the bars where there are several, such as ``1h``.
        start, end: the first bar traded opens at or after the start, the last one before the end; ISO 8601.
        capital: quote currency.
        fee, slippage: per side, shares of notional and of price.
    """

    text: str
    data: str
    universe: str | None
    bar: str | None
    start: str | None
    end: str | None
    capital: Decimal
    fee: Decimal
    slippage: Decimal

    def to_json(self) -> dict[str, Any]:
        """For a file and for the worker; amounts are text, to the digit."""
        amounts = {name: f"{getattr(self, name):f}" for name in _AMOUNTS}
        return {**asdict(self), **amounts}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> Request:
        """What :meth:`to_json` has made."""
        return cls(**{**form, **{name: Decimal(form[name]) for name in _AMOUNTS}})

    @property
    def size(self) -> int | None:
        """Nanoseconds of a bar.

        Raises:
            ClawdError: when it is no duration.
        """
        try:
            return None if self.bar is None else parse_duration(self.bar)
        except ValueError as error:
            raise ClawdError(str(error), where="bar") from None

    @property
    def span(self) -> tuple[int | None, int | None]:
        """Start and end, UTC nanoseconds.

        Raises:
            ClawdError: when one is no time, or the end does not lie behind the start.
        """
        start = None if self.start is None else parse_time(self.start, "from")
        end = None if self.end is None else parse_time(self.end, "to")
        if start is not None and end is not None and start >= end:
            raise ClawdError("the end does not lie behind the start", where="to", hint=f"later than {self.start}")
        return start, end


_AMOUNTS = ("capital", "fee", "slippage")


def strategy_in(text: str) -> Strategy:
    """The strategy that a text states, TOML or JSON.

    Raises:
        ClawdError: located, when it is none.
    """
    return parse_json(text) if text.lstrip().startswith("{") else parse_toml(text)
