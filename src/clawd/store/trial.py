"""A trial: one strategy on one stretch of one data set at one cost, and what came out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_WORD: Final = 8  # bytes of an int64 and of a float64


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """How net returns were spread over time: sums over S segments of bars. Two are equal when every bit is.

    Attributes:
        bars: int64 [S], bars of each segment.
        returns: float64 [S], sums of their net returns, shares of the capital.
        squares: float64 [S], sums of the squares of their net returns.

    Raises:
        ValueError: when the three differ in length or are not rows.
    """

    bars: NDArray[np.int64]
    returns: NDArray[np.float64]
    squares: NDArray[np.float64]

    def __post_init__(self) -> None:
        shapes = {self.bars.shape, self.returns.shape, self.squares.shape}
        if len(shapes) != 1 or self.bars.ndim != 1:
            raise ValueError(f"segments are three rows of equal length, these have the shapes {sorted(shapes)}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Segments) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]

    def to_bytes(self) -> bytes:
        """The three rows one after another, little-endian, which ``from_bytes`` turns back into the same bits."""
        columns = ((self.bars, "<i8"), (self.returns, "<f8"), (self.squares, "<f8"))
        return b"".join(np.ascontiguousarray(values, kind).tobytes() for values, kind in columns)

    @classmethod
    def from_bytes(cls, data: bytes) -> Segments:
        """The segments that ``to_bytes`` wrote.

        Raises:
            ValueError: when the length is not that of three rows.
        """
        length, rest = divmod(len(data), 3 * _WORD)
        if rest:
            raise ValueError(f"{len(data)} bytes are not three rows of eight-byte numbers")
        sums = np.frombuffer(data, "<f8", 2 * length, length * _WORD).astype(np.float64)
        return cls(np.frombuffer(data, "<i8", length).astype(np.int64), sums[:length], sums[length:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One strategy on one stretch of data at one cost, and what came out. A number that is undefined is NaN.

    What makes it this trial and no other is its content hash, its data, first and last bar, fee and slippage.

    Attributes:
        content_hash: the strategy, its constants included.
        family_hash: the strategy with its constants left out.
        data_fingerprint: the data set.
        first_ts, last_ts: the opens of the first and the last bar it was tried on, UTC nanoseconds.
        fee: per side, share of notional.
        slippage: per side, share of price.
        author: who wrote it: ``person``, ``library``, ``grid``, ``evolution`` and so on.
        name: what its author calls it.
        recorded_at: when it was tried, UTC nanoseconds.
        code_version: of the program that tried it, the release and a digest of what results depend on.
        bars, trades: how many bars were traded on, and how many trades there were.
        sharpe: annualised, of net returns.
        mean, sd, skew, kurtosis: of net returns per bar; the kurtosis of a normal law is 3.
        total_return: share of the capital at the start.
        max_drawdown: the deepest fall from a peak, a share of the peak, not negative.
        turnover: notional traded over capital, as the engine states it.
        exposure, net_exposure: mean gross and mean signed exposure at the closes, shares of the capital.
        capital: quote currency.
        run: the campaign that it belongs to, empty outside of one.
        seed: of the run, None where nothing was left to chance.
        parents: content hashes of the strategies that it was made from.
        origin: how it was made, such as ``file``, ``grid``, ``random``, ``mutation:window``, ``crossover``.
        program: the strategy in its JSON form, empty where it was not kept.
        segments: how its net returns were spread over time, None where it was not kept.
        extra: whatever else, JSON without NaN.
        looks: how often it was recorded.
    """

    content_hash: str
    family_hash: str
    data_fingerprint: str
    first_ts: int
    last_ts: int
    fee: float
    slippage: float
    author: str
    name: str
    recorded_at: int
    code_version: str
    bars: int
    trades: int
    sharpe: float = math.nan
    mean: float = math.nan
    sd: float = math.nan
    skew: float = math.nan
    kurtosis: float = math.nan
    total_return: float = math.nan
    max_drawdown: float = math.nan
    turnover: float = math.nan
    exposure: float = math.nan
    net_exposure: float = math.nan
    capital: float = math.nan
    run: str = ""
    seed: int | None = None
    parents: tuple[str, ...] = ()
    origin: str = ""
    program: str = ""
    segments: Segments | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    looks: int = 1

    def __post_init__(self) -> None:
        # SQLite keeps no sign of a zero, and what is read back must be what was made, bit by bit.
        for name in FIGURES:
            if getattr(self, name) == 0:
                object.__setattr__(self, name, 0.0)


#: What came out, as far as it is a number that may be undefined.
FIGURES: Final = (
    "sharpe", "mean", "sd", "skew", "kurtosis", "total_return", "max_drawdown", "turnover", "exposure",
    "net_exposure", "capital",
)  # fmt: skip
