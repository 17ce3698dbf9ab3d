"""Strategies over HTTP: one answer for three forms, saves that lose nothing, and a fleet's list without a back door."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx2
import pytest
from web_server import Served, served

from clawd.authors.starter import find_starter, starter_names
from clawd.backtests.desk import Desk
from clawd.backtests.request import Request
from clawd.backtests.run import Run
from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.language.operators import OPERATORS
from clawd.language.strategy import parse_json, parse_toml
from clawd.server.audit import NAME
from clawd.server.site import Site
from clawd.store.access import open_access
from clawd.store.api_keys import Scope
from clawd.store.fleet_list import add_to_fleet, read_fleet_list
from clawd.store.journal import open_journal

JSON = dict[str, Any]


def answer(response: httpx2.Response, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


def template(client: httpx2.Client, name: str) -> JSON:
    detail: JSON = answer(client.get(f"/api/strategies/{name}"))
    return detail


def check(client: httpx2.Client, **body: object) -> JSON:
    found: JSON = answer(client.post("/api/strategies/check", json=body))
    return found


def save(client: httpx2.Client, name: str, status: int = 200, **body: object) -> JSON:
    found: JSON = answer(client.put(f"/api/strategies/{name}", json=body), status)
    return found


def changed(text: str) -> str:
    """Another strategy than that of the library."""
    assert "20" in text
    return text.replace("20", "21")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of a server that several tests ask, and none leaves anything to."""
    site = Site(Settings(home=tmp_path_factory.mktemp("reader") / "home"), SystemClock())
    with served(site) as web, web.client() as client:
        yield client
        assert not list(site.home.rglob("*.toml"))


@pytest.fixture
def macd(reader: httpx2.Client) -> JSON:
    found: JSON = template(reader, "macd")["check"]
    return found


def test_the_palette_is_the_registry(reader: httpx2.Client) -> None:
    palette = answer(reader.get("/api/palette"))
    assert [block["op"] for block in palette["blocks"]] == list(OPERATORS)
    assert {block["group"] for block in palette["blocks"]} == {group["name"] for group in palette["groups"]}
    macd = next(block for block in palette["blocks"] if block["op"] == "macd")
    assert [field["name"] for field in macd["parameters"]] == ["w", "w2", "w3"]
    assert macd["parameters"][0] | {"meaning": ""} == {
        "name": "w", "symbol": "w₁", "kind": "w", "meaning": "", "default": 12, "least": 1.0, "most": 5000.0,
        "whole": True, "choices": [],
    }  # fmt: skip
    assert [kind["key"] for kind in palette["exits"] if kind["required"]] == ["stop"]


@pytest.mark.parametrize("name", starter_names())
def test_every_template_opens_without_a_problem_and_comes_back_from_each_form(reader: httpx2.Client, name: str) -> None:
    detail = template(reader, name)
    found = detail["check"]
    assert (detail["own"], detail["revision"], found["valid"], found["problems"]) == (False, 0, True, [])
    strategy = find_starter(name)
    assert found["content_hash"] == strategy.content_hash
    assert set(found["flows"]) == {node["id"] for node in found["graph"]["nodes"]}
    graph = check(reader, graph=found["graph"])
    assert (graph["text"], graph["tree"], graph["graph"]) == (found["text"], found["tree"], found["graph"])
    text = check(reader, text=graph["text"], previous=found["graph"])
    assert (text["tree"], text["graph"]) == (found["tree"], found["graph"]), "the same text keeps every id"
    tree = check(reader, tree=found["tree"])
    assert tree["tree"] == found["tree"]
    again = check(reader, graph=tree["graph"])
    assert (again["content_hash"], again["tree"]) == (strategy.content_hash, found["tree"])


def test_the_list_says_what_each_does_and_own_ones_come_first(client: httpx2.Client, macd: JSON) -> None:
    save(
        client,
        "mine",
        revision=0,
        form="text",
        text=changed(template(client, "rsi2")["check"]["text"].replace("200", "20")),
    )
    listed = answer(client.get("/api/strategies"))
    assert [each["name"] for each in listed] == ["mine", *starter_names()]
    assert all(each["sentence"].endswith(".") for each in listed)
    assert listed[0]["own"]
    assert listed[0]["saved_at"] > 1.6e12, "milliseconds"


