"""Agents are hypotheses of the home's registry: their numbers and their evidence go on from run to run, and no bar
counts that was counted before or could be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from fleet_worlds import DAY, MIDNIGHT, Trading, panel_of, settings_of, start_of, strategy_of, walk

from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.core.event import Event
from clawd.core.events import AgentFired, AgentHired, BooksMarked, HypothesisProven, RunStarted, read_event
from clawd.core.panel import Floats, Panel
from clawd.core.settings import Settings
from clawd.evidence.eprocess import EProcess
from clawd.evidence.levels import wealth_to_reach
from clawd.evidence.monitor import FALSE_FIRING
from clawd.fleet.claims import READER, Bet, RegisteredClaims
from clawd.fleet.run import Run, begin_or_continue, replay
from clawd.fleet.summary import summarise
from clawd.language.strategy import Strategy
from clawd.store.journal import Journal
from clawd.store.registry import Hypothesis, Registry, market_key

FOLLOWS = strategy_of("long_short(squash(60 * ret(close, 3)))", "stop = { percent = 4 }", name="follows")
FADES = strategy_of("long_short(squash(-40 * ret(close, 2)))", "stop = { percent = 6 }", name="fades")
HOLDS = strategy_of("long_only(0.5)", "stop = { percent = 60 }", name="holds")
ONE = settings_of(slots=2, capital=Decimal(1_000))


class Noon:
    """A clock that stands still."""

    def now(self) -> int:
        return MIDNIGHT + DAY // 2


@pytest.fixture(scope="module")
def market() -> Panel:
    return panel_of({"AAA": walk(1, 90, volatility=0.01), "BBB": walk(2, 90, volatility=0.02, missing=0.05)})


class Home:
    """A folder with a registry and journals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def registry(self) -> Registry:
        return Registry.open(self.folder / "ledger.sqlite")

    def trade(
        self,
        strategies: Sequence[Strategy],
        panel: Panel,
        settings: Settings = ONE,
        *,
        journal: str = "journal",
        bars: int | None = None,
        claims: type[RegisteredClaims] = RegisteredClaims,
    ) -> Run:
        """Begin a run or go on with it, for so many bars or to its end."""
        start = start_of(strategies, panel, settings)
        with self.registry() as registry, Journal.open(self.folder / f"{journal}.sqlite") as open_journal:
            run = begin_or_continue(open_journal, start, panel, claims(registry, start, Noon()))
            for done, _ in enumerate(run.steps(), start=1):
                if done == bars:
                    break
            return run

    def events(self, journal: str = "journal") -> list[Event]:
        with Journal.open(self.folder / f"{journal}.sqlite", read_only=True) as open_journal:
            return [read_event(entry.kind, entry.body) for entry in open_journal.entries()]

    def head(self, journal: str = "journal") -> tuple[int, str]:
        with Journal.open(self.folder / f"{journal}.sqlite", read_only=True) as open_journal:
            return open_journal.head

    def hired(self, journal: str = "journal") -> dict[str, AgentHired]:
        return {event.strategy: event for event in self.events(journal) if isinstance(event, AgentHired)}

    def kept(self) -> list[tuple[Hypothesis, tuple[Bet, ...]]]:
        with self.registry() as registry:
            return [(each, tuple(Bet(*bar) for bar in registry.bars(each.number))) for each in registry.hypotheses()]


