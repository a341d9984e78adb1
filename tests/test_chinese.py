"""Chinese that people read: full-width punctuation, and no English where Chinese is asked for."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click.testing
import pandas as pd
import pytest
import small

import gep
from gep import cli, phrases, reasons, terminal
from gep.config import define, read
from gep.errors import InputError, messages
from gep.shipped import folder

HAN = "\u3400-\u9fff"
HALF = re.compile(rf"[{HAN}]\s*[,:;()?!]|[,:;()?!]\s*[{HAN}]|\}}[,:;]\{{|\}}[:;,][{HAN}\w]")
"""Half-width punctuation beside a Chinese character, or between two holes."""


def texts() -> Iterator[tuple[str, str]]:
    """Every Chinese text that is not a sentence of a file of its own, and where it is."""
    for code, entry in messages().items():
        yield from ((f"{code} {name}", entry[name]) for name in ("zh", "fix_zh"))
    for room in (terminal, phrases):
        words = vars(room)["WORDS"]["zh"]
        yield from ((f"{room.__name__} {name}", word) for name, word in words.items())
    yield from (("reasons", text) for text in reasons.TOML.values())
    for path in sorted(folder("coefficients").rglob("*.toml")):
        titles = re.findall(r'^title = .*zh = "([^"]*)"', path.read_text("utf8"), re.MULTILINE)
        yield from ((path.name, title) for title in titles)
    yield from ((f"reasons {kind}", zh) for kind, (_, zh) in reasons.VALUES.items())


@pytest.mark.parametrize(("where", "text"), list(texts()))
def test_punctuation_is_full_width(where: str, text: str) -> None:
    assert not HALF.search(text), where


@pytest.mark.parametrize("room", [terminal, phrases])
def test_both_languages_have_the_same_words(room: object) -> None:
    english, chinese = (vars(room)["WORDS"][language] for language in ("en", "zh"))
    states = {"given", "seen", "recalled", "derived", "design", "high", "medium", "low"}
    assert chinese.keys() - english.keys() <= states
    assert english.keys() <= chinese.keys()


def lines(text: str) -> list[str]:
    """Lines of a verb's own with half-width punctuation beside Chinese.

    Messages are held above; the formula is quoted as its source has it.
    """
    own = [line for line in text.splitlines() if not re.match(r"\s*(提醒|错误|怎么改|公式)", line)]
    return [line for line in own if HALF.search(line)]


def test_what_the_verbs_say_in_chinese(tmp_path: Path) -> None:
    path = small.write(tmp_path, rasters={"precipitation": None}, change={"account.name": "小县"})
    said = {}
    for words in (["check", path], ["run", path, "--progress", "none"], ["init", tmp_path / "新"]):
        done = click.testing.CliRunner().invoke(cli.main, [*map(str, words), "--lang", "zh"])
        assert done.exit_code == 0, done.output
        said[str(words[0])] = done.output
    output = tmp_path / "output"
    for words in (
        ["explain", output, "360101", "--service", "土壤保持"],
        ["explain", output, "360101", "--service", "农业产品"],
        ["explain", output, "360101", "--service", "洪水调蓄"],
        ["verify", output],
        ["compare", output, output],
    ):
        done = click.testing.CliRunner().invoke(cli.main, [*map(str, words), "--lang", "zh"])
        assert done.exit_code == 0, done.output
        said[" ".join(map(str, (words[0], words[-1])))] = done.output
    found = {verb: lines(text) for verb, text in said.items() if lines(text)}
    assert not found
    assert "错误 0，提醒" in said["check"]
    assert re.search(r"县区：\d+，[\d.]+ km²（360101 东县，", said["check"])
    assert "水源涵养·水源涵养量：未核算：" in said["check"] or "水源涵养：未核算：" in said["check"]
    assert "本核算不含：水源涵养" not in said["check"]


def test_the_files_of_a_new_account(tmp_path: Path) -> None:
    done = click.testing.CliRunner().invoke(cli.main, ["init", str(tmp_path / "新")])
    assert done.exit_code == 0
    for name in ("gep.toml", "数据清单.md"):
        comments = (tmp_path / "新" / name).read_text("utf8")
        assert not [line for line in comments.splitlines() if re.search(rf"[{HAN}][,:;]", line)]


TOML = {
    "[account\n": "第 1 行第 9 列：节名之后缺少 ]",
    "[[account]\n": "第 1 行第 10 列：节名之后缺少 ]]",
    "year 2021\n": "第 1 行第 6 列：键之后应为 =",
    "year = 2021 2022\n": "第 1 行第 13 列：一行只能写一项",
    "year = jiangxi\n": "第 1 行第 8 列：值无效；文字值要加双引号",
    'name = "a\n': "第 1 行第 10 列：不允许的字符 '\\n'",
    'name = "a': "文件末尾：引号没有配对",
    "a = [1\n": "文件末尾：方括号没有配对",
    "a = {b = 1\n": "第 1 行第 11 列：花括号没有配对",
    'file = "C:\\data"\n': "第 1 行第 13 列：双引号内的 \\ 要写成 \\\\，或改用单引号",
    "[a]\n[a]\n": "第 2 行第 3 列：('a',) 这一节出现两次",
    "a = 1\na = 2\n": "第 2 行第 6 列：同一个键写了两次",
    "a = {b = 1, b = 2}\n": "第 1 行第 18 列：键 'b' 写了两次",
    "=\n": "第 1 行第 1 列：语句无效",
    "县 = 1\n": "第 1 行第 1 列：语句无效",
}


@pytest.mark.parametrize("text", TOML)
def test_why_a_file_is_not_toml(text: str, tmp_path: Path) -> None:
    (tmp_path / "gep.toml").write_text(text, "utf8")
    with pytest.raises(InputError) as raised:
        read(tmp_path / "gep.toml")
    (problem,) = raised.value.problems
    assert problem.code == "E001"
    assert problem.text("zh") == f"gep.toml：不是有效的 TOML：{TOML[text]}"
    with pytest.raises(tomllib.TOMLDecodeError) as why:
        tomllib.loads(text)
    assert problem.text() == f"gep.toml: not TOML: {why.value}"


@pytest.mark.parametrize(
    ("content", "zh"),
    [
        ("name = 'x'\n" + "县".encode("gb18030").decode("latin-1"), None),
        ("a = " + "[" * 5000, "括号嵌套过深"),
    ],
)
def test_a_file_no_reader_reads(content: str, zh: str | None, tmp_path: Path) -> None:
    path = tmp_path / "gep.toml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError) as raised:
        read(path)
    (problem,) = raised.value.problems
    said = zh or "不是 UTF-8 文字（第 12 个字节）"
    assert problem.text("zh") == f"gep.toml：不是有效的 TOML：{said}"


VALUES: list[tuple[str, object, str, str]] = [
    ("account.name", 5, "must be a text in double quotes", "应为加双引号的文字"),
    ("account.year", "2021", "must be a whole number", "应为整数"),
    ("account.year", 1921, "must be 1990 or more", "不能小于 1990"),
    ("account.year", 2061, "must be 2060 or less", "不能大于 2060"),
    ("account.optional", "tourism", "must be a list in square brackets", "应为方括号中的列表"),
    ("rasters.precipitation.valid", [1], "must have 2 entries", "应有 2 项"),
    ("rasters.precipitation.valid", [1, 2, 3], "must have 2 entries", "应有 2 项"),
    (
        "rasters.precipitation.kind",
        "sum",
        "must be 'density', 'class' or 'extensive'",
        "应为 'density', 'class' 或 'extensive'",
    ),
    ("accept.W402", " ", "must not be empty", "不能为空"),
    ("coefficients", "own.csv", "must be a section", "应为一节"),
    ("preparations", [1], "must be a section", "应为一节"),
]


@pytest.mark.parametrize(("key", "value", "en", "zh"), VALUES)
def test_why_a_value_is_refused(key: str, value: object, en: str, zh: str) -> None:
    raw: dict[str, Any] = {
        "account": {"name": "a", "year": 2021},
        "counties": {"file": "a.gpkg"},
        "rasters": {"precipitation": {"file": "a.tif"}},
    }
    *heads, last = key.split(".")
    table = raw
    for head in heads:
        table = table.setdefault(head, {})
    table[last] = value
    with pytest.raises(InputError) as raised:
        define(raw, "gep.toml")
    (problem,) = raised.value.problems
    assert problem.code == "E003"
    assert problem.text("en") == f"gep.toml: {key} = {value!r}: {en}"
    assert problem.text("zh") == f"gep.toml：{key} = {value!r}：{zh}"


def test_a_reason_nobody_knows_stays_as_it_is() -> None:
    assert reasons.of_value({"type": "date_type", "msg": "no date"}) == ("no date", "no date")
    assert reasons.of_file(ValueError("odd")) == ("odd", "odd")
    both = reasons.of_file(ValueError("odd (at line 2, column 7)"))
    assert both == ("odd (at line 2, column 7)", "第 2 行第 7 列：odd")


ROW = {"service": "water_retention", "indicator": "water_retention", "quantity_unit": "m3"}
QUANTITIES: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"quantity": "x"}, {}, "行 0，water_retention.water_retention：quantity：不是数字：x"),
    (
        {"quantity": 1, "quantity_unit": ""},
        {},
        "行 0，water_retention.water_retention：缺少 quantity_unit",
    ),
    (
        {"quantity": 1, "ecosystem": "padddy"},
        {},
        "行 0，water_retention.water_retention：不认识的生态系统 padddy；是否指 paddy？",
    ),
    ({"quantity": 1, "qantity": 1}, {}, "不认识的列 qantity；是否指 quantity？"),
    ({"quantity": 1}, {"price_year": 1900}, "price_year = 1900 不是 1990 至 2060 之间的年份"),
    (
        {"quantity": 1},
        {"prices": {"reservoir_cots": "7 CNY_2010/m^3"}},
        "没有系数 reservoir_cots；是否指 reservoir_cost？",
    ),
    ({"quantity": 1}, {"prices": {"reservoir_cost": "seven"}}, "reservoir_cost：不是数字：seven"),
    (
        {"quantity": 1},
        {"prices": {"reservoir_cost": "7"}},
        "reservoir_cost = 7 没有单位，如 CNY_2010/m^3",
    ),
    (
        {"quantity": 1},
        {"prices": {"reservoir_cost": "7 CNY/m^3"}},
        "reservoir_cost = 7 CNY/m^3 没有写明是哪一年的价格；请写 CNY_2010/m^3",
    ),
    (
        {"quantity": 1},
        {"prices": {"reservoir_cost": "-7 CNY_2010/m^3"}},
        "reservoir_cost = -7 CNY_2010/m^3 为负",
    ),
]


@pytest.mark.parametrize(("row", "options", "zh"), QUANTITIES)
def test_why_quantities_are_refused(row: dict[str, Any], options: dict[str, Any], zh: str) -> None:
    with pytest.raises(InputError) as raised:
        gep.from_quantities(pd.DataFrame([ROW | row]), **({"price_year": 2010} | options))
    (problem,) = raised.value.problems
    assert problem.text("zh") == f"gep.from_quantities：{zh}"


def test_the_readme_has_chinese_punctuation() -> None:
    """Prose of README.zh.md, without code, links and the tables that are made."""
    text = (Path(gep.__file__).parents[2] / "README.zh.md").read_text("utf8")
    text = re.sub(r"<!-- (\w+) -->.*?<!-- /\1 -->", "", text, flags=re.DOTALL)
    text = re.sub(r"```python.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`[^`\n]*`", "甲", text)
    found = re.findall(rf".*[{HAN}*²][,;()].*|.*[,;()][{HAN}].*", text)
    assert not found


LISTINGS = {
    "services": ("服务", "大类", "物质产品", "降水量（precipitation）", "是", "逐像元"),
    "prepare --list": ("栅格", "由何推算", "逐日降水"),
    "show water_retention": (
        "数值",
        "状态",
        "见过原文",
        "常绿阔叶林（evergreen_broadleaf_forest）",
    ),
    "profiles": ("jiangxi-2021", "待核实的参数方案"),
}


@pytest.mark.parametrize("verb", LISTINGS)
def test_listings_are_translated(verb: str) -> None:
    done = click.testing.CliRunner().invoke(cli.main, [*verb.split(), "--lang", "zh"])
    assert done.exit_code == 0
    for word in LISTINGS[verb]:
        assert word in done.stdout, word
    english = r"\b(group|counted|built|yes|no|provisioning|regulating|provisional|status|seen)\b"
    assert not re.search(english, done.stdout)
