"""The door: what is let in to the interface, from where, as whom and how often. Pure ASGI.

It asks, in this order: is the request meant for us (``Host``, against DNS rebinding)? Does its address call too often?
Does it come from one of our own pages (``Origin``, against forged requests)? Who sends it? Does he call too often?
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Final, TypeVar

import anyio
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from clawd.core.errors import ClawdError
from clawd.server.caller import IN_SCOPE, Caller, signed_out
from clawd.server.problem import Problem, TooOftenError, problem_answer, problem_of
from clawd.server.public_url import PublicUrl
from clawd.server.rates import Kind
from clawd.server.safe_answers import is_api
from clawd.server.site import Site
from clawd.store.access import Access, open_access
from clawd.store.api_keys import KEY_PREFIX

_T = TypeVar("_T")

#: WebSockets of one caller, and of all together.
MOST_SOCKETS: Final = 16
MOST_SOCKETS_OF_ALL: Final = 128
#: Seconds between two looks at whether the holder of a WebSocket may still come in.
LOOK_EVERY: Final = 2.0
#: The code with which a WebSocket ends when its session has; those from 4000 on are for applications.
SIGNED_OUT: Final = 4401
#: Likewise, when its holder may do more or less than before: who comes again has the rights of now.
OTHER_RIGHTS: Final = 4403
#: Against the rules, of RFC 6455.
_POLICY: Final = 1008

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_HOST: Final = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::[0-9]{1,5})?")
_MOST_COOKIES: Final = 4


class _Refused(Exception):  # noqa: N818 - an answer
    def __init__(self, status: int, problem: Problem, headers: dict[str, str] | None = None) -> None:
        super().__init__(problem.what)
        self.status = status
        self.problem = problem
        self.headers = headers


class Door:
    """Lets in who may come in, and leaves a :class:`Caller` for the routes."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self._app = app
        self._site = site
        self._sockets: Counter[str] = Counter()
        self._cookie: str | None = None
        # Not the threads of the routes: who may come in must be answered while all of those are busy.
        self._threads: anyio.CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._let_in(scope)
        except _Refused as refused:
            await _refuse(refused, scope, receive, send)
            return
        scope[IN_SCOPE] = caller
        if scope["type"] == "websocket" and caller is not None:
            try:
                with self._one_more_socket(caller):
                    await self._watched(caller, scope, receive, send)
            except _Refused as refused:
                await _refuse(refused, scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _let_in(self, scope: Scope) -> Caller | None:
        headers = Headers(scope=scope)
        public = self._site.public
        check_host(headers, scope, self._site.hosts if public is None else self._site.hosts | {public.host})
        address = address_of(scope)
        self._count("address", address)
        if "\0" in scope["path"]:
            raise _Refused(400, Problem(what="the path has a NUL in it", where="path", hint=None))
        if scope["type"] == "http" and not is_api(scope):
            return None  # the pages are for everyone: they hold nothing
        key = headers.get("authorization")
        secrets = [] if key is not None else await self._cookies(headers)
        own_page = comes_from_own_page(headers, scope, public)
        if own_page is False and (key is None or "cookie" in headers):
            raise _Refused(403, Problem(what="this was asked from a foreign page", where="Origin", hint=None))
        signing_in = scope["type"] == "http" and scope["path"] == "/api/session" and scope["method"] == "POST"
        if signing_in:
            self._count("sign-in", address)
        caller = await self._in_thread(lambda access: self._who(access, key, secrets, address))
        if caller is None:
            if signing_in and key is None:
                return None
            self._count("stranger", address)
            raise _Refused(401, problem_of(signed_out()), {"WWW-Authenticate": 'Bearer realm="clawd"'})
        changing = scope["type"] == "websocket" or scope["method"] not in _SAFE
        if changing and key is None and not own_page:
            raise _Refused(
                403,
                Problem(
                    what="it is not known from which page this was asked",
                    where="Origin",
                    hint="browsers say so by themselves; programs use an API key",
                ),
            )
        self._count("change" if changing else "read", caller.via)
        return caller

    async def _cookies(self, headers: Headers) -> list[str]:
        if "cookie" not in headers:
            return []
        if self._cookie is None:
            self._cookie = await self._in_thread(cookie_name)
        return cookies_of(headers, self._cookie)

    def _who(self, access: Access, key: str | None, secrets: list[str], address: str) -> Caller | None:
        now = self._site.clock.now()
        if key is not None:
            scheme, _, secret = key.partition(" ")
            is_ours = scheme.lower() == "bearer" and secret.startswith(KEY_PREFIX)
            known = access.keys.of(secret, now) if is_ours else None
            return None if known is None else Caller(f"key:{known.name}", known.scopes, known.id, address, known.person)
        for secret in secrets:
            session = access.session(secret, now)
            if session is not None:
                return Caller(session.by, session.scopes, session.id, address, session.person)
        return None

    def _count(self, kind: Kind, who: str) -> None:
        wait = self._site.rates.hit(kind, who)
        if wait is not None:
            raise _Refused(429, problem_of(TooOftenError(wait)), {"Retry-After": str(wait)})

    async def _in_thread(self, ask: Callable[[Access], _T]) -> _T:
        def asked() -> _T:
            with open_access(self._site.home) as access:
                return ask(access)

        if self._threads is None:
            self._threads = anyio.CapacityLimiter(4)
        try:
            return await anyio.to_thread.run_sync(asked, limiter=self._threads)
        except ClawdError as error:
            raise _Refused(503, problem_of(error)) from error

    @contextlib.contextmanager
    def _one_more_socket(self, caller: Caller) -> Any:
        if self._sockets[caller.via] >= MOST_SOCKETS or self._sockets.total() >= MOST_SOCKETS_OF_ALL:
            raise _Refused(429, Problem(what="too many live connections", where=None, hint="close another page"))
        self._sockets[caller.via] += 1
        try:
            yield
        finally:
            self._sockets[caller.via] -= 1
            if not self._sockets[caller.via]:
                del self._sockets[caller.via]

    async def _watched(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket for as long as its holder may come in, and may do what he might when it began."""
        ended: tuple[int, str] | None = None
        task = asyncio.ensure_future(self._app(scope, receive, send))
        try:
            while not (await asyncio.wait({task}, timeout=LOOK_EVERY))[0]:
                with contextlib.suppress(_Refused):  # the file cannot be read just now: the next look may tell
                    scopes = await self._in_thread(lambda access: access.scopes_of(caller.via, self._site.clock.now()))
                    if scopes != caller.scopes:
                        ended = (SIGNED_OUT, "signed out") if scopes is None else (OTHER_RIGHTS, "other rights")
                        break
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if ended is not None:
            # It may be closed already, which servers say in ways of their own.
            with contextlib.suppress(Exception):
                await send({"type": "websocket.close", "code": ended[0], "reason": ended[1]})


def cookie_name(access: Access) -> str:
    """The name of our cookie. Browsers keep one for all ports of a host: it is another in every home."""
    return f"clawd_{access.site_id()}"


def cookies_of(headers: Headers, name: str) -> list[str]:
    """The values of our cookie: another port of this host may have planted one of the same name before it."""
    found = []
    for line in headers.getlist("cookie"):
        for pair in line.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name and value:
                found.append(value[:200])
    return found[:_MOST_COOKIES]


def check_host(headers: Headers, scope: Scope, names: frozenset[str]) -> None:
    """See that a request is meant for this server: a name that points here may be anybody's.

    Names of the loopback are ours alone. An address is not a name that somebody could point here, so where others can
    reach us it may be any: behind a forwarded port we do not know our own.

    Raises:
        _Refused: when its ``Host`` is something else, and none of the names.
    """
    hosts = headers.getlist("host")
    match = _HOST.fullmatch(hosts[0].lower()) if len(hosts) == 1 else None
    host = _plain(match[1].strip("[]")) if match else ""
    server = scope.get("server")
    here = _plain(server[0]) if server else ""
    known = host == "localhost" or _is_loopback(host) or host == here or host in names
    if not known and not (_is_address(host) and not _is_loopback(here)):
        raise _Refused(
            400,
            Problem(
                what="this server is not known by that name",
                where="Host",
                hint="open the address that `clawd up` has printed",
            ),
        )


def comes_from_own_page(headers: Headers, scope: Scope, public: PublicUrl | None) -> bool | None:
    """Whether one of our own pages has asked, as the browser says; None where nothing says so.

    What a proxy claims of how it was reached is not asked: our own pages are those at the address that a person has
    named, and those at the address that the connection has come to.
    """
    origin = headers.get("origin")
    site = headers.get("sec-fetch-site")
    if origin is not None:
        if public is not None:
            if origin.lower() == public.origin:
                return True
            if _names_proxy(headers, scope, public):
                return False
        scheme = {"ws": "http", "wss": "https"}.get(scope["scheme"], scope["scheme"])
        return origin.lower() == f"{scheme}://{headers.get('host', '').lower()}"
    if site is None or site == "none":  # none: a person has typed the address
        return None
    return site == "same-origin"


def _names_proxy(headers: Headers, scope: Scope, public: PublicUrl) -> bool:
    """Whether ``Host`` names the proxy and not the port that the request has come to: its page is then the proxy's."""
    match = _HOST.fullmatch(headers.get("host", "").lower())
    if match is None or _plain(match[1].strip("[]")) != _plain(public.host):
        return False
    server = scope.get("server")
    return not server or match[0].removeprefix(match[1]) != f":{server[1]}"


def address_of(connection: HTTPConnection | Scope) -> str:
    """From which a request has come; an IPv6 address stands for its network of 64 bits, which is one customer's."""
    scope = connection.scope if isinstance(connection, HTTPConnection) else connection
    client = scope.get("client")
    address = _plain(client[0]) if client else "unknown"
    with contextlib.suppress(ValueError):
        parsed = ipaddress.ip_address(address)
        if parsed.version == 6 and not parsed.is_loopback:
            return str(ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))
    return address


def _plain(address: str) -> str:
    """An address in its one spelling; a name as it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address.lower()
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def _is_address(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


def _is_loopback(address: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(address).is_loopback
    return False


async def _refuse(refused: _Refused, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket" and "websocket.http.response" not in scope.get("extensions", {}):
        await receive()
        await send({"type": "websocket.close", "code": _POLICY})
        return
    headers = dict(refused.headers or {})
    if scope["type"] == "http" and scope["method"] not in _SAFE:
        headers["Connection"] = "close"  # its body is not read
    await problem_answer(refused.status, refused.problem, headers)(scope, receive, send)
