"""The gate's limits as settings: nonsense is refused by name, and what is set reaches the gate."""

from __future__ import annotations

from decimal import Decimal

import pytest

from clawd.cli.settings import read_settings
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.risk.limit_settings import as_limits, clusters_of, limits_of, optional_limits
from clawd.risk.limits import COUNTED, OPTIONAL

SECOND = 10**9
#: A value of each limit that may be left out, as a person writes it, and as the gate has it.
SET = {
    "order_notional": ("250", Decimal(250)),
    "instrument_gross": ("1e3", Decimal(1000)),
    "venue_gross": ("5000.5", Decimal("5000.5")),
    "account_gross": ("6000", Decimal(6000)),
    "account_net": ("700", Decimal(700)),
    "equity_leverage": ("1.5", Decimal("1.5")),
    "concentration": ("0.25", Decimal("0.25")),
    "cluster_share": ("0.5", Decimal("0.5")),
    "agent_orders": ("5", 5),
    "venue_orders": ("100", 100),
    "depth_share": ("0.1", Decimal("0.1")),
    "volume_share": ("0.01", Decimal("0.01")),
    "margin_left": ("0.3", Decimal("0.3")),
    "liquidation_distance": ("0.2", Decimal("0.2")),
    "clock_skew": ("0.25", SECOND // 4),
}
ALWAYS = ("price_band", "price_silence", "order_window", "day_loss_limit", "leverage")


def test_every_limit_that_may_be_left_out_has_a_setting() -> None:
    assert {"longest_skew" if name == "clock_skew" else name for name in SET} == set(OPTIONAL)


def test_nothing_is_set_by_default() -> None:
    assert optional_limits(Settings()) == {}
    limits = limits_of(Settings())
    assert all(getattr(limits, name) is None for name in OPTIONAL)
    assert (limits.day_loss, limits.leverage, limits.price_band) == (2, 2, Decimal("0.2"))
    assert (limits.longest_silence, limits.order_window) == (60 * SECOND, 60 * SECOND)


@pytest.mark.parametrize(("name", "text", "value"), [(name, *pair) for name, pair in SET.items()])
def test_a_variable_sets_its_limit(name: str, text: str, value: Decimal | int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CLAWD_{name.upper()}", text)
    monkeypatch.setenv("CLAWD_ORDER_WINDOW", "30")
    limits = limits_of(read_settings())
    found = "longest_skew" if name == "clock_skew" else name
    assert getattr(limits, found) == value
    assert type(getattr(limits, found)) is (int if found in COUNTED else Decimal)
    assert [each for each in OPTIONAL if getattr(limits, each) is not None] == [found]
    assert limits.order_window == (30 if name in {"agent_orders", "venue_orders"} else 60) * SECOND


@pytest.mark.parametrize("text", ["NaN", "nan", "inf", "-Infinity", "-1", "0", "1e40", "much", "", "0x10"])
@pytest.mark.parametrize("name", [*SET, *ALWAYS])
def test_nonsense_is_refused_by_the_name_of_its_variable(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CLAWD_{name.upper()}", text)
    with pytest.raises(ClawdError) as raised:
        read_settings()
    assert f"CLAWD_{name.upper()}" in str(raised.value)


def test_a_price_band_is_less_than_the_whole_price(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWD_PRICE_BAND", "1")
    with pytest.raises(ClawdError, match="CLAWD_PRICE_BAND"):
        read_settings()


def test_limits_come_back_from_a_journal_as_they_went_in() -> None:
    """A journal has text; what counts must be a whole number again, or the gate takes it for no number."""
    settings = Settings(
        **{name: Decimal(text) for name, (text, _) in SET.items()},  # type: ignore[arg-type]
        order_window=45,
    )
    named = {name: Decimal(str(limit)) for name, limit in optional_limits(settings).items()}
    again = as_limits(named)
    for name, limit in again.items():
        assert limit == getattr(limits_of(settings), name)
        assert type(limit) is (int if name in COUNTED else Decimal)
    assert again["order_window"] == 45 * SECOND


def test_instruments_that_move_together_are_one_cluster_and_the_others_one_each() -> None:
    settings = Settings(clusters=" B , A;C,D; ")
    assert clusters_of(settings, ["A", "B", "C", "D", "E"]) == {"A": "B", "B": "B", "C": "C", "D": "C", "E": "E"}
    assert clusters_of(Settings(), ["A", "B"]) == {"A": "A", "B": "B"}


@pytest.mark.parametrize(("text", "named"), [("A,B;B", "B"), ("A,A", "A"), ("A,Z", "Z")])
def test_a_cluster_with_a_name_twice_or_of_nothing_traded_is_refused(text: str, named: str) -> None:
    with pytest.raises(ClawdError, match=named) as raised:
        clusters_of(Settings(clusters=text), ["A", "B"])
    assert "CLAWD_CLUSTERS" in str(raised.value)
