"""Random days behind faults end with the venue's books, to the last digit, and nothing naked. More in `make chaos`."""

from __future__ import annotations

import os
from decimal import Decimal
from random import Random

import pytest
from chaos_driver import STEPS, Episode, run_days, run_seed
from chaos_loss import DayLoss
from chaos_world import INSTRUMENTS, SECOND

from clawd.venues.faults import NETWORK_FAULTS, Chances, from_json, to_json

D = Decimal

#: Random steps of the long run; CHAOS_STEPS asks for another number.
LONG = int(os.environ.get("CHAOS_STEPS", "1000000"))


def test_random_days_end_right() -> None:
    wrong = [text for seed in range(20) if (text := run_seed(seed))]
    assert not wrong, "\n".join(wrong)


def test_random_days_at_an_exchange_without_reduce_only_end_right() -> None:
    """And no position is ever turned by an exit and a closing that both filled."""
    wrong = [text for seed in range(10) if (text := run_seed(seed, reduce_only=False))]
    assert not wrong, "\n".join(wrong)


def losing_day(seed: int) -> DayLoss:
    """A day on which the market runs against whatever is held, as fast as its seed says, behind faults and crashes."""
    random = Random(seed)
    chances = Chances(seed, random.choice((0.0, 0.05, 0.2)), random.choice((0.0, 0.02)), NETWORK_FAULTS, 5 * SECOND)
    day = Episode(seed, chances=chances, day_loss=D(random.choice((20, 45, 150))))
    loss = DayLoss(day.world)
    speed = random.choice((3, 10, 40))
    for _ in range(250):
        net = day.world.trader.account.totals.agents_net
        for symbol in INSTRUMENTS:
            against = -1 if net[symbol] > 0 else 1
            day.world.prices[symbol] += against * random.randint(0, speed) + random.randint(-3, 3)
            day.world.prices[symbol] = max(day.world.prices[symbol], 1_000)
        random.choices((day.passes, day.enters, day.bars, day.crashes, day.cancels), (50, 20, 10, 1, 2))[0]()
        loss.look()
    day.quiet()
    loss.look()
    return loss


def test_the_days_loss_never_passes_its_limit_but_by_what_ran_beyond_the_reserves() -> None:
    """Nobody may lose more than the limit, the distance beyond a stop at which it traded, and slippage beyond that."""
    days = {seed: losing_day(seed) for seed in range(40)}
    assert {seed: day.worst for seed, day in days.items() if day.worst > 0} == {}
    assert sum(day.largest > 10 for day in days.values()) > 20, "the days were bad ones"


@pytest.mark.long
def test_a_thousand_bad_days_keep_the_limit() -> None:
    assert {seed: worst for seed in range(1_000, 2_000) if (worst := losing_day(seed).worst) > 0} == {}


@pytest.mark.long
def test_a_million_random_steps_end_right() -> None:
    """Twelve minutes on one core of 2026."""
    wrong, steps = run_days(LONG, first=100_000)
    assert steps >= LONG
    assert not wrong, "\n".join(wrong)


def test_a_day_is_the_same_again_with_its_faults_as_a_script() -> None:
    drawn = Episode(10)
    drawn.run(STEPS)
    struck = drawn.world.faults.struck
    assert len(struck) > 50
    again = Episode(10, from_json(to_json(struck)))
    again.run(STEPS)
    assert again.world.journal.kept == drawn.world.journal.kept


def test_random_days_are_full_of_everything() -> None:
    """The driver reaches what it is there for."""
    kinds: set[str] = set()
    faults: set[str] = set()
    for seed in range(200, 215):
        day = Episode(seed)
        day.run(STEPS)
        kinds |= {entry.kind for entry in day.world.journal.kept}
        faults |= {rule.fault.value for rule in day.world.faults.struck}
    assert kinds >= {
        "OrderFilled", "OrderRejected", "OrderCancelled", "OrderExpired", "CancelRequested", "OutcomeLost",
        "OrderMissing", "AnomalyFound", "TradeAdopted", "OrderAdopted", "EntriesBlocked", "ProtectionChanged",
        "ProtectionLapsed", "ProtectionRestored", "ProtectionOverdue", "TradingStateChanged", "FlattenBegan",
        "FlatVerified", "DayBegan", "AccountReconciled",
    }  # fmt: skip
    assert len(faults) >= 12
