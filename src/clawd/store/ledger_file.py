"""The file in which trials, hypotheses and everything that was looked at are kept; nothing in it is ever taken back.

Layout 1 had the trials alone. Layout 2 adds their lineage and segments, and the registry.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from clawd.store.database import Schema, connect, lay_out
from clawd.store.lock import take_lock

_TRIALS = (
    """
    CREATE TABLE trials(
        id INTEGER PRIMARY KEY,
        content_hash TEXT NOT NULL,
        family_hash TEXT NOT NULL,
        data_fingerprint TEXT NOT NULL,
        first_ts INTEGER NOT NULL,
        last_ts INTEGER NOT NULL,
        fee REAL NOT NULL,
        slippage REAL NOT NULL,
        author TEXT NOT NULL,
        name TEXT NOT NULL,
        recorded_at INTEGER NOT NULL,
        code_version TEXT NOT NULL,
        bars INTEGER NOT NULL,
        trades INTEGER NOT NULL,
        sharpe REAL,
        mean REAL,
        sd REAL,
        skew REAL,
        kurtosis REAL,
        total_return REAL,
        max_drawdown REAL,
        turnover REAL,
        extra TEXT NOT NULL,
        looks INTEGER NOT NULL,
        UNIQUE(content_hash, data_fingerprint, first_ts, last_ts, fee, slippage)
    )
    """,
    "CREATE INDEX trials_of_family ON trials(family_hash, content_hash)",
    """
    CREATE TRIGGER trials_stay BEFORE DELETE ON trials
    BEGIN SELECT RAISE(ABORT, 'what was tried stays counted'); END
    """,
)


def _kept(table: str, same: str, why: str, *, updates: bool = True) -> tuple[str, ...]:
    """Triggers that let a table only grow.

    INSERT OR REPLACE deletes without firing the DELETE trigger, so a row that is there is refused before.

    Args:
        table: its name.
        same: when a row of the table is the one to be inserted, in terms of NEW.
        why: the message.
        updates: whether updates are refused here too.
    """
    refused = f"BEGIN SELECT RAISE(ABORT, '{why}'); END"
    triggers = (
        f"CREATE TRIGGER {table}_once BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
        f"{refused}",
        f"CREATE TRIGGER {table}_hold BEFORE DELETE ON {table} {refused}",
        f"CREATE TRIGGER {table}_keep BEFORE UPDATE ON {table} {refused}",
    )
    return triggers if updates else triggers[:2]


_LINEAGE = (
    "ALTER TABLE trials ADD COLUMN exposure REAL",
    "ALTER TABLE trials ADD COLUMN net_exposure REAL",
    "ALTER TABLE trials ADD COLUMN capital REAL",
    "ALTER TABLE trials ADD COLUMN run TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE trials ADD COLUMN seed INTEGER",
    "ALTER TABLE trials ADD COLUMN parents TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE trials ADD COLUMN origin TEXT NOT NULL DEFAULT ''",
    "CREATE INDEX trials_of_run ON trials(run) WHERE run <> ''",
    "DROP TRIGGER trials_stay",
    *_kept(
        "trials",
        "content_hash = NEW.content_hash AND data_fingerprint = NEW.data_fingerprint AND first_ts = NEW.first_ts"
        " AND last_ts = NEW.last_ts AND fee = NEW.fee AND slippage = NEW.slippage OR id = NEW.id",
        "what was tried stays counted",
        updates=False,
    ),
    # Of a trial only the looks at it grow.
    """
    CREATE TRIGGER trials_keep BEFORE UPDATE ON trials
    WHEN NEW.looks < OLD.looks OR
        (NEW.id, NEW.content_hash, NEW.family_hash, NEW.data_fingerprint, NEW.first_ts, NEW.last_ts, NEW.fee,
            NEW.slippage, NEW.author, NEW.name, NEW.recorded_at, NEW.code_version, NEW.bars, NEW.trades, NEW.sharpe,
            NEW.mean, NEW.sd, NEW.skew, NEW.kurtosis, NEW.total_return, NEW.max_drawdown, NEW.turnover, NEW.exposure,
            NEW.net_exposure, NEW.capital, NEW.run, NEW.seed, NEW.parents, NEW.origin, NEW.extra)
        IS NOT
        (OLD.id, OLD.content_hash, OLD.family_hash, OLD.data_fingerprint, OLD.first_ts, OLD.last_ts, OLD.fee,
            OLD.slippage, OLD.author, OLD.name, OLD.recorded_at, OLD.code_version, OLD.bars, OLD.trades, OLD.sharpe,
            OLD.mean, OLD.sd, OLD.skew, OLD.kurtosis, OLD.total_return, OLD.max_drawdown, OLD.turnover, OLD.exposure,
            OLD.net_exposure, OLD.capital, OLD.run, OLD.seed, OLD.parents, OLD.origin, OLD.extra)
    BEGIN SELECT RAISE(ABORT, 'what was tried stays as it was recorded'); END
    """,
    "CREATE TABLE strategies(content_hash TEXT PRIMARY KEY, program TEXT NOT NULL) WITHOUT ROWID",
    *_kept("strategies", "content_hash = NEW.content_hash", "a strategy stays as it was recorded"),
    "CREATE TABLE segments(trial INTEGER PRIMARY KEY REFERENCES trials(id), data BLOB NOT NULL)",
    *_kept("segments", "trial = NEW.trial", "what was tried stays as it was recorded"),
)

_REGISTRY = (
    """
    CREATE TABLE hypotheses(
        number INTEGER PRIMARY KEY,
        content_hash TEXT NOT NULL,
        name TEXT NOT NULL,
        author TEXT NOT NULL,
        market TEXT NOT NULL,
        fee REAL NOT NULL,
        slippage REAL NOT NULL,
        registered_at INTEGER NOT NULL,
        promotions_before INTEGER NOT NULL,
        wealth_to_reach REAL NOT NULL,
        counts_from INTEGER NOT NULL,
        run TEXT NOT NULL,
        UNIQUE(content_hash, market, fee, slippage)
    )
    """,
    *_kept(
        "hypotheses",
        "content_hash = NEW.content_hash AND market = NEW.market AND fee = NEW.fee AND slippage = NEW.slippage",
        "a hypothesis is registered once and stays registered",
    ),
    """
    CREATE TRIGGER hypotheses_count BEFORE INSERT ON hypotheses
    WHEN NEW.number IS NOT (SELECT COALESCE(MAX(number), 0) + 1 FROM hypotheses)
        OR NEW.promotions_before IS NOT (SELECT COUNT(*) FROM promotions)
    BEGIN SELECT RAISE(ABORT, 'hypotheses are numbered in the order in which they are registered'); END
    """,
    "CREATE TABLE promotions(number INTEGER PRIMARY KEY REFERENCES hypotheses(number), at INTEGER NOT NULL)",
    *_kept("promotions", "number = NEW.number", "a promotion stays counted"),
    """
    CREATE TABLE bets(
        number INTEGER NOT NULL REFERENCES hypotheses(number),
        ts INTEGER NOT NULL,
        net_return REAL NOT NULL,
        bound REAL NOT NULL,
        state TEXT,
        PRIMARY KEY(number, ts)
    ) WITHOUT ROWID
    """,
    *_kept("bets", "number = NEW.number AND ts >= NEW.ts", "bars are bet on once and in their order"),
    """
    CREATE TRIGGER bets_count BEFORE INSERT ON bets
    WHEN NEW.ts < (SELECT counts_from FROM hypotheses WHERE number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'bars before the first that counts are not bet on'); END
    """,
    """
    CREATE TABLE seals(
        id INTEGER PRIMARY KEY,
        symbols TEXT NOT NULL,
        selection_from INTEGER NOT NULL,
        vault_from INTEGER NOT NULL,
        until INTEGER NOT NULL,
        at INTEGER NOT NULL,
        run TEXT NOT NULL
    )
    """,
    *_kept("seals", "id = NEW.id", "a seal stays"),
    """
    CREATE TABLE looks(
        id INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        content_hash TEXT NOT NULL,
        market TEXT NOT NULL,
        first_ts INTEGER NOT NULL,
        last_ts INTEGER NOT NULL,
        run TEXT NOT NULL,
        at INTEGER NOT NULL
    )
    """,
    "CREATE INDEX looks_at ON looks(content_hash, market, kind)",
    *_kept(
        "looks",
        "id = NEW.id OR NEW.kind = 'vault' AND kind = 'vault' AND content_hash = NEW.content_hash"
        " AND market = NEW.market",
        "a look stays counted, and the vault is looked into once",
    ),
    """
    CREATE TABLE shows(
        author TEXT NOT NULL,
        symbol TEXT NOT NULL,
        until INTEGER NOT NULL,
        at INTEGER NOT NULL,
        why TEXT NOT NULL,
        PRIMARY KEY(author, symbol, until)
    ) WITHOUT ROWID
    """,
    *_kept("shows", "author = NEW.author AND symbol = NEW.symbol AND until = NEW.until", "what was shown stays shown"),
)

SCHEMA: Final = Schema(
    noun="trial ledger",
    application_id=0x434C544C,  # "CLTL"
    statements=_TRIALS,
    migrations=((*_LINEAGE, *_REGISTRY),),
)


def ledger_path(home: Path) -> Path:
    """Where the ledger lies in a home folder."""
    return home / "ledger.sqlite"


def open_ledger_file(path: Path) -> sqlite3.Connection:
    """Open the file for reading and writing, creating what is missing and bringing an old layout up to date.

    Raises:
        ClawdError: when the file is not a ledger, is newer than this program, or cannot be opened.
    """
    connection = connect(path, SCHEMA)
    try:
        # Held for the moment of laying out only: from then on SQLite orders the writers.
        with take_lock(path, SCHEMA.noun, wait=True):
            lay_out(connection, path, SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection
