"""Every public module, class and function of what others build against says what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import sac_core

ROOT = Path(sac_core.__file__).parent
PARTS = ("contracts", "models", "wire", "hooks", "errors.py", "settings.py")
FILES = sorted(
    file for part in PARTS for file in ([ROOT / part] if part.endswith(".py") else (ROOT / part).glob("*.py"))
)

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(node: ast.AST, path: str) -> Iterator[tuple[str, Documented]]:
    """A module and its public classes, functions and methods, but neither overloads nor functions within functions."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
        isinstance(decorator, ast.Name) and decorator.id == "overload" for decorator in node.decorator_list
    ):
        return  # the implementation after it has the docstring
    if isinstance(node, Documented):
        yield path, node
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            if isinstance(child, Documented) and not child.name.startswith("_"):
                yield from public(child, f"{path}.{child.name}")


def overrides(name: str, tree: ast.Module) -> bool:
    """Whether a method's class has a base in the same file that documents a method of that name."""
    *_, owner, method = name.split(".")
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    bases = [base.id for base in classes[owner].bases if isinstance(base, ast.Name)] if owner in classes else []
    found = [child for base in bases if base in classes for child in classes[base].body]
    return any(isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name == method for child in found)


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_is_public_says_what_it_is(file: Path) -> None:
    tree = ast.parse(file.read_text())
    silent = [
        name
        for name, node in public(tree, file.stem)
        if not ast.get_docstring(node) and not (name.count(".") > 1 and overrides(name, tree))
    ]
    assert silent == []


@pytest.mark.parametrize("package", sorted(ROOT.glob("*/**/__init__.py")), ids=lambda file: file.parent.name)
def test_a_package_says_what_belongs_there_and_what_does_not(package: Path) -> None:
    said = ast.get_docstring(ast.parse(package.read_text())) or ""
    assert "Belongs here:" in said
    assert "Does not belong here:" in said


def test_the_files_are_found() -> None:
    assert len(FILES) > 25
