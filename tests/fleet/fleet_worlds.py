"""Small made-up markets and a fleet on them, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.event import Event
from clawd.core.events import RunStarted, read_event
from clawd.core.instrument import Instrument
from clawd.core.panel import Floats, Panel
from clawd.core.settings import Settings
from clawd.evidence.eprocess import EProcess
from clawd.evidence.levels import wealth_to_reach
from clawd.fleet.books import Books
from clawd.fleet.claims import Bet, Claim
from clawd.fleet.fleet import Fleet
from clawd.fleet.run import Run, begin_or_continue, run_started
from clawd.language.strategy import Strategy, parse_toml
from clawd.store.journal import Journal
from clawd.store.switchboard import NOTHING_ORDERED, PAPER_FLEET, Command, Pause
from clawd.venues.paper import PaperVenue

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
MIDNIGHT = 19_723 * DAY  # 2024-01-01


@dataclass(frozen=True)
class Finalist:
    """What a run wants to know of a finalist; a search would have found it."""

    strategy: Strategy
    sharpe: float = 1.0


def strategy_of(
    target: str, exits: str = "stop = { percent = 5 }", *, name: str = "s", universe: Sequence[str] | None = None
) -> Strategy:
    """A strategy from its target and exits."""
    where = f"universe = {list(universe)!r}\n" if universe else ""
    return parse_toml(f"name = {name!r}\n{where}[position]\ntarget = {target!r}\n[exits]\n{exits}\n")


def panel_of(
    bars: Mapping[str, Floats],
    *,
    bar: int = HOUR,
    start: int = MIDNIGHT,
    times: NDArray[np.int64] | None = None,
    funding: Mapping[str, Floats] | None = None,
    series: Mapping[str, Floats] | None = None,
    instruments: Sequence[Instrument] | None = None,
) -> Panel:
    """A panel from [T, 5] open, high, low, close and volume of each symbol; NaN where a bar is missing."""
    stack = np.stack([bars[symbol] for symbol in bars])
    length = stack.shape[1]
    if instruments is None:
        firsts = {symbol: values[~np.isnan(values[:, 3]), 3][0] for symbol, values in bars.items()}
        instruments = [Instrument.from_first_price(symbol, float(price)) for symbol, price in firsts.items()]
    paid = np.zeros(stack.shape[:2])
    for row, symbol in enumerate(bars):
        if funding is not None and symbol in funding:
            paid[row] = funding[symbol]
    return Panel(
        instruments=tuple(instruments),
        bar=bar,
        times=start + bar * np.arange(length, dtype=np.int64) if times is None else times,
        open=stack[:, :, 0],
        high=stack[:, :, 1],
        low=stack[:, :, 2],
        close=stack[:, :, 3],
        volume=stack[:, :, 4],
        funding=paid,
        bars_per_year=365 * DAY / bar,
        series=dict(series or {}),
    )


def walk(
    seed: int,
    length: int,
    *,
    price: float = 100.0,
    volatility: float = 0.01,
    wick: float = 0.005,
    gap: float = 0.0,
    missing: float = 0.0,
    silent: float = 0.0,
    since: int = 0,
) -> Floats:
    """[T, 5] bars of a random walk.

    Args:
        seed: the same seed gives the same bars.
        length: T.
        price: before the first bar.
        volatility: standard deviation of a bar's log return from open to close.
        wick: mean length of a wick, as a share of the price.
        gap: standard deviation of the log return from a close to the next open.
        missing, silent: shares of the bars that are missing, or have no volume.
        since: the first bar that exists.
    """
    random = np.random.default_rng(seed)
    moves = np.stack([random.normal(0, gap, length) if gap else np.zeros(length), random.normal(0, volatility, length)])
    path = price * np.exp(np.cumsum(moves.T.ravel()))
    opens, closes = path[0::2], path[1::2]
    tops = np.maximum(opens, closes) * (1 + random.exponential(wick, length))
    bottoms = np.minimum(opens, closes) * (1 - np.minimum(random.exponential(wick, length), 0.9))
    volume = np.where(random.random(length) < silent, 0.0, random.uniform(1, 9, length))
    bars = np.stack([opens, tops, bottoms, closes, volume], axis=1)
    bars[random.random(length) < missing] = np.nan
    bars[:since] = np.nan
    bars[since] = [opens[since], tops[since], bottoms[since], closes[since], 5.0]
    return bars


def settings_of(**given: object) -> Settings:
    """Settings with limits that bind nothing, where no others are given."""
    free = {
        "capital": Decimal(1_000),
        "day_loss_limit": Decimal(10**9),
        "leverage": Decimal(100),
        "max_drawdown": Decimal(1),
        "slots": 1,
        "home": Path("nowhere"),
    }
    return Settings(**{**free, **given})


def costs_of(settings: Settings) -> Costs:
    return Costs(settings.fee, settings.slippage)


def start_of(strategies: Sequence[Strategy], panel: Panel, settings: Settings, first: int = 1) -> RunStarted:
    return run_started(panel, "made-up", first, [Finalist(each) for each in strategies], settings)


class FreshClaims:
    """A registry in memory, as a new home has it: numbers in order of hiring, nothing known, nothing earned."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.bets: dict[int, list[Bet]] = {}
        self.proven: list[int] = []

    def shown_until(self) -> int | None:
        return None

    def claim(self, strategy: Strategy, counts_from: int) -> Claim:
        number = self.numbers.setdefault(strategy.content_hash, len(self.numbers) + 1)
        return Claim(number, 0, wealth_to_reach(number, 0), counts_from, EProcess())

    def last_bet(self, number: int, strategy: str) -> int | None:
        self.numbers[strategy] = number
        bars = self.bets.get(number, [])
        return bars[-1].ts if bars else None

    def settle(self, bets: Mapping[int, Sequence[Bet]], proven: Iterable[int], until: int) -> None:
        for number, bars in bets.items():
            kept = self.bets.setdefault(number, [])
            kept += [bar for bar in bars if not kept or bar.ts > kept[-1].ts]
        self.proven += [number for number in proven if number not in self.proven]


