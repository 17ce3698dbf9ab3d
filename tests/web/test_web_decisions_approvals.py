"""Orders that wait for people, over HTTP: what is shown is what is signed; what would be worth nothing is refused."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from decisions_world import PASSPHRASE, captures, everything_written, until, venue_fleet
from web_server import Served, served

from clawd.core.clock import SystemClock
from clawd.core.orders import OrderKind
from clawd.core.settings import Settings
from clawd.risk.approvals import Mark, State, needs_approval
from clawd.risk.ed25519 import verify
from clawd.server.signing import MOST_WRONG, WITHIN
from clawd.server.site import Site
from clawd.store import keys
from clawd.store.approval_desk import ApprovalDesk
from clawd.store.approval_queue import queue
from clawd.store.journal import open_journal
from risk.signed_orders import ORDER

PRICE = Decimal(1000)
SILENCE = 60 * 10**9
NEEDED = {"approval_notional": Decimal(1000), "approvals_needed": 2}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A home with three approvers, two of whom must approve."""
    monkeypatch.setattr(keys, "SCRYPT_COST", 2**4)
    home = tmp_path / "home"
    for name in ("alice", "bob", "carol"):
        keys.trust(home, keys.make_key(home, name, PASSPHRASE))
    return Site(Settings(home=home, **NEEDED), SystemClock())


@pytest.fixture
def desk(site: Site) -> Iterator[ApprovalDesk]:
    """A trading process of this home."""
    opened = ApprovalDesk.open(site.settings, "main", "paper", SILENCE)
    yield opened
    opened.close()


def ask(desk: ApprovalDesk, at: int | None = None, **changes: Any) -> str:
    order = replace(ORDER, **changes)
    reasons = needs_approval(order, PRICE, None, None, desk.policy())
    return desk.request(order, reasons, PRICE, at or time.time_ns())


def text_of(client: httpx2.Client, request: str, decision: str = "approve", key: str = "alice", why: str = "") -> Any:
    return client.get(f"/api/approvals/{request}/text", params={"decision": decision, "key": key, "why": why})


def decide(
    client: httpx2.Client,
    request: str,
    key: str = "alice",
    decision: str = "approve",
    why: str = "",
    passphrase: str = PASSPHRASE,
    digest: str | None = None,
) -> httpx2.Response:
    """As the page does it: what is signed is asked for first."""
    if digest is None:
        shown = text_of(client, request, decision, key, why)
        digest = shown.json().get("digest", "0" * 64)
    body = {"decision": decision, "key": key, "passphrase": passphrase, "why": why, "digest": digest}
    return client.post(f"/api/approvals/{request}/decision", json=body)


def state(desk: ApprovalDesk, request: str) -> State:
    now = time.time_ns()
    return desk.state(request, now, Mark(PRICE, now)).state


def audited(client: httpx2.Client) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = client.get("/api/audit").json()["entries"]
    return entries


def signatures(desk: ApprovalDesk) -> int:
    with sqlite3.connect(desk._file.path) as connection:
        (count,) = connection.execute("SELECT COUNT(*) FROM facts WHERE kind != 'ApprovalRequested'").fetchone()
    connection.close()
    return int(count)


def test_two_people_approve_it_and_a_second_tab_sees_it(client: httpx2.Client, desk: ApprovalDesk, web: Served) -> None:
    request = ask(desk)
    first = decide(client, request, "alice", why="fine")
    assert first.status_code == 200, first.text
    assert (first.json()["state"], first.json()["approved"], first.json()["needed"]) == ("waiting", 1, 2)
    assert state(desk, request) is State.WAITING
    with web.client() as second_tab:
        (seen,) = second_tab.get("/api/approvals").json()["waiting"]
        said = {signer["name"]: (signer["decided"], signer["why"]) for signer in seen["signers"]}
        assert said == {"alice": ("approved", "fine"), "bob": (None, ""), "carol": (None, "")}
        assert decide(second_tab, request, "bob").json()["state"] == "approved"
    assert state(desk, request) is State.GRANTED
    now = time.time_ns()
    desk.use(request, ORDER, now, Mark(PRICE, now))
    history = client.get("/api/approvals").json()["history"]
    assert [each["state"] for each in history] == ["used"]
    told = [(entry["what"], entry["facts"]["key"], entry["facts"]["approved"]) for entry in audited(client)]
    assert told == [("ApprovalSigned", "bob", 2), ("ApprovalSigned", "alice", 1)]
    assert {entry["by"] for entry in audited(client)} == {"tester"}


