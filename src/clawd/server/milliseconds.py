"""Times on the wire: milliseconds since 1970, UTC."""

from __future__ import annotations

from typing import overload

_NANOSECONDS = 1_000_000


@overload
def milliseconds(nanoseconds: int) -> float: ...
@overload
def milliseconds(nanoseconds: None) -> None: ...
def milliseconds(nanoseconds: int | None) -> float | None:
    """A time of ours as the interface has it; what is unknown stays so."""
    return None if nanoseconds is None else nanoseconds / _NANOSECONDS
