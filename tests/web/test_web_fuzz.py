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
from typing import Any

import pytest
import requests
import schemathesis
from home_digest import digest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Unsatisfiable
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
from clawd.store.access import Scope, open_access

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
#: Seconds within which every call is answered, on a machine that does other things too.
IN_TIME = 12.0

SCHEMA = schemathesis.openapi.from_dict(
    create_app(Site(Settings(), SystemClock())).openapi(), config=schemathesis.Config()
)
OPERATIONS = {found.ok().label: found.ok() for found in SCHEMA.get_all_operations() if isinstance(found, Ok)}


@dataclass(frozen=True)
class Target:
    """A server, and the headers of who calls it by what he may do."""

    web: Served
    headers: dict[str, dict[str, str]]
    line: requests.Session


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
                _, secret = access.new_key(name, scopes, None, site.clock.now())
            headers[name] = {"Authorization": f"Bearer {secret}"}
        yield Target(web, headers, line)


def fuzz(target: Target, operation: Any, who: str, mode: GenerationMode, count: int, seed: int = 0) -> int:
    """Send cases and hold each answer to what is promised; how many were successes."""
    home, successes = target.web.site.home, 0

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        nonlocal successes
        before, began = digest(home), time.monotonic()
        answer = case.call(
            base_url=target.web.url,
            session=target.line,
            headers=dict(target.headers[who]),
            timeout=30,
            allow_redirects=False,
        )
        assert time.monotonic() - began < IN_TIME, "it has not answered in time"
        case.validate_response(answer, checks=CHECKS)
        successes += answer.status_code < 400
        asks = operation.method.upper() == "GET" or who in ("read", "stranger")
        if answer.status_code >= 400 or asks:
            assert digest(home) == before, f"{answer.status_code}, and something has changed"

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it draws with
        with contextlib.suppress(Unsatisfiable):  # where nothing is asked for, nothing of it can be wrong
            send()
    return successes


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_route_withstands_anything(target: Target, label: str) -> None:
    operation = OPERATIONS[label]
    fuzz(target, operation, "all", GenerationMode.POSITIVE, 6)
    fuzz(target, operation, "all", GenerationMode.NEGATIVE, 6)
    for scope in Scope:
        fuzz(target, operation, str(scope), GenerationMode.POSITIVE, 1)
    if label != "POST /api/session":
        assert fuzz(target, operation, "stranger", GenerationMode.POSITIVE, 1) == 0


@pytest.mark.long
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_route_withstands_much_of_anything(target: Target, label: str) -> None:
    for seed, who in enumerate(("all", "all", *Scope, "stranger")):
        for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
            fuzz(target, OPERATIONS[label], str(who), mode, 100, seed)
