"""What is signed: every field, in one spelling; and the signatures themselves."""

from __future__ import annotations

import ast
import dataclasses
import json
from dataclasses import dataclass, make_dataclass, replace
from decimal import Decimal, localcontext
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clawd.risk
from clawd.core.errors import ClawdError
from clawd.core.orders import Order, OrderKind, OrderType
from clawd.risk.approval_request import (
    ApprovalRequest,
    Decision,
    decimal_text,
    message,
    order_fields,
    order_text,
    read_request,
    request_id,
    request_text,
)
from clawd.risk.approvals import State, judge_approval
from clawd.risk.ed25519 import fingerprint, is_weak, public_key_of, sign, verify
from risk.signed_orders import AT_REFERENCE, NOW, ORDER, PEOPLE, POLICY, request_of, signed

# RFC 8032, section 7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
        "454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e030"
        "3dca179c138ac17ad9bef1177331a704",
    ),
]
# The points whose order divides 8, in every spelling that is read as one of them (RFC 7748, section 6.1, and Ed25519's
# curve equation): 1, -1, the two of order 4, the four of order 8, and spellings at or above the field's prime.
SMALL = [
    "01" + "00" * 31,
    "ec" + "ff" * 30 + "7f",
    "00" * 32,
    "00" * 31 + "80",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "ed" + "ff" * 30 + "7f",
    "ee" + "ff" * 30 + "7f",
]


# Signatures


@pytest.mark.parametrize(("seed", "public", "text", "signature"), VECTORS, ids=["1", "2", "3", "SHA(abc)"])
def test_vectors_of_rfc_8032(seed: str, public: str, text: str, signature: str) -> None:
    seed_, public_, text_, signature_ = map(bytes.fromhex, (seed, public, text, signature))
    assert public_key_of(seed_) == public_
    assert sign(seed_, text_) == signature_
    assert verify(public_, signature_, text_)
    for place in range(0, 512, 31):
        broken = bytearray(signature_)
        broken[place // 8] ^= 1 << place % 8
        assert not verify(public_, bytes(broken), text_)
    assert not verify(public_, signature_, text_ + b"\0")


def test_a_signature_has_one_form() -> None:
    """S + L verifies too where S is not checked against the group's order (RFC 8032, section 5.1.7)."""
    order = 2**252 + 27742317777372353535851937790883648493
    _, public, text, signature = (bytes.fromhex(part) for part in VECTORS[1])
    other = int.from_bytes(signature[32:], "little") + order
    assert not verify(public, signature[:32] + other.to_bytes(32, "little"), text)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_keys_and_signatures_of_another_length_verify_nothing(length: int) -> None:
    assert not verify(bytes(length), bytes(64), b"")
    assert not verify(PEOPLE["alice"].public_key, bytes(length - 1 if length == 64 else length), b"")
    if length != 32:
        with pytest.raises(ValueError, match=r"32 bytes"):
            public_key_of(bytes(length))


@pytest.mark.parametrize("point", SMALL)
def test_keys_that_anybody_can_sign_for_are_known(point: str) -> None:
    assert is_weak(bytes.fromhex(point))


def test_keys_that_were_made_of_a_seed_are_not_weak() -> None:
    assert not any(is_weak(person.public_key) for person in PEOPLE.values())


def test_a_fingerprint_is_the_sha_256_of_the_key() -> None:
    key = bytes.fromhex(VECTORS[0][1])
    assert fingerprint(key) == "21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9"


# Spelling


def test_the_order_text_of_an_order() -> None:
    assert json.loads(order_text(ORDER)) == {
        "class": "Order",
        "id": "str a001.BTCUSDT.1700000000.opening",
        "agent": "str a001",
        "symbol": "str BTCUSDT",
        "kind": "OrderKind OPENING",
        "size": "Decimal 1.5",
        "reason": "Reason ENTRY",
        "level": "Decimal 1001",
        "reference": "Decimal 1000",
        "type": "OrderType STOP_LIMIT",
        "limit": "Decimal 1002",
        "trail": "Decimal 3",
        "time_in_force": "TimeInForce GTD",
        "expires": f"int {NOW + 7_200 * 10**9}",
        "post_only": "bool True",
        "group": "str pair",
        "stop_distance": "Decimal 25",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1", "1"), ("1.0", "1"), ("1.500", "1.5"), ("1E+3", "1000"), ("100", "100"), ("-0", "0"), ("0E-900", "0"),
        ("0E+900", "0"), ("1E-8", "0.00000001"), ("-12.30", "-12.3"), ("0.10", "0.1"),
    ],
)  # fmt: skip
def test_a_decimal_has_one_spelling(value: str, text: str) -> None:
    assert decimal_text(Decimal(value)) == text
    with localcontext() as context:
        context.prec = 1
        assert decimal_text(Decimal(value)) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40))
