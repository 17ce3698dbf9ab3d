"""Where journals of the tests lie: in a file, and in a real PostgreSQL server."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

_numbers = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Path | str]:
    """Each call gives another place for a journal that does not exist yet, in one of the two databases."""
    if request.param == "sqlite":
        return lambda: tmp_path / f"journal{next(_numbers)}.db"
    url = request.getfixturevalue("server")
    return lambda: f"{url}?journal=t{next(_numbers)}"


@pytest.fixture
def where(new_place: Callable[[], Path | str]) -> Path | str:
    """A place for one journal."""
    return new_place()


@pytest.fixture
def url(server: str) -> str:
    """A place for one journal, in PostgreSQL."""
    return f"{server}?journal=t{next(_numbers)}"


@pytest.fixture
def behind() -> Callable[..., list[tuple[object, ...]]]:
    """Change a journal in PostgreSQL behind its back: statements run with its guards taken down."""
    import psycopg  # noqa: PLC0415

    def change(url: str, *statements: str, guards: bool = False) -> list[tuple[object, ...]]:
        server, _, name = url.partition("?journal=")
        rows: list[tuple[object, ...]] = []
        with closing(psycopg.connect(server, autocommit=True)) as connection:
            connection.execute(f'SET search_path = "journal_{name}"'.encode())
            if not guards:
                connection.execute("ALTER TABLE journal DISABLE TRIGGER USER")
            for statement in statements:
                cursor = connection.execute(statement.encode())
                rows = cursor.fetchall() if cursor.description else []
            if not guards:
                connection.execute("ALTER TABLE journal ENABLE TRIGGER USER")
        return rows

    return change
