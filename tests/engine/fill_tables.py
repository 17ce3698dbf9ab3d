"""Reads the worked tables of `docs/fill-rules.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

DOCUMENT = Path(__file__).parents[2] / "docs" / "fill-rules.md"

Row = dict[str, str]


@dataclass
class Example:
    """One worked example: settings, bars and targets, and the fills that the rules give.

    Attributes:
        name: section of the document and number within it.
        settings: what its line *Given* says, defaults put in. Shares and percentages are fractions here.
        distances: of stop, trail and take as the simulator takes them: minus a share, or a distance, or 0.
        bars, fills: rows of the two tables.
        equity: at the close of each bar, where the example states it.
    """

    name: str
    settings: dict[str, float]
    distances: dict[str, float]
    bars: list[Row] = field(default_factory=list)
    fills: list[Row] = field(default_factory=list)
    equity: list[float] | None = None

    @property
    def instruments(self) -> list[str]:
        return list(dict.fromkeys(row.get("instrument", "A") for row in self.bars))

    def column(self, name: str, absent: float) -> np.ndarray:
        """[I, T]: a column of the table of bars, NaN for what is missing or unknown."""
        lines = [
            [number(row.get(name, str(absent))) for row in self.bars if row.get("instrument", "A") == instrument]
            for instrument in self.instruments
        ]
        return np.array(lines)


def number(text: str) -> float:
    return np.nan if text in ("-", "?") else float(text)


def examples() -> Iterator[Example]:
    """Every example of the document, in order."""
    section, count, example = "", 0, None
    table: list[Row] | None = None
    header: list[str] = []
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("## "):
            section, count = line[3:], 0
        elif line.startswith("Given "):
            if example is not None:
                yield example
            count += 1
            example = Example(f"{section} {count}", *_settings(line.removeprefix("Given ")))
        elif line.startswith("Equity: ") and example is not None:
            example.equity = [float(word) for word in line.removeprefix("Equity: ").split(",")]
        elif line.startswith("|") and example is not None:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if table is None:
                header, table = cells, example.fills if "side" in cells else example.bars
            elif set(cells) != {"---"}:
                table.append(dict(zip(header, cells, strict=True)))
        if not line.startswith("|"):
            table = None
    if example is not None:
        yield example


def _settings(text: str) -> tuple[dict[str, float], dict[str, float]]:
    settings = {"capital": 1000.0, "lot": 1.0, "tick": 0.01}
    settings |= dict.fromkeys(("time", "cooldown", "fee", "slippage"), 0.0)
    distances = {"stop": -0.5, "trail": 0.0, "take": 0.0}
    for part in text.split(","):
        found = re.fullmatch(r"([a-z]+) ([\d.]+)( %)?", part.strip())
        if found is None:
            raise ValueError(f"cannot read `{part}`")
        name, value, percent = found[1], float(found[2]), found[3] is not None
        if name in distances:
            distances[name] = -value / 100.0 if percent else value
        elif name in settings and percent == (name in ("fee", "slippage")):
            settings[name] = value / 100.0 if percent else value
        else:
            raise ValueError(f"cannot read `{part}`")
    return settings, distances
