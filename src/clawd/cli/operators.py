"""``clawd operators``: the reference of the language, from the registry."""

from __future__ import annotations

import json
from itertools import groupby
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from clawd.cli.grid import Column, grid, screen
from clawd.cli.options import JsonOption
from clawd.core.errors import ClawdError, suggestion
from clawd.language.operators import OPERATORS, Operator
from clawd.language.reference import expansion, facts, limits, usage

NameArgument = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="an operator, to see all that is known of it", show_default=False)
]


def operators(name: NameArgument = None, as_json: JsonOption = False) -> None:
    """Every operator of the language, with its signature and meaning."""
    chosen = None if name is None else _operator(name)
    if as_json:
        found = facts(chosen) if chosen else [facts(operator) for operator in OPERATORS.values()]
        typer.echo(json.dumps(found, indent=2))
    elif chosen:
        _one(screen(), chosen)
    else:
        _all(screen())


def _operator(name: str) -> Operator:
    if name not in OPERATORS:
        hint = suggestion(name, OPERATORS) or "`clawd operators` lists them all"
        raise ClawdError(f"there is no operator `{name}`", hint=hint)
    return OPERATORS[name]


def _all(console: Console) -> None:
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
            "w a window in bars, k a constant, q a quantile, a the symbol of an instrument, g a classification. "
            "x, y, z are the inputs in their order. `clawd operators NAME` says all of one."
        )
    )


def _one(console: Console, operator: Operator) -> None:
    rows = {
        "signature": Text(operator.signature.text, "cyan"),
        "group": Text(operator.group),
        "formula": Text(operator.formula),
        "stands for": Text(expansion(operator) or ""),
        "needs": Text("; ".join(limits(operator))),
        "order": Text("its inputs may change places" if operator.commutative else ""),
        "warm-up": Text(operator.warm_up.text),
        "source": Text(operator.source),
        "example": Text(operator.example, "green"),
    }
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for key, text in rows.items():
        if text.plain:
            table.add_row(key, text)
    console.print(Text(usage(operator), "bold"), Text(operator.meaning), "", table, sep="\n")
