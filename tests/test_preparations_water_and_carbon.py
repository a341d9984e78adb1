"""Evapotranspiration, evaporation of water, net ecosystem production, sums of the year.

Expected values come from FAO 56, from the papers, from hand calculation, or from the same formulas
written a second time below in numpy.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import rasterio
import small
from numpy.typing import NDArray
from rasterio.transform import from_origin

import gep
from gep import coefficients
from gep.ecosystems import ecosystems
from gep.fuse import compiled
from gep.layers import variables
from gep.preparation import Preparation, preparations
from gep.units import factor, parse, registry

RASTERS = (
    *("available_water", "crop_coefficient", "evapotranspiration", "net_ecosystem_production"),
    *("precipitation", "reference_evapotranspiration", "temperature", "water_evaporation"),
)
OURS = [p for p in preparations().values() if p.name in RASTERS]
ALL = pytest.mark.parametrize("p", OURS, ids=lambda p: f"{p.name}.{p.method}")
NAN = math.nan
BOOK = coefficients.load()[0]
DAYS, MONTHS = 365, 12
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

GIVEN = {
    "seasonality": 9.0,
    "ecosystem_share": 0.25,
    "years_between": 5.0,
    "impervious_share": 0.8,
    "fixation_rate": 120.0,
}
"""Numbers nobody can ship, as a user might state them."""
WHERE = {"gap_coefficient": "lake", "built": "built_up"}


def kernel(name: str, method: str) -> Callable[..., float]:
    found: Callable[..., float] = preparations()[name, method].kernel  # type: ignore[assignment]
    return found


def numbers(p: Preparation, **changed: float) -> dict[str, float]:
    """Coefficients on file in the units of the kernel, of a mixed forest where it matters."""
    found = {}
    for name, unit in p.coefficients.items():
        if name in GIVEN | changed:
            found[name] = (GIVEN | changed)[name]
            continue
        one = BOOK.coefficient(p.name, name)
        assert one
        number = one.number(unit, ecosystem=WHERE.get(name, "mixed_forest"))
        assert number, name
        found[name] = float(number[0])
    return found


@dataclass(frozen=True)
class Weather:
    """A year of made-up weather of a place like the hills of southern Jiangxi."""

    maximum: NDArray[np.float64]
    minimum: NDArray[np.float64]
    dew: NDArray[np.float64]
    humidity: NDArray[np.float64]
    wind: NDArray[np.float64]
    radiation: NDArray[np.float64]
    sunshine: NDArray[np.float64]


def weather(seed: int = 1, days: int = DAYS) -> Weather:
    chance = np.random.default_rng(seed)
    season = np.sin((np.arange(days) - 110) / DAYS * 2 * math.pi)
    mean = 18 + 11 * season + chance.normal(0, 3, days)
    minimum = mean - chance.uniform(1, 7, days)
    return Weather(
        maximum=mean + chance.uniform(1, 7, days),
        minimum=minimum,
        dew=minimum - chance.uniform(0, 3, days),
        humidity=chance.uniform(0.45, 0.95, days),
        wind=chance.uniform(0.3, 5, days),
        radiation=(15 + 8 * season) * chance.uniform(0.2, 1.1, days),
        sunshine=chance.uniform(0, 10, days) / 24,
    )


def inputs(p: Preparation, seed: int = 1, **changed: Any) -> dict[str, Any]:
    """Arguments of a kernel by name: likely numbers, random series."""
    w, chance = weather(seed), np.random.default_rng(seed)
    season = np.sin((np.arange(MONTHS) - 3.5) / MONTHS * 2 * math.pi)
    likely: dict[str, Any] = {
        "precipitation": chance.uniform(900, 2200),
        "temperature": chance.uniform(12, 20),
        "reference_evapotranspiration": chance.uniform(800, 1200),
        "evapotranspiration_product": chance.uniform(500, 900),
        "available_water": chance.uniform(50, 300),
        "crop_coefficient": chance.uniform(0.3, 1.1),
        "leaf_area_index": chance.uniform(0.5, 6),
        "root_depth": chance.uniform(500, 3000),
        "soil_depth": chance.uniform(500, 3000),
        "available_water_share": chance.uniform(0.05, 0.3),
        "latitude": chance.uniform(24, 30),
        "elevation": chance.uniform(20, 1500),
        "temperature_elevation": chance.uniform(20, 1500),
        "net_primary_production": chance.uniform(300, 900),
        "biomass": chance.uniform(5000, 20000),
        "former_biomass": chance.uniform(5000, 20000),
        "daily_maximum_temperature": w.maximum,
        "daily_minimum_temperature": w.minimum,
        "daily_mean_temperature": (w.maximum + w.minimum) / 2,
        "daily_dew_point": w.dew,
        "daily_relative_humidity": w.humidity,
        "daily_wind_speed": w.wind,
        "daily_radiation": w.radiation,
        "daily_sunshine": w.sunshine,
        "daily_reference_evapotranspiration": chance.uniform(0.3, 8, DAYS),
        "daily_precipitation": chance.gamma(0.3, 15, DAYS),
        "monthly_temperature": 18 + 11 * season,
        "monthly_precipitation": 130 + 100 * season,
        "monthly_reference_evapotranspiration": 80 + 50 * season,
        "days": np.array(LENGTHS, float),
    }
    taken = {name: likely[name] for name in (*p.rasters, *p.series, *p.calendar)}
    return taken | numbers(p) | changed


# ---- what every one of them must keep


@ALL
def test_example_holds_and_takes_what_is_declared(p: Preparation) -> None:
    if p.series:
        assert p.example is None, "its example stands in the docstring"
        return
    assert p.example
    declared = [*p.rasters, *p.coefficients]
    assert list(p.example.inputs) == declared
    assert p.kernel(**p.example.inputs) == pytest.approx(p.example.gives, rel=1e-12)


@ALL
def test_missing_in_missing_out(p: Preparation) -> None:
    """NaN in any argument, in any one step of a series, is NaN: nothing is passed over."""
    taken = inputs(p)
    assert math.isfinite(p.kernel(**taken))  # type: ignore[arg-type]
    for name, value in taken.items():
        if p.method.startswith("product_filled") and name == "evapotranspiration_product":
            continue  # that is what it fills
        if isinstance(value, float):
            assert math.isnan(p.kernel(**taken | {name: NAN})), name  # type: ignore[arg-type]
            continue
        for step in (0, len(value) // 2, len(value) - 1):
            holed = value.copy()
            holed[step] = NAN
            assert math.isnan(p.kernel(**taken | {name: holed})), (name, step)  # type: ignore[arg-type]


@ALL
def test_compiled_it_is_the_same(p: Preparation) -> None:
    """Compiled as the loop compiles it, on random weather, with a hole and without."""
    quick = compiled(p.kernel)
    for seed in range(1, 6):
        taken = inputs(p, seed)
        if seed == 5:
            name = [*taken][0]
            taken[name] = taken[name] * NAN
        plain = p.kernel(**taken)
        assert quick(*taken.values()) == pytest.approx(plain, rel=1e-12, nan_ok=True)


@ALL
def test_units_go_through_the_formula(p: Preparation) -> None:
    """The kernel, run with quantities in other units, gives the declared unit and the number."""
    if p.example is None:
        pytest.skip("a step of a series is a rate, its sum is none")
    declared = p.rasters | p.coefficients
    for convert in (False, True):
        arguments = {name: p.example.inputs[name] * parse(unit) for name, unit in declared.items()}
        if convert:
            arguments = {name: one.to_base_units() for name, one in arguments.items()}
        result = registry().Quantity(p.kernel(**arguments))
        assert result.to(parse(p.gives).units).magnitude == pytest.approx(p.example.gives, rel=1e-9)


@ALL
def test_words_numbers_and_layers_are_there(p: Preparation) -> None:
    assert p.title.en.isascii()
    assert any("一" <= sign <= "鿿" for sign in p.title.zh)
    assert "docs/methods.md#" in p.source
    assert f"[{p.gives.replace('*', ' ')}]" in (p.kernel.__doc__ or "")
    layers = p.rasters | {name: one.unit for name, one in p.series.items()} | {p.name: p.gives}
    for name, unit in layers.items():
        assert factor(variables()[name].unit, unit, name) > 0
    for name, unit in p.coefficients.items():
        for found in BOOK.services[p.name][name].values():
            assert factor(found.unit, unit, found.at) > 0


@pytest.mark.parametrize("raster", [*dict.fromkeys(p.name for p in OURS)])
def test_file_of_coefficients_holds_what_some_method_takes(raster: str) -> None:
    taken = {name for p in OURS if p.name == raster for name in p.coefficients}
    assert set(BOOK.services.get(raster, {})) == taken


def test_best_method_first() -> None:
    order = {name: [p.method for p in OURS if p.name == name] for name in RASTERS}
    assert order["evapotranspiration"] == [
        *("product_filled_towns", "product_filled", "product", "budyko_fu", "zhang", "turc"),
    ]
    assert order["reference_evapotranspiration"] == [
        *("penman_monteith", "penman_monteith_sunshine", "daily", "monthly", "hargreaves"),
    ]
    assert order["water_evaporation"] == [
        *("penman_corrected", "penman", "penman_sunshine_corrected", "penman_sunshine"),
        *("reference_corrected", "reference", "hargreaves_corrected", "hargreaves"),
    ]
    assert order["net_ecosystem_production"] == [
        *("npp_minus_respiration", "biomass_difference", "npp_ratio", "fixed_rates"),
    ]


def test_numbers_that_belong_to_a_place_do_not_ship() -> None:
    for raster, name in (
        ("evapotranspiration", "seasonality"),
        ("evapotranspiration", "impervious_share"),
        ("net_ecosystem_production", "fixation_rate"),
        ("net_ecosystem_production", "ecosystem_share"),
        ("net_ecosystem_production", "years_between"),
    ):
        found = BOOK.coefficient(raster, name)
        assert found
        assert not found.values


# ---- actual evapotranspiration

CURVE = {"fu_intercept": 1.25, "fu_limit": 5.0}


def fu(rain: float, et0: float, water: float, **changed: float) -> float:
    given = {"crop_coefficient": 1.0, "vegetated": 1.0, "seasonality": 9.0}
    return kernel("evapotranspiration", "budyko_fu")(rain, et0, water, *(given | changed).values(),
                                                     *CURVE.values())  # fmt: skip


def test_budyko_by_hand() -> None:
    """P 1638, ET0 1100, AWC 150, Z 9: w = 9 x 150 / 1638 + 1.25 = 2.0742; yield 851.4 mm."""
    shape, dry = 9 * 150 / 1638 + 1.25, 1100 / 1638
    assert shape == pytest.approx(2.0742, abs=5e-5)
    by_hand = 1638 * (1 + dry - (1 + dry**shape) ** (1 / shape))
    assert fu(1638, 1100, 150) == pytest.approx(by_hand, rel=1e-12)
    assert fu(1638, 1100, 150) == pytest.approx(786.6, abs=0.05)
    assert 1638 - fu(1638, 1100, 150) == pytest.approx(851.4, abs=0.05)


def test_budyko_never_above_rain_or_demand_and_grows_with_soil_and_demand() -> None:
    for rain in (0.0, 50.0, 400.0, 1638.0, 4000.0):
        losses = [fu(rain, 1100, water) for water in (0, 20, 150, 600, 5000)]
        assert losses == sorted(losses)
        assert max(losses) <= min(rain, 1100) * (1 + 1e-12)
        assert fu(rain, 1200, 150) >= fu(rain, 1100, 150)
    assert fu(0.0, 1100, 150) == 0.0
    assert fu(100, 1000, 99 * 0.11 * 100) == fu(100, 1000, 1e6), "w is at most 5"
    assert fu(1638, 0.0, 150) == 0.0
    # 1 + 1e-5 - (1 + 1e-25)^(1/5) is 1.0000000000066e-5 in double precision: above the demand
    assert (1 + 1e-5) - (1 + 1e-25) ** 0.2 > 1e-5
    assert fu(1000, 0.01, 1e6) <= 0.01 < 1000 * ((1 + 1e-5) - 1)


def test_without_plants_what_the_air_takes_evaporates_as_far_as_it_rains() -> None:
    assert fu(1638, 1100, 150, vegetated=0.0) == 1100
    assert fu(500, 1100, 150, vegetated=0.0) == 500
    assert fu(500, 1100, 150, vegetated=0.0, crop_coefficient=0.1) == pytest.approx(110)


def zhang(rain: float, demand: float, w: float) -> float:
    return kernel("evapotranspiration", "zhang")(rain, demand, w)


def test_zhang_by_hand() -> None:
    """Forest, 1000 mm of rain, 1410 mm of demand: 3.82 / (3.82 + 0.70922) of it, 843.4 mm."""
    assert zhang(1000, 1410, 2.0) == pytest.approx(1000 * 3.82 / (3.82 + 1000 / 1410))
    assert zhang(1000, 1100, 0.5) == pytest.approx(1000 * 1.55 / (1.55 + 1000 / 1100))
    assert zhang(1000, 1410, 2.0) == pytest.approx(843.4, abs=0.05)


def test_zhang_limits() -> None:
    assert zhang(10, 1410, 2.0) == pytest.approx(10, rel=2e-4), "a desert evaporates its rain"
    assert zhang(1e6, 1410, 2.0) == pytest.approx(1410, rel=5e-3), "an ocean of rain the demand"
    assert zhang(1000, 1410, 2.0) > zhang(1000, 1410, 0.5)
    assert math.isnan(zhang(0.0, 1410, 2.0))
    assert math.isnan(zhang(1000, 0.0, 2.0))


def turc(rain: float, warm: float) -> float:
    return kernel("evapotranspiration", "turc")(rain, warm, 0.9, 300.0, 25.0, 0.05)


def test_turc_by_hand() -> None:
    """P 1638 mm, T 18 degC: L = 300 + 450 + 291.6 = 1041.6 mm."""
    assert turc(1638, 18) == pytest.approx(1638 / math.sqrt(0.9 + (1638 / 1041.6) ** 2), rel=1e-12)
    assert turc(100, 25) == 100, "never more than the rain"
    assert turc(0.0, 18) == 0.0
    assert math.isnan(turc(1638, -12)), "there L is below 0"


@pytest.mark.parametrize(
    ("product", "coefficient", "wanted"),
    [(750.0, 0.0, 750.0), (750.0, 1.05, 750.0), (NAN, 1.05, 1050.0), (NAN, 0.0, NAN)],
)
def test_gaps_of_a_product(product: float, coefficient: float, wanted: float) -> None:
    """Filled where a number says how, else still missing; what is there is never changed."""
    found = kernel("evapotranspiration", "product_filled")(product, 1000.0, coefficient)
    assert found == pytest.approx(wanted, nan_ok=True)


def test_only_open_water_is_filled() -> None:
    found = BOOK.coefficient("evapotranspiration", "gap_coefficient")
    assert found
    for key, one in ecosystems().items():
        value = found.find(ecosystem=key)
        assert value, key
        water = key in ("lake", "river", "reservoir", "pond", "open_water")
        assert float(value.number) == (1.05 if water else 0.0), one


@pytest.mark.parametrize(
    ("product", "rain", "coefficient", "built", "sealed", "wanted"),
    [
        (NAN, 1600.0, 0.0, 1.0, 0.8, 200.0),  # 0.8 x 0.1 + 0.2 x 0.6 = 0.2 of 1000 mm
        (NAN, 1600.0, 0.0, 1.0, 1.0, 100.0),
        (NAN, 1600.0, 0.0, 1.0, 0.0, 600.0),
        (NAN, 150.0, 0.0, 1.0, 0.8, 150.0),  # no more than it rains
        (NAN, 1600.0, 1.05, 0.0, 0.8, 1050.0),  # water, whatever it rains
        (NAN, 150.0, 1.05, 0.0, 0.8, 1050.0),
        (NAN, 1600.0, 0.0, 0.0, 0.8, NAN),  # a hole in a forest
        (700.0, 1600.0, 0.0, 1.0, 0.8, 700.0),  # what is there stays
        (700.0, 1600.0, 0.0, 0.0, NAN, 700.0),  # no share of sealed ground outside of towns
    ],
)
def test_gaps_over_towns(
    product: float, rain: float, coefficient: float, built: float, sealed: float, wanted: float
) -> None:
    fill = kernel("evapotranspiration", "product_filled_towns")
    found = fill(product, 1000.0, rain, coefficient, built, sealed, 0.1, 0.6)
    assert found == pytest.approx(wanted, nan_ok=True)


def test_a_product_with_holes_in_an_account(tmp_path: Path) -> None:
    """Holes over towns, lakes and forest; towns are filled once their sealed share is said."""
    codes = np.full((small.ROWS, small.COLUMNS), 15, np.uint8)
    codes[:, 5:10], codes[:, 10:15], codes[:, 15:20] = 61, 42, 62
    holed = np.full(codes.shape, 700.0)
    holed[3:8] = NAN
    rasters = {"evapotranspiration_product": holed}
    rasters |= {"reference_evapotranspiration": np.full(codes.shape, 1000.0)}
    change: dict[str, Any] = {}
    for name, array in rasters.items():
        change[f"rasters.{name}"] = {"file": f"{name}.tif", "unit": "mm/year"}
        small.write_raster(tmp_path / f"{name}.tif", array.astype(np.float32), nodata=NAN)
    hole = np.isnan(holed)
    for said, method, town in (
        ({}, "product_filled", NAN),
        ({"impervious_share": 0.7}, "product_filled_towns", 250.0),  # 0.7 x 0.1 + 0.3 x 0.6
    ):
        numbers = {"preparations.evapotranspiration.parameters": said} if said else {}
        path = small.write(
            tmp_path, ecosystem=codes, rasters={"evapotranspiration": None}, change=change | numbers
        )
        (step,) = gep.open(path).prepare("evapotranspiration")
        assert step.preparation.method == method
        with rasterio.open(step.path) as file:
            found = file.read(1)
        wanted = np.select([~hole, codes == 61, codes == 42], [700.0, town, 1050.0], NAN)
        inside = small.places() >= 0
        np.testing.assert_allclose(found[inside], wanted[inside], rtol=1e-6)


def test_only_built_up_land_is_town() -> None:
    built = BOOK.coefficient("evapotranspiration", "built")
    assert built
    values = {key: float(built.find(ecosystem=key).number) for key in ecosystems()}  # type: ignore[union-attr]
    assert {key for key, value in values.items() if value} == {"built_up", "industrial_land"}
    assert set(values.values()) == {0.0, 1.0}


def test_leaf_area_and_root_zone() -> None:
    leaf, root = kernel("crop_coefficient", "leaf_area"), kernel("available_water", "root_zone")
    assert [leaf(x, 3.0) for x in (0.0, 1.5, 3.0, 6.0)] == [0.0, 0.5, 1.0, 1.0]
    assert root(1500, 1000, 0.15) == root(1000, 1500, 0.15) == 150


# ---- reference evapotranspiration


def vapour(degrees: Any) -> Any:
    """FAO 56, equation 11 [kPa]."""
    return 0.6108 * np.exp(17.27 * degrees / (degrees + 237.3))


def sun(latitude: float, day: Any) -> tuple[Any, Any]:
    """FAO 56, equations 21 to 25, 34: radiation outside the air [MJ/m2], hours of daylight."""
    north, angle = np.deg2rad(latitude), 2 * np.pi / 365 * day
    tilt = 0.409 * np.sin(angle - 1.39)
    sunset = np.arccos(-np.tan(north) * np.tan(tilt))
    lit = sunset * np.sin(north) * np.sin(tilt) + np.cos(north) * np.cos(tilt) * np.sin(sunset)
    return 24 * 60 / np.pi * 0.0820 * (1 + 0.033 * np.cos(angle)) * lit, 24 / np.pi * sunset


def balance(w: Weather, here: Any, radiation: Any, clear: Any, albedo: float) -> Any:
    """FAO 56, equations 38 to 40 [MJ/m2]; Rs / Rso within 0.3 and 1 (ASCE 2005)."""
    kelvin = ((w.maximum + 273.16) ** 4 + (w.minimum + 273.16) ** 4) / 2
    cloud = 1.35 * np.clip(radiation / clear, 0.3, 1) - 0.35
    lost = 4.903e-9 * kelvin * (0.34 - 0.14 * np.sqrt(here)) * cloud
    return (1 - albedo) * radiation - lost


def air(w: Weather, height: float) -> tuple[Any, Any, Any, Any]:
    """FAO 56, equations 7 to 13: mean [degC], psychrometric constant, slope, saturation [kPa]."""
    mean = (w.maximum + w.minimum) / 2
    gamma = 0.665e-3 * 101.3 * ((293 - 0.0065 * height) / 293) ** 5.26
    slope = 4098 * vapour(mean) / (mean + 237.3) ** 2
    return mean, gamma, slope, (vapour(w.maximum) + vapour(w.minimum)) / 2


def fao56(w: Weather, latitude: float, height: float, wind: Any, sunny: bool) -> Any:
    """Every day of FAO 56, equation 6 [mm], in numpy."""
    outside, daylight = sun(latitude, np.arange(1, len(w.maximum) + 1))
    mean, gamma, slope, full = air(w, height)
    here = full * w.humidity if sunny else vapour(w.dew)
    share = np.minimum(w.sunshine * 24 / daylight, 1)
    radiation = (0.25 + 0.5 * share) * outside if sunny else w.radiation
    net = balance(w, here, radiation, (0.75 + 2e-5 * height) * outside, 0.23)
    top = 0.408 * slope * net + gamma * 900 / (mean + 273) * wind * (full - here)
    return np.maximum(top / (slope + gamma * (1 + 0.34 * wind)), 0)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("method", ["penman_monteith", "penman_monteith_sunshine"])
def test_penman_monteith_is_fao_56_in_numpy(seed: int, method: str) -> None:
    """To 4e-4: 0.408 is printed for 1/2.45; the wind of 10 m is brought to 2 m."""
    p = preparations()["reference_evapotranspiration", method]
    taken = inputs(p, seed)
    sunny = method != "penman_monteith"
    wind = weather(seed).wind * 4.87 / math.log(67.8 * 10 - 5.42)
    days = fao56(weather(seed), taken["latitude"], taken["elevation"], wind, sunny)
    assert p.kernel(**taken) == pytest.approx(days.sum(), rel=4e-4)
    assert 500 < days.sum() < 2000


def test_penman_monteith_is_that_of_pyet() -> None:
    """927.746 mm by pyet 1.5.0 (pm_fao56), a year of the same weather every day, 28.7 degrees."""
    p = preparations()["reference_evapotranspiration", "penman_monteith_sunshine"]
    each = {"daily_maximum_temperature": 22.0, "daily_minimum_temperature": 14.0}
    each |= {"daily_relative_humidity": 0.78, "daily_wind_speed": 2.2, "daily_sunshine": 4.6 / 24}
    series = {name: np.full(DAYS, value) for name, value in each.items()}
    found = p.kernel(**inputs(p, latitude=28.7, elevation=50.0, **series))
    assert found == pytest.approx(927.746, rel=4e-4)


def test_more_sun_wind_and_dryness_evaporate_more() -> None:
    p = preparations()["reference_evapotranspiration", "penman_monteith"]
    taken = inputs(p)
    first: Any = p.kernel(**taken)
    for name, change in (
        ("daily_radiation", taken["daily_radiation"] * 1.1),
        ("daily_wind_speed", taken["daily_wind_speed"] * 1.1),
        ("daily_dew_point", taken["daily_dew_point"] - 1),
        ("wind_share", 1.0),
    ):
        assert p.kernel(**taken | {name: change}) > first, name


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_hargreaves_in_numpy(seed: int) -> None:
    p = preparations()["reference_evapotranspiration", "hargreaves"]
    taken, w = inputs(p, seed), weather(seed)
    outside, _ = sun(taken["latitude"], np.arange(1, DAYS + 1))
    mean = (w.maximum + w.minimum) / 2
    days = 0.0023 * (mean + 17.8) * np.sqrt(w.maximum - w.minimum) * outside / 2.45
    assert p.kernel(**taken) == pytest.approx(days.sum(), rel=1e-12)


def test_maximum_below_minimum_is_a_fault_not_a_number() -> None:
    p = preparations()["reference_evapotranspiration", "hargreaves"]
    taken = inputs(p)
    taken["daily_maximum_temperature"][100] = taken["daily_minimum_temperature"][100] - 1
    assert math.isnan(p.kernel(**taken))  # type: ignore[arg-type]


def test_cold_dark_days_take_nothing_back() -> None:
    """A day below 0 is 0: dew is no evapotranspiration."""
    p = preparations()["reference_evapotranspiration", "penman_monteith"]
    arctic = {name: np.full(DAYS, -30.0) for name in p.series}
    arctic |= {"daily_wind_speed": np.zeros(DAYS), "daily_radiation": np.zeros(DAYS)}
    assert p.kernel(**inputs(p, latitude=80.0, **arctic)) == 0.0


# ---- evaporation of open water


@pytest.mark.parametrize("method", ["penman", "penman_sunshine"])
def test_penman_of_water_in_numpy(method: str) -> None:
    """Only days above 26 degrees, none above 6 mm; albedo 0.08, wind 6.43 (1 + 0.536 u)."""
    p = preparations()["water_evaporation", method]
    taken, w = inputs(p), weather()
    outside, daylight = sun(taken["latitude"], np.arange(1, DAYS + 1))
    _, gamma, slope, full = air(w, taken["elevation"])
    here, wind, radiation = vapour(w.dew), w.wind * 0.748, w.radiation
    if method == "penman_sunshine":
        here = full * w.humidity
        radiation = (0.25 + 0.5 * np.minimum(w.sunshine * 24 / daylight, 1)) * outside
    clear = (0.75 + 2e-5 * taken["elevation"]) * outside
    net = balance(w, here, radiation, clear, 0.08)
    dry = gamma * 6.43 * (1 + 0.536 * wind) * np.maximum(full - here, 0)
    days = np.clip((slope * net + dry) / (slope + gamma) / 2.45, 0, 6)
    hot = w.maximum > 26
    assert 50 < hot.sum() < 250
    assert (days[hot] == 6).any()
    assert p.kernel(**taken) == pytest.approx(days[hot].sum(), rel=1e-4)
    free: Any = p.kernel(**taken | {"daily_ceiling": 100.0})
    assert free > days[hot].sum()


OF_WATER = ("penman", "penman_sunshine", "reference", "hargreaves")


@pytest.mark.parametrize("method", OF_WATER)
def test_temperature_falls_with_the_height_of_the_water(method: str) -> None:
    """500 m above its station, at 6 degrees a kilometre, a lake has weather 3 degrees colder."""
    p = preparations()["water_evaporation", f"{method}_corrected"]
    plain = preparations()["water_evaporation", method]
    taken = inputs(p, elevation=700.0, temperature_elevation=200.0)
    colder = {name: taken[name] for name in (*plain.rasters, *plain.series, *plain.coefficients)}
    falls = {"daily_maximum_temperature"}
    if method != "reference":  # its evapotranspiration is what it is: only the days are others
        falls |= {"daily_minimum_temperature", "daily_dew_point"} & {*plain.series}
    colder |= {name: taken[name] - 3.0 for name in falls}
    found: Any = p.kernel(**taken)
    assert found == pytest.approx(plain.kernel(**colder), rel=1e-12)
    assert 0 < found < plain.kernel(**colder | {name: taken[name] for name in falls})
    level: Any = p.kernel(**taken | {"temperature_elevation": 700.0})
    assert level == plain.kernel(**colder | {name: taken[name] for name in falls})


def test_hot_days_of_water_are_the_hot_days() -> None:
    """Same threshold, same lapse rate: where 0.5 mm is the most of a day, mm count the days."""
    for own, other in (("temperature_lapse_rate", "lapse_rate"), ("hot_threshold",) * 2):
        here, there = (
            BOOK.coefficient("water_evaporation", own),
            BOOK.coefficient("hot_days", other),
        )
        assert here
        assert there
        assert (
            here.number("degC/km" if "rate" in own else "degC")[0]
            == there.number(  # type: ignore[index]
                "degC/km" if "rate" in own else "degC"
            )[0]
        )  # type: ignore[index]
    p = preparations()["water_evaporation", "reference_corrected"]
    heights = {"elevation": 700.0, "temperature_elevation": 200.0}
    wet = {"daily_reference_evapotranspiration": np.full(DAYS, 5.0), "daily_ceiling": 0.5}
    water: Any = p.kernel(**inputs(p, **heights, **wet))
    days = kernel("hot_days", "daily_maximum_corrected")
    warm = weather().maximum
    assert water == pytest.approx(0.5 * days(*heights.values(), warm, 26.0, 0.006))
    assert water == pytest.approx(0.5 * (warm - 3.0 > 26.0).sum())


@pytest.mark.parametrize("method", OF_WATER)
def test_water_evaporates_on_hot_days_alone_and_never_above_the_ceiling(method: str) -> None:
    p = preparations()["water_evaporation", method]
    taken = inputs(p)
    hot = int((weather().maximum > 26).sum())
    found: Any = p.kernel(**taken)
    assert 0 < found <= 6 * hot
    assert p.kernel(**taken | {"daily_ceiling": 0.5}) == pytest.approx(0.5 * hot, rel=0.02)
    assert p.kernel(**taken | {"hot_threshold": 60.0}) == 0.0
    assert p.kernel(**taken | {"hot_threshold": 30.0}) < found


def test_a_day_of_26_degrees_is_not_hot() -> None:
    found = kernel("water_evaporation", "reference")([26.0, 26.1, 33.0], [4.0, 4.0, 9.0],
                                                     26.0, 6.0, 1.05)  # fmt: skip
    assert found == pytest.approx(4.2 + 6.0)


# ---- net ecosystem production

WARM = (6, 8, 12, 18, 23, 26, 29, 28.5, 25, 20, 14, 8)
WET = (75, 110, 180, 220, 240, 280, 150, 130, 85, 60, 75, 50)
BREATH = (
    *(15.135, 17.334, 21.620, 28.922, 38.370, 46.733),
    *(55.231, 52.867, 40.277, 28.229, 20.846, 15.016),
)
"""0.22 (exp(0.0913 T) + ln(0.3145 P + 1)) 30 x 46.5 % of every month, by hand [gC/m2]."""


def respired(warm: Any, wet: Any, **changed: float) -> float:
    p = preparations()["net_ecosystem_production", "npp_minus_respiration"]
    arrays = np.array(warm, float), np.array(wet, float)
    return 600.0 - kernel(p.name, p.method)(600.0, *arrays, *numbers(p, **changed).values())


def test_respiration_by_month_and_year() -> None:
    months = [respired([t], [r]) for t, r in zip(WARM, WET, strict=True)]
    assert months == pytest.approx(BREATH, abs=1e-3)
    assert respired(WARM, WET) == pytest.approx(380.58, abs=0.005)
    by_hand = sum(
        0.22 * (math.exp(0.0913 * t) + math.log(0.3145 * r + 1)) * 30 * 0.465
        for t, r in zip(WARM, WET, strict=True)
    )
    assert respired(WARM, WET) == pytest.approx(by_hand, rel=1e-12)


def test_a_forest_of_600_keeps_807_tonnes_of_carbon_dioxide_a_km2() -> None:
    """NPP 600, Rh 380: 220 gC/m2 are 806.7 t CO2/km2."""
    kept = 600 - respired(WARM, WET)
    assert kept * factor("gC/m^2", "tCO2/km^2", "carbon") == pytest.approx(804.5, abs=0.5)
    assert 220 * factor("gC/m^2", "tCO2/km^2", "carbon") == pytest.approx(807, abs=0.5)


def test_warmth_and_rain_respire_and_water_does_not() -> None:
    first = respired(WARM, WET)
    assert respired(np.add(WARM, 1), WET) > first
    assert respired(WARM, np.multiply(WET, 1.1)) > first
    assert respired(WARM, WET, soil_respires=0.0) == 0.0
    assert respired([0.0], [0.0]) == pytest.approx(0.22 * 30 * 0.465), "exp 0 + ln 1"
    assert math.isnan(respired([10.0], [-4.0])), "no logarithm below 0"


def test_where_soil_respires() -> None:
    found = BOOK.coefficient("net_ecosystem_production", "soil_respires")
    assert found
    silent = {key for key in ecosystems() if found.find(ecosystem=key).number == 0}  # type: ignore[union-attr]
    water = {"lake", "river", "reservoir", "pond", "open_water"}
    assert silent == {*water, "built_up", "industrial_land", "snow_ice"}


def test_share_and_difference_by_hand() -> None:
    assert kernel("net_ecosystem_production", "npp_ratio")(600.0, 0.25) == 150.0
    growth = kernel("net_ecosystem_production", "biomass_difference")
    assert growth(9000.0, 8000.0, 5.0, 0.5) == 100.0
    assert growth(8000.0, 9000.0, 5.0, 0.5) == -100.0, "what was cut is lost"
    assert math.isnan(growth(9000.0, 8000.0, 0.0, 0.5))


def test_rates_of_carbon_fixation(tmp_path: Path) -> None:
    """1.5 tC/ha are 150 gC/m2; by class from a table of the user, and no class has another's."""
    path = small.write(
        tmp_path / "one",
        rasters={"net_ecosystem_production": None, "net_primary_production": None},
        change={"preparations.net_ecosystem_production.parameters": {"fixation_rate": 1.5}},
    )
    (step,) = gep.open(path).prepare("net_ecosystem_production")
    assert step.preparation.method == "fixed_rates"
    with rasterio.open(step.path) as file:
        found = file.read(1)
    assert (found[small.places() >= 0] == 150).all()
    head = "file,name,set,key,value,unit,source,where,status\n"
    row = "net_ecosystem_production,fixation_rate,,{},{},tC/(ha*year),GEP,a test,design\n"
    (tmp_path / "two").mkdir()
    (tmp_path / "two/own.csv").write_text(
        head + row.format("forest", 2.0) + row.format("lake", 0.5), "utf8"
    )
    codes = np.full((small.ROWS, small.COLUMNS), 15, np.uint8)
    codes[:, ::2] = 42
    codes[:, 1] = 61
    path = small.write(
        tmp_path / "two",
        ecosystem=codes,
        rasters={"net_ecosystem_production": None, "net_primary_production": None},
        change={
            "preparations.net_ecosystem_production.method": "fixed_rates",
            "coefficients.overrides": "own.csv",
        },
    )
    (step,) = gep.open(path).prepare("net_ecosystem_production")
    with rasterio.open(step.path) as file:
        found = file.read(1)
    wanted = np.select([codes == 15, codes == 42], [200.0, 50.0], np.nan)
    inside = small.places() >= 0
    np.testing.assert_array_equal(found[inside], wanted[inside])


