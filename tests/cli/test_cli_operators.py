"""``clawd operators``: the table, one operator, and all of it for a program."""

from __future__ import annotations

import json

import pytest
from cli_world import Clawd

from clawd.language.operators import OPERATORS


@pytest.mark.parametrize("columns", ["60", "80", "160"])
def test_the_table_has_every_operator_once_below_its_group(
    clawd: Clawd, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    outcome = clawd("operators")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert max(map(len, lines)) <= int(columns)
    # A name stands two letters in; what goes on below stands further.
    words = [line.split()[0] for line in lines if line.startswith("  ") and line[2:3].isalpha()]
    groups = list(dict.fromkeys(operator.group for operator in OPERATORS.values()))
    assert [word for word in words if word not in groups] == list(OPERATORS)
    assert [word for word in words if word in groups] == groups


@pytest.mark.parametrize("columns", ["60", "120"])
def test_one_operator_with_all_that_is_known_of_it(clawd: Clawd, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    outcome = clawd("operators", "coint_z")
    assert (outcome.code, outcome.err) == (0, "")
    assert max(map(len, outcome.out.splitlines())) <= int(columns)
    said = " ".join(outcome.out.split())
    for words in (
        "coint_z(x, y, w)",
        "signature S[px], S[px], w -> N",
        "stands for ts_resid(x, y, w) / (ts_std(x, w) * sqrt(1",
        "needs a window of at least 3",
        "warm-up w - 1 bars",
        "source R. Engle, C. Granger",
        'example coint_z(asset(close, "ETHUSDT")',
    ):
        assert words in said
    assert "order" not in said
    assert "its inputs may change places" in " ".join(clawd("operators", "ts_corr").out.split())


def test_all_of_it_for_a_program(clawd: Clawd) -> None:
    outcome = clawd("operators", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert [each["name"] for each in found] == list(OPERATORS)
    assert len({tuple(each) for each in found}) == 1
    one = json.loads(clawd("operators", "ema", "--json").out)
    assert one == next(each for each in found if each["name"] == "ema")
    assert one["signature"] == "S[d], w -> S[d]"
    assert one["core"] is True


def test_a_name_that_is_none_says_which_is_near(clawd: Clawd) -> None:
    outcome = clawd("operators", "ts_meen")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "error: there is no operator `ts_meen` (did you mean `ts_mean`?)\n"
    assert "`clawd operators` lists them all" in clawd("operators", "qqqqq").err