def test_a_check_takes_exactly_one_form(reader: httpx2.Client, macd: JSON) -> None:
    for body in ({}, {"text": "", "tree": ""}, {"text": "x", "graph": macd["graph"]}):
        assert answer(reader.post("/api/strategies/check", json=body), 400)["what"].startswith("exactly one")


def test_a_cut_wire_is_said_at_its_block_and_the_other_forms_are_not_told(reader: httpx2.Client, macd: JSON) -> None:
    graph = macd["graph"]
    cut = next(edge for edge in graph["edges"] if edge["to"] == graph["target"])
    found = check(reader, graph={**graph, "edges": [edge for edge in graph["edges"] if edge != cut]})
    assert (found["valid"], found["text"], found["tree"], found["sentence"]) == (False, None, None, None)
    assert found["graph"]["edges"] == [edge for edge in graph["edges"] if edge != cut]
    assert (graph["target"], cut["port"]) in {(fault["node"], fault["port"]) for fault in found["problems"]}
    assert len(found["flows"]) == len(graph["nodes"]), "what a sound block yields is told all the same"


def test_an_edit_of_the_text_keeps_ids_and_places(reader: httpx2.Client, macd: JSON) -> None:
    layout = {node["id"]: [index * 10, 7.5] for index, node in enumerate(macd["graph"]["nodes"])}
    previous = {**macd["graph"], "layout": layout}
    found = check(reader, text=macd["text"].replace("12", "13"), previous=previous)
    assert found["graph"]["layout"] == layout
    assert [node["id"] for node in found["graph"]["nodes"]] == [node["id"] for node in previous["nodes"]]


def test_what_is_saved_is_what_is_loaded_with_places_and_view(client: httpx2.Client, site: Site, macd: JSON) -> None:
    graph = {**macd["graph"], "layout": {node["id"]: [3, index] for index, node in enumerate(macd["graph"]["nodes"])}}
    view = {"x": 10.5, "y": -3.0, "zoom": 1.25}
    saved = save(client, "mine", revision=0, form="graph", graph=graph, text=macd["text"], viewport=view, pane="exits")
    assert (saved["revision"], saved["draft"]) == (1, False)
    detail = template(client, "mine")
    assert detail["check"]["graph"] == graph
    assert detail["check"]["text"] == macd["text"]
    assert (detail["viewport"], detail["pane"], detail["revision"]) == (view, "exits", 1)
    assert (site.home / "strategies" / "mine.toml").read_text(encoding="utf-8") == macd["text"]


def test_a_text_with_comments_is_kept_as_it_was_typed(client: httpx2.Client, macd: JSON) -> None:
    text = "# mine\n" + macd["text"]
    save(client, "mine", revision=0, form="text", text=text, graph=macd["graph"])
    assert template(client, "mine")["check"]["text"] == text
    moved = {**macd["graph"], "layout": {macd["graph"]["target"]: [1, 2]}}
    save(client, "mine", revision=1, form="graph", text=text, graph=moved)
    detail = template(client, "mine")
    assert detail["check"]["text"] == text, "moving a block rewrites nothing"
    assert detail["check"]["graph"]["layout"] == moved["layout"]


def test_a_broken_graph_and_a_broken_text_are_kept_as_drafts(client: httpx2.Client, site: Site, macd: JSON) -> None:
    graph = macd["graph"]
    save(client, "mine", revision=0, form="text", text=macd["text"], graph=graph)
    broken = {**graph, "edges": graph["edges"][1:]}
    assert save(client, "mine", revision=1, form="graph", graph=broken, text=macd["text"])["draft"]
    detail = template(client, "mine")
    assert (detail["form"], detail["check"]["valid"], detail["check"]["graph"]) == ("graph", False, broken)
    assert (site.home / "strategies" / "mine.toml").read_text(encoding="utf-8") == macd["text"], "the last valid text"
    typed = macd["text"] + "oops"
    assert save(client, "mine", revision=2, form="text", text=typed, graph=graph)["draft"]
    detail = template(client, "mine")
    assert (detail["form"], detail["draft"], detail["check"]["valid"]) == ("text", typed, False)
    assert detail["check"]["graph"]["nodes"] == graph["nodes"]
    assert detail["check"]["problems"][0]["line"] is not None
    assert answer(client.get("/api/strategies"))[0]["draft"]
    assert "not valid yet" in answer(client.post("/api/strategies/mine/deploy", json={"content_hash": ""}), 409)["what"]


