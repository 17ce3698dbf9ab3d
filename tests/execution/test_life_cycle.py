"""The life of an order: the table, every state against every trigger, and what no order can become."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.core.orders import Order, OrderKind
from clawd.core.reason import Reason
from clawd.execution.life_cycle import TRANSITIONS, OrderState, PlacedOrder, Trigger, after, after_fill

S, T = OrderState, Trigger

WORKING = {S.SUBMITTED, S.UNKNOWN, S.ACCEPTED, S.PARTIALLY_FILLED, S.PENDING_CANCEL}
ENDED = {S.FILLED, S.CANCELLED, S.REJECTED, S.EXPIRED, S.MISSING}

#: What must not happen, written down apart from the table: state, trigger.
IMPOSSIBLE = (
    {(state, T.MISSING) for state in S if state not in {S.UNKNOWN, S.MISSING}}
    | {(state, T.CANCEL_REQUESTED) for state in ENDED}
    | {(S.FILLED, trigger) for trigger in (T.FILLED_IN_PART, T.FILLED_WHOLE, T.CANCELLED, T.REJECTED, T.EXPIRED)}
    | {(S.CANCELLED, T.REJECTED), (S.EXPIRED, T.REJECTED), (S.REJECTED, T.CANCELLED), (S.REJECTED, T.EXPIRED)}
    | {(S.SUBMITTED, T.CANCEL_REFUSED)}
)


def placed(state: OrderState, size: str = "3", filled: str = "0") -> PlacedOrder:
    order = Order("o", "a", "BTC", OrderKind.OPENING, Decimal(size), Reason.ENTRY)
    return PlacedOrder(order, state, Decimal(filled), 0)


@pytest.mark.parametrize("trigger", list(T))
@pytest.mark.parametrize("state", list(S))
def test_every_state_has_an_answer_to_every_trigger(state: OrderState, trigger: Trigger) -> None:
    stepped = after(placed(state), trigger)
    assert (stepped is None) is ((state, trigger) in IMPOSSIBLE)
    if stepped is not None:
        assert stepped.order == placed(state).order
        assert stepped.filled == 0


def test_what_works_is_what_may_still_trade() -> None:
    assert {state for state in S if state.working} == WORKING
    for state in S:
        assert placed(state, "3", "1").rest == (2 if state in WORKING else 0)


def test_only_the_venue_ends_an_order_whose_outcome_is_not_known() -> None:
    """No timeout, no cancellation and no refusal of one takes an order out of UNKNOWN."""
    for trigger in (T.OUTCOME_LOST, T.CANCEL_REQUESTED, T.CANCEL_REFUSED):
        assert TRANSITIONS[S.UNKNOWN][trigger] is S.UNKNOWN
    for state in WORKING:
        stepped = after(placed(state), T.OUTCOME_LOST)
        assert stepped is not None
        assert stepped.state is S.UNKNOWN


def test_money_that_has_moved_can_be_booked_on_every_order_that_is_not_full() -> None:
    for state in set(S) - {S.FILLED}:
        part, whole = after_fill(placed(state), Decimal(1)), after_fill(placed(state), Decimal(3))
        assert part is not None
        assert whole is not None
        assert (part.filled, whole.filled, whole.state) == (1, 3, S.FILLED)


def test_a_fill_before_the_acknowledgement_is_not_forgotten_by_it() -> None:
    part = after_fill(placed(S.SUBMITTED), Decimal(1))
    assert part is not None
    acknowledged = after(part, T.ACCEPTED)
    assert acknowledged is not None
    assert acknowledged.state is S.PARTIALLY_FILLED
    refused = after(placed(S.PENDING_CANCEL, "3", "1"), T.CANCEL_REFUSED)
    assert refused is not None
    assert refused.state is S.PARTIALLY_FILLED


@pytest.mark.parametrize("size", ["-1", "0", "3.001"])
def test_a_fill_the_other_way_or_beyond_the_order_is_none(size: str) -> None:
    for state in S:
        assert after_fill(placed(state), Decimal(size)) is None


steps = st.one_of(st.sampled_from(list(T)), st.integers(-4, 4).map(Decimal))


@given(st.sampled_from(["3", "-3"]), st.lists(steps, max_size=30))
def test_whatever_happens_an_order_never_fills_beyond_itself_nor_loses_a_fill(
    size: str, happens: list[Trigger | Decimal]
) -> None:
    now, filled = placed(S.SUBMITTED, size), Decimal(0)
    for step in happens:
        if isinstance(step, Decimal):
            stepped = after_fill(now, step)
            filled += step if stepped is not None else 0
        elif step in (T.FILLED_IN_PART, T.FILLED_WHOLE):
            continue
        else:
            stepped = after(now, step)
        now = stepped or now
        assert now.filled == filled
        assert abs(filled) <= 3
        assert filled * Decimal(size) >= 0
        assert (now.state is S.FILLED) == (filled == Decimal(size))
        assert abs(now.filled + now.rest) <= 3
        if now.state is S.ACCEPTED:
            assert not filled
        if now.state is S.PARTIALLY_FILLED:
            assert filled
