"""The report is one safe, whole page whose numbers add up, also where there is little to report."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import COSTS, Page, fill, market, result, strategy, traded, wave

from clawd.core.reason import Reason
from clawd.engine.backtest import Backtest, run_backtest
from clawd.reports import charts, tables
from clawd.reports.backtest_html import backtest_html
from clawd.reports.buy_and_hold import buy_and_hold
from clawd.reports.formats import number
from clawd.reports.page import DARK, LIGHT, SHADES
from clawd.reports.periods import monthly_returns
from clawd.reports.view import View

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'`&lt;<b>bold"


def report(backtest: Backtest, **options: str) -> str:
    held = buy_and_hold(backtest.panel, backtest.costs, backtest.capital)
    return backtest_html(backtest, benchmark=held, **options)


def ruined() -> Backtest:
    panel = market({"AAA": [100.0, 100.0, 50.0, 1.0, 1.0]})
    return result(
        panel, [fill(panel, 1, "AAA", "150", "100", Reason.ENTRY), fill(panel, 4, "AAA", "-150", "1", Reason.RUIN)]
    )


def with_gaps() -> Backtest:
    first = wave(60)
    first[:20] = math.nan
    second = wave(60)
    second[25:40] = math.nan
    panel = market({"LATE": first.tolist(), "GAPS": second.tolist(), "NEVER": [math.nan] * 60})
    return result(panel, [fill(panel, 22, "LATE", "5", "120", Reason.ENTRY)])


RESULTS = {
    "traded": traded,
    "many instruments": lambda: traded(symbols=[f"S{row}" for row in range(9)]),
    "flat": lambda: result(market({"AAA": wave(80).tolist()})),
    "one bar": lambda: result(market({"AAA": [100.0]})),
    "no bar": lambda: result(market({"AAA": []})),
    "hourly": lambda: result(market({"AAA": wave(50).tolist()}, bar=3_600_000_000_000)),
    "constant": lambda: result(market({"AAA": [7.0] * 40})),
    "ruined": ruined,
    "gaps": with_gaps,
    "tiny prices": lambda: result(market({"AAA": wave(40, 1e-9).tolist()}, tick="1e-15")),
    "a hundredfold": lambda: result(market({"AAA": np.geomspace(1, 300, 50).tolist()})),
}


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("held", [True, False])
def test_the_page_is_whole_and_loads_nothing(name: str, held: bool) -> None:
    backtest = RESULTS[name]()
    text = report(backtest) if held else backtest_html(backtest, benchmark=None)
    page = Page(text)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        assert "src" not in attributes
        assert not any(key.startswith("on") or key == "style" for key in attributes)
        for key in ("href", "aria-labelledby", "aria-describedby"):
            if key in attributes:
                assert (attributes[key] or "").removeprefix("#") in ids
    assert not {tag for tag, _ in page.elements} & {"link", "img", "iframe", "object", "embed", "base", "form"}
    assert not re.search(r"https?:|//\w|@import|url\(", text)
    assert not re.search(r"\b(nan|inf|None)\b", page.text)
    assert ("Buy and hold" in page.text) == held


def test_every_chart_has_a_name_and_its_words() -> None:
    page = Page(report(traded()))
    charts_ = [part for part in page.names("svg") if part.get("role") == "img"]
    assert len(charts_) == 4
    assert all(part["aria-label"] and part["aria-describedby"] for part in charts_)
    assert len(page.names("details")) == 3
    assert all(part["scope"] in ("col", "row") for part in page.names("th"))


def test_the_policy_allows_this_script_and_style_alone() -> None:
    page = Page(report(traded()))
    policy = next(part["content"] for part in page.names("meta") if "http-equiv" in part) or ""
    for source in (page.texts["style"], page.texts["script"][-1:]):
        digest = base64.b64encode(hashlib.sha256("".join(source).encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_hostile_words_are_shown_and_never_obeyed() -> None:
    hostile = replace(
        strategy(),
        name=HOSTILE,
        claim=HOSTILE,
        source=HOSTILE,
        let={HOSTILE: HOSTILE},
        target_text=HOSTILE,
        universe=(HOSTILE,),
    )
    plain, bad = traded(), traded(symbols=(HOSTILE, f"{HOSTILE}2"))
    text = report(replace(bad, strategy=hostile), market=HOSTILE, currency=HOSTILE)
    page = Page(text)
    assert [tag for tag, _ in page.elements if tag in ("script", "img", "b")] == ["script", "script"]
    assert "alert(1)" not in "".join(page.texts["script"])
    assert page.text.count(HOSTILE) > 10
    assert page.texts["title"] == [f"{HOSTILE} · backtest"]
    assert page.texts["h1"] == [HOSTILE]
    assert "<img" not in text
    assert len(page.elements) >= len(Page(report(plain)).elements)


@given(st.text(st.characters(codec=None), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_any_name_gives_a_page_that_can_be_written(name: str) -> None:
    backtest = replace(RESULTS["one bar"](), strategy=replace(strategy(), name=name))
    text = backtest_html(backtest, benchmark=None)
    Page(text)
    text.encode("utf-8")


def test_the_parts_add_up_to_the_whole() -> None:
    view = View(traded(), None)
    total = float(view.result.equity[-1]) - view.capital
    parts = sum(trip.profit for trip in view.closed) + sum(view.open_profit.values()) - view.result.funding
    assert view.open_profit.keys() == {"AAA", "BBB"}
    assert parts == pytest.approx(total, abs=1e-9)
    rows = re.findall(r"<tr>.*?</tr>", tables.sources(view))
    assert [re.search(r'row"[^>]*>(\w+ ?\w*)', row).group(1) for row in rows[1:]] == [  # type: ignore[union-attr]
        "Signal",
        "Stop",
        "Take",
        "Still open",
        "Funding",
        "All",
    ]
    assert view.money(total, signed=True) in rows[-1]


def test_the_parts_add_up_when_a_position_turns_over_within_a_bar() -> None:
    panel = market({"AAA": [100.0, 101.0, 103.0, 99.0]})
    fills = [
        fill(panel, 1, "AAA", "10", "100", Reason.ENTRY),
        fill(panel, 2, "AAA", "-10", "102", Reason.SIGNAL),
        fill(panel, 2, "AAA", "-8", "102", Reason.ENTRY),
        fill(panel, 3, "AAA", "3", "100", Reason.REDUCE),
    ]
    view = View(result(panel, fills), None)
    fees = sum(part.fee for part in fills[2:])
    assert view.open_profit["AAA"] == pytest.approx(3 * (102 - 100) + 5 * (102 - 99) - fees)


def test_an_exit_of_two_words_is_named_in_words() -> None:
    panel = market({"AAA": [100.0, 104.0, 101.0, 99.0]})
    fills = [fill(panel, 1, "AAA", "10", "100", Reason.ENTRY), fill(panel, 3, "AAA", "-10", "100", Reason.BREAK_EVEN)]
    view = View(result(panel, fills), None)
    assert "Break even" in tables.sources(view)
    assert "break even" in tables.round_trips(view)
    assert "_" not in re.sub(r"<[^>]*>", "", tables.sources(view) + tables.round_trips(view))


def test_the_months_are_shown_with_their_sum() -> None:
    backtest = traded()
    page = Page(tables.months(View(backtest, None)))
    returns = monthly_returns(backtest.panel.times, backtest.net_returns)
    november, december, january, february = returns.values()
    assert list(returns) == [(2023, 11), (2023, 12), (2024, 1), (2024, 2)]
    total = backtest.metrics.total_return
    assert math.fsum(returns.values()) == pytest.approx(total, abs=1e-12)
    rows = (november, december, november + december, january, february, january + february, total)
    assert page.texts["td"] == [number(100 * value, 1, signed=True) for value in rows]


def test_a_long_list_of_trades_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_TRIPS", 5)
    page = Page(tables.round_trips(View(traded(), None)))
    assert len(page.names("tr")) == 1 + 5
    assert "The latest 5 of 18; the fills of the other 13 are in the CSV." in page.text


def test_many_instruments_are_folded_and_too_many_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    backtest = traded(symbols=[f"S{row}" for row in range(9)])
    monkeypatch.setattr(charts, "MOST_PRICES", 7)
    page = Page(charts.prices(View(backtest, None)))
    assert len([part for part in page.names("svg") if part.get("role") == "img"]) == 7
    assert "S0: 9 trades" in page.text
    assert "2 instruments with fewer trades not drawn." in page.text


def test_what_a_reader_should_doubt_is_said_first() -> None:
    def cautions(name: str) -> str:
        return Page(report(RESULTS[name]())).text

    assert "The capital was lost: equity fell to zero or below on 2023-11-18." in cautions("ruined")
    assert "The strategy made no trade." in cautions("flat")
    assert "The run has 1 bar: too few for annualised figures." in cautions("one bar")
    assert "1 position still open at the end" in cautions("gaps")
    assert "The run has 16 closed trades: figures per trade carry little weight." in cautions("traded")


def test_the_assumptions_state_the_costs_of_this_run() -> None:
    text = Page(report(traded())).text
    assert "slippage of 1%" in text
    assert "a fee of 0.1% of its notional" in text
    assert "more than 20% from the close" in text


def test_the_strategy_is_told_in_full() -> None:
    text = Page(report(traded())).text
    for words in (
        "ema(close, 3)",
        "long_short(sign(close - fast))",
        "10 % of the entry price",
        "50 bars",
        "the same side again after 3 bars, or when the signal has been renewed",
        strategy().target.text,
        strategy().content_hash,
    ):
        assert words in text
    assert "of the entry price from the entry price" not in text


def test_a_benchmark_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="the benchmark has 3 bars, the run has 90"):
        backtest_html(traded(), benchmark=np.ones(3))


def test_a_real_run_gives_a_page_whose_figures_are_the_engine_s() -> None:
    panel = market({"AAA": wave(200).tolist(), "BBB": wave(200, 50.0).tolist()})
    backtest = run_backtest(strategy(), panel, COSTS, traded().capital, first=20)
    view = View(backtest, None)
    text = Page(report(backtest)).text
    assert backtest.metrics.trades > 5
    assert f"{backtest.metrics.trades:,} closed trades" in text
    assert view.money(float(backtest.equity[-1])) in text
    parts = sum(trip.profit for trip in view.closed) + sum(view.open_profit.values())
    assert parts == pytest.approx(float(backtest.equity[-1]) - view.capital, abs=1e-6)


@pytest.mark.parametrize("colours", [LIGHT, DARK])
def test_every_colour_of_text_can_be_read_on_what_it_stands_on(colours: dict[str, str]) -> None:
    surface = _rgb(colours["surface"])
    for name in ("text", "text2", "text3", "accent", "gain", "loss", "warn"):
        assert _contrast(_rgb(colours[name]), surface) >= 4.5
        assert _contrast(_rgb(colours[name]), _rgb(colours["bg"])) >= 4.5
    for name in ("gain", "loss"):
        for part in SHADES:
            mixed = surface + (_rgb(colours[name]) - surface) * part / 100
            assert _contrast(_rgb(colours["text"]), mixed) >= 4.5


def _rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)], dtype=np.float64)


def _contrast(one: np.ndarray, other: np.ndarray) -> float:
    def light(colour: np.ndarray) -> float:
        share = colour / 255
        linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, bright = sorted((light(one), light(other)))
    return (bright + 0.05) / (dark + 0.05)
