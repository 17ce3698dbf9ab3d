"""What tests of every folder may need."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

import postgres_server


@pytest.fixture
def interruptible() -> Iterator[None]:
    """The programs that a test starts hear Ctrl-C, also where a shell has started the tests in the background.

    Such a shell lets what it starts ignore it, and what ignores a signal hands that down.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL database without the name of a journal."""
    pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    programs = postgres_server.programs()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    with postgres_server.running(programs) as started:
        yield started.url
