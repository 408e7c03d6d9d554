"""The page of reference names every setting and every option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from sac_executor_kubernetes.settings import KubernetesOptions, KubernetesSettings

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "kubernetes.md"


@pytest.mark.parametrize(
    ("section", "model"), [("Settings", KubernetesSettings), ("Options of an agent", KubernetesOptions)]
)
def test_every_key_is_there(section: str, model: type[BaseModel]) -> None:
    text = PAGE.read_text().partition(f"## {section}\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == {
        field.alias or name for name, field in model.model_fields.items()
    }
