"""What somebody who means harm would send, by hand: nothing comes in, nothing changes, nothing hangs."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from fastapi import APIRouter
from starlette.responses import Response
from web_server import Served, served
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server import app as application
from clawd.server import bodies, connections, door, patience
from clawd.server.access import new_link
from clawd.server.audit import audit_path
from clawd.server.rates import RATES, Rates
from clawd.server.site import Site
from clawd.store.access import open_access
from clawd.store.api_keys import Scope
from clawd.store.journal import open_journal

EVIL = "http://evil.example"


def key_of(web: Served, *scopes: Scope) -> dict[str, str]:
    with open_access(web.site.home) as access:
        _, secret = access.keys.new(f"k{time.monotonic_ns()}", frozenset(scopes), None, web.site.clock.now())
    return {"Authorization": f"Bearer {secret}"}


def written(web: Served) -> int:
    """Entries of the audit."""
    with open_journal(audit_path(web.site.home), read_only=True) as journal:
        return journal.head[0]


def keys_in(web: Served) -> list[str]:
    with open_access(web.site.home) as access:
        return [key.name for key in access.keys.all()]


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that nothing may change; it counts nothing."""
    site = Site(Settings(home=tmp_path_factory.mktemp("still") / "home"), SystemClock())
    site.rates = Rates(dict.fromkeys(RATES, "1000000/minute"))
    with served(site) as at_work:
        yield at_work
        assert (keys_in(at_work), written(at_work)) == ([], 0)


NEW_KEY = {"name": "mine", "scopes": ["read"]}


# Forged requests


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},  # another port of this very machine: the browser sends it our cookie
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {},
    ],
)
def test_a_session_changes_nothing_when_a_foreign_page_asks(still: Served, headers: dict[str, str]) -> None:
    cookies = dict([still.cookie])
    answer = httpx2.post(f"{still.url}/api/keys", json=NEW_KEY, headers=headers, cookies=cookies)
    assert answer.status_code == 403
    assert answer.json()["where"] == "Origin"
    assert (keys_in(still), written(still)) == ([], 0)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "own"}])
def test_our_own_page_may(web: Served, headers: dict[str, str]) -> None:
    headers = {name: value.replace("own", web.url) for name, value in headers.items()}
    answer = httpx2.post(f"{web.url}/api/keys", json=NEW_KEY, headers=headers, cookies=dict([web.cookie]))
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "headers", [{"Origin": EVIL}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_a_foreign_page_reads_nothing_with_our_cookie(still: Served, headers: dict[str, str]) -> None:
    answer = httpx2.get(f"{still.url}/api/keys", headers=headers, cookies=dict([still.cookie]))
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_key_needs_no_origin_but_does_not_excuse_a_foreign_page_with_a_cookie(web: Served) -> None:
    key = key_of(web, Scope.ADMIN, Scope.READ)
    assert httpx2.post(f"{web.url}/api/keys", json=NEW_KEY, headers=key).status_code == 201
    both = httpx2.post(
        f"{web.url}/api/keys",
        json={**NEW_KEY, "name": "b"},
        headers={**key, "Origin": EVIL},
        cookies=dict([web.cookie]),
    )
    assert both.status_code == 403
    assert "b" not in keys_in(web)


def test_a_wrong_key_is_not_helped_out_by_a_cookie(still: Served) -> None:
    headers = {"Authorization": "Bearer clawd_wrong", "Origin": still.url}
    assert httpx2.get(f"{still.url}/api/about", headers=headers, cookies=dict([still.cookie])).status_code == 401


def test_no_foreign_page_may_ask_before(still: Served) -> None:
    """No answer to a preflight: a browser then sends neither JSON nor a key for a foreign page."""
    headers = {
        "Origin": EVIL,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = httpx2.options(f"{still.url}/api/keys", headers=headers)
    assert answer.status_code in (401, 403)
    assert not [name for name in answer.headers if name.startswith("access-control")]


# Names that point here


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "a b", "[::1", "10.0.0.1"]
)
@pytest.mark.parametrize("path", ["/", "/api/about", "/assets/x.js"])
def test_another_name_for_this_machine_is_refused(still: Served, host: str, path: str) -> None:
    answer = httpx2.get(f"{still.url}{path}", headers={"Host": host}, cookies=dict([still.cookie]))
    assert answer.status_code == 400


def test_names_of_the_loopback_and_those_that_were_given_are_known(site: Site) -> None:
    site.hosts = frozenset({"box.lan"})
    with served(site) as web:
        port = web.url.rpartition(":")[2]
        for host in (f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}", "LOCALHOST", "box.lan:8765"):
            answer = httpx2.get(f"{web.url}/api/about", headers={"Host": host}, cookies=dict([web.cookie]))
            assert answer.status_code == 200, host


