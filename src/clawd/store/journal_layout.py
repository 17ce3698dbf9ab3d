"""How a journal is laid out in SQLite and in PostgreSQL, layout after layout.

What is written here of an old layout stays as it is: a new journal goes through all of them, and one that was made by
an older clawd through those that it lacks, which is what the Alembic revisions in ``migrations`` do. Layout 1 is the
entries and what guards them; layout 2 adds the snapshots.
"""

from __future__ import annotations

from typing import Final

_SQLITE_ENTRIES: Final = (
    """
        CREATE TABLE journal(
            seq INTEGER PRIMARY KEY,
            ts INTEGER NOT NULL,
            kind TEXT NOT NULL,
            body TEXT NOT NULL,
            hash TEXT NOT NULL
        )
        """,
    """
        CREATE TRIGGER journal_keeps BEFORE UPDATE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
        """,
    """
        CREATE TRIGGER journal_holds BEFORE DELETE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
        """,
    # INSERT OR REPLACE deletes without firing the DELETE trigger.
    """
        CREATE TRIGGER journal_grows BEFORE INSERT ON journal
        WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM journal)
        BEGIN SELECT RAISE(ABORT, 'the journal grows at its end only'); END
        """,
)

_SQLITE_SNAPSHOTS: Final = (
    """
    CREATE TABLE snapshots(
        fold TEXT NOT NULL,
        version TEXT NOT NULL,
        seq INTEGER NOT NULL,
        hash TEXT NOT NULL,
        digest TEXT NOT NULL,
        body BLOB NOT NULL,
        PRIMARY KEY(fold, version, seq)
    )
    """,
)

_POSTGRES_ENTRIES: Final = (
    """
    CREATE TABLE journal(
        seq bigint PRIMARY KEY,
        ts bigint NOT NULL,
        kind text NOT NULL,
        body text NOT NULL,
        hash text NOT NULL
    )
    """,
    """
    CREATE FUNCTION journal_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$
    """,
    """
    CREATE TRIGGER journal_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION journal_refuses()
    """,
    # It looks into the table that it guards, whatever the search path of the session is.
    """
    CREATE FUNCTION journal_continues() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        IF NEW.seq IS DISTINCT FROM (SELECT COALESCE(MAX(seq), 0) + 1 FROM journal) THEN
            RAISE EXCEPTION 'the journal grows at its end only';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE TRIGGER journal_grows BEFORE INSERT ON journal
    FOR EACH ROW EXECUTE FUNCTION journal_continues()
    """,
)

_POSTGRES_SNAPSHOTS: Final = (
    """
    CREATE TABLE snapshots(
        fold text NOT NULL,
        version text NOT NULL,
        seq bigint NOT NULL,
        hash text NOT NULL,
        digest text NOT NULL,
        body bytea NOT NULL,
        PRIMARY KEY(fold, version, seq)
    )
    """,
)

#: By database: the statements that make layout 1, those that make layout 2 of it, and so on.
LAYOUTS: Final = {
    "sqlite": (_SQLITE_ENTRIES, _SQLITE_SNAPSHOTS),
    "postgresql": (_POSTGRES_ENTRIES, _POSTGRES_SNAPSHOTS),
}

#: The layout of this version, and the first that has snapshots.
CURRENT: Final = 2
WITH_SNAPSHOTS: Final = 2


def revision(layout: int) -> str:
    """The Alembic revision that a layout is."""
    return f"{layout:04d}"


#: What marks a new journal, in either database, as Alembic would have marked it.
STAMP: Final = (
    """
    CREATE TABLE alembic_version(
        version_num VARCHAR(32) NOT NULL,
        CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
    )
    """,
    f"INSERT INTO alembic_version VALUES ('{revision(CURRENT)}')",
)
