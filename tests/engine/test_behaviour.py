"""What a strategy does, as bits: alike where it trades alike, far where it does not."""

from __future__ import annotations

import hashlib
import itertools
import json
from random import Random

import numpy as np
import pytest

from clawd.authors.starter import find_starter, starter_library
from clawd.engine.behaviour import (
    BITS,
    LENGTH,
    _bell,
    _planes,
    _reference,
    _stream,
    behaviour,
    behaviour_distance,
    behaviour_hash,
)
from clawd.language.grow import random_population
from clawd.language.strategy import Strategy, parse_json, parse_toml
from clawd.language.vocabulary import Vocabulary

DAY = 86_400 * 10**9


def strategy(target: str, stop: str = "percent = 90", head: str = "") -> Strategy:
    return parse_toml(f"name = 'x'\n{head}\n[position]\ntarget = '{target}'\n[exits]\nstop = {{ {stop} }}\n")


def distance(one: str, other: str) -> float:
    return behaviour_distance(behaviour_hash(strategy(one)), behaviour_hash(strategy(other)))


def test_the_stream_is_that_of_its_authors() -> None:
    """The reference values of SplitMix64 for the seeds 0 and 1234567."""
    assert next(_stream(0)) == 0xE220A8397B1DCDAF
    assert list(itertools.islice(_stream(1234567), 5)) == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_the_bell_has_mean_nothing_and_deviation_one() -> None:
    stream = _stream(3)
    values = np.array([_bell(stream) for _ in range(20_000)]) / 1_000
    assert abs(values.mean()) < 0.03
    assert abs(values.std() - 1.0) < 0.03


def test_the_reference_market_is_frozen() -> None:
    """Ledgers and archives hold hashes made on it: another market would make every one of them worthless."""
    panel = _reference(DAY, ("A", "B", "C", "D", "E"), ("vix",), ())
    digest = hashlib.sha256()
    for field in (panel.open, panel.high, panel.low, panel.close, panel.volume, panel.funding, panel.series["vix"]):
        digest.update(np.nan_to_num(field, nan=-1.0).astype("<f8").tobytes())
    digest.update(_planes().astype("<i8").tobytes())
    assert digest.hexdigest() == "e5512ec88f68cb7ff2666127bbab609e7c3ada70000fe87f5afa4e8d353e12aa"


def test_the_reference_market_is_a_market() -> None:
    panel = _reference(DAY, ("A", "B", "C", "D", "E"), ("vix", "mood"), ())
    present = panel.present
    assert present.shape == (5, LENGTH)
    low, high = panel.low[present], panel.high[present]
    for field in (panel.open[present], panel.close[present]):
        assert (low > 0).all() and (low <= field).all() and (field <= high).all()
    returns = np.diff(np.log(panel.close), axis=1)
    volatility = np.nanstd(returns, axis=1) * np.sqrt(365)
    assert ((volatility > 0.2) & (volatility < 0.4)).all()
    correlations = np.corrcoef(np.nan_to_num(returns))[np.triu_indices(5, 1)]
    assert ((correlations > 0.1) & (correlations < 0.6)).all()  # a common part, and a part of its own
    assert not present[2, :40].any() and not present[2, 41:].all()  # listed late, with holes
    assert present[[0, 1, 3, 4]].all()
    assert (panel.funding[[1, 3]] != 0).any() and not panel.funding[[0, 2, 4]].any()
    assert abs(np.corrcoef(panel.series["vix"][20:], panel.series["mood"][20:])[0, 1]) < 0.2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("long_short(sign(ret(close, 20)))", "long_short(sign(3 * ret(close, 20)))"),
        ("long_only(where(close > open, 1, 0))", "long_only(where(not close > open, 0, 1))"),
        ("long_only(where(close > ema(close, 9), 1, 0))", "long_only(where(close - ema(close, 9) > 0, 1, 0))"),
        ("xs_portfolio(cs_rank(close / open))", "xs_portfolio(cs_rank(2 * close / open))"),
    ],
)
def test_strategies_that_trade_alike_have_one_hash(one: str, other: str) -> None:
    assert strategy(one).content_hash != strategy(other).content_hash
    assert behaviour_hash(strategy(one)) == behaviour_hash(strategy(other)) != "0" * 16


