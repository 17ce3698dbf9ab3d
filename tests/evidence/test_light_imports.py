"""Evidence is imported by every command: what takes seconds to import waits until it is needed."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import clawd.evidence


def test_no_module_of_evidence_imports_a_heavy_library() -> None:
    modules = [f"clawd.evidence.{module.name}" for module in pkgutil.iter_modules(clawd.evidence.__path__)]
    assert "clawd.evidence.bootstrap" in modules
    heavy = "{'arch', 'pandas', 'scipy', 'statsmodels', 'numba'}"
    code = f"import sys, {', '.join(modules)}; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
