"""What is stored comes back as it was, under safe names, all or nothing."""

import sys
from pathlib import Path

import polars as pl
import pytest

from clawd.core.errors import ClawdError
from clawd.data import catalog
from clawd.data.catalog import entries, store
from clawd.data.draft import draft_bars, draft_funding, draft_series

DAY = 86_400 * 10**9
BARS = """\
ts,open,high,low,close,volume
2024-01-01,10,12,9,11,100
2024-01-02,11,13,10,12,
2024-01-03,12,14,11,13,300
"""
SERIES = "date,wti\n2024-01-01,70.5\n2024-01-02,\n2024-01-03,-37.6\n"
FUNDING = "ts,fundingRate\n2024-01-01T08:00Z,0.0001\n2024-01-01T16:00Z,-0.0002\n"


def written(path: Path, text: str = BARS) -> Path:
    path.write_text(text)
    return path


def test_bars_come_back_as_they_were(tmp_path: Path) -> None:
    draft = draft_bars(written(tmp_path / "kraken_BTCUSD_1d.csv"))
    store(tmp_path, [draft])
    assert (tmp_path / "bars" / "BTCUSD" / "1d.parquet").is_file()
    loaded = catalog.load_bars(tmp_path, "BTCUSD", DAY).frame.drop("line")
    assert loaded.equals(draft.frame)
    assert loaded.rows()[1] == (1_704_153_600 * 10**9, 11.0, 13.0, 10.0, 12.0, None)


def test_a_series_comes_back_with_its_lag(tmp_path: Path) -> None:
    draft = draft_series(written(tmp_path / "x.csv", SERIES), "wti", DAY)
    store(tmp_path, [draft])
    (loaded,) = catalog.load_series(tmp_path, [])
    assert (loaded.name, loaded.lag) == ("wti", DAY)
    assert loaded.values.rows() == [(1_704_067_200 * 10**9, 70.5), (1_704_240_000 * 10**9, -37.6)]
    assert draft.notes == ("1 row without a value left out",)


def test_funding_comes_back(tmp_path: Path) -> None:
    store(tmp_path, draft_funding(written(tmp_path / "x.csv", FUNDING), "BTC/USDT:USDT"))
    loaded = catalog.load_funding(tmp_path, "BTC/USDT:USDT")
    assert loaded is not None
    assert loaded["rate"].to_list() == [0.0001, -0.0002]
    assert catalog.load_funding(tmp_path, "ETHUSDT") is None


def test_entries_say_what_there_is(tmp_path: Path) -> None:
    assert entries(tmp_path / "none") == []
    drafts = [
        draft_series(written(tmp_path / "wti.csv", SERIES), "wti", DAY),
        *draft_funding(written(tmp_path / "funding.csv", FUNDING), "BTC/USDT"),
        draft_bars(written(tmp_path / "bars.csv"), "BTC/USDT"),
    ]
    store(tmp_path, drafts)
    found = [(each.kind, each.name, each.symbol, each.bar, each.lag, each.rows) for each in entries(tmp_path)]
    assert found == [
        ("bars", None, "BTC/USDT", DAY, None, 3),
        ("deriv", "funding_8h", "BTC/USDT", None, 0, 2),
        ("funding", None, "BTC/USDT", None, None, 2),
        ("series", "wti", None, None, DAY, 2),
    ]
    bars = entries(tmp_path)[0]
    assert (bars.first, bars.last) == (1_704_067_200 * 10**9, 1_704_240_000 * 10**9)
    assert bars.size == (tmp_path / "bars" / "BTC%2FUSDT" / "1d.parquet").stat().st_size


