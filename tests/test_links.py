"""Every relative link in the documents leads somewhere: to a file, and where it names a heading, to that heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:")


def links(document: Path) -> Iterator[str]:
    """The relative links of a document."""
    text = CODE.sub("code", FENCE.sub("", document.read_text(encoding="utf-8")))
    yield from (target for target in LINK.findall(text) if not ELSEWHERE.match(target))


def anchors(document: Path) -> set[str]:
    """The headings of a document as links name them: lower case, without punctuation, a dash for each space."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


def broken(document: Path) -> list[str]:
    """The links of a document that lead nowhere."""
    found = []
    for target in links(document):
        path, _, heading = target.partition("#")
        there = (document.parent / path).resolve() if path else document
        if not there.exists() or (heading and heading not in anchors(there)):
            found.append(target)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    assert broken(document) == []


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# The one, and only\n")
    page = tmp_path / "page.md"
    page.write_text(
        "# Here\n[a](there.md) [b](there.md#the-one-and-only) [c](#here) [d](https://example.org/x) `[e](gone.md)`\n"
        "[f](gone.md) [g](there.md#another) [h](#nowhere)\n```\n[i](gone.md)\n```\n"
    )
    assert broken(page) == ["gone.md", "there.md#another", "#nowhere"]


def test_there_are_links_to_check() -> None:
    assert sum(1 for document in DOCUMENTS for _ in links(document)) > 100
