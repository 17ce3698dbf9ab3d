"""The registry is whole, what it says of itself is true, and the page in docs is what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from clawd.core.errors import ClawdError
from clawd.language.builder import build
from clawd.language.expression import Tree, parse
from clawd.language.node import Node
from clawd.language.operators import LONGEST_WINDOW, OPERATORS, Operator
from clawd.language.reference import GROUPS, facts, page, usage
from clawd.language.types import Parameter

DOCS = Path(__file__).parents[2] / "docs" / "operators.md"

#: The language as it was designed: what each operator takes and gives.
DESIGNED = """
open() S[px] high() S[px] low() S[px] close() S[px] volume() S[qty] vwap() S[px] book(name) N deriv(name) N
ext(name) N model(name) N clock(name) N const(k) N

add(S[d],S[d]) S[d] sub(S[d],S[d]) S[d] mul(S[d],S[e]) S[d*e] div(S[d],S[e]) S[d/e] neg(S[d]) S[d] abs(S[d]) S[d]
sign(S[d]) N log(S[d]) N signed_pow(S[d],k) S[d^k] pow(N,N) N as_num(S[d]) N min2(S[d],S[d]) S[d]
max2(S[d],S[d]) S[d] clip(N,k,k) N squash(N) N

gt(S[d],S[d]) B between(N,k,k) B and(B,B) B or(B,B) B not(B) B where(B,S[d],S[d]) S[d] cross_up(S[d],S[d]) B
count_true(B,w) N bars_since(B) N latch(B,B) B

delay(S[d],w) S[d] delta(S[d],w) S[d] ret(S[px],w) N ts_mean(S[d],w) S[d] ts_sum(S[d],w) S[d] ts_std(S[d],w) S[d]
ts_min(S[d],w) S[d] ts_max(S[d],w) S[d] ts_argmin(S[d],w) N ts_argmax(S[d],w) N ts_rank(S[d],w) N
ts_zscore(S[d],w) N ts_quantile(S[d],w,q) S[d] ts_skew(S[d],w) N ts_kurt(S[d],w) N ts_prod(N,w) N
ts_corr(S[d],S[e],w) N ts_cov(S[d],S[e],w) S[d*e] ts_beta(S[d],S[e],w) S[d/e] ts_resid(S[d],S[e],w) S[d]
ts_slope(S[d],w) S[d] ts_r2(S[d],w) N decay_linear(S[d],w) S[d] efficiency(S[px],w) N ts_mad(S[d],w) S[d]

ema(S[d],w) S[d] rma(S[d],w) S[d] ewm_std(N,w) N kama(S[px],w) S[px] kalman_level(S[d],k) S[d]
kalman_beta(S[px],S[px],k) N ou_halflife(N,w) N frac_diff(S[px],k,w) N cusum(N,k) N vol_forecast(S[px],w) N

cs_rank(S[d]) N cs_zscore(N) N cs_demean(N) N cs_scale(N) N cs_winsor(N,q) N cs_group_demean(N,g) N cs_resid(N,N) N
cs_top(N,k) B cs_mean(S[d]) S[d] asset(S[d],a) S[d]

long_short(N) P long_only(N) P hysteresis(N,k,k) P signal_if(B,B) P xs_portfolio(N) P spread_position(P,N,a,a) P
kelly(P,N,N,k) P gate(P,B,k) P blend(P,P,k) P smooth(P,w) P min_hold(P,w) P rebalance(P,w) P no_trade_band(P,k) P
scale_to_vol(P,N,k) P share_by(P,N) P

