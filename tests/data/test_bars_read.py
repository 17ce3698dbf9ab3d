"""What a table may look like and still be read as the same bars."""

import datetime as dt
import gzip
from pathlib import Path

import polars as pl
import pytest

from clawd.data.bars import read_bars, read_raw_bars

HOUR = 3_600 * 10**9
START = 1_704_067_200 * 10**9  # 2024-01-01
ROWS = ((10.0, 12.0, 9.0, 11.0, 100.0), (11.0, 13.0, 10.0, 12.0, 200.0), (12.0, 14.0, 11.0, 13.5, 300.0))
EXPECTED = [(START + index * HOUR, *row) for index, row in enumerate(ROWS)]


def text(times: list[str], delimiter: str = ",", header: str = "ts,open,high,low,close,volume") -> str:
    lines = [delimiter.join([time, *(str(value) for value in row)]) for time, row in zip(times, ROWS, strict=True)]
    return "\n".join([header.replace(",", delimiter), *lines]) + "\n"


ISO = [f"2024-01-01T{hour:02}:00Z" for hour in range(3)]
SECONDS = [str((START + index * HOUR) // 10**9) for index in range(3)]

TIMES = {
    "ISO with Z": ISO,
    "ISO with blank": [f"2024-01-01 {hour:02}:00:00" for hour in range(3)],
    "ISO with offset": [f"2024-01-01T{hour + 2:02}:00:00+02:00" for hour in range(3)],
    "ISO with short offset": [f"2024-01-01T{hour + 2:02}:00:00+02" for hour in range(3)],
    "ISO west": [f"2023-12-31T{hour + 20}:30:00.000-0330" for hour in range(3)],
    "ISO of mixed length": ["2024-01-01", "2024-01-01 01:00", "2024-01-01 02:00:00.000000000"],
    "dotted": [f"2024.01.01 {hour:02}:00" for hour in range(3)],
    "US": [f"1/1/2024 {hour}:00" for hour in range(3)],
    "US halves": [f"1/1/2024 {hour}:00 AM" for hour in (12, 1, 2)],
    "seconds": SECONDS,
    "seconds as floats": [f"{time}.0" for time in SECONDS],
    "milliseconds": [f"{time}000" for time in SECONDS],
    "microseconds": [f"{time}000000" for time in SECONDS],
    "nanoseconds": [f"{time}000000000" for time in SECONDS],
    "written out": [f"20240101{hour:02}00" for hour in range(3)],
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_times_are_read_as_utc(tmp_path: Path, times: list[str]) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(text(times))
    bars = read_bars(path)
    assert bars.frame.rows() == EXPECTED
    assert bars.bar == HOUR
    assert bars.notes == ()


LAYOUTS = {
    "semicolons": text(ISO, ";"),
    "tabs": text(ISO, "\t"),
    "pipes": text(ISO, "|"),
    "byte order mark": "\ufeff" + text(ISO),
    "CRLF": text(ISO).replace("\n", "\r\n"),
    "no last line end": text(ISO).rstrip(),
    "blank lines": "\n" + text(ISO).replace("\n", "\n\n") + "\n\n",
    "empty rows": text(ISO) + ",,,,,\n,,,,,\n",
    "quotes": "\n".join('"' + line.replace(",", '","') + '"' for line in text(ISO).splitlines()),
    "blanks": text(ISO).replace(",", " , "),
    "trailing delimiters": text(ISO).replace("\n", ",\n"),
    "upper case": text(ISO, header="Timestamp,Open,HIGH,Low,Close,Vol"),
    "letters": text(ISO, header="t,o,h,l,c,v"),
    "spaces in names": text(ISO, header="Open time,Open price,High price,Low price,Close price,Base volume"),
    "MetaTrader": text(ISO, header="<DATE>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<TICKVOL>"),
    "nameless index": text(ISO, header=",Open,High,Low,Close,Volume"),
}


@pytest.mark.parametrize("content", LAYOUTS.values(), ids=LAYOUTS)
def test_layouts_are_read_alike(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(content, newline="")
    assert read_bars(path).frame.rows() == EXPECTED


@pytest.mark.parametrize("name", ["bars.csv.gz", "bars.csv"])
def test_gzip_is_told_by_content(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text(ISO).encode()))
    assert read_bars(path).frame.rows() == EXPECTED


@pytest.mark.parametrize(
    "times",
    [
        pl.Series([START, START + HOUR, START + 2 * HOUR]),
        pl.Series([dt.datetime(2024, 1, 1, hour) for hour in range(3)]),  # noqa: DTZ001
        pl.Series([dt.datetime(2024, 1, 1, hour) for hour in range(3)]).cast(pl.Datetime("ms")),  # noqa: DTZ001
        pl.Series([dt.datetime(2024, 1, 1, hour, tzinfo=dt.UTC) for hour in range(3)]).dt.convert_time_zone(
            "America/New_York"
        ),
        pl.Series(ISO),
        pl.Series([int(time) for time in SECONDS], dtype=pl.UInt32),
    ],
    ids=lambda series: str(series.dtype),
)
def test_parquet_times_of_any_type_are_read(tmp_path: Path, times: pl.Series) -> None:
    path = tmp_path / "bars.parquet"
    columns = zip(("open", "high", "low", "close", "volume"), zip(*ROWS, strict=True), strict=True)
    pl.DataFrame({"ts": times, **dict(columns)}).write_parquet(path)
    assert read_bars(path).frame.rows() == EXPECTED


def test_adjusted_close_is_never_preferred(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("Date,Open,High,Low,Adj Close,Close,Volume\n" + "".join(f"{day},1,2,1,1.1,1.5,3\n" for day in ISO))
    assert read_bars(path).frame["close"].to_list() == [1.5] * 3


def test_columns_can_be_stated(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(text(ISO, header="When,open,high,low,Last,volume"))
    assert read_bars(path, {"ts": "When", "close": "last"}).frame.rows() == EXPECTED


def test_volume_in_base_units_is_preferred_and_said(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        "unix,date,open,high,low,close,Volume BTC,Volume USDT\n"
        + "".join(f"{time},x,1,2,1,1,5,9\n" for time in SECONDS)
    )
    bars = read_bars(path)
    assert bars.frame["volume"].to_list() == [5.0] * 3
    assert bars.notes == ("volume is read from column `Volume BTC`",)


def test_volume_in_quote_units_is_no_volume(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(text(ISO, header="ts,open,high,low,close,Volume USD"))
    bars = read_bars(path)
    assert bars.frame["volume"].null_count() == 3
    assert "`Volume USD`" in bars.notes[0]


def test_volume_may_be_missing(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("ts,open,high,low,close\n" + "".join(f"{time},1,2,1,1\n" for time in ISO))
    assert read_bars(path).frame["volume"].to_list() == [None] * 3


def test_funding_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(
        "ts,open,high,low,close,funding\n"
        + "".join(f"{time},1,2,1,1,0.001\n" for time in ISO[:2])
        + f"{ISO[2]},1,2,1,1,\n"
    )
    assert read_bars(path).frame["funding"].to_list() == [0.001, 0.001, None]


def test_disorder_and_repeats_are_repaired_and_said(tmp_path: Path) -> None:
    header, *rows = text(ISO).splitlines()
    path = tmp_path / "bars.csv"
    path.write_text("\n".join([header, rows[2], rows[0], rows[1], rows[0]]))
    bars = read_bars(path)
    assert bars.frame.rows() == EXPECTED
    assert bars.notes == ("2 of 4 rows were out of order and have been sorted", "1 repeated row dropped")


def test_raw_bars_keep_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(f"ts,open,high,low,close,volume\n{ISO[1]},nan,1,-1,inf,2\n{ISO[0]},1,1,1,1,1\n{ISO[0]},1,1,1,1,1\n")
    assert read_raw_bars(path).frame.rows() == [
        (2, START + HOUR, None, 1.0, -1.0, float("inf"), 2.0),
        (3, START, 1.0, 1.0, 1.0, 1.0, 1.0),
        (4, START, 1.0, 1.0, 1.0, 1.0, 1.0),
    ]


def test_bars_that_break_their_range_are_imported(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(text(ISO).replace("12.0,9.0", "8.0,9.0"))
    assert read_bars(path).frame["high"].to_list() == [8.0, 13.0, 14.0]


def test_float_times_keep_their_microseconds(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(text([f"{time}.123456" for time in SECONDS]))
    assert read_bars(path).frame["ts"][0] == START + 123_456_000
