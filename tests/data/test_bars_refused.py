"""What cannot be imported is refused with what is wrong, where, and what would be right."""

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.data.bars import read_bars
from clawd.data.catalog import store
from clawd.data.draft import draft_bars

HEADER = "ts,open,high,low,close,volume\n"
FIRST = "2024-01-01T00:00Z,10,12,9,11,100\n"
SECOND = "2024-01-01T01:00Z,11,13,10,12,200\n"
THIRD = "2024-01-01T02:00Z,12,14,11,13,300\n"
GOOD = HEADER + FIRST + SECOND + THIRD


def second(row: str) -> str:
    return HEADER + FIRST + row + "\n" + THIRD


CASES = {
    "empty": ("", ["file is empty"]),
    "blank lines": ("\n\n  \n", ["file is empty"]),
    "header only": (HEADER, ["no rows below the header"]),
    "no header": (FIRST + SECOND, ["no header", "names the columns"]),
    "missing column": (GOOD.replace("close", "Last"), ["for close", "`Last`", '--columns "close=NAME"']),
    "column twice": (GOOD.replace("volume", "close"), ["`close` stands more than once"]),
    "two names for one": (GOOD.replace("volume", "CLOSE"), ["`close`, `CLOSE`", "could all be close"]),
    "text in a price": (second("2024-01-01T01:00Z,11,abc,10,12,200"), ["line 3", "`high`", "`abc`"]),
    "two bad cells": (
        second("2024-01-01T01:00Z,11,abc,10,12,200").replace("14", "x"),
        ["2 cells", "line 3", "`abc`"],
    ),
    "thousands": (
        second('2024-01-01T01:00Z,"1,011.5",13,10,12,200'),
        ["line 3", "`1,011.5`", "no separators"],
    ),
    "decimal comma": (
        GOOD.replace(",", ";").replace("13;10", "13,5;10"),
        ["line 3", "`13,5`", "decimal point"],
    ),
    "missing price": (second("2024-01-01T01:00Z,11,13,10,,200"), ["1 price is missing", "line 3", "`close`"]),
    "nan prices": (
        second("2024-01-01T01:00Z,NaN,13,10,12,2").replace("12,14", "nan,14"),
        ["2 prices", "line 3", "`open`"],
    ),
    "infinite price": (second("2024-01-01T01:00Z,11,inf,10,12,200"), ["infinite", "line 3", "`high`"]),
    "zero price": (second("2024-01-01T01:00Z,11,13,0,12,200"), ["zero or negative", "line 3", "`low`"]),
    "negative price": (second("2024-01-01T01:00Z,11,13,-10,12,200"), ["zero or negative", "line 3", "`low`"]),
    "negative volume": (
        second("2024-01-01T01:00Z,11,13,10,12,-1"),
        ["volume is negative", "line 3", "`volume`"],
    ),
    "infinite volume": (second("2024-01-01T01:00Z,11,13,10,12,1e999"), ["volume is infinite", "line 3"]),
    "missing time": (second(",11,13,10,12,200"), ["line 3", "`ts`", "the time is missing"]),
    "no time": (second("yesterday,11,13,10,12,200"), ["line 3", "`yesterday`", "ISO"]),
    "no such day": (second("2024-02-30,11,13,10,12,200"), ["line 3", "`2024-02-30`"]),
    "day first": (
        HEADER + "30/4/2024,1,2,1,1,1\n1/5/2024,1,2,1,1,1\n",
        ["line 2", "`30/4/2024`", "US dates"],
    ),
    "before 1970": (second("1969-12-31,11,13,10,12,200"), ["line 3", "before 1970"]),
    "negative time": (HEADER + "-5,1,2,1,1,1\n5,1,2,1,1,1\n", ["line 2", "`-5`", "before 1970"]),
    "after 2199": (second("2200-01-01,11,13,10,12,200"), ["line 3", "after 2199"]),
    "spreadsheet days": (HEADER + "44197,1,2,1,1,1\n44198,1,2,1,1,1\n", ["line 2", "`44197` is no time"]),
    "mixed units": (
        HEADER + "1704067200,1,2,1,1,1\n1704067260000,1,2,1,1,1\n",
        ["line 3", "`1704067260000` is in milliseconds", "above it are in seconds"],
    ),
    "all one time": (HEADER + FIRST + FIRST, ["all 2 rows have the same time"]),
    "one row": (HEADER + FIRST, ["only one bar", "at least 2"]),
    "conflicting rows": (
        GOOD + SECOND.replace("200", "201"),
        ["line 5", "other values", "2024-01-01T01:00Z", "line 3"],
    ),
    "too many cells": (second("2024-01-01T01:00Z,11,13,10,12,200,7"), ["line 3", "7 cells", "header has 6"]),
    "too few cells": (second("2024-01-01T01:00Z,11,13,10,12"), ["line 3", "5 cells", "header has 6"]),
    "ticks": (HEADER + "1704067200.1,1,2,1,1,1\n1704067200.3,1,2,1,1,1\n", ["0.2 s apart"]),
    "centuries": (
        HEADER + "1970-01-01,1,2,1,1,1\n2199-01-01,1,2,1,1,1\n",
        ["83641d apart", "at most a year"],
    ),
    "old Mac line ends": (GOOD.replace("\n", "\r"), ["CR alone"]),
    "a web page": ("<html><body>Not found</body></html>", ["no column was found for ts, open"]),
}

