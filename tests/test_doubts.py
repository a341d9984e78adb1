"""What deserves a look of raw data, and what contradicts itself, by check and by making."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import small
import xarray
from rasterio.transform import from_origin
from test_preparing import (
    COLUMN,
    DAYS,
    INSIDE,
    ROW,
    daily_rain,
    dem,
    made,
    problems,
    rain_account,
    turc_account,
    write_series,
)

import gep
from gep.errors import Problem, messages
from gep.layers import of_classes

SHAPE = INSIDE.shape


def said(path: Path, code: str) -> list[str]:
    """What check says under a code."""
    found = [problem for problem in gep.open(path).check().problems if problem.code == code]
    return [problem.text().replace(f"{path.parent}/", "") for problem in found]


def warm(folder: Path, low: np.ndarray, high: np.ndarray) -> Path:
    """Account whose evapotranspiration is made of daily temperatures."""
    folder.mkdir(parents=True, exist_ok=True)
    change: dict[str, Any] = {"preparations.evapotranspiration.method": "zhang"}
    for word, array in (("minimum", low), ("maximum", high)):
        name = f"daily_{word}_temperature"
        write_series(folder / f"{name}.tif", array.astype(np.float32))
        change[f"rasters.{name}"] = {"file": f"{name}.tif", "unit": "degC"}
    return small.write(folder, rasters={"evapotranspiration": None}, change=change)


def year_of_warmth() -> np.ndarray:
    days = np.sin(np.linspace(-1.5, 4.7, DAYS))[:, None, None]
    return 25 + 8 * days + ROW / 100


# ---- one day against another, one series against another


def test_a_minimum_above_the_maximum_is_refused(tmp_path: Path) -> None:
    high = year_of_warmth()
    low = high - 8
    low[40, 12:20, 5:9] = high[40, 12:20, 5:9] + 1
    text = (
        "rasters.daily_minimum_temperature: daily_minimum_temperature.tif: "
        f"{high[40, 12, 5] + 1:.6g} degC on 2021-02-10 (band 41) at row 13, column 6 is above "
        f"{high[40, 12, 5]:.6g} degC of rasters.daily_maximum_temperature: the two contradict each "
        "other"
    )
    path = warm(tmp_path, low, high)
    assert said(path, "E825") == [text]
    assert problems(path) == {"E825": text}


def test_pixels_of_which_nothing_comes_are_counted(tmp_path: Path) -> None:
    """A hundredth of a degree is rounding; Hargreaves has no root of it: 4 of 1800 pixels."""
    high = year_of_warmth()
    low = high - 8
    low[40, 12:14, 5:7] = high[40, 12:14, 5:7] + 0.01
    path = warm(tmp_path, low, high)
    gep.open(path).prepare()
    with rasterio.open(made(path, "reference_evapotranspiration")) as file:
        assert np.isnan(file.read(1)[INSIDE]).sum() == 4
    first, *_ = said(path, "W808")  # and of water
    assert first == (
        "reference_evapotranspiration (hargreaves): at 4 pixels inside the counties (0.22%) "
        "everything it is made of is there but gives no number: reference_evapotranspiration is "
        "missing there"
    )


def test_nothing_is_said_of_sound_days(tmp_path: Path) -> None:
    high = year_of_warmth()
    path = warm(tmp_path, high - 8, high)
    for _ in range(2):
        assert not [text for code in ("E825", "W808", "W809") for text in said(path, code)]
        gep.open(path).prepare()


@pytest.mark.parametrize("made_before", [False, True])
def test_days_filled_in(tmp_path: Path, made_before: bool) -> None:
    """28 days of 0 and 10 of one map are said, 27 and 9 are not."""
    rain = daily_rain()
    rain[180:208] = rain[100:127] = 0
    rain[300:310], rain[330:339] = rain[300], rain[330]
    rain[:, 5, 47] += 1  # outside
    path = rain_account(tmp_path, rain)
    if made_before:
        gep.open(path).prepare()
    head, where = (
        "rasters.daily_precipitation: rain.tif: ",
        "at all pixels seen inside the counties",
    )
    assert said(path, "W809") == [
        f"{head}all numbers are 0 {where}: 2021-06-30/2021-07-27 (28)",
        f"{head}every map is the same {where}: 2021-10-28/2021-11-06 (10)",
    ]


def test_one_wet_pixel_is_no_dry_month(tmp_path: Path) -> None:
    rain = daily_rain()
    rain[180:220] = 0
    rain[200, 20, 20] = 0.1
    assert not said(rain_account(tmp_path, rain), "W809")


def test_a_month_of_0(tmp_path: Path) -> None:
    rain = np.full((12, *SHAPE), 130, np.float32)
    rain[6] = 0
    write_series(tmp_path / "rain.tif", rain)
    change = {"rasters.monthly_precipitation": {"file": "rain.tif", "unit": "mm/month"}}
    path = small.write(tmp_path, rasters={"precipitation": None}, change=change)
    (text,) = said(path, "W809")
    assert text.endswith("all numbers are 0 at all pixels seen inside the counties: 2021-07")


# ---- elevation


def test_holes_filled_with_0(tmp_path: Path) -> None:
    """Of a patch of 4 x 4 on high ground the 12 at its border; a shore of 40 m is none."""
    elevation = 300 + ROW
    elevation[10:14, 10:14] = 0
    path = dem(tmp_path, elevation)
    text = (
        "rasters.elevation: dem.tif: 12 pixels inside the counties are 0 beside ground more than "
        "50 m above, first at row 11, column 11: are these holes filled with 0"
    )
    assert said(path, "W810") == [text]
    gep.open(path).prepare("slope_factor")
    assert said(path, "W810") == [text]
    (tmp_path / "low").mkdir()
    assert not said(dem(tmp_path / "low", np.where(elevation == 0, 0, 40.0)), "W810")


def test_slopes_of_large_pixels_and_of_steps(tmp_path: Path) -> None:
    path = dem(tmp_path, 100 + ROW + COLUMN)
    gentle = "from rasters.elevation: dem.tif: from pixels of 100 m slopes come out far too gentle"
    both = [f"slope (horn) {gentle}", f"slope_factor (segmented) {gentle}"]
    assert said(path, "W811") == both
    gep.open(path).prepare("slope_factor")
    assert said(path, "W811") == both
    coarse = {"transform": from_origin(small.WEST, small.NORTH, 1000, 1000)}
    stored = 300 + 10 * np.arange(20, dtype=np.float32).reshape(4, 5)
    small.write_raster(tmp_path / "dem.tif", stored, **coarse)
    text = path.read_text("utf8")
    line = '[rasters.elevation]\nresampling = "nearest"\n'
    path.write_text(text.replace("[rasters.elevation]\n", line), "utf8")
    head = "slope (horn) from rasters.elevation: dem.tif: "
    assert said(path, "W811")[:2] == [
        f"{head}by nearest every pixel of 1000 m is a step of the ground",
        f"{head}from pixels of 1000 m slopes come out far too gentle",
    ]


# ---- soil


@pytest.mark.parametrize("method", ["epic_china", "epic", "mean_diameter"])
def test_no_texture_no_soil(tmp_path: Path, method: str) -> None:
    change: dict[str, Any] = {"preparations.erodibility.method": method}
    for name, part in {"sand": 40, "silt": 30, "clay": 30, "organic_carbon": 1.5}.items():
        share = np.full(SHAPE, part, np.float32)
        if name != "organic_carbon":
            share[7:9, 5:8] = 0
        small.write_raster(tmp_path / f"{name}.tif", share)
        change[f"rasters.{name}"] = {"file": f"{name}.tif", "unit": "percent"}
    path = small.write(tmp_path, rasters={"erodibility": None}, change=change)
    text = (
        "sand, silt and clay (sand.tif, silt.tif, clay.tif) are all 0 at 6 pixels seen inside the "
        "counties, first at row 8, column 6: no soil is taken to be there, and what is made of "
        "them is missing"
    )
    assert said(path, "W812") == [text]
    gep.open(path).prepare()
    assert said(path, "W812") == [text]
    assert not said(path, "W808")
    with rasterio.open(made(path, "erodibility")) as file:
        missing = np.isnan(file.read(1)) & INSIDE
    assert np.argwhere(missing).tolist() == [[y, x] for y in (7, 8) for x in (5, 6, 7)]


def test_no_texture_no_soil_of_arrays() -> None:
    shares = {"sand": [40.0, 0.0], "silt": [30.0, 0.0], "clay": [30.0, 0.0]}
    given = {
        name: xarray.DataArray(part, dims="x", attrs={"units": "percent"})
        for name, part in shares.items()
    }
    found = gep.preparations["erodibility", "mean_diameter"](**given, soil=1)
    assert np.isnan(found.values).tolist() == [False, True]


# ---- classes, and what stands beside a file


@pytest.mark.parametrize("how", ["bilinear", "average"])
def test_classes_are_not_mixed(tmp_path: Path, how: str) -> None:
    assert of_classes("soil_group")
    assert not of_classes("elevation")
    groups = np.tile(np.array([1, 3], np.uint8), (10, 6))
    where = from_origin(small.WEST - 100, small.NORTH + 100, 450, 450)
    small.write_raster(tmp_path / "groups.tif", groups, nodata=0, transform=where)
    write_series(tmp_path / "rain.tif", daily_rain())
    section = {"file": "groups.tif", "unit": "1"}
    change = {"rasters.daily_precipitation": {"file": "rain.tif", "unit": "mm/day"}}
    path = small.write(tmp_path, change=change | {"rasters.soil_group": section})
    (problem,) = [p for p in gep.open(path).check().problems if p.is_error]
    assert problem.code == "E205"
    assert 'resampling = "nearest"' in problem.fix()
    small.write(tmp_path, change=change | {"rasters.soil_group": section | {"resampling": how}})
    assert said(path, "E826") == [
        f"rasters.soil_group: groups.tif: its numbers are classes: {how} would mix them"
    ]
    changed = section | {"resampling": "nearest"}
    small.write(tmp_path, change=change | {"rasters.soil_group": changed})
    assert not said(path, "E826")


def beside(path: Path, text: str, band: int = 1) -> None:
    whole = f'<PAMDataset><PAMRasterBand band="{band}">{text}</PAMRasterBand></PAMDataset>'
    path.with_name(f"{path.name}.aux.xml").write_text(whole, "utf8")


def test_a_nodata_beside_the_file_is_said_until_gep_toml_says_it(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    file = tmp_path / "temperature.tif"
    beside(file, "<NoDataValue>17</NoDataValue>")
    (problem,) = [p for p in gep.open(path).check().problems if p.is_error]
    assert problem.code == "E827"
    assert problem.text().replace(f"{tmp_path}/", "") == (
        "rasters.temperature: temperature.tif: nodata 17 stands in temperature.tif.aux.xml, not in "
        "the file, and only the file is read"
    )
    assert problem.fix().startswith("write fill = [17] into [rasters.temperature]")
    path = turc_account(tmp_path, rasters__temperature__fill=[17])
    beside(file, "<NoDataValue>17</NoDataValue>")
    assert gep.open(path).check().ok


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (f"<NoDataValue>{small.NODATA}</NoDataValue>", ""),  # as in the file
        ("<NoDataValue>nan</NoDataValue>", ""),
        ("<Metadata><MDI key='STATISTICS_MEAN'>3</MDI></Metadata>", ""),
        ("<Scale>1</Scale><Offset>0</Offset>", ""),
        ("<Scale>0.1</Scale>", "scale"),
        ("<Offset>-273.15</Offset>", "offset"),
        ("<NoData", ""),  # no GDAL reads it either
    ],
)
def test_what_stands_beside_a_file(tmp_path: Path, text: str, key: str) -> None:
    path = turc_account(tmp_path)
    beside(tmp_path / "temperature.tif", text)
    found = [p for p in gep.open(path).check().problems if p.code == "E827"]
    assert [problem.fields["key"] for problem in found] == ([key] if key else [])


def test_beside_any_band_of_a_series(tmp_path: Path) -> None:
    path = rain_account(tmp_path, daily_rain())
    beside(tmp_path / "rain.tif", "<Scale>0.1</Scale>", band=200)
    assert len(said(path, "E827")) == 1
    beside(tmp_path / "rain.tif", "<Scale>0.1</Scale>")
    assert len(said(path, "E827")) == 1


def test_the_words_are_there_in_chinese() -> None:
    fields = {"name": "soil_group", "file": "g.tif", "resampling": "bilinear"}
    text = Problem("E826", fields).text("zh")
    assert text == "rasters.soil_group：g.tif：其数值是类别：bilinear 会把类别混合"
    assert {"E825", "E826", "E827", "W808", "W809", "W810", "W811", "W812"} <= messages().keys()
