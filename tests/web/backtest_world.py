"""What the tests of backtests share: strategies, and a client that waits for what it has asked for."""

from __future__ import annotations

import io
import json
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import httpx2
import pytest

from clawd.cli.main import run

CROSS = """\
name = "Cross"
[let]
fast = "ema(close, {fast})"
slow = "ema(close, 60)"
[position]
target = "long_short(sign(fast - slow))"
[exits]
stop = {{ percent = 8 }}
trail = {{ percent = 6 }}
"""
#: Seconds within which anything on the sample market is done, on a machine that is busy.
PATIENCE = 60.0
ENDED = {"done", "failed", "cancelled", "interrupted"}


def ask(client: httpx2.Client, **order: Any) -> str:
    """Ask for a backtest, and give its id."""
    answer = client.post("/api/backtests", json={"text": CROSS.format(fast=20), **order})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def seen(client: httpx2.Client, run_id: str) -> dict[str, Any]:
    answer = client.get(f"/api/backtests/{run_id}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ended(client: httpx2.Client, run_id: str) -> dict[str, Any]:
    """Wait for the end of a backtest."""
    deadline = time.monotonic() + PATIENCE
    while (found := seen(client, run_id))["state"] not in ENDED:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def done(client: httpx2.Client, **order: Any) -> dict[str, Any]:
    """A backtest that is done."""
    found = ended(client, ask(client, **order))
    assert found["state"] == "done", found
    return found


def on_command_line(home: Path, text: str, *options: str) -> dict[str, Any]:
    """What `clawd backtest --json` says of the same, in a home of its own."""
    home.mkdir(exist_ok=True)
    (home / "strategy.toml").write_text(text)
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), pytest.raises(SystemExit) as end:
        patch.setenv("CLAWD_HOME", str(home))
        patch.setattr(sys, "argv", ["clawd", "backtest", str(home / "strategy.toml"), "--json", *options])
        run()
    assert not end.value.code, printed.getvalue()
    (found,) = json.loads(printed.getvalue())
    return dict(found)
