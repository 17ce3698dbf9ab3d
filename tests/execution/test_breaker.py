"""The circuit breaker: it opens when too much fails in a short time, and closes by itself."""

from __future__ import annotations

from clawd.execution.breaker import Breaker

SECOND = 10**9


def test_it_opens_with_the_last_of_too_many_failures_and_says_so_once() -> None:
    breaker = Breaker(most=3, window=10 * SECOND, pause=60 * SECOND)
    assert [breaker.failed(at * SECOND) for at in (0, 4, 8)] == [False, False, True]
    assert breaker.is_open(8 * SECOND)
    assert not breaker.failed(9 * SECOND), "it was open already"
    assert breaker.is_open(68 * SECOND)
    assert not breaker.is_open(69 * SECOND), "a pause after the last failure"


def test_failures_far_apart_do_not_open_it() -> None:
    breaker = Breaker(most=3, window=10 * SECOND)
    for at in range(0, 1000, 5):
        assert not breaker.failed(at * SECOND)
        assert not breaker.is_open(at * SECOND)


def test_the_edge_of_the_window() -> None:
    breaker = Breaker(most=2, window=10)
    breaker.failed(0)
    assert not breaker.failed(10), "as old as the window is too old"
    assert breaker.failed(19)


def test_a_clock_that_is_set_back_does_not_hold_it_open_for_ever() -> None:
    breaker = Breaker(most=2, window=10 * SECOND, pause=60 * SECOND)
    breaker.failed(1000 * SECOND)
    breaker.failed(1001 * SECOND)
    assert breaker.is_open(1001 * SECOND)
    assert not breaker.is_open(0)
