"""``python -m clawd.server.openapi``: the interface as OpenAPI, for `frontend/openapi.json`."""

from __future__ import annotations

import json

from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.server.app import create_app
from clawd.server.site import Site


def main() -> None:
    """Print it, the same text for the same interface."""
    print(json.dumps(create_app(Site(Settings(), SystemClock())).openapi(), indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
