"""The pages show code as it is run, link to what is there, and name nothing that belongs to one machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SNIPPETS = DOCS / "snippets"
RUNNABLE = frozenset({"python", "py", "sh", "bash", "shell", "console", "toml"})

_BLOCK = re.compile(
    r"(?:<!-- snippet: (?P<file>[\w./]+) -->\n+)?```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)")


class Block(NamedTuple):
    """A fenced block: its page, its language, the snippet that it says it shows, its text."""

    page: str
    language: str
    file: str | None
    text: str


def pages() -> list[Path]:
    """Every page that a reader may be shown."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def blocks() -> Iterator[Block]:
    """Every fenced block of every page."""
    for page in pages():
        for match in _BLOCK.finditer(page.read_text()):
            yield Block(str(page.relative_to(ROOT)), match["language"], match["file"], match["text"])


def test_every_snippet_is_shown() -> None:
    shown = {block.file for block in blocks() if block.file is not None}
    assert shown == {
        str(file.relative_to(SNIPPETS)) for file in SNIPPETS.rglob("*.*") if "__pycache__" not in file.parts
    }


def test_pages_show_snippets_as_they_are() -> None:
    wrong = [
        f"{block.page}: {block.file}"
        for block in blocks()
        if block.file is not None and block.text != (SNIPPETS / block.file).read_text()
    ]
    assert wrong == []


def test_no_page_shows_code_that_nobody_runs() -> None:
    loose = [(block.page, block.text[:60]) for block in blocks() if block.language in RUNNABLE and not block.file]
    assert loose == []


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages()
        for target in _LINK.findall(page.read_text())
        if not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_page_is_in_the_navigation() -> None:
    named = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text()))
    assert named == {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}


def test_the_changelog_begins_with_what_is_not_released() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
