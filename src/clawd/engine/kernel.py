"""One compiled function that runs a graph over a block of bars.

Programs are data for it: it is compiled once, and a new strategy costs no compile. Its branches are generated from the
table of steps, so an operator is entered in one place.
"""

from __future__ import annotations

import numpy as np

from clawd.engine.compiled import module_from_source
from clawd.engine.steps import STEPS, Step
from clawd.language.operators import LONGEST_WINDOW

#: The kernel is compiled in parts.
PARTS = (0, 1)

#: What every step of the kernel is called with.
_GIVEN = "n, inputs, back, p, state, first, last, whole, arena, at, stride, moving, cursor, counts, place"

CODES: dict[str, int] = {name: code for code, name in enumerate(sorted(STEPS))}

_HEAD = '''"""Generated from the table of steps."""
import numpy as np
from numba import njit
from clawd.engine.compiled import compiled
from clawd.engine.steps.stretch import stretch

@njit(nogil=True, error_model="numpy")
def finite(out):
    for t in range(out.size):
        out[t] = out[t] if abs(out[t]) < np.inf else np.nan
'''

_ALONG = """
from {module} import {function} as step_{code}

@njit(nogil=True, error_model="numpy")
def run_{code}({given}):
    joined = {joined}
    for i in range(1 if joined else counts.size):
        bars = counts.size * counts[0] if joined else counts[i]
        if bars > 0:
{views}
            step_{code}({arguments})
{finite}
"""

_STATE = """\
            size = last - first
            s = stretch(state, first * counts.size + i * size, size)
"""

_VIEW = """\
            {name}_at = at[{row}] + i * stride[{row}] + moving[{row}] * cursor[i]
            {name} = stretch(arena, {name}_at{history}, bars{longer})
"""

_ACROSS = """
from {module} import {function} as step_{code}

@njit(nogil=True, error_model="numpy")
def run_{code}({given}):
    size = counts.size
    row_x, row_y, row_out = np.empty(size), np.empty(size), np.empty(size)
    x, y, out = inputs[n, 0], inputs[n, 1], n
    for t in range(place.shape[1]):
        for i in range(size):
            row_x[i] = row_y[i] = np.nan
            if place[i, t] >= 0:
                row_x[i] = arena[at[x] + i * stride[x] + moving[x] * cursor[i] + place[i, t]]
                row_y[i] = arena[at[y] + i * stride[y] + moving[y] * cursor[i] + place[i, t]]
        step_{code}(p, row_x, row_y, row_out)
        for i in range(size):
            if place[i, t] >= 0:
                value = row_out[i]
                spot = at[out] + i * stride[out] + moving[out] * cursor[i] + place[i, t]
                arena[spot] = value if abs(value) < np.inf else np.nan
"""

_PART = """
@compiled
def part_{part}(code, {given}):
{branches}"""

_RUN = """
@compiled
def run(
    begin, end, codes, inputs, backs, parameters, parameter_at, state, state_at,
    arena, at, stride, moving, cursor, counts, place,
):
    # A step of single bars takes all instruments in one stretch where their bars lie together.
    whole = counts.min() == place.shape[1]
    for n in range(begin, end):
        code, back = codes[n], backs[n]
        p = stretch(parameters, parameter_at[n], parameter_at[n + 1] - parameter_at[n])
        first, last = state_at[n], state_at[n + 1]
{calls}"""


def _loop(step: Step) -> str:
    function = step.function
    names = {
        "given": _GIVEN,
        "code": CODES[step.operator],
        "module": function.__module__,
        "function": function.__name__,
    }
    if step.across:
        return _ACROSS.format(**names)
    inputs = [f"inputs[n, {place}]" for place, name in enumerate("xyz") if name in step.arguments]
    alone = "s" in step.arguments or step.history([LONGEST_WINDOW] * 2) > 0
    joined = "False" if alone else " and ".join(["whole", *(f"moving[{row}] == 0" for row in ["n", *inputs])])
    views = _STATE if "s" in step.arguments else ""
    for place, name in enumerate("xyz"):
        if name in step.arguments:
            views += _VIEW.format(name=name, row=f"inputs[n, {place}]", history=" - back", longer=" + back")
    views += _VIEW.format(name="out", row="n", history="", longer="")
    finite = "" if step.bounded else "            finite(out)"
    return _ALONG.format(
        views=views.rstrip(), joined=joined, arguments=", ".join(step.arguments), finite=finite, **names
    )


def _source() -> str:
    loops = "".join(_loop(STEPS[name]) for name in CODES)
    parts = "".join(_PART.format(part=part, given=_GIVEN, branches=_branches(part)) for part in PARTS)
    calls = "".join(
        f"        if code % {len(PARTS)} == {part}:\n            part_{part}(code, {_GIVEN})\n" for part in PARTS
    )
    return _HEAD + loops + parts + _RUN.format(calls=calls)


def _branches(part: int) -> str:
    """The steps of a part: every other one, so that the parts are alike in size."""
    codes = [code for code in CODES.values() if code % len(PARTS) == part]
    return "".join(
        f"    {'elif' if place else 'if'} code == {code}:\n        run_{code}({_GIVEN})\n"
        for place, code in enumerate(codes)
    )


_MODULE = module_from_source("kernel", _source())
run = _MODULE.run


def load_part(part: int) -> None:
    """Load a part of the kernel, compiled here where it is not yet: the parts can be compiled side by side."""
    floats, rows, columns = np.zeros(1), np.zeros(1, np.int64), np.zeros((1, 3), np.int64)
    where = (floats, rows, rows, rows, rows, rows, columns)
    getattr(_MODULE, f"part_{part}")(-1, 0, columns, 0, floats, floats, 0, 0, True, *where)
