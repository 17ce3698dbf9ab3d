"""A backtest is counted when it is certain that it will be shown, and before it is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from backtests_world import request

from clawd.backtests.request import Request
from clawd.backtests.study import study
from clawd.core.clock import ReplayClock
from clawd.store.ledger import Ledger
from clawd.store.ledger_file import ledger_path


def test_what_will_not_be_shown_is_not_counted_and_leaves_nothing(tmp_path: Path) -> None:
    told: list[str] = []

    def no() -> bool:
        told.append("found")
        return False

    say = told.append
    shown = study(request(), tmp_path, tmp_path / "out", ReplayClock(5), lambda stage, _: say(stage), no)
    assert not shown
    assert list(dict.fromkeys(told)) == ["compiling", "reading", "deciding", "trading", "measuring", "found"]
    assert not (tmp_path / "out").exists() and not ledger_path(tmp_path).exists()


def test_what_will_be_shown_is_counted_at_the_time_of_the_clock(tmp_path: Path) -> None:
    def yes() -> bool:
        assert not ledger_path(tmp_path).exists()
        return True

    assert study(request(), tmp_path, tmp_path / "out", ReplayClock(5), lambda *_: None, yes)
    with Ledger.open(ledger_path(tmp_path)) as ledger:
        (trial,) = ledger.trials()
    assert (trial.author, trial.origin, trial.recorded_at, trial.looks) == ("person", "file", 5, 1)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"arrays.npz", "report.html.gz", "result.json"}


def test_a_request_goes_through_json_to_the_digit() -> None:
    plain = request(capital=Decimal("0.10"), fee=Decimal("0.00050"), start="2001-01-01")
    assert Request.from_json(plain.to_json()) == plain
    assert plain.to_json()["capital"] == "0.10"
