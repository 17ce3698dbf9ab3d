"""``clawd keys``: passphrases are never on the command line, and a mistake changes nothing."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import Clawd, Outcome, disk

import clawd as package
from clawd.store import keys

SECRET = "correct horse battery"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "SCRYPT_COST", 2**4)


@pytest.fixture
def secret(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del place  # which clears the environment
    monkeypatch.setenv("CLAWD_KEY_PASSPHRASE", SECRET)


def refused(outcome: Outcome, *words: str) -> None:
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: ")
    assert outcome.err.count("\n") == 1
    for word in words:
        assert word in outcome.err


@pytest.mark.usefixtures("secret")
def test_a_key_is_made_at_the_true_console_and_trusted_elsewhere(
    console: Clawd, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = console("keys", "new", "alice")
    assert (made.code, made.err) == (0, "")
    assert SECRET not in made.out
    assert json.loads((place / "home" / "keys" / "alice.key").read_text())["scrypt_cost"] == 2**17
    shown = console("keys", "show", "alice")
    public = json.loads(shown.out)
    assert public["fingerprint"] in made.out.replace(" ", "")
    (place / "got.pub").write_text(shown.out)
    monkeypatch.setenv("CLAWD_HOME", str(place / "elsewhere"))
    assert console("keys", "trust", "got.pub").code == 0
    (listed,) = json.loads(console("keys", "list", "--json").out)
    assert listed == {
        "name": "alice",
        "fingerprint": public["fingerprint"],
        "public_key": public["public_key"],
        "trusted": True,
        "private_key_here": False,
    }
    assert console("keys", "show", "alice").out == shown.out


@pytest.mark.usefixtures("cheap", "secret")
def test_the_way_of_trust(clawd: Clawd) -> None:
    assert "no key yet" in clawd("keys", "list").out
    clawd("keys", "new", "alice")
    assert "alice: " in clawd("keys", "list").out
    assert "not trusted, private key here" in clawd("keys", "list").out
    assert "alice may now approve" in clawd("keys", "trust", "alice").out
    assert "alice may approve already" in clawd("keys", "trust", "alice").out
    assert "may approve, private key here" in clawd("keys", "list").out
    assert "alice may not approve any more" in clawd("keys", "untrust", "alice").out
    refused(clawd("keys", "untrust", "alice"), "no key named 'alice' is trusted")


@pytest.mark.usefixtures("cheap", "secret")
def test_a_key_is_never_overwritten(clawd: Clawd, place: Path) -> None:
    clawd("keys", "new", "alice")
    before = disk(place)
    refused(clawd("keys", "new", "alice"), "never overwritten")
    assert disk(place) == before


def test_without_a_terminal_the_passphrase_is_missed(console: Clawd, place: Path) -> None:
    before = disk(place)
    refused(console("keys", "new", "alice"), "no terminal to ask", "CLAWD_KEY_PASSPHRASE")
    assert disk(place) == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("keys new ../alice", ("cannot name a key",)),
        ("keys new bob --passphrase secret123", ("no such option",)),
        ("keys show bob", ("there is no key 'bob'", "clawd keys new bob")),
        ("keys trust bob", ("there is no key 'bob'",)),
        ("keys trust bob.pub", ("bob.pub", "No such file")),
        ("keys trust cross.toml", ("cross.toml", "no clawd public key file")),
        ("keys trust two", ("two",)),
        ("keys untrust bob", ("no key named 'bob' is trusted",)),
    ],
)
@pytest.mark.usefixtures("secret")
def test_mistakes_are_one_line(clawd: Clawd, line: str, words: tuple[str, ...]) -> None:
    outcome = clawd(*line.split())
    refused(Outcome(outcome.code, outcome.out, outcome.err.replace("No such option", "no such option")), *words)


def test_a_short_passphrase_is_refused(clawd: Clawd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWD_KEY_PASSPHRASE", "short")
    refused(clawd("keys", "new", "alice"), "the passphrase has 5 characters", "8 at least")


def at_a_terminal(typed: str, *arguments: str) -> tuple[int, str]:
    """Run a command at a terminal of its own, where somebody types; all that the terminal shows."""
    above, below = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(Path(package.__file__).parents[1])}
    child = subprocess.Popen(
        [sys.executable, "-m", "clawd", *arguments],
        stdin=below,
        stdout=below,
        stderr=below,
        env=environment,
        start_new_session=True,
    )
    os.close(below)
    shown = ""
    answers = typed.splitlines()
    try:
        while chunk := os.read(above, 4096):
            shown += chunk.decode()
            if shown.endswith(": ") and answers:
                os.write(above, answers.pop(0).encode() + b"\n")
    except OSError:  # the terminal is gone with its last user
        pass
    os.close(above)
    return child.wait(timeout=60), shown


def test_at_a_terminal_it_is_asked_for_twice_and_not_shown(place: Path) -> None:
    code, shown = at_a_terminal(f"{SECRET}\n{SECRET}\n", "keys", "new", "alice")
    assert code == 0
    assert "Passphrase of alice: " in shown
    assert "Once more: " in shown
    assert SECRET not in shown
    assert keys.unlock(keys.find_key(place / "home", "alice"), SECRET)


def test_a_slip_makes_no_key(place: Path) -> None:
    code, shown = at_a_terminal(f"{SECRET}\n{SECRET}x\n", "keys", "new", "alice")
    assert code == 2
    assert "the passphrases differ" in shown
    assert not (place / "home" / "keys").exists()
