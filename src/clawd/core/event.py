"""A fact: what an entry of the journal holds. Facts are in the past tense and immutable."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from clawd.core.reason import Reason

ReasonWord = Annotated[
    Reason,
    BeforeValidator(lambda value: Reason[value.upper()] if isinstance(value, str) else value),
    PlainSerializer(lambda value: value.word, return_type=str),
]


class Event(BaseModel):
    """A fact. Its name is its kind in the journal."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @property
    def kind(self) -> str:
        return type(self).__name__
