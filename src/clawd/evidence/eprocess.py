"""Evidence as wealth: a gambler bets on a strategy's net returns, and only an edge can make him rich.

The gambler starts with 1, splits it over several accounts, and account λ stakes ``min(λ, 1/b_t)`` of itself
on bar t:

    E_n = mean over λ in FRACTIONS of Π_{t≤n} (1 + min(λ, 1/b_t) r_t)

Here r_t is the bar's net return on the agent's capital and b_t, fixed before the bar, is the most that the
bar can lose. The stake never exceeds 1/b_t, so no factor is negative. Under "no edge", E[r_t | past] ≤ 0,
each factor has a mean of at most 1 given the past, whatever the law of the returns and however they depend on
one another; each account, and so their mean, is a nonnegative supermartingale from 1. Ville's inequality then
bounds the chance that E *ever* reaches 1/α by α, so one may look after every bar and stop at the best moment.

Two things carry the proof, and both are the caller's to keep:

* The bound is predictable: a function of what was known before the bar opened. A bound that has seen the bar
  lets the gambler bet more on the winners than on the losers, and wealth grows from nothing.
* The bound is true: what a position can lose when the market closes its doors, not what it usually loses: the
  exposure of a long, the isolated margin of a short, fees included. A loss beyond it ends the process at 0,
  but cannot take back what was decided before on the strength of a bound that could be broken. Nor may a loss
  be cut to the bound: a strategy that collects pennies before a crash would pass.

Returns that carry rounding get it added to their bound by the caller: a wider bound is always honest and only
slower.

References: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86
(2024); Shafer, "Testing by betting", JRSS A 184 (2021); Xu and Ramdas, "Online multiple testing with
e-values", AISTATS (2024); Ville, "Étude critique de la notion de collectif" (1939).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clawd.core.errors import ClawdError

#: Λ. What pays most is to stake about the mean of the returns over their variance (Kelly), a Sharpe ratio over a
#: volatility: 1 for a good book that is fully invested, 100 for one that always holds a hundredth of its capital. A
#: quarter is for books as uneven as lotteries. Accounts above 1/b_t stake the same, so many of them cost nothing.
FRACTIONS: Final = (0.25, 1.0, 4.0, 16.0, 64.0, 256.0)


@dataclass(frozen=True, slots=True)
class EProcess:
    """The evidence for one hypothesis after some bars; ``EProcess()`` is the start.

    Folding the same bars gives the same bits on one machine (the logarithm is the C library's).

    Attributes:
        log_wealth: [6] natural logarithm of each account's wealth, in the order of ``FRACTIONS``; -inf is
            ruin.
        bars: how many bars were seen, those that were not bet on included.
        log_peak: logarithm of the highest wealth so far, never below 0.
        broken: whether a bar lost more than its bound; the wealth is 0 from then on.
    """

    log_wealth: tuple[float, ...] = (0.0,) * len(FRACTIONS)
    bars: int = 0
    log_peak: float = 0.0
    broken: bool = False

    @property
    def wealth(self) -> float:
        """E_n, at least 0; inf where it is beyond the range of a float."""
        return _exp(_log_mean(self.log_wealth))

    @property
    def peak(self) -> float:
        """The highest E up to now, at least 1.

        Reaching a level that was fixed beforehand is stopping there, so it counts although the wealth has
        fallen since. The peak itself is no e-value: it must not be averaged, multiplied, or held against a
        level chosen afterwards.
        """
        return _exp(self.log_peak)

    def reached(self, wealth: float) -> bool:
        """Whether the wealth was ever as high as this; never so for a process whose bound was broken."""
        return not self.broken and self.peak >= wealth

    def after(self, net_return: float, bound: float) -> EProcess:
        """The evidence after one more bar.

        Args:
            net_return: of the bar, a share of the agent's capital, all costs taken off; the whole loss, never
                cut.
            bound: the most that the bar could lose, a share of capital known before the bar; 0 where nothing
                was held, and then the bar is not bet on; inf where the loss has no limit, and then nothing is
                staked.

        Raises:
            ValueError: when the return is not a finite number or the bound is negative or NaN.
        """
        if not math.isfinite(FRACTIONS[-1] * net_return):
            raise ValueError(f"a net return must be a finite number, it was {net_return!r}")
        if not bound >= 0:
            raise ValueError(f"a bound must not be negative, it was {bound!r}")
        bars = self.bars + 1
        if self.broken or net_return < -bound:
            return EProcess((-math.inf,) * len(FRACTIONS), bars, self.log_peak, broken=True)
        if bound == 0:
            return EProcess(self.log_wealth, bars, self.log_peak)
        log_wealth = tuple(
            wealth + _log_factor(fraction, net_return, bound)
            for wealth, fraction in zip(self.log_wealth, FRACTIONS, strict=True)
        )
        return EProcess(log_wealth, bars, max(self.log_peak, _log_mean(log_wealth)))

    def to_json(self) -> dict[str, Any]:
        """A JSON object that ``from_json`` turns back into the same bits; ruin is written as null."""
        return {
            "fractions": list(FRACTIONS),
            "log_wealth": [None if wealth == -math.inf else wealth for wealth in self.log_wealth],
            "bars": self.bars,
            "log_peak": self.log_peak,
            "broken": self.broken,
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> EProcess:
        """The process that ``to_json`` saved.

        Raises:
            ClawdError: when it was saved with other fractions: its accounts mean something else.
            KeyError, TypeError: when it is not such an object.
        """
        if saved["fractions"] != list(FRACTIONS):
            raise ClawdError(
                f"this e-process bets {saved['fractions']}, and this clawd bets {list(FRACTIONS)}",
                hint="fold it anew from its bars",
            )
        return cls(
            tuple(-math.inf if wealth is None else float(wealth) for wealth in saved["log_wealth"]),
            int(saved["bars"]),
            float(saved["log_peak"]),
            bool(saved["broken"]),
        )


def log_wealth(net_returns: NDArray[np.float64], bounds: NDArray[np.float64]) -> NDArray[np.float64]:
    """The natural logarithm of E after each bar of many streams, for study and for charts; -inf where it is 0.

    The same as folding :meth:`EProcess.after`, but for the rounding of sums in another order.

    Args:
        net_returns, bounds: [..., T], as of :meth:`EProcess.after`.

    Raises:
        ValueError: when a return is not a finite number, or a bound is negative or NaN.
    """
    if not (np.isfinite(FRACTIONS[-1] * net_returns).all() and (bounds >= 0).all()):
        raise ValueError("net returns must be finite numbers, and bounds must not be negative")
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = np.where(bounds > 0, net_returns / bounds, 0.0)
        total = np.full(net_returns.shape, -np.inf)
        for fraction in FRACTIONS:
            gains = np.where(fraction * bounds >= 1, whole, fraction * net_returns)
            logs = np.log1p(np.where(bounds > 0, np.maximum(gains, -1.0), 0.0))
            total = np.logaddexp(total, np.cumsum(logs, axis=-1))
    broken = np.maximum.accumulate(net_returns < -bounds, axis=-1)
    return np.where(broken, -np.inf, total - math.log(len(FRACTIONS)))


def _log_factor(fraction: float, net_return: float, bound: float) -> float:
    # r / b rather than (1 / b) r: a loss of exactly the bound is then exactly ruin.
    gain = net_return / bound if fraction * bound >= 1 else fraction * net_return
    return math.log1p(gain) if gain > -1 else -math.inf


def _log_mean(logs: tuple[float, ...]) -> float:
    """Logarithm of the mean of what the logarithms stand for."""
    top = max(logs)
    if top == -math.inf:
        return -math.inf
    return top + math.log(sum(math.exp(log - top) for log in logs) / len(logs))


def _exp(log: float) -> float:
    try:
        return math.exp(log)
    except OverflowError:
        return math.inf
