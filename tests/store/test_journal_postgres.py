"""The journal in PostgreSQL: guarded, tampered with, cut off from its server, and one among others."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from cut_proxy import proxied

import postgres_server
from clawd.core.errors import ClawdError
from clawd.store.journal import Journal, open_journal

psycopg = pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")

Behind = Callable[..., list[tuple[object, ...]]]


def filled(url: str, count: int = 6) -> tuple[int, str]:
    with open_journal(url) as journal:
        journal.append([(1_000 + i, "fill", {"price": f"{100 + i}.5", "note": "bought ✓"}) for i in range(count)])
        return journal.head


def verified(url: str, expected_head: tuple[int, str] | None = None) -> int:
    with open_journal(url, read_only=True) as journal:
        return journal.verify_chain(expected_head)


def cut(journal: Journal, url: str) -> None:
    """End the writer's session, as an administrator or a broken network would, and wait until it is gone."""
    session = journal._storage._session  # type: ignore[attr-defined]
    with closing(psycopg.connect(url.partition("?")[0], autocommit=True)) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 10000)", (session,))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET body = '{}' WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 6",
        "DELETE FROM journal",
        "TRUNCATE journal",
        "INSERT INTO journal VALUES (6, 0, 'fill', '{}', 'x') ON CONFLICT (seq) DO UPDATE SET body = '{}'",
        "INSERT INTO journal VALUES (2, 0, 'fill', '{}', 'x')",
        "INSERT INTO journal VALUES (0, 0, 'fill', '{}', 'x')",
        "INSERT INTO journal VALUES (9, 0, 'fill', '{}', 'x')",
        "INSERT INTO journal VALUES (7, 0, 'fill', '{}', 'x'), (9, 0, 'fill', '{}', 'x')",
    ],
)
def test_postgres_itself_refuses_to_change_the_past(url: str, behind: Behind, statement: str) -> None:
    head = filled(url)
    with pytest.raises(psycopg.errors.RaiseException, match="the journal"):
        behind(url, statement, guards=True)
    assert verified(url, head) == 6


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE journal SET ts = ts + 1 WHERE seq = 3", "entry 3 is broken: its hash"),
        ("UPDATE journal SET kind = 'fil1' WHERE seq = 1", "entry 1 is broken: its hash"),
        ("UPDATE journal SET body = replace(body, '105', '106') WHERE seq = 6", "entry 6 is broken: its hash"),
        ("UPDATE journal SET hash = upper(hash) WHERE seq = 3", "entry 3 is broken: its hash"),
        ("UPDATE journal SET hash = (SELECT hash FROM journal WHERE seq = 2) WHERE seq = 3", "entry 3 is broken"),
        ("UPDATE journal SET seq = 7 WHERE seq = 6", "entry 6 is broken: it is missing, 7 comes next"),
        ("UPDATE journal SET seq = 0 WHERE seq = 1", "entry 0 is broken: it stands before the first"),
        ("DELETE FROM journal WHERE seq = 3", "entry 3 is broken: it is missing, 4 comes next"),
        ("INSERT INTO journal SELECT 7, ts, kind, body, hash FROM journal WHERE seq = 6", "entry 7 is broken"),
        ("ALTER TABLE journal ALTER COLUMN ts TYPE numeric", "entry 1 is broken: its columns are numeric text"),
        ("ALTER TABLE journal ALTER COLUMN body TYPE bytea USING convert_to(body, 'UTF8')", "its columns are bigint"),
        (
            "ALTER TABLE journal ALTER COLUMN kind DROP NOT NULL; UPDATE journal SET kind = NULL",
            "its columns are.*null",
        ),
        (
            "ALTER TABLE journal DROP CONSTRAINT journal_pkey; INSERT INTO journal SELECT * FROM journal WHERE seq = 3",
            "entry 4 is broken: it is missing, 3 comes next",
        ),
    ],
)
def test_tampering_names_the_first_broken_row(url: str, behind: Behind, statement: str, message: str) -> None:
    filled(url)
    behind(url, *statement.split("; "))
    with pytest.raises(ClawdError, match=message):
        verified(url)
    with open_journal(url, read_only=True) as journal, pytest.raises(ClawdError, match=r"entry \d is broken"):
        list(journal.entries())


def test_a_tail_cut_off_shows_only_against_a_known_head(url: str, behind: Behind) -> None:
    head = filled(url)
    behind(url, "DELETE FROM journal WHERE seq > 4")
    assert verified(url) == 4
    with pytest.raises(ClawdError, match="entry 5 is broken: it is missing, and entry 6 was noted"):
        verified(url, head)


def test_damage_on_the_disk_of_the_server_is_a_message_and_not_a_crash(url: str, behind: Behind) -> None:
    filled(url)
    behind(
        url,
        "ALTER TABLE journal RENAME TO kept",
        "CREATE FUNCTION rot(bigint, text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN"
        " IF $1 = 4 THEN RAISE EXCEPTION 'invalid page in block 7' USING ERRCODE = 'XX001'; END IF; RETURN $2; END $$",
        "CREATE VIEW journal AS SELECT seq, ts, kind, rot(seq, body) AS body, hash FROM kept",
        guards=True,
    )
    with pytest.raises(ClawdError, match=r"entry \d is broken: it cannot be read: invalid page in block 7, here or"):
        verified(url)
    with open_journal(url, read_only=True) as journal, pytest.raises(ClawdError, match="invalid page in block 7"):
        list(journal.entries())


