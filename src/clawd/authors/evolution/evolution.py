"""The search itself: it asks for evaluations, is told what came of them, and knows nothing else of the world.

Everything it does follows from its seed and from what it is told, in the order in which it asked. Whoever evaluates
may do so in any order, on any machine, or look the results up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Final

from clawd.authors.evolution.archive import Archive, Member, cell_of, coordinates
from clawd.authors.evolution.bandit import Bandit
from clawd.authors.evolution.breeding import OPERATORS_OF_BREEDING, bred
from clawd.authors.evolution.family import family
from clawd.authors.evolution.objectives import Objectives, Outcome, holding_periods, objectives
from clawd.authors.evolution.pareto import best_first, ranks
from clawd.authors.evolution.stages import Stage, longest_lookback, stages_of, verdicts
from clawd.authors.evolution.sweep import simple_strategies
from clawd.core.panel import Floats
from clawd.language.strategy import Strategy
from clawd.language.vocabulary import Vocabulary

ISLANDS: Final = 4
#: New strategies of the first generation, by how many each is larger than the one before it, and of the largest. They
#: do not hang on a budget: the same seed goes the same way, however far it is let go.
_FIRST, _GROWTH, _LARGEST = 100, 25, 500
#: Share of a generation that the simple strategies fill as long as there are any.
_SIMPLE: Final = 0.5
#: Generations between migrations, and how many of the best go each time.
_MIGRATION, _MIGRANTS = 4, 5
_TOURNAMENT: Final = 4
#: How parents are chosen: any cell alike, or by Pareto rank; the rest by Sharpe ratio.
_BY_CELL, _BY_RANK = 0.25, 0.4
#: Attempts at a new strategy before a random program takes its place.
_ATTEMPTS: Final = 8
#: Variants of a family that may be dropped at the first look, none of them ever passing, before no more are bred.
_HOPELESS: Final = 8
#: Costs of more than this share of what was made before them are a burden.
_BURDEN: Final = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A new strategy.

    Attributes:
        strategy: what it is.
        content_hash, family_hash: of it.
        family: of its signal.
        origin: how it was made: ``simple``, ``fresh``, or the operator that made it.
        parents: content hashes of what it was made from.
        situation: what was known of its parent when the operator was chosen.
        island: on which it was made.
    """

    strategy: Strategy
    content_hash: str
    family_hash: str
    family: str
    origin: str
    parents: tuple[str, ...]
    situation: str
    island: int


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What is to be evaluated next.

    Attributes:
        stage: over which bars.
        candidates: what.
        new: how many of them were never evaluated before.
    """

    stage: Stage
    candidates: tuple[Candidate, ...]
    new: int


class Evolution:
    """Islands of typed genetic programs.

    Args:
        vocabulary: what programs may use.
        symbols: of the market, in its order.
        bars: of the search period.
        bars_per_year: of the market.
        seed: where every choice comes from.
        intraday: whether a day has several bars.
        book: float64 [S], returns of the present book over the segments of all bars; None where there is none.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        symbols: Sequence[str],
        *,
        bars: int,
        bars_per_year: float,
        seed: int,
        intraday: bool = False,
        book: Floats | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self.symbols = tuple(symbols)
        self.stages = stages_of(bars)
        self.generation = 0
        self.islands = [Archive() for _ in range(ISLANDS)]
        self.bandit = Bandit(OPERATORS_OF_BREEDING)
        #: How often each operator met each fate, over the whole search.
        self.fates: Counter[tuple[str, str]] = Counter()
        self._longest = longest_lookback(bars)
        self._bars_per_year = bars_per_year
        self._book = book
        self._random = Random(seed)
        self._simple = simple_strategies(vocabulary, symbols, intraday=intraday, longest=longest_lookback(bars))
        self._seen: set[str] = set()
        self._families: dict[str, list[int]] = {}
        self._waiting: list[list[Candidate]] = [[] for _ in self.stages]
        self._new: set[str] = set()
        self._asked: tuple[int, tuple[Candidate, ...]] | None = None

    def ask(self, room: int) -> Batch | None:
        """The next strategies to evaluate; None when nothing is left to look at and there is no room for more.

        Args:
            room: how many new strategies there may be at most.
        """
        assert self._asked is None, "the last batch has not been told of"
        if not any(self._waiting):
            self._breed(room)
        for at, waiting in enumerate(self._waiting):
            if waiting:
                candidates = tuple(waiting)
                waiting.clear()
                self._asked = at, candidates
                new = sum(each.content_hash in self._new for each in candidates)
                self._new -= {each.content_hash for each in candidates}
                return Batch(self.stages[at], candidates, new)
        return None

    def tell(self, outcomes: Sequence[Outcome | None]) -> None:
        """What came of the last batch, in its order; None for what has no figures."""
        assert self._asked is not None, "nothing has been asked for"
        at, candidates = self._asked
        self._asked = None
        said = verdicts(outcomes, [each.family for each in candidates], self.stages[at])
        if at + 1 < len(self.stages):
            for candidate, verdict in zip(candidates, said, strict=True):
                if verdict == "passed":
                    self._waiting[at + 1].append(candidate)
                else:
                    self._learn(candidate, verdict)
        else:
            self._keep(candidates, outcomes, said)
        if not any(self._waiting):
            self._end_generation()

    def front(self) -> list[Member]:
        """The members of all islands that no other dominates, the best Sharpe ratio first."""
        members = self._members()
        fronts = ranks(coordinates(members)) if members else ()
        best = [member for member, front in zip(members, fronts, strict=True) if front == 0 and _earned(member)]
        return sorted(best, key=lambda member: -member.objectives.sharpe)

    def elites(self) -> list[Member]:
        """All that the islands hold and that earned something, the best Sharpe ratio over the folds first."""
        return sorted(
            (member for member in self._members() if _earned(member)),
            key=lambda member: (-member.objectives.sharpe, member.objectives.size, member.strategy.target.text),
        )

    def _members(self) -> list[Member]:
        """Those of all islands, one for each behaviour: the smallest program."""
        found: dict[bytes, Member] = {}
        for island in self.islands:
            for member in island:
                twin = found.get(member.behaviour)
                if twin is None or member.objectives.size < twin.objectives.size:
                    found[member.behaviour] = member
        return list(found.values())

    # Judging.

    def _keep(self, candidates: Sequence[Candidate], outcomes: Sequence[Outcome | None], said: Sequence[str]) -> None:
        """Offer those that went through all folds to the archive of their island."""
        for candidate, verdict in zip(candidates, said, strict=True):
            if verdict != "passed":
                self._learn(candidate, verdict)
        passed = [
            (candidate, outcome)
            for candidate, outcome, verdict in zip(candidates, outcomes, said, strict=True)
            if verdict == "passed" and outcome is not None
        ]
        figures = [outcome for _, outcome in passed]
        worth = objectives(figures, [each.strategy.target.size for each, _ in passed], self._book, self._bars_per_year)
        held = holding_periods(figures, self._bars_per_year)
        for (candidate, outcome), each, holding in zip(passed, worth, held.tolist(), strict=True):
            member = self._member(candidate, outcome, each, holding)
            fate = self.islands[candidate.island].add(member)
            if not _earned(member) and fate in {"best", "kept"}:
                fate = "costs" if member.burdened else "lost"
            self._learn(candidate, fate)

    def _member(self, candidate: Candidate, outcome: Outcome, worth: Objectives, holding: float) -> Member:
        before_costs = float(outcome.returns.sum()) + outcome.costs
        return Member(
            strategy=candidate.strategy,
            outcome=outcome,
            objectives=worth,
            cell=cell_of(holding, outcome, candidate.family),
            origin=candidate.origin,
            parents=candidate.parents,
            burdened=outcome.costs > _BURDEN * before_costs > 0.0,
        )

    def _learn(self, candidate: Candidate, verdict: str) -> None:
        self.fates[candidate.origin, verdict] += 1
        if candidate.origin != "simple":
            self.bandit.learn(candidate.situation, candidate.origin, verdict)
        tries = self._families.setdefault(candidate.family_hash, [0, 0])
        tries[0] += 1
        tries[1] += verdict in {"best", "kept", "dominated", "same behaviour", "weak"}

    def _end_generation(self) -> None:
        self.generation += 1
        self.bandit.forget()
        if self.generation % _MIGRATION == 0:
            best = [self._best(island) for island in self.islands]
            for island, guests in zip(self.islands, best[-1:] + best[:-1], strict=True):
                for guest in guests:
                    island.add(guest)

    @staticmethod
    def _best(island: Archive) -> list[Member]:
        members = [*island]
        return [members[index] for index in best_first(coordinates(members))[:_MIGRANTS]] if members else []

    # Breeding.

    def _breed(self, room: int) -> None:
        """The next generation."""
        size = min(room, _LARGEST, _FIRST + _GROWTH * self.generation)
        if size <= 0:
            return
        born = [*islice(self._plain(), round(_SIMPLE * size))]
        parents = [_Parents(island) for island in self.islands]
        while len(born) < size:
            island = len(born) % ISLANDS
            candidate = self._child(island, parents[island])
            if candidate is None:
                break
            born.append(candidate)
        for candidate in born:
            self._new.add(candidate.content_hash)
            self._waiting[0].append(candidate)

    def _plain(self) -> Iterator[Candidate]:
        for number, strategy in enumerate(self._simple):
            candidate = self._candidate(strategy, "simple", (), "plain", number % ISLANDS)
            if candidate is not None:
                yield candidate

    def _child(self, island: int, parents: _Parents) -> Candidate | None:
        """A strategy that was never seen before; None when even chance finds no more."""
        random = self._random
        for attempt in range(10 * _ATTEMPTS):
            parent = parents.choose(random)
            situation = "costly" if parent is not None and parent.burdened else "plain"
            operator = "fresh" if parent is None or attempt >= _ATTEMPTS else self.bandit.choose(random, situation)
            mate = parents.choose(random) if operator == "crossover" else None
            child = bred(random, operator, parent, mate, self.vocabulary, self.symbols)
            lineage = [each.strategy.content_hash for each in (parent, mate) if each is not None]
            candidate = (
                None
                if child is None or child.lookback > self._longest
                else self._candidate(child, operator, () if operator == "fresh" else lineage, situation, island)
            )
            if candidate is not None:
                return candidate
            fate = "duplicate" if child is not None else "nothing"
            self.fates[operator, fate] += 1
            self.bandit.learn(situation, operator, fate)
        return None

    def _candidate(
        self, strategy: Strategy, origin: str, parents: Sequence[str], situation: str, island: int
    ) -> Candidate | None:
        """The strategy as a candidate, None where it was seen before or its family is without hope."""
        content = strategy.content_hash
        if content in self._seen:
            return None
        kin = strategy.family_hash
        tries, passes = self._families.get(kin, (0, 0))
        if origin != "simple" and tries >= _HOPELESS and not passes:
            return None
        self._seen.add(content)
        named = replace(strategy, name=f"{origin} {content[:8]}")
        return Candidate(named, content, kin, family(strategy.target), origin, tuple(parents), situation, island)


class _Parents:
    """The members of an island, ready to be chosen from."""

    def __init__(self, island: Archive) -> None:
        self._cells = [*island.cells.values()]
        members = [*island]
        order = best_first(coordinates(members)) if members else []
        self._by_rank = [members[index] for index in order]
        self._by_sharpe = sorted(members, key=lambda member: -member.objectives.sharpe)

    def choose(self, random: Random) -> Member | None:
        if not self._cells:
            return None
        way = random.random()
        if way < _BY_CELL:
            return random.choice(random.choice(self._cells))
        ordered = self._by_rank if way < _BY_CELL + _BY_RANK else self._by_sharpe
        best: Member = ordered[min(random.randrange(len(ordered)) for _ in range(_TOURNAMENT))]
        return best


def _earned(member: Member) -> bool:
    return member.objectives.sharpe > 0.0
