"""What is signed: the exact order, and the terms under which it may be approved, as one text that has one spelling."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any, Final

from clawd.core.errors import ClawdError
from clawd.core.orders import Order

# Decimals beyond are no prices or sizes, and would be spelled with as many zeros as their exponent says.
_LARGEST_EXPONENT: Final = 100
_SMALLEST_EXPONENT: Final = -200


class Decision(StrEnum):
    """What a signature says. The word opens the signed text, so one never passes for the other."""

    APPROVE = "approval"
    REJECT = "rejection"


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """An order that waits, and the terms under which it may be approved. All of it is signed.

    Attributes:
        id: from :func:`request_id`.
        nonce: unique to this request, so that a signature can be of no other one, whatever its id.
        account, venue: where the order would go.
        order: from :func:`order_text`.
        reasons: why it waits, in words.
        requested_at: UTC nanoseconds.
        expires_at: the first moment at which approvals no longer count, UTC nanoseconds.
        reference: the price when it was asked for, quote currency.
        drift: the price may move by this share of the reference.
        needed: how many approvals it needs.
        approvers: fingerprints of the keys that may decide, sorted.
    """

    id: str
    nonce: str
    account: str
    venue: str
    order: str
    reasons: tuple[str, ...]
    requested_at: int
    expires_at: int
    reference: Decimal
    drift: Decimal
    needed: int
    approvers: tuple[str, ...]


def request_id(account: str, venue: str, order: str) -> str:
    """The id of the request for an order's id: the same after a restart, so nothing is asked for twice."""
    return hashlib.sha256(json.dumps(["clawd approval request", account, venue, order]).encode()).hexdigest()[:16]


def order_text(order: Order) -> str:
    """Every field of an order in its one spelling: JSON with sorted names, each value with its type.

    Raises:
        ClawdError: for a field that has no such spelling, such as a size that is not a number.
    """
    return json.dumps(_spelled(order, type(order).__name__), sort_keys=True, separators=(",", ":"))


def order_fields(text: str) -> dict[str, str | None]:
    """The fields of an order's text for people, without their types, in ASCII: nothing in them can move a cursor.

    Raises:
        ClawdError: when it is not the text of an order.
    """
    fields = _object(text, "the order")
    return {name: _plain(value) for name, value in fields.items() if name != "class"}


def decimal_text(value: Decimal) -> str:
    """A decimal in its one spelling: no exponent, and no zeros that say nothing.

    Raises:
        ClawdError: when it is not finite, or beyond any price or size.
    """
    if not is_figure(value):
        raise ClawdError(f"{str(value)[:40]} cannot be signed", hint="a finite number is needed")
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def is_figure(value: object) -> bool:
    """Whether it is a finite decimal of a magnitude that can be booked."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    exponent = value.as_tuple().exponent
    in_range = isinstance(exponent, int) and exponent >= _SMALLEST_EXPONENT and value.adjusted() <= _LARGEST_EXPONENT
    return not value or in_range


def request_text(request: ApprovalRequest) -> str:
    """A request as it is kept: JSON with sorted names.

    Raises:
        ClawdError: when its order is not the text of one, or a figure cannot be spelled.
    """
    return json.dumps(_document(request), sort_keys=True, separators=(",", ":"))


def read_request(text: str) -> ApprovalRequest:
    """The request of a text.

    Raises:
        ClawdError: when the text is not that of a request, spelled as :func:`request_text` spells it.
    """
    fields = _object(text, "the request")
    try:
        request = ApprovalRequest(
            **{
                **fields,
                "order": json.dumps(fields["order"], sort_keys=True, separators=(",", ":")),
                "reasons": tuple(fields["reasons"]),
                "reference": Decimal(fields["reference"]),
                "drift": Decimal(fields["drift"]),
                "approvers": tuple(fields["approvers"]),
            }
        )
        same = request_text(request) == text
    except ClawdError as error:
        raise ClawdError(f"the request is damaged: {error}"[:200]) from None
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise ClawdError(f"the request is damaged: {error!r}"[:200]) from None
    if not same or not _well_typed(request):
        raise ClawdError("the request is damaged: it is not spelled as it was kept")
    return request


def message(request: ApprovalRequest, decision: Decision, why: str = "") -> bytes:
    """The bytes that are signed: a line with the decision and the version, then the whole request, to be read as it is.

    Args:
        request: what is decided on.
        decision: approve or reject.
        why: words of who decides.
    """
    document = {"why": why, "request": _document(request)}
    return f"clawd {decision} v1\n{json.dumps(document, sort_keys=True, indent=1)}\n".encode("ascii")


def _document(request: ApprovalRequest) -> dict[str, Any]:
    fields = {field.name: getattr(request, field.name) for field in dataclasses.fields(request)}
    return {
        **fields,
        "order": _object(request.order, "the order"),
        "reasons": list(request.reasons),
        "reference": decimal_text(request.reference),
        "drift": decimal_text(request.drift),
        "approvers": list(request.approvers),
    }


def _well_typed(request: ApprovalRequest) -> bool:
    texts = (request.id, request.nonce, request.account, request.venue, *request.reasons, *request.approvers)
    counts = (request.requested_at, request.expires_at, request.needed)
    return all(isinstance(text, str) for text in texts) and all(
        type(count) is int and 0 <= count < 2**63 for count in counts
    )


def _object(text: str, noun: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClawdError(f"{noun} is damaged: {error}"[:200]) from None
    if not isinstance(value, dict):
        raise ClawdError(f"{noun} is damaged: it is no object")
    return value


def _spelled(value: object, where: str) -> Any:
    """A value with its type, so that no two values of whatever types have the same spelling."""
    kind = type(value).__name__
    if value is None:
        return None
    if isinstance(value, Enum):  # before str and int, which some of ours are as well
        return f"{kind} {value.name}"  # people read it: a reason is a word to them and not its number
    if isinstance(value, bool | int | str):
        return f"{kind} {value}"
    if isinstance(value, Decimal):
        try:
            return f"{kind} {decimal_text(value)}"
        except ClawdError as error:
            raise error.at(where) from None
    if isinstance(value, tuple | list):
        return [_spelled(each, f"{where}[{place}]") for place, each in enumerate(value)]
    if dataclasses.is_dataclass(value):
        # `class` is a keyword: no field can have this name.
        fields = dataclasses.fields(value)
        return {
            "class": kind,
            **{field.name: _spelled(getattr(value, field.name), f"{where}.{field.name}") for field in fields},
        }
    raise ClawdError(
        f"a {kind} cannot be signed", where=where, hint="decimals, words, whole numbers and their like can"
    )


def _plain(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return json.dumps(value.partition(" ")[2])[1:-1]
    return json.dumps(value)
