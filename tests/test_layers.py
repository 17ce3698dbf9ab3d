"""The shape of the program, read from its sources: what may import what, and who alone approves orders."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import clawd
from clawd.core.orders import Order
from clawd.risk.gate import ApprovedOrder
from clawd.venues import venue

PACKAGE = Path(clawd.__file__).parent


@cache
def parsed() -> dict[str, ast.Module]:
    """Every source of the package by its path in it."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def sources() -> Iterator[tuple[str, ast.Module]]:
    yield from parsed().items()


def test_no_module_but_the_gate_makes_an_approved_order_or_knows_its_seal() -> None:
    makers = set()
    for name, tree in sources():
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id == "ApprovedOrder":
                makers.add(name)
            if isinstance(called, ast.Attribute) and called.attr in {"ApprovedOrder", "__new__", "__setstate__"}:
                makers.add(name)
            if isinstance(node, ast.Name | ast.Attribute | ast.alias):
                word = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
                if word == "_SEAL":
                    makers.add(name)
    assert makers == {"risk/gate.py"}


#: Everything that a verdict is made of.
GATE = (
    "risk/exposure.py",
    "risk/gate.py",
    "risk/limits.py",
    "risk/order_form.py",
    "risk/price_check.py",
    "risk/reserve.py",
    "risk/rounding.py",
    "risk/snapshot.py",
    "risk/standing.py",
    "risk/verdict.py",
)


def test_the_gate_is_made_of_nothing_else() -> None:
    """What it imports of its own package is on the list above, whose every line can be read."""
    for name in GATE:
        for module in imported(parsed()[name]):
            if module.startswith("clawd.risk."):
                assert module.removeprefix("clawd.").replace(".", "/") + ".py" in GATE, f"{name} imports {module}"


def test_the_gate_can_see_nothing_but_what_it_is_shown() -> None:
    """No clock, no file, no environment, no chance: it imports the nouns, decimals and dataclasses."""
    allowed = {"__future__", "collections.abc", "dataclasses", "decimal", "enum", "typing"}
    for name in GATE:
        tree = parsed()[name]
        for module in imported(tree):
            assert module in allowed or module.startswith(("clawd.core.", "clawd.risk.")), f"{name} imports {module}"
            assert module not in {"clawd.core.settings", "clawd.core.clock"}, f"{name} imports {module}"
        assert not any(isinstance(node, ast.Global | ast.Nonlocal) for node in ast.walk(tree))


