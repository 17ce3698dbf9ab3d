"""Who may enter, and where: the trading state, the agent, blocks, the venue, and whether enough is known."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from clawd.core.account_events import TradingState
from clawd.risk.limits import COUNTED, OPTIONAL, Limits
from clawd.risk.snapshot import Snapshot
from clawd.risk.verdict import Code, Verdict, counted, known, refusal

_NOT_KNOWN: Final = Decimal("NaN")


def standing_fault(snapshot: Snapshot, limits: Limits) -> Verdict | None:
    """Why nothing may be entered, None where something may."""
    account, agent, position, market, venue = (
        snapshot.account,
        snapshot.agent,
        snapshot.position,
        snapshot.market,
        snapshot.venue,
    )
    if account.state is TradingState.REDUCING:
        return refusal(Code.REDUCING)
    if account.state is not TradingState.ACTIVE:
        return refusal(Code.HALTED, day_loss=account.loss, limit=limits.day_loss)
    if agent.active is not True:
        return refusal(Code.AGENT_NOT_ACTIVE)
    if agent.paused is not False:
        return refusal(Code.AGENT_PAUSED)
    if position.blocked is not False or market.blocked is not False:
        return refusal(Code.BLOCKED)
    if venue.breaker_open is not False:
        return refusal(Code.VENUE_BREAKER)
    if venue.connected is not True:
        return refusal(Code.VENUE_DISCONNECTED)
    if unknown := unknown_figures(snapshot, limits):
        return refusal(Code.FIGURE_UNKNOWN, **dict.fromkeys(unknown, _NOT_KNOWN))
    if position.unknown_orders:
        return refusal(Code.ORDER_UNKNOWN, orders=position.unknown_orders)
    if market.unattributed != 0:
        return refusal(Code.UNATTRIBUTED, size=market.unattributed)
    if limits.longest_skew is not None and venue.clock_skew is not None and abs(venue.clock_skew) > limits.longest_skew:
        return refusal(Code.CLOCK_SKEW, skew=venue.clock_skew, longest=limits.longest_skew)
    return None


def unknown_figures(snapshot: Snapshot, limits: Limits) -> list[str]:
    """The figures that an entry cannot be judged without and that are missing, not finite, or out of their range."""
    account, agent, position, market, venue = (
        snapshot.account,
        snapshot.agent,
        snapshot.position,
        snapshot.market,
        snapshot.venue,
    )
    amounts: dict[str, object] = {
        "account_loss": account.loss,
        "account_reserved": account.reserved,
        "agent_capital": agent.capital,
        "agent_share": agent.share,
        "agent_loss": agent.loss,
        "agent_reserved": agent.reserved,
        "agent_exposure": agent.exposure,
        "closing": position.closing,
        "part": snapshot.part,
        "day_loss_limit": limits.day_loss,
        "leverage": limits.leverage,
        "price_band": limits.price_band,
        "fee": limits.costs.fee,
        "slippage": limits.costs.slippage,
    }
    counts: dict[str, object] = {
        "now": snapshot.now,
        "unknown_orders": position.unknown_orders,
        "longest_silence": limits.longest_silence,
        "order_window": limits.order_window,
    }
    signed: dict[str, object] = {
        "position": position.size,
        "opening": position.opening,
        "unattributed": market.unattributed,
    }
    for name in OPTIONAL:
        if (limit := getattr(limits, name)) is not None:
            (counts if name in COUNTED else amounts)[f"limit_{name}"] = limit
    for name, bound in (
        ("min_size", market.instrument.min_size),
        ("max_size", market.instrument.max_size),
        ("min_notional", market.instrument.min_notional),
    ):
        if bound is not None:
            amounts[name] = bound
    # What a limit that is set is held against.
    if _any(limits.instrument_gross, limits.concentration):
        amounts["instrument_gross"] = market.gross
    if _any(limits.account_gross, limits.equity_leverage):
        amounts["account_gross"] = account.gross
    if _any(limits.equity_leverage, limits.concentration, limits.cluster_share):
        signed["equity"] = account.equity
    if limits.account_net is not None:
        signed["account_net"] = account.net
    if limits.venue_gross is not None:
        amounts["venue_gross"] = venue.gross
    if limits.cluster_share is not None:
        amounts["cluster_gross"] = None if market.cluster is None else market.cluster.gross
    if limits.agent_orders is not None:
        counts["agent_orders"] = agent.orders
    if limits.venue_orders is not None:
        counts["venue_orders"] = venue.orders
    if limits.depth_share is not None:
        amounts |= {"bid_depth": market.bid_depth, "ask_depth": market.ask_depth}
    if limits.volume_share is not None:
        amounts["day_volume"] = market.day_volume
    unknown = [name for name, amount in amounts.items() if not (known(amount) and amount >= 0)]  # type: ignore[operator]
    unknown += [name for name, amount in signed.items() if not known(amount)]
    unknown += [name for name, count in counts.items() if not counted(count)]
    if limits.longest_skew is not None and type(venue.clock_skew) is not int:
        unknown.append("clock_skew")
    if known(snapshot.part) and snapshot.part > 1:
        unknown.append("part")
    return unknown + _unknown_margin(snapshot, limits)


def _unknown_margin(snapshot: Snapshot, limits: Limits) -> list[str]:
    margin = snapshot.venue.margin
    if margin is None:
        return ["margin"] if _any(limits.margin_left, limits.liquidation_distance) else []
    rates = {"margin_gross": margin.gross, "initial_margin": margin.initial, "maintenance_margin": margin.maintenance}
    unknown = [name for name, rate in rates.items() if not known(rate) or rate < 0]
    either = {"margin_equity": margin.equity, "margin_free": margin.free}
    return unknown + [name for name, amount in either.items() if not known(amount)]


def _any(*limits: Decimal | None) -> bool:
    return any(limit is not None for limit in limits)
