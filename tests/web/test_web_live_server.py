"""The live side of a real server: what pages are sent while journals grow, break, are replaced, and end."""

from __future__ import annotations

import json
import os
import signal
import socket as sockets
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from live_world import Page, capture_account, small_run, socket_to, write, written
from web_server import Served, open_session, served
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

import clawd as package
from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.execution.recovery import replay as replay_account
from clawd.execution.snapshots import Snapshots
from clawd.fleet.run import set_aside
from clawd.server.frames import Status
from clawd.server.live.columns import NUMBERS, Columns
from clawd.server.live.follower import Follower
from clawd.server.live.hub import MOST_CLIENTS
from clawd.server.live.picture import Picture
from clawd.server.live.places import places
from clawd.server.live.reader import Reader
from clawd.server.live.status import nothing_to_show
from clawd.server.site import Site
from clawd.store.approvals import ApprovalFile, approvals_path
from clawd.store.journal import Journal
from clawd.store.switchboard import Switch, Switchboard

_EVERYTHING = ["status", "fleet", "feed", "changed"]
_COLUMNS = ("state", *NUMBERS)


@contextmanager
def page_of(web: Served, cookie: tuple[str, str] | None = None) -> Iterator[Watching]:
    """A page that is open and wants everything."""
    with socket_to(web.url, cookie or web.cookie) as socket:
        socket.send(json.dumps({"subscribe": _EVERYTHING}))
        yield Watching(socket)


