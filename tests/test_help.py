"""`gep help CODE`: words for every hole, a reason for every code, examples that fit."""

import json
import re

import click.testing
import pytest

from gep import help as helping
from gep.cli import main
from gep.errors import messages

TEXTS = helping.texts()


def said(*words: str) -> str:
    done = click.testing.CliRunner().invoke(main, ["help", *words])
    assert done.exit_code == 0
    return done.stdout


@pytest.mark.parametrize("code", messages())
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_code_is_explained_in_four_lines(code: str, language: str) -> None:
    head, why, fix, example = said(code, "--lang", language).splitlines()
    labels = helping.LABELS[language]
    assert head.startswith(f"{code}  ")
    assert why.startswith(labels["why"])
    assert fix.startswith(labels["fix"])
    assert example.startswith(labels["example"])
    assert not re.search(r"[{}]", head + fix + example)
    assert "‹" not in example, "the example of a hole is missing in help.toml"


@pytest.mark.parametrize("code", messages())
def test_every_hole_has_words(code: str) -> None:
    holes = {name for text in messages()[code].values() for name in helping.holes(text)}
    assert {name.removesuffix("_zh") for name in holes} <= TEXTS["holes"].keys()


def test_nothing_stands_in_help_that_no_message_needs() -> None:
    own = {c: {n for t in m.values() for n in helping.holes(t)} for c, m in messages().items()}
    every = {name.removesuffix("_zh") for names in own.values() for name in names}
    assert TEXTS["holes"].keys() == every
    assert TEXTS["whys"].keys() <= own.keys()
    assert TEXTS["families"].keys() == {code[:2] for code in own}
    for code, values in TEXTS["examples"].items():
        holes = {name.removesuffix("_zh") for name in own[code]}
        assert {name.removesuffix("_zh") for name in values} <= holes, code


@pytest.mark.parametrize("table", ["holes", "families", "whys"])
def test_texts_are_in_both_languages(table: str) -> None:
    han = re.compile("[\u4e00-\u9fff]")
    for name, entry in TEXTS[table].items():
        assert han.search(entry["zh"]), name
        if table == "holes":
            assert not han.search(entry["en"]), name
        for language in ("en", "zh"):
            assert not entry[language].endswith((".", "。")), name
        assert not re.search("[\u4e00-\u9fff][,:;?]|[,:;?][\u4e00-\u9fff]", entry["zh"]), name


def test_one_message_word_by_word() -> None:
    assert said("E505", "--lang", "en") == (
        "E505  ‹place›: ‹key› stands in line ‹line› already\n"
        "why: two rows with one key would be added, or one of them would win by chance\n"
        "fix: keep one of the two rows, or add them up\n"
        "example: products.csv:8: 360101 / 稻谷 stands in line 2 already\n"
    )
    assert said("e505", "--lang", "zh") == (
        "E505  ‹位置›：‹键› 在第 ‹行号› 行已出现\n"
        "原因：同一键有两行：不知应相加还是取其一\n"
        "怎么改：保留其中一行，或合并相加\n"
        "例如：products.csv:8：360101 / 稻谷 在第 2 行已出现\n"
    )


def test_a_code_as_data() -> None:
    found = json.loads(said("E505", "--json"))
    assert found["code"] == "E505"
    texts = {"en", "zh", "fix_en", "fix_zh", "why_en", "why_zh", "example_en", "example_zh"}
    assert found.keys() == {"code", *texts}


def test_all_codes_are_listed() -> None:
    lines = said("--lang", "zh").splitlines()
    assert [line[:4] for line in lines] == sorted(messages())
    assert "E505  ‹位置›：‹键› 在第 ‹行号› 行已出现" in lines
