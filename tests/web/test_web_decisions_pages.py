"""Approvals, Risk & audit and Settings in a browser: by keyboard, in two windows, in both schemes, on a phone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from axe import axe_violations_in_both_schemes
from decisions_world import PASSPHRASE
from playwright.sync_api import BrowserContext, Page, expect
from web_server import Served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.risk.approvals import Mark, State, needs_approval
from clawd.server.site import Site
from clawd.store import keys
from clawd.store.approval_desk import ApprovalDesk
from risk.signed_orders import ORDER

PRICE = Decimal(1000)
HOSTILE = "<img src=x onerror=window.hurt=1>"

pytestmark = pytest.mark.usefixtures("front_end")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A home with two approvers, both of whom must approve."""
    monkeypatch.setattr(keys, "SCRYPT_COST", 2**4)
    home = tmp_path / "home"
    for name in ("alice", "bob"):
        keys.trust(home, keys.make_key(home, name, PASSPHRASE))
    return Site(Settings(home=home, approval_notional=Decimal(1000), approvals_needed=2), SystemClock())


@pytest.fixture
def desk(site: Site) -> Iterator[ApprovalDesk]:
    """A trading process of this home."""
    opened = ApprovalDesk.open(site.settings, "main", "paper", 60 * 10**9)
    yield opened
    opened.close()


def ask(desk: ApprovalDesk, name: str, at: int | None = None, agent: str = "a001") -> str:
    order = replace(ORDER, id=name, agent=agent)
    request = desk.request(order, needs_approval(order, PRICE, None, None, desk.policy()), PRICE, at or time.time_ns())
    desk.note_mark(request, Mark(Decimal("1003.5"), time.time_ns()))
    return request


def state(desk: ApprovalDesk, request: str) -> State:
    now = time.time_ns()
    return desk.state(request, now, Mark(PRICE, now)).state


