"""The cache of compiled code is never stale."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import clawd

PACKAGE = Path(clawd.__file__).parent


def cache_folder(sources: Path, cache: Path) -> str:
    script = "from clawd.engine.compiled import folder; print(folder().name)"
    environment = {**os.environ, "PYTHONPATH": str(sources), "NUMBA_CACHE_DIR": str(cache)}
    return subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for part in ("core", "engine", "language"):
        shutil.copytree(PACKAGE / part, tmp_path / "src" / "clawd" / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PACKAGE / "__init__.py", tmp_path / "src" / "clawd")
    return tmp_path / "src"


def test_a_change_of_what_is_compiled_in_changes_the_folder(copy: Path, tmp_path: Path) -> None:
    seen = {cache_folder(copy, tmp_path)}
    assert seen == {cache_folder(copy, tmp_path)}
    for name in ("engine/steps/rolling.py", "engine/position.py", "core/reason.py"):
        source = copy / "clawd" / name
        source.write_text(source.read_text() + "\n# changed\n")
        seen.add(cache_folder(copy, tmp_path))
    assert len(seen) == 4


def test_compiled_code_takes_nothing_else_from_outside_the_engine() -> None:
    """Types aside, the digest must see whatever the compiled modules import."""
    seen = {"clawd.core.reason"}
    types = {"clawd.core.panel"}
    for source in [
        *(
            PACKAGE / "engine" / f"{name}.py"
            for name in ("account", "bar", "decision", "position", "prices", "quiet", "simulate")
        ),
        *PACKAGE.glob("engine/steps/*.py"),
    ]:
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("clawd."):
                outside = not (node.module or "").startswith("clawd.engine")
                if outside and node.module in types:
                    assert [name.name for name in node.names] == ["Floats"]
                elif outside:
                    assert node.module in seen, f"{source.name} imports {node.module}"
