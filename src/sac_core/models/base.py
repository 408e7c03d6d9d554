"""The base of everything declared: frozen, camelCase on the wire, unknown keys refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from sac_core.errors import InvalidError

M = TypeVar("M", bound=BaseModel)


class Model(BaseModel):
    """A frozen value with snake_case in Python and camelCase on the wire."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True, hide_input_in_errors=True
    )

    def to_wire(self) -> dict[str, Any]:
        """The JSON form: camelCase, no nulls."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def parse(model: type[M], data: object, *, field: str = "") -> M:
    """Validate ``data`` as ``model``; raises `InvalidError` that names the first wrong field below ``field``."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise invalid(error, field=field, known=list(model.model_fields)) from None


def invalid(error: ValidationError, *, field: str = "", known: Sequence[str] = ()) -> InvalidError:
    """Turn pydantic's report into our error: the first fault, its dotted path, and what to do about it."""
    first = error.errors(include_url=False, include_input=False)[0]
    path = ".".join(str(part) for part in first["loc"])
    where = ".".join(part for part in (field, path) if part)
    hint = None
    if first["type"] == "extra_forbidden":
        here = known if len(first["loc"]) == 1 else ()
        hint = f"remove it; known here: {', '.join(sorted(to_camel(name) for name in here))}" if here else "remove it"
    return InvalidError(first["msg"].removeprefix("Value error, "), field=where or None, hint=hint)
