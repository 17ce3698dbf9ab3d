"""What an agent has decided about an instrument, and must remember to decide again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stance:
    """An agent's last word on an instrument.

    Attributes:
        acted: the exposure that it acted on last; None where the next decision must act.
        shut: the side that an exit closed and that may not be entered again yet, 1 or -1; 0 for none.
        shut_at: when that was, UTC nanoseconds.
    """

    acted: float | None = 0.0
    shut: int = 0
    shut_at: int = 0
