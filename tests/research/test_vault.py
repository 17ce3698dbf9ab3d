"""Attacks on the seal: whatever an author can reach from what he is given, no number of a sealed bar is in it."""

from __future__ import annotations

import gc
import inspect
import pickle
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import polars as pl
import pytest

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.data.align import fingerprint
from clawd.data.market import load_market
from clawd.engine.backtest import Backtest, run_backtest
from clawd.language.strategy import parse_toml
from clawd.research.periods import split
from clawd.research.vault import Vault, seal
from clawd.store.registry import Hypothesis, Registry

BARS = 1_000
COSTS = Costs(Decimal("0.0005"), Decimal("0.0002"))
MONEY = Decimal(10_000)
TREND = parse_toml(
    """
name = "trend"
[position]
target = "long_only(close / ema(close, 5) - 1)"
[exits]
stop = { percent = 20 }
"""
)


def market() -> Panel:
    """Four instruments, each number of which is found nowhere else: D begins in the selection, C in the search."""
    random = np.random.default_rng(7)
    shape = (4, BARS)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.01, shape), axis=1))
    close[2, :200] = np.nan
    close[3, :700] = np.nan
    spread = 1 + random.uniform(0.001, 0.002, shape)
    absent = np.isnan(close)
    return Panel(
        instruments=tuple(Instrument(symbol, Decimal("0.01"), Decimal("0.001")) for symbol in "ABCD"),
        bar=NANOSECONDS_PER_DAY,
        times=15_000 * NANOSECONDS_PER_DAY + np.arange(BARS, dtype=np.int64) * NANOSECONDS_PER_DAY,
        open=close / spread**0.5,
        high=close * spread,
        low=close / spread,
        close=close,
        volume=np.where(absent, np.nan, random.uniform(1, 2, shape)),
        funding=np.where(absent, np.nan, random.normal(0, 1e-4, shape)),
        bars_per_year=365.25,
        series={
            "vix": random.normal(20, 3, BARS),
            "deriv:basis": random.normal(0, 1, shape),
            "model:late": np.where(np.arange(BARS) < 650, np.nan, random.normal(0, 1, BARS)),
        },
        groups={"sector": np.array([0, 2, 0, 1]), "chain": np.array([-1, -1, -1, 0])},
        vwap=close * (1 + random.uniform(-1e-4, 1e-4, shape)),
    )


def numbers(panel: Panel, first: int) -> set[bytes]:
    """Every number from a bar on, as its eight bytes; what also stands before it, such as a calendar, is left out."""

    def of(part: slice) -> set[bytes]:
        fields = [panel.open, panel.high, panel.low, panel.close, panel.volume, panel.funding, *panel.series.values()]
        fields += [panel.times, panel.times + panel.bar]
        if panel.vwap is not None:
            fields.append(panel.vwap)
        cells = [np.ascontiguousarray(field[..., part]).ravel() for field in fields]
        return {cell.tobytes() for row in cells for cell in row if not np.isnan(cell)}

    last_close = {np.int64(panel.times[first]).tobytes()}  # when the search ends is when the selection begins
    return of(slice(first, None)) - of(slice(0, first)) - last_close


def reachable(start: object) -> Iterator[object]:
    """Everything that is found from an object: what it refers to, numpy's bases, and what it pickles to."""
    seen: set[int] = set()
    waiting: list[Any] = [start]
    while waiting:
        found = waiting.pop()
        if id(found) in seen or isinstance(found, type | ModuleType | FunctionType | MethodType):
            continue
        seen.add(id(found))
        keep.append(found)
        yield found
        if isinstance(found, np.ndarray) and found.base is not None:
            waiting.append(found.base)
        if isinstance(found, memoryview) and found.obj is not None:
            waiting.append(found.obj)
        waiting += gc.get_referents(found)


keep: list[object] = []  # ids are told apart only while their objects live


def cells(found: object) -> Iterator[bytes]:
    if isinstance(found, np.ndarray) and found.dtype.itemsize == 8:
        flat = np.ascontiguousarray(found).ravel()
        yield from (cell.tobytes() for cell in flat)
    elif isinstance(found, np.generic) and found.itemsize == 8:
        yield found.tobytes()
    elif isinstance(found, float):
        yield np.float64(found).tobytes()
    elif isinstance(found, int) and abs(found) < 2**63:
        yield np.int64(found).tobytes()


def leaked(start: object, sealed: set[bytes]) -> list[object]:
    return [found for found in reachable(start) if any(cell in sealed for cell in cells(found))]


def test_the_walk_finds_what_a_view_would_leak() -> None:
    """The attack itself works: on a market that was cut by slices it finds the sealed bars."""
    whole = market()
    sealed = numbers(whole, split(BARS).selection)
    assert len(sealed) > 4_000
    assert leaked(whole.between(0, 600), sealed)
    assert leaked(replace(seal(whole)[0], bars_per_year=float(whole.close[0, 700])), sealed)


def test_no_number_of_a_sealed_bar_is_reachable_from_what_the_author_has() -> None:
    whole = market()
    sealed = numbers(whole, split(BARS).selection)
    author, _ = seal(whole)
    assert author.times.size == 600
    assert not leaked(author, sealed)
    for values in vars(author).values():
        assert getattr(values, "base", None) is None


