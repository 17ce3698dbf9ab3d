"""Everything that is wrong with a node graph, and what each node yields wherever that can be told.

:func:`clawd.language.graph_form.read_graph` judges whether a graph is a program; this goes on where that stops. Each
node is looked at as far as its inputs are known, so that one fault does not hide the next, nor is told twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from clawd.core.errors import ClawdError
from clawd.language.arrangement import arranged
from clawd.language.assembly import MOST_NODES, assemble, shown, sound
from clawd.language.builder import conversion
from clawd.language.expression import LONGEST_NAME
from clawd.language.graph_form import MOST_EDGES, input_ports, parameter_names, read_graph
from clawd.language.json_form import known_operator
from clawd.language.node import Node, ParameterValue
from clawd.language.operators import OPERATORS
from clawd.language.palette import default_parameters, parameter_problems
from clawd.language.problem import Problem
from clawd.language.signature import MismatchError
from clawd.language.sketch import Block, Sketch
from clawd.language.text_form import check_part_name
from clawd.language.types import CONDITION, POSITION, Kind, Type

_SIGNS = {"add": "+", "sub": "-", "gt": ">"}
#: Problems that are listed; who has more mends these first.
MOST_PROBLEMS = 200


@dataclass(slots=True)
class _Draft:
    """What could be read of a graph."""

    blocks: dict[str, Block] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    #: Blocks whose parameters are wrong.
    unsound: set[str] = field(default_factory=set)

    def say(
        self,
        what: str,
        hint: str | None = None,
        where: str | None = None,
        node: str | None = None,
        port: str | None = None,
        parameter: str | None = None,
    ) -> None:
        self.problems.append(Problem(what, hint, where, node, port, parameter))


def sketch_of_graph(table: Mapping[str, object]) -> Sketch | None:
    """The blocks of a graph as they are drawn, wrong ones left out; None where there is none, or no target."""
    draft = _read(table)
    target = table.get("target")
    return Sketch(draft.blocks, target) if isinstance(target, str) and target in draft.blocks else None


def blocks_of_graph(table: Mapping[str, object]) -> dict[str, Block]:
    """Every block that could be read, with or without a target."""
    return _read(table).blocks


def graph_findings(table: Mapping[str, object]) -> tuple[dict[str, Type], tuple[Problem, ...]]:
    """What each node yields by its id, and everything that is wrong, at most :data:`MOST_PROBLEMS`.

    Args:
        table: with ``nodes``, ``edges`` and ``target``.
    """
    draft = _read(table)
    for block in draft.blocks.values():
        for port in input_ports(OPERATORS[block.operator]):
            if port.name not in block.sources:
                what = f"nothing is connected, and `{block.operator}` needs a {port.kind} here"
                draft.say(what, "connect a block that gives one", node=block.id, port=port.name)
    order, circling = arranged({name: block.sources for name, block in draft.blocks.items()})
    for cycle in _circles(draft.blocks, circling):
        path = " → ".join([*cycle[:8], *(["…"] if len(cycle) > 8 else []), cycle[0]])
        draft.say(f"the edges go round in a circle: {path}", "take one of these edges away", node=cycle[0])
    types = _types(draft, order)
    _check_target(draft, table.get("target"), types)
    try:
        read_graph({key: table.get(key) for key in ("nodes", "edges", "target")})
    except ClawdError as error:
        if not draft.problems:  # a bound of the whole, such as its length
            draft.problems.append(Problem.of(error))
    else:
        # What folds away may fit though it looked as if it did not: the reader has the last word.
        draft.problems.clear()
        if types.get(str(table.get("target"))) != POSITION:
            _check_target(draft, table.get("target"), types)
    return types, tuple(draft.problems[:MOST_PROBLEMS])


def _read(table: Mapping[str, object]) -> _Draft:
    draft = _Draft()
    nodes, edges = table.get("nodes"), table.get("edges", [])
    if not isinstance(nodes, list) or len(nodes) > MOST_NODES:
        draft.say(f"`nodes` must be a list of at most {MOST_NODES:,}", where="nodes")
        return draft
    labels: set[str] = set()
    for place, entry in enumerate(nodes):
        _read_node(draft, entry, f"nodes[{place}]", labels)
    if not isinstance(edges, list) or len(edges) > MOST_EDGES:
        draft.say(f"`edges` must be a list of at most {MOST_EDGES:,}", where="edges")
        return draft
    for place, entry in enumerate(edges):
        _read_edge(draft, entry, f"edges[{place}]")
    return draft


def _read_node(draft: _Draft, entry: object, place: str, labels: set[str]) -> None:
    name = entry.get("id") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        draft.say(f"a node needs an `id`, a text of 1 to {LONGEST_NAME} characters", where=place)
        return
    if name in draft.blocks:
        draft.say("two nodes have this id", node=name)
        return
    try:
        operator = known_operator(entry.get("op"), f"node {name}")
    except ClawdError as error:
        draft.problems.append(Problem(error.what, error.hint, node=name))
        return
    label = entry.get("label", "")
    block = Block(name, operator.name, label=label if isinstance(label, str) else "")
    draft.blocks[name] = block
    if label:
        try:
            check_part_name(str(label), "label")
        except ClawdError as error:
            draft.problems.append(Problem(error.what, error.hint, node=name, parameter="label"))
            block.label = ""
        if str(label) in labels:
            draft.say(f"the label `{label}` stands twice", "give one of them another", node=name, parameter="label")
            block.label = ""
        labels.add(str(label))
    _read_parameters(draft, block, entry.get("parameters", {}))


def _read_parameters(draft: _Draft, block: Block, given: object) -> None:
    names = parameter_names(block.operator)
    values = given if isinstance(given, Mapping) else {}
    before = len(draft.problems)
    for name in values:
        if name not in names:
            known = f"it has {', '.join(names)}" if names else "it has none"
            draft.say(f"`{block.operator}` has no parameter {shown(name)}", known, node=block.id)
    found: list[ParameterValue] = []
    for name, usual in zip(names, default_parameters(block.operator), strict=True):
        if name not in values:
            what = f"`{block.operator}` lacks its parameter `{name}`"
            draft.say(what, f"such as {usual}", node=block.id, parameter=name)
            continue
        try:
            found.append(sound(values[name], name, ""))
        except ClawdError as error:
            draft.problems.append(Problem(error.what, error.hint, node=block.id, parameter=name))
    if len(draft.problems) == before:
        for key, wrong in parameter_problems(block.operator, tuple(found)):
            draft.problems.append(Problem(wrong.what, wrong.hint, node=block.id, parameter=key))
    if len(draft.problems) == before:
        block.parameters = tuple(found)
    else:
        draft.unsound.add(block.id)


def _read_edge(draft: _Draft, entry: object, place: str) -> None:
    if not isinstance(entry, Mapping):
        draft.say("an edge is an object with `from`, `to` and `port`", where=place)
        return
    source, goal, port = entry.get("from"), entry.get("to"), entry.get("port")
    for end, name in (("from", source), ("to", goal)):
        if not isinstance(name, str) or name not in draft.blocks:
            draft.say(f"it leads {end} {shown(name)}, and there is no such node", where=place)
            return
    block = draft.blocks[str(goal)]
    names = [known.name for known in input_ports(OPERATORS[block.operator])]
    if port not in names:
        known = f"its ports are {', '.join(names)}" if names else "it has no ports"
        draft.say(f"`{block.operator}` has no port {shown(port)}", known, node=block.id)
    elif port in block.sources:
        what = f"two edges lead to this port, from {block.sources[str(port)]} and from {source}"
        draft.say(what, "take one away", node=block.id, port=str(port))
    else:
        block.sources[str(port)] = str(source)


def _circles(blocks: Mapping[str, Block], circling: Sequence[str]) -> Iterator[list[str]]:
    """Each circle once, in the direction of its edges."""
    inside, seen = set(circling), set[str]()
    for start in circling:
        path: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in path and at not in seen:
            path[at] = None
            at = next((source for source in blocks[at].sources.values() if source in inside), None)
        if at is not None and at in path:
            yield [*reversed([*path][[*path].index(at) :])]
        seen.update(path)


@dataclass(slots=True)
class _Known:
    """What is known of a block: its node, or at least its type."""

    type: Type
    node: Node | None = None

    @property
    def is_free(self) -> bool:
        """Zero fits any unit."""
        return self.node is not None and self.node.constant == 0.0


def _types(draft: _Draft, order: Sequence[str]) -> dict[str, Type]:
    known: dict[str, _Known] = {}
    for name in order:
        found = _known(draft, draft.blocks[name], known)
        if found is not None:
            known[name] = found
    return {name: each.type for name, each in known.items()}


def _known(draft: _Draft, block: Block, known: Mapping[str, _Known]) -> _Known | None:
    operator = OPERATORS[block.operator]
    ports = [port.name for port in input_ports(operator)]
    inputs = [known.get(block.sources.get(port, "")) for port in ports]
    nodes = [each.node for each in inputs if each is not None and each.node is not None]
    if len(nodes) == len(ports) and block.id not in draft.unsound:
        try:
            node = assemble(block.operator, nodes, block.parameters)
        except ClawdError as error:
            if not _mismatches(draft, block, ports, inputs):
                draft.problems.append(Problem(error.what, error.hint, node=block.id))
        else:
            return _Known(node.type, node)
    else:
        _mismatches(draft, block, ports, inputs)
    return _yielded(block, inputs)


def _mismatches(draft: _Draft, block: Block, ports: Sequence[str], inputs: Sequence[_Known | None]) -> bool:
    """Say which inputs do not fit, those that are not known taken to be right; whether there were any."""
    signature = OPERATORS[block.operator].signature
    types = [each.type if each else _fitting(word) for each, word in zip(inputs, signature.inputs, strict=True)]
    free = [each is None or each.is_free for each in inputs]
    before = len(draft.problems)
    for _ in ports:
        try:
            signature.result_type(types, free, block.parameters or default_parameters(block.operator))
        except MismatchError as mismatch:
            index = mismatch.index
            what, hint = _mismatch_words(block, types, mismatch)
            draft.say(what, hint, node=block.id, port=ports[index])
            types[index], free[index] = _fitting(signature.inputs[index]), True
        else:
            break
    return len(draft.problems) > before


def _mismatch_words(block: Block, types: Sequence[Type], mismatch: MismatchError) -> tuple[str, str | None]:
    name = block.operator
    if name in _SIGNS and types[0].kind is types[1].kind is Kind.SERIES:
        what = f"`{_SIGNS[name]}` needs the same unit on both sides: x is {types[0]}, y is {types[1]}"
        return what, f"put {mismatch.wanted} here, or divide each side by something of its own unit"
    what = f"`{name}` needs {mismatch.wanted} here, this is {mismatch.given}"
    return what, conversion(mismatch) or f"connect {mismatch.wanted} in its place"


def _fitting(word: str) -> Type:
    return CONDITION if word == "B" else POSITION if word == "P" else Type(Kind.SERIES)


def _yielded(block: Block, inputs: Sequence[_Known | None]) -> _Known | None:
    """The type of a block that is not whole, where its signature alone tells it, or with the inputs that fit."""
    signature = OPERATORS[block.operator].signature
    if signature.result in ("B", "P", "N"):
        return _Known(_fitting(signature.result))
    letters = {
        word[2:-1]
        for word, each in zip(signature.inputs, inputs, strict=True)
        if each is not None and each.type.kind is Kind.SERIES and not each.is_free and word.startswith("S[")
    }
    wanted = {word[2:-1] for word in signature.inputs if word.startswith("S[")} - {"px", "qty", "usd", "num"}
    wanted &= {*_letters(signature.result)}
    if not wanted <= letters or "^" in signature.result:
        return None
    types = [
        each.type if each is not None and each.type.kind is _fitting(word).kind else _fitting(word)
        for each, word in zip(inputs, signature.inputs, strict=True)
    ]
    free = [
        each is None or each.is_free or each.type.kind is not _fitting(word).kind
        for each, word in zip(inputs, signature.inputs, strict=True)
    ]
    try:
        return _Known(signature.result_type(types, free, block.parameters))
    except MismatchError:
        return None


def _letters(result: str) -> Iterator[str]:
    yield from (letter for letter in result[2:-1].replace("sqrt ", "").replace("*", "/").split("/") if letter)


def _check_target(draft: _Draft, target: object, types: Mapping[str, Type]) -> None:
    if not isinstance(target, str) or target not in draft.blocks:
        what = "no block is the position that the strategy holds" if not target else f"there is no node {shown(target)}"
        draft.say(what, "end with a position such as long_short, long_only or signal_if", where="target")
        return
    kind = types.get(target)
    if kind is not None and kind != POSITION:
        hint = "make a position of it with long_short, long_only or signal_if"
        draft.say(f"the target must be a position, this is {kind}", hint, node=target)
    used = {target}
    waiting = [target]
    while waiting:
        for source in draft.blocks[waiting.pop()].sources.values():
            if source not in used:
                used.add(source)
                waiting.append(source)
    for name, block in draft.blocks.items():
        if name not in used:
            hint = "connect it or take it out: a strategy has one output"
            draft.say(f"`{block.operator}` does not lead to the position that is held", hint, node=name)
