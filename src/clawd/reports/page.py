"""The frame of a report: its colours, style and script, all within the page: it loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from importlib import resources

from clawd.reports.html import Html, joined, tag
from clawd.reports.svg import SHAPES

LIGHT: Mapping[str, str] = {
    "bg": "#F6F8FA",
    "surface": "#FFFFFF",
    "raised": "#EEF2F6",
    "border": "#D5DCE4",
    "strong": "#76838F",
    "text": "#10161D",
    "text2": "#44505D",
    "text3": "#596673",
    "accent": "#2F5BD8",
    "gain": "#0B6E78",
    "loss": "#B23A0E",
    "warn": "#7A5600",
}
DARK: Mapping[str, str] = {
    "bg": "#0B0F14",
    "surface": "#121821",
    "raised": "#1A222D",
    "border": "#2B3644",
    "strong": "#6B7A8D",
    "text": "#E6EBF2",
    "text2": "#A9B4C2",
    "text3": "#8B98A8",
    "accent": "#7AA2FF",
    "gain": "#2BD4CF",
    "loss": "#FF7043",
    "warn": "#F2C14E",
}

#: Percent of the gain or loss colour in each shade of the monthly table.
SHADES = (8, 18, 29, 40)

_HERE = resources.files("clawd.reports")
_CSS = _HERE.joinpath("report.css").read_text(encoding="utf-8")
_SCRIPT = _HERE.joinpath("report.js").read_text(encoding="utf-8")


def page(title: str, header: Html, content: Html, footer: Html) -> str:
    """A whole HTML document that loads nothing and may load nothing."""
    css, script = _style(), Html(_SCRIPT)
    # Were an escape ever missed, the browser would still run no other script and load no other file.
    policy = (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(css)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", css),
    )
    body = tag(
        "body",
        SHAPES,
        tag("header", header),
        tag("main", content),
        tag("footer", footer),
        tag("script", script),
    )
    return f"<!DOCTYPE html>\n{tag('html', joined((head, body)), lang='en')}\n"


def _style() -> Html:
    shades = "".join(
        f".{name}-{index}{{background:color-mix(in srgb,var(--{name}) {part}%,var(--surface))}}\n"
        for name in ("gain", "loss")
        for index, part in enumerate(SHADES, start=1)
    )
    dark = f"@media screen and (prefers-color-scheme:dark){{{_tokens(DARK)}}}"
    return Html(f"{_tokens(LIGHT)}\n{dark}{_CSS}{shades}")


def _tokens(colours: Mapping[str, str]) -> str:
    return f":root{{{';'.join(f'--{name}:{value}' for name, value in colours.items())}}}"


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