def ask(web: Served, method: str, path: str, **more: Any) -> httpx2.Response:
    """Ask as our own pages do."""
    with web.client() as client:
        return client.request(method, path, **more)


def raw(web: Served, text: bytes, timeout: float = 10) -> bytes:
    """What a server says to bytes."""
    host, port = web.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout) as line:
        line.sendall(text)
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while more := line.recv(65_536):
                said += more
    return said


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /api/about HTTP/1.0\r\nConnection: close\r\n\r\n",  # no Host
        b"GET /api/about HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET http://evil.example/api/about HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        b"GET /api/%00 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"GET /\x01 HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"POST /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"a" * 1_000_000 + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
    ],
)
def test_what_is_no_proper_request_is_a_400_and_the_connection_ends(still: Served, request_: bytes) -> None:
    said = raw(still, request_)
    assert said.startswith((b"HTTP/1.1 400", b"HTTP/1.1 401", b"HTTP/1.1 422")), said[:200]
    assert b"Traceback" not in said


# Guessing


def test_who_guesses_is_told_to_wait_and_for_how_long(web: Served) -> None:
    with open_access(web.site.home) as access:
        access.set_password("seven brown foxes", "tester", web.site.clock.now())
    answers = [httpx2.post(f"{web.url}/api/session", json={"password": f"guess {i:08}"}) for i in range(12)]
    codes = [answer.status_code for answer in answers]
    assert codes[:10] == [401] * 10 and codes[11] == 429
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60
    # He may not try the right one either, or he could tell.
    assert httpx2.post(f"{web.url}/api/session", json={"password": "seven brown foxes"}).status_code == 429


def test_guessed_keys_are_counted_by_address_and_who_is_signed_in_is_not_hindered(site: Site) -> None:
    site.rates = Rates({**RATES, "stranger": "5/minute"})
    with served(site) as web, web.client() as client:
        headers = [{"Authorization": f"Bearer clawd_{i}"} for i in range(8)]
        codes = [httpx2.get(f"{web.url}/api/about", headers=each).status_code for each in headers]
        # The end of a window may lie between two calls, and lets one more pass.
        assert codes[:5] == [401] * 5 and codes[6:] == [429] * 2
        assert client.get("/api/about").status_code == 200


@pytest.mark.parametrize(("kind", "method"), [("read", "GET"), ("change", "DELETE")])
def test_who_is_let_in_may_not_call_without_end(site: Site, kind: Any, method: str) -> None:
    site.rates = Rates({**RATES, kind: "4/minute"})
    with served(site) as web, web.client() as client:
        path = {"GET": "/api/about", "DELETE": "/api/keys/none"}[method]
        codes = [client.request(method, path).status_code for _ in range(6)]
        assert codes[:4] == [{"GET": 200, "DELETE": 404}[method]] * 4 and codes[5] == 429


def test_a_foreign_page_cannot_use_up_the_attempts_to_sign_in(web: Served) -> None:
    for _ in range(30):
        answer = httpx2.post(f"{web.url}/api/session", json={"password": "x"}, headers={"Origin": EVIL})
        assert answer.status_code == 403
    token = new_link(web.site.home, web.url, web.site.clock.now()).partition("#token=")[2]
    assert httpx2.post(f"{web.url}/api/session", json={"token": token}).status_code == 200


def test_a_token_that_is_used_by_many_at_once_opens_one_session(web: Served) -> None:
    token = new_link(web.site.home, web.url, web.site.clock.now()).partition("#token=")[2]

    def use(_: int) -> int:
        return httpx2.post(f"{web.url}/api/session", json={"token": token}).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(use, range(8)))
    assert codes == [200] + [401] * 7
    with open_access(web.site.home) as access:
        assert len(access.sessions(web.site.clock.now())) == 2  # and that of the tests


def test_a_planted_cookie_of_the_same_name_does_not_shut_us_out(still: Served) -> None:
    name, value = still.cookie
    answer = httpx2.get(f"{still.url}/api/about", headers={"Cookie": f"{name}=planted; {name}={value}"})
    assert answer.status_code == 200


# Bodies


