"""``clawd strategy``: list, show, check and explain strategies."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.text import Text

from clawd.authors.starter import find_starter, starter_names
from clawd.cli.grid import Column, grid, screen
from clawd.cli.options import JsonOption, read_strategy
from clawd.core.clock import duration
from clawd.core.errors import ClawdError
from clawd.language.explain import explain

app = typer.Typer(help="List, show, check and explain strategies.", no_args_is_help=True)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="a .toml or .json file, or the name of a starter strategy")
]
GraphOption = Annotated[bool, typer.Option("--graph", help="as a graph of nodes and edges, for a visual builder")]
TomlOption = Annotated[bool, typer.Option("--toml", help="as the text file that people write")]


@app.command("list")
def list_strategies(as_json: JsonOption = False) -> None:
    """The starter library."""
    found = [(name, find_starter(name)) for name in starter_names()]
    if as_json:
        rows = [
            {
                "name": name,
                "title": each.name,
                "source": each.source,
                "claim": each.claim,
                "hash": each.content_hash,
            }
            for name, each in found
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    columns = (
        Column("name", left=True),
        Column("believed to earn from", left=True, wraps=True),
        Column("source", left=True, most=60, matters=1),
    )
    cells = [(Text(name, "bold"), Text(each.claim), Text(each.source, "dim")) for name, each in found]
    console = screen()
    console.print(grid(columns, cells, console.width))
    typer.echo("\n`clawd strategy explain NAME` says what one does, `clawd backtest NAME` what came of it.")


@app.command()
def show(
    name: NameArgument, as_json: JsonOption = False, as_graph: GraphOption = False, as_toml: TomlOption = False
) -> None:
    """The canonical form of a strategy, which the engine runs and the hash is made of, or one of its file forms."""
    if as_json + as_graph + as_toml > 1:
        raise ClawdError("only one form at a time", where="--json, --graph, --toml")
    strategy = read_strategy(name)
    if as_json or as_graph:
        typer.echo(json.dumps(strategy.to_graph() if as_graph else strategy.to_json(), indent=2))
        return
    if as_toml:
        typer.echo(strategy.to_toml(), nl=False)
        return
    rows = {"name": strategy.name, "target": strategy.target.text}
    rows |= {key: json.dumps(value) for key, value in strategy.exits.to_json().items()}
    if strategy.bar is not None:
        rows["bar"] = duration(strategy.bar)
    if strategy.universe is not None:
        rows["universe"] = ", ".join(strategy.universe)
    rows |= {
        "lookback": f"{strategy.lookback} bars",
        "hash": strategy.content_hash,
        "family": strategy.family_hash,
    }
    width = max(map(len, rows))
    for key, text in rows.items():
        typer.echo(f"{key:<{width}}  {text}")


@app.command()
def check(name: NameArgument) -> None:
    """Whether a strategy is valid: units, exits, names. Nothing is run."""
    strategy = read_strategy(name)
    typer.echo(f"{strategy.name}: valid, lookback {strategy.lookback} bars, hash {strategy.content_hash[:12]}")


@app.command("explain")
def explain_strategy(name: NameArgument) -> None:
    """A strategy in plain English, with what was inferred of it."""
    typer.echo(explain(read_strategy(name)))
