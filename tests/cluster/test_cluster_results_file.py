"""Results on disk: they read back equal, and a run that was cut off anywhere goes on."""

from __future__ import annotations

import csv
import math
import os
import subprocess
import sys
from dataclasses import astuple, fields, replace
from pathlib import Path

import pytest
from cluster_worlds import CAPITAL, COSTS, crosses, exactly, market, study_of
from hypothesis import given, settings
from hypothesis import strategies as st

from clawd.cluster.results_file import ResultsFile
from clawd.cluster.study import Result, Study
from clawd.core.errors import ClawdError
from clawd.engine.metrics import Metrics

STUDY = study_of(crosses(6), [market(1)])
LABELS = {name: {"fast": str(number), "said": 'a "b", c'} for number, name in enumerate(STUDY.identities)}


def results_of(study: Study, numbers: list[float]) -> dict[object, Result]:
    made = {}
    for index, key in enumerate(study.keys):
        floats = iter(numbers[index:] + numbers[:index])
        values = {f.name: index if f.name in {"bars", "trades"} else next(floats) for f in fields(Metrics)}
        made[key] = Result(key, Metrics(**values))  # type: ignore[arg-type]
    return made


NUMBERS = [0.1, -1 / 3, math.nan, 1e-300, 12345.678901234567, 0.0, 2.5, math.nan, -0.0, 7e20, 1.0, 0.2, 0.3]


def kept(path: Path, study: Study = STUDY) -> dict[object, Result]:
    with ResultsFile(path, study, LABELS) as file:
        return dict(file.known)


@settings(max_examples=50, deadline=None)
@given(numbers=st.lists(st.floats(allow_infinity=False), min_size=13, max_size=13))
def test_figures_read_back_to_the_bit(numbers: list[float], tmp_path_factory: pytest.TempPathFactory) -> None:
    path, made = tmp_path_factory.mktemp("kept") / "out.csv", results_of(STUDY, numbers)
    with ResultsFile(path, STUDY, LABELS) as file:
        assert file.known == {}
        file.append(made.values())
    assert exactly(STUDY, kept(path)) == exactly(STUDY, made)  # type: ignore[arg-type]


def test_a_file_cut_off_at_any_byte_goes_on(tmp_path: Path) -> None:
    made = results_of(STUDY, NUMBERS)
    made[STUDY.keys[3]] = Result(STUDY.keys[3], None, 'the market has no "ä, ö"')
    path = tmp_path / "out.csv"
    with ResultsFile(path, STUDY, LABELS) as file:
        file.append(made.values())
    content = path.read_bytes()
    header = content.index(b"\n") + 1
    for end in [0, *range(header, len(content), 7), len(content)]:
        path.write_bytes(content[:end])
        with ResultsFile(path, STUDY, LABELS) as file:
            assert len(file.known) == max(content[:end].count(b"\n") - 1, 0)
            file.append(each for each in made.values() if each.key not in file.known)
        assert path.read_bytes() == content
    assert exactly(STUDY, kept(path)) == exactly(STUDY, made)  # type: ignore[arg-type]


def test_a_row_is_read_by_anyone(tmp_path: Path) -> None:
    path, made = tmp_path / "out.csv", results_of(STUDY, NUMBERS)
    with ResultsFile(path, STUDY, LABELS) as file:
        file.append(made.values())
    with path.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["fast"] for row in rows] == list("012345")
    assert {row["said"] for row in rows} == {'a "b", c'}
    for row, result in zip(rows, made.values(), strict=True):
        assert result.metrics is not None
        for name, value in zip([f.name for f in fields(Metrics)], astuple(result.metrics), strict=True):
            assert row[name] == ("" if math.isnan(value) else repr(value))
        assert (row["fee_rate"], row["slippage_rate"], row["capital"]) == ("0.001", "0.0005", "1000")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"capital": CAPITAL + 1}, "other costs, another capital"),
        ({"costs": COSTS.times(2)}, "other costs, another capital"),
        ({"markets": (market(2),)}, "another strategy, market or window"),
        ({"strategies": STUDY.strategies[:5]}, "another strategy, market or window"),
    ],
)
def test_results_of_something_else_are_never_taken_for_these(
    change: dict[str, object], why: str, tmp_path: Path
) -> None:
    path = tmp_path / "out.csv"
    with ResultsFile(path, STUDY, LABELS) as file:
        file.append(results_of(STUDY, NUMBERS).values())
    before = path.read_bytes()
    with pytest.raises(ClawdError, match=why):
        kept(path, replace(STUDY, **change))  # type: ignore[arg-type]
    assert path.read_bytes() == before


