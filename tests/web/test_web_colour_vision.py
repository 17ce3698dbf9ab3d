"""Gains and losses as people see them who lack a kind of cone, in a browser that emulates their eyes."""

from __future__ import annotations

import base64
import math

import pytest
from playwright.sync_api import CDPSession, Page
from web_server import Served

#: The colour of the letters in a picture: the one that is furthest from that of its corner.
_LETTERS = """async picture => {
  const blob = await (await fetch('data:image/png;base64,' + picture)).blob()
  const image = await createImageBitmap(blob)
  const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')
  canvas.drawImage(image, 0, 0)
  const { data } = canvas.getImageData(0, 0, image.width, image.height)
  const away = at => [0, 1, 2].reduce((sum, k) => sum + (data[at + k] - data[k]) ** 2, 0)
  let best = 0
  for (let at = 0; at < data.length; at += 4) if (away(at) > away(best)) best = at
  return [...data.slice(best, best + 3)]
}"""

#: Of two colours that are told apart at a glance; 2.3 is what can just be seen.
APART = 20.0


def lab(colour: list[int]) -> tuple[float, float, float]:
    """CIE L*a*b* of an sRGB colour (IEC 61966-2-1, D65; CIE 15)."""
    linear = [c / 12.92 if (c := value / 255) <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for value in colour]
    matrix = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
    white = (0.9505, 1.0, 1.089)
    ratios = [sum(m * v for m, v in zip(row, linear, strict=True)) / n for row, n in zip(matrix, white, strict=True)]
    x, y, z = (t ** (1 / 3) if t > (6 / 29) ** 3 else t / (3 * (6 / 29) ** 2) + 4 / 29 for t in ratios)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_the_formula_gives_the_known_values_of_a_colour() -> None:
    """Pure red in L*a*b*: 53.24, 80.09, 67.20 (Lindbloom's calculator)."""
    assert lab([255, 0, 0]) == pytest.approx((53.24, 80.09, 67.20), abs=0.05)
    assert lab([255, 255, 255]) == pytest.approx((100, 0, 0), abs=0.02)


def distance(page: Page, eyes: CDPSession, deficiency: str, decoder: Page) -> float:
    """How far a gain lies from a loss, CIE76, for somebody with a deficiency."""
    eyes.send("Emulation.setEmulatedVisionDeficiency", {"type": deficiency})
    letters = []
    for name in ("gain", "loss"):
        picture = page.locator(f"p > .{name}").first.screenshot()
        letters.append(lab(decoder.evaluate(_LETTERS, base64.b64encode(picture).decode())))
    return math.dist(*letters)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_gains_and_losses_are_told_apart_without_red_green_or_blue_cones(page: Page, web: Served, theme: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(f"{web.url}/settings")
    page.locator("p > .gain").first.wait_for()
    decoder = page.context.new_page()
    eyes = page.context.new_cdp_session(page)
    for colours in ("teal-orange", "blue-orange"):
        page.evaluate("colours => document.documentElement.dataset.profitColours = colours", colours)
        for deficiency in ("none", "protanopia", "deuteranopia", "tritanopia"):
            apart = distance(page, eyes, deficiency, decoder)
            assert apart > APART, f"{colours} with {deficiency}: {apart:.0f}"
    # What these eyes cannot tell apart is seen to be so: the emulation works. It is why sign and shape say it too.
    page.evaluate("document.documentElement.dataset.profitColours = 'green-red'")
    assert distance(page, eyes, "none", decoder) > 2 * APART
    assert distance(page, eyes, "deuteranopia", decoder) < distance(page, eyes, "none", decoder) / 2
    assert page.locator("p > .gain").first.inner_text() == "▲ +12.30"
    assert page.locator("p > .loss").first.inner_text() == "▼ \N{MINUS SIGN}4.56"
