"""Real input: the 100 counties of Jiangxi on a 1 km grid, and Xingguo alone.

Tests of the engine on real polygons, land cover and climate; see README.md beside this file for
what the input is and why no number here is anybody's GEP. What the engine gives, the factors it
prepares and the account, is held against other ways to the same number: the zonal table and the
county grid that came with the data, and plain numpy written out again here and in derive.py.
"""

import csv
import io
import math
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import derive
import levels
import numpy as np
import pytest
import rasterio

import gep
from gep.rasters import cells

HERE = Path(__file__).parent
PROVINCE = derive.INPUTS["jiangxi"]
ZONAL = derive.SHARED / "tables" / "jiangxi_county_zonal_check.csv"
XINGGUO = "360732"
CELL = 1_000_000
"""Area of a cell [m^2]: 1 km in an equal-area projection."""
RUNOFF = {1: 0.0302, 2: 0.0267, 4: 0.0133, 5: 0.0229, 8: 0.1920, 9: 0.1827, 10: 0.0937}
RUNOFF |= {12: 0.4696, 14: 0.4696}
"""Runoff coefficients of the set hj1173 by the IGBP codes of Jiangxi; cropland of
unknown kind as upland. Water, wetland and towns are not eligible."""
SOIL = (*RUNOFF, 11)
"""IGBP codes eligible for soil retention: the same, and wetland, which is swamp in the legend."""

pytestmark = pytest.mark.skipif(
    not derive.SHARED.is_dir(), reason="real input is not there: no ../shared/data"
)


Factors = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def province() -> gep.Result:
    return gep.open(HERE / "jiangxi.toml").run()


@pytest.fixture(scope="module")
def xingguo() -> gep.Result:
    return gep.open(HERE / "xingguo.toml").run()


@pytest.fixture(scope="module")
def plain(province: gep.Result, xingguo: gep.Result) -> dict[str, Factors]:
    """Factors of both grids in plain numpy; the sides of a cell have a test of their own."""
    limits = derive.provincial_limits()
    sides = {"jiangxi": cells(province.plan.grid), "xingguo": cells(xingguo.plan.grid)}
    return {name: derive.derive(derive.INPUTS[name], limits, sides[name]) for name in sides}


