"""Orders that wait, people who sign them, and what they sign."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from decimal import Decimal
from typing import Any

from clawd.core.orders import Order, OrderKind, OrderType, TimeInForce
from clawd.core.reason import Reason
from clawd.risk.approval_request import ApprovalRequest, Decision, message, order_text, request_id
from clawd.risk.approvals import ApprovalPolicy, Approver, Mark, Signature
from clawd.risk.ed25519 import public_key_of, sign

SECOND = 10**9
NOW = 1_700_000_000 * SECOND
HOUR = 3_600 * SECOND

SEEDS = {name: hashlib.sha256(name.encode()).digest() for name in ("alice", "bob", "carol", "mallory")}
PEOPLE = {name: Approver(name, public_key_of(seed)) for name, seed in SEEDS.items()}
APPROVERS = (PEOPLE["alice"], PEOPLE["bob"], PEOPLE["carol"])

POLICY = ApprovalPolicy(
    approvers=APPROVERS,
    needed=2,
    lifetime=HOUR,
    drift=Decimal("0.01"),
    longest_silence=60 * SECOND,
    notional=Decimal(1000),
)
ORDER = Order(
    id="a001.BTCUSDT.1700000000.opening",
    agent="a001",
    symbol="BTCUSDT",
    kind=OrderKind.OPENING,
    size=Decimal("1.5"),
    reason=Reason.ENTRY,
    level=Decimal("1001"),
    reference=Decimal("1000"),
    type=OrderType.STOP_LIMIT,
    limit=Decimal("1002"),
    trail=Decimal("3"),
    time_in_force=TimeInForce.GTD,
    expires=NOW + 2 * HOUR,
    post_only=True,
    group="pair",
    stop_distance=Decimal("25"),
)
AT_REFERENCE = Mark(Decimal(1000), NOW)


def request_of(**changes: Any) -> ApprovalRequest:
    """The request for ORDER under POLICY, but for what is changed."""
    made = ApprovalRequest(
        id=request_id("main", "paper", ORDER.id),
        nonce="00" * 16,
        account="main",
        venue="paper",
        order=order_text(ORDER),
        reasons=("its notional 1500 is above 1000",),
        requested_at=NOW,
        expires_at=NOW + HOUR,
        reference=Decimal(1000),
        drift=Decimal("0.01"),
        needed=2,
        approvers=tuple(sorted(approver.fingerprint for approver in APPROVERS)),
    )
    return replace(made, **changes)


def signed(
    name: str, request: ApprovalRequest, decision: Decision = Decision.APPROVE, why: str = "", *, by: str | None = None
) -> Signature:
    """A signature in a person's name, made with their seed or with somebody else's."""
    signature = sign(SEEDS[by or name], message(request, decision, why))
    return Signature(decision, PEOPLE[name].fingerprint, signature, why)
