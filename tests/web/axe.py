"""What axe-core finds wrong with a page: the accessibility rules of WCAG 2.0 to 2.2, levels A and AA."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
_RUN = """async () => (await axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations'],
})).violations"""


def axe_violations(page: Page) -> list[str]:
    """Each violation on a page as it stands: the rule, the element and what is wrong with it; none when it is fine.

    The script goes in past the page's Content-Security-Policy.
    """
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(_AXE.read_text())
    violations: list[dict[str, Any]] = page.evaluate(_RUN)
    return [
        f"{violation['id']}: {' '.join(map(str, node['target']))} {node['html'][:160]} {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


def in_scheme(page: Page, scheme: str) -> None:
    """Show a page that is open in the dark or the light scheme, as the button in the header would."""
    page.evaluate("scheme => localStorage.setItem('mantine-color-scheme-value', scheme)", scheme)
    page.reload()
