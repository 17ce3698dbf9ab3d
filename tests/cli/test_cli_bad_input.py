"""Whatever is wrong: one line on standard error that says what and where, exit code 2, and a disk that is as it was."""

from __future__ import annotations

import gzip
import shlex
import sqlite3
from pathlib import Path

import pytest
from cli_world import CROSS, HEADER, Clawd, Outcome, bars, disk, folder, walk

TOMLS = {
    "empty": "",
    "spaces": "  \n\n",
    "words": "buy low, sell high\n",
    "unclosed": CROSS.replace('20)))"', "20)))"),
    "nameless": CROSS.replace('name = "Cross of two means"\n', ""),
    "no_target": CROSS.replace("target", "aim"),
    "unknown_operator": CROSS.replace("ema(close, 5)", "emma(close, 5)"),
    "units": CROSS.replace("ema(close, 5)", "volume"),
    "number_target": CROSS.replace("long_short(sign(", "abs(sign("),
    "future": CROSS.replace("ema(close, 5)", "delay(close, -1)"),
    "window_0": CROSS.replace("ema(close, 5)", "ema(close, 0)"),
    "window_huge": CROSS.replace("ema(close, 5)", "ema(close, 99999999999)"),
    "no_exits": CROSS[: CROSS.index("[exits]")],
    "no_stop": CROSS.replace("stop", "take"),
    "stop_negative": CROSS.replace("10 }", "-10 }"),
    "stop_nan": CROSS.replace("10 }", "nan }"),
    "unknown_key": "leverage = 5\n" + CROSS,
    "key_twice": 'name = "again"\n' + CROSS,
    "bar_garbage": 'bar = "fortnight"\n' + CROSS,
    "universe_empty": "universe = []\n" + CROSS,
    "universe_twice": 'universe = ["A", "A"]\n' + CROSS,
    "universe_unknown": 'universe = ["A", "ZZZ"]\n' + CROSS,
    "hourly": 'bar = "1h"\n' + CROSS,
    "deep": CROSS.replace("ema(close, 5)", "abs(" * 5000 + "close" + ")" * 5000),
    "deep_brackets": "name = " + "[" * 5000 + "\n" + CROSS,
    "long": CROSS + "#" * 300_000,
    "number_huge": CROSS.replace("ema(close, 5)", "close * 1e400"),
}
JSONS = {"words": "{buy}", "list": "[]", "deep": "[" * 50_000, "number": '{"clawd": 1, "name": ' + "9" * 5000 + "}"}

ROW = "2024-01-02,11,13,10,12,5"
GOOD = f"{HEADER}\n2024-01-01,10,12,9,11,100\n{ROW}\n2024-01-03,12,14,11,13,300\n"
CSVS: dict[str, str | bytes] = {
    "empty": "",
    "blank": "\n\n",
    "header": f"{HEADER}\n",
    "one_row": f"{HEADER}\n{ROW}\n",
    "no_header": GOOD.split("\n", 1)[1],
    "wrong_columns": GOOD.replace("open", "bid").replace("close", "ask"),
    "word": GOOD.replace(ROW, "2024-01-02,11,13,10,twelve,5"),
    "missing_price": GOOD.replace(ROW, "2024-01-02,11,,10,12,5"),
    "nan": GOOD.replace(ROW, "2024-01-02,11,NaN,10,12,5"),
    "infinite": GOOD.replace(ROW, "2024-01-02,11,inf,10,12,5"),
    "zero": GOOD.replace(ROW, "2024-01-02,11,13,0,12,5"),
    "negative": GOOD.replace(ROW, "2024-01-02,11,13,-10,12,5"),
    "negative_volume": GOOD.replace(ROW, "2024-01-02,11,13,10,12,-5"),
    "huge": GOOD.replace(ROW, "2024-01-02,11,1e400,10,12,5"),
    "no_time": GOOD.replace(ROW, ",11,13,10,12,5"),
    "bad_time": GOOD.replace(ROW, "2024-13-45,11,13,10,12,5"),
    "year_3000": GOOD.replace("2024-", "3000-"),
    "mixed_times": f"{HEADER}\n1704067200,10,12,9,11,1\n1704153600000,11,13,10,12,5\n",
    "time_huge": f"{HEADER}\n{'9' * 40},10,12,9,11,1\n{'9' * 40},10,12,9,11,1\n",
    "twins": GOOD + "2024-01-02,11,13,10,12.5,5\n",
    "one_time": f"{HEADER}\n{ROW}\n{ROW}\n",
    "ragged": GOOD.replace(ROW, ROW + ",7,8,9"),
    "short_row": GOOD.replace(ROW, "2024-01-02,11,13"),
    "binary": b"\x7fELF\x00\x01\x02\x00" * 100,
    "utf16": GOOD.encode("utf-16"),
    "latin": GOOD.replace("close", "clos\xe9").encode("latin-1"),
    "column_twice": GOOD.replace("volume", "close"),
}


