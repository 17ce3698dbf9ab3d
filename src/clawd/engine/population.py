"""A population at work: many strategies over the same bars, as one graph, traded block by block and never stored.

What programs have in common is computed once. Values live for a block of bars, and what is kept of a strategy is its
positions and the running sums of its account, so memory does not grow with the bars, and the strategies are taken in
groups, so it does not grow with them either. Two threads work on two groups, for compiled code needs no lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Floats, Panel
from clawd.engine import kernel
from clawd.engine.account import ACCOUNT
from clawd.engine.backtest import market_of
from clawd.engine.bar import FILL
from clawd.engine.compiled import compiled
from clawd.engine.evaluator import Evaluator
from clawd.engine.graph import lower
from clawd.engine.metrics import Metrics, metrics_of, net_exposure_of
from clawd.engine.plan import plan_of
from clawd.engine.position import POSITION
from clawd.engine.rows import align, wanted
from clawd.engine.simulate import advance
from clawd.language.exits import average_true_range, windows_of
from clawd.language.strategy import Strategy

#: Strategies in one graph, and how many of them are traded after each stretch of it.
GROUP, BATCH = 1_000, 32

#: Stretches of the list of strategies of which a group is made.
PIECES = 16

THREADS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """What is kept of a strategy: its figures, and how its net returns were spread over time.

    Attributes:
        metrics: of the whole run.
        net_exposure: mean signed exposure at the closes, a share of the capital.
        bars: int64 [S], bars in each segment of time.
        returns: float64 [S], sum of the net returns of each segment's bars.
        squares: float64 [S], sum of their squares.
    """

    metrics: Metrics
    net_exposure: float
    bars: NDArray[np.int64]
    returns: Floats
    squares: Floats


def evaluate(
    strategies: Sequence[Strategy],
    panel: Panel,
    costs: Costs,
    capital: Decimal,
    first: int = 0,
    last: int | None = None,
    threads: int = THREADS,
) -> tuple[Metrics, ...]:
    """The figures of each strategy over the bars [first, last), the same as those of its own backtest.

    Args:
        strategies: what to run, on the instruments of its universe each.
        panel: the whole market; bars before ``first`` warm the programs up, and none of them is traded.
        costs: fee and slippage.
        capital: quote currency; exposures are shares of it.
        first, last: indices of the first bar traded and of the one after the last.
        threads: how many groups are worked on at once.

    Raises:
        ClawdError: when a strategy does not fit the market.
    """
    found = evaluate_in_segments(strategies, panel, costs, capital, first, last, segments=1, threads=threads)
    return tuple(each.metrics for each in found)


def evaluate_in_segments(
    strategies: Sequence[Strategy],
    panel: Panel,
    costs: Costs,
    capital: Decimal,
    first: int = 0,
    last: int | None = None,
    *,
    segments: int,
    threads: int = THREADS,
) -> tuple[Evaluation, ...]:
    """As :func:`evaluate`, and for each strategy the sums of its net returns over segments of time.

    Args:
        segments: S, into how many parts of equal length, give or take a bar, the bars traded are cut.

    Raises:
        ClawdError: when a strategy does not fit the market, or there are fewer bars than segments.
    """
    groups = list(_groups(strategies, panel, threads))
    end = panel.times.size if last is None else last
    if segments > max(end - first, 1):
        raise ClawdError(f"{end - first} bars cannot be cut into {segments} segments")
    edges = segment_edges(first, end, segments)

    def work(group: tuple[Panel, list[int]]) -> list[Evaluation]:
        market, members = group
        accounts, equity, squares = _run([strategies[member] for member in members], market, costs, capital, edges)
        money = float(capital)
        returns = np.diff(equity, axis=0, prepend=money) / money
        spread = np.diff(squares, axis=0, prepend=0.0) / money**2
        return [
            Evaluation(
                metrics=metrics_of(account, money, market.bars_per_year),
                net_exposure=net_exposure_of(account, money),
                bars=np.diff(edges),
                returns=returns[:, row],
                squares=spread[:, row],
            )
            for row, account in enumerate(accounts)
        ]

    results: dict[int, Evaluation] = {}
    if threads == 1 or len(groups) == 1:
        found = [work(group) for group in groups]
    else:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(work, groups))
    for (_, members), figures in zip(groups, found, strict=True):
        results.update(zip(members, figures, strict=True))
    return tuple(results[index] for index in range(len(strategies)))


def segment_edges(first: int, last: int, segments: int) -> NDArray[np.int64]:
    """Where the bars [first, last) are cut into segments of equal length, give or take a bar: int64 [segments + 1]."""
    return np.linspace(first, last, segments + 1).round().astype(np.int64)


def _groups(strategies: Sequence[Strategy], panel: Panel, threads: int) -> Iterator[tuple[Panel, list[int]]]:
    """Strategies that trade the same instruments, those with like programs side by side, in groups of bounded size."""
    universes: dict[tuple[str, ...], tuple[Panel, list[int]]] = {}
    for index, strategy in enumerate(strategies):
        market = market_of(strategy, panel)
        universes.setdefault(market.symbols, (market, []))[1].append(index)
    for market, members in universes.values():
        members.sort(key=lambda index: strategies[index].target.text)
        parts = max(1, -(-len(members) // GROUP), min(threads, len(members) // BATCH))
        # Each group takes pieces from everywhere, so that all of them take about as long.
        pieces = np.array_split(members, parts * PIECES)
        for part in range(parts):
            yield market, [int(index) for index in np.concatenate(pieces[part::parts])]


def _run(
    strategies: Sequence[Strategy], panel: Panel, costs: Costs, capital: Decimal, edges: NDArray[np.int64]
) -> tuple[NDArray[np.void], Floats, Floats]:
    """The accounts [N] of strategies that trade the whole of a panel, and their equity and squares at each edge [S, N].

    The first edge is where trading begins, and has no row.
    """
    windows = windows_of(strategy.exits for strategy in strategies)
    ranges = [average_true_range(window) for window in windows]
    batches = [min(BATCH, len(strategies) - start) for start in range(0, len(strategies), BATCH)]
    graph = lower([*ranges, *(strategy.target for strategy in strategies)], panel, [len(ranges), *batches])
    instruments = len(panel.instruments)
    evaluator = Evaluator(graph, instruments)
    roots = graph.roots[len(ranges) :]
    lookbacks = np.array([strategy.lookback for strategy in strategies], np.int64)
    order = np.arange(BATCH)
    plans = np.array([plan_of(strategy.exits, windows) for strategy in strategies])
    positions, accounts = np.zeros((len(strategies), instruments), POSITION), np.zeros(len(strategies), ACCOUNT)
    money = (float(capital), float(costs.fee), float(costs.slippage), panel.ticks, panel.lots)
    equity, squares = np.empty((2, edges.size, len(strategies)))
    for edge, (start, end) in enumerate(pairwise((0, *edges.tolist()))):
        trading = start >= edges[0] and end > start
        part = panel.between(start, end)
        fields = (part.open, part.high, part.low, part.close, part.volume, part.funding, part.present)
        for begin, stop in evaluator.blocks(part):
            columns = tuple(np.ascontiguousarray(field[:, begin:stop]) for field in fields)
            targets = np.empty((BATCH, instruments, stop - begin))
            distances = np.empty((len(ranges), instruments, stop - begin))
            done, strategy = graph.leaves, 0
            for batch, row in enumerate(graph.ends):
                kernel.run(done, row, *evaluator.arrays)
                done = row
                if batch == 0:
                    for index, root in enumerate(graph.roots[: len(ranges)]):
                        align(root, *evaluator.memory, distances[index])
                elif trading:
                    members = slice(strategy, strategy + batches[batch - 1])
                    wanted(
                        roots[members],
                        lookbacks[members],
                        order[: members.stop - members.start],
                        evaluator.seen,
                        *evaluator.memory,
                        targets,
                        0,
                    )
                    records = plans[members], positions[members], accounts[members]
                    trade_block(columns, targets, distances, *records, *money)
                    strategy = members.stop
        equity[edge], squares[edge] = accounts["equity"], accounts["squares"]
    return accounts, equity[1:], squares[1:]


@compiled
def trade_block(
    columns: tuple[Floats, ...],
    targets: Floats,
    ranges: Floats,
    plans: NDArray[np.void],
    positions: NDArray[np.void],
    accounts: NDArray[np.void],
    capital: float,
    fee: float,
    slippage: float,
    tick: Floats,
    lot: Floats,
) -> None:
    """Let each strategy of a batch trade a block of bars."""
    open_, high, low, close, volume, funding, present = columns
    no_fills, no_curve = np.empty(0, FILL), np.empty(0)
    for n in range(accounts.size):
        advance(
            open_,
            high,
            low,
            close,
            volume,
            funding,
            present,
            targets[n],
            ranges,
            plans[n],
            positions[n],
            accounts[n],
            capital,
            fee,
            slippage,
            tick,
            lot,
            no_fills,
            no_curve,
            no_curve,
        )
