"""Macros against second computations: TA-Lib's where it has them, plain numpy where it has not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import talib

from clawd.language.builder import build
from clawd.language.operators import OPERATORS
from engine.panels import evaluate, real_panel

BARS = 1_500
#: Wilder's means start otherwise in TA-Lib; after so many bars the start is forgotten.
SETTLED = 600


@pytest.fixture(scope="module")
def market() -> dict[str, np.ndarray]:
    bars = real_panel(BARS)
    return {name: getattr(bars, name) for name in ("open", "high", "low", "close", "volume")}


def found(expression: str, first: int = 0) -> np.ndarray:
    """The values of an expression on the S&P 500, from a bar on."""
    return evaluate(expression, real_panel(BARS))[0, first:]


def windows(x: np.ndarray, w: int) -> np.ndarray:
    """[T - w + 1, w], every window of w bars."""
    return np.lib.stride_tricks.sliding_window_view(x, w)


def test_adx_is_ta_libs(market: dict[str, np.ndarray]) -> None:
    expected = talib.ADX(market["high"][0], market["low"][0], market["close"][0], 14)[SETTLED:]
    np.testing.assert_allclose(found("adx(14)", SETTLED), expected, rtol=1e-9)
    assert expected.max() > 40
    assert expected.min() < 15


def test_stoch_k_is_ta_libs(market: dict[str, np.ndarray]) -> None:
    expected, _ = talib.STOCHF(market["high"][0], market["low"][0], market["close"][0], 14, 1)
    np.testing.assert_allclose(found("stoch_k(14)", 13), expected[13:], rtol=1e-9, atol=1e-9)


def test_cci_is_ta_libs(market: dict[str, np.ndarray]) -> None:
    expected = talib.CCI(market["high"][0], market["low"][0], market["close"][0], 20)
    np.testing.assert_allclose(found("cci(20)", 19), expected[19:], rtol=1e-8, atol=1e-8)


def test_mfi_is_ta_libs(market: dict[str, np.ndarray]) -> None:
    expected = talib.MFI(market["high"][0], market["low"][0], market["close"][0], market["volume"][0], 14)
    np.testing.assert_allclose(found("mfi(14)", 14), expected[14:], rtol=1e-9, atol=1e-9)


def test_mfi_counts_no_bar_whose_typical_price_stood_still() -> None:
    bars = real_panel(60)
    still = np.arange(60) // 10 == 3  # ten bars from the 30th on
    columns = {name: np.where(still, 1_300.0, getattr(bars, name)) for name in ("open", "high", "low", "close")}
    values = evaluate("mfi(5)", replace(bars, **columns))[0]
    # The 30th moves to the price and the 40th from it. Windows of nothing but still bars have no flow to share.
    assert np.isnan(values[35:40]).all()
    assert np.isfinite(values[5:35]).all()
    assert np.isin(values[40], [0.0, 100.0])


def test_obv_z_is_the_z_score_of_the_change_of_on_balance_volume(market: dict[str, np.ndarray]) -> None:
    w = 20
    volume = talib.OBV(market["close"][0], market["volume"][0])
    change = volume[w:] - volume[:-w]
    inside = windows(change, w)
    expected = (inside[:, -1] - inside.mean(1)) / inside.std(1, ddof=1)
    np.testing.assert_allclose(found(f"obv_z({w})", 2 * w - 1), expected, rtol=1e-7, atol=1e-9)


def test_parkinson_is_the_published_estimator(market: dict[str, np.ndarray]) -> None:
    ranges = np.log(market["high"][0] / market["low"][0])
    expected = np.sqrt((windows(ranges, 20) ** 2).mean(1) / (4 * np.log(2)))
    np.testing.assert_allclose(found("parkinson(20)", 19), expected, rtol=1e-9)


def test_parkinson_finds_the_volatility_of_a_random_walk() -> None:
    rng = np.random.default_rng(1)
    steps = rng.normal(0.0, 0.01 / 20, (2_000, 400))
    paths = np.cumsum(steps, axis=1)
    ranges = np.maximum(paths.max(1), 0) - np.minimum(paths.min(1), 0)
    bars = replace(real_panel(400), high=np.exp(ranges).reshape(5, 400)[:2], low=np.ones((2, 400)))
    # 400 steps of 0.0005 are a bar of 0.01; a walk in steps has a little less range than one without.
    assert evaluate("parkinson(400)", bars)[:, -1] == pytest.approx(0.01, rel=0.1)


def test_adv_is_the_mean_dollar_volume(market: dict[str, np.ndarray]) -> None:
    expected = windows(market["close"][0] * market["volume"][0], 20).mean(1)
    np.testing.assert_allclose(found("adv(20)", 19), expected, rtol=1e-9)


def test_coint_z_is_the_last_residual_in_deviations_of_the_residuals(market: dict[str, np.ndarray]) -> None:
    w = 60
    expected = []
    for end in range(w, BARS + 1):
        x, y = market["close"][0, end - w : end], market["close"][1, end - w : end]
        slope, intercept = np.polyfit(y - y.mean(), x, 1)
        residuals = x - intercept - slope * (y - y.mean())
        expected.append(residuals[-1] / residuals.std(ddof=1))
    values = found(f'coint_z(asset(close, "A"), asset(close, "B"), {w})', w - 1)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)


#: Warm-ups of macros with a window of w, and of macd with three.
MACROS = [operator for operator in OPERATORS.values() if operator.expansion is not None]


@pytest.mark.parametrize("operator", MACROS, ids=[operator.name for operator in MACROS])
@pytest.mark.parametrize("w", [3, 10, 55])
def test_a_macro_warms_up_as_its_expansion_does(operator, w: int) -> None:  # type: ignore[no-untyped-def]
    words = {"P": "long_only(1)", "S[px]": "close", "w": w, "k": 0.5}
    kinds = operator.signature.text.partition("->")[0].split(",")
    given = [words[kind.strip()] for kind in kinds]
    node = build(f"{operator.name}({', '.join(str(word) for word in given)})")
    numbers = [float(word) for word in given if not isinstance(word, str)]
    assert node.lookback == operator.warm_up.bars(numbers)  # type: ignore[union-attr]
