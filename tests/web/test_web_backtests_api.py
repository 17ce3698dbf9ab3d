"""Backtests over the interface: what they find is what the command line finds, and what is counted is what is shown."""

from __future__ import annotations

import gzip
import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from backtest_world import CROSS, ask, done, ended, on_command_line, seen
from web_server import Served, served

from clawd.backtests.limits import MOST_WAITING
from clawd.core.clock import SystemClock, iso
from clawd.core.settings import Settings
from clawd.engine.warm import warm_up
from clawd.server.site import Site
from clawd.store.ledger import Ledger
from clawd.store.ledger_file import ledger_path
from clawd.store.registry import Registry
from clawd.store.trial import Trial

DAY = 86_400_000


@pytest.fixture(scope="module")
def at_work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server whose worker is ready."""
    warm_up()
    with served(Site(Settings(home=tmp_path_factory.mktemp("home") / "home"), SystemClock())) as at_work:
        yield at_work


@pytest.fixture(scope="module")
def client(at_work: Served) -> Iterator[httpx2.Client]:
    with at_work.client() as client:
        yield client


@pytest.fixture(scope="module")
def run(client: httpx2.Client) -> dict[str, Any]:
    return done(client)


def get(client: httpx2.Client, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/backtests/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def trials(home: Path) -> list[dict[str, Any]]:
    """The ledger, but for when something was recorded."""
    with Ledger.open(ledger_path(home)) as ledger:
        return [
            {
                field.name: repr(getattr(trial, field.name))
                for field in fields(Trial)
                if field.name not in ("recorded_at", "segments")
            }
            | {"segments": trial.segments and trial.segments.to_bytes()}
            for trial in ledger.trials()
        ]


_ORDERS: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
    ({}, ()),
    (
        {"from": "2003-05-01", "to": "2011-02-03T00:00", "universe": ["SP500"], "capital": "2500.50"},
        ("--from", "2003-05-01", "--to", "2011-02-03T00:00", "--universe", "SP500", "--capital", "2500.50"),
    ),
)


def test_figures_and_ledger_are_those_of_the_command_line_to_the_digit(tmp_path: Path) -> None:
    text = CROSS.format(fast=15)
    with served(Site(Settings(home=tmp_path / "ours"), SystemClock())) as own, own.client() as client:
        for number, (order, options) in enumerate(_ORDERS, start=1):
            found = done(client, text=text, **order)
            said = on_command_line(tmp_path / "theirs", text, *options)
            assert found["result"]["figures"] == said
            assert found["result"]["currency"] == "USD", "that in which the sample market is quoted"
            assert found["total_return"] == said["total_return"]
            assert found["result"]["luck"]["trials"] == number
    assert trials(tmp_path / "ours") == trials(tmp_path / "theirs")
    shown = []
    for name in ("ours", "theirs"):
        with Registry.open(ledger_path(tmp_path / name)) as registry:
            shown.append([registry.shown_until("person", [symbol]) for symbol in ("SP500", "NASDAQ")])
    assert shown[0] == shown[1]


def test_a_warm_backtest_on_the_sample_market_takes_seconds(client: httpx2.Client, run: dict[str, Any]) -> None:
    assert run["state"] == "done"
    assert done(client)["seconds"] < 5


def test_the_curves_begin_at_the_capital_and_end_where_the_figures_say(
    client: httpx2.Client, run: dict[str, Any]
) -> None:
    series = get(client, f"{run['id']}/series")
    figures = run["result"]["figures"]
    assert series["bars"] == figures["bars"] == 5_031
    assert len(series["t"]) <= 5_000
    assert series["t"] == sorted(set(series["t"]))
    assert series["t"][0] == run["result"]["first"] and series["t"][-1] == run["result"]["last"]
    assert series["equity"][-1] == run["result"]["equity"]
    assert series["equity"][-1] / 10_000 - 1 == pytest.approx(figures["total_return"], rel=1e-9)
    assert max(series["drawdown"]) == figures["max_drawdown"]
    assert series["held"][-1] / 10_000 - 1 == pytest.approx(run["result"]["held"]["total_return"], rel=1e-9)
    few = get(client, f"{run['id']}/series", points=50)
    assert len(few["t"]) <= 50
    assert max(few["drawdown"]) == figures["max_drawdown"]
    assert (max(few["equity"]), min(few["equity"])) == (max(series["equity"]), min(series["equity"]))


def test_months_add_up_to_the_return(run: dict[str, Any]) -> None:
    result = run["result"]
    total = math.fsum(month or 0.0 for row in result["months"] for month in row["months"])
    assert total == pytest.approx(result["figures"]["total_return"], rel=1e-9)
    assert math.fsum(row["total"] for row in result["months"]) == pytest.approx(total, rel=1e-9)
    assert math.fsum(row["held"] for row in result["months"]) == pytest.approx(result["held"]["total_return"], rel=1e-9)


def all_trades(client: httpx2.Client, run: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < (page := get(client, f"{run['id']}/trades", offset=len(found), limit=37))["total"]:
        found += page["trades"]
    return found


def test_trades_add_up_to_the_profit_and_to_the_fees(client: httpx2.Client, run: dict[str, Any]) -> None:
    trades, figures = all_trades(client, run), run["result"]["figures"]
    assert len({trade["number"] for trade in trades}) == len(trades) == run["result"]["trades"]
    assert [trade["opened"] for trade in trades] == sorted((trade["opened"] for trade in trades), reverse=True)
    assert sum(trade["closed"] is not None for trade in trades) == figures["trades"]
    earned = math.fsum(trade["profit"] for trade in trades)
    assert earned == pytest.approx(figures["total_return"] * 10_000 + figures["funding"], rel=1e-9)
    assert math.fsum(trade["fees"] for trade in trades) == pytest.approx(figures["fees"], rel=1e-9)
    won = [trade for trade in trades if trade["closed"] is not None and trade["profit"] > 0]
    assert len(won) / figures["trades"] == pytest.approx(figures["win_rate"])
    for trade in trades:
        assert trade["worst"] <= 0 <= trade["best"]
        if trade["exit"] is not None:
            side = 1 if trade["side"] == "long" else -1
            moved = side * (trade["exit"] / trade["entry"] - 1)
            assert trade["worst"] - 1e-12 <= moved <= trade["best"] + 1e-12


def test_the_fills_of_a_trade_are_its_profit(client: httpx2.Client, run: dict[str, Any]) -> None:
    for trade in all_trades(client, run)[5:60:9]:
        detail = get(client, f"{run['id']}/trades/{trade['number']}")
        assert {key: detail[key] for key in trade} == trade
        cash = sum((-1 if fill["side"] == "buy" else 1) * fill["size"] * fill["price"] for fill in detail["fills"])
        fees = sum(fill["fee"] for fill in detail["fills"])
        assert trade["profit"] == pytest.approx(cash - fees, abs=1e-5)
        assert detail["fills"][0]["t"] == trade["opened"] and detail["fills"][-1]["t"] == trade["closed"]
        assert all(fill["text"] and fill["trade"] == trade["number"] for fill in detail["fills"])


def test_the_stop_line_is_where_stops_filled(client: httpx2.Client, run: dict[str, Any]) -> None:
    """Within two ticks of the level and the slippage, or at an open beyond it."""
    stopped = [trade for trade in all_trades(client, run) if trade["reason"] in ("stop", "trail")]
    assert len(stopped) > 20
    for trade in stopped[:12]:
        around = get(
            client,
            f"{run['id']}/prices",
            symbol=trade["symbol"],
            **{"from": trade["opened"] - 30 * DAY, "to": trade["closed"] + 30 * DAY},
        )
        assert around["width"] == 1
        at, since = around["t"].index(trade["closed"]), around["t"].index(trade["opened"])
        level, side = around["stop"][at], 1 if trade["side"] == "long" else -1
        exit_fill = next(fill for fill in around["fills"] if fill["t"] == trade["closed"])
        reached = around["open"][at] if side * (around["open"][at] - level) <= 0 else level
        assert exit_fill["price"] == pytest.approx(reached * (1 - side * 0.0002), rel=3e-6)
        line = [side * value for value in around["stop"][since : at + 1]]
        assert line == sorted(line), "a stop never moves back"


def test_prices_are_at_most_so_many_bars_and_keep_every_high_and_low(
    client: httpx2.Client, run: dict[str, Any]
) -> None:
    whole = get(client, f"{run['id']}/prices", symbol="SP500")
    assert 2_000 < len(whole["t"]) <= 5_000 and whole["width"] == 2
    parts = [
        get(client, f"{run['id']}/prices", symbol="SP500", **{"from": first, "to": last})
        for first, last in itertools.pairwise(np.linspace(whole["first"], whole["last"], 3).tolist())
    ]
    assert max(whole["high"]) == max(max(part["high"]) for part in parts)
    assert min(whole["low"]) == min(min(part["low"]) for part in parts)
    assert whole["open"][0] == parts[0]["open"][0] and whole["close"][-1] == parts[-1]["close"][-1]
    assert len(whole["fills"]) <= 500
    assert len(get(client, f"{run['id']}/prices", symbol="SP500", points=60)["t"]) <= 60


def test_comparison_starts_at_a_hundred_marks_the_best_and_says_what_differs(
    client: httpx2.Client, run: dict[str, Any]
) -> None:
    later = done(client, text=CROSS.format(fast=25), **{"from": "2004-01-01", "fee": "0.001"})
    other = done(client, text=CROSS.format(fast=25))
    ids = [run["id"], later["id"], other["id"]]
    found = get(client, "compare", ids=",".join(ids))
    assert [each["id"] for each in found["runs"]] == ids
    assert found["start"] == later["result"]["first"] and found["end"] == run["result"]["last"]
    for each in found["runs"]:
        assert (each["t"][0], each["value"][0]) == (found["start"], 100.0)
        assert each["t"][-1] == found["end"] and len(each["t"]) <= 5_000
    series = get(client, f"{run['id']}/series")
    base = [value for at, value in zip(series["t"], series["equity"], strict=True) if at <= found["start"]][-1]
    assert found["runs"][0]["value"][-1] == pytest.approx(100 * series["equity"][-1] / base, rel=1e-3)
    differs = {each["what"]: each["values"] for each in found["differences"]}
    assert differs == {
        "part fast": ["ema(close, 20)", "ema(close, 25)", "ema(close, 25)"],
        "from": ["the first bar", "2004-01-01", "the first bar"],
        "fee": ["0.05%", "0.1%", "0.05%"],
    }
    for row in found["figures"]:
        values = row["values"]
        assert values == [each["result"]["figures"][row["key"]] for each in (run, later, other)]
        if row["key"] in ("total_return", "sharpe", "win_rate"):
            assert [values[place] for place in row["best"]] == [max(values)]
        if row["key"] in ("max_drawdown", "annual_volatility"):
            assert [values[place] for place in row["best"]] == [min(values)]
        if row["key"] == "trades":
            assert row["best"] == []
    said = " ".join(found["warnings"])
    assert "different stretches of time" in said and "different costs" in said and "different markets" not in said


_NO_SUCH = "20200101-000000-00000"


@pytest.mark.parametrize("ids", ["", "one", ",,,", "../../etc/passwd,x", f"{_NO_SUCH}0,{_NO_SUCH}1"])
def test_what_cannot_be_compared_is_refused_in_words(client: httpx2.Client, run: dict[str, Any], ids: str) -> None:
    answer = client.get("/api/backtests/compare", params={"ids": ids})
    assert answer.status_code in (400, 404)
    assert answer.json()["what"]
    seven = ",".join([run["id"], *(f"{_NO_SUCH}{digit}" for digit in range(6))])
    assert client.get("/api/backtests/compare", params={"ids": seven}).status_code == 400
    assert client.get("/api/backtests/compare", params={"ids": f"{run['id']},{run['id']}"}).status_code == 400


def test_the_list_has_summaries_newest_first_and_its_filters_filter(client: httpx2.Client, run: dict[str, Any]) -> None:
    other = done(client, text=CROSS.format(fast=30).replace('"Cross"', '"Another <b>name</b>"'))
    listed = client.get("/api/backtests").json()
    assert listed["backtests"][0]["id"] == other["id"]
    assert [each["created"] for each in listed["backtests"]] == sorted(
        (each["created"] for each in listed["backtests"]), reverse=True
    )
    assert len(json.dumps(listed["backtests"][0])) < 1_500
    only = client.get("/api/backtests", params={"text": "ANOTHER"}).json()
    assert [each["id"] for each in only["backtests"]] == [other["id"]]
    assert client.get("/api/backtests", params={"content_hash": run["content_hash"]}).json()["total"] >= 1
    assert client.get("/api/backtests", params={"state": "cancelled", "limit": 1}).json()["backtests"] == []
    assert len(client.get("/api/backtests", params={"limit": 1, "offset": 1}).json()["backtests"]) == 1


@pytest.mark.parametrize(
    ("order", "status", "where"),
    [
        ({"text": "name = "}, 400, None),
        ({"text": None}, 400, "text"),
        ({"name": "ema_crossover"}, 400, "text"),
        ({"text": None, "name": "no such"}, 400, None),
        ({"text": None, "name": "../../../etc/passwd"}, 400, None),
        ({"data": "/etc"}, 422, "body.data"),
        ({"capital": "0"}, 422, "body.capital"),
        ({"capital": "1e400"}, 422, "body.capital"),
        ({"capital": "nan"}, 422, "body.capital"),
        ({"fee": "0.1"}, 422, "body.fee"),
        ({"fee": "-0.1"}, 422, "body.fee"),
        ({"from": "someday"}, 400, "from"),
        ({"from": "2010-01-01", "to": "2009-01-01"}, 400, "to"),
        ({"bar": "fortnight"}, 400, "bar"),
        ({"universe": []}, 422, "body.universe"),
        ({"universe": ["A,B"]}, 400, "universe"),
        ({"universe": ["x"] * 501}, 422, "body.universe"),
        ({"more": 1}, 422, "body.more"),
        ({"text": "x" * 2_000_000}, 413, None),
    ],
)
def test_what_cannot_be_run_is_refused_at_once_and_leaves_nothing(
    client: httpx2.Client, order: dict[str, Any], status: int, where: str | None
) -> None:
    before = client.get("/api/backtests").json()["kept"]
    answer = client.post("/api/backtests", json={"text": CROSS.format(fast=20), **order})
    assert answer.status_code == status or (status == 413 and answer.status_code in (413, 422)), answer.text
    problem = answer.json()
    assert problem["what"] and (where is None or problem["where"] == where)
    assert client.get("/api/backtests").json()["kept"] == before


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"universe": ["SP5000"]}, "did you mean `SP500`"),
        ({"from": "2031-01-01"}, "1999-01-04 to 2018-12-31"),
        ({"bar": "1h"}, "1h"),
        ({"data": "catalog"}, "the catalog has no bars"),
        ({"text": CROSS.format(fast=20).replace("fast - slow", r"ext(\"nothing\")")}, "nothing"),
    ],
)
def test_what_the_market_does_not_have_is_said(client: httpx2.Client, order: dict[str, Any], words: str) -> None:
    found = ended(client, ask(client, **order))
    assert found["state"] == "failed" and found["result"] is None
    assert words in f"{found['error']['what']} {found['error']['hint']} {found['error']['where']}"
    answer = client.get(f"/api/backtests/{found['id']}/series")
    assert answer.status_code == 409 and "failed" in answer.json()["what"]


def test_the_report_is_that_of_the_command_line(client: httpx2.Client, run: dict[str, Any]) -> None:
    answer = client.get(f"/api/backtests/{run['id']}/report")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-disposition"].startswith('attachment; filename="cross-')
    assert "<h1>Cross</h1>" in answer.text and "5,031 of 1d" in answer.text


def test_sealed_bars_never_reach_a_result(tmp_path: Path) -> None:
    site = Site(Settings(home=tmp_path / "home"), SystemClock())
    sealed_from = 1_262_304_000_000_000_000  # 2010-01-01
    with served(site) as own, own.client() as client:
        with Registry.open(ledger_path(site.home)) as registry:
            registry.seal(["SP500"], sealed_from, sealed_from + 10**17, sealed_from + 2 * 10**17, 1, "first")
        markets = client.get("/api/markets").json()
        assert markets[0]["sealed_from"] == sealed_from / 1e6
        found = done(client)
        assert found["result"]["last"] < sealed_from / 1e6
        assert any("sealed for the vault" in warning for warning in found["result"]["warnings"])
        for path in ("series", "prices?symbol=SP500", "prices?symbol=NASDAQ&from=1262304000000"):
            answer = client.get(f"/api/backtests/{found['id']}/{path}").json()
            assert all(at < sealed_from / 1e6 for at in answer["t"])
        with np.load(site.home / "backtests" / found["id"] / "result" / "arrays.npz") as arrays:
            assert arrays["times"].max() < sealed_from
            assert all(arrays[name].shape[-1] <= arrays["times"].size for name in arrays if "/" in name)
        report = gzip.decompress((site.home / "backtests" / found["id"] / "result" / "report.html.gz").read_bytes())
        assert b"2010" not in report.split(b'id="months"')[1].split(b"</table>")[0]
        late = ended(client, ask(client, **{"from": "2011-01-01"}))
        assert late["state"] == "failed" and "sealed" in late["error"]["what"]
        with Registry.open(ledger_path(site.home)) as registry:
            assert (registry.shown_until("person", ["SP500"]) or 0) < sealed_from
    assert iso(sealed_from) == "2010-01-01"


def test_removed_is_moved_aside_and_pinned_is_kept(client: httpx2.Client, at_work: Served) -> None:
    found = done(client)
    folder = at_work.site.home / "backtests"
    assert client.put(f"/api/backtests/{found['id']}/pin", json={"pinned": True}).json()["pinned"] is True
    assert json.loads((folder / found["id"] / "run.json").read_text())["pinned"] is True
    before = trials(at_work.site.home)
    assert client.delete(f"/api/backtests/{found['id']}").status_code == 204
    assert client.get(f"/api/backtests/{found['id']}").status_code == 404
    assert client.delete(f"/api/backtests/{found['id']}").status_code == 404
    assert (folder / "removed" / found["id"] / "result" / "result.json").is_file()
    assert trials(at_work.site.home) == before, "what was tried stays counted"


def test_more_than_may_wait_are_refused_and_each_knows_its_place(client: httpx2.Client) -> None:
    ids, refused = [], None
    while refused is None and len(ids) < MOST_WAITING + 20:
        answer = client.post("/api/backtests", json={"text": CROSS.format(fast=20 + len(ids) % 9)})
        if answer.status_code == 409:
            refused = answer.json()
        else:
            ids.append(answer.json()["id"])
    assert refused is not None and f"{MOST_WAITING} backtests are waiting already" in refused["what"]
    waiting = [found for found in (seen(client, run_id) for run_id in ids) if found["state"] == "waiting"]
    places = [found["place"] for found in waiting]
    assert places == sorted(places) and len(places) > 3
    assert f"number {waiting[-1]['place']} in the queue" in waiting[-1]["text"]
    for run_id in ids:
        client.post(f"/api/backtests/{run_id}/cancel")
    assert {ended(client, run_id)["state"] for run_id in ids} <= {"done", "cancelled"}


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "\u202egnp.exe", "a" * 80, "../../x", "\U0001f4a5 =cmd|' /C"]
)
def test_hostile_names_are_names(client: httpx2.Client, name: str) -> None:
    text = CROSS.format(fast=20).replace('"Cross"', json.dumps(name))
    answer = client.post("/api/backtests", json={"text": text})
    if answer.status_code == 400:  # the language refuses some
        assert answer.json()["what"]
        return
    found = ended(client, answer.json()["id"])
    assert found["name"] == name and found["state"] == "done"
    report = client.get(f"/api/backtests/{found['id']}/report")
    assert report.status_code == 200 and "<script>alert" not in report.text
    assert report.headers["content-disposition"].isascii()
