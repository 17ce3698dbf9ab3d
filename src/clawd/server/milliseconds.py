"""Times on the wire: milliseconds since 1970, UTC."""

from __future__ import annotations

from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

#: In nanoseconds.
MILLISECOND: Final = 1_000_000


@overload
def milliseconds(nanoseconds: int) -> float: ...
@overload
def milliseconds(nanoseconds: None) -> None: ...
def milliseconds(nanoseconds: int | None) -> float | None:
    """A time of ours as the interface has it; what is unknown stays so."""
    return None if nanoseconds is None else nanoseconds / MILLISECOND


def each_in_milliseconds(nanoseconds: NDArray[np.int64]) -> list[float]:
    """The times of a series as the interface has them."""
    return [time / MILLISECOND for time in nanoseconds.tolist()]