@pytest.mark.parametrize(
    "symbol", ["../x", "..", ".hidden", "a/../b", "/etc/x", "a b", "", "x" * 65, "é", "a\\b", "-rf"]
)
def test_what_cannot_be_a_symbol_is_refused(tmp_path: Path, symbol: str) -> None:
    path = written(tmp_path / "bars.csv")
    with pytest.raises(ClawdError, match="cannot be a symbol"):
        draft_bars(path, symbol)
    with pytest.raises(ClawdError, match="cannot be a symbol"):
        draft_funding(written(tmp_path / "f.csv", FUNDING), symbol)
    with pytest.raises(ClawdError, match="cannot be a symbol"):
        catalog.load_bars(tmp_path, symbol, DAY)


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTC/USDT:USDT", "BRK.B", "es-2024_h", "600519"])
def test_symbols_with_signs_are_kept(tmp_path: Path, symbol: str) -> None:
    store(tmp_path, [draft_bars(written(tmp_path / "bars.csv"), symbol)])
    assert [each.symbol for each in entries(tmp_path)] == [symbol]
    assert catalog.load_bars(tmp_path, symbol, DAY).frame.height == 3
    assert len(list((tmp_path / "bars").iterdir())) == 1


@pytest.mark.parametrize("name", ["", "1d", "a b", "../x", "a-b", "é"])
def test_what_cannot_name_a_series_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClawdError, match="cannot name a series"):
        draft_series(written(tmp_path / "x.csv", SERIES), name, DAY)


@pytest.mark.parametrize("lag", [-1, 4_000 * DAY, 999_999 * 7 * DAY])
def test_a_value_is_known_at_its_stamp_or_some_years_later(tmp_path: Path, lag: int) -> None:
    with pytest.raises(ClawdError, match="lag of wti: this lag cannot be"):
        draft_series(written(tmp_path / "x.csv", SERIES), "wti", lag)


def test_an_entry_is_only_replaced_on_request(tmp_path: Path) -> None:
    store(tmp_path, [draft_bars(written(tmp_path / "a.csv"), "A")])
    changed = draft_bars(written(tmp_path / "b.csv", BARS.replace("100", "101")), "A")
    other = draft_bars(written(tmp_path / "b.csv"), "B")
    with pytest.raises(ClawdError, match=r"bars A: the catalog has this already: .*--replace"):
        store(tmp_path, [other, changed])
    assert [each.symbol for each in entries(tmp_path)] == ["A"]
    assert catalog.load_bars(tmp_path, "A", DAY).frame["volume"][0] == 100
    store(tmp_path, [other, changed], replace=True)
    assert catalog.load_bars(tmp_path, "A", DAY).frame["volume"][0] == 101


