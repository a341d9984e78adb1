"""Erosivity, erodibility, storms and hot days: vectors, hand calculations, laws, compiled = plain.

The numbers a method is given here are those on file, so that a wrong file shows as a wrong result.
"""

import calendar
import inspect
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from gep import coefficients
from gep.ecosystems import ecosystems, members
from gep.layers import variables
from gep.preparation import Preparation, preparations
from gep.service import Indicator, services
from gep.units import factor, parse, registry

BOOK, FAULTS = coefficients.load()
RASTERS = (
    *("erosivity", "erodibility", "storm_precipitation", "storm_runoff", "hot_days"),
    "air_conditioning_days",
)
MINE = [pytest.param(p, id=".".join(p.key)) for p in preparations().values() if p.name in RASTERS]
MONTHS = np.repeat(np.arange(1.0, 13.0), [calendar.monthrange(2021, m)[1] for m in range(1, 13)])
RAIN = [75.0, 110, 180, 220, 240, 280, 150, 130, 85, 60, 75, 50]
"""Rain of the months of a Jiangxi year [mm]; together 1655."""


def numbers(p: Preparation, ecosystem: str = "mixed_forest", **sets: str) -> dict[str, float]:
    """Coefficients of a method as they are on file, in the units of its kernel."""
    found = {}
    for name, unit in p.coefficients.items():
        coefficient = BOOK.coefficient(p.name, name, sets.get(name, ""))
        assert coefficient, name
        number = coefficient.number(unit, ecosystem=ecosystem, year=2021)
        found[name] = float(number[0]) if number else math.nan
    return found


def value(
    name: str, method: str, ecosystem: str = "mixed_forest", sets: Any = None, **inputs: Any
) -> float:
    """What a method gives for one pixel with the numbers on file."""
    p = preparations()[name, method]
    return run(p, inputs | numbers(p, ecosystem, **(sets or {})))


def run(p: Preparation, inputs: dict[str, Any]) -> float:
    kernel: Callable[..., float] = p.kernel  # type: ignore[assignment]
    return kernel(**inputs)


def days(*storms: tuple[int, float]) -> np.ndarray:
    """Rain of the days of 2021: dry but for (day, mm)."""
    rain = np.zeros(365)
    for day, depth in storms:
        rain[day] = depth
    return rain


# ---- published and derived vectors


def test_annual_and_monthly_erosivity_of_one_rain_differ_by_two() -> None:
    whole = sum(RAIN)
    assert value("erosivity", "zhang_annual", precipitation=whole) == pytest.approx(11324, abs=0.5)
    assert value("erosivity", "renard_freimund", precipitation=whole) == pytest.approx(9814, abs=1)
    assert value("erosivity", "fournier", monthly_precipitation=RAIN) == pytest.approx(5614, abs=1)
    us = 238  # hundreds of foot tons inch per acre, hour and year
    found = value("erosivity", "wischmeier_monthly", monthly_precipitation=RAIN)
    assert found / 17.02 == pytest.approx(us, abs=0.5)


def test_wischmeier_by_hand() -> None:
    share = np.array(RAIN) ** 2 / sum(RAIN)
    wanted = 17.02 * np.sum(1.735 * 10 ** (1.5 * np.log10(share) - 0.8188))
    found = value("erosivity", "wischmeier_monthly", monthly_precipitation=RAIN)
    assert found == pytest.approx(wanted, rel=1e-12)


def test_half_month_constants() -> None:
    """b 1.5537 and a 0.9086 where the erosive days have 26 mm and add up to 1250 mm a year."""
    inputs = {"mean_erosive_day_precipitation": 26.0, "mean_erosive_year_precipitation": 1250.0}
    one, two = (
        value("erosivity", "half_month_daily_means", daily_precipitation=days((9, rain)), **inputs)
        for rain in (20.0, 40.0)
    )
    exponent = math.log2(two / one)
    assert exponent == pytest.approx(1.5537, abs=5e-5)
    assert one / 20**exponent == pytest.approx(0.9086, abs=5e-5)


def test_half_months_add_up_to_the_sum_of_the_days() -> None:
    """As the source says it: a of every half-month, P^b of its erosive days, 24 half-months."""
    rain = np.random.default_rng(7).gamma(0.3, 14.0, 365)
    erosive = rain >= 12
    b = 0.8363 + 18.144 / rain[erosive].mean() + 24.455 / rain[erosive].sum()
    a = 21.586 * b**-7.1891
    day_of_month = np.concatenate([np.arange(1, (m == MONTHS).sum() + 1) for m in range(1, 13)])
    half = 2 * (MONTHS - 1) + np.where(day_of_month <= 15, 1, 2)
    wanted = sum(a * np.sum(rain[erosive & (half == k)] ** b) for k in range(1, 25))
    found = value("erosivity", "half_month_daily", daily_precipitation=rain)
    assert found == pytest.approx(wanted, rel=1e-12)


