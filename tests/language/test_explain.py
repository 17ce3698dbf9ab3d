"""A strategy said in plain English: every operator has its words, and the facts are right."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from clawd.language.explain import explain
from clawd.language.operators import CLOCK_NAMES, OPERATORS, Operator
from clawd.language.phrases import PHRASES
from clawd.language.strategy import Strategy, parse_json, parse_toml
from clawd.language.types import Parameter

DESIGN = """
name = "trend when calm"
bar = "1h"
universe = ["BTC/USDT", "ETH/USDT"]
source = "A. Trader (1999)"
claim = "Trends persist when it is calm."

[let]
days = 20
fast = "ema(close, days)"
slow = "ema(close, 60)"
calm = "ts_std(ret(close, 1), 20) < ts_std(ret(close, 1), 250)"
held = "long_short(squash(50 * (fast - slow) / slow))"

[position]
target = "vol_target(gate(held, calm, 0.5), 0.20, 60)"

[exits]
stop  = { atr = 2.5, window = 14 }
trail = { atr = 1, window = 20 }
take  = { percent = 30 }
time  = 72
cooldown = 1
"""

SAMPLES = {
    "N": "ret(close, 3)",
    "B": "(close > open)",
    "P": "long_only(1)",
    "S[qty]": "volume",
    Parameter.WINDOW: "7",
    Parameter.CONSTANT: "0.5",
    Parameter.QUANTILE: "0.25",
    Parameter.INSTRUMENT: '"ETH"',
    Parameter.GROUP: '"sector"',
}


def strategy(target: str, let: str = "", exits: str = "stop = { percent = 5 }") -> Strategy:
    return parse_toml(f"name = 'a'\n[let]\n{let}\n[position]\ntarget = '''{target}'''\n[exits]\n{exits}")


def wants(target: str, let: str = "") -> str:
    """The sentences about the target, as one line."""
    section = explain(strategy(target, let)).split("What it wants\n")[1].split("\n\n")[0]
    return " ".join(line.strip() for line in section.splitlines())


def call(operator: Operator) -> str:
    """A call of an operator with arguments that fit."""
    words = [SAMPLES.get(wanted, "close") for wanted in operator.signature.inputs]
    for kind in operator.signature.parameters:
        words.append('"month"' if kind is Parameter.NAME else SAMPLES[kind])
    if operator.name in ("clip", "between"):
        words[-1] = "0.75"
    if operator.name == "spread_position":
        words[-1] = '"BTC"'
    if operator.name in ("and", "or"):
        return f" {operator.name} ".join(words)
    if operator.name == "not":
        return f"not {words[0]}"
    return f"{operator.name}({', '.join(words)})" if words else operator.name


def target_with(operator: Operator) -> str:
    """A target in which an operator occurs."""
    text, result = call(operator), operator.signature.result
    if result == "P":
        return text
    return f"long_only(where({text}, 1, 0))" if result == "B" else f"long_short(sign({text}))"


def test_every_operator_has_a_phrase_and_no_phrase_is_left_over() -> None:
    assert set(PHRASES) == set(OPERATORS)


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=list(OPERATORS))
def test_every_operator_is_said_with_all_of_its_arguments(operator: Operator) -> None:
    said = wants(target_with(operator))
    assert said.startswith(("It ", "The ")) and "{" not in said and "  " not in said
    assert f"{operator.name}(" not in said and "_" not in said
    for kind in operator.signature.parameters:
        if kind is Parameter.WINDOW:
            assert "7 bars" in said or "7-bar" in said or "windows of 7" in said
        elif kind is Parameter.CONSTANT:
            assert "0.5" in said or "50 %" in said
        elif kind is Parameter.QUANTILE:
            assert "25 %" in said
        elif kind is Parameter.INSTRUMENT:
            assert "ETH" in said
        elif kind is Parameter.GROUP:
            assert "“sector”" in said


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=list(OPERATORS))
def test_every_operator_is_said_after_a_way_through_json(operator: Operator) -> None:
    once = strategy(target_with(operator))
    again = parse_json(json.dumps(once.to_json()))
    said = explain(again)
    assert once.content_hash[:12] in said and "{" not in said
    bare = replace(once, let={}, target_text="")
    assert explain(bare) == said


@pytest.mark.parametrize(
    ("name", "words"),
    [*zip(CLOCK_NAMES, ("hour", "day of the week", "day of the month", "month", "minutes", "turn"), strict=True)],
)
def test_every_clock_is_said(name: str, words: str) -> None:
    said = wants(f'long_only(where(between(clock("{name}"), 1, 2), 1, 0))')
    assert f"while the {words}" in said and "is from 1 to 2" in said and "_" not in said


def test_parts_have_units_and_macros_keep_their_names() -> None:
    text = explain(
        strategy(
            "long_only(where(dear, 0, 1))",
            'dollars = "close * volume"\nr = "rsi(close, 2)"\ndear = "r > 70"\nhalf = 0.5\np = "long_only(half)"\n',
        )
    )
    assert "dollars (a dollar volume): the close times the volume." in text
    assert "r (a pure number): the 2-bar relative strength index of the close (0 to 100)." in text
    assert "dear (a condition): true while “r” is above 70." in text
    assert "half (a pure number): 0.5." in text
    assert "p (a position): It holds “half” as a share of its capital" in text
    assert "It holds nothing while “dear” is true, and is long with all of its capital otherwise." in text


def test_the_strategy_of_the_design() -> None:
    program = parse_toml(DESIGN)
    text = explain(program)
    facts = (
        "trend when calm\n",
        "Source: A. Trader (1999)",
        "Believed to earn because: Trends persist when it is calm.",
        "fast (a price): the 20-bar exponential mean of the close.",
        "slow (a price): the 60-bar exponential mean of the close.",
        "calm (a condition): true while the 20-bar standard deviation of the 1-bar return of the close is"
        " below the 250-bar standard deviation of the 1-bar return of the close.",
        "It holds “held”.",
        "This holds while “calm” is true; otherwise 50 % of it does.",
        "The position is scaled to a yearly volatility of 20 %",
        "forecast from about 60 bars",
        "Leaves at a stop 2.5 average true ranges of 14 bars from the entry price",
        "Leaves at a trailing stop 1 average true range of 20 bars behind the best price since entry",
        "Takes its profit 30 % from the entry price.",
        "Leaves after 72 bars",
        "may enter the same side again after 1 bar, or once the target has been flat or on the other side",
        "It trades BTC/USDT, ETH/USDT, on bars of 1h.",
        f"It warms up on {program.lookback} bars of an instrument's history before it trades it.",
        f"Content hash {program.content_hash[:12]}",
        f"Family hash {program.family_hash[:12]}",
    )
    for fact in facts:
        assert fact in text, fact
    order = [
        "fast (",
        "held (",
        "It holds “held”",
        "This holds while",
        "scaled to a yearly",
        "It decides",
        "a stop",
    ]
    assert [text.index(words) for words in order] == sorted(text.index(words) for words in order)


def test_what_is_not_set_is_not_said() -> None:
    text = explain(strategy("long_only(1)"))
    for words in ("Source", "Believed", "Its parts", "trailing", "profit", "Leaves after", "may enter"):
        assert words not in text
    assert "Leaves at a stop 5 % from the entry price" in text
    assert "does not enter the same side again before the target has been flat or on the other side" in text
    assert "It trades every instrument of the market, on bars of any duration." in text
    assert "It needs no history" in text


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("long_only(1)", "It is long with all of its capital."),
        ("long_only(0.3)", "It is long with 30 % of its capital."),
        ("long_only(-1)", "It holds nothing."),
        ("long_short(-2)", "It is short with all of its capital."),
        (
            "long_only(where(close > open, 0.5, 0))",
            "is long with 50 % of its capital while the close is above the open,",
        ),
        (
            "hysteresis(bb_z(close, 20), 2, 0)",
            "beyond 2 on either side of zero, and leaves when that has changed its sign.",
        ),
        (
            "hysteresis(bb_z(close, 20), 2, 1)",
            "leaves when that is within 1 of zero or has changed its sign.",
        ),
        (
            "gate(long_only(1), close > open, 0)",
            "only while the close is above the open; otherwise nothing is held.",
        ),
        ("blend(long_only(1), long_short(-1), 0.25)", "25 % of the first and the rest of the second."),
        ("no_trade_band(long_only(1), 0.07)", "A change of 7 % of its capital or less is left undone"),
        ("rebalance(long_only(1), 1)", "set anew only every 1 bar."),
        (
            'kelly(long_only(1), model("mu"), model("sigma"), 0.25)',
            "scaled to 25 % of the Kelly bet, up to all of it; the expected return is the forecast “mu”, its deviation"
            " the forecast “sigma”.",
        ),
        (
            'spread_position(long_only(1), 2, "ETH", "BTC")',
            "as of ETH is traded as a pair: for one part in ETH, on the other side in BTC as many parts as 2. Both",
        ),
    ],
)
def test_positions(target: str, said: str) -> None:
    assert said in wants(target)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("close < open", "while the close is below the open,"),
        ("open > close", "while the open is above the close,"),
        ("not close > open", "while it is not so that the close is above the open,"),
        ("not up", "while “up” is false,"),
        (
            "up and (low > open or high > 2 * open)",
            "“up” is true and either the low is above the open or the high is",
        ),
        (
            "up or low > open and high > open",
            "“up” is true or both the low is above the open and the high is above",
        ),
        (
            'clock("is_month_turn") > 0.5',
            "while it is the turn of the month (its last five and first three days),",
        ),
        ('clock("is_month_turn") < 0.5', "while it is not the turn of the month"),
        (
            "close > delay(ts_max(high, 55), 1)",
            "is above the highest high of the last 55 bars as of 1 bar ago,",
        ),
        (
            "ts_min(close / open, 9) > 0.9",
            "the lowest (the close divided by the open) of the last 9 bars is above 0.9",
        ),
        (
            "cs_top(ret(close, 9), 0.2) and bars_since(close > open) < 3",
            "while the 9-bar return of the close is among the top 20 % of all instruments and the number of bars since"
            " it was last so that the close is above the open is below 3,",
        ),
        (
            "ts_min(abs(close), 9) > low",
            "the lowest absolute value of the close of the last 9 bars is above the low",
        ),
    ],
)
def test_conditions(condition: str, said: str) -> None:
    assert said in wants(f"long_only(where({condition}, 1, 0))", 'up = "close > open"')


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("(close - open) / open", "the distance of the close above the open as a share of the open"),
        ("(close - open) / low", "(the close minus the open) divided by the low"),
        ("close / open - 1", "the close divided by the open minus 1"),
        ("1 - (close / open - 1)", "1 minus (the close divided by the open minus 1)"),
        (
            "close / (open / low) / high",
            "the close divided by (the open divided by the low) divided by the high",
        ),
        (
            "ts_mean(close - open, 5) / close",
            "the 5-bar mean of (the close minus the open) divided by the close",
        ),
        ("-(close - open) / low", "minus (the close minus the open) divided by the low"),
        ("ret(delay(close, 3), 2)", "the 2-bar return of (the close as of 3 bars ago)"),
        (
            "ts_zscore(close, 20) / 3",
            "(the number of standard deviations by which the close lies above its 20-bar mean) divided by 3",
        ),
        ("signed_pow(close / open - 1, 3)", "the signed power 3 of (the close divided by the open minus 1)"),
        ("ts_quantile(ret(close, 1), 60, 0.9)", "the 90 % quantile of the 1-bar return of the close over 60 bars"),
        (
            "cs_winsor(ret(close, 1), 0.95)",
            "the 1-bar return of the close with the outermost 5 % of all instruments on either side drawn in",
        ),
        ("delay(ret(close, 2), 3)", "the 2-bar return of the close as of 3 bars ago"),
    ],
)
def test_brackets_stand_where_words_would_be_ambiguous(number: str, said: str) -> None:
    assert f"It holds {said} as a share of its capital" in wants(f"long_short({number})")


def test_minus_is_minus_again_after_a_way_through_json() -> None:
    once = strategy("long_short((close - open) / low)")
    assert "(the close minus the open) divided by the low" in explain(parse_json(json.dumps(once.to_json())))
