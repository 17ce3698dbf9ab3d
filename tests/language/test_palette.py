"""The blocks of a builder come from the registry: what a form offers, the language takes."""

from __future__ import annotations

import pytest

from clawd.core.errors import ClawdError
from clawd.language.assembly import assemble, sample
from clawd.language.exits import EXIT_KINDS, ExitKind, read_exits
from clawd.language.findings import check_graph
from clawd.language.operators import OPERATORS
from clawd.language.palette import BlockKind, block_kinds, default_parameters, parameter_problems

KINDS = {kind.op: kind for kind in block_kinds()}


def test_every_operator_is_a_block_once() -> None:
    assert [kind.op for kind in block_kinds()] == list(OPERATORS)


@pytest.mark.parametrize("name", OPERATORS)
def test_a_block_with_its_defaults_is_sound(name: str) -> None:
    assert parameter_problems(name, default_parameters(name)) == []
    node = assemble(name, [sample(word) for word in OPERATORS[name].signature.inputs], default_parameters(name))
    assert node.text


def numbers(kind: BlockKind) -> list[tuple[int, float, float]]:
    return [
        (index, field.least, field.most)
        for index, field in enumerate(kind.parameters)
        if field.least is not None and field.most is not None
    ]


@pytest.mark.parametrize("name", [kind.op for kind in block_kinds() if numbers(kind)])
def test_the_range_of_a_window_or_a_quantile_is_what_the_language_takes(name: str) -> None:
    kind = KINDS[name]
    for index, least, most in numbers(kind):
        field = kind.parameters[index]
        if field.kind == "k":
            continue  # a constant has what `needs` says
        step = 1 if field.whole else 0.001
        for value, right in ((least, True), (most, True), (least - step, False), (most + step, False)):
            given = (*default_parameters(name)[:index], value, *default_parameters(name)[index + 1 :])
            given = tuple(int(each) if isinstance(each, float) and each.is_integer() else each for each in given)
            wrong = [key for key, error in parameter_problems(name, given) if "needs" not in error.what]
            # A window of the whole range may be too long for the program that a macro stands for.
            if right:
                assert field.name not in wrong, (value, wrong)
            else:
                assert parameter_problems(name, given), value


def test_a_fault_of_one_parameter_names_it_and_one_of_several_none() -> None:
    assert [key for key, _ in parameter_problems("macd", (0, 26, 1.5))] == ["w", "w3"]
    assert [key for key, _ in parameter_problems("clip", (2, 1))] == [None]
    assert [key for key, _ in parameter_problems("clock", ("houry",))] == ["name"]


@pytest.mark.parametrize("kind", EXIT_KINDS, ids=lambda kind: kind.key)
def test_an_exit_that_is_switched_on_is_sound_and_its_bounds_are_the_languages(kind: ExitKind) -> None:
    stop = {"stop": EXIT_KINDS[0].example}
    assert read_exits({**stop, kind.key: kind.example})
    if kind.form in ("distance", "targets"):
        assert read_exits({**stop, kind.key: {"percent": kind.most_percent}})
        with pytest.raises(ClawdError, match="percent must be"):
            read_exits({**stop, kind.key: {"percent": kind.most_percent + 0.1}})
    if kind.form == "true_ranges":
        with pytest.raises(ClawdError, match="chandelier"):
            read_exits({**stop, kind.key: {"percent": 3}})


def test_only_the_stop_is_required() -> None:
    assert [kind.key for kind in EXIT_KINDS if kind.required] == ["stop"]
    with pytest.raises(ClawdError, match="no stop"):
        read_exits({})


def test_a_single_block_that_is_added_has_only_the_faults_of_being_alone() -> None:
    for kind in block_kinds():
        parameters = {field.name: field.default for field in kind.parameters}
        form = {
            "clawd": 1,
            "name": "x",
            "exits": {"stop": {"percent": 5}},
            "nodes": [{"id": "n", "op": kind.op, **({"parameters": parameters} if parameters else {})}],
            "edges": [],
            "target": "n",
        }
        said = {problem.what for problem in check_graph(form).problems}
        allowed = {f"nothing is connected, and `{kind.op}` needs a {port.kind} here" for port in kind.inputs}
        if kind.result.kind != "position":
            allowed |= {word for word in said if word.startswith("the target must be a position")}
        assert said <= allowed
