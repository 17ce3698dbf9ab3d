"""``python -m clawd`` is ``clawd``."""

from clawd.cli.main import run

run()
