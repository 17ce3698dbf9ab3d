"""What a person reads when an expression or a file is wrong: what it was, where, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from clawd.core.errors import ClawdError
from clawd.language.builder import build
from clawd.language.strategy import load_strategy, parse_json, parse_toml

#: Expression, the words under which the caret stands, what the message must say.
WRONG_EXPRESSIONS = [
    ("clse + 1", "clse", "unknown name `clse`, did you mean `close`?"),
    ("em(close, 20)", "em(close, 20)", "unknown operator `em`, did you mean `ema`?"),
    ("ts_meen(close, 20)", "ts_meen(close, 20)", "did you mean `ts_mean`?"),
    ("ema(close)", "ema(close)", "`ema` takes 2 arguments, 1 given, write ema(series, bars)"),
    ("ema(close, 20, 3)", "ema(close, 20, 3)", "takes 2 arguments, 3 given"),
    ("close(1)", "close(1)", "`close` takes no arguments, 1 given, write `close` without brackets"),
    ("clock", "clock", "`clock` needs arguments"),
    ('clock("hours")', 'clock("hours")', '`clock` has no "hours", did you mean `hour`?'),
    ('clock("x")', 'clock("x")', "one of hour, weekday, month_day, month, minutes_to_close, is_month_turn"),
    ("ext(fear)", "fear", "`ext` needs a name in quotes"),
    ('close + "x"', '"x"', 'the name "x" stands where a series is needed'),
    ("close + volume", "close + volume", "the left is a price, the right is a volume"),
    ("close * volume - close", "close * volume - close", "the left is a dollar volume, the right is a price"),
    (
        "close > 100",
        "close > 100",
        "`>` needs the same unit on both sides: the left is a price, the right is a pure number",
    ),
    ("1 < volume", "1 < volume", "the right is a pure number"),
    ("squash(close)", "close", "argument 1 of `squash` must be a pure number, this is a price, divide it by"),
    (
        "long_short(close > open)",
        "close > open",
        "must be a series, this is a condition, make numbers of it: where(condition, 1, 0)",
    ),
    (
        "signal_if(close > open, close < open, 24)",
        "signal_if(close > open, close < open, 24)",
        "takes 2 arguments, 3 given, write signal_if(condition, condition); how long a position may be held is said "
        "under [exits], such as time = 24",
    ),
    (
        "signal_if(close > open)",
        "signal_if(close > open)",
        "takes 2 arguments, 1 given, write signal_if(condition, condition)\n",
    ),
    ("signal_if(close > open, 24)", "24", "argument 2 of `signal_if` must be a condition, this is a pure number"),
    ("ema(20, close)", "close", "a whole number of bars here, known before it runs, write ema(series, bars)"),
    ("ret(close)", "ret(close)", "write ret(price, bars)"),
    ("ts_quantile(close, 5)", "ts_quantile(close, 5)", "write ts_quantile(series, bars, quantile)"),
    ("asset(close)", "asset(close)", 'write asset(series, "instrument")'),
    ("asset(close, A)", "A", 'needs an instrument\'s symbol in quotes here, write asset(series, "instrument")'),
    ("clip(close / open)", "clip(close / open)", "write clip(number, constant, constant)"),
    (
        "gate(close / open, close > open, 0)",
        "close / open",
        "must be a position, this is a pure number, make a position",
    ),
    ("not close", "close", "argument 1 of `not` must be a condition, this is a price"),
    ("close and open", "close", "must be a condition, this is a price, compare it with `<` or `>`"),
    ("close > open and volume", "volume", "argument 2 of `and` must be a condition, this is a volume"),
    ("0 and close > open", "0", "argument 1 of `and` must be a condition"),
    ("ret(volume, 2)", "volume", "must be a price, this is a volume"),
    ("ema(close, 2.5)", "2.5", "a window is a whole number from 1 to 5,000, not 2.5"),
    ("ema(close, 0)", "0", "not 0"),
    ("ema(close, -3)", "-3", "not -3"),
    ("ema(close, 5001)", "5001", "not 5001"),
    ("ema(close, volume)", "volume", "needs a window: a whole number of bars here, known before it runs"),
    ("ema(close, 2 + 3)", "2 + 3", "known before it runs"),
    ('ema(close, "20")', '"20"', "needs a window"),
    ("ts_std(close, 1)", "1", "`ts_std` needs a window of at least 2"),
    ("bb_z(close, 1)", "1", "`bb_z` needs a window of at least 2"),
    ("clip(close / open, 2, 1)", "clip(close / open, 2, 1)", "needs the lower constant first"),
    ("between(close / open, 1, 1)", "between(close / open, 1, 1)", "needs the lower constant first"),
    (
        "hysteresis(close / open, 1, 2)",
        "hysteresis(close / open, 1, 2)",
        "the second neither negative",
    ),
    (
        "hysteresis(close / open, 1, -1)",
        "hysteresis(close / open, 1, -1)",
        "the second neither negative",
    ),
    ("blend(long_only(1), long_only(1), 1.5)", None, "`blend` needs a constant between 0 and 1"),
    (
        "vol_target(long_only(1), 0, 20)",
        "vol_target(long_only(1), 0, 20)",
        "as a yearly share above 0",
    ),
    ("ts_kurt(close, 3)", "3", "`ts_kurt` needs a window of at least 4"),
    ("ts_quantile(close, 5, 1.5)", "1.5", "a quantile is a number from 0 to 1, not 1.5"),
    ("ts_quantile(close, 5, -0.1)", "-0.1", "a quantile is a number from 0 to 1, not -0.1"),
    ("ts_quantile(close, 5, volume)", "volume", "needs a quantile: a number from 0 to 1 here, known before it runs"),
    ("cs_winsor(close / open, 0.5)", "cs_winsor(close / open, 0.5)", "needs a quantile between 0 and 1, not 0.5"),
    ("cs_winsor(close / open, 0)", "cs_winsor(close / open, 0)", "needs a quantile between 0 and 1, not 0.5"),
    ("cs_group_demean(close / open, sector)", "sector", "needs the name of a classification in quotes here"),
    ("cs_top(close / open, 0)", "cs_top(close / open, 0)", "`cs_top` needs a constant above 0, at most 1"),
    ("cs_top(close / open, 1.1)", "cs_top(close / open, 1.1)", "`cs_top` needs a constant above 0, at most 1"),
    ("signed_pow(close, 0.25)", "signed_pow(close, 0.25)", "`signed_pow` needs a constant of 0.5, 1, 2, 3, 4 or 5"),
    ("signed_pow(close, 6)", "signed_pow(close, 6)", "`signed_pow` needs a constant of 0.5, 1, 2, 3, 4 or 5"),
    ("signed_pow(close, 2) + close", "signed_pow(close, 2) + close", "the left is currency^2, the right is a price"),
    ("pow(close, 2)", "close", "argument 1 of `pow` must be a pure number, this is a price"),
    ("kalman_level(close, 0)", "kalman_level(close, 0)", "needs a ratio of variances above 0, at most 100"),
    ("kalman_level(close, 101)", "kalman_level(close, 101)", "needs a ratio of variances above 0, at most 100"),
    ("kalman_beta(close, open, 2)", "kalman_beta(close, open, 2)", "needs a constant above 0, at most 1"),
    ("frac_diff(close, 2.5, 20)", "frac_diff(close, 2.5, 20)", "needs an order above 0, at most 2"),
    ("frac_diff(close, 0.4, 1)", "1", "needs a window of at least 2"),
    ("cusum(close / open, -1)", "cusum(close / open, -1)", "needs a constant of 0 or more"),
    ("cusum(close, 1)", "close", "argument 1 of `cusum` must be a pure number"),
    ("kelly(long_only(1), 1, 1, 0)", "kelly(long_only(1), 1, 1, 0)", "needs a constant above 0, at most 1"),
    ('spread_position(long_only(1), 1, "A", "A")', None, "`spread_position` needs two different instruments"),
    ("spread_position(long_only(1), 1, A, B)", "A", "needs an instrument's symbol in quotes here"),
    ("coint_z(close, volume, 20)", "volume", "must be a price, this is a volume"),
    ("coint_z(close, open, 2)", "2", "`coint_z` needs a window of at least 3"),
    ("vwap(3)", "vwap(3)", "`vwap` takes no arguments, 1 given"),
    ("book", "book", '`book` needs arguments: book("name")'),
    ("close <= open", "<=", "use `<`"),
    ("close == open", "==", "use between(x, lower, upper)"),
    ("close ** 2", "**", "use signed_pow(x, 2), or pow(x, y)"),
    ("close > open & open > low", "&", "use `and`"),
    ("close < open < high", "<", "a comparison cannot be chained"),
    ("close +", None, "expected a value, the expression ends here"),
    ("(close", None, "expected `)`, the expression ends here"),
    ("close)", ")", "expected an operator or the end, found `)`"),
    ("ema(close 20)", "20", "expected `)`, found `20`"),
    ("ema(close,, 20)", ",", "expected a value, found `,`"),
    ("close open", "open", "expected an operator or the end, found `open`"),
    ("2 close", "close", "expected an operator"),
    ("and(close > open)", "and(close > open)", "`and` takes 2 arguments, 1 given, write and(condition, condition)"),
    ("close > open and and open > low", "and", "expected a value, found `and`"),
    ("or", "or", "expected a value, found `or`"),
    ("close @ open", "@", "unexpected character '@'"),
    ("clöse", "ö", "unexpected character 'ö'"),
    ("import os", "os", "expected an operator or the end"),
    ("__import__('os')", "__import__('os')", "unknown operator `__import__`"),
    ("close.mean()", ".", "unexpected character '.'"),
    ("lambda: close", ":", "unexpected character ':'"),
    ("close[1]", "[", "unexpected character '['"),
    ("1e16", "1e16", "larger than 1e15"),
    ("delay(close, -1)", "-1", "not -1"),
    ("", None, "the expression is empty"),
    ("   ", None, "the expression is empty"),
    ("$0", "$0", "unknown name `$0`"),
    ("rsi(volume, 14)", "volume", "must be a price, this is a volume"),
    ("ext('a\"b')", "'a\"b'", "no quotes in it"),
]


@pytest.mark.parametrize(("expression", "place", "words"), WRONG_EXPRESSIONS)
def test_a_wrong_expression_says_what_and_where(expression: str, place: str | None, words: str) -> None:
    with pytest.raises(ClawdError) as caught:
        build(expression)
    message = str(caught.value)
    assert words in message
    if place is not None:
        _, shown, underlined = message.rsplit("\n", 2)
        first = underlined.index("^")
        assert shown[first : first + underlined.count("^")] == place
        assert shown.removeprefix("    ") == expression
        assert caught.value.where == f"column {first - 4 + 1}"


TERMS = "close + " * 40


@pytest.mark.parametrize(
    ("before", "after"),
    [(TERMS, " + close" * 40), (TERMS, ""), ("", " + close" * 40), ("close + ", " + close" * 40), (TERMS, " + open")],
)
def test_of_a_long_expression_only_what_lies_about_the_fault_is_shown(before: str, after: str) -> None:
    with pytest.raises(ClawdError) as caught:
        build(f"{before}clse{after}")
    _, shown, underlined = str(caught.value).rsplit("\n", 2)
    first = underlined.index("^")
    assert shown[first : first + underlined.count("^")] == "clse"
    assert len(shown) <= 4 + 1 + 70 + 1
    left, right = shown[4:first], shown[first + 4 :]
    assert left.startswith("…") == (len(before) > 40)
    assert right.endswith("…") == (len(after) > 40)
    assert before.endswith(left.removeprefix("…")) and after.startswith(right.removesuffix("…"))
    assert left.removeprefix("…") or not before
    assert caught.value.where == f"column {len(before) + 1}"


def test_a_fault_that_is_longer_than_what_is_shown_is_underlined_to_its_edge() -> None:
    with pytest.raises(ClawdError) as caught:
        build(f"long_short({TERMS * 4}close)")
    message, shown, underlined = str(caught.value).rsplit("\n", 2)
    assert "deeper than 100 operators" in message
    assert shown.endswith("…")
    assert shown[underlined.index("^") :].startswith("close + close")
    assert len(underlined) == len(shown) - 1
    with pytest.raises(ClawdError) as caught:
        build("close / open " + "0" * 30_000 + "5")
    assert len(str(caught.value)) < 400


def test_of_an_expression_of_many_lines_the_line_at_fault_is_shown() -> None:
    with pytest.raises(ClawdError) as caught:
        build("long_short(\n  close / open\n  + clse / open\n  + 1\n)\n")
    assert caught.value.where == "line 3, column 5"
    _, shown, underlined = str(caught.value).rsplit("\n", 2)
    assert shown == "      + clse / open"
    assert underlined == "        ^^^^"
    with pytest.raises(ClawdError) as caught:
        build("long_short(\n  close / open\n\n")
    assert caught.value.where == "line 2, column 15"
    assert str(caught.value).endswith("\n      close / open\n" + " " * 18 + "^")


def test_control_characters_do_not_reach_the_terminal() -> None:
    with pytest.raises(ClawdError) as caught:
        build("close \x1b[2J + open\x07")
    assert "\x1b" not in str(caught.value)
    assert "\x07" not in str(caught.value)


GOOD = """
name = "good"
bar = "1h"
universe = ["A"]
[let]
fast = "ema(close, 20)"
[position]
target = "long_short(fast / close - 1)"
[exits]
stop = { atr = 3, window = 14 }
"""

#: What is changed in the file above, and what the message must say, its place first.
WRONG_FILES = [
    ('name = "good"', "", "the strategy has no name"),
    ('name = "good"', "name = 3", "`name` must be a text"),
    ('name = "good"', 'nam = "good"', "unknown key `nam` (did you mean `name`?)"),
    ('name = "good"', f'name = "{"x" * 81}"', "`name` must be a text of at most 80"),
    ('name = "good"', 'name = "a\\u0007"', "printable"),
    ('bar = "1h"', 'bar = "1x"', "bar: `1x` is not a duration such as 5m, 1h or 1d"),
    ('bar = "1h"', 'bar = "0h"', "bar: `0h` is not a duration"),
    ('bar = "1h"', "bar = 60", "bar: `60` is not a duration"),
    ('bar = "1h"', "bar = 1979-05-27", "bar: `datetime"),
    ('universe = ["A"]', "universe = []", "universe: a list of symbols is needed"),
    ('universe = ["A"]', 'universe = ["A", "A"]', "universe: a symbol stands twice"),
    ('universe = ["A"]', 'universe = "A"', "universe: a list of symbols"),
    ('universe = ["A"]', 'universe = ["A\\u001b"]', "universe: a list of symbols"),
    ('fast = "ema(close, 20)"', 'fast = "ema(clos, 20)"', "let.fast: column 5: unknown name `clos`"),
    ('fast = "ema(close, 20)"', "fast = true", "let.fast: an expression in quotes or a number is needed"),
    ('fast = "ema(close, 20)"', "fast = inf", "let.fast: a number of at most 1e+15"),
    ('fast = "ema(close, 20)"', 'ema = "close"', "let.ema: `ema` is an operator and cannot be bound"),
    ('fast = "ema(close, 20)"', '"a b" = "close"', "let.a b: `a b` is not a name"),
    ('fast = "ema(close, 20)"', '"né" = "close"', "is not a name"),
    ('fast = "ema(close, 20)"', 'fast = "slow"\nslow = "fast"', "let.fast: column 1: unknown name `slow`"),
    ('fast = "ema(close, 20)"', 'fast = "fast + 1"', "let.fast: column 1: unknown name `fast`"),
    ("long_short(fast / close - 1)", "fast", "position.target: the target must be a position, this is a price"),
    ("long_short(fast / close - 1)", "1", "position.target: the target must be a position, this is a pure number"),
    (
        "long_short(fast / close - 1)",
        "long_short(fst)",
        "position.target: column 12: unknown name `fst`, did you mean `fast`?",
    ),
    ("long_short(fast / close - 1)", "fast(close)", "`fast` is a bound name, not an operator"),
    ('target = "long_short(fast / close - 1)"', "target = 1", "position.target: the target must be an expression"),
    ('target = "long_short(fast / close - 1)"', "", "position: there is no target"),
    ("[position]", "[positoin]", "unknown key `positoin` (did you mean `position`?)"),
    ("[position]", "[position]\nsize = 1", "position: unknown key `size`"),
    ("[exits]", "[exit]", "unknown key `exit`"),
    ("stop = { atr = 3, window = 14 }", "", "exits: there is no stop, and no position may be naked"),
    ("stop = { atr = 3, window = 14 }", "stop = 3", "exits.stop: a distance is a table"),
    ("stop = { atr = 3, window = 14 }", "stop = { atr = 3 }", "exits.stop: unknown distance with atr"),
    ("stop = { atr = 3, window = 14 }", "stop = { atr = 0, window = 14 }", "exits.stop: atr must be above 0"),
    ("stop = { atr = 3, window = 14 }", "stop = { atr = 101, window = 14 }", "at most 100, not 101"),
    (
        "stop = { atr = 3, window = 14 }",
        "stop = { atr = 3, window = 1.5 }",
        "exits.stop.window: a whole number of bars",
    ),
    (
        "stop = { atr = 3, window = 14 }",
        "stop = { percent = 96 }",
        "exits.stop: percent must be above 0 and at most 95",
    ),
    ("stop = { atr = 3, window = 14 }", "stop = { percent = nan }", "exits.stop: a number is needed, not nan"),
    ("stop = { atr = 3, window = 14 }", "stop = { percent = true }", "exits.stop: a number is needed, not True"),
    ("stop = { atr = 3, window = 14 }", "stp = { percent = 3 }", "exits: unknown exit `stp` (did you mean `stop`?)"),
    ("[exits]", "[exits]\ntime = 0", "exits.time: a whole number of bars from 1 to 5,000 is needed, not 0"),
    ("[exits]", "[exits]\ncooldown = '3'", "exits.cooldown: a whole number of bars"),
    ("[let]", "[let", "not TOML: "),
    ("[let]", "let = 3\n[x]", None),
]


@pytest.mark.parametrize(("old", "new", "words"), WRONG_FILES)
def test_a_wrong_file_says_what_and_where(old: str, new: str, words: str | None, tmp_path: Path) -> None:
    parse_toml(GOOD)
    path = tmp_path / "wrong.toml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ClawdError) as caught:
        load_strategy(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert words is None or words in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON: Expecting value"),
        ("[]", "a strategy is a JSON object"),
        ("{}", "`clawd` must be 1"),
        ('{"clawd": true}', "`clawd` must be 1, the version of the language, not True"),
        ('{"clawd": 2}', "not 2"),
        ('{"clawd": 1, "clawd": 1}', "the key `clawd` stands twice"),
        ('{"clawd": 1, "let": {}}', "unknown key `let`"),
        (
            '{"clawd": 1, "name": "x", "position": {"target": 3}}',
            "position.target: an object with `op` is needed, not int",
        ),
        (
            '{"clawd": 1, "name": "x", "position": {"target": {"op": "emma"}}}',
            "position.target: unknown operator 'emma' (did you mean `ema`?)",
        ),
        (
            '{"clawd": 1, "name": "x", "position": {"target": {"op": "abs", "args": [{"w": ""}]}}}',
            "position.target.args[0]: unknown operator None",
        ),
        (
            '{"clawd": 1, "name": "x", "position": {"target": {"op": "long_only", "args": [], "x": 1}}}',
            "an operator has `op` and a list `args`, nothing else",
        ),
        ('{"clawd": 1, "name": "x", "position": {"target": {"op": "long_only", "args": {}}}}', "a list `args`"),
        (
            '{"clawd": 1, "name": "x", "position": {"target": {"op": "ext", "args": [{"name": "a\\"b"}]}}}',
            "printable text without quotes",
        ),
        (
            '{"clawd": 1, "name": "x", "position": {"target": {"op": "const", "args": [{"k": 1e300}]}}}',
            "`k` must be a number of at most 1e+15",
        ),
        (
            '{"clawd": 1, "name": "x", "position": {"target": {"op": "const", "args": [{"k": NaN}]}}}',
            "NaN is not a number of JSON",
        ),
        ('{"clawd": 1,\n "name": }', "line 2, column 10: not JSON"),
    ],
)
def test_wrong_json_says_what_and_where(text: str, words: str) -> None:
    with pytest.raises(ClawdError) as caught:
        parse_json(text)
    assert words in str(caught.value)


def test_a_file_that_is_no_text_or_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ClawdError, match="no such file"):
        load_strategy(tmp_path / "absent.toml")
    with pytest.raises(ClawdError, match="this is a folder"):
        load_strategy(tmp_path)
    path = tmp_path / "image.toml"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ClawdError, match=r"not UTF-8 text \(byte 0\)"):
        load_strategy(path)


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "marked.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_strategy(path).name == "good"
