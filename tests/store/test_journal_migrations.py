"""Journals of older layouts are read as they are, and brought up to date in place when they are written to."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from clawd.core.errors import ClawdError
from clawd.store.journal import open_journal
from clawd.store.journal_layout import CURRENT, LAYOUTS, STAMP, revision

HEAD = (5, "8a29b808fad7c13069535813c52133ab62b82eedb0aeb4dec7d7d6fdfcf7e166")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The file that clawd 0.1 wrote."""
    path = tmp_path / "journal.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(Path(__file__).with_name("journal_of_0_1.sql").read_text(encoding="utf-8"))
    return path


def shape(path: Path) -> set[tuple[str, str, str]]:
    """Everything that is in a file but its rows."""
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT type, name, COALESCE(sql, '') FROM sqlite_master").fetchall()
        numbers = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        stamp = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return {(kind, name, "".join(text.split())) for kind, name, text in rows} | {("numbers", str(numbers), str(stamp))}


def test_a_reader_takes_an_old_journal_as_it_is(old: Path) -> None:
    before = old.read_bytes()
    with open_journal(old, read_only=True) as journal:
        assert journal.head == HEAD
        assert journal.verify_chain(HEAD) == 5
        assert [entry.kind for entry in journal.entries()] == ["OrderFilled"] * 4 + ["BooksMarked"]
        assert journal.latest_snapshot("books", "1") is None
    assert old.read_bytes() == before


def test_a_writer_brings_it_up_to_date_and_the_chain_goes_on(old: Path, tmp_path: Path) -> None:
    with open_journal(old) as journal:
        assert journal.verify_chain(HEAD) == 5
        journal.append([(1, "fill", {})])
        journal.keep_snapshot(*HEAD, "books", "1", b"state")
    with open_journal(old) as journal:
        assert journal.verify_chain(HEAD) == 6
        found = journal.latest_snapshot("books", "1")
        assert found is not None
        assert found.body == b"state"
    open_journal(tmp_path / "new.sqlite").close()
    assert shape(old) == shape(tmp_path / "new.sqlite")
    assert str([0x434C4A4C, CURRENT]) in {name for _, name, _ in shape(old)}


def test_alembic_is_imported_for_that_and_for_nothing_else(old: Path) -> None:
    program = """
import sys
from clawd.store.journal import open_journal
with open_journal(sys.argv[1]) as journal:
    assert journal.verify_chain() == 5
print("alembic" in sys.modules, "sqlalchemy" in sys.modules)
"""
    said = [
        subprocess.run([sys.executable, "-c", program, str(old)], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert said == ["True True\n", "False False\n"]


def test_an_upgrade_that_fails_leaves_the_journal_as_it_was(old: Path) -> None:
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("CREATE TABLE snapshots(mine INTEGER)")
        connection.commit()
    with pytest.raises(ClawdError, match="cannot be brought up to date: table snapshots already exists"):
        open_journal(old)
    with closing(sqlite3.connect(old)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        assert not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchall()
        connection.execute("DROP TABLE snapshots")
        connection.commit()
    with open_journal(old) as journal:
        assert journal.verify_chain(HEAD) == 5


def test_an_old_journal_in_postgres_is_brought_up_to_date(
    url: str, behind: Callable[..., list[tuple[object, ...]]]
) -> None:
    import psycopg  # noqa: PLC0415

    with open_journal(url) as journal:
        journal.append([(1, "fill", {})])
        head = journal.head
    fresh = behind(url, _SHAPE)
    behind(url, "DROP TABLE snapshots", "UPDATE alembic_version SET version_num = '0001'")
    with open_journal(url, read_only=True) as journal:
        assert journal.verify_chain(head) == 1
        assert journal.latest_snapshot("books", "1") is None
    with open_journal(url) as journal:
        assert journal.verify_chain(head) == 1
        journal.keep_snapshot(*head, "books", "1", b"state")
        assert journal.latest_snapshot("books", "1") is not None
        assert journal.append([(2, "fill", {})])[0].seq == 2
    assert behind(url, _SHAPE) == fresh
    assert behind(url, "SELECT version_num FROM alembic_version") == [(revision(CURRENT),)]
    with pytest.raises(psycopg.errors.RaiseException):
        behind(url, "TRUNCATE journal", guards=True)


def test_a_newer_journal_in_postgres_is_refused(url: str, behind: Callable[..., list[tuple[object, ...]]]) -> None:
    open_journal(url).close()
    behind(url, "UPDATE alembic_version SET version_num = '0099'")
    for read_only in (False, True):
        with pytest.raises(ClawdError, match=r"layout 0099.*up to 2.*newer clawd"):
            open_journal(url, read_only=read_only)
    assert behind(url, "SELECT version_num FROM alembic_version") == [("0099",)]


def test_the_revisions_are_the_layouts() -> None:
    config = Config()
    config.set_main_option("script_location", "clawd.store:migrations")
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [revision(CURRENT)]
    assert [each.revision for each in script.walk_revisions()] == [revision(n) for n in range(CURRENT, 0, -1)]
    assert {name: len(layouts) for name, layouts in LAYOUTS.items()} == {"sqlite": CURRENT, "postgresql": CURRENT}
    assert revision(CURRENT) in STAMP[-1]


_SHAPE = """
    SELECT 'column', table_name, column_name, data_type, is_nullable FROM information_schema.columns
        WHERE table_schema = current_schema()
    UNION SELECT 'trigger', event_object_table, trigger_name, event_manipulation, action_timing
        FROM information_schema.triggers WHERE trigger_schema = current_schema()
    UNION SELECT 'constraint', table_name, constraint_name, constraint_type, ''
        FROM information_schema.table_constraints WHERE table_schema = current_schema() AND constraint_type <> 'CHECK'
    ORDER BY 1, 2, 3, 4
"""