@pytest.fixture
def each_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry is given every bar as soon as the journal has it."""
    monkeypatch.setattr("clawd.fleet.run.SETTLE_AFTER", 0.0)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_what_the_registry_keeps_is_what_the_journal_says(home: Home, market: Panel) -> None:
    run = home.trade([FOLLOWS, FADES], market)
    (first, first_bars), (second, second_bars) = home.kept()
    assert (first.number, first.name, first.author, first.run) == (1, "follows", READER, run.books.start.run)
    assert (second.number, second.name) == (2, "fades")
    assert first.market == market_key(["AAA", "BBB"], market.bar)
    assert [bar.ts for bar in first_bars] == market.times[1:].tolist()
    with home.registry() as registry:
        for agent in run.books.agents.values():
            assert registry.evidence(agent.hypothesis) == agent.evidence
            assert agent.level == wealth_to_reach(agent.hypothesis, 0)
        assert registry.shown_until(READER, ["AAA"]) == market.times[-1]
    equity = {"a001": [1_000.0 / 2], "a002": [1_000.0 / 2]}
    for event in home.events():
        if isinstance(event, BooksMarked):
            for agent, (worth, _) in event.agents.items():
                equity[agent].append(float(worth))
    for worths, bars in zip(equity.values(), (first_bars, second_bars), strict=True):
        assert [bar.net_return for bar in bars] == pytest.approx(np.diff(worths) / 500, abs=1e-12)
        assert all(bar.net_return >= -bar.bound for bar in bars)


# KilledError at any moment.


class KilledError(Exception):
    """Stands for the end of the process."""


def killed_after(place: str, count: int) -> type[RegisteredClaims]:
    """Claims whose process dies in the middle of its work, the count-th time that it comes to a place."""

    class Dying(RegisteredClaims):
        left = count

        def _pass(self, here: str) -> None:
            if here == place:
                type(self).left -= 1
                if type(self).left == 0:
                    raise KilledError

        def claim(self, strategy: Strategy, counts_from: int):  # type: ignore[no-untyped-def]
            found = super().claim(strategy, counts_from)
            self._pass("registered")
            return found

        def settle(self, bets: Mapping[int, Sequence[Bet]], proven: Iterable[int], until: int) -> None:
            self._pass("in the journal")
            super().settle(bets, proven, until)
            self._pass("settled")

    return Dying


@pytest.mark.usefixtures("each_bar")
@pytest.mark.parametrize(
    ("place", "count"),
    [("registered", 1), ("registered", 2), *[("in the journal", bar) for bar in (1, 40, 89)], ("settled", 40)],
)
def test_killed_anywhere_the_same_journal_and_the_same_registry_come_out(
    home: Home, tmp_path: Path, market: Panel, place: str, count: int
) -> None:
    whole = Home(tmp_path / "whole")
    whole.trade([FOLLOWS, FADES], market)
    with pytest.raises(KilledError):
        home.trade([FOLLOWS, FADES], market, claims=killed_after(place, count))
    home.trade([FOLLOWS, FADES], market)
    assert home.head() == whole.head()
    assert home.kept() == whole.kept()
    home.trade([FOLLOWS, FADES], market)  # a finished run started again adds nothing
    assert (home.head(), home.kept()) == (whole.head(), whole.kept())


def test_a_registry_that_is_several_bars_behind_is_given_all_of_them(home: Home, tmp_path: Path, market: Panel) -> None:
    whole = Home(tmp_path / "whole")
    whole.trade([FOLLOWS, FADES], market)

    class Asleep(RegisteredClaims):
        def settle(self, bets: Mapping[int, Sequence[Bet]], proven: Iterable[int], until: int) -> None:
            pass

    home.trade([FOLLOWS, FADES], market, bars=50, claims=Asleep)
    assert [len(bars) for _, bars in home.kept()] == [0, 0]
    home.trade([FOLLOWS, FADES], market)
    assert (home.head(), home.kept()) == (whole.head(), whole.kept())


def test_a_registry_that_is_not_the_runs_own_is_refused(home: Home, market: Panel) -> None:
    home.trade([FOLLOWS, FADES], market, bars=20)
    (home.folder / "ledger.sqlite").unlink()
    with pytest.raises(ClawdError, match="no hypothesis 1"):
        home.trade([FOLLOWS, FADES], market)
    home.trade([HOLDS], market, journal="other")
    with pytest.raises(ClawdError, match="another strategy"):
        home.trade([FOLLOWS, FADES], market)


# Several runs in one home.


def other(**given: object) -> Settings:
    return settings_of(slots=2, **given)


def test_a_strategy_keeps_its_number_and_its_evidence_in_another_run_and_no_bar_counts_twice(
    home: Home, market: Panel
) -> None:
    early, late = market.between(0, 60), market
    first = home.trade([FOLLOWS, FADES], early)
    second = home.trade([FADES, FOLLOWS], late, other(capital=Decimal(2_000)), journal="second")
    before = {agent.strategy: agent for agent in first.books.agents.values()}
    hired = home.hired("second")
    for agent in second.books.agents.values():
        assert agent.hypothesis == before[agent.strategy].hypothesis
        assert agent.level == before[agent.strategy].level
        assert hired[agent.strategy].evidence == before[agent.strategy].evidence.to_json()
        assert hired[agent.strategy].counts_from == early.times[-1] + 1
        assert agent.evidence.bars == 89, "59 of the first run and 30 of the second"
    assert [len(bars) for _, bars in home.kept()] == [89, 89]
    with Journal.open(home.folder / "second.sqlite", read_only=True) as journal:
        books, _ = replay(journal)  # the journal alone folds
    assert {agent.evidence for agent in books.agents.values()} == {
        agent.evidence for agent in second.books.agents.values()
    }


def test_a_run_over_the_same_bars_with_other_settings_earns_nothing(home: Home, market: Panel) -> None:
    first = home.trade([FOLLOWS, FADES], market)
    second = home.trade([FOLLOWS, FADES], market, other(capital=Decimal(500)), journal="second")
    for agent, again in zip(first.books.agents.values(), second.books.agents.values(), strict=True):
        assert again.evidence == agent.evidence
        assert again.bet is None


def test_a_new_strategy_takes_the_next_number_and_what_was_shown_does_not_count_for_it(
    home: Home, market: Panel
) -> None:
    early = market.between(0, 60)
    home.trade([FOLLOWS, FADES], early)
    run = home.trade([HOLDS], market, other(), journal="second")
    (agent,) = run.books.agents.values()
    assert agent.hypothesis == 3
    assert agent.level == wealth_to_reach(3, 0)
    assert agent.counts_from == early.times[-1] + 1
    assert agent.evidence.bars == 30
    assert [len(bars) for _, bars in home.kept()] == [89 - 30, 89 - 30, 30]
    (figures,) = summarise(run.books, 365.0, np.ones(market.times.size)).agents
    assert figures.turnover == pytest.approx(float(agent.traded / agent.capital) / (89 / 365)), "of the bars it lived"


def test_what_was_shown_to_everybody_or_will_be_shown_during_the_run(home: Home, market: Panel) -> None:
    """The run's own bars are shown while it trades, and its later hires were chosen before that."""
    with home.registry() as registry:
        registry.show("*", ["BBB"], int(market.times[20]), 0, "a vault was opened")
        registry.show("evolution", ["AAA"], int(market.times[70]), 0, "not our author")
    settings = settings_of(slots=1, max_drawdown=Decimal("0.01"))
    run = home.trade([FOLLOWS, FADES, HOLDS], market, settings)
    agents = list(run.books.agents.values())
    assert len(agents) > 1, "one was fired, and another hired in its place"
    assert {agent.counts_from for agent in agents} == {int(market.times[20]) + 1}
    assert all(bar.ts > market.times[20] for _, bars in home.kept() for bar in bars)


