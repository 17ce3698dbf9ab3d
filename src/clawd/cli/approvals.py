"""``clawd approvals``: see which orders wait for signatures, and sign or reject them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, NamedTuple

import typer

from clawd.cli.formats import money
from clawd.cli.keys import grouped, read_passphrase, warn_of_too_few
from clawd.cli.options import JsonOption
from clawd.cli.settings import home, read_settings
from clawd.core.clock import SystemClock, iso
from clawd.core.errors import ClawdError
from clawd.risk.approval_request import ApprovalRequest, Decision, decimal_text, is_figure, message, order_fields
from clawd.risk.approvals import Approver, Mark, Signature, Standing, State, beyond_drift, judge_approval, terms_of
from clawd.risk.ed25519 import sign
from clawd.store import keys
from clawd.store.approvals import ApprovalFile, approvals_path

app = typer.Typer(help="See which orders wait for approvals; approve or reject them.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="of the request, from `clawd approvals list`")]
KeyOption = Annotated[str, typer.Option("--key", metavar="NAME|FILE", help="the key that signs")]

_LONGEST_WHY = 500
#: How long a price that a trading process has noted says anything to a person, nanoseconds.
_FRESH = 900_000_000_000


class Seen(NamedTuple):
    """A request, where it stands under the terms it was made under, and the last price that was noted for it."""

    request: ApprovalRequest
    standing: Standing
    mark: Mark | None


@app.command("list")
def list_requests(
    last: Annotated[int, typer.Option("--last", min=0, help="only so many that no longer wait; 0 for all")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The orders that wait, the first to expire first; then those that no longer do."""
    settings, now = read_settings(), SystemClock().now()
    folder = settings.home
    warn_of_too_few(settings)
    seen, damaged = [], []
    if approvals_path(folder).exists():
        approvers = keys.trusted(folder)
        with ApprovalFile.open(approvals_path(folder)) as file:
            for name in file.ids():
                try:
                    seen.append(_seen(file, name, approvers, now))
                except ClawdError as error:
                    damaged.append((name, str(error)))
    pending = [each for each in seen if not each.standing.state.final]
    pending.sort(key=lambda each: (each.standing.state is not State.WAITING, each.request.expires_at))
    over = [each for each in reversed(seen) if each.standing.state.final]
    shown = [*pending, *(over[:last] if last else over)]
    if as_json:
        broken = [{"id": name, "state": State.DAMAGED.value, "why": why} for name, why in damaged]
        typer.echo(json.dumps([*(_fields(each, now) for each in shown), *broken], indent=2))
        return
    for each in shown:
        typer.echo("\n".join(_lines(each, now)))
    for name, why in damaged:
        typer.echo(f"{_plain(name)}  damaged: {_plain(why)}")
    if not shown and not damaged:
        typer.echo("No order has waited for approvals yet.")


@app.command()
def approve(
    request: IdArgument,
    key: KeyOption,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="words that are signed with it")] = "",
) -> None:
    """Sign an order that waits: exactly this order, at this price, until it expires."""
    _decide(request, key, Decision.APPROVE, why)


@app.command()
def reject(
    request: IdArgument,
    key: KeyOption,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="for whoever asks later; it is signed")],
) -> None:
    """Reject an order that waits, for good, whoever has approved it."""
    _decide(request, key, Decision.REJECT, why)


def _decide(name: str, key: str, decision: Decision, why: str) -> None:
    folder, clock = home(), SystemClock()
    if len(why) > _LONGEST_WHY or (decision is Decision.REJECT and not why.strip()):
        raise ClawdError(f"a reason of 1 to {_LONGEST_WHY} characters is needed", where="--why")
    file_of_key = keys.find_key(folder, key)
    signer = keys.public_part_of(file_of_key)
    path = approvals_path(folder)
    if not path.exists():
        raise ClawdError("no order has waited for approvals yet", where=str(path))
    with ApprovalFile.open(path) as file:
        approvers = keys.trusted(folder)
        seen = _seen(file, name, approvers, clock.now())
        _check(seen, signer, approvers, decision)
        text = message(seen.request, decision, why)
        typer.echo("\n".join(_lines(seen, clock.now())))
        typer.echo(f"\nThis is signed with {signer.name} ({grouped(signer.fingerprint)}):\n\n{text.decode('ascii')}")
        seed = keys.unlock(file_of_key, read_passphrase(signer.name))
        # Time has passed at the prompt, and others may have decided.
        seen = _seen(file, name, approvers, clock.now())
        _check(seen, signer, approvers, decision)
        if message(seen.request, decision, why) != text:
            raise ClawdError("the request is no longer what was shown: nothing was signed", where=f"request {name}")
        file.add_signature(name, Signature(decision, signer.fingerprint, sign(seed, text), why), clock.now())
        after = _seen(file, name, approvers, clock.now())
    count = f"{len(after.standing.approved)} of {after.request.needed} approvals"
    typer.echo(f"{'Approved' if decision is Decision.APPROVE else 'Rejected'} with {signer.name}: {count}.")