# ---- sums and means of the year


def test_year_of_days_and_months() -> None:
    rain, warm = np.arange(DAYS) / 10, np.arange(MONTHS, dtype=float)
    days = np.array(LENGTHS, float)
    assert kernel("precipitation", "daily")(rain) == pytest.approx(rain.sum())
    assert kernel("precipitation", "monthly")(warm) == 66.0
    assert kernel("temperature", "daily")(rain) == pytest.approx(rain.mean())
    found = kernel("temperature", "monthly")(warm, days)
    assert found == pytest.approx(np.repeat(warm, LENGTHS).mean(), rel=1e-12)
    assert found != pytest.approx(5.5, rel=1e-3), "months are not of one length"
    et0 = "reference_evapotranspiration"
    assert kernel(et0, "daily")(rain) == pytest.approx(rain.sum())
    assert kernel(et0, "monthly")(warm) == 66.0


# ---- a whole account


def _stack(path: Path, array: NDArray[np.float64]) -> None:
    """Write a series, one band per step, on the grid of the small account."""
    count, height, width = array.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=count,
        height=height,
        width=width,
        dtype="float32",
        crs=small.CRS,
        transform=from_origin(small.WEST, small.NORTH, small.PIXEL, small.PIXEL),
        nodata=small.NODATA,
    ) as file:
        file.write(array.astype(np.float32))


