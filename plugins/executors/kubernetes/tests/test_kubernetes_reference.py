"""The page of reference names every setting and every option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from sac_executor_kubernetes.command import main
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


def test_every_argument_of_a_command_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    text = PAGE.read_text().partition("## Commands\n")[2].partition("\n## ")[0]
    for command in ("setup", "render"):
        with pytest.raises(SystemExit):
            main([command, "--help"])
        known = set(re.findall(r"^  (--\w[\w-]*|SPEC)\b", capsys.readouterr().out, re.MULTILINE))
        shown = text.partition(f"`sac-kubernetes {command}")[2].partition("\n`sac-kubernetes")[0]
        assert set(re.findall(r"^\| `([\w-]+)` \|", shown, re.MULTILINE)) == known