class Watching:
    """A page that is open, and what it holds."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.page = socket, Page()

    def until(self, happened: Callable[[Page], object], seconds: float = 20.0) -> Page:
        """Take frames until something has happened."""
        deadline = time.monotonic() + seconds
        while self.page.status is None or not happened(self.page):
            assert time.monotonic() < deadline, f"it has not happened: {self.page.status}, {self.page.agents}"
            try:
                text = self.socket.recv(timeout=0.5)
            except TimeoutError:
                continue
            assert isinstance(text, str)
            missed = self.page.take(text)
            if missed is not None:
                self.socket.send(json.dumps({"resync": missed}))
        return self.page


def phase(word: str) -> Callable[[Page], bool]:
    return lambda page: page.status is not None and page.status["phase"] == word


def agents_over_http(client: httpx2.Client, **asked: Any) -> dict[str, dict[str, Any]]:
    answer = client.get("/api/agents", params={"limit": 2000, **asked})
    assert answer.status_code == 200, answer.text
    return {agent["id"]: agent for agent in answer.json()["agents"]}


def test_a_home_in_which_nothing_was_traded(web: Served, client: httpx2.Client) -> None:
    with page_of(web) as watching:
        page = watching.until(lambda page: page.status is not None)
    assert page.status is not None
    assert (page.status["phase"], page.status["run"], page.status["equity"]) == ("idle", None, None)
    assert client.get("/api/runs").json() == []
    assert client.get("/api/agents").json() == {"run": None, "total": 0, "agents": []}
    assert client.get("/api/alerts").json() == {"run": None, "open": 0, "alerts": []}
    assert client.get("/api/status").json()["phase"] == "idle"
    for path in ("equity", "positions", "orders", "journal", "journal/1", "prices/A", "agents/a001"):
        answer = client.get(f"/api/{path}")
        assert answer.status_code == 404, path
        assert answer.json()["hint"], path


def test_a_run_is_followed_from_its_first_bar_to_its_end(web: Served, client: httpx2.Client) -> None:
    world = small_run()
    parts = world.bars()
    path = world.path(web.site.home)
    with page_of(web) as watching:
        watching.until(phase("idle"))
        with Journal.open(path) as journal:
            for part in parts[:30]:
                write(journal, part)
            # Nothing is said that was not written; what was written is said soon.
            watching.until(lambda page: phase("trading")(page) and len(page.agents) == 8)
            for part in parts[30:60]:
                write(journal, part)
                time.sleep(0.02)
            equity = float(parts[59][-1].body["equity"])
            page = watching.until(lambda page: page.status["equity"] == pytest.approx(equity, abs=1e-9))
            assert page.status is not None and page.status["heard_at"] > page.status["sent_at"] - 5_000
            assert page.status["market_time"] == parts[59][-1].ts / 1e6
            watching.until(lambda page: page.agents == agents_over_http(client))
        watching.until(phase("stopped"))
        with Journal.open(path) as journal:
            for part in parts[60:]:
                write(journal, part)
        page = watching.until(phase("ended"), 60)
        watching.until(lambda page: page.agents == agents_over_http(client))
        assert page.status["progress"] == 1.0
        last = world.entries[-1].body["equity"]
        assert page.status["equity"] == pytest.approx(float(last))
        assert {agent["state"] for agent in page.agents.values()} == {"active", "released"}
        watching.until(lambda page: page.feed[-1]["kind"] == "RunFinished")


def test_the_pages_of_an_account_at_a_venue(web: Served, client: httpx2.Client) -> None:
    world = capture_account()
    written(world, web.site.home, 30)
    with page_of(web) as watching:
        page = watching.until(lambda page: len(page.agents) == 2)
        watching.until(phase("stopped"))
        watching.until(lambda page: page.agents == agents_over_http(client))
        assert page.status is not None and page.status["kind"] == "account"
    positions = client.get("/api/positions").json()["positions"]
    agent = client.get("/api/agents/a001").json()
    assert agent["strategy"]["name"] == "follows <b>it</b>"
    assert agent["evidence"] is None and agent["strategy"]["explanation"]
    assert [each for each in positions if each["agent"] == "a001"] == agent["positions"]
    held = [each for each in positions if each["size"] != "0"]
    assert held, "something is open after thirty bars"
    for each in held:
        expected = float(each["size"]) * (float(each["mark"]) - float(each["entry"]))
        assert float(each["unrealised"]) == pytest.approx(expected, abs=1e-6)
        assert each["stop"] is not None
    prices = client.get("/api/prices/BTCUSDT", params={"agent": "a002"}).json()
    assert len(prices["time"]) == len(prices["close"]) > 20
    assert {fill["agent"] for fill in prices["fills"]} == {"a002"}
    assert [line["agent"] for line in prices["stops"]] == ["a002"]


def test_whoever_writes_is_killed_and_the_server_is_started_again(tmp_path: Path) -> None:
    """Both at any moment, and both at once: the page says what the journal says."""
    site = Site(Settings(home=tmp_path / "home"), SystemClock())
    world = small_run()
    path = world.path(site.home)
    source = written(world, tmp_path / "copy", 300)
    arguments = [sys.executable, "-c", _WRITER, str(source), str(path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}
    port = 0
    for attempt in range(3):
        with served(site, port) as web, page_of(web) as watching:
            process = subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL)
            try:
                watching.until(phase("trading"), 30)
                before = watching.page.status["market_time"]
                watching.until(lambda page, before=before: page.status["market_time"] > before, 30)
                if attempt == 1:
                    continue  # the server ends first, and the writer with it
                process.send_signal(signal.SIGKILL)
                process.wait()
                watching.until(phase("stopped"))
                with Journal.open(path, read_only=True) as journal:
                    last = list(journal.entries())[-1]
                assert last.kind == "BooksMarked", "whole bars or none"
                watching.until(lambda page, last=last: page.status["market_time"] == last.ts / 1e6)
                assert watching.page.status["equity"] == pytest.approx(float(last.body["equity"]))
            finally:
                process.kill()
                process.wait()


_WRITER = """
import sys, time
from pathlib import Path
from clawd.store.journal import Journal
with Journal.open(Path(sys.argv[1]), read_only=True) as source:
    entries = list(source.entries())
with Journal.open(Path(sys.argv[2])) as journal:
    done, bar = journal.head[0], []
    for entry in entries[done:]:
        bar.append((entry.ts, entry.kind, entry.body))
        if entry.kind == "BooksMarked":
            journal.append(bar)
            bar = []
            time.sleep(0.02)
    time.sleep(60)
