"""The command line: every verb, in both languages, for people and for programs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click.testing
import pytest
import small

from gep import console, scenario, shipped, store
from gep.cli import main
from gep.errors import InputError, Problem
from gep.profile import catalogue
from gep.run import Loop

VERBS = (
    "demo",
    "init",
    "check",
    "prepare",
    "run",
    "explain",
    "verify",
    "compare",
    "services",
    "show",
    "profiles",
    "help",
)
OUTPUTS = ("accounts.csv", "county_gep.csv", "extent.csv", "run.json")


def gep(*words: object, **environment: str) -> click.testing.Result:
    runner = click.testing.CliRunner(env={"GEP_LANG": "en"} | environment)
    return runner.invoke(main, [str(word) for word in words])


def data(done: click.testing.Result) -> Any:
    """JSON on stdout, by the letter of the standard: no NaN, nothing before or after."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(done.stdout, parse_constant=refuse)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """gep.toml of a small account with a hole, whose output has one run."""
    path = small.write(tmp_path_factory.mktemp("cli"), hole=True)
    done = gep("run", path, "--progress", "none", "--threads", 2)
    assert done.exit_code == 0, done.output
    return path


@pytest.fixture(scope="module")
def folder(account: Path) -> Path:
    return store.find(account.parent / "output")


# --- what every verb has ------------------------------------------------------------------------


def test_the_verbs_are_those_of_the_contract() -> None:
    done = gep("--help")
    assert done.exit_code == 0
    assert list(main.commands) == list(VERBS)
    for verb in VERBS:
        assert f"\n  {verb} " in done.stdout
    kinds = ("0 ok", "1 bug", "2 usage", "3 invalid input", "5 an identity", "7 folder in use")
    for code in (*kinds, "8 compare --exit-code"):
        assert code in " ".join(done.stdout.split())


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_of_a_verb(verb: str, flag: str) -> None:
    done = gep(verb, flag)
    assert done.exit_code == 0
    assert done.stdout.startswith(f"Usage: main {verb}")
    assert "--json" in done.stdout
    assert "--lang [en|zh]" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_verb_answers_people_and_programs(
    language: str, account: Path, folder: Path, tmp_path: Path
) -> None:
    given: dict[str, list[object]] = {
        "init": [tmp_path / "new"],
        "check": [account],
        "run": [account, "-o", tmp_path / "out"],
        "explain": [folder, "360101", "--service", "water_retention"],
        "verify": [folder],
        "compare": [folder, folder],
        "services": [],
        "show": ["water_retention"],
        "profiles": [],
        "help": ["E031"],
    }
    for verb, words in given.items():
        done = gep(verb, *words, "--lang", language)
        assert done.exit_code == 0, f"{verb}: {done.output}"
        assert done.stdout.strip(), verb
        assert "Traceback" not in done.output
    given["init"] = [tmp_path / "newer"]
    for verb, words in given.items():
        done = gep(verb, *words, "--lang", language, "--json")
        assert done.exit_code == 0, f"{verb}: {done.output}"
        assert data(done), verb
        assert done.stderr == "", verb


@pytest.mark.parametrize(
    ("environment", "chinese"),
    [
        ({"GEP_LANG": "zh"}, True),
        ({"GEP_LANG": "en", "LC_ALL": "zh_CN.UTF-8"}, False),
        ({"GEP_LANG": "", "LC_ALL": "zh_CN.UTF-8", "LANG": "C"}, True),
        ({"GEP_LANG": "", "LC_ALL": "", "LC_MESSAGES": "", "LANG": "zh_TW.UTF-8"}, True),
        ({"GEP_LANG": "", "LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, False),
    ],
)
def test_the_language_of_the_locale(environment: dict[str, str], chinese: bool) -> None:
    said = gep("help", "E004", **environment).stdout
    assert ("没有这个文件" if chinese else "no such file") in said
    assert gep("help", "e004", "--lang", "en", **environment).stdout.startswith(
        "E004  ‹place›: no such"
    )


def test_the_version_is_that_of_the_package() -> None:
    import importlib.metadata

    assert gep("--version").stdout == f"gep {importlib.metadata.version('gep')}\n"


# --- exit codes ---------------------------------------------------------------------------------


MISUSED = [
    ("chekc", "E022", "gep: no verb chekc; known: check", "gep：没有命令 chekc；可用：check"),
    (
        *("run --treads 2", "E021", "gep run: no option --treads; known: --threads"),
        "gep run：没有选项 --treads；可用：--threads",
    ),
    (
        *("run --threads 0", "E024", "gep run: --threads: a whole number from 1 to 64"),
        "gep run：--threads：应为 1 至 64 的整数",
    ),
    (
        *("run --progress loud", "E024", "gep run: --progress: one of auto, bar, lines, none"),
        "gep run：--progress：应为其中之一：auto, bar, lines, none",
    ),
    ("explain somewhere", "E023", "gep explain: PLACE is missing", "gep explain：缺少 PLACE"),
    ("show", "E023", "gep show: SERVICE is missing", "gep show：缺少 SERVICE"),
    ("show --lang", "E023", "gep: --lang … is missing", "gep：缺少 --lang …"),
    (
        *("verify a b", "E024", "gep verify: b: more than is taken here"),
        "gep verify：b：多出的参数",
    ),
    (
        *("run --maps a.toml", "E024", "gep run: gep run a.toml --maps: write it this way"),
        "gep run：gep run a.toml --maps：请这样写",
    ),
    (
        *("run a.toml b.toml a.toml", "E024", "gep run: a.toml: given twice"),
        "gep run：a.toml：给出了不止一次",
    ),
    (
        "run a.toml b.toml --scheduler tcp://127.0.0.1:1",
        *("E024", "gep run: --scheduler: for one gep.toml at a time"),
        "gep run：--scheduler：每次只能用于一个 gep.toml",
    ),
]


@pytest.mark.parametrize(("line", "code", "en", "zh"), MISUSED, ids=[row[0] for row in MISUSED])
def test_usage_is_2_with_a_suggestion(line: str, code: str, en: str, zh: str) -> None:
    words = line.split()
    for language, text in (("en", f"error {code}  {en}"), ("zh", f"错误 {code}  {zh}")):
        for asked in ([*words], ["--lang", language, *words], [f"--lang={language}", *words]):
            done = gep(*asked, GEP_LANG=language)
            assert done.exit_code == 2
            assert text in done.stderr.splitlines(), done.stderr
            assert done.stdout == ""
            assert "Traceback" not in done.stderr


def test_a_wrong_language_is_said_in_the_usual_one() -> None:
    done = gep("run", "--lang", "fr")
    assert done.exit_code == 2
    assert "error E024  gep run: --lang: one of en, zh" in done.stderr


def test_usage_as_data() -> None:
    done = gep("show", "--json")
    assert done.exit_code == 2
    (problem,) = data(done)["problems"]
    assert (problem["code"], problem["zh"]) == ("E023", "gep show：缺少 SERVICE")


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_language_before_the_verb(language: str, before: bool) -> None:
    words = ["--lang", language, "help", "E004"] if before else ["help", "E004", "--lang", language]
    said = gep(*words, GEP_LANG={"en": "zh", "zh": "en"}[language]).stdout
    assert said.startswith({"en": "E004  ‹place›: no", "zh": "E004  ‹位置›：没有"}[language])


def test_the_language_after_the_verb_wins() -> None:
    assert gep("--lang", "zh", "help", "E004", "--lang", "en").stdout.startswith("E004  ‹place›")


def test_a_folder_stands_for_the_definition_in_it(account: Path, tmp_path: Path) -> None:
    folder = account.parent
    for words in (["check"], ["run", "-o", tmp_path / "out", "--progress", "none"]):
        done = gep(words[0], folder, *words[1:])
        assert done.exit_code == 0, done.output
    assert f"gep run {account}" in gep("check", folder).stdout
    assert gep("prepare", folder).stderr == "nothing needs to be prepared\n"
    done = gep("check", tmp_path)
    assert done.exit_code == 3
    assert f"error E792  no such file: {tmp_path / 'gep.toml'}" in done.stderr


def test_no_verb_shows_the_help() -> None:
    done = gep()
    assert done.exit_code == 2
    assert "Usage: " in done.output
    assert "explain" in done.output


@pytest.mark.parametrize("verb", ["check", "run"])
def test_strict_is_4_on_warnings(verb: str, account: Path) -> None:
    words = [verb, account, *(["--progress", "none"] if verb == "run" else [])]
    assert gep(*words).exit_code == 0
    done = gep(*words, "--strict")
    assert done.exit_code == 4
    assert "warning W402" in done.output
    assert gep(*words, "--strict", "--json").exit_code == 4


def test_strict_without_warnings_is_0(small_account: Path) -> None:
    assert gep("check", small_account, "--strict").exit_code == 0
    done = gep("run", small_account, "--strict", "--progress", "none")
    assert done.exit_code == 0, done.output


def test_a_bug_is_1_with_a_traceback(small_account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: Any, **named: Any) -> None:
        raise ZeroDivisionError("a mistake of ours")

    monkeypatch.setattr(scenario, "accumulate", broken)
    done = gep("run", small_account, "--progress", "none")
    assert done.exit_code == 1
    assert "Traceback (most recent call last):" in done.stderr
    assert "ZeroDivisionError: a mistake of ours" in done.stderr
    assert "a bug in gep; please report" in done.stderr
    assert not list((small_account.parent / "output").glob("2021_*"))


def test_interruption_is_130(small_account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*given: Any, **named: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(scenario, "accumulate", interrupted)
    done = gep("run", small_account, "--progress", "none")
    assert done.exit_code == 130
    assert "interrupted; no result was written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("kind", "code"), [(KeyboardInterrupt, 130), (EOFError, 1)])
def test_only_ctrl_c_is_130(
    kind: type[BaseException], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of a verb: click makes Abort of both."""

    def broken(context: Any) -> None:
        raise kind

    monkeypatch.setattr(main, "invoke", broken)
    done = gep("profiles")
    assert done.exit_code == code
    assert ("a bug in gep" in done.stderr) == (code == 1)


