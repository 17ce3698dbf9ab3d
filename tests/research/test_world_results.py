"""The tables of planted worlds: that of the release is that of its document, and a home keeps every one it has made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clawd.core.errors import ClawdError
from clawd.research.worlds.results import Table, keep_table, read_tables, released
from clawd.research.worlds.truth import clopper_pearson

DOCUMENT = Path(__file__).parents[2] / "docs" / "worlds.md"


def percent(share: float) -> str:
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"


def line(row: Any) -> str:
    """A row as the document has it."""
    planted = row["planted"] > 0
    sharpe = {"mixed": "1 to 3"}.get(row["kind"], f"{row['sharpe']:g}") if planted else ""
    cells = [
        row["kind"],
        sharpe,
        f"{row['campaigns']}",
        f"{row['trials']:,}",
        f"{row['found']} of {row['planted']}" if planted else "",
        " to ".join(map(percent, row["found_interval"])) if planted else "",
        f"{row['oracle_found']}" if planted else "",
        f"{row['false']}",
        " to ".join(map(percent, row["false_interval"])),
        f"{row['naive_found']}" if planted else "",
        f"{row['naive_false']}",
        ", ".join(f"{stage} {number}" for stage, number in row["missed"].items()),
    ]
    return "|" + "|".join(f" {cell} " if cell else "  " for cell in cells) + "|"


def test_the_table_of_the_release_is_that_of_its_document() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    table = released()
    found = [each for each in text.splitlines() if each.startswith(("| noise", "| planted", "| mixed", "| hidden"))]
    assert [line(row) for row in table.rows] == found[-len(table.rows) :]
    assert f"`{table.command}` on the sample market: {table.campaigns} campaigns of {table.budget:,} trials" in text
    assert f"Of {table.promoted} promotions in all worlds {sum(row['false'] for row in table.rows)} were false" in text
    assert table.planned == table.campaigns


def test_its_intervals_and_what_was_lost_add_up() -> None:
    for row in released().rows:
        assert row["found_interval"] == pytest.approx(clopper_pearson(row["found"], row["planted"]), abs=1e-6)
        wrong = clopper_pearson(row["false_campaigns"], row["campaigns"])
        assert row["false_interval"] == pytest.approx(wrong, abs=1e-6)
        assert row["found"] + sum(row["missed"].values()) == row["planted"]
        assert row["trials"] == row["campaigns"] * released().budget


def table(at: int) -> Table:
    return replace(released(), at=f"2026-11-{at:02d}", planned=300)


def test_a_home_keeps_every_table_the_newest_first(tmp_path: Path) -> None:
    assert read_tables(tmp_path) == ()
    assert list(tmp_path.iterdir()) == [], "to look makes nothing"
    for at in (1, 2, 3):
        keep_table(tmp_path, table(at))
    assert [each.at for each in read_tables(tmp_path)] == ["2026-11-03", "2026-11-02", "2026-11-01"]
    assert read_tables(tmp_path)[0] == table(3)


def test_tables_that_are_made_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: keep_table(tmp_path, table(at)), range(1, 25)))
    assert {each.at for each in read_tables(tmp_path)} == {table(at).at for at in range(1, 25)}
    assert not list((tmp_path / "research").glob(".*")), "no scratch is left"


@pytest.mark.parametrize("text", ["", "[", "{}", "[1]", '[{"rows": []}]', '[{"rows": [{"campaigns": "many"}]}]'])
def test_a_file_of_something_else_is_refused_and_stays(tmp_path: Path, text: str) -> None:
    (tmp_path / "research").mkdir()
    path = tmp_path / "research" / "worlds.json"
    path.write_text(text)
    for act in (lambda: read_tables(tmp_path), lambda: keep_table(tmp_path, table(1))):
        if text == "{}":
            assert act() in {(), None}
            continue
        with pytest.raises(ClawdError, match="no file of tables"):
            act()
        assert path.read_text() == text
