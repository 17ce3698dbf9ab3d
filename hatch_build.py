"""Builds the front end into the wheel and the source distribution, which then needs no Node to be installed from."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FrontEndHook(BuildHookInterface[Any]):
    """Called by hatchling before it packs."""

    def dependencies(self) -> list[str]:
        """Node, where there is something to build and none that is new enough on the PATH."""
        front_end = self._front_end()
        if front_end is None or front_end.is_fresh() or front_end.node_on_path():
            return []
        return [str(front_end.NODE_PACKAGE)]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build it; not for an editable installation, which takes what `make web` has built."""
        del build_data
        front_end = self._front_end()
        if version == "editable" or front_end is None:
            return
        front_end.build()

    def _front_end(self) -> ModuleType | None:
        """The build script, None where the sources are not there or are not wanted."""
        script = Path(self.root) / "frontend" / "build.py"
        if os.environ.get("CLAWD_SKIP_FRONTEND") or not script.is_file():
            return None
        spec = importlib.util.spec_from_file_location("front_end_build", script)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
