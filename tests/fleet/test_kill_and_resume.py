"""`clawd up` in a process of its own: killed, interrupted, started twice, begun anew. The journal comes out the same.

A process killed at any instant leaves whole bars behind. Started again, it goes on where it stopped, and in the end the
journal holds entry for entry what it would hold had nothing happened.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from fleet_worlds import HOUR, MIDNIGHT
from typer.testing import CliRunner

from clawd.cli import journal as journal_command
from clawd.core.errors import ClawdError
from clawd.store.journal import Entry, Journal
from clawd.store.ledger import Ledger
from clawd.store.registry import Registry

BARS = 1_200
PATIENCE = 120.0
NO_JOURNAL_YET = ("there is no journal yet", "this journal is still empty", "the journal is empty")

TREND = """
name = "{name}"
[position]
target = "long_short(squash({speed} * ret(close, {window})))"
[exits]
stop = {{ percent = 2 }}
trail = {{ percent = 3 }}
"""


@dataclass(frozen=True)
class Workplace:
    """A market and strategies in files, and the folder in which `clawd` keeps what it writes."""

    data: Path
    home: Path

    @property
    def command(self) -> list[str]:
        chosen = [part for file in sorted(self.data.parent.glob("*.toml")) for part in ("--strategy", str(file))]
        return [sys.executable, "-m", "clawd", "up", "--plain", "--data", str(self.data), "--slots", "2", *chosen]

    def start(self, *options: str) -> subprocess.Popen[str]:
        environment = os.environ | {"CLAWD_HOME": str(self.home)}
        return subprocess.Popen(
            [*self.command, *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *options: str) -> tuple[int, str, str]:
        process = self.start(*options)
        out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    @property
    def journals(self) -> list[Path]:
        return sorted((self.home / "runs").glob("*/journal.sqlite"))

    def entries(self) -> list[Entry]:
        (path,) = self.journals
        with Journal.open(path, read_only=True) as journal:
            return list(journal.entries())

    def length(self) -> int:
        """Entries that are in the journal now, 0 where it is not there or not laid out yet."""
        try:
            (path,) = self.journals
            with Journal.open(path, read_only=True) as journal:
                return journal.head[0]
        except (ValueError, ClawdError):
            return 0

    def verify(self) -> str:
        """What `clawd journal verify` says, its error included."""
        outcome = CliRunner().invoke(journal_command.app, ["verify"], env={"CLAWD_HOME": str(self.home)})
        if outcome.exception is None:
            return outcome.output
        assert isinstance(outcome.exception, ClawdError), outcome.exception
        return str(outcome.exception)

    def until(self, process: subprocess.Popen[str], length: int) -> None:
        """Wait until the journal is longer than this, or the process is over."""
        deadline = time.monotonic() + PATIENCE
        while self.length() <= length and process.poll() is None:
            assert time.monotonic() < deadline, "the journal does not grow"
            time.sleep(0.01)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two instruments whose prices run and turn, in files of two formats, and three strategies that follow them."""
    folder = tmp_path_factory.mktemp("workplace")
    market = folder / "market"
    market.mkdir()
    for row, symbol in enumerate(("AAA", "BBB")):
        random_ = np.random.default_rng(row)
        drift = np.repeat(random_.choice([-1, 1], BARS // 40), 40) * 0.002
        closes = 100 * np.exp(np.cumsum(drift + random_.normal(0, 0.004, BARS)))
        opens = np.concatenate([[100.0], closes[:-1]])
        frame = pl.DataFrame(
            {
                "time": (MIDNIGHT + HOUR * np.arange(BARS)) // 10**9,
                "open": opens,
                "high": np.maximum(opens, closes) * 1.002,
                "low": np.minimum(opens, closes) * 0.998,
                "close": closes,
                "volume": random_.uniform(1, 9, BARS),
            }
        )
        if row:
            frame.write_parquet(market / f"{symbol}.parquet")
        else:
            frame.write_csv(market / f"{symbol}.csv")
    for name, speed, window in (("quick", 60, 6), ("slow", 20, 24)):
        (folder / f"{name}.toml").write_text(TREND.format(name=name, speed=speed, window=window))
    return market


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A run that nothing interrupted."""
    place = Workplace(data, tmp_path_factory.mktemp("whole"))
    code, out, err = place.run()
    assert (code, err) == (0, ""), err
    assert "[4] summary" in out
    return place


@pytest.fixture
def place(data: Path, tmp_path: Path) -> Workplace:
    return Workplace(data, tmp_path / "home")


@contextmanager
def standing_still(place: Workplace) -> Iterator[subprocess.Popen[str]]:
    """A run that has traded some bars and is held where it is; it goes on afterwards."""
    process = place.start()
    try:
        place.until(process, 400)
        process.send_signal(signal.SIGSTOP)
        assert process.poll() is None, "the run was over before it could be held"
        yield process
    finally:
        process.send_signal(signal.SIGCONT)


def test_the_run_that_the_others_are_compared_with_trades_and_adds_up(whole: Workplace) -> None:
    kinds = {entry.kind for entry in whole.entries()}
    assert kinds >= {"AgentHired", "VerdictGiven", "OrderFilled", "OrderMoved", "BooksMarked", "RunFinished"}
    assert len(whole.entries()) > 2_500
    assert "every book adds up" in whole.verify()


@pytest.mark.parametrize("kills", [5, pytest.param(10, marks=pytest.mark.long)])
def test_a_run_killed_again_and_again_writes_what_an_uninterrupted_one_does(
    whole: Workplace, place: Workplace, kills: int
) -> None:
    """Killed while it starts, without a journal and with one, and while it trades; ten times meets more moments."""
    moments = random.Random(11)
    left_behind = []
    for kill in range(kills):
        process = place.start()
        if kill in (0, kills // 2 - 1):
            time.sleep(moments.uniform(0.2, 2.5))  # while it starts up
        else:
            place.until(process, place.length() + moments.randrange(600))
        process.kill()
        process.communicate(timeout=PATIENCE)
        found = place.verify()
        assert "every book adds up" in found or any(words in found for words in NO_JOURNAL_YET), found
        left_behind.append(place.length())
    assert left_behind == sorted(left_behind), "a journal never gets shorter"
    assert len(set(left_behind)) > kills // 2, "most of the kills came in the middle of the trading"
    assert left_behind[-2] < len(whole.entries()), "the run was not over before the last kills"
    code, out, err = place.run()
    assert (code, err) == (0, "")
    assert "in the journal already" in out
    assert place.journals[0].parent.name == whole.journals[0].parent.name
    assert place.entries() == whole.entries()
    assert "every book adds up" in place.verify()
    assert trials(place) == trials(whole), "what was tried again is counted once"
    assert claims(place) == claims(whole), "the registry has every bar once"
    assert claims(whole)


def trials(place: Workplace) -> tuple[int, int]:
    with Ledger.open(place.home / "ledger.sqlite") as ledger:
        return ledger.distinct(), ledger.distinct_strategies()


def claims(place: Workplace) -> list[tuple[object, ...]]:
    """Every hypothesis with its bars and its promotion, but for the times at which they were written."""
    with Registry.open(place.home / "ledger.sqlite") as registry:
        return [
            (
                replace(each, registered_at=0, promoted_at=None),
                each.promoted_at is not None,
                registry.bars(each.number),
                registry.shown_until("person", ["AAA", "BBB"]),
            )
            for each in registry.hypotheses()
        ]


def test_an_interrupted_run_stops_after_the_bar_and_goes_on_when_started_again(
    whole: Workplace, place: Workplace
) -> None:
    process = place.start()
    place.until(process, 500)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert err == ""
    assert "the same command goes on from there" in out
    stopped = place.entries()
    assert 500 < len(stopped) < len(whole.entries())
    assert stopped[-1].kind == "BooksMarked", "a bar is whole or not there"
    assert [bars[-1].ts for _, _, bars, _ in claims(place)] == [stopped[-1].body["time"]] * 2, "none is held back"
    assert "every book adds up" in place.verify()
    code, _, err = place.run()
    assert (code, err) == (0, "")
    assert place.entries() == whole.entries()


def test_a_second_process_on_the_same_run_is_refused_and_the_first_is_unharmed(
    whole: Workplace, place: Workplace
) -> None:
    with standing_still(place) as first:
        before = place.length()
        for options in ((), ("--fresh",)):
            code, _, err = place.run(*options)
            assert code == 2
            assert f"another clawd process (pid {first.pid}) is writing this journal" in err
            assert "Traceback" not in err
            assert place.length() == before
            assert len(place.journals) == 1
        assert "every book adds up" in place.verify(), "reading is allowed meanwhile"
    out, err = first.communicate(timeout=PATIENCE)
    assert (first.returncode, err) == (0, "")
    assert "[4] summary" in out
    assert place.entries() == whole.entries()


def test_a_fresh_run_sets_the_earlier_one_aside_and_deletes_nothing(whole: Workplace, place: Workplace) -> None:
    shutil.copytree(whole.home, place.home)
    (path,) = place.journals
    noted = path.parent / "a note of mine.txt"
    noted.write_text("keep")
    code, out, err = place.run("--fresh")
    assert (code, err) == (0, "")
    assert "in the journal already" not in out
    assert len(place.journals) == 2
    (aside,) = [each for each in place.journals if each != path]
    assert aside.parent.name.startswith(f"{path.parent.name}-until-")
    assert (aside.parent / noted.name).read_text() == "keep"
    with Journal.open(aside, read_only=True) as journal:
        assert list(journal.entries()) == whole.entries()
    with Journal.open(path, read_only=True) as journal:
        anew = list(journal.entries())
    assert trades(anew) == trades(whole.entries())
    assert claims(place) == claims(whole), "no bar counts twice, and no number is had anew"
    hired = [entry.body for entry in anew if entry.kind == "AgentHired"]
    with Registry.open(place.home / "ledger.sqlite") as registry:
        assert [body["evidence"] for body in hired] == [
            registry.evidence(body["hypothesis"]).to_json() for body in hired
        ]


def trades(entries: list[Entry]) -> list[object]:
    return [(entry.ts, entry.body) for entry in entries if entry.kind == "OrderFilled"]


def test_a_finished_run_started_again_changes_nothing(whole: Workplace, place: Workplace) -> None:
    shutil.copytree(whole.home, place.home)
    code, out, err = place.run()
    assert (code, err) == (0, "")
    assert "[4] summary" in out
    assert place.entries() == whole.entries()
