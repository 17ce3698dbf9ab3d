"""How the interface says that something is wrong: what, where, and what would be right."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from clawd.core.errors import ClawdError


class Problem(BaseModel):
    """Every answer that is not a success."""

    what: str = Field(description="what was wrong, for people")
    where: str | None = Field(None, description="the place, such as a field, a line and column, or a node")
    hint: str | None = Field(None, description="what would be right")


class MissingError(ClawdError):
    """What was asked for is not there: 404."""


class ConflictError(ClawdError):
    """It cannot be done as things stand now: 409."""


def answer_problems(app: FastAPI) -> None:
    """Let every error become a :class:`Problem`."""
    app.add_exception_handler(ClawdError, _clawd)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def problem_answer(status: int, problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """An answer with a problem for its body."""
    return JSONResponse(problem.model_dump(), status, headers)


def _clawd(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, ClawdError)
    status = 404 if isinstance(error, MissingError) else 409 if isinstance(error, ConflictError) else 400
    return problem_answer(status, Problem(what=error.what, where=error.where, hint=error.hint))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return problem_answer(422, Problem(what=str(first["msg"]).lower(), where=where))


def _http(request: Request, error: Exception) -> JSONResponse:
    del request
    assert isinstance(error, HTTPException)
    return problem_answer(error.status_code, Problem(what=str(error.detail).lower()), dict(error.headers or {}))
