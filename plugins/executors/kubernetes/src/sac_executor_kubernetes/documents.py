"""YAML, read without anything that stands for something else, and written for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

_WIDTH = 120


class DocumentError(Exception):
    """A text that is no YAML."""


class AliasError(DocumentError):
    """A text with aliases: a small one of that kind can be a huge document."""


def read_document(text: str) -> Any:
    """What a text says; raises `DocumentError`."""
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            raise AliasError
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise DocumentError from None


def written(objects: Iterable[dict[str, Any]]) -> str:
    """Objects as YAML, one document each."""
    dumped = (
        yaml.safe_dump(each, sort_keys=False, default_flow_style=None, width=_WIDTH, allow_unicode=True)
        for each in objects
    )
    return "---\n".join(dumped)
