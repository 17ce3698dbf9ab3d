"""What the command line says of itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from cli_world import Clawd, Outcome

from clawd import __version__
from clawd.cli.main import command_line

GROUPS = {
    "Trade on paper": ["up", "trade", "web"],
    "Stop it": ["halt", "reduce", "flatten", "resume", "pause", "unpause", "adopt"],
    "Write and study strategies": ["backtest", "sweep", "research", "strategy", "evidence", "operators"],
    "Data": ["data"],
    "Journal": ["journal", "parity"],
    "Approvals": ["approvals", "keys"],
}
COMMANDS = [
    "up",
    "trade",
    "web",
    "web serve",
    "web link",
    "web password",
    "web keys",
    "halt",
    "reduce",
    "flatten",
    "resume",
    "pause",
    "unpause",
    "adopt",
    "backtest",
    "sweep",
    "research",
    "research run",
    "research tune",
    "research worlds",
    "strategy",
    "strategy list",
    "strategy show",
    "strategy check",
    "strategy explain",
    "evidence",
    "operators",
    "data",
    "data import",
    "data list",
    "data check",
    "journal",
    "journal verify",
    "journal show",
    "journal list",
    "journal export",
    "journal import",
    "journal backup",
    "approvals",
    "approvals list",
    "approvals approve",
    "approvals reject",
    "keys",
    "keys new",
    "keys list",
    "keys show",
    "keys trust",
    "keys untrust",
    "parity",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(clawd: Clawd, command: str) -> None:
    outcome = clawd(*command.split(), "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert f"clawd {command}" in outcome.out
    assert "Usage:" in outcome.out
    assert "--help" in outcome.out


def test_help_is_not_read_as_markup(clawd: Clawd) -> None:
    text = " ".join(clawd("sweep", "--help").out.split())
    assert "a file whose [let] table names the parameters" in text
    assert "length=20:80:10" in text  # and :100: would be an emoji


def test_commands_are_grouped_by_task(clawd: Clawd) -> None:
    outcome = clawd("--help")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    starts = [next(index for index, line in enumerate(lines) if f"─ {group} ─" in line) for group in GROUPS]
    assert starts == sorted(starts)
    for start, end, commands in zip(starts, [*starts[1:], len(lines)], GROUPS.values(), strict=True):
        words = [line.strip("│ ").split()[0] for line in lines[start:end] if line.startswith("│ ") and line[2] != " "]
        assert words == commands


def test_the_short_help_is_what_the_command_says_of_itself(clawd: Clawd) -> None:
    overview = " ".join(clawd("--help").out.replace("│", " ").split())
    for commands in GROUPS.values():
        for name in commands:
            (group,) = [each for each in _registered(name) if each[0] == name]
            assert " ".join(group[1].split("\n\n")[0].split()) in overview


def _registered(name: str) -> list[tuple[str, str]]:
    app = command_line([name])
    called = [
        (each.name or "", (each.callback.__doc__ or "").strip()) for each in app.registered_commands if each.callback
    ]
    return called + [(each.name or "", str(each.help)) for each in app.registered_groups]


def test_only_the_called_command_is_imported() -> None:
    script = (
        "import sys; from clawd.cli.main import command_line; command_line(['--help'])\n"
        "heavy = {'numba', 'polars', 'numpy', 'pydantic', 'sqlalchemy', 'alembic', 'psycopg'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_version(clawd: Clawd, console: Clawd) -> None:
    assert clawd("--version") == console("--version") == Outcome(0, f"clawd {__version__}\n", "")


@pytest.mark.parametrize("command", ["", "strategy", "data", "journal"])
def test_a_group_alone_shows_its_help(clawd: Clawd, command: str) -> None:
    outcome = clawd(*command.split())
    assert outcome.code == 2
    assert "Usage:" in outcome.out
    assert outcome.err == ""


def test_help_of_the_true_console_script(console: Clawd) -> None:
    outcome = console("--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert "Paper only" in outcome.out
    assert "\x1b" not in outcome.out


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    done = subprocess.run(
        f"{sys.executable} -m clawd operators --json | head -c 10",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert done.stderr == ""
    assert done.stdout.startswith("[")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("foo", "no such command 'foo'"),
        ("bactest rsi2", "did you mean 'backtest'"),
        ("up --bogus", "no such option: --bogus"),
        ("strategy shw", "no such command 'shw'"),
        ("backtest", "missing argument 'STRATEGY'"),
        ("data import", "missing argument 'FILE'"),
        ("strategy check", "missing argument 'NAME'"),
        ("journal show --last -1", "--last"),
        ("up --slots", "--slots"),
    ],
)
def test_wrong_usage_is_one_line(clawd: Clawd, arguments: str, expected: str) -> None:
    outcome = clawd(*arguments.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    assert expected in outcome.err.lower() or expected in outcome.err
