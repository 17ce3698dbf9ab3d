"""Compilation that is cached on disk and never stale.

Numba checks only the file of the function that it caches, not the files of what that function calls. So the cache lives
in a folder named by a digest of all sources that are compiled: change one step and the next start compiles afresh.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import platformdirs


@cache
def folder() -> Path:
    """The folder of this version's compiled code, made if need be."""
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__}".encode())
    here = Path(__file__).parent
    # Of what lies outside the engine, only the numbers of the reasons are compiled in.
    for source in (*sorted(here.rglob("*.py")), here.parent / "core" / "reason.py"):
        digest.update(source.read_bytes())
    wanted = os.environ.get("NUMBA_CACHE_DIR")
    root = Path(wanted) if wanted else platformdirs.user_cache_path("clawd", appauthor=False) / "kernels"
    path = root / digest.hexdigest()[:16]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        path = Path(tempfile.mkdtemp(prefix="clawd-kernels-"))
    return path


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """``numba.njit`` with its cache in :func:`folder`."""
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = str(folder())  # type: ignore[attr-defined]
    try:
        result: Callable[..., Any] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
        return result
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]


def is_warm() -> bool:
    """Whether this version has been compiled on this machine before."""
    return any(folder().rglob("*.nbc"))


def module_from_source(name: str, source: str) -> ModuleType:
    """A module of generated source, written beside the compiled code so that it can be cached."""
    path = folder() / f"{name}.py"
    if not path.exists() or path.read_text() != source:
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.write_text(source)
        scratch.replace(path)
    spec = importlib.util.spec_from_file_location(f"clawd_generated_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Numba finds a cached function's globals by the name of its module
    spec.loader.exec_module(module)
    return module
