"""Each kind of finding is found where it was planted, and nowhere in clean bars."""

import numpy as np
import polars as pl
import pytest

from clawd.data.finding import Finding
from clawd.data.quality import check

MINUTE = 60 * 10**9
HOUR = 60 * MINUTE
DAY = 24 * HOUR
START = 1_704_067_200 * 10**9  # Monday 2024-01-01


def bars(times: np.ndarray, seed: int = 1) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.005, times.size)))
    opened = np.concatenate([[100.0], close[:-1]])
    return pl.DataFrame(
        {
            "ts": times,
            "open": opened,
            "high": np.maximum(opened, close) * 1.002,
            "low": np.minimum(opened, close) * 0.998,
            "close": close,
            "volume": random.uniform(1, 9, times.size),
        }
    )


def hours(count: int = 1_000) -> pl.DataFrame:
    return bars(START + np.arange(count) * HOUR)


def trading_hours(weeks: int = 30) -> pl.DataFrame:
    times = [
        START + week * 7 * DAY + day * DAY + hour * HOUR
        for week in range(weeks)
        for day in range(5)
        for hour in range(14, 21)
    ]
    return bars(np.array(times))


def trading_days(weeks: int = 60) -> pl.DataFrame:
    return bars(np.array([START + week * 7 * DAY + day * DAY for week in range(weeks) for day in range(5)]))


def without(frame: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    return frame.filter(~pl.int_range(pl.len()).is_between(first, last - 1))


def setting(frame: pl.DataFrame, row: int, **values: float | None) -> pl.DataFrame:
    here = pl.int_range(pl.len()) == row
    return frame.with_columns(
        pl.when(here).then(pl.lit(value, pl.Float64)).otherwise(name).alias(name) for name, value in values.items()
    )


def found(frame: pl.DataFrame, bar: int = HOUR) -> dict[str, Finding]:
    findings = check(frame, "X", bar)
    assert len({(each.kind, each.severity) for each in findings}) == len(findings)
    assert all(each.symbol == "X" and each.count > 0 and each.place and each.message for each in findings)
    return {each.kind: each for each in findings}


@pytest.mark.parametrize(
    ("frame", "bar"),
    [
        (hours(), HOUR),
        (trading_hours(), HOUR),
        (trading_hours(2), HOUR),
        (trading_days(), DAY),
        (bars(START + np.arange(5_000) * MINUTE), MINUTE),
        (bars(START + np.arange(300) * 7 * DAY), 7 * DAY),
        (bars(START + np.arange(300) * 7 * HOUR), 7 * HOUR),
        (hours(2), HOUR),
        (hours(1), HOUR),
    ],
    ids=["always", "exchange", "two weeks", "daily", "minutes", "weeks", "odd size", "two bars", "one bar"],
)
def test_clean_bars_have_no_findings(frame: pl.DataFrame, bar: int) -> None:
    assert check(frame, "X", bar) == []


def test_many_gaps_are_one_finding() -> None:
    frame = without(without(without(hours(), 900, 901), 500, 517), 100, 103)
    gap = found(frame)["gap"]
    assert (gap.severity, gap.count) == ("warning", 3)
    assert gap.place.startswith("2024-01-05T03:00Z, 2024-01-21T19:00Z")
    assert "21 bars missing" in gap.message
    assert "17 in a row, after 2024-01-21T19:00Z" in gap.message


def test_a_hole_in_a_single_day_is_a_gap() -> None:
    assert found(without(hours(20), 5, 7))["gap"].count == 1


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [(16, 17, 1), (35, 42, 0), (28, 42, 0), (28, 70, 1), (32, 35, 0)],
    ids=["inside a day", "a holiday", "two holidays", "six days", "an early close"],
)
def test_usual_closures_and_holidays_of_an_exchange_are_no_gaps(first: int, last: int, count: int) -> None:
    gaps = [each.count for each in check(without(trading_hours(), first, last), "X", HOUR) if each.kind == "gap"]
    assert gaps == ([count] if count else [])


@pytest.mark.parametrize(("first", "last", "count"), [(50, 51, 0), (50, 52, 0), (50, 54, 1)])
def test_up_to_two_missing_days_are_holidays(first: int, last: int, count: int) -> None:
    gaps = [each.count for each in check(without(trading_days(), first, last), "X", DAY) if each.kind == "gap"]
    assert gaps == ([count] if count else [])


def test_a_missing_day_of_a_market_that_never_closes_is_a_gap() -> None:
    assert found(without(bars(START + np.arange(300) * DAY), 50, 51), DAY)["gap"].count == 1


