"""Settings that lie in a home: below the environment, typed, whole, refused by file and field where they are none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clawd
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings, read_settings_file, settings_path, settings_text
from clawd.risk.limit_settings import LIMITS, loosens
from clawd.store.settings_file import write_setting

FORMAT = '"format": "clawd settings v1"'


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("CLAWD_")]:
        monkeypatch.delenv(name)
    return tmp_path


def put(home: Path, text: str) -> Path:
    path = settings_path(home)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_what_is_given_comes_before_the_environment_and_that_before_the_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Settings(home=home).day_loss_limit == 2
    put(home, settings_text({"day_loss_limit": Decimal("1.5"), "agent_orders": 7, "slots": 3}))
    found = Settings(home=home)
    assert (found.day_loss_limit, found.agent_orders, found.slots) == (Decimal("1.5"), 7, 3)
    assert type(found.agent_orders) is int
    monkeypatch.setenv("CLAWD_DAY_LOSS_LIMIT", "1.25")
    monkeypatch.setenv("CLAWD_HOME", str(home))
    assert (Settings().day_loss_limit, Settings().slots) == (Decimal("1.25"), 3)
    assert Settings(day_loss_limit=Decimal(1)).day_loss_limit == 1


def test_every_setting_can_be_written_and_read_back(home: Path) -> None:
    values = {
        name: value
        for name in Settings.model_fields
        if name != "home" and (value := getattr(Settings(home=home), name)) is not None
    }
    put(home, settings_text(values))
    assert read_settings_file(settings_path(home)) == values
    assert Settings(home=home) == Settings(home=home, **values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no file of settings, or it is damaged"),
        ("nonsense", "no file of settings, or it is damaged"),
        (" " * 100_001, "none of settings"),
        ("[" * 50_000, "damaged"),
        ("[]", "no file of settings of version 1"),
        ("{}", "no file of settings of version 1"),
        ('{"format": "clawd settings v2"}', "no file of settings of version 1"),
        (f'{{{FORMAT}, "day_loss_limit": -1}}', "settings.json: day_loss_limit: it must be above 0, not"),
        (f'{{{FORMAT}, "day_loss_limit": "lots"}}', "settings.json: day_loss_limit: it must be a number, not"),
        (f'{{{FORMAT}, "day_loss_limit": NaN}}', "settings.json: day_loss_limit"),
        (f'{{{FORMAT}, "day_loss_limit": 1e999}}', "settings.json: day_loss_limit"),
        (f'{{{FORMAT}, "day_loss_limit": null}}', "settings.json: day_loss_limit"),
        (f'{{{FORMAT}, "slots": true}}', "settings.json: slots"),
        (f'{{{FORMAT}, "slots": 1.5}}', "settings.json: slots"),
        (f'{{{FORMAT}, "slots": [1]}}', "settings.json: slots"),
        (f'{{{FORMAT}, "day_los_limit": 1}}', "is day_loss_limit meant?"),
        (f'{{{FORMAT}, "home": "/"}}', "`home` cannot be set"),
    ],
)
def test_nonsense_is_refused_with_the_file_and_the_field(home: Path, text: str, words: str) -> None:
    path = put(home, text)
    with pytest.raises(ClawdError) as caught:
        Settings(home=home)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_others_may_write_to_is_not_believed(home: Path) -> None:
    path = put(home, settings_text({"slots": 3}))
    path.chmod(0o620)
    with pytest.raises(ClawdError, match="others may change"):
        Settings(home=home)


def test_the_command_line_says_the_same(home: Path) -> None:
    put(home, f'{{{FORMAT}, "day_loss_limit": "lots"}}')
    done = subprocess.run(
        [sys.executable, "-m", "clawd", "halt"],
        env=os.environ | {"CLAWD_HOME": str(home), "PYTHONPATH": str(Path(clawd.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "settings.json: day_loss_limit" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_write_is_whole_private_and_keeps_the_others(home: Path) -> None:
    write_setting(home, "slots", "3", None)
    change = write_setting(home, "day_loss_limit", "1.5", None)
    assert change == (None, Decimal("1.5"))
    path = settings_path(home)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["slots"] == "3"
    assert write_setting(home, "slots", None, 3) == (3, None)
    assert read_settings_file(path) == {"day_loss_limit": Decimal("1.5")}
    assert sorted(each.name for each in home.iterdir()) == ["settings.json", "settings.json.lock"]


@pytest.mark.parametrize(("name", "value"), [("slots", "0"), ("nothing", "1"), ("home", "/"), ("slots", "1" * 20_000)])
def test_a_refused_write_changes_nothing(home: Path, name: str, value: str) -> None:
    write_setting(home, "slots", "3", None)
    before = settings_path(home).read_bytes()
    with pytest.raises(ClawdError):
        write_setting(home, name, value, 3 if name == "slots" else None)
    with pytest.raises(ClawdError, match="changed meanwhile"):
        write_setting(home, "slots", "4", 2)
    assert settings_path(home).read_bytes() == before


def test_of_many_who_change_the_same_one_comes_through(home: Path) -> None:
    won: list[int] = []

    def change(count: int) -> None:
        try:
            write_setting(home, "slots", str(count), None)
            won.append(count)
        except ClawdError:
            pass

    threads = [threading.Thread(target=change, args=(count,)) for count in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert Settings(home=home).slots == won[0]


# Which change lets more through.

NUMBERS = st.decimals(min_value="0.001", max_value=1000, places=3)


@settings(max_examples=200)
@given(name=st.sampled_from(sorted(LIMITS - {"clusters"})), a=NUMBERS, b=NUMBERS)
def test_of_two_values_exactly_one_is_looser(name: str, a: Decimal, b: Decimal) -> None:
    assert loosens(name, a, a) is False
    if a != b:
        assert loosens(name, a, b) is not loosens(name, b, a)


@pytest.mark.parametrize(
    ("name", "before", "after", "expected"),
    [
        ("day_loss_limit", Decimal(2), Decimal(3), True),
        ("day_loss_limit", Decimal(2), Decimal(1), False),
        ("account_gross", Decimal(100), None, True),
        ("account_gross", None, Decimal(100), False),
        ("margin_left", Decimal("0.5"), Decimal("0.1"), True),
        ("fee", Decimal("0.001"), Decimal("0.0001"), True),
        ("order_window", 60, 30, True),
        ("order_window", 60, 90, False),
        ("approvals_needed", 2, 1, True),
        ("clusters", "A,B", "", True),
        ("capital", Decimal(100), Decimal(1000), False),
    ],
)
def test_loosening(name: str, before: object, after: object, expected: bool) -> None:
    assert loosens(name, before, after) is expected


def test_every_setting_is_said_to_hold_somebody_back_or_not() -> None:
    assert set(Settings.model_fields) - LIMITS == {"home", "capital", "slots", "search_share"}
