"""Real journals to be followed: a run over the sample market, an account on captures; and who writes them anew."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from websockets.sync.client import ClientConnection, connect

import clawd as package
from clawd.engine.warm import warm_up
from clawd.store.journal import Entry, Journal

_FOLLOWS = """\
name = "follows <b>it</b>"
[position]
target = "long_short(sign(ret(close, 3)))"
[exits]
stop = { percent = 0.05 }
take = { percent = 0.05 }
"""
_FADES = """\
name = "fades"
[position]
target = "long_short(-sign(ret(close, 2)))"
[exits]
stop = { percent = 0.1 }
trail = { percent = 0.04 }
"""


@dataclass(frozen=True)
class World:
    """A journal that a real process has written, and the name of its run."""

    run: str
    folder: str
    entries: list[Entry]

    def bars(self) -> list[list[Entry]]:
        """The entries as they were written: the beginning, then bar by bar."""
        parts: list[list[Entry]] = [[]]
        for entry in self.entries:
            parts[-1].append(entry)
            if entry.kind == "BooksMarked" or (self.folder == "accounts" and entry.kind == "BarClosed"):
                parts.append([])
        return [part for part in parts if part]

    def path(self, home: Path) -> Path:
        return home / self.folder / self.run / "journal.sqlite"


@cache
def small_run() -> World:
    """`clawd up` on a small market, from its beginning to its end: agents are hired, fired and released."""
    warm_up()
    with TemporaryDirectory() as home:
        made = _module("cli", "cli_world")
        market = made.folder(Path(home, "market"), A=made.bars(made.waves(1, 1_000)), B=made.bars(made.waves(2, 1_000)))
        _clawd(Path(home), "up", "--plain", "--data", str(market), max_drawdown="0.03")
        (path,) = Path(home, "runs").glob("*/journal.sqlite")
        return _world(path, "runs")


@cache
def capture_account() -> World:
    """`clawd trade` with two agents on five minutes of a made-up market."""
    warm_up()
    with TemporaryDirectory() as home:
        return _traded(Path(home))


def _traded(home: Path) -> World:
    work = home / "work"
    work.mkdir()
    (work / "follows.toml").write_text(_FOLLOWS)
    (work / "fades.toml").write_text(_FADES)
    captures = [str(path) for path in _module("fleet", "venue_markets").write_captures(work)]
    both = ["--strategy", str(work / "follows.toml"), "--strategy", str(work / "fades.toml")]
    _clawd(home, "trade", *captures, *both, "--perpetual", "10", capital="10000", day_loss_limit="500")
    return _world(home / "accounts" / "captures" / "journal.sqlite", "accounts")


def _world(path: Path, folder: str) -> World:
    with Journal.open(path, read_only=True) as journal:
        return World(path.parent.name, folder, list(journal.entries()))


def _clawd(home: Path, *arguments: str, **settings: str) -> None:
    given = {f"CLAWD_{name.upper()}": value for name, value in settings.items()}
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CLAWD_")}
    done = subprocess.run(
        [sys.executable, "-m", "clawd", *arguments],
        env={**clean, **given, "CLAWD_HOME": str(home), "PYTHONPATH": str(Path(package.__file__).parents[1])},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _module(folder: str, name: str) -> ModuleType:
    """A module beside other tests, with their made-up markets."""
    path = Path(__file__).parents[1] / folder / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"{name}_for_live", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its data classes look themselves up
    spec.loader.exec_module(module)
    return module


def write(journal: Journal, entries: Sequence[Entry]) -> None:
    """Write entries again, in one transaction, as they were written first."""
    journal.append([(entry.ts, entry.kind, entry.body) for entry in entries])


def written(world: World, home: Path, bars: int | None = None) -> Path:
    """A journal with the beginning of another, and nobody at work on it."""
    path = world.path(home)
    with Journal.open(path) as journal:
        for part in world.bars()[:bars]:
            write(journal, part)
    return path


class Page:
    """A small client: what it holds of each topic is what one whole frame and those after it say, or nothing."""

    def __init__(self) -> None:
        self.seq: dict[str, int] = {}
        self.agents: dict[str, dict[str, Any]] = {}
        self.run: str | None = None
        self.feed: list[dict[str, Any]] = []
        self.status: dict[str, Any] | None = None
        self.changed: list[str] = []
        self.gaps = 0
        self._ids: list[str] = []

    def take(self, text: str) -> str | None:
        """Take a frame; the topic to be asked for anew, where one was missed."""
        frame = json.loads(text)
        topic, seq = frame["topic"], frame["seq"]
        whole = frame.get("whole", topic != "changed")
        if not whole and topic != "changed" and self.seq.get(topic) != seq - 1:
            self.gaps += 1
            return str(topic)
        self.seq[topic] = seq
        match topic:
            case "status":
                self.status = frame
            case "changed":
                self.changed += frame["what"]
            case "feed":
                self.feed = (frame["lines"] if whole else self.feed + frame["lines"])[-100:]
            case "fleet":
                self._fleet(frame)
        return None

    def _fleet(self, frame: dict[str, Any]) -> None:
        if frame["whole"]:
            self.run, self._ids = frame["run"], frame["ids"]
            named = zip(frame["ids"], frame["names"], frame["markets"], strict=True)
            self.agents = {id_: {"id": id_, "name": name, "markets": markets} for id_, name, markets in named}
        columns = ("state", "equity", "profit", "total", "drawdown", "exposure", "risk", "wealth")
        for place, row in enumerate(frame["index"]):
            self.agents[self._ids[row]] |= {name: frame[name][place] for name in columns}


@contextmanager
def socket_to(url: str, cookie: tuple[str, str], **more: Any) -> Iterator[ClientConnection]:
    """The WebSocket of a server, as a page opens it."""
    headers = {"Cookie": "=".join(cookie), "Origin": url}
    where = url.replace("http", "ws", 1) + "/api/live"
    with connect(where, additional_headers=headers, max_size=None, **more) as socket:
        yield socket
