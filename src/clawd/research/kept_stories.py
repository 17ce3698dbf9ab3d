"""The stories of strategies that were told in a home and kept there; to read one needs no engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def kept_path(home: Path, content_hash: str) -> Path:
    """Where the story of a strategy is kept."""
    return home / "research" / "stories" / f"{content_hash}.json"


def read_story(home: Path, content_hash: str) -> Mapping[str, Any] | None:
    """What was told last of a strategy, None where nothing was or the file is no story.

    Args:
        content_hash: whole, as the ledger has it.
    """
    try:
        told = json.loads(kept_path(home, content_hash).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    same = isinstance(told, dict) and isinstance(told.get("story"), dict)
    return told if same and told["story"].get("content_hash") == content_hash else None
