"""How the interface says that something is wrong: what, where, and what would be right."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from clawd.core.errors import ClawdError
from clawd.core.refused_value import refused_value
from clawd.store.access import SignInError
from clawd.store.api_keys import TakenError
from clawd.store.people import NobodyError


class Problem(BaseModel):
    """Every answer that is not a success."""

    what: str = Field(description="what was wrong, for people")
    where: str | None = Field(None, description="the place, such as a field, a line and column, or a node")
    hint: str | None = Field(None, description="what would be right")


class MissingError(ClawdError):
    """What was asked for is not there: 404."""


class ConflictError(ClawdError):
    """It cannot be done as things stand now: 409."""


class SignedOutError(ClawdError):
    """Nobody has shown who he is: 401."""


class ForbiddenError(ClawdError):
    """Whoever it is may not do this: 403."""


class TooOftenError(ClawdError):
    """Whoever it is asks too often: 429.

    Args:
        wait: seconds after which it is worth another try.
    """

    def __init__(self, wait: int) -> None:
        self.wait = wait
        super().__init__("too many requests", hint=f"try again in {wait} second{'s' if wait != 1 else ''}")


_STATUSES: Final[dict[type[ClawdError], int]] = {
    SignInError: 401,
    SignedOutError: 401,
    ForbiddenError: 403,
    MissingError: 404,
    NobodyError: 404,
    ConflictError: 409,
    TakenError: 409,
    TooOftenError: 429,
}

#: What every route may answer besides its success; declared once, for all of them.
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {
        "model": Problem,
        "description": "400: wrong, and why. 401: not signed in. 403: no right to it, or asked from a foreign page. "
        "404: not there. 405: not a method of it. 408: sent too slowly. 409: not as things stand. 413: too large. "
        "415: not JSON. 422: not in the form asked for. 429: too often; Retry-After says in how many seconds to try.",
    },
    "5XX": {"model": Problem, "description": "500: a mistake of ours. 503: busy or too slow. 504: no answer in time."},
}


def answer_problems(app: FastAPI) -> None:
    """Let every error become a :class:`Problem`."""
    app.add_exception_handler(ClawdError, _clawd)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def problem_of(error: ClawdError) -> Problem:
    """What an error says."""
    return Problem(what=error.what, where=error.where, hint=error.hint)


def problem_answer(status: int, problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer with a problem for its body."""
    return JSONResponse(problem.model_dump(), status, headers)


def _clawd(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, ClawdError)
    status = next((number for kind, number in _STATUSES.items() if isinstance(error, kind)), 400)
    headers = {"Retry-After": str(error.wait)} if isinstance(error, TooOftenError) else None
    return problem_answer(status, problem_of(error), headers)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem_answer(422, Problem(what=refused_value(first), where=where))


def _http(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, HTTPException)
    return problem_answer(error.status_code, Problem(what=str(error.detail).lower()), dict(error.headers or {}))