def test_what_is_asked_for_and_not_there_is_3(folder: Path, tmp_path: Path) -> None:
    asked: dict[str, list[object]] = {
        "E792": ["run", tmp_path / "gep.toml"],
        "E006": ["services", "--profile", "jiangxi"],
        "E015": ["explain", folder, "360101", "--service", "pest_control"],
        "E016": ["explain", folder, "赣县", "--service", "water_retention"],
        "E018": ["help", "E999"],
    }
    for code, words in asked.items():
        for more in ([], ["--json"]):
            done = gep(*words, *more)
            assert done.exit_code == 3, words
            assert f"error {code}  " in done.stderr
            if more:
                assert [p["code"] for p in data(done)["problems"]] == [code]
            else:
                assert done.stdout == ""
    for words in (["verify", tmp_path], ["explain", tmp_path, "360101", "--service", "x"]):
        done = gep(*words)
        assert done.exit_code == 3
        assert "error E790  " in done.stderr
    done = gep("show", "watre_retention")
    assert done.exit_code == 3
    assert "water_retention" in done.stderr


def test_a_pipe_that_closes_early_is_no_bug(account: Path) -> None:
    command = [sys.executable, "-m", "gep.cli", "show", "air_purification", "--csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.close()
        said = child.stderr.read().decode()
    assert "Traceback" not in said


# --- data on stdout, people on stderr -----------------------------------------------------------


def test_check_as_data(account: Path, tmp_path: Path) -> None:
    found = data(gep("check", account, "--json"))
    assert found["ok"] is True
    assert [problem["code"] for problem in found["problems"]] == ["W402"]
    layers = {layer["name"]: layer for layer in found["layers"]}
    # 1600 + 2 row over rows 0 … 39
    assert (layers["precipitation"]["low"], layers["precipitation"]["high"]) == (1600, 1678)
    assert layers["precipitation"]["unit"] == "mm/year"
    assert layers["precipitation"]["missing"] == 0
    assert {"W103", "W104"} <= {reason["code"] for reason in found["uncovered"]}


def test_check_as_data_of_a_layer_without_values(tmp_path: Path) -> None:
    import numpy as np

    path = small.write(tmp_path, rasters={"precipitation": np.full((40, 50), np.nan)})
    done = gep("check", path, "--json")
    assert done.exit_code == 3
    found = data(done)
    assert found["ok"] is False
    assert [problem["code"] for problem in found["problems"]] == ["E301"]
    (layer,) = [layer for layer in found["layers"] if layer["name"] == "precipitation"]
    assert (layer["median"], layer["missing"]) == (None, 1.0)


def test_run_as_data(account: Path, folder: Path) -> None:
    found = data(gep("run", account, "--json"))
    assert found["folder"] == str(folder)
    assert found["root"] == json.loads((folder / "run.json").read_text("utf8"))["root"]
    assert [row["level"] for row in found["counties"]] == [
        *["county"] * 3,
        "unallocated",
        "city",
        "province",
    ]
    assert all(identity["holds"] for identity in found["identities"])
    total = sum(row["gep"] for row in found["counties"][:4])
    assert found["counties"][-1]["gep"] == pytest.approx(total, abs=0.005)


def test_run_shows_tables_on_stdout_and_talk_on_stderr(account: Path, folder: Path) -> None:
    done = gep("run", account, "--progress", "lines", "--lang", "zh")
    assert done.exit_code == 0
    for name in ("东县", "西县", "南县", "未分配", "小账户", "水源涵养", "稻谷"):
        assert name in done.stdout
    assert "部分核算" in done.stdout
    assert "100 %" in done.stderr
    assert "条恒等式成立" in done.stderr
    assert str(folder) in done.stderr
    for name in OUTPUTS:
        assert f"  {name}" in done.stderr


def test_run_into_another_folder(account: Path, folder: Path, tmp_path: Path) -> None:
    done = gep("run", account, "-o", tmp_path / "深 层" / "out", "--progress", "none")
    assert done.exit_code == 0
    other = store.find(tmp_path / "深 层" / "out")
    assert other.name == folder.name
    for name in OUTPUTS[:3]:
        assert (other / name).read_bytes() == (folder / name).read_bytes()


# --- several accounts ---------------------------------------------------------------------------


@pytest.fixture
def years(tmp_path: Path) -> list[Path]:
    """Two years in two folders; the second is wetter and has a hole between its counties."""
    wetter = {"precipitation": small.arrays()["precipitation"] + 100}
    change = {"account.name": "后年", "account.year": 2022}
    return [
        small.write(tmp_path / "first"),
        small.write(tmp_path / "second", rasters=wetter, change=change, hole=True),
    ]


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in OUTPUTS[:3]}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_several_are_shown_as_each_alone(language: str, years: list[Path], tmp_path: Path) -> None:
    together = gep("run", *years, "--lang", language, "--progress", "lines")
    assert together.exit_code == 0, together.output
    written = [store.find(path.parent / "output") for path in years]
    alone = [
        gep("run", path, "-o", tmp_path / "alone", "--progress", "none", "--lang", language)
        for path in years
    ]
    first, second = (done.stdout for done in alone)
    assert together.stdout == f"小账户 2021\n\n{first}\n后年 2022\n\n{second}"
    for folder in written:
        assert content(folder) == content(tmp_path / "alone" / folder.name)
        assert str(folder) in together.stderr
    said = together.stderr.splitlines()
    heads = [n for n, line in enumerate(said) if line.startswith("gep ")]
    assert [said[n].split()[2:4] for n in heads] == [["小账户", "2021"], ["后年", "2022"]]
    (hole,) = (n for n, line in enumerate(said) if "W402" in line)
    assert hole > heads[1]