def test_no_public_function_of_it_gives_one_either() -> None:
    whole = market()
    sealed = numbers(whole, split(BARS).selection)
    author, _ = seal(whole)
    arguments = {
        "between": [(0, 10**9), (-1_000, 1_000), (600, 1_000), (-10, None)],
        "select": [(author.symbols,), ("ABCD",)],
    }
    for name in [name for name in dir(author) if not name.startswith("_")]:
        value = getattr(author, name)
        if inspect.ismethod(value):
            for given in arguments.pop(name):
                assert not leaked(value(*given), sealed), name
        else:
            assert not leaked(value, sealed), name
    assert not arguments, "a method that was attacked is gone"


def test_its_bytes_hold_none() -> None:
    whole = market()
    sealed = numbers(whole, split(BARS).selection)
    author, _ = seal(whole)
    stream = pickle.dumps(author)
    found = {stream[start : start + 8] for start in range(len(stream) - 7)}
    assert not found & sealed
    assert {stream[start : start + 8] for start in range(len(stream) - 7)} & numbers(whole.between(0, 600), 0)


def test_no_memory_is_shared_and_the_author_cannot_change_what_the_vault_has() -> None:
    whole = market()
    author, vault = seal(whole)
    before = vault._bets(TREND, COSTS, MONEY, 0)
    for values in (author.close, author.open, author.volume, author.times, *author.groups.values()):
        values[...] = 1
    for values in author.series.values():
        values[...] = 1.0
    assert vault._bets(TREND, COSTS, MONEY, 0) == before


def test_what_begins_later_is_not_there_and_leaves_no_trace() -> None:
    author, vault = seal(market())
    assert author.symbols == ("A", "B", "C")
    assert vault.left_out == ("D",)
    assert np.isnan(author.close[2, :200]).all()
    assert sorted(author.series) == ["deriv:basis", "vix"]
    assert author.series["deriv:basis"].shape == (3, 600)
    assert list(author.groups) == ["sector"]
    assert author.groups["sector"].tolist() == [0, 1, 0], "no gap tells of a label that only D has"


def test_the_author_has_the_same_whatever_comes_later() -> None:
    """Whole markets that agree until the search ends give one author's market, though not the future after it."""
    whole = market()
    changed = {name: getattr(whole, name).copy() for name in ("open", "high", "low", "close", "volume", "funding")}
    for values in changed.values():
        values[:3, 600:] *= 3.0
    other = replace(
        whole,
        **changed,
        series={name: np.where(np.arange(BARS) < 600, values, -values) for name, values in whole.series.items()},
    )
    assert fingerprint(seal(other)[0]) == fingerprint(seal(whole)[0])
    assert fingerprint(other) != fingerprint(whole)


def test_steps_and_calendar_come_from_the_search_alone(tmp_path: Path) -> None:
    """A market read from files: later prices a thousand times higher and weekends that begin later change nothing."""

    def written(folder: str, later: float, weekends: bool) -> Panel:
        days = [day for day in range(15_000, 15_900) if day % 7 not in (2, 3) or (weekends and day > 15_700)]
        price = np.array([100.0 + day % 11 + (later if day > 15_600 else 0.0) for day in days])
        (tmp_path / folder).mkdir()
        frame = pl.DataFrame(
            {
                "ts": np.array(days) * NANOSECONDS_PER_DAY // 1_000_000,
                "open": price, "high": price * 1.01, "low": price * 0.99, "close": price, "volume": price,
            }
        )  # fmt: skip
        frame.write_csv(tmp_path / folder / "X.csv")
        return load_market(tmp_path / folder).panel

    calm, wild = written("calm", 0.0, False), written("wild", 1e5, False)
    assert seal(calm)[0].instruments == seal(wild)[0].instruments
    assert seal(calm)[0].bars_per_year == seal(wild)[0].bars_per_year == 252.0
    assert calm.bars_per_year == 252.0


def test_how_many_bars_a_year_has_is_counted_from_the_search() -> None:
    whole = market()
    weekdays = np.array([day for day in range(15_000, 16_500) if day % 7 not in (2, 3)][:600])
    weekends = np.arange(weekdays[-1] + 1, weekdays[-1] + 401)
    times = np.concatenate([weekdays, weekends]) * NANOSECONDS_PER_DAY
    opened_later = replace(whole, times=times, bars_per_year=365.25)  # the whole has Saturdays enough
    assert seal(opened_later)[0].bars_per_year == 252.0
    assert seal(replace(opened_later, bars_per_year=300.0))[0].bars_per_year == 300.0, "what is stated stays"


