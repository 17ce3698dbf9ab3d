"""The node graph of a program: what a visual builder draws, edits and saves.

A node has an ``id``, an ``op``, its ``parameters`` by key, and a ``label`` where it has a name of its own. An edge
leads ``from`` a node ``to`` the ``port`` of another. ``target`` names the node whose position is wanted. A part that
is used twice is one node with two edges. Ids and layout carry no meaning: they enter no hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from clawd.core.errors import ClawdError, suggestion
from clawd.language.arrangement import arranged
from clawd.language.assembly import LONGEST_WRITTEN, MOST_NODES, admits, assemble, parameter_keys, shown, sound
from clawd.language.builder import DEEPEST_PROGRAM, LARGEST_PROGRAM
from clawd.language.canonical import make
from clawd.language.expression import LARGEST_NUMBER, LONGEST_NAME
from clawd.language.json_form import known_operator
from clawd.language.node import Node, ParameterValue, walk
from clawd.language.operators import OPERATORS, Operator
from clawd.language.signature import MismatchError
from clawd.language.text_form import check_part_name

MOST_EDGES = 3 * MOST_NODES
_PORTS = "xyzuv"
_COLUMN, _ROW = 220, 90
_KINDS = {"B": "condition", "P": "position"}


@dataclass(frozen=True, slots=True)
class Port:
    """A place of a node to which an edge leads, or from which it comes.

    Attributes:
        name: ``x``, ``y`` or ``z`` for inputs in their order, ``result`` for the result.
        kind: series, condition or position.
        unit: of a series, as in the signature: equal letters are equal units, ``px``, ``qty``, ``usd`` and ``num`` are
            fixed; empty for anything else.
    """

    name: str
    kind: str
    unit: str = ""


def input_ports(operator: Operator) -> tuple[Port, ...]:
    """The typed inputs of an operator."""
    return tuple(_port(name, word) for name, word in zip(_PORTS, operator.signature.inputs, strict=False))


def result_port(operator: Operator) -> Port:
    """The typed result of an operator."""
    return _port("result", operator.signature.result)


def _port(name: str, word: str) -> Port:
    if word in _KINDS:
        return Port(name, _KINDS[word])
    return Port(name, "series", "num" if word == "N" else word[2:-1])


def parameter_names(name: str) -> tuple[str, ...]:
    """The parameters of a node: the key of their kind, numbered from the second of a kind on (``k``, ``k2``)."""
    keys = parameter_keys(name)
    counts = [keys[: index + 1].count(key) for index, key in enumerate(keys)]
    return tuple(key if count == 1 else f"{key}{count}" for key, count in zip(keys, counts, strict=True))


def program_graph(target: Node, labels: Mapping[str, str]) -> dict[str, object]:
    """Nodes, edges, target and a layout from left to right.

    Args:
        target: the program.
        labels: names of parts, by canonical text.
    """
    order = list(walk(target))
    ids = {node.text: f"n{index + 1}" for index, node in enumerate(order)}
    nodes, edges, layout = [], [], {}
    rows: dict[int, int] = {}
    for node in order:
        entry: dict[str, object] = {"id": ids[node.text], "op": node.operator}
        if node.parameters:
            entry["parameters"] = dict(zip(parameter_names(node.operator), node.parameters, strict=True))
        if node.text in labels:
            entry["label"] = labels[node.text]
        nodes.append(entry)
        edges += [
            {"from": ids[child.text], "to": ids[node.text], "port": port.name}
            for child, port in zip(node.inputs, input_ports(OPERATORS[node.operator]), strict=True)
        ]
        row = rows[node.depth] = rows.get(node.depth, -1) + 1
        layout[ids[node.text]] = [_COLUMN * (node.depth - 1), _ROW * row]
    return {"nodes": nodes, "edges": edges, "target": ids[target.text], "layout": layout}


@dataclass(slots=True)
class _Drawn:
    """A node as it was drawn: its operator, its parameters, and which node each port comes from."""

    id: str
    operator: Operator
    parameters: tuple[ParameterValue, ...]
    label: str
    sources: dict[str, str] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"node {self.id}"


def read_graph(table: Mapping[str, object]) -> tuple[Node, dict[str, Node]]:
    """The program of a node graph, and its labelled parts, each after those that it uses.

    Args:
        table: with ``nodes``, ``edges``, ``target`` and optionally ``layout``.

    Raises:
        ClawdError: with the id of the node and the name of the port.
    """
    nodes = _nodes(table.get("nodes"))
    _connect(nodes, table.get("edges", []))
    _check_layout(table.get("layout", {}), nodes)
    target = table.get("target")
    if not isinstance(target, str) or target not in nodes:
        hint = _closest(target, nodes) or "the id of the node that is the position"
        raise ClawdError(f"there is no node {shown(target)}", where="target", hint=hint)
    order = _ordered(nodes)
    _check_bounds(nodes, order)
    built: dict[str, Node] = {}
    labels: dict[str, Node] = {}
    for name in order:
        drawn = nodes[name]
        built[name] = _built(drawn, built)
        if drawn.label:
            if drawn.label in labels:
                raise ClawdError(f"the label `{drawn.label}` stands twice", where=drawn.where)
            labels[drawn.label] = built[name]
    _check_one_output(nodes, order, target)
    return built[target], labels


def _nodes(value: object) -> dict[str, _Drawn]:
    nodes: dict[str, _Drawn] = {}
    for place, entry in _entries(value, "nodes", MOST_NODES):
        name = entry.get("id")
        if not isinstance(name, str) or not name or len(name) > LONGEST_NAME or not name.isprintable():
            raise ClawdError(f"`id` must be a text of 1 to {LONGEST_NAME} printable characters", where=place)
        where = f"node {name}"
        if name in nodes:
            raise ClawdError("two nodes have this id", where=where)
        _check_keys(entry, ("id", "op", "parameters", "label"), where)
        operator = known_operator(entry.get("op"), where)
        label = entry.get("label", "")
        if not isinstance(label, str):
            raise ClawdError("`label` must be a text", where=where)
        if label:
            check_part_name(label, f"label of {where}")
        parameters = _parameters(entry.get("parameters", {}), operator.name, where)
        nodes[name] = _Drawn(name, operator, parameters, label)
    return nodes


def _parameters(value: object, operator: str, where: str) -> tuple[ParameterValue, ...]:
    names = parameter_names(operator)
    if not isinstance(value, Mapping):
        raise ClawdError("`parameters` must be an object", where=where)
    for name in value:
        if name not in names:
            known = f"it has {', '.join(names)}" if names else "it has none"
            raise ClawdError(
                f"`{operator}` has no parameter {shown(name)}",
                where=where,
                hint=suggestion(str(name)[:50], names) or known,
            )
    for name, kind in zip(names, OPERATORS[operator].signature.parameters, strict=True):
        if name not in value:
            raise ClawdError(f"`{operator}` lacks its parameter `{name}`", where=where, hint=kind.value)
    return tuple(sound(value[name], name, where) for name in names)


def _connect(nodes: Mapping[str, _Drawn], edges: object) -> None:
    for place, entry in _entries(edges, "edges", MOST_EDGES):
        _check_keys(entry, ("from", "to", "port"), place)
        for end in ("from", "to"):
            name = entry.get(end)
            if not isinstance(name, str) or name not in nodes:
                what = f"it leads {end} {shown(name)}, and there is no such node"
                raise ClawdError(what, where=place, hint=_closest(name, nodes))
        drawn, port = nodes[str(entry["to"])], entry.get("port")
        names = [known.name for known in input_ports(drawn.operator)]
        if not isinstance(port, str) or port not in names:
            known = f"its ports are {', '.join(names)}" if names else "it has no ports"
            raise ClawdError(f"`{drawn.operator.name}` has no port {shown(port)}", where=drawn.where, hint=known)
        if port in drawn.sources:
            raise ClawdError(
                f"two edges lead to this port, from {drawn.sources[port]} and from {entry['from']}",
                where=f"{drawn.where}, port {port}",
            )
        drawn.sources[port] = str(entry["from"])
    for drawn in nodes.values():
        for port_ in input_ports(drawn.operator):
            if port_.name not in drawn.sources:
                raise ClawdError(
                    f"nothing is connected, and `{drawn.operator.name}` needs a {port_.kind} here",
                    where=f"{drawn.where}, port {port_.name}",
                )


def _ordered(nodes: Mapping[str, _Drawn]) -> list[str]:
    """The ids, inputs before what uses them.

    Raises:
        ClawdError: for a cycle, which it shows.
    """
    order, circling = arranged({name: drawn.sources for name, drawn in nodes.items()})
    if circling:
        at, waiting = circling[0], set(circling)
        path: dict[str, None] = {}
        while at not in path:
            path[at] = None
            at = next(source for source in nodes[at].sources.values() if source in waiting)
        cycle = [*path][[*path].index(at) :]
        shown = [at, *reversed(cycle[-8:])] if len(cycle) <= 8 else [at, "…", *reversed(cycle[:7])]
        raise ClawdError(f"the edges go round in a circle: {' → '.join(shown)}", where=f"node {at}")
    return order


def _check_one_output(nodes: Mapping[str, _Drawn], order: list[str], target: str) -> None:
    used = {target}
    for name in reversed(order):
        if name in used:
            used.update(nodes[name].sources.values())
    for name in order:
        if name not in used:
            raise ClawdError(
                f"it does not lead to the target {target}",
                where=f"node {name}",
                hint="connect it or take it out: a strategy has one output",
            )


def _check_bounds(nodes: Mapping[str, _Drawn], order: Iterable[str]) -> None:
    """Refuse what would be too large when written out, before a single node is built."""
    lengths: dict[str, int] = {}
    depths: dict[str, int] = {}
    total = 0
    for name in order:
        sources = nodes[name].sources.values()
        lengths[name] = len(nodes[name].operator.name) + sum(lengths[source] + 2 for source in sources)
        depths[name] = 1 + max((depths[source] for source in sources), default=0)
        if depths[name] > DEEPEST_PROGRAM + 1:
            raise ClawdError(f"the program is deeper than {DEEPEST_PROGRAM} operators", where=f"node {name}")
        if lengths[name] > LONGEST_WRITTEN or (total := total + lengths[name]) > DEEPEST_PROGRAM * LONGEST_WRITTEN:
            raise ClawdError(
                f"the program, with its shared parts written out, is longer than {LARGEST_PROGRAM:,} characters",
                where=f"node {name}",
            )


def _built(drawn: _Drawn, built: Mapping[str, Node]) -> Node:
    ports = input_ports(drawn.operator)
    inputs = [built[drawn.sources[port.name]] for port in ports]
    try:
        return assemble(drawn.operator.name, inputs, drawn.parameters)
    except ClawdError as error:
        port = _unfit(drawn.operator, inputs, drawn.parameters)
        source = f", port {port} (from {drawn.sources[port]})" if port else ""
        raise error.at(drawn.where + source) from None


def _unfit(operator: Operator, inputs: Sequence[Node], parameters: tuple[ParameterValue, ...]) -> str | None:
    """The port whose input has the wrong kind or unit, if one has."""
    try:
        if operator.expansion is not None:
            operator.signature.result_type([node.type for node in inputs], [node.constant == 0.0 for node in inputs])
        elif admits(operator.name, parameters):
            make(operator.name, inputs, parameters)
    except MismatchError as mismatch:
        return _PORTS[mismatch.index]
    return None


def _check_layout(value: object, nodes: Mapping[str, _Drawn]) -> None:
    if not isinstance(value, Mapping):
        raise ClawdError("it must be an object of positions by id", where="layout")
    for name, place in value.items():
        if name not in nodes:
            raise ClawdError(f"there is no node {shown(name)}", where="layout")
        numbers = place if isinstance(place, list) else []
        if len(numbers) != 2 or not all(
            isinstance(number, int | float) and not isinstance(number, bool) and abs(number) <= LARGEST_NUMBER
            for number in numbers
        ):
            raise ClawdError("a position is a list of two numbers", where=f"layout of {name}")


def _closest(name: object, nodes: Mapping[str, _Drawn]) -> str | None:
    """The hint of an id that was meant, where they are few enough to compare."""
    return suggestion(name[:LONGEST_NAME], nodes) if isinstance(name, str) and len(nodes) < 1_000 else None


def _entries(value: object, key: str, most: int) -> Iterable[tuple[str, Mapping[str, object]]]:
    if not isinstance(value, list):
        raise ClawdError(f"a list is needed, not {type(value).__name__}", where=key)
    if len(value) > most:
        raise ClawdError(f"{len(value):,} {key}, more than {most:,}", where=key)
    for index, entry in enumerate(value):
        if not isinstance(entry, Mapping):
            raise ClawdError(f"an object is needed, not {type(entry).__name__}", where=f"{key}[{index}]")
        yield f"{key}[{index}]", entry


def _check_keys(entry: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    for key in entry:
        if key not in known:
            raise ClawdError(
                f"unknown key {shown(key)}",
                where=where,
                hint=suggestion(key[:LONGEST_NAME], known) or f"one of {', '.join(known)}",
            )
