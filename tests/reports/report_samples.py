"""Markets and results made by hand, so that these tests need no simulator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from html.parser import HTMLParser

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.core.reason import Reason
from clawd.engine.backtest import Backtest
from clawd.engine.trades import Fill
from clawd.language.strategy import Strategy, parse_toml

COSTS = Costs(fee=Decimal("0.001"), slippage=Decimal("0.01"))
START = 1_700_006_400 * 1_000_000_000  # 2023-11-15

TEXT = """
name = "Crossover"
claim = "Trends persist"
source = "A book"
[let]
fast = "ema(close, 3)"
[position]
target = "long_short(sign(close - fast))"
[exits]
stop = { percent = 10 }
take = { percent = 20 }
time = 50
cooldown = 3
"""


def strategy() -> Strategy:
    return parse_toml(TEXT)


def market(closes: Mapping[str, Sequence[float]], *, bar: int = NANOSECONDS_PER_DAY, tick: str = "0.01") -> Panel:
    """Bars that open at the close before and have no wicks; NaN is missing."""
    close = np.array(list(closes.values()), dtype=np.float64).reshape(len(closes), -1)
    length = close.shape[1]
    before = np.concatenate([close[:, :1], close[:, :-1]], axis=1)
    open_ = np.where(np.isnan(before), close, before)
    open_ = np.where(np.isnan(close), np.nan, open_)
    return Panel(
        instruments=tuple(Instrument(symbol, Decimal(tick), Decimal("0.001")) for symbol in closes),
        bar=bar,
        times=START + bar * np.arange(length),
        open=open_,
        high=np.fmax(open_, close),
        low=np.fmin(open_, close),
        close=close,
        volume=np.where(np.isnan(close), np.nan, 1_000.0),
        funding=np.where(np.isnan(close), np.nan, 0.0),
        bars_per_year=365.0,
    )


def fill(panel: Panel, bar: int, symbol: str, size: str, price: str, reason: Reason) -> Fill:
    fee = float(abs(Decimal(size)) * Decimal(price) * COSTS.fee)
    return Fill(int(panel.times[bar]), symbol, Decimal(size), Decimal(price), fee, reason)


def result(panel: Panel, fills: Sequence[Fill] = (), *, of: Strategy | None = None, funding: float = 0.0) -> Backtest:
    """The backtest that has these fills, with its equity worked out the plain way. Funding is paid on the last bar."""
    capital = 10_000.0
    equity, exposure = [], []
    latest = dict.fromkeys(panel.symbols, 0.0)
    for bar, time in enumerate(panel.times.tolist()):
        for row, symbol in enumerate(panel.symbols):
            if not np.isnan(panel.close[row, bar]):
                latest[symbol] = float(panel.close[row, bar])
        done = [part for part in fills if part.time <= time]
        cash = capital - sum(float(part.size * part.price) + part.fee for part in done)
        held = {symbol: sum(float(part.size) for part in done if part.symbol == symbol) for symbol in latest}
        equity.append(cash + sum(held[symbol] * latest[symbol] for symbol in latest))
        exposure.append(sum(abs(held[symbol]) * latest[symbol] for symbol in latest) / capital)
    if equity:
        equity[-1] -= funding
    return Backtest(
        strategy=of or strategy(),
        costs=COSTS,
        capital=Decimal(10_000),
        panel=panel,
        bars_read=panel.times.size,
        fills=tuple(sorted(fills, key=lambda part: part.time)),
        equity=np.array(equity, dtype=np.float64),
        exposure=np.array(exposure, dtype=np.float64),
        funding=funding,
    )


def wave(length: int, level: float = 100.0) -> NDArray[np.float64]:
    shape = np.round(1.2 + np.sin(np.arange(length) / 9.0) / 5.0, 4)
    return np.asarray(level * shape)


def traded(length: int = 90, every: int = 10, symbols: Sequence[str] = ("AAA", "BBB")) -> Backtest:
    """Positions that are opened and closed in turn, the last of them left open."""
    panel = market({symbol: wave(length, 100.0 + row).tolist() for row, symbol in enumerate(symbols)})
    exits = (Reason.STOP, Reason.SIGNAL, Reason.TAKE)
    fills = []
    for row, symbol in enumerate(symbols):
        for number, bar in enumerate(range(1, length, every)):
            side = "" if number % 2 == 0 else "-"
            back = "-" if number % 2 == 0 else ""
            price = f"{panel.open[row, bar]:.2f}"
            fills.append(fill(panel, bar, symbol, f"{side}10.5", price, Reason.ENTRY))
            end = bar + every // 2
            if bar + every < length:
                last = f"{panel.close[row, end]:.2f}"
                fills.append(fill(panel, end, symbol, f"{back}10.5", last, exits[number % 3]))
    return result(panel, fills, funding=12.5)


class Page(HTMLParser):
    """A page that was read strictly: every tag is closed where it must be, or this fails."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"an attribute of <{tag}> stands twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)
            if self.open[-1] not in ("script", "style"):
                self.texts.setdefault("", []).append(data)

    def names(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        """What a reader sees."""
        return " ".join(self.texts.get("", []))
