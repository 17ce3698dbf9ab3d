"""A backtest of a person: what was asked for, how far it is, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from clawd.backtests.request import Request
from clawd.core.errors import ClawdError

State = Literal["waiting", "running", "done", "failed", "cancelled", "interrupted"]
Stage = Literal["starting", "compiling", "reading", "deciding", "trading", "measuring", "writing"]

#: States from which nothing more comes.
ENDED: frozenset[State] = frozenset({"done", "failed", "cancelled", "interrupted"})

#: What is being done, for people.
STAGES: dict[Stage, str] = {
    "starting": "Starting the engine",
    "compiling": "Compiling the engine for this machine, once: about a minute",
    "reading": "Reading the market",
    "deciding": "Working out what the strategy wants at each bar",
    "trading": "Trading it over the bars",
    "measuring": "Measuring what came of it",
    "writing": "Counting it and writing it down",
}

#: Where each stage begins, as a share of the whole: about what each takes on the sample market.
_BEGINS: dict[Stage, float] = {
    "starting": 0.0,
    "compiling": 0.0,
    "reading": 0.05,
    "deciding": 0.25,
    "trading": 0.5,
    "measuring": 0.65,
    "writing": 0.95,
}


def progress_of(stage: Stage, share: float) -> float:
    """How much of the whole is done, when a share of a stage is."""
    later = [begin for begin in _BEGINS.values() if begin > _BEGINS[stage]]
    return _BEGINS[stage] + share * (min(later, default=1.0) - _BEGINS[stage])


@dataclass(frozen=True, slots=True)
class Run:
    """A backtest at one moment.

    Attributes:
        id: its name, also of its folder.
        created: when it was asked for, UTC nanoseconds.
        name: of the strategy.
        content_hash: of the strategy.
        request: what was asked for.
        state: where it stands.
        stage: what is being done, while it runs.
        progress: how much of it is done, 0 to 1.
        started, ended: UTC nanoseconds, None before.
        error: why it has no result.
        figures: of a result, by name, as ``clawd backtest --json`` has them; None before there is one.
        pinned: whether it stays when the oldest have to go.
    """

    id: str
    created: int
    name: str
    content_hash: str
    request: Request
    state: State = "waiting"
    stage: Stage | None = None
    progress: float = 0.0
    started: int | None = None
    ended: int | None = None
    error: ClawdError | None = None
    figures: dict[str, Any] | None = None
    pinned: bool = False

    def to_json(self) -> dict[str, Any]:
        """For its file; what is only true for a moment is left out."""
        error = self.error and {"what": self.error.what, "where": self.error.where, "hint": self.error.hint}
        form = {name: getattr(self, name) for name in _KEPT}
        return {**form, "request": self.request.to_json(), "error": error}

    @classmethod
    def from_json(cls, form: dict[str, Any]) -> Run:
        """What :meth:`to_json` has made.

        Raises:
            KeyError, TypeError, ValueError, ArithmeticError: when it has not.
        """
        error = form["error"]
        return cls(
            **{name: form[name] for name in _KEPT},
            request=Request.from_json(form["request"]),
            error=error and ClawdError(error["what"], where=error["where"], hint=error["hint"]),
        )

    def told(self, **changes: Any) -> Run:
        """The same at a later moment."""
        return replace(self, **changes)


_KEPT = ("id", "created", "name", "content_hash", "state", "started", "ended", "figures", "pinned")
