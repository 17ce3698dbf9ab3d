"""Many machines: the same tasks on a Ray cluster that stands already, named by its address.

Ray's own retries are off. A task that is lost with its node or its worker is given out again here, by the rules of the
local pool, so that both fail alike.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final

from clawd.cluster.shared_bars import Packed, unprotected
from clawd.cluster.task import MOST_DEATHS, Done, Outcome, Task, abandoned
from clawd.cluster.work import Work, code_version, make_ready, outcomes
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel

_ANSWER_WITHIN: Final = 15.0  # seconds, for the cluster's first word; starting Python and Ray is most of them
_PROCESSORS_WITHIN: Final = 60.0  # seconds without any node that could work
_PATIENCE: Final = 0.2  # seconds within which a wish to stop is heard

#: Tasks given out for each processor: one at work, and one at hand for when it is done.
_AHEAD: Final = 2


def ray_cluster(
    tasks: Sequence[Task],
    markets: Sequence[Panel],
    address: str,
    stop: Callable[[], bool] = lambda: False,
    work: Work = outcomes,
) -> Generator[Done, None, None]:
    """Do tasks on a cluster, and give them back as they are done.

    The bars are put into the cluster once, and each node fetches them once for all of its workers. A task whose node
    dies is done again elsewhere, as often as need be; one that takes its worker with it is given up the third time.

    Args:
        tasks: what to do.
        markets: the bars, by the index that the tasks' windows name.
        address: ``host:port`` of the cluster's head; this machine is one of the cluster's nodes.
        stop: asked several times a second; true ends it, and what is being done is dropped.
        work: what is done with a task; a function of a module that every node has.

    Raises:
        ClawdError: when Ray is not installed, the address does not answer, a node has another version of the code, or
            no node is left.
    """
    if not tasks:
        return
    with RayCrew(markets, address, work) as crew:
        yield from crew.do(tasks, stop)


class RayCrew:
    """A cluster that does lots of tasks over the same bars, one lot after another; to be used in a ``with``.

    Args:
        markets, address, work: as of :func:`ray_cluster`.

    Raises:
        ClawdError: when Ray is not installed or the address does not answer.
    """

    def __init__(self, markets: Sequence[Panel], address: str, work: Work = outcomes) -> None:
        self.markets = tuple(markets)
        self._work = work
        self._ray = _connected(address)
        self._shared = [self._ray.put(Packed.of(market)) for market in self.markets]

    def __enter__(self) -> RayCrew:
        return self

    def __exit__(self, *_: object) -> None:
        self._shared.clear()
        self._ray.shutdown()

    @property
    def workers(self) -> int:
        """Processors of the cluster."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 0)))

    def do(self, tasks: Sequence[Task], stop: Callable[[], bool] = lambda: False) -> Generator[Done, None, None]:
        """Do tasks, and give them back as they are done; as :func:`ray_cluster`."""
        return _done(self._ray, tasks, self._shared, stop, self._work)


def _connected(address: str) -> Any:
    """Ray, connected to a cluster."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        raise ClawdError(
            f"`{address}` is not the address of a Ray cluster",
            where="--cluster",
            hint="host:port, such as 10.0.0.1:6379",
        )
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what it will do anyway, and warns of
    try:
        import ray  # noqa: PLC0415  (an extra, and a second to import)
    except ModuleNotFoundError:
        raise ClawdError("Ray is not installed", where="--cluster", hint="pip install 'clawd-bot[cluster]'") from None
    _knock(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError) as error:
        raise ClawdError(
            f"the Ray cluster cannot be joined: {_first_line(error)}",
            where=address,
            hint="this machine must be one of its nodes: `ray start --address=HOST:PORT --num-cpus=0` makes it one",
        ) from None
    return ray


def _knock(address: str) -> None:
    """Whether a cluster answers, asked in a process that can be left: Ray itself tries for a quarter of an hour."""
    question = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        healthy = subprocess.run(question, capture_output=True, timeout=_ANSWER_WITHIN, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        healthy = False
    if not healthy:
        raise ClawdError(
            f"no Ray cluster of this version of Ray answers within {_ANSWER_WITHIN:.0f} seconds",
            where=address,
            hint="`ray start --head --port=PORT` starts one",
        )


def _done(
    ray: Any, tasks: Sequence[Task], shared: Sequence[Any], stop: Callable[[], bool], work: Work
) -> Generator[Done, None, None]:
    at_work = ray.remote(num_cpus=1, max_retries=0)(_on_a_node)
    waiting, deaths = deque(tasks), Counter[str]()
    given_out: dict[Any, Task] = {}
    worked_at = time.monotonic()
    while (waiting or given_out) and not stop():
        processors = int(ray.cluster_resources().get("CPU", 0))
        if processors:
            worked_at = time.monotonic()
        elif time.monotonic() - worked_at > _PROCESSORS_WITHIN:
            raise ClawdError(
                f"no node of the Ray cluster could work for {_PROCESSORS_WITHIN:.0f} seconds",
                hint="what is done is kept; start again when the cluster stands",
            )
        while waiting and len(given_out) < _AHEAD * processors:
            task = waiting.popleft()
            given_out[at_work.remote(task, shared[task.window.market], code_version(), work)] = task
        if not given_out:
            time.sleep(_PATIENCE)
            continue
        ready, _ = ray.wait(list(given_out), num_returns=1, timeout=_PATIENCE)
        for answer in ready:
            task = given_out.pop(answer)
            try:
                yield Done(task, ray.get(answer))
            except ray.exceptions.RayTaskError as error:
                raise _explained(error) from None
            except (ray.exceptions.NodeDiedError, ray.exceptions.ObjectLostError):
                waiting.appendleft(task)
            except ray.exceptions.RayError as error:
                deaths[task.id] += 1
                if deaths[task.id] < MOST_DEATHS:
                    waiting.appendleft(task)
                else:
                    yield abandoned(task, f"of {_first_line(error)}")
    for answer in given_out:
        ray.cancel(answer, force=True)


def _on_a_node(task: Task, bars: Packed, version: str, work: Work) -> Sequence[Outcome]:
    """The life of a task on a node. Ray shares the bars between the workers of a node, and marks them as read-only."""
    if version != code_version():
        raise ClawdError(
            f"a node of the cluster runs clawd {code_version()}, this is {version}",
            hint="results would not be comparable: install the same clawd, NumPy and Numba everywhere",
        )
    make_ready()
    return work(task, bars.over([unprotected(array) for array in bars.arrays]))


def _explained(error: Any) -> ClawdError:
    """What went wrong on a node before the work began."""
    if isinstance(error.cause, ClawdError):
        return ClawdError(error.cause.what, where=error.cause.where, hint=error.cause.hint)
    return ClawdError(
        f"a node of the cluster cannot work: {_first_line(error.cause)}",
        hint=f"clawd {code_version()} must be installed on every node",
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
