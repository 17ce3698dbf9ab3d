"""Where in a TOML text something stands: the line and column of a key's value, and of a place in that value."""

from __future__ import annotations

import re

_TABLE = re.compile(r"^\s*\[\s*([\w.-]+)\s*\]")
_KEY = re.compile(r"^\s*([\"']?)([\w.-]+)\1\s*=\s*")
_PLACE = re.compile(r"(?:line (\d+), )?column (\d+)$")
_ESCAPE = re.compile(r"\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)")


def place_in_text(text: str, key: str, inner: str = "") -> tuple[int | None, int | None]:
    """The line and column, from 1, of a key such as ``let.fast``, ``position.target`` or ``exits.take.2``.

    Args:
        text: the file.
        key: with its table; of a key that is not there the longest beginning that is.
        inner: a place in its value, such as ``column 7`` or ``line 2, column 3``.

    Returns:
        None and None where it cannot be told.
    """
    lines = text.split("\n")
    places = _keys(lines)
    parts = key.split(".")
    while parts and ".".join(parts) not in places:
        parts.pop()
    if not parts:
        return None, None
    row, column = places[".".join(parts)]
    place = _PLACE.search(inner)
    if place is None:
        return row + 1, column + 1
    return _inside(lines, row, column, int(place.group(1) or 1), int(place.group(2)))


def _keys(lines: list[str]) -> dict[str, tuple[int, int]]:
    """Row and column, from 0, of the value of every key, and of every table."""
    places: dict[str, tuple[int, int]] = {}
    table, quote = "", ""
    for row, line in enumerate(lines):
        if quote:
            quote = "" if quote in line else quote
            continue
        if match := _TABLE.match(line):
            table = match.group(1)
            places.setdefault(table, (row, match.start(1)))
        elif match := _KEY.match(line):
            name = f"{table}.{match.group(2)}" if table else match.group(2)
            places.setdefault(name, (row, match.end()))
            value = line[match.end() :]
            if value[:3] in ('"""', "'" * 3) and value[:3] not in value[3:]:
                quote = value[:3]
    return places


def _inside(lines: list[str], row: int, column: int, line: int, at: int) -> tuple[int, int]:
    value = lines[row][column:]
    quotes = 3 if value[:3] in ('"""', "'" * 3) else 1 if value[:1] in ('"', "'") else 0
    if quotes == 3 and not value[3:]:
        row, column, quotes = row + 1, 0, 0  # a first line break belongs to the quotes
    if line > 1:
        return row + line, at
    raw = lines[row][column + quotes :] if row < len(lines) else ""
    if quotes and value[0] == '"':
        return row + 1, column + quotes + _unescaped(raw, at - 1) + 1
    return row + 1, column + quotes + at


def _unescaped(raw: str, letters: int) -> int:
    """How many characters of a basic string stand for its first letters."""
    width = 0
    for _ in range(letters):
        escape = _ESCAPE.match(raw, width)
        width += escape.end() - escape.start() if escape else 1
    return width
