"""What is wrong with a value, in words for people: pydantic's are for whoever has written the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_BOUNDS: Final = {
    "greater_than": ("above", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("below", "lt"),
    "less_than_equal": ("at most", "le"),
}
_WORDS: Final = {
    "missing": "it is missing",
    "extra_forbidden": "nothing of this name is known here",
    "json_invalid": "this is no JSON",
    "string_pattern_mismatch": "it is not written as it must be",
    "finite_number": "it must be a finite number",
    "none_required": "it must be null",
    "decimal_max_digits": "it has too many digits",
    "decimal_max_places": "it has too many digits behind the point",
    "decimal_whole_digits": "it has too many digits before the point",
}
#: By the beginning of pydantic's word for what was found: what would have been right.
_KINDS: Final = (
    ("decimal", "a number"),
    ("float", "a number"),
    ("int_from_float", "a whole number"),
    ("int", "a whole number"),
    ("bool", "true or false"),
    ("string", "text"),
    ("bytes", "text"),
    ("list", "a list"),
    ("dict", "an object"),
    ("model", "an object"),
)


def refused_value(error: Mapping[str, Any]) -> str:
    """Why a value was refused.

    Args:
        error: of ``ValidationError.errors()``.
    """
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind in _BOUNDS:
        word, name = _BOUNDS[kind]
        return f"it must be {word} {context[name]}"
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in ("literal_error", "enum"):
        return f"it must be {context['expected']}"
    if kind.endswith(("too_long", "too_short")):
        return _length(kind, context)
    if kind == "value_error":
        return str(context.get("error", error["msg"])).removeprefix("Value error, ")
    for begin, noun in _KINDS:
        if kind.startswith(begin):
            return f"it must be {noun}"
    return "it is not what is asked for here"


def _length(kind: str, context: Mapping[str, Any]) -> str:
    long = kind.endswith("too_long")
    number = context.get("max_length" if long else "min_length", context.get("max_length"))
    one, many = ("character", "characters") if kind.startswith(("string", "bytes")) else ("entry", "entries")
    return f"it must have {'at most' if long else 'at least'} {number} {one if number == 1 else many}"
