"""The audit: what changes something is in it once, what is refused is not, and what is in it can be believed."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from changes import ASKS, ELSEWHERE, EXAMPLES
from home_digest import digest
from web_server import Served, served

import clawd as package
from clawd.core.clock import ReplayClock, SystemClock
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.server.app import create_app
from clawd.server.audit import Audit, audit_path, record_from_terminal
from clawd.server.caller import Caller
from clawd.server.recording import record
from clawd.server.site import Site
from clawd.store.access import open_access
from clawd.store.api_keys import Scope
from clawd.store.entry import Entry
from clawd.store.journal import open_journal
from clawd.store.journal_copy import read_export
from clawd.store.switchboard import Switch, Switchboard

OWNER = Caller("ada", frozenset(Scope), "s-1", "127.0.0.1")


def entries(site: Site) -> list[Entry]:
    with open_journal(audit_path(site.home), read_only=True) as journal:
        return list(journal.entries())


def changing_routes() -> list[str]:
    """Every route that is no GET."""
    paths = create_app(Site(Settings(), SystemClock())).openapi()["paths"]
    return [f"{method.upper()} {path}" for path, methods in paths.items() for method in methods if method != "get"]


ROUTES = changing_routes()


def test_every_route_that_is_no_get_has_an_example() -> None:
    known = {*EXAMPLES, *ASKS, *ELSEWHERE}
    assert not set(ROUTES) - known, "add an example to tests/web/changes.py"
    assert not known - set(ROUTES), "tests/web/changes.py has examples of routes that are no more"


@pytest.mark.parametrize("route", ELSEWHERE)
def test_what_is_tested_elsewhere_is_tested_there(route: str) -> None:
    tests = [path.read_text() for path in Path(__file__).parent.glob("test_web_*.py") if path != Path(__file__)]
    assert any(f'"{ELSEWHERE[route]}"' in text and "audit" in text for text in tests)


@pytest.fixture
def shut(web: Served) -> Iterator[Served]:
    """A server whose fleet, if it gets one, is stopped."""
    yield web
    if web.site.fleet is not None:
        web.site.fleet.stop()
        process = web.site.fleet._process
        for pipe in (process.stdout, process.stderr) if process else ():
            assert pipe is not None
            pipe.close()


@pytest.mark.parametrize("route", [*EXAMPLES, *ASKS])
def test_a_success_is_written_down_once_and_a_refusal_not_at_all(shut: Served, route: str) -> None:
    site = shut.site
    with open_access(site.home) as access:
        _, reader = access.keys.new("reader", frozenset({Scope.READ}), None, site.clock.now())
    with shut.client() as client:
        call = (EXAMPLES | ASKS)[route](shut, client)
        method = route.partition(" ")[0]
        before, digest_before = len(entries(site)), digest(site.home)
        refused = {
            "a stranger": ({}, {}),
            "a foreign page": ({"Origin": "http://evil.example"}, dict([shut.cookie])),
            "a key that may only read": ({"Authorization": f"Bearer {reader}"}, {}),
        }
        if route == "POST /api/session":
            refused = {"a foreign page": refused["a foreign page"]}
        for who, (headers, cookies) in refused.items():
            answer = httpx2.request(method, f"{shut.url}{call.path}", json=call.json, headers=headers, cookies=cookies)
            if route in ASKS and who.startswith("a key"):
                continue
            assert answer.status_code in (401, 403, 404), who  # 404: a key has no session to end
            assert digest(site.home) == digest_before, who
        if call.json is not None:
            assert client.request(method, call.path, json=[]).status_code in (400, 401, 409, 422)
            assert len(entries(site)) == before
        answer = client.request(method, call.path, json=call.json)
        assert answer.is_success, answer.text
    written = entries(site)[before:]
    assert len(written) == (route not in ASKS), [entry.kind for entry in written]
    if written:
        assert {"by", "via", "address"} <= set(written[0].body)
        assert written[0].body["address"] == "127.0.0.1"
        assert "seven brown" not in json.dumps(written[0].body) and "clawd_" not in json.dumps(written[0].body)


def test_what_is_sent_twice_at_once_is_written_down_twice_and_in_one_chain(web: Served) -> None:
    with web.client() as client, ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda i: client.post("/api/keys", json={"name": f"k{i}", "scopes": ["read"]}), range(24))
        )
    assert [answer.status_code for answer in answers] == [201] * 24
    with open_journal(audit_path(web.site.home), read_only=True) as journal:
        assert journal.verify_chain() == 24


def test_a_second_server_on_the_home_says_so(web: Served) -> None:
    with pytest.raises(ClawdError, match="another server is at work on this home"):
        Audit(web.site.home)


# Several writers


_WRITER = """
import sys
from pathlib import Path
from clawd.server.audit import record_from_terminal
home, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    record_from_terminal(home, name, number, "KeyMade", {"name": f"{name}-{number}"})
"""


def writer(home: Path, name: str, count: int) -> subprocess.Popen[bytes]:
    source = str(Path(package.__file__).parents[1])
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(home), name, str(count)],
        env={**os.environ, "PYTHONPATH": source},
        stderr=subprocess.PIPE,
    )


def test_many_processes_and_a_server_write_one_chain(web: Served) -> None:
    home = web.site.home
    processes = [writer(home, f"w{k}", 12) for k in range(6)]
    with web.client() as client, ThreadPoolExecutor(4) as pool:
        answers = list(
            pool.map(lambda i: client.post("/api/keys", json={"name": f"k{i}", "scopes": ["read"]}), range(20))
        )
    for process in processes:
        assert process.communicate(timeout=120) == (None, b"") and process.returncode == 0
    assert {answer.status_code for answer in answers} == {201}
    written = entries(web.site)
    assert len(written) == 6 * 12 + 20
    for k in range(6):
        own = [entry.body["name"] for entry in written if entry.body["by"] == f"w{k}"]
        assert own == [f"w{k}-{number}" for number in range(12)], "each in its order, and none lost"
    with web.client() as client:
        assert client.get("/api/audit/integrity").json() == {
            "entries": 92, "head": written[-1].hash, "verified": True, "broken": None
        }  # fmt: skip


def test_a_writer_that_is_killed_holds_nobody_up_and_breaks_nothing(web: Served) -> None:
    process = writer(web.site.home, "dies", 10_000)
    with web.client() as client:
        while not audit_path(web.site.home).exists() or len(entries(web.site)) < 5:
            assert process.poll() is None
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()
        assert client.post("/api/keys", json={"name": "k", "scopes": ["read"]}).status_code == 201
        assert client.get("/api/audit/integrity").json()["verified"] is True
    assert entries(web.site)[-1].body["name"] == "k"


def test_what_is_done_in_a_terminal_is_listed_as_such_and_stands_in_the_chain(web: Served) -> None:
    record_from_terminal(web.site.home, "ada", 5, "KeyMade", {"name": "night"})
    with web.client() as client:
        (found,) = client.get("/api/audit").json()["entries"]
    assert (found["source"], found["by"], found["what"], found["via"]) == ("command line", "ada", "KeyMade", "")
    assert found["hash"] == entries(web.site)[0].hash


def test_an_end_that_was_cut_off_is_not_written_over(web: Served) -> None:
    with web.client() as client:
        for name in ("a", "b"):
            assert client.post("/api/keys", json={"name": name, "scopes": ["read"]}).status_code == 201
        with closing(sqlite3.connect(audit_path(web.site.home))) as tampering, tampering:
            for (name,) in tampering.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                tampering.execute(f"DROP TRIGGER {name}")
            tampering.execute("DELETE FROM journal WHERE seq = 2")
        refused = client.post("/api/keys", json={"name": "c", "scopes": ["read"]})
        assert refused.status_code == 400 and "no entry 2 any more" in refused.json()["what"]
        assert client.get("/api/audit/integrity").json()["verified"] is False


def test_of_servers_that_are_started_at_the_same_moment_one_begins(tmp_path: Path) -> None:
    begin, began = threading.Barrier(8), []

    def start() -> str:
        begin.wait()
        try:
            began.append(Audit(tmp_path))
        except ClawdError as error:
            return error.what
        return ""

    with ThreadPoolExecutor(8) as pool:
        said = [each.result() for each in [pool.submit(start) for _ in range(8)]]
    assert len(began) == 1
    assert sorted(said) == ["", *["another server is at work on this home"] * 7]
    began[0].close()
    Audit(tmp_path).close()


# The list


@pytest.fixture
def long_ago(tmp_path: Path) -> Site:
    """A site at a time of its own, at which nothing was done yet."""
    return Site(Settings(home=tmp_path / "home"), ReplayClock(1_700_000_000 * 10**9))


def do(site: Site, what: str, by: str = "ada", seconds: int = 1, **facts: str | int) -> None:
    assert isinstance(site.clock, ReplayClock)
    site.clock.set(site.clock.now() + seconds * 10**9)
    record(site, Caller(by, frozenset(Scope), "s-1", "127.0.0.1"), what, facts)


def listed(client: httpx2.Client, **filters: str | int) -> list[dict[str, object]]:
    answer = client.get("/api/audit", params=filters)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    found: list[dict[str, object]] = page["entries"]
    return found


@pytest.fixture
def told(long_ago: Site) -> Iterator[httpx2.Client]:
    """Twelve things that two people have done, and orders given on the command line and over the pages."""
    site = long_ago
    clock = site.clock
    assert isinstance(clock, ReplayClock)
    for number in range(10):
        do(site, "StrategySaved", "ada" if number % 2 else "bob", name=f"s{number}", number=number)
    clock.set(clock.now() + 10**9)
    with Switchboard.open(site.home) as switchboard:
        switchboard.give(Switch.HALT, "carol", "in a terminal", clock.now())
        clock.set(clock.now() + 10**9)
        switchboard.decide("main", "BTCUSDT", "carol", clock.now())
        clock.set(clock.now() + 10**9)
        over_the_pages = switchboard.give(Switch.RESUME, "ada", "over the pages", clock.now())
    do(site, "TradingResumed", "ada", order=over_the_pages.number)
    do(site, "StrategySaved", "ada", name="last <b>one</b>")
    with served(site) as web, web.client() as client:
        yield client


def test_the_list_is_newest_first_and_names_where_an_order_was_given(told: httpx2.Client) -> None:
    acts = [(act["source"], act["what"], act["by"]) for act in listed(told)]
    assert acts[:4] == [
        ("web", "StrategySaved", "ada"),
        ("web", "TradingResumed", "ada"),  # once: it stands on the switchboard too
        ("command line", "PositionAdopted", "carol"),
        ("command line", "TradingHalted", "carol"),
    ]
    assert len(acts) == 14
    times = [act["time"] for act in listed(told)]
    assert times == sorted(times, reverse=True)
    assert len({act["id"] for act in listed(told)}) == 14


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 13, 200])
def test_pages_together_are_the_list(told: httpx2.Client, limit: int) -> None:
    whole, cursor, paged = listed(told), None, []
    for _ in range(20):
        params: dict[str, str | int] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = told.get("/api/audit", params=params).json()
        paged += page["entries"]
        cursor = page["next"]
        if cursor is None:
            break
    assert paged == whole


def test_filters(told: httpx2.Client) -> None:
    assert {act["by"] for act in listed(told, by="bob")} == {"bob"}
    assert len(listed(told, by="bob")) == 5
    assert [act["what"] for act in listed(told, what="TradingHalted")] == ["TradingHalted"]
    assert [act["facts"] for act in listed(told, text="LAST <B>")] == [{"name": "last <b>one</b>"}]
    assert [act["by"] for act in listed(told, text="in a terminal")] == ["carol"]
    times = [int(str(act["time"])) for act in listed(told)]
    assert [act["time"] for act in listed(told, since=times[3])] == times[:4]
    assert [act["time"] for act in listed(told, until=times[3])] == times[3:]
    assert listed(told, since=times[5], until=times[3], by="carol")[0]["what"] == "TradingHalted"
    assert told.get("/api/audit", params={"cursor": "1-2"}).status_code == 400


def test_the_chain_is_verified_and_a_change_shows_with_its_place(told: httpx2.Client, long_ago: Site) -> None:
    whole = told.get("/api/audit/integrity").json()
    assert whole == {"entries": 12, "head": entries(long_ago)[-1].hash, "verified": True, "broken": None}
    with closing(sqlite3.connect(audit_path(long_ago.home))) as tampering, tampering:
        tampering.execute("DROP TRIGGER journal_keeps")
        tampering.execute("UPDATE journal SET body = replace(body, 's4', 's5') WHERE seq = 5")
    broken = told.get("/api/audit/integrity").json()
    assert not broken["verified"]
    assert broken["broken"].startswith("entry 5 is broken")
    assert broken["entries"] == 4
    answer = told.get("/api/audit")
    assert (answer.status_code, "entry 5 is broken" in answer.json()["what"]) == (409, True)


def test_an_end_that_was_cut_off_while_the_server_is_at_work_shows(told: httpx2.Client, long_ago: Site) -> None:
    with closing(sqlite3.connect(audit_path(long_ago.home))) as tampering, tampering:
        tampering.execute("DROP TRIGGER journal_holds")
        tampering.execute("DELETE FROM journal WHERE seq > 10")
    assert "entry 11 is broken" in told.get("/api/audit/integrity").json()["broken"]


def test_the_export_is_the_chain_line_by_line(told: httpx2.Client, long_ago: Site, tmp_path: Path) -> None:
    answer = told.get("/api/audit/export")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert "attachment" in answer.headers["content-disposition"]
    lines = answer.content.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, 13))
    with open_journal(tmp_path / "copy.sqlite") as copy:
        assert copy.adopt(read_export(lines, "export")) == 12
        assert copy.head == (12, entries(long_ago)[-1].hash)


def test_a_reader_of_the_audit_makes_nothing(tmp_path: Path) -> None:
    site = Site(Settings(home=tmp_path / "home"), SystemClock())
    with served(site) as web, web.client() as client:
        before = digest(site.home)
        assert listed(client) == []
        assert client.get("/api/audit/integrity").json()["entries"] == 0
        assert client.get("/api/audit/export").content == b""
        assert digest(site.home) == before
        assert not (site.home / "switchboard.sqlite").exists()


def test_what_cannot_be_written_down_is_not_said_to_be_done(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise ClawdError("no space left on device", where="audit.sqlite")

    assert web.site.audit is not None
    monkeypatch.setattr(web.site.audit, "append", full)
    with web.client() as client:
        assert client.post("/api/keys", json={"name": "x", "scopes": ["read"]}).status_code == 400
