"""Puts the pictures of the README in their place: those that `pytest tests/web/test_web_pages.py` has just taken."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURES = {"overview": "overview-dark", "build": "build-strategy-dark", "evidence": "evidence-dark"}


def main() -> None:
    """Copy them."""
    for name, taken in PICTURES.items():
        shutil.copyfile(ROOT / "build" / "screens" / f"{taken}.png", ROOT / "docs" / "images" / f"{name}.png")


if __name__ == "__main__":
    main()