def test_an_append_reads_the_end_of_a_journal_and_not_all_of_it(url: str) -> None:
    """By the server's own count of rows read in sequence, the guards' included."""
    with open_journal(url) as journal:
        journal.append([(i, "fill", {"text": "x" * 50}) for i in range(5_000)])
        connection = journal._storage._connection  # type: ignore[attr-defined]
        with connection.transaction():
            journal.append([(i, "fill", {}) for i in range(20)])
            (read,) = connection.execute(
                "SELECT seq_tup_read FROM pg_stat_xact_user_tables"
                " WHERE schemaname = current_schema() AND relname = 'journal'"
            ).fetchone()
        assert read == 0
        assert journal.head[0] == 5_020


# The right to write


def test_a_writer_whose_connection_was_cut_never_writes_again(url: str) -> None:
    head = filled(url)
    journal = open_journal(url)
    with closing(journal):
        first = journal.append([(1, "fill", {})])
        cut(journal, url)
        for _ in range(3):
            with pytest.raises(ClawdError, match=r"the right to write.*open the journal anew"):
                journal.append([(2, "lost", {})])
            with pytest.raises(ClawdError, match=r"the right to write|connection"):
                journal.keep_snapshot(first[0].seq, first[0].hash, "books", "1", b"")
        with open_journal(url) as second:
            assert second.head == (7, first[0].hash)
            second.append([(3, "found", {})])
            with pytest.raises(ClawdError, match="the right to write"):
                journal.append([(4, "lost", {})])
            assert [entry.kind for entry in second.entries(after=6)] == ["fill", "found"]
    assert verified(url, head) == 8


def test_a_connection_cut_within_a_batch_leaves_nothing_of_it(url: str) -> None:
    head = filled(url)
    with open_journal(url) as journal:
        records = [(i, "fill", {"i": i}) for i in range(50)]
        real = journal._storage.add

        def add(build):  # type: ignore[no-untyped-def]
            def chained(seq, digest):  # type: ignore[no-untyped-def]
                for row in build(seq, digest):
                    if row[0] == head[0] + 25:
                        cut(journal, url)
                    yield row

            real(chained)

        journal._storage.add = add  # type: ignore[method-assign]
        with pytest.raises(ClawdError, match="the right to write"):
            journal.append(records)
    assert verified(url, head) == 6


@pytest.mark.parametrize(("moment", "there"), [("before", 1), ("after", 4)])
def test_a_connection_lost_at_the_commit_leaves_a_whole_batch_or_none_and_a_writer_that_knows_it_does_not_know(
    url: str, moment: str, there: int
) -> None:
    with proxied(url) as (proxy, through), open_journal(through) as journal:
        journal.append([(0, "first", {})])
        proxy.cut = moment
        with pytest.raises(ClawdError, match=r"the right to write.*look at its head before anything"):
            journal.append([(i, "batch", {}) for i in range(3)])
        proxy.cut = None
        with pytest.raises(ClawdError, match="the right to write"):
            journal.append([(9, "again", {})])
        with reopened(url) as second:
            assert second.head[0] == second.verify_chain() == there


