"""What an order does not reach: accounts and runs that nobody is at work on, and that hold something all the same."""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from live_world import World, capture_account, small_run, write, written
from playwright.sync_api import Page, expect
from web_server import Served, served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.execution.recovery import replay
from clawd.server import at_stake
from clawd.server.site import Site
from clawd.store.journal import Journal
from clawd.store.switchboard import Switchboard


def asked(client: httpx2.Client, path: str = "standing") -> dict[str, Any]:
    answer = client.get(f"/api/{path}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def until(client: httpx2.Client, true: Any, path: str = "standing") -> dict[str, Any]:
    for _ in range(600):
        if true(found := asked(client, path)):
            return found
        time.sleep(0.05)
    raise AssertionError(f"it has not come to that: {found}")


def account(home: Path, name: str, bars: int = 30) -> tuple[World, int]:
    """An account that nobody is at work on, and how many positions its books hold."""
    world = replace(capture_account(), run=name)
    with Journal.open(written(world, home, bars), read_only=True) as journal:
        held = replay(journal.entries())
    return world, sum(bool(each.size) for agent in held.agents.values() for each in agent.holdings.values())


def at_work(stack: ExitStack, home: Path, name: str) -> str:
    """A run that a process is at work on: that of the test."""
    world = replace(small_run(), run=name)
    journal = stack.enter_context(Journal.open(world.path(home)))
    for part in world.bars()[:10]:
        write(journal, part)
    return name


def answer(home: Path, *runs: str) -> None:
    """Each of them says that it is flat."""
    with Switchboard.open(home) as switchboard:
        for run in runs:
            switchboard.answer(switchboard.standing(), run, "flat", time.time_ns(), done=True)


def flatten(client: httpx2.Client) -> dict[str, Any]:
    given: dict[str, Any] = client.post("/api/standing", json={"level": "flatten", "word": "FLATTEN"}).json()
    return given


def test_an_account_that_nobody_runs_is_named_and_keeps_all_from_being_flat(web: Served, client: httpx2.Client) -> None:
    home = web.site.home
    _, held = account(home, "left")
    assert held > 0
    with ExitStack() as stack:
        run = at_work(stack, home, "busy")
        found = until(client, lambda seen: [each["whole"] for each in seen["runs"]] == [True, True])
        assert [(each["run"], each["at_work"]) for each in found["runs"]] == [("busy", True), ("left", False)]
        (left,) = found["unattended"]
        assert (left["run"], left["kind"], left["positions"]) == ("left", "account", held)
        assert "start `clawd trade --account left` to have them closed" in left["text"]
        flatten_level = next(each for each in found["levels"] if each["level"] == "flatten")
        of_busy = next(each for each in found["runs"] if each["run"] == "busy")
        assert flatten_level["closed"] == of_busy["positions"], "what nobody closes is not said to be closed"
        given = flatten(client)
        number = given["order"]["number"]
        answer(home, run)
        heard = asked(client, f"standing/orders/{number}")
        assert (heard["done"], heard["flat"]) == (True, False)
        assert [each["run"] for each in heard["unattended"]] == ["left"]
        assert "nobody is at work on left" in heard["text"]


def test_an_account_that_holds_nothing_is_not_named(web: Served, client: httpx2.Client) -> None:
    home = web.site.home
    world, _ = account(home, "left", bars=1)
    with ExitStack() as stack:
        run = at_work(stack, home, "busy")
        until(client, lambda seen: [each["whole"] for each in seen["runs"]] == [True])
        number = flatten(client)["order"]["number"]
        answer(home, run)
        heard = asked(client, f"standing/orders/{number}")
        assert (heard["done"], heard["flat"], heard["unattended"]) == (True, True, [])
        # It is written to again, and holds something: what was known of it is not believed.
        with Journal.open(world.path(home)) as journal:
            for part in world.bars()[1:30]:
                write(journal, part)
        until(client, lambda seen: [each["run"] for each in seen["unattended"]] == ["left"])
        assert asked(client, f"standing/orders/{number}")["flat"] is False


def test_what_cannot_be_read_may_hold_something(web: Served, client: httpx2.Client) -> None:
    home = web.site.home
    world, _ = account(home, "left")
    with sqlite3.connect(world.path(home)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE journal SET body = replace(body, '1', '2') WHERE seq = 40")
    connection.close()
    with ExitStack() as stack:
        at_work(stack, home, "busy")
        found = until(client, lambda seen: seen["unattended"] and seen["runs"][0]["whole"])
        (left,) = found["unattended"]
        assert (left["run"], left["positions"], left["orders"]) == ("left", None, None)
        assert "could not be read: it may hold positions" in left["text"]


def test_a_run_over_bars_that_has_died_is_named_where_no_other_has_taken_its_place(
    web: Served, client: httpx2.Client
) -> None:
    home = web.site.home
    written(small_run(), home, 120)
    with ExitStack() as stack:
        stack.enter_context(Journal.open(replace(capture_account(), run="venue").path(home)))
        found = until(client, lambda seen: [each["positions"] for each in seen["unattended"]] not in ([], [None]))
        (left,) = found["unattended"]
        assert (left["run"], left["kind"]) == (small_run().run, "bars")
        assert "start `clawd up`" in left["text"]
        at_work(stack, home, "next")
        until(client, lambda seen: "next" in [each["run"] for each in seen["runs"]] and not seen["unattended"])


def test_a_run_that_died_before_the_server_was_started_again_has_not_obeyed(tmp_path: Path) -> None:
    site = Site(Settings(home=tmp_path / "home"), SystemClock())
    with ExitStack() as stack:
        run = at_work(stack, site.home, "dies")
        other = at_work(stack, site.home, "lives")
        with served(site) as web, web.client() as client:
            number = flatten(client)["order"]["number"]
    with ExitStack() as stack:
        stack.enter_context(Journal.open(replace(small_run(), run=other).path(site.home)))
        with served(Site(Settings(home=site.home), SystemClock())) as web, web.client() as client:
            answer(site.home, other)
            heard = asked(client, f"standing/orders/{number}")
            assert {each["run"]: each["state"] for each in heard["runs"]} == {run: "ended", other: "done"}
            assert (heard["done"], heard["flat"]) == (False, False)


def test_more_than_eight_runs_at_work_are_counted(web: Served, client: httpx2.Client) -> None:
    with ExitStack() as stack:
        names = {at_work(stack, web.site.home, f"run{k}") for k in range(11)}
        found = until(client, lambda seen: sum(each["whole"] for each in seen["runs"]) == 11)
        assert {each["run"] for each in found["runs"]} == names
        assert found["uncounted"] == 0
        halt = next(each for each in found["levels"] if each["level"] == "halt")
        assert halt["agents"] == sum(each["agents"] for each in found["runs"]) > 11


def test_runs_beyond_those_that_are_counted_are_said_to_be_there(
    web: Served, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_stake, "MOST_RUNS", 2)
    with ExitStack() as stack:
        for k in range(5):
            at_work(stack, web.site.home, f"run{k}")
        found = until(client, lambda seen: len(seen["runs"]) == 2)
        assert found["uncounted"] == 3


@pytest.mark.usefixtures("front_end")
def test_the_dialog_names_what_no_order_reaches_and_claims_no_flatness(
    web: Served, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_stake, "MOST_RUNS", 1)
    home = web.site.home
    _, held = account(home, "left")
    with ExitStack() as stack:
        runs = [at_work(stack, home, "busy"), at_work(stack, home, "more")]
        page.goto(web.url)
        page.get_by_role("button", name="Stop trading").first.click(timeout=30_000)
        dialog = page.get_by_role("dialog", name="Stop trading")
        named = f"Nobody is at work on left: it holds {held} position"
        expect(dialog).to_contain_text(named, timeout=30_000)
        expect(dialog).to_contain_text("clawd trade --account left")
        expect(dialog).to_contain_text("And 1 more run at work, not counted here")
        dialog.get_by_role("radio", name="2 · Flatten").check()
        dialog.get_by_label("Type FLATTEN to confirm").fill("FLATTEN")
        dialog.get_by_role("button", name="Close ").or_(dialog.get_by_role("button", name="Flatten")).last.click()
        expect(dialog).to_contain_text("Order 1, recorded", timeout=30_000)
        answer(home, *runs)
        expect(dialog).to_contain_text("NOT FLAT elsewhere", timeout=30_000)
        expect(dialog).not_to_contain_text("Flat, verified")
        expect(dialog.get_by_label("What no order reaches")).to_contain_text(named)
