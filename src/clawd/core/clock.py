"""Time is passed in, never looked up."""

from __future__ import annotations

import datetime as dt
import time
from typing import Protocol

from clawd.core.errors import ClawdError
from clawd.core.panel import NANOSECONDS_PER_DAY

_FIRST_YEAR, _LAST_YEAR = 1970, 2199


class Clock(Protocol):
    """Anything that knows the time as UTC nanoseconds since 1970."""

    def now(self) -> int: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> int:
        return time.time_ns()


class ReplayClock:
    """A clock that is set by the bars being replayed."""

    def __init__(self, now: int = 0) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def set(self, now: int) -> None:
        self._now = now


def utc_day(nanoseconds: int) -> int:
    """The UTC day as a count of days since 1970."""
    return nanoseconds // NANOSECONDS_PER_DAY


def iso(nanoseconds: int) -> str:
    """A UTC time for people: the date alone at midnight, else to the minute or second that it needs."""
    moment = dt.datetime.fromtimestamp(nanoseconds // 1_000_000_000, tz=dt.UTC)
    if nanoseconds % NANOSECONDS_PER_DAY == 0:
        return moment.strftime("%Y-%m-%d")
    return moment.strftime("%Y-%m-%dT%H:%M" if moment.second == 0 else "%Y-%m-%dT%H:%M:%S") + "Z"


def duration(nanoseconds: int) -> str:
    """A bar's duration for people, such as ``1h`` or ``90s``."""
    seconds = nanoseconds // 1_000_000_000
    for size, letter in ((86_400 * 7, "w"), (86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds % size == 0:
            return f"{seconds // size}{letter}"
    return f"{seconds}s"


def parse_duration(text: str) -> int:
    """Nanoseconds of a duration such as ``5m``, ``1h`` or ``1d``.

    Raises:
        ValueError: when the text is not a whole number followed by s, m, h, d or w.
    """
    sizes = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
    number, letter = text[:-1], text[-1:]
    if letter not in sizes or not number.isascii() or not number.isdigit() or len(number) > 6 or int(number) == 0:
        raise ValueError(f"`{text[:40]}` is not a duration such as 5m, 1h or 1d")
    return int(number) * sizes[letter] * 1_000_000_000


def parse_time(text: str, where: str) -> int:
    """UTC nanoseconds of a date such as ``2015-06-30`` or a time such as ``2015-06-30T12:00``.

    Args:
        text: in ISO 8601; UTC where it names no zone.
        where: whose value it is, for messages.

    Raises:
        ClawdError: when it is neither, or of no year that bars can be of.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ClawdError(
            f"`{text}` is not a date such as 2015-06-30 or a time such as 2015-06-30T12:00", where=where
        ) from None
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ClawdError(f"the year {moment.year} is not one of {_FIRST_YEAR} to {_LAST_YEAR}", where=where)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) * 1_000
