"""The text form of an expression: tokens, a small grammar, and a tree that remembers where each part stood.

Grammar, loosest binding first::

    condition  := conjunction ("or" conjunction)*
    conjunction:= negation ("and" negation)*
    negation   := "not" negation | comparison
    comparison := sum (("<" | ">") sum)?
    sum        := product (("+" | "-") product)*
    product    := unary (("*" | "/") unary)*
    unary      := "-" unary | atom
    atom       := number | "quoted name" | name | name "(" condition ("," condition)* ")" | "(" condition ")"
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from clawd.core.errors import ClawdError

LONGEST_EXPRESSION = 20_000
DEEPEST_NESTING = 60

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*|\$\d)"
    r"|(?P<text>\"[^\"\n]*\"|'[^'\n]*')|(?P<sign><=|>=|==|!=|\*\*|[-+*/()<>,^&|])",
    re.ASCII,
)
_INFIX = {"+": "add", "-": "sub", "*": "mul", "/": "div", "<": "lt", ">": "gt"}
_MISSING_SIGNS = {
    "<=": "use `<`",
    ">=": "use `>`",
    "==": "use between(x, lower, upper)",
    "!=": "use not between(x, lower, upper)",
    "**": "write the product out, or use sqrt",
    "^": "write the product out, or use sqrt",
    "&": "use `and`",
    "|": "use `or`",
}


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed expression.

    Attributes:
        head: an operator's name for a call, a bound or input name, a number, or the text of a quoted name.
        arguments: of a call; empty otherwise.
        form: call, name, number or text.
        start, end: the characters of the source that it spans.
    """

    head: str | float
    form: str
    arguments: tuple[Tree, ...] = ()
    start: int = 0
    end: int = 0


def located(source: str, tree: Tree, what: str, hint: str | None = None) -> ClawdError:
    """An error that shows the source with the part at fault underlined."""
    first = max(0, tree.start - 60)
    shown = source[first : first + 120].replace("\n", " ")
    width = max(1, min(tree.end, first + len(shown)) - tree.start)
    underlined = f"\n    {shown}\n    {' ' * (tree.start - first)}{'^' * width}"
    return ClawdError(what + (f", {hint}" if hint else "") + underlined, where=f"column {tree.start + 1}")