"""


def test_a_run_that_is_set_aside_and_begun_anew_while_it_is_followed(web: Served, client: httpx2.Client) -> None:
    world = small_run()
    path = written(world, web.site.home, 20)
    with page_of(web) as watching:
        watching.until(lambda page: phase("stopped")(page) and len(page.agents) == 8)
        aside = set_aside(web.site.home, world.run, time.time_ns())
        assert aside is not None
        with Journal.open(path) as journal:
            write(journal, world.bars()[0])
            first = world.bars()[0][-1]
            watching.until(
                lambda page: page.status["run"] == world.run and page.status["market_time"] == first.ts / 1e6
            )
            watching.until(phase("trading"))  # who works on it is looked at now and then
            runs = {run["run"]: run for run in client.get("/api/runs").json()}
            assert (runs[world.run]["shown"], runs[world.run]["working"]) == (True, True)
            assert (runs[aside.name]["shown"], runs[aside.name]["working"]) == (False, False)
            assert set(agents_over_http(client, run=aside.name)) == {f"a00{k}" for k in range(1, 9)}


def test_another_journal_in_the_place_of_the_one_that_is_followed(web: Served) -> None:
    """Same name, same length and more, other facts: noticed by the hash."""
    world, other = small_run(), capture_account()
    path = written(world, web.site.home, 3)
    with page_of(web) as watching:
        watching.until(lambda page: phase("stopped")(page) and len(page.agents) == 8)
        replacement = written(replace(other, folder="runs", run="elsewhere"), web.site.home / "unseen")
        for file in path.parent.glob("journal.sqlite-*"):
            file.unlink()
        replacement.replace(path)
        page = watching.until(lambda page: len(page.agents) == 2)
        assert page.status["kind"] is not None


def test_a_damaged_journal_is_said_in_plain_words_and_healed_by_a_copy(web: Served, client: httpx2.Client) -> None:
    world = small_run()
    path = written(world, web.site.home, 40)
    whole = path.read_bytes()
    with Journal.open(path, read_only=True) as journal:
        seq = journal.head[0] // 2
    with sqlite3.connect(path) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE journal SET body = replace(body, '1', '2') WHERE seq = ?", (seq,))
    connection.close()
    with page_of(web) as watching:
        page = watching.until(phase("failed"))
        assert f"entry {seq} is broken" in page.status["phase_text"]
        assert client.get("/api/positions").status_code == 200, "what was read before it is still shown"
        assert client.get(f"/api/journal/{seq - 1}").status_code == 200
        for file in path.parent.glob("journal.sqlite-*"):
            file.unlink()
        path.write_bytes(whole)
        watching.until(phase("stopped"))


def test_a_fact_that_contradicts_those_before_it_fails_the_run_and_nothing_else(
    web: Served, client: httpx2.Client
) -> None:
    world = small_run()
    path = written(world, web.site.home, 20)
    with Journal.open(path) as journal:
        journal.append([(1, "AgentReleased", {"agent": "a001", "capital": "3"})])
    with page_of(web) as watching:
        page = watching.until(phase("failed"))
        assert "a001" in page.status["phase_text"]
    assert client.get("/api/equity").status_code == 200
    assert client.get("/api/agents/a001").status_code == 200


def test_what_is_no_journal_at_all_is_no_crash(web: Served, client: httpx2.Client) -> None:
    path = small_run().path(web.site.home)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 5_000)
    with page_of(web) as watching:
        page = watching.until(phase("failed"))
        assert "not" in page.status["phase_text"]
    assert client.get("/api/runs").status_code == 200


def test_many_clients_of_whom_some_never_read(web: Served, client: httpx2.Client) -> None:
    world = small_run()
    parts = world.bars()
    path = world.path(web.site.home)
    with ExitStack() as open_, Journal.open(path) as journal:
        for part in parts[:5]:
            write(journal, part)
        sessions = [open_session(web.site) for _ in range(10)]  # of several people, who have several pages each
        pages = [open_.enter_context(page_of(web, sessions[k % 10])) for k in range(30)]
        for k in range(20):
            deaf = open_.enter_context(raw_socket(web, sessions[k % 10]))
            deaf.sendall(_masked(json.dumps({"subscribe": _EVERYTHING}).encode()))
        for part in parts[5:60]:
            write(journal, part)
            time.sleep(0.02)
        for watching in pages:
            watching.until(lambda page: page.status["market_time"] == parts[59][-1].ts / 1e6)
        expected = agents_over_http(client)
        for watching in pages:
            watching.until(lambda page: page.agents == expected)
            assert watching.page.gaps == 0


def test_who_is_hostile_is_sent_away_and_harms_nobody(web: Served, client: httpx2.Client) -> None:
    nonsense: list[str | bytes] = [
        "",
        "{",
        "[]",
        "null",
        '{"subscribe": ["everything"]}',
        '{"subscribe": "fleet"}',
        '{"resync": 7}',
        '{"resync": "fleet", "subscribe": 1, "x": ' + "[" * 900 + "]" * 900 + "}",
        b"\x00\xff",
        "x" * 100_000,
        json.dumps({"subscribe": ["fleet"] * 1_000}),
    ]
    with page_of(web) as watching:
        for text in nonsense:
            with socket_to(web.url, web.cookie) as socket:
                socket.send(text)
                with pytest.raises(ConnectionClosed) as closed:
                    for _ in range(100):
                        socket.recv(timeout=60)
                assert closed.value.rcvd is not None and closed.value.rcvd.code in (1008, 1009), text
        with socket_to(web.url, web.cookie) as socket, pytest.raises(ConnectionClosed):
            for _ in range(1_000):
                socket.send('{"resync": "fleet"}')
            for _ in range(1_000):
                socket.recv(timeout=60)
        before = watching.page.seq.get("status", 0)
        watching.until(lambda page: page.seq.get("status", 0) > before + 1)
    assert client.get("/api/status").status_code == 200


def test_nobody_who_has_not_signed_in_is_told_anything(web: Served) -> None:
    with pytest.raises(Exception, match=r"HTTP (401|403)"), socket_to(web.url, ("nobody", "x")) as socket:
        socket.recv(timeout=60)


def test_there_is_a_limit_to_open_pages_and_room_again_when_some_close(
    web: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawd.server.live.hub.MOST_CLIENTS", 3)
    assert MOST_CLIENTS > 100
    with page_of(web), page_of(web) as second:
        with page_of(web), pytest.raises(Exception, match=r"403|503"), page_of(web):
            pass
        second.until(lambda page: page.status is not None)
        deadline = time.monotonic() + 60
        while True:
            try:
                with page_of(web) as again:
                    again.until(lambda page: page.status is not None)
                break
            except Exception:
                assert time.monotonic() < deadline, "a page that closes makes room"
                time.sleep(0.05)


def test_a_page_stays_open_for_longer_than_the_head_of_a_request_may_take(
    web: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clawd.server.connections.HEAD_SECONDS", 2.0)
    with page_of(web) as watching:
        until = time.monotonic() + 4.0
        watching.until(lambda page: time.monotonic() > until)
        seen = watching.page.seq["status"]
        watching.until(lambda page: page.seq["status"] > seen + 1)


def test_a_server_that_ends_closes_its_pages(tmp_path: Path) -> None:
    with ExitStack() as open_:
        web = open_.enter_context(served(Site(Settings(home=tmp_path), SystemClock())))
        watching = open_.enter_context(page_of(web))
        watching.until(lambda page: page.status is not None)
        ended = threading.Thread(target=open_.pop_all().close)
        socket = watching.socket
        ended.start()
        with pytest.raises(ConnectionClosed):
            while True:
                socket.recv(timeout=60)
        ended.join(20)
        assert not ended.is_alive()


def test_pages_hear_of_what_other_processes_write(web: Served) -> None:
    home = web.site.home
    home.mkdir(parents=True, exist_ok=True)
    with page_of(web) as watching:
        watching.until(lambda page: page.changed and page.status)
        time.sleep(1.2)  # the first look is at how things were
        watching.page.changed.clear()
        with Switchboard.open(home) as switchboard:
            switchboard.give(Switch.HALT, "somebody", "", time.time_ns())
        watching.until(lambda page: "standing" in page.changed and page.status["standing"] == "halted")
        ApprovalFile.open(approvals_path(home)).close()
        watching.until(lambda page: "approvals" in page.changed)
        (home / "strategies").mkdir()
        (home / "strategies" / "mine.toml").write_text("x")
        watching.until(lambda page: "strategies" in page.changed)
        web.site.announce("backtests")
        watching.until(lambda page: "backtests" in page.changed)


def test_a_halt_stands_in_the_header_and_in_every_row(web: Served) -> None:
    """Whoever trades has not obeyed yet, or there is nobody who will: what was ordered is what is shown."""
    written(small_run(), web.site.home, 20)
    with page_of(web) as watching:
        watching.until(lambda page: len(page.agents) == 8 and phase("stopped")(page))
        with Switchboard.open(web.site.home) as switchboard:
            switchboard.give(Switch.REDUCE, "somebody", "", time.time_ns())
            watching.until(lambda page: {agent["state"] for agent in page.agents.values()} == {"reducing"})
            assert watching.page.status["standing"] == "reducing"
            switchboard.give(Switch.RESUME, "somebody", "", time.time_ns())
            watching.until(lambda page: {agent["state"] for agent in page.agents.values()} == {"active"})
            assert watching.page.status["standing"] == "active"


def test_the_run_that_is_shown_can_be_chosen_and_stays_so(tmp_path: Path) -> None:
    site = Site(Settings(home=tmp_path / "home"), SystemClock())
    world, account = small_run(), capture_account()
    written(world, site.home, 10)
    time.sleep(0.02)
    written(account, site.home, 10)
    assert [place.run for place in places(site.home)] == [account.run, world.run], "the one written last first"
    with served(site) as web, page_of(web) as watching, web.client() as client:
        watching.until(lambda page: page.status["run"] == account.run)
        assert client.put("/api/runs/shown", json={"run": world.run}).status_code == 200
        watching.until(lambda page: page.status["run"] == world.run and len(page.agents) == 8)
        assert client.put("/api/runs/shown", json={"run": "none such"}).status_code == 404
        assert len(agents_over_http(client, run=account.run)) == 2, "a request may name another"
        assert client.get("/api/equity", params={"run": account.run}).json()["run"] == account.run
        assert client.get("/api/journal", params={"run": account.run}).json()["head"] > 10
    with served(site) as web, page_of(web) as watching, web.client() as client:
        watching.until(lambda page: page.status["run"] == world.run)
        assert client.put("/api/runs/shown", json={"run": None}).status_code == 200
        watching.until(lambda page: page.status["run"] == account.run)


def test_an_account_is_shown_from_its_snapshot_while_the_whole_of_it_is_read(tmp_path: Path) -> None:
    world = capture_account()
    path = world.path(tmp_path)
    half = len(world.entries) // 2
    with Journal.open(path) as journal:
        write(journal, world.entries[:half])
        account = replay_account(journal.entries())
        Snapshots(journal).keep(account, *journal.head)
        write(journal, world.entries[half:])
    expected = Reader(path, world.run)
    expected.tale.take(world.entries[0])  # what has begun takes no snapshot
    while expected.behind or expected.tale.seq == 1:
        expected.advance(10.0)
    reader, seen = Reader(path, world.run), []
    while not seen or reader.busy:
        reader.advance(0.0)
        seen.append((reader.tale.first, reader.tale.seq))
    assert seen[0][0] == half and seen[0][1] > half, "it begins at the snapshot"
    assert seen[-1] == (0, len(world.entries)), "and ends with the whole of it"
    assert not reader.tale.columns().changed_since(expected.tale.columns()).size
    assert reader.tale.entries_of("a001").tolist() == expected.tale.entries_of("a001").tolist()
    assert list(reader.tale.fills) == list(expected.tale.fills)


def test_two_thousand_agents_cost_little_over_http_and_reach_a_page_as_they_change(tmp_path: Path) -> None:
    """Agents that a test makes up go through the same hub, the same socket and the same routes."""
    source = _Many()
    site = Site(Settings(home=tmp_path), SystemClock(), source=source, every=0.1)
    with served(site) as web, web.client() as client, page_of(web) as watching:
        watching.until(lambda page: len(page.agents) == 2_000)
        times = []
        for sort in ("id", "profit", "name"):
            began = time.perf_counter()
            answer = client.get("/api/agents", params={"sort": sort, "limit": 200, "text": "agent 1"})
            times.append(time.perf_counter() - began)
            assert len(answer.json()["agents"]) == 200
        assert min(times) < 0.05, times
        seen = watching.page.seq["fleet"]
        watching.until(lambda page: page.seq["fleet"] >= seen + 10)
        source.still = True
        watching.until(lambda page: page.agents == agents_over_http(client))
        assert watching.page.gaps == 0


class _Many:
    """Two thousand agents, all of whom change each time somebody looks."""

    def __init__(self) -> None:
        self.still, self._random = False, np.random.default_rng(1)
        status = nothing_to_show(Settings(), None).status
        names = tuple(f"agent {row}" for row in range(2_000))
        self._now = Picture(
            status.model_copy(update={"run": "many"}),
            Columns("many", names, names, names, names, np.zeros(2_000, np.int8), np.zeros((len(NUMBERS), 2_000))),
            (),
        )

    def picture(self) -> Picture:
        if not self.still:
            moved = self._now.fleet.numbers + self._random.normal(size=(len(NUMBERS), 2_000))
            self._now = replace(self._now, fleet=replace(self._now.fleet, numbers=moved))
        return self._now


@contextmanager
def raw_socket(web: Served, cookie: tuple[str, str]) -> Iterator[sockets.socket]:
    """A WebSocket that nobody reads from, with as little room for what comes as can be had."""
    host, port = web.url.removeprefix("http://").split(":")
    with sockets.socket() as raw:
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
        raw.connect((host, int(port)))
        lines = [
            "GET /api/live HTTP/1.1",
            f"Host: {host}:{port}",
            f"Origin: {web.url}",
            f"Cookie: {'='.join(cookie)}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Version: 13",
        ]
        raw.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        assert raw.recv(12) == b"HTTP/1.1 101"
        yield raw


def _masked(text: bytes) -> bytes:
    """A short text frame of RFC 6455 from a client, its mask all zeros."""
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text


def eventually(follower: Follower, phase: str) -> Status:
    deadline = time.monotonic() + 60
    while (status := follower.picture().status).phase != phase:
        assert time.monotonic() < deadline, f"it has not come to that: {status}"
        time.sleep(0.01)
    return status


def test_a_mistake_of_ours_ends_no_following_and_what_is_shown_then_says_that_it_is_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    follower = Follower(Settings(home=tmp_path), SystemClock())
    broken = threading.Event()
    step = Follower.step

    def breaking(self: Follower, pictured: float, *, look: bool) -> tuple[bool, bool]:
        if broken.is_set():
            raise KeyError("odd")
        return step(self, pictured, look=look)

    monkeypatch.setattr(Follower, "step", breaking)
    follower.start()
    try:
        broken.set()
        shown = eventually(follower, "failed")
        assert "what is shown is old" in shown.phase_text
        broken.clear()
        eventually(follower, "idle")
    finally:
        follower.stop()
    assert "cannot be followed" in caplog.text