@pytest.fixture
def inputs(place: Path) -> Path:
    """A working directory full of mistakes, with a home that holds a catalog and a ledger."""
    (place / "bad").mkdir()
    for name, text in TOMLS.items():
        (place / "bad" / f"{name}.toml").write_text(text)
    for name, text in JSONS.items():
        (place / "bad" / f"{name}.json").write_text(text)
    for name, content in CSVS.items():
        path = place / "bad" / f"{name}_1d.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (place / "bad" / "latin.toml").write_bytes(CROSS.replace("Cross", "Cr\xf6ss").encode("latin-1"))
    (place / "bad" / "binary.toml").write_bytes(bytes(range(256)))
    (place / "bad" / "text_1d.parquet").write_text(GOOD)
    (place / "bad" / "cut_1d.parquet").write_bytes(b"PAR1" + bytes(100))
    (place / "bad" / "cut_1d.csv.gz").write_bytes(gzip.compress(GOOD.encode())[:-12])
    (place / "GOOD_1d.csv").write_text(GOOD)
    (place / "OTHER_1d.csv").write_text(GOOD)
    (place / "folder.csv").mkdir()
    folder(place / "nothing")
    folder(place / "words", readme="hello\n")
    folder(place / "one_broken", A=bars(walk(1)), B=bars(walk(2)).replace(",50.0", ",-50.0", 1))
    folder(place / "sizes", A=bars(walk(1)), B=bars(walk(2), seconds=3600))
    folder(place / "twice", x_A_1d=bars(walk(1)), y_A_1d=bars(walk(2)))
    folder(place / "short", A=bars(walk(1, 60)))
    (place / "output").mkdir()
    (place / "output" / "old.html").write_text("what was there")
    return place