def test_a_spelled_decimal_is_the_same_number(value: Decimal) -> None:
    if value and value.as_tuple().exponent >= -200:
        assert Decimal(decimal_text(value)) == value


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+101", "1E-201", "1E+999999"])
def test_what_is_no_figure_cannot_be_signed(value: str) -> None:
    with pytest.raises(ClawdError, match=r"Order\.size: .* cannot be signed"):
        order_text(replace(ORDER, size=Decimal(value)))


def test_values_of_a_type_that_has_no_spelling_cannot_be_signed() -> None:
    for value in (1.5, b"x", {"a": 1}, {1}, object()):
        with pytest.raises(ClawdError, match=r"Order\.group: a \w+ cannot be signed"):
            order_text(replace(ORDER, group=value))  # type: ignore[arg-type]


class Same(Enum):
    ONE = "1"


@dataclass(frozen=True)
class Nested:
    one: object


SPELLED_APART = [
    None, "None", "null", "", " ", 1, "1", True, "True", Decimal(1), "Decimal 1", Same.ONE, "Same ONE", (1,), ("1",),
    (1, 1), ((1,),), (), Nested(1), Nested("1"), Nested(None), (None,), OrderKind.STOP, OrderType.STOP, "stop",
    "int 1", '"', '","size":"Decimal 9', "a\nb", "a\\nb",
]  # fmt: skip


def test_no_two_values_are_spelled_alike() -> None:
    texts = [order_text(replace(ORDER, group=value)) for value in SPELLED_APART]  # type: ignore[arg-type]
    assert len(set(texts)) == len(SPELLED_APART)


figures = st.decimals("-1000000", "1000000", places=8, allow_nan=False)
DRAWN = {Decimal: figures, Decimal | None: st.none() | figures, str: st.text(max_size=12)}
#: Every field that orders have, also those that they get later.
FIELDS = {name: DRAWN.get(hint, st.from_type(hint)) for name, hint in get_type_hints(Order).items()}
orders = st.builds(Order, **FIELDS)


@given(orders, orders)
def test_two_orders_have_the_same_text_only_when_they_are_equal(one: Order, other: Order) -> None:
    assert (order_text(one) == order_text(other)) == (one == other)
    assert order_text(one) == order_text(replace(one, size=Decimal(format(one.size, "f") + "0000")))


@given(orders)
def test_what_people_read_of_an_order_is_ascii_without_control_characters(order: Order) -> None:
    fields = order_fields(order_text(order))
    assert set(fields) == {field.name for field in dataclasses.fields(Order)}
    for value in fields.values():
        assert value is None or all(" " <= letter <= "~" for letter in value)


# Nothing changes after a signature


def granted(request: ApprovalRequest, by: ApprovalRequest) -> bool:
    """Whether signatures of one request grant another."""
    signatures = [signed("alice", by), signed("bob", by)]
    return judge_approval(request, signatures, POLICY, NOW, AT_REFERENCE).state is State.GRANTED


def another(value: Any) -> Any:
    """A value of the same type that differs, as little as can be."""
    match value:
        case bool():
            return not value
        case Enum():
            return next(each for each in type(value) if each is not value)
        case int():
            return value + 1
        case str():
            return value + " "
        case Decimal():
            return value + Decimal("1e-20")
        case tuple():
            return value[:-1]
    raise AssertionError(value)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Order)])
def test_no_field_of_the_order_changes_after_a_signature(name: str) -> None:
    value = getattr(ORDER, name)
    assert value is not None, "give ORDER a value here"
    for other in (another(value), None):
        assert not granted(request_of(order=order_text(replace(ORDER, **{name: other}))), request_of())
    assert granted(request_of(), request_of())


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(ApprovalRequest)])
def test_no_field_of_the_request_changes_after_a_signature(name: str) -> None:
    request = request_of()
    changed = order_text(replace(ORDER, size=Decimal(2))) if name == "order" else another(getattr(request, name))
    other = replace(request, **{name: changed})
    for decision in Decision:
        assert message(other, decision) != message(request, decision)
    standing = judge_approval(other, [signed("alice", request), signed("bob", request)], POLICY, NOW, AT_REFERENCE)
    assert standing.state is not State.GRANTED
    assert standing.approved == ()


def test_a_field_that_orders_get_later_is_signed_as_well() -> None:
    wider = make_dataclass("Order", [("hidden", bool, False)], bases=(Order,), frozen=True)
    plain = wider(**{field.name: getattr(ORDER, field.name) for field in dataclasses.fields(Order)})
    hidden = replace(plain, hidden=True)
    texts = {order_text(each) for each in (ORDER, plain, hidden)}
    assert len(texts) == 3
    assert not granted(request_of(order=order_text(hidden)), request_of(order=order_text(plain)))


