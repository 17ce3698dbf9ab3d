"""The fleet's list: strategies that a person wants tried on paper beside the library, in ``fleet.json`` of a home.

Each is kept as the text that was deployed: what is edited afterwards changes nothing that trades. `clawd up` reads the
list when it starts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from clawd.core.errors import ClawdError
from clawd.language.strategy import parse_toml
from clawd.store.lock import take_lock
from clawd.store.strategies import check_name
from clawd.store.whole_file import write_whole

#: Strategies on the list.
MOST_LISTED: Final = 500
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Listed:
    """A strategy on the list.

    Attributes:
        name: under which it was saved.
        text: as it was deployed, a strategy file.
        content_hash: of the strategy.
        added_at: UTC nanoseconds.
        by: who deployed it.
    """

    name: str
    text: str
    content_hash: str
    added_at: int
    by: str


def read_fleet_list(home: Path) -> tuple[Listed, ...]:
    """The list in the order in which it was made; empty where there is none.

    Raises:
        ClawdError: when the file is there and is no such list.
    """
    path = home / "fleet.json"
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        if table["clawd"] != _VERSION:
            raise ClawdError("made by another version", where=str(path), hint="use that version, or set the file aside")
        listed = tuple(Listed(**entry) for entry in table["strategies"])
        for each in listed:
            check_name(each.name)
            parse_toml(each.text)
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ClawdError(f"not a list of strategies: {error}", where=str(path), hint="set the file aside") from None
    return listed


def add_to_fleet(home: Path, name: str, text: str, now: int, by: str) -> Listed:
    """Put a strategy on the list, in the place of an earlier one of its name.

    Args:
        name: under which it is saved.
        text: of a valid strategy.
        now: UTC nanoseconds.
        by: who does so.

    Raises:
        ClawdError: when it is no strategy, when the same is on the list already, or when the list is full.
    """
    strategy = parse_toml(text)
    check_name(name)
    new = Listed(name, text, strategy.content_hash, now, by)
    with _locked(home):
        listed = read_fleet_list(home)
        for each in listed:
            if each.content_hash == new.content_hash:
                raise ClawdError(f"the fleet already tries this very strategy, as `{each.name}`", where=name)
        kept = [each for each in listed if each.name != name]
        if len(kept) >= MOST_LISTED:
            raise ClawdError(f"the fleet's list has {MOST_LISTED} strategies", hint="take some off first")
        _write(home, (*kept, new))
    return new


def take_off_fleet(home: Path, name: str) -> Listed:
    """Take a strategy off the list.

    Raises:
        ClawdError: when it is not on it.
    """
    with _locked(home):
        listed = read_fleet_list(home)
        gone = next((each for each in listed if each.name == name), None)
        if gone is None:
            raise ClawdError(f"`{name[:80]}` is not on the fleet's list", where="name")
        _write(home, tuple(each for each in listed if each is not gone))
    return gone


def fleet_files(home: Path) -> tuple[str, ...]:
    """A file for each strategy of the list, as it was deployed: what `clawd up` is told to try beside the library.

    Raises:
        ClawdError: when the list cannot be read or a file not be written.
    """
    files = []
    for each in read_fleet_list(home):
        path = home / "fleet" / f"{each.name}.toml"
        if not path.is_file() or path.read_text(encoding="utf-8") != each.text:
            write_whole(path, each.text)
        files.append(str(path))
    return tuple(files)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClawdError(f"cannot be made: {error.strerror}", where=str(home)) from None
    with take_lock(home / "fleet.json", "fleet's list", wait=True):
        yield


def _write(home: Path, listed: tuple[Listed, ...]) -> None:
    form = {"clawd": _VERSION, "strategies": [asdict(each) for each in listed]}
    write_whole(home / "fleet.json", json.dumps(form, indent=1, ensure_ascii=False) + "\n")
