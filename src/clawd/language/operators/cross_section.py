"""Cross-section: functions of one bar over the instruments that have it, and a value on it."""

from __future__ import annotations

from functools import partial

from clawd.language.operators.operator import SHARE_ABOVE_ZERO, Operator, Rule

_across = partial(Operator, "cross-section")
_KAKUSHADZE = "Z. Kakushadze, 101 Formulaic Alphas, Wilmott 84 (2016)"

CROSS_SECTION = (
    _across(
        "cs_rank",
        "S[d] -> N",
        "percentile rank of x among the instruments, ties shared, above 0 to 1",
        formula="(#{xⱼ < xᵢ} + (#{xⱼ = xᵢ} + 1) / 2) / n",
        source=f"{_KAKUSHADZE}; as pandas' rank(pct=True)",
        example="xs_portfolio(cs_rank(ret(close, 60)))",
    ),
    _across(
        "cs_zscore",
        "N -> N",
        "(x - mean) / standard deviation over the instruments",
        formula="(xᵢ - m) / s, m the mean and s the sample deviation over the instruments",
        source="the usual definition",
        example="long_short(cs_zscore(ret(close, 60)) / 3)",
    ),
    _across(
        "cs_demean",
        "N -> N",
        "x minus the mean over the instruments",
        formula="xᵢ - m",
        source="the usual definition",
        example="ts_sum(cs_demean(ret(close, 1)), 20)",
    ),
    _across(
        "cs_scale",
        "N -> N",
        "x over the sum of |x| over the instruments, so that they add up to 1 in size",
        formula="xᵢ / Σ |xⱼ|",
        source=f"scale in {_KAKUSHADZE}",
        example="long_short(cs_scale(ret(close, 60)))",
    ),
    _across(
        "cs_winsor",
        "N, q -> N",
        "x held between its quantiles q and 1 - q over the instruments",
        formula="min(max(xᵢ, Q(q)), Q(1 - q)), Q by straight line between order statistics",
        source="W. Dixon, Simplified Estimation from Censored Normal Samples, Annals of Mathematical"
        " Statistics 31 (1960)",
        example="xs_portfolio(cs_winsor(ret(close, 60), 0.05))",
        rule=Rule(
            "a quantile between 0 and 1, not 0.5",
            lambda parameters: 0 < float(parameters[0]) < 1 and float(parameters[0]) != 0.5,
        ),
    ),
    _across(
        "cs_group_demean",
        "N, g -> N",
        "x minus the mean over the instruments of the same group, such as its sector; those without one are a group",
        formula="xᵢ - mean{xⱼ : group of j = group of i}",
        source=f"indneutralize in {_KAKUSHADZE}",
        example='xs_portfolio(cs_group_demean(-ret(close, 5), "sector"))',
    ),
    _across(
        "cs_resid",
        "N, N -> N",
        "residual of the least-squares line of x on y over the instruments, with intercept",
        formula="xᵢ - m(x) - β (yᵢ - m(y)), β = cov(x, y) / var(y) over the instruments",
        source="the cross-sectional regression of E. Fama, J. MacBeth, Risk, Return, and Equilibrium, Journal of"
        " Political Economy 81 (1973)",
        example="xs_portfolio(-cs_resid(ret(close, 5), ts_std(ret(close, 1), 60)))",
    ),
    _across(
        "cs_top",
        "N, k -> B",
        "true for the top share of the instruments by x, the constant being the share; equals are in or out together",
        formula="#{xⱼ > xᵢ} < k · n",
        source="the winner portfolios of N. Jegadeesh, S. Titman, Returns to Buying Winners and Selling Losers, Journal"
        " of Finance 48 (1993)",
        example="long_only(where(cs_top(ret(close, 120), 0.2), 0.2, 0))",
        rule=SHARE_ABOVE_ZERO,
    ),
    _across(
        "cs_mean",
        "S[d] -> S[d]",
        "the mean over the instruments, for each of them",
        formula="m = (1/n) Σ xⱼ",
        source="the usual definition",
        example="cs_mean(where(close > ts_mean(close, 50), 1, 0)) > 0.5",
    ),
    _across(
        "asset",
        "S[d], a -> S[d]",
        "x of one instrument, for each of them",
        formula="xₐ",
        source="clawd",
        example='ret(asset(close, "BTCUSDT"), 20) > 0',
    ),
)
