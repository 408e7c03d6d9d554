"""The holder's program as a file: what it is written for, and what it costs."""

from __future__ import annotations

import ast
from pathlib import Path

import sac_core

PROGRAM = Path(sac_core.__file__).parent / "holder" / "program.py"


def test_it_is_python_38_and_imports_nothing_of_ours() -> None:
    tree = ast.parse(PROGRAM.read_text(), feature_version=(3, 8))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert names
    assert not [name for name in names if name.startswith("sac_core")]
