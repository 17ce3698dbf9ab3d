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

The words between conditions may be written as calls too, `and(a, b)`: so canonical text is an expression as well.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clawd.core.errors import ClawdError

LONGEST_EXPRESSION = 40_000
LONGEST_NAME = 80
LARGEST_NUMBER = 1e15
DEEPEST_NESTING = 200
#: Characters of the source that an error shows.
LONGEST_EXCERPT = 70

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*|\$\d)"
    r"|(?P<text>\"[^\"\n]*\"|'[^'\n]*')|(?P<sign><=|>=|==|!=|\*\*|[-+*/()<>,^&|])",
    re.ASCII,
)
_INFIX = {
    **{"or": "or", "and": "and", "<": "gt", ">": "gt"},
    **{"+": "add", "-": "sub", "*": "mul", "/": "div"},
}
#: How tightly the infix signs bind; `not` stands between `and` and the comparisons, `-` before a value above all.
_BINDING = {"or": 0, "and": 1, "<": 3, ">": 3, "+": 4, "-": 4, "*": 5, "/": 5}
_NEGATION, _MINUS = 2, 6
_MISSING_SIGNS = {
    "<=": "use `<`",
    ">=": "use `>`",
    "==": "use between(x, lower, upper)",
    "!=": "use not between(x, lower, upper)",
    "**": "use signed_pow(x, 2), or pow(x, y) where both are pure numbers",
    "^": "use signed_pow(x, 2), or pow(x, y) where both are pure numbers",
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
    """An error that shows the line at fault, or what of it lies about the part at fault, with that part underlined."""
    begin = source.rfind("\n", 0, tree.start) + 1
    line = source[begin:].partition("\n")[0]
    column = tree.start - begin
    first = max(0, column - LONGEST_EXCERPT // 2) if len(line) > LONGEST_EXCERPT else 0
    last = min(len(line), first + LONGEST_EXCERPT)
    shown = "".join(letter if letter.isprintable() else " " for letter in line[first:last])
    before, after = "…" if first else "", "…" if last < len(line) else ""
    width = max(1, min(tree.end - begin, last) - column)
    underlined = f"\n    {before}{shown}{after}\n    {' ' * (len(before) + column - first)}{'^' * width}"
    place = f"line {source.count(chr(10), 0, tree.start) + 1}, " if "\n" in source.strip() else ""
    return ClawdError(what + (f", {hint}" if hint else "") + underlined, where=f"{place}column {column + 1}")


def _is_quotable(word: str) -> bool:
    return word.isprintable() and '"' not in word


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
            elif match.lastgroup != "space":
                form = str(match.lastgroup)
                word = match.group()[1:-1] if form == "text" else match.group()
                token = Tree(word, form, (), at, match.end())
                if len(word) > LONGEST_NAME or (form == "text" and not _is_quotable(word)):
                    raise located(
                        self.source,
                        token,
                        f"a name has at most {LONGEST_NAME} printable characters and no quotes in it",
                    )
                tokens.append(token)
            at = match.end()
        end = len(self.source.rstrip())
        tokens.append(Tree("the end", "end", (), end, end + 1))
        return tokens

    def _number(self, match: re.Match[str]) -> float:
        value = float(match.group().replace("_", ""))
        if value > LARGEST_NUMBER:
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

    def _is_joining_call(self) -> bool:
        """Whether `and(a, b)` or `or(a, b)` stands here, as canonical text writes them."""
        if not self._is("and", "or"):
            return False
        following = self.tokens[self.position + 1]
        return following.form == "sign" and following.head == "("

    def _expect(self, sign: str) -> Tree:
        if not self._is(sign):
            self._unexpected(f"expected `{sign}`")
        return self._advance()

    def _unexpected(self, wish: str) -> None:
        token = self.token
        text = self.source[token.start : token.end]
        word = text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]}…"
        found = "the expression ends here" if token.form == "end" else f"found `{word}`"
        raise located(self.source, token, f"{wish}, {found}", _MISSING_SIGNS.get(str(token.head)))

    def parse(self) -> Tree:
        if self.token.form == "end":
            raise ClawdError("the expression is empty")
        tree = self._expression()
        if self.token.form != "end":
            self._unexpected("expected an operator or the end")
        return tree

    def _expression(self, loosest: int = 0) -> Tree:
        """What stands here, with every infix sign that binds at least as tightly as ``loosest``."""
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise located(self.source, self.token, f"nested deeper than {DEEPEST_NESTING} levels")
        left = self._operand(loosest)
        while self.token.form in ("sign", "name") and _BINDING.get(str(self.token.head), -1) >= loosest:
            sign = str(self._advance().head)
            right = self._expression(_BINDING[sign] + 1)
            start, end = left.start, right.end
            if sign == "<":
                left, right = right, left
            left = Tree(_INFIX[sign], "call", (left, right), start, end)
            if sign in "<>" and self._is("<", ">"):
                self._unexpected("a comparison cannot be chained; join two with `and`")
        self.depth -= 1
        return left

    def _operand(self, loosest: int) -> Tree:
        token = self.token
        if self._is("-") or (self._is("not") and loosest <= _NEGATION):
            self._advance()
            inner = self._expression(_MINUS if token.head == "-" else _NEGATION)
            if token.head == "-" and inner.form == "number":
                return Tree(-float(inner.head), "number", (), token.start, inner.end)
            return Tree("neg" if token.head == "-" else "not", "call", (inner,), token.start, inner.end)
        if token.form in ("number", "text"):
            return self._advance()
        if token.form == "name" and (token.head not in ("and", "or", "not") or self._is_joining_call()):
            self._advance()
            if not self._is("("):
                return token
            self._advance()
            arguments = [] if self._is(")") else [self._expression()]
            while arguments and self._is(","):
                self._advance()
                arguments.append(self._expression())
            close = self._expect(")")
            return Tree(token.head, "call", tuple(arguments), token.start, close.end)
        if self._is("("):
            self._advance()
            tree = self._expression()
            close = self._expect(")")
            return Tree(tree.head, tree.form, tree.arguments, token.start, close.end)
        self._unexpected("expected a value")
        raise AssertionError("unreachable")