#: Arguments, and what the message must say of the mistake and of its place.
ROWS: list[tuple[str, str, str]] = [
    # strategy check
    ("strategy check nowhere.toml", "no such file", "nowhere.toml"),
    ("strategy check some/where", "no such file", "some/where"),
    ("strategy check bad", "folder", "bad"),
    ("strategy check no_such_starter", "no strategy `no_such_starter`", "one of"),
    ("strategy check rsi3", "no strategy `rsi3`", "did you mean `rsi2`"),
    ("strategy check bad/empty.toml", "no name", "bad/empty.toml"),
    ("strategy check bad/spaces.toml", "no name", "bad/spaces.toml"),
    ("strategy check bad/words.toml", "line 1", "bad/words.toml"),
    ("strategy check bad/unclosed.toml", "line", "bad/unclosed.toml"),
    ("strategy check bad/binary.toml", "not UTF-8", "bad/binary.toml"),
    ("strategy check bad/latin.toml", "not UTF-8", "bad/latin.toml"),
    ("strategy check bad/long.toml", "larger than", "bad/long.toml"),
    ("strategy check bad/nameless.toml", "no name", "bad/nameless.toml"),
    ("strategy check bad/no_target.toml", "no target", "position"),
    ("strategy check bad/unknown_operator.toml", "did you mean `ema`", "position.target"),
    ("strategy check bad/units.toml", "unit", "position.target"),
    ("strategy check bad/number_target.toml", "must be a position", "position.target"),
    ("strategy check bad/future.toml", "delay", "position.target"),
    ("strategy check bad/window_0.toml", "window", "position.target"),
    ("strategy check bad/window_huge.toml", "window", "position.target"),
    ("strategy check bad/number_huge.toml", "number", "position.target"),
    ("strategy check bad/no_exits.toml", "no position may be naked", "bad/no_exits.toml"),
    ("strategy check bad/no_stop.toml", "stop", "exits"),
    ("strategy check bad/stop_negative.toml", "percent", "exits.stop"),
    ("strategy check bad/stop_nan.toml", "not nan", "exits.stop"),
    ("strategy check bad/unknown_key.toml", "unknown key `leverage`", "bad/unknown_key.toml"),
    ("strategy check bad/key_twice.toml", "overwrite", "line 2"),
    ("strategy check bad/bar_garbage.toml", "`fortnight` is not a duration", "bar"),
    ("strategy check bad/universe_empty.toml", "list of symbols", "universe"),
    ("strategy check bad/universe_twice.toml", "twice", "universe"),
    ("strategy check bad/deep.toml", "deep", "position.target"),
    ("strategy check bad/deep_brackets.toml", "not a strategy", "bad/deep_brackets.toml"),
    ("strategy check bad/words.json", "line 1", "bad/words.json"),
    ("strategy check bad/list.json", "a JSON object", "bad/list.json"),
    ("strategy check bad/deep.json", "nested too deeply", "bad/deep.json"),
    ("strategy check bad/number.json", "digits", "bad/number.json"),
    ("strategy show bad/units.toml", "unit", "position.target"),
    ("strategy explain bad/no_stop.toml", "stop", "exits"),
    # data import
    ("data import nowhere.csv", "no such file", "nowhere.csv"),
    ("data import folder.csv", "directory", "folder.csv"),
    ("data import bad/empty_1d.csv", "empty", "bad/empty_1d.csv"),
    ("data import bad/blank_1d.csv", "empty", "bad/blank_1d.csv"),
    ("data import bad/header_1d.csv", "no rows", "bad/header_1d.csv"),
    ("data import bad/one_row_1d.csv", "only one bar", "bad/one_row_1d.csv"),
    ("data import bad/no_header_1d.csv", "no header", "ts,open,high,low,close,volume"),
    ("data import bad/wrong_columns_1d.csv", "no column was found for open, close", "--columns"),
    ("data import bad/word_1d.csv", "`twelve`", "line 3, column `close`"),
    ("data import bad/missing_price_1d.csv", "missing", "line 3, column `high`"),
    ("data import bad/nan_1d.csv", "missing", "line 3, column `high`"),
    ("data import bad/infinite_1d.csv", "infinite", "line 3, column `high`"),
    ("data import bad/huge_1d.csv", "infinite", "line 3, column `high`"),
    ("data import bad/zero_1d.csv", "zero or negative", "line 3, column `low`"),
    ("data import bad/negative_1d.csv", "zero or negative", "line 3, column `low`"),
    ("data import bad/negative_volume_1d.csv", "negative", "line 3, column `volume`"),
    ("data import bad/no_time_1d.csv", "time is missing", "line 3"),
    ("data import bad/bad_time_1d.csv", "`2024-13-45` is no time", "line 3"),
    ("data import bad/year_3000_1d.csv", "after 2199", "line 2"),
    ("data import bad/mixed_times_1d.csv", "mixed units", "line 3"),
    ("data import bad/time_huge_1d.csv", "no time", "line 2"),
    ("data import bad/twins_1d.csv", "other values", "line 5"),
    ("data import bad/one_time_1d.csv", "same time", "bad/one_time_1d.csv"),
    ("data import bad/ragged_1d.csv", "9 cells", "line 3"),
    ("data import bad/short_row_1d.csv", "3 cells", "line 3"),
    ("data import bad/binary_1d.csv", "binary", "bad/binary_1d.csv"),
    ("data import bad/utf16_1d.csv", "UTF-16", "save it as UTF-8"),
    ("data import bad/latin_1d.csv", "not UTF-8", "bad/latin_1d.csv"),
    ("data import bad/column_twice_1d.csv", "more than once", "`close`"),
    ("data import bad/text_1d.parquet", "not a Parquet file", "bad/text_1d.parquet"),
    ("data import bad/cut_1d.parquet", "broken", "bad/cut_1d.parquet"),
    ("data import bad/cut_1d.csv.gz", "broken", "bad/cut_1d.csv.gz"),
    ("data import cross.toml", "cross.toml", "(name the column"),
    ("data import GOOD_1d.csv bad/zero_1d.csv", "zero or negative", "bad/zero_1d.csv"),
    ("data import KNOWN_1d.csv", "has this already", "--replace"),
    ("data import GOOD_1d.csv OTHER_1d.csv --symbol X", "2 files", "--symbol"),
    ("data import GOOD_1d.csv ./GOOD_1d.csv", "one entry", "GOOD"),
    ("data import GOOD_1d.csv --symbol ../../X", "symbol", "`../../X`"),
    ("data import GOOD_1d.csv --symbol ''", "symbol", "``"),
    ("data import GOOD_1d.csv --columns close", "names no column", "--columns"),
    ("data import GOOD_1d.csv --columns close=Last", "no column `Last`", "GOOD_1d.csv"),
    ("data import GOOD_1d.csv --columns price=close", "`price`", "one of"),
    ("data import GOOD_1d.csv --series x --columns value=close", "stamped at midnight", "GOOD_1d.csv"),
    ("data import GOOD_1d.csv --series x --lag soon", "not a duration", "--lag"),
    ("data import GOOD_1d.csv --series 1x --lag 1d", "cannot name a series", "`1x`"),
    ("data import GOOD_1d.csv --symbol X --funding X", "only one of", "--funding"),
    # data check
    ("data check NOBODY", "no file, no folder and no symbol", "NOBODY"),
    ("data check nothing", "no files of bars", "nothing"),
    ("data check bad/word_1d.csv", "`twelve`", "line 3"),
    # backtest: strategies and data
    ("backtest nobody", "no strategy `nobody`", "one of"),
    ("backtest cross.toml bad/units.toml", "unit", "bad/units.toml"),
    ("backtest cross.toml --data nowhere", "no such folder", "`sample`, `catalog`"),
    ("backtest cross.toml --data GOOD_1d.csv", "a file, not a folder", "GOOD_1d.csv"),
    ("backtest cross.toml --data ''", "no source", "--data"),
    ("backtest cross.toml --data nothing", "no bars", "nothing"),
    ("backtest cross.toml --data words", "no bars", "words"),
    ("backtest cross.toml --data one_broken", "negative", "one_broken/B.csv, line 2, column `volume`"),
    ("backtest cross.toml --data sizes", "several sizes", "--bar"),
    ("backtest cross.toml --data sizes --bar 1w", "no 1w bars", "sizes"),
    ("backtest cross.toml --data two --bar fortnight", "not a duration", "--bar"),
    ("backtest cross.toml --data two --bar ''", "not a duration", "--bar"),
    ("backtest cross.toml --data two --bar 1h", "no 1h bars", "two"),
    ("backtest cross.toml --data two --universe Z", "no such instrument", "two: Z"),
    ("backtest cross.toml --data two --universe ,", "no instrument", "--universe"),
    ("backtest cross.toml --data twice --universe A", "could be any of", "x_A_1d"),
    ("backtest cross.toml --universe SP5000", "did you mean `SP500`", "sample"),
    ("backtest bad/universe_unknown.toml --data two", "no instrument ZZZ", "Cross of two means"),
    ("backtest bad/hourly.toml --data two", "bars of 1h", "Cross of two means"),
    # backtest: numbers and outputs
    ("backtest cross.toml --data two --from someday", "not a date", "--from"),
    ("backtest cross.toml --data two --to 2017-02-30", "not a date", "--to"),
    ("backtest cross.toml --data two --from 0001-01-01", "year 1", "--from"),
    ("backtest cross.toml --data two --to 9999-12-31", "year 9999", "--to"),
    ("backtest cross.toml --data two --from 2018-01-01 --to 2017-12-01", "no bar between", "2017-07-14"),
    ("backtest cross.toml --data two --from 2150-01-01", "no bar between", "2017-07-14"),
    ("backtest cross.toml --data two --to 2017-07-14", "no bar between", "2017-07-14"),
    ("backtest cross.toml --data two --capital 0", "above 0", "--capital"),
    ("backtest cross.toml --data two --capital -1", "above 0", "--capital"),
    ("backtest cross.toml --data two --capital nan", "above 0", "--capital"),
    ("backtest cross.toml --data two --capital 1e400", "at most a billion", "--capital"),
    ("backtest cross.toml --data two --capital ten", "`ten` is not an amount", "--capital"),
    ("backtest cross.toml hold.toml --data two --html output/x.html", "one strategy", "--html"),
    ("backtest cross.toml --data two --html nowhere/x.html", "does not exist", "nowhere/x.html"),
    ("backtest cross.toml --data two --trades nowhere/x.csv", "does not exist", "nowhere/x.csv"),
    ("backtest cross.toml --data two --html output", "folder, not a file", "--html output"),
    ("backtest cross.toml --data two --trades ''", "folder, not a file", "--trades"),
    ("backtest cross.toml --data two --html /proc/x.html", "cannot be written", "/proc/x.html"),
    ("backtest cross.toml --data two --html output/x --trades ./output/x", "same file", "output/x"),
    ("backtest cross.toml --data nowhere --html output/old.html", "no such folder", "nowhere"),
    # up
    ("up --data nowhere", "no such folder", "nowhere"),
    ("up --data short --strategy cross.toml", "60 bars, too few", "100"),
    ("up --data catalog --strategy cross.toml", "3 bars, too few", "100"),
    ("up --data two --universe A,Z", "no such instrument", "two: Z"),
    ("up --data two --strategy nobody", "no strategy `nobody`", "one of"),
    ("up --data two --strategy bad/units.toml", "unit", "bad/units.toml"),
    ("up --data two --strategy cross.toml --strategy cross.toml", "twice", "--strategy"),
    ("up --data two --capital 0", "above 0", "--capital"),
    ("up --data two --capital -1", "above 0", "--capital"),
    ("up --data two --capital nan", "above 0", "--capital"),
    ("up --data two --capital 1e400", "at most a billion", "--capital"),
    ("up --data two --day-limit abc", "`abc` is not an amount", "--day-limit"),
    ("up --data two --day-limit 0", "above 0", "--day-limit"),
    ("up --data two --slots 0", "greater than or equal to 1", "--slots"),
    ("up --data two --slots 2001", "2000", "--slots"),
    ("up --data two --slots some", "integer", "--slots"),
    ("up --data two --bar 1h", "no 1h bars", "two"),
    ("up --headless --data two --journal ''", "no journal is named", "--journal"),
    ("up --headless --data two --journal cross.toml", "not a database", "cross.toml"),
    ("up --headless --data two --journal j.sqlite --fresh", "--fresh and --journal cannot both", "does not exist yet"),
    (
        "up --headless --data two --journal postgresql://127.0.0.1:1/db",
        "efused",
        "postgresql://127.0.0.1:1/db?journal=main",
    ),
    # journal
    ("journal verify", "no journal yet", "`clawd up` makes one"),
    ("journal verify --all", "no journal yet", "`clawd up` makes one"),
    ("journal verify abc", "no journal yet", "home"),
    ("journal show", "no journal yet", "`clawd up` makes one"),
    ("journal show --kind Order", "no kind of entry `Order`", "--kind"),
    ("journal export", "no journal yet", "`clawd up` makes one"),
    ("journal export --journal ''", "no journal is named", "--journal"),
    ("journal export --journal nowhere.sqlite", "no journal here", "nowhere.sqlite"),
    ("journal export --journal cross.toml", "not a database", "cross.toml"),
    ("journal export abc --journal x.sqlite", "--journal and abc cannot both", "leave one out"),
    ("journal verify --all --journal x.sqlite", "--all and --journal cannot both", "--all"),
    ("journal verify --journal mysql://host/db", "no journal can lie in mysql", "postgresql://"),
    ("journal show --journal postgresql://127.0.0.1:1/db", "efused", "postgresql://127.0.0.1:1/db?journal=main"),
    ("journal show --journal 'postgresql://h/d?journal=A B'", "cannot be the name of a journal", "?journal="),
    ("journal backup output/copy", "no journal yet", "`clawd up` makes one"),
    ("journal backup output/copy --journal nowhere.sqlite", "no journal here", "nowhere.sqlite"),
    ("journal import nowhere.jsonl", "No such file", "nowhere.jsonl"),
    ("journal import cross.toml", "not JSON", "cross.toml, line 1"),
    ("journal import cross.toml --journal new.sqlite", "not JSON", "cross.toml, line 1"),
    ("journal import output", "Is a directory", "output"),
    ("journal import /dev/null", "no entry in this file", "/dev/null"),
]