def test_large_bodies_are_refused_whether_they_say_so_or_not(still: Served) -> None:
    large = b'{"name": "' + b"a" * 1_100_000 + b'"}'
    kind = {"Content-Type": "application/json"}
    assert ask(still, "POST", "/api/keys", content=large, headers=kind).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 50_000

    with contextlib.suppress(httpx2.TransportError):  # it may hang up while we still send
        assert ask(still, "POST", "/api/keys", content=pieces(), headers=kind).status_code == 413
    stated = b"POST /api/keys HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999999999999\r\n\r\n"
    assert raw(still, stated).startswith(b"HTTP/1.1 4")
    assert written(still) == 0


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_a_body_that_a_foreign_form_could_send_is_refused(still: Served, kind: str) -> None:
    answer = ask(still, "POST", "/api/keys", content=json.dumps(NEW_KEY), headers={"Content-Type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"name": ' + b"9" * 5_000 + b"}",
        b'{"name": "\\ud800", "scopes": ["read"]}',
        b'{"name": "\\u0000", "scopes": ["read"]}',
        b'{"name": NaN, "scopes": [Infinity]}',
        b'{"name": "x", "scopes": ["read"], "days": 1e999}',
        b'{"name": "x", "scopes": ["root"]}',
        b'{"name": "../../x", "scopes": ["read"]}',
        b'{"name": "x\\r\\nSet-Cookie: a=b", "scopes": ["read"]}',
        b"null",
        b"[]",
        b'"x"',
    ],
)
def test_whatever_a_body_says_it_is_a_problem_and_never_a_500(still: Served, body: bytes) -> None:
    answer = ask(still, "POST", "/api/keys", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"what", "where", "hint"}
    assert (keys_in(still), written(still)) == ([], 0)


# Slowness


