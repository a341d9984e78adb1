"""The engine end to end on small accounts: areas, shares, states, limits, and what must fail."""

import csv
import io
import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyproj
import pytest
import shapely
import small
from affine import Affine
from click.testing import CliRunner
from rasterio.transform import from_origin

import gep
from gep import identities, profile, run
from gep.cli import main
from gep.cube import UNALLOCATED, UNATTRIBUTED, Line
from gep.errors import IdentityError, InputError

EAST, WEST, SOUTH = small.CODES
NEEDLELEAF, PADDY, UPLAND, CROPLAND, BUILT = 13, 51, 52, 55, 61


def account(path: Path) -> gep.Result:
    return gep.open(path).run(threads=1)


def line(result: gep.Result, service: str, indicator: str) -> Line:
    (found,) = [n for n in result.account.lines if n.key == (service, indicator)]
    return found


def codes(raised: pytest.ExceptionInfo[Any]) -> list[str]:
    return [problem.code for problem in raised.value.problems]


def filled(code: int) -> np.ndarray:
    return np.full((small.ROWS, small.COLUMNS), code, np.uint8)


def boxes(
    parts: dict[str, tuple[float, float, float, float]], cities: str = "360100"
) -> geopandas.GeoDataFrame:
    """Counties over rows and columns of the small grid."""
    said = {"code": list(parts), "name": list(parts)}
    said |= {"city_code": [cities] * len(parts), "city_name": ["某市"] * len(parts)}
    shapes = [small.box(*part) for part in parts.values()]
    return geopandas.GeoDataFrame(said, geometry=shapes, crs=small.CRS)


# ---- areas of projected grids


STRIPS = {"360101": (0, 20), "360102": (20, 35), "360103": (35, 50)}
"""First and last column of every county; all rows."""
BANDS = {"360101": (0, 15), "360102": (15, 30), "360103": (30, 40)}
"""First and last row of every county; all columns."""
FAR_EAST = (640_000.0, 3_200_000.0)
"""West and north of a grid from 140 km to 190 km east of the central meridian, pixels of 1 km."""
MERCATOR = (12_800_000.0, 3_300_000.0)


def geodesic(crs: str, box: shapely.Polygon) -> float:
    """Area of a box of the plane on the ellipsoid [m^2]: its edges are cut before they bend."""
    edge = np.asarray(shapely.segmentize(box, 500).exterior.coords)
    plane = pyproj.CRS(crs)
    back = pyproj.Transformer.from_crs(plane, plane.geodetic_crs, always_xy=True)
    longitude, latitude = back.transform(edge[:, 0], edge[:, 1])
    ellipsoid = plane.ellipsoid
    assert ellipsoid
    geod = pyproj.Geod(a=ellipsoid.semi_major_metre, rf=ellipsoid.inverse_flattening)
    return abs(geod.polygon_area_perimeter(longitude, latitude)[0])


def move(path: Path, crs: str, transform: Affine, layers: dict[str, np.ndarray]) -> None:
    """Write the rasters of an account again, on another grid."""
    more = {"crs": crs, "transform": transform}
    small.write_raster(path.parent / "ecosystem.tif", filled(NEEDLELEAF), nodata=255, **more)
    for name, array in layers.items():
        small.write_raster(path.parent / f"{name}.tif", array, nodata=small.NODATA, **more)


@pytest.mark.parametrize(
    ("crs", "corner", "least"),
    [("EPSG:32650", FAR_EAST, 2e-4), ("EPSG:4548", FAR_EAST, 2e-4), ("EPSG:3395", MERCATOR, 3e-3)],
)
def test_a_projected_grid_has_geodesic_areas(
    crs: str, corner: tuple[float, float], least: float, tmp_path: Path
) -> None:
    """UTM, Gauss-Kruger of CGCS2000, Mercator: extent, area and carbon to one in a million.

    The first two change scale by column, the third by row.
    """
    west, north = corner
    parts = (
        {code: (0, 40, left, right) for code, (left, right) in STRIPS.items()}
        if corner is FAR_EAST
        else {code: (top, bottom, 0, 50) for code, (top, bottom) in BANDS.items()}
    )
    shapes = {
        code: shapely.box(
            west + 1e3 * left, north - 1e3 * bottom, west + 1e3 * right, north - 1e3 * top
        )
        for code, (top, bottom, left, right) in parts.items()
    }
    said = {"code": list(shapes), "name": list(shapes)}
    said |= {"city_code": ["360100"] * 3, "city_name": ["某市"] * 3}
    polygons = geopandas.GeoDataFrame(said, geometry=list(shapes.values()), crs=crs)
    path = small.write(tmp_path, polygons=polygons)
    layers = small.arrays()
    layers["net_ecosystem_production"][...] = 300
    move(path, crs, from_origin(west, north, 1000, 1000), layers)
    result = account(path)
    carbon = line(result, "carbon_sequestration", "carbon_dioxide")
    rows = result.counties.set_index("code")
    expected = {code: geodesic(crs, shape) for code, shape in shapes.items()}
    scales = [expected[code] / shapes[code].area for code in shapes]
    assert abs(scales[0] - scales[2]) > least, "one factor would not do"
    for code, area in expected.items():
        extent = result.account.extent[code, "evergreen_needleleaf_forest"] * 0.01
        assert extent == pytest.approx(area, rel=1e-6)
        assert rows.loc[code, "area_km2"] == pytest.approx(area / 1e6, rel=1e-6)
        grams = 300 * area * 44 / 12
        assert float(carbon.quantity([code]) or 0) == pytest.approx(grams / 1e6, rel=1e-6)


