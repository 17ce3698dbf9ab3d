"""The fleet's list: what was deployed is what is tried, whatever is edited afterwards."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from clawd.core.errors import ClawdError
from clawd.language.strategy import load_strategy, parse_toml
from clawd.store.fleet_list import add_to_fleet, fleet_files, read_fleet_list, take_off_fleet


def text(percent: float) -> str:
    return f'name = "mine"\n[position]\ntarget = "long_only(1)"\n[exits]\nstop = {{ percent = {percent} }}\n'


def test_the_list_is_empty_where_there_is_none(tmp_path: Path) -> None:
    assert read_fleet_list(tmp_path) == ()
    assert fleet_files(tmp_path) == ()


def test_what_was_added_is_on_it_with_its_text_and_a_file(tmp_path: Path) -> None:
    one = add_to_fleet(tmp_path, "one", text(5), 7, "owner")
    two = add_to_fleet(tmp_path, "two", text(6), 8, "owner")
    assert read_fleet_list(tmp_path) == (one, two)
    assert one.content_hash == parse_toml(text(5)).content_hash
    assert [load_strategy(Path(file)).content_hash for file in fleet_files(tmp_path)] == [
        one.content_hash,
        two.content_hash,
    ]


def test_a_name_that_is_deployed_again_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    add_to_fleet(tmp_path, "one", text(5), 7, "owner")
    fleet_files(tmp_path)
    again = add_to_fleet(tmp_path, "one", text(9), 9, "owner")
    assert read_fleet_list(tmp_path) == (again,)
    (file,) = fleet_files(tmp_path)
    assert load_strategy(Path(file)).exits.stop.size == 9


def test_the_same_strategy_is_on_it_once_whatever_it_is_called(tmp_path: Path) -> None:
    add_to_fleet(tmp_path, "one", text(5), 7, "owner")
    with pytest.raises(ClawdError, match="this very strategy, as `one`"):
        add_to_fleet(tmp_path, "two", text(5).replace("mine", "other"), 8, "owner")


def test_what_is_no_strategy_or_no_name_does_not_come_on_it(tmp_path: Path) -> None:
    with pytest.raises(ClawdError, match="no name"):
        add_to_fleet(tmp_path, "one", "", 1, "owner")
    with pytest.raises(ClawdError, match="small letters"):
        add_to_fleet(tmp_path, "../one", text(5), 1, "owner")
    assert not (tmp_path / "fleet.json").exists()


def test_what_was_taken_off_is_gone_and_cannot_be_taken_off_again(tmp_path: Path) -> None:
    one = add_to_fleet(tmp_path, "one", text(5), 7, "owner")
    assert take_off_fleet(tmp_path, "one") == one
    assert read_fleet_list(tmp_path) == ()
    with pytest.raises(ClawdError, match="not on the fleet's list"):
        take_off_fleet(tmp_path, "one")


def test_many_who_add_at_once_are_all_on_it(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=add_to_fleet, args=(tmp_path, f"s{number}", text(number + 1), number, "owner"))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.name for each in read_fleet_list(tmp_path)) == sorted(f"s{number}" for number in range(12))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"clawd": 2, "strategies": []}',
        '{"clawd": 1, "strategies": [{}]}',
        '{"clawd": 1, "strategies": 3}',
        json.dumps(
            {"clawd": 1, "strategies": [{"name": "../x", "text": "", "content_hash": "", "added_at": 1, "by": ""}]}
        ),
        json.dumps(
            {"clawd": 1, "strategies": [{"name": "x", "text": "?", "content_hash": "", "added_at": 1, "by": ""}]}
        ),
    ],
)
def test_a_damaged_list_is_refused_and_not_written_over(tmp_path: Path, content: str) -> None:
    path = tmp_path / "fleet.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ClawdError):
        read_fleet_list(tmp_path)
    with pytest.raises(ClawdError):
        add_to_fleet(tmp_path, "one", text(5), 1, "owner")
    assert path.read_text(encoding="utf-8") == content
