"""Many p-values at once: which of them still count, and what each is worth.

``bonferroni`` and ``holm`` keep the chance of even one false discovery at the level, however the tests depend on one
another. The others keep the expected *share* of false ones among the discoveries: ``benjamini_yekutieli`` whatever
the dependence, ``benjamini_hochberg`` where tests are independent or positively dependent, and ``two_stage`` where
they are independent, gaining power where many are true.

A p-value that does not exist, NaN, was a test all the same: it counts, as 1, and is no discovery.

References: Holm, Scandinavian Journal of Statistics 6 (1979); Benjamini and Hochberg, JRSS B 57 (1995); Benjamini and
Yekutieli, Annals of Statistics 29 (2001); Benjamini, Krieger and Yekutieli, Biometrika 93 (2006).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clawd.core.panel import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Discoveries:
    """What is left of M tests.

    Attributes:
        rejected: bool [M], the null hypotheses that fall.
        adjusted: float64 [M], the lowest level at which each would fall; NaN where the p-value is.
    """

    rejected: NDArray[np.bool_]
    adjusted: Floats


def bonferroni(p_values: Floats, level: float = 0.05) -> Discoveries:
    """M p. Raises ValueError when a p-value is not within [0, 1] or the level not within (0, 1); p is float64 [M]."""
    return _discoveries(p_values, level, lambda ranked: len(ranked) * ranked)


def holm(p_values: Floats, level: float = 0.05) -> Discoveries:
    """Bonferroni of those that are left, from the smallest p-value on: max over j <= i of (M - j + 1) p_(j).

    Arguments and errors as of ``bonferroni``.
    """
    return _discoveries(p_values, level, lambda ranked: np.maximum.accumulate(_ranks(ranked)[::-1] * ranked))


def benjamini_hochberg(p_values: Floats, level: float = 0.1) -> Discoveries:
    """The largest i with p_(i) <= i level / M, and all below: min over j >= i of M p_(j) / j.

    Arguments and errors as of ``bonferroni``.
    """
    return _discoveries(p_values, level, _step_up)


def benjamini_yekutieli(p_values: Floats, level: float = 0.1) -> Discoveries:
    """As Benjamini and Hochberg at level / (1 + 1/2 + ... + 1/M). Arguments and errors as of ``bonferroni``."""
    return _discoveries(p_values, level, lambda ranked: (1 / _ranks(ranked)).sum() * _step_up(ranked))


def two_stage(p_values: Floats, level: float = 0.1) -> Discoveries:
    """Benjamini and Hochberg twice: what the first round does not reject estimates how many nulls are true.

    The form that Benjamini, Krieger and Yekutieli call TST without its factor 1 + level. Its adjusted p-values hold
    at this level only. Arguments and errors as of ``bonferroni``.
    """

    def adjusted(ranked: Floats) -> Floats:
        once = _step_up(ranked)
        left = int(np.count_nonzero(once > level))
        return once * (left / len(ranked)) if left > 0 else once

    return _discoveries(p_values, level, adjusted)


def _discoveries(p_values: Floats, level: float, adjust: Callable[[Floats], Floats]) -> Discoveries:
    """Those whose adjusted p-value, made from the ascending p-values, is at most the level."""
    known = ~np.isnan(p_values)
    if p_values.ndim != 1 or not ((p_values[known] >= 0) & (p_values[known] <= 1)).all():
        raise ValueError("p-values are one row of numbers within [0, 1]")
    if not 0 < level < 1:
        raise ValueError(f"a level lies within (0, 1), it was {level!r}")
    if len(p_values) == 0:
        return Discoveries(known, p_values)
    everything = np.where(known, p_values, 1.0)
    order = np.argsort(everything, kind="stable")
    adjusted = np.empty_like(everything)
    adjusted[order] = np.minimum(1.0, adjust(everything[order]))
    adjusted[~known] = np.nan
    return Discoveries(adjusted <= level, adjusted)


def _ranks(ranked: Floats) -> Floats:
    return np.arange(1.0, len(ranked) + 1)


def _step_up(ranked: Floats) -> Floats:
    lowest: Floats = np.minimum.accumulate((ranked * len(ranked) / _ranks(ranked))[::-1])[::-1]
    return lowest