class Pausing:
    """A person who pauses and unpauses strategies at chosen closes, counted from the run's first.

    Args:
        words: by close and content hash, whether the strategy is paused from then on.
    """

    def __init__(self, words: Mapping[int, Mapping[str, bool]]) -> None:
        self.words, self.close, self.number = words, 0, 0
        self.said: dict[str, Pause] = {}

    def __call__(self) -> Mapping[str, Pause]:
        for strategy, paused in self.words.get(self.close, {}).items():
            self.number += 1
            self.said[strategy] = Pause(self.number, self.close, PAPER_FLEET, strategy, paused, "ann", "news")
        self.close += 1
        return self.said


class Trading:
    """A fleet without a file: its books, its venue, and the events of each bar."""

    def __init__(
        self,
        strategies: Sequence[Strategy],
        panel: Panel,
        settings: Settings,
        first: int = 1,
        ordered: Callable[[], Command] = lambda: NOTHING_ORDERED,
        paused: Callable[[], Mapping[str, Pause]] = dict,
    ) -> None:
        self.start = start_of(strategies, panel, settings, first)
        self.panel = panel
        self.books = Books.begin(self.start)
        self.venue = PaperVenue(panel.instruments, costs_of(settings), settings.capital)
        self.claims = FreshClaims()
        self.fleet = Fleet(self.books, self.venue, strategies, panel, first, self.claims, ordered, paused)

    def bars(self) -> Iterator[list[Event]]:
        """Trade bar after bar; each bar's events as a replay would read them."""
        while self.fleet.next_bar < self.panel.times.size:
            yield [read_event(kind, body) for _, kind, body in self.fleet.step()]


