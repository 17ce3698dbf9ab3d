"""Behind a proxy that adds TLS: what comes from the address that a person has named is ours, and nothing else is."""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, expect
from web_server import Served, served
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.server.access import new_link, refuse_open_address
from clawd.server.address import Address, publish, published
from clawd.server.public_url import PublicUrl, read_public_url
from clawd.server.site import Site
from clawd.store.access import open_access

NAME = "clawd.test"
NEW_KEY = {"name": "mine", "scopes": ["read"]}
PASSWORD = "a password that is long"


@pytest.mark.parametrize(
    ("text", "origin", "host"),
    [
        ("https://clawd.example.org", "https://clawd.example.org", "clawd.example.org"),
        (" HTTPS://Clawd.Example.ORG/ ", "https://clawd.example.org", "clawd.example.org"),
        ("https://a.example:443", "https://a.example", "a.example"),
        ("http://a.example:80/", "http://a.example", "a.example"),
        ("https://a.example:8443", "https://a.example:8443", "a.example"),
        ("https://[::1]:8443", "https://[::1]:8443", "::1"),
    ],
)
def test_an_address_is_read_as_browsers_write_it(text: str, origin: str, host: str) -> None:
    assert read_public_url(text) == PublicUrl(origin, host)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "clawd.example.org",
        "ftp://a.example",
        "https://",
        "https://a.example/clawd",
        "https://a.example?x",
        "https://a.example#x",
        "https://me@a.example",
        "https://a.example:99999",
        "https://a b.example",
        "https://a.example\n.evil",
        "https://*",
        "https://[::1",
        "javascript:alert(1)",
    ],
)
def test_what_is_no_address_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(ClawdError) as raised:
        read_public_url(text)
    assert raised.value.where == "--public-url" and raised.value.hint


def test_an_address_that_others_reach_needs_a_password(tmp_path: Path) -> None:
    public = read_public_url("https://clawd.example.org")
    with open_access(tmp_path) as access:
        with pytest.raises(ClawdError, match="no password is set") as raised:
            refuse_open_address("127.0.0.1", access, public)
        assert raised.value.where == "--public-url https://clawd.example.org"
        refuse_open_address("127.0.0.1", access, read_public_url("https://localhost:8443"))
        access.set_password(PASSWORD, "ann", 1)
        refuse_open_address("127.0.0.1", access, public)


def test_other_commands_learn_where_people_reach_the_server(tmp_path: Path) -> None:
    publish(tmp_path, Address("http://127.0.0.1:9", 1, "https://clawd.example.org"))
    found = published(tmp_path)
    assert found is not None and found.for_people == "https://clawd.example.org"
    publish(tmp_path, Address("http://127.0.0.1:9", 1))
    found = published(tmp_path)
    assert found is not None and found.for_people == "http://127.0.0.1:9"


