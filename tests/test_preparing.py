"""Prepared rasters, from gep.toml to the account: what is made, of what, and never a stale one.

Expected values are worked out with plain numpy from what the test itself wrote.
"""

import json
import math
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import pytest
import rasterio
import small
import xarray
from rasterio.transform import from_origin

import gep
from gep import coefficients, prepared, rasters, step, store
from gep.cli import main
from gep.ecosystems import Title, ecosystems, legend
from gep.errors import (
    IdentityError,
    InputError,
    Problem,
    ResourceError,
    ServiceError,
    UnitError,
)
from gep.fuse import pixelwise
from gep.layers import variables
from gep.outputs import geotiff
from gep.preparation import (
    Preparation,
    Series,
    almanac,
    check_order,
    dates,
    preparations,
    steps_of,
)
from gep.replacements import replaced
from gep.units import factor

DAYS = 365
ROW, COLUMN = (index.astype(float) for index in np.indices((small.ROWS, small.COLUMNS)))
TEMPERATURE = (15 + ROW / 20 + COLUMN / 100).astype(np.float32)


def raw() -> dict[str, Any]:
    """What gep.toml says of the temperature."""
    return {"rasters.temperature": {"file": "temperature.tif", "unit": "degC"}}


INSIDE = small.places() >= 0


def write_series(
    path: Path, array: np.ndarray, *, nodata: float | None = small.NODATA, **more: Any
) -> Path:
    """GeoTIFF with a band per step, on the grid of the small account."""
    count, height, width = array.shape
    profile = {"driver": "GTiff", "height": height, "width": width, "count": count}
    profile |= {"dtype": array.dtype, "crs": small.CRS, "nodata": nodata}
    profile["transform"] = from_origin(small.WEST, small.NORTH, small.PIXEL, small.PIXEL)
    with rasterio.open(path, "w", **profile | more) as file:
        file.write(array)
    return path