def test_season_daily_by_hand() -> None:
    """Days of 40 mm in April, May, September and October, one below the threshold in June."""
    april, may, september, october, june = 100, 130, 260, 290, 170
    assert [MONTHS[d] for d in (april, may, september, october, june)] == [4, 5, 9, 10, 6]
    rain = days(*[(d, 40.0) for d in (april, may, september, october)], (june, 11.9))
    power = 40**1.7265
    wanted = (2 * 0.3937 + 2 * 0.3101) * power
    inputs = {"daily_precipitation": rain, "month": MONTHS}
    assert value("erosivity", "season_daily", **inputs) == pytest.approx(wanted, rel=1e-12)
    wanted += 0.3937 * 11.9**1.7265
    monitoring = value(
        "erosivity", "season_daily", sets={"erosive_threshold": "monitoring"}, **inputs
    )
    assert monitoring == pytest.approx(wanted, rel=1e-12)


def test_renard_freimund_joins_at_850_mm() -> None:
    below, above = (
        value("erosivity", "renard_freimund", precipitation=p) for p in (850.0, 850.0001)
    )
    assert below == pytest.approx(0.0483 * 850**1.61)
    assert above == pytest.approx(587.8 - 1.219 * 850 + 0.004105 * 850**2, rel=1e-6)
    assert above == pytest.approx(below, rel=0.002)


@pytest.mark.parametrize(
    ("sand", "silt", "clay", "carbon", "raw", "metric", "corrected"),
    [
        (40.0, 30.0, 30.0, 1.5, 0.2285, 0.03009, 0.01370),
        (30.0, 35.0, 35.0, 1.2, 0.2715, 0.03576, 0.01662),
        (60.0, 25.0, 15.0, 0.8, 0.2434, 0.03205, 0.01471),
    ],
)
def test_epic(
    sand: float,
    silt: float,
    clay: float,
    carbon: float,
    raw: float,
    metric: float,
    corrected: float,
) -> None:
    inputs = {"sand": sand, "silt": silt, "clay": clay, "organic_carbon": carbon}
    found = value("erodibility", "epic", **inputs)
    assert found / 0.1317 == pytest.approx(raw, abs=5e-5)
    assert found == pytest.approx(metric, abs=5e-6)
    assert value("erodibility", "epic_china", **inputs) == pytest.approx(corrected, abs=5e-6)
    wanted = (-0.01383 + 0.51575 * found / 0.1317) * 0.1317
    assert value("erodibility", "epic_china", **inputs) == pytest.approx(wanted, rel=1e-12)


def test_grams_per_kilogram_are_tenths_of_per_cent() -> None:
    assert factor("g/kg", "percent", "clay") == 0.1
    assert factor("1", "percent", "clay") == 100.0


def test_mean_diameter_is_the_plain_formula() -> None:
    shares = np.array([[40.0, 30.0, 30.0], [10.0, 20.0, 71.0]])
    for sand, silt, clay in shares:
        weights = np.array([sand, silt, clay]) / (sand + silt + clay)
        diameter = np.exp(weights @ np.log([1.025, 0.026, 0.001]))
        wanted = 0.0034 + 0.0405 * np.exp(-0.5 * ((np.log10(diameter) + 1.659) / 0.7101) ** 2)
        found = value("erodibility", "mean_diameter", sand=sand, silt=silt, clay=clay)
        assert found == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("method", ["epic_china", "epic", "mean_diameter"])
@pytest.mark.parametrize("ecosystem", ["lake", "open_water", "built_up", "snow_ice"])
def test_no_soil_no_erodibility(method: str, ecosystem: str) -> None:
    p = preparations()["erodibility", method]
    inputs = {"sand": 40.0, "silt": 30.0, "clay": 30.0, "organic_carbon": 1.5}
    inputs = {name: inputs[name] for name in p.rasters}
    assert value("erodibility", method, ecosystem, **inputs) == 0.0
    assert value("erodibility", method, "paddy", **inputs) > 0.0


def test_every_ecosystem_has_a_soil_or_none() -> None:
    soil = BOOK.coefficient("erodibility", "soil")
    assert soil
    without = {key for key in ecosystems() if (v := soil.find(ecosystem=key)) and v.number == 0}
    assert all(soil.find(ecosystem=key) for key in ecosystems())
    wet = {"lake", "river", "reservoir", "pond", "open_water"}
    assert without == wet | {"built_up", "industrial_land", "snow_ice"}


