"""An entry of the journal: what it may hold, how it is written down, and its hash. The same wherever it is stored."""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

#: An entry as it is stored: seq, ts, kind, the text of the body, hash.
Row: TypeAlias = tuple[int, int, str, str, str]

#: The hash before the first entry.
GENESIS: Final = "0" * 64

_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=True
).encode


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    Attributes:
        seq: its place in the journal, counted from 1 without gaps.
        ts: when, UTC nanoseconds since 1970.
        kind: what sort of thing, one printable word or dotted name.
        body: its content, exactly as every later reading will give it.
        hash: 64 hex digits over this entry and, through the hash before it, over all before it.
    """

    seq: int
    ts: int
    kind: str
    body: dict[str, JSON]
    hash: str


def prepare(ts: int, kind: str, body: Mapping[str, JSON]) -> tuple[int, str, str, dict[str, JSON]]:
    """A record as it will be stored and as it will be read back: time, kind, text and content of the body.

    What one storage would refuse is refused for all. A NUL within a text is none to them: JSON writes it as an escape.

    Raises:
        ValueError, TypeError, OverflowError: for what JSON cannot hold unchanged (NaN, infinities, Decimals, tuples,
            keys that are not text, halves of surrogate pairs), a kind that is not a printable word, or a time beyond
            64 bits.
    """
    if not kind or not kind.isprintable() or " " in kind:
        raise ValueError(f"a kind is one printable word, not {kind!r}")
    plain = dict(body)
    text = _encode(plain)
    text.encode()  # lone surrogates are refused here, before the transaction
    back: dict[str, JSON] = json.loads(text)
    if back != plain:
        raise TypeError(f"the body of a {kind} does not read back as it was given: {plain!r}")
    time = operator.index(ts)  # SQLite would store a numpy integer as its bytes
    if not -(2**63) <= time < 2**63:
        raise OverflowError(f"the time {time} of a {kind} does not fit in 64 bits")
    return time, kind, text, back


def entry_hash(previous: bytes, seq: int, ts: int, kind: bytes, body: bytes) -> str:
    """SHA-256 over the hash before, the number, the time, the kind and the body's text, a line each."""
    return hashlib.sha256(b"%s\n%d\n%d\n%s\n%s" % (previous, seq, ts, kind, body)).hexdigest()