#: The same of variables of the environment.
SETTINGS: list[tuple[dict[str, str], str, str, str]] = [
    ({"CLAWD_CAPITAL": "abc"}, "up --data two", "a number", "CLAWD_CAPITAL"),
    ({"CLAWD_CAPITAL": "-5"}, "up --data two", "above 0", "CLAWD_CAPITAL"),
    ({"CLAWD_CAPITAL": "nan"}, "up --data two", "'nan'", "CLAWD_CAPITAL"),
    ({"CLAWD_APPROVAL_NOTIONAL": "5"}, "up --data two", "waits for nobody", "CLAWD_APPROVAL_NOTIONAL"),
    ({"CLAWD_FEE": "2"}, "backtest cross.toml --data two", "below 0.1", "CLAWD_FEE"),
    ({"CLAWD_SLOTS": "1.5"}, "up --data two", "a whole number", "CLAWD_SLOTS"),
    ({"CLAWD_SEARCH_SHARE": "1"}, "up --data two", "below 0.95", "CLAWD_SEARCH_SHARE"),
    ({"CLAWD_HOME": "GOOD_1d.csv"}, "backtest cross.toml --data two", "not a folder", "CLAWD_HOME GOOD_1d.csv"),
    ({"CLAWD_HOME": "GOOD_1d.csv"}, "up --data two --strategy hold.toml", "not a folder", "CLAWD_HOME GOOD_1d.csv"),
    ({"CLAWD_HOME": "GOOD_1d.csv"}, "data import OTHER_1d.csv", "not a folder", "CLAWD_HOME GOOD_1d.csv"),
    ({"CLAWD_HOME": "GOOD_1d.csv"}, "data list", "not a folder", "CLAWD_HOME GOOD_1d.csv"),
    ({"CLAWD_HOME": "GOOD_1d.csv"}, "journal list", "not a folder", "CLAWD_HOME GOOD_1d.csv"),
    ({"CLAWD_HOME": "/proc/clawd"}, "backtest cross.toml --data two", "No such file", "/proc/clawd"),
    ({"CLAWD_HOME": "/proc/clawd"}, "data import OTHER_1d.csv", "cannot be written", "/proc/clawd"),
    ({"CLAWD_HOME": ""}, "backtest cross.toml --data two", "no folder is named", "CLAWD_HOME"),
    ({"CLAWD_HOME": "/proc/clawd"}, "journal verify", "no journal yet", "/proc/clawd"),
]

