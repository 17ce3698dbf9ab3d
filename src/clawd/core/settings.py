"""Settings from the environment (``CLAWD_…``), and below it from ``settings.json`` in the home.

Every one has a default that is safe on paper.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, cast

import platformdirs
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from clawd.core.errors import ClawdError
from clawd.core.refused_value import refused_value

_Money = Annotated[Decimal | None, Field(gt=0, le=10**12)]
_Multiple = Annotated[Decimal | None, Field(gt=0, le=100)]
_Share = Annotated[Decimal | None, Field(gt=0, le=1)]
_Count = Annotated[int | None, Field(ge=1, le=10**6)]


def settings_path(home: Path) -> Path:
    """Where the settings of a home lie that are set below its environment."""
    return home / "settings.json"


class _HomeFile(PydanticBaseSettingsSource):
    """The settings in the file of the home that the other sources name."""

    def __init__(self, settings: type[BaseSettings], *above: PydanticBaseSettingsSource) -> None:
        super().__init__(settings)
        self._above = above

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError  # the file is read whole

    def __call__(self) -> dict[str, Any]:
        home = next((found["home"] for source in self._above if "home" in (found := source())), None)
        if home is None:
            home = Settings.model_fields["home"].get_default(call_default_factory=True)
        return read_settings_file(settings_path(Path(home))) if home else {}


class Settings(BaseSettings):
    """What a person may set. The command line's options override these.

    Raises:
        pydantic.ValidationError: when a value is out of its range or unknown text stands in a number's place.
        ClawdError: when the same is so in the home's file, with the file and the name.
    """

    model_config = SettingsConfigDict(env_prefix="CLAWD_", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given, then the environment, then the home's file."""
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, _HomeFile(settings_cls, init_settings, env_settings)

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


#: What the file of a home may not set: it lies there.
NOT_IN_FILE: Final = frozenset({"home"})
_FORMAT: Final = "clawd settings v1"
_LARGEST_FILE: Final = 100_000


def read_settings_file(path: Path) -> dict[str, Any]:
    """The settings in a home's file by their names, each with its type and in its range; none where there is no file.

    Raises:
        ClawdError: naming the file and the field, when it is none of settings, others may change it, a name is unknown
            or a value is wrong.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise ClawdError(error.strerror or str(error), where=str(path)) from error
    if stat.S_IMODE(found.st_mode) & 0o022:
        raise ClawdError("others may change these settings", where=str(path), hint=f"chmod 600 {path}")
    if found.st_size > _LARGEST_FILE:
        raise ClawdError(f"a file of {found.st_size} bytes is none of settings", where=str(path))
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_float=str)
    except OSError as error:
        raise ClawdError(error.strerror or str(error), where=str(path)) from error
    except (ValueError, RecursionError):
        raise ClawdError(
            "this is no file of settings, or it is damaged", where=str(path), hint="move it away for the defaults"
        ) from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise ClawdError(
            "this is no file of settings of version 1", where=str(path), hint=f'"format" is "{_FORMAT}" in one'
        )
    return {name: read_setting(name, value, str(path)) for name, value in document.items() if name != "format"}


def settings_text(values: Mapping[str, Any]) -> str:
    """A home's file with these settings: those that are None are not set."""
    texts = {
        name: None if value is None else value if isinstance(value, str) else str(value)
        for name, value in values.items()
    }
    return json.dumps({"format": _FORMAT, **dict(sorted(texts.items()))}, indent=1) + "\n"


def read_setting(name: str, value: object, where: str) -> Any:
    """A value of a setting with its type, in its range.

    Args:
        name: of the setting.
        value: as it is written: text, a number, or None for one that may be unset.
        where: for messages.

    Raises:
        ClawdError: when there is no such setting, it cannot be set in a file, or the value is wrong.
    """
    field = Settings.model_fields.get(name)
    if field is None:
        near = get_close_matches(name[:60], Settings.model_fields, 1)
        hint = f"is {near[0]} meant?" if near else None
        raise ClawdError(f"there is no setting {name[:60]!r}", where=where, hint=hint)
    if name in NOT_IN_FILE:
        raise ClawdError(f"`{name}` cannot be set in a file of the home", where=where)
    adapter: TypeAdapter[Any] = TypeAdapter(cast(Any, Annotated[field.annotation, field]))
    try:
        if isinstance(value, bool | list | dict) or (isinstance(value, str) and len(value) > 10_000):
            raise ClawdError(f"this is no value of `{name}`", where=f"{where}: {name}")
        return adapter.validate_python(value)
    except ValidationError as error:
        said = refused_value(error.errors()[0])
        raise ClawdError(f"{said}, not {str(value)[:60]!r}", where=f"{where}: {name}") from None
