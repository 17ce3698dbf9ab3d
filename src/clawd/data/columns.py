"""Which column of a table holds what: by its name, or as the caller states."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from clawd.core.errors import ClawdError, suggestion

# Names are compared in lower case without spaces, underscores and signs; the first that is found wins.
_TIMES = (
    *("ts", "timestamp", "opentime", "datetime", "time", "unix", "unixtime", "unixtimestamp", "epoch"),
    *("date", "starttime", "timestampms", "timestamputc", "timeutc", "datetimeutc", "dateutc", "t", ""),
)
_ROLES: Mapping[str, Sequence[str]] = {
    "ts": _TIMES,
    "open": ("open", "o", "openprice"),
    "high": ("high", "h", "highprice"),
    "low": ("low", "l", "lowprice"),
    "close": ("close", "c", "closeprice"),
    "volume": ("volume", "vol", "v", "basevolume", "volumebase", "volumefrom", "tickvolume", "tickvol"),
    "funding": ("funding", "fundingrate"),
    "vwap": ("vwap",),
    "rate": ("fundingrate", "rate", "funding"),
    "value": ("value",),
    "symbol": ("symbol", "ticker", "instrument"),
    "label": ("label",),
}
_QUOTE_VOLUME = re.compile(r"volume(to|quote|currency|usd[a-z]?|eur)$")

PRICES = ("open", "high", "low", "close")
BAR_ROLES = ("ts", *PRICES, "volume", "funding", "vwap")


def bar_columns(names: Sequence[str], stated: Mapping[str, str] | None, where: str) -> tuple[dict[str, str], list[str]]:
    """The column of each role of a bar.

    Args:
        names: the table's columns, in their order.
        stated: roles whose columns the caller names, such as ``{"close": "Last"}``.
        where: the table, for errors.

    Returns:
        Role to column name, ``volume``, ``funding`` and ``vwap`` only where there is one; and notes on choices
        worth seeing.

    Raises:
        ClawdError: a column is missing, stands twice, or a stated name or role is unknown.
    """
    found = _stated(names, stated, BAR_ROLES, where)
    for role in BAR_ROLES:
        if role not in found and (name := _detected(names, role, where)) is not None:
            found[role] = name
    notes = []
    if "volume" not in found:
        volumes = [name for name in names if plain(name).startswith("volume")]
        base = [name for name in volumes if not _QUOTE_VOLUME.match(plain(name))]
        if base:
            found["volume"] = base[0]
            notes.append(f"volume is read from column `{base[0]}`")
        elif volumes:
            notes.append(f"volume is left out: `{volumes[0]}` seems to be in quote currency (volume=NAME)")
    missing = [role for role in ("ts", *PRICES) if role not in found]
    if missing:
        raise _missing(names, missing, where)
    _distinct(found, where)
    return found, notes


def are_bars(names: Sequence[str]) -> bool:
    """Whether the columns have a time and four prices."""
    known = {plain(name) for name in names}
    return all(any(name in known for name in _ROLES[role]) for role in ("ts", *PRICES))


def value_columns(
    names: Sequence[str], numeric: Sequence[str], role: str, stated: Mapping[str, str] | None, where: str
) -> dict[str, str]:
    """The columns ``ts`` and `role` of a table with one value a time.

    Args:
        names: the table's columns.
        numeric: those of them that hold numbers; where no name tells, the value is the only one of these.
        role: ``value`` of a series, or ``rate`` of funding.
        stated: roles whose columns the caller names.
        where: the table, for errors.

    Raises:
        ClawdError: a column is missing or more than one could be the value.
    """
    found = _stated(names, stated, ("ts", role), where)
    for wanted in ("ts", role):
        if wanted not in found and (name := _detected(names, wanted, where)) is not None:
            found[wanted] = name
    if "ts" not in found:
        raise _missing(names, ["ts"], where)
    if role not in found:
        values = [name for name in numeric if name != found["ts"] and plain(name) not in _TIMES]
        if len(values) != 1:
            raise _missing(names, [role], where)
        found[role] = values[0]
    _distinct(found, where)
    return found


def label_columns(
    names: Sequence[str], classification: str, stated: Mapping[str, str] | None, where: str
) -> dict[str, str]:
    """The columns ``symbol`` and ``label`` of a table of labels.

    Args:
        names: the table's columns.
        classification: its name, which the column of labels may have.
        stated: roles whose columns the caller names.
        where: the table, for errors.

    Raises:
        ClawdError: a column is missing, or several could be it.
    """
    found = _stated(names, stated, ("symbol", "label"), where)
    for role in ("symbol", "label"):
        if role not in found and (name := _detected(names, role, where)) is not None:
            found[role] = name
    if "label" not in found and (same := [name for name in names if plain(name) == plain(classification)]):
        found["label"] = same[0]
    missing = [role for role in ("symbol", "label") if role not in found]
    if missing:
        raise _missing(names, missing, where)
    _distinct(found, where)
    return found


def plain(name: str) -> str:
    """A column's name as it is compared: letters and digits alone, in lower case."""
    return re.sub(r"[\W_]+", "", name).lower()


def _detected(names: Sequence[str], role: str, where: str) -> str | None:
    for wanted in _ROLES[role]:
        fitting = [name for name in names if plain(name) == wanted]
        if len(set(fitting)) < len(fitting):
            raise _twice(fitting[0], where)
        if len(fitting) > 1:
            what = f"the columns {_listed(fitting)} could all be {role}"
            raise ClawdError(what, where=where, hint=_advice([role]))
        if fitting:
            return fitting[0]
    return None


def _stated(names: Sequence[str], stated: Mapping[str, str] | None, roles: Sequence[str], where: str) -> dict[str, str]:
    found = {}
    for role, wanted in (stated or {}).items():
        if role not in roles:
            raise ClawdError(
                f"`{role}` is not a column that is read here", where=where, hint=f"one of {', '.join(roles)}"
            )
        fitting = [name for name in names if name == wanted] or [name for name in names if plain(name) == plain(wanted)]
        if not fitting:
            hint = suggestion(wanted, names) or f"it has {_listed(names)}"
            raise ClawdError(f"there is no column `{wanted}` for {role}", where=where, hint=hint)
        if len(fitting) > 1:
            raise _twice(wanted, where)
        found[role] = fitting[0]
    return found


def _distinct(found: Mapping[str, str], where: str) -> None:
    for role, name in found.items():
        twins = [other for other, column in found.items() if column == name and other != role]
        if twins:
            raise ClawdError(f"column `{name}` cannot be both {role} and {twins[0]}", where=where)


def _twice(name: str, where: str) -> ClawdError:
    return ClawdError(f"column `{name}` stands more than once", where=where, hint="columns need distinct names")


def _missing(names: Sequence[str], roles: Sequence[str], where: str) -> ClawdError:
    what = f"no column was found for {', '.join(roles)}; the columns are {_listed(names)}"
    return ClawdError(what, where=where, hint=_advice(roles))


def _advice(roles: Sequence[str]) -> str:
    return f'name the column, as in --columns "{",".join(f"{role}=NAME" for role in roles)}"'


def _listed(names: Sequence[str]) -> str:
    shown = [f"`{name}`" for name in names[:12]]
    return ", ".join(shown) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
