"""The account of one strategy in a simulation: its cash, and the running sums that its figures are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from clawd.core.reason import Reason
from clawd.engine.prices import rule

#: Amounts are in quote currency. A zeroed record is an account that has not begun.
ACCOUNT = np.dtype(
    [
        ("cash", np.float64),
        ("equity", np.float64),  # at the latest close
        ("peak", np.float64),  # highest equity so far, the capital at the start included
        ("drawdown", np.float64),  # largest fall from a peak, as a share of that peak
        ("squares", np.float64),  # sum of the squared changes of equity from close to close
        ("exposure", np.float64),  # sum of the gross exposures at the closes
        ("net", np.float64),  # sum of the signed ones
        ("fees", np.float64),
        ("slippage", np.float64),  # given up to it by market and stop orders
        ("funding", np.float64),
        ("traded", np.float64),  # notional of the fills
        ("won", np.float64),  # profits of the closed positions that made money, fees paid, funding left out
        ("lost", np.float64),  # losses of those that lost some, not negative
        ("bars", np.int64),
        ("fills", np.int64),
        ("trades", np.int64),  # positions closed
        ("winners", np.int64),
        ("losers", np.int64),
        ("ruined", np.bool_),  # whether the equity has ever been nothing or less at a close
    ],
    align=True,
)

#: A profit below this share of the capital is rounding: the position made and lost nothing.
SMALLEST_PROFIT = 1e-12

_TAKE = int(Reason.TAKE)

#: Equity, sum of squares, of exposures, of net exposures, peak, drawdown: as in :data:`ACCOUNT`.
Sums = tuple[float, float, float, float, float, float]


@rule
def open_account(account: Any, capital: float) -> None:
    """Give an account that has not begun its capital."""
    if account.bars == 0:
        account.cash = capital
        account.equity = capital
        account.peak = capital


@rule
def book_fill(
    account: Any,
    position: Any,
    lots: float,
    price: float,
    reason: int,
    capital: float,
    fee: float,
    slippage: float,
    lot: float,
) -> float:
    """Pay for a fill that the position has taken already, and count what that closed. Returns the fee paid."""
    notional = lots * lot * price
    amount = abs(notional)
    paid = amount * fee
    account.cash -= notional + paid
    account.fees += paid
    account.traded += amount
    account.fills += 1
    if reason != _TAKE:
        # A purchase was filled at the undisturbed price times 1 + slippage, a sale at it times 1 - slippage.
        account.slippage += amount * (slippage / (1.0 + slippage) if lots > 0.0 else slippage / (1.0 - slippage))
    position.episode -= notional + paid
    if position.lots == 0.0:
        profit = position.episode
        position.episode = 0.0
        account.trades += 1
        if profit > SMALLEST_PROFIT * capital:
            account.winners += 1
            account.won += profit
        elif profit < -SMALLEST_PROFIT * capital:
            account.losers += 1
            account.lost -= profit
    return paid


@rule
def close_bar(account: Any, worth: float, gross: float) -> None:
    """Mark the account at a close.

    Args:
        worth: of the positions, signed.
        gross: the same without signs.
    """
    keep_sums(account, marked(sums_of(account), account.cash, worth, gross), 1)


@rule
def sums_of(account: Any) -> Sums:
    """The sums of an account that change at every close, to go on with outside of its record, which is faster."""
    return account.equity, account.squares, account.exposure, account.net, account.peak, account.drawdown


@rule
def marked(sums: Sums, cash: float, worth: float, gross: float) -> Sums:
    """The sums after one more close; arguments as for :func:`close_bar`."""
    before, squares, exposure, net, peak, drawdown = sums
    equity = cash + worth
    change = equity - before
    fall = peak - equity
    if fall > drawdown * peak:
        drawdown = fall / peak
    return equity, squares + change * change, exposure + gross, net + worth, equity if equity > peak else peak, drawdown


@rule
def keep_sums(account: Any, sums: Sums, bars: int) -> None:
    """Put sums back into the record of their account after some closes, of which none but the last may be ruin."""
    account.equity, account.squares, account.exposure, account.net, account.peak, account.drawdown = sums
    account.bars += bars
    if account.equity <= 0.0:
        account.ruined = True