def test_an_account_from_weather_alone(tmp_path: Path) -> None:
    """Latitude → Hargreaves → Zhang → water retained; months and NPP → carbon: as by numpy."""
    row, column = np.indices((small.ROWS, small.COLUMNS)).astype(float)
    day, month = np.arange(DAYS)[:, None, None], np.arange(MONTHS)[:, None, None]
    season = np.sin((month - 3.5) / MONTHS * 2 * math.pi)
    stacks = {
        "daily_maximum_temperature": 24 + 10 * np.sin((day - 110) / 58) + column / 50,
        "daily_minimum_temperature": 16 + 10 * np.sin((day - 110) / 58) + column / 50,
        "monthly_temperature": 18 + 10 * season + row / 40,
        "monthly_precipitation": 130 + 100 * season + column / 10,
    }
    units = ("degC", "degC", "degC", "mm/month")
    change: dict[str, Any] = {"preparations.evapotranspiration.method": "zhang"}
    for (name, array), unit in zip(stacks.items(), units, strict=True):
        change[f"rasters.{name}"] = {"file": f"{name}.tif", "unit": unit}
        _stack(tmp_path / f"{name}.tif", array)
    made = {"evapotranspiration": None, "net_ecosystem_production": None}
    mixed = np.full((small.ROWS, small.COLUMNS), 15, np.uint8)
    path = small.write(tmp_path, ecosystem=mixed, rasters=made, change=change)
    cube = gep.open(path).run().cube["quantity"].sum("ecosystem")

    east, north = small.WEST + 100 * (column + 0.5), small.NORTH - 100 * (row + 0.5)
    _, latitude = pyproj.Transformer.from_crs(small.CRS, 4326, always_xy=True).transform(
        east, north
    )
    outside, _ = sun(latitude, day + 1)
    warmest, coldest = stacks["daily_maximum_temperature"], stacks["daily_minimum_temperature"]
    heat = (warmest + coldest) / 2 + 17.8
    et0 = (0.0023 * heat * np.sqrt(warmest - coldest) * outside / 2.45).sum(0)
    layers = {name: array.astype(float) for name, array in small.arrays().items()}
    rain = layers["precipitation"]
    loss = rain * (1 + 2 * et0 / rain) / (1 + 2 * et0 / rain + rain / et0)
    breath = np.exp(0.0913 * stacks["monthly_temperature"])
    breath = breath + np.log(0.3145 * stacks["monthly_precipitation"] + 1)
    kept = layers["net_primary_production"] - (0.22 * breath * 30 * 0.465).sum(0)
    retained = rain * (1 - 0.0229) - loss
    for number, code in enumerate(small.CODES):
        here, found = small.places() == number, cube.sel(county=code)
        water = float(found.sel(indicator="water_retention.water_retention"))
        assert water == pytest.approx(retained[here].sum() * 10, rel=1e-5), "1 mm on 1 ha is 10 m3"
        carbon = float(found.sel(indicator="carbon_sequestration.carbon_dioxide"))
        assert carbon == pytest.approx(kept[here].sum() * 0.01 * 44 / 12, rel=1e-5)
