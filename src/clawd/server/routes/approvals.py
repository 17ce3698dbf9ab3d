"""Orders that wait for people: what is asked, what is signed, and the signing."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from clawd.core.clock import iso
from clawd.core.errors import ClawdError
from clawd.risk.approval_request import Decision, decimal_text, order_fields
from clawd.risk.approvals import Approver, beyond_drift, policy_of
from clawd.server.caller import AsCaller, Scope, needs
from clawd.server.live.currency import currency_of
from clawd.server.milliseconds import milliseconds
from clawd.server.problem import MissingError
from clawd.server.recording import record
from clawd.server.routes.standing import Notional
from clawd.server.signing import digest_of, objection_to
from clawd.server.site import AtSite, Site
from clawd.store import keys
from clawd.store.approval_queue import LONGEST_WHY, Seen, notional_of, queue, seen
from clawd.store.approvals import ApprovalFile, approvals_path

router = APIRouter(tags=["approvals"])

_DECISIONS = {"approve": Decision.APPROVE, "reject": Decision.REJECT}

Id = Annotated[str, Path(pattern="^[0-9a-f]{16}$", description="of the request")]
State = Literal["waiting", "approved", "rejected", "expired", "changed", "used", "damaged"]


class OrderField(BaseModel):
    """A field of an order, as it is signed."""

    name: str
    value: str


class Signer(BaseModel):
    """A key that may decide on a request."""

    name: str | None = Field(description="null where the key is trusted no more")
    fingerprint: str
    decided: Literal["approved", "rejected"] | None
    why: str = Field(description="the words that were signed with the decision")


class Approval(BaseModel):
    """An order that waits, or did. Times are milliseconds since 1970."""

    id: str
    state: State
    text: str = Field(description="where it stands, in words")
    account: str
    venue: str
    agent: str | None
    symbol: str | None
    side: Literal["buy", "sell"]
    size: str | None
    order: list[OrderField] = Field(description="every field of the order that is set; all of them are signed")
    notional: Notional
    reasons: list[str] = Field(description="the limits that it is above, with the numbers")
    needed: int = Field(description="how many must approve")
    approved: int = Field(description="how many have")
    signers: list[Signer] = Field(description="who may decide, and who has")
    faults: list[str] = Field(description="signatures that count for nothing, and why")
    requested_at: float
    expires_at: float
    reference: str = Field(description="the price when it was asked for")
    allowed_drift: str = Field(description="share by which the price may move, either way")
    price: str | None = Field(description="the last that the trading process has noted")
    price_at: float | None
    drift: str | None = Field(description="share by which it has moved, signed")
    drifted: bool = Field(description="by more than it may")
    may_approve: bool
    objection: str | None = Field(description="why it cannot be approved")


class DamagedApproval(BaseModel):
    """What cannot be read."""

    id: str
    why: str


class Approvals(BaseModel):
    """What waits, and what was decided."""

    waiting: list[Approval] = Field(description="the first to expire first")
    history: list[Approval] = Field(description="the newest first")
    damaged: list[DamagedApproval]
    in_force: bool = Field(description="whether any limit is set above which orders wait")
    warning: str | None = Field(description="that what waits can never be approved, and why")


class SignedText(BaseModel):
    """Exactly what would be signed."""

    text: str
    digest: str = Field(description="of the text; to be sent with the decision, so that nothing else is signed")
    key: str
    fingerprint: str


class DecisionWish(BaseModel):
    """A decision, and what unlocks the key that signs it. The passphrase is used and forgotten."""

    model_config = ConfigDict(extra="forbid")

    decision: Literal["approve", "reject"]
    key: str = Field(min_length=1, max_length=64, description="name of a key of this home")
    passphrase: SecretStr = Field(max_length=1_024)
    why: str = Field("", max_length=LONGEST_WHY, description="signed with it; a rejection needs some")
    digest: str = Field(pattern="^[0-9a-f]{64}$", description="of the text that was shown")


class ApproverKey(BaseModel):
    """A key of this home, or one that may approve."""

    name: str
    fingerprint: str
    trusted: bool = Field(description="whether it may approve")
    private_key_here: bool = Field(description="whether it can sign here")


@router.get("/approvals", dependencies=[needs(Scope.READ)])
def list_approvals(site: AtSite, last: Annotated[int, Query(ge=0, le=200)] = 50) -> Approvals:
    """The orders that wait for people, and the last that no longer do."""
    found, trusted = queue(site.home, site.clock.now()), keys.trusted(site.home)
    over = found.over[:last]
    words = _words(site, [*found.pending[:200], *over])
    warning = None
    try:
        in_force = policy_of(site.settings, trusted, 1).in_force
    except ClawdError as error:
        in_force, warning = True, str(error)
    return Approvals(
        waiting=[_approval(each, trusted, words.get(each.request.id, {})) for each in found.pending[:200]],
        history=[_approval(each, trusted, words.get(each.request.id, {})) for each in over],
        damaged=[DamagedApproval(id=name[:40], why=why) for name, why in found.damaged[:50]],
        in_force=in_force,
        warning=warning,
    )


@router.get("/approvals/{id}", dependencies=[needs(Scope.READ)])
def read_approval(site: AtSite, id: Id) -> Approval:
    """One order that waits, or did."""
    return _read(site, id)


@router.get("/approvals/{id}/text", dependencies=[needs(Scope.READ)])
def read_signed_text(
    site: AtSite,
    id: Id,
    decision: Literal["approve", "reject"],
    key: Annotated[str, Query(min_length=1, max_length=64)],
    why: Annotated[str, Query(max_length=LONGEST_WHY)] = "",
) -> SignedText:
    """Exactly what would be signed, to be read before the passphrase is given."""
    _existing(site, id)
    ready = site.signers.ready(id, key, _DECISIONS[decision], why, site.clock.now())
    return SignedText(
        text=ready.text.decode("ascii"),
        digest=digest_of(ready.text),
        key=ready.signer.name,
        fingerprint=ready.signer.fingerprint,
    )


@router.post("/approvals/{id}/decision", dependencies=[needs(Scope.DECIDE)])
def decide_approval(site: AtSite, caller: AsCaller, id: Id, wish: DecisionWish) -> Approval:
    """Sign a decision on an order with a key of this home. The trading process judges it, and sends the order once."""
    _existing(site, id)
    decision, passphrase = _DECISIONS[wish.decision], wish.passphrase.get_secret_value()
    ready, after = site.signers.sign(id, wish.key, decision, wish.why, wish.digest, passphrase, site.clock)
    order = order_fields(after.request.order)
    record(
        site,
        caller,
        "ApprovalSigned" if decision is Decision.APPROVE else "RejectionSigned",
        {
            "request": id,
            "order_id": order.get("id"),
            "account": after.request.account,
            "agent": order.get("agent"),
            "symbol": order.get("symbol"),
            "size": order.get("size"),
            "key": ready.signer.name,
            "fingerprint": ready.signer.fingerprint,
            "why": wish.why,
            "approved": len(after.standing.approved),
            "needed": after.request.needed,
        },
    )
    site.announce("approvals")
    return _read(site, id)


@router.get("/approvers", dependencies=[needs(Scope.READ)])
def list_approver_keys(site: AtSite) -> list[ApproverKey]:
    """The keys of this home, and those that may approve."""
    own = [keys.public_part_of(keys.find_key(site.home, name)) for name in keys.key_names(site.home)]
    trusted = keys.trusted(site.home)
    return [
        ApproverKey(
            name=each.name,
            fingerprint=each.fingerprint,
            trusted=each in trusted,
            private_key_here=each in own,
        )
        for each in dict.fromkeys((*own, *trusted))
    ]


def _existing(site: Site, id: str) -> None:
    path = approvals_path(site.home)
    if path.exists():
        with ApprovalFile.open(path) as file:
            if file.has(id):
                return
    raise MissingError(f"there is no request {id}", where="id")


def _read(site: Site, id: str) -> Approval:
    _existing(site, id)
    trusted = keys.trusted(site.home)
    with ApprovalFile.open(approvals_path(site.home)) as file:
        found = seen(file, id, trusted, site.clock.now())
    return _approval(found, trusted, _words(site, [found]).get(id, {}))


def _words(site: Site, found: list[Seen]) -> dict[str, dict[str, str]]:
    """What was signed with each decision: by request, by fingerprint."""
    words: dict[str, dict[str, str]] = {}
    if found:
        with ApprovalFile.open(approvals_path(site.home)) as file:
            for each in found:
                signatures = file.signatures(each.request.id)
                words[each.request.id] = {signature.signer: signature.why for signature in signatures}
    return words


def _approval(found: Seen, trusted: tuple[Approver, ...], words: dict[str, str]) -> Approval:
    request, standing, mark = found
    order = order_fields(request.order)
    size, symbol = order.get("size"), order.get("symbol")
    notional, objection = notional_of(request), objection_to(found)
    names = {approver.fingerprint: approver.name for approver in trusted}
    signers = []
    for fingerprint in request.approvers:
        name = names.get(fingerprint)
        decided: Literal["approved", "rejected"] | None = (
            "rejected" if name in standing.rejected else "approved" if name in standing.approved else None
        )
        why = words.get(fingerprint, "") if decided else ""
        signers.append(Signer(name=name, fingerprint=fingerprint, decided=decided, why=why))
    return Approval(
        id=request.id,
        state=found.state,
        text=standing.why,
        account=request.account,
        venue=request.venue,
        agent=order.get("agent"),
        symbol=symbol,
        side="sell" if (size or "").startswith("-") else "buy",
        size=size if size is None else size.removeprefix("-"),
        order=[OrderField(name=name, value=_word(name, value)) for name, value in order.items() if value is not None],
        notional=Notional(
            amount=None if notional is None else decimal_text(notional), currency=currency_of((symbol or "",))
        ),
        reasons=list(request.reasons),
        needed=request.needed,
        approved=len(standing.approved),
        signers=signers,
        faults=list(standing.faults),
        requested_at=milliseconds(request.requested_at),
        expires_at=milliseconds(request.expires_at),
        reference=decimal_text(request.reference),
        allowed_drift=decimal_text(request.drift),
        price=None if mark is None else decimal_text(mark.price),
        price_at=None if mark is None else milliseconds(mark.time),
        drift=None if standing.drift is None else decimal_text(standing.drift),
        drifted=mark is not None and beyond_drift(request, mark),
        may_approve=objection is None,
        objection=objection,
    )


def _word(name: str, value: str) -> str:
    """A field of an order for people: a time as a time."""
    return iso(int(value)) if name == "expires" and value.isdigit() and len(value) <= 19 else value
