"""Layout 2: snapshots, so that a start need not fold every entry again."""

from __future__ import annotations

from alembic import op

from clawd.store.journal_layout import LAYOUTS

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    bind = op.get_bind()
    for statement in LAYOUTS[bind.dialect.name][1]:
        bind.exec_driver_sql(statement)
    if bind.dialect.name == "sqlite":
        bind.exec_driver_sql("PRAGMA user_version=2")  # by this older programs know that it is not for them
