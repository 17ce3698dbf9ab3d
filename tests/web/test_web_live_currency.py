"""What the amounts of a run are said to be in."""

from __future__ import annotations

import pytest

from clawd.server.live.currency import currency_of


@pytest.mark.parametrize(
    ("symbols", "currency"),
    [
        (("BTCUSDT", "ETHUSDT"), "USDT"),
        (("BTCUSDC",), "USDC"),
        (("BTCUSD",), "USD"),
        (("ETHBTC",), "BTC"),
        (("GBPEUR",), "EUR"),
        (("NASDAQ", "SP500"), "USD"),
        ((), "USD"),
    ],
)
def test_instruments_that_agree_name_it(symbols: tuple[str, ...], currency: str) -> None:
    assert currency_of(symbols) == currency
