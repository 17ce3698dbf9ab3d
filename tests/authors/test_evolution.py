"""Evolution, told by an oracle of its own what came of each strategy: what it asks for, and what it learns."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from clawd.authors.evolution.evolution import Batch, Candidate, Evolution
from clawd.authors.evolution.family import family
from clawd.authors.evolution.objectives import Outcome
from clawd.authors.evolution.stages import Stage, longest_lookback
from clawd.authors.evolution.sweep import simple_strategies
from clawd.language.strategy import Strategy, parse_json, parse_toml
from clawd.language.vocabulary import Vocabulary

SYMBOLS = ("A", "B", "C", "D")
VOCABULARY = Vocabulary(names={"ext": ("vix",)}, instruments=SYMBOLS)
BARS = 2000

Fate = Callable[[Strategy], float]


def by_hash(strategy: Strategy) -> float:
    """An annual Sharpe ratio between -2 and 2 that hangs on nothing but the identity of a strategy."""
    return int(strategy.content_hash[:8], 16) / 2**32 * 4 - 2


def told(strategy: Strategy, stage: Stage, sharpe: float, **figures: float) -> Outcome:
    """What an evaluation would have left of a strategy with this Sharpe ratio."""
    seed = int(hashlib.sha256(strategy.target.text.encode()).hexdigest()[:8], 16)
    bars = stage.bars // stage.segments
    noise = np.random.default_rng(seed).normal(0, 0.0003, stage.segments)
    returns = bars * (sharpe * 0.01 / np.sqrt(365.0) + noise - noise.mean())
    numbers = {"turnover": 20.0, "exposure": 0.5, "net_exposure": 0.1, "costs": 0.01, **figures}
    return Outcome(
        bars=np.full(stage.segments, bars),
        returns=returns,
        squares=np.full(stage.segments, bars * 1e-4),
        trades=9,
        **numbers,
    )


def evolution(seed: int = 1, vocabulary: Vocabulary = VOCABULARY, symbols: tuple[str, ...] = SYMBOLS) -> Evolution:
    return Evolution(vocabulary, symbols, bars=BARS, bars_per_year=365.0, seed=seed)


def driven(search: Evolution, budget: int, fate: Fate = by_hash) -> list[Batch]:
    """Every batch that was asked for until the budget was spent."""
    batches, spent = [], 0
    while (batch := search.ask(budget - spent)) is not None:
        batches.append(batch)
        spent += batch.new
        search.tell([told(each.strategy, batch.stage, fate(each.strategy)) for each in batch.candidates])
    return batches


def new(batches: list[Batch]) -> list[Candidate]:
    return [each for batch in batches if batch.stage.name == "a tenth" for each in batch.candidates]


def test_the_same_seed_asks_for_the_same_and_another_for_something_else() -> None:
    one, two, other = (
        [(batch.stage.name, [each.content_hash for each in batch.candidates]) for batch in driven(evolution(seed), 700)]
        for seed in (1, 1, 2)
    )
    assert one == two
    assert one != other


def test_a_larger_budget_begins_as_a_smaller_one() -> None:
    small, large = ([each.content_hash for each in new(driven(evolution(), budget))] for budget in (500, 900))
    assert large[:375] == small[:375], "whole generations"
    assert (len(small), len(large)) == (500, 900)


def test_no_child_is_invalid_and_none_comes_twice() -> None:
    born = new(driven(evolution(), 1500))
    assert len({each.content_hash for each in born}) == len(born) == 1500
    for each in born:
        strategy = each.strategy
        assert strategy.content_hash == each.content_hash
        assert strategy.target.size <= VOCABULARY.largest
        assert strategy.target.depth <= VOCABULARY.deepest
        assert strategy.lookback <= longest_lookback(BARS)
        assert strategy.exits.stop.size > 0
        assert parse_toml(strategy.to_toml()) == strategy
        assert strategy.universe is None or set(strategy.universe) < set(SYMBOLS)
    assert len({each.origin for each in born}) >= 12, "every operator has a say"
    known = {each.content_hash for each in born}
    for each in born:
        assert set(each.parents) <= known
        assert bool(each.parents) == (each.origin not in {"simple", "fresh"})


def test_strategies_survive_the_way_to_the_ledger_and_back() -> None:
    import json  # noqa: PLC0415

    for each in new(driven(evolution(3), 300)):
        assert parse_json(json.dumps(each.strategy.to_json())) == each.strategy


def test_the_archive_stays_diverse_though_one_kind_is_far_better() -> None:
    search = evolution()
    driven(search, 2500, lambda strategy: 1.5 + by_hash(strategy) / 4 + (family(strategy.target) == "trend"))
    families = Counter(member.cell.family for member in search.elites())
    assert len(families) >= 7
    assert families["trend"] <= 0.6 * families.total()
    assert all(len(members) <= 3 for island in search.islands for members in island.cells.values())


def test_what_is_better_is_bred_from() -> None:
    """The oracle likes volume: what is asked for later has more of it than chance had."""

    def fate(strategy: Strategy) -> float:
        return 0.1 + min(strategy.target.text.count("volume"), 4) / 2

    search = evolution()
    born = [each for each in new(driven(search, 3000, fate)) if each.origin != "simple"]
    first, last = born[:150], born[-400:]
    assert np.mean([fate(each.strategy) for each in last]) > np.mean([fate(each.strategy) for each in first]) + 0.4
    assert max(member.objectives.sharpe for member in search.elites()) > 1.9


def test_a_family_that_never_passes_is_not_bred_any_more() -> None:
    search = evolution()
    before = {each.family_hash for each in new(driven(search, 700))}
    for tries in search._families.values():
        tries[:] = [8, 0]
    born = [each for each in new(driven(search, 100)) if each.origin != "simple"]
    assert len(born) >= 40, "one generation"
    assert not {each.family_hash for each in born} & before
    for tries in search._families.values():
        tries[:] = [8, 1]  # one of them got further once
    born = [each for each in new(driven(search, 100)) if each.origin != "simple"]
    assert {each.family_hash for each in born} & before


def test_what_costs_ate_is_tried_with_less_trading() -> None:
    search = evolution()
    spent = 0
    while (batch := search.ask(1500 - spent)) is not None:
        spent += batch.new
        search.tell(
            [told(each.strategy, batch.stage, 0.5 + by_hash(each.strategy) / 8, costs=9.0) for each in batch.candidates]
        )
    assert any(member.burdened for member in search.elites())
    assert search.bandit.belief("costly") != search.bandit.belief("plain")


def test_what_has_no_figures_is_a_failure_and_ends_nothing() -> None:
    search = evolution()
    spent = 0
    while (batch := search.ask(300 - spent)) is not None:
        spent += batch.new
        search.tell([None] * len(batch.candidates))
    assert spent == 300
    assert search.elites() == []
    assert sum(count for (_, fate), count in search.fates.items() if fate == "failed") == 300


def test_a_search_asks_for_no_more_than_there_is_room() -> None:
    search = evolution()
    assert search.ask(0) is None
    batch = search.ask(7)
    assert batch is not None
    assert batch.new == 7
    with pytest.raises(AssertionError):
        search.ask(7)


# What anybody would try first.


def test_simple_strategies_cover_every_family_on_both_sides() -> None:
    found = [*simple_strategies(VOCABULARY, SYMBOLS, intraday=True, longest=500)]
    assert len({each.content_hash for each in found}) == len(found)
    first = Counter(family(each.target) for each in found[:300])
    assert {"trend", "reversal", "volume", "volatility", "calendar", "outside", "cross-section"} <= first.keys()
    assert "relation" in {family(each.target) for each in found}
    texts = {each.target.text for each in found}
    for text in ("ret(close, 5)", "ret(close, 60)"):
        assert f"share_by(long_short(sign({text})), 1)" in texts
        assert f"share_by(long_short(neg(sign({text}))), 1)" in texts
    assert {each.universe for each in found} == {None, *((symbol,) for symbol in SYMBOLS)}
    assert all(each.universe is None for each in found[:100]), "the whole market first"


def test_simple_strategies_use_what_the_market_has_and_nothing_else() -> None:
    alone = Vocabulary(
        operators=tuple(name for name in VOCABULARY.operators if name not in {"volume", "xs_portfolio", "asset"})
    )
    found = [*simple_strategies(alone, ("A",), intraday=False, longest=100)]
    assert len(found) > 100
    for each in found:
        assert each.universe is None
        assert each.lookback <= 100
        assert not any(word in each.target.text for word in ("volume", "share_by", "xs_portfolio", "asset", "ext("))
        assert "hour" not in each.target.text
