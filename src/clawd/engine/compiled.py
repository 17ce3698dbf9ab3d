"""Compilation that is cached on disk and never stale.

Numba checks only the file of the function that it caches, not the files of what that function calls. So the cache lives
in folders named by a digest of all sources that are compiled: change one step and the next start compiles afresh. The
steps have a folder of their own, for they are most of the work and know nothing of the fill rules.
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

_GENERATED = "clawd_generated_"


@cache
def folder(*, steps_alone: bool = False) -> Path:
    """The folder of this version's compiled code, made if need be.

    Args:
        steps_alone: for code that calls nothing but the steps.
    """
    digest = hashlib.sha256(f"{numba.__version__} {np.__version__}".encode())
    here = Path(__file__).parent
    # Of what lies outside the engine, only the numbers of the reasons are compiled in.
    sources = (
        [here / "compiled.py", here / "kernel.py", *here.glob("steps/*.py")] if steps_alone else [*here.rglob("*.py")]
    )
    for source in (*sorted(sources), here.parent / "core" / "reason.py"):
        digest.update(source.read_bytes())
    wanted = os.environ.get("NUMBA_CACHE_DIR")
    root = Path(wanted) if wanted else platformdirs.user_cache_path("clawd", appauthor=False) / "kernels"
    path = root / digest.hexdigest()[:16]
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        root = Path(tempfile.mkdtemp(prefix="clawd-kernels-"))
        os.environ["NUMBA_CACHE_DIR"] = str(root)  # for the processes that this one starts, too
        path = root / path.name
        path.mkdir()
    return path


def compiled(function: Callable[..., Any], *, inlined: bool = False) -> Callable[..., Any]:
    """``numba.njit`` with its cache in :func:`folder`.

    Args:
        inlined: whether it is always made a part of the compiled code that calls it, as small steps of a loop should.
    """
    before = numba.config.CACHE_DIR  # type: ignore[attr-defined]
    numba.config.CACHE_DIR = str(folder(steps_alone=function.__module__.startswith(_GENERATED)))  # type: ignore[attr-defined]
    try:
        result: Callable[..., Any] = numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=inlined)(
            function
        )
        return result
    finally:
        numba.config.CACHE_DIR = before  # type: ignore[attr-defined]


def is_warm() -> bool:
    """Whether this version has been compiled on this machine before."""
    return _mark().exists()


def mark_warm() -> None:
    """Note that everything has been compiled."""
    _mark().touch()


def _mark() -> Path:
    return folder() / "compiled"


def module_from_source(name: str, source: str) -> ModuleType:
    """A module of generated source that calls the steps, written beside its compiled code so that it can be cached."""
    path = folder(steps_alone=True) / f"{name}.py"
    if not path.exists() or path.read_text() != source:
        scratch = path.with_suffix(f".{os.getpid()}")
        scratch.write_text(source)
        scratch.replace(path)
    spec = importlib.util.spec_from_file_location(f"{_GENERATED}{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Numba finds a cached function's globals by the name of its module
    spec.loader.exec_module(module)
    return module
