"""Settings from the environment (``CLAWD_…``); every one has a default that is safe on paper."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

_Money = Annotated[Decimal | None, Field(gt=0, le=10**12)]
_Multiple = Annotated[Decimal | None, Field(gt=0, le=100)]
_Share = Annotated[Decimal | None, Field(gt=0, le=1)]
_Count = Annotated[int | None, Field(ge=1, le=10**6)]


class Settings(BaseSettings):
    """What a person may set. The command line's options override these.

    Raises:
        pydantic.ValidationError: when a value is out of its range or unknown text stands in a number's place.
    """

    model_config = SettingsConfigDict(env_prefix="CLAWD_", frozen=True)

    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("clawd", appauthor=False),
        description="where the catalog, the ledger and the journals live",
    )
    capital: Decimal = Field(Decimal(100), gt=0, le=10**9, description="paper account, quote currency")
    day_loss_limit: Decimal = Field(Decimal(2), gt=0, le=10**9, description="hard stop of a UTC day, quote currency")
    leverage: Decimal = Field(
        Decimal(2), gt=0, le=100, description="an agent's book may not pass this multiple of its capital"
    )
    price_band: Decimal = Field(
        Decimal("0.2"), gt=0, lt=1, description="an entry's prices lie no further than this share from the market"
    )
    price_silence: int = Field(
        60,
        ge=1,
        le=86_400,
        description="seconds after which a price at a venue is stale; a bar's is after its length",
    )
    order_window: int = Field(60, ge=1, le=86_400, description="seconds in which entries are counted")
    order_notional: _Money = Field(None, description="notional of one entry, quote currency; unset for no limit")
    instrument_gross: _Money = Field(None, description="gross notional in one instrument, quote currency")
    venue_gross: _Money = Field(None, description="gross notional at one venue, quote currency")
    account_gross: _Money = Field(None, description="gross notional of the account, quote currency")
    account_net: _Money = Field(None, description="net notional of the account on either side, quote currency")
    equity_leverage: _Multiple = Field(None, description="gross notional, as a multiple of the account's equity")
    concentration: _Multiple = Field(None, description="gross notional in one instrument, as a multiple of the equity")
    cluster_share: _Multiple = Field(None, description="gross notional in correlated instruments, likewise")
    clusters: str = Field(
        "", max_length=10_000, description="instruments that move together: names by commas, clusters by semicolons"
    )
    agent_orders: _Count = Field(None, description="entries of one agent within the window")
    venue_orders: _Count = Field(None, description="entries of all agents at one venue within the window")
    depth_share: _Share = Field(None, description="of the visible size on the side that an entry takes")
    volume_share: _Share = Field(None, description="of a day's volume")
    margin_left: _Share = Field(None, description="of the equity at a venue that lends, the share that stays free")
    liquidation_distance: _Share = Field(
        None, description="share of the price that all positions may go wrong at once before they are liquidated"
    )
    clock_skew: Annotated[Decimal | None, Field(gt=0, le=3_600)] = Field(
        None, description="seconds by which the venue's clock may differ from ours"
    )
    slots: int = Field(8, ge=1, le=2000, description="how many agents trade on paper at once")
    fee: Decimal = Field(Decimal("0.0005"), ge=0, lt=Decimal("0.1"), description="fee per side, share of notional")
    slippage: Decimal = Field(
        Decimal("0.0002"), ge=0, lt=Decimal("0.1"), description="slippage per side, share of price"
    )
    max_drawdown: Decimal = Field(
        Decimal("0.1"), gt=0, le=1, description="an agent that falls this share of its capital is fired"
    )
    search_share: float = Field(0.6, gt=0.05, lt=0.95, description="share of the bars that strategies are chosen on")
    approval_notional: Decimal | None = Field(
        None, gt=0, le=10**12, description="an order above it waits for approvals, quote currency; unset for no limit"
    )
    approval_equity_share: Decimal | None = Field(
        None, gt=0, le=100, description="an order above this share of the equity waits for approvals"
    )
    approval_volume_share: Decimal | None = Field(
        None, gt=0, le=1, description="an order above this share of a day's volume waits for approvals"
    )
    approvals_needed: int = Field(1, ge=1, le=100, description="how many approvers must approve such an order")
    approval_lifetime: int = Field(3_600, ge=1, le=7 * 86_400, description="seconds until such an order expires")
    approval_drift: Decimal = Field(
        Decimal("0.01"), ge=0, lt=1, description="share by which the price may move until such an order is sent"
    )
