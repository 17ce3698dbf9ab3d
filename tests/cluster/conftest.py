"""Workers' marks, and leave for workers to import what these tests define."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cluster_worlds import HERE, SOURCES


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which workers leave marks."""
    folder = tmp_path / "marks"
    folder.mkdir()
    monkeypatch.setenv("CLAWD_TEST_MARKS", str(folder))
    return folder


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that are started find clawd and these tests."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(SOURCES), str(HERE))))