def calls(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every call in a source: the name that is called, and the last word of what it is called on, or nothing."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name):
            yield called.id, ""
        elif isinstance(called, ast.Attribute):
            on = called.value
            yield called.attr, on.id if isinstance(on, ast.Name) else on.attr if isinstance(on, ast.Attribute) else ""


#: Where something is submitted or sent that is no order: tasks to the threads and processes of a pool, their answers,
#: parts of an answer to a browser, and agents' wishes to the desk, which takes them to the gate.
_NO_VENUE = {
    ("cluster/pool.py", "send", "pipe"),
    ("engine/runtime.py", "submit", "pool"),
    ("fleet/desk.py", "send", "self"),
    ("fleet/fleet.py", "send", "desk"),
    ("research/worlds/table.py", "submit", "pool"),
    ("server/audit.py", "submit", "_thread"),
    ("server/door.py", "send", ""),
    ("server/evidence_desk.py", "send", "answer"),
    ("server/patience.py", "send", ""),
    ("server/safe_answers.py", "send", ""),
}


def test_nobody_but_execution_and_the_desk_of_the_bar_fleet_gives_a_venue_an_order() -> None:
    """A call that only looks like it is named above; whoever adds one has to say there what it is."""
    found = set()
    for name, tree in sources():
        if name.split("/")[0] in {"execution", "venues"}:
            continue
        for word, on in calls(tree):
            if word == "Submit" or (word in {"submit", "send"} and (name, word, on) not in _NO_VENUE):
                found.add((name, word, on))
    assert found == {("fleet/desk.py", "submit", "venue")}


def test_orders_are_put_back_at_the_paper_venue_only_from_the_journal_and_moved_only_by_the_desk() -> None:
    """The two other ways in which an order comes to rest there: what the journal has, and an exit that the gate saw.

    A simulated exchange that goes on from its own file has nobody's word but its own.
    """
    found = {
        (name, word)
        for name, tree in sources()
        for word, on in calls(tree)
        if word in {"restore", "move"} and on in {"venue", "_venue"}
    }
    own_file = ("venues/matching/file.py", "restore")
    assert found == {("fleet/run.py", "restore"), ("fleet/run.py", "move"), ("fleet/desk.py", "move"), own_file}


def test_a_request_with_an_order_is_made_in_execution_alone() -> None:
    """A venue says what it was asked in the words of the port, and never asks itself for anything."""
    for name, tree in sources():
        made = [word for word, _ in calls(tree) if word == "Submit"]
        assert not made or name.startswith("execution/"), f"{name} makes a request with an order"


#: The desk of the bar fleet, and the dealer.
DESKS = {"fleet/desk.py", "execution/dealer.py"}


def test_two_desks_and_nobody_else_ask_the_one_gate() -> None:
    asking = {
        name
        for name, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "clawd.risk.gate"
        and any(each.name == "approve" for each in node.names)
    }
    assert asking == DESKS


def test_what_the_gate_said_is_put_into_words_in_one_place() -> None:
    made = {name for name, tree in sources() for word, _ in calls(tree) if word == "VerdictGiven"}
    assert made == {"execution/verdicts.py"}
    used = {name for name, tree in sources() for word, _ in calls(tree) if word == "verdict_given"}
    assert used == DESKS


def test_the_only_request_that_carries_an_order_carries_an_approved_one() -> None:
    for request in get_args(venue.Request):
        kinds = get_type_hints(request)
        assert Order not in kinds.values()
        assert (ApprovedOrder in kinds.values()) is (request is venue.Submit)


#: Every class that is an account at a venue. One that can trade real money is built where a person arms it, by a
#: module of its own, and never by what builds these.
PAPER_VENUES = {
    "venues/paper.py:PaperVenue",
    "venues/matching/venue.py:MatchingVenue",
    "venues/matching/exchange.py:Exchange",
    "venues/faults.py:FaultyVenue",  # stands before another venue of this list
}


def test_every_venue_that_a_run_can_be_given_is_a_paper_venue_by_name() -> None:
    """There is no gateway to real money, so none can be constructed by mistake: whoever adds one fails here first.

    A venue is whatever takes orders: what has ``send`` and ``receive``, or ``submit``, or names the port as its base.
    """
    found = set()
    for name, tree in sources():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ClassDef) or name == "venues/venue.py":
                continue
            methods = {each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
            bases = {base.id if isinstance(base, ast.Name) else getattr(base, "attr", "") for base in node.bases}
            if methods >= {"send", "receive"} or "submit" in methods or "Venue" in bases:
                found.add(f"{name}:{node.name}")
    assert found
    assert found <= PAPER_VENUES


def test_paper_venues_import_nothing_that_reaches_out() -> None:
    """Not only no network: no way to start another program or to load code by its name either."""
    for name, tree in sources():
        if name.startswith(("venues/", "risk/", "execution/")):
            modules = {module.split(".")[0] for module in imported(tree)}
            assert not modules & {"subprocess", "importlib", "ctypes", "multiprocessing", "runpy"}, name
            words = {word for word, _ in calls(tree)}
            assert not words & {"__import__", "eval", "exec", "system", "popen"}, name


# What may import what.

NETWORK = {
    "aiohttp", "asyncio", "ccxt", "ftplib", "http", "httpx", "httpx2", "requests", "smtplib", "socket", "socketserver",
    "ssl", "telnetlib", "urllib", "urllib3", "web3", "websocket", "websockets", "xmlrpc",
}  # fmt: skip


def imported(tree: ast.Module) -> set[str]:
    """Every module that a source imports, anywhere in it."""
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            modules.add(node.module or "")
    return modules


def test_nothing_on_the_way_from_an_agent_to_the_paper_venue_can_reach_a_network() -> None:
    for name, tree in sources():
        if name.split("/")[0] in {
            "core",
            "engine",
            "evidence",
            "execution",
            "fleet",
            "research",
            "risk",
            "store",
            "venues",
        }:
            roots = {module.split(".")[0] for module in imported(tree)}
            assert not roots & NETWORK, f"{name} imports {sorted(roots & NETWORK)}"


#: Each layer may import those before it, never its own neighbours or those after it. `core` holds the nouns. Language,
#: evidence, risk and data know only these nouns: the rules of risk depend on no engine, so they can be judged alone.
#: The store keeps what they speak of. The engine runs what the language says, authors only write it; reports and venues
#: stand on the engine's fill rules, and venues also on the gate, whose sealed orders are all that they take. Execution
#: alone stands before a venue, with the gate and the journal. The cluster runs the engine in many processes and on
#: many machines, and knows nothing of trading.
#: Research searches, selects and proves, and the fleet trades what came of it; the command line shows both, and nothing
#: may import it.
LAYERS: list[set[str]] = [
    {"core"},
    {"language", "evidence", "risk", "data"},
    {"store"},
    {"engine", "authors"},
    {"reports", "venues", "cluster"},
    {"execution"},
    {"research"},
    {"fleet", "backtests"},
    {"server"},
    {"cli"},
    {"__main__"},
]


def test_no_layer_imports_a_higher_one() -> None:
    rank = {package: height for height, layer in enumerate(LAYERS) for package in layer}
    seen = set()
    for name, tree in sources():
        package = name.split("/")[0].removesuffix(".py")
        if package == "__init__":
            assert not any(module.startswith("clawd.") for module in imported(tree))
            continue
        assert package in rank, f"{package} is new: give it its place among the layers"
        for module in imported(tree):
            if not module.startswith("clawd."):
                continue
            other = module.split(".")[1]
            seen.add((package, other))
            assert other == package or rank[other] < rank[package], f"{name} imports {module}"
    assert ("fleet", "risk") in seen, "the test has looked at something"
    assert ("venues", "risk") in seen


#: What can give a venue an order, or an agent's wish to the gate.
_SENDING = (
    "clawd.execution.dealer",
    "clawd.execution.exit_manager",
    "clawd.execution.recovery",
    "clawd.execution.trader",
    "clawd.execution.writer",
    "clawd.fleet.desk",
    "clawd.fleet.fleet",
    "clawd.fleet.venue_fleet",
    "clawd.fleet.venue_run",
    "clawd.venues",
)


def test_the_web_face_can_give_nobody_an_order() -> None:
    """It reads what is on the disk and writes what a person decides; the process that trades is another one."""
    looked_at = 0
    for name, tree in sources():
        if name.startswith("server/"):
            looked_at += 1
            for module in imported(tree):
                assert not module.startswith(_SENDING), f"{name} imports {module}"
    assert looked_at > 5
