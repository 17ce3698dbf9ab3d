"""One compiled function that runs a graph over a block of bars.

Programs are data for it: it is compiled once, and a new strategy costs no compile. Its branches are generated from the
table of steps, so an operator is entered in one place.
"""

from __future__ import annotations

import numpy as np

from clawd.engine.compiled import module_from_source
from clawd.engine.steps import STEPS, Step
from clawd.language.operators import LONGEST_WINDOW

#: What the kernel is called with after the rows to run, and each of its steps.
_TAKEN = (
    "codes, inputs, backs, parameters, parameter_at, state, state_at, arena, at, stride, group, cursor, counts, place"
)
_GIVEN = "n, inputs, back, p, state, first, last, whole, arena, at, stride, group, cursor, counts, place"

#: The kernel is compiled in two parts, each of every other step, so that they are alike in size.
PARTS = (0, 1)

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

@njit(nogil=True, error_model="numpy", forceinline=True)
def run_{code}({given}):
{rows}    joined = {joined}
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

_ROW = """\
    {name}_row, {name}_apart, {name}_group = at[{row}], stride[{row}], group[{row}]
"""

_VIEW = """\
            {name}_at = {name}_row + i * {name}_apart + cursor[{name}_group, i]
            {name} = stretch(arena, {name}_at{history}, bars{longer})
"""

_ACROSS = """
from {module} import {function} as step_{code}

@njit(nogil=True, error_model="numpy", forceinline=True)
def run_{code}({given}):
    size = counts.size
    xs, ys, outs = np.empty(size), np.empty(size), np.empty(size)
{rows}    for t in range(place.shape[1]):
        for i in range(size):
            xs[i] = ys[i] = np.nan
            if place[i, t] >= 0:
                xs[i] = arena[x_row + i * x_apart + cursor[x_group, i] + place[i, t]]
                ys[i] = arena[y_row + i * y_apart + cursor[y_group, i] + place[i, t]]
        step_{code}(p, xs, ys, outs)
        for i in range(size):
            if place[i, t] >= 0:
                value = outs[i]
                spot = out_row + i * out_apart + cursor[out_group, i] + place[i, t]
                arena[spot] = value if abs(value) < np.inf else np.nan
"""

_PART = """
@compiled
def part_{part}(n, end, {taken}):
    # A step of single bars takes all instruments in one stretch where their bars lie together.
    whole = counts.min() == place.shape[1]
    # A call hands over some ninety numbers, so it runs what it can.
    while n < end and codes[n] % 2 == {part}:
        code, back = codes[n], backs[n]
        p = stretch(parameters, parameter_at[n], parameter_at[n + 1] - parameter_at[n])
        first, last = state_at[n], state_at[n + 1]
{branches}        n += 1
    return n
"""

_RUN = """
@compiled
def run(begin, end, {taken}):
    n = begin
    while n < end:
        n = part_0(n, end, {taken})
        n = part_1(n, end, {taken})
"""


def _loop(step: Step) -> str:
    function = step.function
    names = {
        "given": _GIVEN,
        "code": CODES[step.operator],
        "module": function.__module__,
        "function": function.__name__,
    }
    used = {name: f"inputs[n, {place}]" for place, name in enumerate("xyz") if name in step.arguments} | {"out": "n"}
    rows = "".join(_ROW.format(name=name, row=row) for name, row in used.items())
    if step.across:
        return _ACROSS.format(rows=rows, **names)
    alone = "s" in step.arguments or step.history([LONGEST_WINDOW] * 2) > 0
    joined = "False" if alone else " and ".join(["whole", *(f"{name}_group == 0" for name in used)])
    views = _STATE if "s" in step.arguments else ""
    for name in used:
        before, longer = ("", "") if name == "out" else (" - back", " + back")
        views += _VIEW.format(name=name, history=before, longer=longer)
    finite = "" if step.bounded else "            finite(out)"
    return _ALONG.format(
        rows=rows, views=views.rstrip(), joined=joined, arguments=", ".join(step.arguments), finite=finite, **names
    )


def _source() -> str:
    loops = "".join(_loop(STEPS[name]) for name in CODES)
    parts = "".join(_PART.format(part=part, taken=_TAKEN, branches=_branches(part)) for part in PARTS)
    return _HEAD + loops + parts + _RUN.format(taken=_TAKEN)


def _branches(part: int) -> str:
    codes = [code for code in CODES.values() if code % 2 == part]
    return "".join(
        f"        {'elif' if place else 'if'} code == {code}:\n            run_{code}({_GIVEN})\n"
        for place, code in enumerate(codes)
    )


_MODULE = module_from_source("kernel", _source())
run = _MODULE.run


def load_part(part: int) -> None:
    """Load a part of the kernel, compiled here where it is not yet: the parts can be compiled side by side."""
    floats, rows, columns = np.zeros(1), np.zeros(1, np.int64), np.zeros((1, 3), np.int64)
    graph = (rows, columns, rows, floats, rows, floats, rows)
    getattr(_MODULE, f"part_{part}")(0, 0, *graph, floats, rows, rows, rows, columns, rows, columns)
