"""A strategy in plain English, for a trader who does not program.

The words come from the expressions as they were written, so a macro is spoken of by its own name. Every
operator of the registry has one phrase in :data:`clawd.language.phrases.PHRASES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from clawd.core.clock import duration
from clawd.language.builder import build, type_of
from clawd.language.exits import Distance, Exits, Target
from clawd.language.expression import Tree, parse
from clawd.language.node import Node, literal
from clawd.language.operators import OPERATORS
from clawd.language.phrases import CLOCK, PHRASES, PRECEDENCE, SHARES, TRAILING
from clawd.language.strategy import Strategy
from clawd.language.text_form import written
from clawd.language.types import Kind, Parameter, Type


@dataclass(frozen=True, slots=True)
class _Bars:
    count: int

    def __format__(self, form: str) -> str:
        if form == "n":
            return str(self.count)
        if form:
            return f"{self.count}-{form}"
        return "1 bar" if self.count == 1 else f"{self.count:,} bars"


class _Noun(str):
    __slots__ = ()

    def __format__(self, form: str) -> str:
        if form != "bare" or self[0] in "“(":
            return str(self)
        return self.removeprefix("the ") if self.startswith("the ") else f"value of {self}"


def explain(strategy: Strategy) -> str:
    """What a strategy holds, how it leaves, what it needs and where it came from, in plain English."""
    bound: dict[str, Node | float] = {}
    parts, target = (strategy.let, strategy.target_text) if strategy.target_text else written(strategy.target)
    for name, text in parts.items():
        bound[name] = build(text, bound)
    speaker = _Speaker({name: type_of(value) for name, value in bound.items()}, bound)
    sections = [strategy.name]
    origin = [f"Source: {strategy.source}"] if strategy.source else []
    origin += [f"Believed to earn because: {strategy.claim}"] if strategy.claim else []
    if origin:
        sections.append("\n".join(origin))
    if parts:
        spoken = [speaker.part(name, parse(text)) for name, text in parts.items()]
        sections.append("Its parts\n" + "\n".join(f"  {part}" for part in spoken))
    wants = [*speaker.sentences(parse(target)), *_PLATFORM]
    sections.append("What it wants\n" + "\n".join(f"  {sentence}" for sentence in wants))
    sections.append("How it leaves\n" + "\n".join(f"  {sentence}" for sentence in _exits(strategy.exits)))
    sections.append("What it needs\n" + "\n".join(f"  {sentence}" for sentence in _needs(strategy)))
    sections.append(
        "Identity\n"
        f"  Content hash {strategy.content_hash[:12]}, the same only for a strategy that does the same.\n"
        f"  Family hash {strategy.family_hash[:12]}, the same for one idea with other numbers."
    )
    return "\n\n".join(sections) + "\n"


def sentence(strategy: Strategy) -> str:
    """The same in one paragraph: what is held, what its named parts are, and the stop."""
    bound: dict[str, Node | float] = {}
    parts, target = (strategy.let, strategy.target_text) if strategy.target_text else written(strategy.target)
    for name, text in parts.items():
        bound[name] = build(text, bound)
    speaker = _Speaker({name: type_of(value) for name, value in bound.items()}, bound)
    said = " ".join(speaker.sentences(parse(target)))
    used: list[str] = []
    words = [said]
    while waiting := [name for name in parts if name not in used and any(f"“{name}”" in each for each in words)]:
        everything = " ".join(words)
        used.append(min(waiting, key=lambda name: everything.index(f"“{name}”")))
        clause = speaker.short(used[-1], parse(parts[used[-1]]))
        words.append(f"{clause[0].upper()}{clause[1:]}.")
    words.append(_exits(strategy.exits)[0])
    others = [name for key, name in _OTHERS.items() if key in strategy.exits.to_json()]
    if others:
        joined = ", ".join(others[:-1]) + f" and {others[-1]}" if len(others) > 1 else others[0]
        words.append(f"It has {joined} too.")
    return " ".join(words)


_OTHERS = {
    "trail": "a trailing stop",
    "chandelier": "a chandelier stop",
    "break_even": "a break-even stop",
    "take": "a profit target",
    "time": "a time limit",
}
_PLATFORM = (
    "It decides at the close of a bar and trades at the open of the next.",
    "Where several instruments want more than its capital together, all are scaled down alike.",
)


@dataclass(frozen=True, slots=True)
class _Speaker:
    """Says expressions. ``types`` and ``values`` are those of the named parts."""

    types: Mapping[str, Type]
    values: Mapping[str, Node | float]

    def part(self, name: str, tree: Tree) -> str:
        """A named part, with its unit."""
        kind = self.types[name]
        if kind.kind is Kind.POSITION:
            return f"{name} (a position): {' '.join(self.sentences(tree))}"
        if kind.kind is Kind.CONDITION:
            if _is_call(tree, "latch"):
                first, last = map(self.clause, tree.arguments)
                return f"{name} (a condition): true from the bar on which {first} until the bar on which {last}."
            return f"{name} (a condition): true while {self.clause(tree)}."
        return f"{name} ({kind}): {self.noun(tree)}."

    def short(self, name: str, tree: Tree) -> str:
        """A named part in a clause."""
        kind = self.types[name].kind
        if kind is Kind.POSITION:
            return f"“{name}”: {' '.join(self.sentences(tree)).removesuffix('.')}"
        if kind is Kind.SERIES:
            return f"“{name}” is {self.noun(tree)}"
        if _is_call(tree, "latch"):
            first, last = map(self.clause, tree.arguments)
            return f"“{name}” is true from the bar on which {first} until the bar on which {last}"
        return f"“{name}” is true while {self.clause(tree)}"

    def sentences(self, tree: Tree) -> list[str]:
        """A position: what is held first, then what is done to it, in the order in which it is done."""
        if tree.form == "name":
            return [f"It holds “{tree.head}”."]
        name = str(tree.head)
        if name in ("long_only", "long_short"):
            return [self._exposure(tree)]
        if name == "blend":
            both = [" ".join(self.sentences(argument)) for argument in tree.arguments[:2]]
            return [PHRASES[name].format(*both, self._argument(tree, 2))]
        if name == "hysteresis" and self._constant(tree.arguments[2]) == 0:
            # There is no being within 0 of zero: it leaves with the sign alone.
            return [self._filled(tree).replace("that is within 0 of zero or", "that")]
        if OPERATORS[name].signature.inputs[:1] != ("P",):
            return [self._filled(tree)]
        if name == "gate" and self._constant(tree.arguments[2]) == 0:
            own = f"This holds only while {self.clause(tree.arguments[1])}; otherwise nothing is held."
        else:
            own = self._filled(tree)
        return [*self.sentences(tree.arguments[0]), own]

    def clause(self, tree: Tree) -> str:
        """A condition, as what follows "while"."""
        if tree.form == "name":
            return f"“{tree.head}” is true"
        name = str(tree.head)
        if name in ("and", "or"):
            joining = {"and": "both ", "or": "either "}
            words = [
                (joining[str(part.head)] if str(part.head) in joining and part.head != name else "") + self.clause(part)
                for part in tree.arguments
            ]
            return f" {name} ".join(words)
        if name == "not" and tree.arguments[0].form == "name":
            return f"“{tree.arguments[0].head}” is false"
        if name == "gt":
            return self._comparison(*tree.arguments)
        return self._filled(tree)

    def noun(self, tree: Tree) -> str:
        """A series."""
        if tree.form == "number":
            return literal(float(tree.head))
        name = str(tree.head)
        if tree.form == "name":
            return f"“{name}”" if name in self.types else PHRASES[name]
        if name == "clock":
            return CLOCK[str(tree.arguments[0].head)]
        if name == "add" and any(_is_call(part, "neg") for part in tree.arguments):
            # The canonical form, from which JSON is read, knows no minus between two series.
            taken = next(part for part in reversed(tree.arguments) if _is_call(part, "neg"))
            kept = tree.arguments[1] if taken is tree.arguments[0] else tree.arguments[0]
            return self.noun(Tree("sub", "call", (kept, taken.arguments[0])))
        if name == "div" and _is_call(tree.arguments[0], "sub"):
            above, base = tree.arguments[0].arguments
            if _same(base, tree.arguments[1]):
                over = self._inner(base)
                return f"the distance of {self._inner(above)} above {over} as a share of {over}"
        return self._filled(tree)

    def _exposure(self, tree: Tree) -> str:
        name, wanted = str(tree.head), tree.arguments[0]
        if wanted.form == "number" or _is_call(wanted, "where"):
            return f"It {self._held(wanted, name)}."
        return PHRASES[name].format(self.noun(wanted))

    def _held(self, tree: Tree, name: str) -> str:
        if tree.form == "number":
            size = max(-1.0 if name == "long_short" else 0.0, min(1.0, float(tree.head)))
            if size == 0:
                return "holds nothing"
            share = "all" if abs(size) == 1 else _percent(abs(size))
            return f"is {'long' if size > 0 else 'short'} with {share} of its capital"
        if _is_call(tree, "where"):
            first, second = (self._held(part, name) for part in tree.arguments[1:])
            return f"{first} while {self.clause(tree.arguments[0])}, and {second} otherwise"
        return f"holds {self.noun(tree)} as a share of its capital"

    def _comparison(self, larger: Tree, smaller: Tree) -> str:
        turn = "the turn of the month (its last five and first three days)"
        if _is_turn(larger) and self._constant(smaller) in (0.0, 0.5):
            return f"it is {turn}"
        if _is_turn(smaller) and self._constant(larger) in (0.5, 1.0):
            return f"it is not {turn}"
        # `a < b` is read as b > a: whichever was written first is spoken of first.
        if larger.start > smaller.start:
            return f"{self.noun(smaller)} is below {self.noun(larger)}"
        return PHRASES["gt"].format(self.noun(larger), self.noun(smaller))

    def _filled(self, tree: Tree) -> str:
        words = [self._argument(tree, index) for index in range(len(tree.arguments))]
        return PHRASES[str(tree.head)].format(*words)

    def _argument(self, tree: Tree, index: int) -> str | _Bars:
        """An argument of a call, as its phrase wants it."""
        name, argument = str(tree.head), tree.arguments[index]
        signature = OPERATORS[name].signature
        if index < len(signature.inputs):
            wanted = signature.inputs[index]
            if wanted == "P":
                return ""
            if wanted == "B":
                return self.clause(argument)
            if signature.result in ("B", "P"):
                return self.noun(argument)
            return _Noun(self._inner(argument, name, last=index > 0))
        if argument.form == "text":
            known = signature.parameters[index - len(signature.inputs)] is Parameter.INSTRUMENT
            return str(argument.head) if known else f"“{argument.head}”"
        value = self._constant(argument)
        assert value is not None, "a built strategy has only numbers here"
        if signature.parameters[index - len(signature.inputs)] is Parameter.WINDOW:
            return _Bars(int(value))
        if name == "cs_winsor":
            value = min(value, 1.0 - value)  # a quantile and its mirror image say the same
        return _percent(value) if (name, index) in SHARES else literal(value)

    def _inner(self, tree: Tree, parent: str = "", *, last: bool = False) -> str:
        """A noun within another, in brackets where it could be read the wrong way."""
        words = self.noun(tree)
        if tree.form != "call":
            return words
        own, above = PRECEDENCE.get(str(tree.head)), PRECEDENCE.get(parent)
        if own is None:
            return f"({words})" if tree.head in TRAILING else words
        if words.startswith("the distance"):
            return f"({words})"
        if above is None or own < above or (own == above and last):
            return f"({words})"
        return words

    def _constant(self, tree: Tree) -> float | None:
        if tree.form == "number":
            return float(tree.head)
        value = self.values.get(str(tree.head)) if tree.form == "name" else None
        return value if isinstance(value, float) else None


def _is_call(tree: Tree, *names: str) -> bool:
    return tree.form == "call" and tree.head in names


def _is_turn(tree: Tree) -> bool:
    return _is_call(tree, "clock") and tree.arguments[0].head == "is_month_turn"


def _same(left: Tree, right: Tree) -> bool:
    return (left.head, left.form, len(left.arguments)) == (
        right.head,
        right.form,
        len(right.arguments),
    ) and all(map(_same, left.arguments, right.arguments))


def _percent(share: float) -> str:
    return f"{share * 100:g} %"


def _distance(distance: Distance, of: str) -> str:
    if distance.window is None:
        return f"{literal(distance.size)} %{of}"
    unit = "average true range" if distance.size == 1 else "average true ranges"
    return f"{literal(distance.size)} {unit} of {_Bars(distance.window)}"


def _takes(target: Target) -> str:
    part = "its profit" if target.share == 1.0 else f"profit on {_percent(target.share)} of the position"
    line = f"Takes {part} {_distance(target.distance, '')} from the entry price"
    if target.decay is None:
        return f"{line}."
    return f"{line}; the distance shrinks with every bar held, and after {_Bars(target.decay)} is nothing."


def _exits(exits: Exits) -> list[str]:
    """The exits in words."""
    lines = [f"Leaves at a stop {_distance(exits.stop, '')} from the entry price, set at entry."]
    if exits.trail is not None:
        behind = _distance(exits.trail, " of the entry price")
        lines.append(f"Leaves at a trailing stop {behind} behind the best price since entry; it never moves back.")
    if exits.chandelier is not None:
        behind = _distance(exits.chandelier, "")
        lines.append(
            f"Leaves at a stop that hangs {behind} behind the best price since entry, by the average true range of each"
            " close; it never moves back."
        )
    if exits.break_even is not None:
        ahead = _distance(exits.break_even, " of the entry price")
        lines.append(
            f"Once the price has gone {ahead} in its favour, the stop is moved to the average entry price, from the"
            " next bar on."
        )
    lines += [_takes(target) for target in exits.take]
    if any(target.share != 1.0 for target in exits.take):
        rest = "" if exits.takes_all else " The rest runs on until another exit or the target ends it."
        lines.append(f"What it has taken it does not buy back while the position lasts.{rest}")
    if exits.time is not None:
        lines.append(f"Leaves after {_Bars(exits.time)}, whatever has happened.")
    renewed = "the target has been flat or on the other side"
    if exits.cooldown is None:
        lines.append(f"After such an exit it does not enter the same side again before {renewed}.")
    else:
        pause = f"after {_Bars(exits.cooldown)}, or once {renewed}"
        lines.append(f"After such an exit it may enter the same side again {pause}.")
    return lines


def _needs(strategy: Strategy) -> list[str]:
    """Market and history."""
    universe = ", ".join(strategy.universe) if strategy.universe else "every instrument of the market"
    bars = f"bars of {duration(strategy.bar)}" if strategy.bar is not None else "bars of any duration"
    history = strategy.lookback
    warm_up = (
        f"It warms up on {_Bars(history)} of an instrument's history before it trades it."
        if history
        else "It needs no history: it trades from the first bar."
    )
    return [f"It trades {universe}, on {bars}.", warm_up]
