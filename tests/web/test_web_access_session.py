"""Who may come in: links, sessions, the password and keys, over HTTP."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from loops import run_apart
from web_server import Served, served

from clawd.core.settings import Settings
from clawd.server.access import new_link
from clawd.server.app import create_app
from clawd.server.site import Site
from clawd.store.access import open_access
from clawd.store.api_keys import Scope


def token_of(web: Served) -> str:
    return new_link(web.site.home, web.url, web.site.clock.now()).partition("#token=")[2]


def test_nothing_of_the_interface_is_for_strangers(web: Served) -> None:
    for path in ("/api/about", "/api/openapi.json", "/api/nothing", "/api/session", "/api/keys"):
        answer = httpx2.get(f"{web.url}{path}")
        assert answer.status_code == 401, path
        assert "clawd web link" in answer.json()["hint"]


def test_a_link_opens_one_session_and_no_second(web: Served) -> None:
    token = token_of(web)
    with httpx2.Client(base_url=web.url, headers={"Origin": web.url}) as browser:
        answer = browser.post("/api/session", json={"token": token})
        assert answer.status_code == 200
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie and "Secure" not in cookie
        assert browser.get("/api/about").status_code == 200
    again = httpx2.post(f"{web.url}/api/session", json={"token": token})
    assert again.status_code == 401
    assert "used already" in again.json()["what"]
    assert "set-cookie" not in again.headers


def test_signing_out_ends_the_session_and_not_only_the_cookie(web: Served, client: httpx2.Client) -> None:
    stolen = dict([web.cookie])
    assert client.delete("/api/session").status_code == 204
    assert httpx2.get(f"{web.url}/api/about", cookies=stolen).status_code == 401


def test_a_session_outlives_the_server(site: Site) -> None:
    with served(site) as first:
        port = int(first.url.rpartition(":")[2])
        cookie = dict([first.cookie])
        assert httpx2.get(f"{first.url}/api/about", cookies=cookie).status_code == 200
    with served(Site(site.settings, site.clock), port) as second:
        assert httpx2.get(f"{second.url}/api/about", cookies=cookie).status_code == 200


def test_a_cookie_is_for_https_alone_where_that_is_spoken(site: Site) -> None:
    async def over_https() -> httpx2.Response:
        transport = httpx2.ASGITransport(create_app(site))
        async with httpx2.AsyncClient(transport=transport, base_url="https://testserver") as browser:
            token = new_link(site.home, "", site.clock.now()).partition("#token=")[2]
            return await browser.post("/api/session", json={"token": token}, headers={"Origin": "https://testserver"})

    answer = run_apart(over_https())
    assert answer.status_code == 200, answer.text
    assert "Secure" in answer.headers["set-cookie"]


def test_who_asks_is_told_who_he_is(web: Served, client: httpx2.Client) -> None:
    who = client.get("/api/session").json()
    assert (who["name"], who["kind"], who["has_password"]) == ("tester", "session", False)
    assert sorted(who["scopes"]) == sorted(Scope)
    made = client.post("/api/keys", json={"name": "ci", "scopes": ["read"], "days": 2}).json()
    answer = httpx2.get(f"{web.url}/api/session", headers={"Authorization": f"Bearer {made['secret']}"})
    assert answer.json() == {
        "name": "key:ci",
        "kind": "key",
        "id": made["key"]["id"],
        "scopes": ["read"],
        "owner": True,
        "role": None,
        "ends": made["key"]["made"] + 2 * 86_400_000,
        "has_password": False,
    }


def test_a_key_gives_nobody_a_right_that_it_does_not_have(web: Served, client: httpx2.Client) -> None:
    secret = client.post("/api/keys", json={"name": "admin", "scopes": ["admin"]}).json()["secret"]
    key = {"Authorization": f"Bearer {secret}"}
    escalated = httpx2.post(f"{web.url}/api/keys", json={"name": "more", "scopes": ["admin", "decide"]}, headers=key)
    assert escalated.status_code == 403
    assert "decide" in escalated.json()["what"]
    same = httpx2.post(f"{web.url}/api/keys", json={"name": "same", "scopes": ["admin"]}, headers=key)
    assert same.status_code == 201
    assert [each["name"] for each in client.get("/api/keys").json()] == ["admin", "same"]


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/audit", Scope.READ),
        ("GET", "/api/standing", Scope.READ),
        ("GET", "/api/keys", Scope.ADMIN),
        ("GET", "/api/sessions", Scope.ADMIN),
        ("PUT", "/api/password", Scope.ADMIN),
        ("POST", "/api/standing", Scope.DECIDE),
        ("PUT", "/api/runs/shown", Scope.BUILD),
    ],
)
def test_each_right_opens_what_it_is_for_and_none_implies_another(
    web: Served, method: str, path: str, scope: Scope
) -> None:
    for right in Scope:
        with open_access(web.site.home) as access:
            rights = {right, Scope.READ} if scope is Scope.BUILD else {right}  # who builds sees what he has built
            _, secret = access.keys.new(f"only-{right}", frozenset(rights), None, web.site.clock.now())
        answer = httpx2.request(method, f"{web.url}{path}", headers={"Authorization": f"Bearer {secret}"}, json={})
        assert (answer.status_code == 403) == (right is not scope), (right, answer.text)


def test_a_password_is_changed_by_who_knows_the_one_before(web: Served, client: httpx2.Client) -> None:
    first, second = "seven brown foxes", "eight lazy dogs here"
    assert client.put("/api/password", json={"password": first}).json() == {"sessions_ended": 0}
    for current in (None, "not the password"):
        refused = client.put("/api/password", json={"password": second, "current": current})
        assert (refused.status_code, refused.json()["where"]) == (403, "current")
    assert client.put("/api/password", json={"password": second, "current": first}).status_code == 200
    assert client.get("/api/about").status_code == 200  # who has set it stays
    assert httpx2.post(f"{web.url}/api/session", json={"password": first}).status_code == 401
    assert httpx2.post(f"{web.url}/api/session", json={"password": second}).status_code == 200


@pytest.mark.parametrize("body", [{}, {"token": "x", "password": "y"}, {"token": None, "password": None}])
def test_signing_in_needs_one_of_two(web: Served, body: dict[str, str | None]) -> None:
    assert httpx2.post(f"{web.url}/api/session", json=body).status_code == 401


def test_a_key_that_is_revoked_while_it_is_used_is_shut_out_at_once(web: Served, client: httpx2.Client) -> None:
    made = client.post("/api/keys", json={"name": "ci", "scopes": ["read"]}).json()
    key = {"Authorization": f"Bearer {made['secret']}"}
    assert httpx2.get(f"{web.url}/api/about", headers=key).status_code == 200
    assert client.delete(f"/api/keys/{made['key']['id']}").status_code == 204
    assert httpx2.get(f"{web.url}/api/about", headers=key).status_code == 401
    for scheme in ("Basic", "bearer", "Bearer  "):
        assert httpx2.get(f"{web.url}/api/about", headers={"Authorization": f"{scheme} x"}).status_code == 401


def test_two_homes_on_one_machine_do_not_sign_each_other_out(site: Site, tmp_path: Path) -> None:
    other = Site(Settings(home=tmp_path / "other"), site.clock)
    with served(site) as one, served(other) as two:
        both = dict([one.cookie, two.cookie])
        assert len(both) == 2
        for web in (one, two):
            assert httpx2.get(f"{web.url}/api/about", cookies=both).json()["home"] == str(web.site.home)


def test_a_key_that_may_not_do_everything_sets_no_password_by_which_it_could(web: Served) -> None:
    def put(*scopes: Scope) -> httpx2.Response:
        with open_access(web.site.home) as access:
            _, secret = access.keys.new("-".join(("k", *scopes)), frozenset(scopes), None, web.site.clock.now())
        words = {"password": "seven brown foxes"}
        return httpx2.put(f"{web.url}/api/password", json=words, headers={"Authorization": f"Bearer {secret}"})

    assert put(Scope.READ, Scope.ADMIN).status_code == 403
    with open_access(web.site.home) as access:
        assert not access.has_password()
    assert put(*Scope).status_code == 200