def test_another_version_of_the_code_begins_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.csv"
    with ResultsFile(path, STUDY, LABELS) as file:
        file.append(results_of(STUDY, NUMBERS).values())
    monkeypatch.setattr("clawd.cluster.results_file.code_version", lambda: "0.1.0+other")
    with pytest.raises(ClawdError, match="another version of clawd"):
        kept(path)


@pytest.mark.parametrize(
    "content", [b"a,b\n1,2\n", b"\xff\xfe\x00", b"notes without an end", "ts,open\n".encode("utf-16")], ids=repr
)
def test_a_file_of_something_else_is_left_alone(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(content)
    with pytest.raises(ClawdError, match="cannot be continued"):
        kept(path)
    assert path.read_bytes() == content


def test_a_parameter_may_have_the_name_of_a_figure(tmp_path: Path) -> None:
    path, made = tmp_path / "out.csv", results_of(STUDY, NUMBERS)
    labels = {name: {"trades": "99", "fee_rate": "7"} for name in STUDY.identities}
    for _ in range(2):
        with ResultsFile(path, STUDY, labels) as file:
            file.append(each for each in made.values() if each.key not in file.known)
            known = dict(file.known)
    assert exactly(STUDY, known) == exactly(STUDY, made)  # type: ignore[arg-type]


def test_a_damaged_row_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with ResultsFile(path, STUDY, LABELS) as file:
        file.append(results_of(STUDY, NUMBERS).values())
    path.write_bytes(path.read_bytes().replace(b"12345.678901234567", b"12345.678901,234567"))
    with pytest.raises(ClawdError, match="a row of it is damaged"):
        kept(path)


def test_what_was_given_up_is_tried_again_the_next_time(tmp_path: Path) -> None:
    path, key = tmp_path / "out.csv", STUDY.keys[0]
    with ResultsFile(path, STUDY, LABELS) as file:
        file.append([Result(key, None, "given up: 3 workers died", given_up=True)])
        file.append([Result(STUDY.keys[1], None, "the market has no instrument X")])
    assert kept(path) == {STUDY.keys[1]: Result(STUDY.keys[1], None, "the market has no instrument X")}


def test_the_finished_file_is_in_order_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    path, made = tmp_path / "out.csv", results_of(STUDY, NUMBERS)
    ordered = [made[key] for key in STUDY.keys]
    with ResultsFile(path, STUDY, LABELS) as file:
        file.append(reversed(ordered))
        file.append(ordered[:1])  # it came twice
        file.finish(ordered)
    assert [row.split(",")[0] for row in path.read_text().splitlines()] == ["fast", *"012345"]
    assert list(tmp_path.iterdir()) == [path]
    assert exactly(STUDY, kept(path)) == exactly(STUDY, made)  # type: ignore[arg-type]


def test_one_process_writes_it_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with ResultsFile(path, STUDY, LABELS) as file:
        with pytest.raises(ClawdError, match="another run is writing this file"):
            kept(path)
        file.finish([])
    assert kept(path) == {}


def test_where_nothing_can_be_written_the_error_says_so(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "no" / "out.csv"):
        with pytest.raises(ClawdError, match="cannot be written"):
            kept(path)


def test_a_kill_loses_nothing_that_was_appended(tmp_path: Path, importable: None) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from test_cluster_results_file import LABELS, NUMBERS, STUDY, results_of\n"
        "from clawd.cluster.results_file import ResultsFile\n"
        "file = ResultsFile(Path(sys.argv[1]), STUDY, LABELS)\n"
        "file.append(list(results_of(STUDY, NUMBERS).values())[:4])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "out.csv"
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, env=os.environ)
    assert done.returncode == -9
    assert list(kept(path)) == list(STUDY.keys[:4])
