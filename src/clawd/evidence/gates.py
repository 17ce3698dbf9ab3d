"""Who may knock: each question that a finalist must answer, as a number against a threshold.

A gate is passed by a number alone: what is unknown, NaN, never passes. Thresholds are those of the design and are
fixed before anything is looked at.

The gate on the Sharpe ratio counts every distinct trial and uses the convention of 2014, the stricter one where tails
are bad; what the convention of 2025 says stands beside it and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from clawd.core.panel import Floats
from clawd.evidence.overfitting import Overfitting
from clawd.evidence.sharpe import Moments, deflated_sharpe, probabilistic_sharpe
from clawd.evidence.sharpe_2025 import deflated_sharpe_2025
from clawd.evidence.track_record import minimum_track_record

DEFLATED_SHARPE: Final = 0.95
OVERFITTING: Final = 0.2
FAMILY_WISE_ERROR: Final = 0.05
FALSE_DISCOVERY_RATE: Final = 0.1
LOW_PERCENTILE: Final = 10.0
SHARE_LEFT: Final = 0.5
HOLDOUT_CONFIDENCE: Final = 0.9
RECORD_CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Gate:
    """One answer.

    Attributes:
        name: of the question, one or two words with a hyphen.
        value: the answer; NaN where it is unknown.
        threshold: what it is held against.
        passed: whether it suffices.
        meaning: what the value is and which way it must lie, for a person.
    """

    name: str
    value: float
    threshold: float
    passed: bool
    meaning: str


def all_passed(gates: Iterable[Gate]) -> bool:
    """Whether every gate was passed; where there is none, nothing was shown."""
    answers = [gate.passed for gate in gates]
    return bool(answers) and all(answers)


def deflated_sharpe_gate(found: Moments, *, trials: int, trials_sd: float, autocorrelation: float = 0.0) -> Gate:
    """The deflated Sharpe ratio of 2014 is at least 0.95.

    Args:
        found: of the finalist's net returns per bar.
        trials: N, all distinct trials of the campaign and of those it descends from, by raw count.
        trials_sd: of their ratios per bar; ``spread_of_luck``.
        autocorrelation: of the returns from bar to bar, for the convention of 2025 only.

    Raises:
        ValueError: as of ``deflated_sharpe`` and ``deflated_sharpe_2025``.
    """
    facts = (found.sharpe, found.bars, found.skew, found.kurtosis)
    value = deflated_sharpe(*facts, trials=trials, trials_sd=trials_sd)
    newer = deflated_sharpe_2025(*facts, trials=trials, trials_sd=trials_sd, autocorrelation=autocorrelation)
    return _at_least(
        "deflated-sharpe",
        value,
        DEFLATED_SHARPE,
        f"the confidence that its Sharpe ratio is more than luck makes the best of {trials:,} trials "
        f"(convention of 2014; {_said(newer)} in that of 2025)",
    )


def overfitting_gate(found: Overfitting) -> Gate:
    """The probability of backtest overfitting over the finalists is at most 0.2."""
    return _at_most(
        "overfitting",
        found.probability,
        OVERFITTING,
        f"how often the best of {found.trials:,} finalists in one half of the time is not above the middle in the "
        f"other; it then lost money in a share of {_said(found.loss)}",
    )


def superiority_gate(step_down: float, yekutieli: float) -> Gate:
    """Better than nothing among the finalists: by StepM at 5 %, or by Benjamini and Yekutieli at 10 %.

    The value is the p-value over what is allowed, by whichever of the two is kinder, so 1 is the threshold.

    Args:
        step_down: the finalist's adjusted p-value of ``bootstrap.step_down``, over all finalists.
        yekutieli: that of ``benjamini_yekutieli`` over all finalists, whose p-values are one minus their probabilistic
            Sharpe ratios. One of the two may be NaN: not known.
    """
    used = float(np.fmin(step_down / FAMILY_WISE_ERROR, yekutieli / FALSE_DISCOVERY_RATE))
    return _at_most(
        "superiority",
        used,
        1.0,
        f"the p-value among all finalists over what is allowed: StepM {_said(step_down)} of {FAMILY_WISE_ERROR}, "
        f"or Benjamini-Yekutieli {_said(yekutieli)} of {FALSE_DISCOVERY_RATE}",
    )


def cross_validation_gate(sharpes: Floats) -> Gate:
    """The 10th percentile of the Sharpe ratios over the splits of purged cross-validation is above 0.

    Args:
        sharpes: float64 [C] of one finalist, a row of ``split_sharpes``; with a NaN among them, or with none, the
            value is NaN.
    """
    value = float(np.percentile(sharpes, LOW_PERCENTILE)) if sharpes.size else math.nan
    return Gate(
        "cross-validation",
        value,
        0.0,
        value > 0,
        f"the Sharpe ratio per bar that {LOW_PERCENTILE:.0f} % of the {sharpes.size} splits of the time fall below; "
        "above 0",
    )


def endurance_gate(sharpe: float, stressed: float) -> Gate:
    """Half of the Sharpe ratio is left at double costs and one bar of delay.

    Args:
        sharpe: as backtested; where it is not above 0 there is nothing to be left.
        stressed: at double costs, every order one bar late; in the same unit.
    """
    return _at_least(
        "endurance",
        stressed / sharpe if sharpe > 0 else math.nan,
        SHARE_LEFT,
        "the share of its Sharpe ratio that is left at double costs and one bar of delay",
    )


def holdout_gate(found: Moments) -> Gate:
    """On bars never seen before, looked at once, the true Sharpe ratio is above 0 with a confidence of at least 0.9.

    Args:
        found: of the net returns per bar there.
    """
    return _at_least(
        "holdout",
        probabilistic_sharpe(found.sharpe, found.bars, found.skew, found.kurtosis),
        HOLDOUT_CONFIDENCE,
        f"the confidence that its true Sharpe ratio is above 0, from {found.bars:,} bars that nobody had seen",
    )


def track_record_gate(bars: int, backtest: Moments, minimum_bars: int) -> Gate:
    """The record on paper is as long as half of the backtest's Sharpe ratio would need to show itself.

    Args:
        bars: on paper so far.
        backtest: whose ratio is halved, and whose skew and kurtosis are expected.
        minimum_bars: no record is shorter, such as 30 days of bars.

    Returns:
        A gate whose threshold is inf where the backtest's ratio is not above 0, and NaN where it is unknown.
    """
    needed = minimum_track_record(backtest.sharpe / 2, backtest.skew, backtest.kurtosis, confidence=RECORD_CONFIDENCE)
    return _at_least(
        "track-record",
        float(bars),
        needed if math.isnan(needed) else max(float(minimum_bars), needed),
        "bars on paper; the threshold is the minimum track record at half of the backtest's Sharpe ratio",
    )


def _at_least(name: str, value: float, threshold: float, meaning: str) -> Gate:
    return Gate(name, value, threshold, value >= threshold, f"{meaning}; at least {_said(threshold)}")


def _at_most(name: str, value: float, threshold: float, meaning: str) -> Gate:
    return Gate(name, value, threshold, value <= threshold, f"{meaning}; at most {_said(threshold)}")


def _said(value: float) -> str:
    return "unknown" if math.isnan(value) else f"{value:.3g}"
