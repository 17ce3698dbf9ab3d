"""Reads the worked tables of `docs/fill-rules.md`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.plain_simulator import Aim, Far, Rules

DOCUMENT = Path(__file__).parents[2] / "docs" / "fill-rules.md"

Row = dict[str, str]

#: Rows of :attr:`Example.ranges`.
ONE, STOP_COLUMN, RANGE = 0, 1, 2


@dataclass
class Example:
    """One worked example: settings, bars and targets, and the fills that the rules give.

    Attributes:
        name: section of the document and number within it.
        grid: capital, lot and tick.
        rules: the rest of what its line *Given* says, defaults put in. Shares and percentages are fractions here, and
            distances in quote currency count by the first row of ``ranges``.
        bars, fills: rows of the two tables.
        equity: at the close of each bar, where the example states it.
    """

    name: str
    grid: dict[str, float]
    rules: Rules
    bars: list[Row] = field(default_factory=list)
    fills: list[Row] = field(default_factory=list)
    equity: list[float] | None = None

    @property
    def instruments(self) -> list[str]:
        return list(dict.fromkeys(row.get("instrument", "A") for row in self.bars))

    @property
    def ranges(self) -> np.ndarray:
        """[3, I, T]: ones, the column `stop` and the column `range`."""
        return np.array([np.ones_like(self.column("close", 1.0)), self.column("stop", 1.0), self.column("range", 1.0)])

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
                yield _finished(example)
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
        yield _finished(example)


def _finished(example: Example) -> Example:
    """With the distance of the stop from its column, where it has one."""
    if "stop" in example.bars[0]:
        example.rules.stop = Far(1.0, STOP_COLUMN)
    return example


_SETTING = re.compile(
    r"(?P<name>[a-z-]+) (?P<value>[\d.]+)(?P<percent> %)?( for (?P<share>[\d.]+))?( over (?P<decay>\d+))?"
)


def _settings(text: str) -> tuple[dict[str, float], Rules]:
    grid = {"lot": 1.0, "tick": 0.01}
    rules = Rules(capital=1000.0, stop=Far(0.5))
    for part in text.split(","):
        found = _SETTING.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"cannot read `{part}`")
        name, percent = found["name"].replace("-", "_"), found["percent"] is not None
        value = float(found["value"]) / (100.0 if percent else 1.0)
        far = Far(value, None if percent else RANGE if name == "chandelier" else ONE)
        if name == "take":
            rules.take.append(Aim(far, float(found["share"] or 1.0), int(found["decay"] or 0)))
        elif found["share"] or found["decay"]:
            raise ValueError(f"cannot read `{part}`")
        elif name in ("stop", "trail", "break_even") or (name == "chandelier" and not percent):
            setattr(rules, name, far)
        elif name in grid and not percent:
            grid[name] = value
        elif name in ("time", "cooldown") and not percent:
            setattr(rules, name, int(value))
        elif (name == "capital" and not percent) or (name in ("fee", "slippage") and percent):
            setattr(rules, name, value)
        else:
            raise ValueError(f"cannot read `{part}`")
    return grid, rules
