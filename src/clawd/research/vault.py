"""The seal: an author gets an object that holds the bars of the search and nothing else, the vault keeps the rest.

It is another object, not a flag on the same one. Every array of the author's market is a copy with no way back to
the whole, and nothing in it was worked out from a later bar: an instrument or a series that begins later is not
there, the codes of groups are numbered anew, and how many bars a year has is counted from the bars that are there.

Whoever holds the vault may look at the selection; there is no way to do so without the look being journalled. The vault
itself opens once for a hypothesis, and gives nothing but its evidence: what was found is kept by the registry, and can
be shown again without a look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Floats, Panel
from clawd.data.market_hours import bars_per_year
from clawd.engine.backtest import Backtest, run_backtest
from clawd.engine.stakes import stakes
from clawd.evidence.eprocess import EProcess
from clawd.language.strategy import Strategy
from clawd.research.periods import Periods, split
from clawd.store.registry import Hypothesis, Registry, market_key


@dataclass(frozen=True, eq=False)
class Vault:
    """The whole market, of the instruments that the author has. No author may hold it.

    Attributes:
        periods: where the search ends and the vault begins.
        left_out: symbols that have no bar in the search, and so no part in the campaign.
    """

    periods: Periods
    left_out: tuple[str, ...]
    _market: Panel

    @property
    def selection_from(self) -> int:
        """The open of the first bar that was sealed, UTC nanoseconds."""
        return int(self._market.times[self.periods.selection])

    @property
    def vault_from(self) -> int:
        """The open of the first bar of the vault, UTC nanoseconds."""
        return int(self._market.times[self.periods.vault])

    @property
    def until(self) -> int:
        """The open of the last bar of the vault, UTC nanoseconds."""
        return int(self._market.times[-1])

    @property
    def selection_until(self) -> int:
        """The open of the last bar of the selection, UTC nanoseconds."""
        return int(self._market.times[self.periods.vault - 1])

    def market_of(self, strategy: Strategy) -> str:
        """What the registry calls the market that a strategy trades here."""
        return market_key(strategy.universe or self._market.symbols, self._market.bar)

    def on_selection(
        self, strategy: Strategy, costs: Costs, capital: Decimal, registry: Registry, run: str, at: int
    ) -> Backtest:
        """The strategy on the bars of the selection, flat before the first, the search as its warm-up.

        The look is journalled first; once in a campaign, however often that is continued.

        Args:
            strategy, costs, capital: what is run.
            registry: where looks are journalled.
            run: the campaign.
            at: the time, UTC nanoseconds.
        """
        market, content = self.market_of(strategy), strategy.content_hash
        with registry.at_once():
            if not registry.looks("selection", content_hash=content, market=market, run=run):
                registry.look("selection", content, market, self.selection_from, self.selection_until, run, at)
        return run_backtest(strategy, self._market, costs, capital, self.periods.selection, self.periods.vault)

    def open(
        self,
        hypothesis: Hypothesis,
        strategy: Strategy,
        costs: Costs,
        capital: Decimal,
        registry: Registry,
        run: str,
        at: int,
    ) -> EProcess:
        """The evidence for a hypothesis, with its one look into the vault, or with what was kept of that.

        The look and all bars that it gave are written together or not at all. Where no bar of the vault may count, or
        others have been bet on, there is no look.

        Args:
            hypothesis: as it is registered.
            strategy, costs: what is claimed and at which costs.
            capital: quote currency.
            registry, run, at: as for :meth:`on_selection`.

        Raises:
            ClawdError: when the strategy or the costs are not those of the hypothesis.
        """
        claimed = (hypothesis.content_hash, hypothesis.market, hypothesis.fee, hypothesis.slippage)
        given = (strategy.content_hash, self.market_of(strategy), float(costs.fee), float(costs.slippage))
        if claimed != given:
            raise ClawdError(
                "the vault opens for what was registered and nothing else",
                where=f"hypothesis {hypothesis.number} ({hypothesis.name})",
                hint="register the strategy on this market and at these costs",
            )
        with registry.at_once():
            number, first = hypothesis.number, max(self.vault_from, hypothesis.counts_from)
            looked = registry.looks("vault", content_hash=strategy.content_hash, market=hypothesis.market)
            if not looked and not registry.bars(number) and first <= self.until:
                registry.look("vault", strategy.content_hash, hypothesis.market, first, self.until, run, at)
                registry.bet(number, self._bets(strategy, costs, capital, first))
            return registry.evidence(number)

    def _bets(
        self, strategy: Strategy, costs: Costs, capital: Decimal, counts_from: int
    ) -> tuple[tuple[int, float, float], ...]:
        """The bars of the vault as the e-process wants them, the strategy flat before the first, all earlier bars as
        its warm-up: the open, the net return and the bound of each that opens at ``counts_from`` or later."""
        first = self.periods.vault
        found = stakes(strategy, self._market, costs, capital, first, self.periods.end)
        opens = self._market.times[first:].tolist()
        bars = zip(opens, found.net_returns.tolist(), found.bounds.tolist(), strict=True)
        return tuple(bar for bar in bars if bar[0] >= counts_from)


def seal(panel: Panel) -> tuple[Panel, Vault]:
    """Part a market into what an author may hold and the vault.

    Returns:
        The author's market, which shares no memory with the other, and the vault.

    Raises:
        ClawdError: when there are too few bars, or no instrument has one in the search.
    """
    periods = split(panel.times.size)
    early = np.flatnonzero(panel.present[:, : periods.selection].any(axis=1))
    symbols = [panel.symbols[row] for row in early]
    part = panel.select(symbols)
    market = replace(part, bars_per_year=_bars_per_year(panel, periods.selection))
    author = searchable(market, periods.selection)
    # What the author does not have is not in the campaign, so that a strategy means the same in every period.
    market = replace(
        market,
        series={name: values for name, values in market.series.items() if name in author.series},
        groups={name: codes.copy() for name, codes in author.groups.items()},
    )
    left_out = tuple(symbol for symbol in panel.symbols if symbol not in symbols)
    return author, Vault(periods, left_out, market)


def searchable(panel: Panel, bars: int) -> Panel:
    """Copies of the first bars, and of what is known by then alone."""

    def cut(values: Floats) -> Floats:
        return np.array(values[..., :bars], np.float64, order="C", copy=True)

    series = {name: cut(values) for name, values in panel.series.items()}
    groups = {name: _renumbered(codes) for name, codes in panel.groups.items()}
    vwap = None if panel.vwap is None else cut(panel.vwap)
    return Panel(
        instruments=tuple(replace(instrument) for instrument in panel.instruments),
        bar=panel.bar,
        times=np.array(panel.times[:bars], np.int64, copy=True),
        open=cut(panel.open),
        high=cut(panel.high),
        low=cut(panel.low),
        close=cut(panel.close),
        volume=cut(panel.volume),
        funding=cut(panel.funding),
        bars_per_year=panel.bars_per_year,
        series={name: values for name, values in series.items() if not np.isnan(values).all()},
        groups={name: codes for name, codes in groups.items() if (codes >= 0).any()},
        vwap=None if vwap is None or np.isnan(vwap).all() else vwap,
    )


def _renumbered(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Codes without gaps: a gap would tell of a label that only a later instrument has."""
    held = np.unique(codes[codes >= 0])
    return np.where(codes >= 0, np.searchsorted(held, codes), -1).astype(np.int64)


def _bars_per_year(panel: Panel, bars: int) -> float:
    """As the market states it; where it was counted from all bars, counted anew from the first."""
    counted = bars_per_year(panel.times, panel.bar)
    return bars_per_year(panel.times[:bars], panel.bar) if panel.bars_per_year == counted else panel.bars_per_year
