"""The settings for people: a title and a unit each, in groups; what they mean and their defaults come from the core."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from pydantic_core import PydanticUndefined

from clawd.core.settings import NOT_IN_FILE, Settings

Unit = Literal["money", "multiple", "share", "seconds", "count", "text"]
Source = Literal["default", "file", "environment", "option"]


class About(NamedTuple):
    """How a setting is called, what it counts in, and where it stands."""

    title: str
    unit: Unit
    group: str


_GATE, _APPROVALS, _FLEET, _COSTS = "Limits of the gate", "Approvals", "Account and fleet", "Costs"

ABOUT: Final[dict[str, About]] = {
    "day_loss_limit": About("Day's loss limit", "money", _GATE),
    "leverage": About("Leverage of an agent", "multiple", _GATE),
    "max_drawdown": About("Deepest drawdown of an agent", "share", _GATE),
    "order_notional": About("Notional of one entry", "money", _GATE),
    "instrument_gross": About("Gross notional in one instrument", "money", _GATE),
    "venue_gross": About("Gross notional at one venue", "money", _GATE),
    "account_gross": About("Gross notional of the account", "money", _GATE),
    "account_net": About("Net notional of the account", "money", _GATE),
    "equity_leverage": About("Gross notional by equity", "multiple", _GATE),
    "concentration": About("Notional in one instrument by equity", "multiple", _GATE),
    "cluster_share": About("Notional in a cluster by equity", "multiple", _GATE),
    "clusters": About("Clusters of instruments", "text", _GATE),
    "agent_orders": About("Entries of one agent in the window", "count", _GATE),
    "venue_orders": About("Entries at one venue in the window", "count", _GATE),
    "order_window": About("Window in which entries are counted", "seconds", _GATE),
    "depth_share": About("Share of the visible size", "share", _GATE),
    "volume_share": About("Share of a day's volume", "share", _GATE),
    "margin_left": About("Margin that stays free", "share", _GATE),
    "liquidation_distance": About("Distance to liquidation", "share", _GATE),
    "price_band": About("Band around the market's price", "share", _GATE),
    "price_silence": About("Silence after which a price is stale", "seconds", _GATE),
    "clock_skew": About("Difference of the venue's clock", "seconds", _GATE),
    "approval_notional": About("Orders above this notional wait", "money", _APPROVALS),
    "approval_equity_share": About("Orders above this share of the equity wait", "share", _APPROVALS),
    "approval_volume_share": About("Orders above this share of a day's volume wait", "share", _APPROVALS),
    "approvals_needed": About("People who must approve", "count", _APPROVALS),
    "approval_lifetime": About("Time until a request expires", "seconds", _APPROVALS),
    "approval_drift": About("Price may move by", "share", _APPROVALS),
    "fee": About("Fee per side", "share", _COSTS),
    "slippage": About("Slippage per side", "share", _COSTS),
    "capital": About("Paper account", "money", _FLEET),
    "slots": About("Agents that trade at once", "count", _FLEET),
    "search_share": About("Bars to choose strategies on", "share", _FLEET),
    "home": About("Home", "text", _FLEET),
}


#: Replays of bars wait for nobody: a fleet does not start while one of these is set. Out of a file they may be taken.
_STOP_THE_FLEET: Final = frozenset({"approval_notional", "approval_equity_share", "approval_volume_share"})


class Row(NamedTuple):
    """A setting as a run that starts now would read it.

    Attributes:
        value, default, in_file: as text; None where unset.
        source: where the value comes from: an option of this start comes before the environment, that before the
            home's file, and that before the default.
        option: as it was given, such as ``--day-limit 5``; None where none was.
        least, most: the range, as text; ``strict`` says which ends are not in it.
        editable: whether it can be changed here.
        objection: why not.
    """

    name: str
    about: About
    meaning: str
    value: str | None
    default: str | None
    in_file: str | None
    source: Source
    option: str | None
    least: str | None
    most: str | None
    editable: bool
    objection: str | None


def rows(
    current: Settings, file: Mapping[str, Any], environment: Mapping[str, str], options: Mapping[str, str]
) -> list[Row]:
    """All settings in the order of :data:`ABOUT`.

    Args:
        current: what a run that starts now would read.
        file: what the home's file says.
        environment: of this server's process, which is that of the runs it starts.
        options: by setting, those that this server gives every run that it starts, as they were given to it.
    """
    named = {name.upper() for name in environment}
    return [_row(name, about, current, file, named, options.get(name)) for name, about in ABOUT.items()]


def text_of(value: object) -> str | None:
    """A value as it is written."""
    if value is None:
        return None
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"CLAWD_{name.upper()}"


def _row(
    name: str,
    about: About,
    current: Settings,
    file: Mapping[str, Any],
    environment: set[str],
    option: str | None,
) -> Row:
    field = Settings.model_fields[name]
    source: Source = "environment" if variable(name) in environment else "file" if name in file else "default"
    if option is not None:
        source = "option"
    objection = None
    if name in NOT_IN_FILE:
        objection = "it says where the settings lie"
    elif name in _STOP_THE_FLEET and source != "file":
        objection = f"`clawd up` starts no fleet while it is set: set {variable(name)} where `clawd trade` is started"
    elif source == "option":
        objection = f"`{option}` was given when this server was started, and comes first: start it again without"
    elif source == "environment":
        objection = f"{variable(name)} is set where this server was started, and comes first"
    bounds = {"least": None, "most": None}
    for part in (*field.metadata, *getattr(field.annotation, "__metadata__", ())):
        for sign, end in (("gt", "least"), ("ge", "least"), ("lt", "most"), ("le", "most")):
            if (bound := getattr(part, sign, None)) is not None:
                bounds[end] = bound
    default = None if field.default is PydanticUndefined else field.default
    return Row(
        name=name,
        about=about,
        meaning=field.description or "",
        value=text_of(getattr(current, name)),
        default=text_of(default),
        in_file=text_of(file.get(name)),
        source=source,
        option=option,
        least=text_of(bounds["least"]),
        most=text_of(bounds["most"]),
        editable=objection is None,
        objection=objection,
    )
