"""Packaging: SAC finds it, it starts quickly, it can be checked, typed and upgraded."""

from __future__ import annotations

import sys
from collections import defaultdict
from functools import cached_property
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from sac_core.hooks.offers import async_hooks, fault_of
from sac_core.testing.distribution import Distribution
from sac_core.testing.promises.marks import promise

PREFIXES = {
    "executor": "sac-executor",
    "runtime": "sac-agent",
    "authenticator": "sac-auth",
    "stage": "sac-stage",
    "kind": "sac-kind",
}
"""What a distribution's name begins with, by the family that it offers."""
SUITES = {
    "executor": "ExecutorContract",
    "runtime": "RuntimeContract",
    "authenticator": "AuthenticatorContract",
    "stage": "StageContract",
}
USABLE = frozenset({"hooks", "held", "contracts", "wire", "models", "errors"})
"""The parts of SAC that plugins build against; all else may change at any time."""
OURS = frozenset({"sac_core", "pydantic", "pydantic_core", "anyio", "typing_extensions"})
"""What may be used anywhere in a plugin: SAC, and what its contracts are made of."""


class PackagingContract:
    """A distribution that SAC finds, that starts quickly, and that can be checked, typed and upgraded."""

    project: ClassVar[Path]
    """The folder of its pyproject.toml."""

    @cached_property
    def found(self) -> Distribution:
        return Distribution(self.project)

    @promise("loading")
    def test_an_entry_point_of_the_group_sac_loads(self) -> None:
        assert self.found.points, 'no entry point: add name = "module" under [project.entry-points.sac]'
        assert self.found.hooks(), "the entry points load, and have no hook: is @hookimpl missing?"

    @promise("naming")
    def test_names_agree(self) -> None:
        name, offers = self.found.name, self.found.offers()
        assert self.found.package == name.replace("-", "_"), f"the package of {name} is {self.found.package}"
        wrong = [offer.name for offer in offers if offer.name != offer.point]
        assert not wrong, f"entry points {sorted(self.found.points)} offer plugins of other names: {wrong}"
        wanted = {f"{PREFIXES[offer.family]}-{offer.name}" for offer in offers}
        assert not wanted or name in wanted, f"the distribution is {name}, and offers what belongs in {sorted(wanted)}"

    @promise("loading")
    def test_the_loader_finds_no_fault(self) -> None:
        faults = {offer.name: fault for offer in self.found.offers() if (fault := fault_of(offer.record))}
        assert not faults, f"SAC would not use these: {faults}"

    @promise("loading")
    def test_hooks_are_plain_functions(self) -> None:
        wrong = [name for point in self.found.points for name in async_hooks(self.found.plugin(point))]
        assert not wrong, f"these hooks are async, and would be refused: {wrong}"

    @promise("imports")
    def test_importing_it_loads_no_vendor_library(self) -> None:
        loaded = self.found.loaded_by_import() - set(sys.stdlib_module_names)
        assert not loaded, f"importing the plugin imports {sorted(loaded)}: import them where the plugin is opened"

    @promise("imports")
    def test_importing_it_prints_nothing(self) -> None:
        printed = self.found.printed_by_import()
        assert not printed, f"importing the plugin prints {printed[:200]!r}"

    @promise("imports")
    def test_one_module_imports_the_vendor_library(self) -> None:
        users: dict[str, set[str]] = defaultdict(set)
        for file, module in self.found.imports():
            users[module.partition(".")[0]].add(file.name)
        known = {*sys.stdlib_module_names, *OURS, self.found.package}
        spread = {name: sorted(files) for name, files in users.items() if name not in known and len(files) > 1}
        assert not spread, f"these are imported in several modules: {spread}; keep what knows the vendor in one"

    @promise("imports")
    def test_it_builds_on_the_contracts_alone(self) -> None:
        wrong = {
            f"{file.name}: {module}"
            for file, module in self.found.imports()
            if (module.startswith("sac_core.") and module.split(".")[1] not in USABLE)
            or (module.startswith("sac_") and module.partition(".")[0] not in ("sac_core", self.found.package))
        }
        assert not wrong, f"a plugin imports {sorted(USABLE)} of SAC and no other plugin: {sorted(wrong)}"

    @promise("typing")
    def test_it_is_typed(self) -> None:
        assert (self.found.place / "py.typed").is_file(), f"{self.found.package} has no file py.typed"

    @promise("schema")
    def test_what_can_be_set_has_a_schema_and_refuses_unknown_keys(self) -> None:
        for name, kind, model in self._models():
            schema = model.model_json_schema()
            silent = [key for key, about in schema.get("properties", {}).items() if not about.get("description")]
            assert not silent, f"{kind} of {name} have fields without a description, which forms show: {silent}"
            with pytest.raises(ValidationError) as refused:
                model.model_validate({"sacNoSuchKey": 1})
            unknown = [error for error in refused.value.errors() if error["type"] == "extra_forbidden"]
            assert unknown, f'{kind} of {name} take unknown keys: set extra="forbid", or build on sac_core\'s Model'

    @promise("metadata")
    def test_it_says_what_it_needs_and_what_it_is(self) -> None:
        project = self.found.project
        needed = [item for item in project.get("dependencies", ()) if item.startswith("sac-core")]
        assert needed, "sac-core is not among the dependencies"
        assert project.get("requires-python"), "requires-python is missing"
        assert project.get("description"), "description is missing"
        readme = project.get("readme")
        assert isinstance(readme, str), "readme is missing: name the file"
        assert (self.project / readme).is_file(), f"readme names {readme}, which is not there"
        silent = [offer.name for offer in self.found.offers() if not getattr(offer.record, "summary", "-").strip()]
        assert not silent, f"these have no summary: {silent}"

    @promise("tests")
    def test_what_it_offers_is_tested_by_the_contract_of_its_family(self) -> None:
        offered = {SUITES[offer.family] for offer in self.found.offers() if offer.family in SUITES}
        tests = self.found.tests()
        missing = sorted(suite for suite in offered if f"({suite})" not in tests)
        assert not missing, f"no class of its tests is a subclass of {missing}"

    @promise("metadata")
    def test_what_is_installed_is_this(self) -> None:
        try:
            installed = distribution(self.found.name)
        except PackageNotFoundError:
            pytest.skip("not installed: pip install --editable .")
        points = {point.name: point.value for point in installed.entry_points if point.group == "sac"}
        assert points == self.found.points, "the entry points of what is installed are others: install it again"

    def _models(self) -> list[tuple[str, str, Any]]:
        return [
            (offer.name, kind, model)
            for offer in self.found.offers()
            for kind in ("settings", "options")
            if (model := getattr(offer.record, kind, None)) is not None
        ]
