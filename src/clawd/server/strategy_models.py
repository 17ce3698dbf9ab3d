"""What the interface takes and says of strategies and of the blocks that they are built of."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr

from clawd.language.expression import LONGEST_NAME
from clawd.language.strategy import LARGEST_FILE, LARGEST_JSON_FILE

#: Blocks and edges that a page may send at once.
MOST_NODES = 2_000
MOST_EDGES = 3 * MOST_NODES

Id = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Number = (
    Annotated[StrictInt, Field(ge=-(10**15), le=10**15)]
    | Annotated[StrictFloat, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
)
Value = Number | Annotated[StrictStr, Field(max_length=LONGEST_NAME)]
Place = Annotated[
    list[Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]], Field(min_length=2, max_length=2)
]
Form = Literal["text", "json", "graph"]


class GraphNode(BaseModel):
    """A block."""

    model_config = ConfigDict(extra="forbid")
    id: Id
    op: Annotated[str, Field(max_length=LONGEST_NAME)] = Field(description="an operator of the palette")
    parameters: dict[str, Value] = Field(default={}, max_length=20)
    label: Annotated[str, Field(max_length=LONGEST_NAME)] = Field("", description="its name as a part, empty for none")


class GraphEdge(BaseModel):
    """From the result of a block to a port of another."""

    model_config = ConfigDict(extra="forbid", serialize_by_alias=True, validate_by_name=True)
    source: Id = Field(alias="from")
    to: Id
    port: Annotated[str, Field(max_length=10)]


class ExitDistance(BaseModel):
    """How far from its reference price: average true ranges of a window, or percent of the entry price."""

    model_config = ConfigDict(extra="forbid")
    atr: Number | None = None
    window: Number | None = None
    percent: Number | None = None


class ExitTarget(ExitDistance):
    """A profit target, with the share of the position that it closes and the bars until it is nothing."""

    share: Number | None = None
    decay: Number | None = None


class ExitSet(BaseModel):
    """How positions are left."""

    model_config = ConfigDict(extra="forbid")
    stop: ExitDistance | None = None
    trail: ExitDistance | None = None
    chandelier: ExitDistance | None = None
    break_even: ExitDistance | None = None
    take: ExitTarget | Annotated[list[ExitTarget], Field(max_length=20)] | None = None
    time: Number | None = None
    cooldown: Number | None = None


class Graph(BaseModel):
    """A strategy as a graph of blocks."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(max_length=500)]
    bar: Annotated[str, Field(max_length=50)] | None = None
    universe: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=1_000)] | None = None
    source: Annotated[str, Field(max_length=2_000)] = ""
    claim: Annotated[str, Field(max_length=2_000)] = ""
    exits: ExitSet
    nodes: Annotated[list[GraphNode], Field(max_length=MOST_NODES)]
    edges: Annotated[list[GraphEdge], Field(max_length=MOST_EDGES)]
    target: Annotated[str, Field(max_length=LONGEST_NAME)] = Field(
        "", description="the block whose position is held, empty for none"
    )
    layout: Annotated[dict[str, Place], Field(max_length=MOST_NODES)] = Field({}, description="positions by id")

    def table(self) -> dict[str, object]:
        """The graph form of the language."""
        form = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        for node in form["nodes"]:
            if not node["label"]:
                del node["label"]
        kept = {node.id for node in self.nodes}
        form["layout"] = {name: place for name, place in self.layout.items() if name in kept}
        return {"clawd": 1, **{key: value for key, value in form.items() if value != "" or key in ("name", "target")}}


class Viewport(BaseModel):
    """What of the graph is in sight."""

    x: Annotated[float, Field(ge=-1e7, le=1e7, allow_inf_nan=False)]
    y: Annotated[float, Field(ge=-1e7, le=1e7, allow_inf_nan=False)]
    zoom: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class Fault(BaseModel):
    """Something that is wrong with a strategy, and its place in each form that has one."""

    what: str
    hint: str | None = Field(description="what would be right")
    where: str | None = Field(description="the place in a file, such as exits.stop")
    node: str | None
    port: str | None
    parameter: str | None
    line: int | None = Field(description="of the text, from 1")
    column: int | None


class Flow(BaseModel):
    """What a block yields."""

    kind: Literal["series", "condition", "position"]
    unit: str = Field(description="of a series, such as px, num, qty, usd or px^2; empty for anything else")


class Check(BaseModel):
    """A strategy in its three forms, or what is wrong with it. A form that cannot be told is null."""

    valid: bool
    problems: list[Fault]
    name: str | None
    text: str | None
    tree: str | None = Field(description="the JSON form")
    graph: Graph | None
    flows: dict[str, Flow] = Field(description="what each block yields, by its id, wherever that can be told")
    content_hash: str | None
    family_hash: str | None
    sentence: str | None = Field(description="what it does, in plain English")
    explanation: str | None = Field(description="the same at length")
    warm_up: int | None = Field(description="bars of an instrument's history before it may trade")


