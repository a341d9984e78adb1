"""The pages say what the engine says."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("language", ["en", "zh"])
def test_generated_parts_are_fresh(language):
    made = script("pages")
    path = made.PAGES[language]
    page = path.read_text("utf8")
    assert made.filled(page, language) == page, f"run: python docs/pages.py (for {path.name})"


def test_the_worked_scenario_is_fresh():
    made = script("scenario")
    assert made.page() == made.PAGE.read_text("utf8"), "run: python docs/scenario.py"


@pytest.mark.skipif(not (ROOT.parent / "shared" / "cases").is_dir(), reason="no ../shared/cases")
def test_the_truth_page_is_fresh():
    made = script("truth")
    assert made.page() == made.PAGE.read_text("utf8"), "run: python docs/truth.py"


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_links_lead_somewhere(name):
    page = (ROOT / name).read_text("utf8")
    for target in re.findall(r"\]\(([\w./-]+)\)", page):
        assert (ROOT / target).exists(), target
