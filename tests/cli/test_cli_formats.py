"""Figures, tables and curves, as they are drawn."""

from __future__ import annotations

import io
import math
from decimal import Decimal

import pytest
from rich.console import Console

from clawd.cli.formats import count, money, number, percent, price
from clawd.cli.grid import Column, grid
from clawd.cli.live_view import _curve
from clawd.cli.tables import evidence_bar
from clawd.reports.formats import wealth

COLUMNS = (
    Column("name", left=True, least=6, most=12),
    Column("always"),
    Column("often", matters=2),
    Column("seldom", matters=1),
    Column("text", left=True, wraps=True),
)
ROWS = [("a", "1", "2", "3", "some words that go on and on"), ("a long name indeed", "1,000", "2", "3", "few")]


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (percent(0.1234), "12.3 %"),
        (percent(-0.0001, signed=True), "+0.0 %"),
        (percent(math.nan), "–"),
        (percent(12.345, 0), "1,234 %"),
        (number(-0.001), "0.00"),
        (number(math.nan), "–"),
        (number(1234.5), "1,234.50"),
        (money(Decimal("-0.004"), signed=True), "+0.00"),
        (money(Decimal("1234567.891")), "1,234,567.89"),
        (price(Decimal("43210.9876")), "43,210.99"),
        (price(Decimal("1.23456789")), "1.2346"),
        (price(Decimal("0.000012345678")), "0.000012346"),
        (price(Decimal(0)), "0.00"),
        (wealth(1.005), "1.00"),
        (wealth(719.6), "720"),
        (wealth(3e7), "3.0e+07"),
        (count(0, "agent"), "0 agents"),
        (count(1, "agent"), "1 agent"),
        (count(1200, "agent"), "1,200 agents"),
    ],
)
def test_figures(shown: str, expected: str) -> None:
    assert shown == expected


def drawn(width: int, *, rest: bool = False) -> list[str]:
    """The lines of a table on a screen of this width."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(grid(COLUMNS, ROWS, width, rest=rest))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_what_matters_least_goes_first() -> None:
    for width in range(36, 120):
        lines = drawn(width)
        assert max(map(len, lines)) <= width
        header = lines[0].split()
        kept = [name for name in ("name", "always", "often", "seldom", "text") if name in header]
        assert kept == header
        assert {"name", "always", "text"} <= set(header)
        assert "often" in header or "seldom" not in header
        assert any("1,000" in line for line in lines)
    assert "seldom" in drawn(119)[0]
    assert "seldom" not in drawn(36)[0]


def test_columns_left_out_are_named() -> None:
    assert drawn(45, rest=True)[-1].strip() == "not enough room for often, seldom"
    assert "not enough room" not in "".join(drawn(119, rest=True))


def test_a_figure_that_grows_moves_nothing() -> None:
    columns = (Column("a", least=8), Column("b"))
    widths = set()
    for text in ("1", "100", "10,000"):
        console = Console(file=io.StringIO(), width=80)
        console.print(grid(columns, [(text, "1")], 80))
        assert isinstance(console.file, io.StringIO)
        widths.add(len(console.file.getvalue().splitlines()[1]))
    assert len(widths) == 1


def test_a_curve_grows_to_the_right_and_stays_put() -> None:
    values = [float(index % 7) for index in range(100)]
    for total, width in ((100, 20), (100, 100), (10, 20)):
        longest = _curve(values[:total], total, width)
        assert len(longest) == width
        for length in range(1, total):
            assert len(_curve(values[:length], total, width)) == min(width, -(-length * width // total))
    rising = _curve([float(index) for index in range(80)], 80, 8)
    assert rising == "▁▂▃▄▅▆▇█"
    assert _curve([float(index) for index in range(40)], 80, 8) == "▁▃▆█"
    assert _curve([5.0] * 40, 80, 8) == "▁▁▁▁"
    assert _curve([], 80, 8) == ""


@pytest.mark.parametrize(
    ("has", "needs", "expected"),
    [
        (1.0, 20, "────────"),
        (0.2, 20, "────────"),
        (0.0, 20, "────────"),
        (20.0, 20, "━━━━━━━━"),
        (99.0, 20, "━━━━━━━━"),
    ],
)
def test_the_way_to_proof(has: float, needs: float, expected: str) -> None:
    assert evidence_bar(has, needs, 8).plain == expected
    assert evidence_bar(math.sqrt(20), 20, 8).plain == "━━━━────"