#: Those that also run in a process of their own, as a person runs them.
SAMPLE = (
    "strategy check bad/units.toml",
    "data import bad/word_1d.csv",
    "data import bad/cut_1d.parquet",
    "data check NOBODY",
    "backtest cross.toml --data two --capital nan",
    "backtest cross.toml --data two --html /proc/x.html",
    "up --data short --strategy cross.toml",
    "up --data two --slots 0",
    "journal verify",
)


@pytest.fixture
def home(inputs: Path, clawd: Clawd) -> Path:
    """A home in which something lies that must not be lost."""
    (inputs / "KNOWN_1d.csv").write_text(GOOD)
    assert clawd("data", "import", "KNOWN_1d.csv").code == 0
    return inputs / "home"


def refused(outcome: Outcome, what: str, where: str) -> None:
    """Holds an outcome to what a refusal owes to the person at the terminal."""
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    first, *excerpt = outcome.err.splitlines()
    assert all(line.startswith("    ") for line in excerpt)  # the expression, and a mark below the mistake
    assert len(excerpt) in {0, 2}
    assert what in outcome.err
    assert where in outcome.err
    assert "Traceback" not in outcome.err
    assert "None" not in outcome.err
    assert len(first) < 500


@pytest.mark.parametrize(("line", "what", "where"), ROWS, ids=[row[0] for row in ROWS])
def test_bad_input(clawd: Clawd, inputs: Path, home: Path, line: str, what: str, where: str) -> None:
    before = disk(inputs)
    outcome = clawd(*shlex.split(line))
    refused(outcome, what, where)
    assert outcome.out == "" or line.startswith("up ")
    assert disk(inputs) == before


