"""Markets made from real bars in which no strategy has an edge.

A real bar is taken apart into what can be kept without keeping what can be predicted: how volatile it was inside, how
far it opened from the close before, and how much was traded. These go into the surrogate, in an order that is drawn
anew in one of two ways:

* *block-shuffled*: whole cross-sections of bars in blocks of geometric length (the stationary bootstrap of Politis
  and Romano), so that volatility clusters as it did, together in all instruments;
* *phase-randomised*: the logarithms of volatility and volume with the phases of their Fourier transforms drawn anew,
  the same for all instruments and both (Prichard and Theiler), so that every spectrum and cross-spectrum stays to
  the last digit, and with them how fast volatility is forgotten.

The direction is drawn anew too, and this is what makes the world hold no edge *for any strategy at all*. Within its
bar a price is a geometric Brownian motion of the bar's volatility with no drift, correlated between instruments as
the real bars were; its close and its extremes are drawn from their exact joint laws. A gap to the next open goes up
or down by a coin. So given everything before it, the simple return from close to open and that from open to close
each have a mean of zero, and so has the gain of a stop or a target at any level: of a continuous martingale
E[close | the level was touched] is the level. Where a bar touches a stop and a target, the fill rules take the stop,
which is never better on average. Costs come on top, so E[r | past] <= 0 for every strategy that the platform can run.

Nothing less will do. To shuffle the bars as they are and take off the mean leaves what was within the blocks: the
lag-one correlation of the sample market's daily returns (-0.05 and -0.07) is a reversal strategy of Sharpe 0.8 to
1.1 before costs. To keep the spectrum of *returns* keeps it too, for that is the autocorrelation. And the extremes of
real bars lie so near to their closes that a tight stop gains from them (a tenth of a day's volatility for each touch
in the sample market), which in a shuffled market can be repeated for ever. Nor is a mean taken off within the sample:
a return whose sum is known to be zero is predicted by those before it, by minus their sum over the bars left (a
bridge). Here the mean is zero in the law and not in the draw.

What remains: a short loses at most its margin when a gap carries the price beyond twice its entry. With gaps held to
`LARGEST_GAP` it cannot happen to one that has a stop at a half of its entry or nearer.

References: Politis and Romano, "The stationary bootstrap", JASA 89 (1994); Theiler et al., "Testing for nonlinearity
in time series: the method of surrogate data", Physica D 58 (1992); Prichard and Theiler, "Generating surrogate data
for time series with several simultaneously measured variables", PRL 73 (1994).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Floats, Panel
from clawd.data.market_hours import bars_per_year, never_closes

#: Annual volatility of a world's instruments, that of a coin. Wealth grows by Sharpe x volatility a year at most:
#: at a fifth of this the same proof takes five times as many years.
VOLATILITY: Final = 0.8
#: Mean length of a block of bars.
BLOCK: Final = 60
#: A gap may not carry a price further than this share.
LARGEST_GAP: Final = 0.3
#: Instruments in a world, independent copies of the source's where it has fewer.
INSTRUMENTS: Final = 4
FEWEST_BARS: Final = 250
_START: Final = 3_658 * NANOSECONDS_PER_DAY  # 1980-01-07, a Monday
#: Prices wander far in decades, and a tick must never decide a result.
_STEP: Final = Decimal("1e-12")
_FIRST_PRICE: Final = 1e4


@dataclass(frozen=True, eq=False)
class Rows:
    """What is kept of real bars of a day each: cross-sections without direction.

    Attributes:
        symbols: I names.
        volatility: float64 [I, T], above 0: standard deviation of the logarithm of price within the bar.
        gap: float64 [I, T], simple return from the close before to the open.
        volume: float64 [I, T], above 0, relative to the year around it.
        correlation: float64 [I, I], of the returns from open to close, each over its bar's volatility.
        weekends: whether the market trades on them.
    """

    symbols: tuple[str, ...]
    volatility: Floats
    gap: Floats
    volume: Floats
    correlation: Floats
    weekends: bool

    @property
    def bars_per_year(self) -> float:
        """Of a world made of these."""
        return bars_per_year(_calendar(FEWEST_BARS, self.weekends), NANOSECONDS_PER_DAY)

    @classmethod
    def of(cls, panel: Panel, volatility: float = VOLATILITY) -> Rows:
        """Of the bars of a market, those shorter than a day taken together, scaled to one annual volatility.

        Bars that an instrument lacks are left out for all.

        Raises:
            ClawdError: when there are too few, or an instrument never moves.
        """
        daily = _days(panel)
        opened, high, low, close = daily.open, daily.high, daily.low, daily.close
        if close.shape[1] <= FEWEST_BARS:
            raise ClawdError(
                f"a world needs more than {FEWEST_BARS} days on which all of its instruments have bars,"
                f" there were {close.shape[1]}",
                hint="name fewer instruments, or ones with a longer history in common",
            )
        gap = opened[:, 1:] / close[:, :-1] - 1.0
        # Parkinson (1980): the range of a Brownian motion of volatility s has a mean square of 4 ln 2 s^2.
        within = np.log(high / low)[:, 1:] / np.sqrt(4.0 * np.log(2.0))
        smallest = np.quantile(within, 0.01, axis=1, keepdims=True)
        if not np.all(smallest > 0.0):
            still = daily.symbols[int(np.argmin(smallest))]
            raise ClawdError("its price stands still too often to make a world of", where=still)
        within = np.maximum(within, smallest)
        standard = np.log(close / opened)[:, 1:] / within
        weekends = never_closes(daily.times)
        year = bars_per_year(daily.times, NANOSECONDS_PER_DAY)
        scale = volatility / np.sqrt(year * (within**2 + gap**2).mean(axis=1, keepdims=True))
        return cls(
            symbols=daily.symbols,
            volatility=scale * within,
            gap=np.clip(scale * gap, -LARGEST_GAP, LARGEST_GAP),
            volume=_relative(daily.volume[:, 1:]),
            correlation=np.atleast_2d(np.corrcoef(standard)),
            weekends=weekends,
        )


@dataclass(frozen=True, eq=False)
class Draws:
    """All of the chance in a world, with no drift yet: the same draws with another drift are the same days.

    Attributes:
        instruments: I, with their steps.
        times: int64 [T].
        volatility, gap, volume: float64 [I, T], of each bar; gaps with their signs.
        shock: float64 [I, T], standard normal, correlated: the bar's move from open to close over its volatility.
        up, down: float64 [I, T], exponential of mean 1: how far the extremes lie beyond open and close.
    """

    instruments: tuple[Instrument, ...]
    times: NDArray[np.int64]
    volatility: Floats
    gap: Floats
    volume: Floats
    shock: Floats
    up: Floats
    down: Floats

    def panel(self, drift: Floats | None = None) -> Panel:
        """The world's bars.

        Args:
            drift: float64 [I, T], above -1: the mean of each bar's simple return from open to close; none when None.
        """
        rate = 0.0 if drift is None else np.log1p(drift)
        variance = self.volatility**2
        body = rate - variance / 2.0 + self.volatility * self.shock
        # A Brownian motion from 0 to x, whatever its drift: P(maximum > h) = exp(-2 h (h - x) / variance).
        high = (body + np.sqrt(body**2 + 2.0 * variance * self.up)) / 2.0
        low = (body - np.sqrt(body**2 + 2.0 * variance * self.down)) / 2.0
        log_open = np.log(_FIRST_PRICE) + np.cumsum(np.log1p(self.gap), axis=1)
        log_open[:, 1:] += np.cumsum(body, axis=1)[:, :-1]
        opened, close = np.exp(log_open), np.exp(log_open + body)
        return Panel(
            instruments=self.instruments,
            bar=NANOSECONDS_PER_DAY,
            times=self.times,
            open=opened,
            high=np.maximum(np.exp(log_open + high), np.maximum(opened, close)),
            low=np.minimum(np.exp(log_open + low), np.minimum(opened, close)),
            close=close,
            volume=self.volume,
            funding=np.zeros_like(close),
            bars_per_year=bars_per_year(self.times, NANOSECONDS_PER_DAY),
        )


class Surrogate(Protocol):
    """How a world is drawn."""

    def __call__(self, rows: Rows, length: int, seed: int, instruments: int = ...) -> Draws: ...


#: The volatility, gaps and volume of a world, each [I, length], the gaps before their coin.
_Order = Callable[[Rows, int, np.random.Generator], tuple[Floats, Floats, Floats]]


def block_shuffled(rows: Rows, length: int, seed: int, instruments: int = INSTRUMENTS) -> Draws:
    """A world of the rows' cross-sections in blocks of random length.

    Args:
        rows: of real bars.
        length: T, bars wanted, as many as one likes.
        seed: of everything that is drawn.
        instruments: how many; where the rows have fewer, the rest are independent copies of them.
    """
    return _drawn(rows, length, seed, instruments, _shuffle)


def phase_randomised(rows: Rows, length: int, seed: int, instruments: int = INSTRUMENTS) -> Draws:
    """A world whose volatility and volume have the rows' spectra; arguments as of :func:`block_shuffled`.

    One longer than the rows is several surrogates of their length, one after another.
    """
    return _drawn(rows, length, seed, instruments, _rephase)


def with_random_phases(values: Floats, random: np.random.Generator) -> Floats:
    """Series with the spectra and cross-spectra of these and nothing else of them (Prichard and Theiler, 1994).

    Args:
        values: float64 [N, T].
        random: one random phase is drawn from it for each frequency, and added to that of every series.
    """
    length = values.shape[1]
    spectrum = np.fft.rfft(values, axis=1)
    phases = 2.0 * np.pi * random.random(int(spectrum.shape[1]))
    phases[0] = 0.0  # the mean stays
    if length % 2 == 0:
        phases[-1] = np.pi * random.integers(2)  # the highest frequency is a real number
    return np.fft.irfft(spectrum * np.exp(1j * phases), length, axis=1)


def blocks(count: int, length: int, random: np.random.Generator, mean: float = BLOCK) -> NDArray[np.int64]:
    """Indices [length] into ``count`` rows: the stationary bootstrap, blocks that go round at the end."""
    starts = random.random(length) < 1.0 / mean
    starts[0] = True
    first = np.maximum.accumulate(np.where(starts, np.arange(length), 0))
    return (random.integers(0, count, length)[first] + np.arange(length) - first) % count


def _drawn(rows: Rows, length: int, seed: int, instruments: int, order: _Order) -> Draws:
    random = np.random.default_rng(seed)
    copies = -(-instruments // len(rows.symbols))
    parts = [_copy(rows, length, random, order) for _ in range(copies)]
    names = [symbol if copy == 0 else f"{symbol}{copy + 1}" for copy in range(copies) for symbol in rows.symbols]
    fields = [np.concatenate([part[field] for part in parts])[:instruments] for field in range(6)]
    return Draws(
        tuple(Instrument(name, _STEP, _STEP) for name in names[:instruments]),
        _calendar(length, rows.weekends),
        *fields,
    )


def _copy(rows: Rows, length: int, random: np.random.Generator, order: _Order) -> tuple[Floats, ...]:
    volatility, gap, volume = order(rows, length, random)
    shape = volatility.shape
    coin = np.where(random.random(length) < 0.5, -1.0, 1.0)
    root = np.linalg.cholesky(rows.correlation + 1e-9 * np.eye(shape[0]))
    shock = root @ random.standard_normal(shape)
    return volatility, gap * coin, volume, shock, random.standard_exponential(shape), random.standard_exponential(shape)


def _shuffle(rows: Rows, length: int, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    picked = blocks(rows.gap.shape[1], length, random)
    return rows.volatility[:, picked], rows.gap[:, picked], rows.volume[:, picked]


def _rephase(rows: Rows, length: int, random: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    logs = np.log(np.concatenate([rows.volatility, rows.volume]))
    count = logs.shape[1]
    surrogates = [with_random_phases(logs, random) for _ in range(-(-length // count))]
    volatility, volume = np.split(np.exp(np.concatenate(surrogates, axis=1)[:, :length]), 2)
    # Logarithms of random phases are normal, those of real days are not: without this it would be calmer or wilder.
    volatility *= np.sqrt((rows.volatility**2).mean(axis=1) / (volatility**2).mean(axis=1))[:, None]
    gap = (rows.gap / rows.volatility)[:, random.integers(0, count, length)] * volatility
    return volatility, np.clip(gap, -LARGEST_GAP, LARGEST_GAP), volume


def _days(panel: Panel) -> Panel:
    """Bars of a day, of the bars at which all instruments are there."""
    whole = np.flatnonzero(panel.present.all(axis=0))
    if panel.bar > NANOSECONDS_PER_DAY:
        raise ClawdError("a world is made of bars of a day or shorter ones")
    day = panel.times[whole] // NANOSECONDS_PER_DAY
    first = np.flatnonzero(np.diff(day, prepend=-1))
    last = np.append(first[1:], day.size) - 1
    return Panel(
        instruments=panel.instruments,
        bar=NANOSECONDS_PER_DAY,
        times=day[first] * NANOSECONDS_PER_DAY,
        open=panel.open[:, whole[first]],
        high=np.maximum.reduceat(panel.high[:, whole], first, axis=1),
        low=np.minimum.reduceat(panel.low[:, whole], first, axis=1),
        close=panel.close[:, whole[last]],
        volume=np.add.reduceat(panel.volume[:, whole], first, axis=1),
        funding=np.zeros((len(panel.instruments), first.size)),
        bars_per_year=bars_per_year(panel.times, NANOSECONDS_PER_DAY),
    )


def _relative(volume: Floats) -> Floats:
    """Volumes over the mean of the year around them, so that eras do not jump; 1 where one is unknown or nothing."""
    year = np.ones(251)
    known = np.where(np.isfinite(volume) & (volume > 0.0), volume, np.nan)
    filled = np.where(np.isnan(known), 0.0, known)
    counted = np.stack([np.convolve(row, year, "same") for row in (~np.isnan(known)).astype(np.float64)])
    around = np.stack([np.convolve(row, year, "same") for row in filled]) / np.maximum(counted, 1.0)
    return np.where(np.isnan(known), 1.0, known / np.where(around > 0.0, around, 1.0))


def _calendar(length: int, weekends: bool) -> NDArray[np.int64]:
    """The opens of days from a Monday on, without Saturdays and Sundays where the market knows none."""
    days = np.arange(length)
    return _START + (days if weekends else days // 5 * 7 + days % 5) * NANOSECONDS_PER_DAY
