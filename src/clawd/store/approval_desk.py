"""The desk of approvals: what the trading core asks, reads and uses, for one account at one venue."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from decimal import Decimal

from clawd.core.errors import ClawdError
from clawd.core.orders import Order
from clawd.core.settings import Settings
from clawd.risk.approval_request import ApprovalRequest, order_text, request_id
from clawd.risk.approvals import ApprovalPolicy, Mark, Standing, State, judge_approval, policy_of
from clawd.store.approvals import ApprovalFile, approvals_path
from clawd.store.keys import trusted


def new_nonce() -> str:
    """32 hexadecimal digits that nobody can foresee."""
    return secrets.token_hex(16)


class ApprovalDesk:
    """Asks for approvals, judges what came of it, and uses each once. Used by the thread that opened it.

    Args:
        file: where requests and signatures are kept.
        policy: gives the one in force, anew each time, so that a key that is trusted no more counts no more at once.
        account, venue: where the orders go; a signature for another place is none.
        nonce: makes what tells requests apart.
    """

    def __init__(
        self,
        file: ApprovalFile,
        policy: Callable[[], ApprovalPolicy],
        account: str,
        venue: str,
        *,
        nonce: Callable[[], str] = new_nonce,
    ) -> None:
        self.policy = policy
        self._file = file
        self._account = account
        self._venue = venue
        self._nonce = nonce

    @classmethod
    def open(cls, settings: Settings, account: str, venue: str, longest_silence: int) -> ApprovalDesk:
        """The desk of the home in the settings, with its file and the keys that are trusted there.

        Args:
            settings: of the environment.
            account, venue: where the orders go.
            longest_silence: nanoseconds after which a price is stale, as in the gate's limits.

        Raises:
            ClawdError: when a limit is set and fewer keys are trusted than are needed, or a file is damaged.
        """

        def policy() -> ApprovalPolicy:
            return policy_of(settings, trusted(settings.home), longest_silence)

        policy()
        return cls(ApprovalFile.open(approvals_path(settings.home)), policy, account, venue)

    def close(self) -> None:
        self._file.close()

    def request(self, order: Order, reasons: Sequence[str], price: Decimal, now: int) -> str:
        """Ask for approvals of exactly this order. Asked again, also after a restart, it is the request that there is.

        Args:
            order: as it will be sent.
            reasons: of :func:`~clawd.risk.approvals.needs_approval`.
            price: of the instrument now, from which the drift counts.
            now: UTC nanoseconds.

        Returns:
            The id of the request.

        Raises:
            ClawdError: when another order was asked for under the same order id, the price is none, nobody could
                approve, or what is kept is damaged.
        """
        name = request_id(self._account, self._venue, order.id)
        text = order_text(order)
        if not price.is_finite() or price <= 0:
            raise ClawdError(f"approvals cannot be asked for at the price {price}", where=f"order {order.id}")
        policy = self.policy()
        if policy.needed > len(policy.approvers):
            raise ClawdError(
                f"{policy.needed} must approve, and {len(policy.approvers)} may", where=f"order {order.id}"
            )
        with self._file.at_once():
            if self._file.has(name):
                known = self._file.request(name)
                if known.order != text:
                    raise ClawdError(
                        f"request {name} was made for another order under the same id", where=f"order {order.id}"
                    )
                return name
            self._file.add_request(
                ApprovalRequest(
                    id=name,
                    nonce=self._nonce(),
                    account=self._account,
                    venue=self._venue,
                    order=text,
                    reasons=tuple(reasons),
                    requested_at=now,
                    expires_at=now + policy.lifetime,
                    reference=price,
                    drift=policy.drift,
                    needed=policy.needed,
                    approvers=tuple(sorted(approver.fingerprint for approver in policy.approvers)),
                )
            )
        return name

    def state(self, request: str, now: int, mark: Mark | None) -> Standing:
        """Where a request stands; every signature is verified anew. Never raises: what cannot be judged is damaged.

        Args:
            request: its id.
            now: UTC nanoseconds.
            mark: the price of the instrument, None where it is not known.
        """
        try:
            return self._judged(request, now, mark)[1]
        except ClawdError as error:
            return Standing(State.DAMAGED, str(error))

    def use(self, request: str, order: Order, now: int, mark: Mark | None) -> None:
        """Use an approval up, for exactly this order, before it is sent. Of many who try, one comes through.

        A process that is killed between this and the sending has used the approval: the order is not sent by itself.

        Raises:
            ClawdError: when the approval is not granted now, has been used, or is of another order; nothing is used.
        """
        with self._file.at_once():
            found, standing = self._judged(request, now, mark)
            if found.order != order_text(order):
                raise ClawdError("what was approved is another order", where=f"request {request}, order {order.id}")
            if standing.state is not State.GRANTED:
                raise ClawdError(f"the order may not be sent: {standing.why}", where=f"request {request}")
            self._file.add_use(request, now)

    def note_mark(self, request: str, mark: Mark) -> None:
        """Show approvers the price of a request's instrument."""
        self._file.note_mark(request, mark)

    def _judged(self, request: str, now: int, mark: Mark | None) -> tuple[ApprovalRequest, Standing]:
        found = self._file.request(request)
        if (found.account, found.venue) != (self._account, self._venue):
            raise ClawdError(f"it is of {found.account} at {found.venue}", where=f"request {request}")
        signatures, used = self._file.signatures(request), self._file.used(request)
        return found, judge_approval(found, signatures, self.policy(), now, mark, used=used)
