"""``clawd journal``: a run that was traded is taken elsewhere and is still the same run."""

from __future__ import annotations

import csv
import json
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest
from cli_world import Clawd

from clawd.fleet.run import journals
from clawd.store.journal import open_journal

LINE = ("up", "--data", "two", "--strategy", "cross.toml", "--strategy", "hold.toml", "--json")


@pytest.fixture
def traded(clawd: Clawd, place: Path) -> Path:
    """The journal of a run."""
    assert clawd(*LINE).code == 0
    (path,) = journals(place / "home")
    return path


def test_a_run_is_exported_and_goes_on_in_another_home(
    clawd: Clawd, place: Path, traded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = traded.read_bytes()
    verified = clawd("journal", "verify", "--json").out
    done = clawd("journal", "export")
    assert done.code == 0
    lines = done.out.splitlines()
    assert [json.loads(line)["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert set(json.loads(lines[0])) == {"seq", "ts", "kind", "body", "hash"}
    assert done.err == f"{len(lines):,} entries, the last with hash {json.loads(lines[-1])['hash']}\n"
    (place / "run.jsonl").write_text(done.out)
    monkeypatch.setenv("CLAWD_HOME", str(place / "other"))
    taken = clawd("journal", "import", "run.jsonl")
    assert (taken.code, taken.err) == (0, "")
    assert json.loads(lines[-1])["hash"] in taken.out
    (path,) = journals(place / "other")
    assert path.parent.name == traded.parent.name
    assert clawd("journal", "verify", "--json").out == verified
    assert clawd("journal", "export").out == done.out
    again = clawd("journal", "import", "run.jsonl")
    assert again.code == 2
    assert f"has {len(lines):,} entries already" in again.err
    assert traded.read_bytes() == before


def test_a_journal_that_is_named_by_its_path_is_read_like_a_run(clawd: Clawd, place: Path, traded: Path) -> None:
    shown = clawd("journal", "show", "--last", "3")
    verified = clawd("journal", "verify")
    exported = clawd("journal", "export", "--csv")
    done = clawd("journal", "backup", "copies/today.sqlite")
    assert (done.code, done.err) == (0, "")
    assert sorted(path.name for path in (place / "copies").iterdir()) == ["today.sqlite"]
    shutil.rmtree(place / "home")
    copy = ("--journal", "copies/today.sqlite")
    assert clawd("journal", "show", "--last", "3", *copy) == shown
    assert clawd("journal", "verify", *copy) == verified
    assert clawd("journal", "export", "--csv", *copy) == exported
    assert clawd("journal", "backup", "copies/today.sqlite", *copy).code == 2


def test_the_fills_of_an_export_are_those_of_the_journal(clawd: Clawd, traded: Path) -> None:
    done = clawd("journal", "export", "--csv")
    assert (done.code, done.err) == (0, "")
    rows = list(csv.DictReader(done.out.splitlines()))
    with closing(sqlite3.connect(traded)) as connection:
        stored = connection.execute("SELECT seq, body FROM journal WHERE kind = 'OrderFilled' ORDER BY seq").fetchall()
    assert rows
    assert len(rows) == len(stored)
    for row, (seq, text) in zip(rows, stored, strict=True):
        body = json.loads(text)
        assert row["seq"] == str(seq)
        assert Decimal(row["size"]) * (1 if row["side"] == "buy" else -1) == Decimal(body["size"])
        assert Decimal(row["size"]) > 0
        for name in ("price", "fee", "slippage"):
            assert Decimal(row[name]) == Decimal(body[name])
            assert "E" not in row[name]
        for name in ("agent", "order", "symbol", "reason"):
            assert row[name] == body[name]
        assert row["time"].endswith("T00:00:00Z")


def test_an_export_that_was_changed_makes_no_journal(
    clawd: Clawd, place: Path, traded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert traded.exists()
    lines = clawd("journal", "export").out.splitlines(keepends=True)
    lines[4] = lines[4].replace('"ts":1', '"ts":2')
    (place / "run.jsonl").write_text("".join(lines))
    monkeypatch.setenv("CLAWD_HOME", str(place / "other"))
    refused = clawd("journal", "import", "run.jsonl")
    assert refused.code == 2
    assert "run.jsonl: entry 5 is broken: its hash" in refused.err
    assert not (place / "other").exists()
    lines[0] = lines[0].replace(traded.parent.name, "../../outside")
    (place / "run.jsonl").write_text("".join(lines))
    refused = clawd("journal", "import", "run.jsonl")
    assert refused.code == 2
    assert "not the journal of a run" in refused.err


def test_a_broken_journal_is_exported_up_to_where_it_breaks(clawd: Clawd, traded: Path) -> None:
    with closing(sqlite3.connect(traded)) as connection:
        connection.execute("DROP TRIGGER journal_keeps")
        connection.execute("UPDATE journal SET ts = ts + 1 WHERE seq = 5")
        connection.commit()
    done = clawd("journal", "export")
    assert done.code == 2
    assert "entry 5 is broken" in done.err
    assert len(done.out.splitlines()) == 4
    backup = clawd("journal", "backup", "copy.sqlite")
    assert backup.code == 2
    assert "entry 5 is broken" in backup.err
    assert not Path("copy.sqlite").exists()


@pytest.fixture(params=["file", "server"])
def elsewhere(request: pytest.FixtureRequest) -> str:
    """A place for a journal outside the home."""
    if request.param == "file":
        return "elsewhere/journal.sqlite"
    return f"{request.getfixturevalue('server')}?journal=up"


def test_a_run_lies_where_its_journal_is_named(
    clawd: Clawd, place: Path, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = clawd(*LINE, "--journal", elsewhere)
    assert (done.code, done.err) == (0, "")
    paper = next(line for line in map(json.loads, done.out.splitlines()) if line["stage"] == "paper")
    assert paper["journal"].endswith(elsewhere)
    assert not journals(place / "home")
    exported = clawd("journal", "export", "--journal", elsewhere).out
    again = clawd(*LINE, "--journal", elsewhere)
    paper = next(line for line in map(json.loads, again.out.splitlines()) if line["stage"] == "paper")
    assert paper["resumed_bars"] == 160
    assert again.out.splitlines()[-1] == done.out.splitlines()[-1]
    assert clawd("journal", "export", "--journal", elsewhere).out == exported
    verified = clawd("journal", "verify", "--journal", elsewhere)
    assert (verified.code, verified.err) == (0, "")
    assert "every book adds up" in verified.out
    # The same run in the same kind of home comes to the same entries, wherever they lie.
    monkeypatch.setenv("CLAWD_HOME", str(place / "other"))
    assert clawd(*LINE).code == 0
    assert clawd("journal", "export").out == exported
    refused = clawd(*LINE, "--capital", "77", "--journal", elsewhere)
    assert refused.code == 2
    assert "this journal belongs to run" in refused.err
    assert clawd("journal", "export", "--journal", elsewhere).out == exported


@pytest.mark.parametrize("direction", ["to the server", "from the server"])
def test_from_one_database_to_the_other_and_back(clawd: Clawd, place: Path, server: str, direction: str) -> None:
    file, url = "one.sqlite", f"{server}?journal={direction.replace(' ', '-')}"
    first, other = (file, url) if direction == "to the server" else (url, file)
    with open_journal(first) as journal:
        journal.append([(i, "OrderFilled", {"size": f"-{i}.5", "note": "ü\0✓\u2028"}) for i in range(1, 9)])
        head = journal.head
    export = clawd("journal", "export", "--journal", first)
    assert export.code == 0
    assert export.out.isascii()
    assert head[1] in export.err
    (place / "a.jsonl").write_text(export.out)
    taken = clawd("journal", "import", "a.jsonl", "--journal", other)
    assert (taken.code, taken.err) == (0, "")
    assert taken.out.startswith("8 entries, chain unbroken, are now in ")
    assert clawd("journal", "import", "a.jsonl", "--journal", other).code == 2
    copied = clawd("journal", "backup", "b.copy", "--journal", other)
    assert (copied.code, copied.err) == (0, "")
    assert head[1] in copied.out
    assert clawd("journal", "export", "--journal", other) == export
    if other == url:
        assert (place / "b.copy").read_text() == export.out
    with open_journal(other, read_only=True) as journal:
        assert journal.verify_chain(head) == 8
    shown = clawd("journal", "show", "--journal", other, "--last", "1").out
    assert json.loads(shown)["size"] == "-8.5"
    rows = clawd("journal", "export", "--csv", "--journal", other).out.splitlines()
    assert len(rows) == 9
    assert ",sell,8.5," in rows[-1]
