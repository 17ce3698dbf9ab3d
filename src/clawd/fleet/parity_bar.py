"""One bar of an agent on a venue's account: what the model makes of it, and what happened."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from clawd.core.events import OrderFilled
from clawd.core.money import cash_of_fill, fee_of_fill, studied
from clawd.core.orders import OrderKind
from clawd.core.panel import Panel
from clawd.core.reason import Reason
from clawd.engine.plan import CHANDELIER, DISTANCES
from clawd.engine.position import after_bar, book_closing, book_opening, book_target, next_target
from clawd.engine.prices import grid_of
from clawd.fleet.parity_account import DECIDED, AccountHistory
from clawd.fleet.parity_onward import ModelFill
from clawd.fleet.parity_replay import Course
from clawd.fleet.parity_words import Cause, moment, plain

_MILLISECOND: Final = 1_000_000

#: What a position remembers of the prices at which it was entered and left in part.
_OF_PRICES: Final = (
    "average",
    "entry",
    "stop",
    "trail",
    "chandelier",
    "break_even",
    "take",
    "best",
    "trail_distance",
    "break_even_distance",
    "take_distance",
    "taken",
    "held",
)

#: Which cause of several in one bar the others follow from.
_FIRST: Final = (Cause.UNEXPLAINED, Cause.HALT, Cause.FIRED, Cause.LATENCY, Cause.PARTIAL, Cause.EXITS)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a real fill, with the model's price for it, or its own where the model has none."""

    row: int
    fill: OrderFilled
    size: Decimal
    modelled: Decimal

    @property
    def slipped(self) -> bool:
        return self.modelled != self.fill.price


def parts_of(model: Sequence[ModelFill], fills: Sequence[OrderFilled], symbols: Sequence[str]) -> list[Part]:
    """The real fills of a bar beside those of the model of the same instrument, kind and side, in their order."""
    left = [abs(each.size) for each in model]
    found: list[Part] = []
    for fill in fills:
        row, rest = symbols.index(fill.symbol), abs(fill.size)
        sign = 1 if fill.size > 0 else -1
        for place, each in enumerate(model):
            if (each.row, each.kind) != (row, fill.order_kind) or each.size * sign <= 0:
                continue
            taken = min(rest, left[place])
            if not taken:
                continue
            left[place] -= taken
            rest -= taken
            found.append(Part(row, fill, sign * taken, each.price))
        if rest:
            found.append(Part(row, fill, sign * rest, fill.price))
    return found


#: A trade to be booked: row of the instrument, the real fill, signed size, price.
Trade: TypeAlias = tuple[int, OrderFilled, Decimal, Decimal]


def at_models_prices(parts: Sequence[Part]) -> list[Trade]:
    """The parts as the model fills them: those of one kind, side and price are one."""
    sums: dict[tuple[int, OrderKind, bool, Decimal], Trade] = {}
    for part in parts:
        key = (part.row, part.fill.order_kind, part.size > 0, part.modelled)
        before = sums[key][2] if key in sums else Decimal(0)
        first = sums[key][1] if key in sums else part.fill
        sums[key] = (part.row, first, before + part.size, part.modelled)
    return list(sums.values())


def cash_of(trades: Iterable[Trade], fee: Decimal) -> Decimal:
    """What trades pay and receive at a fee."""
    flows = (cash_of_fill(size, price) - fee_of_fill(size, price, fee) for _, _, size, price in trades)
    return sum(flows, Decimal(0))


def booked(
    positions: NDArray[np.void],
    trades: Iterable[Trade],
    real: NDArray[np.void],
    course: Course,
    column: int,
    history: AccountHistory,
) -> NDArray[np.void]:
    """The real positions after a bar, but with the memory that the bar rules would have of its fills.

    Args:
        positions: [I], before the bar.
        trades: row, fill, signed size and price of each.
        real: [I], after it.
        course: of the agent.
        column: of the bar.
        history: that has the plans of the entries.
    """
    made, panel = positions.copy(), course.panel
    for row, fill, size, price in trades:
        _book(made[row], course, panel, row, fill, size, price, history)
    found = real.copy()
    window = int(course.plan["window"][CHANDELIER]) if course.plan["size"][CHANDELIER] > 0.0 else -1
    for row, position in enumerate(made):
        if not np.isnan(panel.close[row, column]):
            ranges = np.nan if window < 0 else float(course.decisions.ranges[window, row, column])
            high, low = float(panel.high[row, column]), float(panel.low[row, column])
            grid = grid_of(studied(panel.instruments[row].tick))
            after_bar(position, course.plan, high, low, panel.volume[row, column] != 0.0, ranges, grid)
        if position["lots"] == real[row]["lots"] and position["lots"] != 0.0:
            for name in _OF_PRICES:
                found[row][name] = position[name]
    return found


