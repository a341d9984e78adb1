"""The pages say what the engine says."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pages():
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs" / "pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["en", "zh"])
def test_generated_parts_are_fresh(language):
    made = pages()
    path = made.PAGES[language]
    page = path.read_text("utf8")
    assert made.filled(page, language) == page, f"run: python docs/pages.py (for {path.name})"


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_links_lead_somewhere(name):
    page = (ROOT / name).read_text("utf8")
    for target in re.findall(r"\]\(([\w./-]+)\)", page):
        assert (ROOT / target).exists(), target
