"""Parity of accounts at a venue: worked examples, every sum, and whatever befalls a run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from fleet_worlds import strategy_of
from hypothesis import example, given, settings
from hypothesis import strategies as st
from venue_markets import BEGAN, SECOND, market
from venue_place import RULES, STRATEGIES, Place

from clawd.core.account_events import UNATTRIBUTED
from clawd.core.clock import utc_day
from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.orders import Order, OrderKind
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.core.reason import Reason
from clawd.data.capture import MarketEvent, Print, Top, read_captures, steps_of
from clawd.engine.backtest import run_backtest
from clawd.execution.waiting import Consent
from clawd.fleet.parity_account import AccountHistory, read_account_history
from clawd.fleet.parity_difference import AgentParity, DayParity
from clawd.fleet.parity_facts import bar_times
from clawd.fleet.parity_handover import handed_over
from clawd.fleet.parity_words import Cause
from clawd.language.strategy import parse_json
from clawd.store.journal import Journal
from clawd.store.switchboard import NOTHING_ORDERED, Command, Switch
from clawd.venues.matching.rules import Delay, FeeTier, Latency

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"

X = Instrument("X", Decimal(1), Decimal(1))
#: In for as long as a bar closes 4 % above the one before, with half of the capital.
JUMPS = strategy_of("long_only(where(ret(close, 1) > 0.04, 0.5, 0))", "stop = { percent = 50 }", name="jumps")


def bar(number: int, prices: Sequence[int], bid: int, ask: int, lots: int = 100) -> Iterator[MarketEvent]:
    """A bar of five seconds whose trades are at the prices, and the best bid and ask throughout."""
    began = BEGAN + number * 5 * SECOND
    for place, price in enumerate(prices):
        time = began + 5_000_000 + place * 4_900_000_000 // max(len(prices) - 1, 1)
        yield Top(time, "X", bid, lots, ask, lots)
        yield Print(time + 1_000_000, "X", price, 1, 0)


def messages_of(
    bars: Sequence[tuple[Sequence[int], int, int] | tuple[Sequence[int], int, int, int]],
) -> list[MarketEvent]:
    return [event for number, each in enumerate(bars) for event in bar(number, *each)]


def place_of(folder: Path, messages: list[MarketEvent], *, milliseconds: int = 20) -> Place:
    """An account with 1,000 for the strategy above: a model of 0.1 % fees and 1 % slippage, takers pay 0.2 %."""
    short = Delay(20_000_000)
    rules = replace(
        RULES,
        fees=(FeeTier(Decimal(0), Decimal("0.0004"), Decimal("0.002")),),
        latency=Latency(Delay(milliseconds * 1_000_000), short, short),
    )
    costs = Costs(Decimal("0.001"), Decimal("0.01"))
    return Place(folder, messages, Decimal(900), Decimal(10), (JUMPS,), rules, X, Decimal(1000), costs)


def read(place: Place) -> AccountHistory:
    with Journal.open(place.folder / "journal.sqlite", read_only=True) as journal:
        times = bar_times(journal)
        return read_account_history(journal.entries(), times, {utc_day(time) for time in times})


def compared(place: Place, *agents: str) -> list[DayParity]:
    history = read(place)
    days = sorted({utc_day(bar.time) for bar in history.bars})
    found = list(handed_over(history, days, agents=agents))
    for day in found:
        check(day)
    return found


def check(day: DayParity) -> None:
    """What must hold of every day of every account."""
    for agent in day.agents:
        assert agent.replayed + sum((each.money for each in agent.differences), Decimal(0)) == agent.real
        assert [each for each in agent.differences if each.cause is Cause.UNEXPLAINED] == []
    assert day.beside == 0
    assert day.explained


def told(agent: AgentParity) -> list[tuple[Cause, Decimal]]:
    return [(each.cause, each.money) for each in agent.differences]


def words(agent: AgentParity, cause: Cause) -> list[str]:
    return [each.words for each in agent.differences if each.cause is cause]


#: Bars: flat at 100, up to 105, up to 110, flat, flat. In at the open of the third, out at that of the fifth.
RISE = [((100, 100), 99, 101), ((100, 105), 104, 106), ((106, 110), 105, 108), ((110, 110), 109, 111)]


def test_a_trade_at_other_prices_and_fees_by_hand(tmp_path: Path) -> None:
    """At 105 half of 1,000 is 4. Model: in at 106 + 1 % = 107, out at 109 - 1 % = 108. Real: in at 108, out at 107."""
    place = place_of(tmp_path, messages_of([*RISE, ((109, 109), 107, 110), ((109, 109), 107, 110)]))
    place.check(place.live())
    ((agent,),) = [day.agents for day in compared(place)]
    assert agent.replayed == 4 * (108 - 107) - Decimal("0.428") - Decimal("0.432")
    assert agent.real == 4 * (107 - 108) - Decimal("0.864") - Decimal("0.856")
    assert told(agent) == [
        (Cause.SLIPPAGE, Decimal("-4.004")),  # 4 x (108 - 107), and the model's fee on it
        (Cause.FEES, Decimal("-0.432")),  # 0.2 % instead of 0.1 % of 432
        (Cause.SLIPPAGE, Decimal("-3.996")),
        (Cause.FEES, Decimal("-0.428")),
    ]
    assert words(agent, Cause.SLIPPAGE)[0].startswith("entry of 4 filled at 108 ")
    assert words(agent, Cause.SLIPPAGE)[0].endswith(" ms after the close, the model says 107")
    assert words(agent, Cause.FEES)[0] == "fee of 0.864 (0.002 of the notional), the model says 0.432"


def test_what_the_book_does_not_hold_never_fills(tmp_path: Path) -> None:
    """Of 4 only 3 are offered; a market order does not wait. The fourth would have made 1 less its fees."""
    bars = [*RISE[:2], ((106, 110), 105, 107, 3), RISE[3], ((109, 109), 108, 110), ((109, 109), 108, 110)]
    place = place_of(tmp_path, messages_of(bars))
    place.check(place.live())
    ((agent,),) = [day.agents for day in compared(place)]
    assert agent.replayed == Decimal("3.14")
    assert told(agent) == [
        (Cause.PARTIAL, -(1 - Decimal("0.107") - Decimal("0.108"))),
        (Cause.FEES, Decimal("-0.321")),
        (Cause.FEES, Decimal("-0.324")),
    ]
    assert words(agent, Cause.PARTIAL) == ["opening of 4: 1 of it did not fill (cancelled: NO_LIQUIDITY)"]


def test_an_order_that_is_longer_under_way_than_a_bar(tmp_path: Path) -> None:
    """Six seconds there: the entry fills in the fourth bar, at 112, and the exit as late.

    In at 112, at the close of the fourth bar the entry is known, at that of the fifth the exit is asked for: it fills
    in the seventh at 107. What the entry costs by being late is found by hand as well: the fourth bar opens at 110, so
    the model would pay 111.1, on the grid 111.
    """
    bars = [*RISE[:3], ((110, 110), 109, 112), *[((109, 109), 107, 110)] * 6]
    place = place_of(tmp_path, messages_of(bars), milliseconds=6000)
    place.check(place.live())
    ((agent,),) = [day.agents for day in compared(place)]
    assert agent.replayed == Decimal("3.14")
    assert agent.real == 4 * (107 - 112) - Decimal("0.896") - Decimal("0.856")
    late = words(agent, Cause.LATENCY)
    assert late[0] == "opening of 4: 4 of it filled later than modelled, at 2024-08-09 00:00:16"
    # 111 instead of 107 with the model's fees, and the rest is the exit's.
    assert told(agent)[0] == (Cause.LATENCY, 4 * (107 - Decimal(111)) - Decimal("0.444") + Decimal("0.428"))


def test_a_stop_that_the_venue_hit_between_two_trades(tmp_path: Path) -> None:
    """The quotes go through the stop at 50 %, the trades that bars are made of do not: the rule has no exit there."""
    bars = [*RISE[:3], ((110, 110), 109, 111), ((109, 109), 107, 110), ((109, 109), 107, 110)]
    events = messages_of(bars)
    dip = BEGAN + 12 * SECOND
    events += [Top(dip, "X", 53, 100, 54, 100), Top(dip + SECOND // 2, "X", 109, 100, 111, 100)]
    place = place_of(tmp_path, sorted(events, key=lambda event: event.time))
    place.check(place.live())
    ((agent,),) = [day.agents for day in compared(place)]
    assert agent.replayed == Decimal("3.14")
    assert words(agent, Cause.EXITS) == ["stop of -4 filled at 53, the bar rule has none in this bar"]
    # Out at 53 instead of at 108, with the model's fees; the entry slipped by 1 before.
    assert dict(told(agent))[Cause.EXITS] == 4 * (53 - 108) - Decimal("0.212") + Decimal("0.432")


def test_what_fills_after_the_last_bar_is_told_apart(tmp_path: Path) -> None:
    """The messages end within the fifth bar, so no bar has the fill of the exit: it is set against the last close."""
    place = place_of(tmp_path, messages_of([*RISE, ((109, 109), 107, 110)]))
    place.check(place.live())
    ((agent,),) = [day.agents for day in compared(place)]
    assert agent.replayed == 4 * (110 - 107) - Decimal("0.428")
    assert told(agent)[-1] == (Cause.AFTER, 4 * (107 - Decimal(110)) - Decimal("0.856"))
    assert agent.real == 4 * (107 - 108) - Decimal("0.864") - Decimal("0.856")


# Whatever befalls a run.


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> list[MarketEvent]:
    return market(tmp_path_factory.mktemp("market"))


def test_the_replay_is_the_backtest_of_the_bars(messages: list[MarketEvent], tmp_path: Path) -> None:
    """Another way to the same figure: the backtester itself, in floats, from the first bar to the last."""
    place = Place(tmp_path, messages)
    place.live()
    history = read(place)
    (day,) = compared(place)
    for agent in day.agents:
        own = history.agents[agent.agent]
        strategy = parse_json(json.dumps(own.about))
        result = run_backtest(strategy, history.panel(), place.limits.costs, own.capital)
        assert float(agent.replayed) == pytest.approx(result.equity[-1] - float(own.capital), abs=1e-6)
        assert agent.replayed != agent.real
    assert {each.cause for agent in day.agents for each in agent.differences} >= {
        Cause.SLIPPAGE,
        Cause.EXITS,
        Cause.FEES,
    }


def test_the_sums_are_those_of_the_venue(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages)
    account = place.live()
    (day,) = compared(place)
    last = read(place).marks[-1]
    assert day.profit == account.equity(last) - account.start.cash
    assert sum(agent.real for agent in day.agents) == day.profit


def test_spot_is_told_as_such(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages, leverage=None)
    place.live()
    (day,) = compared(place)
    assert any("BTCUSDT is not sold short" in text for agent in day.agents for text in words(agent, Cause.SPOT))


def test_halts_and_a_flattening_are_peoples(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages)
    for seconds in range(40, 100):
        if place.live(BEGAN + seconds * SECOND).totals.held_by_agents():
            break
    place.live(BEGAN + 200 * SECOND, lambda: Command(1, 0, Switch.FLATTEN, "ann", ""))
    place.live(None, lambda: Command(2, 0, Switch.RESUME, "ann", ""))
    (day,) = compared(place)
    assert sum(agent.of(Cause.HALT) for agent in day.agents) != 0
    found = [text for agent in day.agents for text in words(agent, Cause.HALT)]
    assert "halted: nothing is entered" in found
    assert any("everything was closed" in text for text in found)


def test_a_trade_by_hand_is_no_agents(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages)
    place.live(BEGAN + 60 * SECOND)
    hand = Order("hand-1", "me", "BTCUSDT", OrderKind.OPENING, Decimal("0.020"), Reason.ENTRY)
    place.live(None, by_hand=hand)
    (day,) = compared(place)
    (stranger,) = [agent for agent in day.agents if agent.agent == UNATTRIBUTED]
    assert stranger.replayed == 0
    assert [each.cause for each in stranger.differences] == [Cause.OUTSIDE]
    assert "+0.020 BTCUSDT at " in stranger.differences[0].words
    assert any("UNATTRIBUTED" in text for agent in day.agents for text in words(agent, Cause.GATE))


def test_a_run_that_was_killed_is_explained_like_any_other(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages)
    for seconds in range(5, 200, 5):
        place.live(BEGAN + seconds * SECOND, swallow=True)
    place.live()
    with Journal.open(place.folder / "journal.sqlite", read_only=True) as journal:
        lost = sum(1 for entry in journal.entries() if entry.kind == "OutcomeLost")
    assert lost > 10, "answers were lost, and asked for again"
    compared(place)


def test_days_add_up(messages: list[MarketEvent], tmp_path: Path) -> None:
    """Midnight in the middle: each day begins where the agents really stood, and both are explained."""
    began = messages[0].time
    shift = NANOSECONDS_PER_DAY - 150 * SECOND - began % NANOSECONDS_PER_DAY
    moved = [replace(event, time=event.time + shift) for event in messages]
    place = Place(tmp_path, moved)
    account = place.live()
    first, second = compared(place)
    assert second.day == first.day + 1
    assert first.profit + second.profit == account.equity(read(place).marks[-1]) - account.start.cash
    assert all(agent.differences for day in (first, second) for agent in day.agents)


class Slow:
    """People who take three seconds for every entry, and refuse each third."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}

    def reasons(self, order: Order) -> Sequence[str]:
        return ["LARGE"]

    def consent(self, order: Order, now: int) -> Consent:
        first = self.asked.setdefault(order.id, now)
        if now - first < 3 * SECOND:
            return Consent.WAITING
        return Consent.REFUSED if list(self.asked).index(order.id) % 3 == 2 else Consent.GIVEN

    def use(self, order: Order, now: int) -> bool:
        return True