# Through a proxy that speaks TLS.


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of ours with its key, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    key, made, both = folder / "key.pem", folder / "cert.pem", folder / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(made), "-days", "2", "-subj", f"/CN={NAME}"]
    command += ["-addext", f"subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("there is no openssl here to make a certificate")
    both.write_text(key.read_text() + made.read_text())
    return both


class Proxy:
    """A reverse proxy: it ends the TLS and passes everything on as it is, save the ``Host`` where one is given."""

    def __init__(self, certificate: Path) -> None:
        self.target, self.host, self.port = 0, None, 0
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(certificate)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    target: int
    host: str | None
    port: int

    def __enter__(self) -> Proxy:
        self._thread.start()
        assert self._ready.wait(60)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        listening = self._loop.run_until_complete(asyncio.start_server(self._pass, "127.0.0.1", 0, ssl=self._tls))
        self.port = listening.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        listening.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _pass(self, near: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            far, ask = await asyncio.open_connection("127.0.0.1", self.target)
            first = asyncio.create_task(self._requests(near, ask))
            try:
                await _copy(far, answer)
            finally:  # also where who asked has gone
                first.cancel()
                ask.close()
        answer.close()

    async def _requests(self, near: asyncio.StreamReader, ask: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            if self.host is not None:  # for one request on a connection, which is all that these tests make of it
                head = (await near.readuntil(b"\r\n\r\n")).split(b"\r\n")
                kept = [line for line in head if not line.lower().startswith(b"host:")]
                ask.write(b"\r\n".join([kept[0], b"Host: " + self.host.encode(), *kept[1:]]))
            await _copy(near, ask)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        target.write(data)
        await target.drain()
    if target.can_write_eof():
        target.write_eof()


@contextmanager
def behind(proxy: Proxy, home: Path, public: str | None) -> Iterator[Served]:
    site = Site(Settings(home=home), SystemClock())
    site.public = None if public is None else read_public_url(public)
    with served(site) as web:
        proxy.target = int(web.url.rpartition(":")[2])
        yield web


@pytest.fixture
def proxy(certificate: Path) -> Iterator[Proxy]:
    with Proxy(certificate) as at_work:
        yield at_work


@pytest.fixture
def origin(proxy: Proxy) -> str:
    return f"https://{NAME}:{proxy.port}"


@pytest.fixture
def public(proxy: Proxy, origin: str, tmp_path: Path) -> Iterator[Served]:
    """A server that a person has told where its proxy is."""
    with behind(proxy, tmp_path / "home", origin) as web:
        yield web


def through(proxy: Proxy, certificate: Path, web: Served, **headers: str) -> httpx2.Client:
    """A client of the proxy that shows a session; it trusts the certificate and no other."""
    trust = ssl.create_default_context(cafile=str(certificate))
    cookie = "=".join(web.cookie)
    named = {"Host": f"{NAME}:{proxy.port}", "Cookie": cookie, **headers}
    return httpx2.Client(base_url=f"https://127.0.0.1:{proxy.port}", verify=trust, headers=named, timeout=30)


def test_our_pages_behind_the_proxy_may_change_something(
    proxy: Proxy, certificate: Path, public: Served, origin: str
) -> None:
    with through(proxy, certificate, public, Origin=origin) as client:
        assert client.get("/api/session").status_code == 200
        answer = client.post("/api/keys", json=NEW_KEY)
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", f"{NAME}", "localhost"])
def test_whatever_host_the_proxy_names_the_origin_is_what_counts(
    proxy: Proxy, certificate: Path, public: Served, origin: str, host: str
) -> None:
    proxy.host = host
    with through(proxy, certificate, public, Origin=origin, Connection="close") as client:
        assert client.post("/api/keys", json=NEW_KEY).status_code == 201


@pytest.mark.parametrize(
    "foreign",
    [
        "https://evil.example",
        "null",
        "http://{name}:{port}",  # without TLS it is another page
        "https://{name}",  # another port is another page
        "https://{name}:{port}.evil.example",
        "https://evil.{name}:{port}",
        "https://127.0.0.1:{port}",
        "http://{name}",
    ],
)
def test_a_foreign_page_changes_nothing_through_the_proxy(
    proxy: Proxy, certificate: Path, public: Served, foreign: str
) -> None:
    asked = foreign.format(name=NAME, port=proxy.port)
    for proxy.host in (None, NAME):
        with through(proxy, certificate, public, Origin=asked, Connection="close") as client:
            answer = client.post("/api/keys", json=NEW_KEY)
            assert (answer.status_code, answer.json()["where"]) == (403, "Origin")


def test_headers_that_claim_another_origin_are_not_believed(proxy: Proxy, certificate: Path, public: Served) -> None:
    claims = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    with through(proxy, certificate, public, Origin="https://evil.example", **claims) as client:
        assert client.post("/api/keys", json=NEW_KEY).status_code == 403


def test_a_name_that_nobody_has_named_is_not_ours(proxy: Proxy, certificate: Path, public: Served) -> None:
    with through(proxy, certificate, public, Host="evil.example") as client:
        answer = client.get("/api/session")
        assert (answer.status_code, answer.json()["where"]) == (400, "Host")


def test_without_the_option_the_proxy_stays_a_foreign_page(
    proxy: Proxy, certificate: Path, origin: str, tmp_path: Path
) -> None:
    with behind(proxy, tmp_path / "home", None) as web:
        with through(proxy, certificate, web, Origin=origin, Host="127.0.0.1") as client:
            assert client.post("/api/keys", json=NEW_KEY).status_code == 403
        with through(proxy, certificate, web) as client:
            assert client.get("/api/session").status_code == 400


def test_the_cookie_is_for_tls_alone_but_not_for_who_comes_without_a_proxy(
    proxy: Proxy, certificate: Path, public: Served, origin: str
) -> None:
    with open_access(public.site.home) as access:
        access.set_password(PASSWORD, "ann", public.site.clock.now())
    for headers in ({"Origin": origin}, {}):
        with through(proxy, certificate, public, **headers) as client:
            answer = client.post("/api/session", json={"password": PASSWORD})
            assert answer.status_code == 200, answer.text
            assert "; Secure" in answer.headers["set-cookie"]
    direct = httpx2.post(f"{public.url}/api/session", json={"password": PASSWORD}, headers={"Origin": public.url})
    assert direct.status_code == 200
    assert "secure" not in direct.headers["set-cookie"].lower()
    own = httpx2.post(
        f"{public.url}/api/keys", json=NEW_KEY, headers={"Origin": public.url}, cookies=dict(direct.cookies)
    )
    assert own.status_code == 201, "who comes to this machine itself is let in as before"


def test_the_live_connection_goes_through_the_proxy_for_our_pages_alone(
    proxy: Proxy, certificate: Path, public: Served, origin: str
) -> None:
    trust = ssl.create_default_context(cafile=str(certificate))
    address = f"wss://127.0.0.1:{proxy.port}/api/live"
    headers = {"Cookie": "=".join(public.cookie), "Origin": origin}
    with connect(address, additional_headers=headers, ssl=trust) as socket:
        socket.send(json.dumps({"subscribe": ["status"]}))
        assert json.loads(socket.recv(timeout=30))["topic"] == "status"
    foreign = headers | {"Origin": "https://evil.example"}
    with pytest.raises(InvalidStatus, match="403"), connect(address, additional_headers=foreign, ssl=trust):
        pass


@pytest.mark.usefixtures("front_end")
def test_a_browser_signs_in_and_decides_through_the_proxy(proxy: Proxy, browser: Browser, tmp_path: Path) -> None:
    """By the link that is printed; the live connection and a change need the origin to be ours."""
    origin = f"https://localhost:{proxy.port}"  # a name that the browser finds by itself
    with behind(proxy, tmp_path / "home", origin) as web:
        context = browser.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.goto(new_link(web.site.home, origin, web.site.clock.now()))
        expect(page.get_by_test_id("link")).to_contain_text("Live", timeout=30_000)
        (cookie,) = context.cookies()
        assert cookie["secure"] and cookie["httpOnly"] and cookie["sameSite"] == "Strict"
        page.get_by_role("button", name="Stop trading").first.click(timeout=30_000)
        dialog = page.get_by_role("dialog", name="Stop trading")
        dialog.get_by_role("radio", name="3 · Halt").check()
        dialog.get_by_label("Type HALT to confirm").fill("HALT")
        dialog.get_by_role("button", name="Halt").last.click()
        expect(dialog).to_contain_text("Order 1, recorded in the audit log")
        context.close()
