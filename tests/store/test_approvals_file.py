"""Requests and signatures survive, what was used stays used, and the file is not believed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.risk.approval_request import Decision, request_text
from clawd.risk.approvals import ApprovalPolicy, Mark, Signature, State
from clawd.store import keys
from clawd.store.approval_desk import ApprovalDesk, new_nonce
from clawd.store.approvals import ApprovalFile, approvals_path
from risk.signed_orders import AT_REFERENCE, NOW, ORDER, PEOPLE, POLICY, SECOND, signed

LATER = NOW + SECOND
PRICE = Decimal(1000)
MARK = Mark(PRICE, LATER)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[ApprovalFile]:
    with ApprovalFile.open(tmp_path / "approvals.sqlite") as opened:
        yield opened


def desk(file: ApprovalFile, policy: ApprovalPolicy = POLICY, account: str = "main", venue: str = "paper") -> Any:
    return ApprovalDesk(file, lambda: policy, account, venue)


def ask(file: ApprovalFile, **changes: Any) -> str:
    return str(desk(file).request(replace(ORDER, **changes), ["why"], PRICE, NOW))


def sign_all(file: ApprovalFile, request: str, *names: str, decision: Decision = Decision.APPROVE) -> None:
    for name in names:
        file.add_signature(request, signed(name, file.request(request), decision), LATER)


def overwrite(file: ApprovalFile, statement: str, *values: object) -> None:
    """What somebody can do who owns the disk: take the triggers away and write."""
    with sqlite3.connect(file.path) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement, values)
    connection.close()


# The way of an order


def test_an_order_is_asked_for_signed_by_two_and_sent_once(file: ApprovalFile) -> None:
    here, request = desk(file), ask(file)
    assert here.state(request, LATER, MARK).state is State.WAITING
    with pytest.raises(ClawdError, match="may not be sent: 0 of 2 have approved it"):
        here.use(request, ORDER, LATER, MARK)
    sign_all(file, request, "alice")
    assert here.state(request, LATER, MARK).approved == ("alice",)
    sign_all(file, request, "carol")
    assert here.state(request, LATER, MARK).state is State.GRANTED
    here.use(request, ORDER, LATER, MARK)
    assert here.state(request, LATER, MARK).state is State.USED
    with pytest.raises(ClawdError, match="may not be sent: its approval has been used"):
        here.use(request, ORDER, LATER, MARK)


def test_a_restart_asks_once_and_finds_what_was_signed_and_used(tmp_path: Path) -> None:
    path = tmp_path / "approvals.sqlite"
    with ApprovalFile.open(path) as file:
        request = ask(file)
        sign_all(file, request, "alice", "bob")
    with ApprovalFile.open(path) as file:
        assert desk(file).request(ORDER, ["why"], Decimal(2000), LATER) == request
        assert len(file.ids()) == 1
        assert file.request(request).reference == PRICE
        desk(file).use(request, ORDER, LATER, MARK)
    with ApprovalFile.open(path) as file:
        assert desk(file).request(ORDER, ["why"], PRICE, LATER) == request
        assert desk(file).state(request, LATER, MARK).state is State.USED


def test_another_order_under_the_same_id_is_refused(file: ApprovalFile) -> None:
    request = ask(file)
    with pytest.raises(ClawdError, match="another order under the same id"):
        ask(file, size=Decimal("1.6"))
    sign_all(file, request, "alice", "bob")
    with pytest.raises(ClawdError, match="what was approved is another order"):
        desk(file).use(request, replace(ORDER, size=Decimal("1.6")), LATER, MARK)
    desk(file).use(request, replace(ORDER, size=Decimal("1.500")), LATER, MARK)


def test_an_approval_is_of_one_account_at_one_venue(file: ApprovalFile) -> None:
    request = ask(file)
    sign_all(file, request, "alice", "bob")
    for account, venue in (("other", "paper"), ("main", "live")):
        there = desk(file, account=account, venue=venue)
        assert there.state(request, LATER, MARK).state is State.DAMAGED
        with pytest.raises(ClawdError, match="it is of main at paper"):
            there.use(request, ORDER, LATER, MARK)
        assert there.request(ORDER, ["why"], PRICE, NOW) != request


def test_a_use_is_judged_at_its_own_moment(file: ApprovalFile) -> None:
    here, request = desk(file), ask(file)
    sign_all(file, request, "alice", "bob")
    assert here.state(request, LATER, MARK).state is State.GRANTED
    end = file.request(request).expires_at
    for now, mark, why in (
        (end, Mark(PRICE, end), "its time has passed"),
        (LATER, Mark(Decimal("1010.1"), LATER), "more than 1 % away from 1000"),
        (LATER, None, "no price"),
        (LATER, Mark(PRICE, LATER - POLICY.longest_silence - 1), "stale"),
    ):
        with pytest.raises(ClawdError, match=why):
            here.use(request, ORDER, now, mark)
    sign_all(file, request, "carol", decision=Decision.REJECT)
    with pytest.raises(ClawdError, match="carol rejected it"):
        here.use(request, ORDER, LATER, MARK)
    assert not file.used(request)


def test_a_key_that_is_trusted_no_more_counts_no_more_at_once(file: ApprovalFile) -> None:
    policies = [POLICY, replace(POLICY, approvers=POLICY.approvers[1:])]
    here = ApprovalDesk(file, lambda: policies[0], "main", "paper")
    request = here.request(ORDER, ["why"], PRICE, NOW)
    sign_all(file, request, "alice", "bob")
    assert here.state(request, LATER, MARK).state is State.GRANTED
    del policies[0]
    assert here.state(request, LATER, MARK).state is State.CHANGED
    with pytest.raises(ClawdError, match="another policy: who may approve"):
        here.use(request, ORDER, LATER, MARK)


def test_signatures_from_before_the_file_was_lost_count_for_nothing(tmp_path: Path) -> None:
    with ApprovalFile.open(tmp_path / "one.sqlite") as file:
        request = ask(file)
        old = [signed(name, file.request(request)) for name in ("alice", "bob")]
    with ApprovalFile.open(tmp_path / "two.sqlite") as file:
        assert ask(file) == request
        for signature in old:
            file.add_signature(request, signature, LATER)
        standing = desk(file).state(request, LATER, MARK)
        assert (standing.state, standing.approved, len(standing.faults)) == (State.WAITING, (), 2)


def test_nonces_differ() -> None:
    assert len({new_nonce() for _ in range(100)}) == 100


@pytest.mark.parametrize("price", ["NaN", "0", "-1", "Infinity"])
def test_without_a_price_nothing_can_be_asked_for(file: ApprovalFile, price: str) -> None:
    with pytest.raises(ClawdError, match="cannot be asked for at the price"):
        desk(file).request(ORDER, ["why"], Decimal(price), NOW)
    assert file.ids() == ()


def test_nothing_is_asked_for_that_nobody_could_approve(file: ApprovalFile) -> None:
    policy = replace(POLICY, notional=None, approvers=())
    with pytest.raises(ClawdError, match="2 must approve, and 0 may"):
        desk(file, policy).request(ORDER, ["why"], PRICE, NOW)


# Several processes

CHILD = """
import sys
from decimal import Decimal
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from clawd.core.errors import ClawdError
from clawd.risk.approvals import Mark
from clawd.store.approval_desk import ApprovalDesk
from clawd.store.approvals import ApprovalFile
from risk.signed_orders import NOW, ORDER, POLICY
file = ApprovalFile.open(Path(sys.argv[1]))
desk = ApprovalDesk(file, lambda: POLICY, "main", "paper")
print("ready", flush=True)
sys.stdin.readline()
try:
    desk.use(sys.argv[2], ORDER, NOW + 1, Mark(Decimal(1000), NOW + 1))
    print("used")
