"""Three periods by time: a search that is free, a selection whose looks are counted, a vault that opens once."""

from __future__ import annotations

from dataclasses import dataclass

from clawd.core.errors import ClawdError

#: Shares of the bars that are searched and selected on; the vault has the rest.
SEARCH_SHARE, SELECTION_SHARE = 0.6, 0.2
#: Fewer bars than this leave too little in every period.
FEWEST_BARS = 300


@dataclass(frozen=True, slots=True)
class Periods:
    """Bars by their indices: the search has [0, selection), the selection [selection, vault), the vault [vault, end).

    Attributes:
        selection, vault, end: where each of the later periods begins, and where the bars end.
    """

    selection: int
    vault: int
    end: int


def split(bars: int) -> Periods:
    """The periods of so many bars: 60 % search, 20 % selection, 20 % vault, cut by time and never shuffled.

    Raises:
        ClawdError: when there are too few bars to be cut.
    """
    if bars < FEWEST_BARS:
        raise ClawdError(
            f"the market has {bars} bars, too few to search, to select and to prove on",
            hint=f"at least {FEWEST_BARS} are needed",
        )
    selection = int(bars * SEARCH_SHARE)
    # The shares are added before they are cut: floats make 0.6 + 0.2 of 1,000 bars 800, and not 799.
    return Periods(selection, int(bars * round(SEARCH_SHARE + SELECTION_SHARE, 9)), bars)