def begin(path: Path, strategies: Sequence[Strategy], panel: Panel, settings: Settings, first: int = 1) -> Run:
    """A run whose journal lies at a path; the caller closes ``run.journal``."""
    journal = Journal.open(path)
    return begin_or_continue(journal, start_of(strategies, panel, settings, first), panel, FreshClaims())


def run_whole(path: Path, strategies: Sequence[Strategy], panel: Panel, settings: Settings, first: int = 1) -> Run:
    """A run traded to its last bar, its journal closed."""
    run = begin(path, strategies, panel, settings, first)
    with run.journal:
        for _ in run.steps():
            pass
    return run


def account(venue: PaperVenue, closes: Mapping[str, float | Decimal]) -> Decimal:
    """What the venue's account is worth at some closes, computed from the venue alone."""
    held = (size * Decimal(str(closes[symbol])) for symbol, size in venue.positions.items() if size)
    return venue.cash + sum(held, Decimal(0))


def last_closes(panel: Panel, index: int) -> dict[str, float]:
    """The last close of each instrument up to a bar."""
    closes: dict[str, float] = {}
    for row, symbol in enumerate(panel.symbols):
        known: NDArray[np.intp] = np.flatnonzero(~np.isnan(panel.close[row, : index + 1]))
        if known.size:
            closes[symbol] = float(panel.close[row, known[-1]])
    return closes


# Worlds for properties.


@dataclass(frozen=True)
class World:
    """A market, the agents on it, and the limits."""

    panel: Panel
    strategies: list[Strategy]
    limits: Settings

    def trading(self) -> Trading:
        return Trading(self.strategies, self.panel, self.limits)


def bars_from(moves: list[tuple[int, int, int]], jumps: list[int], price: float = 100.0) -> Floats:
    """[T, 5] bars from moves within a bar (to its close, up, down) and jumps to the next open, all in permille."""
    bars = []
    for (move, up, down), jump in zip(moves, jumps, strict=True):
        first = price * (1 + jump / 1000)
        price = first * (1 + move / 1000)
        bars.append((first, max(first, price) * (1 + up / 1000), min(first, price) * (1 - down / 1000), price, 5.0))
    return np.array(bars)


def stretches(values: st.SearchStrategy[int], length: int) -> st.SearchStrategy[list[int]]:
    """Values that stay for some bars: runs and reversals, not noise."""
    pieces = st.lists(st.tuples(values, st.integers(1, 6)), min_size=1, max_size=length)
    return pieces.map(lambda parts: [value for value, bars in parts for _ in range(bars)]).map(
        lambda row: (row * length)[:length]
    )


DISTANCES = st.sampled_from([0.5, 1, 3, 8, 30, 80])


@st.composite
def targets(draw: st.DrawFn, share: float) -> str:
    """A profit target that closes a share."""
    decay = draw(st.sampled_from(["", "", ", decay = 1", ", decay = 5"]))
    return f"{{ percent = {draw(DISTANCES)}, share = {share}{decay} }}"


