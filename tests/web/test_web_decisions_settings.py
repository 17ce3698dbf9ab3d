"""Settings, limits and the day's budget over HTTP: what is loosened needs a word, and what is at work keeps its own."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2
import pytest
from decisions_world import PASSPHRASE
from playwright.sync_api import Page, expect
from web_server import Served

from clawd.core.account_events import UNATTRIBUTED, AccountOpened, EntriesBlocked, TradeAdopted
from clawd.core.settings import Settings, settings_path
from clawd.server.budget import budgets, uses
from clawd.server.fleet_process import FleetProcess, Given
from clawd.server.setting_rows import ABOUT
from clawd.server.site import Site
from clawd.store import keys
from clawd.store.journal import Journal
from clawd.store.settings_file import write_setting
from clawd.store.switchboard import Switchboard


@pytest.fixture(autouse=True)
def nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CLAWD_")]:
        monkeypatch.delenv(name)


def row(client: httpx2.Client, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        each for each in client.get("/api/settings").json()["settings"] if each["name"] == name
    )
    return found


def put(client: httpx2.Client, name: str, value: str | None, **more: Any) -> httpx2.Response:
    before = row(client, name)["in_file"]
    return client.put(f"/api/settings/{name}", json={"value": value, "before": before, **more})


def changes(client: httpx2.Client) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = client.get("/api/audit", params={"what": "SettingChanged"}).json()["entries"]
    return entries


def test_every_setting_is_listed_with_its_meaning() -> None:
    assert set(ABOUT) == set(Settings.model_fields)


def test_a_limit_is_tightened_without_a_word_and_entered(client: httpx2.Client, site: Site) -> None:
    answer = put(client, "day_loss_limit", "1.5")
    assert answer.status_code == 200, answer.text
    assert row(client, "day_loss_limit")["source"] == "file"
    assert Settings(home=site.home).day_loss_limit == Decimal("1.5")
    assert site.settings.day_loss_limit == 2, "what is at work keeps what it began with"
    (entry,) = changes(client)
    assert entry["facts"]["before"] == "2"
    assert entry["facts"]["after"] == "1.5"
    assert entry["facts"]["loosened"] is False


@pytest.mark.parametrize(
    ("name", "tight", "loose", "words"),
    [("leverage", "1", "1.5", 1), ("day_loss_limit", "1", "1.5", 1), ("day_loss_limit", "1", "3", 2)],
)
def test_a_limit_is_loosened_only_with_the_word(
    client: httpx2.Client, site: Site, name: str, tight: str, loose: str, words: int
) -> None:
    put(client, name, tight)
    before = settings_path(site.home).read_bytes()
    assert client.post(f"/api/settings/{name}/preview", json={"value": loose}).json()["words"] == words
    for typed in ({}, {"word": "loosen"}, {"again": "LOOSEN"}, *([{"word": "LOOSEN"}] if words == 2 else [])):
        assert put(client, name, loose, **typed).status_code == 409
    assert settings_path(site.home).read_bytes() == before
    assert put(client, name, loose, word="LOOSEN", again="LOOSEN").status_code == 200
    assert changes(client)[0]["facts"]["loosened"] is True


def test_out_of_the_file_a_limit_has_its_default_which_may_be_looser(client: httpx2.Client) -> None:
    put(client, "account_gross", "100")
    assert put(client, "account_gross", None).status_code == 409
    assert put(client, "account_gross", None, word="LOOSEN").status_code == 200
    assert row(client, "account_gross")["source"] == "default"


def test_the_environment_comes_first_and_is_said(client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWD_LEVERAGE", "1.5")
    shown = row(client, "leverage")
    assert (shown["value"], shown["source"], shown["editable"]) == ("1.5", "environment", False)
    answer = put(client, "leverage", "1")
    assert answer.status_code == 409
    assert "CLAWD_LEVERAGE is set where this server was started" in answer.json()["what"]


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("day_loss_limit", "0", 400),
        ("day_loss_limit", "NaN", 400),
        ("day_loss_limit", "1e400", 400),
        ("slots", "2.5", 400),
        ("slots", "x" * 9_999, 400),
        ("home", "/", 409),
        ("approval_notional", "1000", 409),
        ("clusters", "A,B;A", 409),
        ("nothing", "1", 404),
        ("NOTHING", "1", 422),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    client: httpx2.Client, site: Site, name: str, value: str, status: int
) -> None:
    body = {"value": value, "before": None, "word": "LOOSEN", "again": "LOOSEN"}
    answer = client.put(f"/api/settings/{name}", json=body)
    assert answer.status_code == status, answer.text
    assert not settings_path(site.home).exists()
    assert changes(client) == []


def test_a_change_of_what_another_has_changed_meanwhile_is_refused(client: httpx2.Client, web: Served) -> None:
    with web.client() as other:
        put(other, "slots", "3")
    answer = client.put("/api/settings/slots", json={"value": "4", "before": None})
    assert (answer.status_code, answer.json()["what"]) == (409, "it has been changed meanwhile, to 3")


def test_the_same_again_is_no_change(client: httpx2.Client) -> None:
    put(client, "slots", "3")
    assert put(client, "slots", "3").status_code == 200
    assert len(changes(client)) == 1


def test_a_file_of_nonsense_is_said_and_breaks_no_other_page(client: httpx2.Client, site: Site) -> None:
    site.home.mkdir(exist_ok=True)
    settings_path(site.home).write_text("nonsense")
    settings_path(site.home).chmod(0o600)
    answer = client.get("/api/settings")
    assert answer.status_code == 200
    assert "settings.json: this is no file of settings" in answer.json()["trouble"]
    assert client.get("/api/limits").status_code == 200
    assert client.put("/api/settings/slots", json={"value": "3", "before": None}).status_code == 400
    assert settings_path(site.home).read_text() == "nonsense"


def test_approvals_that_need_more_keys_than_are_trusted_are_refused(
    client: httpx2.Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "SCRYPT_COST", 2**4)
    keys.trust(site.home, keys.make_key(site.home, "alice", PASSPHRASE))
    monkeypatch.setenv("CLAWD_APPROVAL_NOTIONAL", "1000")
    assert put(client, "approval_drift", "0.005").status_code == 200
    answer = put(client, "approvals_needed", "2")
    assert answer.status_code == 409
    assert "could never be approved" in answer.json()["what"]


# What an account holds that nobody has done.


OPENED = AccountOpened(
    account="main",
    venue="paper",
    code="test",
    cash=Decimal(1000),
    symbols=["BTCUSDT"],
    ticks=[Decimal("0.1")],
    lots=[Decimal("0.001")],
    fee=Decimal("0.0005"),
    slippage=Decimal("0.0002"),
    day_loss_limit=Decimal(20),
    leverage=Decimal(2),
)


@pytest.fixture
def stranger(site: Site) -> Path:
    """An account with a trade by hand that waits for a decision."""
    path = site.home / "accounts" / "main" / "journal.sqlite"
    traded = TradeAdopted(
        symbol="BTCUSDT", size=Decimal("0.5"), price=Decimal(100), fee=Decimal(0), trade="t1", venue_time=2
    )
    blocked = EntriesBlocked(symbol="BTCUSDT", agent=None, why=UNATTRIBUTED)
    with Journal.open(path) as journal:
        journal.append([(1, OPENED.kind, OPENED.model_dump(mode="json"))])
        journal.append([(2, fact.kind, fact.model_dump(mode="json")) for fact in (traded, blocked)])
    return path


def test_what_nobody_has_done_is_adopted_once(client: httpx2.Client, site: Site, stranger: Path) -> None:
    del stranger
    waiting = {"account": "main", "symbol": "BTCUSDT", "size": "0.5", "decided": False}
    assert client.get("/api/positions/unattributed").json() == [waiting]
    wrong = client.post("/api/positions/unattributed/main/adopt", json={"symbol": "ETHUSDT"})
    assert (wrong.status_code, wrong.json()["hint"]) == (409, "there is BTCUSDT")
    assert client.post("/api/positions/unattributed/other/adopt", json={"symbol": "BTCUSDT"}).status_code == 404
    for _ in range(2):
        done = client.post("/api/positions/unattributed/main/adopt", json={"symbol": "BTCUSDT"})
        assert (done.status_code, done.json()["decided"]) == (200, True)
    with Switchboard.open(site.home) as switchboard:
        (decision,) = switchboard.decisions("main", 0)
    assert (decision.symbol, decision.by) == ("BTCUSDT", "tester")
    entries = client.get("/api/audit", params={"what": "PositionAdopted"}).json()["entries"]
    assert [(entry["facts"]["symbol"], entry["facts"]["size"]) for entry in entries] == [("BTCUSDT", "0.5")]


def test_a_position_without_a_price_is_unknown_and_not_zero(client: httpx2.Client, stranger: Path, site: Site) -> None:
    del stranger
    (run,) = client.get("/api/risk").json()["runs"]
    assert (run["kind"], run["currency"], run["account"]["limit"]) == ("account", "USDT", "20")
    assert run["account"]["lost"] is None and run["account"]["free"] is None and run["account"]["used"] is None
    limits = {each["setting"]["name"]: each for each in client.get("/api/limits").json()}
    assert limits["day_loss_limit"]["in_force"] == "20"
    assert limits["day_loss_limit"]["used"] is None and limits["day_loss_limit"]["share"] is None
    with site.hand.stakes.account("main") as fold:
        assert budgets(fold, {})[0].reserved is None and uses(fold, {})["account_gross"].used is None
    (stake,) = client.get("/api/standing").json()["runs"]
    assert (stake["positions"], stake["notional"]) == (0, "0"), "what no agent has done is no position of an agent"


def test_an_empty_home_has_no_budget_and_the_three_rules(client: httpx2.Client) -> None:
    view = client.get("/api/risk").json()
    assert (view["runs"], view["refusals"]) == ([], [])
    assert [rule["code"] for rule in view["rules"]] == ["NO_STOP", "POSITION_FLIP", "ADDING_TO_LOSER"]


# Options of the command.


@pytest.fixture
def optioned(site: Site) -> FleetProcess:
    """`clawd up --day-limit 5 --slots 3`, as far as the server is concerned."""
    given = {"day_loss_limit": Given("--day-limit", "5"), "slots": Given("--slots", "3")}
    site.fleet = FleetProcess(["--data", "sample"], 2.0, given=given)
    return site.fleet


def test_an_option_of_this_start_comes_before_everything_and_is_said(
    optioned: FleetProcess, client: httpx2.Client, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_setting(site.home, "day_loss_limit", "1.5", None)
    monkeypatch.setenv("CLAWD_DAY_LOSS_LIMIT", "4")
    monkeypatch.setenv("CLAWD_LEVERAGE", "1.5")
    shown = row(client, "day_loss_limit")
    assert (shown["value"], shown["in_file"], shown["source"]) == ("5", "1.5", "option")
    assert (shown["option"], shown["editable"]) == ("--day-limit 5", False)
    assert (row(client, "slots")["value"], row(client, "slots")["option"]) == ("3", "--slots 3")
    assert (row(client, "leverage")["source"], row(client, "leverage")["option"]) == ("environment", None)
    assert row(client, "capital")["source"] == "default"
    limits = {each["setting"]["name"]: each for each in client.get("/api/limits").json()}
    assert limits["day_loss_limit"]["setting"]["value"] == "5"
    words = optioned.arguments()
    assert words[words.index("--day-limit") + 1] == "5", "what is said to hold is what every start is given"
    assert words[words.index("--slots") + 1] == "3"


def test_what_an_option_overrides_cannot_be_changed_and_the_answer_says_why(
    optioned: FleetProcess, client: httpx2.Client, site: Site
) -> None:
    del optioned
    answer = put(client, "day_loss_limit", "1")
    assert answer.status_code == 409
    assert "`--day-limit 5` was given when this server was started" in answer.json()["what"]
    assert not settings_path(site.home).exists() and changes(client) == []
    assert client.post("/api/settings/slots/preview", json={"value": "4"}).status_code == 409
    assert put(client, "leverage", "1.5").status_code == 200, "what no option sets can be"


@pytest.mark.usefixtures("front_end", "optioned")
def test_the_page_names_the_option_beside_the_value(web: Served, site: Site, page: Page) -> None:
    write_setting(site.home, "day_loss_limit", "1.5", None)
    page.goto(f"{web.url}/settings")
    shown = page.get_by_role("row").filter(has_text="Day's loss limit")
    expect(shown).to_contain_text("5.00")
    expect(shown).to_contain_text("option of this start")
    expect(shown).to_contain_text("The file says 1.50, which does not hold.")
    expect(shown).to_contain_text("--day-limit 5 was given when this server was started")
    expect(shown.get_by_role("button")).to_have_count(0)


def test_a_value_that_cannot_be_is_refused_in_words(client: httpx2.Client) -> None:
    for value, words in (("0", "it must be above 0, not '0'"), ("two", "it must be a number, not 'two'")):
        for answer in (put(client, "day_loss_limit", value), client.post(
            "/api/settings/day_loss_limit/preview", json={"value": value}
        )):  # fmt: skip
            assert (answer.status_code, answer.json()["what"]) == (400, words)
    refused = client.put("/api/settings/day_loss_limit", json={"value": 7, "before": None})
    assert (refused.status_code, refused.json()["what"]) == (422, "it must be text")


@pytest.mark.usefixtures("front_end")
def test_who_loosens_the_day_s_limit_reads_how_much_a_day_could_lose(web: Served, page: Page) -> None:
    page.goto(f"{web.url}/settings")
    page.get_by_role("button", name="Change Day's loss limit").click()
    dialog = page.get_by_role("dialog", name="Day's loss limit")
    expect(dialog).to_contain_text("Now 2.00 (default); the default is 2.00.", timeout=30_000)
    dialog.get_by_label("New value").fill("7.5")
    expect(dialog).to_contain_text(
        "A day could then lose 7.50 before everything is closed, more than the default of 2.00", timeout=30_000
    )
