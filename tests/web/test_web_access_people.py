"""People over HTTP: what each role may do, who may give which, and that all of it holds at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from changes import STRATEGY
from web_server import Served
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from clawd.server import door
from clawd.server.access import new_link, owner
from clawd.server.audit import audit_path
from clawd.server.door import cookie_name
from clawd.server.rates import Rates
from clawd.server.site import Site
from clawd.store.access import open_access
from clawd.store.api_keys import Scope
from clawd.store.journal import open_journal
from clawd.store.people import ROLES, Role

PASSWORD = "seven brown foxes"
OTHER = "eight lazy dogs here"


@contextmanager
def signed_in(web: Served, name: str, role: Role) -> Any:
    """A client that is signed in as a person, who is added where he is not there."""
    now = web.site.clock.now()
    with open_access(web.site.home) as access:
        if name not in {each.name for each in access.people.all()}:
            access.people.add(name, role, "tester", owner(), now)
        _, secret = access.use_token(access.new_token("", now, access.people.named(name)), "127.0.0.1", "tests", now)
        cookie = {cookie_name(access): secret}
    with httpx2.Client(base_url=web.url, cookies=cookie, headers={"Origin": web.url}, timeout=30) as client:
        yield client


def key_of(client: httpx2.Client, name: str, *scopes: Scope) -> dict[str, str]:
    made = client.post("/api/keys", json={"name": name, "scopes": list(scopes)}).json()
    return {"Authorization": f"Bearer {made['secret']}"}


def facts(site: Site) -> list[tuple[str, str]]:
    with open_journal(audit_path(site.home), read_only=True) as journal:
        return [(entry.kind, str(entry.body["by"])) for entry in journal.entries()]


DEEDS = {
    Scope.READ: ("GET", "/api/audit", None),
    Scope.BUILD: ("PUT", "/api/strategies/mine", {"revision": 0, "form": "text", "text": STRATEGY}),
    Scope.DECIDE: ("POST", "/api/standing", {"level": "halt", "word": "HALT"}),
    Scope.ADMIN: ("POST", "/api/keys", {"name": "ci", "scopes": ["read"]}),
}


@pytest.mark.parametrize("role", Role)
def test_each_role_does_what_it_is_for_and_the_audit_says_who(web: Served, role: Role) -> None:
    with signed_in(web, "ana", role) as ana:
        who = ana.get("/api/session").json()
        assert (who["name"], who["role"], who["owner"]) == ("ana", role, False)
        assert set(who["scopes"]) == ROLES[role]
        before = len(facts(web.site)) if audit_path(web.site.home).exists() else 0
        for right, (method, path, body) in DEEDS.items():
            answer = ana.request(method, path, json=body)
            assert answer.is_success == (right in ROLES[role]), (right, answer.text)
            if not answer.is_success:
                assert answer.status_code == 403 and str(right) in answer.json()["what"]
    new = facts(web.site)[before:]
    assert len(new) == len(ROLES[role]) - 1 and {by for _, by in new} <= {"ana"}


def test_people_are_listed_added_changed_and_removed(web: Served, client: httpx2.Client) -> None:
    added = client.post("/api/people", json={"name": "Ana", "role": "builder"})
    assert added.status_code == 201, added.text
    listed = client.get("/api/people").json()
    assert listed["owner"] == owner()
    assert [each["role"] for each in listed["roles"]] == list(Role) and all(each["yours"] for each in listed["roles"])
    (ana,) = listed["people"]
    assert ana == added.json()
    assert (ana["name"], ana["role"], ana["sessions"], ana["seen"], ana["by"]) == ("Ana", "builder", 0, None, "tester")
    with signed_in(web, "Ana", Role.BUILDER) as browser:
        (seen,) = client.get("/api/people").json()["people"]
        assert seen["sessions"] == 1 and seen["seen"] >= seen["made"]
        stale = client.put("/api/people/ana/role", json={"role": "admin", "before": "viewer"})
        assert (stale.status_code, stale.json()["where"]) == (409, "before")
        changed = client.put("/api/people/ana/role", json={"role": "viewer", "before": "builder"})
        assert changed.json()["role"] == "viewer"
        assert browser.get("/api/session").json()["scopes"] == ["read"]
        assert client.delete("/api/people/ANA").status_code == 204
        assert browser.get("/api/session").status_code == 401
    assert client.get("/api/people").json()["people"] == []
    assert client.delete("/api/people/ana").status_code == 404
    assert [kind for kind, _ in facts(web.site)] == ["PersonAdded", "RoleChanged", "PersonRemoved"]


@pytest.mark.parametrize(
    ("name", "status"), [("<img src=x onerror=alert(1)>", 422), ("owner", 409), (owner(), 409), ("a b", 422), ("", 422)]
)
def test_a_name_that_is_none_is_refused(web: Served, client: httpx2.Client, name: str, status: int) -> None:
    assert client.post("/api/people", json={"name": name, "role": "viewer"}).status_code == status
    assert client.get("/api/people").json()["people"] == []


def test_a_link_that_is_made_for_somebody_signs_him_in_once(web: Served, client: httpx2.Client) -> None:
    client.post("/api/people", json={"name": "ana", "role": "viewer"})
    link = client.post("/api/people/ana/link").json()["link"]
    assert link.startswith(f"{web.url}/#token=")
    token = link.partition("#token=")[2]
    signed = httpx2.post(f"{web.url}/api/session", json={"token": token})
    assert signed.json()["name"] == "ana" and signed.json()["scopes"] == ["read"]
    assert httpx2.post(f"{web.url}/api/session", json={"token": token}).status_code == 401
    assert token not in httpx2.get(f"{web.url}/api/audit", cookies=dict([web.cookie])).text


def test_nobody_gives_what_he_has_not_nor_changes_who_may_do_more(web: Served, client: httpx2.Client) -> None:
    for name in ("ana", "ben"):
        client.post("/api/people", json={"name": name, "role": "operator"})
    key = client.post("/api/keys", json={"name": "half", "scopes": ["read", "admin"]}).json()["secret"]
    with httpx2.Client(base_url=web.url, headers={"Authorization": f"Bearer {key}"}) as half:
        assert half.post("/api/people", json={"name": "eve", "role": "operator"}).status_code == 403
        assert half.put("/api/people/ana/role", json={"role": "admin", "before": "operator"}).status_code == 403
        assert half.put("/api/people/ana/role", json={"role": "viewer", "before": "operator"}).status_code == 403
        assert half.post("/api/people/ana/link").status_code == 403
        assert half.delete("/api/people/ana").status_code == 403
        assert half.post("/api/people", json={"name": "eve", "role": "viewer"}).status_code == 201
        listed = half.get("/api/people").json()
        assert {each["name"]: each["changeable"] for each in listed["people"]} == {
            "ana": False,
            "ben": False,
            "eve": True,
        }
        assert [each["yours"] for each in listed["roles"]] == [True, False, False, False]
    with signed_in(web, "ana", Role.OPERATOR) as ana:
        for method, path, body in (
            ("GET", "/api/people", None),
            ("POST", "/api/people", {"name": "eva", "role": "viewer"}),
            ("PUT", "/api/people/ana/role", {"role": "admin", "before": "operator"}),
            ("POST", "/api/people/ben/link", None),
            ("DELETE", "/api/people/ben", None),
        ):
            assert ana.request(method, path, json=body).status_code == 403, path


def test_an_admin_does_not_change_the_owner(web: Served, client: httpx2.Client) -> None:
    assert client.put("/api/password", json={"password": PASSWORD}).status_code == 200
    with signed_in(web, "ana", Role.ADMIN) as ana:
        owners = next(each for each in ana.get("/api/sessions").json() if each["owner"])
        refused = ana.delete(f"/api/sessions/{owners['id']}")
        assert refused.status_code == 403 and "owner" in refused.json()["what"]
        # What he sets is his own.
        assert ana.put("/api/password", json={"password": OTHER}).json() == {"sessions_ended": 0}
        made = ana.post("/api/keys", json={"name": "ci", "scopes": list(Scope)}).json()["secret"]
        of_key = {"Authorization": f"Bearer {made}"}
        assert httpx2.put(f"{web.url}/api/password", json={"password": OTHER}, headers=of_key).status_code == 403
        for name in ("owner", "tester", "clawd"):
            assert ana.delete(f"/api/people/{name}").status_code == 404
    with open_access(web.site.home) as access:
        assert access.is_password(PASSWORD) and access.is_password(OTHER, access.people.named("ana"))
    assert client.get("/api/about").status_code == 200
    with signed_in(web, "ben", Role.VIEWER) as ben:
        its = ben.get("/api/session").json()["id"]
        assert client.delete(f"/api/sessions/{its}").status_code == 204
        assert ben.get("/api/about").status_code == 401


def test_a_key_never_does_more_than_who_made_it(web: Served, client: httpx2.Client) -> None:
    with signed_in(web, "ana", Role.ADMIN) as ana:
        key = key_of(ana, "ci", Scope.READ, Scope.BUILD)
        second = httpx2.post(f"{web.url}/api/keys", json={"name": "x", "scopes": ["read"]}, headers=key)
        assert second.status_code == 403
        wide = key_of(ana, "ad", *Scope)
        child = httpx2.post(f"{web.url}/api/keys", json={"name": "child", "scopes": ["read"]}, headers=wide).json()
    client.put("/api/people/ana/role", json={"role": "viewer", "before": "admin"})
    for secret in (key, wide):
        assert httpx2.get(f"{web.url}/api/session", headers=secret).json()["scopes"] == ["read"]
    (ana_now,) = client.get("/api/people").json()["people"]
    assert ana_now["keys"] == ["ad", "child", "ci"]
    assert client.delete("/api/people/ana").status_code == 204
    for secret in (key, wide, {"Authorization": f"Bearer {child['secret']}"}):
        assert httpx2.get(f"{web.url}/api/about", headers=secret).status_code == 401
    assert client.get("/api/keys").json() == []


def test_a_viewer_sets_his_own_password_and_signs_in_with_it(web: Served) -> None:
    with signed_in(web, "ana", Role.VIEWER) as ana, signed_in(web, "ana", Role.VIEWER) as elsewhere:
        assert ana.get("/api/session").json()["has_password"] is False
        assert ana.put("/api/password", json={"password": PASSWORD}).json() == {"sessions_ended": 1}
        assert elsewhere.get("/api/session").status_code == 401
        assert ana.get("/api/session").json()["has_password"] is True
        for current in (None, "not the password"):
            refused = ana.put("/api/password", json={"password": OTHER, "current": current})
            assert (refused.status_code, refused.json()["where"]) == (403, "current")
        assert ana.put("/api/password", json={"password": OTHER, "current": PASSWORD}).status_code == 200
    for name, password, status in (
        ("ana", PASSWORD, 401),
        ("", OTHER, 401),
        ("ben", OTHER, 401),
        (" Ana ", OTHER, 200),
    ):
        answer = httpx2.post(f"{web.url}/api/session", json={"name": name, "password": password})
        assert answer.status_code == status, (name, answer.text)
    assert answer.json()["name"] == "ana" and answer.json()["role"] == "viewer"
    assert facts(web.site)[-1] == ("SignedIn", "ana")


def test_an_unknown_name_is_answered_as_a_wrong_password_and_counted(web: Served, client: httpx2.Client) -> None:
    client.post("/api/people", json={"name": "ana", "role": "viewer"})
    with open_access(web.site.home) as access:
        access.people.set_password(access.people.named("ana"), PASSWORD)
    answers = {
        httpx2.post(f"{web.url}/api/session", json={"name": name, "password": OTHER}).text
        for name in ("ana", "nobody", "<img src=x onerror=alert(1)>", "owner")
    }
    assert len(answers) == 1 and "onerror" not in answers.pop()
    web.site.rates = Rates({**web.site.rates.allowed, "everyone": "2/hour"})
    tries = [httpx2.post(f"{web.url}/api/session", json={"name": f"n{k}", "password": OTHER}) for k in range(3)]
    assert [answer.status_code for answer in tries] == [401, 401, 429]


def test_a_live_connection_ends_when_its_holder_gets_another_role_or_is_removed(
    web: Served, client: httpx2.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "LOOK_EVERY", 0.05)
    with signed_in(web, "ana", Role.VIEWER) as ana:
        (name, value), *_ = ana.cookies.items()

        def open_live() -> Any:
            return connect(
                f"{web.url.replace('http', 'ws')}/api/live",
                additional_headers={"Cookie": f"{name}={value}", "Origin": web.url},
            )

        for deed, code in (
            (lambda: client.put("/api/people/ana/role", json={"role": "admin", "before": "viewer"}), door.OTHER_RIGHTS),
            (lambda: client.delete("/api/people/ana"), door.SIGNED_OUT),
        ):
            with open_live() as live:
                live.send('{"subscribe": ["status"]}')
                live.recv(timeout=60)
                assert deed().is_success
                with pytest.raises(ConnectionClosed) as ended:
                    while True:
                        live.recv(timeout=60)
                assert ended.value.rcvd is not None and ended.value.rcvd.code == code


def test_a_link_of_the_owners_opens_a_session_with_every_right(web: Served) -> None:
    token = new_link(web.site.home, web.url, web.site.clock.now()).partition("#token=")[2]
    who = httpx2.post(f"{web.url}/api/session", json={"token": token}).json()
    assert (who["owner"], who["role"], set(who["scopes"])) == (True, None, set(Scope))
