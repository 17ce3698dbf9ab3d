"""Check the front end: its types are those of the interface, they fit, the rules hold and its own tests pass."""

from __future__ import annotations

import subprocess
import sys

from build import FRONT_END, npm

_INTERFACE = FRONT_END / "openapi.json"
_TYPES = FRONT_END / "src" / "api" / "schema.gen.ts"


def main() -> int:
    """Run every check; the number of those that failed."""
    called = npm()
    if called is None:
        print("error: there is no npm: make web", file=sys.stderr)
        return 1
    line, environment = called
    failed = _interface_differs()
    types = _TYPES.read_text(encoding="utf-8")
    for words in (["run", "-s", "gen"], ["run", "-s", "typecheck"], ["run", "-s", "lint"], ["run", "-s", "test"]):
        done = subprocess.run([*line, *words], cwd=FRONT_END, env=environment, check=False)
        if done.returncode:
            print(f"error: npm {' '.join(words)}", file=sys.stderr)
            failed += 1
    if types != _TYPES.read_text(encoding="utf-8"):
        print(f"error: {_TYPES} was not what {_INTERFACE} says; it is now: commit it", file=sys.stderr)
        failed += 1
    return failed


def _interface_differs() -> int:
    """1 where the committed interface is not the application's; it is written anew, to be committed."""
    said = subprocess.run([sys.executable, "-m", "clawd.server.openapi"], capture_output=True, text=True, check=True)
    if said.stdout == _INTERFACE.read_text(encoding="utf-8"):
        return 0
    _INTERFACE.write_text(said.stdout, encoding="utf-8")
    print(f"error: {_INTERFACE} was not what the application says; it is now: commit it", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