def test_the_ticket_has_every_field_and_the_numbers(client: httpx2.Client, desk: ApprovalDesk) -> None:
    request = ask(desk)
    desk.note_mark(request, Mark(Decimal("1003.5"), time.time_ns()))
    (ticket,) = client.get("/api/approvals").json()["waiting"]
    assert ticket == client.get(f"/api/approvals/{request}").json()
    assert (ticket["side"], ticket["size"], ticket["symbol"], ticket["agent"]) == ("buy", "1.5", "BTCUSDT", "a001")
    assert ticket["notional"] == {"amount": "1500", "currency": "USDT"}
    assert ticket["reasons"] == ["its notional 1503 is above 1000"]
    assert (ticket["drift"], ticket["allowed_drift"], ticket["drifted"]) == ("0.0035", "0.01", False)
    assert (ticket["price"], ticket["reference"]) == ("1003.5", "1000")
    assert 3_590_000 < ticket["expires_at"] - time.time() * 1000 <= 3_600_000
    shown = {field["name"]: field["value"] for field in ticket["order"]}
    signed = json.loads(text_of(client, request).json()["text"].split("\n", 1)[1])["request"]["order"]
    assert set(shown) == {name for name, value in signed.items() if value is not None} - {"class"}
    assert shown["limit"] == "1002" and shown["time_in_force"] == "GTD" and shown["post_only"] == "True"


def test_what_is_shown_is_what_the_signature_is_of(client: httpx2.Client, desk: ApprovalDesk, site: Site) -> None:
    request = ask(desk)
    shown = text_of(client, request, why="für Ann").json()
    assert decide(client, request, why="für Ann", digest=shown["digest"]).status_code == 200
    with sqlite3.connect(desk._file.path) as connection:
        (body,) = connection.execute("SELECT body FROM facts WHERE kind = 'ApprovalGiven'").fetchone()
    connection.close()
    (alice,) = [each for each in keys.trusted(site.home) if each.name == "alice"]
    assert verify(alice.public_key, bytes.fromhex(json.loads(body)["signature"]), shown["text"].encode())
    assert shown["fingerprint"] == alice.fingerprint


def test_other_words_or_another_text_than_was_shown_are_not_signed(client: httpx2.Client, desk: ApprovalDesk) -> None:
    request = ask(desk)
    digest = text_of(client, request, why="fine").json()["digest"]
    for answer in (
        decide(client, request, why="other words", digest=digest),
        decide(client, request, decision="reject", why="fine", digest=digest),
        decide(client, request, key="bob", why="fine", digest="0" * 64),
    ):
        assert answer.status_code == 409
        assert "no longer what was shown" in answer.json()["what"]
    assert signatures(desk) == 0
    assert audited(client) == []


def test_a_rejection_is_final_and_needs_a_reason(client: httpx2.Client, desk: ApprovalDesk) -> None:
    request = ask(desk)
    decide(client, request, "alice")
    without = decide(client, request, "bob", "reject", " ")
    assert (without.status_code, without.json()["where"]) == (409, "why")
    assert decide(client, request, "bob", "reject", "too large").json()["state"] == "rejected"
    late = decide(client, request, "carol")
    assert late.status_code == 409
    assert "bob rejected it" in late.json()["what"]
    assert state(desk, request) is State.REJECTED