@pytest.fixture
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three more routes: one that is slow, one that says much, and one that fails."""
    router = APIRouter()

    @router.get("/slow")
    def slow() -> str:
        time.sleep(1.5)
        return "done"

    @router.get("/large")
    def large() -> Response:
        return Response(b"x" * 20_000_000)

    @router.get("/fails")
    def fails() -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(application, "_ROUTERS", (router, *application._ROUTERS))


def dripped(line: socket.socket, drop: bytes) -> None:
    """Send drop after drop until the line is cut off."""
    deadline = time.monotonic() + 60
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        while time.monotonic() < deadline:
            line.sendall(drop)
            time.sleep(0.05)


def test_a_head_that_drips_in_is_cut_off(still: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.6)
    host, port = still.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as line:
        line.sendall(b"GET /api/about HTTP/1.1\r\n")
        dripped(line, b"X: y\r\n")


def test_a_second_head_that_drips_in_is_cut_off_too(still: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.6)
    host, port = still.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as line:
        line.sendall(b"GET /api/about HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert line.recv(65_536).startswith(b"HTTP/1.1 401")
        dripped(line, b"G")


def test_a_body_that_drips_in_is_a_408(still: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.5)
    name, value = still.cookie
    head = f"POST /api/keys HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nCookie: {name}={value}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    assert raw(still, head.encode()).startswith(b"HTTP/1.1 408")


@pytest.mark.usefixtures("misbehaving")
def test_who_reads_nothing_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "READ_SECONDS", 0.5)
    with served(site) as web:
        host, port = web.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), 20) as line:
            line.sendall(
                f"GET /api/large HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {'='.join(web.cookie)}\r\n\r\n".encode()
            )
            time.sleep(2)
            got = b""
            with contextlib.suppress(OSError):
                while more := line.recv(1_000_000):
                    got += more
        assert got.startswith(b"HTTP/1.1 200")
        assert len(got) < 20_000_000


def test_a_hundred_slow_clients_keep_nobody_out(still: Served) -> None:
    host, port = still.url.removeprefix("http://").split(":")
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            line = stack.enter_context(socket.create_connection((host, int(port)), 5))
            line.sendall(b"POST /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n")
        assert ask(still, "GET", "/api/about").status_code == 200


@pytest.mark.usefixtures("misbehaving")
def test_a_route_that_takes_too_long_is_answered_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 0.4)
    with served(site) as web, web.client() as client:
        answer = client.get("/api/slow")
        assert answer.status_code == 504
        assert "may still be done" in answer.json()["hint"]
        assert client.get("/api/about").status_code == 200


@pytest.mark.usefixtures("misbehaving")
def test_who_waits_for_much_at_once_does_not_keep_others_waiting(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "MOST_AT_ONCE", 3)
    with served(site) as web:
        greedy, other = key_of(web, Scope.READ), key_of(web, Scope.READ)
        with ThreadPoolExecutor(6) as pool:
            calls = [pool.submit(httpx2.get, f"{web.url}/api/slow", headers=greedy) for _ in range(6)]
            time.sleep(0.5)
            assert httpx2.get(f"{web.url}/api/about", headers=other).status_code == 200
            assert sum(not call.done() for call in calls) == 3, "it was not waited for"
            assert sorted(call.result().status_code for call in calls) == [200] * 3 + [429] * 3


@pytest.mark.usefixtures("misbehaving")
def test_a_mistake_of_ours_tells_nothing_of_the_inside(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    with served(site) as web, web.client() as client:
        answer = client.get("/api/fails")
    assert answer.status_code == 500
    assert set(answer.json()) == {"what", "where", "hint"}
    assert "secret" not in answer.text and "ZeroDivision" not in answer.text
    assert "ZeroDivisionError: a secret of the inside" in caplog.text
    assert answer.headers["content-security-policy"]


# WebSockets


def socket_of(web: Served, **headers: str) -> Any:
    return connect(web.url.replace("http", "ws") + "/api/live", additional_headers=headers, open_timeout=60)


def refusal(web: Served, **headers: str) -> int:
    with pytest.raises(InvalidStatus) as refused, socket_of(web, **headers):
        pass
    return refused.value.response.status_code


@pytest.mark.parametrize("origin", [EVIL, "null", "http://127.0.0.1:1", None])
def test_a_foreign_page_opens_no_live_connection(still: Served, origin: str | None) -> None:
    cookie = "=".join(still.cookie)
    headers = {"Cookie": cookie} if origin is None else {"Cookie": cookie, "Origin": origin}
    assert refusal(still, **headers) == 403


def test_a_live_connection_needs_a_session_or_a_key_that_may_read(web: Served) -> None:
    assert refusal(web, Origin=web.url) == 401
    assert refusal(web, **key_of(web, Scope.BUILD)) == 403
    for headers in (key_of(web, Scope.READ), {"Cookie": "=".join(web.cookie), "Origin": web.url}):
        with socket_of(web, **headers) as live:
            live.send('{"subscribe": ["status"]}')
            assert json.loads(live.recv(5))["topic"] == "status"


def test_a_live_connection_ends_with_its_session(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "LOOK_EVERY", 0.2)
    with socket_of(web, Cookie="=".join(web.cookie), Origin=web.url) as live:
        with web.client() as client:
            assert client.delete("/api/session").status_code == 204
        with pytest.raises(ConnectionClosed) as ended:
            while True:
                live.recv(5)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == door.SIGNED_OUT


def test_live_connections_of_one_caller_are_bounded(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "MOST_SOCKETS", 3)
    headers = key_of(web, Scope.READ)
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket_of(web, **headers))
        assert refusal(web, **headers) == 429
        stack.enter_context(socket_of(web, **key_of(web, Scope.READ)))  # of another caller
    time.sleep(0.3)
    with socket_of(web, **headers):
        pass


# Paths and names


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/assets/..%2f..%2f..%2f..%2fetc/passwd",
        "/assets//etc/passwd",
        "//etc/passwd",
        "/..\\..\\etc\\passwd",
        "/access.sqlite",
        "/%00",
        "/assets/%00",
        "/" + "a" * 5_000,
        "/assets/" + "a" * 300,
    ],
)
def test_no_path_leads_outside_of_the_pages(still: Served, path: str) -> None:
    said = raw(still, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    assert b"root:" not in said and b"SQLite format" not in said
    assert said.startswith((b"HTTP/1.1 200", b"HTTP/1.1 4", b"HTTP/1.1 503")), said[:100]


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "x\r\nSet-Cookie: a=b", "../../etc/passwd", "\u202eevil", "%s%n"]
)
def test_hostile_names_come_back_as_data_in_json_and_in_no_header(still: Served, name: str) -> None:
    for path in ("/api/keys/", "/api/sessions/", "/api/strategies/"):
        answer = ask(still, "DELETE", path + quote(name, safe=""))
        assert answer.status_code in (400, 404, 405, 422)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "a=b" not in answer.headers.get("set-cookie", "")
        assert set(answer.json()) == {"what", "where", "hint"}


@pytest.mark.parametrize(
    "path", ["/", "/fleet", "/favicon.svg", "/assets/none.js", "/api/about", "/api/none", "/api/session"]
)
def test_every_answer_carries_what_keeps_browsers_from_harm(still: Served, path: str) -> None:
    for answer in (httpx2.get(f"{still.url}{path}"), httpx2.post(f"{still.url}{path}")):
        headers = answer.headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["frame-ancestors"] == "'none'" and policy["default-src"] == "'none'"
        assert policy.get("script-src", "'self'") == "'self'"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
        assert "camera=()" in headers["permissions-policy"]
        assert "server" not in headers
        if path.startswith("/api"):
            assert headers["cache-control"] == "no-store"
