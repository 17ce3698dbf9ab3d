"""Approvals: which orders wait for signatures, and what the signatures are worth. Pure; in doubt an order waits.

An approval grants one submission of one order, exactly as it was signed, while the price is near what it was and the
policy is what it was. An order that only makes a position smaller never waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from clawd.core.errors import ClawdError
from clawd.core.orders import Order
from clawd.core.settings import Settings
from clawd.risk.approval_request import ApprovalRequest, Decision, decimal_text, is_figure, message
from clawd.risk.ed25519 import PUBLIC_KEY_BYTES, fingerprint, verify

_SECOND: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Approver:
    """A person whose key may decide.

    Attributes:
        name: unique among approvers.
        public_key: Ed25519, 32 bytes.
    """

    name: str
    public_key: bytes

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """Which orders wait, and for whom.

    Attributes:
        approvers: whose keys may decide: n of them.
        needed: how many of them must approve: m.
        lifetime: nanoseconds after which a request expires.
        drift: the price may move by this share of what it was when the order was asked for.
        longest_silence: nanoseconds after which a price is stale.
        notional: an order above it waits, quote currency; None for no such limit, as for the next two.
        equity_share: an order above this share of the account's equity waits.
        volume_share: an order above this share of the instrument's volume of a day waits.

    Raises:
        ClawdError: when nobody could approve, the same key or name is there twice, or a figure is out of its range.
    """

    approvers: tuple[Approver, ...]
    needed: int
    lifetime: int
    drift: Decimal
    longest_silence: int
    notional: Decimal | None = None
    equity_share: Decimal | None = None
    volume_share: Decimal | None = None

    def __post_init__(self) -> None:
        names = [approver.name for approver in self.approvers]
        keys = [approver.public_key for approver in self.approvers]
        if len(set(names)) < len(names) or len(set(keys)) < len(keys):
            raise ClawdError("two approvers have the same name or the same key", hint="each counts once")
        if any(len(key) != PUBLIC_KEY_BYTES for key in keys):
            raise ClawdError("an approver's key is not an Ed25519 public key")
        if self.needed < 1:
            raise ClawdError(f"{self.needed} approvals are none", where="approvals needed", hint="1 at least")
        if self.lifetime <= 0 or self.longest_silence <= 0 or not is_figure(self.drift) or self.drift < 0:
            raise ClawdError("the lifetime, the longest silence or the drift of approvals is out of its range")
        for limit in (self.notional, self.equity_share, self.volume_share):
            if limit is not None and not _positive(limit):
                raise ClawdError(f"a limit above 0 is needed, not {limit}", where="approvals")
        if self.in_force and self.needed > len(self.approvers):
            trusted = len(self.approvers) or "no"
            raise ClawdError(
                f"orders above a limit need {self.needed} approval{'s' if self.needed > 1 else ''}, and {trusted} "
                f"key{'s are' if trusted != 1 else ' is'} trusted: they could never be approved",
                where="CLAWD_APPROVALS_NEEDED",
                hint="`clawd keys trust` makes a key an approver's",
            )

    @property
    def in_force(self) -> bool:
        """Whether any limit is set."""
        return not (self.notional is None and self.equity_share is None and self.volume_share is None)


def policy_of(settings: Settings, approvers: Iterable[Approver], longest_silence: int) -> ApprovalPolicy:
    """The policy that settings and the trusted keys make.

    Args:
        settings: of the environment.
        approvers: the trusted keys.
        longest_silence: nanoseconds after which a price is stale, as in the gate's limits.

    Raises:
        ClawdError: when a limit is set and fewer keys are trusted than are needed.
    """
    return ApprovalPolicy(
        approvers=tuple(approvers),
        needed=settings.approvals_needed,
        lifetime=settings.approval_lifetime * _SECOND,
        drift=settings.approval_drift,
        longest_silence=longest_silence,
        notional=settings.approval_notional,
        equity_share=settings.approval_equity_share,
        volume_share=settings.approval_volume_share,
    )


def needs_approval(
    order: Order,
    price: Decimal | None,
    equity: Decimal | None,
    day_volume: Decimal | None,
    policy: ApprovalPolicy,
) -> tuple[str, ...]:
    """Why an order has to wait for approvals, in words; nothing where it has not.

    What is not known counts as above the limit. The notional is taken at the highest of the prices that the order may
    fill at: the market's and its own.

    Args:
        order: as it would be sent.
        price: of the instrument, quote currency.
        equity: of the account, quote currency, what is not realised included.
        day_volume: what was traded of the instrument in a day, in its units.
        policy: in force.
    """
    if order.reduces or not policy.in_force:
        return ()
    if not is_figure(order.size):
        return ("its size is not known",)
    size = abs(Fraction(order.size))
    reasons = []
    if policy.notional is not None or policy.equity_share is not None:
        notional = _notional(size, order, price)
        if notional is None:
            reasons.append("its notional is not known: there is no price")
        else:
            words = _words(notional)
            if policy.notional is not None and notional > Fraction(policy.notional):
                reasons.append(f"its notional {words} is above {decimal_text(policy.notional)}")
            if policy.equity_share is not None:
                share = f"{_percent(policy.equity_share)} of the equity"
                if equity is None or not _positive(equity):
                    reasons.append(f"it may be above {share}, which is not known")
                elif notional > Fraction(policy.equity_share) * Fraction(equity):
                    reasons.append(f"its notional {words} is above {share} of {decimal_text(equity)}")
    if policy.volume_share is not None:
        share = f"{_percent(policy.volume_share)} of a day's volume"
        if day_volume is None or not _positive(day_volume):
            reasons.append(f"it may be above {share}, which is not known")
        elif size > Fraction(policy.volume_share) * Fraction(day_volume):
            reasons.append(f"its size {_words(size)} is above {share} of {decimal_text(day_volume)}")
    return tuple(reasons)


@dataclass(frozen=True, slots=True)
class Mark:
    """A price and when it was the market's, UTC nanoseconds."""

    price: Decimal
    time: int


