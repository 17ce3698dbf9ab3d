"""How long the dealer waits for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in nanoseconds.

    Attributes:
        answer: after this long without an answer, what became of an order is not known.
        settling: an order that a venue does not know may still be on its way to it for this long.
        first_query, longest_query: between two questions about the same order; doubled from the first to the longest.
        reconcile: between two reports on the whole account.
        overlap: a report on the account is asked for the fills since this long before the last that agreed.
        reconciled: while all agrees, it is written down this often.
        entry: an entry that could not be sent for this long is given up.
        silence: a mark that is older is stale.
        blind: a position whose mark is stale for this long is closed with all others.
        mark: what the account is worth is written down this often.
        longest_silence: a venue that wants to hear nothing is not heeded for longer.
        close: between two attempts to close a position that would not close; doubled up to ``longest_query``.
    """

    answer: int = 5 * _SECOND
    settling: int = 30 * _SECOND
    first_query: int = 1 * _SECOND
    longest_query: int = 60 * _SECOND
    reconcile: int = 30 * _SECOND
    overlap: int = 3600 * _SECOND
    reconciled: int = 3600 * _SECOND
    entry: int = 10 * _SECOND
    silence: int = 30 * _SECOND
    blind: int = 900 * _SECOND
    mark: int = 900 * _SECOND
    longest_silence: int = 600 * _SECOND
    close: int = 2 * _SECOND

    def backoff(self, attempt: int, share: float, first: int | None = None) -> int:
        """How long to wait after an attempt, counted from 0; half of it is spread by a share in [0, 1)."""
        whole = min((first or self.first_query) << min(attempt, 20), self.longest_query)
        return whole // 2 + int(whole * share) // 2
