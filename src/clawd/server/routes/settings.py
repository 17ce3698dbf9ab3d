"""What can be set, what is set, where it comes from, and changing it for the runs that start afterwards."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clawd.core.errors import ClawdError
from clawd.core.refused_value import refused_value
from clawd.core.settings import Settings, read_setting, read_settings_file, settings_path
from clawd.risk.approvals import policy_of
from clawd.risk.limit_settings import LIMITS, clusters_of, loosens
from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.live.currency import symbols_of
from clawd.server.problem import ConflictError, MissingError
from clawd.server.recording import record
from clawd.server.setting_rows import ABOUT, Row, Unit, rows, text_of, variable
from clawd.server.site import AtSite, Site
from clawd.store.keys import trusted
from clawd.store.settings_file import write_setting

router = APIRouter(tags=["settings"])

#: What has to be typed before a limit is loosened.
LOOSEN = "LOOSEN"

Name = Annotated[str, Path(pattern="^[a-z_]{1,40}$", description="of the setting")]


class Setting(BaseModel):
    """A setting as a run that starts now would read it. Values are text, null where unset."""

    name: str
    title: str
    group: str
    meaning: str
    unit: Unit
    value: str | None
    default: str | None
    in_file: str | None = Field(description="what the home's file says")
    source: Literal["default", "file", "environment", "option"] = Field(
        description="where the value comes from: an option comes before the environment, that before the file"
    )
    option: str | None = Field(description="of this start, which comes before everything, such as `--day-limit 5`")
    variable: str = Field(description="the environment variable that comes before the file")
    least: str | None
    most: str | None
    limit: bool = Field(description="whether it holds somebody back; to loosen it a word is asked for")
    editable: bool
    objection: str | None = Field(description="why it cannot be changed here")


class SettingsList(BaseModel):
    """All settings, by groups."""

    settings: list[Setting]
    file: str = Field(description="where those lie that are set here")
    trouble: str | None = Field(description="why the home's file cannot be read; no run starts before it is mended")
    loosen_word: str


class SettingWish(BaseModel):
    """A change of a setting, for runs that start afterwards."""

    model_config = ConfigDict(extra="forbid")

    value: str | None = Field(max_length=10_000, description="as it is written; null takes it out of the file")
    before: str | None = Field(max_length=10_000, description="what the file says, as far as you know")
    word: str = Field("", max_length=40, description="LOOSEN, where a limit is loosened")
    again: str = Field("", max_length=40, description="once more, where the day may lose more than the default")


class SettingChange(BaseModel):
    """What a change would do, or did."""

    setting: Setting
    text: str = Field(description="what it means for runs, in words")


class SettingPreview(BaseModel):
    """Whether a value can be set, and what has to be typed for it."""

    value: str | None = Field(description="as it would be read")
    loosens: bool
    words: int = Field(description="how often the word has to be typed: 0, 1 or 2")


class PreviewWish(BaseModel):
    """A value that is thought about."""

    model_config = ConfigDict(extra="forbid")

    value: str | None = Field(max_length=10_000)


@router.get("/settings", dependencies=[needs(Scope.READ)])
def list_settings(site: AtSite) -> SettingsList:
    """Every setting: its value, its default, where it comes from and what it means."""
    trouble = None
    try:
        file = read_settings_file(settings_path(site.home))
        current = _current(site)
    except ClawdError as error:
        file, current, trouble = {}, site.settings, str(error)
    return SettingsList(
        settings=[_setting(row) for row in rows(current, file, os.environ, _options(site))],
        file=str(settings_path(site.home)),
        trouble=trouble,
        loosen_word=LOOSEN,
    )


@router.post("/settings/{name}/preview", dependencies=[needs(Scope.READ)])
def preview_setting(site: AtSite, name: Name, wish: PreviewWish) -> SettingPreview:
    """Whether a value can be set, and what has to be typed for it; nothing changes."""
    _editable(site, name)
    after = _read(name, wish.value)
    words = _words(site, name, after)
    return SettingPreview(value=text_of(after), loosens=words > 0, words=words)


@router.put("/settings/{name}", dependencies=[needs(Scope.ADMIN)])
def change_setting(site: AtSite, caller: AsCaller, name: Name, wish: SettingWish) -> SettingChange:
    """Change a setting in the home's file. Runs that are at work keep what they began with."""
    _editable(site, name)
    after = _read(name, wish.value)
    words = _words(site, name, after)
    if words and wish.word != LOOSEN:
        raise ConflictError("this loosens a limit: nothing has changed", where="word", hint=f"type {LOOSEN}")
    if words == 2 and wish.again != LOOSEN:
        raise ConflictError(
            "the day could lose more than the default: nothing has changed", where="again", hint=f"type {LOOSEN} again"
        )
    _agrees(site, name, after)
    before = getattr(_current(site), name)
    expected = None if wish.before is None else _read(name, wish.before)
    try:
        change = write_setting(site.home, name, wish.value, expected)
    except ClawdError as error:
        raise ConflictError(error.what, where=error.where, hint=error.hint) from None
    now = getattr(_current(site), name)
    if change.before != change.after:
        record(
            site,
            caller,
            "SettingChanged",
            {
                "name": name,
                "before": text_of(before),
                "after": text_of(now),
                "file_before": text_of(change.before),
                "file_after": text_of(change.after),
                "loosened": words > 0,
            },
        )
        site.announce("settings")
    setting = next(row for row in list_settings(site).settings if row.name == name)
    return SettingChange(
        setting=setting,
        text="runs that start from now on begin with it; what is at work keeps what it began with, "
        "and a fleet on bars that is started again under other limits begins a new run",
    )


