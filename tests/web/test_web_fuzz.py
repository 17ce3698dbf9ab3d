"""The interface under what nobody would send: schemathesis against its own OpenAPI, with a key of each right.

Whatever comes, the answer is declared and in its form, is no 500, and comes in time. What is refused changes nothing in
the home; nor does anything that only asks, or whose caller may only read.
"""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests
import schemathesis
from changes import a_deployed_strategy, a_finished_backtest, a_stop, ok
from home_digest import digest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
from live_world import capture_account, written
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from web_server import Served, served

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.app import create_app
from clawd.server.rates import RATES, Rates
from clawd.server.site import Site
from clawd.store.access import open_access
from clawd.store.api_keys import Scope

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: Seconds within which every call is answered, on a machine that does other things too.
IN_TIME = 25.0

SCHEMA = schemathesis.openapi.from_dict(
    create_app(Site(Settings(), SystemClock())).openapi(), config=schemathesis.Config()
)
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)}


@dataclass(frozen=True)
class Target:
    """A server, the headers of who calls it by what he may do, and names of what is there for some paths."""

    web: Served
    headers: dict[str, dict[str, str]]
    line: requests.Session
    known: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server that counts no calls, a key of each right, one of all, and a stranger."""
    site = Site(Settings(home=tmp_path_factory.mktemp("fuzz") / "home"), SystemClock())
    site.rates = Rates(dict.fromkeys(RATES, "1000000/minute"))
    rights = {str(scope): frozenset({scope}) for scope in Scope} | {"all": frozenset(Scope)}
    with served(site) as web, requests.Session() as line:
        headers: dict[str, dict[str, str]] = {"stranger": {}}
        for name, scopes in rights.items():
            with open_access(site.home) as access:
                _, secret = access.keys.new(name, scopes, None, site.clock.now())
            headers[name] = {"Authorization": f"Bearer {secret}"}
        with web.client() as client:
            yield Target(web, headers, line, furnish(web, client))


def furnish(web: Served, client: httpx2.Client) -> dict[str, dict[str, str]]:
    """Put things into the home; what the parameters of paths must be for them to be met."""
    backtest = ok(client.get(a_finished_backtest(web, client).path))
    deployed = a_deployed_strategy(web, client)
    a_stop(web, client)
    run = written(capture_account(), web.site.home).parent.name
    agents = ok(client.get("/api/agents", params={"run": run}))
    return {
        "/api/backtests/": {"id": backtest["id"]},
        "/api/strategies/": {"name": "mine"},
        "/api/fleet/list/": {"name": deployed.path.rpartition("/")[2]},
        "/api/evidence/strategies/": {"content_hash": backtest["content_hash"]},
        "/api/settings/": {"name": "slots"},
        "/api/keys/": {"id": ok(client.post("/api/keys", json={"name": "spare", "scopes": ["read"]}))["key"]["id"]},
        "/api/agents/": {"agent": agents["agents"][0]["id"]},
    }


#: Written by processes of their own when a backtest or a story that was ordered is done.
_BACKGROUND = ("ledger.sqlite", "backtests/", "research/stories/")
#: Each success of it is work of many seconds.
_LONG = "POST /api/evidence/strategies/{content_hash}/story"
_PLAIN: dict[str, Any] = {"timeout": 30, "allow_redirects": False}


def differences(home: Path, before: dict[str, str]) -> set[str]:
    return {path for path, _ in digest(home).items() ^ before.items()}


def quiet(home: Path) -> dict[str, str]:
    """The digest of a home in which nothing changes by itself any more."""
    deadline, seen = time.monotonic() + 90, digest(home)
    while True:
        time.sleep(1.5)
        if not differences(home, seen):
            return seen
        seen = digest(home)
        assert time.monotonic() < deadline, "it does not come to rest"


def fuzz(
    target: Target, operation: Any, who: str, mode: GenerationMode, count: int, seed: int = 0, *, met: bool = False
) -> int:
    """Send cases and hold each answer to what is promised; how many were successes.

    Args:
        target: to which.
        operation: of the schema.
        who: sends them.
        mode: whether they fit the schema.
        count: of cases.
        seed: they are the same for the same one.
        met: whether the parameters of the path name something that is there.
    """
    home, successes = target.web.site.home, 0
    known = next((names for path, names in target.known.items() if operation.path.startswith(path)), {})
    if met and (operation.label == _LONG or not all(f"{{{name}}}" in operation.path for name in known)):
        return 0
    fixed: dict[str, Any] = {"path_parameters": known} if met and known else {}

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
    def send(case: Case) -> None:
        nonlocal successes
        before, began = digest(home), time.monotonic()
        answer = case.call(base_url=target.web.url, session=target.line, headers=dict(target.headers[who]), **_PLAIN)
        assert time.monotonic() - began < IN_TIME, "it has not answered in time"
        case.validate_response(answer, checks=CHECKS)
        successes += answer.status_code < 400
        if answer.status_code < 400 and operation.method.upper() != "GET" and who not in ("read", "stranger"):
            return
        changed = differences(home, before)
        if changed and all(path.startswith(_BACKGROUND) for path in changed):
            # What was ordered before is still being worked on: once that is done, the same call is sent again.
            before = quiet(home)
            case.call(base_url=target.web.url, session=target.line, headers=dict(target.headers[who]), **_PLAIN)
            changed = differences(home, before)
        assert not changed, f"{answer.status_code}, and {changed} has changed"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it draws with
        with contextlib.suppress(Unsatisfiable):  # where nothing is asked for, nothing of it can be wrong
            send()
    return successes


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_route_withstands_anything(target: Target, label: str) -> None:
    operation = OPERATIONS[label]
    fuzz(target, operation, "all", GenerationMode.POSITIVE, 5)
    fuzz(target, operation, "all", GenerationMode.NEGATIVE, 5)
    fuzz(target, operation, "all", GenerationMode.POSITIVE, 4, met=True)
    for scope in Scope:
        fuzz(target, operation, str(scope), GenerationMode.POSITIVE, 1)
    if label != "POST /api/session":
        assert fuzz(target, operation, "stranger", GenerationMode.POSITIVE, 1) == 0


@pytest.mark.long
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_route_withstands_much_of_anything(target: Target, label: str) -> None:
    for seed, who in enumerate(("all", "all", *Scope, "stranger")):
        for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
            fuzz(target, OPERATIONS[label], str(who), mode, 100, seed, met=seed % 2 == 1)
