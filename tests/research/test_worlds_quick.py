"""The whole pipeline on worlds whose truth is known: no proof in noise, the planted edges found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from surrogate_checks import sample_rows

import clawd as package
from clawd.core.costs import Costs
from clawd.engine.warm import warm_up
from clawd.research.worlds.experiment import Experiment, Found, run_experiment
from clawd.research.worlds.planted import EDGES, HIDDEN
from clawd.research.worlds.results import read_tables
from clawd.research.worlds.table import Size, full, quick, rows_of, run_worlds
from clawd.research.worlds.truth import Making

COSTS = Costs(Decimal("0.0005"), Decimal("0.0002"))
KEYS = {"kind", "campaigns", "trials", "planted", "found", "false", "naive_found", "naive_false"}


def test_the_quick_command_finds_the_edges_and_nothing_in_noise(tmp_path: Path) -> None:
    warm_up()
    done = subprocess.run(
        [sys.executable, "-m", "clawd", "research", "worlds", "--quick", "--json", "--workers", "2"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        stdin=subprocess.DEVNULL,
        env={
            **os.environ,
            "PYTHONPATH": str(Path(package.__file__).parents[1]),
            "CLAWD_HOME": str(tmp_path / "home"),
        },
    )
    assert done.returncode == 0, done.stderr
    rows = {row["kind"]: row for row in json.loads(done.stdout)}
    assert set(rows) == {"noise", "planted", "mixed"}
    for row in rows.values():
        assert row.keys() >= KEYS
        assert row["trials"] >= 0.9 * 300 * row["campaigns"]  # a search may run out of what is new
    assert rows["noise"]["planted"] == rows["noise"]["found"] == 0
    assert rows["noise"]["false"] == 0
    assert rows["noise"]["naive_false"] >= 1, "the naive pipeline believes what it has searched for"
    assert rows["planted"]["found"] == rows["planted"]["planted"] == rows["planted"]["campaigns"] > 0
    assert rows["mixed"]["found"] >= 1
    assert rows["planted"]["false"] + rows["mixed"]["false"] <= 1
    left = [path.relative_to(tmp_path / "home").as_posix() for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert sorted(left) == ["research/worlds.json", "research/worlds.json.lock"], "the table is kept and nothing else"
    (kept,) = read_tables(tmp_path / "home")
    assert [dict(row) for row in kept.rows] == json.loads(done.stdout)
    assert kept.command == "clawd research worlds --quick --seed 1 --data sample"
    assert kept.campaigns == kept.planned == sum(row["campaigns"] for row in rows.values())
    assert kept.promoted == sum(row["promoted"] for row in rows.values())


def test_the_same_seed_gives_the_same_whoever_works() -> None:
    warm_up()
    size = Size(years=6, budget=60, noise=2, planted=0, hidden=0)
    results = []
    for workers in (1, 2):
        found = [
            step.found
            for step in run_worlds(sample_rows(), size, seed=4, costs=COSTS, workers=workers)
            if step.found is not None
        ]
        results.append([row.to_json() for row in rows_of(found)])
    assert results[0] == results[1]
    assert [row["campaigns"] for row in results[0]] == [2]


def test_a_run_that_is_told_to_stop_ends() -> None:
    size = Size(years=6, budget=60, noise=3, planted=0, hidden=0)
    steps = list(run_worlds(sample_rows(), size, seed=4, costs=COSTS, workers=1, stop=lambda: True))
    assert all(step.found is None for step in steps)


@pytest.mark.parametrize("size", [full(100), full(4), quick(2)])
def test_every_size_has_noise_and_edges(size: Size) -> None:
    assert size.noise > 0
    assert size.planted > 0
    assert 3.0 in size.sharpes


# How results are counted.


def found(kind: str, sharpe: float = 0.0, **given: object) -> Found:
    edge = {"noise": None, "hidden": HIDDEN}.get(kind, EDGES["volume"][0])
    facts = {
        "trials": 10,
        "true": 0,
        "false": 0,
        "naive_true": 0,
        "naive_false": 0,
        "finalists": 3,
        "true_finalists": 0,
        "knocked": 0,
        "true_knocked": 0,
        "held_back": (),
        "wealth": 0.0,
        "oracle_wealth": 0.0,
        "seconds": 1.0,
    }
    experiment = Experiment(kind, Making("block-shuffled", edge), sharpe, 100, 10, 1)
    return Found(experiment=experiment, **{**facts, **given})  # type: ignore[arg-type]


def test_campaigns_are_counted_by_kind_and_sharpe_ratio() -> None:
    rows = rows_of(
        [
            found("mixed", 2.0, true=1, false=1, oracle_wealth=25.0),
            found("planted", 3.0, true=2, naive_true=1, oracle_wealth=20.0),
            found("noise", naive_false=1),
            found("planted", 1.0, true_finalists=1, oracle_wealth=19.0),
            found("planted", 1.0),
            found("planted", 1.0, true_finalists=2, true_knocked=1),
            found("noise", false=2, naive_false=1),
            found("mixed", 3.0, true=3),
            found("hidden", 3.0, oracle_wealth=1e6),
        ]
    )
    assert [(row.kind, row.sharpe, row.campaigns) for row in rows] == [
        ("noise", 0.0, 2),
        ("planted", 1.0, 3),
        ("planted", 3.0, 1),
        ("mixed", 2.5, 2),
        ("hidden", 3.0, 1),
    ]
    noise, weak, strong, mixed, hidden = rows
    assert (noise.planted, noise.found, noise.promoted, noise.false, noise.false_campaigns) == (0, 0, 2, 2, 1)
    assert noise.false_share == pytest.approx((0.0126, 0.9874), abs=1e-4)
    assert noise.discovery_rate == 0.5
    assert noise.naive_false == 2
    assert (weak.planted, weak.found, weak.oracle) == (3, 0, 0)
    assert dict(weak.missed) == {"search": 1, "gates": 1, "wealth": 1}
    assert (strong.found, strong.promoted, strong.oracle, strong.naive_found, strong.missed) == (1, 2, 1, 1, ())
    assert (mixed.found, mixed.promoted, mixed.false, mixed.discovery_rate) == (2, 5, 1, 0.25)
    assert (hidden.planted, hidden.found, hidden.missed) == (0, 0, ())


def test_a_home_is_gone_when_its_campaign_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    warm_up()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    done = run_experiment(Experiment("noise", Making("block-shuffled"), 0.0, 1_600, 40, 3), sample_rows(), COSTS)
    assert done is not None
    assert done.trials >= 30
    assert list(tmp_path.iterdir()) == []