def test_a_strategy_in_another_form_has_the_same_hash() -> None:
    for name in ("turtles", "rsi2", "pairs_spread"):
        starter = find_starter(name)
        assert behaviour_hash(parse_json(json.dumps(starter.to_graph()))) == behaviour_hash(starter)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("long_short(ema(close, 40) / ema(close, 60) - 1)", "long_short(ema(close, 41) / ema(close, 60) - 1)"),
        ("long_short(sign(ret(close, 60)))", "long_short(sign(ret(close, 61)))"),
        ("long_only(1)", "long_only(0.9)"),
    ],
)
def test_a_tiny_change_stays_near(one: str, other: str) -> None:
    assert distance(one, other) <= 0.25


def test_unrelated_strategies_are_half_the_bits_apart() -> None:
    flips = [f'long_short(where(ext("coin {i}") > 0, 1, -1))' for i in range(12)]
    hashes = [behaviour_hash(strategy(text)) for text in flips]
    distances = [behaviour_distance(one, other) for one, other in itertools.combinations(hashes, 2)]
    assert 0.45 < np.mean(distances) < 0.55
    assert min(distances) > 0.25


def test_opposite_strategies_are_farther_than_unrelated_ones() -> None:
    coin = "long_short(where({}, 1, -1))"
    assert distance(coin.format('ext("c") > 0'), coin.format('not ext("c") > 0')) > 0.95
    assert distance("long_only(1)", "long_short(-1)") > 0.7


def test_the_distance_counts_bits() -> None:
    assert behaviour_distance("0" * 16, "f" * 16) == 1.0
    assert behaviour_distance("00000000000000ff", "0" * 16) == 8 / BITS
    assert behaviour_distance("123456789abcdef0", "123456789abcdef0") == 0.0


def test_the_distance_is_the_angle_between_the_signs() -> None:
    """Charikar's theorem, on streams that differ on a known share of the bars."""
    random = np.random.default_rng(4)
    one = random.choice([-1, 1], LENGTH)
    for share in (0.1, 0.3, 0.5):
        other = one * np.where(np.arange(LENGTH) < share * LENGTH, -1, 1)
        angle = np.arccos(one @ other / LENGTH) / np.pi
        apart = np.mean((_planes() @ one > 0) != (_planes() @ other > 0))
        assert abs(apart - angle) < 4 * np.sqrt(angle * (1 - angle) / BITS)


def test_a_flat_strategy_has_a_value_of_its_own() -> None:
    flat = strategy("long_only(0)")
    assert not behaviour(flat).any()
    assert behaviour_hash(flat) == "0" * 16
    assert behaviour_hash(strategy("long_only(delay(close, 4000) / close)")) == "0" * 16  # more history than there is
    assert behaviour_hash(strategy("long_only(1)")) != "0" * 16


def test_every_bar_and_every_name_finds_its_market() -> None:
    """Nothing that a strategy may ask for is missing."""
    for bar in ("1m", "5m", "1h", "4h", "1d", "1w"):
        each = strategy('long_short(where(ext("any name") > 0, 1, -1))', head=f'bar = "{bar}"')
        assert behaviour(each).any()
    for head in ("", 'universe = ["X", "Y"]', 'universe = ["ETH"]'):
        each = strategy('long_short(ret(asset(close, "BTC"), 3) - ret(asset(close, "ETH"), 3))', head=head)
        assert behaviour(each).any()
    many = " + ".join(f'ret(asset(close, "N{i}"), 3)' for i in range(9))
    assert behaviour(strategy(f"long_short({many})")).any()


def test_names_stand_for_instruments_in_their_order() -> None:
    one = strategy('long_short(sign(ret(asset(close, "BTC"), 30)))')
    other = strategy('long_short(sign(ret(asset(close, "SPY"), 30)))')
    assert behaviour_hash(one) == behaviour_hash(other)
    pair = 'long_short(sign(ret(asset(close, "{}"), 30)) - sign(ret(asset(close, "{}"), 30)))'
    assert behaviour_hash(strategy(pair.format("A", "B"))) == behaviour_hash(strategy(pair.format("K", "Z")))
    assert behaviour_hash(strategy(pair.format("A", "B"))) != behaviour_hash(strategy(pair.format("B", "A")))


def test_the_starter_library_behaves_in_its_own_ways() -> None:
    hashes = [behaviour_hash(each) for each in starter_library()]
    assert len(set(hashes)) == len(hashes)
    distances = [behaviour_distance(one, other) for one, other in itertools.combinations(hashes, 2)]
    assert 0.4 < np.mean(distances) < 0.6
    assert [behaviour_hash(each) for each in starter_library()] == hashes


def test_random_strategies_have_a_behaviour() -> None:
    vocabulary = Vocabulary(names={"ext": ("mood",)}, instruments=("BTC",))
    found = [behaviour_hash(each) for each in random_population(Random(8), 40, vocabulary)]
    assert len(set(found)) > 20