def _book(
    position: np.void,
    course: Course,
    panel: Panel,
    row: int,
    fill: OrderFilled,
    size: Decimal,
    price: Decimal,
    history: AccountHistory,
) -> None:
    instrument = panel.instruments[row]
    lots = float(size / instrument.lot)
    if fill.order_kind is OrderKind.OPENING:
        planned = history.plans.get(fill.order)
        if planned is not None:
            position["distances"] = np.array(planned.distances, np.float64)[:DISTANCES]
        book_opening(position, lots, studied(price), grid_of(studied(instrument.tick)))
        return
    place = int(next_target(position, course.plan)) if fill.order_kind is OrderKind.TAKE else -1
    if place >= 0:
        book_target(position, place, lots)
    else:
        book_closing(position, lots, float(fill.reason))


@dataclass(frozen=True, slots=True)
class Divergence:
    """What filled otherwise than the model says: its cause, the instrument, when, and in words."""

    cause: Cause
    symbol: str
    time: int
    words: str


def divergence(
    history: AccountHistory,
    panel: Panel,
    place: int,
    model: Sequence[ModelFill],
    fills: Sequence[OrderFilled],
    orders: dict[tuple[int, OrderKind], str],
) -> Divergence | None:
    """Why a bar's fills are not those of the model in size, None where they are.

    Args:
        history: of the account.
        panel: of the agent's instruments.
        place: of the close before the bar.
        model, fills: of the bar.
        orders: our ids of the agent's market orders that the model fills, by row and kind.
    """
    symbols, opened = panel.symbols, int(panel.times[place + 1])
    sizes: dict[tuple[int, OrderKind], list[Decimal]] = {}
    for each in model:
        sizes.setdefault((each.row, each.kind), [Decimal(0), Decimal(0)])[0] += each.size
    for fill in fills:
        sizes.setdefault((symbols.index(fill.symbol), fill.order_kind), [Decimal(0), Decimal(0)])[1] += fill.size
    found = []
    for (row, kind), (modelled, real) in sizes.items():
        if modelled == real:
            continue
        own = [fill for fill in fills if (symbols.index(fill.symbol), fill.order_kind) == (row, kind)]
        theirs = [each for each in model if (each.row, each.kind) == (row, kind)]
        time = own[0].time if own else opened
        if kind in DECIDED:
            cause, words = _market_order(history, place, kind, modelled, real, own, orders.get((row, kind)))
        else:
            cause, words = Cause.EXITS, _exit(kind, theirs, own)
        found.append(Divergence(cause, symbols[row], time, words))
    if not found:
        return None
    found.sort(key=lambda each: _FIRST.index(each.cause))
    # An exit of what was not entered follows from that; only what comes first is told.
    told = [each for each in found if each.cause is not Cause.EXITS] or found
    symbol = told[0].symbol if len({each.symbol for each in told}) == 1 else ""
    return Divergence(told[0].cause, symbol, told[0].time, "; ".join(each.words for each in told))