@pytest.mark.parametrize("reduce_only", [True, False])
def test_orders_that_wait_for_people(messages: list[MarketEvent], tmp_path: Path, reduce_only: bool) -> None:
    place = Place(tmp_path, messages, rules=replace(RULES, reduce_only=reduce_only), approvals=Slow())
    for seconds in (50, 77, 130):
        place.live(BEGAN + seconds * SECOND)
    place.live()
    (day,) = compared(place)
    found = [text for agent in day.agents for text in words(agent, Cause.PARTIAL)]
    assert any("never sent: NOT_APPROVED" in text for text in found)


#: One that is left by time, and one whose stops hang by a range.
TIMED = (
    strategy_of("long_short(sign(ret(close, 2)))", "stop = { percent = 1 }\ntime = 2", name="timed"),
    strategy_of(
        "long_short(-sign(ret(close, 2)))", "stop = { atr = 3, window = 2 }\nchandelier = { atr = 2, window = 2 }"
    ),
)


@pytest.mark.parametrize("delay", [20, 2500])
def test_exits_by_time_and_by_range(messages: list[MarketEvent], tmp_path: Path, delay: int) -> None:
    way = Delay(delay * 1_000_000)
    place = Place(tmp_path, messages, strategies=TIMED, rules=replace(RULES, latency=Latency(way, way, way)))
    place.live(BEGAN + 111 * SECOND)
    place.live()
    compared(place)
    with Journal.open(place.folder / "journal.sqlite", read_only=True) as journal:
        reasons = {entry.body["reason"] for entry in journal.entries() if entry.kind == "OrderFilled"}
    assert reasons >= {"time", "chandelier"}