BYTES = {
    "UTF-16": (GOOD.encode("utf-16"), ["UTF-16", "save it as UTF-8"]),
    "Latin-1 header": (GOOD.replace("ts", "té").encode("latin-1"), ["not UTF-8"]),
    "Latin-1 cell": (second("2024-01-01T01:00Z,1é,13,10,12,200").encode("latin-1"), ["not UTF-8"]),
    "binary": (bytes(range(256)), ["binary"]),
    "a spreadsheet": (b"PK\x03\x04\x00\x00", ["binary"]),
    "cut gzip": (gzip.compress(GOOD.encode())[:-12], ["gzip file is broken"]),
}


def refusal(path: Path) -> str:
    with pytest.raises(ClawdError) as caught:
        store(path.parent / "catalog", [draft_bars(path, "X")])
    assert not (path.parent / "catalog").exists()
    return str(caught.value)


@pytest.mark.parametrize(("text", "told"), CASES.values(), ids=CASES)
def test_broken_text_is_refused_with_its_place(tmp_path: Path, text: str, told: list[str]) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(text)
    message = refusal(path)
    for part in ["bars.csv", *told]:
        assert part in message


@pytest.mark.parametrize(("content", "told"), BYTES.values(), ids=BYTES)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, told: list[str]) -> None:
    path = tmp_path / "bars.csv"
    path.write_bytes(content)
    message = refusal(path)
    for part in ["bars.csv", *told]:
        assert part in message


def test_lines_are_counted_with_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "bars.csv"
    path.write_text("\n\n" + HEADER + FIRST + "\n" + SECOND.replace("13", "x"))
    assert "line 6, column `high`" in refusal(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.csv")


def test_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bars").mkdir()
    assert "directory" in refusal(tmp_path / "bars")


def test_text_named_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    path.write_text(GOOD)
    assert "not a Parquet file, though its name says so" in refusal(path)


def test_a_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    pl.DataFrame({"ts": [1, 2]}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-10])
    assert "Parquet file is broken" in refusal(path)


PARQUET = {
    "flags as prices": ({"open": pl.Series([True, False])}, ["`open`", "Boolean"]),
    "text as prices": ({"open": pl.Series(["1", "x"])}, ["row 2", "`open`", "`x`"]),
    "no rows": (None, ["no rows"]),
    "null times": ({"ts": pl.Series([None, 1704067200])}, ["row 1", "the time is missing"]),
    "clock times": ({"ts": pl.Series([0, 1]).cast(pl.Time)}, ["`ts`", "not points in time"]),
    "too large times": ({"ts": pl.Series([2**64 - 1, 2**64 - 2], dtype=pl.UInt64)}, ["row 1", "is no time"]),
    "times that are not": ({"ts": pl.Series([float("nan"), 1.7e9])}, ["row 1", "`nan`"]),
}


@pytest.mark.parametrize(("changed", "told"), PARQUET.values(), ids=PARQUET)
def test_broken_parquet_columns_are_refused(
    tmp_path: Path, changed: dict[str, pl.Series] | None, told: list[str]
) -> None:
    prices = {name: [1.0, 2.0] for name in ("open", "high", "low", "close", "volume")}
    frame = pl.DataFrame({"ts": [1704067200, 1704070800], **prices})
    frame = frame.clear() if changed is None else frame.with_columns(**changed)
    frame.write_parquet(tmp_path / "bars.parquet")
    message = refusal(tmp_path / "bars.parquet")
    for part in ["bars.parquet", *told]:
        assert part in message


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"close": "Clse"}, ["no column `Clse`", "did you mean `close`?"]),
        ({"clos": "close"}, ["`clos`", "one of ts, open, high, low, close"]),
        ({"close": "open"}, ["`open` cannot be both"]),
    ],
)
def test_a_wrong_column_map_is_refused(tmp_path: Path, columns: dict[str, str], told: list[str]) -> None:
    path = tmp_path / "bars.csv"
    path.write_text(GOOD)
    with pytest.raises(ClawdError) as caught:
        read_bars(path, columns)
    for part in told:
        assert part in str(caught.value)


NOISE = [
    '"',
    ",",
    "\n",
    "\r\n",
    "   \n",
    '"\n"',
    ";",
    "\t",
    "nan",
    "inf",
    "-",
    "1e308",
    "9" * 25,
    "0",
    "null",
    "é",
    "1/1/2024",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.integers(0, len(GOOD)), st.integers(0, 9), st.sampled_from(NOISE)),
        min_size=1,
        max_size=3,
    )
)
def test_damaged_text_is_refused_or_gives_sound_bars(tmp_path: Path, damage: list[tuple[int, int, str]]) -> None:
    text = GOOD
    for start, length, noise in damage:
        text = text[:start] + noise + text[start + length :]
    path = tmp_path / "bars.csv"
    path.write_text(text, newline="")
    try:
        frame = read_bars(path).frame
    except ClawdError as error:
        assert str(path) in str(error)
        return
    prices = frame.select("open", "high", "low", "close").to_numpy()
    assert (np.isfinite(prices) & (prices > 0)).all()
    assert (np.diff(frame["ts"].to_numpy()) > 0).all()


@pytest.mark.parametrize("seed", range(40))
def test_damaged_parquet_is_never_a_crash(tmp_path: Path, seed: int) -> None:
    prices = {name: [float(row + 1) for row in range(10)] for name in ("open", "high", "low", "close")}
    path = tmp_path / "bars.parquet"
    pl.DataFrame({"ts": [1704067200 + 60 * row for row in range(10)], **prices}).write_parquet(path)
    content = bytearray(path.read_bytes())
    random = np.random.default_rng(seed)
    for place in random.integers(4, len(content), 3):
        content[place] = random.integers(256)
    path.write_bytes(content)
    try:
        assert read_bars(path).frame.height <= 10
    except ClawdError as error:
        assert str(path) in str(error)
