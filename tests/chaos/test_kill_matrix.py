"""A sample of the kill matrix, with real processes and real kills. `make chaos` tries every point."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MATRIX = Path(__file__).with_name("kill_matrix.py")


def matrix(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(MATRIX), "--jobs", "2", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=1_800, check=False)


def test_a_kill_at_a_sample_of_points_loses_and_doubles_nothing() -> None:
    done = matrix("--every", "29")
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.startswith("points tried ") and ", failed 0 (" in last
    assert int(last.split()[2].strip(",")) >= 30, last


def test_a_second_kill_while_it_recovers_changes_nothing() -> None:
    done = matrix("--every", "61", "--twice")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.parametrize("words", [(), ("--twice",)])
def test_a_kill_at_every_point(words: tuple[str, ...]) -> None:
    done = matrix(*words)
    assert done.returncode == 0, done.stdout + done.stderr
