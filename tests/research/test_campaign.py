"""Campaigns from the seal to the vault, with an author that tries a list of strategies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from research_worlds import COSTS, MONEY, Tick, author_of, market, strategy_of

from clawd.core.panel import Panel
from clawd.language.grow import random_population
from clawd.language.strategy import Strategy, load_strategy
from clawd.language.vocabulary import Vocabulary
from clawd.research.campaign import Chosen, Concluded, Judged, Sealed, Searched, Stage, campaign, file_name
from clawd.research.vault import Vault
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry

BARS = 1_500
DAY = 86_400_000_000_000


def follow(window: int, instrument: str = "") -> Strategy:
    """Follows the trend over a window, of one instrument or of all."""
    target = f"signal_if(close > ts_mean(close, {window}), close < ts_mean(close, {window}))"
    strategy = strategy_of(target, f"follow {window} {instrument}".strip())
    universe = (instrument,) if instrument else None
    return Strategy(strategy.name, strategy.target, strategy.exits, universe=universe)


@pytest.fixture(scope="module")
def edged() -> Panel:
    """An edge so large that a fifth of the bars proves it."""
    return market(BARS, drift=0.6, hold=30, volatility=0.04, seed=4)


def crowd(count: int) -> list[Strategy]:
    return random_population(Random(3), count, Vocabulary(windows=(2, 5, 10, 20, 40)))


def run(panel: Panel, home: Path, strategies: Sequence[Strategy], seed: int = 1, **more: Any) -> list[Stage]:
    author = author_of(strategies, **more)
    return list(campaign(panel, home, budget=100, seed=seed, costs=COSTS, capital=MONEY, clock=Tick(), author=author))


def books(home: Path) -> Registry:
    return Registry.open(home / "ledger.sqlite")


def last(stages: Sequence[Stage]) -> Concluded:
    assert isinstance(stages[-1], Concluded)
    return stages[-1]


def test_noise_comes_to_nothing_and_the_vault_stays_shut(tmp_path: Path) -> None:
    stages = run(market(BARS, seed=11), tmp_path, crowd(60))
    assert [type(stage) for stage in stages] == [Sealed, Searched, Searched, Chosen, Judged, Concluded]
    sealed, chosen = stages[0], stages[3]
    assert isinstance(sealed, Sealed)
    assert isinstance(chosen, Chosen)
    assert sealed.bars == (900, 300, 300)
    assert chosen.finalists
    assert not last(stages).proven
    assert all(each.hypothesis is None for each in last(stages).judgements)
    with books(tmp_path) as registry:
        assert len(registry.looks("selection")) == len(chosen.finalists)
        assert registry.looks("vault") == ()
        assert registry.hypotheses() == ()
        assert registry.shown_until("anybody", ["X0"]) == sealed.vault_from - DAY, "the selection, and no bar more"
        assert registry.sealed_from(["X1"]) == sealed.selection_from


def test_an_edge_is_proven_and_waits_for_a_person(tmp_path: Path, edged: Panel) -> None:
    concluded = last(run(edged, tmp_path, [follow(10), *crowd(60)]))
    best = concluded.judgements[0]
    assert best.passed
    assert best.proven
    assert best.hypothesis is not None
    assert best.hypothesis.number == 1
    assert best.verdict == "proven, waiting for you: it reached wealth 20, and HOT needs a person and a venue"
    with books(tmp_path) as registry:
        assert [each.number for each in registry.promotions()] == [
            each.hypothesis.number for each in concluded.proven if each.hypothesis
        ]
        bars = registry.bars(1)
        assert [bar.ts for bar in bars] == edged.times[1_200:].tolist(), "the bars of the vault and no others"
        assert registry.shown_until("anybody", edged.symbols) == int(edged.times[-1])


def test_a_second_campaign_on_the_same_vault_earns_nothing_from_it(tmp_path: Path, edged: Panel) -> None:
    run(edged, tmp_path, [follow(10, "X0"), *crowd(40)])
    concluded = last(run(edged, tmp_path, [follow(10, "X1"), *crowd(40)], seed=2))
    (new,) = [each for each in concluded.judgements if each.strategy.name == "follow 10 X1"]
    assert new.passed
    assert new.hypothesis is not None
    assert new.hypothesis.counts_from > int(edged.times[-1])
    assert not new.proven
    assert "count no more" in new.verdict
    with books(tmp_path) as registry:
        assert registry.bars(new.hypothesis.number) == ()
        assert not registry.looks("vault", content_hash=new.strategy.content_hash), "not worth a look"


def test_who_searched_longer_bars_before_has_seen_the_vault_of_a_shorter_market(tmp_path: Path) -> None:
    """A market of 2,400 bars is searched up to the 1,440th; that of its first 1,500 has its vault from the 1,200th."""
    longer = market(2_400, drift=0.6, hold=30, volatility=0.04, seed=4)
    run(longer, tmp_path, crowd(5), finished=False)
    concluded = last(run(longer.between(0, 1_500), tmp_path, [follow(10), *crowd(40)]))
    claim = concluded.judgements[0].hypothesis
    assert claim is not None
    with books(tmp_path) as registry:
        assert [bar.ts for bar in registry.bars(claim.number)] == longer.times[1_440:1_500].tolist()


def test_the_same_hypothesis_is_shown_again_without_a_look(tmp_path: Path, edged: Panel) -> None:
    first = last(run(edged, tmp_path, [follow(10), *crowd(40)])).judgements[0]
    again = last(run(edged, tmp_path, [follow(10), *crowd(40)], seed=2)).judgements[0]
    assert (again.hypothesis, again.evidence) == (first.hypothesis, first.evidence)
    with books(tmp_path) as registry:
        assert len(registry.looks("vault", content_hash=follow(10).content_hash)) == 1


def test_who_knocks_is_registered_before_any_vault_is_opened(
    tmp_path: Path, edged: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    register, opened = Registry.register, Vault._bets

    def noted(self: Registry, **given: Any) -> Any:
        done.append(f"register {given['name']}")
        return register(self, **given)

    def noted_too(self: Vault, strategy: Strategy, *given: Any) -> Any:
        done.append(f"open {strategy.name}")
        return opened(self, strategy, *given)

    monkeypatch.setattr(Registry, "register", noted)
    monkeypatch.setattr(Vault, "_bets", noted_too)
    concluded = last(run(edged, tmp_path, [follow(10, "X0"), follow(10, "X1"), follow(10, "X2"), *crowd(40)]))
    knocked = [each.strategy.name for each in concluded.judgements if each.hypothesis]
    assert len(knocked) >= 3
    assert done == [f"register {name}" for name in knocked] + [f"open {name}" for name in knocked]


def disguised(place: int) -> Strategy:
    """``follow(10)`` with another constant, which makes next to no difference."""
    factor = 1 + place / 1e7
    return strategy_of(
        f"signal_if(close > {factor:.7f} * ts_mean(close, 10), close < ts_mean(close, 10))", f"copy {place}"
    )


def test_a_disguise_buys_nothing(tmp_path: Path, edged: Panel) -> None:
    """The same idea again with another constant: counted as a trial, and turned away at the door."""
    run(edged, tmp_path, [follow(10), *crowd(40)])
    with books(tmp_path) as registry:
        before = len(registry.hypotheses())
    for seed in (2, 3, 4):
        concluded = last(run(edged, tmp_path, [disguised(seed), *crowd(40)], seed=seed))
        (copy,) = [each for each in concluded.judgements if each.strategy.name == f"copy {seed}"]
        assert copy.passed
        assert copy.hypothesis is None
        assert "moves like hypothesis 1" in copy.verdict
    with books(tmp_path) as registry:
        assert len(registry.hypotheses()) == before
    with Ledger.open(tmp_path / "ledger.sqlite") as ledger:
        assert ledger.distinct_strategies() == 44
        assert ledger.distinct() > 44, "those that were tried at twice the costs too"


def test_many_disguises_in_one_campaign_are_one_finalist(tmp_path: Path, edged: Panel) -> None:
    concluded = last(run(edged, tmp_path, [disguised(place) for place in range(60)]))
    assert len(concluded.judgements) == 1
    with books(tmp_path) as registry:
        assert len(registry.looks("selection")) == 1


def trials(home: Path) -> list[tuple[object, ...]]:
    """What the ledger has, times and counts of looks left out: this author looks again where evolution remembers."""
    with Ledger.open(home / "ledger.sqlite") as ledger:
        return [(each.content_hash, each.fee, each.origin, each.sharpe, each.segments) for each in ledger.trials()]


def test_whoever_is_killed_goes_on_to_the_same_end(
    tmp_path: Path, edged: Panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    strategies = [follow(10, "X0"), follow(10, "X1"), *crowd(40)]
    whole = last(run(edged, tmp_path / "whole", strategies))
    opened, calls = Vault._bets, [0]

    def killed(self: Vault, *given: Any) -> Any:
        calls[0] += 1
        if calls[0] == 2:
            raise KeyboardInterrupt
        return opened(self, *given)

    monkeypatch.setattr(Vault, "_bets", killed)
    with pytest.raises(KeyboardInterrupt):
        run(edged, tmp_path / "broken", strategies)
    with books(tmp_path / "broken") as registry:
        assert len(registry.looks("vault")) == 1, "the look that was broken off was not taken"
    monkeypatch.setattr(Vault, "_bets", opened)
    continued = last(run(edged, tmp_path / "broken", strategies))
    told = [json.loads((each.folder / "campaign.json").read_text()) for each in (whole, continued)]
    assert told[0] == told[1]
    assert trials(tmp_path / "whole") == trials(tmp_path / "broken")
    with books(tmp_path / "broken") as registry:
        looks = registry.looks("vault")
        assert len(looks) == len({look.content_hash for look in looks})
        selection = registry.looks("selection")
        assert len(selection) == len({look.content_hash for look in selection}) == len(continued.judgements)


def test_a_search_that_was_stopped_ends_the_campaign(tmp_path: Path, edged: Panel) -> None:
    stages = run(edged, tmp_path, [follow(10)], finished=False)
    assert [type(stage) for stage in stages] == [Sealed, Searched, Searched]
    with books(tmp_path) as registry:
        assert registry.looks() == ()


def test_looks_of_the_past_are_charged_for(tmp_path: Path) -> None:
    """The same finalists against the same bars, after others have looked: the p-values are adjusted for them too."""
    panel = market(BARS, drift=0.13, hold=40, seed=8)

    def values(home: Path, seed: int) -> dict[str, float]:
        judged = last(run(panel, home, [follow(20, "X0"), follow(20, "X1")], seed=seed)).judgements
        return {
            each.strategy.name: next(gate.value for gate in each.gates if gate.name == "superiority") for each in judged
        }

    alone = values(tmp_path / "alone", 1)
    run(panel, tmp_path / "after", crowd(80), seed=5)
    after = values(tmp_path / "after", 1)
    assert alone.keys() == after.keys()
    assert all(after[name] > alone[name] for name in alone if alone[name] < 9)


def test_the_finalists_are_strategy_files_that_read_back(tmp_path: Path, edged: Panel) -> None:
    concluded = last(run(edged, tmp_path, [follow(10, "X0"), *crowd(40)]))
    files = sorted(concluded.folder.glob("*.toml"))
    assert len(files) == len(concluded.judgements)
    assert [load_strategy(path).content_hash for path in files] == [
        each.strategy.content_hash for each in concluded.judgements
    ]
    told = json.loads((concluded.folder / "campaign.json").read_text())
    assert [each["rank"] for each in told["finalists"]] == list(range(1, len(files) + 1))
    assert told["run"] == concluded.run == concluded.folder.name


@pytest.mark.parametrize("name", ["../../etc/passwd", "Ünïcode / slash", "", "a" * 80])
def test_a_file_name_stays_in_its_folder(name: str) -> None:
    strategy = Strategy(name, follow(10).target, follow(10).exits)
    found = file_name(3, strategy)
    assert Path(found).name == found
    assert found.startswith("03-")
    assert len(found) < 60


def test_another_seed_budget_cost_or_capital_is_another_run(tmp_path: Path, edged: Panel) -> None:
    def known(**changed: Any) -> str:
        given: dict[str, Any] = {"budget": 100, "seed": 1, "costs": COSTS, "capital": MONEY, **changed}
        sealed = next(iter(campaign(edged, tmp_path, clock=Tick(), author=author_of([]), **given)))
        assert isinstance(sealed, Sealed)
        return sealed.run

    runs = [known(), known(seed=2), known(budget=101), known(costs=COSTS.times(2)), known(capital=Decimal(1))]
    assert len(set(runs)) == len(runs)
    assert known() == runs[0]
