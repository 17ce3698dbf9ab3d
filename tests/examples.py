"""Properties that are tried on some examples by `make test`, and on many as a long proof."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

Test = Callable[..., None]


def tried(few: int, many: int, *drawn: st.SearchStrategy[Any], **options: Any) -> Callable[[Test], Test]:
    """In place of ``@settings(max_examples=…)`` and ``@given(*drawn)``, where a test takes what is drawn and no more.

    Args:
        few: examples that every run of the tests tries.
        many: that the long proof tries.
        drawn: what the test takes.
        options: of hypothesis' ``settings``.
    """

    def made(test: Test) -> Test:
        @pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.long)])
        def some(examples: int) -> None:
            settings(max_examples=examples, deadline=None, **options)(given(*drawn)(test))()

        # Not functools.wraps: pytest would look for the test's own arguments.
        some.__name__, some.__qualname__, some.__module__ = test.__name__, test.__qualname__, test.__module__
        some.__doc__ = test.__doc__
        return some

    return made