# ---- spread of what departments count


def croplands(path: Path, **more: Any) -> Path:
    """East: 30 ha of paddy at NPP 600, 90 ha of upland at 100, one more at -50.

    In the west 20 ha each of paddy, upland and cropland without type, alike; else built-up.
    """
    kinds, npp = filled(BUILT), small.arrays()["net_primary_production"]
    for number, kind in enumerate((PADDY, UPLAND, CROPLAND)):
        kinds[2 * number : 2 * number + 2, 20:30], npp[2 * number : 2 * number + 2, 20:30] = kind, 5
    kinds[0:3, 0:10], npp[0:3, 0:10] = PADDY, 600
    kinds[5:14, 0:10], npp[5:14, 0:10] = UPLAND, 100
    kinds[14, 0], npp[14, 0] = UPLAND, -50
    return small.write(path, ecosystem=kinds, rasters={"net_primary_production": npp}, **more)


def test_products_are_spread_by_the_weight_raster(tmp_path: Path) -> None:
    """Weights 30 x 600 and 90 x 100: two to one, where areas are one to three; -50 counts as 0."""
    table = small.PRODUCTS + "360101,agriculture,芝麻,1.000001,t,9000,\n"
    result = account(croplands(tmp_path, tables={"products": table}))
    rice = line(result, "agricultural_products", "稻谷")
    assert rice.amounts == {
        (EAST, "paddy"): 8_000_000_000,  # of 12 000 t, in grams
        (EAST, "upland"): 4_000_000_000,
        (WEST, "paddy"): 2_666_833_333,  # a third each of 8 000.5 t: rounded, one short
        (WEST, "upland"): 2_666_833_334,
        (WEST, "unspecified_cropland"): 2_666_833_333,
        (SOUTH, UNATTRIBUTED): 500_000_000,
    }
    assert rice.cents[EAST, "paddy"] == 8000 * 2800 * 100
    assert rice.cents[EAST, "upland"] == 4000 * 2800 * 100
    sesame = line(result, "agricultural_products", "芝麻")
    assert sesame.amounts == {(EAST, "paddy"): 666_667, (EAST, "upland"): 333_334}
    assert sum(n for n in sesame.amounts.values() if n) == 1_000_001


# ---- profiles with everything there


OWN = """
name = "own"
version = "0"
title = { en = "Own", zh = "自定" }
standard = { id = "none" }
status = "test"

[services.agricultural_products]
counted = true
method = "market"

[services.carbon_sequestration]
counted = true
method = "nep"

[services.oxygen_release]
counted = true
method = "nep"
sets = { oxygen_price = "lyt1721" }
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a profile without parameters that the small account can give whole."""
    root = tmp_path / "coefficients"
    (root / "profiles").mkdir(parents=True)
    (root / "profiles" / "own.toml").write_text(OWN, "utf8")
    profile.catalogue()
    monkeypatch.setattr(profile, "folder", lambda name: root)
    return "own"


RICE = "county_code,group,product,quantity,unit,price(元/t)\n360101,agriculture,稻谷,12000,t,2800\n"


def states_of(result: gep.Result) -> dict[str, str]:
    return dict(result.counties.set_index("code")["status"])


