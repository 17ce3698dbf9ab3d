"""Snapshots of an account beside its journal, so that a start folds only what came after the last one."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from pydantic import ValidationError

from clawd import core
from clawd.execution import account as account_module
from clawd.execution.account import Account
from clawd.store.snapshot import Snapshot

FOLD: Final = "account"

#: A snapshot is kept after so many entries: replaying them takes a second or two.
EVERY: Final = 50_000


@runtime_checkable
class SnapshotJournal(Protocol):
    """A journal that keeps snapshots beside itself."""

    @property
    def head(self) -> tuple[int, str]: ...

    def keep_snapshot(self, seq: int, digest: str, fold: str, version: str, body: bytes) -> None: ...

    def latest_snapshot(self, fold: str, version: str) -> Snapshot | None: ...


@cache
def version() -> str:
    """Names the code that folds an account: a snapshot that other code has made means nothing to this."""
    digest = hashlib.sha256()
    execution = Path(account_module.__file__).parent
    files = [execution / f"{name}.py" for name in ("account", "holding", "life_cycle", "stance", "sub_account")]
    for file in [*files, *sorted(Path(core.__path__[0]).glob("*.py"))]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


class Snapshots:
    """Keeps snapshots of one account.

    Args:
        journal: of the account.
        every: entries from one to the next.
    """

    def __init__(self, journal: SnapshotJournal, every: int = EVERY) -> None:
        self._journal = journal
        self._every = every
        self._last = 0

    def latest(self) -> tuple[Account, int] | None:
        """The account of the last snapshot, and the seq of the last entry that is in it; None where there is none."""
        snapshot = self._journal.latest_snapshot(FOLD, version())
        if snapshot is None:
            return None
        try:
            account = Account.from_json(snapshot.body)
        except ValidationError:
            return None
        self._last = snapshot.seq
        return account, snapshot.seq

    def written(self, account: Account) -> None:
        """A batch was written, and the account is what the journal says: keep it, where it is time to."""
        seq, digest = self._journal.head
        if seq - self._last >= self._every:
            self.keep(account, seq, digest)

    def keep(self, account: Account, seq: int, digest: str) -> None:
        """Keep the account as it is after an entry, the last of its journal.

        Raises:
            ClawdError: when the disk or the server refuses.
        """
        self._journal.keep_snapshot(seq, digest, FOLD, version(), account.to_json())
        self._last = seq
