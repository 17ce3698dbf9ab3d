"""An example of every route that can change something, for the test that looks into the audit.

Who adds a route that is no GET adds a line to `EXAMPLES`: a function that is given a server and a client that is signed
in, prepares what it needs through them, and gives back the call that will succeed. A route that only asks is named in
`ASKS`. What needs a world that takes long to make is tested where that world is: `ELSEWHERE` names the fact.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
from busy_fleet import BusyFleet
from web_server import Served, open_session

from clawd.server.access import new_link
from clawd.server.fleet_process import FleetProcess

STRATEGY = 'name = "mine"\n[position]\ntarget = "long_short(sign(ret(close, 3)))"\n[exits]\nstop = { percent = 10 }\n'


@dataclass(frozen=True)
class Call:
    """What is sent: the path, and a body where there is one."""

    path: str
    json: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


Example = Callable[[Served, httpx2.Client], Call]


def ok(answer: httpx2.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


def a_key(web: Served, client: httpx2.Client) -> Call:
    made = ok(client.post("/api/keys", json={"name": "night", "scopes": ["read"]}))
    return Call(f"/api/keys/{made['key']['id']}")


def a_person(web: Served, client: httpx2.Client) -> str:
    return f"/api/people/{ok(client.post('/api/people', json={'name': 'ana', 'role': 'viewer'}))['name']}"


def a_link(web: Served, client: httpx2.Client) -> Call:
    link = new_link(web.site.home, web.url, web.site.clock.now())
    return Call("/api/session", {"token": link.partition("#token=")[2]})


def another_session(web: Served, client: httpx2.Client) -> Call:
    open_session(web.site)
    ours = ok(client.get("/api/session"))["id"]
    return Call(f"/api/sessions/{next(each['id'] for each in ok(client.get('/api/sessions')) if each['id'] != ours)}")


def a_stop(web: Served, client: httpx2.Client) -> Call:
    ok(client.post("/api/standing", json={"level": "halt", "word": "HALT"}))
    return Call("/api/resume", {"word": "RESUME", "why": "it is over"})


def saved(web: Served, client: httpx2.Client) -> Any:
    return ok(client.put("/api/strategies/mine", json={"revision": 0, "form": "text", "text": STRATEGY}))


def a_strategy(web: Served, client: httpx2.Client) -> Call:
    saved(web, client)
    return Call("/api/strategies/mine")


def a_removed_strategy(web: Served, client: httpx2.Client) -> Call:
    saved(web, client)
    return Call("/api/strategies/restore", {"ticket": ok(client.delete("/api/strategies/mine"))["ticket"]})


def a_strategy_to_deploy(web: Served, client: httpx2.Client) -> Call:
    return Call("/api/strategies/mine/deploy", {"content_hash": saved(web, client)["content_hash"]})


def a_deployed_strategy(web: Served, client: httpx2.Client) -> Call:
    call = a_strategy_to_deploy(web, client)
    ok(client.post(call.path, json=call.json))
    return Call(f"/api/fleet/list/{ok(client.get('/api/fleet/list'))[0]['name']}")


def a_backtest(web: Served, client: httpx2.Client) -> str:
    started = ok(client.post("/api/backtests", json={"text": STRATEGY}))
    return f"/api/backtests/{started['id']}"


def _come_to(client: httpx2.Client, path: str, *states: str) -> None:
    """Wait until nothing of a backtest changes by itself before it comes to something else."""
    deadline = time.monotonic() + 240
    while ok(client.get(path))["state"] not in states:
        assert time.monotonic() < deadline, f"the backtest has not come to be {' or '.join(states)}"
        time.sleep(0.02)


def a_running_backtest(web: Served, client: httpx2.Client) -> Call:
    path = a_backtest(web, client)
    _come_to(client, path, "running")
    return Call(f"{path}/cancel")


def a_finished_backtest(web: Served, client: httpx2.Client) -> Call:
    path = a_backtest(web, client)
    _come_to(client, path, "done", "failed")
    return Call(path)


def a_backtest_to_pin(web: Served, client: httpx2.Client) -> Call:
    return Call(f"{a_finished_backtest(web, client).path}/pin", {"pinned": True})


def a_trial(web: Served, client: httpx2.Client) -> Call:
    content_hash = ok(client.get(a_finished_backtest(web, client).path))["content_hash"]
    return Call(f"/api/evidence/strategies/{content_hash}/story", {"source": "sample"})


def a_fleet(web: Served, client: httpx2.Client) -> Call:
    web.site.fleet = FleetProcess(("--no-such-option",), 1.0)  # it ends at once, and says why
    return Call("/api/fleet/process/restart", {"pace": 2.0})


def agents(web: Served, client: httpx2.Client) -> Call:
    web.site.source = BusyFleet(3)
    return Call("/api/agents/pause", {"agents": ["a0000", "a0002"], "why": "they behave oddly"})


def a_pause(web: Served, client: httpx2.Client) -> Call:
    call = agents(web, client)
    ok(client.post(call.path, json=call.json))
    return Call("/api/agents/unpause", call.json)


EXAMPLES: dict[str, Example] = {
    "POST /api/session": a_link,
    "DELETE /api/session": lambda web, client: Call("/api/session"),
    "DELETE /api/sessions/{id}": another_session,
    "PUT /api/password": lambda web, client: Call("/api/password", {"password": "seven brown foxes"}),
    "POST /api/keys": lambda web, client: Call("/api/keys", {"name": "night", "scopes": ["read"]}),
    "DELETE /api/keys/{id}": a_key,
    "POST /api/people": lambda web, client: Call("/api/people", {"name": "ana", "role": "operator"}),
    "PUT /api/people/{name}/role": lambda web, client: Call(
        f"{a_person(web, client)}/role", {"role": "admin", "before": "viewer"}
    ),
    "POST /api/people/{name}/link": lambda web, client: Call(f"{a_person(web, client)}/link"),
    "DELETE /api/people/{name}": lambda web, client: Call(a_person(web, client)),
    "POST /api/standing": lambda web, client: Call("/api/standing", {"level": "flatten", "word": "FLATTEN"}),
    "POST /api/resume": a_stop,
    "POST /api/agents/pause": agents,
    "POST /api/agents/unpause": a_pause,
    "PUT /api/settings/{name}": lambda web, client: Call("/api/settings/slots", {"value": "3", "before": None}),
    "PUT /api/strategies/{name}": lambda web, client: Call(
        "/api/strategies/mine", {"revision": 0, "form": "text", "text": STRATEGY}
    ),
    "DELETE /api/strategies/{name}": a_strategy,
    "POST /api/strategies/restore": a_removed_strategy,
    "POST /api/strategies/{name}/deploy": a_strategy_to_deploy,
    "DELETE /api/fleet/list/{name}": a_deployed_strategy,
    "POST /api/backtests": lambda web, client: Call("/api/backtests", {"text": STRATEGY}),
    "POST /api/backtests/{id}/cancel": a_running_backtest,
    "PUT /api/backtests/{id}/pin": a_backtest_to_pin,
    "DELETE /api/backtests/{id}": a_finished_backtest,
    "POST /api/evidence/strategies/{content_hash}/story": a_trial,
    "PUT /api/runs/shown": lambda web, client: Call("/api/runs/shown", {"run": None}),
    "POST /api/fleet/process/restart": a_fleet,
}

#: Routes that take a body to answer a question, and change nothing.
ASKS: dict[str, Example] = {
    "POST /api/strategies/check": lambda web, client: Call("/api/strategies/check", {"text": STRATEGY}),
    "POST /api/settings/{name}/preview": lambda web, client: Call("/api/settings/slots/preview", {"value": "3"}),
}

#: Routes that need a world: the fact that a test of that world looks for in the audit.
ELSEWHERE = {
    "POST /api/approvals/{id}/decision": "ApprovalSigned",
    "POST /api/positions/unattributed/{account}/adopt": "PositionAdopted",
    "POST /api/alerts/{alert}/acknowledge": "AlertAcknowledged",
}
