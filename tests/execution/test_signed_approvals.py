"""A large order of a dealer waits for real signatures, through a restart, and is sent once, as it was signed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from dealer_worlds import D, World

from clawd.core.orders import Order
from clawd.execution.signed_approvals import SignedApprovals
from clawd.execution.view import View
from clawd.risk.approval_request import Decision
from clawd.risk.approvals import ApprovalPolicy
from clawd.store.approval_desk import ApprovalDesk
from clawd.store.approvals import ApprovalFile
from clawd.venues.venue import Submit
from risk.signed_orders import POLICY, signed


class Office:
    """A dealer, a desk, and people with keys."""

    def __init__(self, file: ApprovalFile) -> None:
        self.file = file
        self.policy = replace(POLICY, notional=D(250), equity_share=None, volume_share=None)
        self.desk = ApprovalDesk(file, self._policy, "main", "model")
        self.world = World(approvals=self._approvals).ready()

    def _policy(self) -> ApprovalPolicy:
        return self.policy

    def _approvals(self, view: View) -> SignedApprovals:
        return SignedApprovals(self.desk, view)

    def sign(self, *names: str, decision: Decision = Decision.APPROVE) -> None:
        (request,) = self.file.ids()
        for name in names:
            signature = signed(name, self.file.request(request), decision)
            self.file.add_signature(request, signature, self.world.clock.now())

    def propose(self) -> Order:
        order = self.world.order(size=D(3))
        assert self.world.dealer.propose(order).outcome == "allow"
        self.world.wait()
        return order

    def sent(self) -> list[Order]:
        return [each.approved.order for each in self.world.wire.sent if isinstance(each, Submit)]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ApprovalFile.open(tmp_path / "approvals.sqlite") as file:
        yield Office(file)


def test_two_of_three_sign_and_it_is_sent_once_as_it_was_signed(office: Office) -> None:
    order = office.propose()
    office.sign("alice")
    office.world.wait(2)
    office.world.crash()
    office.world.ready_again()
    assert office.sent() == []
    office.sign("bob")
    office.world.wait(2)
    assert office.sent() == [order]
    office.world.through()
    office.world.crash()
    office.world.ready_again()
    assert office.sent() == [order]


def test_a_small_order_waits_for_nobody(office: Office) -> None:
    small = office.world.order(size=D(2))
    office.world.dealer.propose(small)
    assert office.sent() == [small]
    assert office.file.ids() == ()


def test_a_rejection_ends_it(office: Office) -> None:
    office.propose()
    office.sign("alice", "bob")
    office.sign("carol", decision=Decision.REJECT)
    office.world.wait(2)
    assert office.sent() == []
    assert not office.world.account.held


@pytest.mark.parametrize("before", [True, False])
def test_an_order_that_was_signed_is_not_sent_once_its_agent_is_paused(office: Office, before: bool) -> None:
    office.propose()
    if before:
        office.sign("alice", "bob")
    office.world.dealer.pause("a", "me", "news", 1)
    if not before:
        office.sign("alice", "bob")
    office.world.wait(2)
    office.world.crash()
    office.world.ready_again()
    office.world.dealer.unpause("a", "me", "", 2)
    office.world.wait(2)
    assert office.sent() == []
    (request,) = office.file.ids()
    assert not office.file.used(request)


def test_a_price_that_has_run_away_keeps_it_waiting_until_its_time_is_over(office: Office) -> None:
    office.propose()
    office.world.price("BTC", D(119))
    office.sign("alice", "bob")
    office.world.wait(2)
    assert office.sent() == []
    assert office.world.account.held
    office.world.wait(POLICY.lifetime / 1e9)
    assert office.sent() == []
    assert not office.world.account.held


def test_other_keys_than_it_was_asked_under_let_nothing_through(office: Office) -> None:
    office.propose()
    office.sign("alice", "bob")
    office.policy = replace(office.policy, needed=3)
    office.world.wait(2)
    assert office.sent() == []


def test_an_approval_that_was_used_before_a_crash_is_not_used_again(office: Office) -> None:
    order = office.propose()
    office.sign("alice", "bob")
    (request,) = office.file.ids()
    mark = office.world.dealer.waiting._approvals._mark("BTC")  # type: ignore[union-attr]
    office.desk.use(request, order, office.world.clock.now(), mark)  # and the process dies before it sends
    office.world.crash()
    office.world.ready_again()
    assert office.sent() == []
    assert not office.world.account.held
