"""``clawd operators``: the reference of the language, from the registry."""

from __future__ import annotations

import json
from itertools import groupby

import typer
from rich.text import Text

from clawd.cli.grid import Column, grid, screen
from clawd.cli.options import JsonOption
from clawd.language.operators import OPERATORS


def operators(as_json: JsonOption = False) -> None:
    """Every operator of the language, with its signature and meaning."""
    if as_json:
        rows = [
            {
                "name": operator.name,
                "group": operator.group,
                "signature": operator.signature.text,
                "meaning": operator.meaning,
                "expansion": operator.expansion,
            }
            for operator in OPERATORS.values()
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    console = screen()
    name_width = max(len(name) for name in OPERATORS)
    signature_width = max(len(operator.signature.text) for operator in OPERATORS.values())
    for group, members in groupby(OPERATORS.values(), key=lambda operator: operator.group):
        columns = (
            Column(group, left=True, least=name_width),
            Column("signature", left=True, least=signature_width),
            Column("meaning", left=True, wraps=True),
        )
        cells = [(operator.name, Text(operator.signature.text, "cyan"), operator.meaning) for operator in members]
        console.print(grid(columns, cells, console.width), "", sep="\n")
    console.print(
        Text(
            "S[d] is a series of unit d (px price, qty volume), N a pure number, B a condition, P a position, "
            "w a window in bars, k a constant, a the symbol of an instrument. x, y, z are the inputs in their order."
        )
    )