def reopened(url: str) -> Journal:
    """Open for writing; a server may take a moment to notice that a writer is gone."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return open_journal(url)
        except ClawdError as error:
            if "is writing" not in error.what or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def test_another_session_that_answers_is_not_the_writer(url: str) -> None:
    """What a pooler of transactions does: the lock is held by one session, and another is written to."""
    head = filled(url)
    with open_journal(url) as journal:
        journal._storage._session += 1  # type: ignore[attr-defined]
        with pytest.raises(ClawdError, match=r"not the session that has the right to write.*pooler"):
            journal.append([(1, "fill", {})])
    assert verified(url, head) == 6


def test_a_writer_whose_lock_was_taken_away_neither_forks_the_chain_nor_goes_on(url: str) -> None:
    filled(url)
    with open_journal(url) as first:
        first._storage._connection.execute("SELECT pg_advisory_unlock_all()")  # type: ignore[attr-defined]
        with open_journal(url) as second:
            second.append([(2, "fill", {})])
            with pytest.raises(ClawdError, match="somebody else has written"):
                first.append([(3, "fill", {})])
            second.append([(4, "fill", {})])
        assert first.verify_chain() == 8


def test_journals_of_one_database_do_not_disturb_each_other(server: str) -> None:
    with open_journal(f"{server}?journal=one") as one, open_journal(f"{server}?journal=another") as another:
        one.append([(1, "fill", {})])
        another.append([(2, "fill", {}), (3, "fill", {})])
        assert (one.head[0], another.head[0]) == (1, 2)
        assert one.where.endswith("?journal=one")


# Opening


def test_a_journal_that_is_not_there_is_refused_and_not_made(url: str, server: str) -> None:
    for _ in range(2):
        with pytest.raises(ClawdError, match="there is no journal here"):
            open_journal(url, read_only=True)


def test_the_password_is_shown_to_nobody(url: str) -> None:
    secret = url.replace("clawd@", "clawd:s3cret@")
    with open_journal(secret) as journal, pytest.raises(ClawdError) as refused:
        assert "s3cret" not in journal.where
        open_journal(secret)
    assert "s3cret" not in str(refused.value)
    with pytest.raises(ClawdError) as unreachable:
        open_journal("postgresql://clawd:s3cret@127.0.0.1:1/postgres")
    assert "s3cret" not in str(unreachable.value)
    assert "127.0.0.1:1" in str(unreachable.value)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://host/journal", "no journal can lie in mysql.*postgresql://"),
        ("postgresql+psycopg://host/journal", "no journal can lie in postgresql"),
        ("postgresql://host/db?journal=Upper", "cannot be the name of a journal"),
        ("postgresql://host/db?journal=", "cannot be the name of a journal"),
        ("postgresql://host/db?journal=a%20b", "cannot be the name of a journal"),
        ('postgresql://host/db?journal=a"b', "cannot be the name of a journal"),
        (f"postgresql://host/db?journal={'a' * 51}", "cannot be the name of a journal"),
        ("postgresql://host/db?journal=a&journal=b", "one journal has one name"),
        ("postgresql://host/db?nonsense=1", "not the URL of a database.*nonsense"),
        ("postgresql://clawd@127.0.0.1:1/db", "(?i)refused"),
    ],
)
def test_a_url_that_leads_nowhere_is_explained(url: str, message: str) -> None:
    with pytest.raises(ClawdError, match=message):
        open_journal(url)


def test_a_schema_of_somebody_else_is_left_alone(url: str, server: str) -> None:
    schema = f"journal_{url.partition('?journal=')[2]}"
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}"'.encode())
        connection.execute(f'CREATE TABLE "{schema}".journal(seq integer)'.encode())
    for read_only in (False, True):
        with pytest.raises(ClawdError, match="holds something else than a clawd journal"):
            open_journal(url, read_only=read_only)


def test_a_database_that_cannot_hold_every_text_is_refused(server: str) -> None:
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        connection.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    with pytest.raises(ClawdError, match=r"encoded in LATIN1.*createdb --encoding=UTF8"):
        open_journal(server.removesuffix("/postgres") + "/latin")


def test_durability_is_refused_where_the_server_cannot_give_it(url: str, server: str) -> None:
    with pytest.raises(ClawdError, match="fsync"):
        open_journal(url, durability="full")
    with closing(psycopg.connect(server, autocommit=True)) as connection:
        try:
            connection.execute("ALTER SYSTEM SET fsync = on")
            connection.execute("ALTER SYSTEM SET synchronous_commit = off")
            connection.execute("SELECT pg_reload_conf()")
            while connection.execute("SHOW fsync").fetchone() != ("on",):
                pass
            with open_journal(url, durability="full") as journal:
                journal.append([(1, "fill", {})])
                held = journal._storage._connection  # type: ignore[attr-defined]
                assert held.execute("SHOW synchronous_commit").fetchone() == ("on",)
        finally:
            connection.execute("ALTER SYSTEM RESET ALL")
            connection.execute("SELECT pg_reload_conf()")
    with open_journal(url) as journal:
        held = journal._storage._connection  # type: ignore[attr-defined]
        assert held.execute("SHOW synchronous_commit").fetchone() == ("off",)


CHILD = """
import sys
from clawd.store.journal import open_journal
with open_journal(sys.argv[1], durability="full") as journal:
    for i in range(1_000_000):
        last = journal.append([(i, "fill", {"of": 3})] * 3)[-1]
        print(last.seq, last.hash, flush=True)
"""


def test_a_server_that_crashes_keeps_what_was_appended_for_money() -> None:
    programs = postgres_server.programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    with postgres_server.running(programs, fsync=True) as server:
        command = [sys.executable, "-c", CHILD, server.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            reported = [child.stdout.readline() for _ in range(20)]
            server.stop(signal.SIGQUIT)
            out, err = child.communicate(timeout=60)
        assert child.returncode == 1
        assert "the right to write" in err
        seq, digest = [*reported, *out.splitlines()][-1].split()
        server.start()
        with open_journal(server.url, read_only=True) as journal:
            count = journal.verify_chain((int(seq), digest))
        assert count % 3 == 0
        assert count - int(seq) in {0, 3}  # the last batch may have been committed and not answered


def test_without_the_driver_a_url_says_what_to_install_and_a_file_needs_none(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["psycopg"] = None
from clawd.core.errors import ClawdError
from clawd.store.journal import open_journal
open_journal(sys.argv[1]).close()
assert not {"sqlalchemy", "alembic"} & set(sys.modules)
try:
    open_journal("postgresql://host/db")
except ClawdError as error:
    print(error)
"""
    command = [sys.executable, "-c", program, str(tmp_path / "journal.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "clawd-bot[postgres]" in done.stdout
