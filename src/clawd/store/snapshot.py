"""A snapshot: what a fold of the journal had come to at an entry, so that a start need not fold all of it again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Final

#: How many snapshots of a fold are kept: if the last is damaged, the one before it is still there.
KEPT: Final = 2


class SnapshotIgnoredWarning(UserWarning):
    """A snapshot that does not fit the journal was passed over; the start takes longer and comes to the same."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of one fold after one entry.

    Attributes:
        seq, hash: of the last entry that was folded.
        fold: which fold, a printable name.
        version: of the fold's rules and of the body's layout, printable; another version's snapshots mean nothing.
        body: the state, as the fold writes it.
    """

    seq: int
    hash: str
    fold: str
    version: str
    body: bytes

    def __post_init__(self) -> None:
        for word in (self.fold, self.version):
            if not word or not word.isprintable():
                raise ValueError(f"a fold and its version are named in printable characters, not {word!r}")

    @property
    def digest(self) -> str:
        """SHA-256 over everything that the snapshot says."""
        names = json.dumps([self.seq, self.hash, self.fold, self.version]).encode()
        return hashlib.sha256(names + b"\n" + self.body).hexdigest()