def test_what_a_person_has_seen_is_no_evidence_for_what_he_picks_and_is_for_the_library(
    home: Home, tmp_path: Path, market: Panel
) -> None:
    class OfTheLibrary(RegisteredClaims):
        def __init__(self, registry: Registry, start: RunStarted, clock: Clock) -> None:
            super().__init__(registry, start, clock, "library")

    earned = {}
    for name, claims in (("picked", RegisteredClaims), ("library", OfTheLibrary)):
        place = Home(tmp_path / name)
        with place.registry() as registry:
            registry.show("person", ["AAA"], int(market.times[50]), 0, "backtest")
        run = place.trade([FOLLOWS], market, claims=claims)
        ((hypothesis, bars),) = place.kept()
        earned[hypothesis.author] = (len(bars), run.books.agents["a001"].evidence.bars)
        with place.registry() as registry:
            assert registry.shown_until("person", ["AAA"]) == market.times[-1]
            assert registry.shown_until("library", ["AAA"]) is None
    assert earned == {"person": (39, 39), "library": (89, 89)}


def test_two_runs_that_go_on_with_one_hypothesis_are_told_so(home: Home, market: Panel) -> None:
    home.trade([FOLLOWS], market, bars=20)
    home.trade([FOLLOWS], market, other(capital=Decimal(77)), journal="second")
    with pytest.raises(ClawdError, match="another run went on with this hypothesis") as raised:
        home.trade([FOLLOWS], market)
    assert "--fresh" in str(raised.value)


# Proof and its opposite.


def rising(length: int, step: float = 0.01) -> Floats:
    """[T, 5] bars that rise, with small falls."""
    moves = np.where(np.arange(length) % 4 == 3, -0.2 * step, step)
    closes = 100 * np.exp(np.cumsum(moves))
    opens = np.concatenate([[100.0], closes[:-1]])
    return np.stack([opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, np.ones(length)], axis=1)


def days(bars: Mapping[str, Floats]) -> Panel:
    return panel_of(bars, bar=DAY)


