"""Strategies that a person has saved in a home: the text in ``strategies/NAME.toml``, how it is drawn beside it.

The text is a strategy file like any other, and always a valid one. What is not valid yet is a draft; it lies with the
drawing, in ``NAME.layout``. Every save is one revision further, and one that does not know the last is refused. A text
that was changed with an editor in between counts as a revision of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clawd.core.errors import ClawdError
from clawd.language.strategy import LARGEST_FILE
from clawd.store.lock import take_lock
from clawd.store.whole_file import write_whole

JSON = Mapping[str, object]
#: A name is part of a path: small letters, digits, - and _, and none of the words of a file system.
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}", re.ASCII)
#: Strategies in one home.
MOST_SAVED: Final = 2_000
_REMOVED: Final = "removed"


class RevisionError(ClawdError):
    """Somebody has saved it in the meantime."""

    def __init__(self, saved: Saved) -> None:
        super().__init__(
            f"`{saved.name}` has been saved in the meantime, as revision {saved.revision}",
            where=saved.name,
            hint="load it again, or save yours under another name",
        )
        self.saved = saved


class GoneError(ClawdError):
    """Somebody has removed it in the meantime."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved strategy.

    Attributes:
        name: of its file, without the ending.
        revision: counted from 1.
        saved_at: UTC nanoseconds; 0 where only an editor has written it.
        text: the last valid text, None where there has been none.
        drawing: the graph as it was drawn, the viewport and whatever else the page wants back; empty where the text
            was changed with an editor and nothing was drawn.
        draft: what is not valid yet, ``form`` and ``content``; None where the text is all.
        edited: whether the text is another than the one that the drawing was saved with.
    """

    name: str
    revision: int
    saved_at: int
    text: str | None
    drawing: JSON
    draft: JSON | None
    edited: bool


def check_name(name: str) -> str:
    """A name that can be a file's.

    Raises:
        ClawdError: when it cannot.
    """
    if not NAME.fullmatch(name):
        raise ClawdError(
            "a strategy is saved under 1 to 60 small letters, digits, - and _, beginning with a letter or digit",
            where="name",
            hint="such as my-trend-2; what the strategy itself is called may be anything",
        )
    return name


def saved_strategies(home: Path) -> list[Saved]:
    """Every one that can be read, by name, at most :data:`MOST_SAVED`."""
    folder = home / "strategies"
    names = {path.stem for ending in ("toml", "layout") for path in folder.glob(f"*.{ending}")}
    found = (read_saved(home, name) for name in sorted(names)[:MOST_SAVED] if NAME.fullmatch(name))
    return [each for each in found if each is not None]


def read_saved(home: Path, name: str) -> Saved | None:
    """One of them, None where there is none of this name.

    Raises:
        ClawdError: for what is no name, or cannot be read.
    """
    text_path, layout_path = _paths(home, check_name(name))
    text, layout = _read(text_path), _layout(layout_path)
    if text is None and layout is None:
        return None
    layout = layout or {}
    edited = _digest(text) != layout.get("text_sha256")
    drawing, draft = layout.get("drawing"), layout.get("draft")
    return Saved(
        name,
        _whole(layout.get("revision")) + edited,
        _whole(layout.get("saved_at")),
        text,
        drawing if isinstance(drawing, dict) else {},
        draft if isinstance(draft, dict) and not edited else None,
        edited,
    )


def save(home: Path, name: str, revision: int, text: str | None, drawing: JSON, draft: JSON | None, now: int) -> Saved:
    """Save a strategy, or what is to become one.

    Args:
        revision: the one that was edited, 0 for a new one.
        text: a valid text; None keeps the one that is there.
        drawing: see :class:`Saved`.
        draft: what is not valid yet.
        now: UTC nanoseconds.

    Raises:
        RevisionError: when another revision is there.
        GoneError: when it was removed.
        ClawdError: when it cannot be written.
    """
    with _locked(home):
        before = read_saved(home, name)
        if (before.revision if before else 0) != revision:
            if before is None:
                raise GoneError(f"`{name}` has been removed in the meantime", where=name, hint="save yours as a copy")
            raise RevisionError(before)
        if before is None and len(saved_strategies(home)) >= MOST_SAVED:
            raise ClawdError(f"there are {MOST_SAVED:,} strategies", hint="remove some that are not needed")
        kept = text if text is not None else before.text if before else None
        text_path, layout_path = _paths(home, name)
        if text is not None and (before is None or text != before.text):
            write_whole(text_path, text)
        form = {
            "clawd": 1,
            "revision": revision + 1,
            "saved_at": now,
            "text_sha256": _digest(kept),
            "drawing": drawing,
            "draft": draft,
        }
        write_whole(layout_path, json.dumps(form, ensure_ascii=False) + "\n")
    return Saved(name, revision + 1, now, kept, drawing, draft, edited=False)


def remove(home: Path, name: str) -> str:
    """Set a strategy aside; nothing is deleted.

    Returns:
        The name under which :func:`put_back` finds it.

    Raises:
        ClawdError: when there is none.
    """
    with _locked(home):
        if read_saved(home, name) is None:
            raise ClawdError(f"there is no saved strategy `{name}`", where=name)
        aside = home / "strategies" / _REMOVED
        aside.mkdir(exist_ok=True)
        taken = {path.stem for path in aside.iterdir()}
        ticket = next(word for number in range(1, 10**9) if (word := f"{name}.{number}") not in taken)
        for path in _paths(home, name):
            if path.exists():
                path.replace(aside / f"{ticket}{path.suffix}")
    return ticket


def put_back(home: Path, ticket: str) -> Saved:
    """Undo :func:`remove`.

    Raises:
        ClawdError: when nothing was removed under this name, or its place is taken.
    """
    name, _, number = ticket.partition(".")
    check_name(name)
    with _locked(home):
        aside = home / "strategies" / _REMOVED
        there = [aside / f"{ticket}.{ending}" for ending in ("toml", "layout") if number.isascii() and number.isdigit()]
        there = [path for path in there if path.exists()]
        if not there:
            raise ClawdError(f"nothing was removed as `{ticket[:80]}`")
        if read_saved(home, name) is not None:
            raise ClawdError(f"there is a strategy `{name}` again", where=name, hint="remove or rename that one first")
        for path in there:
            path.replace(home / "strategies" / f"{name}{path.suffix}")
        saved = read_saved(home, name)
    assert saved is not None
    return saved


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    folder = home / "strategies"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ClawdError(f"cannot be made: {error.strerror}", where=str(folder)) from None
    with take_lock(folder / ".saving", "folder of strategies", wait=True):
        yield


def _paths(home: Path, name: str) -> tuple[Path, Path]:
    folder = home / "strategies"
    return folder / f"{name}.toml", folder / f"{name}.layout"


def _read(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise ClawdError("not UTF-8 text", where=path.name, hint="a strategy is a text file") from None
    except OSError as error:
        raise ClawdError(f"cannot be read: {error.strerror}", where=path.name) from None


def _layout(path: Path) -> dict[str, object] | None:
    """A drawing that cannot be read is as good as none: the text is what counts."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return table if isinstance(table, dict) else None


def _digest(text: str | None) -> str | None:
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
