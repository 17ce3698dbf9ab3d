"""The fault layer by itself: what each fault does to what passes, and that a script is data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from chaos_world import SECOND, T0, sealed
from hypothesis import given
from hypothesis import strategies as st

from clawd.core.clock import ReplayClock
from clawd.core.errors import ClawdError
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.core.reason import Reason
from clawd.core.reports import (
    AccountReport,
    ConnectionReport,
    OrderReport,
    Quote,
    Report,
    RequestFailed,
    RequestKind,
    VenueState,
)
from clawd.venues.faults import STRIKES, Chances, Fault, FaultyVenue, Rule, from_json, to_json
from clawd.venues.matching.venue import CAPABILITIES
from clawd.venues.venue import Cancel, Query, ReportAccount, Request, Submit

D = Decimal


@dataclass
class Plain:
    """A venue that notes what it is asked and says what it is told to."""

    asked: list[Request] = field(default_factory=list)
    says: list[Report] = field(default_factory=list)
    name: str = "plain"
    capabilities = CAPABILITIES

    def send(self, request: Request) -> None:
        self.asked.append(request)

    def receive(self) -> list[Report]:
        said, self.says = self.says, []
        return said


class Bench:
    def __init__(self, *rules: Rule, chances: Chances | None = None) -> None:
        self.plain, self.clock = Plain(), ReplayClock(T0)
        self.faulty = FaultyVenue(self.plain, self.clock, rules, chances)

    def wait(self, seconds: float) -> None:
        self.clock.set(self.clock.now() + int(seconds * SECOND))

    def hear(self, *reports: Report) -> list[Report]:
        self.plain.says += reports
        return self.faulty.receive()


def submit(name: str, kind: OrderKind = OrderKind.OPENING) -> Submit:
    return Submit(sealed(Order(name, "a", "AAA", kind, D(1), Reason.ENTRY)))


def report(name: str, state: VenueState = VenueState.ACCEPTED, venue_time: int = T0) -> OrderReport:
    return OrderReport("plain", name, f"v-{name}", "AAA", state, D(1), D(0), venue_time, T0)


def account(cash: str = "100", size: str = "2") -> AccountReport:
    return AccountReport("plain", D(cash), {"AAA": D(size)}, (report("x"),), (), T0, T0)


def quote(time: int = T0) -> Quote:
    return Quote("AAA", D(99), D(1), D(101), D(1), time, time)


def test_without_a_script_everything_passes_as_it_is() -> None:
    bench = Bench()
    requests = [submit("one"), Cancel("one", "AAA"), Query("one", "AAA"), ReportAccount(5)]
    for request in requests:
        bench.faulty.send(request)
    assert bench.plain.asked == requests
    reports = [report("one"), account(), ConnectionReport("plain", False, T0)]
    assert bench.hear(*reports) == reports
    assert bench.faulty.quotes([quote()]) == [quote()]
    assert bench.faulty.struck == ()
    assert (bench.faulty.name, bench.faulty.capabilities) == ("plain", CAPABILITIES)


def test_a_request_is_dropped_by_its_number_and_its_kind() -> None:
    bench = Bench(Rule(Fault.DROP, "Submit", kind="stop", first=2))
    sent = [submit("a", OrderKind.STOP), submit("b"), submit("c", OrderKind.STOP), submit("d", OrderKind.STOP)]
    for request in sent:
        bench.faulty.send(request)
    assert bench.plain.asked == [sent[0], sent[1], sent[3]]
    assert bench.hear() == []


def test_a_rule_holds_for_as_many_messages_as_it_says_or_for_all_from_then_on() -> None:
    bench = Bench(Rule(Fault.DROP, "Cancel", first=2, times=2), Rule(Fault.DROP, "Query", first=3, times=0))
    for number in range(6):
        bench.faulty.send(Cancel(f"{number}", "AAA"))
        bench.faulty.send(Query(f"{number}", "AAA"))
    kept = [(type(each).__name__, each.order) for each in bench.plain.asked if isinstance(each, Cancel | Query)]
    assert [order for name, order in kept if name == "Cancel"] == ["0", "3", "4", "5"]
    assert [order for name, order in kept if name == "Query"] == ["0", "1"]


def test_a_request_comes_late_twice_or_after_the_next_one() -> None:
    bench = Bench(
        Rule(Fault.DELAY, "Submit", lasts=3 * SECOND),
        Rule(Fault.DUPLICATE, "Cancel"),
        Rule(Fault.REORDER, "Query", lasts=5 * SECOND),
    )
    late, twice, overtaken = submit("late"), Cancel("twice", "AAA"), Query("overtaken", "AAA")
    bench.faulty.send(late)
    bench.faulty.send(twice)
    bench.faulty.send(overtaken)
    assert bench.plain.asked == [twice, twice]
    bench.faulty.send(Query("next", "AAA"))
    assert bench.plain.asked == [twice, twice, Query("next", "AAA"), overtaken]
    bench.wait(2.9)
    bench.hear()
    assert late not in bench.plain.asked
    bench.wait(0.1)
    bench.hear()
    assert bench.plain.asked[-1] == late


def test_a_request_that_nothing_overtakes_arrives_after_all() -> None:
    bench = Bench(Rule(Fault.REORDER, "Submit", lasts=2 * SECOND))
    bench.faulty.send(submit("alone"))
    assert bench.plain.asked == []
    bench.wait(2)
    bench.hear()
    assert bench.plain.asked == [submit("alone")]


@pytest.mark.parametrize(("fault", "arrives"), [(Fault.DISCONNECT_BEFORE, False), (Fault.DISCONNECT_AFTER, True)])
def test_the_way_breaks_before_or_after_the_effect_and_what_is_said_meanwhile_is_lost(
    fault: Fault, arrives: bool
) -> None:
    bench = Bench(Rule(fault, "Submit", lasts=4 * SECOND))
    bench.faulty.send(submit("one"))
    assert bench.plain.asked == ([submit("one")] if arrives else [])
    assert bench.hear(report("one")) == [ConnectionReport("plain", False, T0)]
    bench.faulty.send(Cancel("lost", "AAA"))
    assert Cancel("lost", "AAA") not in bench.plain.asked
    bench.wait(3.9)
    assert bench.hear(report("one", VenueState.FILLED)) == []
    assert bench.faulty.quotes([quote()]) == []
    bench.wait(0.1)
    assert bench.hear() == [ConnectionReport("plain", True, bench.clock.now())]
    assert bench.hear(report("two")) == [report("two")]


def test_a_venue_wants_to_hear_less() -> None:
    bench = Bench(Rule(Fault.TOO_MANY, "Submit", lasts=2 * SECOND))
    bench.faulty.send(submit("one"))
    assert bench.plain.asked == []
    assert bench.hear() == [
        RequestFailed("plain", "one", RequestKind.SUBMIT, True, "429", T0, T0 + 2 * SECOND),
    ]


@pytest.mark.parametrize(("fault", "arrives"), [(Fault.SERVER_ERROR, False), (Fault.SERVER_ERROR_AFTER, True)])
def test_a_server_fails_before_or_after_the_effect_and_nobody_says_which(fault: Fault, arrives: bool) -> None:
    bench = Bench(Rule(fault, "Cancel"))
    bench.faulty.send(Cancel("one", "AAA"))
    assert bool(bench.plain.asked) is arrives
    assert bench.hear() == [RequestFailed("plain", "one", RequestKind.CANCEL, False, "503", T0)]


def test_a_report_is_dropped_by_the_state_that_it_tells() -> None:
    bench = Bench(Rule(Fault.DROP, "OrderReport", kind="filled"))
    kept = report("one")
    assert bench.hear(kept, report("one", VenueState.FILLED), account()) == [kept, account()]


def test_a_report_comes_late_twice_overtaken_or_old_again() -> None:
    late = Bench(Rule(Fault.DELAY, "OrderReport", lasts=SECOND))
    assert late.hear(report("one"), report("two")) == [report("two")]
    late.wait(1)
    assert late.hear() == [report("one")]

    assert Bench(Rule(Fault.DUPLICATE, "OrderReport")).hear(report("one")) == [report("one")] * 2

    overtaken = Bench(Rule(Fault.REORDER, "OrderReport"))
    assert overtaken.hear(report("one"), report("two"), report("three")) == [
        report("two"),
        report("one"),
        report("three"),
    ]
    alone = Bench(Rule(Fault.REORDER, "OrderReport", lasts=SECOND))
    assert alone.hear(report("one")) == []
    assert alone.hear(report("two")) == [report("two"), report("one")]

    again = Bench(Rule(Fault.OLD_AGAIN, "OrderReport", lasts=SECOND))
    assert again.hear(report("one")) == [report("one")]
    again.wait(1)
    assert again.hear(report("one", VenueState.FILLED)) == [report("one"), report("one", VenueState.FILLED)]


def test_quotes_stop_and_the_rest_goes_on() -> None:
    bench = Bench(Rule(Fault.SILENCE, "Quote", first=2, lasts=5 * SECOND))
    assert len(bench.faulty.quotes([quote(), quote(), quote()])) == 1
    assert bench.hear(report("one")) == [report("one")]
    bench.wait(4.9)
    assert bench.faulty.quotes([quote()]) == []
    bench.wait(0.1)
    assert len(bench.faulty.quotes([quote()])) == 1


def test_the_venues_clock_is_wrong_for_a_while_in_everything_that_it_says() -> None:
    bench = Bench(Rule(Fault.SKEW, "AccountReport", lasts=SECOND, amount=D(-7)))
    (said,) = bench.hear(account())
    assert isinstance(said, AccountReport)
    assert said.venue_time == said.orders[0].venue_time == T0 - 7
    assert bench.hear(report("one"))[0] == report("one", venue_time=T0 - 7)
    assert bench.faulty.quotes([quote()])[0].venue_time == T0 - 7
    bench.wait(1)
    assert bench.hear(account()) == [account()]


def test_a_report_on_the_account_names_other_figures() -> None:
    bench = Bench(
        Rule(Fault.CASH, "AccountReport", amount=D("-0.5")),
        Rule(Fault.POSITION, "AccountReport", symbol="", first=1, amount=D(3)),
    )
    assert bench.hear(account()) == [account(cash="99.5")]
    assert bench.hear(account()) == [account()]
    other = Bench(Rule(Fault.POSITION, "AccountReport", amount=D(3)))
    assert other.hear(account()) == [account(size="5")]


def test_calm_ends_every_fault_and_what_is_late_still_arrives() -> None:
    bench = Bench(
        Rule(Fault.DELAY, "OrderReport", lasts=SECOND),
        Rule(Fault.DISCONNECT_AFTER, "Submit", lasts=1_000 * SECOND),
        Rule(Fault.DROP, "Cancel", times=0),
        chances=Chances(1, 1.0, 1.0),
    )
    assert bench.hear(report("late")) == []
    bench.faulty.send(submit("one"))
    bench.faulty.calm()
    bench.wait(1)
    said = bench.hear()
    assert said[-1] == ConnectionReport("plain", True, bench.clock.now())
    bench.faulty.send(Cancel("one", "AAA"))
    assert bench.plain.asked == [submit("one"), Cancel("one", "AAA")]
    assert bench.hear() == [report("late")]


# A script is data.

RULES = st.sampled_from(list(Fault)).flatmap(
    lambda fault: st.builds(
        Rule,
        fault=st.just(fault),
        message=st.sampled_from(["", *sorted(STRIKES[fault])]),
        kind=st.sampled_from(["", "stop", "filled"]),
        symbol=st.sampled_from(["", "AAA"]),
        first=st.integers(1, 9),
        times=st.integers(0, 9),
        lasts=st.integers(0, 10**11),
        amount=st.decimals(-100, 100, places=3),
    )
)


@given(st.lists(RULES))
def test_a_script_reads_back_from_its_json(rules: list[Rule]) -> None:
    assert list(from_json(to_json(rules))) == rules


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}}",
        '[{"fault":"bite"}]',
        '[{"fault":"drop","colour":"red"}]',
        '[{"message":"Submit"}]',
        "[7]",
        '[{"fault":"drop","amount":"much"}]',
        '[{"fault":"drop","first":"one"}]',
    ],
)
def test_what_is_no_script_is_refused(text: str) -> None:
    with pytest.raises(ClawdError):
        from_json(text)


@pytest.mark.parametrize(
    "rule",
    [
        {"fault": Fault.TOO_MANY, "message": "Quote"},
        {"fault": Fault.CASH, "message": "OrderReport"},
        {"fault": Fault.DROP, "message": "Sumbit"},
        {"fault": Fault.DROP, "first": 0},
        {"fault": Fault.DROP, "times": -1},
        {"fault": Fault.DELAY, "lasts": -1},
        {"fault": Fault.CASH, "amount": D("NaN")},
    ],
)
def test_a_rule_that_can_strike_nothing_is_refused(rule: dict[str, object]) -> None:
    with pytest.raises(ClawdError):
        Rule(**rule)  # type: ignore[arg-type]


def conversation(bench: Bench) -> list[object]:
    """A long talk, and everything that came through on either side."""
    heard: list[object] = []
    for number in range(300):
        bench.faulty.send(submit(f"{number}"))
        bench.faulty.send(Cancel(f"{number}", "AAA"))
        heard += bench.hear(report(f"{number}", venue_time=T0 + number), account())
        heard += bench.faulty.quotes([quote(T0 + number)])
        bench.wait(0.7)
    return [*heard, *bench.plain.asked]


@pytest.mark.parametrize("seed", range(8))
def test_what_a_seed_has_struck_is_a_script_that_strikes_the_same_again(seed: int) -> None:
    drawn = Bench(chances=Chances(seed, 0.2, 0.2, tuple(Fault), 3 * SECOND))
    first = conversation(drawn)
    struck = drawn.faulty.struck
    assert {rule.fault for rule in struck} == set(Fault), "the talk was long enough for every fault"
    again = Bench(*from_json(to_json(struck)))
    assert conversation(again) == first
    assert again.faulty.struck == struck


def test_another_seed_strikes_other_messages() -> None:
    assert conversation(Bench(chances=Chances(1, 0.2))) != conversation(Bench(chances=Chances(2, 0.2)))


def test_a_take_that_rests_is_reported_by_its_kind() -> None:
    bench = Bench(Rule(Fault.DROP, "Submit", kind="take"))
    take = Order("t", "a", "AAA", OrderKind.TAKE, D(-1), Reason.TAKE, level=D(110), type=OrderType.LIMIT)
    bench.faulty.send(Submit(sealed(take)))
    bench.faulty.send(Submit(sealed(replace(take, id="s", kind=OrderKind.STOP, type=OrderType.STOP))))
    assert [each.approved.order.id for each in bench.plain.asked if isinstance(each, Submit)] == ["s"]
