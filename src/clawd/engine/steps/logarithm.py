"""The natural logarithm, written so that a loop over it works on several bars at once: a call of the system's does not.

A number is m 2^k with m between the roots of 1/2 and 2, so its logarithm is log m + k log 2. With f = m - 1 and
s = f / (2 + f), log m = 2 s + 2 s^3 / 3 + 2 s^5 / 5 + ... (Abramowitz and Stegun 4.1.29), and 2 s is
f - f^2 / 2 + s f^2 / 2, of which f is exact. Right to within a unit in the last place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import types

from clawd.engine.steps.stretch import built

#: The root of 1/2, as the bits of its float.
_ROOT = 0x3FE6A09E667F3BCD

#: The logarithm of 2 in two parts: of the first so few digits count that its product with an exponent is exact.
_LOG_2, _LOG_2_REST = float.fromhex("0x1.62e42fefp-1"), float.fromhex("0x1.473de6af278edp-34")

_SMALLEST_NORMAL = 2.0**-1022


@built
def _bits(typing_context: Any, value: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), build


@built
def _of_bits(typing_context: Any, value: Any) -> Any:
    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), build


@njit(nogil=True, error_model="numpy")
def log_of(x: float) -> float:
    """The natural logarithm of a float, NaN where it is not positive."""
    small = x < _SMALLEST_NORMAL
    bits = _bits(x * 2.0**54 if small else x)
    k = (bits - _ROOT) >> 52
    f = _of_bits(bits - (k << 52)) - 1.0
    s = f / (2.0 + f)
    z = s * s
    rest = 2.0 / 17.0 + z * (2.0 / 19.0 + z * (2.0 / 21.0))
    rest = 2.0 / 11.0 + z * (2.0 / 13.0 + z * (2.0 / 15.0 + z * rest))
    rest = z * (2.0 / 3.0 + z * (2.0 / 5.0 + z * (2.0 / 7.0 + z * (2.0 / 9.0 + z * rest))))
    half = 0.5 * f * f
    e = float(k) - (54.0 if small else 0.0)
    result = e * _LOG_2 - ((half - (s * (half + rest) + e * _LOG_2_REST)) - f)
    result = result if x < np.inf else x
    return result if x > 0.0 else np.nan
