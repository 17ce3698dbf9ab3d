"""The built front end, behind every path that is no route of the interface."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

#: Where ``npm run build`` puts it; a wheel carries it, the repository does not.
DIST: Final = Path(__file__).parent / "dist"

_MISSING = """<!doctype html><meta charset="utf-8"><title>clawd</title>
<h1>The front end is not built</h1>
<p>The interface under <code>/api</code> works. To build the pages: <code>make web</code>, then load
this one again.</p>
"""


def serve_front_end(app: FastAPI) -> None:
    """Serve files of the build under their names, and its page for every other path."""

    @app.get("/{path:path}", include_in_schema=False)
    def front_end(path: str) -> Response:
        if path == "api" or path.startswith("api/"):
            raise HTTPException(404, "there is no such route")
        file = _file(path)
        if file is not None:
            # Assets are named by their content.
            lasting = "public, max-age=31536000, immutable" if path.startswith("assets/") else "no-cache"
            return FileResponse(file, headers={"Cache-Control": lasting})
        if path.startswith("assets/"):
            raise HTTPException(404, "there is no such file")
        page = DIST / "index.html"
        if not page.is_file():
            return HTMLResponse(_MISSING, 503)
        return FileResponse(page, headers={"Cache-Control": "no-cache"})


def _file(path: str) -> Path | None:
    """The file of the build that a path names, None where it names none, or nothing that could be one."""
    try:
        file = (DIST / path).resolve()
        return file if file.is_relative_to(DIST) and file.is_file() else None
    except (OSError, ValueError):  # too long a name, or a character that no name has
        return None
