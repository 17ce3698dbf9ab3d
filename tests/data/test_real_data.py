"""Real files: what is wrong with them is found, and what is right is left alone."""

from pathlib import Path

import numpy as np
import pytest

from clawd.core.errors import ClawdError
from clawd.data.bars import read_bars
from clawd.data.catalog import store
from clawd.data.draft import draft_bars, draft_funding, draft_series
from clawd.data.finding import Finding
from clawd.data.market import load_market
from clawd.data.report import reports

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
HOUR = 3_600 * 10**9

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real market data is not at {DATA}")


def findings(stem: str) -> dict[str, Finding]:
    (report,) = reports([str(DATA / f"{stem}.parquet")], DATA)
    return {each.kind: each for each in report.findings}


def test_instruments_that_died_are_found() -> None:
    ftt, waves = findings("binanceusdm_FTTUSDT_1h")["dead"], findings("binanceusdm_WAVESUSDT_1h")["dead"]
    assert (ftt.count, ftt.place) == (14_275, "2022-11-14T05:00Z")
    assert (waves.count, waves.place) == (471, "2024-06-11T09:00Z")


def test_living_instruments_are_not_buried() -> None:
    for path in sorted(DATA.glob("binance*_1h.parquet")):
        if "FTT" not in path.name and "WAVES" not in path.name:
            assert "dead" not in findings(path.stem), path.name


def test_outages_leave_holes_in_two_hour_bars() -> None:
    gap = findings("binance_BTCUSDT_2h")["gap"]
    assert gap.count == 18
    assert "53 bars missing, at most 16 in a row, after 2018-02-08" in gap.message


def test_left_out_minutes_are_one_finding() -> None:
    gap = findings("bitfinex_ETHUSD_1m")["gap"]
    assert gap.count == 1_791
    assert "at most 83 in a row" in gap.message


@pytest.mark.parametrize("stem", ["lean_us_SPY_1h", "cboe_VIX_1d"])
def test_exchanges_close_without_gaps_but_for_september_2001(stem: str) -> None:
    gap = findings(stem)["gap"]
    assert gap.count == 1
    assert gap.place.startswith("2001-09-10")


def test_the_weekends_of_currencies_are_no_gaps() -> None:
    assert findings("mt5_GBPUSD_1h")["gap"].count == 1


def test_misprints_are_found() -> None:
    assert "2020-04-14T07:00Z" in findings("binanceusdm_DASHUSDT_1h")["bad_tick"].place  # a low of 0.1 at 73
    assert findings("gemini_BTCUSD_1h")["bad_tick"].severity == "warning"


def test_a_price_of_zero_is_refused_with_its_row() -> None:
    assert findings("gemini_BTCUSD_1h")["negative"].count == 1
    with pytest.raises(ClawdError, match=r"gemini_BTCUSD_1h.parquet, row 1, column `open`"):
        read_bars(DATA / "gemini_BTCUSD_1h.parquet")


def test_a_mixed_folder_says_its_sizes_and_its_choices() -> None:
    with pytest.raises(ClawdError, match=r"several sizes: 1m .* 5m .* 1h .* 2h .* 1d"):
        load_market(DATA)
    with pytest.raises(ClawdError, match=r"binance_BTCUSDT_1h \(1h\), binance_BTCUSDT_2h \(2h\)"):
        load_market(DATA, ["BTCUSDT"])
    with pytest.raises(ClawdError, match="no such instrument"):
        load_market(DATA, ["funding_binance_BTCUSDT"])


def test_a_universe_of_the_folder_is_aligned() -> None:
    market = load_market(DATA, ["SOLUSDT", "BTC/USDT", "FTTUSDT"], HOUR)
    panel = market.panel
    assert panel.symbols == ("BTCUSDT", "FTTUSDT", "SOLUSDT")
    assert panel.bars_per_year == 365.25 * 24
    assert panel.present.sum(axis=1).tolist() == [21_887, 19_389, 21_887]
    assert not panel.present[1, 0]
    assert market.fingerprint == load_market(DATA, ["FTTUSDT", "SOLUSDT", "BTCUSDT"], HOUR).fingerprint


def test_broken_bars_of_the_volatility_index_are_dropped() -> None:
    market = load_market(DATA, ["VIX"])
    assert market.notes == ("VIX: 47 broken bars dropped",)
    assert market.panel.times.size == 8_702 - 47
    assert np.isnan(market.panel.volume).all()
    assert market.panel.bars_per_year == 252


def test_perpetuals_get_their_funding_and_the_mood_of_the_day_before(tmp_path: Path) -> None:
    drafts = [
        draft_bars(DATA / "binanceusdm_BTCUSDT_5m.parquet"),
        *draft_funding(DATA / "funding_binance_BTCUSDT.parquet", "BTCUSDT"),
        draft_series(DATA / "alternativeme_FNG_1d.parquet", "fng", 24 * HOUR),
    ]
    store(tmp_path / "catalog", drafts)
    panel = load_market("catalog", home=tmp_path).panel
    paid = np.flatnonzero(panel.funding[0])
    assert set(np.unique((panel.times[paid] + panel.bar) % (24 * HOUR))) == {0, 8 * HOUR, 16 * HOUR}
    assert 3 * 364 <= paid.size <= 3 * 365
    rates = drafts[1].frame.filter(drafts[1].frame["ts"].is_between(panel.times[0] + 1, panel.times[-1] + panel.bar))
    assert panel.funding.sum() == pytest.approx(rates["rate"].sum())
    known = dict(drafts[-1].frame.iter_rows())
    closes = panel.times + panel.bar
    expected = [known[close // (24 * HOUR) * 24 * HOUR - 24 * HOUR] for close in closes.tolist()]
    assert panel.series["fng"].tolist() == expected