def walk_to(page: Page, label: str) -> None:
    """Press Tab until something of this name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        name = page.evaluate(
            "() => { const it = document.activeElement;"
            " return it.getAttribute('aria-label') || it.labels?.[0]?.innerText || it.innerText || '' }"
        )
        if name.startswith(label):
            return
    raise AssertionError(f"Tab never comes to {label}")


def test_two_people_approve_by_keyboard_and_the_other_window_follows(
    page: Page, web: Served, desk: ApprovalDesk, context: BrowserContext
) -> None:
    request = ask(desk, "o1")
    other = context.new_page()
    for window in (page, other):
        window.goto(f"{web.url}/approvals")
        ticket = window.get_by_role("article", name="Buy 1.5 BTCUSDT")
        expect(ticket).to_contain_text("1,500.00 USDT")
        expect(ticket).to_contain_text("Waits because its notional 1503 is above 1000")
        expect(ticket).to_contain_text("expires in 59 min")
        expect(ticket).to_contain_text("+0.35% of ±1.00% allowed")
        expect(ticket).to_contain_text("0 of 2 needed, 2 may sign · nobody has decided")
    page.bring_to_front()
    for key, count in (("alice", "1 of 2"), ("bob", "2 of 2")):
        walk_to(page, "Approve")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Approve: Buy 1.5 BTCUSDT")
        expect(dialog.get_by_label("Reason")).to_be_focused()
        page.keyboard.type("fine")
        expect(dialog.get_by_text("clawd approval v1")).to_be_visible()
        expect(dialog.get_by_text('"why": "fine"')).to_be_visible()
        assert dialog.get_by_label("Key that signs").input_value() == key
        sign = dialog.get_by_role("button", name="Sign the approval")
        expect(sign).to_be_disabled()
        walk_to(page, f"Passphrase of {key}")
        page.keyboard.type("wrong horse battery" if key == "alice" else PASSPHRASE)
        walk_to(page, "Sign the approval")
        page.keyboard.press("Enter")
        if key == "alice":
            expect(dialog.get_by_role("alert")).to_contain_text("The passphrase is wrong")
            assert dialog.get_by_label(f"Passphrase of {key}").input_value() == "", "it is forgotten"
            assert state(desk, request) is State.WAITING
            dialog.get_by_label(f"Passphrase of {key}").fill(PASSPHRASE)
            walk_to(page, "Sign the approval")
            page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
        expect(other.get_by_role("article")).to_contain_text(f"{count} needed")
    assert state(desk, request) is State.GRANTED
    now = time.time_ns()
    desk.use(request, replace(ORDER, id="o1"), now, Mark(PRICE, now))
    row = other.get_by_role("row").filter(has_text="Buy 1.5 BTCUSDT")
    expect(row).to_contain_text("Sent")
    expect(row).to_contain_text("approved by alice, bob")
    page.goto(f"{web.url}/risk")
    log = page.get_by_role("region", name="Audit log").last
    expect(log.get_by_role("row").filter(has_text="Approval signed")).to_have_count(2)
    expect(page.get_by_text("chain whole")).to_be_visible()


def test_a_rejection_needs_a_reason_and_an_expired_order_cannot_be_approved(
    page: Page, web: Served, desk: ApprovalDesk
) -> None:
    request, drifted = ask(desk, "o1"), ask(desk, "o2", agent=HOSTILE)
    ask(desk, "o3", at=time.time_ns() - 2 * 3_600 * 10**9)
    desk.note_mark(drifted, Mark(Decimal("1020.5"), time.time_ns()))
    page.goto(f"{web.url}/approvals")
    expect(page.get_by_role("row").filter(has_text="Expired")).to_contain_text("its time has passed")
    expect(page.get_by_role("article")).to_have_count(2)
    gone = page.get_by_role("article").filter(has_text="the price has moved to 1020.5")
    expect(gone).to_contain_text(HOSTILE)
    expect(gone.get_by_role("button", name="Approve")).to_be_disabled()
    page.get_by_role("article").filter(has_text="a001").get_by_role("button", name="Reject").click()
    dialog = page.get_by_role("dialog", name="Reject: Buy 1.5 BTCUSDT")
    dialog.get_by_label("Passphrase of alice").fill(PASSPHRASE)
    expect(dialog.get_by_role("button", name="Sign the rejection")).to_be_disabled()
    dialog.get_by_label("Reason").fill("too large before the weekend")
    dialog.get_by_role("button", name="Sign the rejection").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("row").filter(has_text="rejected by alice")).to_contain_text(
        "“too large before the weekend”"
    )
    assert state(desk, request) is State.REJECTED
    assert page.evaluate("() => window.hurt") is None


def test_a_limit_is_loosened_with_a_typed_word_and_the_audit_says_so(page: Page, web: Served, site: Site) -> None:
    page.goto(f"{web.url}/risk")
    page.get_by_role("button", name="Change Day's loss limit").click()
    dialog = page.get_by_role("dialog", name="Day's loss limit")
    value = dialog.get_by_label("New value")
    value.fill("lots")
    expect(dialog.get_by_role("alert")).to_contain_text("must be a number")
    value.fill("3")
    loosen = dialog.get_by_role("button", name="Loosen the limit")
    expect(loosen).to_be_disabled()
    dialog.get_by_label("Type LOOSEN to confirm").fill("LOOSEN")
    expect(loosen).to_be_disabled()
    dialog.get_by_label("Type LOOSEN once more").fill("LOOSEN")
    loosen.click()
    expect(dialog).to_be_hidden()
    limit = page.get_by_role("row").filter(has_text="Day's loss limit").first
    expect(limit).to_contain_text("3.00 USD")
    expect(limit).to_contain_text("set here")
    expect(page.get_by_role("row").filter(has_text="Setting changed")).to_contain_text("before 2 · after 3")
    assert Settings(home=site.home).day_loss_limit == 3


def test_axe_finds_nothing_wrong(page: Page, web: Served, desk: ApprovalDesk) -> None:
    drifted = ask(desk, "o1")
    desk.note_mark(drifted, Mark(Decimal("1020.5"), time.time_ns()))
    ask(desk, "o2", at=time.time_ns() - 2 * 3_600 * 10**9)
    page.goto(f"{web.url}/approvals")
    page.get_by_text("Every field of the order").click()
    assert axe_violations_in_both_schemes(page) == []
    page.get_by_role("button", name="Reject").click()
    page.get_by_label("Reason").fill("no")
    expect(page.get_by_text("clawd rejection v1")).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []
    page.goto(f"{web.url}/risk")
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_text("chain whole")).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []
    page.get_by_role("button", name="Change Day's loss limit").click()
    page.get_by_label("New value").fill("3")
    expect(page.get_by_label("Type LOOSEN once more")).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []
    page.goto(f"{web.url}/settings")
    page.get_by_role("button", name="Licences of all packages").click()
    expect(page.get_by_text("SIL OPEN FONT LICENSE").first).to_be_visible()
    assert axe_violations_in_both_schemes(page) == []


@pytest.mark.parametrize("path", ["approvals", "risk", "settings"])
def test_a_phone_has_no_second_direction_to_scroll_in(page: Page, web: Served, desk: ApprovalDesk, path: str) -> None:
    ask(desk, "o1")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{web.url}/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_signs_in_is_on_the_same_page_as_everything_else_that_can_be_set(page: Page, web: Served) -> None:
    page.goto(f"{web.url}/settings")
    page.get_by_label("Profit and loss").select_option("Blue / orange")
    assert page.evaluate("document.documentElement.dataset.profitColours") == "blue-orange"
    keys_of_approvers = page.get_by_role("region", name="Keys of approvers")
    expect(keys_of_approvers.get_by_role("row").filter(has_text="alice")).to_contain_text("✓ yes")
    expect(page.get_by_role("link", name="tradingview.com")).to_have_attribute("href", "https://www.tradingview.com/")