@pytest.fixture(scope="module")
def zonal() -> dict[str, dict[str, str]]:
    """County table that came with the data, made by other software from the same grid."""
    with ZONAL.open(encoding="utf-8-sig") as file:
        return {row["adcode"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def membership() -> np.ndarray:
    """County code of every cell as it came with the data; 0 outside."""
    with rasterio.open(PROVINCE / "county_adcode.tif") as file:
        codes: np.ndarray = file.read(1)
    return codes


def rows_of(result: gep.Result, name: str) -> list[dict[str, str]]:
    """Rows of one of the tables as they are written."""
    text = result.files()[name].decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def account_line(result: gep.Result, service: str, indicator: str):
    return next(li for li in result.account.lines if li.key == (service, indicator))


def amount(result: gep.Result, service: str, indicator: str, place: str) -> Decimal:
    found = account_line(result, service, indicator).quantity([place])
    assert found is not None
    return found


def table_quanta(rows: list[dict[str, str]], service: str, indicator: str, quantum: Decimal) -> int:
    """Whole quanta of one indicator in accounts.csv, all places together."""
    own = [r for r in rows if (r["service"], r["indicator"]) == (service, indicator)]
    each = [Fraction(Decimal(r["quantity"])) / Fraction(quantum) for r in own if r["quantity"]]
    assert all(number.denominator == 1 for number in each)
    return sum(map(int, each))


def cents(text: str) -> int:
    """Money as written, in whole cents; none where it is empty."""
    return int(Decimal(text or "0").scaleb(2))


# What the account says of itself


def test_it_accounts_all_counties_and_calls_itself_partial(province: gep.Result) -> None:
    counties = province.counties[province.counties["level"] == "county"]
    assert len(counties) == 100
    assert set(counties["status"]) == {"partial"}
    assert province.account.partial
    assert all(identity.holds for identity in province.identities)


def test_what_it_cannot_give_is_named_with_the_reason(province: gep.Result) -> None:
    uncovered = {u["service"]: u for u in province.manifest["core"]["uncovered"]}
    covered = {line.service for line in province.account.lines}
    counted = {c.service for c in province.plan.profile.choices.values() if c.counted is True}
    assert covered == {"water_retention", "soil_retention", "flood_mitigation"}
    assert set(uncovered) == counted - covered | {"flood_mitigation"}, "of floods only the swamps"
    assert {"carbon_sequestration", "oxygen_release", "air_purification", "tourism"} <= set(
        uncovered
    )
    assert "net_ecosystem_production" in uncovered["carbon_sequestration"]["en"]
    assert all(entry["en"] and entry["zh"] for entry in uncovered.values())


def test_every_eligible_cell_is_covered(province: gep.Result) -> None:
    for line in province.account.lines:
        assert set(line.coverage.values()) == {Decimal(1)}
    assert set(province.account.raster_coverage.values()) == {Decimal(1)}


# Closure, as integers


def test_counties_and_unallocated_add_up_to_the_province(province: gep.Result) -> None:
    rows = rows_of(province, "accounts.csv")
    places = [*province.plan.counties.codes, "unallocated"]
    for line in province.account.lines:
        by_place: dict[str, int] = defaultdict(int)
        for (place, _), quanta in line.amounts.items():
            by_place[place] += quanta
        whole = line.quantity(places)
        assert sum(by_place.values()) == int(whole / line.quantum)
        assert table_quanta(rows, *line.key, line.quantum) == sum(by_place.values())
    money = sum(cents(row["value"]) for row in rows)
    by_level: dict[str, int] = defaultdict(int)
    for row in rows_of(province, "county_gep.csv"):
        by_level[row["level"]] += cents(row["gep"])
    assert by_level["county"] + by_level["unallocated"] == by_level["province"] == money
    assert by_level["city"] == by_level["county"]


def test_the_cells_of_the_province_give_the_same_integers(
    province: gep.Result, plain: dict[str, Factors], membership: np.ndarray
) -> None:
    """All cells at once, without counties: rounded to quanta of 1e-6, added as Python integers.

    1 mm on 1 m2 is 1e-3 m3, 1000 quanta; 1 t/ha on 1 m2 is 1e-4 t, 100 quanta.
    """
    inside = membership > 0
    for service, indicator, density, weight in (
        ("water_retention", "water_retention", water_depth(plain), CELL * 1000.0),
        ("soil_retention", "soil_retention", soil_density(plain), CELL * 100.0),
    ):
        line = account_line(province, service, indicator)
        cells = density[inside & ~np.isnan(density)]
        quanta = sum(map(int, np.rint(cells * weight)))
        assert quanta == sum(line.amounts.values())


def test_xingguo_alone_is_xingguo_in_the_province(
    province: gep.Result, xingguo: gep.Result
) -> None:
    """The grid of Xingguo is a window of the province's, margin included: nothing may differ.

    Not LS either, though it follows the flow and flow may enter where the county is cut out: each
    cell drains more than feeds a channel, so slopes begin anew in each.
    """
    for line in xingguo.account.lines:
        within = account_line(province, *line.key)
        own = {leaf: a for leaf, a in within.amounts.items() if leaf[0] == XINGGUO}
        cents = {leaf: c for leaf, c in within.cents.items() if leaf[0] == XINGGUO}
        assert line.amounts == own
        assert line.cents == cents


# Membership, areas, land cover


def test_county_areas_by_pixels_are_those_of_the_polygons(province: gep.Result) -> None:
    """1 km cells by their centres: within 1.5 % above 500 km2, and 0.1 % together."""
    counties = province.plan.counties
    pixels: dict[str, float] = defaultdict(float)
    for row in rows_of(province, "extent.csv"):
        pixels[row["county_code"]] += float(row["area_km2"])
    errors = {}
    for code, area in zip(counties.codes, counties.areas, strict=True):
        errors[code] = pixels[code] / (area / 1e6) - 1
        if area > 500e6:
            assert abs(errors[code]) < 0.015, code
    assert sum(pixels.values()) == pytest.approx(sum(counties.areas) / 1e6, rel=1e-3)
    said = [problem for problem in province.problems if problem.code == "W306"]
    assert [p.fields["count"] for p in said] == [sum(abs(e) > 0.01 for e in errors.values())]
    worst = max(errors, key=lambda code: abs(errors[code]))
    assert str(said[0].fields["worst"]).startswith(worst)


def test_land_cover_by_county_is_that_of_the_zonal_table(
    province: gep.Result, zonal: dict[str, dict[str, str]]
) -> None:
    """Every cell, every class of every county: the table was made by pixel centre too."""
    kinds = {code: kind.key for code, kind in province.plan.legend.codes.items()}
    wanted: Counter[tuple[str, str]] = Counter()
    for county, row in zonal.items():
        for code in range(18):
            wanted[county, kinds[code]] += int(row.get(f"igbp{code}_km2") or 0)
    found = Counter(
        {
            (row["county_code"], row["ecosystem"]): int(float(row["area_km2"]))
            for row in rows_of(province, "extent.csv")
        }
    )
    assert found == +wanted
    assert sum(found.values()) == 166_926
    for county, row in zonal.items():
        assert sum(n for (place, _), n in found.items() if place == county) == int(row["cells"])


def test_mean_rain_by_county_is_that_of_the_zonal_table(
    zonal: dict[str, dict[str, str]], membership: np.ndarray, province: gep.Result
) -> None:
    """By the engine's own membership; the table is rounded to 0.01 mm."""
    window = rasterio.windows.Window(0, 0, membership.shape[1], membership.shape[0])
    places = province.plan.counties.places_in(window)
    rain = derive.read(PROVINCE / "precip_mm_yr.tif")
    for place, code in enumerate(province.plan.counties.codes):
        mean = rain[places == place].mean()
        assert mean == pytest.approx(float(zonal[code]["precip_mm_yr"]), abs=0.0051)


def test_the_county_grid_of_the_data_has_the_same_members(
    membership: np.ndarray, province: gep.Result
) -> None:
    window = rasterio.windows.Window(0, 0, membership.shape[1], membership.shape[0])
    places = province.plan.counties.places_in(window)
    codes = np.array([*map(int, province.plan.counties.codes), 0])
    assert np.array_equal(np.where(places >= 0, codes[places], 0), membership)
    assert not (places == province.plan.counties.unallocated).any()


# The same numbers by another way


def water_depth(plain: dict[str, Factors]) -> np.ndarray:
    """Water retained by cell [mm/year], NaN where not eligible: P - P alpha - ET."""
    rain = derive.read(PROVINCE / "precip_mm_yr.tif")
    lost = plain["jiangxi"]["evapotranspiration"]
    codes = derive.read_codes(PROVINCE / "lulc_igbp.tif")
    share = np.array([RUNOFF.get(code, np.nan) for code in range(256)])[codes]
    return rain - rain * share - lost


def soil_density(plain: dict[str, Factors]) -> np.ndarray:
    """Soil retained by cell [t/(ha year)], NaN where not eligible: R K LS (1 - C P)."""
    names = ("erosivity", "erodibility", "slope_factor", "cover_factor", "support_factor")
    r, k, ls, c, p = (plain["jiangxi"][name] for name in names)
    codes = derive.read_codes(PROVINCE / "lulc_igbp.tif")
    return np.where(np.isin(codes, SOIL), r * k * ls * (1 - c * p), np.nan)


@pytest.mark.parametrize("county", [XINGGUO, "360121", "361130"])
def test_quantities_of_a_county_by_plain_numpy(
    province: gep.Result, plain: dict[str, Factors], membership: np.ndarray, county: str
) -> None:
    """Xingguo; Nanchang county, whose cropland loses more than it keeps; Wuyuan, the wettest."""
    own = membership == int(county)
    depth, soil = water_depth(plain)[own], soil_density(plain)[own]
    water = math.fsum(depth[~np.isnan(depth)]) * CELL * 1e-3
    tonnes = math.fsum(soil[~np.isnan(soil)]) * CELL * 1e-4
    half_quantum = 0.5e-6 * own.sum()
    found = float(amount(province, "water_retention", "water_retention", county))
    assert found == pytest.approx(water, abs=half_quantum, rel=1e-14)
    found = float(amount(province, "soil_retention", "soil_retention", county))
    assert found == pytest.approx(tonnes, abs=half_quantum, rel=1e-14)
    sediment = float(amount(province, "soil_retention", "sediment", county))
    assert sediment == pytest.approx(tonnes * 0.24 / 1.25, rel=1e-9)
    for indicator, content in (("nitrogen", 1.52e-3), ("phosphorus", 0.48e-3)):
        quantity = float(amount(province, "soil_retention", indicator, county))
        assert quantity == pytest.approx(tonnes * content, rel=1e-9)


def test_the_mean_balance_is_rain_less_runoff_less_evapotranspiration(
    province: gep.Result, plain: dict[str, Factors]
) -> None:
    """Means over the eligible land of the province, in mm."""
    rain = derive.read(PROVINCE / "precip_mm_yr.tif")
    lost = plain["jiangxi"]["evapotranspiration"]
    codes = derive.read_codes(PROVINCE / "lulc_igbp.tif")
    land = np.isin(codes, list(RUNOFF))
    runoff = math.fsum(
        RUNOFF[code] * math.fsum(rain[codes == code]) for code in RUNOFF if (codes == code).any()
    )
    balance = rain[land].mean() - runoff / land.sum() - lost[land].mean()
    whole = account_line(province, "water_retention", "water_retention").quantity(
        province.plan.counties.places
    )
    assert float(whole) / (land.sum() * CELL) * 1e3 == pytest.approx(balance, rel=1e-10)
    assert balance == pytest.approx(451, abs=1)


def test_negative_balances_keep_their_sign_and_are_printed(province: gep.Result) -> None:
    line = account_line(province, "water_retention", "water_retention")
    assert line.amounts["360121", "unspecified_cropland"] < 0
    assert line.negative["360121"] < 0
    assert line.quantity(["360121"]) < 0
    assert "of which negative pixels: -" in province.explain("360121", "water_retention")


def test_a_county_of_nothing_but_town_has_no_amount(province: gep.Result) -> None:
    """西湖区 is built-up in every cell: nothing is eligible, which is neither 0 nor a gap."""
    row = next(r for r in rows_of(province, "county_gep.csv") if r["code"] == "360103")
    assert (row["area_km2"], row["gep"], row["regulating"]) == ("36.00", "", "")
    assert not [r for r in rows_of(province, "accounts.csv") if r["county_code"] == "360103"]


def test_explain_says_where_a_county_amount_is_from(province: gep.Result) -> None:
    text = province.explain(XINGGUO, "water_retention")
    assert "兴国县 360732" in text
    assert "1.258 billion m³" in text
    assert "temp_c.tif" in text
    assert "turc" in text
    assert "Sparse grassland 0.1827" in text
    assert "not verified" in text
    assert "partial account" in text


# The factors


def test_turc_by_hand() -> None:
    """Cell (41, 44) of Xingguo: P = 1568.419 mm, T = 19.67279 degC.

    T^3 = 7613.74; L = 300 + 491.820 + 380.687 = 1172.507; P/L = 1.337663;
    sqrt(0.9 + 1.789343) = 1.639922; ET = 956.40 mm.
    """
    folder = derive.INPUTS["xingguo"]
    rain = derive.read(folder / "precip_mm_yr.tif")[40, 43]
    temperature = derive.read(folder / "temp_c.tif")[40, 43]
    assert (rain, temperature) == pytest.approx((1568.419, 19.67279), rel=1e-6)
    found = derive.evapotranspiration(np.array(rain), np.array(temperature))
    assert float(found) == pytest.approx(956.40, abs=0.01)


def test_turc_gives_no_more_than_the_rain() -> None:
    dry = np.array([50.0, 100.0, 300.0])
    assert (derive.evapotranspiration(dry, np.full(3, 20.0)) <= dry).all()


def test_evapotranspiration_of_jiangxi_is_far_above_the_water_bulletin(
    plain: dict[str, Factors],
) -> None:
    """Turc 932 mm; precipitation less runoff of the bulletin: 1638 - 926 = 712 mm."""
    mean = np.nanmean(plain["jiangxi"]["evapotranspiration"])
    assert mean == pytest.approx(932.5, abs=0.1)


def test_factors_of_soil_loss_on_known_values() -> None:
    """As docs/methods.md#factors: R of 1655 mm, S at the cap of 30 degrees, L, C and P."""
    assert float(derive.erosivity(np.array(1655.0))) == pytest.approx(11324, abs=1)
    forest, water, upland, town = (np.array(code, np.uint8) for code in (2, 0, 12, 13))
    steep = derive.slope_factor(np.array(45.0), forest)
    assert float(steep) == pytest.approx(9.995 * (122 / 22.13) ** 0.5)
    assert float(derive.slope_factor(np.array(0.0), forest)) == pytest.approx(
        0.03 * (122 / 22.13) ** 0.2
    )
    assert float(derive.slope_factor(np.array(20.0), water)) == 0
    cover = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    assert derive.cover_factor(cover, np.full(5, forest)).tolist() == [
        0.10,
        0.08,
        0.02,
        0.001,
        0.001,
    ]
    by_formula = derive.cover_factor(np.array([0.0, 0.5, 1.0]), np.full(3, upland))
    assert by_formula == pytest.approx([0.221 - 0.595 * math.log10(f) for f in (0.05, 0.5, 1)])
    angles = np.array([4.9, 5.0, 12.0, 30.0])
    assert derive.support_factor(angles, np.full(4, upland)).tolist() == [0.1, 0.221, 0.305, 0.8]
    assert float(derive.support_factor(np.array(12.0), forest)) == 1
    loam = [np.array(f) for f in (0.32, 0.285, 0.395)]
    diameter = math.exp(0.395 * math.log(0.001) + 0.285 * math.log(0.026) + 0.32 * math.log(1.025))
    bell = math.exp(-0.5 * ((math.log10(diameter) + 1.659) / 0.7101) ** 2)
    assert float(derive.erodibility(*loam, forest)) == pytest.approx(0.0034 + 0.0405 * bell)
    assert float(derive.erodibility(*loam, town)) == 0


def test_the_slope_of_a_plane_is_the_plane_also_at_its_edges() -> None:
    row, column = np.mgrid[0:6, 0:7]
    plane = 100 + 30.0 * column - 40.0 * row
    plane[2, 3] = np.nan
    found = derive.slope(plane, np.full((6, 1), 1000.0), np.full((6, 1), 1000.0))
    assert np.isnan(found[2, 3])
    assert found[~np.isnan(found)] == pytest.approx(math.degrees(math.atan(0.05)))


METHODS = {
    "evapotranspiration": "turc",
    "erosivity": "zhang_annual",
    "erodibility": "mean_diameter",
    "slope": "horn",
    "slope_factor": "segmented",
    "vegetation_cover": "dimidiate",
    "cover_factor": "table",
    "support_factor": "table",
}


def test_sides_of_a_cell_are_geodesics(province: gep.Result, xingguo: gep.Result) -> None:
    """Every cell; the chords of a cell of 1 km differ from its tangents by less than 1e-9."""
    for name, result in (("jiangxi", province), ("xingguo", xingguo)):
        wanted = derive.sides(derive.INPUTS[name])
        for found, side in zip(cells(result.plan.grid), wanted, strict=True):
            np.testing.assert_allclose(found, side, rtol=2e-9)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("place", derive.INPUTS)
def test_a_prepared_factor_is_that_of_plain_numpy(
    place: str, name: str, plain: dict[str, Factors], request: pytest.FixtureRequest
) -> None:
    """Every cell of the counties, bit for bit in single precision; no cell of them is missing.

    LS is equal although derive.py routes nothing: a cell of 1 km2 drains more than the 0.1 km2 that
    feed a channel, so the slope begins anew in each and is 122 m long, half of a cell cut there.
    """
    result: gep.Result = request.getfixturevalue("province" if place == "jiangxi" else place)
    (step,) = [s for s in result.plan.preparing.used(METHODS) if s.name == name]
    assert step.preparation.method == METHODS[name]
    made, wanted = derive.read(step.path), plain[place][name]
    window = rasterio.windows.Window(0, 0, made.shape[1], made.shape[0])
    inside = result.plan.counties.places_in(window) >= 0
    assert inside.sum() == {"jiangxi": 166_926, "xingguo": 3_220}[place]
    assert np.array_equal(made[inside], wanted[inside])


def test_ndvi_limits_are_those_of_the_land_of_the_province(
    province: gep.Result, xingguo: gep.Result
) -> None:
    for result in (province, xingguo):
        section = result.plan.definition.preparations["vegetation_cover"]
        given = section.parameters["soil_ndvi"], section.parameters["vegetation_ndvi"]
        assert given == derive.provincial_limits()


def test_every_run_warns_of_the_year_of_the_ndvi(province: gep.Result, xingguo: gep.Result) -> None:
    for result in (province, xingguo):
        (said,) = [problem for problem in result.problems if problem.code == "W012"]
        assert said.fields == {"name": "ndvi", "year": 2018, "want": 2019}


def test_prepared_rasters_are_on_the_grid_and_say_what_they_are(province: gep.Result) -> None:
    with rasterio.open(PROVINCE / "lulc_igbp.tif") as file:
        grid = file.crs, file.transform, file.shape
    steps = province.plan.preparing.used(METHODS)
    assert {step.name: step.preparation.method for step in steps} == METHODS
    for step in steps:
        with rasterio.open(step.path) as file:
            assert (file.crs, file.transform, file.shape) == grid
            assert file.compression.name == "deflate"
            assert file.tags()["method"] == METHODS[step.name]
            assert file.units[0] == step.preparation.gives


# Against what is published


def test_the_table_of_published_numbers_is_fresh(province: gep.Result) -> None:
    """README.md says what levels.py makes; a gap above twofold has its reason beside it."""
    found = levels.rows(levels.Province(province), levels.at_prices_of(2010))
    page = levels.README.read_text("utf8")
    made = levels.filled(page, levels.table(found))
    assert made == page, "run: python tests/real/levels.py"
    assert all(row.why and row.source for row in found)


def test_amounts_per_area_are_printed_beside_published_ones(province: gep.Result) -> None:
    """Printed with -s, never tuned to. Asserted: the wide ranges of docs/methods.md only."""
    places = province.plan.counties.places
    area = sum(province.account.extent.values()) / 1e8
    water = float(account_line(province, "water_retention", "water_retention").quantity(places))
    soil = float(account_line(province, "soil_retention", "soil_retention").quantity(places))
    money = {
        name: province.account.cents(places, service=name) / 1e6 / area
        for name in ("water_retention", "soil_retention")
    }
    print(  # noqa: T201
        f"\nper km2 of {area:,.0f} km2: "
        f"water {water / 1e4 / area:.1f} x 10^4 m3 (docs/methods.md: 30 to 90), "
        f"{money['water_retention']:.0f} x 10^4 CNY of 2019 (573 to 596 of 2010 expected); "
        f"soil {soil / area:,.0f} t (docs/methods.md: 5,000 to 100,000), "
        f"{money['soil_retention']:.0f} x 10^4 CNY. Whole GEP as published: Jiangxi 2019 1,740"
    )
    assert 30 < water / 1e4 / area < 90
    assert 5e3 < soil / area < 1e5
