"""Positions: the wanted exposure in each instrument, between -1 and 1 of the capital. What is missing is flat."""

from __future__ import annotations

from functools import partial

from clawd.language.operators.operator import FOUR_WINDOWS, SHARE, SHARE_ABOVE_ZERO, VOLATILITY, Operator, Rule

_position = partial(Operator, "position", source="clawd")

POSITION = (
    _position(
        "long_short",
        "N -> P",
        "x held between -1 and 1",
        formula="min(max(x, -1), 1)",
        example="long_short(squash(ts_zscore(close, 120)))",
    ),
    _position(
        "long_only",
        "N -> P",
        "x held between 0 and 1",
        formula="min(max(x, 0), 1)",
        example="long_only(where(close > ts_mean(close, 200), 1, 0))",
    ),
    _position(
        "signal_if",
        "B, B -> P",
        "long from the bar on which x is true, short from the bar on which y is",
        formula="1 if x and not y, -1 if y and not x, else the position of the bar before; 0 before the first",
        example="signal_if(close > delay(ts_max(high, 55), 1), close < delay(ts_min(low, 55), 1))",
    ),
    _position(
        "hysteresis",
        "N, k, k -> P",
        "enters on the side of x where |x| > the first constant, leaves where |x| < the second",
        formula="sgn(x) if |x| > k₁; 0 if |x| < k₂ or x has changed its sign; else the position of the bar before",
        example="hysteresis(-bb_z(close, 20), 2, 0.5)",
        rule=Rule(
            "two constants, the second neither negative nor above the first: it enters beyond the first and leaves"
            " within the second",
            lambda parameters: float(parameters[0]) >= float(parameters[1]) >= 0,
        ),
    ),
    _position(
        "xs_portfolio",
        "N -> P",
        "scores minus their mean, scaled to a gross exposure of 1",
        formula="(xᵢ - m) / Σ |xⱼ - m|",
        source="A. Lo, C. MacKinlay, When Are Contrarian Profits Due to Stock Market Overreaction?, Review of Financial"
        " Studies 3 (1990)",
        example="xs_portfolio(cs_rank(ret(close, 250) - ret(close, 20)))",
    ),
    _position(
        "spread_position",
        "P, N, a, a -> P",
        "the pair of two instruments: x as of the first is put into the first, and minus y times it into the second, y"
        " being the hedge ratio in exposure; both over 1 + |y|, so that together they are |x|; all else is flat",
        formula="p / (1 + |h|) in a₁, -h p / (1 + |h|) in a₂, 0 elsewhere; p = x of a₁, h = y of a₁",
        source="E. Gatev, W. Goetzmann, K. G. Rouwenhorst, Pairs Trading, Review of Financial Studies 19 (2006)",
        example='spread_position(hysteresis(-coint_z(asset(close, "ETHUSDT"), asset(close, "BTCUSDT"), 120), 2, 0.5),'
        ' kalman_beta(asset(close, "ETHUSDT"), asset(close, "BTCUSDT"), 0.0001), "ETHUSDT", "BTCUSDT")',
        rule=Rule("two different instruments", lambda parameters: parameters[0] != parameters[1]),
    ),
    _position(
        "gate",
        "P, B, k -> P",
        "x where y is true, else the constant times x",
        formula="x if y else k · x",
        example="gate(long_only(1), close > ts_mean(close, 200), 0)",
        rule=SHARE,
    ),
    _position(
        "blend",
        "P, P, k -> P",
        "the constant times x plus the rest times y",
        formula="k · x + (1 - k) · y",
        example="blend(long_only(1), long_short(sign(ret(close, 250))), 0.6)",
        rule=SHARE,
    ),
    _position(
        "smooth",
        "P, w -> P",
        "exponential mean of the position",
        formula="e[t] = e[t-1] + α (x[t] - e[t-1]), α = 2 / (w + 1), e[0] = x[0]",
        example="smooth(xs_portfolio(-ret(close, 1)), 5)",
        warm_up=FOUR_WINDOWS,
    ),
    _position(
        "min_hold",
        "P, w -> P",
        "no change of side before w bars",
        formula="the position held, while its side is younger than w bars and x is of another; else x",
        example="min_hold(long_short(sign(ret(close, 5))), 3)",
    ),
    _position(
        "rebalance",
        "P, w -> P",
        "changes only every w bars",
        formula="x on every w-th bar, else the position of the bar before",
        example="rebalance(xs_portfolio(cs_rank(ret(close, 120))), 20)",
    ),
    _position(
        "no_trade_band",
        "P, k -> P",
        "changes only when it would move by more than the constant, or to zero",
        formula="x if |x - held| > k or x = 0, else held",
        source="after M. Davis, A. Norman, Portfolio Selection with Transaction Costs, Mathematics of Operations"
        " Research 15 (1990)",
        example="no_trade_band(long_short(ts_zscore(close, 120) / 3), 0.1)",
        rule=Rule("a band between 0 and 2", lambda parameters: 0 <= float(parameters[0]) <= 2),
    ),
    _position(
        "scale_to_vol",
        "P, N, k -> P",
        "x times constant / y, not above 1: y is a volatility forecast",
        formula="min(max(x · k / y, -1), 1); 0 where y is not above 0",
        source="A. Moreira, T. Muir, Volatility-Managed Portfolios, Journal of Finance 72 (2017)",
        example="scale_to_vol(long_only(1), vol_forecast(close, 60), 0.15)",
        rule=VOLATILITY,
    ),
    _position(
        "share_by",
        "P, N -> P",
        "x times y as a share of the sum of y over the instruments that hold a position",
        formula="xᵢ yᵢ / Σ yⱼ over the j with xⱼ ≠ 0 and yⱼ > 0",
        example="share_by(long_only(1), 1 / ts_std(ret(close, 1), 60))",
    ),
    _position(
        "kelly",
        "P, N, N, k -> P",
        "x times the constant share of the Kelly bet: y is the expected return of the next bar and z its deviation;"
        " bets only where y agrees with the side of x, and never more than all",
        formula="x · min(max(k · y · sgn(x) / z², 0), 1)",
        source="E. Thorp, The Kelly Criterion in Blackjack, Sports Betting and the Stock Market, Handbook of Asset and"
        " Liability Management (2006)",
        example='no_trade_band(kelly(long_only(1), model("mu"), model("sigma"), 0.25), 0.05)',
        rule=SHARE_ABOVE_ZERO,
    ),
)
