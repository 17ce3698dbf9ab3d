"""Who may come in: tokens that open once, sessions that end, a password, and keys; hashes alone are kept."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.store import access as module
from clawd.store import api_keys
from clawd.store.access import SESSION_IDLE, SESSION_LIFETIME, TOKEN_LIFETIME, Access, Session, SignInError, open_access
from clawd.store.api_keys import Scope, TakenError
from clawd.store.password import is_password, password_hash

NOW = 1_700_000_000 * 10**9
SECOND = 10**9
DAY = 86_400 * SECOND
PASSWORD = "seven brown foxes"


@pytest.fixture
def access(tmp_path: Path) -> Iterator[Access]:
    with open_access(tmp_path) as opened:
        yield opened


def signed_in(access: Access, now: int = NOW) -> tuple[Session, str]:
    return access.use_token(access.new_token("ada", now), "127.0.0.1", "a browser", now)


def test_no_secret_is_in_the_file_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    with open_access(tmp_path) as access:
        token = access.new_token("ada", NOW)
        _, session = signed_in(access)
        _, key = access.keys.new("ci", frozenset({Scope.READ}), None, NOW)
        access.set_password(PASSWORD, "ada", NOW)
        for path in tmp_path.glob("access.sqlite*"):
            if not path.name.endswith(".lock"):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        raw = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for secret in (token, session, key, key.removeprefix("clawd_"), PASSWORD):
        assert secret.encode() not in raw


def test_a_token_opens_one_session_within_ten_minutes(access: Access) -> None:
    token = access.new_token("ada", NOW)
    session, secret = access.use_token(token, "127.0.0.1", "a browser", NOW + TOKEN_LIFETIME - 1)
    assert (session.by, session.means) == ("ada", "link")
    found = access.session(secret, session.made)
    assert found == session
    with pytest.raises(SignInError, match="used already"):
        access.use_token(token, "127.0.0.1", "a browser", NOW + TOKEN_LIFETIME - 1)
    late = access.new_token("ada", NOW)
    with pytest.raises(SignInError, match="too old"):
        access.use_token(late, "", "", NOW + TOKEN_LIFETIME)
    with pytest.raises(SignInError, match="too old"):  # the clock was set back
        access.use_token(late, "", "", NOW - 1)
    with pytest.raises(SignInError, match="not one of this server's"):
        access.use_token("guessed", "", "", NOW)
    assert len(access.sessions(session.made)) == 1


def test_of_many_who_use_a_token_at_once_one_comes_in(tmp_path: Path) -> None:
    with open_access(tmp_path) as access:
        token = access.new_token("ada", NOW)

    def use(_: int) -> bool:
        try:
            with open_access(tmp_path) as access:
                access.use_token(token, "", "", NOW)
        except SignInError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(use, range(32))) == 1


@settings(deadline=None, max_examples=60)
@given(steps=st.lists(st.integers(0, 200).map(lambda hours: hours * 3_600 * SECOND), max_size=12))
def test_a_session_lasts_while_it_is_used_and_never_longer_than_its_lifetime(
    steps: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An independent account: alive until it was idle for too long or is too old, to the minute of what is noted."""
    with open_access(tmp_path_factory.mktemp("home")) as access:
        _, secret = signed_in(access)
        now = seen = NOW
        alive = True
        for step in steps:
            now += step
            alive = alive and now < seen + SESSION_IDLE and now < NOW + SESSION_LIFETIME
            assert (access.session(secret, now) is not None) == alive
            if alive and now - seen >= 60 * SECOND:
                seen = now


def test_to_be_looked_at_is_no_use(access: Access) -> None:
    session, secret = signed_in(access)
    for day in range(1, 8):
        assert access.scopes_of(session.id, NOW + day * DAY - 1)
    assert access.scopes_of(session.id, NOW + 7 * DAY) is None
    assert access.session(secret, NOW + 7 * DAY) is None
    assert access.sessions(NOW + 7 * DAY) == []


def test_a_session_that_was_ended_is_ended_for_every_process(tmp_path: Path) -> None:
    with open_access(tmp_path) as one, open_access(tmp_path) as other:
        session, secret = signed_in(one)
        assert other.session(secret, NOW) == session
        assert other.end_session(session.id, NOW) == session
        assert one.session(secret, NOW) is None
        assert one.scopes_of(session.id, NOW) is None
        assert one.end_session(session.id, NOW) is None