def test_progress_runs_over_all_accounts_once(years: list[Path]) -> None:
    done = gep("run", *years, "--progress", "lines", "--threads", 1)
    shown = [int(line.split()[0]) for line in done.stderr.splitlines() if line.endswith(" %")]
    assert shown == [50, 100], "one tile each"


def test_several_as_data(years: list[Path], tmp_path: Path) -> None:
    """Folders stand for the gep.toml in them; all runs lie in the folder that is named."""
    out = tmp_path / "out"
    found = data(gep("run", *(path.parent for path in years), "-o", out, "--json"))
    assert [Path(each["folder"]).parent for each in found] == [out, out]
    assert [Path(each["folder"]).name[:5] for each in found] == ["2021_", "2022_"]
    assert [[p["code"] for p in each["problems"]] for each in found] == [[], ["W402"]]
    single = data(gep("run", years[0], "-o", out, "--json"))
    assert single == found[0]


def test_several_with_maps_and_strict(years: list[Path]) -> None:
    done = gep("run", *years, "--strict", "--progress", "none", "--maps", "total", "--fresh")
    assert done.exit_code == 4
    for path in years:
        maps = store.find(path.parent / "output") / "maps"
        assert sorted(file.name.split(".")[0] for file in maps.glob("*.tif")) == ["total"]
    assert gep("run", years[0], "--strict", "--progress", "none").exit_code == 0


