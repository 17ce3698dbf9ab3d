"""Programs that must mean the same are one program, and becoming canonical changes no value."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.language.builder import DEEPEST_PROGRAM, LARGEST_PROGRAM, build
from clawd.language.canonical import family_text, make
from clawd.language.expression import LARGEST_NUMBER, Tree, parse
from clawd.language.node import Node, walk, write
from clawd.language.operators import LONGEST_WINDOW, OPERATORS
from clawd.language.types import CONDITION, POSITION
from engine.panels import evaluate_nodes, program, random_panel
from language.random_programs import UNITS, Writer, series

SAME = [
    ("close + open", "open + close"),
    ("close * volume", "volume * close"),
    ("close - open", "close + -open"),
    ("close - open", "-open + close"),
    ("close - -open", "close + open"),
    ("sub(close, open)", "close - open"),
    ("--close", "close"),
    ("not not close > open", "close > open"),
    ("close < open", "open > close"),
    ("close > open and open > low", "open > low and open < close"),
    ("close > open or open > low", "open > low or close > open"),
    ("close > open and close > open", "close > open"),
    ("min2(close, close)", "close"),
    ("max2(close, open)", "max2(open, close)"),
    ("ts_corr(close, volume, 5)", "ts_corr(volume, close, 5)"),
    ("abs(-close)", "abs(close)"),
    ("abs(abs(close))", "abs(close)"),
    ("abs(close - open)", "abs(close + -open)"),
    ("sign(sign(close / open))", "sign(close / open)"),
    ("where(close > open, low, low)", "low"),
    ("close * 1", "close"),
    ("1 * close", "close"),
    ("close / 1", "close"),
    ("2 * 3", "6"),
    ("close * (1 + 1)", "close * 2"),
    ("close * (4 / 2)", "2 * close"),
    ("close * min2(1, 2)", "close"),
    ("close * abs(-2)", "close * 2"),
    ("delay(delay(close, 2), 3)", "delay(close, 5)"),
    ("delay(delay(delay(close, 1), 1), 1)", "delay(close, 3)"),
    ("delay(delay(close, 4000), 4000)", "delay(delay(close, 5000), 3000)"),
    ("delay(delay(delay(close, 3000), 3000), 3000)", "delay(delay(close, 4500), 4500)"),
    ("ts_mean(close, 1)", "close"),
    ("ts_sum(close, 1)", "close"),
    ("ts_min(close, 1)", "close"),
    ("ts_max(close, 1)", "close"),
    ("ema(close, 1)", "close"),
    ("ts_prod(close / open, 1)", "close / open"),
    ("ts_quantile(close, 1, 0.3)", "close"),
    ("decay_linear(close, 1)", "close"),
    ("min_hold(long_only(1), 1)", "long_only(1)"),
    ("rebalance(long_only(1), 1)", "long_only(1)"),
    ("abs(open - close)", "abs(close - open)"),
    ("abs(-close - open)", "abs(close + open)"),
    ("abs(2 - close / open)", "abs(close / open - 2)"),
    ("abs(ts_min(low, 3) - max2(low, open))", "abs(max2(open, low) - ts_min(low, 3))"),
    ("close > open and (open > low and high > close)", "(high > close and close > open) and open > low"),
    ("close > open and (open > low and close > open)", "open > low and close > open"),
    ("close > open or (open > low or high > close)", "(high > close or close > open) or open > low"),
    ("min2(close, min2(open, low))", "min2(min2(low, close), min2(open, close))"),
    ("max2(max2(close / open, 1), max2(2, open / low))", "max2(2, max2(open / low, close / open))"),
    ("min2(min2(close / open, 1), 2)", "min2(1, close / open)"),
    ("max2(close - open, max2(0, open - low))", "max2(max2(open - low, close - open), 0)"),
    ("clip(clip(close / open, 0, 2), 1, 3)", "clip(close / open, 1, 2)"),
    ("clip(clip(close / open, 1, 2), 0, 3)", "clip(close / open, 1, 2)"),
    ("signed_pow(close, 1)", "close"),
    ("as_num(close / open)", "close / open"),
    ("as_num(as_num(close))", "as_num(close)"),
    ("sign(as_num(close - open))", "sign(close - open)"),
    ("as_num(close) > as_num(open)", "close > open"),
    ("as_num(close) / as_num(open)", "close / open"),
    ("cs_rank(as_num(volume))", "cs_rank(volume)"),
    ("ts_rank(as_num(volume), 5)", "ts_rank(volume, 5)"),
    ("ts_corr(as_num(volume), close, 5)", "ts_corr(close, volume, 5)"),
    ("cs_rank(cs_rank(close))", "cs_rank(close)"),
    ("close * sqrt(4)", "close * 2"),
    ("close * sign(-3)", "-1 * close"),
    ("close * clip(7, 1, 2)", "close * 2"),
    ("close * as_num(2)", "close * 2"),
    ("stoch_k(14)", "100 * (close - ts_min(low, 14)) / (ts_max(high, 14) - ts_min(low, 14))"),
    ("adv(20)", "ts_mean(volume * close, 20)"),
    ("ts_cov(close, volume, 5)", "ts_cov(volume, close, 5)"),
    ("bb_z(close, 20)", "ts_zscore(close, 20)"),
    ("tsmom(5)", "sign(ret(close, 5))"),
    ("ema(close, 20.0)", "ema(close, 20)"),
    ("close * 0.50", "close * 5e-1"),
    ("((close))", "close"),
    ("add(close, open)", "open + close"),
    ("atr(14)", "rma(max2(max2(abs(low - delay(close, 1)), abs(high - delay(close, 1))), high - low), 14)"),
]

DIFFERENT = [
    ("close - open", "open - close"),
    ("close / open", "open / close"),
    ("close > open", "close < open"),
    ("not close > open", "close < open"),
    ("ts_beta(close, open, 5)", "ts_beta(open, close, 5)"),
    ("where(close > open, low, high)", "where(close > open, high, low)"),
    ("cross_up(close, open)", "cross_up(open, close)"),
    ("ema(close, 20)", "ema(close, 21)"),
    ("close * 2", "close * 2.0000000000000004"),
    ("ts_zscore(ts_zscore(close, 5), 5)", "ts_zscore(close, 5)"),
    ("ema(ema(close, 5), 5)", "ema(close, 10)"),
    ("sign(-close / open)", "sign(close / open)"),
    ("(close + open) + low", "close + low"),
    ("close > open and open > low", "close > open or open > low"),
    ("latch(close > open, open > low)", "latch(open > low, close > open)"),
    ('ext("mood")', 'ext("rate")'),
    ('asset(close, "A")', 'asset(close, "B")'),
    ("ts_std(close, 5)", "ts_std(open, 5)"),
    ("1 / close * close", "close / close"),
    ("close * 0", "close"),
    ("(close + open) + low", "close + (open + low)"),
    ("(close / open) * (open / low) * 3", "(close / open) * ((open / low) * 3)"),
    ("close > open and (open > low or high > close)", "(close > open and open > low) or high > close"),
    ("min2(close, max2(open, low))", "max2(min2(close, open), low)"),
    ("clip(clip(close / open, 0, 1), 1, 2)", "clip(close / open, 1, 2)"),
    ("clip(clip(close / open, 0, 1), 2, 3)", "clip(close / open, 2, 3)"),
    ("as_num(close) + as_num(volume)", "as_num(close) + as_num(open)"),
    ("squash(squash(close / open))", "squash(close / open)"),
    ("sqrt(sqrt(close))", "sqrt(close)"),
    ("cs_rank(log(close))", "cs_rank(close)"),
    ("cs_rank(2 * close)", "cs_rank(close)"),
    ("ts_rank(-close, 5)", "ts_rank(close, 5)"),
    ("cs_rank(sqrt(close))", "cs_rank(close)"),
    ("rma(close, 1)", "close"),
    ("smooth(long_only(1), 1)", "long_only(1)"),
    ("delay(ema(close, 3), 2)", "ema(delay(close, 2), 3)"),
    ("ts_resid(close, open, 5)", "ts_resid(open, close, 5)"),
    ("signed_pow(close, 2)", "close * close"),
    ('book("x")', 'ext("x")'),
    ('cs_group_demean(close / open, "sector")', 'cs_group_demean(close / open, "country")'),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_programs_that_mean_the_same_are_one(left: str, right: str) -> None:
    one, other = build(left), build(right)
    if isinstance(other, float):
        assert isinstance(one, Node)
        assert one.constant == other
    else:
        assert one == other
        assert hash(one) == hash(other)


@pytest.mark.parametrize(("left", "right"), DIFFERENT)
def test_programs_that_mean_something_else_are_not_one(left: str, right: str) -> None:
    assert build(left) != build(right)


def test_a_named_part_is_the_same_as_what_it_stands_for() -> None:
    bound = {"fast": program("ema(close, 20)"), "w": 20.0, "k": 2.0}
    assert build("fast - open", bound) == build("ema(close, 20) - open")
    assert build("ema(close, w) * k", bound) == build("2 * ema(close, 20)")


def test_a_bound_name_hides_an_input_but_no_operator() -> None:
    assert build("open + high", {"open": program("low")}) == build("low + high")


@pytest.fixture(scope="module")
def written() -> dict[str, Node]:
    """Thousands of random programs by the texts that they were built from."""
    random = Random(7)
    goals = (POSITION, POSITION, CONDITION, *map(series, UNITS))
    texts = [Writer(random).write(random.choice(goals), 1 + index % 6) for index in range(4_000)]
    built = {text: build(text) for text in texts}
    return {text: node for text, node in built.items() if isinstance(node, Node)}


def test_canonical_text_reads_back_to_the_same_program(written: dict[str, Node]) -> None:
    assert len(written) > 2_500
    assert {part.operator for node in written.values() for part in walk(node)} >= {"and", "or", "not"}
    for text, node in written.items():
        again = build(node.text) if node.constant is None else node
        assert isinstance(again, Node), text
        assert again == node, text
        assert (again.lookback, again.size, again.depth) == (node.lookback, node.size, node.depth), text
        assert again.type == node.type, text


def rebuilt(node: Node) -> Node:
    """A program made once more from its parts, the last one first where two may change places."""
    inputs = [rebuilt(part) for part in node.inputs]
    return make(node.operator, inputs[::-1] if OPERATORS[node.operator].commutative else inputs, node.parameters)


def test_a_canonical_program_made_once_more_is_itself(written: dict[str, Node]) -> None:
    for text, node in written.items():
        again = rebuilt(node)
        assert again == node, text
        assert [part.text for part in walk(again)] == [part.text for part in walk(node)], text


def test_every_part_of_a_canonical_program_is_canonical(written: dict[str, Node]) -> None:
    for node in walk(*written.values()):
        assert node.operator != "sub"
        assert OPERATORS[node.operator].expansion is None
        assert node.text == write(node.operator, node.inputs, node.parameters)
        if OPERATORS[node.operator].commutative:
            assert node.inputs[0].text <= node.inputs[1].text
        assert node.depth == 1 + max((part.depth for part in node.inputs), default=0)
        assert node.size == 1 + sum(part.size for part in node.inputs)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(["and", "or", "min2", "max2"]),
    st.lists(st.integers(1, 12), min_size=2, max_size=12),
    st.randoms(use_true_random=False),
)
def test_a_chain_is_one_program_whatever_its_order_and_brackets(name: str, windows: list[int], random: Random) -> None:
    leaf = "(close > ema(close, {}))" if name in ("and", "or") else "ema(close, {})"

    def joined(words: list[str]) -> str:
        if len(words) == 1:
            return words[0]
        at = random.randrange(1, len(words))
        left, right = joined(words[:at]), joined(words[at:])
        return f"({left} {name} {right})" if name in ("and", "or") else f"{name}({left}, {right})"

    words = [leaf.format(window) for window in windows]
    once = program(joined(words))
    random.shuffle(words)
    assert program(joined(words)) == once
    distinct = len(set(windows))
    assert sum(node.operator == name for node in walk(once)) == distinct - 1
    # Of a window of 1 the ema is the close itself, which is one operator less deep.
    assert once.depth <= (distinct - 1).bit_length() + program(leaf.format(2)).depth


@pytest.mark.parametrize("ranges", ["0, 1), 2, 3", "2, 3), 0, 1", "0, 1), 1, 2", "-3, -2), -2, 5"])
def test_a_clip_of_a_clip_whose_ranges_do_not_overlap_stays(ranges: str) -> None:
    node = program(f"clip(clip(close / open, {ranges})")
    assert [part.operator for part in walk(node)].count("clip") == 2
    assert program(node.text) == node


def test_a_sweep_of_a_chain_is_one_family() -> None:
    # The numbers stand first, so it is they that the texts of the parts are ordered by.
    texts = {
        f"ret(close, 3) < 0.{a} and ret(open, {a}) < 0.{b} and ret(high, {b}) < 0.{c}"
        for a in (2, 5, 9)
        for b in (2, 5, 9)
        for c in (1, 2, 5, 9)
    }
    assert len({program(text) for text in texts}) == 36
    assert len({family_text(program(text)) for text in texts}) == 1


def test_a_sweep_of_a_distance_is_one_family() -> None:
    texts = {f"abs({a} * close - {b} * open)" for a in (0.5, 2, 10) for b in (0.7, 3, 20)}
    assert len({program(text) for text in texts}) == 9
    assert len({family_text(program(text)) for text in texts}) == 1


def raw(tree: Tree, bound: dict[str, Node] | None = None) -> Node:
    """The program of a tree as it stands: macros expanded, nothing rewritten."""
    head = str(tree.head)
    if bound and head in bound:
        return bound[head]
    if tree.form == "number":
        return _node("const", (), (float(tree.head),))
    operator = OPERATORS[head]
    count = len(operator.signature.inputs)
    inputs = tuple(raw(argument, bound) for argument in tree.arguments[:count])
    parameters = tuple(_parameter(argument, bound) for argument in tree.arguments[count:])
    if operator.expansion is not None:
        values = (*inputs, *(_node("const", (), (value,)) for value in parameters))
        return raw(parse(operator.expansion), {f"${index}": value for index, value in enumerate(values)})
    return _node(head, inputs, parameters)


def _parameter(tree: Tree, bound: dict[str, Node] | None) -> float | str:
    if bound and tree.head in bound:
        return bound[str(tree.head)].parameters[0]
    return str(tree.head) if tree.form == "text" else float(tree.head)


def _node(operator: str, inputs: tuple[Node, ...], parameters: tuple[float | str, ...]) -> Node:
    text = f"{operator}<{'; '.join([node.text for node in inputs] + [repr(value) for value in parameters])}>"
    return Node(operator, inputs, parameters, POSITION, 0, 0, 0, text)


@pytest.mark.parametrize("seed", range(12))
def test_becoming_canonical_changes_no_value(seed: int) -> None:
    random = Random(seed)
    texts = [Writer(random).write(POSITION, random.randrange(1, 6)) for _ in range(50)]
    bars = random_panel(seed, bars=150)
    uncanonical = evaluate_nodes([raw(parse(text)) for text in texts], bars)
    canonical = evaluate_nodes([program(text) for text in texts], bars)
    for text, before, after in zip(texts, uncanonical, canonical, strict=True):
        np.testing.assert_array_equal(after, before, err_msg=text)


@pytest.mark.parametrize(("left", "right"), SAME)
def test_the_pairs_above_have_the_same_values(left: str, right: str) -> None:
    bars = random_panel(1, bars=120)
    one, other = evaluate_nodes([raw(parse(left)), raw(parse(right))], bars)
    present = bars.present
    np.testing.assert_allclose(
        np.broadcast_to(one, present.shape)[present], np.broadcast_to(other, present.shape)[present], rtol=1e-12
    )


# Lookback.

LOOKBACKS = {
    "close": 0,
    "close + open": 0,
    "delay(close, 3)": 3,
    "ret(close, 3)": 3,
    "ts_mean(close, 20)": 19,
    "ts_min(close, 1)": 0,
    "ema(close, 20)": 80,
    "rma(close, 14)": 56,
    "atr(14)": 57,
    "rsi(close, 14)": 57,
    "ts_mean(ts_mean(close, 20), 5)": 23,
    "ts_mean(close, 20) - delay(ema(open, 10), 7)": 47,
    "cross_up(close, ts_mean(close, 5))": 5,
    "count_true(close > open, 10)": 9,
    "efficiency(close, 10)": 10,
    "vol_target(long_only(1), 0.2, 60)": 240,
    "smooth(long_only(1), 5)": 20,
    "cs_rank(ret(close, 250))": 250,
    "bars_since(close > open)": 0,
    "ts_argmax(close, 20)": 19,
    "ts_quantile(close, 20, 0.5)": 19,
    "ts_resid(close, open, 20)": 19,
    "decay_linear(close, 20)": 19,
    "kama(close, 10)": 160,
    # The steady gain for k = 1/2 is 1/2, and 2^-12 is the first power of it below e^-8.
    "kalman_level(close, 0.5)": 12,
    "kalman_beta(close, open, 0.5)": 12,
    "kalman_level(close, 1e-15)": 5_000,
    "ou_halflife(close / open, 20)": 20,
    "frac_diff(close, 0.4, 60)": 59,
    "cusum(close / open, 0.5)": 0,
}


@pytest.mark.parametrize(("expression", "bars"), LOOKBACKS.items())
def test_the_lookback_is(expression: str, bars: int) -> None:
    assert program(expression).lookback == bars


#: They have a value before their start is forgotten.
_SOONER = {"ema", "rma", "cross_up", "kama", "kalman_level", "kalman_beta"}


@pytest.mark.parametrize("expression", [text for text in LOOKBACKS if "long" not in text and ">" not in text])
def test_a_value_exists_once_its_lookback_has_passed_and_before_that_no_window_is_whole(expression: str) -> None:
    bars = random_panel(2, instruments=2, bars=400, holes=0.0, silent=0.0)
    node = program(expression)
    values = evaluate_nodes([node], bars)[0]
    for i in range(2):
        own = values[i][bars.present[i]]
        assert np.isfinite(own[node.lookback :]).all()
        if not _SOONER & {part.operator for part in walk(node)}:
            assert np.isnan(own[: node.lookback]).all()


# Bounds.


def test_what_is_within_the_bounds_is_accepted_and_what_is_not_is_refused_in_words() -> None:
    names = {"part": program("+".join(["close"] * 90))}
    assert names["part"].depth == 90
    assert build("part + part", names) == build("part + part", names)
    deep = dict(names)
    with pytest.raises(Exception, match=f"deeper than {DEEPEST_PROGRAM} operators"):
        for _ in range(40):
            deep["part"] = build("ema(part, 2)", deep)  # type: ignore[assignment]
    large = {"part": program("ema(close, 2)")}
    with pytest.raises(Exception, match=f"longer than {LARGEST_PROGRAM:,} characters"):
        for window in range(2, 30):
            large["part"] = build(f"part + ema(part, {window})", large)  # type: ignore[assignment]


def test_arithmetic_on_constants_stays_within_the_numbers_that_can_be_written() -> None:
    large = program(f"{LARGEST_NUMBER:.0f} * {LARGEST_NUMBER:.0f}")
    assert large.operator == "mul"
    assert program(f"{LARGEST_NUMBER:.0f} * 1").constant == LARGEST_NUMBER
    assert program("1 / 0").operator == "div"


def test_no_window_grows_beyond_the_longest_that_can_be_written() -> None:
    for text in ("delay(delay(close, 5000), 5000)", "delay(delay(delay(close, 4999), 4999), 4999)"):
        for node in walk(program(text)):
            assert all(float(value) <= LONGEST_WINDOW for value in node.parameters)