def test_an_account_is_complete_if_nothing_of_its_profile_is_missing(
    own: str, tmp_path: Path
) -> None:
    change = {"account.profile": own}
    result = account(small.write(tmp_path / "a", tables={"products": RICE}, change=change))
    assert not result.account.partial
    places = (*small.CODES, "360100", "360000")
    assert states_of(result) == dict.fromkeys(places, "complete") | {UNALLOCATED: "complete"}
    assert result.cube.attrs["partial"] == 0


def test_one_missing_leaf_makes_its_county_and_what_holds_it_partial(
    own: str, tmp_path: Path
) -> None:
    """All bamboo of the west without NEP; the coverage of the county is accepted."""
    kinds, nep = small.classes(), small.arrays()["net_ecosystem_production"]
    nep[(kinds == 16) & (small.places() == 1)] = np.nan
    change = {"account.profile": own, "accept.E305": "made up"}
    path = small.write(
        tmp_path / "a",
        rasters={"net_ecosystem_production": nep},
        tables={"products": RICE},
        change=change,
    )
    result = account(path)
    carbon = line(result, "carbon_sequestration", "carbon_dioxide")
    assert carbon.amounts[WEST, "bamboo_forest"] is None
    assert carbon.amounts[EAST, "bamboo_forest"] is not None
    assert not result.account.partial
    assert states_of(result) == {
        EAST: "complete",
        WEST: "partial",
        SOUTH: "complete",
        UNALLOCATED: "complete",
        "360100": "partial",
        "360000": "partial",
    }


def test_products_at_prices_of_another_year_have_quantities_and_no_value(
    own: str, tmp_path: Path
) -> None:
    table = RICE.replace("t)", "t),value(元)").replace("2800", "2800,")
    table += "360101,agriculture,蔬菜,,,,1234567.89\n"
    change = {"account.profile": own, "statistics.products.year": 2020}
    result = account(small.write(tmp_path / "a", tables={"products": table}, change=change))
    rice = line(result, "agricultural_products", "稻谷")
    assert rice.quantity([EAST]) == 12000
    assert set(rice.cents.values()) == {None}
    assert rice.prices == {}
    assert set(line(result, "agricultural_products", "蔬菜").cents.values()) == {None}
    (said,) = [p for p in result.problems if p.code == "W524"]
    assert said.fields == {"table": "products", "year": 2020, "want": 2021}
    assert states_of(result)[EAST] == states_of(result)["360000"] == "partial"
    assert states_of(result)[WEST] == "complete"
    rows = result.counties.set_index("code")
    assert math.isnan(rows.loc[EAST, "provisioning"])


def test_an_indicator_the_profile_counts_and_the_account_lacks_makes_all_partial(
    own: str, tmp_path: Path
) -> None:
    change = {"account.profile": own}
    path = small.write(tmp_path / "a", tables={"products": None}, change=change)
    result = account(path)
    assert result.account.partial
    assert set(states_of(result).values()) == {"partial"}


# ---- coverage


HALVES = {"360101": (0, 40, 0, 25), "360102": (0, 40, 25, 50)}
"""Two counties of 1000 pixels."""
NO_TABLES: dict[str, str | None] = {"emissions": None, "products": None}


def with_gaps(path: Path, gaps: int, **more: Any) -> Path:
    """All forest; *gaps* of the 1000 pixels of the west without rain."""
    rain = small.arrays()["precipitation"]
    holes = np.zeros(1000, bool)
    holes[:gaps] = True
    rain[:, 25:][holes.reshape(40, 25)] = np.nan
    return small.write(
        path,
        ecosystem=filled(NEEDLELEAF),
        rasters={"precipitation": rain},
        tables=NO_TABLES,
        **{"polygons": boxes(HALVES)} | more,
    )


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        (105, "E305"),
        (101, "E305"),
        (100, "W305"),
        (95, "W305"),
        (21, "W305"),
        (20, ""),
        (19, ""),
        (0, ""),
    ],
)
def test_limits_of_coverage(gaps: int, said: str, tmp_path: Path) -> None:
    """Below 0.90 an error, below 0.98 a warning; each by the limit itself."""
    path = with_gaps(tmp_path, gaps)
    if said == "E305":
        with pytest.raises(InputError) as raised:
            account(path)
        problems = list(raised.value.problems)
    else:
        result = account(path)
        problems = [p for p in result.problems if p.code in ("E305", "W305")]
        water = line(result, "water_retention", "water_retention")
        assert water.coverage == {"360101": 1, "360102": 1 - Decimal(gaps) / 1000}
    assert [p.code for p in problems] == [said] * bool(said)
    for problem in problems:
        assert problem.fields["worst"] == "360102"
        assert problem.fields["culprit"] == "precipitation"
        assert problem.fields["coverage"] == f"{1 - gaps / 1000:.2%}"
        assert problem.fields["count"] == 1