def test_several_foretold(years: list[Path]) -> None:
    done = gep("run", *years, "-n")
    assert done.exit_code == 0
    first, second = (gep("run", path, "-n").stdout for path in years)
    assert done.stdout == f"小账户 2021\n\n{first}\n后年 2022\n\n{second}"
    found = data(gep("run", *years, "-n", "--json"))
    assert [Path(each["folder"]) for each in found] == [path.parent / "output" for path in years]
    assert not [path for path in years if (path.parent / "output").exists()]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_of_several_is_wrong(language: str, years: list[Path]) -> None:
    """Nothing is computed or written; whose the problem is stands above it."""
    text = years[1].read_text("utf8").replace('unit = "mm/year"', 'unit = "kg"')
    years[1].write_text(text, "utf8")
    done = gep("run", *years, "--progress", "none", "--lang", language)
    assert done.exit_code == 3
    assert done.stderr.splitlines()[0] == str(years[1])
    assert " E6" in done.stderr.splitlines()[1]
    assert done.stdout == ""
    found = data(gep("run", *years, "--json"))
    assert found["account"] == str(years[1])
    assert not [path for path in years if store_has_runs(path.parent / "output")]


def store_has_runs(folder: Path) -> bool:
    return bool(list(folder.glob("20*")))


def test_one_of_several_is_wrong_in_its_pixels(
    years: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a tile shows, not the check: the first account is whole, and not written either."""
    tile = Loop.tile

    def unreadable(self: Loop, *given: Any) -> Any:
        if self.plan.definition.account.year == 2022:
            raise InputError(Problem("E101", {"file": "rain.tif", "why": "torn"}))
        return tile(self, *given)

    monkeypatch.setattr(Loop, "tile", unreadable)
    done = gep("run", *years, "--progress", "none")
    assert done.exit_code == 3
    said = done.stderr.splitlines()
    assert said[0] == str(years[1])
    assert "error E101  rain.tif" in said[1]
    assert not [path for path in years if store_has_runs(path.parent / "output")]


# --- explain ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("place", ["360101", "东县"])
@pytest.mark.parametrize("service", ["water_retention", "Water retention", "水源涵养"])
def test_explain_names_everything_behind_a_number(
    language: str, place: str, service: str, account: Path, folder: Path
) -> None:
    done = gep("explain", folder, place, "--service", service, "--lang", language)
    assert done.exit_code == 0
    text = done.stdout
    layer = account.parent / "precipitation.tif"
    assert f"precipitation.tif  sha256 {store.digest_file(layer)[:12]}" in text
    assert (
        f"counties.gpkg  sha256 {store.digest_file(account.parent / 'counties.gpkg')[:12]}" in text
    )
    assert (
        f"ecosystem.tif  sha256 {store.digest_file(account.parent / 'ecosystem.tif')[:12]}" in text
    )
    # coefficient, its place on file, source, place in the source, status, verification
    opening = {"en": " (", "zh": "（"}[language]
    at = f"runoff_coefficient{opening}water_retention.toml: runoff_coefficient.sets."
    assert at in text
    assert "[S53" in text
    assert {"en": "; seen; ", "zh": "；见过原文；"}[language] in text
    assert {"en": "not verified", "zh": "未核实"}[language] in text
    # price: printed, its year, the index that moved it
    assert "6.1107 CNY_2005/m^3" in text
    assert "LYT1721" in text
    assert "fixed_asset_investment" in text
    assert "CNY_2021/m^3" in text
    root = json.loads((folder / "run.json").read_text("utf8"))["root"]
    assert root[:16] in text
    assert "numba" in text
    assert "360101" in text
    assert "东县" in text


def test_explain_every_service_of_every_place(folder: Path) -> None:
    core = json.loads((folder / "run.json").read_text("utf8"))["core"]
    names = dict.fromkeys(item["service"] for item in core["items"])
    for name in names:
        for place in ("360102", "unallocated"):
            for language in ("en", "zh"):
                done = gep("explain", folder, place, "--service", name, "--lang", language)
                assert done.exit_code == 0, done.output
                assert catalogue()[name].title.say(language) in done.stdout


def test_explain_of_what_is_not_covered_says_why(folder: Path) -> None:
    done = gep("explain", folder, "360101", "--service", "tourism")
    assert done.exit_code == 3
    assert "tourism.visits: not covered: no statistics table tourism" in done.stderr


# --- verify -------------------------------------------------------------------------------------


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / folder.name))


def test_verify_of_a_whole_run(folder: Path, account: Path) -> None:
    done = gep("verify", folder)
    assert done.exit_code == 0
    assert "4 files as hashed" in done.stdout
    assert "counties + unallocated = province (" in done.stdout
    assert done.stdout.splitlines()[1].endswith(" CNY)")
    assert done.stdout.count("✓") >= 6
    assert gep("verify", account.parent / "output").stdout == done.stdout
    assert "个文件与校验和一致" in gep("verify", folder, "--lang", "zh").stdout


@pytest.mark.parametrize("name", OUTPUTS[:3])
@pytest.mark.parametrize("where", [0.0, 0.3, 0.7, 0.999])
def test_verify_detects_one_flipped_bit(name: str, where: float, copied: Path) -> None:
    content = bytearray((copied / name).read_bytes())
    content[int(len(content) * where)] ^= 1
    (copied / name).write_bytes(bytes(content))
    done = gep("verify", copied)
    assert done.exit_code == 5
    assert f"error E715  {copied}: {name}: SHA-256 is " in done.stderr


def test_verify_detects_every_flipped_byte_of_the_core(copied: Path) -> None:
    whole = (copied / "run.json").read_bytes()
    end = whole.index(b'"envelope"')
    assert end > 10_000
    for position in range(0, end, 997):
        content = bytearray(whole)
        content[position] ^= 1
        (copied / "run.json").write_bytes(bytes(content))
        done = gep("verify", copied)
        blank = whole[position : position + 1] in b" \n\r"
        if done.exit_code == 0:  # only space between the values may change
            assert blank, position
            assert json.loads(bytes(content))["core"] == json.loads(whole)["core"]
            continue
        assert done.exit_code == 5, (position, done.output)
        assert "error E715  " in done.stderr or "error E716  " in done.stderr


def test_verify_detects_what_is_gone(copied: Path) -> None:
    (copied / "extent.csv").unlink()
    done = gep("verify", copied)
    assert done.exit_code == 5
    assert "extent.csv: SHA-256 is -" in done.stderr


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b'{"core": 1}', b"\xff\xfe\0"])
def test_a_manifest_that_is_none(content: bytes, copied: Path) -> None:
    (copied / "run.json").write_bytes(content)
    for words in (["verify", copied], ["explain", copied, "360101", "--service", "x"]):
        done = gep(*words)
        assert done.exit_code == 5, done.output
        assert "error E716  " in done.stderr


def test_verify_detects_numbers_that_do_not_add_up(copied: Path) -> None:
    """A forger who also renews the hashes is found by the identities."""
    path = copied / "county_gep.csv"
    lines = path.read_text("utf-8-sig").split("\n")
    cells = lines[1].split(",")
    column = lines[0].split(",").index("gep")
    cells[column] = f"{float(cells[column]) + 1:.2f}"
    path.write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]), "utf-8-sig")
    manifest = json.loads((copied / "run.json").read_text("utf8"))
    manifest["core"]["outputs"]["county_gep.csv"]["sha256"] = store.digest_file(path)
    manifest["root"] = store.digest(store.canonical(manifest["core"]))
    (copied / "run.json").write_text(json.dumps(manifest), "utf8")
    done = gep("verify", copied)
    assert done.exit_code == 5
    assert "error E711  identity counties does not hold" in done.stderr


# --- demo, init, lists --------------------------------------------------------------------------


def test_demo_is_idempotent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = gep("demo", "--progress", "none", "--lang", "zh")
    assert first.exit_code == 0, first.output
    assert "样例县" in first.stdout
    assert "万元" in first.stdout
    output = tmp_path / "gep-demo"
    before = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in store.find(output).iterdir()}
    second = gep("demo", "--progress", "none", "--lang", "zh")
    assert second.exit_code == 0
    assert second.stdout == first.stdout
    after = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in store.find(output).iterdir()}
    assert before == after
    assert len(list(output.glob("2021_*"))) == 1
    manifests = [data(gep("demo", "--json")) for _ in range(2)]
    root = json.loads(before["run.json"][1])["root"]
    assert {found["root"] for found in manifests} == {root}
    assert gep("verify", output).exit_code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["gep-demo"]


@pytest.mark.parametrize("profile", ["jiangxi-2021", "ndrc-2022", "gbt-46869-2025"])
def test_init_writes_what_check_understands(profile: str, tmp_path: Path) -> None:
    done = gep("init", tmp_path / "新县", "--profile", profile)
    assert done.exit_code == 0
    written = {Path(line).name for line in done.stdout.splitlines()}
    assert {"gep.toml", "数据清单.md", "emissions.csv"} <= written
    assert written == {path.name for path in (tmp_path / "新县").iterdir()}
    found = data(gep("check", tmp_path / "新县" / "gep.toml", "--json"))
    assert {problem["code"] for problem in found["problems"]} == {"E004"}
    assert len(found["problems"]) == len({problem["en"] for problem in found["problems"]})


def test_init_with_every_section_in_use(tmp_path: Path) -> None:
    """Take the comment signs off its layers and tables, and put the small account there."""
    folder = tmp_path / "new"
    assert gep("init", folder).exit_code == 0
    text = (folder / "gep.toml").read_text("utf8")
    lines = []
    given = False
    for line in text.splitlines():
        bare = line.removeprefix("# ")
        if bare.startswith("["):
            given = bare.strip("[] ").partition(".")[2] in {*small.UNITS, *small.TABLES}
        kept = given and bare.startswith(("[rasters", "[statistics", "file = ", "unit = "))
        lines.append(bare if kept else line)
    written = "\n".join(lines).replace('legend = "clcd"', 'legend = "gep"')
    header = (folder / "emissions.csv").read_text("utf-8-sig").strip()
    small.write(folder)
    (folder / "gep.toml").write_text(written, "utf8")
    assert header.startswith("county_code,so2(t),nox(t)")
    done = gep("check", folder / "gep.toml")
    assert done.exit_code == 0, done.output
    assert gep("run", folder / "gep.toml", "--progress", "none").exit_code == 0


def test_init_does_not_touch_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    done = gep("init", tmp_path)
    assert done.exit_code == 3
    assert "error E017" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert gep("init", "/proc/nonexistent/new").exit_code == 6


def test_services_lists_the_whole_vocabulary() -> None:
    rows = data(gep("services", "--json"))
    assert [row["service"] for row in rows] == list(catalogue())
    built = {row["service"] for row in rows if row["built"] == "yes"}
    assert {
        "water_retention",
        "soil_retention",
        "carbon_sequestration",
        "oxygen_release",
        "air_purification",
        "agricultural_products",
    } <= built


@pytest.mark.parametrize("service", ["water_retention", "水源涵养", "prices", "air_purification"])
def test_show_gives_every_number_a_source(service: str) -> None:
    rows = data(gep("show", service, "--json"))
    assert rows
    for row in rows:
        assert row["source"]
        assert row["where"]
        assert row["status"] in ("seen", "recalled", "derived", "design")
    lines = gep("show", service, "--csv").stdout.strip().splitlines()
    assert len(lines) == len(rows) + 1
    assert lines[0].startswith("file,name,set,key,value,unit,source,where,status")


def test_profiles_are_listed_with_their_state() -> None:
    rows = data(gep("profiles", "--json"))
    assert "jiangxi-2021" in {row["name"] for row in rows}
    assert {row["status"] for row in rows} == {"provisional"}


# --- speed, and what is imported ----------------------------------------------------------------


def best(command: list[str], times: int = 9) -> float:
    """Least processor time of several runs in seconds; Python's own start is in it.

    The time a child computes, not the time it waits for a processor others use.
    """
    resource = pytest.importorskip("resource")
    taken = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(taken)


def test_help_is_quick() -> None:
    assert best([sys.executable, "-m", "gep.cli", "--help"]) <= 0.150


def test_import_is_quick() -> None:
    assert best([sys.executable, "-c", "import gep"]) <= 0.100


HEAVY = ("numpy", "numba", "pint", "pandas", "xarray", "rasterio", "shapely", "pydantic", "rich")


@pytest.mark.parametrize("code", ["import gep", "import gep; gep.__version__", "import gep.cli"])
def test_import_is_lazy(code: str) -> None:
    script = f"{code}\nimport sys\nprint(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )  # fmt: skip
    assert done.stdout == "\n"


def test_output_survives_a_terminal_that_knows_no_chinese(account: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    command = [sys.executable, "-m", "gep.cli", "run", str(account), "--lang", "zh"]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert b"\\u4e1c\\u53bf" in done.stdout  # 东县


def test_the_sample_is_where_the_demo_looks_for_it() -> None:
    assert (shipped.folder("rasters") / "sample" / "gep.toml").is_file()
    assert console.STRICT == 4
