"""``clawd approvals``: see which orders wait for signatures, and sign or reject them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated

import typer

from clawd.cli.formats import money
from clawd.cli.keys import grouped, read_passphrase, warn_of_too_few
from clawd.cli.options import JsonOption
from clawd.cli.settings import home, read_settings
from clawd.core.clock import SystemClock, iso
from clawd.risk.approval_request import ApprovalRequest, Decision, decimal_text, order_fields
from clawd.risk.approvals import State, beyond_drift
from clawd.store.approval_queue import Seen, notional_of, queue, signing

app = typer.Typer(help="See which orders wait for approvals; approve or reject them.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="of the request, from `clawd approvals list`")]
KeyOption = Annotated[str, typer.Option("--key", metavar="NAME|FILE", help="the key that signs")]


@app.command("list")
def list_requests(
    last: Annotated[int, typer.Option("--last", min=0, help="only so many that no longer wait; 0 for all")] = 20,
    as_json: JsonOption = False,
) -> None:
    """The orders that wait, the first to expire first; then those that no longer do."""
    settings, now = read_settings(), SystemClock().now()
    folder = settings.home
    warn_of_too_few(settings)
    found = queue(folder, now)
    over, damaged = found.over, found.damaged
    shown = [*found.pending, *(over[:last] if last else over)]
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
    clock = SystemClock()
    ready = signing(home(), name, key, decision, why, clock.now())
    signer = ready.signer
    typer.echo("\n".join(_lines(ready.seen, clock.now())))
    typer.echo(f"\nThis is signed with {signer.name} ({grouped(signer.fingerprint)}):\n\n{ready.text.decode('ascii')}")
    after = ready.sign(read_passphrase(signer.name), clock)
    count = f"{len(after.standing.approved)} of {after.request.needed} approvals"
    typer.echo(f"{'Approved' if decision is Decision.APPROVE else 'Rejected'} with {signer.name}: {count}.")


def _fields(seen: Seen, now: int) -> dict[str, object]:
    request, standing, mark = seen
    return {
        "id": request.id,
        "state": seen.state,
        "why": standing.why,
        "account": request.account,
        "venue": request.venue,
        "order": order_fields(request.order),
        "notional": None if (notional := notional_of(request)) is None else decimal_text(notional),
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
    notional = notional_of(request)
    rest = ", ".join(f"{name} {_word(name, value)}" for name, value in order.items() if value is not None)
    lines = [
        f"{request.id}  {seen.state}: {_plain(standing.why)}",
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
