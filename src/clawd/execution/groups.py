"""Orders that hang together: one cancels the other, and what two exits have closed too much of is put right."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal

from clawd.core.event import Event
from clawd.core.events import OrderFilled, OrderSubmitted
from clawd.core.reason import Reason
from clawd.execution.account import Account
from clawd.execution.life_cycle import OrderState, PlacedOrder
from clawd.execution.writer import Writer


class Groups:
    """Watches fills for what they mean to other orders of the same agent.

    An order of an OCO group that has filled, and for an entry any part of it, takes the others of the group off. Exits
    of which one has filled in part are resized by the exit manager. Two exits of one position can both fill before the
    other is off; an agent that is turned by that is closed at once, and it is said.

    Args:
        writer: of the account.
        cancel: takes an order off.
        close: closes a position of an agent: ``(agent, symbol, size, reason)``.
    """

    def __init__(
        self,
        writer: Writer,
        cancel: Callable[[str, str], bool],
        close: Callable[[str, str, Decimal, Reason], None],
    ) -> None:
        self._writer = writer
        self._cancel = cancel
        self._close = close
        self._members: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for placed in writer.account.orders.values():
            self._note(placed)
        writer.observers.append(self._entered)

    def begin(self) -> None:
        """After a replay: what has filled before the crash may not have taken the others off yet."""
        for members in list(self._members.values()):
            for order in members:
                if (placed := self._writer.account.orders.get(order)) is not None and _wins(placed):
                    self._take_off_others(placed)

    def _entered(self, event: Event) -> None:
        account = self._writer.account
        if isinstance(event, OrderSubmitted):
            self._note(account.orders[event.order])
        elif isinstance(event, OrderFilled):
            placed = account.orders[event.order]
            if placed.order.group is not None and _wins(placed):
                self._take_off_others(placed)
            if placed.order.reduces:
                self._put_right(account, event)

    def _note(self, placed: PlacedOrder) -> None:
        if placed.order.group is not None:
            self._members[placed.order.agent, placed.order.group].append(placed.order.id)

    def _take_off_others(self, winner: PlacedOrder) -> None:
        assert winner.order.group is not None
        for order in others(winner.order.id, self._members[winner.order.agent, winner.order.group]):
            placed = self._writer.account.orders.get(order)
            if placed is not None and placed.state.working and placed.state is not OrderState.PENDING_CANCEL:
                self._cancel(order, "OCO")

    def _put_right(self, account: Account, event: OrderFilled) -> None:
        """A fill that was to make a position smaller has gone through flat."""
        size = account.agents[event.agent].size(event.symbol)
        if size * event.size > 0:
            self._writer.anomaly(
                "CLOSED_TOO_MUCH",
                f"{event.agent} is turned to {size} by {event.size} of {event.order}, and is closed",
                order=event.order,
                symbol=event.symbol,
            )
            self._close(event.agent, event.symbol, size, Reason.STOP)


def others(order: str, members: Iterable[str]) -> list[str]:
    """The members of a group without one of them."""
    return [member for member in members if member != order]


def _wins(placed: PlacedOrder) -> bool:
    """Whether what it has filled takes the others of its group off."""
    return placed.state is OrderState.FILLED or (bool(placed.filled) and not placed.order.reduces)
