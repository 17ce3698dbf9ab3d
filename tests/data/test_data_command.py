"""``clawd data``: what it prints, what it writes, and how it ends."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from clawd.cli.data import app
from clawd.core.errors import ClawdError
from clawd.data.market import load_market

BARS = """\
ts,open,high,low,close,volume
2024-01-01,10,12,9,11,100
2024-01-02,11,13,10,12,5
2024-01-03,12,14,11,13,300
"""
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CLAWD_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "A_1d.csv").write_text(BARS)
    (tmp_path / "B_1d.csv").write_text(BARS)
    (tmp_path / "bad_1d.csv").write_text(BARS.replace("13,10", "x,10"))
    (tmp_path / "zero_1d.csv").write_text(BARS.replace("13,10", "13,0"))
    (tmp_path / "wti.csv").write_text("Date,DCOILWTICO\n1/2/1986,25.56\n1/3/1986,\n")
    (tmp_path / "funding.csv").write_text("ts,rate\n2024-01-01,0.1\n")
    (tmp_path / "rates.csv").write_text("ts,rate\n" + "".join(f"2024-01-01T{hour:02}:00Z,0.001\n" for hour in range(5)))
    (tmp_path / "dvol.csv").write_text("date,currency,dvol\n2024-01-01,BTC,50\n2024-01-01,ETH,60\n2024-01-02,BTC,51\n")
    (tmp_path / "quotes.csv").write_text("ts,bid,bid_qty,ask,ask_qty\n2024-01-01T10:00Z,10,1,11,1\n")
    (tmp_path / "sectors.csv").write_text("Ticker,Sector,label\nA,bank,x\nC,tech,y\nB,,z\n")

    def invoke(*arguments: str) -> Result:
        result = CliRunner().invoke(app, arguments)
        if isinstance(result.exception, ClawdError):
            raise result.exception
        return result

    return invoke


def listed(run: Run) -> list[tuple[str, str]]:
    return [(entry["kind"], entry["name"] or entry["symbol"]) for entry in json.loads(run("list", "--json").stdout)]


def test_files_are_imported_and_listed(run: Run) -> None:
    result = run("import", "A_1d.csv", "B_1d.csv")
    assert result.exit_code == 0
    assert "imported bars A 1d: 3 rows, 2024-01-01 to 2024-01-03" in result.stdout
    assert run("import", "wti.csv", "--series", "wti", "--lag", "1d").exit_code == 0
    assert run("import", "funding.csv", "--funding", "A").exit_code == 0
    assert listed(run) == [("bars", "A"), ("bars", "B"), ("funding", "A"), ("series", "wti")]
    entries = json.loads(run("list", "--json").stdout)
    size = entries[0].pop("bytes")
    assert size > 0
    assert entries[0] == {
        "kind": "bars",
        "name": None,
        "symbol": "A",
        "bar": "1d",
        "lag": None,
        "first": "2024-01-01",
        "last": "2024-01-03",
        "rows": 3,
    }
    assert (entries[3]["lag"], entries[3]["rows"]) == ("1d", 1)
    table = run("list").stdout
    assert "wti" in table
    assert "2024-01-03" in table


def test_every_kind_is_imported_and_listed(run: Run) -> None:
    run("import", "A_1d.csv", "B_1d.csv")
    imported = [
        ("wti.csv", "--as", "series", "--name", "wti", "--lag", "1d"),
        ("wti.csv", "--as", "series", "--name", "wti", "--lag", "2d", "--symbol", "A"),
        ("dvol.csv", "--as", "deriv", "--name", "dvol", "--lag", "1d", "--where", "currency=BTC", "--symbol", "A"),
        ("dvol.csv", "--as", "model", "--name", "mu", "--lag", "1h", "--where", "currency=ETH"),
        ("quotes.csv", "--as", "book", "--symbol", "A", "--lag", "1s"),
        ("quotes.csv", "--as", "book", "--name", "best", "--columns", "value=bid", "--symbol", "A", "--lag", "0"),
        ("rates.csv", "--as", "funding", "--symbol", "B", "--lag", "5m"),
        ("sectors.csv", "--as", "groups", "--name", "sector", "--columns", "label=Sector"),
    ]
    told = "".join(run("import", *arguments).stdout for arguments in imported)
    assert "seen 1h after midnight: a value of the whole day would be seen too early" in told
    assert "funding_8h: a rate every 1h, times 8" in told
    assert "1 symbol without a label left out" in told
    assert "the catalog has no bars of C" in told
    assert "no bars of A" not in told
    entries = json.loads(run("list", "--json").stdout)
    assert [(each["kind"], each["name"], each["symbol"], each["lag"], each["rows"]) for each in entries] == [
        ("bars", None, "A", None, 3),
        ("bars", None, "B", None, 3),
        ("book", "best", "A", "0", 1),
        ("book", "imbalance1", "A", "1s", 1),
        ("book", "microprice_dev", "A", "1s", 1),
        ("book", "spread_bps", "A", "1s", 1),
        ("deriv", "dvol", "A", "1d", 2),
        ("deriv", "funding_8h", "B", "5m", 5),
        ("funding", None, "B", None, 5),
        ("groups", "sector", None, None, 2),
        ("model", "mu", None, "1h", 1),
        ("series", "wti", None, "1d", 1),
        ("series", "wti", "A", "2d", 1),
    ]
    assert (entries[9]["first"], entries[9]["last"]) == (None, None)
    table = run("list").stdout
    assert "funding_8h" in table
    assert "sector" in table
    panel = load_market("catalog", home=Path(os.environ["CLAWD_HOME"])).panel
    assert sorted(panel.series) == [
        *("book:best", "book:imbalance1", "book:microprice_dev", "book:spread_bps"),
        *("deriv:dvol", "deriv:funding_8h", "model:mu", "wti"),
    ]
    np.testing.assert_array_equal(panel.series["deriv:dvol"], [[50.0, 51.0, 51.0], [np.nan] * 3])
    assert panel.groups["sector"].tolist() == [0, -1]


def test_rows_of_one_instrument_among_several_are_imported(run: Run, tmp_path: Path) -> None:
    head, *lines = BARS.splitlines()
    rows = [f"{name},{line}" for line in lines for name in ("X", " Y")]
    (tmp_path / "both.csv").write_text("\n".join([f"coin,{head}", *rows]))
    with pytest.raises(ClawdError, match=r"column `coin` is `Z` in no row \(it holds X, Y\)"):
        run("import", "both.csv", "--symbol", "Z", "--where", "coin=Z")
    run("import", "both.csv", "--symbol", "Y", "--where", "coin=Y")
    assert json.loads(run("list", "--json").stdout)[0]["rows"] == 3


def test_a_symbol_that_is_written_otherwise_is_told(run: Run) -> None:
    run("import", "A_1d.csv", "--symbol", "BTCUSDT")
    said = run("import", "rates.csv", "--funding", "BTCUSD").stdout
    assert "the catalog has no bars of BTCUSD; did you mean `BTCUSDT`?" in said


def test_features_of_an_earlier_import_are_told(run: Run, tmp_path: Path) -> None:
    run("import", "A_1d.csv")
    assert "another import" not in run("import", "rates.csv", "--funding", "A").stdout
    assert "another import" not in run("import", "quotes.csv", "--as", "book", "--symbol", "A", "--lag", "0").stdout
    said = run("import", "funding.csv", "--funding", "A", "--replace").stdout
    assert "deriv funding_8h A is still that of another import" in said
    run(
        "import",
        "quotes.csv",
        "--as",
        "book",
        "--name",
        "best",
        "--columns",
        "value=bid",
        "--symbol",
        "A",
        "--lag",
        "0",
    )
    said = run("import", "quotes.csv", "--as", "book", "--symbol", "A", "--lag", "0", "--replace").stdout
    assert said.count("another import") == 1
    assert "book best A is still that of another import" in said


def test_notes_are_shown(run: Run) -> None:
    assert "1 row without a value left out" in run("import", "wti.csv", "--series", "wti", "--lag", "0").stdout


def test_one_bad_file_stops_all(run: Run) -> None:
    with pytest.raises(ClawdError, match=r"bad_1d.csv, line 3, column `high`"):
        run("import", "A_1d.csv", "bad_1d.csv")
    assert listed(run) == []


def test_replacing_must_be_asked_for(run: Run) -> None:
    run("import", "A_1d.csv")
    with pytest.raises(ClawdError, match="--replace"):
        run("import", "B_1d.csv", "A_1d.csv")
    assert listed(run) == [("bars", "A")]
    assert run("import", "B_1d.csv", "A_1d.csv", "--replace").exit_code == 0


def test_symbol_and_columns_can_be_stated(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(BARS.replace("close", "Last").replace("ts", "When"))
    run("import", "x.csv", "--symbol", "BTC/USD", "--columns", "close=Last, ts=When")
    assert listed(run) == [("bars", "BTC/USD")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["A_1d.csv", "B_1d.csv", "--symbol", "X"], "2 files cannot be one entry"),
        (["A_1d.csv", "--symbol", "X", "--funding", "Y"], "only one of"),
        (["wti.csv", "--series", "wti"], "--lag 1d"),
        (["A_1d.csv", "--lag", "1d"], "bars have none"),
        (["wti.csv", "--series", "wti", "--lag", "soon"], "`soon` is not a duration"),
        (["A_1d.csv", "--columns", "close"], "`close` names no column"),
        (
            ["dvol.csv", "--as", "series", "--name", "x", "--lag", "1d", "--where", "BTC"],
            "--where: `BTC` names no column",
        ),
        (["dvol.csv", "--as", "series", "--name", "x", "--lag", "1d"], "take one of several series with --where"),
        (["dvol.csv", "--as", "series", "--name", "x", "--lag", "1d", "--where", "currency=SOL"], "it holds BTC, ETH"),
        (
            ["dvol.csv", "--as", "series", "--name", "x", "--lag", "1d", "--where", "curency=BTC"],
            "did you mean `currency`",
        ),
        (["dvol.csv", "--as", "series", "--name", "x", "--where", "currency=BTC"], "stamped at midnight"),
        (["quotes.csv", "--as", "book", "--symbol", "A"], "how long after its stamp"),
        (["quotes.csv", "--as", "book", "--lag", "0"], "book is of one instrument"),
        (["quotes.csv", "--as", "book", "--symbol", "A", "--lag", "0", "--where", "a=b"], "--name imports a column"),
        (["A_1d.csv", "--as", "book", "--symbol", "A", "--lag", "0"], "these are no order books"),
        (["rates.csv", "--as", "funding"], "funding is of one instrument"),
        (["rates.csv", "--as", "funding", "--symbol", "A", "--name", "x"], "funding has no name"),
        (["rates.csv", "--as", "deriv", "--symbol", "A", "--lag", "0"], "deriv needs a name"),
        (["rates.csv", "--as", "model", "--name", "mu", "--symbol", "../A", "--lag", "0"], "cannot be a symbol"),
        (["rates.csv", "--as", "model", "--name", "m u", "--symbol", "A", "--lag", "0"], "cannot name a series"),
        (["rates.csv", "--as", "model", "--name", "mu", "--lag", "-1h"], "`-1h` is not a duration"),
        (["sectors.csv", "--as", "groups"], "such as --name sector"),
        (["sectors.csv", "--as", "groups", "--name", "sector", "--lag", "1d"], "groups have none"),
        (["sectors.csv", "--as", "groups", "--name", "sector", "--symbol", "A"], "of many instruments"),
        (["sectors.csv", "--as", "sector", "--name", "sector"], "`sector` is no kind of data"),
        (["wti.csv", "--as", "series", "--series", "wti", "--lag", "1d"], "only one of --as"),
        (["wti.csv", "--series", "wti", "--name", "oil", "--lag", "1d"], "only one of --name"),
        (["rates.csv", "dvol.csv", "--as", "series", "--name", "x", "--lag", "1d"], "2 files cannot be one entry"),
        (["A_1d.csv", "--symbol", "../X"], "cannot be a symbol"),
        (["none.csv"], "no such file"),
    ],
)
def test_wrong_use_is_explained(run: Run, arguments: list[str], told: str) -> None:
    with pytest.raises(ClawdError) as caught:
        run("import", *arguments)
    assert told in str(caught.value)
    assert listed(run) == []


def test_check_ends_with_one_only_for_errors(run: Run) -> None:
    run("import", "A_1d.csv")
    clean = run("check")
    assert (clean.exit_code, clean.stdout) == (0, "A 1d: 3 bars, nothing odd\n")
    assert run("check", "A").exit_code == 0
    broken = run("check", "A_1d.csv", "zero_1d.csv")
    assert broken.exit_code == 1
    assert "negative" in broken.stdout


def test_check_tells_programs_everything(run: Run) -> None:
    (report,) = json.loads(run("check", "zero_1d.csv", "--json").stdout)
    (finding,) = report.pop("findings")
    assert report == {"target": "zero_1d.csv", "bar": "1d", "rows": 3}
    assert (finding["kind"], finding["severity"], finding["symbol"]) == ("negative", "error", "zero_1d")
    assert (finding["place"], finding["count"]) == ("2024-01-02", 1)


def test_check_of_a_folder_looks_at_every_file(run: Run, tmp_path: Path) -> None:
    result = run("check", str(tmp_path), "--json")
    kinds = {
        Path(each["target"]).name: [found["kind"] for found in each["findings"]] for each in json.loads(result.stdout)
    }
    assert kinds == {
        "A_1d.csv": [],
        "B_1d.csv": [],
        "bad_1d.csv": ["unreadable"],
        "zero_1d.csv": ["negative"],
    }
    assert result.exit_code == 1


def test_check_of_nothing_is_explained(run: Run) -> None:
    assert "no bars" in run("check").stdout
    run("import", "A_1d.csv", "--symbol", "BTCUSD")
    with pytest.raises(ClawdError, match="did you mean `BTCUSD`"):
        run("check", "BTCUSDT")
    with pytest.raises(ClawdError, match="for open, high, low, close"):
        run("check", "wti.csv")


def test_an_empty_catalog_says_how_to_fill_it(run: Run) -> None:
    assert "clawd data import" in run("list").stdout
