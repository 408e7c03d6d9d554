"""Capability ``images``: the image of a recipe is built, and bodies that name none run in it."""

from __future__ import annotations

from typing import Any

import pytest

from sac_core.errors import LaunchError
from sac_core.models.recipe import Recipe
from sac_core.testing.promises.base import ContractBase
from sac_core.testing.promises.bench import Bench
from sac_core.testing.promises.marks import promise

PLAIN: dict[str, Any] = {"program": "sac-no-such-program", "install": "true", "version": ("sh", "-c", "echo 1.0")}
"""A recipe that adds nothing, to a base that has a shell."""


class Images(ContractBase):
    @promise("images")
    async def test_an_image_is_built_and_a_body_runs_in_it(self, bench: Bench) -> None:
        await bench.need("images")
        recipe = Recipe(name="sac-contract-test", setup="true", **PLAIN)
        lines = [line async for line in bench.executor.build_image(recipe, base=None, tag=recipe.image)]
        assert lines, "nothing was told of the build"
        launch = self.launch(bench.commands.beat("built"))
        template = launch.template.model_copy(update={"image": None})
        key = bench.key()
        await bench.settle(key, launch.model_copy(update={"template": template, "recipe": recipe}))
        await bench.beating("built", 1)

    @promise("images")
    async def test_a_build_that_fails_is_told_as_ours(self, bench: Bench) -> None:
        await bench.need("images")
        recipe = Recipe(name="sac-contract-fails", setup="false", **PLAIN)
        with pytest.raises(LaunchError) as failed:
            async for _ in bench.executor.build_image(recipe, base=None, tag=recipe.image):
                pass
        assert failed.value.reason == "ImageNotFound"
