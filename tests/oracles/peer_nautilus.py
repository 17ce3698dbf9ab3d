"""NautilusTrader's account of a moving-average crossing; run by test_peers.py in an environment of its own.

Usage: python peer_nautilus.py WORKLOAD.json BARS.npz
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path

import nautilus_trader
import numpy as np
from nautilus_trader.backtest.config import BacktestEngineConfig
from nautilus_trader.backtest.engine import BacktestEngine
from nautilus_trader.common.config import LoggingConfig
from nautilus_trader.indicators import ExponentialMovingAverage
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
PAIR = InstrumentId(Symbol("BTCUSDT"), VENUE)
BARS = BarType.from_str(f"{PAIR}-1-MINUTE-LAST-EXTERNAL")
DEEP = 1_000  # times the volume, so that one unit never exhausts what a bar offers


class Crossing(Strategy):
    def __init__(self, workload: dict[str, float]) -> None:
        super().__init__()
        self.workload = workload
        self.fast = ExponentialMovingAverage(int(workload["fast"]))
        self.slow = ExponentialMovingAverage(int(workload["slow"]))
        self.seen = 0
        self.held = 0
        self.fills: list[tuple[int, float, float]] = []

    def on_start(self) -> None:
        self.register_indicator_for_bars(BARS, self.fast)
        self.register_indicator_for_bars(BARS, self.slow)
        self.subscribe_bars(BARS)

    def on_bar(self, bar: Bar) -> None:
        self.seen += 1
        if self.seen <= self.workload["first"]:
            return
        size = int(self.workload["size"])
        wanted = size if self.fast.value > self.slow.value else -size if self.workload["short"] else 0
        change = wanted - self.held
        if change:
            side = OrderSide.BUY if change > 0 else OrderSide.SELL
            self.submit_order(self.order_factory.market(PAIR, side, Quantity(abs(change), 3)))
            self.held = wanted

    def on_order_filled(self, event: OrderFilled) -> None:
        sign = 1 if event.order_side == OrderSide.BUY else -1
        self.fills.append((self.seen - 1, sign * event.last_qty.as_double(), event.last_px.as_double()))


def main(workload: dict[str, float], bars: dict[str, np.ndarray]) -> dict[str, object]:
    fee = Decimal(str(workload["fee"]))
    pair = CurrencyPair(
        instrument_id=PAIR,
        raw_symbol=PAIR.symbol,
        base_currency=BTC,
        quote_currency=USDT,
        price_precision=2,
        size_precision=3,
        price_increment=Price.from_str("0.01"),
        size_increment=Quantity.from_str("0.001"),
        ts_event=0,
        ts_init=0,
        maker_fee=fee,
        taker_fee=fee,
        margin_init=Decimal(0),
        margin_maint=Decimal(0),
    )
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True), run_analysis=False))
    cash = Money(workload["cash"], USDT)
    if workload["short"]:
        engine.add_venue(VENUE, OmsType.NETTING, AccountType.MARGIN, [cash], base_currency=USDT)
    else:
        engine.add_venue(VENUE, OmsType.NETTING, AccountType.CASH, [cash, Money(0, BTC)])
    engine.add_instrument(pair)
    ends = (bars["times"] + 60_000_000_000).tolist()
    prices = [bars[name].tolist() for name in ("open", "high", "low", "close")]
    volumes = (bars["volume"] * DEEP).tolist()
    engine.add_data(
        [
            Bar(BARS, *(Price(price, 2) for price in ohlc), Quantity(volume, 3), end, end)
            for *ohlc, volume, end in zip(*prices, volumes, ends, strict=True)
        ]
    )
    strategy = Crossing(workload)
    engine.add_strategy(strategy)
    engine.run()
    account = engine.portfolio.account(VENUE)
    final = account.balance_total(USDT).as_double()
    last = float(bars["close"][-1])
    if workload["short"]:
        final += sum(position.unrealized_pnl(Price(last, 2)).as_double() for position in engine.cache.positions_open())
    else:
        final += account.balance_total(BTC).as_double() * last
    engine.dispose()
    return {
        "engine": f"nautilus_trader {nautilus_trader.__version__}",
        "final_value": final,
        "fills": strategy.fills,
    }


if __name__ == "__main__":
    print(json.dumps(main(json.loads(Path(sys.argv[1]).read_text()), dict(np.load(sys.argv[2])))))