COMMANDS = st.sampled_from([None, Switch.HALT, Switch.FLATTEN, Switch.REDUCE])


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(1, 10_000),
    spot=st.booleans(),
    loss=st.sampled_from([3, 20, 500]),
    delay=st.sampled_from([0, 20, 400, 2500, 7000]),
    kills=st.lists(st.integers(1, 99), max_size=3),
    command=COMMANDS,
    swallow=st.booleans(),
    timed=st.booleans(),
    reduce_only=st.booleans(),
)
@example(
    seed=1037, spot=True, loss=20, delay=7000, kills=[82], command=None, swallow=False, timed=False, reduce_only=True
)
def test_whatever_befalls_a_run_the_parts_add_up_and_nothing_is_left(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    spot: bool,
    loss: int,
    delay: int,
    kills: list[int],
    command: Switch | None,
    swallow: bool,
    timed: bool,
    reduce_only: bool,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    way = Delay(delay * 1_000_000)
    place = Place(
        folder,
        market(folder, 100, seed),
        Decimal(loss),
        None if spot else Decimal(10),
        TIMED if timed else STRATEGIES,
        replace(RULES, latency=Latency(way, way, way), reduce_only=reduce_only),
    )
    given_ = NOTHING_ORDERED
    for number, seconds in enumerate(sorted(kills), start=1):
        place.live(BEGAN + seconds * SECOND, lambda given_=given_: given_, swallow=swallow)  # type: ignore[misc]
        if command is not None:
            given_ = Command(number, 0, command if number % 2 else Switch.RESUME, "ann", "")
    account = place.live(None, lambda: given_)
    days = compared(place)
    assert sum(day.profit for day in days) == account.equity(read(place).marks[-1]) - account.start.cash


# What is not explained is loud.


def test_a_decision_that_is_not_the_strategys_is_found_out(
    messages: list[MarketEvent], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clawd.fleet import venue_fleet  # noqa: PLC0415

    real, halved = venue_fleet.decided, []

    def decided(*arguments: object) -> np.ndarray:
        after = real(*arguments)  # type: ignore[arg-type]
        if not halved and after["opening"].any():
            after["opening"] = (after["opening"] / 2).round()
            halved.append(True)
        return after

    place = Place(tmp_path, messages)
    with monkeypatch.context() as patch:
        patch.setattr(venue_fleet, "decided", decided)
        place.live()
    history = read(place)
    (day,) = handed_over(history, [utc_day(history.bars[0].time)])
    assert not day.explained
    found = [each for agent in day.agents for each in agent.differences if each.cause is Cause.UNEXPLAINED]
    assert len(found) == 1
    assert "the replay decides opening of" in found[0].words
    for agent in day.agents:
        assert agent.replayed + sum((each.money for each in agent.differences), Decimal(0)) == agent.real


def test_another_strategy_under_the_same_name_is_found_out(messages: list[MarketEvent], tmp_path: Path) -> None:
    place = Place(tmp_path, messages)
    place.live()
    history = read(place)
    history.agents["a001"].about = STRATEGIES[1].to_json()
    (day,) = handed_over(history, [utc_day(history.bars[0].time)], agents=["a001"])
    assert not day.explained
    (agent,) = day.agents
    assert agent.replayed + sum((each.money for each in agent.differences), Decimal(0)) == agent.real


# Real captures.


@pytest.mark.skipif(not DATA.is_dir(), reason=f"the real market data is not at {DATA}")
@pytest.mark.parametrize(("market_of", "leverage"), [("usdm", Decimal(10)), ("spot", None)])
def test_real_captures(tmp_path: Path, market_of: str, leverage: Decimal | None) -> None:
    files = [DATA / f"{kind}_binance{market_of}_BTCUSDT_20240808.parquet" for kind in ("bbo", "trades")]
    instrument = Instrument("BTCUSDT", *steps_of(files))
    place = Place(tmp_path, read_captures(files, instrument), Decimal(50), leverage, instrument=instrument)
    account = place.live()
    days = compared(place)
    assert len({each.cause for day in days for agent in day.agents for each in agent.differences}) >= 4
    assert sum(day.profit for day in days) == account.equity(read(place).marks[-1]) - account.start.cash
