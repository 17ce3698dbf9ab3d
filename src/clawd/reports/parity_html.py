"""The parity report as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from clawd import __version__
from clawd.reports.html import joined, tag
from clawd.reports.page import page
from clawd.reports.tables import table


@dataclass(frozen=True, slots=True)
class ParitySheet:
    """What a page shows; amounts are in quote currency.

    Attributes:
        subject, span: which run or account, and which days.
        warnings: what a reader must see first.
        heads: of the columns.
        rows: of the table, texts; the last is the sum of the others.
        differences: cause, agent, instrument, time, words and money of each, the largest first.
    """

    subject: str
    span: str
    warnings: Sequence[str]
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    differences: Sequence[tuple[str, str, str, str, str, Decimal]]


def parity_html(sheet: ParitySheet) -> str:
    """The report of some days on paper against their backtests."""
    texts = next((place for place, head in enumerate(sheet.heads) if head == "replayed"), 1)
    warnings = tag("ul", *(tag("li", text) for text in sheet.warnings), class_="cautions") if sheet.warnings else ""
    total = table("Profit and loss by cause", sheet.heads, sheet.rows, texts=texts)
    heads = ("cause", "agent", "instrument", "time", "what happened", "money")
    lines = [
        (*texts_, tag("td", f"{money:+f}", class_="gain" if money > 0 else "loss"))
        for *texts_, money in sheet.differences
    ]
    found = (
        table("Differences", heads, lines, texts=5)
        if lines
        else tag("p", "No difference: paper is the backtest, to the last digit.")
    )
    content = joined(
        (
            warnings,
            tag("section", tag("h2", "From replayed to real"), total),
            tag("section", tag("h2", "Differences"), found),
        )
    )
    header = joined((tag("p", "Parity", class_="kind"), tag("h1", sheet.span), tag("p", sheet.subject)))
    footer = tag("p", f"clawd {__version__} · times in UTC · profit and loss in quote currency · paper")
    return page(f"{sheet.span} · parity", header, content, footer)
