"""Charts drawn as SVG, without a library and without a script.

A chart is as wide as its page and its text never scales: the curves lie in an inner drawing that is
stretched, with strokes that are not; labels and markers lie around it at shares of its width and height.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from clawd.core.panel import Floats
from clawd.reports.html import Html, joined, tag

#: A logarithmic scale that spans more than this shows the rounding of a loss of everything, not the series.
_MOST_TIMES = 1e9

#: Width and height of the inner drawing in its own units.
_SPAN = 10_000

#: Share of the width that a label of the time axis needs, on a screen and on a phone.
_LABEL, _LABEL_ON_PHONE = 0.065, 0.2

#: The shapes of markers, put once on a page that uses them.
SHAPES = tag(
    "svg",
    tag(
        "defs",
        tag("path", id="up", d="M0-5L4.5 3.5H-4.5Z"),
        tag("path", id="down", d="M0 5L4.5-3.5H-4.5Z"),
        tag("circle", id="out", r="3"),
        tag("path", id="up-small", d="M0-3.5L3 2.5H-3Z"),
        tag("path", id="down-small", d="M0 3.5L3-2.5H-3Z"),
        tag("circle", id="out-small", r="2"),
    ),
    class_="shapes",
    width="0",
    height="0",
    aria_hidden="true",
)


@dataclass(frozen=True, slots=True)
class Scale:
    """The vertical axis: which value lies how high.

    Attributes:
        low, high: values at its ends, low below high; both above 0 where it is logarithmic.
        log: whether it is.
    """

    low: float
    high: float
    log: bool = False

    def depth(self, values: Floats) -> Floats:
        """How far below the top, as a share of the height."""
        if self.log:
            return (math.log(self.high) - np.log(values)) / (math.log(self.high) - math.log(self.low))
        return (self.high - values) / (self.high - self.low)

    def ticks(self, most: int = 6) -> list[float]:
        """Round values between the ends."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            for digits in ((1, 2, 5), (1, 3), (1,)):
                marks = [digit * 10.0**decade for decade in decades for digit in digits]
                inside = [mark for mark in marks if self.low <= mark <= self.high]
                if len(inside) <= most + 1:
                    break
            return inside
        step = _step((self.high - self.low) / most)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [index * step for index in range(first, last + 1)]

    def decimals(self, most: int = 6) -> int:
        """Decimals that tell its ticks apart."""
        step = self.low if self.log else _step((self.high - self.low) / most)
        return min(max(0, -math.floor(math.log10(step) + 1e-9)), 12)


def _step(least: float) -> float:
    decade = 10.0 ** math.floor(math.log10(least))
    return next(decade * digit for digit in (1, 2, 5, 10) if decade * digit >= least * (1 - 1e-9))


