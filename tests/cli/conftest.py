"""The command line, called as the console script calls it: in this process, or where that matters in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import CROSS, HOLD, Clawd, Outcome, bars, folder, waves

import clawd as package
from clawd.cli.main import run
from clawd.engine.warm import warm_up


@pytest.fixture(scope="session", autouse=True)
def warm_engine() -> None:
    """The commands have nothing to compile, and so nothing to say about it."""
    warm_up()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a home that does not exist yet, a market of two instruments, and two strategies."""
    for name in [name for name in os.environ if name.startswith("CLAWD_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLAWD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "two", A=bars(waves(1)), B=bars(waves(2)))
    (tmp_path / "cross.toml").write_text(CROSS)
    (tmp_path / "hold.toml").write_text(HOLD)
    return tmp_path


@pytest.fixture
def clawd(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Clawd:
    """Runs a command in this process."""
    del place

    def call(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["clawd", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            run()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        printed = capsys.readouterr()
        return Outcome(code or 0, printed.out, printed.err)

    return call


@pytest.fixture
def console(place: Path) -> Clawd:
    """Runs a command in a process of its own."""
    del place

    def call(*arguments: str) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "clawd", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])},
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return call
