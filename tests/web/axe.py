"""What axe-core finds wrong with a page: the accessibility rules of WCAG 2.0 to 2.2, levels A and AA."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async ([within, runOnly]) => (await axe.run(within === null ? document : document.querySelector(within), {
  runOnly, resultTypes: ['violations'], preload: false,
})).violations"""
_EVERY_RULE = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
#: Those that ask for a colour; every other finds the same in the dark as in the light.
_RULES_OF_COLOUR = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
#: The colours stand once nothing moves, but for what moves for ever.
_AT_REST = """async scheme => {
  const root = document.documentElement
  while (root.dataset.mantineColorScheme !== scheme) await new Promise(requestAnimationFrame)
  await new Promise(requestAnimationFrame)
  const moving = document.getAnimations().filter(each => each.effect.getComputedTiming().endTime !== Infinity)
  await Promise.allSettled(moving.map(each => each.finished))
}"""


def axe_violations(page: Page, within: str | None = None, rules: dict[str, Any] = _EVERY_RULE) -> list[str]:
    """Each violation on a page as it stands: the rule, the element and what is wrong with it; none when it is fine.

    The script goes in past the page's Content-Security-Policy. ``within`` selects the part that is looked at.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.read_text())
    violations: list[dict[str, Any]] = page.evaluate(_RUN, [within, rules])
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))} {node['html'][:160]} {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


def axe_violations_in_both_schemes(page: Page, within: str | None = None) -> list[str]:
    """The same of a page that follows the system, in the light and, as far as colours go, in the dark."""
    in_scheme(page, "dark")
    found = axe_violations(page, within, _RULES_OF_COLOUR)
    in_scheme(page, "light")
    return found + axe_violations(page, within)


def in_scheme(page: Page, scheme: Literal["dark", "light"]) -> None:
    """Show a page that follows the system, as it does until somebody chooses, in one of the schemes."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(_AT_REST, scheme)
