"""The exit set as it is written: what is read, what is refused and how, what it is called, and what it hashes to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawd.core.errors import ClawdError
from clawd.engine.plan import BREAK_EVEN, CHANDELIER, STOP, TAKE, TARGETS, TRAIL, plan_of
from clawd.language.exits import MOST_TARGETS, Distance, Exits, Target, read_exits
from clawd.language.explain import explain
from clawd.language.strategy import Strategy, parse_json, parse_toml


def strategy(exits: str) -> Strategy:
    return parse_toml(f'name = "x"\n[position]\ntarget = "long_only(1)"\n[exits]\n{exits}\n')


EVERY = """
stop       = { atr = 3, window = 14 }
trail      = { percent = 8 }
chandelier = { atr = 4, window = 22 }
break_even = { percent = 2 }
take       = [{ percent = 2, share = 0.5 }, { atr = 4, window = 7, share = 0.25, decay = 40 }]
time       = 90
cooldown   = 5
"""


def test_every_exit_is_read() -> None:
    assert strategy(EVERY).exits == Exits(
        stop=Distance(3.0, 14),
        trail=Distance(8.0, None),
        chandelier=Distance(4.0, 22),
        break_even=Distance(2.0, None),
        take=(Target(Distance(2.0, None), 0.5), Target(Distance(4.0, 7), 0.25, 40)),
        time=90,
        cooldown=5,
    )


def test_the_windows_are_those_of_every_distance_once_and_in_order() -> None:
    exits = strategy(EVERY).exits
    assert exits.windows == (7, 14, 22)
    assert strategy("stop = { atr = 1, window = 9 }\ntake = { atr = 2, window = 9 }").exits.windows == (9,)
    assert strategy("stop = { percent = 9 }").exits.windows == ()
    longest = strategy("stop = { atr = 1, window = 22 }").exits.lookback
    assert exits.lookback == longest > strategy("stop = { atr = 1, window = 14 }").exits.lookback > 14


distances = st.one_of(
    st.builds(Distance, st.integers(1, 950).map(lambda tenths: tenths / 10), st.none()),
    st.builds(Distance, st.integers(1, 1_000).map(lambda tenths: tenths / 10), st.integers(1, 5_000)),
)
bars = st.one_of(st.none(), st.integers(1, 5_000))
targets = st.lists(
    st.builds(Target, distances, st.sampled_from([0.05, 0.1, 0.25, 1 / 3]).map(lambda share: share * 0.75), bars),
    max_size=4,
).map(tuple)
exit_sets = st.builds(
    Exits,
    distances,
    trail=st.one_of(st.none(), distances),
    chandelier=st.one_of(st.none(), distances.filter(lambda distance: distance.window is not None)),
    break_even=st.one_of(st.none(), distances),
    take=st.one_of(targets, st.builds(Target, distances, decay=bars).map(lambda target: (target,))),
    time=bars,
    cooldown=bars,
)


@given(exit_sets)
def test_exits_come_back_from_json_as_they_were(exits: Exits) -> None:
    assert read_exits(json.loads(json.dumps(exits.to_json()))) == exits


@given(exit_sets)
def test_toml_and_json_say_the_same(exits: Exits) -> None:
    lines = [f"{key} = {_toml(value)}" for key, value in exits.to_json().items()]
    written = strategy("\n".join(lines))
    assert written.exits == exits
    assert parse_json(json.dumps(written.to_json())).content_hash == written.content_hash


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {part}" for key, part in value.items()) + " }"
    return "[" + ", ".join(map(_toml, value)) + "]" if isinstance(value, list) else str(value)


@pytest.mark.parametrize(
    ("exits", "content_hash"),
    [
        ("stop = { percent = 10 }", "c9dce5101c1e09189b63e0197be5aaee63a4b3ca05995b0197ba6485a7ca986f"),
        (
            "stop = { atr = 2.5, window = 14 }\ntrail = { percent = 3 }\ntake = { atr = 4, window = 20 }\n"
            "time = 30\ncooldown = 2",
            "54d37880880e6041c2120587a7989a58d21e5c86b9711a20af77b92ad94d5ee1",
        ),
    ],
)
def test_a_file_that_was_written_before_the_later_exits_hashes_as_it_did(exits: str, content_hash: str) -> None:
    assert strategy(exits).content_hash == content_hash


def test_one_target_of_the_whole_is_the_same_in_all_its_forms() -> None:
    plain = strategy("stop = { percent = 5 }\ntake = { percent = 2 }")
    for form in ("[{ percent = 2 }]", "{ percent = 2, share = 1 }", "[{ percent = 2.0, share = 1.0 }]"):
        assert strategy(f"stop = {{ percent = 5 }}\ntake = {form}").content_hash == plain.content_hash


def test_what_changes_the_trading_changes_the_hash() -> None:
    variants = [
        "",
        "chandelier = { atr = 3, window = 22 }",
        "chandelier = { atr = 3, window = 23 }",
        "break_even = { percent = 2 }",
        "break_even = { atr = 2, window = 22 }",
        "take = { percent = 2 }",
        "take = { percent = 2, share = 0.5 }",
        "take = { percent = 2, decay = 5 }",
        "take = { percent = 2, decay = 6 }",
        "take = [{ percent = 2, share = 0.5 }, { percent = 3, share = 0.5 }]",
        "take = [{ percent = 2, share = 0.5 }, { percent = 3, share = 0.4 }]",
    ]
    hashes = {strategy(f"stop = {{ percent = 5 }}\n{variant}").content_hash for variant in variants}
    assert len(hashes) == len(variants)


WRONG = [
    ("chandelier = { percent = 3 }", "exits.chandelier: a chandelier hangs by the average true range of each bar"),
    ("chandelier = { atr = 3 }", "exits.chandelier: unknown distance with atr"),
    ("chandelier = { atr = 3, window = 0 }", "exits.chandelier.window: a whole number of bars from 1 to 5,000"),
    ("chandelier = 3", "exits.chandelier: a distance is a table"),
    ("chandeleer = { atr = 3, window = 22 }", "unknown exit `chandeleer` (did you mean `chandelier`?)"),
    ("break_even = { percent = 0 }", "exits.break_even: percent must be above 0 and at most 1000, not 0"),
    ("break_even = true", "exits.break_even: a distance is a table"),
    ("breakeven = { percent = 2 }", "unknown exit `breakeven` (did you mean `break_even`?)"),
    ("take = 3", "exits.take: a target is a table, several are a list of tables"),
    ("take = 'x'", "exits.take: a target is a table, several are a list of tables"),
    ("take = []", "exits.take: from 1 to 4 targets are possible, not 0"),
    (f"take = [{', '.join(['{ percent = 2, share = 0.1 }'] * 5)}]", "from 1 to 4 targets are possible, not 5"),
    (
        "take = [{ percent = 2, share = 0.5 }, { percent = 3 }]",
        "exits.take.2: of several targets each needs its share",
    ),
    (
        "take = [{ percent = 2, share = 0.5 }, { percent = 3, share = 0.51 }]",
        "exits.take: the shares must add up to at most 1, not 1.01",
    ),
    ("take = [{ percent = 2, share = 0 }]", "exits.take.1.share: a share must be above 0 and at most 1, not 0"),
    ("take = { percent = 2, share = 1.5 }", "exits.take.share: a share must be above 0 and at most 1, not 1.5"),
    ("take = { percent = 2, share = '1' }", "exits.take.share: a number is needed, not '1'"),
    ("take = { percent = 2, decay = 0 }", "exits.take.decay: a whole number of bars from 1 to 5,000 is needed, not 0"),
    ("take = { percent = 2, decay = 2.5 }", "exits.take.decay: a whole number of bars"),
    ("take = { percent = 2, decai = 2 }", "exits.take: unknown distance with percent, decai"),
    ("take = [{ percent = 2, share = 0.5 }, 3]", "exits.take.2: a distance is a table"),
    ("take = [[{ percent = 2 }]]", "exits.take.1: a distance is a table"),
    ("take = { percent = 1001 }", "exits.take: percent must be above 0 and at most 1000, not 1001"),
    ("trail = { percent = 5, decay = 3 }", "exits.trail: unknown distance with percent, decay"),
    ("stop = { percent = 5, share = 0.5 }", "exits.stop: unknown distance with percent, share"),
]


@pytest.mark.parametrize(("line", "words"), WRONG)
def test_a_wrong_exit_says_what_and_where(line: str, words: str) -> None:
    stop = "" if line.startswith("stop") else "stop = { percent = 5 }\n"
    with pytest.raises(ClawdError) as caught:
        strategy(stop + line)
    assert words in str(caught.value)


def test_the_plan_holds_what_the_exits_say_with_places_in_the_windows_given() -> None:
    plan = plan_of(strategy(EVERY).exits, (3, 7, 14, 22))
    found = {place: (float(plan["size"][place]), int(plan["window"][place])) for place in range(TAKE + TARGETS)}
    assert found == {
        STOP: (3.0, 2),
        TRAIL: (0.08, -1),
        CHANDELIER: (4.0, 3),
        BREAK_EVEN: (0.02, -1),
        TAKE: (0.02, -1),
        TAKE + 1: (4.0, 1),
        TAKE + 2: (0.0, -1),
        TAKE + 3: (0.0, -1),
    }
    assert plan["share"].tolist() == [0.5, 0.25, 0, 0]
    assert plan["decay"].tolist() == [0, 40, 0, 0]
    assert (plan["targets"], bool(plan["whole"]), plan["time"], plan["cooldown"]) == (2, False, 90, 5)
    assert MOST_TARGETS == TARGETS
    with pytest.raises(ValueError, match="not in list"):
        plan_of(strategy(EVERY).exits, (7, 14))


@pytest.mark.parametrize(("shares", "whole"), [((0.1, 0.2, 0.7), True), ((0.3, 0.3, 0.3), False), ((1,), True)])
def test_shares_as_they_are_typed_make_the_whole(shares: tuple[float, ...], whole: bool) -> None:
    parts = ", ".join(f"{{ percent = {k + 1}, share = {share} }}" for k, share in enumerate(shares))
    assert strategy(f"stop = {{ percent = 5 }}\ntake = [{parts}]").exits.takes_all == whole


def leaves(exits: str) -> list[str]:
    """The sentences about the exits."""
    section = explain(strategy(exits)).split("How it leaves\n")[1].split("\n\n")[0]
    return [line.strip() for line in section.splitlines()]


def test_every_exit_is_told_in_plain_english() -> None:
    assert leaves(EVERY)[2:7] == [
        "Leaves at a stop that hangs 4 average true ranges of 22 bars behind the best price since entry, by the average"
        " true range of each close; it never moves back.",
        "Once the price has gone 2 % of the entry price in its favour, the stop is moved to the average entry price,"
        " from the next bar on.",
        "Takes profit on 50 % of the position 2 % from the entry price.",
        "Takes profit on 25 % of the position 4 average true ranges of 7 bars from the entry price; the distance"
        " shrinks with every bar held, and after 40 bars is nothing.",
        "What it has taken it does not buy back while the position lasts. The rest runs on until another exit or the"
        " target ends it.",
    ]


def test_targets_that_take_all_leave_no_rest_to_speak_of() -> None:
    lines = leaves(
        "stop = { percent = 5 }\ntake = [{ percent = 2, share = 0.5 }, { percent = 3, share = 0.5, decay = 1 }]"
    )
    assert lines[1:4] == [
        "Takes profit on 50 % of the position 2 % from the entry price.",
        "Takes profit on 50 % of the position 3 % from the entry price; the distance shrinks with every bar held, and"
        " after 1 bar is nothing.",
        "What it has taken it does not buy back while the position lasts.",
    ]
    assert leaves("stop = { percent = 5 }\ntake = { percent = 2, decay = 9 }")[1] == (
        "Takes its profit 2 % from the entry price; the distance shrinks with every bar held, and after 9 bars is"
        " nothing."
    )