def test_the_coverage_of_unallocated_pixels_is_no_problem(tmp_path: Path) -> None:
    rain = small.arrays()["precipitation"]
    top, bottom, left, right = small.HOLE
    rain[top:bottom, left:right] = np.nan
    path = small.write(
        tmp_path, ecosystem=filled(NEEDLELEAF), rasters={"precipitation": rain}, hole=True
    )
    result = account(path)
    water = line(result, "water_retention", "water_retention")
    assert water.coverage[UNALLOCATED] == 0
    assert water.amounts[UNALLOCATED, "evergreen_needleleaf_forest"] is None
    assert not [p for p in result.problems if p.code in ("E305", "W305")]


def test_mean_coverage_is_weighted_by_area(tmp_path: Path) -> None:
    """Six of the 800 pixels of the east have no class: 1794 of 1800 in the city."""
    kinds = small.classes()
    kinds[0, 0:6] = small.NODATA_CLASS
    rows = account(small.write(tmp_path, ecosystem=kinds)).counties.set_index("code")["coverage"]
    assert rows[EAST] == 0.9925
    assert rows[WEST] == rows[SOUTH] == 1
    assert rows["360100"] == rows["360000"] == pytest.approx(1794 / 1800, abs=5e-7)


# ---- states, negative pixels, caps


OVERRIDES = """\
file,name,set,key,value,unit,source,where,status
carbon_sequestration,clamp,,,0,1,GEP,said,{clamp}
oxygen_release,oxygen_per_carbon_dioxide,,,0.75,tO2/tCO2,GEP,said,{ratio}
prices,carbon_market,,2021,42.85,CNY/tCO2,GEP,said,seen
prices,oxygen_price,lyt1721,,1000,CNY_2021/tO2,GEP,said,seen
"""


@pytest.mark.parametrize(
    ("clamp", "ratio", "state"),
    [
        ("design", "seen", "design"),
        ("recalled", "derived", "recalled"),
        ("derived", "recalled", "recalled"),
        ("seen", "derived", "derived"),
        ("seen", "seen", "seen"),
    ],
)
def test_derived_rows_are_as_weak_as_what_they_come_from(
    clamp: str, ratio: str, state: str, own: str, tmp_path: Path
) -> None:
    """Oxygen is carbon (whose state is that of its clamp) times a ratio; both prices are seen."""
    text = OVERRIDES.format(clamp=clamp, ratio=ratio)
    change = {"coefficients.overrides": "own.csv", "account.profile": own}
    result = account(small.write(tmp_path / "a", files={"own.csv": text}, change=change))
    carbon = line(result, "carbon_sequestration", "carbon_dioxide")
    oxygen = line(result, "oxygen_release", "oxygen")
    assert set(carbon.states.values()) == {clamp}
    assert oxygen.states == dict.fromkeys(carbon.amounts, state)
    rows = [r for r in written(result, "accounts.csv") if r["indicator"] == "oxygen"]
    assert {r["verified"] for r in rows} == {state}


def written(result: gep.Result, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.files()[name].decode("utf-8-sig"))))


def test_negative_pixels_are_summed_beside_the_net(tmp_path: Path) -> None:
    """A hectare at -300 gC/m2 is -11 t of carbon dioxide; 600 of them do not fit 32 bits."""
    nep = small.arrays()["net_ecosystem_production"]
    nep[:, 0:20], nep[0:30, 0:20] = 600, -300
    nep[:, 20:] = 300
    path = small.write(
        tmp_path, ecosystem=filled(NEEDLELEAF), rasters={"net_ecosystem_production": nep}
    )
    result = account(path)
    carbon = line(result, "carbon_sequestration", "carbon_dioxide")
    assert carbon.amounts[EAST, "evergreen_needleleaf_forest"] == 200 * 22_000_000 - 6_600_000_000
    assert carbon.negative == {EAST: -6_600_000_000}
    (item,) = [i for i in result.manifest["core"]["items"] if i["indicator"] == "carbon_dioxide"]
    assert item["negative"] == {EAST: "-6600.000000 tCO2/year"}
    said = result.explain(EAST, "carbon_sequestration")
    assert "of which negative pixels: -6600.000000 tCO2/year" in said
    assert "quantity -2,200 t CO2" in said
    assert "negative pixels" not in result.explain(WEST, "carbon_sequestration")


