"""``clawd web people``: letting people in from a terminal, and what it leaves in the audit."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pytest
from cli_world import Clawd

from clawd.server.access import owner
from clawd.server.address import Address, publish
from clawd.server.audit import Audit, audit_path
from clawd.store.access import open_access
from clawd.store.api_keys import Scope
from clawd.store.journal import open_journal

PASSWORD = "seven brown foxes"


def test_a_person_is_added_given_a_role_and_a_password_and_removed(
    clawd: Clawd, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = place / "home"
    assert f"Nobody but the owner, {owner()}, may come in" in clawd("web", "people").out
    assert clawd("web", "people", "add", "Ana", "--role", "operator").code == 0
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    assert clawd("web", "people", "password", "ana", "--stdin").code == 0
    with open_access(home) as access:
        session, secret = access.use_password(PASSWORD, "", "", time.time_ns(), "ana")
        assert (session.by, session.scopes) == ("Ana", {Scope.READ, Scope.BUILD, Scope.DECIDE})
    changed = clawd("web", "people", "role", "ana", "viewer")
    assert changed.code == 0 and "Ana is viewer" in changed.out
    with open_access(home) as access:
        now = access.session(secret, time.time_ns())
        assert now is not None and now.scopes == {Scope.READ}
    shown = clawd("web", "people").out
    assert "Ana" in shown and "viewer" in shown and "a link or a password" in shown
    (fields,) = json.loads(clawd("web", "people", "--json").out)
    assert {name: fields[name] for name in ("name", "role", "scopes", "has_password", "by", "sessions")} == {
        "name": "Ana",
        "role": "viewer",
        "scopes": ["read"],
        "has_password": True,
        "by": owner(),
        "sessions": 1,
    }
    assert fields["last_here"] is not None
    gone = clawd("web", "people", "remove", "ana")
    assert gone.code == 0 and "sessions that have ended: 1" in gone.out
    with open_access(home) as access:
        assert access.session(secret, time.time_ns()) is None
    with open_journal(audit_path(home), read_only=True) as journal:
        found = [(entry.kind, entry.body) for entry in journal.entries()]
    assert [(kind, body["name"]) for kind, body in found] == [
        ("PersonAdded", "Ana"),
        ("PasswordSet", "Ana"),
        ("RoleChanged", "Ana"),
        ("PersonRemoved", "Ana"),
    ]
    assert (found[2][1]["before"], found[2][1]["role"]) == ("operator", "viewer")
    assert {(body["via"], body["by"]) for _, body in found} == {("terminal", owner())}
    assert PASSWORD not in str(found)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "<img src=x onerror=alert(1)>", "--role", "viewer"), "cannot name a person"),
        (("add", "ben", "--role", "opperator"), "did you mean `operator`?"),
        (("add", "ben"), "--role"),
        (("add", "ana", "--role", "viewer"), "there is a person 'ana'"),
        (("add", "owner", "--role", "viewer"), "is the owner"),
        (("add", owner().upper(), "--role", "viewer"), "is the owner"),
        (("role", "anna", "admin"), "did you mean `ana`?"),
        (("role", "ana", "king"), "there is no role 'king'"),
        (("role", "owner", "viewer"), "the owner is not in the list"),
        (("password", "ben", "--stdin"), "there is no person 'ben'"),
        (("remove", "ben"), "there is no person 'ben'"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    clawd: Clawd, place: Path, words: tuple[str, ...], says: str
) -> None:
    assert clawd("web", "people", "add", "ana", "--role", "viewer").code == 0
    refused = clawd("web", "people", *words)
    assert (refused.code, refused.out) == (2, "")
    assert says in " ".join(refused.err.split())
    with open_access(place / "home") as access:
        assert [(each.name, each.role, each.has_password) for each in access.people.all()] == [("ana", "viewer", False)]
    with open_journal(audit_path(place / "home"), read_only=True) as journal:
        assert len(list(journal.entries())) == 1


def test_a_link_for_a_person_signs_that_person_in(clawd: Clawd, place: Path) -> None:
    home = place / "home"
    clawd("web", "people", "add", "ana", "--role", "builder")
    publish(home, Address("http://127.0.0.1:9", os.getpid()))
    audit = Audit(home)
    try:
        link = clawd("web", "link", "--for", "ana").out.strip()
        unknown = clawd("web", "link", "--for", "ben")
    finally:
        audit.close()
    assert unknown.code == 2 and "there is no person 'ben'" in unknown.err
    with open_access(home) as access:
        session, _ = access.use_token(link.partition("#token=")[2], "", "", time.time_ns())
    assert (session.by, session.scopes) == ("ana", {Scope.READ, Scope.BUILD})
    with open_journal(audit_path(home), read_only=True) as journal:
        last = list(journal.entries())[-1]
    assert (last.kind, last.body["name"]) == ("LinkMade", "ana")
    assert link.partition("#token=")[2] not in str(last.body)
