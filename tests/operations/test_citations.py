"""Each page and section that the code cites exists."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CITATION = re.compile(r"\bdocs/(?P<page>[\w/-]+\.md)(?: §(?P<section>\d+[a-z]?))?")
HEADING = re.compile(r"^#{2,3} (\d+[a-z]?)\. ", re.MULTILINE)


def citations() -> list[tuple[str, str, str]]:
    """Where something is cited, the page, and the section or an empty text."""
    listed = subprocess.run(["git", "ls-files", "*.py", "*.md", "*.html", "*.js"], cwd=ROOT, capture_output=True)
    return [
        (name, found["page"], found["section"] or "")
        for name in listed.stdout.decode().split()
        if name != "docs/altegio.md"  # its sources are pages of another repository
        for found in CITATION.finditer((ROOT / name).read_text())
    ]


@pytest.mark.parametrize(("where", "page", "section"), citations())
def test_what_is_cited_exists(where: str, page: str, section: str) -> None:
    text = (ROOT / "docs" / page).read_text()

    assert not section or section in HEADING.findall(text)


def test_nothing_cites_a_page_that_the_repository_does_not_hold() -> None:
    bare = re.compile(r"(?<![\w/])(?:ALTEGIO|INTERFACE|DESIGN)\.md")
    listed = subprocess.run(["git", "ls-files", "*.py", "*.md", "*.html", "*.js"], cwd=ROOT, capture_output=True)

    assert not [name for name in listed.stdout.decode().split() if bare.search((ROOT / name).read_text())]


def test_a_module_that_the_words_name_is_there() -> None:
    """In backticks, with as much of its path as the writer found clear: `claims.py`, `connect/claims.py`."""
    named = re.compile(r"`([\w./-]*\w\.py)`")
    listed = subprocess.run(["git", "ls-files", "*.py", "*.md"], cwd=ROOT, capture_output=True)
    names = [name for name in listed.stdout.decode().split() if name != "CHANGELOG.md"]
    there = {f"/{name}" for name in names}

    gone = {
        (name, path)
        for name in names
        for path in named.findall((ROOT / name).read_text())
        if not any(each.endswith(f"/{path}") for each in there)
    }
    assert not gone
