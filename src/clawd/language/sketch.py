"""A program as it was drawn or written: macros, differences and constants stand as a person put them.

A :class:`~clawd.language.node.Node` is canonical: in it `rsi` is many operators, and `a - b` a sum with a negative. Who
edits a graph wants to find what he has put there. A sketch keeps it, and is turned into text and back without a change;
the canonical program of a sketch is made by :func:`clawd.language.graph_form.read_graph`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from clawd.language.arrangement import arranged
from clawd.language.assembly import MOST_NODES
from clawd.language.expression import LONGEST_EXPRESSION, Tree, parse
from clawd.language.graph_form import input_ports, parameter_names
from clawd.language.node import ParameterValue, literal
from clawd.language.operators import OPERATORS
from clawd.language.text_form import MOST_PARTS

_SIGNS = {"or": " or ", "and": " and ", "add": " + ", "sub": " - ", "mul": " * ", "div": " / "}
#: How tightly each form binds, as in the grammar of :mod:`clawd.language.expression`.
_BINDING = {"or": 0, "and": 1, "not": 2, "gt": 3, "add": 4, "sub": 4, "mul": 5, "div": 5, "neg": 6}
_SUM, _MINUS, _ATOM = 4, 6, 7
#: A part that is used twice is given a name from this many blocks on; a smaller one is written out again.
_SMALLEST_NAMED = 3


@dataclass(slots=True)
class Block:
    """One operator of a sketch.

    Attributes:
        id: its name among the blocks.
        operator: of the registry, macros included.
        parameters: in their order.
        label: its name in ``[let]``, empty where it has none.
        sources: the id of the block at each port that is connected, by the port's name.
    """

    id: str
    operator: str
    parameters: tuple[ParameterValue, ...] = ()
    label: str = ""
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sketch:
    """Blocks by id, and which of them is the position that is wanted."""

    blocks: Mapping[str, Block]
    target: str

    def to_json(self) -> dict[str, object]:
        """``nodes``, ``edges`` and ``target`` of the graph form."""
        nodes, edges = [], []
        for block in self.blocks.values():
            entry: dict[str, object] = {"id": block.id, "op": block.operator}
            if block.parameters:
                entry["parameters"] = dict(zip(parameter_names(block.operator), block.parameters, strict=True))
            if block.label:
                entry["label"] = block.label
            nodes.append(entry)
            edges += [
                {"from": block.sources[port.name], "to": block.id, "port": port.name}
                for port in input_ports(OPERATORS[block.operator])
                if port.name in block.sources
            ]
        return {"nodes": nodes, "edges": edges, "target": self.target}

    def ordered(self) -> list[Block]:
        """The blocks that lead to the target, inputs before what uses them, named parts as they stand."""
        leading = {block.id for block in self._below([self.target])}
        named = [block.id for block in self.blocks.values() if block.label and block.id in leading]
        return self._below([*named, self.target])

    def _below(self, roots: Sequence[str]) -> list[Block]:
        order: list[Block] = []
        seen: set[str] = set()
        stack = [(root, False) for root in reversed(roots)]
        while stack:
            name, ready = stack.pop()
            if ready:
                order.append(self.blocks[name])
            elif name not in seen:
                seen.add(name)
                stack.append((name, True))
                stack += [(source, False) for source in reversed(self.blocks[name].sources.values())]
        return order


def sketch_of(let: Mapping[str, str], target: str) -> Sketch | None:
    """The sketch of a program that was built without an error from these texts; None where it has too many blocks.

    Equal parts are one block, but every constant that has no name belongs to the block that uses it. Ids are ``n1``,
    ``n2`` … from the inputs to the target.
    """
    drawer = _Drawer()
    for name, text in let.items():
        drawer.bind(name, parse(text))
    root = drawer.block(parse(target))
    leading = {*_below(drawer.drawn, [root])}
    order = [key for key in _below(drawer.drawn, [*drawer.labels, root]) if key in leading]
    if len(order) > MOST_NODES:
        return None
    ids = {key: f"n{place}" for place, key in enumerate(order, 1)}
    blocks = {}
    for key in order:
        operator, sources, parameters = drawer.drawn[key]
        ports = [port.name for port in input_ports(OPERATORS[operator])]
        connected = {port: ids[source] for port, source in zip(ports, sources, strict=True)}
        blocks[ids[key]] = Block(ids[key], operator, parameters, drawer.labels.get(key, ""), connected)
    return Sketch(blocks, ids[root])


def _below(drawn: Sequence[tuple[str, tuple[int, ...], tuple[ParameterValue, ...]]], roots: Sequence[int]) -> list[int]:
    order: dict[int, None] = {}
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        key, ready = stack.pop()
        if ready:
            order[key] = None
        elif key not in order:
            stack.append((key, True))
            stack += [(source, False) for source in reversed(drawn[key][1])]
    return list(order)


class _Drawer:
    """Draws trees. ``drawn`` holds operator, inputs and parameters of each block by its number."""

    def __init__(self) -> None:
        self.drawn: list[tuple[str, tuple[int, ...], tuple[ParameterValue, ...]]] = []
        self.known: dict[tuple[str, tuple[int, ...], tuple[ParameterValue, ...]], int] = {}
        self.named: dict[str, int | Tree] = {}
        self.labels: dict[int, str] = {}
        self.constants: dict[str, int] = {}

    def bind(self, name: str, tree: Tree) -> None:
        if tree.form == "number":
            self.named[name] = tree
        else:
            self.named[name] = block = self.block(tree)
            self.labels.setdefault(block, name)

    def block(self, tree: Tree) -> int:
        if tree.form == "number":
            return self._new("const", (), (float(tree.head),))
        if tree.form == "name" and tree.head in self.named:
            bound = self.named[str(tree.head)]
            return self._constant(str(tree.head), bound) if isinstance(bound, Tree) else bound
        name = str(tree.head)
        taken = len(OPERATORS[name].signature.inputs)
        constants = [argument.form == "number" for argument in tree.arguments[:taken]]
        inputs = tuple(self.block(argument) for argument in tree.arguments[:taken])
        parameters = tuple(self._parameter(argument) for argument in tree.arguments[taken:])
        words = [-1 if own else key for own, key in zip(constants, inputs, strict=True)]
        values = [self.drawn[key][2] for own, key in zip(constants, inputs, strict=True) if own]
        likeness = (name, (*words,), (*parameters, *(value for each in values for value in each)))
        if likeness not in self.known:
            self.known[likeness] = self._new(name, inputs, parameters)
        return self.known[likeness]

    def _constant(self, name: str, tree: Tree) -> int:
        if name not in self.constants:
            self.constants[name] = self._new("const", (), (float(tree.head),))
            self.labels[self.constants[name]] = name
        return self.constants[name]

    def _parameter(self, tree: Tree) -> ParameterValue:
        bound = self.named.get(str(tree.head)) if tree.form == "name" else None
        value = bound.head if isinstance(bound, Tree) else tree.head
        return int(value) if isinstance(value, float) and value.is_integer() else value

    def _new(self, name: str, inputs: tuple[int, ...], parameters: tuple[ParameterValue, ...]) -> int:
        plain = tuple(int(value) if isinstance(value, float) and value.is_integer() else value for value in parameters)
        self.drawn.append((name, inputs, plain))
        return len(self.drawn) - 1


def write_sketch(sketch: Sketch) -> tuple[dict[str, str | float], str] | None:
    """A sketch as named parts, each using only those before it, and the expression of the target.

    Every labelled block is a part, and so is a larger one that is used twice.

    Returns:
        None where it cannot be written so: it would have too many parts, or an expression would be too long.
    """
    order = sketch.ordered()
    uses = Counter(source for block in order for source in block.sources.values())
    names = _names(order, uses, sketch.target)
    if len(names) > MOST_PARTS:
        return None
    texts: dict[str, tuple[str, int]] = {}
    parts: dict[str, str | float] = {}
    for block in order:
        text, binding = _written(block, texts)
        if len(text) > LONGEST_EXPRESSION:
            return None
        if block.id in names:
            value = block.parameters[0] if block.operator == "const" else text
            parts[names[block.id]] = float(value) if isinstance(value, int | float) else value
            text, binding = names[block.id], _ATOM
        texts[block.id] = text, binding
    return parts, texts[sketch.target][0]


def _names(order: Sequence[Block], uses: Mapping[str, int], target: str) -> dict[str, str]:
    names = {block.id: block.label for block in order if block.label and block.id != target}
    taken = {*names.values(), *OPERATORS, "and", "or", "not"}
    sizes: dict[str, int] = {}
    for block in order:
        sizes[block.id] = min(1 + sum(sizes[source] for source in block.sources.values()), MOST_NODES)
        if block.id in names or uses[block.id] < 2 or sizes[block.id] < _SMALLEST_NAMED:
            continue
        stem = "_".join([block.operator, *(str(value) for value in block.parameters if isinstance(value, int))])
        stem = stem.replace("-", "minus_")
        names[block.id] = next(name for name in _numbered(stem) if name not in taken)
        taken.add(names[block.id])
    return names


def _numbered(stem: str) -> Iterator[str]:
    yield from (stem if count == 0 else f"{stem}_{count}" for count in range(MOST_NODES + len(OPERATORS)))


def _written(block: Block, texts: Mapping[str, tuple[str, int]]) -> tuple[str, int]:
    """The expression of a block, and how tightly it binds."""
    name = block.operator
    if name == "const":
        value = block.parameters[0]
        return literal(value), _MINUS if isinstance(value, int | float) and value < 0 else _ATOM

    def within(port: str, least: int) -> str:
        text, binding = texts[block.sources[port]]
        return text if binding >= least else f"({text})"

    if name == "neg":
        inner, binding = texts[block.sources["x"]]
        # "-2" would be the constant, and "--x" is hard to read.
        return (f"-{inner}" if binding == _ATOM and not inner[0].isdigit() else f"-({inner})"), _MINUS
    if name == "not":
        return f"not {within('x', _BINDING['not'])}", _BINDING["not"]
    if name == "gt":
        x, y = (texts[block.sources[port]][0] for port in "xy")
        left, sign, right = ("y", "<", "x") if _second(y) < _second(x) else ("x", ">", "y")
        return f"{within(left, _SUM)} {sign} {within(right, _SUM)}", _BINDING["gt"]
    if name in _SIGNS:
        binding = _BINDING[name]
        return f"{within('x', binding)}{_SIGNS[name]}{within('y', binding + 1)}", binding
    ports = [port.name for port in input_ports(OPERATORS[name])]
    words = [*(texts[block.sources[port]][0] for port in ports), *(literal(value) for value in block.parameters)]
    return f"{name}({', '.join(words)})" if words else name, _ATOM


def _second(text: str) -> int:
    """A comparison begins with an input of the market, and ends with a number."""
    return 0 if text in OPERATORS else 2 if text.lstrip("-")[0].isdigit() else 1


def with_ids_of(sketch: Sketch, previous: Sketch) -> Sketch:
    """The same sketch with the ids that its blocks had before, so that what hangs by them survives an edit of the text.

    Blocks are matched that are written alike, then those that stand at the same place: the same operator, or anything,
    at the same port of a block that was matched. What is new gets ids that were not in use.
    """
    matched = _alike(sketch, previous)
    if sketch.target not in matched and previous.target in previous.blocks:
        _match(matched, sketch.target, previous.target)
    for strict in (True, False):  # first the same operator at the same place, then whatever is there
        for block in reversed(sketch.ordered()):
            before = previous.blocks.get(matched.get(block.id, ""))
            for port, source in block.sources.items():
                other = before.sources.get(port) if before else None
                if other is None or source in matched or other not in previous.blocks:
                    continue
                if not strict or previous.blocks[other].operator == sketch.blocks[source].operator:
                    _match(matched, source, other)
    _match_the_rest(matched, sketch, previous)
    taken = {*matched.values(), *previous.blocks}
    fresh = (name for name in (f"n{number}" for number in range(1, 10**9)) if name not in taken)
    ids = {name: matched.get(name) or next(fresh) for name in sketch.blocks}
    blocks = {
        ids[block.id]: Block(
            ids[block.id],
            block.operator,
            block.parameters,
            block.label,
            {port: ids[source] for port, source in block.sources.items()},
        )
        for block in sketch.blocks.values()
    }
    return Sketch(blocks, ids[sketch.target])


def _match_the_rest(matched: dict[str, str], sketch: Sketch, previous: Sketch) -> None:
    """What stands nowhere near where it stood: the same operator with the same parameters, then with any."""
    for exact in (True, False):
        free: dict[object, list[str]] = {}
        held = {*matched.values()}
        for name, block in previous.blocks.items():
            if name not in held:
                free.setdefault((block.operator, block.parameters if exact else ()), []).append(name)
        for name, block in sketch.blocks.items():
            waiting = free.get((block.operator, block.parameters if exact else ()))
            if name not in matched and waiting:
                matched[name] = waiting.pop(0)


def _match(matched: dict[str, str], name: str, other: str) -> None:
    if other not in matched.values():
        matched[name] = other


def _alike(sketch: Sketch, previous: Sketch) -> dict[str, str]:
    """Blocks that are written alike, each with one of before; of several first those that are used alike."""
    numbers: dict[object, int] = {}
    mine, theirs = _likenesses(sketch, numbers), _likenesses(previous, numbers)
    by_likeness: dict[int, list[str]] = {}
    for name, number in theirs.items():
        by_likeness.setdefault(number, []).append(name)
    matched: dict[str, str] = {}
    # From the target down: a constant goes with the block that uses it.
    for block in reversed(sketch.ordered()):
        waiting = by_likeness.get(mine[block.id], [])
        chosen = matched.get(block.id) or (waiting[0] if waiting else None)
        if chosen is None:
            continue
        if block.id not in matched:
            matched[block.id] = chosen
            waiting.remove(chosen)
        for port, source in block.sources.items():
            other = previous.blocks[chosen].sources.get(port)
            if other is None or source in matched:
                continue
            likely = by_likeness.get(mine[source], [])
            if other in likely:
                matched[source] = other
                likely.remove(other)
    return matched


def _likenesses(sketch: Sketch, numbers: dict[object, int]) -> dict[str, int]:
    """A number for each block that does not go round in a circle: equal for those that are written alike."""
    found: dict[str, int] = {}
    order, _ = arranged({name: block.sources for name, block in sketch.blocks.items()})
    for name in order:
        block = sketch.blocks[name]
        sources = tuple((port, found[source]) for port, source in sorted(block.sources.items()) if source in found)
        likeness = (block.operator, block.parameters, sources)
        found[name] = numbers.setdefault(likeness, len(numbers))
    return found
