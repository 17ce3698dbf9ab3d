"""Macros: names for often used expressions. They are expanded before a program is compared, hashed or run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from clawd.language.operators.operator import FOUR_WINDOWS, VOLATILITY, WINDOW, WINDOW_LESS_ONE, Operator, WarmUp


def _macd_bars(parameters: Sequence[float]) -> int:
    fast, slow, signal = (int(parameter) for parameter in parameters)
    return 4 * max(fast, slow) + 4 * signal


_WILDER = "J. W. Wilder, New Concepts in Technical Trading Systems (1978)"
_FOUR_AND_ONE = WarmUp("4 w + 1 bars", lambda parameters: 4 * int(parameters[0]) + 1)
_FOUR_OF_SECOND = WarmUp("4 w bars", lambda parameters: 4 * int(parameters[1]))
_TYPICAL = "((high + low + close) / 3)"

_macro = partial(Operator, "macros")

MACROS = (
    _macro(
        "vol_target",
        "P, k, w -> P",
        "scaled so that its annual volatility is k",
        formula="x · k / (volatility forecast of the close), held between -1 and 1",
        source="A. Moreira, T. Muir, Volatility-Managed Portfolios, Journal of Finance 72 (2017)",
        example="vol_target(long_short(sign(ret(close, 250))), 0.1, 60)",
        warm_up=_FOUR_OF_SECOND,
        rule=VOLATILITY,
        expansion="scale_to_vol($0, vol_forecast(close, $2), $1)",
    ),
    _macro(
        "inv_vol",
        "P, w -> P",
        "capital shared inversely to volatility",
        formula="xᵢ / σᵢ / Σ 1/σⱼ over the j that hold a position, σ the volatility forecast",
        source="the naive risk parity of S. Maillard, T. Roncalli, J. Teïletche, The Properties of Equally Weighted"
        " Risk Contribution Portfolios, Journal of Portfolio Management 36 (2010)",
        example="inv_vol(long_only(1), 60)",
        warm_up=FOUR_WINDOWS,
        expansion="share_by($0, 1 / vol_forecast(close, $1))",
    ),
    _macro(
        "atr",
        "w -> S[px]",
        "average true range (Wilder)",
        formula="rma of max(high - low, |high - close[t-1]|, |low - close[t-1]|) over w",
        source=_WILDER,
        example="(close - ema(close, 20)) / atr(14)",
        warm_up=_FOUR_AND_ONE,
        expansion="rma(max2(high - low, max2(abs(high - delay(close, 1)), abs(low - delay(close, 1)))), $0)",
    ),
    _macro(
        "rsi",
        "S[px], w -> N",
        "relative strength index, 0 to 100 (Wilder)",
        formula="100 · rma(max(Δx, 0)) / rma(|Δx|) over w",
        source=_WILDER,
        example="between(rsi(close, 2), 0, 10)",
        warm_up=_FOUR_AND_ONE,
        expansion="100 * rma(max2(delta($0, 1), 0), $1) / rma(abs(delta($0, 1)), $1)",
    ),
    _macro(
        "macd",
        "S[px], w, w, w -> N",
        "MACD histogram as a share of the price",
        formula="(d - ema(d, w₃)) / x, d = ema(x, w₁) - ema(x, w₂)",
        source="G. Appel, The Moving Average Convergence-Divergence Trading Method (1979)",
        example="long_short(squash(200 * macd(close, 12, 26, 9)))",
        warm_up=WarmUp("4 max(w₁, w₂) + 4 w₃ bars", _macd_bars),
        expansion="(ema($0, $1) - ema($0, $2) - ema(ema($0, $1) - ema($0, $2), $3)) / $0",
    ),
    _macro(
        "bb_z",
        "S[px], w -> N",
        "standard deviations from the mean (Bollinger)",
        formula="(x[t] - m) / s, m the mean and s the sample deviation of the window",
        source="J. Bollinger, Bollinger on Bollinger Bands (2001)",
        example="hysteresis(-bb_z(close, 20), 2, 0.5)",
        warm_up=WINDOW_LESS_ONE,
        least_window=2,
        expansion="ts_zscore($0, $1)",
    ),
    _macro(
        "donchian_pos",
        "w -> N",
        "where the close lies in the channel of w bars, 0 to 1",
        formula="(close - L) / (H - L), H the highest high and L the lowest low of w bars",
        source="R. Donchian's channel",
        example="donchian_pos(55) > 0.95",
        warm_up=WINDOW_LESS_ONE,
        expansion="(close - ts_min(low, $0)) / (ts_max(high, $0) - ts_min(low, $0))",
    ),
    _macro(
        "stoch_k",
        "w -> N",
        "stochastic %K: where the close lies in the range of w bars, 0 to 100 (Lane)",
        formula="100 · (close - L) / (H - L), H the highest high and L the lowest low of w bars",
        source="G. Lane, Lane's Stochastics, Technical Analysis of Stocks & Commodities 2 (1984)",
        example="ts_mean(stoch_k(14), 3) < 20",
        warm_up=WINDOW_LESS_ONE,
        expansion="100 * (close - ts_min(low, $0)) / (ts_max(high, $0) - ts_min(low, $0))",
    ),
    _macro(
        "adx",
        "w -> N",
        "average directional index: strength of a trend whichever its side, 0 to 100 (Wilder)",
        formula="100 · rma(|P - M| / (P + M)), P = rma(+DM), M = rma(-DM) over w; +DM = Δhigh where Δhigh > -Δlow and"
        " Δhigh > 0, else 0; -DM = -Δlow where -Δlow > Δhigh and -Δlow > 0, else 0 (the true range cancels)",
        source=_WILDER,
        example="gate(long_short(sign(ret(close, 20))), adx(14) > 25, 0)",
        warm_up=WarmUp("8 w + 1 bars", lambda parameters: 8 * int(parameters[0]) + 1),
        expansion="100 * rma(abs({plus} - {minus}) / ({plus} + {minus}), $0)".format(
            plus="rma(max2(sign(delta(high, 1) + delta(low, 1)), 0) * max2(delta(high, 1), 0), $0)",
            minus="rma(max2(-sign(delta(high, 1) + delta(low, 1)), 0) * max2(-delta(low, 1), 0), $0)",
        ),
    ),
    _macro(
        "cci",
        "w -> N",
        "commodity channel index: distance of the typical price from its mean, in 0.015 mean deviations (Lambert)",
        formula="(p - m) / (0.015 · mean |p - m|) over w, p = (high + low + close) / 3, m its mean",
        source="D. Lambert, Commodity Channel Index, Commodities (October 1980)",
        example="hysteresis(cci(20) / 100, 1, 0)",
        warm_up=WINDOW_LESS_ONE,
        least_window=2,
        expansion=f"({_TYPICAL} - ts_mean({_TYPICAL}, $0)) / (0.015 * ts_mad({_TYPICAL}, $0))",
    ),
    _macro(
        "obv_z",
        "w -> N",
        "on-balance volume of w bars in standard deviations from its mean over w bars",
        formula="z-score over w of Σ sgn(Δclose) · volume over w bars",
        source="J. Granville, Granville's New Key to Stock Market Profits (1963)",
        example="long_short(squash(obv_z(60)))",
        warm_up=WarmUp("2 w - 1 bars", lambda parameters: 2 * int(parameters[0]) - 1),
        least_window=2,
        expansion="ts_zscore(ts_sum(sign(delta(close, 1)) * volume, $0), $0)",
    ),
    _macro(
        "mfi",
        "w -> N",
        "money flow index: share of the dollar volume of w bars that traded on a rise of the typical price, 0 to 100",
        formula="100 · Σ⁺ p·volume / Σ p·volume over w, p = (high + low + close) / 3, Σ⁺ where p rose, Σ where it"
        " moved",
        source="G. Quong, A. Soudack, Volume-Weighted RSI: Money Flow, Technical Analysis of Stocks & Commodities 7"
        " (1989)",
        example="between(mfi(14), 0, 20)",
        warm_up=WINDOW,
        expansion=f"100 * ts_sum(max2(sign(delta({_TYPICAL}, 1)), 0) * ({_TYPICAL} * volume), $0)"
        f" / ts_sum(abs(sign(delta({_TYPICAL}, 1))) * ({_TYPICAL} * volume), $0)",
    ),
    _macro(
        "parkinson",
        "w -> N",
        "volatility of a bar from the ranges of w bars",
        formula="√(mean of ln(high/low)² over w / (4 ln 2))",
        source="M. Parkinson, The Extreme Value Method for Estimating the Variance of the Rate of Return, Journal of"
        " Business 53 (1980)",
        example="parkinson(20) < parkinson(120)",
        warm_up=WINDOW_LESS_ONE,
        expansion="sqrt(ts_mean(log(high / low) * log(high / low), $0) / (4 * log(2)))",
    ),
    _macro(
        "adv",
        "w -> S[usd]",
        "average dollar volume of a bar over w bars",
        formula="mean of close · volume over w",
        source="Z. Kakushadze, 101 Formulaic Alphas, Wilmott 84 (2016)",
        example="cs_rank(adv(20)) > 0.5",
        warm_up=WINDOW_LESS_ONE,
        expansion="ts_mean(close * volume, $0)",
    ),
    _macro(
        "coint_z",
        "S[px], S[px], w -> N",
        "last residual of the regression of x on y over w bars, in sample deviations of the residuals (Engle-Granger)",
        formula="ts_resid(x, y) / (s(x) √(1 - corr(x, y)²)) over w",
        source="R. Engle, C. Granger, Co-integration and Error Correction, Econometrica 55 (1987)",
        example='coint_z(asset(close, "ETHUSDT"), asset(close, "BTCUSDT"), 120) < -2',
        warm_up=WINDOW_LESS_ONE,
        least_window=3,
        expansion="ts_resid($0, $1, $2) / (ts_std($0, $2) * sqrt(1 - ts_corr($0, $1, $2) * ts_corr($0, $1, $2)))",
    ),
    _macro(
        "tsmom",
        "w -> N",
        "the sign of the return over w bars",
        formula="sgn(close[t] / close[t-w] - 1)",
        source="T. Moskowitz, Y. H. Ooi, L. Pedersen, Time Series Momentum, Journal of Financial Economics 104 (2012)",
        example="vol_target(long_short(tsmom(250)), 0.1, 60)",
        warm_up=WINDOW,
        expansion="sign(ret(close, $0))",
    ),
)
