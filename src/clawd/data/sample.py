"""The sample market: real daily bars that need no download.

The ``arch`` package carries them for its examples: the S&P 500 and NASDAQ indices from 1999 to 2018 with
volumes, the spot price of West Texas Intermediate crude oil (from FRED) and the VIX from 2014 on. The package
is by Kevin Sheppard under the University of Illinois/NCSA open-source licence (SPDX: NCSA), whose text pip
puts beside it; it says nothing of the data apart. The files are read where pip has put them and never copied.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

from clawd.core.errors import ClawdError
from clawd.core.panel import NANOSECONDS_PER_DAY
from clawd.data.align import NamedSeries
from clawd.data.bars import RawBars, read_raw_bars
from clawd.data.series import read_series

SYMBOLS = ("NASDAQ", "SP500")
BAR = NANOSECONDS_PER_DAY

# Both are end-of-day values stamped with their date at midnight: known when the day's bar closes, not before.
_SERIES = ("vix", "wti")
_LAG = NANOSECONDS_PER_DAY


def sample_bars(symbol: str) -> RawBars:
    """Daily bars of ``SP500`` or ``NASDAQ``, 1999-01-04 to 2018-12-31.

    Raises:
        ClawdError: the ``arch`` package or its file is missing.
    """
    return read_raw_bars(_file(symbol.lower()))


def sample_series() -> list[NamedSeries]:
    """The series ``vix`` (points) and ``wti`` (US dollars a barrel), each value known a day after its stamp.

    Raises:
        ClawdError: the ``arch`` package or its file is missing.
    """
    return [NamedSeries(name, read_series(_file(name)).frame, _LAG) for name in _SERIES]


def _file(name: str) -> Path:
    # Importing arch would load scipy and statsmodels; only the place of its files is wanted.
    package = importlib.util.find_spec("arch")
    if package is None or not package.submodule_search_locations:
        raise ClawdError("the sample market needs the package `arch`", where="sample", hint="pip install arch")
    path = Path(package.submodule_search_locations[0], "data", name, f"{name}.csv.gz")
    if not path.is_file():
        raise ClawdError(
            "the installed `arch` does not carry this file", where=str(path), hint="pip install 'arch>=7.2'"
        )
    return path
