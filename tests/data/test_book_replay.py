"""A rebuilt book is the book that the venue has: checked against a venue that keeps one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from clawd.data.book_replay import ASK, BID, Message, OrderEvent, replay_levels, replay_orders
from clawd.data.order_book import Levels

DEPTH = 3

change = st.tuples(st.sampled_from([BID, ASK]), st.integers(0, 7), st.integers(0, 3))


def prices(side: int, step: int) -> float:
    return 100.0 - step if side == BID else 101.0 + step


def best(venue: dict[tuple[int, float], float], side: int) -> list[tuple[float, float]]:
    """The best levels of a venue's book, found by sorting all of it."""
    held = sorted(((price, size) for (of, price), size in venue.items() if of == side), reverse=side == BID)
    return (held + [(np.nan, np.nan)] * DEPTH)[:DEPTH]


def assert_row(levels: Levels, row: int, venue: dict[tuple[int, float], float] | None) -> None:
    unknown = [(np.nan, np.nan)] * DEPTH
    for side, price, size in ((BID, levels.bid, levels.bid_size), (ASK, levels.ask, levels.ask_size)):
        wanted = np.array(unknown if venue is None else best(venue, side))
        np.testing.assert_array_equal(np.column_stack([price[row], size[row]]), wanted)


@given(
    opening=st.lists(change, max_size=12),
    packets=st.lists(st.lists(change, min_size=1, max_size=4), min_size=1, max_size=25),
    taken=st.integers(0, 24),
    late=st.integers(0, 4),
    linked=st.booleans(),
)
def test_the_rebuilt_book_is_the_venue_s(
    opening: list[tuple[int, int, int]],
    packets: list[list[tuple[int, int, int]]],
    taken: int,
    late: int,
    linked: bool,
) -> None:
    """The snapshot is taken after one message and arrives some messages later, as on real venues."""
    venue = {(side, prices(side, step)): float(size) for side, step, size in opening if size}
    # Levels at the far ends, so that the snapshot reaches as far as the changes do.
    venue |= {(BID, 1.0): 9.0, (ASK, 500.0): 9.0}
    taken = min(taken, len(packets) - 1)
    arrives = min(taken + late, len(packets) - 1)
    messages: list[Message] = []
    books = []
    snapshot: Message | None = None
    for index, packet in enumerate(packets):
        first, last = 10 * index + 1, 10 * index + 10
        levels = tuple((side, prices(side, step), float(size)) for side, step, size in packet)
        messages.append(Message(2 * index, first, last, 10 * index if linked else None, False, levels))
        for side, price, size in levels:
            venue[side, price] = size
            if not size:
                del venue[side, price]
        if index == taken:
            whole = tuple((side, price, size) for (side, price), size in venue.items())
            snapshot = Message(2 * arrives + 1, -1, last, None, True, whole)
        books.append(dict(venue))
    assert snapshot is not None
    messages.insert(arrives + 1, snapshot)
    replay = replay_levels(messages, DEPTH)
    assert replay.breaks == 0
    known = [arrives, *range(arrives + 1, len(packets))]  # the snapshot shows the book as it is when it arrives
    assert replay.levels.times.tolist() == [2 * arrives + 1, *(2 * index for index in known[1:])]
    for row, index in enumerate(known):
        assert_row(replay.levels, row, books[index])


def whole(time: int, last: int) -> Message:
    return Message(
        time, -1, last, None, True, ((BID, 99.0, 1.0), (BID, 50.0, 1.0), (ASK, 101.0, 1.0), (ASK, 150.0, 1.0))
    )


def sized(time: int, first: int, size: float) -> Message:
    return Message(time, first, first, None, False, ((BID, 99.0, size),))


def test_a_book_that_lacks_a_message_is_unknown_until_the_next_snapshot() -> None:
    messages = [whole(0, 5), sized(1, 6, 2.0), sized(2, 8, 3.0), sized(3, 9, 4.0), whole(4, 8), sized(5, 10, 5.0)]
    replay = replay_levels(messages, DEPTH)
    assert replay.breaks == 1
    # The last snapshot does not contain change 9, which had arrived before it.
    np.testing.assert_array_equal(replay.levels.bid_size[:, 0], [1.0, 2.0, np.nan, np.nan, 4.0, 5.0])
    np.testing.assert_array_equal(np.isnan(replay.levels.ask[:, 0]), [False, False, True, True, False, False])