class CheckRequest(BaseModel):
    """A strategy in exactly one form."""

    model_config = ConfigDict(extra="forbid")
    text: Annotated[str, Field(max_length=LARGEST_FILE)] | None = None
    tree: Annotated[str, Field(max_length=LARGEST_JSON_FILE)] | None = None
    graph: Graph | None = None
    previous: Graph | None = Field(None, description="the graph before: blocks that are still there keep their ids")


class LastBacktest(BaseModel):
    """What came of the newest backtest of a strategy."""

    id: str
    ended_at: float = Field(description="milliseconds since 1970")
    total_return: float | None = Field(description="share of the capital")
    sharpe: float | None


class StrategySummary(BaseModel):
    """A strategy in a list."""

    name: str = Field(description="of its file: what it is asked for by")
    title: str = Field(description="what it is called")
    own: bool = Field(description="saved by a person; else of the starter library")
    draft: bool = Field(description="has changes that are not valid yet")
    sentence: str
    source: str
    claim: str
    content_hash: str | None
    bar: str | None
    saved_at: float | None = Field(description="milliseconds since 1970")
    on_fleet: bool = Field(description="on the fleet's list with these very words")
    last_backtest: LastBacktest | None = Field(description="of this very strategy, by a person")


class StrategyDetail(BaseModel):
    """A strategy with everything that the builder needs."""

    name: str
    own: bool
    revision: int = Field(description="0 for one of the library; a save says which it has edited")
    saved_at: float | None = Field(description="milliseconds since 1970")
    edited_outside: bool = Field(description="the file was changed with an editor since it was last drawn")
    form: Form = Field(description="which form the draft is in")
    draft: str | None = Field(description="a text or JSON that is not valid yet, as it was typed")
    viewport: Viewport | None
    pane: str | None
    check: Check


class SaveRequest(BaseModel):
    """What the page has: the form that was edited last counts."""

    model_config = ConfigDict(extra="forbid")
    revision: Annotated[int, Field(ge=0, le=2**53)] = Field(description="the one that was edited, 0 for a new one")
    form: Form
    text: Annotated[str, Field(max_length=LARGEST_FILE)] | None = None
    tree: Annotated[str, Field(max_length=LARGEST_JSON_FILE)] | None = None
    graph: Graph | None = Field(None, description="as it is drawn, with its layout")
    viewport: Viewport | None = None
    pane: Annotated[str, Field(max_length=40)] | None = None


class SavedAnswer(BaseModel):
    """It is on the disk."""

    name: str
    revision: int
    saved_at: float = Field(description="milliseconds since 1970")
    draft: bool = Field(description="not valid yet: kept as a draft")
    content_hash: str | None


class Removed(BaseModel):
    """It was set aside."""

    name: str
    ticket: str = Field(description="with this it is put back")


class PalettePort(BaseModel):
    """Where an edge leads to, or comes from. Equal letters are equal units; px, qty, usd and num are fixed."""

    name: str
    kind: Literal["series", "condition", "position"]
    unit: str


class PaletteField(BaseModel):
    """A parameter as a form asks for it."""

    name: str = Field(description="its key in a block")
    symbol: str = Field(description="what the formula calls it")
    kind: Literal["w", "k", "q", "name", "a", "g"]
    meaning: str
    default: Value
    least: float | None
    most: float | None
    whole: bool
    choices: list[str]


class PaletteBlock(BaseModel):
    """An operator of the registry."""

    op: str
    group: str
    usage: str
    meaning: str
    formula: str
    example: str
    source: str
    warm_up: str
    needs: list[str]
    stands_for: str | None
    inputs: list[PalettePort]
    result: PalettePort
    parameters: list[PaletteField]


class PaletteGroup(BaseModel):
    """Operators of one kind."""

    name: str
    meaning: str


class PaletteExit(BaseModel):
    """An exit as a form asks for it."""

    key: str
    form: Literal["distance", "true_ranges", "targets", "bars"]
    meaning: str
    required: bool
    example: dict[str, Number] | int
    most_percent: float
    most_true_ranges: float
    most_bars: int
    most_targets: int


class PaletteUnit(BaseModel):
    """A unit as it stands on an edge, in words."""

    unit: str
    meaning: str


class Palette(BaseModel):
    """Everything that strategies are built of, from the registry."""

    groups: list[PaletteGroup]
    blocks: list[PaletteBlock]
    exits: list[PaletteExit]
    units: list[PaletteUnit]


class ListedStrategy(BaseModel):
    """A strategy on the fleet's list."""

    name: str
    title: str
    content_hash: str
    added_at: float = Field(description="milliseconds since 1970")
    by: str
    current: bool = Field(description="what is saved under this name is still this very strategy")


class Deployment(BaseModel):
    """What deploying a strategy to paper means."""

    name: str
    content_hash: str
    listed: bool = Field(description="it is on the fleet's list")
    restarts: bool = Field(description="the paper run is started anew at once")
    consequences: list[str]


class DeployRequest(BaseModel):
    """Which strategy exactly."""

    model_config = ConfigDict(extra="forbid")
    content_hash: Annotated[str, Field(max_length=64)] = Field(description="of the strategy that was looked at")
