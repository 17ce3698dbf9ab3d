"""The overview is of one moment, whoever writes while it is counted."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from research_worlds import COSTS, MONEY, market, tried

from clawd.language.grow import random_population
from clawd.language.vocabulary import Vocabulary
from clawd.research.overview import read_counts, read_overview
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry


def test_what_is_tried_while_it_is_counted_is_in_all_of_it_or_in_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.sqlite"
    strategies = random_population(Random(1), 6, Vocabulary())
    trials = tried(strategies, market(300), COSTS, MONEY, "run", 1, 1)
    with Ledger.open(path) as ledger:
        ledger.record(trials[:3])

    distinct, hypotheses = Ledger.distinct_strategies, Registry.hypotheses

    def meanwhile(ledger: Ledger) -> int:
        with Ledger.open(path) as other:
            other.record(trials[3:])
        return distinct(ledger)

    def claimed(registry: Registry, *given: Any) -> Any:
        with Registry.open(path) as other:
            other.register(
                content_hash="h", name="n", author="a", market="1d X", fee=0.0, slippage=0.0, at=1, counts_from=1
            )
            other.look("vault", "h", "1d X", 1, 2, "run", 1)
        return hypotheses(registry, *given)

    monkeypatch.setattr(Ledger, "distinct_strategies", meanwhile)
    monkeypatch.setattr(Registry, "hypotheses", claimed)
    found = read_counts(path)
    assert (found.trials, found.strategies, sum(found.families)) == (3, 3, 3)
    assert sum(each.trials for each in found.authors) == 3
    assert (found.vault_looks, found.claims) == (0, ())
    monkeypatch.undo()
    found = read_overview(path)
    assert (found.trials, found.strategies, found.vault_looks, len(found.claims)) == (6, 6, 1, 1)
    assert found.samples[0].trials == 6
