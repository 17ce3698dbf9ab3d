"""Where no limit binds, the fleet trades fill for fill what the batch backtest trades.

A run goes through agents, gate, journal and paper venue one bar at a time; a backtest is one compiled loop over
history. The fills compared here are read back from the journal, so what is compared is what a restart would see.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from fleet_worlds import DAY, MIDNIGHT, Trading, costs_of, panel_of, run_whole, settings_of, strategy_of, walk

from clawd.authors.starter import starter_library
from clawd.core.event import Event
from clawd.core.events import BooksMarked, OrderFilled, VerdictGiven
from clawd.core.panel import Panel
from clawd.core.settings import Settings
from clawd.data.market import load_market
from clawd.engine.backtest import Backtest, run_backtest
from clawd.engine.stakes import stakes
from clawd.fleet.run import replay
from clawd.language.strategy import Strategy
from clawd.risk.gate import Outcome
from clawd.store.journal import Journal

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module", autouse=True)
def _nobody_is_fired_by_the_evidence() -> Iterator[None]:
    """It is a limit as well, and strategies that pay for noise lose."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("clawd.evidence.monitor.FALSE_FIRING", 1e-300)
        yield


Line = tuple[int, str, Decimal, Decimal, str]


@dataclass(frozen=True)
class Comparison:
    """One strategy through the fleet, from its journal, and through the backtest."""

    fills: list[Line]
    fees: list[Decimal]
    equity: list[float]
    backtest: Backtest
    refused: int

    @property
    def expected(self) -> list[Line]:
        return ordered(
            (fill.time, fill.symbol, fill.size, fill.price, fill.reason.word) for fill in self.backtest.fills
        )

    def agrees(self) -> None:
        """Every fill and the equity of every bar are the same."""
        assert self.refused == 0
        assert self.fills == self.expected
        assert [float(fee) for fee in self.fees] == pytest.approx(
            [fill.fee for fill in sorted(self.backtest.fills, key=lambda fill: (fill.time, fill.symbol))], abs=1e-9
        )
        assert np.abs(np.array(self.equity) - self.backtest.equity).max() <= 1e-6


def ordered(lines: object) -> list[Line]:
    """Fills in order of time and instrument; within one instrument's bar they stay in the order they happened in."""
    return sorted(lines, key=lambda line: line[:2])  # type: ignore[call-overload]


def compared(
    path: Path, strategies: Sequence[Strategy], panel: Panel, settings: Settings, first: int
) -> dict[str, Comparison]:
    """Each strategy, by name, traded both ways from the bar ``first`` on."""
    run_whole(path, strategies, panel, settings, first)
    fills: dict[str, list[OrderFilled]] = {}
    equity: dict[str, list[float]] = {}
    refused: dict[str, int] = {}

    def watch(_: int, event: Event) -> None:
        if isinstance(event, OrderFilled):
            fills.setdefault(event.agent, []).append(event)
        elif isinstance(event, BooksMarked):
            for agent, (worth, _wealth) in event.agents.items():
                equity.setdefault(agent, []).append(float(worth))
        elif isinstance(event, VerdictGiven) and event.outcome != Outcome.ALLOW:
            refused[event.agent] = refused.get(event.agent, 0) + 1

    with Journal.open(path, read_only=True) as journal:
        books, _ = replay(journal, watch)
    assert len(books.agents) == len(strategies)
    assert all(agent.active for agent in books.agents.values()), "a limit binds: the market is too wild for this test"
    result = {}
    for agent in books.agents.values():
        own = sorted(fills.get(agent.id, []), key=lambda fill: (fill.time, fill.symbol))
        result[agent.strategy] = Comparison(
            fills=[(fill.time, fill.symbol, fill.size, fill.price, fill.reason.word) for fill in own],
            fees=[fill.fee for fill in own],
            equity=equity[agent.id],
            backtest=run_backtest(strategies[agent.row], panel, costs_of(settings), agent.capital, first),
            refused=refused.get(agent.id, 0),
        )
    return result


# The starter library on the sample market.

STARTERS = {strategy.name: strategy for strategy in starter_library()}


@pytest.fixture(scope="module", params=[0.8, pytest.param(0.6, marks=pytest.mark.long)])
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Comparison]:
    """The last four years of the sample market; as a long proof the last eight."""
    panel = load_market("sample").panel
    settings = settings_of(capital=Decimal(20_000), slots=len(STARTERS))
    path = tmp_path_factory.mktemp("sample") / "journal.sqlite"
    return compared(path, list(STARTERS.values()), panel, settings, int(panel.times.size * request.param))


