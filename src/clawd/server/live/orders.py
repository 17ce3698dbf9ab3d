"""What a person has ordered, read from the switchboard now and then."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from clawd.core.errors import ClawdError
from clawd.store.database import connect
from clawd.store.switchboard import NOTHING_ORDERED, SCHEMA, Command, Pause, Switchboard, switchboard_path


class Orders:
    """The orders that hold in a home. A switchboard that is not there is not made.

    Attributes:
        command: the last that was given for all.
        pauses: the last word on each strategy of the desk that was looked at, by its content hash.
    """

    def __init__(self, home: Path) -> None:
        self._path = switchboard_path(home)
        self.command: Command = NOTHING_ORDERED
        self.pauses: Mapping[str, Pause] = {}

    def look(self, desk: str) -> None:
        """Read them again; what cannot be read leaves what was known."""
        if not self._path.is_file():
            self.command, self.pauses = NOTHING_ORDERED, {}
            return
        try:
            connection = connect(self._path, SCHEMA, read_only=True)
        except ClawdError:
            return
        switchboard = Switchboard(self._path, connection)
        try:
            with suppress(ClawdError):
                self.command = switchboard.standing()
            with suppress(ClawdError):
                self.pauses = switchboard.pauses(desk)
        finally:
            connection.close()


def pauses_of(home: Path, desk: str) -> Mapping[str, Pause]:
    """The last word on each strategy of a desk, by its content hash; none where it cannot be read."""
    orders = Orders(home)
    orders.look(desk)
    return orders.pauses