@pytest.mark.parametrize(
    ("variables", "line", "what", "where"), SETTINGS, ids=[f"{row[0]} {row[1]}" for row in SETTINGS]
)
def test_bad_settings(
    clawd: Clawd,
    inputs: Path,
    monkeypatch: pytest.MonkeyPatch,
    variables: dict[str, str],
    line: str,
    what: str,
    where: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = disk(inputs)
    refused(clawd(*shlex.split(line)), what, where)
    assert disk(inputs) == before


@pytest.mark.parametrize("line", SAMPLE)
def test_bad_input_at_the_true_console(console: Clawd, clawd: Clawd, inputs: Path, home: Path, line: str) -> None:
    del home
    before = disk(inputs)
    outcome = console(*shlex.split(line))
    refused(outcome, *next(row[1:] for row in ROWS if row[0] == line))
    assert disk(inputs) == before
    assert outcome.err == clawd(*shlex.split(line)).err


@pytest.mark.parametrize("kind", ["words", "few bytes", "another program's", "cut off", "a folder"])
@pytest.mark.parametrize("line", ["backtest cross.toml --data two", "up --headless --data two --strategy hold.toml"])
def test_a_ledger_that_is_none_is_left_alone(clawd: Clawd, inputs: Path, home: Path, line: str, kind: str) -> None:
    _spoil(home / "ledger.sqlite", kind)
    before = disk(inputs)
    refused(clawd(*shlex.split(line)), "", "ledger.sqlite")
    assert disk(inputs) == before


def _spoil(path: Path, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "words":
        path.write_text("to whom it may concern\n" * 100)
    elif kind == "few bytes":
        path.write_bytes(b"SQLite")
    elif kind == "another program's":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE photos(name TEXT)")
        connection.close()
    elif kind == "cut off":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE photos(name TEXT)")
        connection.close()
        path.write_bytes(path.read_bytes()[:3000])
    else:
        path.mkdir()
