"""``clawd evidence show`` tells the story of a strategy, and ``clawd up`` takes a campaign's folder."""

from __future__ import annotations

import json
from pathlib import Path

from cli_world import CROSS, HOLD, Clawd


def test_the_story_of_a_file_is_told_on_a_screen_and_as_a_page(clawd: Clawd, place: Path) -> None:
    done = clawd("evidence", "show", "cross.toml", "--data", "two", "--html", "story.html")
    assert done.code == 0, done.err
    for said in ("Cross of two means", "deflated-sharpe", "endurance", "double costs", "written: story.html"):
        assert said in done.out
    page = (place / "story.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "Cross of two means" in page


def test_it_is_told_to_programs_too_and_found_again_by_its_hash(clawd: Clawd) -> None:
    first = json.loads(clawd("evidence", "show", "cross.toml", "--data", "two", "--json").out)
    again = json.loads(clawd("evidence", "show", first["content_hash"][:10], "--data", "two", "--json").out)
    assert again["content_hash"] == first["content_hash"]
    assert {gate["name"] for gate in first["gates"]} == {
        "deflated-sharpe", "overfitting", "cross-validation", "endurance"
    }  # fmt: skip
    assert first["hypothesis"] is None
    assert first["sharpe"]["search"] is not None
    assert len(first["neighbours"]) >= 2


def test_what_is_not_there_is_refused_in_one_line(clawd: Clawd) -> None:
    done = clawd("evidence", "show", "nobody", "--data", "two")
    assert done.code == 2
    assert "no strategy is called so" in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_the_overview_is_still_there(clawd: Clawd) -> None:
    clawd("evidence", "show", "cross.toml", "--data", "two")
    done = clawd("evidence")
    assert done.code == 0, done.err
    assert done.out.strip()


def test_a_folder_of_strategies_trades_on_paper(clawd: Clawd, place: Path) -> None:
    (place / "found").mkdir()
    (place / "found" / "01-cross.toml").write_text(CROSS)
    (place / "found" / "02-hold.toml").write_text(HOLD)
    (place / "found" / "campaign.json").write_text("{}")
    done = clawd("up", "--data", "two", "--strategy", "found", "--plain", "--slots", "2")
    assert done.code == 0, done.err
    assert "Cross of two means" in done.out
    assert "Always long" in done.out


def test_a_folder_without_strategies_is_refused(clawd: Clawd, place: Path) -> None:
    (place / "empty").mkdir()
    done = clawd("up", "--headless", "--data", "two", "--strategy", "empty")
    assert done.code == 2
    assert "no strategy file" in done.err
