"""Layout 1, of clawd 0.1: the entries and what guards them."""

from __future__ import annotations

from alembic import op

from clawd.store.journal_layout import LAYOUTS

revision = "0001"
down_revision = None


def upgrade() -> None:
    for statement in LAYOUTS[op.get_bind().dialect.name][0]:
        op.get_bind().exec_driver_sql(statement)
