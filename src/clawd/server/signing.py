"""Who signs through the web face: with which key of the home, how often he may guess, and what stands in the way.

A passphrase is used and forgotten: it is in no log, no audit, no answer and no file.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException

from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.risk.approval_request import Decision
from clawd.risk.approvals import State, beyond_drift
from clawd.server.problem import ConflictError, MissingError
from clawd.store.approval_queue import Seen, Signing, signing
from clawd.store.keys import PassphraseError, has_key

#: So many wrong passphrases of a key within so many seconds, and it is not tried any more until they have passed.
MOST_WRONG: Final = 5
WITHIN: Final = 600.0


@dataclass(slots=True)
class Signers:
    """Signs one decision at a time: what makes a guess slow takes 128 MiB of memory as well.

    Attributes:
        home: where the keys and the requests lie.
        elapsed: seconds of a clock that never goes back.
    """

    home: Path
    elapsed: Callable[[], float] = time.monotonic
    _wrong: dict[str, deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ready(self, request: str, key: str, decision: Decision, why: str, now: int) -> Signing:
        """What would be signed.

        Raises:
            MissingError: when the home has no such key; keys that lie elsewhere sign at the command line.
            ConflictError: when the decision would be worth nothing now.
        """
        if key.endswith(".key") or not has_key(self.home, key):
            raise MissingError(
                f"there is no key {key[:64]!r} in this home",
                where="key",
                hint="a key that lies elsewhere signs with `clawd approvals`",
            )
        try:
            found = signing(self.home, request, key, decision, why, now)
        except ClawdError as error:
            where = "why" if error.where == "--why" else error.where
            raise ConflictError(error.what, where=where, hint=error.hint) from None
        if decision is Decision.APPROVE and (objection := objection_to(found.seen)) is not None:
            raise ConflictError(objection, where=f"request {request}")
        return found

    def sign(
        self, request: str, key: str, decision: Decision, why: str, digest: str, passphrase: str, clock: Clock
    ) -> tuple[Signing, Seen]:
        """Sign a decision: exactly what was shown.

        Args:
            request, key, decision, why: as of :meth:`ready`.
            digest: of the text that was shown, from :func:`digest_of`.
            passphrase: of the key.
            clock: of the site.

        Returns:
            What was signed, and where the request stands after it.

        Raises:
            MissingError, ConflictError: as of :meth:`ready`; also when the text is no longer what was shown.
            PassphraseError: when the passphrase is wrong.
            HTTPException: 429 after too many wrong ones.
        """
        with self._lock:
            self._patience(key)
            ready = self.ready(request, key, decision, why, clock.now())
            if digest_of(ready.text) != digest:
                raise ConflictError(
                    "the request is no longer what was shown: nothing was signed", where=f"request {request}"
                )
            try:
                after = ready.sign(passphrase, clock)
            except PassphraseError:
                wrong = self._wrong.setdefault(key, deque(maxlen=MOST_WRONG))
                wrong.append(self.elapsed())
                left = MOST_WRONG - len(wrong)
                hint = f"{left} more before this key is not tried for {WITHIN / 60:g} minutes"
                raise PassphraseError(
                    "the passphrase is wrong, or the key's file is damaged", where="passphrase", hint=hint
                ) from None
            except ClawdError as error:
                raise ConflictError(error.what, where=error.where, hint=error.hint) from None
            self._wrong.pop(key, None)
        return ready, after

    def _patience(self, key: str) -> None:
        wrong = self._wrong.get(key)
        while wrong and self.elapsed() - wrong[0] >= WITHIN:
            wrong.popleft()
        if wrong is not None and len(wrong) >= MOST_WRONG:
            wait = int(WITHIN - (self.elapsed() - wrong[0])) + 1
            raise HTTPException(
                429,
                f"the key {key} was tried with {MOST_WRONG} wrong passphrases: wait {wait} seconds",
                {"Retry-After": str(wait)},
            )


def objection_to(seen: Seen) -> str | None:
    """Why an order cannot be approved now, None where it can."""
    standing = seen.standing
    if standing.state.final or standing.state is State.CHANGED:
        return f"it cannot be approved: {standing.why}"
    if seen.mark is not None and beyond_drift(seen.request, seen.mark):
        return (
            f"the price has moved to {seen.mark.price:f}, by more than it may from {seen.request.reference:f}: "
            "it can be approved when the price is back"
        )
    return None


def digest_of(text: bytes) -> str:
    """What a page sends back to say which text it has shown."""
    return hashlib.sha256(text).hexdigest()
