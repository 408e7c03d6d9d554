"""Errors of a template, which name the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError


def fault(message: str, *place: str | int) -> ValidationError:
    """An error at a place below the one that is looked at."""
    error = PydanticCustomError("pod_template", "{message}", {"message": message})
    return ValidationError.from_exception_data("podTemplate", [InitErrorDetails(type=error, loc=place, input=None)])


def refuse(found: Any, told: Mapping[str, str]) -> Any:
    """Raise for the first key that is there and may not be."""
    for key, message in told.items():
        if isinstance(found, Mapping) and key in found:
            raise fault(message, key)
    return found
