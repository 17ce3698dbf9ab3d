"""Who may come in: links, sessions, the password and keys, over HTTP."""

from __future__ import annotations

import httpx2
from web_server import Served, served

from clawd.server.access import new_link
from clawd.server.site import Site


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
