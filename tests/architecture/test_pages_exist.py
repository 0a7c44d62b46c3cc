"""A page that the code, the README or another page sends people to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"docs/[\w/-]+\.md")
LINKED = re.compile(r"\]\(((?!https?:)[^)#]+)")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "src").rglob("README.md"))]
PAGES += [ROOT / "sdks" / "node" / "README.md", ROOT / "sdks" / "web" / "README.md"]


class TestPages:
    def test_that_the_code_names_exist(self) -> None:
        named = {name for module in (ROOT / "src").rglob("*.py") for name in NAMED.findall(module.read_text())}
        assert {name for name in named if not (ROOT / name).exists()} == set()

    @pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
    def test_that_a_page_links_to_exist(self, page: Path) -> None:
        links = LINKED.findall(page.read_text())
        assert [link for link in links if not (page.parent / link).exists()] == []
