"""Markets from which surrogates are made in the tests."""

from __future__ import annotations

from functools import cache

from clawd.data.market import load_market
from clawd.research.worlds.surrogates import Rows


@cache
def sample_rows() -> Rows:
    return Rows.of(load_market("sample").panel)
