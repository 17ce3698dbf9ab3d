"""What all tests share: the engine is compiled before the first of them, so none waits for it in its own time."""

from __future__ import annotations

import pytest

from clawd.engine.warm import warm_up


@pytest.fixture(scope="session", autouse=True)
def _compiled_engine() -> None:
    warm_up()
