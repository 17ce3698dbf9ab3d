"""A dealer against an honest venue behind a network that drops, delays, repeats and reorders, with crashes anywhere.

Whatever happened, when the network is honest again the books are the venue's to the last digit, every order is known to
both or to neither, and no order was taken twice.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random

import pytest
from dealer_worlds import D, World
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from clawd.core.account_events import UNATTRIBUTED, AdoptionDecided
from clawd.core.errors import ClawdError
from clawd.core.money import cash_of_fill
from clawd.core.orders import OrderKind, OrderType
from clawd.core.reports import FillReport, VenueState
from clawd.execution.account import Account
from clawd.execution.life_cycle import OrderState
from clawd.execution.recovery import replay
from clawd.venues.venue import ReportAccount, Submit

places = st.integers(0, 99)
agents = st.sampled_from(["a", "b"])
symbols = st.sampled_from(["BTC", "ETH"])
one_in_three = st.sampled_from([True, False, False])
fates = st.lists(
    st.tuples(st.sampled_from(["arrives", "arrives", "arrives", "arrives", "lost", "repeated"]), places),
    min_size=1,
    max_size=6,
)
some_lots = st.integers(-20, 20).filter(bool)


def whose(fill: FillReport, account: Account) -> str:
    return UNATTRIBUTED if fill.order is None else account.orders[fill.order].order.agent


class Network(RuleBasedStateMachine):
    """What the dealer is asked for, what the venue does, and what becomes of the messages between them."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(day_loss=D(2000))
        self.transferred = D(0)
        self.paused: dict[str, int] = {}  # since how many requests were sent
        self.pauses = 0

    @initialize()
    def start(self) -> None:
        self.world.ready()

    # What we do.

    @rule(agent=agents, symbol=symbols, lots=some_lots, limit=st.booleans(), group=st.booleans())
    def propose(self, agent: str, symbol: str, lots: int, limit: bool, group: bool) -> None:
        world = self.world
        price = world.prices[symbol]
        changes = {"type": OrderType.LIMIT, "limit": price} if limit else {}
        world.dealer.propose(
            world.order(agent, symbol, D(lots) / 10, group="g" if group else None, **changes)  # type: ignore[arg-type]
        )

    @rule(agent=agents, symbol=symbols, lots=some_lots)
    def enter(self, agent: str, symbol: str, lots: int) -> None:
        """An entry arrives, and trades at the venue; who hears of it when is another matter."""
        world = self.world
        order = world.order(agent, symbol, D(lots) / 10)
        if world.dealer.propose(order).outcome != "refuse":
            for place, request in enumerate(world.wire.there):
                if isinstance(request, Submit) and request.approved.order.id == order.id:
                    world.wire.to_venue(place)
                    break
            if order.id in world.venue.orders:
                world.trade(order.id)

    @rule(agent=agents, symbol=symbols, kind=st.sampled_from([OrderKind.CLOSING, OrderKind.STOP, OrderKind.TAKE]))
    def close(self, agent: str, symbol: str, kind: OrderKind) -> None:
        world = self.world
        size = world.account.agents[agent].size(symbol)
        if size:
            level = world.prices[symbol]
            types = {OrderKind.STOP: OrderType.STOP, OrderKind.TAKE: OrderType.LIMIT}
            type_ = types.get(kind, OrderType.MARKET)
            level_of = None if kind is OrderKind.CLOSING else level
            world.dealer.propose(world.order(agent, symbol, -size, kind=kind, type=type_, level=level_of))

    @rule(place=places)
    def propose_again(self, place: int) -> None:
        if orders := list(self.world.account.orders.values()):
            assert self.world.dealer.propose(orders[place % len(orders)].order).code == "DUPLICATE"

    @rule(agent=agents)
    def pause_or_unpause(self, agent: str) -> None:
        """A person pauses an agent, or lets it enter again."""
        self.pauses += 1
        if agent in self.paused:
            del self.paused[agent]
            self.world.dealer.unpause(agent, "me", "", self.pauses)
        else:
            self.paused[agent] = len(self.world.wire.sent)
            self.world.dealer.pause(agent, "me", "", self.pauses)

    @rule(place=places)
    def cancel(self, place: int) -> None:
        if orders := [each.order.id for each in self.world.account.working()]:
            self.world.dealer.cancel(orders[place % len(orders)], "TEST")

    @rule(seconds=st.sampled_from([0.3, 2.0, 7.0, 35.0]))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    @rule(once=one_in_three)
    def crash(self, once: bool) -> None:
        if once:
            self.world.crash()

    @rule(once=one_in_three, inner=st.integers(0, 3))
    def crash_before_sending(self, once: bool, inner: int) -> None:
        if not once:
            return
        # The batch is written, and of its requests only the first few are sent.
        sent = len(self.world.wire.there)
        self.world.dealer.propose(self.world.order("a", "ETH", D("0.5")))
        del self.world.wire.there[sent + inner :]
        self.world.crash()

    # What the venue does.

    @rule(place=places, tenths=st.integers(1, 10), move=st.integers(-3, 3))
    def trade(self, place: int, tenths: int, move: int) -> None:
        world = self.world
        working = [name for name, resting in world.venue.orders.items() if resting.working]
        if working:
            resting = world.venue.orders[working[place % len(working)]]
            part = (resting.rest * tenths / 10).quantize(D("0.001")) or resting.rest
            price = world.prices[resting.order.symbol] + D(move) / 7
            world.wire.back += world.venue.trade(resting.order.id, part, price.quantize(D("0.000000001")))

    @rule(place=places, state=st.sampled_from([VenueState.CANCELLED, VenueState.EXPIRED, VenueState.REJECTED]))
    def end(self, place: int, state: VenueState) -> None:
        working = [name for name, resting in self.world.venue.orders.items() if resting.working]
        if working:
            self.world.wire.back += self.world.venue.end(working[place % len(working)], state)

    @rule(refuses=one_in_three)
    def refuse(self, refuses: bool) -> None:
        self.world.venue.accepts = not refuses

    @rule()
    def person_decides(self) -> None:
        for block in list(self.world.account.blocks):
            if block.why == UNATTRIBUTED:
                self.world.dealer.enter(AdoptionDecided(symbol=block.symbol, by="me"))

    @rule(symbol=symbols, lots=st.integers(-5, 5).filter(bool), once=one_in_three)
    def by_hand(self, symbol: str, lots: int, once: bool) -> None:
        world = self.world
        if not once:
            return
        world.wire.back += world.venue.by_hand(symbol, D(lots) / 10, world.prices[symbol])

    @rule(amount=st.integers(-5, 5))
    def transfer(self, amount: int) -> None:
        self.world.venue.cash += amount
        self.transferred += amount

    # What becomes of messages.

    @rule(fates=fates)
    def requests(self, fates: list[tuple[str, int]]) -> None:
        there = self.world.wire.there
        for fate, place in fates:
            if there:
                at = place % len(there)
                match fate:
                    case "lost":
                        del there[at]
                    case "repeated":
                        there.append(there[at])
                    case _:
                        self.world.wire.to_venue(at)

    @rule(fates=fates)
    def reports(self, fates: list[tuple[str, int]]) -> None:
        back = self.world.wire.back
        for fate, place in fates:
            if back:
                at = place % len(back)
                match fate:
                    case "lost":
                        del back[at]
                    case "repeated":
                        back.append(back[at])
                    case _:
                        self.world.wire.to_us(at)
        self.world.dealer.receive()

    @rule()
    def all_arrives(self) -> None:
        if not self.world.dealer.writer.queue.open:
            self.world.connect()
        self.world.wire.all_through()
        self.world.dealer.receive()
        self.world.wait(0.1)

    @rule()
    def the_whole_account_is_told(self) -> None:
        """The venue answers now; when the answer comes is another matter."""
        self.world.dealer.reconciliation.ask()
        self.world.wait(0.1)
        there = self.world.wire.there
        for place, request in enumerate(there):
            if isinstance(request, ReportAccount):
                self.world.wire.to_venue(place)
                return

    @rule(once=one_in_three)
    def connection_breaks(self, once: bool) -> None:
        if once:
            self.world.disconnect()
            self.world.dealer.receive()

    # What always holds.

    @invariant()
    def every_order_was_sent_at_most_once(self) -> None:
        sent = [each.approved.order.id for each in self.world.wire.sent if isinstance(each, Submit)]
        assert len(sent) == len(set(sent))

    @invariant()
    def no_entry_of_a_paused_agent_is_sent(self) -> None:
        for agent, since in self.paused.items():
            for each in self.world.wire.sent[since:]:
                if isinstance(each, Submit):
                    order = each.approved.order
                    assert order.agent != agent or order.reduces
        paused = {agent for agent, book in self.world.account.agents.items() if book.paused}
        assert paused == set(self.paused), "also after a crash"

    @invariant()
    def nothing_at_the_venue_is_forgotten(self) -> None:
        account = self.world.account
        for name in self.world.venue.orders:
            assert name in account.orders

    @invariant()
    def no_difference_is_seen_that_is_none(self) -> None:
        """The venue tells all its trades, however late: only transfers are differences."""
        for _, kind, text in self.world.journal.texts:
            assert kind != "DifferenceBooked" or '"POSITION"' not in text
            assert kind != "EntriesBlocked" or '"DIFFERENCE"' not in text

    @invariant()
    def books_that_agree_are_those_of_a_moment(self) -> None:
        account = self.world.account
        assert account.totals.cash == account.cash

    def teardown(self) -> None:
        """The network becomes honest, and everything comes to rest."""
        world = self.world
        world.venue.accepts = True
        world.connect()
        world.wire.back.clear()  # lost
        for _ in range(12):
            world.through()
            world.wait(20)
        world.through()
        account, venue = world.account, world.venue
        assert world.dealer.ready or account.day < 0
        world.agree()
        at_venue = {name: resting.rest for name, resting in venue.orders.items() if resting.working}
        ours = {placed.order.id: placed.rest for placed in account.working()}
        assert ours == at_venue
        for name, resting in venue.orders.items():
            placed = account.orders[name]
            assert (placed.filled, placed.state is OrderState.FILLED) == (
                resting.filled,
                resting.state is VenueState.FILLED,
            )
        for name, placed in account.orders.items():
            if name not in venue.orders:
                assert not placed.filled
                assert placed.state in (OrderState.MISSING, OrderState.REJECTED)
        for book in account.agents.values():
            trades = [fill for fill in venue.fills if whose(fill, account) == book.id]
            flows = (cash_of_fill(fill.size, fill.price) - fill.fee for fill in trades)
            transferred = self.transferred if book.id == UNATTRIBUTED else D(0)
            assert book.cash == book.capital + transferred + sum(flows, D(0))
            for symbol in world.prices:
                assert book.size(symbol) == sum((fill.size for fill in trades if fill.symbol == symbol), D(0))
        again = replay(world.journal.entries())
        assert again == account
        assert Account.from_json(account.to_json()) == account
        before = len(world.journal.texts)
        kinds_after = self._reconciled_again(before)
        assert not kinds_after - {"AccountReconciled", "AccountMarked"}, "doing it again enters nothing"

    def _reconciled_again(self, before: int) -> set[str]:
        self.world.dealer.reconciliation.begin()
        self.world.dealer.work()
        self.world.through()
        return set(self.world.journal.kinds[before:])


