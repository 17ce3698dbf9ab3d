"""Kill -9 at every journal write and every venue call of a scenario, restart, and look.

    python tests/chaos/kill_matrix.py                              all scenarios, every point
    python tests/chaos/kill_matrix.py --every 40                   a sample
    python tests/chaos/kill_matrix.py --scenario trade --point 17  one point again

Each point is two processes of their own: one runs the scenario until it kills itself right before or right after a
call, the other starts from the files that are left and runs to the end. With ``--twice`` the second is killed as well,
and a third goes on. docs/faults.md says what is looked at.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos_world import World
from kill_scenarios import SCENARIOS, live, open_world

from clawd.venues.venue import Submit


class Killer:
    """Counts the calls of a process, each twice: right before it and right after it; and kills it at one of them.

    Args:
        at: the number of the point, counted from 1; 0 for never.
        directory: where what was sent, and where the kill was, is written down.
    """

    def __init__(self, at: int, directory: Path) -> None:
        self.at = at
        self.count = 0
        self.directory = directory
        self._log = os.open(directory / "sent", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def around(self, inner: Any) -> _Counted:
        return _Counted(inner, self)

    def point(self, when: str, call: str, what: str) -> None:
        self.count += 1
        if self.count == self.at:
            (self.directory / "where").write_text(f"{when} {call} {what}".strip())
            os.kill(os.getpid(), signal.SIGKILL)

    def sends(self, order: str) -> None:
        os.write(self._log, f"{order}\n".encode())


class _Counted:
    """A journal, or the way to a venue, whose calls are points."""

    def __init__(self, inner: Any, killer: Killer) -> None:
        self._inner, self._killer = inner, killer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def append(self, records: Any) -> Any:
        what = ",".join(kind for _, kind, _ in records)
        with self._points("append", what):
            return self._inner.append(records)

    def send(self, request: Any) -> None:
        with self._points("send", type(request).__name__):
            if isinstance(request, Submit):
                self._killer.sends(request.approved.order.id)
            self._inner.send(request)

    def receive(self) -> Any:
        with self._points("receive", ""):
            return self._inner.receive()

    @contextmanager
    def _points(self, call: str, what: str) -> Iterator[None]:
        self._killer.point("before", call, what)
        yield
        self._killer.point("after", call, what)


def run_life(name: str, directory: Path, at: int, *, last: bool = False) -> int:
    """One process: from the files to the end, or to the kill. How many points it passed."""
    killer = Killer(at, directory)
    world = open_world(name, directory, killer.around)
    live(world, name)
    if last:
        finish(world, name, directory)
    return killer.count


def finish(world: World, name: str, directory: Path) -> None:
    """Quiet, and then everything must be right."""
    world.calm(110.0)
    sent = Counter((directory / "sent").read_text().split())
    doubled = [order for order, times in sent.items() if times > 1]
    assert not doubled, f"sent twice: {doubled}"
    missing = sent.keys() - world.trader.account.orders.keys()
    assert not missing, f"sent, and not in the journal: {missing}"
    entries = [each for each in world.trader.account.orders.values() if not each.order.reduces]
    decisions = [each for each in SCENARIOS[name].decisions if each.size is not None]
    assert len(entries) <= len(decisions), f"{len(entries)} entries of {len(decisions)} decisions"
    world.journal.verify_chain()


def child(work: Any) -> int:
    """Run something in a process of its own; its wait status."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            warnings.simplefilter("error", ResourceWarning)
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def try_point(name: str, point: int, twice: bool, place: str | None) -> str:
    """One point; what failed, empty where nothing did."""
    directory = Path(tempfile.mkdtemp(prefix=f"kill-{name}-{point}-", dir=place))
    try:
        errors = directory / "errors"

        def life(at: int, *, last: bool) -> None:
            os.dup2(os.open(errors, os.O_CREAT | os.O_WRONLY | os.O_APPEND), 2)
            run_life(name, directory, at, last=last)

        kills = [point, point * 7 % 97 + 1] if twice else [point]
        wheres = []
        for at in kills:
            status = child(lambda at=at: life(at, last=False))
            if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
                wheres.append((directory / "where").read_text())
            elif status != 0 or not wheres:  # a second life may come to its end before it is killed
                return f"it was not killed: {_last_words(errors)}"
        if child(lambda: life(0, last=True)) != 0:
            return f"killed {', then '.join(wheres)}: {_last_words(errors)}"
        return ""
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _last_words(errors: Path) -> str:
    lines = errors.read_text().strip().splitlines() if errors.exists() else []
    return lines[-1] if lines else "it said nothing"


def points_of(name: str, place: str | None) -> int:
    """How many points a scenario has; it must be right when nobody kills it."""
    directory = Path(tempfile.mkdtemp(prefix=f"kill-{name}-", dir=place))
    try:
        killer = Killer(0, directory)
        world = open_world(name, directory, killer.around)
        live(world, name)
        count = killer.count
        finish(world, name, directory)
        world.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return count


def try_points(name: str, points: list[int], twice: bool, jobs: int, place: str | None) -> list[str]:
    """Many points, some at the same time; a line for each that failed."""
    running: dict[int, tuple[int, int]] = {}
    waiting, failures = list(points), []
    while waiting or running:
        while waiting and len(running) < jobs:
            point = waiting.pop(0)
            reading, writing = os.pipe()
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    failure = try_point(name, point, twice, place)
                    os.write(writing, failure.encode()[:4_000])
                    code = 0
                finally:
                    os._exit(code)
            os.close(writing)
            running[pid] = (point, reading)
        pid, status = os.wait()
        point, reading = running.pop(pid)
        with os.fdopen(reading) as pipe:
            failure = pipe.read() or ("" if status == 0 else "the trial itself died")
        if failure:
            line = f"{name}: point {point} failed: {failure}"
            again = f"python {Path(__file__).as_posix()} --scenario {name} --point {point}{' --twice' if twice else ''}"
            print(f"{line}\n  again: {again}", flush=True)
            failures.append(line)
    return failures


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Kill -9 at every journal write and every venue call.")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), action="append", help="only this one; may be repeated")
    parser.add_argument("--every", type=int, default=1, help="try every so-many-th point only")
    parser.add_argument("--point", type=int, help="try this point only")
    parser.add_argument("--twice", action="store_true", help="kill the process that restarts as well")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="points at the same time")
    asked = parser.parse_args(words)
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    tried = failed = 0
    begun = time.monotonic()
    for name in asked.scenario or SCENARIOS:
        count = points_of(name, place)
        points = [asked.point] if asked.point else list(range(1, count + 1, asked.every))
        failures = try_points(name, points, asked.twice, asked.jobs, place)
        tried, failed = tried + len(points), failed + len(failures)
        print(f"{name}: {count} points, tried {len(points)}, failed {len(failures)}", flush=True)
    seconds = time.monotonic() - begun
    print(f"points tried {tried}, recovered {tried - failed}, failed {failed} ({seconds:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