def test_a_strategy_that_was_never_valid_is_loaded_as_it_was(client: httpx2.Client, macd: JSON) -> None:
    empty = {"name": "New", "exits": {"stop": {"percent": 5}}, "nodes": [], "edges": [], "target": "", "layout": {}}
    save(client, "new", revision=0, form="graph", graph=empty)
    detail = template(client, "new")
    assert detail["check"]["graph"]["name"] == "New"
    assert detail["check"]["text"] in (None, "")
    save(client, "typed", revision=0, form="text", text="name = ")
    assert template(client, "typed")["draft"] == "name = "


def test_two_pages_cannot_overwrite_each_other(client: httpx2.Client, macd: JSON) -> None:
    save(client, "mine", revision=0, form="text", text=macd["text"])
    save(client, "mine", revision=1, form="text", text=macd["text"].replace("12", "13"))
    problem = save(client, "mine", 409, revision=1, form="text", text=macd["text"])
    assert "revision 2" in problem["what"]
    assert "the program" in problem["hint"]
    assert template(client, "mine")["check"]["text"] == macd["text"].replace("12", "13")


def test_what_was_removed_elsewhere_is_not_made_again_by_a_page_that_has_not_seen_it(
    client: httpx2.Client, macd: JSON
) -> None:
    save(client, "mine", revision=0, form="text", text=macd["text"])
    answer(client.delete("/api/strategies/mine"))
    problem = save(client, "mine", 409, revision=1, form="text", text=macd["text"])
    assert "has been removed" in problem["what"]


def test_the_list_has_the_last_backtest_of_this_very_strategy(client: httpx2.Client, site: Site, macd: JSON) -> None:
    desk = site.backtests
    assert isinstance(desk, Desk)
    nothing = (None, None, None, None)
    request = Request(macd["text"], "sample", *nothing, Decimal(10_000), Decimal(0), Decimal(0))
    runs = [
        Run(f"r{number}", number, "x", macd["content_hash"], request, state, ended=number * 10**6, figures=figures)
        for number, state, figures in (
            (1, "done", {"total_return": 0.1, "sharpe": 0.5}),
            (2, "done", {"total_return": -0.2, "sharpe": None}),
            (3, "failed", None),
        )
    ]
    desk._runs.update({run.id: run for run in runs})
    listed = {each["name"]: each["last_backtest"] for each in answer(client.get("/api/strategies"))}
    assert listed["macd"] == {"id": "r2", "ended_at": 2.0, "total_return": -0.2, "sharpe": None}
    assert listed["turtles"] is None


def test_of_many_saves_at_once_one_wins_and_none_fails(web: Served, macd: JSON) -> None:
    codes: list[int] = []

    def run() -> None:
        with web.client() as own:
            body = {"revision": 0, "form": "text", "text": macd["text"]}
            codes.append(own.put("/api/strategies/mine", json=body).status_code)

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200, 409, 409, 409, 409, 409]


def test_a_library_strategy_is_not_written_over(client: httpx2.Client, macd: JSON) -> None:
    save(client, "macd", 409, revision=0, form="text", text=macd["text"])


@pytest.mark.parametrize("name", ["A", "a.b", "..%2fx", "%2e%2e", "a%00b", "é", "x" * 61, ".saving", "con%0a", "a b"])
def test_what_is_no_name_is_refused_and_no_file_is_made(reader: httpx2.Client, macd: JSON, name: str) -> None:
    for response in (
        reader.put(f"/api/strategies/{name}", json={"revision": 0, "form": "text", "text": macd["text"]}),
        reader.get(f"/api/strategies/{name}"),
        reader.delete(f"/api/strategies/{name}"),
        reader.post(f"/api/strategies/{name}/deploy", json={"content_hash": ""}),
    ):
        assert response.status_code in (400, 404, 405, 422), (response.request.method, response.text)
        assert response.json()["what"]


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "'; DROP TABLE--",
    "../../etc/passwd",
    "a\u202eb",
    "🚀 " * 20,
    '"' * 40,
    "%s{0}",
)