def test_repeated_rows_are_a_warning_and_conflicting_ones_an_error() -> None:
    frame = hours()
    repeated = pl.concat([frame, frame[10:12]]).sort("ts", maintain_order=True)
    assert (found(repeated)["duplicate"].severity, found(repeated)["duplicate"].count) == ("warning", 2)
    conflicting = pl.concat([frame, setting(frame[10:12], 0, volume=5.0)]).sort("ts", maintain_order=True)
    severities = {each.severity: each.count for each in check(conflicting, "X", HOUR) if each.kind == "duplicate"}
    assert severities == {"error": 1, "warning": 1}


def test_disorder_is_found() -> None:
    frame = hours()
    finding = found(pl.concat([frame[500:], frame[:500]]))["disorder"]
    assert (finding.severity, finding.count, finding.place) == ("warning", 1, "2024-01-01")


def test_overlapping_bars_are_found() -> None:
    frame = hours().with_columns(ts=pl.when(pl.int_range(pl.len()) == 9).then(pl.col("ts") - MINUTE).otherwise("ts"))
    assert found(frame)["overlap"].count == 1


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("missing_value", {"close": None}),
        ("missing_value", {"open": float("nan")}),
        ("infinite", {"high": float("inf")}),
        ("negative", {"low": -1.0}),
        ("negative", {"low": 0.0}),
        ("negative", {"volume": -1.0}),
    ],
)
def test_what_an_import_refuses_is_an_error(kind: str, values: dict[str, float | None]) -> None:
    finding = found(setting(hours(), 24, **values))[kind]
    assert (finding.severity, finding.count, finding.place) == ("error", 1, "2024-01-02")


def test_a_range_that_does_not_hold_the_body_is_found() -> None:
    frame = hours()
    findings = found(setting(setting(frame, 24, high=1.0), 50, low=1_000.0))
    assert (findings["ohlc"].severity, findings["ohlc"].count) == ("warning", 2)


def test_a_misprinted_close_is_found_and_a_crash_is_not() -> None:
    frame = hours()
    price = frame["close"][500]
    misprint = setting(frame, 500, close=price * 1.2, high=price * 1.3)
    assert found(misprint)["bad_tick"].place == "2024-01-21T20:00Z"
    crash = frame.with_columns(
        pl.when(pl.int_range(pl.len()) > 500).then(pl.col(name) * 0.8).otherwise(name)
        for name in ("open", "high", "low", "close")
    )
    assert "bad_tick" not in found(crash)


def test_a_misprinted_wick_is_found() -> None:
    finding = found(setting(hours(), 24, low=1.0))["bad_tick"]
    assert (finding.severity, finding.count, finding.place) == ("warning", 1, "2024-01-02")


def test_an_instrument_that_dies_is_found() -> None:
    frame = hours()
    dying = pl.concat(
        [
            frame[:800],
            frame[800:].with_columns(pl.lit(7.0).alias(name) for name in ("open", "high", "low", "close")),
        ]
    )
    findings = found(dying.with_columns(volume=pl.when(pl.int_range(pl.len()) < 800).then("volume").otherwise(0.0)))
    assert (findings["dead"].count, findings["dead"].place) == (200, "2024-02-03T08:00Z")
    assert (findings["zero_volume"].severity, findings["zero_volume"].count) == ("note", 200)
    assert "constant_price" not in findings


def test_a_quiet_hour_or_day_at_the_end_is_no_death() -> None:
    for frame, quiet, bar in ((bars(START + np.arange(5_000) * MINUTE), 60, MINUTE), (hours(), 30, HOUR)):
        last = frame[-quiet : 1 - quiet].select(pl.all().exclude("ts"))
        ending = frame[-quiet:].select("ts").join(last, how="cross")
        assert "dead" not in found(pl.concat([frame[:-quiet], ending]), bar)


def test_a_frozen_price_in_the_middle_is_found() -> None:
    frame = hours()
    frozen = frame[500:501].select(pl.all().exclude("ts"))
    middle = frame[500:530].select("ts").join(frozen, how="cross")
    findings = found(pl.concat([frame[:500], middle, frame[530:]]))
    assert (findings["constant_price"].count, findings["constant_price"].place) == (1, "2024-01-21T20:00Z")
    assert "30 in a row" in findings["constant_price"].message
    assert "dead" not in findings


def test_the_gravest_come_first() -> None:
    frame = setting(setting(without(hours(), 5, 6), 50, volume=0.0), 700, close=-1.0)
    assert [each.severity for each in check(frame, "X", HOUR)] == ["error", "warning", "note"]