def fitted(series: Sequence[Floats], *, log_beyond: float = math.inf) -> Scale:
    """The scale that shows all of some series, with a little room; where nothing varies, with more.

    Args:
        series: values, NaN and infinities left out.
        log_beyond: how many times the lowest value the highest must be for a logarithmic scale.
    """
    values = np.concatenate([part.ravel() for part in series]) if series else np.empty(0)
    values = values[np.isfinite(values)]
    if not values.size:
        return Scale(0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if low > 0 and log_beyond < high / low < _MOST_TIMES:
        room = (high / low) ** 0.04
        return Scale(low / room, high * room, log=True)
    # Below a billionth of its size a series varies by rounding alone.
    flat = high - low <= 1e-9 * max(abs(low), abs(high))
    room = (abs(high) * 0.05 or 1.0) if flat else (high - low) * 0.04
    return Scale(low - room, high + room)


def line(xs: Floats, values: Floats, scale: Scale, css: str) -> Html:
    """A curve through points that are already few enough; NaN breaks it.

    Args:
        xs: shares of the width.
        values: at them.
        scale: of the values.
        css: its class.
    """
    return tag("path", d=_path(xs, values, scale), class_=f"line {css}")


def area(xs: Floats, values: Floats, base: float, scale: Scale, css: str) -> Html:
    """The area between a curve without gaps and a base value."""
    if not xs.size:
        return Html("")
    floor = _unit(scale.depth(np.array([base])))[0]
    left, right = _unit(xs[[0, -1]])
    return tag("path", d=f"{_path(xs, values, scale)}V{floor}H{left}Z" if right >= left else "", class_=f"area {css}")


def segments(ends: Sequence[tuple[float, float, float, float]], scale: Scale, css: str) -> Html:
    """Separate straight lines, each from one x and value to another."""
    if not ends:
        return Html("")
    table = np.array(ends)
    columns = (table[:, 0], scale.depth(table[:, 1]), table[:, 2], scale.depth(table[:, 3]))
    points = zip(*(_unit(column) for column in columns), strict=True)
    return tag("path", d="".join(f"M{a} {b}L{c} {d}" for a, b, c, d in points), class_=f"line {css}")


def marker(x: float, value: float, scale: Scale, shape: str, css: str) -> Html:
    """A marker of one of the :data:`SHAPES`."""
    y = float(scale.depth(np.array([value]))[0])
    return tag("use", href=f"#{shape}", x=_share(x), y=_share(y), class_=css)


def chart(
    label: str,
    scale: Scale,
    tick_text: Callable[[float], str],
    time_ticks: Sequence[tuple[float, str]],
    layers: Sequence[Html],
    *,
    markers: Sequence[Html] = (),
    size: str = "tall",
    tick_count: int = 6,
    dates: bool = True,
    baseline: float | None = None,
    described_by: str | None = None,
) -> Html:
    """A chart with its axes.

    Args:
        label: what it shows, for those who do not see it.
        scale: of the values, labelled on the right.
        tick_text: a value as its label.
        time_ticks: shares of the width and their labels.
        layers: curves and areas, the lowest first.
        markers: above them.
        size: the class of its height: tall, middle or low.
        tick_count: labels on the right at most.
        dates: whether the time axis is labelled, or only ruled for a chart that stands below.
        baseline: a value to be marked with a dashed rule.
        described_by: id of the text that says the same in words.
    """
    rules, labels = [], []
    for value in scale.ticks(tick_count):
        y = _share(float(scale.depth(np.array([value]))[0]))
        rules.append(tag("line", x1="0", x2="100%", y1=y, y2=y))
        labels.append(tag("text", tick_text(value), x="100%", y=y, dx="8", dy="0.35em"))
    last, last_on_phone = -1.0, -1.0
    for x, text in time_ticks:
        if x - last < _LABEL:
            continue
        last, css = x, "date"
        if x - last_on_phone < _LABEL_ON_PHONE:
            css = "date wide"
        else:
            last_on_phone = x
        rules.append(tag("line", x1=_share(x), x2=_share(x), y1="0", y2="100%", class_=css))
        if dates:
            anchor = "start" if x < 0.03 else "middle"
            labels.append(tag("text", text, x=_share(x), y="100%", dy="18", text_anchor=anchor, class_=css))
    if baseline is not None:
        y = _share(float(scale.depth(np.array([baseline]))[0]))
        rules.append(tag("line", x1="0", x2="100%", y1=y, y2=y, class_="baseline"))
    inner = tag(
        "svg",
        *layers,
        width="100%",
        height="100%",
        viewBox=f"0 0 {_SPAN} {_SPAN}",
        preserveAspectRatio="none",
    )
    return tag(
        "svg",
        tag("g", *rules, class_="rules"),
        inner,
        joined(markers),
        tag("g", *labels, class_="labels"),
        tag("line", y1="0", y2="100%", class_="crosshair", visibility="hidden"),
        class_=f"chart {size}{' dated' if dates else ''}",
        role="img",
        aria_label=label,
        aria_describedby=described_by,
    )


def _path(xs: Floats, values: Floats, scale: Scale) -> str:
    words, pen_is_down = [], False
    across, down = _unit(xs), _unit(scale.depth(values))
    for x, y, known in zip(across, down, np.isfinite(values).tolist(), strict=True):
        if known:
            words.append(f"{'L' if pen_is_down else 'M'}{x} {y}")
        pen_is_down = known
    # A stroke of no length still shows, as a dot: a bar between two gaps must not vanish.
    return "".join(words).replace("M", "h0M").removeprefix("h0") + "h0" if words else ""


def _unit(shares: Floats) -> list[int]:
    return np.nan_to_num(np.round(shares * _SPAN), posinf=0.0, neginf=0.0).astype(np.int64).tolist()  # type: ignore[no-any-return]


def _share(share: float) -> str:
    return f"{round(share * 100, 2):g}%"