@pytest.mark.parametrize("name", STARTERS)
def test_every_starter_strategy_trades_the_sample_market_as_its_backtest_does(
    sample: dict[str, Comparison], name: str
) -> None:
    comparison = sample[name]
    assert comparison.fills, "a strategy that never trades agrees with anything"
    comparison.agrees()


# Every rule at once, on bars as bad as bars get.

WILD = [
    strategy_of("long_short(squash(60 * ret(close, 3)))", "stop = { percent = 4 }", name="follows, percent stop"),
    strategy_of(
        "long_short(squash(-40 * ret(close, 2)))",
        "stop = { atr = 2, window = 5 }\ntrail = { atr = 2, window = 5 }\ntake = { atr = 3, window = 5 }",
        name="fades, all distances",
    ),
    strategy_of(
        "long_only(0.3 + 0.7 * squash(50 * ret(close, 5)))",
        "stop = { percent = 30 }\ntrail = { percent = 6 }",
        name="enlarges winners",
    ),
    strategy_of(
        "long_only(0.2 - 0.8 * squash(20 * ret(close, 1)))",
        "stop = { percent = 60 }\ntime = 7\ncooldown = 3",
        name="enlarges after falls",
    ),
    strategy_of(
        "long_short(where(close > delay(close, 1), -1, 0.5))",
        "stop = { percent = 95 }",
        name="shorts far from its stop",
    ),
    strategy_of(
        "xs_portfolio(cs_rank(ret(close, 4)))", "stop = { percent = 10 }\ntake = { percent = 2 }", name="cross-section"
    ),
    strategy_of(
        'long_short(ext("tide"))',
        "stop = { percent = 3 }\ntrail = { percent = 2 }\ncooldown = 2",
        name="two instruments, an outside series",
        universe=["BBB", "DDD"],
    ),
    strategy_of(
        "long_short(squash(30 * ret(close, 1)))",
        "stop = { percent = 1 }\ntake = { percent = 1 }",
        name="stop and take in one bar",
        universe=["AAA"],
    ),
]


