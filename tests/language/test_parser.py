"""The grammar against Python's own, and what it refuses."""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.language.expression import DEEPEST_NESTING, LONGEST_EXPRESSION, LONGEST_NAME, Tree, parse

NAMES = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mult", ast.Div: "div", ast.And: "and", ast.Or: "or"}


def ours(tree: Tree) -> str:
    """A tree with every bracket written."""
    if tree.form == "call":
        words = [ours(argument) for argument in tree.arguments]
        name = {"mul": "mult"}.get(str(tree.head), str(tree.head))
        return f"{name}({', '.join(words)})"
    return f"{tree.head:g}" if tree.form == "number" else str(tree.head)


def pythons(node: ast.expr) -> str | None:
    """The same of Python's tree, None for what only Python allows: chains of comparisons."""
    match node:
        case ast.BinOp():
            parts = [pythons(node.left), pythons(node.right)]
            name = NAMES[type(node.op)]
        case ast.BoolOp():
            first, *rest = [pythons(value) for value in node.values]
            name = NAMES[type(node.op)]
            for value in rest[:-1]:
                first = None if first is None or value is None else f"{name}({first}, {value})"
            parts = [first, rest[-1]]
        case ast.UnaryOp():
            parts = [pythons(node.operand)]
            name = "not" if isinstance(node.op, ast.Not) else "neg"
            if name == "neg" and isinstance(node.operand, ast.Constant | ast.UnaryOp) and _number(parts[0]):
                return f"{-float(str(parts[0])):g}"
        case ast.Compare():
            if len(node.ops) > 1:
                return None
            parts = [pythons(node.left), pythons(node.comparators[0])]
            name = "gt"
            if isinstance(node.ops[0], ast.Lt):
                parts.reverse()
        case ast.Constant():
            return f"{node.value:g}"
        case ast.Name():
            return node.id
        case _:
            raise TypeError(node)
    return None if None in parts else f"{name}({', '.join(map(str, parts))})"


def _number(text: str | None) -> bool:
    try:
        float(str(text))
    except ValueError:
        return False
    return text is not None


@st.composite
def texts(draw: st.DrawFn, depth: int = 4) -> str:
    """Signs, words and values in any order that a person might write, right or wrong."""
    form = draw(st.sampled_from(["value", "pair", "pair", "pair", "minus", "not", "bracket"])) if depth else "value"
    inner = texts(depth=depth - 1)
    match form:
        case "pair":
            sign = draw(st.sampled_from(["+", "-", "*", "/", "<", ">", " and ", " or ", " + ", " - "]))
            return draw(inner) + sign + draw(inner)
        case "minus":
            return "-" + draw(inner)
        case "not":
            return "not " + draw(inner)
        case "bracket":
            return "(" + draw(inner) + ")"
    return draw(st.sampled_from(["a", "b", "c", "1", "2.5", "30"]))


@settings(max_examples=600, deadline=None, derandomize=True)
@given(texts())
@example("a-b-c")
@example("a/b/c*d")
@example("-a*b")
@example("a--1")
@example("not a<b and c or d")
@example("a or b and not c")
@example("a+not b")
@example("a<-b*c+1")
def test_an_expression_is_read_as_python_reads_it(text: str) -> None:
    try:
        expected = pythons(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError:
        expected = None
    if expected is None:
        with pytest.raises(ClawdError, match="column"):
            parse(text)
    else:
        assert ours(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("ema(close, 20)", "ema(close, 20)"),
        ("ema( close ,20 )", "ema(close, 20)"),
        ("f(a < b, c + d * e)", "f(gt(b, a), add(c, mult(d, e)))"),
        ("f(g(h(x)))", "f(g(h(x)))"),
        ('ext("fear")', "ext(fear)"),
        ("ext('fear')", "ext(fear)"),
        ("clock()", "clock()"),
        ("1_000", "1000"),
        ("1e3", "1000"),
        (".5", "0.5"),
        ("2.", "2"),
        ("1.5e-3", "0.0015"),
        ("\n a\t+\n b ", "add(a, b)"),
        ("(((a)))", "a"),
        ("not not a", "not(not(a))"),
    ],
)
def test_an_expression_means(text: str, meaning: str) -> None:
    assert ours(parse(text)) == meaning


def test_a_part_remembers_where_it_stood() -> None:
    source = "a + ema(close, 20) < -b"
    tree = parse(source)
    right, left = tree.arguments
    assert source[left.start : left.end] == "a + ema(close, 20)"
    assert source[right.start : right.end] == "-b"
    call = left.arguments[1]
    assert source[call.start : call.end] == "ema(close, 20)"


def test_a_long_sum_is_read_from_the_left() -> None:
    tree = parse("+".join(["a"] * 5_000))
    depth = 0
    while tree.form == "call":
        assert tree.arguments[1].head == "a"
        tree, depth = tree.arguments[0], depth + 1
    assert depth == 4_999


@pytest.mark.parametrize("opening", ["(", "-", "not ", "f(", "a+(", "a or not ("])
def test_nesting_has_an_end_that_is_no_crash(opening: str) -> None:
    closing = ")" * opening.count("(")
    assert parse(opening * 20 + "a" + closing * 20)
    with pytest.raises(ClawdError, match=f"nested deeper than {DEEPEST_NESTING}"):
        parse(opening * 250 + "a" + closing * 250)


def test_length_has_an_end() -> None:
    with pytest.raises(ClawdError, match="characters"):
        parse("a" + " " * LONGEST_EXPRESSION)
    with pytest.raises(ClawdError, match=f"at most {LONGEST_NAME}"):
        parse("a" * (LONGEST_NAME + 1))
    assert parse("a" * LONGEST_NAME).head == "a" * LONGEST_NAME