@pytest.mark.parametrize("title", HOSTILE)
def test_a_strategy_may_be_called_anything_that_can_be_printed(client: httpx2.Client, macd: JSON, title: str) -> None:
    found = check(client, graph={**macd["graph"], "name": title})
    if not title.isprintable():
        assert found["problems"][0]["where"] == "name"
        return
    assert found["name"] == title.strip()
    assert parse_toml(found["text"]).name == parse_json(found["tree"]).name == title.strip()
    save(client, "mine", revision=0, form="graph", graph={**macd["graph"], "name": title})
    assert answer(client.get("/api/strategies"))[0]["title"] == title.strip()


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "\\ud800"}',
        b'{"graph": {"name": "x", "exits": {"stop": {"percent": NaN}}, "nodes": [], "edges": []}}',
        b'{"graph": {"name": "x", "exits": {"stop": {"percent": 1e999}}, "nodes": [], "edges": []}}',
        b'{"graph": {"name": "x", "exits": {}, "nodes": [{"id": "a", "op": "const", "parameters": {"k": true}}],'
        b' "edges": []}}',
        b'{"graph": {"name": "\\ud800", "exits": {}, "nodes": [], "edges": []}}',
        b'{"graph": {"name": "x", "exits": {}, "nodes": [], "edges": [], "more": 1}}',
        b'{"tree": "' + b"[" * 100_000 + b'"}',
        b'{"text": "' + b"(" * 30_000 + b'"}',
        b"[" * 50_000,
        b'{"tree": "{\\"clawd\\": 1, \\"name\\": \\"x\\", \\"position\\": 9' + b"9" * 5_000 + b'}"}',
    ],
)
def test_whatever_is_sent_to_be_checked_is_answered_with_a_reason(reader: httpx2.Client, body: bytes) -> None:
    response = reader.post("/api/strategies/check", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400, 413, 422), response.text
    found = response.json()
    assert found["problems"] if response.status_code == 200 else found["what"]


def test_a_graph_of_two_thousand_blocks_is_judged_in_time(reader: httpx2.Client) -> None:
    nodes = [
        {"id": f"n{index}", "op": "close" if index == 0 else "ema", "parameters": {"w": 3}} for index in range(2_000)
    ]
    del nodes[0]["parameters"]
    edges = [{"from": f"n{index}", "to": f"n{index + 1}", "port": "x"} for index in range(1_999)]
    graph = {"name": "x", "exits": {"stop": {"percent": 3}}, "nodes": nodes, "edges": edges, "target": "n1999"}
    found = check(reader, graph=graph)
    assert not found["valid"]
    assert len(found["problems"]) <= 200


def test_removing_sets_aside_and_undo_puts_back(client: httpx2.Client, macd: JSON) -> None:
    save(client, "mine", revision=0, form="text", text=macd["text"])
    ticket = answer(client.delete("/api/strategies/mine"))["ticket"]
    answer(client.get("/api/strategies/mine"), 404)
    answer(client.delete("/api/strategies/mine"), 404)
    assert answer(client.post("/api/strategies/restore", json={"ticket": ticket}))["check"]["text"] == macd["text"]
    assert template(client, "mine")["revision"] == 1
    answer(client.post("/api/strategies/restore", json={"ticket": "../x.1"}), 400)


def own(client: httpx2.Client, name: str = "mine") -> str:
    """An own strategy, and its content hash."""
    text = changed(template(client, "ema_crossover")["check"]["text"])
    return str(save(client, name, revision=0, form="text", text=text)["content_hash"])


def test_deploying_puts_what_was_looked_at_on_the_list_and_says_what_follows(client: httpx2.Client, site: Site) -> None:
    content_hash = own(client)
    begun: list[int] = []
    site.deploy = lambda: begun.append(1)
    before = answer(client.get("/api/strategies/mine/deployment"))
    assert not before["listed"]
    assert before["restarts"]
    words = " ".join(before["consequences"])
    for part in ("new run", "60%", "ledger", "8 slots", "could not have seen", "gate", "No real money"):
        assert part in words
    done = answer(client.post("/api/strategies/mine/deploy", json={"content_hash": content_hash}))
    assert done["listed"]
    assert begun == [1]
    (listed,) = read_fleet_list(site.home)
    assert (listed.name, listed.content_hash) == ("mine", content_hash)
    text = template(client, "mine")["check"]["text"]
    save(client, "mine", revision=1, form="text", text=text.replace("16", "17"))
    (row,) = answer(client.get("/api/fleet/list"))
    assert (row["content_hash"], row["current"]) == (content_hash, False), "a later edit changes nothing there"
    assert read_fleet_list(site.home) == (listed,)


