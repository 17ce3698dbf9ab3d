"""The figures at the head of a report."""

from __future__ import annotations

from collections.abc import Sequence

from clawd.reports.html import Html, tag

#: A figure: its name, its value, the class of its colour where it has one, and a note below it.
Card = tuple[str, str, str | None, str]


def cards(figures: Sequence[Card]) -> Html:
    """Figures that are read first, side by side."""
    return tag(
        "dl",
        *(
            tag(
                "div",
                tag("dt", name),
                tag("dd", value, class_=f"value {colour}" if colour else "value"),
                tag("dd", note, class_="note"),
            )
            for name, value, colour, note in figures
        ),
        class_="cards",
        aria_label="Key figures",
    )
