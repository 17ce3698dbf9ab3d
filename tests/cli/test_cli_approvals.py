"""``clawd approvals``: what waits is told in plain words, what is signed is shown first, and the desk reads it."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cli_world import Clawd, disk
from test_cli_keys import refused

from clawd.core.settings import Settings
from clawd.risk.approval_request import Decision, message, request_text
from clawd.risk.approvals import Mark, Signature, Standing, State, needs_approval
from clawd.risk.ed25519 import sign, verify
from clawd.store import keys
from clawd.store.approval_desk import ApprovalDesk
from clawd.store.approvals import approvals_path
from risk.signed_orders import ORDER

PRICE = Decimal(1000)
FIELDS = (
    "expires 2023-11-15T00:13:20Z",
    "group pair",
    "kind OPENING",
    "limit 1002",
    "post_only True",
    "reason ENTRY",
    "time_in_force GTD",
    "type STOP_LIMIT",
)
PASSPHRASE = "correct horse battery"
SILENCE = 60 * 10**9


def state(desk: ApprovalDesk, request: str) -> Standing:
    """Where a request stands at its own price, now."""
    now = time.time_ns()
    return desk.state(request, now, Mark(PRICE, now))


@pytest.fixture
def desk(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApprovalDesk]:
    """A trading process of this home, and three approvers."""
    monkeypatch.setattr(keys, "SCRYPT_COST", 2**4)
    monkeypatch.setenv("CLAWD_KEY_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("CLAWD_APPROVAL_NOTIONAL", "1000")
    monkeypatch.setenv("CLAWD_APPROVALS_NEEDED", "2")
    for name in ("alice", "bob", "carol"):
        keys.trust(place / "home", keys.make_key(place / "home", name, PASSPHRASE))
    opened = ApprovalDesk.open(Settings(), "main", "paper", SILENCE)
    yield opened
    opened.close()


def ask(desk: ApprovalDesk, at: int | None = None, **changes: Any) -> str:
    order = replace(ORDER, **changes)
    reasons = needs_approval(order, PRICE, None, None, desk.policy())
    return desk.request(order, reasons, PRICE, at or time.time_ns())


def test_two_people_approve_an_order_at_the_true_console(console: Clawd, desk: ApprovalDesk) -> None:
    request = ask(desk)
    first = console("approvals", "approve", request, "--key", "alice")
    assert (first.code, first.err) == (0, "")
    assert first.out.endswith("Approved with alice: 1 of 2 approvals.\n")
    assert PASSPHRASE not in first.out
    assert state(desk, request).state is State.WAITING
    second = console("approvals", "approve", request, "--key", "bob", "--why", "fine")
    assert second.out.endswith("Approved with bob: 2 of 2 approvals.\n")
    standing = state(desk, request)
    assert (standing.state, standing.approved) == (State.GRANTED, ("alice", "bob"))
    now = time.time_ns()
    desk.use(request, ORDER, now, Mark(PRICE, now))
    assert state(desk, request).state is State.USED
    assert "used: its approval has been used" in console("approvals", "list").out


def test_people_keep_their_keys_where_they_like(clawd: Clawd, desk: ApprovalDesk, place: Path) -> None:
    stick = place / "stick"
    stick.mkdir()
    (place / "home" / "keys" / "bob.key").rename(stick / "bob.key")
    request = ask(desk)
    assert clawd("approvals", "approve", request, "--key", "bob").code == 2
    assert clawd("approvals", "approve", request, "--key", "stick/bob.key").code == 0
    assert state(desk, request).approved == ("bob",)


def test_the_approver_sees_what_is_signed(clawd: Clawd, desk: ApprovalDesk) -> None:
    request = ask(desk)
    shown = clawd("approvals", "approve", request, "--key", "alice", "--why", "fine").out
    assert "buy 1.5 BTCUSDT for agent a001, account main at paper" in shown
    assert "notional 1,500.00 at 1000; the price may move by 1 %" in shown
    start = shown.index("clawd approval v1\n")
    signed = json.loads(shown[start + len("clawd approval v1\n") : shown.rindex("}\n") + 1])
    assert signed["why"] == "fine"
    assert signed["request"]["order"]["limit"] == "Decimal 1002"
    assert signed["request"]["needed"] == 2
    # What was shown is what the signature is of, to the byte.
    text = shown[start : shown.rindex("}\n") + 2].encode()
    with sqlite3.connect(desk._file.path) as connection:
        (body,) = connection.execute("SELECT body FROM facts WHERE kind = 'ApprovalGiven'").fetchone()
    connection.close()
    alice = keys.trusted(Settings().home)[0]
    assert verify(alice.public_key, bytes.fromhex(json.loads(body)["signature"]), text)


def test_it_is_shown_before_the_passphrase_is_asked_for(
    clawd: Clawd, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CLAWD_KEY_PASSPHRASE")
    outcome = clawd("approvals", "approve", ask(desk), "--key", "alice")
    assert outcome.code == 2
    assert "clawd approval v1" in outcome.out
    assert "no terminal to ask for the passphrase on" in outcome.err


def test_the_list_in_plain_words(clawd: Clawd, desk: ApprovalDesk) -> None:
    assert clawd("approvals", "list").out == "No order has waited for approvals yet.\n"
    gone = ask(desk, id="gone", size=Decimal(-3), symbol="ETHUSDT")
    clawd("approvals", "reject", gone, "--key", "carol", "--why", "too large")
    request = ask(desk)
    clawd("approvals", "approve", request, "--key", "alice")
    desk.note_mark(request, Mark(Decimal("1020.5"), time.time_ns()))
    text = clawd("approvals", "list").out
    lines = text.splitlines()
    assert lines[0] == f"{request}  waiting: 1 of 2 have approved it"
    assert lines[1] == "  buy 1.5 BTCUSDT for agent a001, account main at paper"
    for field in FIELDS:
        assert field in lines[2]
    assert "waits because its notional 1503 is above 1000" in text
    assert "approved by alice (1 of 2)" in text
    assert "59 min" in text
    assert "price 1020.5 (+2.05 %, too far for it to be sent), seen 20" in text
    assert text.index(request) < text.index(gone)
    assert f"{gone}  rejected: carol rejected it" in text
    assert "sell 3 ETHUSDT" in text


def test_the_list_for_programs(clawd: Clawd, desk: ApprovalDesk) -> None:
    assert json.loads(clawd("approvals", "list", "--json").out) == []
    now = time.time_ns()
    old, request = ask(desk, at=now - 7_200 * 10**9, id="old"), ask(desk)
    clawd("approvals", "approve", request, "--key", "alice")
    desk.note_mark(request, Mark(Decimal("999"), now))
    first, second = json.loads(clawd("approvals", "list", "--json").out)
    assert (first["id"], first["state"], first["approved"], first["needed"]) == (request, "waiting", ["alice"], 2)
    assert (first["notional"], first["drift"], first["price"]) == ("1500", "-0.001", "999")
    assert 3500 < first["seconds_left"] <= 3600
    assert first["order"]["size"] == "1.5"
    assert (second["id"], second["state"], second["seconds_left"]) == (old, "expired", 0)


def test_a_rejection_is_final(clawd: Clawd, desk: ApprovalDesk) -> None:
    request = ask(desk)
    clawd("approvals", "approve", request, "--key", "alice")
    assert clawd("approvals", "reject", request, "--key", "bob", "--why", "no").out.endswith(
        "Rejected with bob: 1 of 2 approvals.\n"
    )
    assert state(desk, request).state is State.REJECTED
    outcome = clawd("approvals", "approve", request, "--key", "carol")
    assert (outcome.code, outcome.out) == (2, "")
    assert "nothing to decide: bob rejected it" in outcome.err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("approve {id} --key dave", ("there is no key 'dave'", "alice, bob, carol")),
        ("approve nothing --key alice", ("there is no request 'nothing'",)),
        ("approve {id}", ("missing option '--key'",)),
        ("reject {id} --key alice", ("missing option '--why'",)),
        ("reject {id} --key alice --why=", ("a reason of 1 to 500 characters",)),
        ("approve {old} --key alice", ("nothing to decide: its time has passed",)),
        ("approve {signed} --key alice", ("alice has approved it already", "counts once")),
        ("approve {id} --key mallory", ("the key mallory may not decide on this",)),
    ],
)
def test_what_would_be_worth_nothing_is_refused(
    clawd: Clawd, desk: ApprovalDesk, place: Path, line: str, words: tuple[str, ...]
) -> None:
    names = {"id": ask(desk), "old": ask(desk, at=1, id="old"), "signed": ask(desk, id="signed")}
    clawd("approvals", "approve", names["signed"], "--key", "alice")
    keys.make_key(place / "home", "mallory", PASSPHRASE)
    before = facts(desk)
    outcome = clawd("approvals", *line.format(**names).split())
    refused(replace(outcome, err=outcome.err.replace("Missing", "missing")), *words)
    assert facts(desk) == before


def test_a_wrong_passphrase_signs_nothing(clawd: Clawd, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    request = ask(desk)
    monkeypatch.setenv("CLAWD_KEY_PASSPHRASE", "wrong horse battery")
    outcome = clawd("approvals", "approve", request, "--key", "alice")
    assert outcome.code == 2
    assert "the passphrase is wrong" in outcome.err
    assert state(desk, request).approved == ()


def test_what_happens_while_the_passphrase_is_typed_counts(
    clawd: Clawd, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(desk)
    seed = keys.unlock(keys.find_key(Settings().home, "bob"), PASSPHRASE)
    pending = desk._file.request(request)
    no = sign(seed, message(pending, Decision.REJECT, "no"))

    def typed(_: str) -> str:
        bob = keys.public_part_of(keys.find_key(Settings().home, "bob"))
        desk._file.add_signature(request, Signature(Decision.REJECT, bob.fingerprint, no, "no"), time.time_ns())
        return PASSPHRASE

    monkeypatch.setattr("clawd.cli.approvals.read_passphrase", typed)
    outcome = clawd("approvals", "approve", request, "--key", "alice")
    assert outcome.code == 2
    assert "nothing to decide: bob rejected it" in outcome.err
    assert state(desk, request).approved == ()


def test_a_request_that_is_rewritten_while_the_passphrase_is_typed_is_not_signed(
    clawd: Clawd, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = ask(desk)
    before = facts(desk)

    def typed(_: str) -> str:
        body = request_text(replace(desk._file.request(request), reasons=("nothing to see",)))
        with sqlite3.connect(desk._file.path) as connection:
            connection.execute("DROP TRIGGER facts_keep")
            connection.execute("UPDATE facts SET body = ?", (body,))
        connection.close()
        return PASSPHRASE

    monkeypatch.setattr("clawd.cli.approvals.read_passphrase", typed)
    outcome = clawd("approvals", "approve", request, "--key", "alice")
    assert "no longer what was shown: nothing was signed" in outcome.err
    assert len(facts(desk)) == len(before)


def test_who_may_approve_has_changed(clawd: Clawd, desk: ApprovalDesk) -> None:
    request = ask(desk)
    clawd("approvals", "approve", request, "--key", "alice")
    clawd("keys", "untrust", "carol")
    assert (
        f"{request}  changed: it was asked for under another policy: who may approve" in clawd("approvals", "list").out
    )
    refused(clawd("approvals", "approve", request, "--key", "bob"), "another policy: who may approve")
    assert state(desk, request).state is State.CHANGED


def test_what_others_have_written_moves_no_cursor(clawd: Clawd, desk: ApprovalDesk) -> None:
    evil = "\x1b[2J\x1b]0;x\x07\n\u202e\r"
    order = replace(ORDER, agent=evil, symbol=evil, group=evil)
    request = desk.request(order, [evil], PRICE, time.time_ns())
    for outcome in (
        clawd("approvals", "list"),
        clawd("approvals", "reject", request, "--key", "alice", "--why", f"no{evil}"),
        clawd("approvals", "list", "--json"),
    ):
        assert outcome.code == 0
        assert all(" " <= letter <= "~" or letter == "\n" for letter in outcome.out)


def test_a_damaged_request_hides_no_other(clawd: Clawd, desk: ApprovalDesk) -> None:
    broken, request = ask(desk, id="broken"), ask(desk)
    with sqlite3.connect(desk._file.path) as connection:
        connection.execute("DROP TRIGGER facts_keep")
        connection.execute("UPDATE facts SET body = '{}' WHERE seq = 1")
    connection.close()
    text = clawd("approvals", "list").out
    assert f"{request}  waiting" in text
    assert f"{broken}  damaged" in text
    assert [each["state"] for each in json.loads(clawd("approvals", "list", "--json").out)] == ["waiting", "damaged"]
    assert clawd("approvals", "approve", broken, "--key", "alice").code == 2


def test_too_few_keys_are_warned_of(clawd: Clawd, desk: ApprovalDesk) -> None:
    assert clawd("keys", "untrust", "carol").err == ""
    told = clawd("keys", "untrust", "bob")
    assert told.code == 0
    for outcome in (told, clawd("approvals", "list")):
        assert outcome.err.startswith(
            "warning: CLAWD_APPROVALS_NEEDED: orders above a limit need 2 approvals, and 1 key"
        )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CLAWD_APPROVALS_NEEDED", "0", "at least 1"),
        ("CLAWD_APPROVAL_NOTIONAL", "-5", "above 0"),
        ("CLAWD_APPROVAL_DRIFT", "much", "a number"),
        ("CLAWD_APPROVAL_LIFETIME", "1h", "a whole number"),
    ],
)
def test_settings_that_make_no_sense(
    clawd: Clawd, place: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(name, value)
    before = disk(place)
    refused(clawd("approvals", "list"), name, words, value)
    assert disk(place) == before


def test_looking_makes_nothing(clawd: Clawd, place: Path) -> None:
    before = disk(place)
    assert clawd("approvals", "list").code == 0
    assert clawd("keys", "list").code == 0
    assert disk(place) == before
    assert not approvals_path(place / "home").exists()


def test_only_so_many_that_no_longer_wait_are_listed(clawd: Clawd, desk: ApprovalDesk) -> None:
    names = [ask(desk, at=number + 1, id=str(number)) for number in range(4)]
    shown = clawd("approvals", "list", "--last", "2").out
    assert [name in shown for name in names] == [False, False, True, True]
    shown = clawd("approvals", "list", "--last", "0").out
    assert all(name in shown for name in names)


def facts(desk: ApprovalDesk) -> list[tuple[object, ...]]:
    with sqlite3.connect(desk._file.path) as connection:
        rows = connection.execute("SELECT * FROM facts").fetchall()
    connection.close()
    return rows