def test_two_files_for_one_entry_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv")
    with pytest.raises(ClawdError, match="two files would be stored as this one entry"):
        store(tmp_path, [draft_bars(path, "A"), draft_bars(path, "A")])
    assert entries(tmp_path) == []


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drafts = [draft_bars(written(tmp_path / "a.csv"), symbol) for symbol in ("A", "B")]
    store(tmp_path, [draft_bars(written(tmp_path / "a.csv", BARS.replace("100", "7")), "A")])
    intact = pl.DataFrame.write_parquet

    def full_disk(frame: pl.DataFrame, file: Path, **options: object) -> None:
        if "B" in file.parts:
            raise OSError(28, "No space left on device")
        intact(frame, file, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(pl.DataFrame, "write_parquet", full_disk)
    with pytest.raises(ClawdError, match="No space left"):
        store(tmp_path, drafts, replace=True)
    assert [path.name for path in (tmp_path / "bars").rglob("*") if path.is_file()] == ["1d.parquet"]
    assert catalog.load_bars(tmp_path, "A", DAY).frame["volume"][0] == 7


def test_a_half_written_file_is_no_entry(tmp_path: Path) -> None:
    store(tmp_path, [draft_bars(written(tmp_path / "a.csv"), "A")])
    (tmp_path / "bars" / "A" / ".1h.parquet.77.tmp").write_bytes(b"PAR1")
    (tmp_path / "bars" / "A" / ".1h.parquet").write_bytes(b"PAR1")
    assert len(entries(tmp_path)) == 1


@pytest.mark.parametrize(
    "kind", ["bars/A/1h", "funding/A", "series/a", "series/book/a", "series/deriv/a/B", "series/ext/a/B", "groups/a"]
)
def test_a_broken_entry_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"{kind}.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1, or not")
    with pytest.raises(ClawdError, match=r"broken.*--replace") as caught:
        entries(tmp_path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "kind", ["bars/A/soon", "series/books/a", "series/series/a", "series/ext/deep/er/a", "series/x/a/B"]
)
def test_a_file_in_a_strange_place_is_named_or_no_entry(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"{kind}.parquet"
    path.parent.mkdir(parents=True)
    pl.DataFrame({"ts": [1], "value": [1.0]}).write_parquet(path, metadata={"clawd.lag": "0"})
    if "deep" in kind:
        assert entries(tmp_path) == []
        return
    with pytest.raises(ClawdError, match="does not belong into a catalog") as caught:
        entries(tmp_path)
    assert str(path) in str(caught.value)


def test_a_lag_below_zero_in_a_file_is_broken(tmp_path: Path) -> None:
    (tmp_path / "series").mkdir()
    frame = pl.DataFrame({"ts": [1], "value": [1.0]})
    frame.write_parquet(tmp_path / "series" / "x.parquet", metadata={"clawd.lag": "-1"})
    with pytest.raises(ClawdError, match="broken"):
        catalog.load_series(tmp_path, [])


def test_series_of_all_kinds_lie_apart(tmp_path: Path) -> None:
    """A name may be that of a kind, of a symbol, and of series of several kinds at once."""
    path = written(tmp_path / "x.csv", SERIES)
    drafts = [
        draft_series(path, name, DAY, kind=kind, symbol=symbol)
        for kind in ("series", "book", "deriv", "model")
        for name in ("book", "ext", "A")
        for symbol in (None, "A", "BTC/USDT", "book", "x.parquet")
    ]
    store(tmp_path, drafts)
    found = {(each.kind, each.name, each.symbol) for each in entries(tmp_path)}
    assert found == {(each.kind, each.name, each.symbol) for each in drafts}
    assert len(found) == len(drafts)
    loaded = {(each.name, each.symbol) for each in catalog.load_series(tmp_path, ["BTC/USDT"])}
    names = {f"{kind}{name}" for kind in ("", "book:", "deriv:", "model:") for name in ("book", "ext", "A")}
    assert loaded == {(name, symbol) for name in names for symbol in (None, "BTC/USDT")}


def test_a_series_without_its_lag_is_never_used(tmp_path: Path) -> None:
    (tmp_path / "series").mkdir()
    pl.DataFrame({"ts": [1], "value": [1.0]}).write_parquet(tmp_path / "series" / "x.parquet")
    with pytest.raises(ClawdError, match="broken"):
        catalog.load_series(tmp_path, [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("date,a,b\n2024-01-01,1,2\n", "value=NAME"),
        ("date,a\n2024-01-01,\n", "no values"),
        ("date,a\n2024-01-01,x\n", "line 2"),
        ("date,a\n2024-01-01,inf\n", "line 2"),
        ("date,a\n2024-01-01,1\n2024-01-01,2\n", "1 row has the time of another"),
        ("date\n2024-01-01\n", "for value"),
    ],
)
def test_what_is_no_series_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ClawdError, match=told):
        draft_series(written(tmp_path / "x.csv", text), "x", 0)


def test_the_only_column_of_numbers_is_the_value(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "ts,date,fng,rating\n2024-01-01,2024-01-01,50,neutral\n")
    assert draft_series(path, "fng", 0).frame["value"].to_list() == [50.0]


def test_funding_in_percent_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClawdError, match="shares of the position's value"):
        draft_funding(written(tmp_path / "x.csv", FUNDING.replace("0.0001", "1.5")), "A")


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("binance_BTCUSDT_1h.csv", "BTCUSDT"),
        ("bitstamp_BTCUSD_1h_cdd2019.csv", "BTCUSD"),
        ("lean_us_SPY_1h.csv", "SPY"),
        ("SPY_1d.csv", "SPY"),
        ("BTC_USDT_1h.csv", "BTCUSDT"),
        ("SPY.csv", "SPY"),
        ("some_name.csv", "some_name"),
    ],
)
def test_the_symbol_is_read_from_the_file_name(tmp_path: Path, name: str, symbol: str) -> None:
    assert draft_bars(written(tmp_path / name)).symbol == symbol


@pytest.mark.skipif(sys.platform == "win32", reason="a folder without write permission needs POSIX")
def test_a_catalog_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "catalog").write_text("in the way")
    with pytest.raises(ClawdError, match="cannot be written"):
        store(tmp_path / "catalog", [draft_bars(written(tmp_path / "a.csv"), "A")])
