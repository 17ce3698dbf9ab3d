"""Exits: how a position is left, whether or not its agent is alive. They are bound to the position, not the signal."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from clawd.core.errors import ClawdError, suggestion
from clawd.language.builder import build
from clawd.language.expression import LARGEST_NUMBER, LONGEST_NAME
from clawd.language.node import Node, literal
from clawd.language.operators import LONGEST_WINDOW

_KEYS = ("stop", "trail", "take", "time", "cooldown")


@dataclass(frozen=True, slots=True)
class Distance:
    """How far from its reference price a level lies, fixed at the moment of entry.

    Attributes:
        size: multiples of the average true range, or percent of the entry price.
        window: window of the average true range in bars; None for percent.
    """

    size: float
    window: int | None

    @property
    def atr(self) -> Node | None:
        """The program of its average true range, None for percent."""
        return None if self.window is None else average_true_range(self.window)

    def to_json(self) -> dict[str, float]:
        if self.window is None:
            return {"percent": self.size}
        return {"atr": self.size, "window": self.window}

    def __str__(self) -> str:
        if self.window is None:
            return f"{literal(self.size)} % of the entry price"
        return f"{literal(self.size)} average true ranges of {self.window} bars"


@dataclass(frozen=True, slots=True)
class Exits:
    """The exit set of a strategy.

    Attributes:
        stop: distance of the protective stop from the entry price. Every strategy has one: no position is ever naked.
        trail: distance of the trailing stop from the best price since entry.
        take: distance of the profit target from the entry price.
        time: bars after which the position is closed.
        cooldown: bars after an exit until the same side may be entered again; without it, not before the target has
            been flat or on the other side.
    """

    stop: Distance
    trail: Distance | None = None
    take: Distance | None = None
    time: int | None = None
    cooldown: int | None = None

    @property
    def distances(self) -> tuple[Distance | None, Distance | None, Distance | None]:
        """Stop, trail and take, in this order."""
        return self.stop, self.trail, self.take

    @property
    def windows(self) -> tuple[int, ...]:
        """Windows of the average true ranges, rising."""
        return tuple(sorted({d.window for d in self.distances if d is not None and d.window is not None}))

    @property
    def lookback(self) -> int:
        """Bars of history that the average true ranges need."""
        nodes = [distance.atr for distance in self.distances if distance is not None]
        return max((node.lookback for node in nodes if node is not None), default=0)

    def to_json(self) -> dict[str, object]:
        """The JSON form, without what is not set."""
        form: dict[str, object] = {}
        for key, distance in zip(("stop", "trail", "take"), self.distances, strict=True):
            if distance is not None:
                form[key] = distance.to_json()
        for key, bars in (("time", self.time), ("cooldown", self.cooldown)):
            if bars is not None:
                form[key] = bars
        return form


@cache
def average_true_range(window: int) -> Node:
    node = build(f"atr({window})")
    assert isinstance(node, Node)
    return node


def read_exits(table: object) -> Exits:
    """The exits that a TOML or JSON table states.

    Raises:
        ClawdError: for an unknown key, a value out of range, or a missing stop.
    """
    if not isinstance(table, Mapping):
        raise ClawdError("[exits] must be a table", where="exits")
    for key in table:
        if key not in _KEYS:
            raise ClawdError(
                f"unknown exit `{str(key)[:LONGEST_NAME]}`",
                where="exits",
                hint=suggestion(str(key), _KEYS) or f"one of {', '.join(_KEYS)}",
            )
    if "stop" not in table:
        raise ClawdError(
            "there is no stop, and no position may be naked",
            where="exits",
            hint="add for example stop = { atr = 3, window = 14 } or stop = { percent = 10 }",
        )
    return Exits(
        stop=_distance(table["stop"], "stop"),
        trail=_distance(table["trail"], "trail") if "trail" in table else None,
        take=_distance(table["take"], "take") if "take" in table else None,
        time=_bars(table["time"], "time") if "time" in table else None,
        cooldown=_bars(table["cooldown"], "cooldown") if "cooldown" in table else None,
    )


def _distance(value: object, key: str) -> Distance:
    where = f"exits.{key}"
    form = "{ atr = 3, window = 14 } or { percent = 10 }"
    if not isinstance(value, Mapping):
        raise ClawdError("a distance is a table", where=where, hint=form)
    if set(value) == {"percent"}:
        size = _number(value["percent"], where)
        highest = 1_000.0 if key == "take" else 95.0
        if not 0 < size <= highest:
            raise ClawdError(f"percent must be above 0 and at most {highest:g}, not {size:g}", where=where)
        return Distance(size, None)
    if set(value) == {"atr", "window"}:
        size = _number(value["atr"], where)
        if not 0 < size <= 100:
            raise ClawdError(f"atr must be above 0 and at most 100, not {size:g}", where=where)
        return Distance(size, _bars(value["window"], f"{key}.window"))
    raise ClawdError(
        f"unknown distance with {', '.join(map(str, value))[:LONGEST_NAME] or 'no keys'}", where=where, hint=form
    )


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_NUMBER:
        raise ClawdError(f"a number is needed, not {reprlib.repr(value)}", where=where)
    return float(value)


def _bars(value: object, key: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LONGEST_WINDOW:
        raise ClawdError(
            f"a whole number of bars from 1 to {LONGEST_WINDOW:,} is needed, not {reprlib.repr(value)}",
            where=f"exits.{key}",
        )
    return value