def turc_account(folder: Path, temperature: np.ndarray = TEMPERATURE, **change: Any) -> Path:
    """Small account without evapotranspiration, but with temperature."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = np.where(np.isnan(temperature), small.NODATA, temperature).astype(np.float32)
    small.write_raster(folder / "temperature.tif", stored, nodata=small.NODATA)
    said = raw() | {key.replace("__", "."): value for key, value in change.items()}
    return small.write(folder, rasters={"evapotranspiration": None}, change=said)


def turc(precipitation: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    """Evapotranspiration of Turc 1954, in numpy."""
    p, t = precipitation.astype(float), temperature.astype(float)
    limit = 300 + 25 * t + 0.05 * t**3
    return np.minimum(p / np.sqrt(0.9 + (p / limit) ** 2), p)


def rain_account(folder: Path, rain: np.ndarray, **more: Any) -> Path:
    """Small account whose precipitation is the sum of daily rain [mm/day]."""
    folder.mkdir(parents=True, exist_ok=True)
    write_series(folder / "rain.tif", rain, **more)
    change = {"rasters.daily_precipitation": {"file": "rain.tif", "unit": "mm/day"}}
    return small.write(folder, rasters={"precipitation": None}, change=change)


def daily_rain(seed: int = 1) -> np.ndarray:
    """Rain of every day of a common year [mm/day]: about 1600 mm a year."""
    days = np.random.default_rng(seed).gamma(0.3, 15, (DAYS, small.ROWS, small.COLUMNS))
    return days.astype(np.float32)


def made(path: Path, name: str) -> Path:
    """The one prepared file of a raster below the account at *path*."""
    (found,) = (path.parent / "output/prepared").glob(f"{name}_*.tif")
    return found


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(1)


def assert_made(path: Path, expected: np.ndarray) -> None:
    """A file holds what is expected inside the counties, and nothing outside."""
    found = read(path)
    np.testing.assert_allclose(found[INSIDE], expected[INSIDE], rtol=1e-6, atol=1e-7)
    assert np.isnan(found[~INSIDE]).all()


def cli(*words: object, language: str = "en") -> click.testing.Result:
    runner = click.testing.CliRunner(env={"GEP_LANG": language})
    return runner.invoke(main, [str(word) for word in words])


def problems(path: Path) -> dict[str, str]:
    """What a run says is wrong, by code; nothing may be left behind."""
    with pytest.raises(InputError) as caught:
        gep.open(path).run()
    assert not (path.parent / "output").is_dir() or not any(
        file.suffix in (".tif", ".json") for file in (path.parent / "output").rglob("*")
    )
    text = {problem.code: problem.text() for problem in caught.value.problems}
    return {code: said.replace(f"{path.parent}/", "") for code, said in text.items()}


# ---- from raw data to the account


def test_a_missing_factor_is_prepared_and_the_account_is_that_of_the_same_raster(
    tmp_path: Path,
) -> None:
    path = turc_account(tmp_path / "a")
    result = gep.open(path).run()
    expected = turc(small.arrays()["precipitation"], TEMPERATURE)
    assert_made(made(path, "evapotranspiration"), expected)
    same = small.write(tmp_path / "b", rasters={"evapotranspiration": expected.astype(np.float32)})
    given = gep.open(same).run()
    quantity = result.cube["quantity"].sel(indicator="water_retention.water_retention")
    other = given.cube["quantity"].sel(indicator="water_retention.water_retention")
    np.testing.assert_allclose(quantity, other, rtol=1e-6)
    assert result.manifest["core"]["uncovered"] == given.manifest["core"]["uncovered"]


def test_check_says_what_will_be_prepared_and_writes_nothing(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    report = gep.open(path).check()
    assert report.ok
    (one,) = report.prepared
    assert (one.name, one.preparation.method, one.ready) == ("evapotranspiration", "turc", False)
    assert one.made_from == ("precipitation", "temperature")
    assert [row.name for row in report.layers][-1] == "temperature"
    assert "evapotranspiration" not in {row.name for row in report.layers}
    assert not (tmp_path / "output").exists()
    words = {
        "en": "will be prepared: evapotranspiration (",
        "zh": "将推算：实际蒸散发量（evapotranspiration）（",
    }
    for language, said in words.items():
        done = cli("check", path, "--lang", language)
        assert done.exit_code == 0
        assert said in done.stdout
    gep.open(path).prepare()
    assert "prepared: evapotranspiration (" in cli("check", path).stdout
    data = json.loads(cli("check", path, "--json").stdout)["prepared"]
    assert data == [
        {
            "raster": "evapotranspiration",
            "method": "turc",
            "file": str(made(path, "evapotranspiration")),
            "from": ["precipitation", "temperature"],
            "ready": True,
            "memory": 0,
        }
    ]


def test_a_raster_that_is_given_wins(tmp_path: Path) -> None:
    small.write_raster(tmp_path / "temperature.tif", TEMPERATURE)
    path = small.write(tmp_path, change=raw() | {"preparations.evapotranspiration.method": "turc"})
    report = gep.open(path).check()
    assert report.prepared == ()
    (warned,) = [problem for problem in report.problems if problem.code == "W800"]
    assert warned.text() == (
        "gep.toml: preparations.evapotranspiration has no effect: rasters.evapotranspiration "
        "is given"
    )


def test_what_can_be_made_of_the_layers_of_services_alone_is_made_only_if_asked(
    tmp_path: Path,
) -> None:
    path = small.write(tmp_path / "a", rasters={"erosivity": None})
    report = gep.open(path).check()
    assert report.prepared == ()
    assert report.plan
    assert "W102" in {u.reason.code for u in report.plan.uncovered if u.service == "soil_retention"}
    asked = {"preparations.erosivity.method": "zhang_annual"}
    path = small.write(tmp_path / "b", rasters={"erosivity": None}, change=asked)
    gep.open(path).run()
    rain = small.arrays()["precipitation"].astype(float)
    assert_made(made(path, "erosivity"), 0.0534 * rain**1.6548)


def test_the_account_says_how_a_raster_was_made(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    result = gep.open(path).run()
    core = result.manifest["core"]
    entry = core["preparations"]["evapotranspiration"]
    file = made(path, "evapotranspiration")
    assert entry["method"] == "turc"
    hashes = {n: store.digest_file(tmp_path / f"{n}.tif") for n in ("precipitation", "temperature")}
    assert entry["inputs"] == hashes
    assert entry["coefficients"]["turc_constant"]["values"]["constant"]["value"] == "0.9"
    assert core["inputs"]["rasters.temperature"]["sha256"] == hashes["temperature"]
    assert core["inputs"]["rasters.evapotranspiration"]["sha256"] == store.digest_file(file)
    assert core["inputs"]["rasters.evapotranspiration"]["file"] == file.name
    text = result.explain("360101", "water_retention")
    assert f"prepared: {preparations()['evapotranspiration', 'turc'].title.en} (turc)" in text
    assert f"temperature [degC]  temperature.tif  sha256 {hashes['temperature'][:12]}…" in text
    assert "turc_constant (evapotranspiration.toml: turc_constant)" in text
    assert "推算：" in result.explain("360101", "water_retention", "zh")
    assert str(tmp_path) not in json.dumps(core)


def test_numbers_behind_a_prepared_raster_count_as_used(tmp_path: Path) -> None:
    prepared_result = gep.open(turc_account(tmp_path / "a")).run()
    given = gep.open(small.write(tmp_path / "b")).run()
    assert prepared_result.verified[1] == given.verified[1] + 4
    listed = {entry["at"] for entry in prepared_result.manifest["core"]["quality"]["unverified"]}
    assert "evapotranspiration.toml: turc_constant" in listed


def test_the_file_says_what_it_is(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    gep.open(path).prepare()
    with rasterio.open(made(path, "evapotranspiration")) as file:
        assert file.units == ("mm/year",)
        assert file.compression.name == "deflate"
        assert file.block_shapes == [(512, 512)]
        assert np.isnan(file.nodata)
        assert file.dtypes == ("float32",)
        tags = file.tags()
        title = preparations()["evapotranspiration", "turc"].title
        assert file.descriptions == (f"{title.en} / {title.zh}",)
    assert (tags["raster"], tags["method"], tags["year"]) == ("evapotranspiration", "turc", "2021")
    assert json.loads(tags["coefficients"])["turc_cubic"]["values"]["constant"]["value"] == "0.05"
    assert json.loads(tags["inputs"]).keys() == {"precipitation", "temperature"}


def test_two_runs_give_the_same_bytes_in_any_folder(tmp_path: Path) -> None:
    turc_account(tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    found = []
    for name in ("a", "b"):
        path = tmp_path / name / "gep.toml"
        result = gep.open(path).run()
        file = made(path, "evapotranspiration")
        found.append((file.name, file.read_bytes(), result.manifest["root"]))
    assert found[0] == found[1]


def test_the_folder_is_as_gep_toml_says(tmp_path: Path) -> None:
    path = turc_account(tmp_path, output__prepared="factors")
    (one,) = gep.open(path).prepare()
    assert one.path.parent == tmp_path / "factors"
    assert not (tmp_path / "output").exists()


def test_a_scenario_prepares_from_its_own_raw_layer(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    account = gep.open(path)
    base = account.run()
    small.write_raster(tmp_path / "warm.tif", TEMPERATURE + np.float32(2))
    warm = account.scenario("warm", rasters={"temperature": "warm.tif"}).run()
    drier = warm.cube["quantity"] - base.cube["quantity"]
    assert float(drier.sel(indicator="water_retention.water_retention").sum()) < 0
    assert len(list((tmp_path / "output/prepared").glob("*.tif"))) == 2
    again = account.scenario("same", rasters={"temperature": "temperature.tif"}).run()
    assert again.envelope["tiles"]["computed"] == 0


# ---- never a stale one, never half a one


def test_a_raster_is_made_once(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    assert [s.ready for s in gep.open(path).prepare()] == [False]
    file = made(path, "evapotranspiration")
    before = file.stat().st_mtime_ns, file.stat().st_ino
    assert [s.ready for s in gep.open(path).prepare()] == [True]
    gep.open(path).run()
    assert (file.stat().st_mtime_ns, file.stat().st_ino) == before


CHANGES: dict[str, dict[str, Any]] = {
    "a parameter": {"preparations__evapotranspiration__parameters": {"turc_constant": 1.0}},
    "how a layer is read": {"rasters__temperature__offset": 1},
    "the year": {"account__year": 2020},
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_declaration_is_another_file(tmp_path: Path, what: str) -> None:
    path = turc_account(tmp_path)
    (first,) = gep.open(path).prepare()
    (second,) = gep.open(turc_account(tmp_path, **CHANGES[what])).prepare()
    assert not second.ready
    assert second.path != first.path


def test_another_content_is_another_file(tmp_path: Path) -> None:
    (first,) = gep.open(turc_account(tmp_path)).prepare()
    (second,) = gep.open(turc_account(tmp_path, TEMPERATURE + np.float32(1))).prepare()
    expected = turc(small.arrays()["precipitation"], TEMPERATURE + np.float32(1))
    assert second.path != first.path
    assert_made(second.path, expected)


def test_an_override_is_another_file(tmp_path: Path) -> None:
    (first,) = gep.open(turc_account(tmp_path)).prepare()
    text = (
        "file,name,set,key,value,unit,source,where,status\n"
        "evapotranspiration,turc_constant,,,1.0,1,GEP,a test,design\n"
    )
    (tmp_path / "own.csv").write_text(text, "utf8")
    (second,) = gep.open(turc_account(tmp_path, coefficients__overrides="own.csv")).prepare()
    assert second.path != first.path
    p, t = small.arrays()["precipitation"].astype(float), TEMPERATURE.astype(float)
    limit = 300 + 25 * t + 0.05 * t**3
    assert_made(second.path, p / np.sqrt(1 + (p / limit) ** 2))


def test_other_code_makes_it_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = turc_account(tmp_path)
    gep.open(path).prepare()
    monkeypatch.setattr(step, "package_digest", lambda: "another")
    assert [s.ready for s in gep.open(path).prepare()] == [False]
    assert [s.ready for s in gep.open(path).prepare()] == [True]


@pytest.mark.parametrize("damage", ["cut", "changed", "no sidecar", "no JSON", "gone"])
def test_a_damaged_file_is_made_again(tmp_path: Path, damage: str) -> None:
    path = turc_account(tmp_path)
    gep.open(path).prepare()
    file = made(path, "evapotranspiration")
    whole = file.read_bytes()
    if damage == "cut":
        file.write_bytes(whole[:-10])
    elif damage == "changed":
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif damage == "gone":
        file.unlink()
    elif damage == "no JSON":
        file.with_suffix(".json").write_text("{", "utf8")
    else:
        file.with_suffix(".json").unlink()
    assert [s.ready for s in gep.open(path).prepare()] == [False]
    assert file.read_bytes() == whole


def test_an_interrupted_preparation_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = turc_account(tmp_path)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(geotiff, "sync_file", stop)
        done = cli("prepare", path, "--progress", "none")
    assert done.exit_code == 130
    assert [f.name for f in (tmp_path / "output/prepared").iterdir()] == [store.LOCK]
    assert cli("prepare", path, "--progress", "none").exit_code == 0


def test_a_killed_preparation_leaves_nothing_the_next_one_uses(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    code = (
        "import gep, time, sys\n"
        "from gep.outputs import geotiff\n"
        "def wait(path):\n"
        "    print('here', flush=True); time.sleep(60)\n"
        "geotiff.sync_file = wait\n"
        f"gep.open({str(path)!r}).prepare()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"here\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    folder = tmp_path / "output/prepared"
    assert list(folder.glob("*.tif")) == []
    assert len(list(folder.glob(".staging-*"))) == 1
    gep.open(path).prepare()
    assert {f.suffix for f in folder.iterdir() if f.name != store.LOCK} == {".tif", ".json"}


def test_what_another_process_made_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    plan = gep.open(path).check().plan
    assert plan
    late = plan.todo
    gep.open(path).prepare()
    before = made(path, "evapotranspiration").stat().st_mtime_ns
    prepared.make(plan, late)
    assert made(path, "evapotranspiration").stat().st_mtime_ns == before


def test_a_folder_in_use_is_waited_for_and_then_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = turc_account(tmp_path)
    monkeypatch.setattr("gep.lock.PATIENCE", 0.1)
    with store.locked(tmp_path / "output/prepared"):
        done = cli("prepare", path, "--progress", "none")
    assert done.exit_code == 7
    assert "error E710" in done.stderr


def test_a_file_that_reads_back_differently_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(path: Path) -> None:
        with rasterio.open(path, "r+") as file:
            array = file.read(1)
            array[3, 3] += 1
            file.write(array, 1)

    monkeypatch.setattr(geotiff, "sync_file", spoil)
    path = turc_account(tmp_path)
    with pytest.raises(IdentityError) as caught:
        gep.open(path).prepare()
    assert [problem.code for problem in caught.value.problems] == ["E713"]
    assert [f.name for f in (tmp_path / "output/prepared").iterdir()] == [store.LOCK]


def test_an_input_that_changes_meanwhile_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = turc_account(tmp_path)
    file = tmp_path / "temperature.tif"

    def change(_: Path) -> None:
        file.write_bytes(file.read_bytes() + b" ")

    monkeypatch.setattr(geotiff, "sync_file", change)
    with pytest.raises(IdentityError) as caught:
        gep.open(path).prepare()
    assert [problem.code for problem in caught.value.problems] == ["E714"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf8")
    path = turc_account(tmp_path, output__prepared="file/prepared")
    with pytest.raises(ResourceError) as caught:
        gep.open(path).prepare()
    assert [problem.code for problem in caught.value.problems] == ["E705"]


def test_progress_goes_once_from_nothing_to_all(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    path = turc_account(tmp_path)
    gep.open(path).prepare(progress=lambda *step: seen.append(step))
    assert seen
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


# ---- chains


def test_a_chain_is_made_in_order_and_its_parts_are_said(tmp_path: Path) -> None:
    ndvi = (0.2 + COLUMN / 100).astype(np.float32)
    small.write_raster(tmp_path / "ndvi.tif", ndvi)
    change = {
        "rasters.ndvi": {"file": "ndvi.tif", "unit": "1"},
        "preparations.cover_factor.method": "cai2000",
        "preparations.vegetation_cover.parameters": {"soil_ndvi": 0.05, "vegetation_ndvi": 0.85},
    }
    path = small.write(tmp_path, rasters={"cover_factor": None}, change=change)
    result = gep.open(path).run()
    cover = np.clip((ndvi.astype(float) - 0.05) / (0.85 - 0.05), 0, 1).astype(np.float32)
    assert_made(made(path, "vegetation_cover"), cover)
    percent = 100 * cover.astype(float)
    expected = np.where(percent > 78.3, 0, 0.6508 - 0.3436 * np.log10(percent))
    assert_made(made(path, "cover_factor"), expected)
    entry = result.manifest["core"]["preparations"]
    assert list(entry) == ["vegetation_cover", "cover_factor"]
    hashes = {"ndvi": store.digest_file(tmp_path / "ndvi.tif")}
    assert entry["cover_factor"]["inputs"] == entry["vegetation_cover"]["inputs"] == hashes
    values = entry["vegetation_cover"]["coefficients"]["soil_ndvi"]["values"]["constant"]
    assert (values["value"], values["status"], values["source"]) == ("0.05", "given", "gep.toml")
    text = result.explain("360101", "soil_retention")
    assert text.index("(cai2000)") < text.index("(dimidiate)") < text.index("ndvi [1]  ndvi.tif")


def test_numbers_only_the_user_knows_are_asked_for(tmp_path: Path) -> None:
    small.write_raster(tmp_path / "ndvi.tif", np.full(INSIDE.shape, 0.5, np.float32))
    change = {"rasters.ndvi": {"file": "ndvi.tif", "unit": "1"}}
    path = small.write(tmp_path, rasters={"cover_factor": None}, change=change)
    assert gep.open(path).check().prepared == ()
    with pytest.raises(InputError) as caught:
        gep.open(path).prepare("vegetation_cover")
    assert str(caught.value) == (
        "vegetation_cover cannot be prepared: dimidiate: "
        "preparations.vegetation_cover.parameters.soil_ndvi, "
        "preparations.vegetation_cover.parameters.vegetation_ndvi"
    )


def test_a_method_that_needs_neighbours_sees_those_beyond_the_counties(tmp_path: Path) -> None:
    """The slope of a plane is the same everywhere, at the edge of the counties, too."""
    small.write_raster(tmp_path / "dem.tif", (100 + 5 * COLUMN).astype(np.float32))
    change = {"rasters.elevation": {"file": "dem.tif", "unit": "m"}}
    path = small.write(tmp_path, change=change)
    (one,) = gep.open(path).prepare("slope")
    _, widths = small.sides()
    expected = np.degrees(np.arctan(5 / widths))[:, None] + 0 * COLUMN
    np.testing.assert_allclose(read(one.path), expected, rtol=1e-6)


def test_a_circle_of_preparations_is_refused() -> None:
    def identity(other: float) -> float:
        return other

    def of(name: str, other: str) -> Preparation:
        kernel: Any = {"other": identity}["other"]
        kernel = eval(f"lambda {other}: {other}")  # noqa: S307
        return Preparation(
            name=name,
            method="m",
            title=Title("a", "甲"),
            kernel=kernel,
            rasters={other: "1"},
            gives="1",
            source="a test",
        )

    check_order([of("a", "b"), of("b", "c")])
    with pytest.raises(ServiceError, match=r"^preparations go round in a circle: a → b → a$"):
        check_order([of("a", "b"), of("b", "a")])


def test_a_calendar_no_series_has_is_refused() -> None:
    def kernel(monthly_precipitation: object, half_month: object) -> float:
        return 0.0

    with pytest.raises(ServiceError) as caught:
        Preparation(
            name="x",
            method="m",
            title=Title("x", "甲"),
            kernel=kernel,
            series={"monthly_precipitation": Series(unit="mm/month", step="month")},
            calendar=("half_month",),
            gives="1",
            source="a test",
        )
    assert [problem.code for problem in caught.value.problems] == ["E901"]


# ---- series


def test_rain_of_the_days_is_the_rain_of_the_year(tmp_path: Path) -> None:
    rain = daily_rain()
    path = rain_account(tmp_path, rain)
    gep.open(path).run()
    expected = rain.astype(float).sum(axis=0)
    assert_made(made(path, "precipitation"), expected)


def test_scale_fill_and_nodata_hold_for_every_band(tmp_path: Path) -> None:
    stored = np.round(daily_rain() * 10).astype(np.int16)
    stored[5, 2, 3] = -32768
    stored[9, 4, 5] = -7777
    write_series(tmp_path / "rain.tif", stored, nodata=-32768)
    section = {"file": "rain.tif", "unit": "mm/day", "scale": 0.1, "fill": [-7777]}
    change = {"rasters.daily_precipitation": section}
    path = small.write(tmp_path, rasters={"precipitation": None}, change=change)
    gep.open(path).prepare()
    expected = stored.astype(float).sum(axis=0) * 0.1
    expected[2, 3] = expected[4, 5] = np.nan
    assert_made(made(path, "precipitation"), expected)


def test_a_coarse_series_is_resampled(tmp_path: Path) -> None:
    coarse = daily_rain()[:, :8, :10]
    transform = from_origin(small.WEST, small.NORTH, 5 * small.PIXEL, 5 * small.PIXEL)
    write_series(tmp_path / "rain.tif", coarse, transform=transform)
    section = {"file": "rain.tif", "unit": "mm/day", "resampling": "nearest"}
    change = {"rasters.daily_precipitation": section}
    path = small.write(tmp_path, rasters={"precipitation": None}, change=change)
    gep.open(path).prepare()
    expected = coarse.astype(float).sum(axis=0).repeat(5, axis=0).repeat(5, axis=1)
    assert_made(made(path, "precipitation"), expected)


def test_check_reads_part_of_a_series_and_shows_its_mean(tmp_path: Path) -> None:
    rain = daily_rain()
    path = rain_account(tmp_path, rain)
    report = gep.open(path).check()
    assert report.ok
    (row,) = [row for row in report.layers if row.name == "daily_precipitation"]
    assert row.unit == "mm/day"
    assert row.median == pytest.approx(np.median(rain.mean(axis=0)[INSIDE]), rel=1e-3)
    assert row.high == pytest.approx(rain[:, INSIDE].max(), rel=1e-6)


def test_a_leap_year_has_one_day_more(tmp_path: Path) -> None:
    path = rain_account(tmp_path, daily_rain())
    text = path.read_text("utf8").replace("year = 2021", "year = 2020")
    path.write_text(text, "utf8")
    assert problems(path) == {
        "E804": "rasters.daily_precipitation: rain.tif has 365 bands; the year needs 366, "
        "one for each day or month"
    }
    path.write_text(text.replace('unit = "mm/day"', 'unit = "mm/day"\nyear = 2021'), "utf8")
    report = gep.open(path).check()
    assert "W012" in {problem.code for problem in report.problems}
    assert report.prepared[0].year == 2021
    gep.open(path).prepare()
    with rasterio.open(made(path, "precipitation")) as file:
        assert file.tags()["year"] == "2021"


def test_series_of_two_years_are_not_mixed(tmp_path: Path) -> None:
    change: dict[str, Any] = {"preparations.evapotranspiration.method": "zhang"}
    warm = np.full((DAYS, *INSIDE.shape), 25, np.float32)
    for name, year in (("daily_maximum_temperature", 2021), ("daily_minimum_temperature", 2019)):
        write_series(tmp_path / f"{name}.tif", warm)
        section = {"file": f"{name}.tif", "unit": "degC", "year": year}
        change[f"rasters.{name}"] = section
    path = small.write(tmp_path, rasters={"evapotranspiration": None}, change=change)
    with pytest.raises(InputError) as caught:
        gep.open(path).run()
    assert {problem.code for problem in caught.value.problems} == {"E817"}
    assert (
        "reference_evapotranspiration by hargreaves takes series of one year; these are of "
        "daily_maximum_temperature 2021, daily_minimum_temperature 2019"
    ) in [problem.text() for problem in caught.value.problems]


# ---- bad input


def test_a_year_with_months_missing(tmp_path: Path) -> None:
    write_series(tmp_path / "rain.tif", np.full((11, *INSIDE.shape), 130, np.float32))
    change = {"rasters.monthly_precipitation": {"file": "rain.tif", "unit": "mm/month"}}
    path = small.write(tmp_path, rasters={"precipitation": None}, change=change)
    assert problems(path) == {
        "E804": "rasters.monthly_precipitation: rain.tif has 11 bands; the year needs 12, "
        "one for each day or month"
    }


def test_months_without_any_value(tmp_path: Path) -> None:
    rain = np.full((12, *INSIDE.shape), 130, np.float32)
    rain[[1, 6]] = small.NODATA
    write_series(tmp_path / "rain.tif", rain)
    change = {"rasters.monthly_precipitation": {"file": "rain.tif", "unit": "mm/month"}}
    path = small.write(tmp_path, rasters={"precipitation": None}, change=change)
    assert problems(path) == {
        "E812": "rasters.monthly_precipitation: rain.tif has no value inside the counties on "
        "2021-02, 2021-07"
    }


@pytest.mark.parametrize("at", [(3, 4), (39, 44)])
def test_an_impossible_day_is_named_and_located(tmp_path: Path, at: tuple[int, int]) -> None:
    rain = daily_rain()
    rain[59][at] = -77
    path = rain_account(tmp_path, rain)
    assert problems(path) == {
        "E808": "rasters.daily_precipitation: rain.tif: -77 mm/day on 2021-03-01 (band 60) at row "
        f"{at[0] + 1}, column {at[1] + 1} is impossible; possible is 0.0 to 2000.0"
    }


def test_an_impossible_day_outside_the_counties_is_no_ones_business(tmp_path: Path) -> None:
    rain = daily_rain()
    rain[59, 3, 47] = -77
    gep.open(rain_account(tmp_path, rain)).prepare()


def test_bands_read_differently(tmp_path: Path) -> None:
    path = rain_account(tmp_path, daily_rain())
    with rasterio.open(tmp_path / "rain.tif", "r+") as file:
        file.scales = [1.0] * 4 + [0.1] + [1.0] * (DAYS - 5)
    assert problems(path) == {
        "E805": "rasters.daily_precipitation: rain.tif: nodata, scale, offset, unit or type "
        "differs from band 1 in band 5"
    }


def test_bands_never_written(tmp_path: Path) -> None:
    rain = daily_rain()
    form = {"tiled": True, "blockxsize": 16, "blockysize": 16, "interleave": "band"}
    path = rain_account(tmp_path, rain, nodata=None, **form)
    profile = {"nodata": None, "sparse_ok": True, **form}
    with rasterio.open(tmp_path / "rain.tif") as file:
        profile = file.profile | profile
    with rasterio.open(tmp_path / "rain.tif", "w", **profile) as file:
        for band in range(1, DAYS):
            file.write(rain[band - 1], band)
    assert problems(path) == {
        "E811": "rasters.daily_precipitation: rain.tif: band 365 has tiles that were never "
        "written, and the file has no nodata value"
    }


def test_one_band_of_a_series_cannot_be_meant(tmp_path: Path) -> None:
    path = rain_account(tmp_path, daily_rain())
    text = path.read_text("utf8").replace('file = "rain.tif"', 'file = "rain.tif"\nband = 3')
    path.write_text(text, "utf8")
    assert problems(path) == {
        "E020": "rasters.daily_precipitation: band = 3 cannot be meant for what this raster holds"
    }


def test_a_series_of_another_quantity(tmp_path: Path) -> None:
    path = rain_account(tmp_path, daily_rain())
    path.write_text(path.read_text("utf8").replace('"mm/day"', '"mm"'), "utf8")
    assert problems(path).keys() == {"E603"}


def soil(folder: Path, unit: str, parts: tuple[float, float, float]) -> Path:
    """Small account without erodibility, but with a soil of the given parts."""
    change = {}
    shares = dict(zip(("sand", "silt", "clay"), parts, strict=True)) | {"organic_carbon": 0.8}
    for name, part in shares.items():
        array = np.full(INSIDE.shape, part, np.float32)
        if name == "clay":
            array[6, 7] += np.float32(0.05 * sum(parts))
        small.write_raster(folder / f"{name}.tif", array)
        own = "percent" if name == "organic_carbon" else unit
        change[f"rasters.{name}"] = {"file": f"{name}.tif", "unit": own}
    return small.write(folder, rasters={"erodibility": None}, change=change)


@pytest.mark.parametrize(("unit", "whole"), [("percent", 100.0), ("1", 1.0)])
def test_a_texture_that_does_not_add_up(tmp_path: Path, unit: str, whole: float) -> None:
    parts = (0.4 * whole, 0.3 * whole, 0.3 * whole)
    assert problems(soil(tmp_path, unit, parts)) == {
        "E809": "sand, silt and clay (sand.tif, silt.tif, clay.tif) do not add up to 100 %: "
        "105.0% at row 7, column 8, the first of 1 such pixels seen"
    }


@pytest.mark.parametrize(
    ("unit", "parts", "code"), [("percent", (0.4, 0.3, 0.3), "E304"), ("1", (40, 30, 30), "E307")]
)
def test_percent_for_a_fraction_and_the_other_way_round(
    tmp_path: Path, unit: str, parts: tuple[float, float, float], code: str
) -> None:
    said = problems(soil(tmp_path, unit, parts))
    assert code in said
    if code == "E304":
        with pytest.raises(InputError) as caught:
            gep.open(tmp_path / "gep.toml").run()
        first = next(problem for problem in caught.value.problems if problem.code == code)
        assert "100" in str(first.fields["hint"]).split(", ")


def of_soil(folder: Path, section: str) -> list[Problem]:
    """What a check finds of a loam, with a section of preparations."""
    path = soil(folder, "percent", (40, 30, 30))
    text = path.read_text("utf8")
    path.write_text(f"{text}\n{section}\n", "utf8")
    return gep.open(path).check().problems


def test_limits_of_the_grains(tmp_path: Path) -> None:
    """The values of a texture cannot say where silt ends."""
    found = {p.code: p for p in of_soil(tmp_path, "")}
    assert found["W803"].text() == (
        "preparations.erodibility: sand.tif, silt.tif, clay.tif are taken to have the limits of "
        "USDA: silt from 0.002 to 0.05 mm"
    )
    usda = '[preparations.erodibility]\ngrain_limits = "usda"'
    assert "W803" not in {p.code for p in of_soil(tmp_path, usda)}
    accepted = {p.code for p in of_soil(tmp_path, '[accept]\nW803 = "a survey of ours"')}
    assert "W010" in accepted
    assert "W803" not in accepted
    for limits in ("isss", "katschinski"):
        codes = [p.code for p in of_soil(tmp_path, usda.replace("usda", limits))]
        assert "E820" in codes
        assert "W803" not in codes


def test_limits_of_the_grains_of_something_else(tmp_path: Path) -> None:
    section = '[preparations.slope]\ngrain_limits = "usda"'
    (found,) = [p for p in of_soil(tmp_path, section) if p.code == "E803"]
    assert found.text() == (
        "preparations.slope: unknown name grain_limits; known: method, parameters, sets"
    )
    typed = '[preparations.erodibility]\ngrain_limits = "fao"'
    with pytest.raises(InputError) as caught:
        of_soil(tmp_path, typed)
    assert [p.code for p in caught.value.problems] == ["E003"]


def test_metres_of_rain_for_millimetres(tmp_path: Path) -> None:
    """A year of 1642.5 mm is 4.5 mm a day; in metres 0.0045, which no place in the country has."""
    days = np.full((DAYS, small.ROWS, small.COLUMNS), 0.0045, np.float32)
    write_series(tmp_path / "days.tif", days)
    change: dict[str, Any] = {"rasters.daily_precipitation": {"file": "days.tif", "unit": "mm/day"}}
    path = small.write(tmp_path, rasters={"precipitation": None}, change=change)
    (found,) = [p for p in gep.open(path).check().problems if p.code == "E304"]
    assert found.text().partition("days.tif: ")[2] == (
        "the median is 0.0045 mm/day; usual is 0.5 to 11.0; it would fit times 1000"
    )
    with pytest.raises(InputError) as caught:
        gep.open(path).run()
    assert "E304" in {p.code for p in caught.value.problems}
    change["rasters.daily_precipitation"]["unit"] = "m/day"
    path = small.write(tmp_path, rasters={"precipitation": None}, change=change)
    assert "E304" not in {p.code for p in gep.open(path).check().problems}
    low, high = variables()["precipitation"].usual
    assert variables()["daily_precipitation"].usual == pytest.approx(
        (low / 365, high / 365), rel=0.1
    )


def test_ndvi_beyond_what_an_index_can_be(tmp_path: Path) -> None:
    ndvi = np.full(INSIDE.shape, 0.5, np.float32)
    ndvi[2, 3] = 1.2
    small.write_raster(tmp_path / "ndvi.tif", ndvi)
    change = {
        "rasters.ndvi": {"file": "ndvi.tif", "unit": "1"},
        "preparations.vegetation_cover.parameters": {"soil_ndvi": 0.05, "vegetation_ndvi": 0.85},
    }
    path = small.write(tmp_path, rasters={"cover_factor": None}, change=change)
    assert problems(path) == {
        "E307": "rasters.ndvi: ndvi.tif: 1.2 at row 3, column 4 is impossible; possible is "
        "-1.0 to 1.0"
    }


def dem(folder: Path, elevation: np.ndarray, unit: str = "m", **accept: str) -> Path:
    stored = np.where(np.isnan(elevation), small.NODATA, elevation).astype(np.float32)
    small.write_raster(folder / "dem.tif", stored, nodata=small.NODATA)
    change = {"rasters.elevation": {"file": "dem.tif", "unit": unit}, "accept": accept}
    return small.write(folder, rasters={"slope_factor": None}, change=change)


def test_an_elevation_with_holes(tmp_path: Path) -> None:
    elevation = 100 + ROW + COLUMN
    elevation[8:10, 12] = np.nan
    assert problems(dem(tmp_path, elevation)) == {
        "E810": "rasters.elevation: dem.tif has a hole inside the counties, first at row 9, "
        "column 13; slope needs the neighbours of every pixel"
    }
    account = gep.open(dem(tmp_path, elevation, E810="the sea"))
    slope = read(account.prepare("slope")[0].path)
    assert np.isnan(slope[8, 12])
    elevation[8:10, 12], elevation[:, 47] = 0, np.nan
    gep.open(dem(tmp_path, elevation)).prepare("slope")


def test_an_elevation_in_degrees(tmp_path: Path) -> None:
    assert problems(dem(tmp_path, 100 + ROW, "degree")).keys() == {"E603"}


def test_erosivity_in_us_units(tmp_path: Path) -> None:
    american = small.arrays()["erosivity"] / np.float32(17.02)
    path = small.write(tmp_path, rasters={"erosivity": american})
    assert problems(path) == {
        "E814": "rasters.erosivity: erosivity.tif: the median is 482.961, 4.3% of what the rain of "
        "1639 mm/year gives: are these US units"
    }
    text = path.read_text("utf8")
    path.write_text(f'{text}[accept]\nE814 = "measured"\n', "utf8")
    assert "W010" in {problem.code for problem in gep.open(path).run().problems}
    said = Problem("E814", {"file": "", "median": "", "rain": "", "share": ""})
    for language in ("en", "zh"):
        assert f'unit = "{US}"' in said.fix(language)
    change = {"rasters.erosivity.unit": US}
    gep.open(small.write(tmp_path, rasters={"erosivity": american}, change=change)).run()
    assert 17.02 in variables()["erosivity"].slips


US = "100*ft*tonf*in/(acre*h*year)"
SHANXI = ("140101", "140102", "140103")


def without_rain(folder: Path, codes: tuple[str, ...], divisor: float, **change: Any) -> Path:
    """Small account without precipitation, its erosivity divided."""
    counties = small.counties()
    counties["code"] = codes
    layers = {"erosivity": small.arrays()["erosivity"] / np.float32(divisor), "precipitation": None}
    said = {key.replace("__", "."): value for key, value in change.items()}
    tables = dict.fromkeys(small.TABLES)
    return small.write(folder, polygons=counties, rasters=layers, change=said, tables=tables)


def test_erosivity_in_us_units_without_rain(tmp_path: Path) -> None:
    """8220 / 17.02 = 483: between 3477.30 / 17.02 = 204 and 24878.65 / 17.02 = 1462."""
    path = without_rain(tmp_path / "a", small.CODES, 17.02)
    assert problems(path)["E818"] == (
        "rasters.erosivity: erosivity.tif: the median is 482.961, and there is no precipitation to "
        "judge it by; in the humid south 3477 to 24879 MJ*mm/(ha*h*year) are published, in US "
        "units 204 to 1462: are these US units"
    )
    accepted = without_rain(tmp_path / "b", small.CODES, 17.02, accept__E818="measured")
    assert "W010" in {p.code for p in gep.open(accepted).check().problems}
    declared = without_rain(tmp_path / "c", small.CODES, 17.02, rasters__erosivity__unit=US)
    report = gep.open(declared).check()
    assert not {"E818", "W010"} & {p.code for p in report.problems}
    (row,) = [row for row in report.layers if row.name == "erosivity"]
    assert row.median == pytest.approx(482.961 * 17.0195, rel=1e-5)


@pytest.mark.parametrize(
    ("codes", "divisor", "found"),
    [
        (SHANXI, 17.02, {"E818"}),  # 483: it may be either there
        (SHANXI, 170.2, {"E818"}),  # 48: below what the south has in US units, as the dry north is
        (SHANXI, 5.63, {"E818"}),  # 1460
        (SHANXI, 5.6, set()),  # 1468 is above all of them
        (small.CODES, 60, {"E818"}),  # 137: below all of them
        (small.CODES, 5, set()),
        (small.CODES, 1, set()),
    ],
)
def test_a_low_erosivity_without_rain_is_an_error_everywhere(
    tmp_path: Path, codes: tuple[str, ...], divisor: float, found: set[str]
) -> None:
    report = gep.open(without_rain(tmp_path, codes, divisor)).check()
    assert {p.code for p in report.problems} & {"E814", "E818"} == found


@pytest.mark.parametrize(("divisor", "rain", "found"), [(17.02, 2.0, {"E814"}), (8.22, 1.0, set())])
def test_rain_that_will_be_made_judges_erosivity_once_it_is_made(
    tmp_path: Path, divisor: float, rain: float, found: set[str]
) -> None:
    """R is 483 where 0.0534 x 730^1.6548 = 2923, a quarter 708; 1000 where 365 mm give 928."""
    days = np.full((DAYS, small.ROWS, small.COLUMNS), rain, np.float32)
    write_series(tmp_path / "days.tif", days)
    change = {"rasters__daily_precipitation": {"file": "days.tif", "unit": "mm/day"}}
    path = without_rain(tmp_path, SHANXI, divisor, **change)
    assert not {"E814", "E818"} & {p.code for p in gep.open(path).check().problems}
    gep.open(path).prepare("precipitation")
    judged = {p.code for p in gep.open(path).check().problems}
    assert judged & {"E814", "E818"} == found


def test_us_units_of_erosivity() -> None:
    """100 ft tonf in/(acre h): 100 x 0.3048 m x 8896.44 N x 25.4 mm / 0.404686 ha, Foster 1981."""
    times = 100 * 0.3048 * 2000 * 0.45359237 * 9.80665e-6 * 25.4 / 0.40468564224
    assert factor(US, "MJ*mm/(ha*h*year)", "erosivity") == pytest.approx(times, rel=1e-9)
    assert times == pytest.approx(17.02, abs=5e-3)
    published = variables()["erosivity"].published
    assert published
    assert published.source in coefficients.load()[0].sources
    assert published.high / 17.02 < published.low, "no number is of both"


def test_limits_of_ndvi_the_wrong_way_round(tmp_path: Path) -> None:
    small.write_raster(tmp_path / "ndvi.tif", np.full(INSIDE.shape, 0.5, np.float32))
    for soil, full in ((0.9, 0.1), (0.5, 0.5)):
        limits = {"soil_ndvi": soil, "vegetation_ndvi": full}
        change = {
            "rasters.ndvi": {"file": "ndvi.tif", "unit": "1"},
            "preparations.vegetation_cover.parameters": limits,
        }
        path = small.write(tmp_path, rasters={"cover_factor": None}, change=change)
        assert problems(path) == {
            "E819": f"preparations.vegetation_cover: soil_ndvi = {soil:g} is not below "
            f"vegetation_ndvi = {full:g}: nothing could be made of them"
        }


def test_limits_of_ndvi_the_wrong_way_round_in_one_class(tmp_path: Path) -> None:
    head = "file,name,set,key,value,unit,source,where,status\n"
    numbers = (
        *(("soil_ndvi", "forest", 0.1), ("vegetation_ndvi", "forest", 0.9)),
        *(("soil_ndvi", "upland", 0.7), ("vegetation_ndvi", "upland", 0.6)),
        ("soil_ndvi", "paddy", 0.7),  # the other is not known: missing, not wrong
    )
    rows = [f"vegetation_cover,{n},,{key},{v},1,GEP,a test,design\n" for n, key, v in numbers]
    (tmp_path / "own.csv").write_text(head + "".join(rows), "utf8")
    small.write_raster(tmp_path / "ndvi.tif", np.full(INSIDE.shape, 0.5, np.float32))
    change = {"rasters.ndvi": {"file": "ndvi.tif", "unit": "1"}}
    change |= {"coefficients.overrides": "own.csv"}
    path = small.write(tmp_path, rasters={"cover_factor": None}, change=change)
    assert problems(path)["E819"] == (
        "preparations.vegetation_cover: soil_ndvi = 0.7 is not below vegetation_ndvi = 0.6 "
        f"({ecosystems()['upland'].title.en}): nothing could be made of them"
    )


def test_the_legend_is_part_of_what_a_raster_follows_from(tmp_path: Path) -> None:
    """An own legend that calls the same codes other classes is another raster, and no stale one."""
    months = np.full((12, small.ROWS, small.COLUMNS), 100, np.float32)
    write_series(tmp_path / "rain.tif", months)
    write_series(tmp_path / "warm.tif", months * 0 + 20)
    text = legend("gep").path.read_text("utf8")
    (tmp_path / "own.toml").write_text(text, "utf8")
    change: dict[str, Any] = {
        "rasters.monthly_precipitation": {"file": "rain.tif", "unit": "mm/month"},
        "rasters.monthly_temperature": {"file": "warm.tif", "unit": "degC"},
        "rasters.ecosystem.legend": "own.toml",
    }
    path = small.write(tmp_path, rasters={"net_ecosystem_production": None}, change=change)
    (first,) = gep.open(path).prepare("net_ecosystem_production")
    assert gep.open(path).prepare("net_ecosystem_production")[0].ready
    other = text.replace('"built_up"', '"?"').replace('"mixed_forest"', '"built_up"')
    (tmp_path / "own.toml").write_text(other.replace('"?"', '"mixed_forest"'), "utf8")
    (second,) = gep.open(path).prepare("net_ecosystem_production")
    assert not second.ready
    assert second.path != first.path
    town = (small.classes() == 61) & INSIDE
    breath = 12 * 0.22 * (math.exp(0.0913 * 20) + math.log(0.3145 * 100 + 1)) * 30 * 0.465
    difference = read(first.path)[town] - read(second.path)[town]
    np.testing.assert_allclose(difference, breath, rtol=1e-5)


SECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "E800": (
        {"preparations.erosvity.method": "fournier"},
        "gep.toml: preparations.erosvity: no such raster is prepared; known: ",
    ),
    "E801": (
        {"preparations.evapotranspiration.method": "thorn"},
        "gep.toml: preparations.evapotranspiration: unknown method thorn; known: ",
    ),
    "E802": (
        {"preparations.erosivity.method": "fournier"},
        "gep.toml: preparations.erosivity by fournier lacks monthly_precipitation",
    ),
    "E803": (
        {"preparations.evapotranspiration.parameters": {"turk": 1}},
        "preparations.evapotranspiration.parameters: unknown name turk; known: ",
    ),
    "E522": (
        {"preparations.evapotranspiration.parameters": {"turc_constant": 99}},
        "preparations.evapotranspiration.parameters.turc_constant = 99 is outside [",
    ),
    "E002": (
        {"preparations.evapotranspiration.metod": "turc"},
        "gep.toml: unknown key preparations.evapotranspiration.metod; known: method",
    ),
}


@pytest.mark.parametrize("code", SECTIONS)
def test_sections_that_cannot_be_meant(tmp_path: Path, code: str) -> None:
    change, said = SECTIONS[code]
    without = {"evapotranspiration": None, "erosivity": None}
    small.write_raster(tmp_path / "temperature.tif", TEMPERATURE)
    path = small.write(tmp_path, rasters=without, change=raw() | change)
    found = problems(path)
    assert found.keys() == {code}
    assert found[code].startswith(said)


def test_a_set_nobody_knows(tmp_path: Path) -> None:
    path = turc_account(tmp_path, preparations__evapotranspiration__sets={"turc_constant": "mine"})
    text = problems(path)["E803"]
    assert text.startswith("preparations.evapotranspiration.sets.turc_constant: unknown name mine")


def test_a_number_by_class_is_no_parameter(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(
        "file,name,set,key,value,unit,source,where,status\n"
        "vegetation_cover,soil_ndvi,,forest,0.05,1,GEP,a test,design\n",
        "utf8",
    )
    small.write_raster(tmp_path / "ndvi.tif", np.full(INSIDE.shape, 0.5, np.float32))
    change = {
        "rasters.ndvi": {"file": "ndvi.tif", "unit": "1"},
        "coefficients.overrides": "own.csv",
        "preparations.vegetation_cover.parameters": {"soil_ndvi": 0.05, "vegetation_ndvi": 0.85},
    }
    path = small.write(tmp_path, rasters={"cover_factor": None}, change=change)
    said = "gep.toml: preparations.vegetation_cover.parameters.soil_ndvi: only a constant"
    assert problems(path)["E806"].startswith(said)


def test_a_number_by_county_makes_no_raster(tmp_path: Path) -> None:
    plan = gep.open(turc_account(tmp_path)).check().plan
    assert plan
    assert plan.preparing
    by_county = replace(plan.steps[0].coefficients["turc_constant"], by=("county",))
    book = plan.book.services["evapotranspiration"]
    book["turc_constant"] = {"": by_county}
    one = plan.steps[0].preparation
    with pytest.raises(InputError) as caught:
        plan.preparing._coefficient(one, "turc_constant", "1")
    assert str(caught.value) == (
        "evapotranspiration.toml: turc_constant: by county: a prepared raster can depend on "
        "ecosystem and year only"
    )


def test_a_run_that_prepares_warns_as_one_that_does_not(tmp_path: Path) -> None:
    path = turc_account(tmp_path, rasters__temperature__year=2018)
    account = gep.open(path)
    first, second = account.run(), account.run()
    assert not account.check().plan.todo, "the second run found what the first had made"
    codes = [problem.code for problem in first.problems]
    assert codes.count("W012") == 1
    assert sorted(codes) == sorted(problem.code for problem in second.problems)


def test_a_faulty_raw_layer_is_said_once(tmp_path: Path) -> None:
    path = turc_account(tmp_path, rasters__temperature__unit="mm")
    assert problems(path).keys() == {"E603"}
    report = gep.open(path).check()
    assert report.plan
    assert "water_retention" not in {u.service for u in report.plan.uncovered}


# ---- numbers of a scenario


def test_a_number_of_a_scenario_beats_that_of_gep_toml(tmp_path: Path) -> None:
    said = {"preparations__evapotranspiration__parameters": {"turc_constant": 1.5}}
    account = gep.open(turc_account(tmp_path, **said))
    account.run()
    after = account.scenario("dry", coefficients={"turc_constant": "0.9"}).run()
    entry = after.manifest["core"]["preparations"]["evapotranspiration"]
    (value,) = entry["coefficients"]["turc_constant"]["values"].values()
    assert (value["value"], value["source"]) == ("0.9", "caller")
    files = [*(tmp_path / "output/prepared").glob("evapotranspiration_*.tif")]
    assert len(files) == 2
    expected = turc(small.arrays()["precipitation"], TEMPERATURE)[INSIDE]
    assert any(np.allclose(read(file)[INSIDE], expected, rtol=1e-6) for file in files)


def test_a_name_that_stands_in_two_files_says_which_it_means() -> None:
    book, _ = coefficients.load()

    def text(name: str, language: str = "en") -> str:
        with pytest.raises(InputError) as caught:
            replaced(book, {name: {"upland": "0.4"}}, 2021, "Account.scenario")
        return caught.value.problems[0].text(language)

    assert text("first_level") == (
        "Account.scenario: first_level stands in cover_factor, support_factor; "
        "write cover_factor.first_level"
    )
    assert text("first_level", "zh") == (
        "Account.scenario：first_level 见于 cover_factor、support_factor；"
        "请写 cover_factor.first_level"
    )
    assert text("support.first_level") == (
        "Account.scenario: unknown coefficient support.first_level; "
        "did you mean support_factor.first_level?"
    )
    said = {"support_factor.first_level": {"upland": "0.4"}}
    after = replaced(book, said, 2021, "Account.scenario")
    changed = after.services["support_factor"]["first_level"].values()
    assert {str(c.values["upland",].number) for c in changed} == {"0.4"}
    assert after.services["cover_factor"] == book.services["cover_factor"]
    before = book.services["support_factor"]
    assert {n for n, c in after.services["support_factor"].items() if c != before[n]} == {
        "first_level"
    }


def test_a_scenario_changes_the_storms_of_one_raster(tmp_path: Path) -> None:
    """Storms of 40 mm and more instead of 50 mm; and a name nothing reads is said in full."""
    rain = daily_rain()
    write_series(tmp_path / "rain.tif", rain)
    change = {"rasters.daily_precipitation": {"file": "rain.tif", "unit": "mm/day"}}
    small.write_raster(tmp_path / "runoff.tif", np.zeros(INSIDE.shape, np.float32))
    change["rasters.storm_runoff"] = {"file": "runoff.tif", "unit": "mm/year"}
    change["accept"] = dict.fromkeys(("E304", "E570"), "a test")
    account = gep.open(small.write(tmp_path, change=change))
    account.run()
    said = {"storm_precipitation.storm_threshold": "40 mm/day"}
    account.scenario("more", coefficients=said).run()
    files = (tmp_path / "output/prepared").glob("storm_precipitation_*.tif")
    found = sorted(float(read(file)[INSIDE].sum(dtype=float)) for file in files)
    mine = rain[:, INSIDE].astype(float)
    expected = sorted(float(mine[mine >= least].sum()) for least in (40, 50))
    assert found == pytest.approx(expected, rel=1e-6)
    other = account.scenario("none", coefficients={"storm_runoff.storm_threshold": "40 mm/day"})
    with pytest.raises(InputError, match="storm_runoff.storm_threshold: nothing in this account"):
        other.run()


# ---- what else decides a raster


def test_every_file_of_a_shapefile_is_part_of_what_a_raster_follows_from(tmp_path: Path) -> None:
    small.counties().to_file(tmp_path / "counties.shp", engine="pyogrio", encoding="utf-8")
    path = turc_account(tmp_path, **{"counties__file": "counties.shp"})
    result = gep.open(path).run()
    inputs = result.manifest["core"]["inputs"]
    kinds = {"counties.cpg", "counties.dbf", "counties.prj", "counties.shx"}
    assert {role for role in inputs if role.startswith("counties")} == {"counties", *kinds}
    names = {step.path.name for step in gep.open(path).check().plan.steps}
    with (tmp_path / "counties.prj").open("a", encoding="ascii") as file:
        file.write(" ")
    others = {step.path.name for step in gep.open(path).check().plan.steps}
    assert names.isdisjoint(others)


def test_what_cannot_be_is_said_of_pixels_beyond_the_counties_that_neighbours_need(
    tmp_path: Path,
) -> None:
    row, column = np.argwhere(~INSIDE)[3]
    for value, code in ((-999.0, "E308"), (-3000.0, "E307")):
        elevation = 100 + 5 * COLUMN
        elevation[row, column] = value
        path = dem(tmp_path, elevation)
        with pytest.raises(InputError) as caught:
            gep.open(path).prepare("slope")
        found = {p.code: p.fields for p in caught.value.problems}
        assert (found[code]["row"], found[code]["column"]) == (row + 1, column + 1)
        assert found[code]["name"] == "elevation"


def test_raw_data_ask_for_a_raster_and_not_for_a_lesser_method(tmp_path: Path) -> None:
    """Monthly rain: the formula of annual rain, which stands first, given or made of the months."""
    months = np.full((12, small.ROWS, small.COLUMNS), 130, np.float32)
    write_series(tmp_path / "months.tif", months)
    change = {"rasters.monthly_precipitation": {"file": "months.tif", "unit": "mm/month"}}
    of_months: dict[str, None] = {"precipitation": None}
    for left_out, made_too in (({}, []), (of_months, ["monthly"])):
        path = small.write(tmp_path, rasters={"erosivity": None} | left_out, change=change)
        methods = [s.preparation.method for s in gep.open(path).check().prepared]
        assert sorted(methods) == [*made_too, "zhang_annual"]
    change |= {"preparations.erosivity.method": "wischmeier_monthly"}
    path = small.write(tmp_path, rasters={"erosivity": None}, change=change)
    assert [s.preparation.method for s in gep.open(path).check().prepared] == ["wischmeier_monthly"]


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_a_parameter_that_is_no_number(tmp_path: Path, number: str) -> None:
    path = turc_account(tmp_path)
    text = path.read_text("utf8") + "\n[preparations.evapotranspiration.parameters]\n"
    path.write_text(f"{text}turc_constant = {number}\n", "utf8")
    at = "preparations.evapotranspiration.parameters.turc_constant"
    assert {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[number] in problems(path)["E522"]
    assert problems(path)["E522"].startswith(at)


def test_a_warm_season_over_the_new_year() -> None:
    call = gep.preparations["erosivity", "season_daily"]
    rain = np.zeros(365)
    rain[[0, 181, 364]] = 50.0  # 1 January, 1 July, 31 December
    season = {"warm_first_month": 11.0, "warm_last_month": 3.0}
    expected = (2 * 0.3937 + 0.3101) * 50**1.7265
    series = data(rain, "mm/day", "time")
    assert call(daily_precipitation=series, **season) == pytest.approx(expected, rel=1e-9)
    season = {"warm_first_month": 7.0, "warm_last_month": 7.0}
    expected = (2 * 0.3101 + 0.3937) * 50**1.7265
    assert call(daily_precipitation=series, **season) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("crs", ["EPSG:6933", "EPSG:3857", "EPSG:32650"])
def test_a_true_plane_of_ten_degrees_is_one_on_every_grid(tmp_path: Path, crs: str) -> None:
    """At 45 degrees north EPSG:6933 draws pixels of 30 m that are 37 m high and 25 m wide."""
    import pyproj

    size, pixel = 40, 30.0
    west, north = pyproj.Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(116, 45)
    east = west + pixel * (np.arange(size) + 0.5)
    south = north - pixel * (np.arange(size) + 0.5)
    back = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitude, latitude = back.transform(*np.meshgrid(east, south))
    geod = pyproj.Geod(ellps="WGS84")
    where = from_origin(west, north, pixel, pixel)
    file = small.write_raster(
        tmp_path / "e.tif", np.ones((size, size), np.uint8), crs=crs, transform=where
    )
    grid, _ = rasters.grid(file)
    kernel = preparations()["slope", "horn"].kernel
    middle = slice(5, -5)
    for ends in (
        (np.full_like(longitude, 116), latitude, longitude, latitude),  # rises to the east
        (longitude, np.full_like(latitude, 44.9), longitude, latitude),  # to the north
    ):
        elevation = math.tan(math.radians(10)) * geod.inv(*ends)[2]
        found = kernel(elevation, cell=rasters.cells(grid))
        np.testing.assert_allclose(found[middle, middle], 10, rtol=1e-3)


def test_a_day_that_lacks_far_more_than_the_others_is_said(tmp_path: Path) -> None:
    rain = daily_rain()
    rain[:, 2, 3] = small.NODATA  # lacking always: no day stands out
    rain[100, :, :20] = small.NODATA
    path = rain_account(tmp_path, rain)
    (found,) = [p for p in gep.open(path).check().problems if p.code == "W801"]
    lacking = float((rain[100][INSIDE] == small.NODATA).mean())
    common = 1 / INSIDE.sum()
    assert found.text().replace(f"{tmp_path}/", "") == (
        "rasters.daily_precipitation: rain.tif: some steps lack far more pixels inside the "
        f"counties than the others ({common:.1%}): 2021-04-11 ({lacking:.1%})"
    )
    assert "W801" not in {
        p.code for p in gep.open(rain_account(tmp_path, daily_rain())).check().problems
    }


def test_what_only_a_variant_reads_is_prepared(tmp_path: Path) -> None:
    """Days of 25 degrees on a quarter of the days: 92 days on which air conditioners run."""
    days = np.full((DAYS, small.ROWS, small.COLUMNS), 10, np.float32)
    days[100:192] = 30
    write_series(tmp_path / "mean.tif", days)
    change: dict[str, Any] = {
        "rasters.daily_mean_temperature": {"file": "mean.tif", "unit": "degC"}
    }
    layers = {
        "hot_days": np.full(INSIDE.shape, 100, np.float32),
        "water_evaporation": np.full(INSIDE.shape, 300, np.float32),
    }
    for name, layer in layers.items():
        unit = variables()[name].unit
        small.write_raster(tmp_path / f"{name}.tif", layer)
        change[f"rasters.{name}"] = {"file": f"{name}.tif", "unit": unit}
    path = small.write(tmp_path, change=change)
    assert [s.name for s in gep.open(path).check().prepared] == ["air_conditioning_days"]
    result = gep.open(path).run()
    assert (read(made(path, "air_conditioning_days"))[INSIDE] == 92).all()
    found = {s.name: s for s in result.sensitivity}["hot_days.air_conditioning"]
    lines = {line.indicator: line for line in result.account.lines}
    places = result.account.places
    plants, water = (lines[name].money(places) or 0 for name in ("vegetation", "water"))
    assert found.after == pytest.approx(0.92 * plants + water, abs=20)


# ---- units that are often meant


def test_kelvin_and_tenths_are_pointed_at(tmp_path: Path) -> None:
    path = turc_account(
        tmp_path / "k", TEMPERATURE + np.float32(273.15), rasters__temperature__unit="K"
    )
    (found,) = [p for p in gep.open(path).check().problems if p.code == "E304"]
    assert str(found.fields["hint"]).startswith("1, offset = -273.15")
    change = {"rasters__temperature__unit": "K", "rasters__temperature__offset": -273.15}
    gep.open(turc_account(tmp_path / "o", TEMPERATURE + np.float32(273.15), **change)).run()
    assert factor("ft", "m", "x") == 0.3048
    assert factor("dg/kg", "percent", "x") == pytest.approx(0.01)
    months = np.full((12, small.ROWS, small.COLUMNS), 1379, np.float32)
    write_series(tmp_path / "months.tif", months)
    change = {"rasters.monthly_precipitation": {"file": "months.tif", "unit": "mm/month"}}
    path = small.write(tmp_path, rasters={"precipitation": None}, change=change)
    (found,) = [p for p in gep.open(path).check().problems if p.code == "E304"]
    assert "0.1" in str(found.fields["hint"]).split(", ")


# ---- the verb


def test_show_says_that_a_raster_has_no_numbers() -> None:
    for name in ("latitude", "slope", "precipitation"):
        assert cli("show", name).stdout == (
            f"{name} has no numbers on file: nothing but its inputs decides it\n"
        )
        assert cli("show", name, language="zh").stdout == f"{name} 没有系数，只由其输入决定\n"
        assert json.loads(cli("show", name, "--json").stdout) == []
    assert cli("show", "slop").exit_code != 0


def test_prepare_says_what_it_made_and_where(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    done = cli("prepare", path, "--progress", "lines")
    assert done.exit_code == 0, done.output
    file = made(path, "evapotranspiration")
    title = preparations()["evapotranspiration", "turc"].title
    assert done.stdout == f"evapotranspiration ({title.en}, turc): made now: {file}\n"
    assert done.stderr == " 80 %\n100 %\n"
    done = cli("prepare", path, "--lang", "zh")
    assert done.stdout == (
        f"实际蒸散发量（evapotranspiration）（{title.zh}，turc）：原已存在：{file}\n"
    )
    (data,) = json.loads(cli("prepare", path, "--json").stdout)
    assert (data["raster"], data["ready"]) == ("evapotranspiration", True)


def test_prepare_makes_what_is_named_and_nothing_that_is_given(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    done = cli("prepare", path)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == "nothing needs to be prepared\n"
    done = cli("prepare", path, "precipitation")
    assert done.exit_code == 3
    assert "error E816  precipitation is given in gep.toml" in done.stderr
    done = cli("prepare", path, "rain")
    assert done.exit_code == 3
    assert "error E800  gep.toml: preparations.rain: no such raster" in done.stderr
    done = cli("prepare", path, "slope")
    assert done.exit_code == 3
    assert "error E815  slope cannot be prepared: horn: elevation" in done.stderr


def test_prepare_takes_gep_toml_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    turc_account(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert cli("prepare", "evapotranspiration", "--progress", "none").exit_code == 0
    assert len(list((tmp_path / "output/prepared").glob("*.tif"))) == 1


def test_the_list_has_every_preparation() -> None:
    rows = json.loads(cli("prepare", "--list", "--json").stdout)
    assert [(row["raster"], row["method"]) for row in rows] == list(preparations())
    text = cli("prepare", "--list").stdout
    for name, method in preparations():
        assert any(line.split()[0] == name and method in line for line in text.splitlines())


# ---- the registry


def test_steps_and_calendar() -> None:
    assert [steps_of(Series(unit="mm/day", step="day"), year) for year in (2020, 2021)] == [
        366,
        365,
    ]
    assert steps_of(Series(unit="mm/month", step="month"), 2020) == 12
    month, half = almanac("month", 2021), almanac("half_month", 2021)
    assert dates("day", 2021)[58:60] == ["2021-02-28", "2021-03-01"]
    assert (month[58], month[59], half[58], half[59]) == (2, 3, 4, 5)
    assert [np.count_nonzero(half == n) for n in (1, 2, 3, 4)] == [15, 16, 15, 13]
    assert almanac("days", 2020).sum() == 366
    assert len(month) == len(half) == 365


def test_every_raster_and_series_has_one_meaning() -> None:
    names = {name for name, _ in preparations()}
    raster_names = {name for p in preparations().values() for name in p.rasters} | names
    series_names = {name for p in preparations().values() for name in p.series}
    assert raster_names & series_names == set()
    by_name = {
        name: {p.series[name] for p in preparations().values() if name in p.series}
        for name in series_names
    }
    assert {name for name, kinds in by_name.items() if len(kinds) > 1} == set()
    assert names | raster_names | series_names <= variables().keys()


@pytest.mark.parametrize(
    "key", [key for key, p in preparations().items() if not p.whole], ids=lambda key: ".".join(key)
)
def test_compiled_is_plain(key: tuple[str, str]) -> None:
    """The loop gives what the kernel gives in plain Python, as float32, on the same numbers."""
    one = preparations()[key]
    rng = np.random.default_rng(7)
    shape, year = (2, 3), 2021

    def some(name: str, unit: str, size: tuple[int, ...]) -> np.ndarray:
        low, high = variables()[name].usual
        times = factor(variables()[name].unit, unit, name)
        return rng.uniform(low * times, high * times, size).astype(np.float32)

    layers = [some(name, unit, shape) for name, unit in one.rasters.items()]
    series = [some(name, s.unit, (steps_of(s, year), *shape)) for name, s in one.series.items()]
    when = [almanac(word, year) for word in one.calendar]
    numbers = [float(one.example.inputs[name]) if one.example else 1.0 for name in one.coefficients]
    tables = np.repeat(np.array([*numbers, 0.0])[:, None], 256, axis=1)
    count = len(layers) + len(series) + 1
    fused = pixelwise(one.kernel, len(layers), len(series), len(when), len(numbers))
    out = np.full(shape, np.nan, np.float32)
    staged = np.array(layers) if layers else np.zeros((0, *shape), np.float32)
    kinds = np.zeros(shape, np.uint8)
    fused(kinds, staged, np.ones(count), np.zeros(count), tables, *series, *when, out)
    for at in np.ndindex(shape):
        plain = one.kernel(
            *(float(layer[at]) for layer in layers),
            *([float(v) for v in stack[:, at[0], at[1]]] for stack in series),
            *(list(map(float, word)) for word in when),
            *numbers,
        )
        assert out[at] == pytest.approx(plain, rel=1e-5, nan_ok=True)


def test_latitudes_of_a_grid_in_degrees_and_of_a_projected_one(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    projected, _ = rasters.grid(tmp_path / "ecosystem.tif")
    found = rasters.latitudes(projected)
    assert path.exists()
    import pyproj

    north = small.NORTH - small.PIXEL * (np.arange(small.ROWS) + 0.5)
    back = pyproj.Transformer.from_crs(small.CRS, "EPSG:4326", always_xy=True)
    expected = back.transform(np.full(small.ROWS, small.WEST + 50), north)[1]
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-9)
    heights, widths = rasters.cells(projected)
    np.testing.assert_allclose((heights, widths), small.sides(), rtol=1e-9)
    transform = from_origin(115, 28.5, 1 / 3600, 1 / 3600)
    degrees = small.write_raster(
        tmp_path / "d.tif", small.classes(), crs="EPSG:4326", transform=transform
    )
    grid, _ = rasters.grid(degrees)
    np.testing.assert_allclose(rasters.latitudes(grid)[:, 7], 28.5 - (np.arange(40) + 0.5) / 3600)
    heights, widths = rasters.cells(grid)
    geod = pyproj.Geod(ellps="WGS84")
    middle = 28.5 - 20.5 / 3600
    half = 0.5 / 3600
    assert heights[20] == pytest.approx(
        geod.inv(115, middle - half, 115, middle + half)[2], rel=1e-8
    )
    assert widths[20] == pytest.approx(
        geod.inv(115 - half, middle, 115 + half, middle)[2], rel=1e-8
    )
    np.testing.assert_allclose(heights * widths, grid.row_areas, rtol=1e-8)


def test_ecosystems_reach_the_kernel(tmp_path: Path) -> None:
    """A coefficient by class is that of the pixel; where a class has none, nothing is made."""
    path = small.write(
        tmp_path,
        rasters={"support_factor": None},
        change={
            "rasters.slope": {"file": "slope.tif", "unit": "degree"},
        },
    )
    small.write_raster(tmp_path / "slope.tif", np.full(INSIDE.shape, 2, np.float32))
    gep.open(path).prepare()
    found = read(made(path, "support_factor"))
    kinds = {code: kind.key for code, kind in legend("gep").codes.items()}
    paddy = np.isin(small.classes(), [c for c, key in kinds.items() if key == "paddy"])
    forest = np.isin(
        small.classes(), [c for c, key in kinds.items() if ecosystems()[key].group == "forest"]
    )
    np.testing.assert_allclose(found[forest & INSIDE], 1, rtol=1e-6)
    np.testing.assert_allclose(found[paddy & INSIDE], 0.1, rtol=1e-6)


def test_the_example_of_the_guide_is_a_preparation() -> None:
    guide = (Path(__file__).parent.parent / "docs/add-a-preparation.md").read_text("utf8")
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.S)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102
    assert names["over"]([60.0, 10.0, 50.0], 50.0) == 110
    assert math.isnan(names["over"]([60.0, math.nan], 50.0))
    (one,) = names["PREPARATIONS"]
    assert one.key == ("storm_precipitation", "over")


# ---- from Python


def data(array: np.ndarray, unit: str | None, *dims: str) -> xarray.DataArray:
    attributes = {} if unit is None else {"units": unit}
    return xarray.DataArray(array, dims=dims or ("y", "x")[-array.ndim :], attrs=attributes)


def test_a_preparation_of_arrays_is_that_of_an_account(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    gep.open(path).prepare()
    call = gep.preparations["evapotranspiration", "turc"]
    rain = data(small.arrays()["precipitation"].astype(float) / 1000, "m/year")
    found = call(precipitation=rain, temperature=data(TEMPERATURE.astype(float), "degC"))
    assert_made(made(path, "evapotranspiration"), found.values)
    assert found.attrs["units"] == "mm/year"
    assert found.dims == ("y", "x")


def test_a_station_gives_a_number() -> None:
    call = gep.preparations["erosivity", "season_daily"]
    rain = data(np.zeros(365), "mm/day", "time")
    rain[[0, 181]] = 50.0
    expected = (0.3101 + 0.3937) * 50**1.7265
    found = call(daily_precipitation=rain)
    assert type(found) is float
    assert found == pytest.approx(expected, rel=1e-9)
    assert call(daily_precipitation=(rain / 10).assign_attrs(units="cm/day")) == found
    assert call(daily_precipitation=rain, erosive_threshold=51.0) == 0
    assert gep.preparations["evapotranspiration", "turc"](
        precipitation=xarray.DataArray(1638.0, attrs={"units": "mm/year"}),
        temperature=xarray.DataArray(18, attrs={"units": "degC"}),
    ) == pytest.approx(891.877258901)


def test_a_series_of_arrays_and_its_times() -> None:
    rain = daily_rain()[:, :2, :3].astype(float)
    call = gep.preparations["precipitation", "daily"]
    series = data(rain, "mm/day", "time", "y", "x")
    np.testing.assert_allclose(call(daily_precipitation=series), rain.sum(axis=0))
    turned = series.transpose("y", "x", "time")
    np.testing.assert_allclose(call(daily_precipitation=turned), rain.sum(axis=0))
    times = np.arange(np.datetime64("2019-01-01"), np.datetime64("2020-01-01"))
    dated = series.assign_coords(time=times)
    np.testing.assert_allclose(call(daily_precipitation=dated), rain.sum(axis=0))
    late = series.assign_coords(time=times + np.timedelta64(1, "D"))
    refused = {
        "has 364 steps; 2021 has 365": {"daily_precipitation": series[:364]},
        "its times are not the days of 2019": {"daily_precipitation": late},
        "2020 has 366": {"daily_precipitation": series, "year": 2020},
        "none of them time": {"daily_precipitation": data(rain[0], "mm/day")},
        "states no units": {"daily_precipitation": data(rain, None, "time", "y", "x")},
        "is ndarray, not an xarray.DataArray": {"daily_precipitation": rain},
        "is missing; give it in mm/day": {},
        "is not a number": {"daily_precipitation": ["a"] * 365},
        "unknown argument rain": {"rain": series, "daily_precipitation": series},
    }
    for said, inputs in refused.items():
        with pytest.raises(InputError, match=said):
            call(**inputs)
    with pytest.raises(UnitError):
        call(daily_precipitation=data(rain, "mm", "time", "y", "x"))


def test_coefficients_by_class_need_the_classes() -> None:
    call = gep.preparations["vegetation_cover"]
    ndvi = data(np.array([[0.5, 0.2]]), "1")
    with pytest.raises(InputError, match="soil_ndvi is missing; give it in 1"):
        call(ndvi=ndvi)
    found = call(ndvi=ndvi, soil_ndvi=0.1, vegetation_ndvi=0.9)
    np.testing.assert_allclose(found, [[0.5, 0.125]])
    by_class = gep.preparations["support_factor"]
    kinds = data(np.array([["paddy", "evergreen_broadleaf_forest"]]), None)
    slope = data(np.array([[2.0, 2.0]]), "degree")
    np.testing.assert_allclose(by_class(slope=slope, ecosystem=kinds), [[0.1, 1.0]])
    with pytest.raises(InputError, match="varies by ecosystem"):
        by_class(slope=slope)
    with pytest.raises(InputError, match="not ecosystem classes: rice"):
        by_class(slope=slope, ecosystem=data(np.array([["rice", "paddy"]]), None))
    with pytest.raises(InputError, match="does not lie on"):
        by_class(slope=slope, ecosystem=data(np.array([["paddy"]]), None))


def test_a_method_that_needs_neighbours_needs_their_distance() -> None:
    call = gep.preparations["slope"]
    plane = data(np.add.outer(np.zeros(4), 3.0 * np.arange(5)), "m")
    np.testing.assert_allclose(call(elevation=plane, cell=30.0), np.degrees(np.arctan(0.1)))
    sides = np.full(4, 30.0), np.full(4, 60.0)
    np.testing.assert_allclose(call(elevation=plane, cell=sides), np.degrees(np.arctan(0.05)))
    with pytest.raises(InputError, match="give cell"):
        call(elevation=plane)
    latitude = gep.preparations["latitude"]
    place = data(np.array([[28.0, 28.0]]), "degree")
    assert latitude(cell=30.0, latitude=place).values.tolist() == [[28.0, 28.0]]
    with pytest.raises(InputError, match="latitude is missing"):
        latitude(cell=30.0)


def test_the_mapping_has_every_preparation() -> None:
    assert list(gep.preparations) == list(preparations())
    assert len(gep.preparations) == len(preparations())
    assert gep.preparations["erosivity"].preparation.method == "season_daily"
    assert repr(gep.preparations["slope"]) == "slope (horn): elevation [m]"
    assert len(repr(gep.preparations).splitlines()) == len(preparations())
    with pytest.raises(KeyError, match="no preparation 'slopes'"):
        gep.preparations["slopes"]