def test_the_password(access: Access) -> None:
    assert not access.has_password()
    with pytest.raises(SignInError, match="no password is set"):
        access.use_password(PASSWORD, "", "", NOW)
    (one, first), (_, second) = signed_in(access), signed_in(access)
    waiting = access.new_token("ada", NOW)
    assert access.set_password(PASSWORD, "ada", NOW, keep=one.id) == 1
    assert access.session(first, NOW) is not None
    assert access.session(second, NOW) is None
    with pytest.raises(SignInError):  # a link that was made before lets nobody in past the password
        access.use_token(waiting, "", "", NOW)
    with pytest.raises(SignInError, match="not the password"):
        access.use_password(PASSWORD + " ", "", "", NOW)
    session, _ = access.use_password(PASSWORD, "10.0.0.9", "a browser", NOW)
    assert (session.by, session.means) == ("ada", "password")
    assert access.set_password("another long one", "ada", NOW) == 2
    assert not access.is_password(PASSWORD)
    assert access.is_password("another long one")


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 12, "abcabcabcabc", "y" * 1_001])
def test_what_cannot_be_a_password_changes_nothing(access: Access, password: str) -> None:
    _, secret = signed_in(access)
    with pytest.raises(ClawdError, match="the password"):
        access.set_password(password, "ada", NOW)
    assert not access.has_password()
    assert access.session(secret, NOW) is not None


def test_a_password_is_hashed_with_argon2id_and_the_same_on_every_keyboard() -> None:
    stored = password_hash("caf\u00e9 au lait ole")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert is_password(stored, "cafe\u0301 au lait ole")
    assert not is_password(stored, "cafe au lait ole")
    assert password_hash("caf\u00e9 au lait ole") != stored
    assert not is_password("no hash", "x")
    assert not is_password(stored, "\ud800")


def test_keys_are_scoped_named_end_and_are_revoked(access: Access) -> None:
    key, secret = access.keys.new("ci", frozenset({Scope.READ, Scope.BUILD}), 1, NOW)
    assert secret.startswith("clawd_")
    assert len(secret) == len("clawd_") + 43  # 256 bits
    used = access.keys.of(secret, NOW + 1)
    assert used is not None and used.scopes == {Scope.READ, Scope.BUILD}
    assert access.keys.all()[0].seen == NOW + 1
    assert access.keys.of(secret, NOW + DAY - 1) is not None
    assert access.keys.of(secret, NOW + DAY) is None
    assert access.scopes_of(key.id, NOW + DAY) is None
    with pytest.raises(TakenError, match="there is a key 'ci'"):
        access.keys.new("ci", frozenset({Scope.READ}), None, NOW)
    gone = access.keys.revoke("ci")
    assert gone is not None and gone.id == key.id
    assert access.keys.of(secret, NOW) is None
    assert access.keys.revoke(key.id) is None


@pytest.mark.parametrize("name", ["", " ", "a b", "../x", "é", "x" * 65, "a\n", "<b>"])
def test_a_name_that_cannot_be_one_makes_no_key(access: Access, name: str) -> None:
    with pytest.raises(ClawdError, match="cannot name a key"):
        access.keys.new(name, frozenset({Scope.READ}), None, NOW)
    assert access.keys.all() == []


def test_what_a_key_may_do_is_read_by_what_this_version_knows(access: Access, tmp_path: Path) -> None:
    _, secret = access.keys.new("ci", frozenset({Scope.READ}), None, NOW)
    with closing(sqlite3.connect(tmp_path / "access.sqlite")) as other, other:
        other.execute("UPDATE key SET scopes = 'read everything'")
    found = access.keys.of(secret, NOW)
    assert found is not None and found.scopes == {Scope.READ}


def test_numbers_are_bounded(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "MOST_KEYS", 3)
    monkeypatch.setattr(module, "MOST_SESSIONS", 3)
    for number in range(3):
        access.keys.new(f"k{number}", frozenset({Scope.READ}), None, NOW)
    with pytest.raises(TakenError, match="no more"):
        access.keys.new("k3", frozenset({Scope.READ}), None, NOW)
    secrets = [signed_in(access, NOW + number)[1] for number in range(5)]
    open_ones = [access.session(secret, NOW + 9) is not None for secret in secrets]
    assert open_ones == [False, False, True, True, True]  # the newest are never the ones that go


def test_every_home_is_named_by_itself(tmp_path: Path) -> None:
    with open_access(tmp_path / "a") as a, open_access(tmp_path / "b") as b:
        assert a.site_id() != b.site_id()
    with open_access(tmp_path / "a") as again:
        assert again.site_id() == a_id(tmp_path / "a")


def a_id(home: Path) -> str:
    with open_access(home) as access:
        return access.site_id()


def test_a_file_of_somebody_else_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "access.sqlite").write_bytes(b"x" * 4_096)
    with pytest.raises(ClawdError), open_access(tmp_path):
        pass
    assert (tmp_path / "access.sqlite").read_bytes() == b"x" * 4_096


def test_who_may_come_in_may_with_a_disk_that_takes_nothing(access: Access, tmp_path: Path) -> None:
    _, secret = signed_in(access)
    with closing(sqlite3.connect(tmp_path / "access.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody else can write
        access._connection.execute("PRAGMA busy_timeout=10")
        assert access.session(secret, NOW + DAY) is not None
