"""What the amounts of a run are in. No instrument names its currency yet: their names do, where they end in one."""

from __future__ import annotations

from typing import Final

from clawd.server.live.tale import Tale

#: Where the instruments name no currency of their own.
QUOTE: Final = "USD"
_CURRENCIES: Final = ("USDT", "USDC", "USD", "EUR", "GBP", "JPY", "BTC")


def currency_of(symbols: tuple[str, ...]) -> str:
    """What the instruments are quoted in, where their names agree on it; else :data:`QUOTE`."""
    named = {next((each for each in _CURRENCIES if symbol.endswith(each)), QUOTE) for symbol in symbols}
    return named.pop() if len(named) == 1 else QUOTE


def symbols_of(tale: Tale) -> tuple[str, ...]:
    """The instruments of a run."""
    fold = tale.books or tale.account
    return () if fold is None else tuple(fold.start.symbols)


def currency_in(tale: Tale) -> str:
    """What the amounts of a run are in."""
    return currency_of(symbols_of(tale))
