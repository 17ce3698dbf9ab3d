"""HTML that is escaped by construction: plain text becomes HTML only by way of this file."""

from __future__ import annotations

import html
from collections.abc import Iterable

_VOID = frozenset({"br", "meta"})


class Html(str):
    """Text that is HTML already. A plain `str` is not, and is escaped wherever it is put into a page."""

    __slots__ = ()


def escaped(text: str) -> Html:
    """A text as HTML. Already escaped text stays as it is."""
    if isinstance(text, Html):
        return text
    printable = "".join(c if c >= " " or c in "\n\t" else "\ufffd" for c in text)
    return Html(html.escape(printable.encode("utf-8", "replace").decode("utf-8")))


def joined(parts: Iterable[str], between: str = "") -> Html:
    """Texts one after the other, each escaped."""
    return Html(escaped(between).join(escaped(part) for part in parts))


def tag(name: str, /, *children: str, **attributes: str | float | bool | None) -> Html:
    """An element.

    Args:
        name: of the element.
        children: what it holds, escaped unless it is HTML.
        attributes: by name; ``class_`` is class and ``aria_label`` aria-label; None and False are left out,
            True stands without a value.
    """
    words = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        words.append(label if value is True else f'{label}="{escaped(str(value))}"')
    start = f"<{' '.join(words)}>"
    return Html(start if name in _VOID else f"{start}{joined(children)}</{name}>")
