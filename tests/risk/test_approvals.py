"""Which orders wait, and what signatures are worth."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from clawd.core.errors import ClawdError
from clawd.core.orders import OrderKind
from clawd.core.settings import Settings
from clawd.risk.approval_request import Decision
from clawd.risk.approvals import ApprovalPolicy, Approver, Mark, State, judge_approval, needs_approval, policy_of
from risk.signed_orders import AT_REFERENCE, HOUR, NOW, ORDER, PEOPLE, POLICY, SECOND, request_of, signed

NONE = replace(POLICY, notional=None)
PLAIN = replace(ORDER, level=None, limit=None, reference=None)


def why(order: Any = PLAIN, price: Any = 1000, equity: Any = 10_000, volume: Any = 100, **limits: str) -> list[str]:
    policy = replace(NONE, **{name: Decimal(limit) for name, limit in limits.items()})
    known = [None if figure is None else Decimal(figure) for figure in (price, equity, volume)]
    return list(needs_approval(order, *known, policy))


# Which orders wait


def test_without_a_limit_nothing_waits() -> None:
    assert why(price=None, equity=None, volume=None) == []


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"notional": "1500"}, []),
        ({"notional": "1499.9999999"}, ["its notional 1500 is above 1499.9999999"]),
        ({"equity_share": "0.15"}, []),
        ({"equity_share": "0.1499"}, ["its notional 1500 is above 14.99 % of the equity of 10000"]),
        ({"volume_share": "0.015"}, []),
        ({"volume_share": "0.0149"}, ["its size 1.5 is above 1.49 % of a day's volume of 100"]),
    ],
)
def test_an_order_waits_above_a_limit_and_not_at_it(limits: dict[str, str], expected: list[str]) -> None:
    assert why(**limits) == expected
    assert why(replace(PLAIN, size=-PLAIN.size), **limits) == expected


def test_all_reasons_are_told() -> None:
    assert len(why(notional="1", equity_share="0.001", volume_share="0.001")) == 3


@pytest.mark.parametrize("unknown", [None, "NaN", "Infinity", "0", "-5", "1e400"])
def test_what_is_not_known_makes_an_order_wait(unknown: str | None) -> None:
    assert why(price=unknown, notional="1000000")
    assert why(price=unknown, equity_share="1")
    assert why(equity=unknown, equity_share="1")
    assert why(volume=unknown, volume_share="1")
    assert why(price=unknown, equity=unknown, volume="100", volume_share="0.5") == []


@pytest.mark.parametrize("size", ["NaN", "Infinity", "sNaN"])
def test_a_size_that_is_none_makes_an_order_wait(size: str) -> None:
    assert why(replace(PLAIN, size=Decimal(size)), notional="1000000")


@pytest.mark.parametrize("kind", [OrderKind.CLOSING, OrderKind.STOP, OrderKind.TAKE])
@pytest.mark.parametrize("figure", [None, 1000])
def test_what_makes_a_position_smaller_never_waits(kind: OrderKind, figure: int | None) -> None:
    order = replace(PLAIN, kind=kind)
    assert why(order, figure, figure, figure, notional="0.01", equity_share="0.0001", volume_share="0.0001") == []


@pytest.mark.parametrize("name", ["level", "limit", "reference"])
def test_the_notional_is_taken_at_the_highest_price_that_the_order_names(name: str) -> None:
    assert why(replace(PLAIN, **{name: Decimal(1001)}), notional="1500") == ["its notional 1501.5 is above 1500"]
    assert why(replace(PLAIN, **{name: Decimal(1)}), notional="1499") == ["its notional 1500 is above 1499"]
    assert why(replace(PLAIN, **{name: Decimal("NaN")}), notional="1500")


amounts = st.decimals("0.000001", "1000000", allow_nan=False, allow_infinity=False, places=6)


@given(amounts, amounts, amounts, amounts)
def test_a_larger_order_never_waits_less(size: Decimal, more: Decimal, price: Decimal, limit: Decimal) -> None:
    small, large = replace(PLAIN, size=size), replace(PLAIN, size=size + more)
    assert len(why(small, price, notional=str(limit))) <= len(why(large, price, notional=str(limit)))
    assert bool(why(small, price, notional=str(limit))) == (int(size * 10**6) * int(price * 10**6) > limit * 10**12)


def test_a_size_of_more_digits_than_the_context_has_is_compared_exactly() -> None:
    size = Decimal("1.5" + "0" * 80 + "1")
    assert why(replace(PLAIN, size=size), notional="1500")
    assert why(replace(PLAIN, size=size.copy_negate()), volume_share="0.015")


# What signatures are worth


def judged(*signatures: Any, request: Any = None, policy: ApprovalPolicy = POLICY, now: int = NOW, **rest: Any) -> Any:
    mark = rest.pop("mark", Mark(Decimal(1000), now))
    return judge_approval(request or request_of(), signatures, policy, now, mark, **rest)


ALICE, BOB = signed("alice", request_of()), signed("bob", request_of())


def test_m_of_n_different_keys_grant_it() -> None:
    assert judged().state is State.WAITING
    one = judged(ALICE)
    assert (one.state, one.approved, one.why) == (State.WAITING, ("alice",), "1 of 2 have approved it")
    two = judged(ALICE, BOB)
    assert (two.state, two.approved, two.needed, two.faults) == (State.GRANTED, ("alice", "bob"), 2, ())
    assert judged(BOB, ALICE, signed("carol", request_of())).state is State.GRANTED


def test_the_same_key_counts_once() -> None:
    again = signed("alice", request_of(), why="I am sure")
    assert judged(ALICE, ALICE, again, ALICE).state is State.WAITING
    assert judged(ALICE, again, BOB).approved == ("alice", "bob")


def test_a_key_that_may_not_decide_counts_for_nothing_and_is_named() -> None:
    standing = judged(ALICE, signed("mallory", request_of()))
    assert standing.state is State.WAITING
    assert standing.faults == (
        f"a signature of the key {PEOPLE['mallory'].fingerprint[:16]}, which may not decide on this",
    )
    assert judged(signed("mallory", request_of(), Decision.REJECT)).state is State.WAITING


def test_a_key_that_was_trusted_later_cannot_decide_on_what_was_asked_before() -> None:
    policy = replace(POLICY, approvers=(*POLICY.approvers, PEOPLE["mallory"]))
    standing = judged(ALICE, signed("mallory", request_of()), policy=policy)
    assert standing.approved == ("alice",)
    assert standing.state is State.CHANGED


def test_a_signature_made_with_another_key_is_named() -> None:
    standing = judged(ALICE, signed("bob", request_of(), by="mallory"))
    assert standing.state is State.WAITING
    assert standing.faults == ("a signature in the name of bob that is not of this request",)


def test_a_broken_signature_counts_for_nothing() -> None:
    for broken in (b"", bytes(64), BOB.signature[:-1], BOB.signature + b"\0", BOB.signature[::-1]):
        assert judged(ALICE, replace(BOB, signature=broken)).state is State.WAITING


def test_one_rejection_is_enough_before_and_after_the_approvals() -> None:
    no = signed("carol", request_of(), Decision.REJECT, "too large")
    for signatures in ((no,), (ALICE, no), (no, ALICE, BOB), (ALICE, BOB, no)):
        standing = judged(*signatures)
        assert (standing.state, standing.rejected) == (State.REJECTED, ("carol",))
    assert judged(ALICE, BOB, signed("alice", request_of(), Decision.REJECT, "no, wait")).state is State.REJECTED


def test_an_approval_never_passes_for_a_rejection_nor_the_other_way_round() -> None:
    assert judged(BOB, replace(ALICE, decision=Decision.REJECT)).state is State.WAITING
    no = signed("carol", request_of(), Decision.REJECT, "no")
    assert judged(BOB, replace(no, decision=Decision.APPROVE)).state is State.WAITING


def test_the_words_of_a_rejection_are_signed() -> None:
    no = signed("carol", request_of(), Decision.REJECT, "too large")
    assert judged(replace(no, why="too small")).state is State.WAITING


def test_it_expires_to_the_nanosecond() -> None:
    end = request_of().expires_at
    assert judged(ALICE, BOB, now=end - 1).state is State.GRANTED
    assert judged(ALICE, BOB, now=end).state is State.EXPIRED
    assert judged(ALICE, BOB, now=end + 1).state is State.EXPIRED


def test_a_clock_that_stands_before_the_request_grants_nothing() -> None:
    assert judged(ALICE, BOB, now=NOW).state is State.GRANTED
    assert judged(ALICE, BOB, now=NOW - 1).state is State.EXPIRED


@pytest.mark.parametrize(
    ("price", "state"),
    [
        ("1010", State.GRANTED),
        ("990", State.GRANTED),
        ("1010.0000000000000000000000000000000000001", State.DRIFTED),
        ("989.9999999999999999999999999999999999999", State.DRIFTED),
        ("1", State.DRIFTED),
        ("1e90", State.DRIFTED),
    ],
)
def test_the_price_may_move_to_the_edge_of_the_guard_and_not_beyond(price: str, state: State) -> None:
    assert judged(ALICE, BOB, mark=Mark(Decimal(price), NOW)).state is state


@given(amounts, amounts, st.decimals("0", "0.999", places=3))
def test_the_guard_is_exact(reference: Decimal, price: Decimal, drift: Decimal) -> None:
    request = request_of(reference=reference, drift=drift)
    signatures = (signed("alice", request), signed("bob", request))
    granted = judged(*signatures, request=request, policy=replace(POLICY, drift=drift), mark=Mark(price, NOW))
    moved = abs(int(price * 10**6) - int(reference * 10**6)) * 1000
    assert (granted.state is State.GRANTED) == (moved <= int(drift * 1000) * int(reference * 10**6))


@pytest.mark.parametrize("mark", [None, Mark(Decimal("NaN"), NOW), Mark(Decimal(0), NOW), Mark(Decimal(-1000), NOW)])
def test_without_a_price_nothing_is_granted(mark: Mark | None) -> None:
    assert judged(ALICE, BOB, mark=mark).state is State.UNPRICED


def test_a_price_that_is_stale_or_of_the_future_grants_nothing() -> None:
    now = NOW + 100 * SECOND
    assert judged(ALICE, BOB, now=now, mark=Mark(Decimal(1000), now - POLICY.longest_silence)).state is State.GRANTED
    assert judged(ALICE, BOB, now=now, mark=Mark(Decimal(1000), now - POLICY.longest_silence - 1)).state is (
        State.UNPRICED
    )
    assert judged(ALICE, BOB, now=now, mark=Mark(Decimal(1000), now + 1)).state is State.UNPRICED


def test_a_drift_comes_and_goes_and_the_rest_is_final() -> None:
    assert judged(ALICE, BOB, mark=Mark(Decimal(1011), NOW)).drift == Decimal("0.011")
    assert judged(ALICE, BOB, mark=AT_REFERENCE).drift == 0
    assert {state for state in State if state.final} == {State.REJECTED, State.EXPIRED, State.USED}


def test_what_was_used_is_used() -> None:
    assert judged(ALICE, BOB, used=True).state is State.USED
    assert judged(signed("carol", request_of(), Decision.REJECT, "no"), used=True).state is State.USED


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"needed": 1}, "approvals needed"),
        ({"needed": 3}, "approvals needed"),
        ({"approvers": POLICY.approvers[:2]}, "who may approve"),
        ({"approvers": (*POLICY.approvers, PEOPLE["mallory"])}, "who may approve"),
        ({"approvers": (*POLICY.approvers[:2], PEOPLE["mallory"])}, "who may approve"),
        ({"drift": Decimal("0.02")}, "drift"),
        ({"lifetime": 2 * HOUR}, "lifetime"),
    ],
)
def test_another_policy_grants_nothing(changes: dict[str, Any], named: str) -> None:
    standing = judged(ALICE, BOB, policy=replace(POLICY, **changes))
    assert standing.state is State.CHANGED
    assert named in standing.why


def test_a_request_that_asks_for_less_than_the_policy_is_not_granted_though_it_is_signed() -> None:
    """Whoever can write to the file could ask an approver for softer terms."""
    for changes in (
        {"needed": 1},
        {"needed": 0},
        {"drift": Decimal("0.5")},
        {"expires_at": NOW + 100 * HOUR},
        {"approvers": (PEOPLE["alice"].fingerprint,)},
        {"approvers": (*request_of().approvers, PEOPLE["mallory"].fingerprint)},
    ):
        request = request_of(**changes)
        signatures = [signed(name, request) for name in ("alice", "bob", "mallory")]
        assert judged(*signatures, request=request).state is State.CHANGED


people = st.lists(
    st.tuples(
        st.sampled_from(["alice", "bob", "carol", "mallory"]),
        st.sampled_from(["alice", "bob", "carol", "mallory"]),
        st.sampled_from(Decision),
    ),
    max_size=6,
)


@given(people)
def test_it_is_granted_when_two_distinct_approvers_signed_and_none_rejected(said: list[tuple[str, str, str]]) -> None:
    request = request_of()
    standing = judged(*(signed(name, request, decision, by=by) for name, by, decision in said))
    true = {(name, decision) for name, by, decision in said if name == by and name != "mallory"}
    rejected = {name for name, decision in true if decision is Decision.REJECT}
    approved = {name for name, decision in true if decision is Decision.APPROVE}
    expected = State.REJECTED if rejected else State.GRANTED if len(approved) >= 2 else State.WAITING
    assert standing.state is expected
    assert len(standing.faults) == sum(name != by or name == "mallory" for name, by, _ in said)


# Policies


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"approvers": ()}, "no keys are trusted"),
        ({"approvers": POLICY.approvers[:1]}, "need 2 approvals, and 1 key is trusted"),
        ({"needed": 4}, "need 4 approvals, and 3 keys are trusted"),
        ({"needed": 0}, "0 approvals are none"),
        ({"needed": -1}, "-1 approvals are none"),
        ({"approvers": (PEOPLE["alice"], PEOPLE["alice"])}, "the same name or the same key"),
        ({"approvers": (PEOPLE["alice"], Approver("eve", PEOPLE["alice"].public_key))}, "the same key"),
        ({"approvers": (PEOPLE["alice"], Approver("alice", PEOPLE["bob"].public_key))}, "the same name"),
        ({"approvers": (PEOPLE["alice"], Approver("eve", b"short"))}, "not an Ed25519 public key"),
        ({"notional": Decimal(0)}, "a limit above 0"),
        ({"equity_share": Decimal("NaN")}, "a limit above 0"),
        ({"volume_share": Decimal(-1)}, "a limit above 0"),
        ({"drift": Decimal(-1)}, "out of its range"),
        ({"drift": Decimal("Infinity")}, "out of its range"),
        ({"lifetime": 0}, "out of its range"),
        ({"longest_silence": 0}, "out of its range"),
    ],
)
def test_a_policy_under_which_nobody_could_approve_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ClawdError, match=message):
        replace(POLICY, **changes)


def test_the_policy_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not policy_of(Settings(), (), HOUR).in_force
    monkeypatch.setenv("CLAWD_APPROVAL_EQUITY_SHARE", "0.2")
    with pytest.raises(ClawdError, match=r"CLAWD_APPROVALS_NEEDED: .* need 1 approval, and no keys are trusted"):
        policy_of(Settings(), (), HOUR)
    for name, value in {"S_NEEDED": "2", "_LIFETIME": "90", "_DRIFT": "0.005", "_NOTIONAL": "1e3"}.items():
        monkeypatch.setenv(f"CLAWD_APPROVAL{name}", value)
    policy = policy_of(Settings(), POLICY.approvers, HOUR)
    assert (policy.needed, policy.lifetime, policy.drift) == (2, 90 * SECOND, Decimal("0.005"))
    assert (policy.notional, policy.equity_share, policy.volume_share) == (1000, Decimal("0.2"), None)
    assert (policy.approvers, policy.longest_silence) == (POLICY.approvers, HOUR)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APPROVAL_NOTIONAL", "0"),
        ("APPROVAL_NOTIONAL", "-1"),
        ("APPROVAL_NOTIONAL", "nan"),
        ("APPROVAL_NOTIONAL", "lots"),
        ("APPROVAL_NOTIONAL", ""),
        ("APPROVAL_EQUITY_SHARE", "inf"),
        ("APPROVAL_EQUITY_SHARE", "0"),
        ("APPROVAL_VOLUME_SHARE", "1.01"),
        ("APPROVALS_NEEDED", "0"),
        ("APPROVALS_NEEDED", "1.5"),
        ("APPROVALS_NEEDED", "two"),
        ("APPROVAL_LIFETIME", "0"),
        ("APPROVAL_LIFETIME", "1000000000"),
        ("APPROVAL_DRIFT", "-0.1"),
        ("APPROVAL_DRIFT", "1"),
        ("APPROVAL_DRIFT", "nan"),
    ],
)
def test_settings_that_make_no_sense_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"CLAWD_{name}", value)
    with pytest.raises(ValidationError):
        Settings()
