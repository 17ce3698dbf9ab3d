"""The desk: one at a time, called off at any moment, and nothing half done whoever dies."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from backtests_world import asked, ended, opened, request, until

from clawd.backtests import desk as desk_module
from clawd.backtests.desk import BusyError, Desk
from clawd.backtests.limits import TOO_LARGE
from clawd.backtests.reading import opened as arrays_of
from clawd.backtests.run import Run
from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.engine.warm import warm_up
from clawd.store.ledger import Ledger
from clawd.store.ledger_file import ledger_path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    warm_up()
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def desk(home: Path) -> Iterator[Desk]:
    with opened(home) as desk:
        yield desk


def looks(home: Path) -> int:
    """How often anything was counted."""
    path = ledger_path(home)
    if not path.exists():
        return 0
    with Ledger.open(path) as ledger:
        return sum(trial.looks for trial in ledger.trials())


def worker_of(desk: Desk) -> int:
    until(lambda: desk._worker is not None and desk._worker.ready)
    assert desk._worker is not None
    return desk._worker.pid


def whole(desk: Desk, run: Run) -> bool:
    """Whether all that is kept of a run can be read."""
    if not desk.shelf.has_result(run.id):
        return False
    assert desk.shelf.result(run.id)["figures"]["strategy"] == "EMA crossover"
    assert desk.shelf.report(run.id)
    with arrays_of(desk.shelf.arrays(run.id)) as kept:
        assert kept["equity"].shape == kept["times"].shape
    return True


def test_called_off_at_any_moment_it_leaves_nothing_and_the_next_one_works(desk: Desk, home: Path) -> None:
    first = ended(desk, asked(desk))
    assert first.state == "done" and whole(desk, first)
    chance, seen = random.Random(6), set()
    for turn in range(4):
        worker_of(desk)
        before = looks(home)
        run = asked(desk)
        time.sleep(chance.uniform(0.0, 0.5))
        try:
            assert desk.cancel(run.id).state == "cancelled"
        except BusyError:
            assert ended(desk, run).state == "done"
        found = ended(desk, run)
        seen.add(found.state)
        # What was shown was counted, once; what was not, was not.
        until(lambda run=run: not desk.shelf.work_folder(run.id).exists())
        assert looks(home) - before == (found.state == "done")
        assert whole(desk, run) == (found.state == "done")
        assert json.loads((desk.shelf.root / run.id / "run.json").read_text())["state"] == found.state, turn
    assert "cancelled" in seen
    after = ended(desk, asked(desk))
    assert after.state == "done" and after.figures == first.figures


def test_a_worker_that_is_killed_at_work_leaves_an_interrupted_run_and_the_next_one_works(
    desk: Desk, home: Path
) -> None:
    pid, before = worker_of(desk), looks(home)
    run = asked(desk)
    until(lambda: (found := desk.find(run.id)) is not None and found.stage not in (None, "starting"))
    desk.shelf.work_folder(run.id).mkdir(exist_ok=True)  # as if it had begun to write
    os.kill(pid, signal.SIGKILL)
    found = ended(desk, run)
    assert not desk.shelf.work_folder(run.id).exists()
    if found.state != "interrupted":  # it was quicker
        assert found.state == "failed" or whole(desk, run)
        return
    assert found.error is not None
    assert "ended by signal 9" in found.error.what
    assert looks(home) == before and not whole(desk, run)
    assert ended(desk, asked(desk)).state == "done"


def test_a_worker_that_is_killed_while_idle_is_missed_by_nobody(desk: Desk) -> None:
    os.kill(worker_of(desk), signal.SIGKILL)
    assert ended(desk, asked(desk)).state == "done"


def test_they_run_in_the_order_in_which_they_were_asked_for(desk: Desk) -> None:
    runs = [asked(desk) for _ in range(3)]
    found = [ended(desk, run) for run in runs]
    starts = [run.started or 0 for run in found]
    assert starts == sorted(starts)
    for one, other in pairwise(found):
        assert (other.started or 0) >= (one.ended or 0), "one at a time"
    assert [run.id for run in desk.runs()][:3] == [run.id for run in reversed(runs)]


def test_what_takes_too_long_is_ended(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    worker_of(desk)
    monkeypatch.setattr(desk_module, "LONGEST", 0.0)
    monkeypatch.setattr(desk_module, "_BETWEEN_LOOKS", 0.001)  # a quick one is done between two looks
    found = ended(desk, asked(desk))
    monkeypatch.undo()
    assert found.state == "failed" and found.error is not None and "longer than" in found.error.what
    assert ended(desk, asked(desk)).state == "done"


def test_the_oldest_that_are_not_pinned_make_room(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del home
    monkeypatch.setattr(desk_module, "MOST_KEPT", 4)
    with opened(tmp_path) as desk:
        runs = [asked(desk, start="someday") for _ in range(4)]  # each is refused, which is quick
        for run in runs:
            assert ended(desk, run).state == "failed"
        desk.pin(runs[0].id, True)
        more = asked(desk, start="someday")
        assert {run.id for run in desk.runs()} == {runs[0].id, runs[2].id, runs[3].id, more.id}
        assert (desk.shelf.root / "removed" / runs[1].id / "run.json").is_file()
        ended(desk, more)
        for run in desk.runs():
            desk.pin(run.id, True)
        with pytest.raises(BusyError, match="all are pinned"):
            asked(desk)


_SERVER = """
import sys, time
sys.path[:0] = {path!r}
from pathlib import Path
from backtests_world import asked
from clawd.backtests.desk import Desk
from clawd.core.clock import SystemClock
desk = Desk(Path({home!r}), SystemClock())
desk.open()
runs = [asked(desk) for _ in range(3)]
while desk.find(runs[0].id).state != "done":
    time.sleep(0.001)
