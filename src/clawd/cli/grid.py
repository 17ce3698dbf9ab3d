"""Tables that fit: where the screen is narrow, the columns that matter least are left out, never cut to shreds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

_UNBOUNDED = 160
_INDENT = 2
_GAP = 2
_ENOUGH = 24  # room for text that goes on below

ALWAYS = 10

#: The colour of a finding by its severity, the gravest first.
SEVERITIES = {"error": "red", "warning": "yellow", "note": "dim"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: its heading.
        matters: those that matter less go first; those that matter ``ALWAYS`` stay.
        least: it is at least so wide, so that a figure that grows moves nothing; a text may be cut to it.
        most: it is at most so wide, and longer texts end in dots; 0 for no limit.
        left: whether it is text and not a figure.
        wraps: whether its texts go on below where there is no room for them, and then in any width.
    """

    name: str
    matters: int = ALWAYS
    least: int = 0
    most: int = 0
    left: bool = False
    wraps: bool = False


def screen() -> Console:
    """Standard output, as wide as the terminal; where there is none, wide enough for every table."""
    bounded = "COLUMNS" in os.environ or any(os.isatty(stream) for stream in (0, 1, 2))
    return Console(width=None if bounded else _UNBOUNDED, highlight=False)


def grid(columns: Sequence[Column], rows: Sequence[Sequence[Text | str]], width: int, *, rest: bool = False) -> Padding:
    """A table that is not wider than ``width``.

    Args:
        columns: in their order.
        rows: a cell for every column.
        width: of the screen.
        rest: whether a line below names the columns that were left out.
    """
    cells = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    sizes = [_size(column, [row[place] for row in cells]) for place, column in enumerate(columns)]
    kept = list(range(len(columns)))
    floors = [_floor(column, size) for column, size in zip(columns, sizes, strict=True)]
    while sum(floors[place] + _GAP for place in kept) - _GAP + _INDENT > width:
        least = min(kept, key=lambda place: columns[place].matters)
        if columns[least].matters >= ALWAYS:
            break
        kept.remove(least)
    left_out = [column.name for place, column in enumerate(columns) if place not in kept]
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    if rest and left_out:
        table.caption = Text(f"not enough room for {', '.join(left_out)}", "dim", no_wrap=False)
        table.caption_justify = "left"
    over = sum(sizes[place] + _GAP for place in kept) - _GAP + _INDENT - width
    for place in kept:
        column = columns[place]
        cut = max(0, min(over, sizes[place] - floors[place]))
        over -= cut
        table.add_column(
            column.name,
            justify="left" if column.left else "right",
            min_width=min(column.least, sizes[place] - cut),
            max_width=None if column.wraps else sizes[place] - cut,
            no_wrap=not column.wraps,
            overflow="fold" if column.wraps else "ellipsis",
        )
    for row in cells:
        table.add_row(*(row[place] for place in kept))
    return Padding(table, (0, 0, 0, _INDENT), expand=False)


def _size(column: Column, cells: Sequence[Text]) -> int:
    natural = max([len(column.name), column.least, *(cell.cell_len for cell in cells)])
    most = _ENOUGH if column.wraps else column.most
    return min(natural, most) if most else natural


def _floor(column: Column, size: int) -> int:
    return column.least if column.left and not column.wraps and column.least else size