except ClawdError as error:
    print(error.what)
"""


def test_of_several_processes_that_use_an_approval_one_comes_through(file: ApprovalFile) -> None:
    request = ask(file)
    sign_all(file, request, "alice", "bob")
    tests = str(Path(__file__).parents[1])
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(file.path), request, tests],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    said = sorted(child.communicate(timeout=60)[0] for child in children)
    assert said == ["the order may not be sent: its approval has been used\n"] * 2 + ["used\n"]
    assert file.used(request)


KILLED = """
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from clawd.risk.approvals import Mark
from clawd.store.approval_desk import ApprovalDesk
from clawd.store.approvals import ApprovalFile
from risk.signed_orders import NOW, ORDER, POLICY, signed
file = ApprovalFile.open(Path(sys.argv[1]))
desk = ApprovalDesk(file, lambda: POLICY, "main", "paper")
for number in range(100_000):
    order = replace(ORDER, id=str(number))
    request = desk.request(order, ["why"], Decimal(1000), NOW)
    for name in ("alice", "bob"):
        file.add_signature(request, signed(name, file.request(request)), NOW)
    print("asked", request, flush=True)
    desk.use(request, order, NOW, Mark(Decimal(1000), NOW))
    print("used", request, flush=True)
"""


def test_whoever_is_killed_has_used_what_he_said_and_at_most_one_more(file: ApprovalFile) -> None:
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-c", KILLED, str(file.path), tests]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(41)]
        child.kill()
        said += child.stdout.read().splitlines()
    asked, used = ([line.split()[1] for line in said if line.startswith(word)] for word in ("asked", "used"))
    assert len(used) >= 20
    assert all(file.used(request) for request in used)
    assert sum(file.used(request) for request in file.ids()) in (len(used), len(used) + 1)
    assert set(asked) <= set(file.ids())
    with sqlite3.connect(file.path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    late = [request for request in asked if not file.used(request)]
    for request in late:  # the restart finds it granted and unused
        assert desk(file).state(request, LATER, MARK).state is State.GRANTED


def test_a_use_that_raises_has_used_nothing(file: ApprovalFile) -> None:
    request = ask(file)
    sign_all(file, request, "alice", "bob")
    with pytest.raises(RuntimeError), file.at_once():
        desk(file).use(request, ORDER, LATER, MARK)
        raise RuntimeError
    assert not file.used(request)
    desk(file).use(request, ORDER, LATER, MARK)


# The file


def test_what_is_in_the_file_stays_in_it(file: ApprovalFile) -> None:
    request = ask(file)
    sign_all(file, request, "alice", "bob")
    desk(file).use(request, ORDER, LATER, MARK)
    with sqlite3.connect(file.path) as connection:
        before = connection.execute("SELECT * FROM facts").fetchall()
        for statement in (
            "DELETE FROM facts",
            "DELETE FROM facts WHERE kind = 'ApprovalUsed'",
            "UPDATE facts SET body = '{}'",
            "UPDATE facts SET kind = 'ApprovalGiven' WHERE kind = 'ApprovalUsed'",
            "INSERT OR REPLACE INTO facts SELECT 4, 'ApprovalGiven', request, body, at FROM facts WHERE seq = 2",
            "INSERT OR REPLACE INTO facts SELECT 5, kind, request, '{}', at FROM facts WHERE seq = 1",
            "INSERT OR REPLACE INTO facts SELECT 5, kind, request, '{}', at FROM facts WHERE seq = 4",
            "INSERT INTO facts SELECT 9, 'ApprovalGiven', request, body, at FROM facts WHERE seq = 2",
            "INSERT INTO facts SELECT 5, 'Forgotten', request, body, at FROM facts WHERE seq = 2",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(statement)
        assert connection.execute("SELECT * FROM facts").fetchall() == before
    connection.close()


def test_whoever_holds_the_file_does_not_hold_up_trading(file: ApprovalFile) -> None:
    request = ask(file)
    sign_all(file, request, "alice", "bob")
    holder = sqlite3.connect(file.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    assert desk(file).state(request, LATER, MARK).state is State.GRANTED
    with pytest.raises(ClawdError, match="locked"):
        desk(file).use(request, ORDER, LATER, MARK)
    holder.close()
    desk(file).use(request, ORDER, LATER, MARK)


def test_a_use_survives_a_loss_of_power(file: ApprovalFile) -> None:
    connection = file._connection
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    "change",
    [
        {"needed": 1},
        {"expires_at": NOW + 10**15},
        {"drift": Decimal("0.9")},
        {"reference": Decimal(2000)},
        {"approvers": (PEOPLE["mallory"].fingerprint,)},
        {"nonce": "ff" * 16},
        {"account": "other"},
        {"order": '{"class":"Order","size":"Decimal 15"}'},
        {"id": "0" * 16},
        {"reasons": ()},
    ],
    ids=str,
)
def test_a_request_that_was_rewritten_grants_nothing(file: ApprovalFile, change: dict[str, Any]) -> None:
    request = ask(file)
    sign_all(file, request, "alice", "bob")
    body = request_text(replace(file.request(request), **change))
    overwrite(file, "UPDATE facts SET body = ? WHERE seq = 1", body)
    for mark in (MARK, Mark(Decimal(2000), LATER)):
        assert desk(file).state(request, LATER, mark).state is not State.GRANTED
        with pytest.raises(ClawdError):
            desk(file).use(request, ORDER, LATER, mark)


@pytest.mark.parametrize("body", ["", "{}", "null", b"\xff\x00", 5, "[" * 5000])
def test_rows_that_are_none_of_ours_grant_nothing_and_stop_nobody(file: ApprovalFile, body: object) -> None:
    other, request = ask(file, id="other"), ask(file)
    sign_all(file, request, "alice", "bob")
    sign_all(file, other, "alice", "bob")
    overwrite(file, "UPDATE facts SET body = ? WHERE seq = 2", body)
    assert desk(file).state(request, LATER, MARK).state is State.DAMAGED
    with pytest.raises(ClawdError):
        desk(file).use(request, ORDER, LATER, MARK)
    overwrite(file, "UPDATE facts SET body = ? WHERE seq = 6", body)
    assert desk(file).state(other, LATER, MARK).state is State.DAMAGED


def test_a_signature_that_was_moved_from_another_request_counts_for_nothing(file: ApprovalFile) -> None:
    one, other = ask(file, id="one"), ask(file, id="other")
    sign_all(file, one, "alice", "bob")
    overwrite(file, "UPDATE facts SET request = ? WHERE seq > 2", other)
    order = replace(ORDER, id="other")
    standing = desk(file).state(other, LATER, MARK)
    assert (standing.state, len(standing.faults)) == (State.WAITING, 2)
    with pytest.raises(ClawdError, match="0 of 2"):
        desk(file).use(other, order, LATER, MARK)


def test_what_was_used_cannot_be_used_again_as_a_copy_under_another_id(file: ApprovalFile) -> None:
    request = ask(file)
    sign_all(file, request, "alice", "bob")
    desk(file).use(request, ORDER, LATER, MARK)
    overwrite(file, "INSERT INTO facts SELECT seq + 4, kind, 'copy', body, at FROM facts WHERE seq < 4")
    assert desk(file).state("copy", LATER, MARK).state is State.DAMAGED
    with pytest.raises(ClawdError, match="kept under another id"):
        desk(file).use("copy", ORDER, LATER, MARK)


def test_facts_that_come_once_come_once(file: ApprovalFile) -> None:
    request = ask(file)
    with pytest.raises(ClawdError, match="was made before"):
        file.add_request(file.request(request))
    file.add_use(request, LATER)
    with pytest.raises(ClawdError, match="has been used"):
        file.add_use(request, LATER)


def test_an_approval_that_was_turned_into_a_rejection_counts_for_nothing(file: ApprovalFile) -> None:
    request = ask(file)
    sign_all(file, request, "alice", "bob")
    overwrite(file, "UPDATE facts SET kind = 'RejectionGiven' WHERE seq = 2")
    assert desk(file).state(request, LATER, MARK).state is State.WAITING


def test_a_signature_needs_a_request(file: ApprovalFile) -> None:
    with pytest.raises(ClawdError, match="there is no request nothing"):
        file.add_signature("nothing", Signature(Decision.APPROVE, "00", b""), NOW)
    with pytest.raises(ClawdError, match="there is no request 'nothing'"):
        file.request("nothing")
    assert desk(file).state("nothing", NOW, MARK).state is State.DAMAGED


def test_a_file_of_somebody_else_is_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "approvals.sqlite"
    path.write_bytes(b"my diary")
    with pytest.raises(ClawdError, match="not a clawd file of approvals"):
        ApprovalFile.open(path)
    assert path.read_bytes() == b"my diary"


def test_the_last_price_is_noted_for_people(file: ApprovalFile) -> None:
    request = ask(file)
    assert file.mark(request) is None
    desk(file).note_mark(request, AT_REFERENCE)
    desk(file).note_mark(request, MARK)
    assert file.mark(request) == MARK
    overwrite(file, "UPDATE marks SET price = 'x'")
    assert file.mark(request) is None


# A home


def test_the_desk_of_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWD_HOME", str(tmp_path))
    monkeypatch.setenv("CLAWD_APPROVAL_NOTIONAL", "1000")
    monkeypatch.setenv("CLAWD_APPROVALS_NEEDED", "2")
    with pytest.raises(ClawdError, match="need 2 approvals, and no keys are trusted"):
        ApprovalDesk.open(Settings(), "main", "paper", POLICY.longest_silence)
    for name in ("alice", "bob"):
        keys.trust(tmp_path, PEOPLE[name])
    here = ApprovalDesk.open(Settings(), "main", "paper", POLICY.longest_silence)
    request = here.request(ORDER, ["why"], PRICE, NOW)
    with ApprovalFile.open(approvals_path(tmp_path)) as file:
        sign_all(file, request, "alice", "bob")
    assert here.state(request, LATER, MARK).state is State.GRANTED
    keys.untrust(tmp_path, "bob")
    assert here.state(request, LATER, MARK).state is State.DAMAGED
    with pytest.raises(ClawdError, match="need 2 approvals, and 1 key is trusted"):
        here.use(request, ORDER, LATER, MARK)
    here.close()