vol_target(P,k,w) P inv_vol(P,w) P rsi(S[px],w) N atr(w) S[px] macd(S[px],w,w,w) N bb_z(S[px],w) N donchian_pos(w) N
stoch_k(w) N adx(w) N cci(w) N obv_z(w) N mfi(w) N parkinson(w) N adv(w) S[usd] coint_z(S[px],S[px],w) N tsmom(w) N
"""


def test_the_registry_has_every_operator_of_the_design_and_no_other() -> None:
    designed = {
        name: (taken, result) for name, taken, result in re.findall(r"(\w+)\((.*?)\) (S\[[^\]]*\]|[NBP])", DESIGNED)
    }
    designed["sqrt"] = ("S[d]", "S[sqrt d]")
    found = {}
    for name, operator in OPERATORS.items():
        taken, _, result = operator.signature.text.partition("->")
        found[name] = (taken.replace(" ", ""), result.strip())
    assert found == designed


EVERY = pytest.mark.parametrize("operator", OPERATORS.values(), ids=list(OPERATORS))


def heads(tree: Tree) -> set[str]:
    return {str(tree.head)}.union(*map(heads, tree.arguments))


@EVERY
def test_an_example_is_a_program_in_which_the_operator_is(operator: Operator) -> None:
    assert isinstance(build(operator.example), Node)
    assert operator.name in heads(parse(operator.example))


@EVERY
def test_an_operator_has_a_meaning_a_formula_and_a_source(operator: Operator) -> None:
    assert operator.group in GROUPS
    assert operator.meaning.strip() == operator.meaning != ""
    assert operator.formula.strip() == operator.formula != ""
    assert not operator.meaning.endswith(".")
    assert operator.source or operator.group in ("inputs", "arithmetic", "logic")
    for text in (operator.meaning, operator.formula, operator.source, operator.example):
        assert "\n" not in text
        assert "  " not in text


#: An argument of each kind, as short-sighted as can be.
SAMPLES = {"N": "(close / open)", "B": "(close > open)", "P": "long_only(1)", "S[qty]": "volume"}
CALENDAR = {Parameter.NAME: '"hour"', Parameter.INSTRUMENT: '"A"', Parameter.GROUP: '"sector"'}


def call(operator: Operator, window: int, constant: str = "0.5") -> str:
    """An operator of plain inputs."""
    words = [SAMPLES.get(wanted, "close") for wanted in operator.signature.inputs]
    for kind in operator.signature.parameters:
        number = str(window) if kind is Parameter.WINDOW else "0.25" if kind is Parameter.QUANTILE else constant
        words.append(CALENDAR.get(kind, number))
    if operator.name in ("clip", "between"):
        words[-1] = "0.75"
    if operator.name == "spread_position":
        words[-1] = '"B"'
    if not words:
        return operator.name
    return f"{operator.name}({', '.join(words)})"


@EVERY
@pytest.mark.parametrize("window", [4, 20, 250])
def test_the_warm_up_that_is_written_is_the_lookback_that_is_inferred(operator: Operator, window: int) -> None:
    text = operator.warm_up.text.removesuffix(" bars").removesuffix(" bar")
    if "K the steady gain" in text:
        # For k = 1/2 the filter's gain settles at 1/2: P = 1/2 solves P = (P + k) / (P + k + 1).
        expected = 12
    else:
        sizes = {"none": "0"}.get(text, text).replace("w₁", "w").replace("w₂", "w").replace("w₃", "w")
        expected = eval(re.sub(r"(\d) (?=w|max)", r"\1 * ", sizes), {"w": window, "max": max})
    node = build(call(operator, window))
    assert isinstance(node, Node)
    assert node.lookback == expected


@pytest.mark.parametrize(
    "operator",
    [operator for operator in OPERATORS.values() if operator.least_window > 1],
    ids=lambda operator: operator.name,
)
def test_a_window_shorter_than_the_least_is_refused(operator: Operator) -> None:
    build(call(operator, operator.least_window))
    with pytest.raises(ClawdError, match=f"`{operator.name}` needs a window of at least {operator.least_window}"):
        build(call(operator, operator.least_window - 1))


@pytest.mark.parametrize(
    "operator",
    [operator for operator in OPERATORS.values() if operator.expansion is not None],
    ids=lambda operator: operator.name,
)
def test_no_window_that_a_macro_takes_fails_within_it(operator: Operator) -> None:
    for window in {operator.least_window, operator.least_window + 1, LONGEST_WINDOW}:
        assert isinstance(build(call(operator, window)), Node)


@EVERY
def test_the_facts_are_json_and_whole(operator: Operator) -> None:
    known = json.loads(json.dumps(facts(operator)))
    assert known["core"] == (operator.expansion is None) == (known["expansion"] is None)
    assert "$" not in str(known["expansion"])
    names = [each["name"] for each in (*known["inputs"], *known["parameters"])]
    assert len(names) == len(set(names))
    assert known["usage"] == usage(operator) == (f"{operator.name}({', '.join(names)})" if names else operator.name)
    for each in (*known["inputs"], *known["parameters"], known["result"]):
        assert each["is"]
    if operator.expansion:
        # Every argument is used, or the macro would not need it.
        assert all(re.search(rf"(?<!\w){name}(?!\w)", known["expansion"]) for name in names)


def test_the_facts_of_one() -> None:
    known = facts(OPERATORS["ts_quantile"])
    assert known["usage"] == "ts_quantile(x, w, q)"
    assert known["inputs"] == [{"name": "x", "type": "S[d]", "is": "a series of unit d"}]
    assert known["parameters"] == [
        {"name": "w", "kind": "w", "is": "a window, a whole number of bars up to 5,000"},
        {"name": "q", "kind": "q", "is": "a quantile, a number from 0 to 1"},
    ]
    assert known["result"] == {"type": "S[d]", "is": "a series of unit d"}
    assert known["warm_up"] == "w - 1 bars"
    assert facts(OPERATORS["macd"])["usage"] == "macd(x, w₁, w₂, w₃)"
    assert facts(OPERATORS["macd"])["needs"] == []
    assert facts(OPERATORS["coint_z"])["needs"] == ["a window of at least 3"]
    assert facts(OPERATORS["tsmom"])["expansion"] == "sign(ret(close, w))"


def test_the_page_in_docs_is_what_the_registry_says() -> None:
    assert DOCS.read_text(encoding="utf-8") == page(), "run `python docs/operators.py`"


def test_every_operator_has_its_place_on_the_page() -> None:
    text = page()
    for name in OPERATORS:
        assert f"\n### {name}\n" in text
        assert f"[{name}](#{name})" in text
    assert len(re.findall(r"^### ", text, re.MULTILINE)) == len(OPERATORS)
