"""A stretch of a row, as an array that owns nothing.

A slice made by Numba counts its references to the memory below, which for a single bar costs more than the step itself.
The evaluator holds that memory for as long as its steps run, so there is nothing to count.
"""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.extending import intrinsic
from numba.np.arrayobj import make_array, populate_array

#: As a name without a type: what is called has an argument fewer than what is written.
built: Any = intrinsic


@built
def stretch(typing_context: Any, memory: Any, first: Any, size: Any) -> Any:
    """``memory[first : first + size]`` of a float64 array, without a look at its bounds."""
    result = types.Array(types.float64, 1, "C")

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        base, first, size = arguments
        whole = make_array(signature.args[0])(context, builder, base)
        part = make_array(result)(context, builder)
        width = context.get_constant(types.intp, 8)
        populate_array(
            part,
            data=builder.gep(whole.data, [first]),
            shape=[size],
            strides=[width],
            itemsize=width,
            meminfo=None,
        )
        return part._getvalue()

    return result(memory, types.intp, types.intp), build
