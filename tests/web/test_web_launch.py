"""`clawd up` with its pages, in processes of their own: served, stopped, killed on either side, begun anew."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
import pytest

import clawd as package
from clawd.core.errors import ClawdError
from clawd.engine.warm import warm_up
from clawd.fleet.run import journals, replay
from clawd.server.address import published
from clawd.store.journal import Entry, Journal
from clawd.store.lock import is_locked

_PATIENCE = 120.0
_START = 1_500_000_000 // 86_400 * 86_400


@pytest.fixture(scope="module", autouse=True)
def warm_engine() -> None:
    """What is started here has nothing to compile."""
    warm_up()


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """A folder with 600 daily bars of one instrument that swings for weeks, and a strategy that follows it."""
    moves = 0.012 * np.sin(np.arange(600) * 2 * np.pi / 60) + np.random.default_rng(1).normal(0.0005, 0.006, 600)
    closes = np.round(100 * np.exp(np.cumsum(moves)), 4)
    lines = ["ts,open,high,low,close,volume"]
    for index, (before, close) in enumerate(zip([closes[0], *closes[:-1]], closes, strict=True)):
        high, low = max(before, close) * 1.002, min(before, close) * 0.998
        lines.append(f"{_START + index * 86_400},{before},{high:.4f},{low:.4f},{close},50")
    (tmp_path / "market").mkdir()
    (tmp_path / "market" / "A.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "cross.toml").write_text(
        'name = "cross"\n[position]\ntarget = "long_short(sign(ema(close, 5) - ema(close, 20)))"\n'
        "[exits]\nstop = { percent = 10 }\n"
    )
    return tmp_path / "market"


@dataclass(frozen=True)
class Up:
    """A `clawd up` at work."""

    process: subprocess.Popen[str]
    home: Path

    @property
    def fleet_pid(self) -> int:
        """Of the process that trades: the child of the one that serves."""
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return int(listed.stdout.split()[0])

    def bars(self) -> int:
        """Bars in the journal."""
        return sum(entry.kind == "BarClosed" for entry in entries(self.home))

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Send it a signal and wait for its end."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=_PATIENCE)
        return self.process.returncode, out, err


def entries(home: Path) -> list[Entry]:
    """Of the journal that was written last, none before there is one."""
    found = journals(home)
    if not found:
        return []
    try:
        with Journal.open(found[0], read_only=True) as journal:
            return list(journal.entries())
    except ClawdError:  # it has just been made
        return []


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@contextmanager
def up(market: Path, *options: str) -> Iterator[Up]:
    """Start it on the market, at 20 bars a second."""
    home = market.parent / "home"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CLAWD_")}
    environment |= {"CLAWD_HOME": str(home), "PYTHONPATH": str(Path(package.__file__).parents[1])}
    line = ["up", "--data", str(market), "--strategy", str(market.parent / "cross.toml"), "--slots", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "clawd", *line, "--pace", "20", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield Up(process, home)
    finally:
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
        process.wait()
        found = journals(home)
        until(lambda: not any(is_locked(path) for path in found), "a process that trades was left behind")


def test_one_command_serves_and_trades_and_one_signal_or_ctrl_c_ends_both(market: Path) -> None:
    with up(market) as started:
        until(lambda: started.process.poll() is not None or started.bars() > 5, "it has not traded")
        address = published(started.home)
        assert address is not None and address.pid == started.process.pid
        assert address.url.startswith("http://127.0.0.1:")
        assert httpx2.get(f"{address.url}/api/nothing").status_code in (401, 404)
        code, out, err = started.end()
    assert (code, err) == (0, "")
    assert re.search(r"http://127\.0\.0\.1:\d+", out)
    assert "Traceback" not in out
    bars = started.bars()
    with up(market) as again:  # it goes on where it stopped
        until(lambda: again.bars() > bars + 5, "it did not go on")
        code, _, err = again.end(signal.SIGINT)
    assert code in (0, 130)
    assert "Traceback" not in err
    with Journal.open(journals(started.home)[0], read_only=True) as journal:
        journal.verify_chain()
        replay(journal)


@contextmanager
def signed_in(started: Up) -> Iterator[httpx2.Client]:
    """A client that came in by the link that was printed."""
    assert started.process.stdout is not None
    link = next(line for line in started.process.stdout if "#token=" in line).split()[-1]
    url, _, token = link.partition("/#token=")
    with httpx2.Client(base_url=url, headers={"Origin": url}, timeout=20) as client:
        assert client.post("/api/session", json={"token": token}).status_code == 200
        assert client.post("/api/session", json={"token": token}).status_code in (400, 401, 403)
        yield client


def test_the_printed_link_lets_in_once_and_the_session_outlives_the_server(market: Path) -> None:
    with up(market, "--port", str(free_port())) as started, signed_in(started) as client:
        until(lambda: client.get("/api/status").json()["phase"] == "trading", "the pages do not see it trade")
        assert client.get("/api/fleet/process").json()["pace"] == 20
        started.process.kill()
        started.process.wait()
        port = client.base_url.port
        with up(market, "--port", str(port)) as again:
            until(lambda: answers(client), "it does not serve")
            assert client.get("/api/session").status_code == 200
            assert again.process.poll() is None


def test_what_is_deployed_is_tried_in_a_new_run_and_a_fresh_one_begins_again(market: Path) -> None:
    mine = (
        'name = "mine"\n[position]\ntarget = "long_short(sign(ema(close, 8) - ema(close, 30)))"\n'
        "[exits]\nstop = { percent = 9 }\n"
    )
    with up(market) as started, signed_in(started) as client:
        until(lambda: started.bars() > 2, "it has not traded")
        (first,) = journals(started.home)
        saved = client.put("/api/strategies/mine", json={"revision": 0, "form": "text", "text": mine})
        assert saved.status_code == 200, saved.text
        deployed = client.post("/api/strategies/mine/deploy", json={"content_hash": saved.json()["content_hash"]})
        assert deployed.status_code == 200, deployed.text
        until(lambda: len(journals(started.home)) == 2, "no new run has begun")
        until(lambda: journals(started.home)[0] != first and bool(entries(started.home)), "it has no first entry")
        newest = journals(started.home)[0]
        with Journal.open(newest, read_only=True) as journal:
            until(lambda: journal.head[0] > 3, "it does not trade")
            began = next(journal.entries())
        assert {each["name"] for each in began.body["finalists"]} <= {"cross", "mine"}
        until(lambda: client.get("/api/fleet/process").json()["phase"] == "trading", "it does not trade")
        before = started.bars()
        restarted = client.post("/api/fleet/process/restart", json={"fresh": True, "pace": 10})
        assert restarted.status_code == 200, restarted.text
        until(lambda: len(list((started.home / "runs").glob("*-until-*"))) == 1, "the run was not set aside")
        until(lambda: 0 < started.bars() < before + 1_000, "it does not trade again")
        assert client.get("/api/fleet/process").json()["pace"] == 10
        what = [entry["what"] for entry in client.get("/api/audit").json()["entries"]]
        assert what.count("StrategyDeployed") == what.count("FleetRestarted") == 1


def answers(client: httpx2.Client) -> bool:
    try:
        return client.get("/api/about").status_code in (200, 401)
    except httpx2.TransportError:
        return False


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_the_fleet_stops_when_who_serves_is_killed(market: Path) -> None:
    with up(market) as started:
        until(lambda: started.bars() > 5, "it has not traded")
        (path,) = journals(started.home)
        assert is_locked(path)
        started.process.kill()
        started.process.wait()
        until(lambda: not is_locked(path), "the process that trades outlived who had started it")
    with Journal.open(path, read_only=True) as journal:
        replay(journal)


def test_a_fleet_that_is_killed_is_started_again_and_goes_on(market: Path) -> None:
    with up(market) as started:
        until(lambda: started.bars() > 5, "it has not traded")
        killed = started.fleet_pid
        os.kill(killed, signal.SIGKILL)
        bars = started.bars()
        until(lambda: started.bars() > bars + 5, "it did not go on")
        assert started.fleet_pid != killed
        code, out, _ = started.end()
    assert code == 0
    assert "has ended by signal 9" in out
    with Journal.open(journals(started.home)[0], read_only=True) as journal:
        journal.verify_chain()
        replay(journal)


def test_a_second_server_on_the_same_home_is_refused(market: Path) -> None:
    with up(market) as started:
        until(lambda: started.bars() > 0, "it has not traded")
        with up(market) as second:
            out, err = second.process.communicate(timeout=_PATIENCE)
            assert (second.process.returncode, out) == (2, "")
            assert "another server is at work on this home" in err and "clawd web link" in err
        assert started.process.poll() is None
        assert started.end()[0] == 0


def test_a_fleet_that_cannot_begin_ends_the_program_with_what_it_said(market: Path) -> None:
    (market / "A.csv").write_text("nonsense\n")
    with up(market) as started:
        _, err = started.process.communicate(timeout=_PATIENCE)
    assert started.process.returncode == 2
    assert err.startswith("error: ") and "there are no bars here" in err
    assert err.count("error: ") == 1


def test_a_port_that_was_asked_for_is_taken_or_refused_and_the_usual_one_may_be_another(market: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(market, "--port", str(port)) as started:
            _, err = started.process.communicate(timeout=_PATIENCE)
        assert started.process.returncode == 2
        assert f"--port {port}" in err
        assert not journals(started.home)


def test_the_journal_of_another_place_needs_headless(market: Path) -> None:
    with up(market, "--journal", "elsewhere.sqlite") as started:
        _, err = started.process.communicate(timeout=_PATIENCE)
    assert started.process.returncode == 2
    assert "--journal" in err and "--headless" in err


def test_headless_and_json_are_as_they_were(market: Path) -> None:
    with up(market, "--json", "--pace", "100000") as started:
        out, err = started.process.communicate(timeout=_PATIENCE)
    assert (started.process.returncode, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert lines[-1]["stage"] == "summary" and not lines[-1]["stopped"]
    assert published(started.home) is None