def test_expired_changed_drifted_and_signed_ones_cannot_be_approved_and_say_why(
    client: httpx2.Client, desk: ApprovalDesk, site: Site
) -> None:
    expired = ask(desk, at=time.time_ns() - 7_200 * 10**9, id="expired")
    drifted, signed, changed = (ask(desk, id=name) for name in ("drifted", "signed", "changed"))
    desk.note_mark(drifted, Mark(Decimal("1020.5"), time.time_ns()))
    decide(client, signed)
    for request, words in (
        (expired, "its time has passed"),
        (drifted, "the price has moved to 1020.5"),
        (signed, "alice has approved it already"),
    ):
        answer = decide(client, request)
        assert answer.status_code == 409, request
        assert words in answer.json()["what"]
    shown = {each["id"]: each for each in client.get("/api/approvals").json()["waiting"]}
    assert shown[drifted]["drifted"] and not shown[drifted]["may_approve"]
    assert "by more than it may" in shown[drifted]["objection"]
    # The price comes back, and it can be approved.
    desk.note_mark(drifted, Mark(Decimal(1001), time.time_ns()))
    assert decide(client, drifted).status_code == 200
    keys.untrust(site.home, "carol")
    answer = decide(client, changed)
    assert answer.status_code == 409
    assert "who may approve" in answer.json()["what"]


def test_a_wrong_passphrase_signs_nothing_and_cannot_be_guessed(
    client: httpx2.Client, desk: ApprovalDesk, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    clock = [0.0]
    site.signers.elapsed = lambda: clock[0]
    request = ask(desk)
    for left in range(MOST_WRONG - 1, -1, -1):
        answer = decide(client, request, passphrase="wrong horse battery")
        assert answer.status_code == 400
        assert answer.json()["where"] == "passphrase"
        assert answer.json()["hint"].startswith(f"{left} more")
    # Now the right one is not tried either, nor are the other keys held up.
    refused = decide(client, request)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) <= WITHIN + 1
    assert decide(client, request, "bob").status_code == 200
    clock[0] = WITHIN
    assert decide(client, request).status_code == 200
    assert "horse" not in caplog.text


def test_guesses_at_once_are_counted_one_by_one(client: httpx2.Client, desk: ApprovalDesk) -> None:
    request = ask(desk)
    digest = text_of(client, request).json()["digest"]
    with ThreadPoolExecutor(12) as pool:
        guesses = [pool.submit(decide, client, request, passphrase=f"guess {n:08}", digest=digest) for n in range(12)]
    codes = sorted(guess.result().status_code for guess in guesses)
    assert codes == [400] * MOST_WRONG + [429] * (12 - MOST_WRONG)


