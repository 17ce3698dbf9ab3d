"""The interface of the evidence says what the command line says, and what anyone can recompute from the ledger."""

from __future__ import annotations

import json
import math
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from fractions import Fraction
from io import StringIO
from pathlib import Path
from shutil import copytree
from statistics import NormalDist
from typing import Any

import httpx2
import pytest
from evidence_world import HOSTILE, person_tries, researched, searched
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from web_server import Served, served

from clawd.cli.main import run
from clawd.core.clock import SystemClock
from clawd.core.settings import Settings
from clawd.engine.warm import warm_up
from clawd.server.site import Site
from clawd.store.ledger import Ledger
from clawd.store.trial import Trial

DAY = 86_400_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return researched(tmp_path_factory.mktemp("evidence"))


@pytest.fixture(scope="module")
def work(home: Path) -> Iterator[Served]:
    with served(Site(Settings(home=home), SystemClock())) as at_work:
        yield at_work


@pytest.fixture(scope="module")
def ask(work: Served) -> Iterator[httpx2.Client]:
    with work.client() as client:
        yield client


def got(client: httpx2.Client, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/evidence{path}", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def counted(client: httpx2.Client) -> Any:
    """The overview once everything is counted."""
    deadline = time.monotonic() + 60
    while True:
        found = got(client, "")
        if found["current"] and found["behaviour_current"]:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def command(home: Path, *arguments: str) -> Any:
    """What the command line says, as JSON."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out:
        patch.setenv("CLAWD_HOME", str(home))
        patch.setattr(sys, "argv", ["clawd", *arguments, "--json"])
        with pytest.raises(SystemExit) as ended:
            run()
    assert not ended.value.code
    return json.loads(out.getvalue())


def bets(home: Path, number: int) -> list[tuple[int, float, float]]:
    with closing(sqlite3.connect(home / "ledger.sqlite")) as file:
        query = "SELECT ts, net_return, bound FROM bets WHERE number = ? ORDER BY ts"
        return file.execute(query, (number,)).fetchall()


def test_the_counts_are_those_of_the_command_line(ask: httpx2.Client, home: Path) -> None:
    found, told = counted(ask), command(home, "evidence")
    counts = found["counts"]
    for name in ("distinct_trials", "distinct_strategies", "families", "largest_family", "looks"):
        assert counts[name] == told[name], name
    assert found["ledger"] == told["ledger"]
    assert counts["claims"]["registered"] == len(told["hypotheses"])
    assert counts["claims"]["proven"] == sum(each["proven"] for each in told["hypotheses"]) > 0
    assert counts["claims"]["broken"] == counts["claims"]["not_begun"] == 1
    for own, other in zip(counts["authors"], told["authors"], strict=True):
        for name in ("name", "trials", "strategies", "families", "looks"):
            assert own[name] == other[name]
    assert [each["name"] for each in counts["runs"]] == [each["name"] for each in told["runs"]]
    for own, other in zip(found["behaviour"], told["behaviour"], strict=True):
        for name in ("trials", "compared", "clusters", "average_correlation", "effective_rank", "participation_ratio"):
            assert own[name] == other[name]
        assert own["first"] == other["first_ts"] / 1e6
    (seal,) = counts["seals"]
    assert seal["vault_from"] == told["seals"][0]["vault_from"] / 1e6


def test_claims_are_those_of_the_command_line(ask: httpx2.Client, home: Path) -> None:
    found = got(ask, "/claims", order="number", descending=False)["claims"]
    told = command(home, "evidence")["hypotheses"]
    assert len(found) == len(told) >= 5
    for own, other in zip(found, told, strict=True):
        for name in ("number", "content_hash", "name", "market", "wealth_to_reach", "level", "wealth", "bars", "state"):
            assert own[name] == other[name], name
        assert own["peak"] == other["peak_wealth"]
        assert own["registered_at"] == other["registered_at"] / 1e6
    assert {each["standing"] for each in found} == {"proven", "on_the_way", "not_begun", "broken"}


def test_a_level_follows_from_the_formula(ask: httpx2.Client) -> None:
    """α_k = α γ_k (R_k + 1) with α = 1/10 and γ_k = 1/(k(k+1)), in fractions."""
    promoted: list[tuple[int, float]] = []
    for claim in got(ask, "/claims", order="number", descending=False)["claims"]:
        k = claim["number"]
        why = got(ask, f"/claims/{k}")["why"]
        before = sum(at < claim["registered_at"] for _, at in promoted)
        assert why["promotions_before"] == before
        alpha = Fraction(1, 10) * Fraction(1, k * (k + 1)) * (before + 1)
        assert why["level"] == pytest.approx(float(alpha), rel=1e-12)
        assert claim["wealth_to_reach"] == pytest.approx(float(1 / alpha), rel=1e-12)
        assert why["share"] == pytest.approx(1 / (k * (k + 1)))
        if claim["promoted_at"] is not None:
            promoted.append((k, claim["promoted_at"]))
    assert promoted


def test_a_wealth_curve_follows_from_the_bars(ask: httpx2.Client, home: Path) -> None:
    """Six accounts in plain floats, each staking the smaller of its fraction and 1 over the bound."""
    claim = got(ask, "/claims/1")
    accounts = dict.fromkeys((0.25, 1, 4, 16, 64, 256), 1 / 6)
    expected, times = [1.0], []
    for ts, net_return, bound in bets(home, 1):
        for fraction in accounts:
            accounts[fraction] *= 1 + min(fraction, 1 / bound) * net_return if bound else 1
        expected.append(sum(accounts.values()))
        times.append(ts / 1e6 + DAY)
    assert len(expected) > 200
    curve = claim["curve"]
    assert curve["wealth"] == pytest.approx(expected, rel=1e-9)
    assert curve["times"][1:] == times
    assert claim["evidence_until"] == times[-1]
    assert claim["claim"]["wealth"] == pytest.approx(expected[-1], rel=1e-9)
    assert claim["claim"]["peak"] == pytest.approx(max(expected), rel=1e-9)
    assert claim["anytime_p"] == pytest.approx(1 / max(expected), rel=1e-9)
    assert claim["claim"]["promoted_at"] is not None
    assert max(expected) >= claim["claim"]["wealth_to_reach"]
    stretches = claim["stretches"]
    assert sum(each["bars"] for each in stretches) == len(times)
    assert sum(each["net_return"] for each in stretches) == pytest.approx(sum(row[1] for row in bets(home, 1)))
    assert stretches[-1]["wealth"] == pytest.approx(expected[-1], rel=1e-9)
    kinds = [each["kind"] for each in claim["looks"]]
    assert kinds == ["selection", "vault"]


def test_a_claim_whose_bound_was_broken_is_void(ask: httpx2.Client) -> None:
    (short,) = got(ask, "/claims", standing="broken")["claims"]
    claim = got(ask, f"/claims/{short['number']}")
    assert (claim["claim"]["wealth"], claim["claim"]["broken"], claim["anytime_p"]) == (0, True, None)
    assert claim["curve"]["wealth"][-1] is None
    (silent,) = got(ask, "/claims", standing="not_begun")["claims"]
    assert got(ask, f"/claims/{silent['number']}")["curve"]["wealth"] == [1.0]
    assert silent["last_bar"] is None


def test_luck_is_the_law_of_the_best_of_so_many(ask: httpx2.Client) -> None:
    """Against simulation-free numbers: quantiles of the maximum are those of one draw at the Nth root."""
    for luck in counted(ask)["luck"]:
        spread = math.sqrt(luck["bars_per_year"] / (luck["bars"] - 1))
        assert luck["bars_per_year"] == pytest.approx(365.25, rel=1e-6)
        assert luck["charged"]["trials"] == counted(ask)["counts"]["distinct_trials"]
        for each in (luck["own"], luck["charged"], *luck["curve"]):
            high = NormalDist(0, spread).cdf(each["high"]) ** each["trials"]
            assert high == pytest.approx(0.95, abs=1e-6)
            assert NormalDist(0, spread).cdf(each["low"]) ** each["trials"] == pytest.approx(0.05, abs=1e-6)
            assert each["low"] <= each["expected"] <= each["high"]
        best = got(ask, "/trials", order="sharpe", market=luck["data_fingerprint"], limit=200)["trials"]
        alike = [each for each in best if (each["fee"], each["first"]) == (luck["fee"], luck["first"])]
        assert luck["best"]["sharpe"] == alike[0]["sharpe"]
    by_trials = {each["trials"]: each["expected"] for each in counted(ask)["luck"][0]["curve"]}
    spread = math.sqrt(365.25 / (counted(ask)["luck"][0]["bars"] - 1))
    assert by_trials[10] / spread == pytest.approx(1.5387527, rel=1e-6)
    assert by_trials[100] / spread == pytest.approx(2.5075936, rel=1e-6)


@pytest.fixture(scope="module")
def every(home: Path) -> list[Trial]:
    with Ledger.open(home / "ledger.sqlite") as ledger:
        return list(ledger.trials())


ORDERS = st.sampled_from(["recorded", "sharpe", "total_return", "max_drawdown", "trades", "name"])
KEYS = {"recorded": None, "sharpe": "sharpe", "total_return": "total_return", "max_drawdown": "max_drawdown"}


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink would ask the server hundreds of times
)
@given(
    order=ORDERS,
    descending=st.booleans(),
    limit=st.integers(1, 200),
    author=st.sampled_from([None, "evolution", "person", "nobody"]),
    digits=st.text("0123456789abcdef", max_size=1),
    word=st.sampled_from([None, "FRESH", "simple", "%", "_", "'; DROP TABLE trials; --", "<img"]),
)
def test_pages_hold_every_trial_that_fits_once_and_in_order(
    ask: httpx2.Client,
    every: list[Trial],
    order: str,
    descending: bool,
    limit: int,
    author: str | None,
    digits: str,
    word: str | None,
) -> None:
    asked = {"order": order, "descending": descending, "limit": limit, "author": author, "name": word}
    query = {name: value for name, value in asked.items() if value is not None}
    if digits:
        query["strategy"] = digits
    rows: list[Any] = []
    while True:
        page = got(ask, "/trials", **query, offset=len(rows))
        rows += page["trials"]
        assert len(page["trials"]) <= limit
        if not page["trials"]:
            break
    wanted = [
        place
        for place, trial in enumerate(every, start=1)
        if (author is None or trial.author == author)
        and trial.content_hash.startswith(digits)
        and (word is None or word.lower() in trial.name.lower())
    ]
    assert page["total"] == len(rows) == len(wanted)
    assert sorted(row["id"] for row in rows) == wanted
    values = [row["id"] if order == "recorded" else row[order] for row in rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=descending)
    assert values[: len(known)] == known, "what is unknown comes last"
    for row in rows[:5]:
        trial = every[row["id"] - 1]
        assert (row["content_hash"], row["run"], row["bars"]) == (trial.content_hash, trial.run, trial.bars)
        assert row["sharpe"] == (None if math.isnan(trial.sharpe) else trial.sharpe)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/claims/0", 422),
        ("/claims/99", 404),
        ("/claims/99999999999999", 422),
        ("/claims/nan", 422),
        ("/claims?limit=101", 422),
        ("/claims?order=magic", 422),
        ("/trials?limit=201", 422),
        ("/trials?offset=-1", 422),
        ("/trials?offset=20001&order=sharpe", 400),
        ("/trials?offset=20001", 200),
        ("/trials?strategy=XYZ", 422),
        (f"/trials?name={'x' * 201}", 422),
        ("/trials?author=%00", 200),
        ("/trials?name=%F0%9F%92%A9", 200),
        ("/campaigns/nobody", 404),
        ("/campaigns/..%2F..%2Fetc", 404),
        ("/strategies/00", 422),
        ("/strategies/000000000000", 404),
        ("/strategies/..%2Fledger", 404),
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_refused_in_words(ask: httpx2.Client, path: str, status: int) -> None:
    answer = ask.get(f"/api/evidence{path}")
    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["what"]


def test_a_campaign_is_told_with_every_gate(ask: httpx2.Client, home: Path) -> None:
    (short,) = got(ask, "/campaigns")["campaigns"]
    told = json.loads((home / "research" / short["run"] / "campaign.json").read_text())
    assert short["state"] == "concluded"
    assert short["finalists"] == len(told["finalists"])
    assert short["proven"] == sum(each["proven"] for each in told["finalists"]) > 0
    assert short["registered"] == sum(each["hypothesis"] is not None for each in told["finalists"])
    assert short["strategies"] == 150
    detail = got(ask, f"/campaigns/{short['run']}")
    for own, other in zip(detail["finalists"], told["finalists"], strict=True):
        assert own == {name: other[name] for name in own}
        assert len(own["gates"]) == 6
        assert own["passed"] == all(gate["passed"] for gate in own["gates"])


def test_reading_a_strategy_runs_nothing_and_counts_nothing(ask: httpx2.Client, home: Path) -> None:
    claim = got(ask, "/claims/1")["claim"]
    before = (home / "ledger.sqlite").read_bytes()
    story = got(ask, f"/strategies/{claim['content_hash'][:12]}")
    assert (home / "ledger.sqlite").read_bytes() == before
    assert story["content_hash"] == claim["content_hash"]
    assert story["told"] is None
    (judged,) = story["judged"]
    assert judged["finalist"]["hypothesis"] == 1
    assert [each["number"] for each in story["claims"]] == [1]
    assert story["lineage"][0]["generations"] == 0
    assert "What it wants" in story["explanation"]
    assert {each["content_hash"] for each in story["trials"]} == {claim["content_hash"]}


def test_a_story_is_told_once_and_is_that_of_the_command_line(ask: httpx2.Client, home: Path) -> None:
    content_hash = got(ask, "/trials", author="person")["trials"][0]["content_hash"]
    order = ask.post(f"/api/evidence/strategies/{content_hash}/story", json={"source": "sample"})
    assert order.status_code == 202, order.text
    assert order.json()["state"] in {"waiting", "telling"}
    again = ask.post(f"/api/evidence/strategies/{content_hash}/story", json={"source": "sample"})
    assert again.json()["state"] in {"waiting", "telling"}
    deadline = time.monotonic() + 60
    while (story := got(ask, f"/strategies/{content_hash}"))["told"] is None:
        assert time.monotonic() < deadline, story["telling"]
        assert story["telling"]["state"] != "failed", story["telling"]
        time.sleep(0.2)
    trials = got(ask, "/trials")["total"]
    told = command(home, "evidence", "show", content_hash, "--data", "sample")
    assert got(ask, "/trials")["total"] == trials, "the second telling tries nothing new"
    found = story["told"]
    assert found["sharpe"] == told["sharpe"]
    assert found["neighbours"] == told["neighbours"]
    assert len(found["neighbours"]) >= 2
    assert [each["annual_return"] for each in found["regimes"]] == [each["annual_return"] for each in told["regimes"]]
    assert found["gates"] == told["gates"]
    assert found["trials"] == told["distinct_trials"] == trials
    assert story["name"] == HOSTILE


def test_a_story_that_cannot_be_told_says_why(ask: httpx2.Client) -> None:
    content_hash = got(ask, "/claims/1")["claim"]["content_hash"]
    ask.post(f"/api/evidence/strategies/{content_hash}/story", json={"source": "catalog"})
    deadline = time.monotonic() + 60
    while (telling := got(ask, f"/strategies/{content_hash}")["telling"])["state"] != "failed":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert "catalog" in json.dumps(telling["problem"])
    for body in ({"source": "/etc"}, {"capital": "-1"}, {"capital": "NaN"}, {"bar": "1x"}, {"universe": []}):
        refused = ask.post(f"/api/evidence/strategies/{content_hash}/story", json=body)
        assert refused.status_code == 422, body


def test_a_fresh_home_has_nothing_but_the_planted_worlds(client: httpx2.Client, site: Site) -> None:
    found = got(client, "")
    assert found["counts"]["distinct_trials"] == 0
    assert found["luck"] == []
    assert (
        got(client, "/claims")["claims"] == got(client, "/trials")["trials"] == got(client, "/campaigns")["campaigns"]
    )
    assert got(client, "/worlds")["released"]["campaigns"] == 235
    assert got(client, "/worlds")["own"] == []
    assert client.get("/api/evidence/claims/1").status_code == 404
    assert client.get("/api/evidence/strategies/123456").status_code == 404
    assert not (site.home / "ledger.sqlite").exists(), "to look makes no ledger"


def test_damaged_files_are_said_to_be_so_and_hide_nothing_else(home: Path, tmp_path: Path) -> None:
    copy = copytree(home, tmp_path / "home", ignore=lambda *_: {"audit.sqlite", "audit.sqlite.lock"})
    (run,) = [path.parent for path in (copy / "research").glob("*/campaign.json")]
    (copy / "research" / "worlds.json").write_text("[{]")
    (copy / "research" / "bare").mkdir()
    (copy / "research" / "bare" / "campaign.json").write_text('{"finalists": [{"rank": NaN}], "symbols": 3}')
    with served(Site(Settings(home=copy), SystemClock())) as at_work, at_work.client() as client:
        states = {each["run"]: each["state"] for each in got(client, "/campaigns")["campaigns"]}
        assert states == {run.name: "concluded", "bare": "unreadable"}
        assert got(client, "/campaigns/bare")["finalists"] == []
        worlds = got(client, "/worlds")
        assert worlds["released"]["campaigns"] == 235
        assert worlds["problem"]["where"].endswith("worlds.json")
        broken = json.loads((run / "campaign.json").read_text())
        broken["finalists"][0]["sharpe"] = math.inf
        (run / "campaign.json").write_text(json.dumps(broken))
        assert got(client, f"/campaigns/{run.name}")["campaign"]["state"] == "unreadable"
        assert got(client, f"/strategies/{broken['finalists'][0]['content_hash']}")["judged"] == []
    (copy / "ledger.sqlite").write_bytes(b"not a database at all, but long enough to look like a file" * 9)
    with served(Site(Settings(home=copy), SystemClock())) as at_work, at_work.client() as client:
        for path in ("", "/claims", "/trials", "/campaigns"):
            answer = client.get(f"/api/evidence{path}")
            assert answer.status_code == 400, path
            assert "ledger" in answer.text


def test_while_a_campaign_runs_every_answer_adds_up(site: Site, client: httpx2.Client) -> None:
    ended = threading.Event()

    def work() -> None:
        try:
            searched(site.home, budget=800)
        finally:
            ended.set()

    campaign = threading.Thread(target=work)
    campaign.start()
    seen, last = set(), 0
    paths = ("", "/claims", "/trials?order=sharpe", "/campaigns", "/claims/1")
    try:
        while not ended.is_set():
            for path in paths:
                answer = client.get(f"/api/evidence{path}")
                assert answer.status_code == 200 or (path == "/claims/1" and answer.status_code == 404), answer.text
                if path == "" and (counts := answer.json()["counts"]) is not None:
                    assert sum(each["trials"] for each in counts["authors"]) == counts["distinct_trials"] >= last
                    last = counts["distinct_trials"]
                    seen.add(last)
            time.sleep(0.05)
    finally:
        campaign.join()
    assert len(seen) > 1, "it was looked at while it went on"
    (own,) = got(client, "/campaigns")["campaigns"]
    assert own["state"] == "concluded"


def test_pages_are_told_when_the_ledger_changes(tmp_path: Path) -> None:
    said: list[str] = []
    site = Site(Settings(home=tmp_path / "home"), SystemClock())
    with served(site):
        site.announce = said.append  # type: ignore[assignment]
        warm_up()
        site.home.mkdir(exist_ok=True)
        person_tries(site.home)
        deadline = time.monotonic() + 60
        while "evidence" not in said:
            assert time.monotonic() < deadline
            time.sleep(0.05)
