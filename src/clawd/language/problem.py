"""One thing that is wrong with a strategy, and its place in each form that has one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from clawd.core.errors import ClawdError

_NODE = re.compile(r"^(?:label of )?node (.{1,80}?)(?:, port (\w+)(?: \(from .*\))?)?$")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, what would be right, and where.

    Attributes:
        what: what is wrong, for people.
        hint: what would be right.
        where: the place in a file, such as ``exits.stop``.
        node, port, parameter: of the graph.
        line, column: of the text, from 1.
    """

    what: str
    hint: str | None = None
    where: str | None = None
    node: str | None = None
    port: str | None = None
    parameter: str | None = None
    line: int | None = None
    column: int | None = None

    @classmethod
    def of(cls, error: ClawdError) -> Problem:
        """An error of a reader; a place that is a node becomes one."""
        what = error.what.partition("\n")[0]
        match = _NODE.match(error.where or "")
        if match is None:
            return cls(what, error.hint, error.where)
        return cls(what, error.hint, error.where, match.group(1), match.group(2))