def test_the_passphrase_is_in_no_file_no_answer_and_no_log(
    client: httpx2.Client, desk: ApprovalDesk, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    request = ask(desk)
    answers = [
        decide(client, request).text,
        decide(client, request, "bob", passphrase=PASSPHRASE + "!").text,
        client.post(
            f"/api/approvals/{request}/decision",
            json={"decision": "shrug", "key": "bob", "passphrase": PASSPHRASE, "why": "", "digest": "x", "more": 1},
        ).text,
        client.get("/api/audit").text,
        client.get("/api/audit/export").text,
    ]
    seed = keys.unlock(site.home / "keys" / "alice.key", PASSPHRASE)
    written = everything_written(site.home)
    for secret in (PASSPHRASE, seed.hex()):
        assert secret.encode() not in written
        assert secret not in caplog.text
        assert not any(secret in answer for answer in answers)
    assert seed not in written


@pytest.mark.parametrize("key", ["dave", "../keys/alice", "alice.key", "/etc/passwd", "a/b.key", ".", "alice\u0000"])
def test_only_keys_of_this_home_sign(client: httpx2.Client, desk: ApprovalDesk, key: str) -> None:
    request = ask(desk)
    assert text_of(client, request, key=key).status_code == 404
    assert decide(client, request, key=key, digest="0" * 64).status_code == 404
    assert signatures(desk) == 0


def test_a_key_that_is_not_trusted_decides_nothing(client: httpx2.Client, desk: ApprovalDesk, site: Site) -> None:
    request = ask(desk)
    keys.make_key(site.home, "mallory", PASSPHRASE)
    answer = decide(client, request, key="mallory")
    assert answer.status_code == 409
    assert "may not decide" in answer.json()["what"]
    listed = {each["name"]: each for each in client.get("/api/approvers").json()}
    assert (listed["mallory"]["trusted"], listed["alice"]["trusted"]) == (False, True)


def test_ids_that_are_none_and_an_empty_home(client: httpx2.Client) -> None:
    assert client.get("/api/approvals").json()["waiting"] == []
    for path in ("/api/approvals/0123456789abcdef", "/api/approvals/0123456789abcdef/text?decision=approve&key=alice"):
        assert client.get(path).status_code == 404
    assert client.get("/api/approvals/nonsense").status_code == 422
    assert decide(client, "0123456789abcdef", digest="0" * 64).status_code == 404


def test_a_damaged_request_hides_no_other(client: httpx2.Client, desk: ApprovalDesk) -> None:
    broken, whole = ask(desk, id="broken"), ask(desk)
    with sqlite3.connect(desk._file.path) as connection:
        connection.execute("DROP TRIGGER facts_keep")
        connection.execute("UPDATE facts SET body = 'x' WHERE request = ?", (broken,))
    connection.close()
    answer = client.get("/api/approvals").json()
    assert [each["id"] for each in answer["waiting"]] == [whole]
    assert [each["id"] for each in answer["damaged"]] == [broken]


def test_a_limit_that_nobody_could_approve_is_said(tmp_path: Path) -> None:
    with served(Site(Settings(home=tmp_path / "home", **NEEDED), SystemClock())) as at_work, at_work.client() as client:
        answer = client.get("/api/approvals").json()
    assert answer["in_force"]
    assert "could never be approved" in answer["warning"]


def sent(home: Path) -> list[str]:
    """The ids of the entries that went to the venue."""
    with open_journal(home / "accounts" / "captures" / "journal.sqlite", read_only=True) as journal:
        return [
            entry.body["order"]
            for entry in journal.entries()
            if entry.kind == "OrderSubmitted" and entry.body["order_kind"] == OrderKind.OPENING
        ]


def test_a_process_that_trades_sends_nothing_of_a_rejected_order_and_an_approved_one_once(tmp_path: Path) -> None:
    """`clawd trade` itself, from the first request to the venue."""
    home = tmp_path / "home"
    cost, keys.SCRYPT_COST = keys.SCRYPT_COST, 2**4  # type: ignore[misc]
    try:
        keys.trust(home, keys.make_key(home, "alice", PASSPHRASE))
    finally:
        keys.SCRYPT_COST = cost  # type: ignore[misc]
    files = captures(tmp_path / "captures", 7_200, int(time.time()) - 7_200)
    limits = {"CLAWD_APPROVAL_NOTIONAL": "100", "CLAWD_APPROVAL_DRIFT": "0.5", "CLAWD_APPROVAL_LIFETIME": "604800"}
    with (
        served(Site(Settings(home=home, approval_notional=Decimal(100)), SystemClock())) as at_work,
        at_work.client() as client,
        venue_fleet(home, files, **limits) as running,
    ):

        def waiting() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = client.get("/api/approvals").json()["waiting"]
            return [each for each in found if each["state"] == "waiting"]

        until(waiting, "an order that waits")
        first = waiting()[0]["id"]
        assert decide(client, first, decision="reject", why="not before lunch").status_code == 200
        until(lambda: [each for each in waiting() if each["id"] != first], "the agent's next decision")
        second = waiting()[0]["id"]
        # Two people, or one with a quick finger: one signature counts, one order is sent.
        codes = [decide(client, second).status_code, decide(client, second).status_code]
        assert codes == [200, 409]
        until(lambda: client.get(f"/api/approvals/{second}").json()["state"] == "used", "the order to be sent")
        shown = client.get(f"/api/approvals/{second}").json()
        orders = {
            each.request.id: json.loads(each.request.order)["id"].removeprefix("str ") for each in queue(home, 0).seen
        }
        # An approval is used up before the order is sent: a process that died in between would not send it.
        until(lambda: orders[second] in sent(home), "the order at the venue")
        until(waiting, "the agent to decide again")
        running.kill()
    entries = sent(home)
    assert entries.count(orders[second]) == 1
    assert orders[first] not in entries
    assert {"name": "id", "value": orders[second]} in shown["order"]
    assert set(entries) <= {orders[second]}, "nothing above the limit goes out unsigned"
