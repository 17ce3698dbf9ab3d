"""The page of a strategy's evidence: whole, in words as well as in pictures, and true to what it was given."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from report_samples import START, TEXT

from clawd.core.costs import Costs
from clawd.core.instrument import Instrument
from clawd.core.panel import NANOSECONDS_PER_DAY, Panel
from clawd.engine.backtest import Backtest, run_backtest
from clawd.evidence.eprocess import EProcess
from clawd.evidence.gates import Gate
from clawd.language.strategy import parse_toml
from clawd.reports.evidence_html import evidence_html
from clawd.reports.story import Neighbour, Regime, Story
from clawd.store.ledger import Ancestor
from clawd.store.registry import Bet, Hypothesis

DAYS = 400
GATES = (
    Gate("deflated-sharpe", 0.971, 0.95, True, "the confidence"),
    Gate("overfitting", 0.31, 0.2, False, "how often the best"),
    Gate("selection", math.nan, 0.0, False, "annual Sharpe ratio"),
)
CLAIM = Hypothesis(2, "h", "Crossover", "evolution", "1d X", 0.0, 0.0, 1, 0, 60.0, START, "abc")


def result() -> Backtest:
    close = 100 * np.exp(np.cumsum(np.random.default_rng(2).normal(0.004, 0.02, (1, DAYS)), axis=1))
    panel = Panel(
        instruments=(Instrument("X", Decimal("0.01"), Decimal("0.001")),),
        bar=NANOSECONDS_PER_DAY,
        times=START + np.arange(DAYS) * NANOSECONDS_PER_DAY,
        open=close, high=close * 1.01, low=close * 0.99, close=close,
        volume=np.ones_like(close), funding=np.zeros_like(close), bars_per_year=365.25,
    )  # fmt: skip
    follow = parse_toml(TEXT.replace("long_short(sign(close - fast))", "long_only(close / fast)"))
    return run_backtest(follow, panel, Costs(Decimal(0), Decimal(0)), Decimal(10_000))


def story(**changes: object) -> Story:
    bets = tuple(Bet(START + day * NANOSECONDS_PER_DAY, 0.02 if day % 3 else -0.01, 1.0) for day in range(120))
    whole = Story(
        result=result(), stressed=0.7, delayed=0.6, endured=0.4,
        explanation="Crossover\n\nWhat it wants\n  It is long.\n\nIdentity\n  Content hash",
        lineage=(
            Ancestor("c" * 64, "Crossover", "evolution", "mutation:window", ("p" * 64,), 0),
            Ancestor("p" * 64, "the parent", "evolution", "random", (), 1),
        ),
        family=12, strategies=2_000, trials=3_000, gates=GATES, run="abc", selection=1.25,
        verdict="on paper at wealth 3.00 of 60", hypothesis=CLAIM, bets=bets,
        neighbours=(Neighbour("ema window 3 → 5", 1.1), Neighbour("ema window 3 → 2", -0.2)),
        regimes=(Regime("calm", "quiet", 0.5, 1.5, 0.3), Regime("wild", "loud", 0.5, -0.4, -0.1)),
    )  # fmt: skip
    return replace(whole, **changes)  # type: ignore[arg-type]


def words(page: str) -> str:
    """What a reader sees, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index("<body") :]))


def test_the_page_is_whole_and_loads_nothing() -> None:
    page = evidence_html(story(), benchmark=result().equity, market="made up")
    assert page.startswith("<!DOCTYPE html>")
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)
    assert "@import" not in page
    assert "url(" not in page
    assert "prefers-color-scheme:dark" in page
    assert "default-src 'none'" in page.replace("&#x27;", "'")


def test_every_chart_is_described_in_words() -> None:
    page = evidence_html(story())
    described = re.findall(r'role="img" aria-label="([^"]+)" aria-describedby="([^"]+)"', page)
    assert len(described) == page.count('role="img"') == 3
    for _, name in described:
        assert re.search(rf'id="{name}"[^>]*>[^<]{{20,}}', page)


def test_each_gate_is_shown_with_its_number_threshold_and_verdict() -> None:
    page = evidence_html(story())
    seen = words(page)
    assert "deflated-sharpe 0.971 0.950 ✓ passed the confidence" in seen
    assert "overfitting 0.310 0.200 ✗ not passed" in seen
    assert "selection — 0.000 ✗ not passed" in seen
    assert "1 of 3 gates passed; held back by overfitting, selection." in seen


def test_the_wealth_is_that_of_the_bars_against_the_level() -> None:
    whole = story()
    process = EProcess()
    for bet in whole.bets:
        process = process.after(bet.net_return, bet.bound)
    assert whole.wealth[-1] == process.wealth
    seen = words(evidence_html(whole))
    assert "Hypothesis 2" in seen
    assert "has to reach 60" in seen
    assert f"has {process.wealth:.2f} after 120 bars" in seen
    assert "that is no proof yet" in seen
    proof = words(evidence_html(story(hypothesis=replace(CLAIM, wealth_to_reach=1.2))))
    assert "that is proof" in proof


def test_a_ruined_wealth_can_be_drawn() -> None:
    ruin = (Bet(START, -0.5, 1.0), Bet(START + NANOSECONDS_PER_DAY, -1.0, 1.0))
    page = evidence_html(story(bets=ruin))
    assert "nan" not in page[page.index('id="proof"') : page.index('id="meaning"')].lower()
    assert "NaN" not in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hypothesis": None, "bets": ()}, "It is not registered"),
        ({"bets": ()}, "No bar has counted yet"),
        ({"run": "", "selection": math.nan}, "No campaign has judged it"),
        ({"neighbours": ()}, "no number that could be a step"),
        ({"regimes": ()}, "Too few bars to tell markets apart"),
        ({"lineage": ()}, "distinct trials"),
    ],
)
def test_what_is_not_known_is_said(changes: dict[str, object], said: str) -> None:
    assert said in words(evidence_html(story(**changes)))


def test_stress_neighbours_and_failure_are_told_in_numbers() -> None:
    whole = story()
    base = whole.result.metrics.sharpe
    whole = replace(whole, stressed=base * 0.7, endured=base * 0.4)
    seen = words(evidence_html(whole))
    assert "Double costs" in seen
    assert base > 0
    assert "70% twice the fee" in seen
    assert "40% half of the Sharpe ratio must be left" in seen
    assert "ema window 3 → 5 1.10" in seen
    assert "1 earn nothing" in seen
    assert "did worst where the market was wild: −10.0% a year" in seen
    assert "the parent random" in seen
    assert "12 distinct strategies of its family" in seen


def test_hostile_words_are_shown_and_never_obeyed() -> None:
    bad = "<script>alert(1)</script>"
    page = evidence_html(
        story(
            verdict=bad,
            explanation=f"n\n{bad}",
            lineage=(Ancestor("c" * 64, bad, bad, bad, (), 0),),
            neighbours=(Neighbour(bad, 1.0),),
            gates=(Gate(bad, 1.0, 1.0, True, bad),),
            run=bad,
        ),
        market=bad,
    )
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
