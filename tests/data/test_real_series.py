"""Real indices, rates and books through the catalog, checked against joins and sums made by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.data.book_file import read_book
from clawd.data.catalog import store
from clawd.data.draft import Draft, draft_bars, draft_book, draft_funding, draft_series
from clawd.data.market import load_market

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SECOND = 10**9
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the real market data is not at {DATA}")


def real(stem: str) -> Path:
    return DATA / f"{stem}.parquet"


def loaded(home: Path, *drafts: Draft) -> Panel:
    store(home / "catalog", drafts)
    return load_market("catalog", home=home).panel


def joined(panel: Panel, values: pl.DataFrame, lag: int) -> np.ndarray:
    """The column `value` as of the closes of a panel's bars, by a join of polars."""
    closes = pl.DataFrame({"close": panel.times + panel.bar})
    known = values.select(known=pl.col("ts") + lag, value=pl.col("value").cast(pl.Float64)).sort("known")
    return closes.join_asof(known, left_on="close", right_on="known")["value"].fill_null(np.nan).to_numpy()


@pytest.fixture(scope="module")
def crypto(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    deriv = {"kind": "deriv", "symbol": "BTCUSDT"}
    return loaded(
        tmp_path_factory.mktemp("crypto"),
        draft_bars(real("binance_BTCUSDT_1h")),
        draft_bars(real("binance_ETHUSDT_1h")),
        draft_series(real("alternativeme_FNG_1d"), "fear_greed", DAY),
        draft_series(real("cboe_VIX_1d"), "vix", DAY, {"value": "close"}),
        draft_series(real("bykaranteli_dvol_daily"), "dvol", DAY, where={"currency": "BTC"}, **deriv),
        draft_series(real("bykaranteli_premium_daily"), "premium", DAY, {"value": "premium_pct"},
                     where={"symbol": "BTC"}, **deriv),
        *draft_funding(real("funding_binance_ETHUSDT"), "ETHUSDT"),
        *draft_funding(real("funding_dydx_BTCUSDT"), "BTCUSDT"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "stem", "column", "wanted"),
    [
        ("fear_greed", "alternativeme_FNG_1d", "fng", None),
        ("vix", "cboe_VIX_1d", "close", None),
        ("deriv:dvol", "bykaranteli_dvol_daily", "dvol", pl.col("currency") == "BTC"),
        ("deriv:premium", "bykaranteli_premium_daily", "premium_pct", pl.col("symbol") == "BTC"),
    ],
)
def test_daily_values_are_those_of_a_day_that_is_over(
    crypto: Panel, name: str, stem: str, column: str, wanted: pl.Expr | None
) -> None:
    frame = pl.read_parquet(real(stem)).filter(True if wanted is None else wanted)
    seen = np.atleast_2d(crypto.series[name])
    np.testing.assert_array_equal(seen[0], joined(crypto, frame.select("ts", value=column), DAY))
    assert not np.isnan(seen[0]).any()
    if name.startswith("deriv"):
        assert np.isnan(seen[1]).all()  # ETHUSDT was given none
    # The bar that closes at noon of a day has the value of the day before.
    noon = int(np.flatnonzero((crypto.times + crypto.bar) % DAY == DAY // 2)[500])
    day = (crypto.times[noon] + crypto.bar) // DAY * DAY
    before = frame.filter(pl.col("ts") < day).sort("ts")
    assert seen[0, noon] == before[column][-1]


def test_rates_of_venues_are_of_eight_hours(crypto: Panel) -> None:
    for row, stem, scale in ((0, "funding_dydx_BTCUSDT", 8.0), (1, "funding_binance_ETHUSDT", 1.0)):
        frame = pl.read_parquet(real(stem)).select("ts", value=pl.col("funding_rate") * scale)
        np.testing.assert_allclose(crypto.series["deriv:funding_8h"][row], joined(crypto, frame, 0), rtol=1e-12)
    # The cash is what the venue paid: every hour that closed a bar, and not eight times that.
    closes = (crypto.times + crypto.bar)[crypto.present[0]]
    hourly = pl.read_parquet(real("funding_dydx_BTCUSDT")).filter(pl.col("ts").is_in(closes.tolist()))
    assert hourly.height > 17_500
    np.testing.assert_allclose(np.nansum(crypto.funding[0]), hourly["funding_rate"].sum(), rtol=1e-12)
    paid = np.flatnonzero(crypto.funding[1])
    assert set(np.unique((crypto.times[paid] + crypto.bar) % DAY)) == {0, 8 * HOUR, 16 * HOUR}


@pytest.mark.parametrize("path", sorted(DATA.glob("funding_*.parquet")), ids=lambda path: path.stem)
def test_every_venue_s_rates_become_a_feature(path: Path) -> None:
    drafts = draft_funding(path, "X")
    assert [draft.kind for draft in drafts] == ["funding", "deriv"]
    rates = pl.read_parquet(path)["funding_rate"]
    scale = 8.0 if "dydx" in path.stem else 1.0
    np.testing.assert_allclose(np.sort(drafts[1].frame["value"]), np.sort(rates * scale), rtol=1e-12)


def test_a_daily_index_without_a_lag_is_refused() -> None:
    for stem, columns in (("alternativeme_FNG_1d", None), ("cboe_VIX_1d", {"value": "close"})):
        with pytest.raises(ClawdError, match=r"stamped at midnight.*--lag 1d"):
            draft_series(real(stem), "x", None, columns)
    with pytest.raises(ClawdError, match=r"1,194 rows have the time of another row.*--where"):
        draft_series(real("bykaranteli_dvol_daily"), "dvol", DAY)


def test_the_features_of_snapshots_are_their_formulas() -> None:
    frame = pl.read_parquet(real("book15_coinbase_BTCUSD_20210417"))
    found = read_book(real("book15_coinbase_BTCUSD_20210417")).frames
    assert set(found) == {"imbalance1", "imbalance5", "microprice_dev", "spread_bps", "depth_ratio"}

    def base(side: str, level: int) -> pl.Expr:
        return pl.col(f"{side}_usd_{level}") / pl.col(f"{side}_px_{level}")

    bid, ask, middle = pl.col("bid_px_0"), pl.col("ask_px_0"), pl.col("mid")
    bids, asks = ([base(side, level) for level in range(15)] for side in ("bid", "ask"))
    empty = (bids[0] == 0) | (asks[0] == 0)
    wanted = {
        "imbalance1": (bids[0] - asks[0]) / (bids[0] + asks[0]),
        "imbalance5": (sum(bids[:5]) - sum(asks[:5])) / (sum(bids[:5]) + sum(asks[:5])),
        "microprice_dev": (bid * asks[0] + ask * bids[0]) / (asks[0] + bids[0]) / middle - 1,
        "spread_bps": pl.col("spread") / middle * 10_000,
        "depth_ratio": sum(bids[:10]) / sum(asks[:10]),
    }
    for name, expression in wanted.items():
        values = frame.select(pl.when(~empty).then(expression).alias("value"))["value"].fill_null(np.nan).to_numpy()
        assert found[name]["ts"].to_list() == frame["ts"].to_list()
        np.testing.assert_allclose(found[name]["value"].to_numpy(), values, rtol=1e-6, atol=1e-12, err_msg=name)
    assert int(np.isnan(found["imbalance1"]["value"].to_numpy()).sum()) == 5


def test_a_minute_s_book_is_seen_by_the_bar_that_closes_after_it(tmp_path: Path) -> None:
    """Bars of a minute made of the mid prices; snapshots come 0.17 s after the minute, so a bar sees the last one's."""
    frame = pl.read_parquet(real("book15_coinbase_BTCUSD_20210417"))
    minute = 60 * SECOND
    bars = frame.group_by(ts=pl.col("ts") // minute * minute, maintain_order=True).agg(
        open=pl.col("mid").first(), high=pl.col("mid").max(), low=pl.col("mid").min(), close=pl.col("mid").last()
    )
    bars.write_parquet(tmp_path / "bars.parquet")
    panel = loaded(
        tmp_path,
        draft_bars(tmp_path / "bars.parquet", "BTCUSD"),
        *draft_book(real("book15_coinbase_BTCUSD_20210417"), "BTCUSD", SECOND),
    )
    book = read_book(real("book15_coinbase_BTCUSD_20210417")).frames
    assert sorted(panel.series) == sorted(f"book:{name}" for name in book)
    for name, values in book.items():
        np.testing.assert_array_equal(panel.series[f"book:{name}"][0], joined(panel, values, SECOND))


@pytest.mark.parametrize("venue", ["spot", "usdm"])
def test_a_book_rebuilt_from_changes_has_the_best_prices_that_the_venue_sent_apart(venue: str) -> None:
    quotes = pl.read_parquet(real(f"bbo_binance{venue}_BTCUSDT_20240808")).select(
        last_id="update_id",
        imbalance1=(pl.col("bid_qty") - pl.col("ask_qty")) / (pl.col("bid_qty") + pl.col("ask_qty")),
        spread_bps=(pl.col("ask") - pl.col("bid")) / (pl.col("ask") + pl.col("bid")) * 20_000,
    )
    changes = pl.read_parquet(real(f"l2_binance{venue}_BTCUSDT_20240808"))
    # Each message of changes by the number of its last one, and when it was known.
    numbers = (
        changes.filter(pl.col("prev_id") != -2)
        .group_by("last_id", maintain_order=True)
        .agg(known=pl.max_horizontal("ts", pl.col("exch_ms") * 1_000_000).first())
        .with_columns(pl.col("known").cum_max())
    )
    found = read_book(real(f"l2_binance{venue}_BTCUSDT_20240808")).frames
    for name in ("imbalance1", "spread_bps"):
        both = (
            found[name]
            .join(numbers, left_on="ts", right_on="known")
            .unique("ts", keep="last", maintain_order=True)
            .sort("last_id")
            .join_asof(quotes.sort("last_id"), on="last_id")
            .drop_nulls()
        )
        assert both.height > 5_000
        agree = np.isclose(both["value"].to_numpy(), both[name].to_numpy(), rtol=1e-9, atol=1e-12)
        assert agree.mean() > 0.999, name


@pytest.mark.parametrize("stem", [path.stem for path in sorted(DATA.glob("*_20*.parquet")) if path.stem[0] in "bl"])
def test_features_of_every_capture_are_bounded_and_in_order(stem: str) -> None:
    if stem.startswith("lean"):
        pytest.skip("these are bars")
    found = read_book(real(stem)).frames
    for name, frame in found.items():
        values = frame["value"].drop_nans().to_numpy()
        assert values.size > 0.7 * frame.height, name
        assert np.isfinite(values).all()
        assert (np.diff(frame["ts"].to_numpy()) > 0).all()
        if name.startswith("imbalance"):
            assert (np.abs(values) <= 1).all()
        if name in {"spread_bps", "depth_ratio"}:
            assert (values > 0).all()
    spread, deviation = (found[name]["value"].to_numpy() for name in ("spread_bps", "microprice_dev"))
    known = ~np.isnan(spread)
    assert (np.abs(deviation[known]) <= spread[known] / 20_000 * (1 + 1e-9)).all()


def test_a_book_of_a_slow_clock_counts_from_the_exchange_s_time(tmp_path: Path) -> None:
    """Trades of the futures make bars of a second by the exchange's time; the book was stamped 1.27 s before it was."""
    trades = pl.read_parquet(real("trades_binanceusdm_BTCUSDT_20240808"))
    price = pl.col("price")
    bars = trades.group_by(ts=pl.col("exch_ms") // 1_000 * SECOND).agg(
        open=price.first(), high=price.max(), low=price.min(), close=price.last()
    )
    bars.sort("ts").write_parquet(tmp_path / "bars.parquet")
    stem = "bbo_binanceusdm_BTCUSDT_20240808"
    panel = loaded(tmp_path, draft_bars(tmp_path / "bars.parquet", "B"), *draft_book(real(stem), "B", 0))
    quotes = pl.read_parquet(real(stem)).with_columns(
        value=(pl.col("bid_qty") - pl.col("ask_qty")) / (pl.col("bid_qty") + pl.col("ask_qty"))
    )
    happened = quotes.select("value", ts=(pl.col("exch_ms") * 1_000_000).cum_max())
    received = quotes.select("value", "ts")
    seen = panel.series["book:imbalance1"][0]
    np.testing.assert_array_equal(seen, joined(panel, happened.unique("ts", keep="last", maintain_order=True), 0))
    assert (seen != joined(panel, received, 0)).mean() > 0.5