@given(orders, orders)
def test_signatures_of_one_order_grant_no_other(one: Order, other: Order) -> None:
    assert granted(request_of(order=order_text(other)), request_of(order=order_text(one))) == (one == other)


@given(orders, st.sampled_from(sorted(FIELDS)), st.data())
def test_signatures_of_an_order_do_not_outlive_a_field_of_it(order: Order, name: str, data: st.DataObject) -> None:
    other = replace(order, **{name: data.draw(FIELDS[name])})
    assert granted(request_of(order=order_text(other)), request_of(order=order_text(order))) == (order == other)


def test_signatures_are_worth_nothing_for_the_same_order_asked_for_again() -> None:
    first, second = request_of(), request_of(nonce="01" * 16)
    assert (first.id, first.order) == (second.id, second.order)
    assert granted(first, first)
    assert not granted(second, first)


def test_the_signed_text_is_what_it_is() -> None:
    """The bytes of version 1; another spelling is another version."""
    request = ApprovalRequest(
        id="r1", nonce="n1", account="main", venue="paper", order='{"class":"Order","size":"Decimal 1.5"}',
        reasons=("why",), requested_at=1, expires_at=2, reference=Decimal("100.0"), drift=Decimal("0.010"), needed=2,
        approvers=("aa", "bb"),
    )  # fmt: skip
    assert message(request, Decision.APPROVE).decode() == (
        'clawd approval v1\n{\n "request": {\n  "account": "main",\n  "approvers": [\n   "aa",\n   "bb"\n  ],\n'
        '  "drift": "0.01",\n  "expires_at": 2,\n  "id": "r1",\n  "needed": 2,\n  "nonce": "n1",\n  "order": {\n'
        '   "class": "Order",\n   "size": "Decimal 1.5"\n  },\n  "reasons": [\n   "why"\n  ],\n'
        '  "reference": "100",\n  "requested_at": 1,\n  "venue": "paper"\n },\n "why": ""\n}\n'
    )
    assert message(request, Decision.REJECT, "é\n").startswith(b"clawd rejection v1\n")
    assert b'"why": "\\u00e9\\n"' in message(request, Decision.REJECT, "é\n")


def test_the_id_of_a_request_is_of_the_account_the_venue_and_the_order() -> None:
    assert request_id("main", "paper", "a") == request_id("main", "paper", "a")
    ids = {request_id(*parts) for parts in (("m", "p", "a"), ("mp", "", "a"), ("m", "pa", ""), ("m", "p", "b"))}
    assert len(ids) == 4


# What is read back


@given(orders, st.text(max_size=5), st.lists(st.text(max_size=5), max_size=3))
def test_a_request_is_read_as_it_was_kept(order: Order, account: str, reasons: list[str]) -> None:
    request = request_of(order=order_text(order), account=account, reasons=tuple(reasons))
    assert read_request(request_text(request)) == request


def _with(**changes: Any) -> str:
    return json.dumps(json.loads(request_text(request_of())) | changes, sort_keys=True, separators=(",", ":"))


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "{}", '"x"', "{", "[" * 100_000, "9" * 5000,
        _with(needed="2"), _with(needed=2.0), _with(needed=True), _with(needed=None),
        _with(requested_at="1"), _with(expires_at=2**63), _with(requested_at=-1),
        _with(reference="1000.0"), _with(reference="NaN"), _with(reference=1000), _with(drift="1e-2"),
        _with(drift="-0"), _with(reasons="why"), _with(reasons=[1]), _with(approvers={}), _with(approvers=[None]),
        _with(order="x"), _with(order=[]), _with(order=None), _with(more=1), _with(id=1), _with(nonce=None),
        request_text(request_of()) + " ", request_text(request_of())[:-1], " " + request_text(request_of()),
        request_text(request_of()).replace('"needed":2', '"needed":2,"needed":2'),
    ],
    ids=str.__len__,
)  # fmt: skip
def test_a_damaged_request_is_refused(text: str) -> None:
    with pytest.raises(ClawdError, match="damaged"):
        read_request(text)


# Purity


def test_the_judges_can_see_nothing_but_what_they_are_shown() -> None:
    """No clock, no file, no environment, no chance."""
    allowed = {
        "__future__",
        "collections.abc",
        "dataclasses",
        "decimal",
        "enum",
        "fractions",
        "hashlib",
        "json",
        "typing",
    }
    for name in ("approvals", "approval_request", "ed25519"):
        tree = ast.parse((Path(clawd.risk.__file__).parent / f"{name}.py").read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                known = module in allowed or module.startswith(("clawd.core.", "clawd.risk.", "cryptography."))
                assert known, f"{name} imports {module}"
