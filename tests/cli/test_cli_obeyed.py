"""What `clawd trade` says once it has obeyed a person."""

from __future__ import annotations

import pytest

from clawd.cli.trade import obeyed
from clawd.core.account_events import TradingState
from clawd.store.switchboard import Switch


@pytest.mark.parametrize("switch", [each for each in Switch if each is not Switch.FLATTEN])
def test_only_a_flattening_is_said_to_be_flat_by_a_word_of_the_venue(switch: Switch) -> None:
    """An entry whose cancellation is on its way is an order at the venue, whatever the books hold."""
    said = obeyed(switch, switch.state, 0)
    assert said == f"{switch.state}; nothing is held"
    assert "2 instruments held" in obeyed(switch, switch.state, 2)


def test_a_flattening_is_flat() -> None:
    assert obeyed(Switch.FLATTEN, TradingState.HALTED, 0) == "flat: the venue has no order and no position of ours"
