"""The limits of the gate that a person has set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from clawd.core.costs import Costs
from clawd.core.errors import ClawdError
from clawd.core.settings import Settings
from clawd.risk.limits import COUNTED, OPTIONAL, Limits

SECOND = 10**9

#: The settings of the gate and of approvals: those that hold somebody back. A higher value lets more through,
_LOOSER_ABOVE: Final = frozenset(
    {
        "day_loss_limit",
        "leverage",
        "price_band",
        "price_silence",
        "order_notional",
        "instrument_gross",
        "venue_gross",
        "account_gross",
        "account_net",
        "equity_leverage",
        "concentration",
        "cluster_share",
        "agent_orders",
        "venue_orders",
        "depth_share",
        "volume_share",
        "clock_skew",
        "max_drawdown",
        "approval_notional",
        "approval_equity_share",
        "approval_volume_share",
        "approval_lifetime",
        "approval_drift",
    }
)
#: or a lower one.
_LOOSER_BELOW: Final = frozenset(
    {"order_window", "margin_left", "liquidation_distance", "fee", "slippage", "approvals_needed"}
)
#: Either of another kind: nobody can say which clusters hold back more.
LIMITS: Final = _LOOSER_ABOVE | _LOOSER_BELOW | {"clusters"}


def loosens(name: str, before: Any, after: Any) -> bool:
    """Whether a setting would let through what it held back before. Unset is the loosest that an optional limit can be.

    Args:
        name: of the setting.
        before, after: its values.
    """
    if name not in LIMITS or before == after:
        return False
    if name == "clusters":
        return True
    if before is None or after is None:
        return after is None
    return bool(after > before if name in _LOOSER_ABOVE else after < before)


def limits_of(settings: Settings) -> Limits:
    """The limits for trading at a venue, where prices come at any time."""
    return Limits(
        day_loss=settings.day_loss_limit,
        leverage=settings.leverage,
        costs=Costs(settings.fee, settings.slippage),
        longest_silence=settings.price_silence * SECOND,
        price_band=settings.price_band,
        **as_limits(optional_limits(settings)),
    )


def optional_limits(settings: Settings) -> dict[str, Decimal]:
    """Those limits that may be left out and are set, by their names in :class:`Limits`; times in nanoseconds."""
    named = {name: getattr(settings, name) for name in OPTIONAL if name != "longest_skew"}
    found = {name: Decimal(limit) for name, limit in named.items() if limit is not None}
    if settings.clock_skew is not None:
        found["longest_skew"] = (settings.clock_skew * SECOND).to_integral_value()
    if found.keys() & {"agent_orders", "venue_orders"}:
        found["order_window"] = Decimal(settings.order_window * SECOND)
    return found


def as_limits(named: Mapping[str, Decimal]) -> dict[str, Any]:
    """Limits by name as :class:`Limits` has them: those that count are whole numbers."""
    return {name: int(limit) if name in COUNTED else limit for name, limit in named.items()}


def clusters_of(settings: Settings, symbols: Iterable[str]) -> dict[str, str]:
    """The cluster of each instrument; one that a person has put into none is a cluster of its own.

    Raises:
        ClawdError: for an instrument that stands in two clusters, or that is not among those traded: with its name
            misspelt it would be judged alone.
    """
    found: dict[str, str] = {}
    for cluster in settings.clusters.split(";"):
        members = [name.strip() for name in cluster.split(",") if name.strip()]
        for symbol in members:
            if symbol in found:
                raise ClawdError(f"{symbol} stands there twice", where="CLAWD_CLUSTERS")
            found[symbol] = members[0]
    traded = list(symbols)
    if unknown := [symbol for symbol in found if symbol not in traded]:
        raise ClawdError(
            f"there is no instrument {unknown[0]}", where="CLAWD_CLUSTERS", hint=f"there is {', '.join(traded)}"
        )
    return {symbol: found.get(symbol, symbol) for symbol in traded}