def _market_order(
    history: AccountHistory,
    place: int,
    kind: OrderKind,
    modelled: Decimal,
    real: Decimal,
    own: Sequence[OrderFilled],
    order: str | None,
) -> tuple[Cause, str]:
    forced = [fill for fill in own if fill.order != order]
    if forced:
        what = f"{forced[0].reason.word} of {plain(sum((fill.size for fill in forced), Decimal(0)))}"
        where = f"{what} filled at {average_price(forced)}"
        match forced[0].reason:
            case Reason.HALT:
                return Cause.HALT, f"{where}: everything was closed"
            case Reason.FIRED:
                return Cause.FIRED, where
            case Reason.STOP | Reason.TIME | Reason.TRAIL | Reason.CHANDELIER | Reason.BREAK_EVEN:
                return Cause.EXITS, f"{where}: the position was closed here"
            case _ if forced[0].order in history.submitted:
                return Cause.LATENCY, f"{where}, which the bar rule fills in another bar or not at all"
            case _:
                return Cause.UNEXPLAINED, f"{where}, which nobody has asked for"
    later = [fill for at, fill in history.fills.get(order or "", ()) if at > place]
    rest = abs(modelled) - abs(real)
    late = min(sum((abs(fill.size) for fill in later), Decimal(0)), max(rest, Decimal(0)))
    if rest <= 0:
        return Cause.LATENCY, f"{kind} of {plain(real)} filled, of which the bar rule fills {plain(modelled)}"
    never, whole = rest - late, plain(modelled)
    words = []
    if late:
        words.append(f"{plain(late)} of it filled later than modelled, at {moment(later[0].time)}")
    if never:
        words.append(f"{plain(never)} of it did not fill ({_never(history, order)})")
    return (Cause.LATENCY if late >= never else Cause.PARTIAL), f"{kind} of {whole}: {'; '.join(words)}"


def _never(history: AccountHistory, order: str | None) -> str:
    if order is None:
        return "it was not sent"
    if order in history.ends:
        return history.ends[order]
    if order in history.submitted:
        return "it still works"
    return "it waits to be sent" if order in history.held else "it was not sent"


def _exit(kind: OrderKind, model: Sequence[ModelFill], own: Sequence[OrderFilled]) -> str:
    real = sum((fill.size for fill in own), Decimal(0))
    rule = sum((each.size for each in model), Decimal(0))
    if not own:
        return f"{model[0].reason.word} of {plain(rule)} at {model[0].price}: the bar rule fills it, the venue did not"
    if not model:
        word = own[0].reason.word
        return f"{word} of {plain(real)} filled at {average_price(own)}, the bar rule has none in this bar"
    return f"{kind} of {plain(real)} filled at {average_price(own)}, the bar rule fills {plain(rule)}"


def average_price(fills: Sequence[OrderFilled]) -> str:
    """The price of some fills, on average, with one digit more than they have."""
    size = sum((fill.size for fill in fills), Decimal(0))
    average = sum((fill.size * fill.price for fill in fills), Decimal(0)) / size if size else fills[0].price
    digits = max(-int(fill.price.as_tuple().exponent) for fill in fills)
    if all(fill.price == fills[0].price for fill in fills):
        return f"{fills[0].price:f}"
    return f"{average:.{max(digits, 0) + 1}f}"


def told_slippage(parts: Sequence[Part], closed: int) -> str:
    """The prices of the fills of a bar beside those of the model.

    Args:
        parts: those at another price than the model's.
        closed: when the bar before closed, UTC nanoseconds.
    """
    words = []
    groups: dict[tuple[int, OrderKind, Decimal], list[Part]] = {}
    for part in parts:
        groups.setdefault((part.row, part.fill.order_kind, part.modelled), []).append(part)
    for (_, kind, modelled), group in groups.items():
        size = sum((part.size for part in group), Decimal(0))
        fills = [part.fill for part in group]
        lag = (fills[0].time - closed) // _MILLISECOND
        when = f" {lag:,} ms after the close" if kind in DECIDED and lag >= 0 else ""
        model = "the model" if kind in DECIDED else "the bar rule"
        words.append(
            f"{fills[0].reason.word} of {plain(size)} filled at {average_price(fills)}{when}, {model} says {modelled:f}"
        )
    return "; ".join(words)


def told_fee(fills: Sequence[OrderFilled], rate: Decimal) -> str:
    """The fees of some fills beside those of the settings."""
    paid = sum((fill.fee for fill in fills), Decimal(0))
    notional = sum((abs(fill.size) * fill.price for fill in fills), Decimal(0))
    modelled = sum((fee_of_fill(fill.size, fill.price, rate) for fill in fills), Decimal(0))
    makers = sum(1 for fill in fills if fill.maker)
    maker = "" if not makers else " as maker" if makers == len(fills) else " in part as maker"
    share = f" ({plain(paid / notional)} of the notional)" if notional else ""
    return f"fee of {plain(paid)}{maker}{share}, the model says {plain(modelled)}"
