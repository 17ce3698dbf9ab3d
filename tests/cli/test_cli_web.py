"""``clawd web``: links, the password and keys, from a terminal."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pytest
from cli_world import Clawd

from clawd.core.errors import ClawdError
from clawd.server.access import owner, refuse_open_address
from clawd.server.address import Address, publish
from clawd.server.audit import Audit, audit_path
from clawd.store.access import open_access
from clawd.store.api_keys import Scope
from clawd.store.journal import open_journal

PASSWORD = "seven brown foxes"


def test_a_link_needs_a_server_that_is_at_work(clawd: Clawd, place: Path) -> None:
    home = place / "home"
    nobody = clawd("web", "link")
    assert (nobody.code, nobody.out) == (2, "")
    assert "no server is at work on this home" in nobody.err and "clawd up" in nobody.err
    publish(home, Address("http://127.0.0.1:9", os.getpid()))
    assert clawd("web", "link").code == 2  # it says where one was, and none is there
    audit = Audit(home)
    try:
        links = [clawd("web", "link").out.strip() for _ in range(2)]
    finally:
        audit.close()
    assert links[0] != links[1]
    for link in links:
        url, _, token = link.partition("/#token=")
        assert url == "http://127.0.0.1:9"
        with open_access(home) as access:
            access.use_token(token, "", "", time.time_ns())
    with pytest.raises(ClawdError), open_access(home) as access:
        access.use_token(links[0].partition("=")[2], "", "", time.time_ns())


def test_keys_are_shown_once_listed_and_revoked(clawd: Clawd, place: Path) -> None:
    made = clawd("web", "keys", "new", "night", "--scope", "read", "--scope", "build", "--days", "30")
    secret = made.out.strip()
    assert made.code == 0 and secret.startswith("clawd_")
    with open_access(place / "home") as access:
        key = access.keys.of(secret, time.time_ns())
    assert key is not None and key.scopes == {Scope.READ, Scope.BUILD} and key.ends is not None
    listed = clawd("web", "keys", "list")
    assert "night" in listed.out and "build, read" in listed.out and secret not in listed.out
    (fields,) = json.loads(clawd("web", "keys", "list", "--json").out)
    assert (fields["name"], fields["scopes"], fields["last_used"] is None) == ("night", ["build", "read"], False)
    assert clawd("web", "keys", "new", "night", "--scope", "read").code == 2
    wrong = clawd("web", "keys", "revoke", "nihgt")
    assert wrong.code == 2 and "did you mean `night`?" in wrong.err
    assert clawd("web", "keys", "revoke", "night").code == 0
    with open_access(place / "home") as access:
        assert access.keys.of(secret, time.time_ns()) is None
    assert "There is no API key" in clawd("web", "keys", "list").out


def test_a_right_that_is_none_makes_no_key(clawd: Clawd) -> None:
    wrong = clawd("web", "keys", "new", "night", "--scope", "raed")
    assert (wrong.code, wrong.out) == (2, "")
    assert "did you mean `read`?" in wrong.err
    assert clawd("web", "keys", "new", "night").code == 2
    assert json.loads(clawd("web", "keys", "list", "--json").out) == []


def test_the_password_is_read_from_a_pipe_and_is_never_an_argument(
    clawd: Clawd, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\r\n"))
    assert clawd("web", "password", "--stdin").code == 0
    with open_access(place / "home") as access:
        assert access.is_password(PASSWORD)
    for typed, words in (("short\n", "characters"), ("", "no password was given")):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        wrong = clawd("web", "password", "--stdin")
        assert wrong.code == 2 and words in wrong.err
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
    assert clawd("web", "password").code == 2  # no terminal
    with open_access(place / "home") as access:
        assert access.is_password(PASSWORD)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "box.lan", ""])
def test_an_address_that_others_reach_needs_a_password(tmp_path: Path, host: str) -> None:
    with open_access(tmp_path) as access:
        with pytest.raises(ClawdError, match="no password is set") as refused:
            refuse_open_address(host, access)
        assert "clawd web password" in str(refused.value)
        access.set_password(PASSWORD, "ada", 1)
        refuse_open_address(host, access)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_this_machine_alone_needs_none(tmp_path: Path, host: str) -> None:
    with open_access(tmp_path) as access:
        refuse_open_address(host, access)


@pytest.mark.parametrize("served", [False, True])
def test_what_changes_who_may_come_in_stands_in_the_audit(
    clawd: Clawd, place: Path, monkeypatch: pytest.MonkeyPatch, served: bool
) -> None:
    home = place / "home"
    audit = Audit(home) if served else None
    try:
        assert clawd("web", "keys", "new", "night", "--scope", "read", "--days", "3").code == 0
        assert clawd("web", "keys", "new", "night", "--scope", "read").code == 2
        monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
        assert clawd("web", "password", "--stdin").code == 0
        assert clawd("web", "keys", "revoke", "night").code == 0
    finally:
        if audit is not None:
            audit.close()
    with open_journal(audit_path(home), read_only=True) as journal:
        assert journal.verify_chain() == 3
        found = [(entry.kind, entry.body) for entry in journal.entries()]
    assert [kind for kind, _ in found] == ["KeyMade", "PasswordSet", "KeyRevoked"]
    assert found[0][1]["name"] == "night" and found[0][1]["scopes"] == ["read"] and found[0][1]["days"] == 3
    assert {(body["via"], body["by"]) for _, body in found} == {("terminal", owner())}
    assert PASSWORD not in str(found) and "clawd_" not in str(found)


def test_what_could_not_be_entered_in_the_audit_is_said(clawd: Clawd, place: Path) -> None:
    home = place / "home"
    home.mkdir()
    audit_path(home).write_text("no journal at all, and long enough to be none" * 100)
    said = clawd("web", "keys", "new", "night", "--scope", "read")
    assert (said.code, said.out) == (2, ""), "a key that is in no audit is not shown"
    assert "could not be entered in the audit" in said.err
