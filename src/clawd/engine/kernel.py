"""One compiled function that runs a whole graph over a block of bars.

Programs are data for it: it is compiled once, and a new strategy costs no compile. Its branches are generated from the
table of steps, so an operator is entered in one place.
"""

from __future__ import annotations

from clawd.engine.compiled import module_from_source
from clawd.engine.steps import STEPS, Step

CODES: dict[str, int] = {name: code for code, name in enumerate(sorted(STEPS))}

_HEAD = '''"""Generated from the table of steps."""
import numpy as np
from numba import njit
from clawd.engine.compiled import compiled
'''

_ALONG = """
from {module} import {function} as step_{code}

@njit(nogil=True, error_model="numpy")
def run_{code}(s, p, present, x, y, z, out):
    for i in range(out.shape[0]):
        own = s[i]
        for t in range(out.shape[1]):
            value = np.nan
            if present[i, t]:
                value = step_{code}(own, p, x[i, t], y[i, t], z[i, t])
            out[i, t] = value if abs(value) != np.inf else np.nan
"""

_ACROSS = """
from {module} import {function} as step_{code}

@njit(nogil=True, error_model="numpy")
def run_{code}(s, p, present, x, y, z, out):
    row_x, row_y, row_out = np.empty(out.shape[0]), np.empty(out.shape[0]), np.empty(out.shape[0])
    for t in range(out.shape[1]):
        for i in range(out.shape[0]):
            row_x[i] = x[i, t] if present[i, t] else np.nan
            row_y[i] = y[i, t] if present[i, t] else np.nan
        step_{code}(p, row_x, row_y, row_out)
        for i in range(out.shape[0]):
            value = row_out[i]
            out[i, t] = value if present[i, t] and abs(value) != np.inf else np.nan
"""

_RUN = """
@compiled
def run(codes, inputs, parameters, parameter_at, state, state_at, values, leaves, present):
    for n in range(codes.size):
        code = codes[n]
        p = parameters[parameter_at[n] : parameter_at[n + 1]]
        s = state[:, state_at[n] : state_at[n + 1]]
        x, y, z = values[inputs[n, 0]], values[inputs[n, 1]], values[inputs[n, 2]]
        out = values[leaves + n]
"""


def _loop(step: Step) -> str:
    template = _ACROSS if step.across else _ALONG
    function = step.function
    return template.format(code=CODES[step.operator], module=function.__module__, function=function.__name__)


def _source() -> str:
    loops = "".join(_loop(STEPS[name]) for name in CODES)
    branches = "".join(
        f"        {'elif' if code else 'if'} code == {code}:\n            run_{code}(s, p, present, x, y, z, out)\n"
        for code in CODES.values()
    )
    return _HEAD + loops + _RUN + branches


run = module_from_source("kernel", _source()).run
