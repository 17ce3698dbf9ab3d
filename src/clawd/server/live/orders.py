"""What a person has ordered, read from the switchboard now and then."""

from __future__ import annotations

from pathlib import Path

from clawd.core.errors import ClawdError
from clawd.store.database import connect
from clawd.store.switchboard import NOTHING_ORDERED, SCHEMA, Command, Switchboard


class Orders:
    """The order that holds in a home. A switchboard that is not there is not made.

    Attributes:
        command: the last that was given.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "switchboard.sqlite"
        self.command: Command = NOTHING_ORDERED

    def look(self) -> None:
        """Read it again; what cannot be read leaves what was known."""
        if not self._path.is_file():
            self.command = NOTHING_ORDERED
            return
        try:
            connection = connect(self._path, SCHEMA, read_only=True)
        except ClawdError:
            return
        try:
            self.command = Switchboard(self._path, connection).standing()
        except ClawdError:
            return
        finally:
            connection.close()
