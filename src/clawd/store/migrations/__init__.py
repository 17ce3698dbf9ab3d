"""Bringing a journal of an older layout up to date, with Alembic.

Alembic and SQLAlchemy take a third of a second to import, so nothing imports them until a journal is found that is
behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clawd.store.journal_layout import revision


def upgrade(database: str, connect: Callable[[], Any], layout: int) -> None:
    """Bring a journal from a layout to the current one, in one transaction.

    Two processes must not do this to one journal at once: the caller holds its lock.

    Args:
        database: ``sqlite`` or ``postgresql``.
        connect: opens a connection of its own; SQLite's in autocommit.
        layout: what the journal has now.
    """
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine, inspect  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    dialect = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}[database]
    engine = create_engine(f"{dialect}://", creator=connect, poolclass=NullPool)
    with engine.begin() as connection:
        if database == "sqlite":
            # SQLAlchemy leaves the beginning to the driver, and the driver would begin after the first CREATE.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        config = Config()
        config.set_main_option("script_location", "clawd.store:migrations")
        config.attributes["connection"] = connection
        if not inspect(connection).has_table("alembic_version"):
            command.stamp(config, revision(layout))  # version 0.1 of clawd did not note it
        command.upgrade(config, "head")
