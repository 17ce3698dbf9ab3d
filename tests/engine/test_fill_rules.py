"""The tables of `docs/fill-rules.md`, each run through the simulator."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.core.reason import Reason
from clawd.engine.backtest import trade
from clawd.engine.runtime import Decisions
from clawd.engine.simulate import Simulation, simulate
from clawd.language.strategy import Strategy, parse_toml
from engine.fill_tables import Example, examples
from engine.plain_simulator import Bar, run
from engine.test_simulate import plan_from

EXAMPLES = list(examples())

each_example = pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])


def simulated(example: Example) -> Simulation:
    grid, rules, count = example.grid, example.rules, len(example.instruments)
    close = example.column("close", np.nan)
    return simulate(
        *(example.column(name, np.nan) for name in ("open", "high", "low")),
        close,
        example.column("volume", np.nan),
        np.nan_to_num(example.column("funding", 0.0)),
        ~np.isnan(close),
        example.column("target", np.nan),
        example.ranges,
        plan_from(rules),
        rules.capital,
        rules.fee,
        rules.slippage,
        np.full(count, grid["tick"]),
        np.full(count, grid["lot"]),
    )


def expected_fills(example: Example) -> list[tuple[str, int, float, float, str]]:
    return [
        (
            row.get("instrument", "A"),
            int(row["bar"]),
            float(row["size"]) * (1 if row["side"] == "buy" else -1),
            float(row["price"]),
            row["reason"],
        )
        for row in example.fills
    ]


@each_example
def test_the_fills_are_those_of_the_table(example: Example) -> None:
    found = [
        (
            example.instruments[fill["instrument"]],
            int(fill["bar"]) + 1,
            float(fill["lots"]) * example.grid["lot"],
            float(fill["price"]),
            Reason(int(fill["reason"])).word,
        )
        for fill in simulated(example).fills
    ]
    expected = expected_fills(example)
    assert [(name, bar, reason) for name, bar, _, _, reason in found] == [
        (name, bar, reason) for name, bar, _, _, reason in expected
    ]
    np.testing.assert_allclose([fill[2:4] for fill in found], [fill[2:4] for fill in expected], rtol=1e-12)


@each_example
def test_the_fees_and_the_equity_are_those_of_the_table(example: Example) -> None:
    run = simulated(example)
    for fill, row in zip(run.fills, example.fills, strict=True):
        if "fee" in row:
            assert fill["fee"] == pytest.approx(float(row["fee"]), rel=1e-12)
    if example.equity is not None:
        np.testing.assert_allclose(run.equity, example.equity, rtol=1e-12)


@each_example
def test_the_plain_simulator_reads_the_tables_as_the_compiled_one_does(example: Example) -> None:
    close = example.column("close", np.nan)
    columns = [example.column(name, np.nan) for name in ("open", "high", "low", "close", "volume")]
    columns += [np.nan_to_num(example.column("funding", 0.0)), example.column("target", np.nan)]
    bars = [
        [
            None
            if np.isnan(price)
            else Bar(*(float(column[i, t]) for column in columns), tuple(example.ranges[:, i, t]))
            for t, price in enumerate(row)
        ]
        for i, row in enumerate(close)
    ]
    count = len(example.instruments)
    account = run(bars, [example.grid["tick"]] * count, [example.grid["lot"]] * count, example.rules)
    found = [
        (example.instruments[i], bar + 1, lots * example.grid["lot"], price, reason)
        for bar, i, lots, price, _, reason in account.fills
    ]
    expected = expected_fills(example)
    assert [(name, bar, reason) for name, bar, _, _, reason in found] == [
        (name, bar, reason) for name, bar, _, _, reason in expected
    ]
    np.testing.assert_allclose([fill[2:4] for fill in found], [fill[2:4] for fill in expected], rtol=1e-12)


def strategy_of(example: Example) -> Strategy:
    """A strategy with the exits of the example; its target is never asked."""
    rules = example.rules
    lines = [
        f"{name} = {{ percent = {far.size * 100:.10g} }}"
        for name, far in (("stop", rules.stop), ("trail", rules.trail), ("break_even", rules.break_even))
        if far is not None
    ]
    if rules.take:
        parts = [
            f"{{ percent = {aim.far.size * 100:.10g}, share = {aim.share}"
            + (f", decay = {aim.decay} }}" if aim.decay else " }")
            for aim in rules.take
        ]
        lines.append(f"take = [{', '.join(parts)}]")
    lines += [f"{name} = {getattr(rules, name)}" for name in ("time", "cooldown") if getattr(rules, name)]
    return parse_toml('name = "table"\n[position]\ntarget = "long_only(1)"\n[exits]\n' + "\n".join(lines))


def panel_of(example: Example) -> Panel:
    close = example.column("close", np.nan)
    steps = Decimal(repr(example.grid["tick"])), Decimal(repr(example.grid["lot"]))
    return Panel(
        instruments=tuple(Instrument(name, *steps) for name in example.instruments),
        bar=NANOSECONDS_PER_DAY,
        times=np.arange(close.shape[1]) * NANOSECONDS_PER_DAY,
        **{name: example.column(name, np.nan) for name in ("open", "high", "low", "volume")},
        close=close,
        funding=np.nan_to_num(example.column("funding", 0.0)),
        bars_per_year=365.0,
    )


# A strategy states distances in quote currency as multiples of the average true range, so these are left out here.
IN_PERCENT = [
    example
    for example in EXAMPLES
    if all(
        far is None or far.window is None
        for far in (
            example.rules.stop,
            example.rules.trail,
            example.rules.chandelier,
            example.rules.break_even,
            *(aim.far for aim in example.rules.take),
        )
    )
]


@pytest.mark.parametrize("example", IN_PERCENT, ids=[example.name for example in IN_PERCENT])
def test_a_backtest_hands_the_simulator_what_the_strategy_says(example: Example) -> None:
    rules, target = example.rules, example.column("target", np.nan)
    result = trade(
        strategy_of(example),
        (),
        Decisions(target, np.empty((0, *target.shape))),
        panel_of(example),
        Costs(Decimal(repr(rules.fee)), Decimal(repr(rules.slippage))),
        Decimal(int(rules.capital)),
        bars_read=0,
    )
    found = [
        (fill.symbol, fill.time // NANOSECONDS_PER_DAY + 1, fill.size, fill.price, fill.reason.word)
        for fill in result.fills
    ]
    expected = [
        (name, bar, Decimal(repr(size)), Decimal(repr(price)), reason)
        for name, bar, size, price, reason in expected_fills(example)
    ]
    assert found == expected
    if example.equity is not None:
        np.testing.assert_allclose(result.equity, example.equity, rtol=1e-12)


def test_the_document_has_a_table_for_long_and_for_short_positions_under_most_rules() -> None:
    sides: dict[str, set[str]] = {}
    for example in EXAMPLES:
        rule = example.name.rpartition(" ")[0]
        sides.setdefault(rule, set()).update(row["side"] for row in example.fills if row["reason"] == "entry")
    one_sided = {rule for rule, entries in sides.items() if entries != {"buy", "sell"}}
    assert len(EXAMPLES) >= 60
    assert one_sided <= {
        "The capital is fixed",
        "A short never loses more than its margin",
    }


def test_every_bar_of_the_document_is_a_possible_bar() -> None:
    for example in EXAMPLES:
        low, high = example.column("low", np.nan), example.column("high", np.nan)
        for name in ("open", "close"):
            price = example.column(name, np.nan)
            assert np.all(np.isnan(price) | ((low <= price) & (price <= high))), example.name


def test_every_example_has_two_tables_that_fit_together() -> None:
    for example in EXAMPLES:
        lengths = {sum(row.get("instrument", "A") == name for row in example.bars) for name in example.instruments}
        assert len(lengths) == 1, example.name
        bars = [int(row["bar"]) for row in example.fills]
        assert bars == sorted(bars), example.name
        assert all(2 <= bar <= min(lengths) for bar in bars), example.name
