"""What waits for approvals, as people see it, and how one of them signs: exactly what he was shown, or nothing."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from clawd.core.clock import Clock
from clawd.core.errors import ClawdError
from clawd.risk.approval_request import ApprovalRequest, Decision, is_figure, message, order_fields
from clawd.risk.approvals import Approver, Mark, Signature, Standing, State, judge_approval, terms_of
from clawd.risk.ed25519 import sign
from clawd.store.approvals import ApprovalFile, approvals_path
from clawd.store.keys import find_key, public_part_of, trusted, unlock

#: The most characters of a reason.
LONGEST_WHY: Final = 500
#: How long a price that a trading process has noted says anything to a person, nanoseconds.
_FRESH: Final = 900_000_000_000


class Seen(NamedTuple):
    """A request, where it stands under the terms it was made under, and the last price that was noted for it."""

    request: ApprovalRequest
    standing: Standing
    mark: Mark | None

    @property
    def state(self) -> str:
        """Whether enough have signed. Whether the price lets it be sent is for the trading process, which knows it."""
        state = self.standing.state
        return "approved" if state in (State.GRANTED, State.UNPRICED, State.DRIFTED) else state.value


class Queue(NamedTuple):
    """All that was ever asked for, in the order of asking.

    Attributes:
        seen: what can be read.
        damaged: the ids of what cannot, and why.
    """

    seen: list[Seen]
    damaged: list[tuple[str, str]]

    @property
    def pending(self) -> list[Seen]:
        """What is not over: what waits first, the first to expire first."""
        found = [each for each in self.seen if not each.standing.state.final]
        return sorted(found, key=lambda each: (each.standing.state is not State.WAITING, each.request.expires_at))

    @property
    def over(self) -> list[Seen]:
        """What is final, the last that was asked for first."""
        return [each for each in reversed(self.seen) if each.standing.state.final]


def queue(home: Path, now: int) -> Queue:
    """Everything that has waited in a home; nothing is made where nothing has.

    Raises:
        ClawdError: when the file or the list of trusted keys cannot be read.
    """
    found = Queue([], [])
    path = approvals_path(home)
    if not path.exists():
        return found
    approvers = trusted(home)
    with ApprovalFile.open(path) as file:
        for name in file.ids():
            try:
                found.seen.append(seen(file, name, approvers, now))
            except ClawdError as error:
                found.damaged.append((name, str(error)))
    return found


def seen(file: ApprovalFile, name: str, approvers: tuple[Approver, ...], now: int) -> Seen:
    """One request.

    Raises:
        ClawdError: when there is none of this id, or it is damaged.
    """
    request, mark = file.request(name), file.mark(name)
    policy = terms_of(request, approvers, _FRESH)
    standing = judge_approval(request, file.signatures(name), policy, now, mark, used=file.used(name))
    return Seen(request, standing, mark)


class Signing(NamedTuple):
    """A decision that somebody is about to sign.

    Attributes:
        home: where the request lies.
        seen: the request.
        key: the file of the private key; ``signer`` its public part.
        decision, why: what is said.
        text: exactly what is signed.
    """

    home: Path
    seen: Seen
    key: Path
    signer: Approver
    decision: Decision
    why: str
    text: bytes

    def sign(self, passphrase: str, clock: Clock) -> Seen:
        """Sign it, where it still is what was shown: time has passed, and others may have decided.

        Args:
            passphrase: of the key; it is kept nowhere.
            clock: says when it is signed, which is after the key was unlocked.

        Returns:
            Where the request stands after it.

        Raises:
            ClawdError: when the passphrase is wrong, or the signature would be worth nothing; nothing is signed.
        """
        name = self.seen.request.id
        seed = unlock(self.key, passphrase)
        with ApprovalFile.open(approvals_path(self.home)) as file:
            approvers, now = trusted(self.home), clock.now()
            current = seen(file, name, approvers, now)
            _check(current, self.signer, approvers, self.decision)
            if message(current.request, self.decision, self.why) != self.text:
                raise ClawdError("the request is no longer what was shown: nothing was signed", where=f"request {name}")
            signature = Signature(self.decision, self.signer.fingerprint, sign(seed, self.text), self.why)
            file.add_signature(name, signature, now)
            return seen(file, name, approvers, now)


def signing(home: Path, name: str, key: str, decision: Decision, why: str, now: int) -> Signing:
    """What somebody would sign.

    Args:
        home: where the request and the list of trusted keys lie.
        name: the id of the request.
        key: a key of the home by its name, or a file from anywhere.
        decision: approve or reject.
        why: words that are signed with it; a rejection needs some.
        now: UTC nanoseconds.

    Raises:
        ClawdError: when there is no such request or key, or the signature would be worth nothing.
    """
    if len(why) > LONGEST_WHY or (decision is Decision.REJECT and not why.strip()):
        raise ClawdError(f"a reason of 1 to {LONGEST_WHY} characters is needed", where="--why")
    file_of_key = find_key(home, key)
    signer = public_part_of(file_of_key)
    path = approvals_path(home)
    if not path.exists():
        raise ClawdError("no order has waited for approvals yet", where=str(path))
    with ApprovalFile.open(path) as file:
        approvers = trusted(home)
        shown = seen(file, name, approvers, now)
    _check(shown, signer, approvers, decision)
    return Signing(home, shown, file_of_key, signer, decision, why, message(shown.request, decision, why))


def notional_of(request: ApprovalRequest) -> Decimal | None:
    """The notional of an order at the price at which it was asked for, quote currency; None where it is no figure."""
    size = order_fields(request.order).get("size")
    try:
        notional = abs(Decimal(size or "")) * request.reference
    except ArithmeticError:
        return None
    return notional if is_figure(notional) else None


def _check(found: Seen, signer: Approver, approvers: tuple[Approver, ...], decision: Decision) -> None:
    """Refuse a signature that would be worth nothing."""
    where, standing = f"request {found.request.id}", found.standing
    name = next((each.name for each in approvers if each.public_key == signer.public_key), None)
    if name is None or signer.fingerprint not in found.request.approvers:
        raise ClawdError(
            f"the key {signer.name} may not decide on this", where=where, hint="`clawd keys list` says who may approve"
        )
    if standing.state.final or (standing.state is State.CHANGED and decision is Decision.APPROVE):
        raise ClawdError(f"there is nothing to decide: {standing.why}", where=where)
    if decision is Decision.APPROVE and name in standing.approved:
        raise ClawdError(f"{name} has approved it already", where=where, hint="each key counts once")
