"""Files of labels: which sector, chain or other group each instrument belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from clawd.core.errors import ClawdError
from clawd.data.columns import label_columns
from clawd.data.numbers import words
from clawd.data.table import open_table, read_columns


@dataclass(frozen=True, eq=False)
class Labels:
    """One classification of instruments.

    Attributes:
        frame: ``symbol`` and ``label`` (text, never missing), each symbol once, sorted by symbol.
        notes: what was left out, for people.
    """

    frame: pl.DataFrame
    notes: tuple[str, ...]


def read_labels(
    path: Path,
    classification: str,
    columns: Mapping[str, str] | None = None,
    where: Mapping[str, str] | None = None,
) -> Labels:
    """The labels of a CSV (plain or gzip) or Parquet file with a column of symbols and one of labels.

    Args:
        path: the file.
        classification: its name; the column of labels may be called so, or ``label``.
        columns: columns that their names do not tell, such as ``{"label": "GICS Sector"}``.
        where: the text that a column must hold; other rows are left out.

    Raises:
        ClawdError: a column is missing, a label has no symbol, a symbol has two labels, or there is no label.
    """
    table = open_table(path)
    chosen = label_columns(table.names, classification, columns, str(path))
    rows = read_columns(table, chosen, where)
    cells = rows.select("line", *(words(rows, role, name, table.place) for role, name in chosen.items()))
    nameless = cells.filter(pl.col("symbol").is_null())
    if nameless.height:
        raise ClawdError("the symbol is missing", where=table.place.at(int(nameless["line"][0]), chosen["symbol"]))
    labelled = cells.drop_nulls("label")
    if labelled.is_empty():
        raise ClawdError(f"column `{chosen['label']}` has no labels", where=str(path))
    distinct = labelled.unique(["symbol", "label"], keep="first", maintain_order=True)
    twice = distinct.filter(pl.col("symbol").is_duplicated())
    if twice.height:
        symbol = twice["symbol"][0]
        two = " and ".join(f"`{label}`" for label in twice.filter(pl.col("symbol") == symbol)["label"].head(2))
        hint = "labels hold for all of history; each symbol has one"
        raise ClawdError(f"{symbol} is labelled {two}", where=table.place.at(int(twice["line"][1])), hint=hint)
    blank = cells.height - labelled.height
    notes = (f"{blank:,} {'symbol' if blank == 1 else 'symbols'} without a label left out",) if blank else ()
    return Labels(distinct.select("symbol", "label").sort("symbol"), notes)


def label_codes(symbols: Sequence[str], labels: Mapping[str, str]) -> NDArray[np.int64]:
    """int64 [I], for each symbol the place of its label among the sorted labels of these symbols; -1 for none.

    Args:
        symbols: I symbols.
        labels: by symbol; those of other symbols do not matter.
    """
    held = sorted({labels[symbol] for symbol in symbols if symbol in labels})
    return np.array([held.index(labels[symbol]) if symbol in labels else -1 for symbol in symbols], np.int64)
