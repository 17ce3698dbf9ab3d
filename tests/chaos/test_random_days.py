"""Random days behind faults end with the venue's books, to the last digit, and nothing naked. More in `make chaos`."""

from __future__ import annotations

import os

import pytest
from chaos_driver import STEPS, Episode, run_days, run_seed

from clawd.venues.faults import from_json, to_json

#: Random steps of the long run; CHAOS_STEPS asks for another number.
LONG = int(os.environ.get("CHAOS_STEPS", "1000000"))


def test_random_days_end_right() -> None:
    wrong = [text for seed in range(20) if (text := run_seed(seed))]
    assert not wrong, "\n".join(wrong)


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
