"""A study: which strategies are evaluated over which bars, and what came of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.panel import Panel
from clawd.engine.metrics import Metrics
from clawd.engine.population import Evaluation
from clawd.language.strategy import Strategy

#: Of panels that are alive: a search makes a study of the same bars for every generation.
_FINGERPRINTS: Final[WeakKeyDictionary[Panel, str]] = WeakKeyDictionary()


def _fingerprint(panel: Panel) -> str:
    if panel not in _FINGERPRINTS:
        # Workers need no tables, and would spend half of their start on them.
        from clawd.data.align import fingerprint  # noqa: PLC0415

        _FINGERPRINTS[panel] = fingerprint(panel)
    return _FINGERPRINTS[panel]


class Key(NamedTuple):
    """What a result is a result of. Whatever has the same key is the same result, and counts once.

    Attributes:
        strategy: its content hash.
        market: the fingerprint of the whole panel.
        first, last: the bars traded over, [first, last).
    """

    strategy: str
    market: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Window:
    """Bars of one market: those with indices in [first, last) are traded, those before warm up.

    Attributes:
        market: index among the markets of the study.
        first, last: indices of bars.
    """

    market: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one strategy over one window: figures, or why there are none.

    Attributes:
        key: what it is a result of.
        metrics: None when it failed.
        failure: the reason, None when it did not.
        given_up: whether it failed because its workers died, so that another run should try again.
        evaluation: the figures with their segments of time, where the study asked for segments.
    """

    key: Key
    metrics: Metrics | None
    failure: str | None = None
    given_up: bool = False
    evaluation: Evaluation | None = None


@dataclass(frozen=True, eq=False)
class Study:
    """Every strategy over every window, at one cost and with one capital.

    Attributes:
        strategies: those that are the same are evaluated once.
        markets: the bars.
        windows: what is traded over.
        costs: fee and slippage.
        capital: quote currency.
        segments: into how many segments of time each window's returns are summed up; 0 keeps the figures alone.

    Raises:
        ClawdError: when a window does not lie within its market.
    """

    strategies: tuple[Strategy, ...]
    markets: tuple[Panel, ...]
    windows: tuple[Window, ...]
    costs: Costs
    capital: Decimal
    segments: int = 0

    def __post_init__(self) -> None:
        for window in self.windows:
            if not 0 <= window.market < len(self.markets):
                raise ClawdError(f"a window is of market {window.market}, the study has {len(self.markets)}")
            bars = self.markets[window.market].times.size
            if not 0 <= window.first < window.last <= bars:
                raise ClawdError(
                    f"a window has the bars from {window.first} to {window.last}, market {window.market} has {bars}"
                )

    @cached_property
    def identities(self) -> tuple[str, ...]:
        """What each strategy is known by."""
        return tuple(strategy.content_hash for strategy in self.strategies)

    @cached_property
    def fingerprints(self) -> tuple[str, ...]:
        """What each market is known by."""
        return tuple(_fingerprint(market) for market in self.markets)

    def key(self, strategy: int, window: Window) -> Key:
        """The key of a strategy, by its index, over a window."""
        return Key(self.identities[strategy], self.fingerprints[window.market], window.first, window.last)

    @cached_property
    def keys(self) -> tuple[Key, ...]:
        """Every key in the order asked for: window by window, in each strategy by strategy."""
        return tuple(self.key(index, window) for window in self.windows for index in range(len(self.strategies)))


def in_order(study: Study, results: Mapping[Key, Result]) -> tuple[Result | None, ...]:
    """The results in the order of ``study.keys``, whatever order they came in; None for those that have not come."""
    return tuple(results.get(key) for key in study.keys)
