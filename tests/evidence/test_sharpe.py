"""Sharpe ratios against the worked examples of the papers and against implementations of others."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats  # type: ignore[import-untyped]

from clawd.evidence.sharpe import (
    deflated_sharpe,
    expected_maximum,
    moments,
    probabilistic_sharpe,
    sharpe_ratio,
)


def test_probabilistic_sharpe_of_the_paper() -> None:
    # Bailey and López de Prado (2012): a hedge fund's 24 months, annual ratio 1.585.
    monthly = 1.585 / math.sqrt(12)
    assert probabilistic_sharpe(monthly, 24, -2.448, 10.164) == pytest.approx(0.9132343068848602, rel=1e-12)
    assert probabilistic_sharpe(monthly, 24, 0.0, 3.0) == pytest.approx(0.9815912360834967, rel=1e-12)


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        (2, 0.5197553442805939),
        (5, 1.1925940010147893),
        (10, 1.57459830134575),
        (45, 2.2356401777664052),
        (50, 2.2763030934203483),
        (100, 2.5306028932016846),
        (1_000, 3.255121513652723),
        (10_000, 3.86066485551044),
    ],
)
def test_expected_maximum(trials: int, expected: float) -> None:
    assert expected_maximum(trials) == pytest.approx(expected, rel=1e-12)


# The paper's example of 2014: annual ratio 2.5 over 1,250 daily bars, variance of the trials' annual ratios
# 1/2.
DAILY = math.sqrt(250)
EXAMPLE = (2.5 / DAILY, 1_250, -3.0, 10.0)


@pytest.mark.parametrize(
    ("trials", "benchmark", "annual", "deflated"),
    [
        (1, 0.0, 0.0, 0.9999968595078976),
        (10, 0.07041817678129592, 1.1134091365263987, 0.9938796415275255),
        (46, 0.10036237061765357, 1.5868684126287262, 0.9505017068755786),
        (88, 0.11114576178358426, 1.7573687975531245, 0.910153014744707),
        (100, 0.11317200186513214, 1.7894064662732077, 0.9003968344493903),
        (200, 0.12367798888322513, 1.95552070649988, 0.837368614855299),
        (1_000, 0.14557345959098997, 2.3017184958900594, 0.6399149553986131),
        (10_000, 0.17265418110531494, 2.7299022992200146, 0.33893912593178355),
    ],
)
def test_deflated_sharpe_of_the_paper(trials: int, benchmark: float, annual: float, deflated: float) -> None:
    trials_sd = math.sqrt(0.5) / DAILY
    assert trials_sd * expected_maximum(trials) == pytest.approx(benchmark, rel=1e-12)
    assert trials_sd * expected_maximum(trials) * DAILY == pytest.approx(annual, rel=1e-12)
    assert deflated_sharpe(*EXAMPLE, trials=trials, trials_sd=trials_sd) == pytest.approx(deflated, rel=1e-10)


@pytest.mark.parametrize(("trials", "deflated"), [(88, 0.9504908166760139), (46, 0.9787387232156534)])
def test_deflated_sharpe_of_normal_returns(trials: int, deflated: float) -> None:
    got = deflated_sharpe(EXAMPLE[0], 1_250, 0.0, 3.0, trials=trials, trials_sd=math.sqrt(0.5) / DAILY)
    assert got == pytest.approx(deflated, rel=1e-10)


def test_deflated_sharpe_of_noise_is_no_more_certain_than_a_coin() -> None:
    rng = np.random.default_rng(12)
    confident = []
    for _ in range(300):
        ratios = rng.standard_normal((50, 250))
        ratios = ratios.mean(axis=1) / ratios.std(axis=1, ddof=1)
        best = float(ratios.max())
        sd = float(ratios.std(ddof=1))
        confident.append(deflated_sharpe(best, 250, 0.0, 3.0, trials=50, trials_sd=sd) >= 0.95)
    assert np.mean(confident) < 0.05


def test_moments_agree_with_scipy() -> None:
    returns = np.random.default_rng(13).standard_t(5, 400) * 1e-4 + 1e-5
    got = moments(returns)
    assert got.bars == 400
    assert got.mean == pytest.approx(returns.mean(), rel=1e-12)
    assert got.sd == pytest.approx(returns.std(ddof=1), rel=1e-12)
    assert got.skew == pytest.approx(stats.skew(returns), rel=1e-10)
    assert got.kurtosis == pytest.approx(stats.kurtosis(returns, fisher=False), rel=1e-10)
    assert sharpe_ratio(returns) == got.sharpe == got.mean / got.sd
    assert sharpe_ratio(returns, 365) == pytest.approx(got.sharpe * math.sqrt(365))


def test_a_ratio_by_hand() -> None:
    assert sharpe_ratio(np.array([0.01, 0.03])) == pytest.approx(0.02 / (0.01 * math.sqrt(2)))


@pytest.mark.parametrize("returns", [[], [0.1], [0.1] * 10, [0.0] * 3, [0.3, 0.3, 0.3]])
def test_a_ratio_that_does_not_exist_is_nan(returns: list[float]) -> None:
    found = moments(np.array(returns, dtype=np.float64))
    assert math.isnan(found.sharpe)
    assert math.isnan(probabilistic_sharpe(found.sharpe, found.bars, found.skew, found.kurtosis))


def test_returns_that_vary_by_their_rounding_alone_have_no_ratio() -> None:
    returns = np.diff(np.cumsum(np.full(400, 0.001)) + 1.0)
    found = moments(returns)
    assert 0 < found.sd < 1e-15
    assert math.isnan(found.sharpe)
    assert math.isnan(sharpe_ratio(returns, 365))
    assert sharpe_ratio(np.array([1e-12, 3e-12])) == pytest.approx(math.sqrt(2)), "small is not the same"


@pytest.mark.parametrize("returns", [[0.1, math.nan], [math.inf, 0.1], [[0.1, 0.2]]])
def test_returns_that_are_none_are_refused(returns: list[float]) -> None:
    with pytest.raises(ValueError, match="one row of finite numbers"):
        moments(np.array(returns))


@pytest.mark.parametrize(
    "arguments", [(math.nan, 100, 0.0, 3.0), (0.1, 1, 0.0, 3.0), (0.1, 0, 0.0, 3.0), (2.0, 9, 3.0, 3.0)]
)
def test_a_confidence_that_does_not_exist_is_nan(arguments: tuple[float, int, float, float]) -> None:
    assert math.isnan(probabilistic_sharpe(*arguments))
    assert math.isnan(deflated_sharpe(*arguments, trials=3, trials_sd=0.1))


def test_an_unknown_spread_of_the_trials_is_nan() -> None:
    assert math.isnan(deflated_sharpe(*EXAMPLE, trials=10, trials_sd=math.nan))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one trial"):
        deflated_sharpe(*EXAMPLE, trials=0, trials_sd=0.1)
    with pytest.raises(ValueError, match="not negative"):
        deflated_sharpe(*EXAMPLE, trials=1, trials_sd=-0.1)


@given(arrays(np.float64, st.integers(0, 30), elements=st.floats(-10, 10)), st.integers(1, 10**9))
def test_more_trials_never_raise_the_confidence(returns: np.ndarray[tuple[int], np.dtype[np.float64]], n: int) -> None:
    found = moments(returns)
    facts = (found.sharpe, found.bars, found.skew, found.kurtosis)
    fewer = deflated_sharpe(*facts, trials=n, trials_sd=0.1)
    more = deflated_sharpe(*facts, trials=n + 1, trials_sd=0.1)
    assert (math.isnan(fewer) and math.isnan(more)) or 0 <= more <= fewer + 1e-12
    if not math.isnan(fewer):
        assert fewer <= probabilistic_sharpe(*facts) + 1e-12
