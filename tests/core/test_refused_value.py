"""What is wrong with a value is said in words for people, whatever pydantic calls it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from clawd.core.errors import ClawdError
from clawd.core.refused_value import refused_value
from clawd.core.settings import Settings, read_setting


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    odd: int = 1

    @field_validator("odd")
    @classmethod
    def is_odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number is needed")
        return value


@pytest.mark.parametrize(
    ("wanted", "value", "words"),
    [
        (Annotated[Decimal, Field(gt=0)], 0, "it must be above 0"),
        (Annotated[int, Field(ge=1)], 0, "it must be at least 1"),
        (Annotated[float, Field(lt=0.5)], 0.5, "it must be below 0.5"),
        (Annotated[Decimal, Field(le=1)], 2, "it must be at most 1"),
        (Decimal, "lots", "it must be a number"),
        (Decimal, "nan", "it must be a finite number"),
        (Annotated[Decimal, Field(max_digits=3)], "1234", "it has too many digits"),
        (float, "x", "it must be a number"),
        (int, "2.5", "it must be a whole number"),
        (int, 2.5, "it must be a whole number"),
        (bool, "perhaps", "it must be true or false"),
        (str, 7, "it must be text"),
        (Annotated[str, Field(max_length=2)], "abc", "it must have at most 2 characters"),
        (Annotated[str, Field(min_length=2)], "a", "it must have at least 2 characters"),
        (Annotated[list[int], Field(max_length=1)], [1, 2], "it must have at most 1 entry"),
        (Annotated[str, Field(pattern="^a$")], "b", "it is not written as it must be"),
        (Literal["a", "b"], "c", "it must be 'a' or 'b'"),
        (list[int], 1, "it must be a list"),
        (Form, {"more": 1}, "nothing of this name is known here"),
        (Form, {"odd": 2}, "an odd number is needed"),
        (Form, 1, "it must be an object"),
    ],
)
def test_words_for_people(wanted: Any, value: object, words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        TypeAdapter(wanted).validate_python(value)
    assert refused_value(raised.value.errors()[0]) == words


@pytest.mark.parametrize("name", [name for name in Settings.model_fields if name != "home"])
@pytest.mark.parametrize("value", ["", "lots", "-1", "1e400", "nan", [], {}])
def test_no_setting_is_refused_in_the_words_of_a_library(name: str, value: object) -> None:
    try:
        read_setting(name, value, "settings.json")
    except ClawdError as error:
        assert "input" not in error.what.lower() and "valid" not in error.what.lower()
        assert error.what.startswith(("it ", "this is no value"))
