"""Writes ``docs/operators.md``, the operator reference, from the registry.

Run it from the root of the repository: ``.venv/bin/python docs/operators.py``.
"""

from __future__ import annotations

from pathlib import Path

from clawd.language.reference import page

TARGET = Path(__file__).with_suffix(".md")


def main() -> None:
    TARGET.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
