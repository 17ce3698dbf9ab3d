"""The shape of the program, read from its sources: what may import what, and who alone approves orders."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import clawd

PACKAGE = Path(clawd.__file__).parent


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_no_module_but_the_gate_makes_an_approved_order_or_knows_its_seal() -> None:
    makers = set()
    for name, tree in sources():
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id == "ApprovedOrder":
                makers.add(name)
            if isinstance(called, ast.Attribute) and called.attr in {"ApprovedOrder", "__new__"}:
                makers.add(name)
            if isinstance(node, ast.Name | ast.Attribute | ast.alias):
                word = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
                if word == "_SEAL":
                    makers.add(name)
    assert makers == {"risk/gate.py"}


def test_the_gate_can_see_nothing_but_what_it_is_shown() -> None:
    """No clock, no file, no environment, no chance: it imports the nouns, decimals and dataclasses."""
    allowed = {"__future__", "dataclasses", "decimal", "enum", "typing"}
    for name in ("risk/gate.py", "risk/reserve.py", "risk/snapshot.py"):
        tree = dict(sources())[name]
        for module in imported(tree):
            assert module in allowed or module.startswith(("clawd.core.", "clawd.risk.")), f"{name} imports {module}"
        assert not any(isinstance(node, ast.Global | ast.Nonlocal) for node in ast.walk(tree))


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
    {"fleet"},
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