def test_storm_rain_is_that_of_days_of_50_mm() -> None:
    rain = days((10, 49.99), (150, 50.0), (151, 110.0), (200, 75.5))
    assert value("storm_precipitation", "daily", daily_precipitation=rain) == 235.5


@pytest.mark.parametrize(
    ("ecosystem", "runoff"),
    [
        ("evergreen_broadleaf_forest", 12.3),
        ("evergreen_needleleaf_forest", 16.3),
        ("mixed_forest", 3.7),
        ("deciduous_broadleaf_forest", 8.0),
        ("deciduous_needleleaf_forest", 7.2877 * math.log(100) - 21.064),
    ],
)
def test_storm_runoff_by_regression(ecosystem: str, runoff: float) -> None:
    """Of a day of 100 mm, whatever the soil; two such days give twice as much."""
    for group in (1.0, 4.0):
        once, twice = (
            value("storm_runoff", "regression", ecosystem, soil_group=group, daily_precipitation=r)
            for r in (days((150, 100.0)), days((150, 100.0), (180, 100.0)))
        )
        assert once == pytest.approx(runoff, abs=0.05)
        assert twice == pytest.approx(2 * once, rel=1e-12)


@pytest.mark.parametrize("method", ["regression", "curve_number"])
def test_storm_runoff_by_curve_number(method: str) -> None:
    """CN 70, P 100 mm: S 108.857, (100 - 21.771)^2 / (100 + 87.086) = 32.71 mm."""
    bamboo = value(
        *("storm_runoff", method, "bamboo_forest"),
        soil_group=3.0,
        daily_precipitation=days((150, 100.0)),
    )
    assert bamboo == pytest.approx(32.71, abs=0.005)


def test_curve_numbers_rise_from_group_a_to_d_and_cover_what_is_eligible() -> None:
    service = services()["flood_mitigation", "storage"]
    vegetation = next(i for i in service.indicators if i.name == "vegetation")
    assert isinstance(vegetation, Indicator)
    for ecosystem in members(vegetation.ecosystems):
        one = numbers(preparations()["storm_runoff", "regression"], ecosystem.key)
        curve = [one[f"curve_number_{group}"] for group in "abcd"]
        assert curve == sorted(curve)
        assert 30 <= curve[0] < curve[-1] < 100
        assert not math.isnan(one["runoff_slope"] + one["runoff_offset"])
    cropland = numbers(preparations()["storm_runoff", "curve_number"], "upland")
    assert math.isnan(cropland["curve_number_a"]), "nobody said anything of cropland"


@pytest.mark.parametrize("group", [0.0, 5.0, 11.0, 2.5, math.nan])
def test_an_unknown_soil_group_is_missing(group: float) -> None:
    for method in ("regression", "curve_number"):
        rain = days((150, 100.0))
        assert math.isnan(value("storm_runoff", method, soil_group=group, daily_precipitation=rain))


@pytest.mark.parametrize("curve", [0.0, -5.0, 101.0])
def test_an_impossible_curve_number_is_missing(curve: float) -> None:
    p = preparations()["storm_runoff", "curve_number"]
    inputs: dict[str, Any] = {"soil_group": 3.0, "daily_precipitation": days((9, 80.0))}
    assert math.isnan(run(p, inputs | numbers(p) | {"curve_number_c": curve}))


def test_hot_days_fall_with_height() -> None:
    """Maxima 20, 20.1 … 40 degC: 140 above 26; at +500 m 3 degC colder, 110."""
    maxima = 20 + np.arange(201) / 10
    assert value("hot_days", "daily_maximum", daily_maximum_temperature=maxima) == 140
    here, above = (
        value(
            *("hot_days", "daily_maximum_corrected"),
            elevation=height,
            temperature_elevation=100.0,
            daily_maximum_temperature=maxima + 1e-9,
        )
        for height in (100.0, 600.0)
    )
    assert (here, above) == (141, 111)  # 26 itself is above, by a billionth


def test_cooling_days_are_those_of_the_mean() -> None:
    means = np.array([25.0, 26.0, 26.5, 31.0, 28.9])
    found = value("air_conditioning_days", "daily_mean", daily_mean_temperature=means)
    assert found == 3
    corrected = value(
        *("air_conditioning_days", "daily_mean_corrected"),
        elevation=1000.0,
        temperature_elevation=500.0,
        daily_mean_temperature=means,
    )
    assert corrected == 1


