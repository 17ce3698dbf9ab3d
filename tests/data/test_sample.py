"""The sample market is real, complete, and honest about when its values were known."""

import subprocess
import sys

import numpy as np
import pytest

from clawd.core.clock import iso
from clawd.core.errors import ClawdError
from clawd.data import sample
from clawd.data.market import Market, load_market

DAY = 86_400 * 10**9


@pytest.fixture(scope="module")
def market() -> Market:
    return load_market("sample")


def test_it_has_two_indices_for_twenty_years(market: Market) -> None:
    panel = market.panel
    assert panel.symbols == ("NASDAQ", "SP500")
    assert panel.bar == DAY
    assert panel.times.size == 5_031
    assert (iso(int(panel.times[0])), iso(int(panel.times[-1]))) == ("1999-01-04", "2018-12-31")
    assert panel.present.all()
    assert panel.bars_per_year == 252
    assert market.notes == ()


def test_its_values_are_those_of_the_files(market: Market) -> None:
    panel = market.panel
    nasdaq, sp500 = 0, 1
    assert panel.open[:, 0].tolist() == [2207.540039, 1229.22998]
    assert panel.high[sp500, :2].tolist() == [1248.810059, 1246.109985]
    assert panel.low[nasdaq, :2].tolist() == [2192.679932, 2206.48999]
    assert panel.close[:, -1].tolist() == [6635.279785, 2506.850098]
    assert panel.volume[:, -1].tolist() == [2098560000, 3442870000]
    assert (panel.funding == 0).all()


def test_its_series_are_known_at_the_close_of_their_day_and_not_before(market: Market) -> None:
    panel = market.panel
    days = {iso(int(time)): index for index, time in enumerate(panel.times)}
    assert set(panel.series) == {"vix", "wti"}
    vix = panel.series["vix"]
    assert np.isnan(vix[: days["2014-01-03"]]).all()
    assert vix[days["2014-01-03"]] == 13.76
    assert vix[days["2014-01-06"]] == 13.55
    raw = {each.name: dict(each.values.iter_rows()) for each in sample.sample_series()}
    for index, time in enumerate(panel.times.tolist()):
        if time in raw["wti"]:
            assert panel.series["wti"][index] == raw["wti"][time]


def test_its_only_gap_is_that_of_september_2001(market: Market) -> None:
    gaps = [(each.symbol, each.place, each.count) for each in market.findings if each.kind == "gap"]
    assert gaps == [("NASDAQ", "2001-09-10", 1), ("SP500", "2001-09-10", 1)]
    assert all(each.severity != "error" for each in market.findings)


def test_one_instrument_can_be_chosen() -> None:
    assert load_market("sample", ["sp500"], DAY).panel.symbols == ("SP500",)


def test_other_bars_than_daily_ones_are_refused() -> None:
    with pytest.raises(ClawdError, match="the sample market: there are no 1h bars"):
        load_market("sample", bar=DAY // 24)


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ClawdError, match="pip install arch"):
        load_market("sample")


def test_no_heavy_package_is_loaded() -> None:
    code = "import sys; from clawd.data.market import load_market; load_market('sample'); print(*sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"arch", "scipy", "statsmodels", "pandas"} & set(shown.stdout.split())
