"""Labels of instruments are read, or refused with the row that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.data.catalog import load_groups, store
from clawd.data.draft import draft_groups
from clawd.data.groups import label_codes, read_labels


def written(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "symbol,label\nB,x y\nA,z\nA,z\n",
        "symbol,Sector\nA,z\nB,x y\n",
        'Ticker;sector;weight\n"A";z;1\nB; x y ;2\n',
        "instrument,label,sector\nA,z,q\nB,x y,q\n",
    ],
)
def test_labels_are_found_by_the_names_of_their_columns(tmp_path: Path, text: str) -> None:
    assert read_labels(written(tmp_path, text), "sector").frame.rows() == [("A", "z"), ("B", "x y")]


def test_columns_can_be_stated_and_rows_chosen(tmp_path: Path) -> None:
    path = written(tmp_path, "coin,GICS,year\nA,z,2020\nA,y,2021\n")
    found = read_labels(path, "sector", {"symbol": "coin", "label": "GICS"}, {"year": "2021"})
    assert found.frame.rows() == [("A", "y")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("symbol,label\n", "no rows"),
        ("symbol,label\nA,\n", "no labels"),
        ("symbol,label\nA,x\n,y\n", "line 3, column `symbol`: the symbol is missing"),
        ("symbol,label\nA,x\nB,x\nA,y\n", "line 4: A is labelled `x` and `y`"),
        ("symbol,kind\nA,x\n", "for label"),
        ("name,label\nA,x\n", "for symbol"),
        ("symbol,label\n../A,x\n", "cannot be a symbol"),
        ("", "empty"),
    ],
)
def test_what_is_no_classification_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ClawdError) as caught:
        draft_groups(written(tmp_path, text), "sector")
    assert told in str(caught.value)


@pytest.mark.parametrize("name", ["", "../x", "a b", "1x"])
def test_what_cannot_name_a_classification_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClawdError, match="cannot name a classification"):
        draft_groups(written(tmp_path, "symbol,label\nA,x\n"), name)


def test_labels_come_back_from_the_catalog(tmp_path: Path) -> None:
    drafts = [
        draft_groups(written(tmp_path, "symbol,label\nBTC/USDT,money\nA,x\n"), "sector"),
        draft_groups(written(tmp_path, "symbol,label\nA,big\n"), "size"),
    ]
    store(tmp_path, drafts)
    assert load_groups(tmp_path) == {"sector": {"A": "x", "BTC/USDT": "money"}, "size": {"A": "big"}}
    assert load_groups(tmp_path / "none") == {}


symbols = st.lists(st.sampled_from("ABCDEFGH"), unique=True)


@given(symbols, st.dictionaries(st.sampled_from("ABCDEFGHIJ"), st.sampled_from("xyz")), st.text("XYZ", min_size=3))
def test_equal_codes_are_equal_labels(symbols: list[str], labels: dict[str, str], other: str) -> None:
    codes = label_codes(symbols, labels).tolist()
    for one, first in zip(symbols, codes, strict=True):
        assert (first == -1) == (one not in labels)
        for two, second in zip(symbols, codes, strict=True):
            if one in labels and two in labels:
                assert (first == second) == (labels[one] == labels[two])
    held = {code for code in codes if code >= 0}
    assert held == set(range(len(held)))
    # Labels of instruments that are not in the market change nothing.
    assert label_codes(symbols, {**labels, other: "w"}).tolist() == codes