def _check(seen: Seen, signer: Approver, approvers: tuple[Approver, ...], decision: Decision) -> None:
    """Refuse a signature that would be worth nothing."""
    where, standing = f"request {seen.request.id}", seen.standing
    name = next((each.name for each in approvers if each.public_key == signer.public_key), None)
    if name is None or signer.fingerprint not in seen.request.approvers:
        raise ClawdError(
            f"the key {signer.name} may not decide on this", where=where, hint="`clawd keys list` says who may approve"
        )
    if standing.state.final or (standing.state is State.CHANGED and decision is Decision.APPROVE):
        raise ClawdError(f"there is nothing to decide: {standing.why}", where=where)
    if decision is Decision.APPROVE and name in standing.approved:
        raise ClawdError(f"{name} has approved it already", where=where, hint="each key counts once")


def _seen(file: ApprovalFile, name: str, approvers: tuple[Approver, ...], now: int) -> Seen:
    request, mark = file.request(name), file.mark(name)
    policy = terms_of(request, approvers, _FRESH)
    standing = judge_approval(request, file.signatures(name), policy, now, mark, used=file.used(name))
    return Seen(request, standing, mark)


def _state(seen: Seen) -> str:
    """Whether enough have signed. Whether the price lets it be sent is for the trading process, which knows it."""
    state = seen.standing.state
    return "approved" if state in (State.GRANTED, State.UNPRICED, State.DRIFTED) else state.value


def _fields(seen: Seen, now: int) -> dict[str, object]:
    request, standing, mark = seen
    return {
        "id": request.id,
        "state": _state(seen),
        "why": standing.why,
        "account": request.account,
        "venue": request.venue,
        "order": order_fields(request.order),
        "notional": None if (notional := _notional(request)) is None else decimal_text(notional),
        "reasons": list(request.reasons),
        "approved": list(standing.approved),
        "rejected": list(standing.rejected),
        "needed": request.needed,
        "approvers": list(request.approvers),
        "requested_at": iso(request.requested_at),
        "expires_at": iso(request.expires_at),
        "seconds_left": max(0, (request.expires_at - now) // 10**9),
        "reference": decimal_text(request.reference),
        "allowed_drift": decimal_text(request.drift),
        "drift": None if standing.drift is None else decimal_text(standing.drift),
        "price": None if mark is None else str(mark.price),
        "price_time": None if mark is None else iso(mark.time),
        "faults": list(standing.faults),
    }


def _lines(seen: Seen, now: int) -> list[str]:
    """A request in plain words; nothing in it can move a cursor."""
    request, standing, mark = seen
    order = order_fields(request.order)
    size = order.pop("size", None) or "?"
    side, units = ("sell", size[1:]) if size.startswith("-") else ("buy", size)
    symbol, agent = order.pop("symbol", None), order.pop("agent", None)
    notional = _notional(request)
    rest = ", ".join(f"{name} {_word(name, value)}" for name, value in order.items() if value is not None)
    lines = [
        f"{request.id}  {_state(seen)}: {_plain(standing.why)}",
        f"  {side} {units} {symbol} for agent {agent}, account {_plain(request.account)} at {_plain(request.venue)}",
        f"  {rest}",
        f"  notional {'?' if notional is None else money(notional)} at {decimal_text(request.reference)}; "
        f"the price may move by {_percent(request.drift)}",
        f"  waits because {_plain('; '.join(request.reasons))}",
    ]
    if standing.approved:
        lines.append(f"  approved by {', '.join(standing.approved)} ({len(standing.approved)} of {request.needed})")
    lines.extend(f"  counts for nothing: {_plain(fault)}" for fault in standing.faults)
    if not standing.state.final:
        lines.append(
            f"  asked {iso(request.requested_at)}, expires {iso(request.expires_at)}, {_left(request, now)} left"
        )
    if mark is not None and standing.drift is not None:
        beyond = ", too far for it to be sent" if beyond_drift(request, mark) else ""
        moved = _percent(standing.drift, signed=True)
        lines.append(f"  price {decimal_text(mark.price)} ({moved}{beyond}), seen {iso(mark.time)}")
    return lines


def _word(name: str, value: str) -> str:
    """A field of an order for people: a time as a time."""
    return iso(int(value)) if name == "expires" and value.isdigit() and len(value) <= 19 else value


def _notional(request: ApprovalRequest) -> Decimal | None:
    size = order_fields(request.order).get("size")
    try:
        notional = abs(Decimal(size or "")) * request.reference
    except ArithmeticError:
        return None
    return notional if is_figure(notional) else None


def _left(request: ApprovalRequest, now: int) -> str:
    seconds = max(0, (request.expires_at - now) // 10**9)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def _percent(share: Decimal, *, signed: bool = False) -> str:
    text = f"{share * 100:{'+' if signed else ''}.4f}".rstrip("0").rstrip(".")
    return f"{text} %"


def _plain(text: str) -> str:
    """Text that somebody else has written, in ASCII without control characters."""
    return json.dumps(text)[1:-1]
