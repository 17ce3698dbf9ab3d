"""Stopping and resuming, over HTTP and in a browser, on a fleet that really trades in a process of its own."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from axe import axe_violations_in_both_schemes
from decisions_world import Running, fleet, positions, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import BrowserContext, Page, expect
from web_server import Served, served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.at_stake import Stake
from clawd.server.routes import standing
from clawd.server.site import Site
from clawd.server.standing import Heard, Level, RunAnswer, consequences
from clawd.store.journal import Journal
from clawd.store.switchboard import RESUME_WORD, Answer, Command, Switch, Switchboard

WORDS = {"stop_entries": "", "flatten": "FLATTEN", "halt": "HALT"}
STATES = {"stop_entries": "reducing", "flatten": "halted", "halt": "halted"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("standing") / "home"


@pytest.fixture(scope="module")
def trading(home: Path) -> Iterator[Running]:
    """A fleet at work."""
    with fleet(home) as running:
        yield running


@pytest.fixture(scope="module")
def desk(home: Path, trading: Running) -> Iterator[Served]:
    """A server over its home, once it holds something."""
    del trading
    with served(Site(Settings(home=home), SystemClock())) as at_work:
        with at_work.client() as client:
            until(lambda: positions(client) > 0, "the fleet to hold something", 120)
        yield at_work


@pytest.fixture
def hand(desk: Served) -> Iterator[httpx2.Client]:
    """A person at the desk of a fleet that is free to trade, before and after."""
    with desk.client() as client:
        free(client)
        yield client
        free(client)


def free(client: httpx2.Client) -> None:
    if client.get("/api/standing").json()["order"]["ordered"] != "resume":
        client.post("/api/resume", json={"word": "RESUME"})
    until(lambda: client.get("/api/standing").json()["answers"]["done"], "the fleet to be free")


def stop(client: httpx2.Client, level: str, word: str | None = None, **more: Any) -> httpx2.Response:
    return client.post("/api/standing", json={"level": level, "word": WORDS[level] if word is None else word, **more})


def audit(client: httpx2.Client, what: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = client.get("/api/audit", params={"what": what, "limit": 200}).json()["entries"]
    return entries


def commands(home: Path) -> int:
    with Switchboard.open(home) as switchboard:
        return switchboard.standing().number


def at_work(client: httpx2.Client) -> dict[str, Any]:
    """The run that is at work."""
    (run,) = [each for each in client.get("/api/standing").json()["runs"] if each["at_work"]]
    found: dict[str, Any] = run
    return found


# Over HTTP.


@pytest.mark.parametrize("level", list(WORDS))
def test_a_level_is_obeyed_entered_once_in_the_audit_and_resumed(hand: httpx2.Client, level: str) -> None:
    until(lambda: positions(hand) > 0, "the fleet to hold something")
    before = hand.get("/api/standing").json()
    (told,) = [each for each in before["levels"] if each["level"] == level]
    assert told["closed"] + told["kept"] >= 1
    assert (told["closed"] > 0) is (level == "flatten")
    assert float(told["notional"][0]["amount"]) > 0 and told["notional"][0]["currency"] == "USD"
    entered = len(audit(hand, "TradingStopped"))
    answer = stop(hand, level, why="a test")
    assert answer.status_code == 200
    number = answer.json()["order"]["number"]
    until(lambda: hand.get(f"/api/standing/orders/{number}").json()["done"], "the fleet to obey")
    # What the run has said is heard a moment before its journal is read.
    until(lambda: at_work(hand)["state"] == STATES[level], "the journal to say so")
    if level == "flatten":
        until(lambda: at_work(hand)["positions"] == 0 and not at_work(hand)["flattening"], "the journal to be flat")
    after = hand.get("/api/standing").json()
    (run,) = [each for each in after["runs"] if each["at_work"]]
    assert (after["order"]["ordered"], after["order"]["by"], after["order"]["why"]) == (level, "tester", "a test")
    if level == "flatten":
        assert after["answers"]["flat"] is True
        assert (run["positions"], run["entries"], run["exits"]) == (0, 0, 0)
    else:
        assert after["answers"]["flat"] is None
    entries = audit(hand, "TradingStopped")
    assert len(entries) == entered + 1
    facts = entries[0]["facts"]
    assert (facts["level"], facts["order"], facts["why"], entries[0]["by"]) == (level, number, "a test", "tester")
    assert facts["runs"] == [run["run"]] and facts["positions"] >= 1 and facts["agents"] >= 1
    resumed = hand.post("/api/resume", json={"word": "RESUME", "why": "over"})
    assert resumed.json()["order"]["ordered"] == "resume"
    until(lambda: hand.get("/api/standing").json()["runs"][0]["state"] == "active", "the fleet to trade again")
    assert audit(hand, "TradingResumed")[0]["facts"]["why"] == "over"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    word=st.one_of(st.sampled_from(["flatten", "FLATTEN ", "FLATTEN\n", "", "HALT", "RESUME"]), st.text(max_size=40))
)
def test_another_word_changes_nothing(hand: httpx2.Client, home: Path, word: str) -> None:
    before, entered = commands(home), len(audit(hand, "TradingStopped"))
    for level in ("flatten", "halt"):
        if word != WORDS[level]:
            assert stop(hand, level, word).status_code in (409, 422)
    # Nothing is stopped: the right word is refused as well.
    assert hand.post("/api/resume", json={"word": word}).status_code in (409, 422)
    assert commands(home) == before
    assert len(audit(hand, "TradingStopped")) == entered


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"level": "everything"},
        {"level": "flatten", "word": ["FLATTEN"]},
        {"level": "flatten", "word": "FLATTEN", "why": "x" * 501},
        {"level": "stop_entries", "once": "short"},
        {"level": "stop_entries", "more": 1},
        {"level": None, "word": None},
        [],
    ],
)
def test_nonsense_changes_nothing(hand: httpx2.Client, home: Path, body: Any) -> None:
    before = commands(home)
    answer = hand.post("/api/standing", json=body)
    assert answer.status_code == 422
    assert set(answer.json()) == {"what", "where", "hint"}
    assert commands(home) == before


def test_resuming_what_is_not_stopped_is_refused(hand: httpx2.Client) -> None:
    answer = hand.post("/api/resume", json={"word": "RESUME"})
    assert (answer.status_code, answer.json()["what"]) == (409, "nothing is halted")


def test_eight_clicks_at_once_are_one_order(hand: httpx2.Client, home: Path) -> None:
    before, entered = commands(home), len(audit(hand, "TradingStopped"))
    wish = {"once": "the very same wish"}
    with ThreadPoolExecutor(8) as pool:
        answers = [each.result() for each in [pool.submit(stop, hand, "stop_entries", **wish) for _ in range(8)]]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["order"]["number"] for answer in answers} == {before + 1}
    assert commands(home) == before + 1
    assert len(audit(hand, "TradingStopped")) == entered + 1
    again = stop(hand, "halt", **wish)
    assert (again.status_code, again.json()["where"]) == (409, "once")


def test_an_order_from_a_terminal_is_shown_and_a_later_one_takes_its_place(hand: httpx2.Client, home: Path) -> None:
    with Switchboard.open(home) as switchboard:
        given_there = switchboard.give(Switch.HALT, "ann", "from a terminal", time.time_ns())
    shown = hand.get("/api/standing").json()["order"]
    assert (shown["ordered"], shown["by"], shown["number"]) == ("halt", "ann", given_there.number)
    hand.post("/api/resume", json={"word": "RESUME"})
    assert hand.get(f"/api/standing/orders/{given_there.number}").json()["holds"] is False
    assert hand.get("/api/standing/orders/999999").status_code == 404
    listed = hand.get("/api/standing/orders", params={"last": 2}).json()
    assert [each["ordered"] for each in listed] == ["resume", "halt"]


# In a browser.


@pytest.fixture
def page(desk: Served, context: BrowserContext) -> Page:
    desk.sign_in(context)
    opened = context.new_page()
    opened.goto(desk.url)
    return opened


def press_until(page: Page, key: str, label: str) -> None:
    """Walk by keyboard until something of this name has the focus, which can be seen."""
    for _ in range(30):
        page.keyboard.press(key)
        found = page.evaluate(
            "() => { const it = document.activeElement; const style = getComputedStyle(it);"
            " const name = it.getAttribute('aria-label') || it.labels?.[0]?.innerText || it.innerText || '';"
            " return [name, style.outlineStyle !== 'none' || it.matches('input')] }"
        )
        if label in found[0]:
            assert found[1], f"the focus on {label} cannot be seen"
            return
    raise AssertionError(f"{key} never comes to {label}")


@pytest.mark.usefixtures("front_end")
def test_flatten_by_keyboard_alone_until_it_is_verified_and_resume_asks_again(
    hand: httpx2.Client, page: Page, home: Path
) -> None:
    until(lambda: positions(hand) > 0, "the fleet to hold something")
    before, entered = commands(home), len(audit(hand, "TradingStopped"))
    expect(page.get_by_role("button", name="Stop trading").first).to_be_visible()
    page.keyboard.press("Control+Shift+K")
    dialog = page.get_by_role("dialog", name="Stop trading")
    expect(dialog.get_by_role("radio", name="1 · Stop entries")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(dialog.get_by_role("radio", name="2 · Flatten")).to_be_checked()
    expect(dialog).to_contain_text("worth")
    expect(dialog).to_contain_text("closed at the market")
    go = dialog.get_by_role("button", name="Close ").last
    expect(go).to_be_disabled()
    press_until(page, "Tab", "Type FLATTEN to confirm")
    page.keyboard.type("flatten")
    page.keyboard.press("Enter")
    expect(go).to_be_disabled()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert commands(home) == before
    # Once more; what was typed is forgotten.
    page.keyboard.press("Control+Shift+K")
    expect(dialog.get_by_role("radio", name="1 · Stop entries")).to_be_checked()
    page.keyboard.press("ArrowDown")
    press_until(page, "Tab", "Type FLATTEN to confirm")
    page.keyboard.type("FLATTEN")
    page.keyboard.press("Enter")
    assert commands(home) == before, "Enter fires nothing by accident"
    press_until(page, "Tab", "Close 2 position" if "Close 2" in (go.inner_text() or "") else "Close 1 position")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Flat, verified with the venue")
    assert commands(home) == before + 1
    assert len(audit(hand, "TradingStopped")) == entered + 1
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    header = page.locator("header").first
    expect(header.or_(page.locator("main")).get_by_text("HALTED").first).to_be_visible()
    agents = hand.get("/api/agents").json()
    assert {row["state"] for row in agents["agents"]} <= {"halted", "fired", "released"}
    # Resuming asks again.
    page.keyboard.press("Control+Shift+K")
    expect(dialog).to_contain_text("flatten: close everything, and stay halted")
    dialog.get_by_role("button", name="Resume").click()
    again = page.get_by_role("dialog", name="Resume trading")
    resume = again.get_by_role("button", name="Resume trading")
    expect(resume).to_be_disabled()
    again.get_by_label("Type RESUME to confirm").fill("RESUME")
    resume.click()
    expect(again).to_contain_text("Every run has obeyed")


@pytest.mark.usefixtures("front_end")
def test_axe_finds_nothing_wrong_with_the_dialog(desk: Served, hand: httpx2.Client, page: Page) -> None:
    del hand
    page.goto(f"{desk.url}/risk")
    expect(page.get_by_role("heading", name="Limits")).to_be_visible()
    page.keyboard.press("Control+Shift+K")
    page.get_by_role("radio", name="2 · Flatten").check()
    expect(page.get_by_label("Type FLATTEN to confirm")).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []


@pytest.mark.usefixtures("front_end")
def test_stop_is_one_tap_away_on_a_phone(desk: Served, hand: httpx2.Client, page: Page) -> None:
    del hand
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{desk.url}/approvals")
    page.get_by_role("button", name="Stop trading").locator("visible=true").click()
    dialog = page.get_by_role("dialog", name="Stop trading")
    dialog.get_by_role("radio", name="3 · Halt").check()
    expect(dialog.get_by_role("button", name="Halt")).to_be_disabled()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# The last one: it kills the fleet.


def test_a_fleet_that_does_not_answer_and_then_dies_is_said_loudly_and_its_restart_obeys(
    hand: httpx2.Client, home: Path, trading: Running
) -> None:
    until(lambda: positions(hand) > 0, "the fleet to hold something")
    trading.process.send_signal(signal.SIGSTOP)
    answer = stop(hand, "flatten").json()
    assert [run["state"] for run in answer["runs"]] == ["waiting"]
    assert (answer["done"], answer["flat"]) == (False, False)
    assert answer["text"].startswith("not flat yet: waiting for")
    trading.kill()
    dead = hand.get(f"/api/standing/orders/{answer['order']['number']}").json()
    assert [run["state"] for run in dead["runs"]] == ["ended"]
    assert (dead["done"], dead["flat"]) == (False, False)
    assert "ended before it said that it is done" in dead["text"]
    with fleet(home):
        until(
            lambda: hand.get(f"/api/standing/orders/{answer['order']['number']}").json()["flat"],
            "the next process to close what the dead one held",
            120,
        )
        until(lambda: (at_work(hand)["state"], at_work(hand)["positions"]) == ("halted", 0), "the journal to say so")


# Without a fleet.


def test_without_a_run_the_order_is_kept_and_nothing_is_claimed(client: httpx2.Client, site: Site) -> None:
    answer = stop(client, "flatten").json()
    assert (answer["runs"], answer["flat"]) == ([], False)
    assert answer["text"] == "nothing is running; whatever starts next begins halted, and closes what it holds"
    with Switchboard.open(site.home) as switchboard:
        assert switchboard.standing().switch is Switch.FLATTEN
    assert [level["closed"] for level in client.get("/api/standing").json()["levels"]] == [0, 0, 0]


def test_a_reason_moves_no_cursor_and_refuses_no_stop(client: httpx2.Client, site: Site) -> None:
    answer = stop(client, "halt", why="odd\x1b[2J\u202e\n<b>über</b>")
    assert answer.status_code == 200
    with Switchboard.open(site.home) as switchboard:
        assert switchboard.standing().why == "odd [2J  <b>über</b>"


def test_a_run_that_has_only_begun_is_waited_for(client: httpx2.Client, site: Site) -> None:
    with Journal.open(site.home / "runs" / "young" / "journal.sqlite"):
        answer = stop(client, "halt").json()
        assert [(run["run"], run["state"]) for run in answer["runs"]] == [("young", "waiting")]
        shown = client.get("/api/standing").json()
        assert [(run["run"], run["at_work"], run["whole"]) for run in shown["runs"]] == [("young", True, False)]
        assert shown["levels"][0]["notional"] == [{"amount": None, "currency": "USD"}], "not nothing: not known"
        assert shown["answers"]["runs"][0]["positions"] is None
    assert client.get("/api/standing").json()["answers"]["runs"][0]["state"] == "ended"


def test_the_words_are_those_of_the_command_line(client: httpx2.Client) -> None:
    shown = client.get("/api/standing").json()
    assert shown["resume_word"] == RESUME_WORD
    assert {level["level"]: level["word"] for level in shown["levels"]} == {
        "stop_entries": None,
        "flatten": "FLATTEN",
        "halt": "HALT",
    }
    assert {level: level.switch for level in Level} == {
        Level.STOP_ENTRIES: Switch.REDUCE,
        Level.FLATTEN: Switch.FLATTEN,
        Level.HALT: Switch.HALT,
    }


def test_unlike_currencies_and_unknown_prices_are_never_added() -> None:
    from decimal import Decimal  # noqa: PLC0415

    from clawd.core.account_events import TradingState  # noqa: PLC0415

    def stake(notional: Decimal | None, currency: str, *, at_work: bool = True) -> Stake:
        return Stake("r", "bars", at_work, True, TradingState.ACTIVE, False, None, 2, 3, 1, 4, notional, currency)

    found = consequences(
        [
            stake(Decimal(5), "USD"),
            stake(Decimal(7), "USD"),
            stake(Decimal(11), "EUR"),
            stake(None, "BTC"),
            stake(Decimal(1), "BTC"),
            stake(Decimal(1000), "USD", at_work=False),
        ]
    )
    assert found[0].notional == {"USD": Decimal(12), "EUR": Decimal(11), "BTC": None}
    assert [(each.agents, each.cancelled, each.closed, each.kept) for each in found] == [
        (10, 5, 0, 15),
        (10, 5, 15, 0),
        (10, 5, 0, 15),
    ]


def test_a_resumption_that_the_days_limit_outlasts_is_not_said_to_free_anything() -> None:
    from decimal import Decimal  # noqa: PLC0415

    from clawd.core.account_events import TradingState  # noqa: PLC0415

    day = 86_400 * 10**9
    stake = Stake("r", "bars", True, True, TradingState.ACTIVE, False, 20_000 * day, 2, 0, 0, 0, Decimal(0), "USD")
    command = Command(2, 0, Switch.RESUME, "ann", "")
    heard = Heard(command, [RunAnswer("r", Answer("r", 0, "may enter positions again", True), True)], True)
    text = standing._answers(heard, [stake]).text
    assert "free to trade" not in text and "r until 2024-10-04" in text
    assert "free to trade" in standing._answers(heard, [replace(stake, halted_until=None)]).text


def test_what_is_flat_is_said_of_the_runs_that_have_heard_it() -> None:
    command = Command(2, 0, Switch.FLATTEN, "ann", "")
    heard = Heard(command, [RunAnswer("one", Answer("one", 0, "flat", True), True)], True)
    assert "one heard it" in standing._answers(heard, []).text
