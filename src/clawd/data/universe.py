"""Which of the bars that a source has are meant by the names in a universe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clawd.core.clock import duration
from clawd.core.errors import ClawdError, suggestion


@dataclass(frozen=True)
class Offer:
    """Bars that a source has, not yet read.

    Attributes:
        name: exact: a symbol of the catalog or the stem of a file.
        instrument: the part of the name that names the instrument.
        path: the file.
    """

    name: str
    instrument: str
    path: Path


BarOf = Callable[[Offer], int]


def chosen(
    offers: Sequence[Offer], universe: Sequence[str] | None, bar: int | None, bar_of: BarOf, where: str
) -> tuple[list[Offer], int]:
    """The offers that a universe means, each once, and the duration of their bars in nanoseconds.

    A name means the offer of exactly that name, else the one instrument of that name without regard to case
    and to the signs ``/ : -``. Without a universe all offers are meant. A given bar size narrows what several
    could be.

    Args:
        offers: what the source has.
        universe: names in any order; None or empty for all.
        bar: wanted duration of a bar in nanoseconds, None for the only one there is.
        bar_of: measures the duration of an offer's bars; it is asked only where that matters.
        where: the source, for errors.

    Raises:
        ClawdError: a name is unknown or ambiguous, or the bars are of several sizes.
    """
    if not offers:
        raise ClawdError("there are no bars here", where=where, hint="bars have the columns ts, open, high, low, close")
    bar_of = cache(bar_of)
    if universe:
        meant = dict.fromkeys(_named(offers, name, bar, bar_of, where) for name in universe)
        sizes = {offer: bar_of(offer) for offer in meant}
    else:
        sizes = {offer: bar_of(offer) for offer in offers}
        if bar is not None:
            there = sizes
            sizes = {offer: size for offer, size in there.items() if size == bar}
            if not sizes:
                hint = f"there are bars of {_by_size(there)}"
                raise ClawdError(f"there are no {duration(bar)} bars here", where=where, hint=hint)
    if len(set(sizes.values())) > 1:
        hint = "pass --bar, or a --universe of instruments with one bar size"
        raise ClawdError(f"the bars are of several sizes: {_by_size(sizes)}", where=where, hint=hint)
    return list(sizes), next(iter(sizes.values()))


def symbols(offers: Sequence[Offer]) -> list[str]:
    """The symbol of each offer: its instrument where no other has the same, else its name."""
    instruments = [offer.instrument for offer in offers]
    return [offer.instrument if instruments.count(offer.instrument) == 1 else offer.name for offer in offers]


def _named(offers: Sequence[Offer], name: str, bar: int | None, bar_of: BarOf, where: str) -> Offer:
    place = f"{where}: {name}"
    fitting = [offer for offer in offers if offer.name == name]
    fitting = fitting or [offer for offer in offers if _plain(offer.instrument) == _plain(name)]
    if not fitting:
        known = {text for offer in offers for text in (offer.name, offer.instrument)}
        names = sorted({offer.instrument for offer in offers})
        listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        raise ClawdError(
            "there is no such instrument", where=place, hint=suggestion(name, known) or f"there are {listed}"
        )
    if len(fitting) == 1 and bar is None:
        return fitting[0]
    sizes = {offer: bar_of(offer) for offer in fitting}
    of_size = [offer for offer, size in sizes.items() if bar in (None, size)]
    if bar is not None and not of_size:
        raise ClawdError(f"there are no {duration(bar)} bars of it, only {_listed(sizes)}", where=place)
    if len(of_size) > 1:
        what = f"this could be any of {_listed({offer: sizes[offer] for offer in of_size})}"
        raise ClawdError(what, where=place, hint="give the exact name, or the bar size with --bar")
    return of_size[0]


def _plain(name: str) -> str:
    return name.casefold().translate({ord(sign): None for sign in "/:-"})


def _listed(sizes: dict[Offer, int]) -> str:
    shown = [f"{offer.name} ({duration(size)})" for offer, size in sorted(sizes.items(), key=lambda item: item[0].name)]
    return ", ".join(shown[:12]) + (f" and {len(shown) - 12} more" if len(shown) > 12 else "")


def _by_size(sizes: dict[Offer, int]) -> str:
    shown = []
    for size in sorted(set(sizes.values())):
        names = sorted(offer.name for offer in sizes if sizes[offer] == size)
        shown.append(f"{duration(size)} ({names[0]}" + (f" and {len(names) - 1} more)" if names[1:] else ")"))
    return ", ".join(shown)
