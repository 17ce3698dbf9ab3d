"""The one error that a person can mend: what was wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ClawdError(Exception):
    """Input or state that a person can mend.

    The command line prints it as one message and exits with code 2; nothing has been changed when it is raised.

    Args:
        what: what was wrong, a sentence without a full stop.
        where: the place, such as a file, line and column, or a setting's name.
        hint: what would be right.
    """

    def __init__(self, what: str, *, where: str | None = None, hint: str | None = None) -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(str(self))

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.what}{advice}"

    def at(self, where: str) -> ClawdError:
        """The same error seen from further out, with the outer place put in front."""
        place = f"{where}: {self.where}" if self.where else where
        return ClawdError(self.what, where=place, hint=self.hint)


def suggestion(word: str, known: Iterable[str]) -> str | None:
    """The hint "did you mean `x`?" when a known word is close, else None."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean `{close[0]}`?" if close else None