@dataclass(frozen=True, slots=True)
class Signature:
    """What somebody says to have decided; it is worth nothing until it is judged.

    Attributes:
        decision: approve or reject.
        signer: the fingerprint of the key.
        signature: of :func:`~clawd.risk.approval_request.message`, 64 bytes.
        why: words that are signed with it.
    """

    decision: Decision
    signer: str
    signature: bytes
    why: str = ""


class State(StrEnum):
    """Where a request stands. Only a granted order may be sent, once."""

    GRANTED = "granted"
    WAITING = "waiting"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DRIFTED = "drifted"
    UNPRICED = "unpriced"
    CHANGED = "changed"
    USED = "used"
    DAMAGED = "damaged"

    @property
    def final(self) -> bool:
        """Whether it can never be granted again."""
        return self in (State.REJECTED, State.EXPIRED, State.USED)


@dataclass(frozen=True, slots=True)
class Standing:
    """The judgement of a request.

    Attributes:
        state: granted, or what stands in the way.
        why: the state in words, with its numbers.
        approved, rejected: names of those whose signatures count.
        needed: how many must approve.
        drift: by what share of the reference the price has moved, signed; None where no price is known.
        faults: signatures that count for nothing, in words.
    """

    state: State
    why: str
    approved: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    needed: int = 0
    drift: Decimal | None = None
    faults: tuple[str, ...] = ()