GAME = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    stateful_step_count=50,
    max_examples=250,
    database=None,
    phases=[Phase.generate, Phase.shrink],
)


def test_whatever_the_network_does_the_books_are_the_venues() -> None:
    run_state_machine_as_test(Network, settings=GAME)


def walk(seed: int, steps: int) -> None:
    """The same game played by dice, for longer than a search does."""
    random = Random(seed)

    def place() -> int:
        return random.randrange(100)

    def some_fates() -> list[tuple[str, int]]:
        words = random.choices(["arrives", "lost", "repeated"], [6, 1, 1], k=random.randint(1, 6))
        return [(word, place()) for word in words]

    def lots() -> int:
        return random.choice([-1, 1]) * random.randint(1, 20)

    def pair() -> dict[str, str]:
        return {"agent": random.choice("ab"), "symbol": random.choice(["BTC", "ETH"])}

    game = Network()
    game.start()
    moves: list[tuple[int, Callable[[], None]]] = [
        (6, lambda: game.enter(**pair(), lots=lots())),
        (3, lambda: game.propose(**pair(), lots=lots(), limit=place() < 70, group=place() < 30)),
        (4, lambda: game.close(**pair(), kind=random.choice([OrderKind.CLOSING, OrderKind.STOP, OrderKind.TAKE]))),
        (1, lambda: game.propose_again(place=place())),
        (1, lambda: game.cancel(place=place())),
        (1, lambda: game.pause_or_unpause(agent=random.choice("ab"))),
        (4, lambda: game.wait(seconds=random.choice([0.3, 2.0, 7.0, 35.0]))),
        (1, lambda: game.crash(once=place() < 30)),
        (1, lambda: game.crash_before_sending(once=place() < 30, inner=random.randint(0, 3))),
        (8, lambda: game.trade(place=place(), tenths=random.randint(1, 10), move=random.randint(-3, 3))),
        (1, lambda: game.end(place=place(), state=random.choice([VenueState.CANCELLED, VenueState.EXPIRED]))),
        (1, lambda: game.refuse(refuses=place() < 20)),
        (1, lambda: game.by_hand(symbol=random.choice(["BTC", "ETH"]), lots=lots(), once=place() < 10)),
        (1, lambda: game.transfer(amount=random.randint(-5, 5))),
        (2, game.person_decides),
        (8, lambda: game.requests(fates=some_fates())),
        (8, lambda: game.reports(fates=some_fates())),
        (4, game.all_arrives),
        (3, game.the_whole_account_is_told),
        (1, lambda: game.connection_breaks(once=place() < 30)),
    ]
    world, venue = game.world, game.world.venue

    def person() -> None:
        dealer = world.dealer
        if place() < 50:
            random.choice([dealer.halt, dealer.flatten])("me")
        elif not dealer.account.flattening:
            with suppress(ClawdError):  # the day's limit was reached
                dealer.resume("me")

    def market() -> None:
        symbol = random.choice(["BTC", "ETH"])
        world.price(symbol, (world.prices[symbol] * random.randint(90, 111) / 100).quantize(D("0.01")))

    def closings() -> None:
        for name, resting in list(venue.orders.items()):
            if resting.working and resting.order.kind is OrderKind.CLOSING:
                world.trade(name)

    moves += [(2, person), (4, market), (3, closings)]
    for _ in range(steps):
        random.choices([move for _, move in moves], [weight for weight, _ in moves])[0]()
        game.every_order_was_sent_at_most_once()
        game.no_entry_of_a_paused_agent_is_sent()
        game.nothing_at_the_venue_is_forgotten()
        game.books_that_agree_are_those_of_a_moment()
    game.no_difference_is_seen_that_is_none()
    game.teardown()


@pytest.mark.parametrize("seed", range(25))
def test_a_long_walk_ends_with_the_books_of_the_venue(seed: int) -> None:
    walk(seed, 150)


@pytest.mark.long
def test_a_million_steps_end_with_the_books_of_the_venue() -> None:
    for seed in range(1_000, 4_000):
        walk(seed, 350)


@pytest.mark.long
def test_whatever_the_network_does_for_long_the_books_are_the_venues() -> None:
    run_state_machine_as_test(Network, settings=settings(GAME, max_examples=5_000, stateful_step_count=200))
