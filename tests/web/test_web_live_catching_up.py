"""A journal that takes long to read: how far it has been read is said, and what it once said is not shown as of now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from live_world import small_run, written
from playwright.sync_api import BrowserContext, expect
from web_server import Served, served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.frames import Status
from clawd.server.live import follower, reader
from clawd.server.live.orders import Orders
from clawd.server.live.places import places
from clawd.server.live.reader import Reader
from clawd.server.live.status import Child, nothing_to_show, status_of
from clawd.server.live.tale import Tale
from clawd.server.site import Site
from clawd.store.entry import Entry
from clawd.store.journal import Journal

#: What the process that trades says meanwhile: it has been started again, and reads its journal too.
SEARCHED = Child("searching", "every strategy was tried and ranked", 1.0)
FIGURES = ("market_time", "equity", "day_profit", "reserved", "drawdown", "gross", "agents", "positions", "approvals")


def status(home: Path, reading: Reader, child: Child | None) -> Status:
    settings = Settings(home=home)
    (place,) = places(home)
    before = nothing_to_show(settings, None)
    return status_of(reading, place, child, Orders(home), settings, None, before).status


@pytest.mark.parametrize("child", [None, SEARCHED, Child("trading", "trading on paper", None)])
def test_until_its_end_has_been_read_a_journal_says_how_far_and_nothing_else(
    tmp_path: Path, child: Child | None
) -> None:
    world = small_run()
    path = written(world, tmp_path, 60)
    reading, shares = Reader(path, world.run), []
    with Journal.open(path, read_only=True) as journal:
        length = journal.head[0]
    reading.look()
    while not reading.current:
        shown = status(tmp_path, reading, child)
        assert shown.phase == "catching_up"
        assert f"{reading.tale.seq:,} of {length:,} entries" in shown.phase_text
        assert shown.progress == reading.tale.seq / length
        assert {getattr(shown, figure) for figure in FIGURES} == {None}
        shares.append(shown.progress)
        reading.advance(0.0)
    assert len(shares) > 3 and shares == sorted(set(shares)), "it goes on"
    shown = status(tmp_path, reading, child)
    assert shown.phase == ("searching" if child is SEARCHED else "stopped")
    assert shown.market_time == world.bars()[59][-1].ts / 1e6 and shown.equity is not None


def test_that_the_process_has_failed_is_said_before_anything_else(tmp_path: Path) -> None:
    world = small_run()
    reading = Reader(written(world, tmp_path, 20), world.run)
    reading.look()
    shown = status(tmp_path, reading, Child("failed", "no disk is left", None))
    assert (shown.phase, shown.phase_text, shown.market_time) == ("failed", "no disk is left", None)


def test_who_falls_far_behind_has_to_catch_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_CAUGHT_UP", 100)
    world = small_run()
    reading = Reader(written(world, tmp_path, 3), world.run)
    while reading.behind or not reading.current:
        reading.advance(1.0)
    with Journal.open(world.path(tmp_path)) as journal:
        for part in world.bars()[3:40]:
            journal.append([(entry.ts, entry.kind, entry.body) for entry in part])
    reading.advance(0.0)
    assert reading.behind > 100 and not reading.current
    assert status(tmp_path, reading, None).phase == "catching_up"


class Gate:
    """Lets a journal be read up to an entry, and on when it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
        self.opened, take = threading.Event(), Tale.take

        def taken(tale: Tale, entry: Entry) -> object:
            assert entry.seq <= after or self.opened.wait(60)
            return take(tale, entry)

        monkeypatch.setattr(Tale, "take", taken)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    monkeypatch.setattr(follower, "_LONG_SLICE", 0.0)
    made = Gate(monkeypatch, 200)
    yield made
    made.opened.set()


@pytest.fixture
def restarted(tmp_path: Path, gate: Gate) -> Iterator[Served]:
    """A server over a run whose process has been started again, with most of the journal still to be read."""
    del gate
    site = Site(Settings(home=tmp_path / "home"), SystemClock())
    written(small_run(), site.home, 60)
    site.phase = lambda: (SEARCHED.phase, SEARCHED.text, SEARCHED.progress)
    with served(site) as web:
        yield web


def waited(client: httpx2.Client, phase: str) -> dict[str, object]:
    for _ in range(3_000):
        found: dict[str, object] = client.get("/api/status").json()
        if found["phase"] == phase:
            return found
        threading.Event().wait(0.02)
    raise AssertionError(f"it has not come to {phase}: {found}")


def test_routes_refuse_to_tell_the_past_for_now_until_the_journal_has_been_read(restarted: Served, gate: Gate) -> None:
    with restarted.client() as client:
        shown = waited(client, "catching_up")
        assert (shown["market_time"], shown["equity"], shown["run"]) == (None, None, small_run().run)
        for path in ("positions", "orders", "equity", "agents", "journal", "alerts", "agents/a001", "risk"):
            answer = client.get(f"/api/{path}")
            assert answer.status_code == 409, path
            assert "is still being read" in answer.json()["what"] and "entries" in answer.json()["what"]
        gate.opened.set()
        shown = waited(client, "searching")
        assert shown["market_time"] == small_run().bars()[59][-1].ts / 1e6
        assert client.get("/api/agents").json()["total"] >= 8
        assert client.get("/api/positions").status_code == 200


@pytest.mark.usefixtures("front_end")
def test_pages_say_that_the_journal_is_read_and_show_no_old_time(
    restarted: Served, gate: Gate, context: BrowserContext
) -> None:
    restarted.sign_in(context)
    page = context.new_page()
    page.goto(restarted.url)
    head = page.locator("header.head")
    expect(head.locator(".phase")).to_contain_text("Reading the journal")
    expect(page.get_by_test_id("catching-up")).to_contain_text("entries")
    expect(head).not_to_contain_text("Searching")
    expect(head.locator("time")).to_have_count(0)
    expect(page.get_by_test_id("equity")).to_have_count(0)
    page.goto(f"{restarted.url}/fleet")
    expect(page.get_by_test_id("catching-up")).to_be_visible()
    gate.opened.set()
    expect(page.get_by_test_id("count")).to_contain_text(" agents", timeout=60_000)


def test_facts_are_put_into_words_when_somebody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of a hundred facts are shown, of however many there were: the others are never made."""
    made: list[int] = []
    line = Tale._line
    monkeypatch.setattr(Tale, "_line", lambda tale, news: (made.append(news.seq), line(tale, news))[1])
    world = small_run()
    tale = Tale(world.run, tmp_path)
    half = len(world.entries) // 2
    for entry in world.entries[:half]:
        tale.take(entry)
    assert not made
    first = tale.feed
    assert len(first) == 100 == len(made)
    assert tale.feed is first
    for entry in world.entries[half:]:
        tale.take(entry)
    last = tale.feed
    assert [each.seq for each in last] == sorted(each.seq for each in last)
    assert last[-1].kind == "RunFinished" and len(set(made)) == len(made), "no line is made twice"