def test_the_message_after_a_gap_is_kept_for_the_next_snapshot() -> None:
    replay = replay_levels([whole(0, 5), sized(1, 6, 2.0), sized(2, 9, 3.0), whole(3, 8), sized(4, 10, 4.0)], DEPTH)
    assert replay.breaks == 1
    np.testing.assert_array_equal(replay.levels.bid_size[:, 0], [1.0, 2.0, np.nan, 3.0, 4.0])


def test_messages_that_name_the_one_before_need_not_be_numbered_in_a_row() -> None:
    def linked(time: int, previous: int, last: int) -> Message:
        return Message(time, last - 3, last, previous, False, ((BID, 99.0, float(last)),))

    replay = replay_levels([whole(0, 5), linked(1, 4, 20), linked(2, 20, 40), linked(3, 50, 60)], DEPTH)
    assert replay.breaks == 1  # number 50 is missing
    np.testing.assert_array_equal(replay.levels.bid_size[:, 0], [1.0, 20.0, 40.0, np.nan])
    late = replay_levels([whole(0, 5), linked(1, 6, 20)], DEPTH)  # number 6 is in neither
    np.testing.assert_array_equal(late.levels.bid_size[:, 0], [1.0, np.nan])


def test_a_snapshot_that_came_after_a_gap_is_no_book() -> None:
    """Change 7 is in none of what arrived: the next is 8, and the snapshot ends with 6."""
    replay = replay_levels([whole(0, 6), sized(1, 8, 2.0)], DEPTH)
    assert replay.breaks == 1
    np.testing.assert_array_equal(replay.levels.bid_size[:, 0], [1.0, np.nan])


def test_what_a_snapshot_contains_is_not_applied_again() -> None:
    replay = replay_levels([whole(0, 6), sized(1, 5, 7.0), sized(2, 6, 8.0), sized(3, 7, 9.0)], DEPTH)
    assert replay.levels.bid_size[:, 0].tolist() == [1.0, 1.0, 1.0, 9.0]


def test_levels_beyond_the_snapshot_are_unknown_but_for_the_best() -> None:
    gone = tuple((BID, price, 0.0) for price in (99.0, 50.0))
    below = ((BID, 40.0, 2.0), (BID, 30.0, 3.0))
    messages = [whole(0, 5), Message(1, 6, 6, None, False, below), Message(2, 7, 7, None, False, gone)]
    levels = replay_levels(messages, DEPTH).levels
    np.testing.assert_array_equal(levels.bid, [[99, 50, np.nan], [99, 50, np.nan], [40, np.nan, np.nan]])
    np.testing.assert_array_equal(levels.bid_size, [[1, 1, np.nan], [1, 1, np.nan], [2, np.nan, np.nan]])
    np.testing.assert_array_equal(levels.ask[:, :2], [[101, 150]] * 3)


@given(
    st.lists(
        st.tuples(st.integers(0, 9), st.sampled_from([BID, ASK]), st.integers(0, 4), st.integers(0, 5)), max_size=60
    )
)
def test_single_orders_add_up_to_levels(events: list[tuple[int, int, int, int]]) -> None:
    """The end of an order is an event of size 0; an order that has ended never rests again."""
    resting: dict[int, tuple[int, float, float]] = {}
    ended: set[int] = set()
    made = [OrderEvent(i, order, side, prices(side, step), 0.1 * n) for i, (order, side, step, n) in enumerate(events)]
    levels = replay_orders(made, DEPTH)
    assert levels.times.tolist() == list(range(len(made)))
    for row, event in enumerate(made):
        resting.pop(event.order, None)
        if event.size == 0:
            ended.add(event.order)
        elif event.order not in ended:
            resting[event.order] = (event.side, event.price, event.size)
        venue: dict[tuple[int, float], float] = {}
        for side, price, size in resting.values():
            venue[side, price] = venue.get((side, price), 0.0) + size
        for side, price_row, size_row in (
            (BID, levels.bid[row], levels.bid_size[row]),
            (ASK, levels.ask[row], levels.ask_size[row]),
        ):
            wanted = np.array(best(venue, side))
            np.testing.assert_array_equal(price_row, wanted[:, 0])
            np.testing.assert_allclose(size_row, wanted[:, 1], rtol=1e-9)
