"""The overview of the evidence, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from clawd.cli.formats import count, number, percent
from clawd.cli.grid import Column, grid, screen
from clawd.cli.tables import evidence_bar
from clawd.core.clock import iso
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.reports.formats import wealth
from clawd.research.overview import Claim, Overview, Sample
from clawd.store.ledger import MOST_ROWS, Tally

_MOST_ROWS = 12


def show_overview(overview: Overview) -> None:
    """Print what was tried, how much of it is different, what was claimed, and what is held back."""
    console = screen()
    if not overview.trials and not overview.claims and not overview.seals:
        console.print(
            Text(
                f"Nothing was tried yet ({overview.path}). `clawd backtest STRATEGY` tries one strategy, "
                "`clawd sweep` many, and each counts."
            ),
            soft_wrap=True,
        )
        return
    console.print(_counts(overview))
    _section(console, "who tried", _tallies("author", overview.authors, console.width))
    if overview.runs:
        _section(console, "campaigns", _tallies("campaign", overview.runs[-_MOST_ROWS:], console.width))
        _rest(console, len(overview.runs) - _MOST_ROWS, "earlier campaign")
    if overview.samples:
        _section(console, "how many of them are different", _samples(overview.samples, console.width))
    console.print(Padding(Text(_for_gates(overview), "dim"), (0, 0, 0, 2)))
    if overview.claims:
        _section(console, "claims", _claims(overview.claims[-_MOST_ROWS:], console.width))
        _rest(console, len(overview.claims) - _MOST_ROWS, "earlier claim")
    else:
        console.print("", Text("Nothing is claimed: no strategy was registered as a hypothesis.", "dim"), sep="\n")
    if overview.seals:
        _section(console, "held back from authors", _seals(overview, console.width))
        _rest(console, len(overview.seals) - _MOST_ROWS, "earlier seal")


def _section(console: Console, title: str, table: RenderableType) -> None:
    console.print("", Text(title, "bold"), table, sep="\n")


def _rest(console: Console, rest: int, noun: str) -> None:
    if rest > 0:
        console.print(Text(f"  and {count(rest, noun)}: `--json` has all", "dim"))


def _counts(overview: Overview) -> RenderableType:
    proven = sum(each.proven for each in overview.claims)
    largest = overview.families[0] if overview.families else 0
    repeats = sum(each.looks for each in overview.authors) - overview.trials
    rows = (
        (
            f"{overview.trials:,}",
            "distinct trials",
            "one strategy, on one stretch of data, at one cost"
            + (f"; tried again {count(repeats, 'time')}" if repeats else ""),
        ),
        (f"{overview.strategies:,}", "distinct strategies", "the same on other data or at other costs is one"),
        (f"{len(overview.families):,}", "families", f"alike but for their constants; the largest has {largest:,}"),
        (
            f"{overview.selection_looks + overview.vault_looks:,}",
            "looks at what is held back",
            f"{overview.selection_looks:,} at the selection, {overview.vault_looks:,} into the vault",
        ),
        (
            f"{len(overview.claims):,}",
            "hypotheses",
            f"claims with a level that their evidence has to reach; {proven:,} proven",
        ),
    )
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(style="dim")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return Padding(table, (0, 0, 0, 2), expand=False)


def _tallies(noun: str, tallies: Sequence[Tally], width: int) -> RenderableType:
    columns = (
        Column(noun, left=True, least=12, most=40),
        Column("trials"),
        Column("strategies", matters=8),
        Column("families", matters=5),
        Column("looks", matters=4),
        Column("first", left=True, matters=2),
        Column("last", left=True, matters=6),
    )
    rows = [
        (
            Text(each.name),
            f"{each.trials:,}",
            f"{each.strategies:,}",
            f"{each.families:,}",
            f"{each.looks:,}",
            Text(_day(each.first_at), "dim"),
            Text(_day(each.last_at), "dim"),
        )
        for each in tallies
    ]
    return grid(columns, rows, width)


def _samples(samples: Sequence[Sample], width: int) -> RenderableType:
    columns = (
        Column("tried on", left=True),
        Column("costs", matters=2),
        Column("trials", matters=9),
        Column("compared", matters=1),
        Column("clusters"),
        Column("by correlation", matters=6),
        Column("by rank", matters=5),
        Column("by participation", matters=4),
    )
    rows = [
        (
            f"{_day(each.conditions.first_ts)} to {_day(each.conditions.last_ts)}",
            percent(each.conditions.fee + each.conditions.slippage, 2),
            f"{each.trials:,}",
            f"{each.compared:,}",
            f"{each.effective.clusters:,}",
            number(each.effective.average_correlation, 1),
            number(each.effective.effective_rank, 1),
            number(each.effective.participation_ratio, 1),
        )
        for each in samples
    ]
    return grid(columns, rows, width, rest=True)


def _for_gates(overview: Overview) -> str:
    said = (
        "Clusters of behaviour and effective numbers are shown and not used, for whoever tries much of the same would "
        "lower them. "
        if overview.samples
        else ""
    )
    if any(each.compared < each.trials for each in overview.samples):
        said = f"Of more than {MOST_ROWS:,} trials, evenly spaced ones are compared. {said}"
    return f"{said}Gates use the raw number of distinct trials, {overview.trials:,}."


def _claims(claims: Sequence[Claim], width: int) -> RenderableType:
    columns = (
        Column("k"),
        Column("strategy", left=True, least=16, most=32),
        Column("market", left=True, least=8, most=24, matters=1),
        Column("level", matters=3),
        Column("wealth"),
        Column("needs"),
        Column("way to proof", left=True, matters=4),
        Column("bars", matters=5),
        Column("state", left=True, wraps=True),
    )
    rows = [
        (
            Text(str(each.hypothesis.number), "dim"),
            Text(each.hypothesis.name),
            Text(each.hypothesis.market, "dim"),
            percent(1 / each.hypothesis.wealth_to_reach, 2),
            wealth(each.evidence.wealth),
            wealth(each.hypothesis.wealth_to_reach),
            evidence_bar(each.evidence.wealth, each.hypothesis.wealth_to_reach),
            f"{each.evidence.bars:,}",
            Text(each.state, _COLOURS.get(each.state, "")),
        )
        for each in claims
    ]
    return grid(columns, rows, width)


_COLOURS = {
    "proven, waiting for you": "bold green",
    "a bar lost more than its bound": "red",
    "no bar has counted yet": "dim",
}


def _seals(overview: Overview, width: int) -> RenderableType:
    columns = (
        Column("instruments", left=True, least=12, most=40),
        Column("selection from", left=True),
        Column("vault from", left=True),
        Column("to", left=True, matters=5),
        Column("campaign", left=True, least=8, most=30, matters=4),
    )
    rows = [
        (
            Text(", ".join(each.symbols)),
            iso(each.selection_from),
            iso(each.vault_from),
            iso(each.until),
            Text(each.run),
        )
        for each in overview.seals[-_MOST_ROWS:]
    ]
    return grid(columns, rows, width)


def _day(nanoseconds: int) -> str:
    return iso(nanoseconds // NANOSECONDS_PER_DAY * NANOSECONDS_PER_DAY)
