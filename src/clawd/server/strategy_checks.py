"""From what the language finds of a strategy to what the interface says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace

from clawd.language.exits import EXIT_KINDS, MOST_TARGETS, MOST_TRUE_RANGES
from clawd.language.explain import explain, sentence
from clawd.language.findings import Checked, check_graph, check_json, check_text
from clawd.language.graph_findings import blocks_of_graph
from clawd.language.operators import LONGEST_WINDOW
from clawd.language.palette import block_kinds
from clawd.language.reference import GROUPS, TYPES
from clawd.language.sketch import Sketch, with_ids_of
from clawd.language.strategy import Strategy
from clawd.language.types import Kind, Type
from clawd.server.strategy_models import (
    Check,
    Fault,
    Flow,
    Graph,
    Palette,
    PaletteBlock,
    PaletteExit,
    PaletteGroup,
    PaletteUnit,
)

_KINDS = {Kind.SERIES: "series", Kind.CONDITION: "condition", Kind.POSITION: "position"}


def palette() -> Palette:
    """Everything that strategies are built of."""
    return Palette(
        groups=[PaletteGroup(name=name, meaning=meaning) for name, meaning in GROUPS.items()],
        blocks=[PaletteBlock.model_validate(asdict(kind)) for kind in block_kinds()],
        exits=[
            PaletteExit.model_validate(
                {
                    **asdict(kind),
                    "most_true_ranges": MOST_TRUE_RANGES,
                    "most_bars": LONGEST_WINDOW,
                    "most_targets": MOST_TARGETS,
                }
            )
            for kind in EXIT_KINDS
        ],
        units=[
            PaletteUnit(unit="num", meaning=TYPES["N"]),
            *(PaletteUnit(unit=unit, meaning=TYPES[f"S[{unit}]"]) for unit in ("px", "qty", "usd")),
        ],
    )


def checked_text(text: str, previous: Graph | None = None) -> Check:
    """A text in its three forms; blocks that were in the graph before keep their ids and places."""
    return _answer(check_text(text), previous, text)


def checked_tree(text: str, previous: Graph | None = None) -> Check:
    """The same of a JSON text."""
    return _answer(check_json(text), previous)


def checked_graph(graph: Graph, text: str | None = None) -> Check:
    """The same of a graph, which is given back as it was drawn.

    Args:
        text: what says the same, where it is known: it is kept as it was written.
    """
    checked = check_graph(graph.table())
    if text is not None and checked.strategy is not None and check_text(text).strategy == checked.strategy:
        return _answer(checked, None, text, graph)
    return _answer(checked, None, None, graph)


def _answer(checked: Checked, previous: Graph | None, text: str | None = None, drawn: Graph | None = None) -> Check:
    strategy = checked.strategy
    types: Mapping[str, Type] = checked.types
    graph = drawn
    if strategy is not None and drawn is None:
        graph, types = _graph(checked, previous)
    return Check(
        valid=strategy is not None,
        problems=[Fault.model_validate(asdict(problem)) for problem in checked.problems],
        name=strategy.name if strategy else None,
        text=text if text is not None else strategy.to_toml() if strategy else None,
        tree=tree_text(strategy) if strategy else None,
        graph=graph,
        flows={name: _flow(kind) for name, kind in types.items()},
        content_hash=strategy.content_hash if strategy else None,
        family_hash=strategy.family_hash if strategy else None,
        sentence=sentence(strategy) if strategy else None,
        explanation=explain(strategy) if strategy else None,
        warm_up=strategy.lookback if strategy else None,
    )


def tree_text(strategy: Strategy) -> str:
    """The JSON form as it is shown and saved."""
    return json.dumps(strategy.to_json(), indent=2, ensure_ascii=False) + "\n"


def _graph(checked: Checked, previous: Graph | None) -> tuple[Graph, Mapping[str, Type]]:
    """The graph of a text, with the ids and the layout of the graph before."""
    strategy = checked.strategy
    assert strategy is not None
    if checked.sketch is None:  # too many blocks to be drawn as they are written
        return Graph.model_validate({key: value for key, value in strategy.to_graph().items() if key != "clawd"}), {}
    layout: dict[str, list[float]] = {}
    types = checked.types
    if previous is not None:
        blocks = blocks_of_graph(previous.table())
        kept = with_ids_of(checked.sketch, Sketch(blocks, previous.target))
        ids = dict(zip(checked.sketch.blocks, kept.blocks, strict=True))
        types = {ids[name]: kind for name, kind in types.items()}
        checked = replace(checked, sketch=kept)
        layout = {name: place for name, place in previous.layout.items() if name in kept.blocks}
    table = checked.graph()
    assert table is not None
    return Graph.model_validate({**{k: v for k, v in table.items() if k != "clawd"}, "layout": layout}), types


def _flow(kind: Type) -> Flow:
    return Flow.model_validate({"kind": _KINDS[kind.kind], "unit": kind.unit.word if kind.kind is Kind.SERIES else ""})
