"""``clawd up`` on a terminal: run under a pseudo terminal, and its bytes read."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_world import bars, folder, walk
from rich.cells import cell_len

import clawd as package

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SIZES = [(80, 24), (160, 50), (50, 12)]
Watch = Callable[..., tuple[int, str]]


@pytest.fixture
def watch(place: Path, monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Runs a command on a terminal of a size and gives its exit code and all that it drew."""
    del place
    for name in ("COLUMNS", "LINES"):  # the terminal says how large it is
        monkeypatch.delenv(name, raising=False)

    def call(
        size: tuple[int, int], *arguments: str, interrupt: str | None = None, term: str = "xterm-256color"
    ) -> tuple[int, str]:
        controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-m", "clawd", *arguments],
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            close_fds=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1]), "TERM": term},
        )
        os.close(terminal)
        drawn = b""
        until = time.monotonic() + 100
        while time.monotonic() < until:
            try:
                part = os.read(controller, 65536)
            except OSError:
                break
            if not part:
                break
            drawn += part
            if interrupt and interrupt.encode() in drawn:
                process.send_signal(signal.SIGINT)
                interrupt = None
        os.close(controller)
        return process.wait(timeout=30), drawn.decode()

    return call


def lines_of(drawn: str) -> list[str]:
    """Every line that was ever drawn, frames of the live part included, without colours and movements."""
    return re.split(r"[\r\n]+", CONTROL.sub("", drawn))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_view_fits_its_terminal(watch: Watch, size: tuple[int, int]) -> None:
    code, drawn = watch(
        size, "up", "--headless", "--data", "two", "--strategy", "cross.toml", "--strategy", "hold.toml"
    )
    assert code == 0
    assert "Traceback" not in drawn
    lines = lines_of(drawn)
    assert [line for line in lines if cell_len(line) > size[0]] == []
    text = " ".join(" ".join(lines).split())
    for wanted in ("paper only", "1 Data", "2 Search", "3 Paper", "4 Summary", "day's limit", "no proof"):
        assert wanted in text
    assert "─ tape ─" in text or size[1] < 20
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1  # the cursor comes back
    # A frame that is taken back line by line is never higher than the screen.
    heights = [climb.count("\x1b[1A") for climb in re.findall(r"(?:\x1b\[1A\x1b\[2K)+", drawn)]
    assert 5 < max(heights) < size[1]


def test_nothing_of_the_floor_is_cut_off_on_a_small_screen(watch: Watch) -> None:
    _, drawn = watch(
        (80, 24), "up", "--headless", "--data", "two", "--strategy", "cross.toml", "--strategy", "hold.toml"
    )
    frames = [frame for frame in drawn.split("\x1b[1A") if "─ tape ─" in CONTROL.sub("", frame)]
    assert frames
    assert all("╰" in frame for frame in frames)


def test_interrupted_on_a_terminal(watch: Watch, place: Path) -> None:
    folder(place / "long", A=bars(walk(21, 10_000, drift=0.0001), seconds=3600))
    line = (
        "up",
        "--headless",
        "--data",
        "long",
        "--strategy",
        "cross.toml",
        "--strategy",
        "hold.toml",
        "--strategy",
        "turtles",
    )
    code, drawn = watch((100, 30), *line, interrupt="tape")
    assert code == 130
    assert "the same command goes on from there" in " ".join(lines_of(drawn))
    assert "Traceback" not in drawn
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h")


def test_errors_leave_the_terminal_as_it_was(watch: Watch, place: Path) -> None:
    folder(place / "losing", A=bars(walk(9, drift=-0.01, step=0.001)))
    code, drawn = watch((80, 24), "up", "--headless", "--data", "losing", "--strategy", "low_volatility")
    assert code == 2
    assert "error: no strategy earned a place" in CONTROL.sub("", drawn)
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h")


@pytest.mark.parametrize("how", ["--plain", "dumb"])
def test_plain_where_nothing_may_move(watch: Watch, how: str) -> None:
    line = ["up", "--headless", "--data", "two", "--strategy", "cross.toml"] + (["--plain"] if how == "--plain" else [])
    code, drawn = watch((100, 30), *line, term="dumb" if how == "dumb" else "xterm")
    assert code == 0
    assert "[4] summary" in CONTROL.sub("", drawn)
    assert "\x1b[1A" not in drawn
    assert "\x1b[?25l" not in drawn