def pixels(number: int, code: int) -> int:
    return int(((small.places() == number) & (small.classes() == code)).sum())


SULFUR = {11: "88.65", 13: "215.60", 16: "98", 21: "92.10"}
"""Kilograms of sulfur dioxide a hectare of a class takes up."""


def test_capped_quantity_is_the_smaller_of_load_and_capacity(tmp_path: Path) -> None:
    """By hand from pixels of one hectare, exactly; counties on both sides of their load."""
    result = account(small.write(tmp_path))
    loads = {
        "sulfur_dioxide": ("5", "1000", "12.5"),
        "nitrogen_oxides": ("100", "0.25", "1000"),
    }
    sides = set()
    for indicator, stated in loads.items():
        found = line(result, "air_purification", indicator)
        for number, (code, load) in enumerate(zip(small.CODES, stated, strict=True)):
            kilograms = {
                kind: Decimal(per if indicator == "sulfur_dioxide" else "6") * pixels(number, kind)
                for kind, per in SULFUR.items()
            }
            capacity = sum(kilograms.values(), Decimal(0)) / 1000
            assert found.quantity([code]) == min(Decimal(load), capacity)
            assert found.capped[code] == (capacity / found.quantum, Decimal(load) / found.quantum)
            sides.add(capacity < Decimal(load))
    assert sides == {True, False}


# ---- identities that do not hold


def of_tables(change: Callable[[dict[str, list[dict[str, str]]]], None]) -> Callable[..., Any]:
    """Identities of tables after *change* was made to their rows."""
    inner = identities.of_tables

    def broken(*given: Any) -> Any:
        accounts, counties, extent = (list(map(dict, rows)) for rows in given)
        change({"accounts": accounts, "counties": counties, "extent": extent})
        return inner(accounts, counties, extent)

    return broken


def add(row: dict[str, str], amount: str, *columns: str) -> None:
    for column in columns:
        row[column] = f"{Decimal(row[column]) + Decimal(amount):f}"


def of_level(tables: dict[str, list[dict[str, str]]], level: str) -> list[dict[str, str]]:
    return [row for row in tables["counties"] if row["level"] == level]


def wrong_province(tables: dict[str, list[dict[str, str]]]) -> None:
    add(of_level(tables, "province")[0], "0.01", "regulating", "gep")


def wrong_money_of_all(tables: dict[str, list[dict[str, str]]]) -> None:
    """A county and the province a cent too rich, against the leaves."""
    add(of_level(tables, "province")[0], "0.01", "regulating", "gep")
    add(of_level(tables, "county")[0], "0.01", "regulating", "gep")


def moved_between_counties(tables: dict[str, list[dict[str, str]]]) -> None:
    first, second, _ = of_level(tables, "county")
    add(first, "0.01", "regulating", "gep")
    add(second, "-0.01", "regulating", "gep")


def leaf_of_nowhere(tables: dict[str, list[dict[str, str]]]) -> None:
    """A cent of a place that is no county, taken from what is left over."""
    row = dict(next(r for r in tables["accounts"] if r["value"]))
    row |= {"county_code": "999999", "value": "0.00", "quantity": "", "price": ""}
    tables["accounts"].append(row)


def wrong_group(tables: dict[str, list[dict[str, str]]]) -> None:
    add(of_level(tables, "city")[0], "0.01", "provisioning")


def groups_that_even_out(tables: dict[str, list[dict[str, str]]]) -> None:
    first, second, _ = of_level(tables, "county")
    add(first, "0.01", "provisioning")
    add(second, "-0.01", "provisioning")


def priced_rows(tables: dict[str, list[dict[str, str]]]) -> list[dict[str, str]]:
    return [row for row in tables["accounts"] if row["price"] and row["quantity"] and row["value"]]


def wrong_quantity(tables: dict[str, list[dict[str, str]]]) -> None:
    row = max(priced_rows(tables), key=lambda row: Decimal(row["price"]))
    add(row, "0.001", "quantity")


def values_that_even_out(tables: dict[str, list[dict[str, str]]]) -> None:
    """A cent from one leaf of a county to another."""
    first, second, *_ = [r for r in priced_rows(tables) if r["county_code"] == EAST]
    add(first, "0.01", "value")
    add(second, "-0.01", "value")


def wrong_extent(tables: dict[str, list[dict[str, str]]]) -> None:
    add(tables["extent"][0], "0.000001", "area_km2")