def judge_approval(
    request: ApprovalRequest,
    signatures: Iterable[Signature],
    policy: ApprovalPolicy,
    now: int,
    mark: Mark | None,
    *,
    used: bool = False,
) -> Standing:
    """What the signatures of a request are worth now. What stands in the way is looked for in the order of the code.

    Args:
        request: what was asked for; the signatures must be of exactly this.
        signatures: from anywhere; each is verified here.
        policy: in force now. Where it is not the one that the request was made under, nothing is granted.
        now: UTC nanoseconds.
        mark: the price of the instrument, None where it is not known.
        used: whether the approval has been used.
    """
    by_key = {approver.fingerprint: approver for approver in policy.approvers}
    approved: dict[str, str] = {}
    rejected: dict[str, str] = {}
    faults = []
    for given in signatures:
        approver = by_key.get(given.signer) if given.signer in request.approvers else None
        if approver is None:
            faults.append(f"a signature of the key {given.signer[:16]}, which may not decide on this")
        elif not verify(approver.public_key, given.signature, message(request, given.decision, given.why)):
            faults.append(f"a signature in the name of {approver.name} that is not of this request")
        else:
            (approved if given.decision is Decision.APPROVE else rejected)[given.signer] = approver.name

    def standing(state: State, why: str) -> Standing:
        return Standing(
            state,
            why,
            tuple(approved.values()),
            tuple(rejected.values()),
            request.needed,
            drift_of(request, mark),
            tuple(faults),
        )

    if used:
        return standing(State.USED, "its approval has been used")
    if rejected:
        return standing(State.REJECTED, f"{' and '.join(rejected.values())} rejected it")
    if changed := _changes(request, policy):
        return standing(State.CHANGED, f"it was asked for under another policy: {', '.join(changed)}")
    if now < request.requested_at:
        return standing(State.EXPIRED, "the clock stands before the moment at which it was asked for")
    if now >= request.expires_at:
        return standing(State.EXPIRED, "its time has passed")
    if len(approved) < request.needed:
        return standing(State.WAITING, f"{len(approved)} of {request.needed} have approved it")
    if mark is None or not _positive(mark.price):
        return standing(State.UNPRICED, "there is no price to compare with")
    age = now - mark.time
    if age < 0 or age > policy.longest_silence:
        return standing(State.UNPRICED, f"the price is stale: {age // _SECOND} s old")
    if beyond_drift(request, mark):
        moved = f"the price {decimal_text(mark.price)} is more than {_percent(request.drift)} away"
        return standing(State.DRIFTED, f"{moved} from {decimal_text(request.reference)}")
    return standing(State.GRANTED, f"{len(approved)} of {request.needed} have approved it")


def terms_of(request: ApprovalRequest, approvers: Iterable[Approver], longest_silence: int) -> ApprovalPolicy:
    """The policy that a request was made under, with the keys that are trusted now: for whoever only looks."""
    return ApprovalPolicy(
        approvers=tuple(approvers),
        needed=max(request.needed, 1),
        lifetime=max(request.expires_at - request.requested_at, 1),
        drift=request.drift if request.drift >= 0 else Decimal(0),
        longest_silence=longest_silence,
    )


def drift_of(request: ApprovalRequest, mark: Mark | None) -> Decimal | None:
    """By what share of the reference the price has moved, signed, to ten places; None where it is not known."""
    if mark is None or not _positive(mark.price) or not _positive(request.reference):
        return None
    return _rounded(Fraction(mark.price) / Fraction(request.reference) - 1)


def beyond_drift(request: ApprovalRequest, mark: Mark) -> bool:
    """Whether the price has moved by more than the request allows, either way; exact."""
    if not _positive(request.reference):
        return True
    reference = Fraction(request.reference)
    return abs(Fraction(mark.price) - reference) > Fraction(request.drift) * reference


def _changes(request: ApprovalRequest, policy: ApprovalPolicy) -> list[str]:
    """What of the policy is no longer as it was when the request was made."""
    keys = {approver.fingerprint for approver in policy.approvers}
    compared = {
        "approvals needed": request.needed == policy.needed,
        "who may approve": set(request.approvers) == keys,
        "drift": request.drift == policy.drift,
        "lifetime": request.expires_at - request.requested_at == policy.lifetime,
    }
    return [name for name, same in compared.items() if not same]


def _notional(size: Fraction, order: Order, price: Decimal | None) -> Fraction | None:
    if price is None or not _positive(price):
        return None
    own = [each for each in (order.level, order.limit, order.reference) if each is not None]
    if not all(is_figure(each) for each in own):
        return None
    return size * max(Fraction(each) for each in (price, *own))


def _positive(figure: object) -> bool:
    return isinstance(figure, Decimal) and is_figure(figure) and figure > 0


def _rounded(value: Fraction) -> Decimal:
    """For people: ten places."""
    return Decimal(round(value * 10**10)).scaleb(-10)


def _percent(share: Decimal) -> str:
    return f"{_words(Fraction(share) * 100)} %"


def _words(value: Fraction) -> str:
    """To ten places, without zeros that say nothing."""
    text = format(_rounded(value), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
