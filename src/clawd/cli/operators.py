"""``clawd operators``: the reference of the language, from the registry."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clawd.language.operators import OPERATORS


def operators(as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False) -> None:
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
    console = Console()
    for group, members in groupby(OPERATORS.values(), key=lambda operator: operator.group):
        table = Table(title=group, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
        table.add_column("operator", no_wrap=True)
        table.add_column("signature", no_wrap=True)
        table.add_column("meaning")
        for operator in members:
            table.add_row(Text(operator.name), Text(operator.signature.text, "cyan"), Text(operator.meaning))
        console.print(table)
    console.print(
        Text(
            "S[d] is a series of unit d (px price, qty volume), N a pure number, B a condition, P a position, "
            "w a window in bars, k a constant."
        )
    )