@st.composite
def agents(draw: st.DrawFn, length: int, symbols: list[str], series: dict[str, Floats]) -> list[Strategy]:
    found: dict[str, Strategy] = {}
    for number in range(draw(st.integers(1, 4))):
        levels = np.array(draw(stretches(st.sampled_from([-100, -30, 0, 5, 30, 60, 100]), length))) / 100
        series[f"s{number}"] = levels if draw(st.booleans()) else np.sort(np.abs(levels))
        target = draw(
            st.sampled_from(
                [
                    'ext("{0}")',
                    'ext("{0}") * sign(ret(close, 1))',
                    '0.3 * ext("{0}") + 0.7 * squash(30 * ret(close, 2))',
                ]
            )
        ).format(f"s{number}")
        exits = [f"stop = {{ percent = {draw(DISTANCES)} }}"]
        if draw(st.booleans()):
            exits.append(f"trail = {{ percent = {draw(DISTANCES)} }}")
        if draw(st.sampled_from([False, False, True])):
            exits.append(f"chandelier = {{ atr = {draw(DISTANCES)}, window = 2 }}")
        if draw(st.sampled_from([False, False, True])):
            exits.append(f"break_even = {{ percent = {draw(DISTANCES)} }}")
        shares = draw(st.sampled_from([[], [], [1], [1], [0.3], [0.5, 0.5], [0.2, 0.3, 0.2, 0.3]]))
        if shares:
            exits.append(f"take = [{', '.join(draw(targets(share)) for share in shares)}]")
        if draw(st.booleans()):
            exits.append(f"time = {draw(st.integers(1, 6))}")
        strategy = strategy_of(
            f"long_short({target})",
            "\n".join(exits),
            name=f"n{number}",
            universe=draw(st.sampled_from([None, symbols[:1]])),
        )
        found.setdefault(strategy.content_hash, strategy)
    return list(found.values())


def round_the_clock(length: int, bar: int) -> NDArray[np.int64]:
    return MIDNIGHT + bar * np.arange(length, dtype=np.int64)


def in_sessions(length: int, bar: int) -> NDArray[np.int64]:
    """Seven bars a day from 14:00 on, as a stock exchange has them."""
    days, hours = np.divmod(np.arange(length, dtype=np.int64), 7)
    return MIDNIGHT + days * DAY + (14 + hours) * bar


@st.composite
def worlds(draw: st.DrawFn, bar: int = HOUR, *, jump: int = 0, sessions: bool = False, torn: bool = False) -> World:
    """Markets of runs and reversals, with agents whose exposures come in steps.

    Args:
        draw: hypothesis's.
        bar: duration of the bars.
        jump: the most that an open lies from the close before it, in permille.
        sessions: seven bars a day instead of bars around the clock.
        torn: with missing bars, bars without volume, and funding.
    """
    length = draw(st.sampled_from([20, 40]))
    symbols = ["AAA", "BBB"][: draw(st.integers(1, 2))]
    bars, funding = {}, {}
    for symbol in symbols:
        moves = draw(stretches(st.sampled_from([-90, -30, -10, -1, 0, 1, 10, 30, 90]), length))
        wicks = draw(stretches(st.sampled_from([0, 0, 5, 40]), length))
        gaps = draw(stretches(st.integers(-jump, jump), length)) if jump else [0] * length
        bars[symbol] = bars_from(list(zip(moves, wicks, reversed(wicks), strict=True)), gaps)
        if torn:
            kinds = np.array(draw(stretches(st.sampled_from([0, 0, 0, 1, 2]), length)))
            kinds[0] = 0
            bars[symbol][kinds == 1] = np.nan
            bars[symbol][kinds == 2, 4] = 0.0
            funding[symbol] = np.array(draw(stretches(st.sampled_from([0, 0, -20, 1, 20]), length))) / 1000
    series: dict[str, Floats] = {}
    strategies = draw(agents(length, symbols, series))
    times = in_sessions(length, bar) if sessions else round_the_clock(length, bar)
    limits = settings_of(
        capital=Decimal(100),
        day_loss_limit=draw(st.sampled_from([Decimal("0.5"), Decimal(2), Decimal(10)])),
        leverage=draw(st.sampled_from([Decimal(1), Decimal(10)])),
        slots=draw(st.integers(1, len(strategies))),
        max_drawdown=draw(st.sampled_from([Decimal("0.01"), Decimal("0.1"), Decimal(1)])),
        fee=draw(st.sampled_from([Decimal(0), Decimal("0.0005"), Decimal("0.01")])),
        slippage=draw(st.sampled_from([Decimal(0), Decimal("0.0002"), Decimal("0.01")])),
    )
    return World(panel_of(bars, bar=bar, times=times, series=series, funding=funding), strategies, limits)
