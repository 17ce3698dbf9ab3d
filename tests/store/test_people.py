"""People beside the owner: roles, passwords, links and keys, and that each ends with the person at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.store import access as access_module
from clawd.store import people as people_module
from clawd.store.access import SCHEMA, Access, Session, SignInError, open_access
from clawd.store.api_keys import Scope, TakenError
from clawd.store.people import MEANINGS, ROLES, NobodyError, Person, Role, role_named
from clawd.store.secret import hash_of

NOW = 1_700_000_000 * 10**9
MINUTE = 60 * 10**9
PASSWORD = "seven brown foxes"
OTHER = "eight lazy dogs here"


@pytest.fixture
def access(tmp_path: Path) -> Iterator[Access]:
    with open_access(tmp_path) as opened:
        yield opened


def added(access: Access, name: str = "ana", role: Role = Role.VIEWER) -> Person:
    return access.people.add(name, role, "ivo", "ivo", NOW)


def by_link(access: Access, person: Person | None, now: int = NOW) -> tuple[Session, str]:
    return access.use_token(access.new_token("ivo", now, person), "127.0.0.1", "a browser", now)


def scopes(access: Access, secret: str, now: int = NOW) -> frozenset[Scope] | None:
    session = access.session(secret, now)
    return None if session is None else session.scopes


def test_roles_are_the_sets_of_rights_that_the_page_says_they_are() -> None:
    assert {role: set(rights) for role, rights in ROLES.items()} == {
        Role.VIEWER: {"read"},
        Role.BUILDER: {"read", "build"},
        Role.OPERATOR: {"read", "build", "decide"},
        Role.ADMIN: {"read", "build", "decide", "admin"},
    }
    assert set(MEANINGS) == set(Role)
    with pytest.raises(ClawdError, match="no role 'opperator'") as wrong:
        role_named("opperator", "--role")
    assert "did you mean `operator`?" in str(wrong.value)


def test_an_access_file_of_before_opens_and_lets_in_whom_it_let_in(tmp_path: Path) -> None:
    path = tmp_path / "access.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for statement in SCHEMA.statements:
            old.execute(statement)
        old.execute("INSERT INTO site VALUES ('0123abcd')")
        old.execute("INSERT INTO token VALUES (?, 'ivo', ?, NULL)", (hash_of("link"), NOW))
        old.execute(
            "INSERT INTO session VALUES ('s-1', ?, 'ivo', 'link', '::1', 'x', ?, ?)", (hash_of("cookie"), NOW, NOW)
        )
        old.execute("INSERT INTO key VALUES ('k-1', ?, 'ci', 'build read', ?, NULL, NULL)", (hash_of("clawd_k"), NOW))
        old.execute(f"PRAGMA application_id={SCHEMA.application_id}")
        old.execute("PRAGMA user_version=1")
    with open_access(tmp_path) as access:
        assert access.site_id() == "0123abcd"
        assert scopes(access, "cookie") == frozenset(Scope)
        assert access.use_token("link", "", "", NOW)[0].person is None
        key = access.keys.of("clawd_k", NOW)
        assert key is not None and (key.scopes, key.person) == ({Scope.BUILD, Scope.READ}, None)
        assert access.people.all() == []
        added(access)
    with open_access(tmp_path) as again:
        assert [person.name for person in again.people.all()] == ["ana"]


def test_a_role_that_changes_holds_for_sessions_and_keys_that_are_open(access: Access) -> None:
    ana = added(access, role=Role.OPERATOR)
    session, secret = by_link(access, ana)
    key, shown = access.keys.new("ci", frozenset({Scope.READ, Scope.DECIDE}), None, NOW, ana.id)
    assert (session.by, session.person, session.scopes) == ("ana", ana.id, ROLES[Role.OPERATOR])
    access.people.change_role(ana, Role.BUILDER)
    assert scopes(access, secret) == access.scopes_of(session.id, NOW) == {Scope.READ, Scope.BUILD}
    of_key = access.keys.of(shown, NOW)
    assert of_key is not None and of_key.scopes == access.scopes_of(key.id, NOW) == {Scope.READ}
    access.people.change_role(ana, Role.ADMIN)
    of_key = access.keys.of(shown, NOW)
    assert of_key is not None and of_key.scopes == {Scope.READ, Scope.DECIDE}  # never more than it was made for
    assert scopes(access, secret) == frozenset(Scope)


def test_who_is_removed_is_out_at_once_and_does_not_come_back_by_his_name(access: Access) -> None:
    ana, ben = added(access), added(access, "ben")
    session, secret = by_link(access, ana)
    link = access.new_token("ivo", NOW, ana)
    key, shown = access.keys.new("ci", frozenset({Scope.READ}), None, NOW, ana.id)
    access.people.set_password(ana, PASSWORD, keep=session.id)
    stays, others = by_link(access, ben), by_link(access, None)
    assert access.people.remove(access.people.named("ana")) == (1, ["ci"])
    again = added(access, role=Role.ADMIN)
    assert again.id != ana.id
    assert scopes(access, secret) is None and access.keys.of(shown, NOW) is None
    assert access.scopes_of(session.id, NOW) is None and access.scopes_of(key.id, NOW) is None
    with pytest.raises(SignInError):
        access.use_token(link, "", "", NOW)
    with pytest.raises(SignInError):
        access.use_password(PASSWORD, "", "", NOW, "ana")
    assert scopes(access, stays[1]) == {Scope.READ} and scopes(access, others[1]) == frozenset(Scope)
    for deed in (lambda: access.people.remove(ana), lambda: access.people.change_role(ana, Role.VIEWER)):
        with pytest.raises(NobodyError, match="has been removed"):
            deed()
    with pytest.raises(NobodyError):
        access.people.set_password(ana, PASSWORD)
    late = access.new_token("ivo", NOW, ana)  # made while he was being removed
    with pytest.raises(SignInError, match="may not come in any more"):
        access.use_token(late, "", "", NOW)
    assert len(access.sessions(NOW)) == 2


def test_a_password_opens_a_session_of_whose_it_is(access: Access) -> None:
    added(access)
    added(access, "ben", Role.BUILDER)
    access.set_password(PASSWORD, "ivo", NOW)
    access.people.set_password(access.people.named("ANA"), OTHER)
    for name in ("", "owner", "clawd", "Ivo"):
        assert access.use_password(PASSWORD, "", "", NOW, name)[0].scopes == frozenset(Scope), name
    for name in ("ana", "Ana"):
        session, _ = access.use_password(OTHER, "", "", NOW, name)
        assert (session.by, session.means, session.scopes) == ("ana", "password", {Scope.READ})
    for name, password in (("ana", PASSWORD), ("", OTHER), ("ben", OTHER), ("ben", PASSWORD), ("eve", PASSWORD)):
        with pytest.raises(SignInError, match="this is not the password"):
            access.use_password(password, "", "", NOW, name)


def test_nobody_learns_who_is_there_from_what_is_answered(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    added(access)
    access.people.set_password(access.people.named("ana"), OTHER)
    added(access, "ben")  # who has no password
    verified: list[str] = []
    real = access_module.is_password

    def counted(stored: str, password: str) -> bool:
        verified.append(stored.split("$")[3])  # how costly it is
        return real(stored, password)

    monkeypatch.setattr(access_module, "is_password", counted)
    answers = set()
    for name in ("ana", "ben", "eve", "owner", "<img src=x onerror=alert(1)>", "'; DROP TABLE person; --"):
        with pytest.raises(SignInError) as refused:
            access.use_password(PASSWORD, "", "", NOW, name)
        answers.add(str(refused.value))
    assert len(answers) == 1
    assert len(verified) == 6 and len(set(verified)) == 1  # each has waited for one hash of the same cost


def test_a_password_that_is_set_ends_his_sessions_and_nobody_elses(access: Access) -> None:
    ana, ben = added(access), added(access, "ben")
    mine, _ = by_link(access, ana)
    by_link(access, ana)
    link = access.new_token("ivo", NOW, ana)
    his, owners = by_link(access, ben), by_link(access, None)
    assert access.people.set_password(ana, PASSWORD, keep=mine.id) == 1
    assert {each.id for each in access.sessions(NOW)} == {mine.id, his[0].id, owners[0].id}
    with pytest.raises(SignInError, match="used already"):
        access.use_token(link, "", "", NOW)
    assert access.set_password(OTHER, "ivo", NOW) == 1  # the owner's
    assert {each.id for each in access.sessions(NOW)} == {mine.id, his[0].id}
    with pytest.raises(ClawdError, match="characters"):
        access.people.set_password(ana, "short")
    assert access.is_password(PASSWORD, ana) and not access.is_password(OTHER, ana)


@pytest.mark.parametrize(
    "name", ["", "<img src=x onerror=alert(1)>", "a b", "key:ci", "-x", "a" * 65, "аna", "a\n", "."]
)
def test_a_name_that_could_be_taken_for_something_else_is_none(access: Access, name: str) -> None:
    with pytest.raises(ClawdError, match="cannot name a person"):
        added(access, name)
    assert access.people.all() == []


@pytest.mark.parametrize("name", ["ana", "ANA", "owner", "Clawd", "IVO"])
def test_no_two_have_one_name_nor_anybody_the_owners(access: Access, name: str) -> None:
    added(access)
    with pytest.raises(TakenError):
        added(access, name)


def test_there_are_as_many_as_can_be_listed_and_each_ends_his_own_sessions_alone(
    access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people_module, "MOST_PEOPLE", 2)
    monkeypatch.setattr(access_module, "MOST_SESSIONS_OF_A_PERSON", 2)
    ana, _ = added(access), added(access, "ben")
    with pytest.raises(TakenError, match="no more can be added"):
        added(access, "eve")
    owners, _ = by_link(access, None)
    for k in range(4):
        by_link(access, ana, NOW + k)
    assert sorted(each.person or "" for each in access.sessions(NOW + 4)) == ["", ana.id, ana.id]
    assert owners.id in {each.id for each in access.sessions(NOW + 4)}


def test_when_somebody_was_here_last_outlives_his_session(access: Access) -> None:
    ana = added(access)
    assert access.people.named("ana").seen is None
    session, secret = by_link(access, ana)
    assert access.people.named("ana").seen == NOW
    access.session(secret, NOW + MINUTE // 2)
    assert access.people.named("ana").seen == NOW
    access.session(secret, NOW + 2 * MINUTE)
    access.end_session(session.id, NOW + 3 * MINUTE)
    assert access.people.named("ana").seen == NOW + 2 * MINUTE


def test_a_name_nobody_has_is_said_with_the_nearest(access: Access) -> None:
    added(access, "anastasia")
    with pytest.raises(NobodyError) as wrong:
        access.people.named("anastasja")
    assert "did you mean `anastasia`?" in str(wrong.value)


_DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["ana", "ben"]), st.sampled_from(["in", "out", "role", "remove", "add"]), st.sampled_from(Role)
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(deeds=_DEEDS)
def test_whatever_is_done_each_session_allows_what_its_person_may_do_now(
    tmp_path_factory: pytest.TempPathFactory, deeds: list[tuple[str, str, Role]]
) -> None:
    """The model: a role for each who is there, and the secrets that were opened since he was added."""
    roles: dict[str, Role] = {}
    inside: dict[str, str] = {}  # the secret of a session, and whose it is
    gone: set[str] = set()
    with open_access(tmp_path_factory.mktemp("home")) as access:
        for name, deed, role in deeds:
            if deed == "add" and name not in roles:
                added(access, name, role)
                roles[name] = role
            elif name not in roles:
                continue
            elif deed == "in":
                inside[by_link(access, access.people.named(name))[1]] = name
            elif deed == "role":
                access.people.change_role(access.people.named(name), role)
                roles[name] = role
            elif deed in ("out", "remove"):
                ended = {secret for secret, whose in inside.items() if whose == name}
                if deed == "remove":
                    assert access.people.remove(access.people.named(name))[0] == len(ended)
                    del roles[name]
                else:
                    for secret in ended:
                        session = access.session(secret, NOW)
                        assert session is not None
                        access.end_session(session.id, NOW)
                gone |= ended
                inside = {secret: whose for secret, whose in inside.items() if whose != name}
            for secret, whose in inside.items():
                assert scopes(access, secret) == ROLES[roles[whose]]
            assert all(scopes(access, secret) is None for secret in gone)
