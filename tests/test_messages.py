"""Messages: every code is used and every text can be filled; the exact words of the main ones."""

import ast
import json
import re
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click.testing
import pytest
import small

import gep
from gep import errors
from gep.cli import main
from gep.errors import GepError, InputError, Problem, messages

SRC = Path(gep.__file__).parent
CODE = re.compile(r"[EW]\d{3}")
TEXTS = ("en", "zh", "fix_en", "fix_zh")


def makers() -> Iterator[tuple[str, set[str], set[str]]]:
    """Every function that makes problems: where it is, the codes in it, the names it may pass."""
    for path in sorted(SRC.rglob("*.py")):
        tree = ast.parse(path.read_text("utf8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            calls = {getattr(n.func, "id", getattr(n.func, "attr", "")) for n in nodes(function)}
            if not calls & {"Problem", "_wrong"}:
                continue
            texts = {n.value for n in ast.walk(function) if isinstance(n, ast.Constant)}
            words = {text for text in texts if isinstance(text, str)}
            codes = {word for word in words if CODE.fullmatch(word)}
            names = {word for word in words if word.isidentifier()}
            names |= {keyword.arg for n in nodes(function) for keyword in n.keywords if keyword.arg}
            yield f"{path.name}: {function.name}", codes, names


def nodes(function: ast.FunctionDef) -> list[ast.Call]:
    return [node for node in ast.walk(function) if isinstance(node, ast.Call)]


MAKERS = list(makers())


def holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_code_is_used_and_every_code_used_has_a_text() -> None:
    used = {code for _, codes, _ in MAKERS for code in codes}
    assert used == set(messages())


@pytest.mark.parametrize("code", messages())
def test_a_message_has_four_texts_and_nothing_else(code: str) -> None:
    entry = messages()[code]
    assert set(entry) == set(TEXTS)
    assert CODE.fullmatch(code)
    for text in entry.values():
        assert text
        assert text == text.strip()
        assert "\n" not in text
        assert not text.endswith((".", "。"))


@pytest.mark.parametrize("code", messages())
def test_chinese_is_chinese_and_english_is_english(code: str) -> None:
    entry = messages()[code]
    chinese = re.compile("[\u4e00-\u9fff]")
    for name in ("zh", "fix_zh"):
        assert chinese.search(re.sub(r"\{\w+\}", "", entry[name])) or code in (
            "E003",
            "E019",
            "E024",
            "E531",
        )
    for name in ("en", "fix_en"):
        assert not chinese.search(entry[name])


@pytest.mark.parametrize("code", messages())
def test_both_languages_have_the_same_holes(code: str) -> None:
    entry = messages()[code]
    for english, chinese in (("en", "zh"), ("fix_en", "fix_zh")):
        plain = {name.removesuffix("_zh") for name in holes(entry[chinese])}
        assert holes(entry[english]) == plain


@pytest.mark.parametrize(("where", "codes", "names"), MAKERS, ids=[maker[0] for maker in MAKERS])
def test_every_hole_is_passed(where: str, codes: set[str], names: set[str]) -> None:
    for code in codes:
        needed = {name for text in messages()[code].values() for name in holes(text)}
        # a field may be made elsewhere only where a whole problem is handed on
        assert needed <= names or not needed & names, f"{where}: {code}: {needed - names}"


@pytest.mark.parametrize("code", messages())
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_message_can_be_shown(code: str, language: str) -> None:
    fields = {name: f"<{name}>" for text in messages()[code].values() for name in holes(text)}
    said = Problem(code, fields).render(language)
    head, fix = said.split("\n")
    label = {"en": {"E": "error", "W": "warning"}, "zh": {"E": "错误", "W": "提醒"}}[language]
    assert head.startswith(f"{label[code[0]]} {code}  ")
    assert fix.startswith({"en": "  fix: ", "zh": "  怎么改："}[language])
    assert "{" not in said
    for name in holes(messages()[code][language]):
        assert f"<{name}>" in head


def test_exit_codes_belong_to_the_kind_of_error() -> None:
    kinds = {
        errors.InputError: 3,
        errors.UnitError: 3,
        errors.ServiceError: 3,
        errors.IdentityError: 5,
        errors.ResourceError: 6,
        errors.BusyError: 7,
    }
    assert {kind: kind.exit_code for kind in kinds} == kinds
    assert all(issubclass(kind, GepError) and issubclass(kind, ValueError) for kind in kinds)


def test_stop_on_raises_all_errors_and_no_warning() -> None:
    first, second = Problem("E506", {"file": "a"}), Problem("E506", {"file": "b"})
    with pytest.raises(InputError) as raised:
        errors.stop_on([first, Problem("W402", {"file": "c", "share": "1%"}), second])
    assert raised.value.problems == (first, second)
    assert str(raised.value) == "a: no rows\nb: no rows"
    errors.stop_on([Problem("W402", {"file": "c", "share": "1%"})])


EXACT = tomllib.loads(Path(__file__).with_name("exact_messages.toml").read_text("utf8"))
WHOLE = EXACT.pop("whole")


def test_the_main_messages_are_held() -> None:
    main_ones = "002 004 031 203 303 304 305 307 401 404 405 503 504 505 509 510 522 523 525 602"
    assert {f"E{number}" for number in f"{main_ones} 603 710 711 714 715".split()} <= set(EXACT)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("code", EXACT)
def test_exact_text(code: str, language: str) -> None:
    assert Problem(code, EXACT[code]["fields"]).text(language) == EXACT[code][language]


def test_a_number_without_dimension_has_no_unit() -> None:
    fields = {"name": "ndvi", "file": "a.tif", "value": "1.2", "low": -1.0, "high": 1.0}
    fields |= {"row": 3, "column": 4, "unit": "1", "median": "0.008", "hint": "100", "share": "5%"}
    for code, words in {
        "E304": ("is 0.008; usual", "为 0.008；"),
        "E307": ("1.2 at row 3,", "的 1.2 不可能"),
        "W309": ("exactly 0; usual", "恰为 0；"),
    }.items():
        problem = Problem(code, fields)
        for language, said in zip(("en", "zh"), words, strict=True):
            assert said in problem.text(language)
        assert " mm" in Problem(code, {**fields, "unit": "mm"}).text()
    assert Problem("E302", {**fields, "unit": "1"}).text().endswith("; 1 is needed")


def said_of(path: Path, language: str) -> list[str]:
    """What `gep run` tells people of what is wrong, with the folder of the account left out."""
    words = ["run", str(path), "--progress", "none", "--lang", language]
    done = click.testing.CliRunner().invoke(main, words)
    return done.stderr.replace(f"{path.parent}/", "").splitlines()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_whole_message_of_an_unknown_class(language: str, tmp_path: Path) -> None:
    codes = small.classes()
    codes[10, 7] = codes[10, 8] = 99
    codes[2, 30] = 0
    path = small.write(tmp_path, ecosystem=codes)
    assert said_of(path, language)[1:] == WHOLE["unknown_class"][language].splitlines()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_whole_message_of_a_table(language: str, tmp_path: Path) -> None:
    text = small.EMISSIONS.replace("12.5", "约12")
    path = small.write(tmp_path, tables={"emissions": text})
    assert said_of(path, language)[1:] == WHOLE["not_a_number"][language].splitlines()


def test_messages_as_data_are_in_both_languages(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"rasters.precipitation.unit": None})
    done = click.testing.CliRunner().invoke(main, ["run", str(path), "--json"])
    assert done.exit_code == 3
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["code"] == "E302"
    assert set(problem) == {"code", *TEXTS}
    assert problem["en"].endswith("precipitation.tif states no unit; mm/year is needed")
    assert problem["zh"].endswith("precipitation.tif 没有单位；需要 mm/year")
