"""The operator reference, from the registry: as facts for programs and as a page for people."""

from __future__ import annotations

import re
from collections import Counter
from itertools import groupby

from clawd.language.operators import LONGEST_WINDOW, OPERATORS, Operator
from clawd.language.signature import PARAMETER_KEYS

#: What the signs of a signature mean.
TYPES = {
    "S[px]": "a price",
    "S[qty]": "a volume",
    "S[usd]": "a dollar volume, price times volume",
    "S[d]": "a series of any unit d; one letter is one unit, and two letters may be two",
    "N": "a series that is a pure number",
    "B": "a condition, true or false and never missing",
    "P": "a position, the wanted exposure between -1 and 1 of the capital, never missing",
}
PARAMETERS = {
    "w": f"a window, a whole number of bars up to {LONGEST_WINDOW:,}",
    "k": "a constant, a number",
    "q": "a quantile, a number from 0 to 1",
    "name": "a name in quotes",
    "a": "the symbol of an instrument, in quotes",
    "g": 'the name of a classification of the market in quotes, such as "sector"',
}
GROUPS = {
    "inputs": "What is known of an instrument and of the world at the close of a bar.",
    "arithmetic": "Functions of one bar. Where an input is missing the result is.",
    "logic": "Conditions, and choices by them. A condition on something missing is false.",
    "rolling": "Functions of the last w bars of an instrument, missing while any value among them is; `delay`, `delta`"
    " and `ret` look at this bar and the one w bars ago alone.",
    "recursive": "Functions that carry something on from bar to bar. What is missing is skipped. Their warm-up is how"
    " long the start is felt. `ou_halflife` and `frac_diff` are here by their subject; they look at a window alone.",
    "cross-section": "Functions of one bar over the instruments that have it and a value on it.",
    "position": "What turns signals into positions, and positions into others. What is missing is flat.",
    "macros": "Names for expressions. A macro is expanded before a program is compared, hashed or run.",
}
_SUBSCRIPTS = "₁₂₃₄"


def arguments(operator: Operator) -> list[str]:
    """The names of an operator's arguments as its meaning and formula use them, such as x, y, w."""
    keys = [PARAMETER_KEYS[kind] for kind in operator.signature.parameters]
    counts = Counter(keys)
    numbered = [
        key if counts[key] == 1 else key + _SUBSCRIPTS[keys[:place].count(key)] for place, key in enumerate(keys)
    ]
    return [*"xyz"[: len(operator.signature.inputs)], *numbered]


def usage(operator: Operator) -> str:
    """How an operator is called, such as ``ts_corr(x, y, w)``."""
    names = arguments(operator)
    return f"{operator.name}({', '.join(names)})" if names else operator.name


def expansion(operator: Operator) -> str | None:
    """What a macro stands for, in the names of its arguments; None for any other operator."""
    if operator.expansion is None:
        return None
    names = arguments(operator)
    return re.sub(r"\$(\d)", lambda match: names[int(match.group(1))], operator.expansion)


def limits(operator: Operator) -> list[str]:
    """What its parameters must be beyond their kinds, each for after "it needs"."""
    found = [f"a window of at least {operator.least_window}"] if operator.least_window > 1 else []
    found += [f"a name of {', '.join(operator.names)}"] if operator.names else []
    return found + ([operator.rule.text] if operator.rule else [])


def facts(operator: Operator) -> dict[str, object]:
    """All that the registry knows of an operator, as JSON."""
    signature, names = operator.signature, arguments(operator)
    taken = len(signature.inputs)
    return {
        "name": operator.name,
        "group": operator.group,
        "core": operator.expansion is None,
        "usage": usage(operator),
        "signature": signature.text,
        "inputs": [
            {"name": name, "type": written, "is": _type(written)}
            for name, written in zip(names[:taken], signature.inputs, strict=True)
        ],
        "parameters": [
            {"name": name, "kind": PARAMETER_KEYS[kind], "is": PARAMETERS[PARAMETER_KEYS[kind]]}
            for name, kind in zip(names[taken:], signature.parameters, strict=True)
        ],
        "result": {"type": signature.result, "is": _type(signature.result)},
        "needs": limits(operator),
        "meaning": operator.meaning,
        "formula": operator.formula,
        "warm_up": operator.warm_up.text,
        "commutative": operator.commutative,
        "source": operator.source,
        "example": operator.example,
        "expansion": expansion(operator),
    }


def _type(written: str) -> str:
    if written in TYPES and written != "S[d]":
        return TYPES[written].partition(",")[0]
    unit = written[2:-1]
    if unit.startswith("sqrt "):
        return f"a series whose unit is the root of {unit[5:]}"
    return f"a series of unit {unit}"


def page() -> str:
    """The reference as Markdown: ``docs/operators.md``."""
    lines = [
        "# Operators",
        "",
        "This page is generated from the registry by `python docs/operators.py`. `clawd operators` shows the same on"
        " the terminal, `clawd operators NAME` one of them, and `--json` gives it all to a program.",
        "",
        f"There are {len(OPERATORS)}. Each is causal: its value at a bar depends on that bar and earlier ones, and"
        " nothing shifts forward. How a strategy is made of them is in [strategies](strategies.md), how what lies"
        " outside the bars comes in, in [data](data.md#what-strategies-read-beside-bars).",
        "",
        "`x`, `y` and `z` are an operator's inputs in their order; `x[t]` is x at this bar, `x[t-1]` at the one before."
        " Parameters follow the inputs, are written as literals, and never change while a strategy runs.",
        "",
        "| sign | meaning |",
        "| --- | --- |",
        *(f"| `{sign}` | {meaning} |" for sign, meaning in {**TYPES, **PARAMETERS}.items()),
        "",
    ]
    groups = [(group, list(members)) for group, members in groupby(OPERATORS.values(), key=lambda each: each.group)]
    for group, members in groups:
        links = ", ".join(f"[{each.name}](#{each.name})" for each in members)
        lines.append(f"- [{_title(group)}](#{group}): {links}")
    for group, members in groups:
        lines += ["", f"## {_title(group)}", "", GROUPS[group]]
        for operator in members:
            lines += ["", *_section(operator)]
    return "\n".join(lines) + "\n"


def _title(group: str) -> str:
    return group[0].upper() + group[1:]


def _section(operator: Operator) -> list[str]:
    meaning = re.sub(r"^(a(?= )|[a-z]{2,}(?=[ ,;.]|$))", lambda word: word.group().capitalize(), operator.meaning)
    rows = {
        "usage": f"`{usage(operator)}`",
        "signature": f"`{operator.signature.text}`",
        "formula": f"`{operator.formula}`",
        "stands for": f"`{expansion(operator)}`" if operator.expansion else "",
        "needs": "; ".join(limits(operator)),
        "order": "its inputs may change places" if operator.commutative else "",
        "warm-up": operator.warm_up.text,
        "source": operator.source,
        "example": f"`{operator.example}`",
    }
    return [f"### {operator.name}", "", f"{meaning}.", "", *(f"- {key}: {text}" for key, text in rows.items() if text)]
