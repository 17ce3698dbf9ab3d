"""What holds for every program, shown on thousands of random ones.

The 10,000 of each kind are marked long: ``python -m pytest tests/engine/test_scale.py -m long``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from functools import cache
from random import Random

import numpy as np
import pytest

from clawd.core.costs import Costs
from clawd.core.panel import Panel
from clawd.engine.population import evaluate
from clawd.engine.runtime import Runtime
from clawd.language.canonical import make
from clawd.language.crossover import crossover
from clawd.language.expression import parse
from clawd.language.grow import random_population
from clawd.language.mutation import mutate
from clawd.language.node import Node, literal, walk
from clawd.language.operators import OPERATORS
from clawd.language.strategy import Strategy, parse_json, parse_toml
from clawd.language.types import CONDITION, Kind
from clawd.language.vocabulary import Vocabulary
from engine.panels import evaluate_nodes, program, random_panel
from engine.test_causality import depends_on_the_currency, garbled, permuted, random_strategies, scaled
from language.random_programs import ACROSS, SERIES
from language.test_canonical import raw
from language.test_mutation import valid

WORDS = Vocabulary(
    names=SERIES, instruments=("A", "B", "C"), groups=("sector",), windows=(2, 3, 5, 8, 13, 21), largest=40
)
BARS = 120


@cache
def strategies(count: int) -> list[Strategy]:
    """Half of them grown as authors grow them, half written as people might."""
    return [*random_population(Random(count), count // 2, WORDS), *random_strategies(count, count - count // 2)]


@pytest.fixture(params=[3_000, pytest.param(10_000, marks=pytest.mark.long)])
def many(request: pytest.FixtureRequest) -> list[Strategy]:
    return strategies(request.param)


def targets(bars: Panel, of: Sequence[Strategy]) -> np.ndarray:
    """[N, I, T]."""
    return Runtime(of, bars).targets(bars)[0]


def market(seed: int) -> Panel:
    return random_panel(seed, instruments=3, bars=BARS, holes=0.08)


def assert_same(found: np.ndarray, expected: np.ndarray, of: Sequence[Strategy]) -> None:
    """To the last bit."""
    unequal = ~((found == expected) | (np.isnan(found) & np.isnan(expected))).all(axis=(1, 2))
    assert not unequal.any(), [of[index].target.text for index in np.flatnonzero(unequal)[:5]]


def assert_positions(found: np.ndarray, bars: Panel, of: Sequence[Strategy]) -> None:
    """A number from -1 to 1 where there is a bar, nothing where there is none."""
    fine = np.where(bars.present, np.abs(found) <= 1.0, np.isnan(found)).all(axis=(1, 2))
    assert fine.all(), [of[index].target.text for index in np.flatnonzero(~fine)[:5]]


def test_most_of_the_programs_differ_and_take_positions(many: list[Strategy]) -> None:
    assert len({strategy.target.text for strategy in many}) > 0.8 * len(many)
    assert {node.operator for strategy in many for node in walk(strategy.target)} >= ACROSS & {"cs_rank", "cs_top"}
    held = targets(market(1), many)
    assert np.mean(np.nanmax(held, axis=(1, 2)) > np.nanmin(held, axis=(1, 2))) > 0.5


def test_the_past_does_not_know_how_long_the_panel_is_or_what_comes_next(many: list[Strategy]) -> None:
    bars = market(2)
    whole = targets(bars, many)
    rng = np.random.default_rng(2)
    for last in (1, 33, 77, BARS - 1):
        assert_same(targets(bars.between(0, last), many), whole[:, :, :last], many)
        assert_same(targets(garbled(bars, last, rng), many)[:, :, :last], whole[:, :, :last], many)


def test_a_batch_is_bar_by_bar(many: list[Strategy]) -> None:
    bars = market(3)
    runtime = Runtime(many, bars)
    alone = [runtime.targets(bars.between(t, t + 1))[0] for t in range(BARS)]
    assert_same(np.concatenate(alone, axis=2), targets(bars, many), many)


@pytest.mark.parametrize("order", [[2, 0, 1], [2, 1, 0]])
def test_shuffled_instruments_keep_their_positions(many: list[Strategy], order: list[int]) -> None:
    """To the last bit, but for programs across instruments: their sums round in the order of the rows, and of random
    ones a few in a hundred hang on a tie."""
    bars = market(4)
    found, expected = targets(permuted(bars, order), many), targets(bars, many)[:, order]
    own = [not ACROSS & {node.operator for node in walk(strategy.target)} for strategy in many]
    assert 0.3 < np.mean(own) < 0.95
    assert_same(found[own], expected[own], [strategy for strategy, is_own in zip(many, own, strict=True) if is_own])
    near = np.isclose(found, expected, rtol=1e-9, atol=1e-9, equal_nan=True).all(axis=(1, 2))
    assert np.mean(~near) <= 0.02, [many[index].target.text for index in np.flatnonzero(~near)[:5]]


@pytest.mark.parametrize("factor", [2.0**12, 2.0**-12])
def test_prices_in_another_unit_leave_the_positions(many: list[Strategy], factor: float) -> None:
    """A power of two scales a float exactly, so nothing rounds otherwise. But a divisor below 1e-12 is none in any
    unit: what rounding leaves where a residual should be zero may be one in one unit and none in another."""
    bars = market(5)
    some = [strategy for strategy in many if not depends_on_the_currency(strategy.target)]
    assert len(some) > 0.8 * len(many)
    found, expected = targets(scaled(bars, factor), some), targets(bars, some)
    near = np.isclose(found, expected, rtol=1e-9, atol=1e-9, equal_nan=True).all(axis=(1, 2))
    assert np.mean(~near) <= 0.002, [some[index].target.text for index in np.flatnonzero(~near)[:5]]


def disguised(random: Random, node: Node) -> str:
    """A program in other words: inputs in another order, multiplied by one, negated twice."""
    if node.operator == "const":
        return node.text
    inputs = [disguised(random, child) for child in node.inputs]
    if OPERATORS[node.operator].commutative:
        random.shuffle(inputs)
    words = [*inputs, *(literal(value) for value in node.parameters)]
    text = f"{node.operator}({', '.join(words)})" if words else node.operator
    if random.random() < 0.25 and node.type == CONDITION:
        return f"not(not({text}))"
    if random.random() < 0.25 and node.type.kind is Kind.SERIES:
        return random.choice((f"neg(neg({text}))", f"mul(1, {text})", f"({text} / 1)"))
    return text


def test_in_other_words_a_program_is_the_same_and_has_the_same_values(many: list[Strategy]) -> None:
    random, bars = Random(6), market(6)
    small = [strategy for strategy in many if strategy.target.size < 30]
    texts = [disguised(random, strategy.target) for strategy in small]
    assert sum(text != strategy.target.text for text, strategy in zip(texts, small, strict=True)) > 0.5 * len(small)
    for text, strategy in zip(texts, small, strict=True):
        assert program(text).text == strategy.target.text
    # Only differing nodes would be shared within one graph, so the two are computed apart.
    before = evaluate_nodes([raw(parse(text)) for text in texts], bars)
    assert_same(before, evaluate_nodes([strategy.target for strategy in small], bars), small)


def test_a_canonical_program_built_once_more_is_itself(many: list[Strategy]) -> None:
    for strategy in many:
        for node in walk(strategy.target):
            if node.operator != "const":
                assert make(node.operator, node.inputs, node.parameters).text == node.text


def test_two_strategies_have_one_hash_if_and_only_if_they_are_one(many: list[Strategy]) -> None:
    random = Random(7)
    every = [*many, *(replace(strategy, name="copy") for strategy in random.sample(many, 100))]
    every += [replace(random.choice(many), exits=random.choice(many).exits) for _ in range(200)]
    means = [(each.target.text, json.dumps(each.exits.to_json(), sort_keys=True), each.bar) for each in every]
    hashes = [each.content_hash for each in every]
    assert len(set(hashes)) == len(set(means)) == len(set(zip(hashes, means, strict=True)))


def children(random: Random, parents: Sequence[Strategy]) -> Iterator[Strategy]:
    for one in parents:
        mutant = mutate(random, one, WORDS)
        both = crossover(random, one, random.choice(parents), WORDS)
        yield from (child for child in (mutant, *(both or ())) if child is not None)


def test_the_children_of_valid_strategies_are_valid_and_decide(many: list[Strategy]) -> None:
    bars = market(8)
    grown = many[: len(many) // 2]
    found = [*children(Random(8), grown[: len(grown) // 2])]
    assert len(found) > len(grown)
    for child in found[::3]:
        valid(child, WORDS)
    grandchildren = [*children(Random(9), found[: len(found) // 4])]
    assert len(grandchildren) > len(found) // 4
    for every in (found, grandchildren):
        assert_positions(targets(bars, every), bars, every)


def test_every_form_of_a_strategy_decides_the_same(many: list[Strategy]) -> None:
    bars = market(10)
    some = many[::3]
    expected = targets(bars, some)
    for form in (
        [parse_toml(strategy.to_toml()) for strategy in some],
        [parse_json(json.dumps(strategy.to_json())) for strategy in some],
        [parse_json(json.dumps(strategy.to_graph())) for strategy in some],
    ):
        assert [each.content_hash for each in form] == [each.content_hash for each in some]
        assert_same(targets(bars, form), expected, some)


#: What carries a value on for ever.
SMOOTHED = {"ema", "rma", "ewm_std", "vol_forecast", "kama", "kalman_level", "kalman_beta", "cusum"}

HOSTILE = {
    "zeros": [0.0, 0.0, 1.0],
    "negative": [-5.0, -1e-3, 2.0],
    "huge": [1e300, 1e-300, 1.0, -1e300],
    "huge_alone": [1e300, 9e299],
    "squares_overflow": [1e160, 1.0, 1e155],
    "subnormal": [5e-324, 2e-308, 1.0],
    "constant": [3.0],
    "spikes": [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1e18],
}


#: With these an account itself may overflow: then a figure is missing.
BOUNDLESS = {"huge", "huge_alone", "squares_overflow", "subnormal"}


def hostile(kind: str) -> Panel:
    """Thirty sane bars, sixty that no market has, and sane ones again; volumes unknown or nothing, and holes."""
    bars, rng = random_panel(11, instruments=3, bars=BARS, holes=0.1), np.random.default_rng(11)
    shape = (3, 60)

    def spoiled(values: np.ndarray, choice: Sequence[float]) -> np.ndarray:
        values = values.copy()
        values[..., 30:90] = rng.choice(choice, (*values.shape[:-1], shape[1]))
        return values

    hole = np.isnan(bars.close) | (rng.random(bars.close.shape) < 0.05)
    columns = {name: spoiled(getattr(bars, name), HOSTILE[kind]) for name in ("open", "high", "low", "close")}
    columns["volume"] = spoiled(bars.volume, [np.nan, 0.0, 1.0, *HOSTILE[kind]])
    return replace(
        bars,
        **{name: np.where(hole, np.nan, values) for name, values in columns.items()},
        series={name: spoiled(values, [*HOSTILE[kind], np.inf, np.nan]) for name, values in bars.series.items()},
    )


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_panel_is_so_bad_that_a_position_is_not_a_number(many: list[Strategy], kind: str) -> None:
    bars = hostile(kind)
    assert_positions(targets(bars, many), bars, many)
    # Nor does a program itself yield one that the runtime would have to flatten.
    assert_positions(evaluate_nodes([strategy.target for strategy in many], bars), bars, many)


@pytest.mark.parametrize("kind", HOSTILE)
def test_after_bad_bars_a_program_goes_on(many: list[Strategy], kind: str) -> None:
    """What the bad bars have left in a state does not keep a value missing: a NaN or an infinity would for ever.

    What is made of smoothed values is left out, for a smoothed 1e300 takes long to fade to one that can be squared.
    """
    bars = hostile(kind)
    nodes = [*walk(*(strategy.target for strategy in many[:: max(1, len(many) // 750)]))]
    nodes = [node for node in nodes if node.inputs and node.lookback < 12]
    nodes = [node for node in nodes if not any(part.operator in SMOOTHED for part in walk(*node.inputs))]
    sane = random_panel(11, instruments=3, bars=BARS, holes=0.1)
    after = evaluate_nodes(nodes, bars)[:, :, -8:]
    plain = evaluate_nodes(nodes, sane)[:, :, -8:]
    lost = (np.isfinite(plain) & bars.present[:, -8:]).all(axis=2) & np.isnan(after).all(axis=2)
    lasting = [node.text for node, gone in zip(nodes, lost.any(axis=1), strict=True) if gone]
    assert not lasting, lasting[:8]


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_figures_of_a_population_are_finite_where_they_exist(many: list[Strategy], kind: str) -> None:
    bars = hostile(kind)
    some = [replace(strategy, bar=None, universe=None) for strategy in many[::3]]
    for costs in (Costs(Decimal(0), Decimal(0)), Costs(Decimal("0.001"), Decimal("0.0005"))):
        for strategy, figures in zip(some, evaluate(some, bars, costs, Decimal(10_000)), strict=True):
            infinite = [name for name, value in asdict(figures).items() if np.isinf(value)]
            assert not infinite, (infinite, strategy.target.text)
            missing = [name for name in ("total_return", "max_drawdown", "fees") if np.isnan(getattr(figures, name))]
            assert not missing or kind in BOUNDLESS, (missing, strategy.target.text)