def test_evidence_that_reaches_its_level_is_proven_once_and_sets_the_levels_of_who_comes_later(home: Home) -> None:
    panel = days({"AAA": rising(300, step=0.02)})
    run = home.trade([HOLDS], panel)
    (proof,) = [event for event in home.events() if isinstance(event, HypothesisProven)]
    (agent,) = run.books.agents.values()
    assert agent.proven
    assert proof.level == 20 == agent.level
    assert proof.wealth >= 20
    marks = [event.agents["a001"][1] for event in home.events() if isinstance(event, BooksMarked)]
    crossing = next(bar for bar, wealth in enumerate(marks) if wealth >= 20)
    place = home.events().index(proof)
    assert sum(isinstance(event, BooksMarked) for event in home.events()[:place]) == crossing + 1
    (summary,) = summarise(run.books, 365.0, np.ones(panel.times.size)).agents
    assert (summary.status, summary.proven, summary.hypothesis) == ("proven, waiting for you", True, 1)
    with home.registry() as registry:
        (promoted,) = registry.promotions()
        assert promoted.number == 1
    home.trade([HOLDS, FOLLOWS], panel, other(), journal="second")
    hired = home.hired("second")
    assert (hired["follows"].hypothesis, hired["follows"].promotions_before) == (2, 1)
    assert hired["follows"].level == wealth_to_reach(2, 1) == 30
    assert hired["holds"].level == 20


@pytest.mark.usefixtures("each_bar")
def test_killed_before_the_promotion_was_kept_it_is_kept_when_the_run_goes_on(home: Home) -> None:
    panel = days({"AAA": rising(300, step=0.02)})
    run = home.trade([HOLDS], panel)
    crossing = next(
        bar
        for bar, event in enumerate(event for event in home.events() if isinstance(event, BooksMarked))
        if event.agents["a001"][1] >= 20
    )
    again = Home(home.folder / "again")
    with pytest.raises(KilledError):
        again.trade([HOLDS], panel, claims=killed_after("in the journal", crossing + 1))
    with again.registry() as registry:
        assert registry.promotions() == ()
    again.trade([HOLDS], panel, bars=1)
    with again.registry() as registry:
        assert [each.number for each in registry.promotions()] == [1]
    assert run.books.agents["a001"].proven


def bleeding() -> Iterator[tuple[Trading, list[Event]]]:
    """Long in a market that falls a little more often than it rises, with a drawdown that is allowed."""
    falling = rising(600, step=-0.002)
    trading = Trading([strategy_of("long_only(0.2)", "stop = { percent = 90 }")], days({"AAA": falling}), settings_of())
    for events in trading.bars():
        yield trading, events


def test_an_agent_that_loses_is_fired_at_the_close_of_the_bar_that_shows_it() -> None:
    fired: AgentFired | None = None
    for trading, events in bleeding():
        (agent,) = trading.books.agents.values()
        found = [event for event in events if isinstance(event, AgentFired)]
        reached = agent.monitor.wealth >= 1 / FALSE_FIRING
        if fired is None:
            assert reached == bool(found), "on that very bar, not before and not after"
        fired = fired or (found[0] if found else None)
    assert fired is not None
    assert fired.why == "EVIDENCE"
    assert fired.wealth is not None
    assert fired.wealth >= 1 / FALSE_FIRING
    assert fired.drawdown < fired.limit
    assert agent.fired == "EVIDENCE"
    assert agent.released
    assert agent.evidence.peak < 1.5


def test_a_drawdown_fires_first_where_it_comes_first() -> None:
    trading = Trading(
        [strategy_of("long_only(1)", "stop = { percent = 90 }")],
        days({"AAA": rising(600, step=-0.002)}),
        settings_of(max_drawdown=Decimal("0.02")),
    )
    fired = [event for events in trading.bars() for event in events if isinstance(event, AgentFired)]
    assert [event.why for event in fired] == ["DRAWDOWN"]


@pytest.mark.parametrize("change", [{"wealth": 25.0}, {"why": "DRAWDOWN"}, {"agent": "a002"}])
def test_a_forged_firing_is_found(change: dict[str, object]) -> None:
    forged = False
    for trading, events in bleeding():
        for event in events:
            if isinstance(event, AgentFired):
                forged = True
                books = Trading(trading.fleet.strategies, trading.panel, settings_of()).books
                trading.books.agents["a001"].fired = None
                with pytest.raises((ClawdError, KeyError)):
                    trading.books.apply(event.model_copy(update=change))
                assert books.agents == {}
                return
    assert forged


def test_a_hire_with_evidence_that_is_none_starts_from_nothing(home: Home, market: Panel) -> None:
    home.trade([FOLLOWS], market, bars=2)
    assert home.hired()["follows"].evidence is None
    assert EProcess.from_json(EProcess().to_json()) == EProcess()
