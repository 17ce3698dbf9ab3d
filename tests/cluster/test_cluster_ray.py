"""A real cluster of two nodes: the same results as the local pool's, and one of the nodes dies in the middle."""

from __future__ import annotations

import importlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cluster_worlds import (
    HERE,
    SOURCES,
    TwoNodes,
    collected,
    crosses,
    dies_of_one,
    exactly,
    market,
    slow,
    strategy,
    study_of,
    until,
)

from clawd.cluster import ray_cluster as ray_cluster_module
from clawd.cluster import task as task_module
from clawd.cluster.ray_cluster import ray_cluster
from clawd.cluster.run import counted, run_study
from clawd.cluster.study import Study
from clawd.cluster.task import Done, split
from clawd.cluster.work import Work
from clawd.core.errors import ClawdError
from clawd.store.ledger import Ledger


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the workers of the cluster leave marks."""
    return tmp_path_factory.mktemp("marks")


@pytest.fixture(scope="module")
def nodes(folder: Path) -> Iterator[TwoNodes]:
    """Two nodes."""
    found = TwoNodes({"PYTHONPATH": f"{SOURCES}:{HERE}", "CLAWD_TEST_MARKS": str(folder)})
    try:
        yield found
    finally:
        found.end()


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    """Two markets, in twelve tasks."""
    monkeypatch.setattr(task_module, "MOST_STRATEGIES", 5)
    return study_of(crosses(30), [market(1), market(2, instruments=1, bars=200)], [(0, 20, 300), (1, 50, 200)])


def arriving(study: Study, nodes: TwoNodes, work: Work) -> Iterator[Done]:
    return ray_cluster(split(study), study.markets, nodes.address, work=work)


def test_a_node_that_dies_in_the_middle_loses_nothing(study: Study, nodes: TwoNodes, folder: Path) -> None:
    """The results are those of the local pool to the bit, each exactly once, before and after."""
    expected = exactly(study, collected(run_study(study, workers=1)))
    assert exactly(study, collected(run_study(study, cluster=nodes.address))) == expected

    done: list[Done] = []

    def watched() -> Generator[Done, None, None]:
        for each in arriving(study, nodes, slow):
            done.append(each)
            yield each
            if len(done) == 3:
                assert until(lambda: nodes.second_is_in_the_middle(folder), 60), "both nodes work"
                nodes.kill_second_node()

    steps = counted(watched(), set(study.keys), set(), 1, time.monotonic)
    assert exactly(study, collected(steps)) == expected
    began = [mark.name.split() for mark in folder.glob("*")]
    assert len(began) > len(split(study)), "what the dead node had begun was begun again"
    assert len(done) == len(split(study)), "and came back once"

    # The node that is left goes on, and one that joins is used.
    nodes.add_node()
    assert exactly(study, collected(run_study(study, cluster=nodes.address))) == expected


def test_a_strategy_that_does_not_fit_fails_alone(nodes: TwoNodes) -> None:
    study = study_of([*crosses(4), strategy(3, 9, 'universe = ["NOPE"]')], [market(1)])
    results = collected(run_study(study, cluster=nodes.address))
    assert [results[key].failure is None for key in study.keys] == [True] * 4 + [False]
    assert "no instrument NOPE" in str(results[study.keys[4]].failure)


def test_a_task_that_kills_three_workers_is_given_up(nodes: TwoNodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_module, "MOST_STRATEGIES", 1)
    study = study_of([*crosses(3), replace(strategy(7, 30, scale="0.5"), name="poison")], [market(1)])
    done = list(arriving(study, nodes, dies_of_one))
    assert sorted(each.task.strategies[0].name == "poison" for each in done) == [False, False, False, True]
    (lost,) = [each for each in done if each.given_up]
    assert lost.task.strategies[0].name == "poison"
    assert str(lost.outcomes[0]).startswith(f"given up: 3 workers died over task {lost.task.id}, the last of ")


def test_another_version_on_the_nodes_is_refused(
    study: Study, nodes: TwoNodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_cluster_module, "code_version", lambda: "9.9.9+abc")
    with pytest.raises(ClawdError, match=r"a node of the cluster runs clawd \d.*, this is 9.9.9\+abc \(.*install"):
        list(run_study(study, cluster=nodes.address))


def test_a_node_that_lacks_the_code_is_named_as_the_cause(
    study: Study, nodes: TwoNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_here.py").write_text("def work(task, panel):\n    return []\n")
    monkeypatch.syspath_prepend(tmp_path)
    only_here = importlib.import_module("only_here")
    with pytest.raises(ClawdError, match=r"a node of the cluster cannot work: .*No module named 'only_here'"):
        list(arriving(study, nodes, only_here.work))


def test_a_wish_to_stop_is_heard(study: Study, nodes: TwoNodes, folder: Path) -> None:
    wishes: list[int] = []
    arrivals = ray_cluster(split(study), study.markets, nodes.address, lambda: bool(wishes), slow)
    next(arrivals)
    wishes.append(1)
    assert list(arrivals) == []


def test_a_sweep_on_a_cluster_writes_what_a_sweep_on_this_machine_writes(
    nodes: TwoNodes, importable: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAWD_HOME", str(tmp_path / "home"))
    (tmp_path / "means.toml").write_text(
        'name = "two means"\n[let]\nn = 5\n[position]\ntarget = "long_only(sign(close - ema(close, n)))"\n'
        "[exits]\nstop = { percent = 9 }\n"
    )
    sweep = [sys.executable, "-m", "clawd", "sweep", str(tmp_path / "means.toml"), "--set", "n=5:100:5"]
    for name, where in (("here.csv", ["--workers", "1"]), ("there.csv", ["--cluster", nodes.address])):
        done = subprocess.run(
            [*sweep, *where, "--out", str(tmp_path / name)], capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "here.csv").read_text() == (tmp_path / "there.csv").read_text()
    assert (tmp_path / "here.csv").read_text().count("\n") == 21


def test_a_search_on_a_cluster_leaves_the_ledger_that_a_search_on_this_machine_leaves(
    nodes: TwoNodes, importable: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledgers = []
    for name, where in (("here", ["--workers", "1"]), ("there", ["--cluster", nodes.address])):
        monkeypatch.setenv("CLAWD_HOME", str(tmp_path / name))
        search = [sys.executable, "-m", "clawd", "research", "run", "--budget", "120", "--seed", "4", "--json", *where]
        done = subprocess.run(search, capture_output=True, text=True, timeout=300, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        with Ledger.open(tmp_path / name / "ledger.sqlite") as ledger:
            # When each was entered is the one thing that may differ.
            ledgers.append([(each.content_hash, each.first_ts, each.sharpe, each.parents) for each in ledger.trials()])
    assert ledgers[0] == ledgers[1]
    assert len({trial[0] for trial in ledgers[0]}) == 120


# Without a cluster.


class Deserted:
    """A cluster all of whose nodes have gone."""

    def __init__(self) -> None:
        self.left = False

    def put(self, value: object) -> object:
        return value

    def remote(self, **_: object) -> Callable[[object], object]:
        return lambda function: function

    def cluster_resources(self) -> dict[str, float]:
        return {"memory": 1.0}

    def shutdown(self) -> None:
        self.left = True


def test_a_cluster_without_any_node_is_given_up(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    desert = Deserted()
    monkeypatch.setattr(ray_cluster_module, "_connected", lambda _: desert)
    monkeypatch.setattr(ray_cluster_module, "_PROCESSORS_WITHIN", 0.5)
    with pytest.raises(ClawdError, match="no node of the Ray cluster could work"):
        list(run_study(study, cluster="127.0.0.1:6379"))
    assert desert.left


def test_an_address_that_nobody_answers_at_is_given_up_soon(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_cluster_module, "_ANSWER_WITHIN", 3.0)
    with socket.socket() as silent:  # takes the call and says nothing
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ClawdError, match="no Ray cluster of this version of Ray answers within 3 seconds"):
            list(run_study(study, cluster=address))


@pytest.mark.parametrize("address", ["", "auto", "ray://127.0.0.1:10001", "127.0.0.1", "127.0.0.1:port"])
def test_what_is_no_address_is_said_so(study: Study, address: str) -> None:
    with pytest.raises(ClawdError, match=r"is not the address of a Ray cluster .*host:port"):
        list(run_study(study, cluster=address))


def test_without_ray_the_error_says_what_to_install(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClawdError, match=r"pip install 'clawd-bot\[cluster\]'"):
        list(run_study(study, cluster="127.0.0.1:6379"))


def test_ray_is_not_imported_before_it_is_needed(importable: None) -> None:
    script = "import sys, clawd.cluster.run, clawd.cluster.ray_cluster, clawd.cli.sweep; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