def test_the_vault_trades_its_own_bars_and_knows_the_earlier_ones(tmp_path: Path) -> None:
    whole = market()
    author, vault = seal(whole)
    selection, opened = looked_at(vault, tmp_path), vault._bets(TREND, COSTS, MONEY, 0)
    assert selection.panel.times.tolist() == whole.times[600:800].tolist()
    assert selection.panel.symbols == author.symbols
    assert (vault.selection_from, vault.selection_until) == (int(whole.times[600]), int(whole.times[799]))
    assert (vault.vault_from, vault.until) == (int(whole.times[800]), int(whole.times[-1]))
    assert [ts for ts, _, _ in opened] == whole.times[800:].tolist()
    # The same bars traded by the backtest; warm from the first bar on and flat before it.
    traded = run_backtest(TREND, whole.select("ABC"), COSTS, MONEY, 800)
    assert [net for _, net, _ in opened] == traded.net_returns.tolist()
    assert opened[0][1:] == (0.0, 0.0)
    assert traded.fills[0].time <= int(whole.times[802])
    assert all(-bound <= net for _, net, bound in opened)


def test_only_the_bars_that_may_count_are_given_and_the_book_is_as_old_as_the_vault() -> None:
    vault = seal(market())[1]
    every = vault._bets(TREND, COSTS, MONEY, 0)
    assert vault._bets(TREND, COSTS, MONEY, every[50][0]) == every[50:]
    assert vault._bets(TREND, COSTS, MONEY, vault.until + 1) == ()


def looked_at(vault: Vault, home: Path) -> Backtest:
    with Registry.open(home / "ledger.sqlite") as registry:
        return vault.on_selection(TREND, COSTS, MONEY, registry, "r", 1)


def test_the_selection_does_not_read_the_vault(tmp_path: Path) -> None:
    whole = market()
    changed = whole.close.copy()
    changed[:, 800:] *= 2
    results = [looked_at(seal(each)[1], tmp_path) for each in (whole, replace(whole, close=changed))]
    np.testing.assert_array_equal(results[0].equity, results[1].equity)


def claim(vault: Vault, registry: Registry, counts_from: int = 0) -> Hypothesis:
    return registry.register(
        content_hash=TREND.content_hash, name="trend", author="a", market=vault.market_of(TREND),
        fee=float(COSTS.fee), slippage=float(COSTS.slippage), at=1, counts_from=counts_from,
    )  # fmt: skip


def test_the_vault_opens_once_and_shows_again_what_was_kept(tmp_path: Path) -> None:
    vault = seal(market())[1]
    with Registry.open(tmp_path / "ledger.sqlite") as registry:
        made = claim(vault, registry)
        first = vault.open(made, TREND, COSTS, MONEY, registry, "r", 2)
        assert first.bars == 200
        assert vault.open(made, TREND, COSTS, MONEY, registry, "another", 3) == first
        (look,) = registry.looks("vault")
        assert (look.first_ts, look.last_ts, look.run) == (vault.vault_from, vault.until, "r")
        with pytest.raises(ClawdError, match="not opened again"):
            registry.look("vault", TREND.content_hash, made.market, 0, 1, "by hand", 4)


def test_the_vault_gives_what_may_count_and_takes_no_look_for_nothing(tmp_path: Path) -> None:
    vault = seal(market())[1]
    with Registry.open(tmp_path / "ledger.sqlite") as registry:
        late = claim(vault, registry, counts_from=vault.until + 1)
        assert vault.open(late, TREND, COSTS, MONEY, registry, "r", 2).bars == 0
        assert registry.looks("vault") == ()


def test_the_vault_opens_for_what_was_registered_alone(tmp_path: Path) -> None:
    vault = seal(market())[1]
    other = replace(TREND, universe=("A",))
    with Registry.open(tmp_path / "ledger.sqlite") as registry:
        made = claim(vault, registry)
        for strategy, costs in ((other, COSTS), (TREND, COSTS.times(2))):
            with pytest.raises(ClawdError, match="for what was registered"):
                vault.open(made, strategy, costs, MONEY, registry, "r", 2)
        assert registry.looks("vault") == ()


def test_there_is_no_look_at_the_selection_that_is_not_journalled(tmp_path: Path) -> None:
    vault = seal(market())[1]
    with Registry.open(tmp_path / "ledger.sqlite") as registry:
        for run in ("one", "one", "two"):
            vault.on_selection(TREND, COSTS, MONEY, registry, run, 1)
        assert [look.run for look in registry.looks("selection")] == ["one", "two"]
    public = {name for name in vars(Vault) if not name.startswith("_")} - set(Vault.__dataclass_fields__)
    assert public == {
        "selection_from", "selection_until", "vault_from", "until", "market_of", "on_selection", "open"
    }, "another way in needs another attack"  # fmt: skip


@pytest.mark.parametrize("bars", [300, 301, 999, 1_000, 12_345])
def test_the_periods_are_all_of_the_bars_in_order(bars: int) -> None:
    periods = split(bars)
    assert 0 < periods.selection < periods.vault < periods.end == bars
    assert abs(periods.selection - 0.6 * bars) < 1
    assert abs(periods.vault - 0.8 * bars) < 1


def test_too_few_bars_are_refused() -> None:
    with pytest.raises(ClawdError, match="299 bars, too few"):
        split(299)


def test_a_vault_is_no_market_of_an_author() -> None:
    author, vault = seal(market())
    assert not isinstance(vault, Panel)
    assert not any(isinstance(found, Vault) for found in reachable(author))
