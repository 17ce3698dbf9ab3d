"""The cores of this machine: a process each, which may die without anything being lost or left behind."""

from __future__ import annotations

import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Final

from clawd.cluster.shared_bars import OpenedBars, SharedBars
from clawd.cluster.task import MOST_DEATHS, Done, Task, abandoned
from clawd.cluster.work import Work, make_ready, outcomes
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel

_PATIENCE: Final = 0.1  # seconds within which a wish to stop is heard
_FAREWELL: Final = 5.0  # seconds

# Not forked: a child of a process with threads may inherit a lock that nobody will ever release.
_SPAWN: Final = get_context("spawn")


@dataclass(eq=False, slots=True)
class _Worker:
    """A process, and what it is doing."""

    process: SpawnProcess
    pipe: Connection
    ready: bool = False
    task: Task | None = None


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crew:
    """Processes that do lots of tasks over the same bars, one lot after another; to be used in a ``with``.

    They start with the first lot and live until the end: starting one takes about a second.

    Args:
        markets: the bars, by the index that the tasks' windows name.
        workers: how many processes at most.
        work: what is done with a task; a function of a module.
    """

    def __init__(self, markets: Sequence[Panel], workers: int, work: Work = outcomes) -> None:
        self.markets = tuple(markets)
        self.workers = workers
        self._work = work
        self._bars: SharedBars | None = None
        self._crew: list[_Worker] = []

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        """Every process is gone, whatever it was doing."""
        self._dismiss(self._crew)
        if self._bars is not None:
            self._bars.close()

    def do(self, tasks: Sequence[Task], stop: Callable[[], bool] = lambda: False) -> Generator[Done, None, None]:
        """Do tasks, and give them back as they are done.

        A task whose worker dies is done again by another; the third time it is given up. When the iterator ends or is
        closed, however that comes, nobody is at work any more.

        Args:
            tasks: what to do.
            stop: asked about ten times a second; true ends it, and what is being done is dropped.

        Raises:
            ClawdError: when no worker can be started.
        """
        waiting, deaths, stillborn = deque(tasks), Counter[str](), 0
        crew = self._crew
        try:
            while not stop() and (waiting or any(worker.task for worker in crew)):
                busy = sum(worker.task is not None for worker in crew)
                while len(crew) < min(self.workers, busy + len(waiting)):
                    crew.append(self._hired())
                for worker in crew:
                    if waiting and worker.ready and worker.task is None:
                        # One that died idle took nothing with it, and is missed below.
                        with suppress(OSError):
                            worker.pipe.send(waiting[0])
                            worker.task = waiting.popleft()
                for worker in _heard(crew):
                    try:
                        answer = worker.pipe.recv()
                    except (EOFError, OSError):
                        crew.remove(worker)
                        how = _buried(worker)
                        stillborn = 0 if worker.ready else stillborn + 1
                        if stillborn >= MOST_DEATHS:
                            raise ClawdError(
                                f"the workers die before they begin, the last {how}",
                                hint="what they wrote says why; a script must begin under `if __name__ == '__main__':`",
                            ) from None
                        if (task := worker.task) is not None:
                            deaths[task.id] += 1
                            if deaths[task.id] < MOST_DEATHS:
                                waiting.appendleft(task)
                            else:
                                yield abandoned(task, how)
                        continue
                    task, worker.ready, worker.task, stillborn = worker.task, True, None, 0
                    if task is not None:
                        yield Done(task, answer)
        finally:
            self._dismiss([worker for worker in crew if worker.task is not None])

    def _hired(self) -> _Worker:
        if self._bars is None:
            self._bars = SharedBars(self.markets)
        return _hired(self._bars, self._work)

    def _dismiss(self, workers: Sequence[_Worker]) -> None:
        for worker in workers:
            worker.process.kill()
        for worker in [*workers]:
            _buried(worker)
            self._crew.remove(worker)


def pool(
    tasks: Sequence[Task],
    markets: Sequence[Panel],
    workers: int,
    stop: Callable[[], bool] = lambda: False,
    work: Work = outcomes,
) -> Generator[Done, None, None]:
    """Do one lot of tasks in processes of this machine: a :class:`Crew` that is gone when the iterator ends."""
    with Crew(markets, workers, work) as crew:
        yield from crew.do(tasks, stop)


def _heard(crew: Sequence[_Worker]) -> list[_Worker]:
    pipes = wait([worker.pipe for worker in crew], _PATIENCE)
    return [worker for worker in crew if worker.pipe in pipes]


def _hired(bars: SharedBars, work: Work) -> _Worker:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(bars, theirs, work), name="clawd worker", daemon=True)
    try:
        with _interrupts_held():
            process.start()
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()  # so that ours ends when the worker does
    return _Worker(process, ours)


def _buried(worker: _Worker) -> str:
    """Wait for the end of a worker, and say how it ended."""
    worker.process.join(_FAREWELL)
    code = worker.process.exitcode
    worker.pipe.close()
    if code is None:
        worker.process.kill()
        worker.process.join()
    worker.process.close()
    if code is None:
        return "without an answer"
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """A child inherits what is held. Ctrl-C on a terminal reaches every process, but only the first should hear it."""
    resource_tracker.ensure_running()  # the first start of a child starts it, which would let go of what is held
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(bars: OpenedBars, pipe: Connection, work: Work) -> None:
    """The life of a worker."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    panels = bars.panels()
    make_ready()
    with suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            task: Task = pipe.recv()
            pipe.send(work(task, panels[task.window.market]))


def _end_with_parent() -> None:
    """Even a parent that was killed leaves no worker behind, not even one deep in its work."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