def extents_that_even_out(tables: dict[str, list[dict[str, str]]]) -> None:
    add(tables["extent"][0], "0.000001", "area_km2")
    add(tables["extent"][-1], "-0.000001", "area_km2")


TABLES: dict[str, tuple[Callable[..., None], set[str]]] = {
    "province": (wrong_province, {"counties"}),
    "money of all": (wrong_money_of_all, {"counties", "ecosystems"}),
    "between counties": (moved_between_counties, {"ecosystems"}),
    "leaf of nowhere": (leaf_of_nowhere, {"ecosystems"}),
    "group of a city": (wrong_group, {"groups"}),
    "groups even out": (groups_that_even_out, {"groups"}),
    "quantity": (wrong_quantity, {"value"}),
    "values even out": (values_that_even_out, {"value"}),
    "extent": (wrong_extent, {"extent"}),
    "extents even out": (extents_that_even_out, {"extent"}),
}


def failing(path: Path) -> set[str]:
    """Names of the identities a run of *path* fails on, with exit code 5 and nothing written."""
    with pytest.raises(IdentityError) as raised:
        account(path)
    assert set(codes(raised)) == {"E711"}
    done = CliRunner(env={"GEP_LANG": "en"}).invoke(main, ["run", str(path), "--progress", "none"])
    assert done.exit_code == 5
    assert "error E711" in done.stderr
    assert not (path.parent / "output").exists()
    return {str(problem.fields["name"]) for problem in raised.value.problems}


@pytest.mark.parametrize("fault", TABLES)
def test_tables_that_do_not_add_up_stop_the_run(
    fault: str, small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, names = TABLES[fault]
    monkeypatch.setattr(identities, "of_tables", of_tables(change))
    assert failing(small_account) == names


def lost_pixel(plan: Any, partials: Any, cube: Any) -> None:
    partials.outside -= 1


def lost_quantum(plan: Any, partials: Any, cube: Any) -> None:
    water = next(n for n in cube.lines if n.indicator == "water_retention")
    leaf = next(iter(water.amounts))
    water.amounts[leaf] += 1


def quanta_that_even_out(plan: Any, partials: Any, cube: Any) -> None:
    """A quantum too much of one indicator, one too little of another."""
    for name, more in (("water_retention", 1), ("soil_retention", -1)):
        found = next(n for n in cube.lines if n.indicator == name)
        found.amounts[next(iter(found.amounts))] += more


def over_the_cap(plan: Any, partials: Any, cube: Any) -> None:
    """One quantum above in a county, one below in another."""
    found = next(n for n in cube.lines if n.indicator == "sulfur_dioxide")
    for place, more in ((EAST, 1), (WEST, -1)):
        leaf = next(leaf for leaf in found.amounts if leaf[0] == place)
        found.amounts[leaf] += more


def large_pixels(plan: Any, partials: Any, cube: Any) -> None:
    """A county of 500 ha may be off by the 4 deviations of its boundary, not by 3 %."""
    partials.areas[2] = partials.areas[2] * 103 // 100


RUNS: dict[str, tuple[Callable[..., None], str]] = {
    "lost pixel": (lost_pixel, "pixels"),
    "lost quantum": (lost_quantum, "sums"),
    "quanta even out": (quanta_that_even_out, "sums"),
    "cap": (over_the_cap, "cap"),
    "area": (large_pixels, "area"),
}


@pytest.mark.parametrize("fault", RUNS)
def test_sums_that_are_not_those_of_the_loop_stop_the_run(
    fault: str, small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change, name = RUNS[fault]
    inner = identities.of_run

    def broken(plan: Any, partials: Any, cube: Any, loop: Any) -> Any:
        change(plan, partials, cube)
        return inner(plan, partials, cube, loop)

    monkeypatch.setattr(identities, "of_run", broken)
    found = failing(small_account)
    assert found == {name} or (name == "sums" and found > {name}), "and the value of that leaf"


def test_a_tiling_that_loses_a_piece_stops_the_run(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = run._pieces
    monkeypatch.setattr(run, "_pieces", lambda window: inner(window)[1:])
    assert failing(small_account) == {"tiling"}


def test_an_account_that_adds_up_says_every_identity(small_account: Path) -> None:
    result = account(small_account)
    held = {identity.name: identity.holds for identity in result.identities}
    assert held == dict.fromkeys(identities.TITLES, True)
    stated = result.manifest["core"]["identities"]
    assert [entry["name"] for entry in stated] == [i.name for i in result.identities]
    assert all(entry["holds"] and entry["compared"] > 0 for entry in stated)
