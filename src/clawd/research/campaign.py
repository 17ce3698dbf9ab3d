"""A campaign, stage by stage: seal, search, finalists, judgement, conclusion. Whoever shows it iterates over them.

Everything follows from the market, the seed and the budget. A campaign that was killed is continued by starting it
once more: the ledger remembers what was evaluated, the registry who was registered and what the vault held.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from clawd import __version__
from clawd.cluster.trials import trial_of_backtest
from clawd.core.clock import Clock, iso
from clawd.core.costs import Costs
from clawd.core.panel import Panel
from clawd.data.align import fingerprint
from clawd.language.strategy import Strategy
from clawd.research.finalists import Candidate, finalists
from clawd.research.judgement import Court, Judgement, to_json
from clawd.research.search import AUTHOR, SearchStep, search
from clawd.research.vault import seal
from clawd.store.ledger import Ledger
from clawd.store.registry import EVERYBODY, Registry


@dataclass(frozen=True)
class Sealed:
    """The market was parted, and what an author may not see was sealed.

    Attributes:
        run: what the campaign is known by.
        bars: of the search, of the selection and of the vault.
        selection_from, vault_from, until: opens of the first bars and of the last one, UTC nanoseconds.
        left_out: symbols that begin after the search, and have no part.
    """

    run: str
    bars: tuple[int, int, int]
    selection_from: int
    vault_from: int
    until: int
    left_out: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Searched:
    """The search came so far. Where its last step is not finished it was told to stop, and the campaign ends."""

    step: SearchStep


@dataclass(frozen=True, eq=False)
class Chosen:
    """The finalists stand, best first.

    Attributes:
        finalists: at most :data:`~clawd.research.finalists.MOST_FINALISTS`.
        rejected: how many of the elites were turned away, by the reason.
    """

    finalists: tuple[Candidate, ...]
    rejected: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Judged:
    """Every finalist had its look at the selection and was held against the gates."""

    judgements: tuple[Judgement, ...]


@dataclass(frozen=True, eq=False)
class Concluded:
    """Those who knocked had their look into the vault.

    Attributes:
        run: what the campaign is known by.
        judgements: of all finalists, best first.
        folder: where they lie as files, for ``clawd up --strategy``.
        strategies: distinct ones in the ledger.
    """

    run: str
    judgements: tuple[Judgement, ...]
    folder: Path
    strategies: int

    @property
    def proven(self) -> tuple[Judgement, ...]:
        """Those that wait for a person."""
        return tuple(each for each in self.judgements if each.proven)


Stage = Sealed | Searched | Chosen | Judged | Concluded


class Search(Protocol):
    """An author at work, as :func:`clawd.research.search.search` is."""

    def __call__(
        self,
        panel: Panel,
        ledger: Ledger,
        *,
        budget: int,
        seed: int,
        costs: Costs,
        capital: Decimal,
        run: str,
        clock: Clock,
        workers: int | None = None,
        cluster: str | None = None,
        stop: Callable[[], bool] = ...,
    ) -> Iterator[SearchStep]: ...


def run_of(print_: str, *, budget: int, seed: int, costs: Costs, capital: Decimal) -> str:
    """What a campaign is known by: 12 hexadecimal digits that change when anything that steers it does.

    Args:
        print_: the fingerprint of the whole market.
        budget, seed, costs, capital: of the campaign.
    """
    told = (print_, budget, seed, f"{costs.fee.normalize():f}", f"{costs.slippage.normalize():f}", f"{capital:f}")
    return hashlib.sha256(repr(told).encode()).hexdigest()[:12]


def campaign(
    panel: Panel,
    home: Path,
    *,
    budget: int,
    seed: int,
    costs: Costs,
    capital: Decimal,
    clock: Clock,
    workers: int | None = None,
    cluster: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    author: Search = search,
) -> Iterator[Stage]:
    """Run a campaign, or continue it where it was broken off.

    Args:
        panel: the whole market; the author is given the first 60 % of its bars.
        home: where the ledger lies, and where the finalists go, under ``research``.
        budget: distinct strategies that may be evaluated.
        seed: where every choice comes from.
        costs, capital: at which everything is traded.
        clock: stamps the ledger.
        workers, cluster: who evaluates, as of :func:`~clawd.cluster.run.run_study`.
        stop: asked often; true ends the campaign after the search has kept what it has.
        author: who searches.

    Raises:
        ClawdError: when there are too few bars, or nobody can evaluate.
    """
    market, vault = seal(panel)
    run = run_of(fingerprint(panel), budget=budget, seed=seed, costs=costs, capital=capital)
    path = home / "ledger.sqlite"
    with Ledger.open(path) as ledger, Registry.open(path) as registry:
        registry.seal(market.symbols, vault.selection_from, vault.vault_from, vault.until, clock.now(), run)
        # Who searches longer bars first and a shorter market afterwards has seen what its vault would hold.
        registry.show(EVERYBODY, market.symbols, int(market.times[-1]), clock.now(), f"search of {run}")
        periods = vault.periods
        bars = (periods.selection, periods.vault - periods.selection, periods.end - periods.vault)
        yield Sealed(run, bars, vault.selection_from, vault.vault_from, vault.until, vault.left_out)
        step: SearchStep | None = None
        for step in author(
            market,
            ledger,
            budget=budget,
            seed=seed,
            costs=costs,
            capital=capital,
            run=run,
            clock=clock,
            workers=workers,
            cluster=cluster,
            stop=stop,
        ):
            yield Searched(step)
        if step is None or not step.finished:
            return
        print_ = fingerprint(market)
        tried = list(finalists((elite.strategy for elite in step.elites), market, costs, capital))
        chosen = tuple(each for each in tried if each.rejection is None)
        _count_stressed(ledger, tried, print_, run, seed, clock.now())
        yield Chosen(chosen, Counter(_reason(each.rejection) for each in tried if each.rejection is not None))
        court = Court(market, vault, ledger, registry, costs, capital, run, clock, AUTHOR)
        judgements = court.judge(chosen, print_)
        yield Judged(judgements)
        judgements = court.conclude(judgements)
        folder = home / "research" / run
        told = {
            "run": run,
            "seed": seed,
            "budget": budget,
            "fee": float(costs.fee),
            "slippage": float(costs.slippage),
            "capital": f"{capital:f}",
            "symbols": list(market.symbols),
            "search": [iso(int(market.times[0])), iso(int(market.times[-1]))],
            "selection_from": iso(vault.selection_from),
            "vault_from": iso(vault.vault_from),
            "until": iso(vault.until),
            "code": __version__,
        }
        write(folder, judgements, told)
        yield Concluded(run, judgements, folder, ledger.distinct_strategies())


def _count_stressed(ledger: Ledger, tried: Sequence[Candidate], print_: str, run: str, seed: int, now: int) -> None:
    """At twice the costs each was looked at too, and counts; once, however often the campaign is continued."""
    found = [each.stressed for each in tried if each.stressed is not None]
    if not found:
        return
    costs, times = found[0].costs, found[0].panel.times
    hashes = [result.strategy.content_hash for result in found]
    known = ledger.known(print_, int(times[0]), int(times[-1]), float(costs.fee), float(costs.slippage), hashes)
    ledger.record(
        [
            trial_of_backtest(result, print_, AUTHOR, now, origin="stress", run=run, seed=seed)
            for result in found
            if result.strategy.content_hash not in known
        ]
    )


def write(folder: Path, judgements: tuple[Judgement, ...], told: Mapping[str, Any]) -> None:
    """The finalists as strategy files by their rank, and what became of them in ``campaign.json``, written last."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in judgements:
        (folder / file_name(each.rank, each.strategy)).write_text(each.strategy.to_toml(), encoding="utf-8")
    text = json.dumps({**told, "finalists": [to_json(each) for each in judgements]}, indent=2)
    scratch = folder / ".campaign.json"
    scratch.write_text(text + "\n", encoding="utf-8")
    scratch.replace(folder / "campaign.json")


def file_name(rank: int, strategy: Strategy) -> str:
    """Such as ``03-trend-when-calm.toml``: whatever a name holds, it stays in its folder."""
    words = re.sub(r"[^a-z0-9]+", "-", strategy.name.lower()).strip("-")[:40].strip("-")
    return f"{rank:02d}-{words or strategy.content_hash[:12]}.toml"


def _reason(rejection: str) -> str:
    """Without the name of the one that was better."""
    return "it moves like a better one" if rejection.startswith("it moves like") else rejection
