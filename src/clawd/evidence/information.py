"""The information rule: only bars that the author could not know of count as evidence.

A bar counts for a hypothesis when it comes after everything that whoever wrote it may have seen:

* the bars that its author was shown, and the author of every book that it was bred against: an equity curve, a verdict
  or one promotion is a look at all of the bars behind it, whoever reads it out;
* the results that were shown to everybody in this home, such as those of a vault;
* what the author may know from elsewhere: a strategy from a paper knows the years before its publication, and a
  language model everything before the end of its training;
* live, the moment of registration: a bar under way has been seen in part.

When in doubt a source belongs in the list: a bar too few costs power, a bar too many costs the proof.
"""

from __future__ import annotations

from collections.abc import Iterable


def counts_from(
    shown: Iterable[int | None] = (), known: Iterable[int | None] = (), registered_at: int | None = None
) -> int:
    """The earliest open that the first bar which counts may have, UTC nanoseconds; 0 where nobody has seen anything.

    Args:
        shown: the open of the last bar that each author concerned was shown, UTC nanoseconds, or None for nothing. The
            bar itself does not count, the next one does.
        known: moments up to which an author may know the world, such as a paper's publication; None for no such limit.
            A bar that opens at that moment counts, one that is under way does not.
        registered_at: when the hypothesis was registered, for bars that come live; None for recorded ones.

    Returns:
        The answer for bars that open at any time; the first bar that counts is the first that opens then or later.
    """
    seen = [until + 1 for until in shown if until is not None]
    moments = [moment for moment in (*known, registered_at) if moment is not None]
    return max([*seen, *moments], default=0)
