"""Draws ``docs/images/up.svg``: the terminal view of ``clawd up`` on the sample market, in the middle of the paper run.

Run it from the root of the repository: ``.venv/bin/python docs/picture.py``.
"""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from clawd.authors.starter import starter_library
from clawd.cli.live_view import LiveView
from clawd.core.clock import ReplayClock
from clawd.core.settings import Settings
from clawd.data.market import load_market
from clawd.fleet.campaign import BarTraded, campaign

TARGET = Path(__file__).parent / "images" / "up.svg"
BARS = 700


def main() -> None:
    shape = {"width": 118, "height": 36, "force_terminal": True, "highlight": False}
    view = LiveView(Console(file=io.StringIO(), **shape))
    picture = Console(file=io.StringIO(), record=True, **shape)
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        for stage in campaign(load_market("sample"), list(starter_library()), settings, ReplayClock()):
            view.show(stage)
            if isinstance(stage, BarTraded) and stage.books.bars == BARS:
                picture.print(view.floor(stage.books))
                break
    TARGET.parent.mkdir(exist_ok=True)
    svg = picture.export_svg(title="clawd up", theme=MONOKAI, font_aspect_ratio=0.61)
    TARGET.write_text(re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL))  # a picture fetches nothing


if __name__ == "__main__":
    main()
