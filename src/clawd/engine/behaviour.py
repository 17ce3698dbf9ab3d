"""What a strategy does, as 64 bits: two that trade alike have like bits, however they are written.

The strategy is run on a reference market that never changes, and the signs of its net returns are hashed (Charikar
2002, *Similarity estimation techniques from rounding algorithms*). Each bit is the side of a random hyperplane on which
the vector of signs lies, so the share of bits in which two hashes differ estimates the angle between the vectors, as a
share of a half turn. Equal streams have distance 0, unrelated ones about a half, opposite ones about 1.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Floats, Panel
from clawd.engine.backtest import run_backtest
from clawd.language.node import walk
from clawd.language.operators import OPERATORS
from clawd.language.strategy import Strategy
from clawd.language.types import Parameter

#: Changing any of these changes every hash.
LENGTH = 1_500
INSTRUMENTS = 5
BITS = 64
_SEED = 0x434C4157_44010000
#: Small enough, with the costs, that no strategy is soon ruined: the ruined all look alike.
_ANNUAL_VOLATILITY = 0.3
_COSTS = Costs(fee=Decimal("0.00002"), slippage=Decimal(0))
_CAPITAL = Decimal(1_000_000)
_SMALLEST = 1e-12
_MASK = 2**64 - 1
_FIRST_PRICE, _PER_UNIT = 10**12, 10**10
_FIRST_BAR = 1_577_836_800_000_000_000  # 2020-01-01


def behaviour_hash(strategy: Strategy) -> str:
    """The 64 bits of what a strategy does on the reference market, as 16 hexadecimal digits.

    Equal for strategies whose net returns have the same signs on every bar. A strategy that never trades on the
    reference market, or needs more history than it has, has all bits 0.
    """
    return f"{int(''.join('1' if total > 0 else '0' for total in _planes() @ behaviour(strategy)), 2):016x}"


def behaviour_distance(one: str, other: str) -> float:
    """The share of bits in which two behaviour hashes differ: 0 alike, about 0.5 unrelated, 1 opposite."""
    return (int(one, 16) ^ int(other, 16)).bit_count() / BITS


def behaviour(strategy: Strategy) -> NDArray[np.int64]:
    """int64 [T], the sign of the net return of each bar of the reference market: -1, 0 or 1.

    The market is made for the strategy: it has the bars that it asks for, or days, and every instrument and series that
    it names. Named instruments are the first of the reference instruments, in alphabetical order.
    """
    panel = _reference(
        strategy.bar or NANOSECONDS_PER_DAY,
        _symbols(strategy),
        *(tuple(sorted(names)) for names in (_series(strategy), _named(strategy, "GROUP"))),
    )
    everywhere = replace(strategy, universe=None)  # the market has nothing else, and all that the program names
    returns = run_backtest(everywhere, panel, _COSTS, _CAPITAL).net_returns
    return np.where(np.abs(returns) < _SMALLEST, 0, np.sign(returns)).astype(np.int64)


def _named(strategy: Strategy, kind: str) -> set[str]:
    return {
        str(value)
        for node in walk(strategy.target)
        for value, parameter in zip(node.parameters, OPERATORS[node.operator].signature.parameters, strict=True)
        if parameter.name == kind
    }


def _series(strategy: Strategy) -> set[str]:
    """The keys of the series that a program reads: those of books, derivatives and models carry their kind."""
    return {
        str(node.parameters[0]) if node.operator == "ext" else f"{node.operator}:{node.parameters[0]}"
        for node in walk(strategy.target)
        if Parameter.NAME in OPERATORS[node.operator].signature.parameters and node.operator != "clock"
    }


def _symbols(strategy: Strategy) -> tuple[str, ...]:
    named = sorted(_named(strategy, "INSTRUMENT") | set(strategy.universe or ()))
    if strategy.universe is not None:
        return tuple(named)
    spare = (name for name in map("reference {}".format, range(INSTRUMENTS + len(named))) if name not in named)
    return (*named, *(next(spare) for _ in range(INSTRUMENTS - len(named))))


def _stream(seed: int) -> Iterator[int]:
    """Random integers of 64 bits (Steele, Lea and Flood 2014: SplitMix64), the same on every machine."""
    state = seed & _MASK
    while True:
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        yield mixed ^ (mixed >> 31)


def _bell(stream: Iterator[int]) -> int:
    """About normal, in thousandths of a standard deviation: the sum of twelve uniforms, in integers."""
    bits = next(stream)
    total = sum((bits >> shift) & 0x1F for shift in range(0, 60, 5))  # each of 0 … 31: deviation 9.233
    return (2 * total - 12 * 31) * 1_000 // 64


@lru_cache(maxsize=1)
def _planes() -> NDArray[np.int64]:
    """int64 [BITS, LENGTH], each -1 or 1: the hyperplanes."""
    stream = _stream(_SEED)
    words = [next(stream) for _ in range(LENGTH)]
    return np.array([[1 if word >> bit & 1 else -1 for word in words] for bit in range(BITS)], np.int64)


@lru_cache(maxsize=64)
def _reference(bar: int, symbols: tuple[str, ...], series: tuple[str, ...], groups: tuple[str, ...]) -> Panel:
    """The reference market: prices with trends, reversals and a common part, bars that are missing, funding."""
    bars_per_year = 365.0 * NANOSECONDS_PER_DAY / bar
    # sqrt is rounded alike on every machine, and integers are exact.
    step = max(20, round(_ANNUAL_VOLATILITY / math.sqrt(bars_per_year) * 1e6))
    fields = [_instrument(index, step) for index in range(len(symbols))]
    rows: dict[str, Any] = {name: np.array([each[name] for each in fields]) for name in fields[0]}
    return Panel(
        instruments=tuple(Instrument.from_first_price(name, _FIRST_PRICE / _PER_UNIT) for name in symbols),
        bar=bar,
        times=_FIRST_BAR + bar * np.arange(LENGTH, dtype=np.int64),
        bars_per_year=bars_per_year,
        series={name: _outside(name) for name in series},
        groups={name: np.arange(len(symbols), dtype=np.int64) % 2 for name in groups},
        **rows,
    )


@lru_cache(maxsize=256)
def _instrument(index: int, step: int) -> dict[str, Floats]:
    """The bars of one instrument, in integers until they are divided.

    Args:
        index: which one.
        step: the standard deviation of a bar's return, in millionths.
    """
    common, own = _stream(_SEED + 1), _stream(_SEED + 2 + index)
    price, drift, funding = _FIRST_PRICE, 0, [0.0] * LENGTH
    fields = {name: [0.0] * LENGTH for name in ("open", "high", "low", "close", "volume")}
    for bar in range(LENGTH):
        shared, alone, jump = _bell(common), _bell(own), next(own)
        if jump % 60 == 0:  # a new regime: a drift up, down or none
            drift = ((jump >> 8) % 3 - 1) * 120
        change = (shared * 500 + alone * 800) // 1_000 + drift
        opened = price + price // 10**6 * (step * _bell(own) // 12_000)
        price = max(10**9, opened + opened // 10**6 * (step * change // 1_000))
        reach = [opened // 10**6 * (step * (next(own) % 600) // 1_000) for _ in range(2)]
        volume = 10**6 + next(own) % 10**6 + 400 * abs(change)
        if index % 2 == 1 and bar % 8 == 0:
            funding[bar] = (_bell(own) + 300) / 1e7
        values = (opened, max(opened, price) + reach[0], max(10**8, min(opened, price) - reach[1]), price)
        for name, value in zip(("open", "high", "low", "close"), values, strict=True):
            fields[name][bar] = value / _PER_UNIT
        fields["volume"][bar] = float(volume)
        hole = next(own) % 1_000
        if index % 3 == 2 and (hole < 15 or bar < 40):  # listed late, and some bars are missing
            for values_ in fields.values():
                values_[bar] = math.nan
            funding[bar] = 0.0
    return {name: np.array(values) for name, values in (*fields.items(), ("funding", funding))}


@lru_cache(maxsize=256)
def _outside(name: str) -> Floats:
    """A slow series about 0 with steps of about 1, of its own for each name; nothing before its twentieth bar."""
    stream = _stream(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))
    value, values = 0, []
    for _ in range(LENGTH):
        value = value * 9 // 10 + _bell(stream) // 2
        values.append(value / 1_000)
    return np.array([math.nan] * 20 + values[20:])