while desk.find(runs[1].id).stage in (None, "starting"):
    time.sleep(0.001)
print(desk._worker.pid, *(run.id for run in runs), flush=True)
time.sleep(60)
"""


def test_a_server_that_is_killed_says_so_when_it_starts_again(home: Path, tmp_path: Path) -> None:
    del home
    source = _SERVER.format(path=[str(Path(__file__).parent)], home=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        worker, *ids = server.stdout.readline().split()
        server.kill()
    until(lambda: not Path(f"/proc/{worker}").exists() or _is_gone(int(worker)))
    before = looks(tmp_path)
    with opened(tmp_path) as desk:
        found = {run.id: run for run in desk.runs()}
        assert set(found) == set(ids)
        assert found[ids[0]].state == "done" and whole(desk, found[ids[0]])
        assert found[ids[2]].state == "interrupted"
        error = found[ids[2]].error
        assert error is not None and "stopped in the middle" in error.what
        # The one that ran had been shown, and so counted, or was neither.
        assert (found[ids[1]].state == "done") == whole(desk, found[ids[1]])
        assert looks(tmp_path) == before >= sum(run.state == "done" for run in found.values())
        assert not list(desk.shelf.root.glob("*.work"))
        with pytest.raises(ClawdError, match="another clawd process"):
            Desk(tmp_path, SystemClock()).open()
    with opened(tmp_path) as desk:
        assert {run.id: run.state for run in desk.runs()} == {run_id: run.state for run_id, run in found.items()}


def _is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_folder_that_is_no_backtest_is_passed_over(tmp_path: Path) -> None:
    root = tmp_path / "backtests"
    (root / "20200101-000000-abcdef").mkdir(parents=True)
    (root / "20200101-000000-abcdef" / "run.json").write_text('{"id": 3')
    (root / "20200101-000000-bbbbbb").mkdir()
    (root / "20200101-000000-bbbbbb" / "run.json").write_text("{}")
    (root / "else").mkdir()
    with opened(tmp_path) as desk:
        assert desk.runs() == []
        assert Run.from_json(Run("a", 1, "n", "h", request()).to_json()) == Run("a", 1, "n", "h", request())


def test_a_worker_that_needs_too_much_memory_ends_with_the_code_that_says_so() -> None:
    source = "import clawd.backtests.worker as worker; worker.MOST_MEMORY = 1; worker._watch_memory()"
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == TOO_LARGE


def no_process(*_: object, **__: object) -> None:
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def test_a_machine_that_refuses_a_process_fails_the_one_that_was_to_run_and_no_other(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    os.kill(worker_of(desk), signal.SIGKILL)
    with monkeypatch.context() as refusing:
        refusing.setattr("clawd.backtests.worker_process.subprocess.Popen", no_process)
        first, second = asked(desk), asked(desk)
        for run in (ended(desk, first), ended(desk, second)):
            assert run.state == "failed" and run.error is not None
            assert "this machine refused what it needed to run: Resource temporarily unavailable" in run.error.what
            assert run.error.hint is not None and "run it again" in run.error.hint
    assert ended(desk, asked(desk)).state == "done", "the thread goes on"
    assert "has failed" in caplog.text


def test_an_idle_desk_that_gets_no_worker_says_so_in_the_log_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(desk_module, "_READY_AFTER", 0.01)
    with monkeypatch.context() as refusing:
        refusing.setattr("clawd.backtests.worker_process.subprocess.Popen", no_process)
        with opened(tmp_path) as desk:
            until(lambda: caplog.text.count("a worker for backtests has failed") >= 2)
            refusing.undo()
            until(lambda: desk._worker is not None)