def _setting(row: Row) -> Setting:
    return Setting(
        name=row.name,
        title=row.about.title,
        group=row.about.group,
        meaning=row.meaning,
        unit=row.about.unit,
        value=row.value,
        default=row.default,
        in_file=row.in_file,
        source=row.source,
        option=row.option,
        variable=variable(row.name),
        least=row.least,
        most=row.most,
        limit=row.name in LIMITS,
        editable=row.editable,
        objection=row.objection,
    )


def _options(site: Site) -> dict[str, str]:
    """The options that come before every source, as they were given, by the settings that they set."""
    return {} if site.fleet is None else {name: f"{each.word} {each.text}" for name, each in site.fleet.given.items()}


def _current(site: Site) -> Settings:
    """What a run that this server starts now would read."""
    given: dict[str, Any] = {} if site.fleet is None else {name: each.text for name, each in site.fleet.given.items()}
    try:
        return Settings(home=site.home, **given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ClawdError(refused_value(first), where=variable("_".join(map(str, first["loc"])))) from None


def _editable(site: Site, name: str) -> None:
    if name not in ABOUT:
        raise MissingError(f"there is no setting {name}", where="name")
    file = read_settings_file(settings_path(site.home))
    row = next(row for row in rows(_current(site), file, os.environ, _options(site)) if row.name == name)
    if row.objection is not None:
        raise ConflictError(f"it cannot be changed here: {row.objection}", where=name)


def _read(name: str, value: str | None) -> object:
    return None if value is None else read_setting(name, value.strip(), "value")


def _words(site: Site, name: str, after: object) -> int:
    """How often the word has to be typed for the setting to become this; out of the file it has its default."""
    default = Settings.model_fields[name].default
    value = default if after is None else after
    if not loosens(name, getattr(_current(site), name), value):
        return 0
    return 2 if name == "day_loss_limit" and value > default else 1


def _instruments(site: Site, changed: Settings) -> list[str]:
    """What is traded in this home; where nothing is yet, whatever a person has named."""
    for symbols in site.hand.stakes.each(lambda tale, place, whole: symbols_of(tale)):
        return list(symbols)
    members = (part.strip() for cluster in changed.clusters.split(";") for part in cluster.split(","))
    return list(dict.fromkeys(filter(None, members)))


def _agrees(site: Site, name: str, after: object) -> None:
    """See whether runs could start with it, as far as that can be known here.

    Raises:
        ConflictError: when they could not.
    """
    value = Settings.model_fields[name].default if after is None else after
    changed = _current(site).model_copy(update={name: value})
    try:
        policy_of(changed, trusted(site.home), 1)
        clusters_of(changed, _instruments(site, changed))
    except ClawdError as error:
        raise ConflictError(f"no run could start with it: {error.what}", where=name, hint=error.hint) from None
