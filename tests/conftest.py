"""What tests of every folder may need."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture
def interruptible() -> Iterator[None]:
    """The programs that a test starts hear Ctrl-C, also where a shell has started the tests in the background.

    Such a shell lets what it starts ignore it, and what ignores a signal hands that down.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
