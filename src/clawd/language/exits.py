"""Exits: how a position is left, whether or not its agent is alive. They are bound to the position, not the signal."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from clawd.core.errors import ClawdError, suggestion
from clawd.language.builder import build
from clawd.language.expression import LARGEST_NUMBER, LONGEST_NAME
from clawd.language.node import Node, literal
from clawd.language.operators import LONGEST_WINDOW

#: Profit targets that a strategy may have.
MOST_TARGETS = 4
#: The largest multiple of an average true range.
MOST_TRUE_RANGES = 100.0


@dataclass(frozen=True, slots=True)
class ExitKind:
    """A kind of exit: what a form asks for, and what a file may say.

    Attributes:
        key: in ``[exits]``.
        form: ``distance`` (average true ranges or percent), ``true_ranges`` (the former alone), ``targets`` (up to
            :data:`MOST_TARGETS` distances with their shares and decay) or ``bars``.
        meaning: one line for people.
        example: what it may be, as JSON.
        most_percent: the largest percentage of its distance.
        required: whether every strategy has it.
    """

    key: str
    form: str
    meaning: str
    example: object
    most_percent: float = 95.0
    required: bool = False


EXIT_KINDS = (
    ExitKind(
        "stop", "distance", "distance of the stop from the entry price", {"atr": 3.0, "window": 14}, required=True
    ),
    ExitKind(
        "trail",
        "distance",
        "distance from the best price since entry, fixed at entry; it moves after each bar, never back",
        {"atr": 4.0, "window": 14},
    ),
    ExitKind(
        "chandelier",
        "true_ranges",
        "distance from the best price since entry, by the average true range of each close as it comes; never back",
        {"atr": 3.0, "window": 22},
    ),
    ExitKind(
        "break_even",
        "distance",
        "how far the price must have gone in favour for the stop to go to the average entry price",
        {"percent": 2.0},
        1_000.0,
    ),
    ExitKind(
        "take",
        "targets",
        "distance of the profit target from the entry price, or up to four targets with their shares",
        {"percent": 6.0},
        1_000.0,
    ),
    ExitKind("time", "bars", "bars after which the position is closed", 60),
    ExitKind(
        "cooldown",
        "bars",
        "bars after which a side that an exit closed may be entered again; without it, not before the target has been"
        " flat or on the other side",
        5,
    ),
)
_KINDS = {kind.key: kind for kind in EXIT_KINDS}
_KEYS = tuple(_KINDS)


@dataclass(frozen=True, slots=True)
class Distance:
    """How far from its reference price a level lies, fixed at the moment of entry.

    Attributes:
        size: multiples of the average true range, or percent of the entry price.
        window: window of the average true range in bars; None for percent.
    """

    size: float
    window: int | None

    def to_json(self) -> dict[str, float]:
        if self.window is None:
            return {"percent": self.size}
        return {"atr": self.size, "window": self.window}

    def __str__(self) -> str:
        if self.window is None:
            return f"{literal(self.size)} % of the entry price"
        return f"{literal(self.size)} average true ranges of {self.window} bars"


@dataclass(frozen=True, slots=True)
class Target:
    """A profit target.

    Attributes:
        distance: from the entry price, fixed at the moment of entry.
        share: of the position that it closes, above 0 and at most 1.
        decay: bars until the distance, falling by the same amount with every bar held, has come to nothing and the
            target to the entry price, where it stays; None for a target that stays where it was set.
    """

    distance: Distance
    share: float = 1.0
    decay: int | None = None

    def to_json(self) -> dict[str, float]:
        """The JSON form, without what is not set."""
        form = self.distance.to_json()
        if self.share != 1.0:
            form["share"] = self.share
        if self.decay is not None:
            form["decay"] = self.decay
        return form

    def __str__(self) -> str:
        text = str(self.distance)
        if self.decay is not None:
            text += f", falling to nothing over {self.decay} bars"
        return text if self.share == 1.0 else f"{text}, for {literal(self.share * 100)} % of the position"


@dataclass(frozen=True, slots=True)
class Exits:
    """The exit set of a strategy.

    Attributes:
        stop: distance of the protective stop from the entry price. Every strategy has one: no position is ever naked.
        trail: distance of the trailing stop from the best price since entry, fixed at entry.
        chandelier: distance of a stop from the best price since entry, in average true ranges of each close as they
            come (Charles LeBeau's chandelier exit); it never moves back.
        break_even: how far the best price since entry must lie from the average entry price, as a distance fixed at
            entry, for the stop to be moved to the average entry price.
        take: profit targets, at most four; their shares add up to at most 1.
        time: bars after which the position is closed.
        cooldown: bars after an exit until the same side may be entered again; without it, not before the target has
            been flat or on the other side.
    """

    stop: Distance
    trail: Distance | None = None
    chandelier: Distance | None = None
    break_even: Distance | None = None
    take: tuple[Target, ...] = ()
    time: int | None = None
    cooldown: int | None = None

    @property
    def distances(self) -> tuple[Distance, ...]:
        """Every distance: of stop, trailing stop, chandelier, break-even and targets, in this order."""
        stops = (self.stop, self.trail, self.chandelier, self.break_even)
        return (*(each for each in stops if each is not None), *(target.distance for target in self.take))

    @property
    def windows(self) -> tuple[int, ...]:
        """The windows of the average true ranges, each once, in rising order."""
        return tuple(sorted({each.window for each in self.distances if each.window is not None}))

    @property
    def lookback(self) -> int:
        """Bars of history that the average true ranges need."""
        return max((average_true_range(window).lookback for window in self.windows), default=0)

    @property
    def takes_all(self) -> bool:
        """Whether the targets together close the whole position."""
        return _sum_of_shares(self.take) > 1.0 - _SHARES_WITHIN

    def to_json(self) -> dict[str, object]:
        """The JSON form, without what is not set."""
        form: dict[str, object] = {}
        for key in ("stop", "trail", "chandelier", "break_even"):
            distance: Distance | None = getattr(self, key)
            if distance is not None:
                form[key] = distance.to_json()
        if self.take:
            parts = [target.to_json() for target in self.take]
            form["take"] = parts[0] if len(parts) == 1 else parts
        for key, bars in (("time", self.time), ("cooldown", self.cooldown)):
            if bars is not None:
                form[key] = bars
        return form


#: Shares are typed as decimals, whose sum as floats may miss 1 by a little.
_SHARES_WITHIN = 1e-9


def _sum_of_shares(targets: Sequence[Target]) -> float:
    return sum(target.share for target in targets)


def windows_of(exits: Iterable[Exits]) -> tuple[int, ...]:
    """The windows of the average true ranges that any of some sets of exits uses, rising."""
    return tuple(sorted({window for each in exits for window in each.windows}))


@cache
def average_true_range(window: int) -> Node:
    """The program of the average true range."""
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
        chandelier=_chandelier(table["chandelier"]) if "chandelier" in table else None,
        break_even=_distance(table["break_even"], "break_even") if "break_even" in table else None,
        take=_targets(table["take"]) if "take" in table else (),
        time=_bars(table["time"], "time") if "time" in table else None,
        cooldown=_bars(table["cooldown"], "cooldown") if "cooldown" in table else None,
    )


def exit_problems(table: object) -> list[ClawdError]:
    """Everything that is wrong with a table of exits, at most one for each of them; nothing where it can be read."""
    try:
        read_exits(table)
    except ClawdError as first:
        if not isinstance(table, Mapping):
            return [first]
    else:
        return []
    known = {key: value for key, value in table.items() if key in _KEYS}
    one_by_one: list[Mapping[object, object]] = [{"stop": EXIT_KINDS[0].example, key: known[key]} for key in known]
    strange = [{**known, key: table[key]} for key in table if key not in _KEYS]
    without = [known] if "stop" not in known else []
    problems = []
    for each in (*strange, *without, *one_by_one):
        try:
            read_exits(each)
        except ClawdError as error:
            problems.append(error)
    return problems


def _chandelier(value: object) -> Distance:
    distance = _distance(value, "chandelier")
    if distance.window is None:
        raise ClawdError(
            "a chandelier hangs by the average true range of each bar, not by a percentage",
            where="exits.chandelier",
            hint="{ atr = 3, window = 22 }; a fixed percentage is a `trail`",
        )
    return distance


def _targets(value: object) -> tuple[Target, ...]:
    if isinstance(value, Mapping):
        return (_target(value, "take"),)
    form = "[{ percent = 2, share = 0.5 }, { percent = 4, share = 0.5 }]"
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ClawdError("a target is a table, several are a list of tables", where="exits.take", hint=form)
    if not 1 <= len(value) <= MOST_TARGETS:
        raise ClawdError(f"from 1 to {MOST_TARGETS} targets are possible, not {len(value)}", where="exits.take")
    targets = []
    for place, part in enumerate(value, 1):
        if len(value) > 1 and isinstance(part, Mapping) and "share" not in part:
            raise ClawdError("of several targets each needs its share", where=f"exits.take.{place}", hint=form)
        targets.append(_target(part, f"take.{place}"))
    whole = _sum_of_shares(targets)
    if whole > 1.0 + _SHARES_WITHIN:
        raise ClawdError(f"the shares must add up to at most 1, not {whole:g}", where="exits.take")
    return tuple(targets)


def _target(value: object, key: str) -> Target:
    if not isinstance(value, Mapping):
        return Target(_distance(value, key))
    distance = {name: part for name, part in value.items() if name not in ("share", "decay")}
    share = _number(value["share"], f"exits.{key}.share") if "share" in value else 1.0
    if not 0 < share <= 1:
        raise ClawdError(f"a share must be above 0 and at most 1, not {share:g}", where=f"exits.{key}.share")
    decay = _bars(value["decay"], f"{key}.decay") if "decay" in value else None
    return Target(_distance(distance, key), share, decay)


def _distance(value: object, key: str) -> Distance:
    where = f"exits.{key}"
    form = "{ atr = 3, window = 14 } or { percent = 10 }"
    if not isinstance(value, Mapping):
        raise ClawdError("a distance is a table", where=where, hint=form)
    if set(value) == {"percent"}:
        size = _number(value["percent"], where)
        highest = _KINDS[key.partition(".")[0]].most_percent
        if not 0 < size <= highest:
            raise ClawdError(f"percent must be above 0 and at most {highest:g}, not {size:g}", where=where)
        return Distance(size, None)
    if set(value) == {"atr", "window"}:
        size = _number(value["atr"], where)
        if not 0 < size <= MOST_TRUE_RANGES:
            raise ClawdError(f"atr must be above 0 and at most {MOST_TRUE_RANGES:g}, not {size:g}", where=where)
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