def wild_panel(seed: int, length: int, *, volatility: float = 0.04, bar: int = DAY // 24) -> Panel:
    """Four instruments with missing bars, bars without volume, gaps, funding and a short history."""
    random = np.random.default_rng(seed)
    names = ("AAA", "BBB", "CCC", "DDD")
    bars = {
        name: walk(
            10 * seed + row,
            length,
            price=10.0 ** (row - 1),
            volatility=volatility,
            wick=volatility / 2,
            gap=volatility / 2,
            missing=0.08,
            silent=0.08,
            since=length // 3 if name == "DDD" else 0,
        )
        for row, name in enumerate(names)
    }
    bars["BBB"][: length // 2, 4] = np.nan  # a volume that nobody knows is no missing volume
    bars["BBB"][np.isnan(bars["BBB"][:, 3]), 4] = np.nan
    funding = {name: np.where(random.random(length) < 0.1, random.normal(0, 2e-3, length), 0.0) for name in names[:2]}
    tide = np.round(np.sin(np.arange(length) / 9), 1)
    return panel_of(bars, bar=bar, start=MIDNIGHT, funding=funding, series={"tide": tide})


@pytest.mark.parametrize(("seed", "volatility"), [(0, 0.005), pytest.param(1, 0.01, marks=pytest.mark.long), (3, 0.02)])
def test_bad_bars_are_traded_as_in_the_backtest(tmp_path: Path, seed: int, volatility: float) -> None:
    panel = wild_panel(seed, 260, volatility=volatility)
    settings = settings_of(capital=Decimal(8_000), slots=len(WILD), fee=Decimal("0.001"), slippage=Decimal("0.0015"))
    reasons: set[str] = set()
    funded = 0.0
    for name, comparison in compared(tmp_path / "j.sqlite", WILD, panel, settings, 40).items():
        assert len(comparison.fills) > 10, name
        comparison.agrees()
        reasons |= {line[4] for line in comparison.fills}
        funded += abs(comparison.backtest.funding)
    # Agreement means little where half of the rules never speak.
    assert reasons >= {"entry", "increase", "reduce", "signal", "stop", "trail", "take", "time"}
    assert funded > 0


@pytest.mark.parametrize("bar", [DAY // 24, pytest.param(3 * DAY, marks=pytest.mark.long)])
def test_paper_is_bet_under_the_bounds_of_the_simulated_run(bar: int) -> None:
    """Where the gate cuts nothing, the most that a bar may lose is the same number both ways, but for rounding.

    As a long proof with bars of three days, too.
    """
    panel = wild_panel(3, 260, volatility=0.02, bar=bar)
    settings = settings_of(capital=Decimal(8_000), slots=len(WILD), fee=Decimal("0.001"), slippage=Decimal("0.0015"))
    trading = Trading(WILD, panel, settings, 40)
    bounds: dict[str, list[float]] = {strategy.name: [0.0] for strategy in WILD}
    for _ in trading.bars():
        for agent in trading.books.agents.values():
            bounds[agent.strategy].append(agent.bound)
    for agent in trading.books.agents.values():
        expected = stakes(WILD[agent.row], panel, costs_of(settings), agent.capital, 40)
        assert bounds[agent.strategy][:-1] == pytest.approx(expected.bounds, rel=1e-9, abs=1e-9), agent.strategy
        assert (expected.bounds > 0).mean() > 0.1, agent.strategy
        assert not agent.evidence.broken


# Every exit, several at once.

EXITS = [
    strategy_of(
        "long_short(squash(60 * ret(close, 6)))",
        "stop = { percent = 9 }\nchandelier = { atr = 2.5, window = 6 }\ncooldown = 2",
        name="hangs from a chandelier",
    ),
    strategy_of(
        "signal_if(close > delay(close, 3), close < delay(close, 3))",
        "stop = { atr = 3, window = 8 }\nbreak_even = { atr = 1, window = 5 }\ncooldown = 1",
        name="goes to break-even",
    ),
    strategy_of(
        "long_short(squash(-40 * ret(close, 2)))",
        "stop = { percent = 8 }\n"
        "take = [{ percent = 0.6, share = 0.29 }, { atr = 1.5, window = 5, share = 0.41 },"
        " { percent = 3, share = 0.3 }]",
        name="takes all in three parts",
    ),
    strategy_of(
        "long_only(0.3 + 0.7 * squash(50 * ret(close, 5)))",
        "stop = { percent = 20 }\ntake = [{ percent = 1, share = 0.5 }, { percent = 4, share = 0.2, decay = 9 }]",
        name="keeps a part, enlarges winners",
    ),
    strategy_of(
        "long_short(squash(60 * ret(close, 3)))",
        "stop = { percent = 12 }\ntake = { percent = 6, decay = 8 }\ncooldown = 3",
        name="waits less for its profit the longer it waits",
    ),
    strategy_of(
        "xs_portfolio(cs_rank(ret(close, 4)))",
        "stop = { atr = 4, window = 14 }\ntrail = { percent = 5 }\nchandelier = { atr = 3, window = 5 }\n"
        "break_even = { percent = 1 }\ntime = 30\ncooldown = 2\n"
        "take = [{ percent = 3, share = 0.25, decay = 5 }, { percent = 1, share = 0.25 },"
        " { percent = 1, share = 0.25 }, { atr = 3, window = 14, share = 0.25, decay = 20 }]",
        name="all of them",
    ),
    strategy_of(
        "long_short(squash(30 * ret(close, 1)))",
        "stop = { percent = 2 }\nchandelier = { atr = 1, window = 3 }\nbreak_even = { percent = 0.5 }\n"
        "take = [{ percent = 1, share = 0.5, decay = 3 }, { percent = 2, share = 0.5, decay = 2 }]",
        name="crossing targets",
        universe=["AAA", "CCC"],
    ),
]


@pytest.mark.parametrize(
    ("seed", "volatility", "capital"),
    [(4, 0.008, 7_000), pytest.param(5, 0.012, 7_000, marks=pytest.mark.long), (6, 0.02, 70)],
)
def test_every_exit_works_as_in_the_backtest(tmp_path: Path, seed: int, volatility: float, capital: int) -> None:
    """With little capital, positions are of few lots, and shares of them of less than one."""
    panel = wild_panel(seed, 260, volatility=volatility)
    settings = settings_of(capital=Decimal(capital), slots=len(EXITS), fee=Decimal("0.001"), slippage=Decimal("0.0015"))
    reasons: set[str] = set()
    parts, funded = 0, 0.0
    for name, comparison in compared(tmp_path / "j.sqlite", EXITS, panel, settings, 40).items():
        assert len(comparison.fills) > 10, name
        comparison.agrees()
        reasons |= {line[4] for line in comparison.fills}
        moments = [line[:2] for line in comparison.fills if line[4] == "take"]
        parts += len(moments) - len(set(moments))
        funded += abs(comparison.backtest.funding)
    assert reasons >= {"entry", "signal", "stop", "chandelier", "break_even", "take"}
    assert parts > 3, "several targets fill in one bar"
    assert funded > 0


def test_a_short_that_the_market_runs_away_from_loses_its_margin_both_ways_and_no_more(tmp_path: Path) -> None:
    """One short is closed by its signal, one by its stop, at an open far beyond twice their entry prices."""
    bars = np.array([(100.0, 101.0, 99.0, 100.0, 5.0)] * 12 + [(300.0, 310.0, 290.0, 300.0, 5.0)] * 6)
    wanted = np.where(np.arange(18) < 11, -0.4, 0.0)
    panel = panel_of({"AAA": bars}, series={"wanted": wanted})
    strategies = [
        strategy_of('long_short(ext("wanted"))', "stop = { percent = 95 }", name="closes"),
        strategy_of("long_short(-0.4)", "stop = { percent = 95 }", name="is stopped"),
    ]
    settings = settings_of(slots=2, slippage=Decimal("0.01"))
    for comparison in compared(tmp_path / "j.sqlite", strategies, panel, settings, 2).values():
        comparison.agrees()
        entry, leave = comparison.fills
        assert leave[3] == 2 * entry[3]
        assert leave[4] in {"signal", "stop"}


def test_an_entry_that_the_market_ran_away_from_is_asked_for_again_both_ways(tmp_path: Path) -> None:
    """The open lies a quarter above the close that it was decided on: cancelled, and entered a bar later instead."""
    bars = np.array([(100.0, 101.0, 99.0, 100.0, 5.0)] * 6 + [(125.0, 126.0, 124.0, 125.0, 5.0)] * 6)
    late = np.where(np.arange(12) < 5, 0.0, 0.5)
    panel = panel_of({"AAA": bars}, series={"late": late})
    strategies = [strategy_of('long_only(ext("late"))', "stop = { percent = 5 }", name="late")]
    comparison = compared(tmp_path / "j.sqlite", strategies, panel, settings_of(), 2)["late"]
    comparison.agrees()
    assert [(line[0], line[4]) for line in comparison.fills] == [(int(panel.times[7]), "entry")]


def test_an_agent_that_is_hired_later_trades_as_a_backtest_from_its_first_close(tmp_path: Path) -> None:
    """Its programs have read every bar before; its first decision is at the close on which it was hired."""
    fall = walk(5, 160, volatility=0.005)
    fall[40:50, :4] *= np.linspace(0.98, 0.7, 10)[:, np.newaxis]
    fall[50:, :4] *= 0.7
    panel = panel_of({"AAA": fall, "BBB": walk(6, 160, volatility=0.02)})
    strategies = [
        strategy_of("long_only(1)", "stop = { percent = 50 }", name="holds", universe=["AAA"]),
        strategy_of("long_short(squash(-30 * ret(close, 5)))", "stop = { percent = 3 }", name="fades"),
    ]
    settings = settings_of(max_drawdown=Decimal("0.25"))
    run = run_whole(tmp_path / "j.sqlite", strategies, panel, settings, 20)
    first, second = run.books.agents.values()
    assert first.fired == "DRAWDOWN"
    assert second.fired is None, "the comparison needs an agent that keeps its slot"
    since = int(np.searchsorted(panel.times, second.hired_at))
    expected = run_backtest(strategies[1], panel, costs_of(settings), second.capital, since)
    with Journal.open(tmp_path / "j.sqlite", read_only=True) as journal:
        bodies = [entry.body for entry in journal.entries() if entry.kind == "OrderFilled"]
    fills = [body for body in bodies if body["agent"] == second.id]
    assert 40 < since < 60
    assert len(fills) > 10
    assert ordered((body["time"], body["symbol"], body["size"], body["price"]) for body in fills) == ordered(
        (fill.time, fill.symbol, str(fill.size), str(fill.price)) for fill in expected.fills
    )


# Real bars.


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared folder of real crypto bars is not here")
def test_real_crypto_bars_are_traded_as_in_the_backtest(tmp_path: Path) -> None:
    names = ["binance_BTCUSDT_1h", "binance_ETHUSDT_1h", "binance_SOLUSDT_1h"]
    panel = load_market(SHARED, names).panel
    cut = panel.between(panel.times.size - 900, panel.times.size)
    strategies = [
        strategy_of("long_short(squash(40 * ret(close, 12)))", "stop = { atr = 2, window = 14 }", name="trend"),
        strategy_of(
            "long_short(-1 * squash(ts_zscore(close, 24)))",
            "stop = { percent = 3 }\ntrail = { percent = 2 }\ntake = { percent = 1.5 }\ntime = 24\ncooldown = 6",
            name="reversion",
        ),
        strategy_of(
            "vol_target(signal_if(tsmom(48) > 0, tsmom(48) < 0), 0.4, 24)", "stop = { percent = 8 }", name="vol"
        ),
    ]
    settings = settings_of(capital=Decimal(30_000), slots=len(strategies))
    for name, comparison in compared(tmp_path / "j.sqlite", strategies, cut, settings, 300).items():
        assert len(comparison.fills) > 10, name
        comparison.agrees()
