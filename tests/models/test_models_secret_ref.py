"""Options that are secrets: known in a schema by their format, found wherever they are, and of the form of a name."""

from __future__ import annotations

import pytest
from pydantic import Field

from sac_core.errors import InvalidError
from sac_core.models.base import Model, parse
from sac_core.models.secret_ref import FORMAT, SecretRef, secret_refs


class Registry(Model):
    address: str = ""
    pull_secret: SecretRef | None = None


class Options(Model):
    api_key: SecretRef = Field(description="What the vendor knows us by.")
    registry: Registry = Registry()
    more: dict[str, SecretRef] = Field(default_factory=dict)
    several: tuple[SecretRef, ...] = ()


def test_references_are_found_by_their_path_on_the_wire() -> None:
    given = {"apiKey": "key", "registry": {"pullSecret": "pull/password"}, "more": {"a": "x"}, "several": ["y", "z"]}
    refs = secret_refs(parse(Options, given))
    assert refs["apiKey"] == "key"
    assert (refs["more.a"], refs["several.0"], refs["several.1"]) == ("x", "y", "z")
    assert len(refs) == 5
    assert (refs["registry.pullSecret"].secret, refs["registry.pullSecret"].key) == ("pull", "password")
    assert (refs["apiKey"].secret, refs["apiKey"].key) == ("key", None)
    assert secret_refs(Registry()) == {}


def test_a_form_knows_them_by_their_format() -> None:
    schema = Options.model_json_schema()
    found = schema["properties"]["apiKey"]
    assert (found["type"], found["format"], found["description"]) == ("string", FORMAT, "What the vendor knows us by.")


def test_they_are_kept_as_they_were_given() -> None:
    assert parse(Options, {"apiKey": "key/a"}).to_wire()["apiKey"] == "key/a"


@pytest.mark.parametrize("value", ["", "Not A Name", "a/", "/a", "a/b/c", "a/../b", 7])
def test_what_cannot_be_the_name_of_a_secret_is_refused(value: object) -> None:
    with pytest.raises(InvalidError) as refused:
        parse(Options, {"apiKey": value}, field="spec.options")
    assert refused.value.field == "spec.options.apiKey"