def test_storms_are_the_same_in_both_files() -> None:
    rain, runoff = (
        BOOK.coefficient(name, "storm_threshold")
        for name in ("storm_precipitation", "storm_runoff")
    )
    assert rain
    assert runoff
    assert (rain.unit, rain.values) == (runoff.unit, runoff.values)


# ---- laws


ANCHORS: dict[str, float] = {
    "sand": 40.0,
    "silt": 35.0,
    "clay": 25.0,
    "organic_carbon": 1.5,
    "precipitation": 1655.0,
    "mean_erosive_day_precipitation": 26.0,
    "mean_erosive_year_precipitation": 1250.0,
    "soil_group": 3.0,
    "elevation": 300.0,
    "temperature_elevation": 100.0,
}


def arguments(p: Preparation, generator: np.random.Generator) -> dict[str, Any]:
    """One pixel of a made-up but possible year, with the numbers on file."""
    found: dict[str, Any] = {}
    for name in p.rasters:
        found[name] = ANCHORS[name] * float(generator.uniform(0.5, 1.5))
    if "soil_group" in found:
        found["soil_group"] = float(generator.integers(1, 5))
    for name, series in p.series.items():
        steps = 12 if series.step == "month" else 365
        if series.unit == "degC":
            found[name] = generator.normal(22, 9, steps)
        else:
            found[name] = generator.gamma(0.3, 14.0 if steps == 365 else 400.0, steps)
    for name in p.calendar:
        assert name == "month"
        found[name] = MONTHS
    return found | numbers(p)


def samples(p: Preparation, count: int = 40) -> Iterator[dict[str, Any]]:
    generator = np.random.default_rng(11)
    for _ in range(count):
        yield arguments(p, generator)


@pytest.mark.parametrize("p", MINE)
def test_compiled_is_plain(p: Preparation) -> None:
    compiled = numba.njit(error_model="numpy")(p.kernel)
    names = list(inspect.signature(p.kernel).parameters)
    for inputs in samples(p):
        plain = run(p, inputs)
        assert compiled(*[inputs[name] for name in names]) == pytest.approx(plain, rel=1e-12)
        assert math.isfinite(plain)
        assert plain >= 0.0


@pytest.mark.parametrize("p", MINE)
def test_missing_in_missing_out(p: Preparation) -> None:
    """NaN in a raster, in one step of a series or in a number gives NaN, compiled and plain."""
    compiled = numba.njit(error_model="numpy")(p.kernel)
    names = list(inspect.signature(p.kernel).parameters)
    for inputs in samples(p, 2):
        for name in (*p.rasters, *p.series, *p.coefficients):
            wrong = dict(inputs)
            if name in p.series:
                wrong[name] = inputs[name].copy()
                wrong[name][5] = math.nan
            else:
                wrong[name] = math.nan
            assert math.isnan(run(p, wrong)), name
            assert math.isnan(compiled(*[wrong[n] for n in names])), name


RISES = [
    ("erosivity", ["daily_precipitation", "monthly_precipitation", "precipitation"], 1),
    ("storm_precipitation", ["daily_precipitation"], 1),
    ("storm_runoff", ["daily_precipitation"], 1),
    ("hot_days", ["daily_maximum_temperature", "temperature_elevation"], 1),
    ("hot_days", ["elevation"], -1),
    ("air_conditioning_days", ["daily_mean_temperature"], 1),
    ("erodibility", ["organic_carbon"], -1),
]


@pytest.mark.parametrize("p", MINE)
def test_more_rain_erodes_more_and_height_cools(p: Preparation) -> None:
    for inputs in samples(p, 10):
        before = run(p, inputs)
        for name, changed, sign in RISES:
            for one in {*changed} & inputs.keys() if name == p.name else ():
                after = run(p, inputs | {one: inputs[one] * 1.1})
                if p.method != "half_month_daily":  # its a and b move with the rain
                    assert sign * (after - before) >= -1e-12 * before, one


def test_runoff_by_an_overdone_regression_is_the_rain() -> None:
    """50 ln 60 = 205 mm and 50 ln 100 = 230 mm cannot run off 60 and 100 mm; 8 ln 60 - 20 can."""
    kernel: Any = preparations()["storm_runoff", "regression"].kernel
    curves = (30.0, 55.0, 70.0, 77.0, 25400.0, 254.0, 0.2)
    assert kernel(3.0, [60.0, 10.0, 100.0], 50.0, 50.0, 0.0, *curves) == 160.0
    fitted = 8.0 * math.log(60.0) - 20.0
    assert kernel(3.0, [60.0], 50.0, 8.0, 20.0, *curves) == pytest.approx(fitted)
    assert fitted < 60.0


