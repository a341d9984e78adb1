"""gep.preparations[...] on xarray: what it refuses, word for word, and what it must not mix up."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

import gep
from gep.errors import InputError, UnitError
from gep.factors import Factors
from gep.layers import variables
from gep.preparation import preparations, steps_of
from gep.preparations.slope import horn

Z = np.random.default_rng(3).random((4, 5)).cumsum(axis=0) * 20


def said(values: Any, units: str | None, *dims: str) -> xr.DataArray:
    names = dims or ("y", "x")[2 - np.ndim(values) :]
    return xr.DataArray(values, dims=names, attrs={} if units is None else {"units": units})


def refused(key: tuple[str, str], code: str, text: str, **inputs: Any) -> None:
    call = f"gep.preparations[{key[0]!r}, {key[1]!r}]"
    with pytest.raises(InputError) as caught:
        gep.preparations[key](**inputs)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.text() == f"{call}: {text}"
    chinese = problem.text("zh")
    assert chinese.startswith(f"{call}：")
    assert re.search("[\u4e00-\u9fff]", chinese)
    numbers = r"\d+(?:\.\d+)?"
    assert sorted(re.findall(numbers, chinese)) == sorted(re.findall(numbers, problem.text()))


TURC, SOIL = ("evapotranspiration", "turc"), ("sand", "silt", "clay")
RAIN, WARM = said(1638.0, "mm/year"), said(18.0, "degC")
NO_UNITS = """precipitation states no units; set attrs["units"], for example 'mm/year'"""
NO_NUMBER = "precipitation is not a number or a DataArray of numbers"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (1638.0, NO_UNITS),
        (said(1638.0, None), NO_UNITS),
        (xr.DataArray(1638.0, attrs={"units": 1}), NO_UNITS),
        ([1638.0], "precipitation is list, not an xarray.DataArray"),
        ((1638.0, 1.0), "precipitation is tuple, not an xarray.DataArray"),
        (np.array([1638.0]), "precipitation is ndarray, not an xarray.DataArray"),
        ("1638", NO_NUMBER),
        (None, NO_NUMBER),
        (True, NO_NUMBER),
        ([[1.0], [1.0, 2.0]], NO_NUMBER),
        ({"mm": 3}, NO_NUMBER),
        (said(["1638"], "mm/year", "x"), NO_NUMBER),
    ],
    ids=str,
)
def test_what_is_no_number_with_a_unit_is_refused(given: Any, why: str) -> None:
    refused(TURC, "E019", why, precipitation=given, temperature=WARM)


def test_what_has_no_unit_may_be_a_plain_number() -> None:
    """Shares and indices; but per cent are a unit, so a bare 40 is no texture."""
    cover = gep.preparations["vegetation_cover"]
    assert cover(ndvi=0.5, soil_ndvi=0.1, vegetation_ndvi=0.9) == pytest.approx(0.5)
    why = """sand states no units; set attrs["units"], for example 'percent'"""
    refused(("erodibility", "epic"), "E019", why, sand=40.0, silt=40, clay=20, organic_carbon=1)
    why = "ndvi is list, not an xarray.DataArray"
    refused(("vegetation_cover", "dimidiate"), "E019", why, ndvi=[0.5])
    why = """ndvi states no units; set attrs["units"], for example '1'"""
    refused(("vegetation_cover", "dimidiate"), "E019", why, ndvi=said([0.5], None))


@pytest.mark.parametrize("given", ["2.0", None, False, [1.0, None]])
def test_coefficient_that_is_no_number_is_refused(given: Any) -> None:
    why = "soil_ndvi is not a number or a DataArray of numbers"
    refused(("vegetation_cover", "dimidiate"), "E019", why, ndvi=0.5, soil_ndvi=given)


def test_coefficient_may_state_another_unit_and_must_lie_on_the_rasters() -> None:
    z = said(Z, "m")
    call = gep.preparations["slope_factor"]
    slope = gep.preparations["slope"](elevation=z, cell=30.0)
    given = {"elevation": z, "slope": slope, "land": 1.0, "cell": 30.0}
    wanted = call(**given, channel_area=5000.0)
    hectares = said(0.5, "ha")
    np.testing.assert_array_equal(call(**given, channel_area=hectares), wanted)
    why = "channel_area does not lie on elevation: other size along x"
    refused(("slope_factor", "segmented"), "E019", why, **given, channel_area=said(Z[:, :3], "m^2"))
    with pytest.raises(UnitError, match="channel_area: 'm' is"):
        call(**given, channel_area=said(0.5, "m"))


@pytest.mark.parametrize("year", ["2021", 2021.0, True, 0, 10_000, None])
def test_year_is_a_whole_number(year: Any) -> None:
    rain = said(np.zeros(365), "mm/day", "time")
    call = ("precipitation", "daily")
    if year is None:
        assert gep.preparations[call](daily_precipitation=rain, year=None) == 0
        return
    why = f"year is {year!r}, not a whole number from 1 to 9999"
    refused(call, "E019", why, daily_precipitation=rain, year=year)


def test_series_without_time_is_refused() -> None:
    call = ("precipitation", "daily")
    why = "daily_precipitation has dimensions (), none of them time"
    refused(call, "E019", why, daily_precipitation=said(3.0, "mm/day"))
    why = "daily_precipitation has dimensions (day), none of them time"
    refused(call, "E019", why, daily_precipitation=said(np.zeros(365), "mm/day", "day"))
    why = "daily_precipitation is list, not an xarray.DataArray"
    refused(call, "E019", why, daily_precipitation=[0.0] * 365)
    why = "daily_precipitation has 364 steps; 2021 has 365 days"
    refused(call, "E019", why, daily_precipitation=said(np.zeros(364), "mm/day", "time"))


@pytest.mark.parametrize("given", ["paddy", ["paddy"], np.array(["paddy"]), 51])
def test_ecosystem_is_a_data_array(given: Any) -> None:
    why = f"ecosystem is {type(given).__name__}, not an xarray.DataArray"
    slope = said([[2.0]], "degree")
    refused(("support_factor", "table"), "E019", why, slope=slope, ecosystem=given)


def test_class_nobody_knows_is_refused_even_where_no_number_varies() -> None:
    kinds = xr.DataArray([["rice", "paddy"]], dims=("y", "x"))
    refused(
        ("slope", "horn"),
        "E019",
        "not ecosystem classes: rice",
        elevation=said([[1.0, 2.0]], "m"),
        cell=30.0,
        ecosystem=kinds,
    )


# ---- what cannot be


def test_impossible_values_are_refused_as_an_account_does() -> None:
    text = "elevation is -9999 m, which is impossible, and so at 2 of 20 places; "
    text += "possible is -500 to 9000"
    holed = Z.copy()
    holed[1, 2:4] = -9999
    refused(("slope", "horn"), "E829", text, elevation=said(holed, "m"), cell=30.0)
    text = "temperature is 291.15 degC, which is impossible, and so at 1 of 1 places; "
    text += "possible is -60 to 50"
    refused(TURC, "E829", text, precipitation=RAIN, temperature=said(291.15, "degC"))
    text = "precipitation is inf mm/year, which is impossible, and so at 1 of 1 places; "
    text += "possible is 0 to 20000"
    refused(TURC, "E829", text, precipitation=said(np.inf, "m/year"), temperature=WARM)
    rain = np.zeros(365)
    rain[7] = -1
    text = "daily_precipitation is -1 mm/day, which is impossible, and so at 1 of 365 places; "
    text += "possible is 0 to 2000"
    series = said(rain, "mm/day", "time")
    refused(("precipitation", "daily"), "E829", text, daily_precipitation=series)
    missing = gep.preparations[TURC](precipitation=said(np.nan, "mm/year"), temperature=WARM)
    assert np.isnan(missing), "missing is not impossible"


def test_latitude_beyond_the_pole_is_refused() -> None:
    text = "latitude is 95 degree, which is impossible, and so at 1 of 1 places; "
    text += "possible is -90 to 90"
    hot = {f"daily_m{kind}imum_temperature": said([20.0] * 365, "degC", "time") for kind in
           ("ax", "in")}  # fmt: skip
    call = ("reference_evapotranspiration", "hargreaves")
    refused(call, "E829", text, latitude=said(95.0, "degree"), **hot)
    why = """latitude states no units; set attrs["units"], for example 'degree'"""
    refused(call, "E019", why, latitude=45.0, **hot)
    refused(("latitude", "grid"), "E019", why, latitude=45.0, cell=30.0)
    text = "latitude is 91 degree, which is impossible, and so at 2 of 4 places; "
    text += "possible is -90 to 90"
    place = said([[28.0, 28.0], [91.0, 91.0]], "degree")
    refused(("latitude", "grid"), "E829", text, latitude=place, cell=30.0)


def test_a_limit_rounded_to_single_precision_is_possible() -> None:
    share = np.nextafter(np.float32(1), np.float32(2))
    assert share > 1
    made = gep.preparations["cover_factor", "table"](
        vegetation_cover=said(share, "1"), ecosystem=xr.DataArray("lake")
    )
    assert made == 0


@pytest.mark.parametrize("method", ["epic_china", "epic", "mean_diameter"])
def test_soil_that_is_no_whole_is_refused(method: str) -> None:
    parts = {"sand": [40.0, 40.0, np.nan], "silt": [40.0, 30.0, 1.0], "clay": [20.0, 15.0, 1.0]}
    soil = {name: said(values, "percent", "x") for name, values in parts.items()}
    carbon = (
        {} if method == "mean_diameter" else {"organic_carbon": said([1.5] * 3, "percent", "x")}
    )
    text = "sand, silt and clay add up to 85.0%, not to 100 %, and so at 1 of 3 places"
    refused(("erodibility", method), "E828", text, soil=1.0, **soil, **carbon)
    whole = soil | {"clay": said([0.2, 0.3, 0.01], "1", "x")}
    made = gep.preparations["erodibility", method](soil=1.0, **whole, **carbon)
    assert np.isfinite(made).values.tolist() == [True, True, False]


def test_every_raster_is_held_to_its_limits() -> None:
    """No method lets a value through that an account would refuse; there are 40 such inputs."""
    asked = 0
    for key, one in preparations().items():
        units = one.rasters | {name: s.unit for name, s in one.series.items()}
        for name in units:
            if name not in variables():
                continue
            wrong = variables()[name].possible[1] * 1.01 + 1
            unit = variables()[name].unit
            values = {name: said(np.full(2, wrong), unit, "x")}
            if name in one.series:
                count = steps_of(one.series[name], 2021)
                values = {name: said(np.full((count, 2), wrong), unit, "time", "x")}
            others = {n: said(np.full(2, np.nan), u, "x") for n, u in one.rasters.items()}
            others |= {
                n: said(np.full((steps_of(s, 2021), 2), np.nan), s.unit, "time", "x")
                for n, s in one.series.items()
            }
            with pytest.raises(InputError) as caught:
                gep.preparations[key](**others | values)
            assert caught.value.problems[0].code == "E829", (key, name)
            assert f"{name} is" in str(caught.value)
            asked += 1
    assert asked >= 40


def test_numbers_that_must_rise_and_do_not_are_refused() -> None:
    one = preparations()["vegetation_cover", "dimidiate"]
    call = Factors(lambda: {one.key: replace(one, rising=("soil_ndvi", "vegetation_ndvi"))})[
        one.key
    ]
    assert call(ndvi=0.5, soil_ndvi=0.1, vegetation_ndvi=0.9) == pytest.approx(0.5)
    for low in (0.9, 1.0, xr.DataArray(0.95)):
        with pytest.raises(InputError) as caught:
            call(ndvi=0.5, soil_ndvi=low, vegetation_ndvi=0.9)
        (problem,) = caught.value.problems
        head = "gep.preparations['vegetation_cover', 'dimidiate']"
        assert problem.text() == f"{head}: soil_ndvi must be below vegetation_ndvi everywhere"
        assert problem.text("zh") == f"{head}：soil_ndvi 须处处小于 vegetation_ndvi"


# ---- neighbours


SIDES = (
    "cell is no side of a pixel [m], nor a pair of heights and widths for 4 rows and 5 columns; "
    "none may be below 0.01"
)


@pytest.mark.parametrize(
    "cell",
    [
        0.0,
        -30.0,
        0.0002777,
        np.nan,
        "30",
        {"m": 30.0},
        (30.0, 30.0, 30.0),
        (np.full(5, 30.0), np.full(5, 30.0)),
        (np.full((4, 4), 30.0), 30.0),
        [[30.0, 30.0], [[30.0], 1.0]],
        (None, 30.0),
        (np.array([30.0, 30.0, 0.0, 30.0]), 30.0),
    ],
    ids=str,
)
def test_sides_that_are_none_are_refused(cell: Any) -> None:
    refused(("slope", "horn"), "E019", SIDES, elevation=said(Z, "m"), cell=cell)


def test_sides_by_row_by_pixel_and_with_a_unit() -> None:
    call = gep.preparations["slope"]
    rows, pixels = np.linspace(20.0, 30.0, 4), 25.0 + np.arange(20.0).reshape(4, 5)
    wanted = horn(Z, (rows, pixels))
    z = said(Z, "m")
    np.testing.assert_array_equal(call(elevation=z, cell=(rows, pixels)), wanted)
    in_km = (said(rows / 1000, "km", "y"), said(pixels / 1000, "km"))
    np.testing.assert_allclose(call(elevation=z, cell=in_km), wanted, rtol=1e-12)
    even = horn(Z, (np.full(4, 30.0), np.full(4, 25.0)))
    np.testing.assert_array_equal(call(elevation=z, cell=(30, 25)), even)
    with pytest.raises(UnitError, match="cell: 'degree' is"):
        call(elevation=z, cell=said(0.001, "degree"))


def test_rasters_of_another_order_of_dimensions_are_put_right() -> None:
    """A slope (x, y) beside an elevation (y, x): once taken as it lay, on a square grid."""
    square = np.random.default_rng(2).random((6, 6)).cumsum(axis=0) * 30
    z = said(square, "m")
    slope = gep.preparations["slope"](elevation=z, cell=30.0)
    kinds = xr.full_like(z, "upland", dtype=object)
    kinds[:, 0] = "lake"
    call = gep.preparations["slope_factor"]
    wanted = call(elevation=z, slope=slope, ecosystem=kinds, cell=30.0)
    found = call(elevation=z, slope=slope.T, ecosystem=kinds.T, cell=30.0)
    xr.testing.assert_equal(found, wanted)
    land = xr.where(kinds == "lake", 0.0, 1.0)
    xr.testing.assert_equal(call(elevation=z, slope=slope, land=land.T, cell=30.0), wanted)


def test_refusals_in_chinese() -> None:
    soil = {name: said(share, "percent") for name, share in zip(SOIL, (40, 30, 15), strict=True)}
    hot = said(291.15, "degC")
    wanted = {
        ("erodibility", "mean_diameter"): (
            soil | {"soil": 1.0},
            "砂粒、粉粒与黏粒之和为 85.0%，不是 100 %；共 1 处，其中这样的有 1 处",
            '改正三者的 attrs["units"]；三者须出自同一产品、同一深度',
        ),
        TURC: (
            {"precipitation": RAIN, "temperature": hot},
            (
                "temperature 为 291.15 degC，不可能出现；共 1 处，其中这样的有 1 处；"
                "可能范围 -60 至 50"
            ),
            '把填充值改为 NaN，或改正数值或 attrs["units"]',
        ),
    }
    for key, (inputs, text, fix) in wanted.items():
        with pytest.raises(InputError) as caught:
            gep.preparations[key](**inputs)
        (problem,) = caught.value.problems
        assert problem.text("zh") == f"gep.preparations[{key[0]!r}, {key[1]!r}]：{text}"
        assert problem.fix("zh") == fix
