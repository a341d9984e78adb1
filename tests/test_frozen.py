"""`sha256` in a section: that very file is accounted, or none."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import small

import gep
from gep import resume
from gep.engine import How
from gep.errors import InputError

PLACES = ("rasters.precipitation", "rasters.ecosystem", "counties", "statistics.emissions")


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def file_of(folder: Path, at: str) -> Path:
    files = {"counties": "counties.gpkg", "statistics.emissions": "emissions.csv"}
    return folder / files.get(at, f"{at.split('.')[-1]}.tif")


def account(folder: Path, change: dict[str, str]) -> gep.Account:
    path = folder / "gep.toml"
    if not path.exists():
        small.write(folder)
    for at, said in change.items():
        lines = path.read_text("utf8").replace(f"[{at}]\n", f'[{at}]\nsha256 = "{said}"\n')
        path.write_text(lines, "utf8")
    return gep.open(path)


def core(result: gep.Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.files()["run.json"])["core"]
    return found


def test_files_that_are_the_ones_said_give_the_same_account(tmp_path: Path) -> None:
    plain = account(tmp_path, {}).run(threads=1, output=tmp_path / "output")
    said = {at: digest(file_of(tmp_path, at)) for at in PLACES}
    said["counties"] = said["counties"].upper()
    frozen = account(tmp_path, said).run(threads=1, output=tmp_path / "output")
    tables = [name for name in plain.files() if name.endswith(".csv")]
    assert [plain.files()[n] for n in tables] == [frozen.files()[n] for n in tables]
    effort = json.loads(frozen.files()["run.json"])["envelope"]["tiles"]
    assert effort["resumed"] > effort["computed"] == 0, "no tile is another"
    one, other = core(plain), core(frozen)
    assert "sha256" not in one["account"]["rasters"]["precipitation"]
    assert "sha256" not in one["inputs"]["rasters.precipitation"]["declared"]
    assert other["account"]["counties"]["sha256"] == said["counties"].lower()
    apart = {"account", "inputs", "identities", "outputs"}
    assert {k: v for k, v in one.items() if k not in apart} == {
        k: v for k, v in other.items() if k not in apart
    }


@pytest.mark.parametrize("at", PLACES)
def test_another_file_is_refused(at: str, tmp_path: Path) -> None:
    small.write(tmp_path)
    file = file_of(tmp_path, at)
    found, wanted = digest(file), "0" * 64
    asked = account(tmp_path, {at: wanted})
    text = f"{at}.sha256: {file} is another file: its SHA-256 is {found}, wanted is {wanted}"
    (problem,) = [one for one in asked.check().problems if one.code == "E105"]
    assert problem.text() == text
    assert problem.text("zh").startswith(
        f"{at}.sha256：{file} 不是指定的文件：其 SHA-256 为 {found}"
    )
    with pytest.raises(InputError) as caught:
        asked.run(threads=1)
    assert [one.code for one in caught.value.problems] == ["E105"]


def test_a_file_that_changes_after_it_was_checked_is_refused(tmp_path: Path) -> None:
    small.write(tmp_path)
    rain = tmp_path / "precipitation.tif"
    asked = account(tmp_path, {"rasters.precipitation": digest(rain)})
    report = asked.check()
    assert report.plan
    rain.write_bytes(rain.read_bytes() + b"\0")
    how = How(1, 512, None, None, False, False)
    with resume.keeping(None, False) as held, pytest.raises(InputError, match="is another file"):
        asked.begin(report, how, held)


@pytest.mark.parametrize("said", ["", "abc", "g" * 64, "0" * 63, "0" * 65, " " + "0" * 63])
@pytest.mark.parametrize("at", PLACES)
def test_what_is_no_digest_is_said(at: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        account(tmp_path, {at: said})
    (problem,) = caught.value.problems
    assert problem.code == "E003"
    assert problem.text().startswith(f"gep.toml: {at}.sha256 = '")
    assert problem.text().endswith(": must be the 64 digits of a SHA-256")
    assert problem.text("zh").endswith("：应为 SHA-256 的 64 位十六进制数字")


def test_the_file_of_a_scenario_is_another(tmp_path: Path) -> None:
    small.write(tmp_path)
    rain = tmp_path / "precipitation.tif"
    asked = account(tmp_path, {"rasters.precipitation": digest(rain)})
    (wet := tmp_path / "wet.tif").write_bytes(rain.read_bytes() + b"\0")
    for said in ("wet.tif", {"file": "wet.tif"}, {"file": "wet.tif", "sha256": digest(wet)}):
        problems = asked.scenario("wet", rasters={"precipitation": said}).check().problems
        assert "E105" not in [problem.code for problem in problems]
    named = {"file": "wet.tif", "sha256": digest(rain)}
    problems = asked.scenario("wet", rasters={"precipitation": named}).check().problems
    assert "E105" in [problem.code for problem in problems]