def test_storm_runoff_is_never_more_than_the_storm_rain() -> None:
    for p in (preparations()["storm_runoff", m] for m in ("regression", "curve_number")):
        for inputs in samples(p):
            rain = inputs["daily_precipitation"]
            storm = value("storm_precipitation", "daily", daily_precipitation=rain)
            assert 0.0 <= run(p, inputs) <= storm


@pytest.mark.parametrize("p", MINE)
def test_a_year_without_rain(p: Preparation) -> None:
    dry = {"daily_precipitation", "monthly_precipitation", "precipitation"}
    for inputs in samples(p, 1):
        taken = {name: inputs[name] * 0.0 for name in dry & inputs.keys()}
        if taken:
            assert run(p, inputs | taken) == 0.0


@pytest.mark.parametrize("p", [p for p in MINE if p.values[0].name == "erodibility"])  # type: ignore[attr-defined]
@pytest.mark.parametrize(
    "wrong", [{"silt": 0.0, "clay": 0.0, "sand": 0.0}, {"clay": -1.0}, {"sand": 400.0}]
)
def test_impossible_texture_is_missing(p: Preparation, wrong: dict[str, float]) -> None:
    (inputs,) = samples(p, 1)
    assert math.isnan(run(p, inputs | wrong))


def test_pure_sand_keeps_epic_above_zero() -> None:
    inputs = {"sand": 99.0, "silt": 0.01, "clay": 0.99, "organic_carbon": 3.0}
    assert value("erodibility", "epic", **inputs) > 0.0
    assert value("erodibility", "epic_china", **inputs) == 0.0, "the correction goes below zero"


# ---- declarations


def test_files_are_sound() -> None:
    assert FAULTS == []


@pytest.mark.parametrize("p", MINE)
def test_inputs_have_entries_and_numbers_fit_their_units(p: Preparation) -> None:
    taken = p.rasters | {name: series.unit for name, series in p.series.items()}
    for name, unit in taken.items():
        assert factor(variables()[name].unit, unit, name) == 1.0
    assert factor(variables()[p.name].unit, p.gives, p.name) == 1.0
    for name, unit in p.coefficients.items():
        for found in BOOK.services[p.name][name].values():
            assert factor(found.unit, unit, found.at) > 0


@pytest.mark.parametrize("name", RASTERS)
def test_every_number_on_file_is_used(name: str) -> None:
    used = {c for p in preparations().values() if p.name == name for c in p.coefficients}
    assert BOOK.services[name].keys() == used


def test_the_best_method_comes_first() -> None:
    first = {name: next(m for n, m in preparations() if n == name) for name in RASTERS}
    assert first == {
        "erosivity": "season_daily",
        "erodibility": "epic_china",
        "storm_precipitation": "daily",
        "storm_runoff": "regression",
        "hot_days": "daily_maximum_corrected",
        "air_conditioning_days": "daily_mean_corrected",
    }


@pytest.mark.parametrize("p", MINE)
def test_example_holds(p: Preparation) -> None:
    if p.example is None:
        assert p.series, "an example is a pixel; only a series may leave it to the tests here"
        return
    assert run(p, p.example.inputs) == pytest.approx(p.example.gives, rel=1e-12)


@pytest.mark.parametrize(
    ("method", "sample"),
    [("storm_precipitation.daily", {}), ("storm_runoff.curve_number", {"soil_group": 3.0})],
)
def test_units_go_through_the_formula(method: str, sample: dict[str, float]) -> None:
    """Of those that are no regression: in base units the same depth comes out."""
    name, _, way = method.partition(".")
    p = preparations()[name, way]
    rain = [12.0, 55.0, 100.0]
    plain = value(name, way, daily_precipitation=rain, **sample)
    declared = p.rasters | p.coefficients
    taken = sample | numbers(p)
    quantities = {n: (taken[n] * parse(unit)).to_base_units() for n, unit in declared.items()}
    series = [(depth * parse("mm/day")).to_base_units() for depth in rain]
    result = registry().Quantity(run(p, quantities | {"daily_precipitation": series}))  # type: ignore[arg-type]
    assert (result * parse("day")).to("mm").magnitude == pytest.approx(plain, rel=1e-12)


def test_titles_are_in_both_languages() -> None:
    for parameter in MINE:
        p = parameter.values[0]
        assert isinstance(p, Preparation)
        assert p.title.en.isascii()
        assert any("一" <= sign <= "鿿" for sign in p.title.zh)
        assert "docs/methods.md#" in p.source
        page = (Path(__file__).parents[1] / "docs" / "methods.md").read_text("utf8")
        assert f'<a id="{p.source.rsplit("#")[1]}"></a>' in page