def parse(source: str) -> Tree:
    """The tree of an expression.

    Raises:
        ClawdError: located, when the text is not an expression.
    """
    if len(source) > LONGEST_EXPRESSION:
        raise ClawdError(f"the expression has {len(source):,} characters, more than {LONGEST_EXPRESSION:,}")
    return _Parser(source).parse()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens = list(self._tokenise())
        self.position = 0
        self.depth = 0

    def _tokenise(self) -> list[Tree]:
        tokens: list[Tree] = []
        at = 0
        while at < len(self.source):
            match = _TOKEN.match(self.source, at)
            if match is None:
                here = Tree("", "sign", (), at, at + 1)
                raise located(self.source, here, f"unexpected character {self.source[at]!r}")
            if match.lastgroup == "number":
                tokens.append(Tree(self._number(match), "number", (), at, match.end()))
            elif match.lastgroup == "text":
                tokens.append(Tree(match.group()[1:-1], "text", (), at, match.end()))
            elif match.lastgroup != "space":
                tokens.append(Tree(match.group(), str(match.lastgroup), (), at, match.end()))
            at = match.end()
        tokens.append(Tree("the end", "end", (), len(self.source), len(self.source) + 1))
        return tokens

    def _number(self, match: re.Match[str]) -> float:
        value = float(match.group().replace("_", ""))
        if math.isinf(value) or value > 1e15:
            here = Tree("", "number", (), match.start(), match.end())
            raise located(self.source, here, "the number is larger than 1e15")
        return value

    @property
    def token(self) -> Tree:
        return self.tokens[self.position]

    def _is(self, *heads: str) -> bool:
        return self.token.form in ("sign", "name") and self.token.head in heads

    def _advance(self) -> Tree:
        token = self.token
        self.position += 1
        return token

    def _expect(self, sign: str) -> Tree:
        if not self._is(sign):
            self._unexpected(f"expected `{sign}`")
        return self._advance()

    def _unexpected(self, wish: str) -> None:
        token = self.token
        found = (
            "the expression ends here"
            if token.form == "end"
            else f"found `{self.source[token.start : token.end]}`"
        )
        raise located(self.source, token, f"{wish}, {found}", _MISSING_SIGNS.get(str(token.head)))

    def parse(self) -> Tree:
        if self.token.form == "end":
            raise ClawdError("the expression is empty")
        tree = self._condition()
        if self.token.form != "end":
            self._unexpected("expected an operator or the end")
        return tree

    def _condition(self) -> Tree:
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise located(self.source, self.token, f"nested deeper than {DEEPEST_NESTING} levels")
        tree = self._conjunction()
        while self._is("or"):
            self._advance()
            tree = self._pair("or", tree, self._conjunction())
        self.depth -= 1
        return tree

    def _conjunction(self) -> Tree:
        tree = self._negation()
        while self._is("and"):
            self._advance()
            tree = self._pair("and", tree, self._negation())
        return tree

    def _negation(self) -> Tree:
        if not self._is("not"):
            return self._comparison()
        return self._prefix("not")

    def _comparison(self) -> Tree:
        tree = self._sum()
        if self._is("<", ">"):
            sign = self._advance().head
            right = self._sum()
            tree = self._pair("gt", tree, right) if sign == ">" else self._pair("gt", right, tree)
            if self._is("<", ">"):
                self._unexpected("a comparison cannot be chained; join two with `and`")
        return tree

    def _sum(self) -> Tree:
        tree = self._product()
        while self._is("+", "-"):
            name = _INFIX[str(self._advance().head)]
            tree = self._pair(name, tree, self._product())
        return tree

    def _product(self) -> Tree:
        tree = self._unary()
        while self._is("*", "/"):
            name = _INFIX[str(self._advance().head)]
            tree = self._pair(name, tree, self._unary())
        return tree

    def _unary(self) -> Tree:
        if not self._is("-"):
            return self._atom()
        tree = self._prefix("neg")
        inner = tree.arguments[0]
        if inner.form == "number":
            return Tree(-float(inner.head), "number", (), tree.start, tree.end)
        return tree

    def _prefix(self, name: str) -> Tree:
        start = self._advance().start
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise located(self.source, self.token, f"nested deeper than {DEEPEST_NESTING} levels")
        inner = self._negation() if name == "not" else self._unary()
        self.depth -= 1
        return Tree(name, "call", (inner,), start, inner.end)

    def _pair(self, name: str, left: Tree, right: Tree) -> Tree:
        return Tree(name, "call", (left, right), min(left.start, right.start), max(left.end, right.end))

    def _atom(self) -> Tree:
        token = self.token
        if token.form in ("number", "text"):
            return self._advance()
        if token.form == "name" and token.head not in ("and", "or", "not"):
            self._advance()
            return self._call(token) if self._is("(") else token
        if token.form == "name" and self.tokens[self.position + 1].head == "(":
            self._unexpected(f"`{token.head}` stands between two conditions, as in `a {token.head} b`")
        if self._is("("):
            self._advance()
            tree = self._condition()
            close = self._expect(")")
            return Tree(tree.head, tree.form, tree.arguments, token.start, close.end)
        self._unexpected("expected a value")
        raise AssertionError("unreachable")

    def _call(self, name: Tree) -> Tree:
        self._expect("(")
        arguments: list[Tree] = []
        if not self._is(")"):
            arguments.append(self._condition())
            while self._is(","):
                self._advance()
                arguments.append(self._condition())
        close = self._expect(")")
        return Tree(name.head, "call", tuple(arguments), name.start, close.end)