def test_what_may_not_be_deployed_is_refused_and_nothing_is_begun(client: httpx2.Client, site: Site) -> None:
    content_hash = own(client)
    begun: list[int] = []
    site.deploy = lambda: begun.append(1)
    refused = client.post("/api/strategies/mine/deploy", json={"content_hash": "0" * 64})
    assert "another strategy by now" in answer(refused, 409)["what"]
    starter = answer(client.post("/api/strategies/macd/deploy", json={"content_hash": content_hash}), 409)
    assert "library" in starter["what"]
    save(client, "twin", revision=0, form="text", text=template(client, "macd")["check"]["text"])
    twin = template(client, "twin")["check"]["content_hash"]
    assert "`macd`" in answer(client.post("/api/strategies/twin/deploy", json={"content_hash": twin}), 409)["what"]
    assert read_fleet_list(site.home) == ()
    assert begun == []
    answer(client.post("/api/strategies/mine/deploy", json={"content_hash": content_hash}))
    answer(client.post("/api/strategies/mine/deploy", json={"content_hash": content_hash}), 409)
    assert begun == [1]


def test_what_was_taken_off_the_list_is_gone(client: httpx2.Client, site: Site) -> None:
    answer(client.post("/api/strategies/mine/deploy", json={"content_hash": own(client)}))
    assert answer(client.delete("/api/fleet/list/mine"))["name"] == "mine"
    assert read_fleet_list(site.home) == ()
    answer(client.delete("/api/fleet/list/mine"), 404)
    assert answer(client.get("/api/strategies/mine"))["own"], "the strategy itself is where it was"


def test_everything_that_changes_something_is_in_the_audit(client: httpx2.Client, site: Site) -> None:
    content_hash = own(client)
    answer(client.post("/api/strategies/mine/deploy", json={"content_hash": content_hash}))
    answer(client.delete("/api/fleet/list/mine"))
    ticket = answer(client.delete("/api/strategies/mine"))["ticket"]
    answer(client.post("/api/strategies/restore", json={"ticket": ticket}))
    kinds = [kind for kind in audit(site) if kind.startswith("Strategy")]
    assert kinds == [
        "StrategySaved", "StrategyDeployed", "StrategyTakenOff", "StrategyRemoved", "StrategyRestored",
    ]  # fmt: skip
    save(client, "mine", 409, revision=0, form="text", text="x")
    assert len([kind for kind in audit(site) if kind.startswith("Strategy")]) == 5, "a refusal is none of it"


def audit(site: Site) -> list[str]:
    with open_journal(site.home / NAME, read_only=True) as journal:
        return [entry.kind for entry in journal.entries()]


def test_who_may_only_read_changes_nothing(web: Served, macd: JSON) -> None:
    with httpx2.Client(base_url=web.url, timeout=30) as stranger:
        for response in (
            stranger.get("/api/strategies"),
            stranger.put("/api/strategies/mine", json={"revision": 0, "form": "text", "text": macd["text"]}),
            stranger.post("/api/strategies/check", json={"text": ""}),
            stranger.delete("/api/fleet/list/x"),
        ):
            assert response.status_code in (401, 403)
    assert not (web.site.home / "strategies").exists()


def test_the_tree_is_the_json_form_of_the_language(client: httpx2.Client, macd: JSON) -> None:
    assert json.loads(macd["tree"]) == find_starter("macd").to_json()


@pytest.mark.parametrize(
    ("scopes", "may"),
    [({Scope.READ, Scope.BUILD}, False), ({Scope.READ, Scope.BUILD, Scope.ADMIN}, False), ({Scope.DECIDE}, True)],
)
def test_who_may_only_build_begins_no_new_run_of_what_trades(
    web: Served, client: httpx2.Client, site: Site, scopes: set[Scope], may: bool
) -> None:
    content_hash = own(client)
    begun: list[int] = []
    site.deploy = lambda: begun.append(1)
    with open_access(site.home) as access:
        _, secret = access.keys.new("program", frozenset(scopes | {Scope.READ}), None, site.clock.now())
    add_to_fleet(site.home, "other", template(client, "macd")["check"]["text"], 1, "ann")
    with httpx2.Client(base_url=web.url, headers={"Authorization": f"Bearer {secret}"}) as program:
        deployed = program.post("/api/strategies/mine/deploy", json={"content_hash": content_hash})
        taken_off = program.delete("/api/fleet/list/other")
    assert {deployed.status_code, taken_off.status_code} == ({200} if may else {403})
    assert begun == ([1, 1] if may else [])
    assert [each.name for each in read_fleet_list(site.home)] == (["mine"] if may else ["other"])
