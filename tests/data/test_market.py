"""A source and a universe make one market, whatever the order, or an error that names the choices."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from clawd.core.errors import ClawdError
from clawd.data.catalog import store
from clawd.data.draft import draft_bars, draft_funding, draft_series
from clawd.data.market import load_market

HOUR = 3_600 * 10**9
START = 1_704_067_200 * 10**9  # 2024-01-01


def bars(price: float, step: int = HOUR, count: int = 50) -> pl.DataFrame:
    close = [price * (1 + 0.01 * (index % 7)) for index in range(count)]
    return pl.DataFrame(
        {
            "ts": [START + index * step for index in range(count)],
            "open": close,
            "high": [value * 1.01 for value in close],
            "low": [value * 0.99 for value in close],
            "close": close,
            "volume": [1.0] * count,
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bars(100).write_parquet(tmp_path / "binance_BTCUSDT_1h.parquet")
    bars(101).write_parquet(tmp_path / "kraken_BTCUSDT_1h.parquet")
    bars(10).write_csv(tmp_path / "binance_ETHUSDT_1h.csv")
    bars(10, 2 * HOUR).write_parquet(tmp_path / "binance_ETHUSDT_2h.parquet")
    bars(1).write_csv(tmp_path / "SOL.csv")
    pl.DataFrame({"ts": [START], "fng": [50]}).write_parquet(tmp_path / "index_FNG_1d.parquet")
    bars(5).with_columns(funding_rate=pl.lit(0.1)).write_parquet(tmp_path / "funding_binance_XRPUSDT_1h.parquet")
    (tmp_path / "manifest.json").write_text("{}")
    (tmp_path / ".hidden.csv").write_text("junk")
    (tmp_path / "deeper").mkdir()
    bars(7).write_parquet(tmp_path / "deeper" / "binance_LTCUSDT_1h.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("universe", "symbols"),
    [
        (["SOL"], ("SOL",)),
        (["sol", "binance_ETHUSDT_1h"], ("ETHUSDT", "SOL")),
        (["binance_ETHUSDT_1h", "SOL", "binance_BTCUSDT_1h"], ("BTCUSDT", "ETHUSDT", "SOL")),
        (["kraken_BTCUSDT_1h", "binance_BTCUSDT_1h"], ("binance_BTCUSDT_1h", "kraken_BTCUSDT_1h")),
        (["SOL", "SOL"], ("SOL",)),
    ],
)
def test_names_mean_stems_or_instruments(folder: Path, universe: list[str], symbols: tuple[str, ...]) -> None:
    forward, backward = load_market(folder, universe), load_market(str(folder), universe[::-1])
    assert forward.panel.symbols == symbols
    assert forward.panel.bar == HOUR
    assert forward.fingerprint == backward.fingerprint
    assert forward.panel.series == {}


def test_a_bar_size_narrows_names(folder: Path) -> None:
    market = load_market(folder, ["eth/usdt"], 2 * HOUR)
    assert market.panel.symbols == ("ETHUSDT",)
    assert market.panel.bar == 2 * HOUR


def test_a_bar_size_alone_takes_all_of_that_size(folder: Path) -> None:
    market = load_market(folder, bar=HOUR)
    assert market.panel.symbols == ("ETHUSDT", "SOL", "binance_BTCUSDT_1h", "kraken_BTCUSDT_1h")


@pytest.mark.parametrize(
    ("universe", "bar", "told"),
    [
        (
            None,
            None,
            ["several sizes", "1h (SOL and 3 more)", "2h (binance_ETHUSDT_2h)", "--bar", "--universe"],
        ),
        (["BTCUSDT"], None, ["BTCUSDT", "binance_BTCUSDT_1h (1h)", "kraken_BTCUSDT_1h (1h)", "exact name"]),
        (["BTCUSDT"], HOUR, ["binance_BTCUSDT_1h (1h)", "kraken_BTCUSDT_1h (1h)"]),
        (["ETHUSDT"], None, ["binance_ETHUSDT_1h (1h)", "binance_ETHUSDT_2h (2h)", "--bar"]),
        (["ETHUSDT"], 3 * HOUR, ["no 3h bars", "binance_ETHUSDT_1h (1h)"]),
        (["SOL"], 2 * HOUR, ["no 2h bars", "SOL (1h)"]),
        (["SOL", "binance_ETHUSDT_2h"], None, ["several sizes", "1h (SOL)", "2h (binance_ETHUSDT_2h)"]),
        (["ETHUSD"], None, ["no such instrument", "did you mean `ETHUSDT`?"]),
        (["zzz"], None, ["no such instrument", "there are BTCUSDT, ETHUSDT, SOL"]),
        (["FNG"], None, ["no such instrument"]),
        (["XRPUSDT"], None, ["no such instrument"]),
        (["LTCUSDT"], None, ["no such instrument"]),
        (None, 5 * HOUR, ["no 5h bars"]),
    ],
)
def test_what_is_unknown_or_ambiguous_is_said(
    folder: Path, universe: list[str] | None, bar: int | None, told: list[str]
) -> None:
    with pytest.raises(ClawdError) as caught:
        load_market(folder, universe, bar)
    for part in told:
        assert part in str(caught.value)


def test_a_broken_file_stops_only_those_who_want_it(folder: Path) -> None:
    (folder / "x_BAD_1h.parquet").write_bytes(b"PAR1 junk")
    assert load_market(folder, ["SOL"]).panel.symbols == ("SOL",)
    for universe in (None, ["x_BAD_1h"]):
        with pytest.raises(ClawdError, match=r"x_BAD_1h.parquet: the Parquet file is broken"):
            load_market(folder, universe)


def test_a_source_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(ClawdError, match=r"no such folder.*`sample`, `catalog`"):
        load_market(tmp_path / "none")
    with pytest.raises(ClawdError, match="no bars here"):
        load_market(tmp_path)
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ClawdError, match="a file, not a folder"):
        load_market(tmp_path / "x.csv")
    with pytest.raises(ClawdError, match="the catalog has no bars"):
        load_market("catalog", home=tmp_path)


def test_repairs_drops_and_findings_are_told(tmp_path: Path) -> None:
    frame = bars(100)
    broken = frame.with_columns(high=pl.when(pl.int_range(50) == 5).then(1.0).otherwise("high"))
    pl.concat([broken, broken.head(1)]).write_csv(tmp_path / "A_1h.csv")
    frame.filter(pl.int_range(50) != 9).write_csv(tmp_path / "B_1h.csv")
    market = load_market(tmp_path)
    assert market.notes == (
        "A: 1 of 51 rows were out of order and have been sorted",
        "A: 1 repeated row dropped",
        "A: 1 broken bar dropped",
    )
    assert {(each.symbol, each.kind) for each in market.findings} == {
        ("A", "duplicate"),
        ("A", "disorder"),
        ("A", "ohlc"),
        ("B", "gap"),
    }
    assert np.argwhere(~market.panel.present).tolist() == [[0, 5], [1, 9]]


def test_the_catalog_gives_bars_funding_and_series(tmp_path: Path) -> None:
    bars(100).write_csv(tmp_path / "a.csv")
    (tmp_path / "f.csv").write_text("ts,rate\n2024-01-01T08:00Z,0.25\n2024-01-01T08:30Z,0.5\n")
    (tmp_path / "s.csv").write_text("ts,value\n2024-01-01,1\n2024-01-02,2\n")
    drafts = [
        draft_bars(tmp_path / "a.csv", "BTC/USDT"),
        *draft_funding(tmp_path / "f.csv", "BTC/USDT"),
        draft_series(tmp_path / "s.csv", "mood", 2 * HOUR),
    ]
    store(tmp_path / "catalog", drafts)
    market = load_market("catalog", ["BTCUSDT"], home=tmp_path)
    panel = market.panel
    assert panel.symbols == ("BTC/USDT",)
    assert np.flatnonzero(panel.funding[0]).tolist() == [7, 8]
    assert panel.funding[0][7:9].tolist() == [0.25, 0.5]
    mood = panel.series["mood"]
    assert np.isnan(mood[0])
    assert mood[1:25].tolist() == [1.0] * 24  # a bar from 01:00 closes at 02:00, when the value of midnight is known
    assert mood[25:].tolist() == [2.0] * 25
    assert market.notes == (
        "BTC/USDT: funding is known from 2024-01-01T08:00Z to 2024-01-01T08:30Z and counts as none elsewhere",
        "deriv:funding_8h of BTC/USDT: the value of 2024-01-01T08:30Z is the last and stands ever after",
    )


def test_the_way_from_a_file_over_the_catalog_changes_nothing(tmp_path: Path) -> None:
    frame = bars(123.456789).with_columns(volume=pl.when(pl.int_range(50) % 9 == 0).then(None).otherwise("volume"))
    (tmp_path / "in").mkdir()
    frame.write_csv(tmp_path / "in" / "kraken_X_1h.csv")
    store(tmp_path / "catalog", [draft_bars(tmp_path / "in" / "kraken_X_1h.csv")])
    direct, stored = load_market(tmp_path / "in"), load_market("catalog", home=tmp_path)
    assert direct.fingerprint == stored.fingerprint
    assert stored.panel.close[0].tolist() == frame["close"].to_list()
    assert np.isnan(stored.panel.volume[0]).sum() == 6


def test_a_catalog_with_one_symbol_in_two_sizes_needs_the_size(tmp_path: Path) -> None:
    for step in (HOUR, 2 * HOUR):
        bars(100, step).write_csv(tmp_path / "a.csv")
        store(tmp_path / "catalog", [draft_bars(tmp_path / "a.csv", "A")])
    with pytest.raises(ClawdError, match=r"A \(1h\), A \(2h\)"):
        load_market("catalog", ["A"], home=tmp_path)
    assert load_market("catalog", ["A"], 2 * HOUR, home=tmp_path).panel.bar == 2 * HOUR
    assert load_market("catalog", bar=HOUR, home=tmp_path).panel.bar == HOUR


def test_the_home_of_the_settings_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWD_HOME", str(tmp_path))
    bars(100).write_csv(tmp_path / "a.csv")
    store(tmp_path / "catalog", [draft_bars(tmp_path / "a.csv", "A")])
    assert load_market("catalog").panel.symbols == ("A",)
