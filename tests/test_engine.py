"""The engine end to end on small accounts: areas, shares, states, limits, and what must fail."""

import csv
import hashlib
import io
import math
import os
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
from gep import check, engine, identities, profile, run
from gep.cli import main
from gep.cube import UNALLOCATED, UNATTRIBUTED, Line
from gep.errors import IdentityError, InputError, ResourceError
from gep.shipped import folder

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


def test_products_of_another_year_are_moved_by_the_index(own: str, tmp_path: Path) -> None:
    """Farm producer prices fell by 2.2 % from 2020 to 2021: 2800 becomes 2738.4 CNY per tonne."""
    table = RICE.replace("t)", "t),value(元)").replace("2800", "2800,")
    table += "360101,agriculture,蔬菜,,,,1234567.89\n"
    change = {"account.profile": own, "statistics.products.year": 2020}
    result = account(small.write(tmp_path / "a", tables={"products": table}, change=change))
    rice = line(result, "agricultural_products", "稻谷")
    assert {float(price.number) for price in rice.prices.values()} == {2738.4}
    assert {price.unit for price in rice.prices.values()} == {"CNY_2021/t"}
    assert rice.money([EAST]) == 12000 * 273840
    vegetables = line(result, "agricultural_products", "蔬菜")
    assert abs(vegetables.money([EAST]) - 120740740) <= len(vegetables.cents), (
        "1 234 567.89 x 0.978"
    )
    assert set(vegetables.states.values()) == {"recalled"}, "the index is remembered"
    assert not [p for p in result.problems if p.code == "W524"]


def test_products_that_no_index_moves_have_quantities_and_no_value(
    own: str, tmp_path: Path
) -> None:
    table = RICE.replace("t)", "t),value(元)").replace("2800", "2800,")
    table += "360101,agriculture,蔬菜,,,,1234567.89\n"
    change = {"account.profile": own, "statistics.products.year": 2004}
    result = account(small.write(tmp_path / "a", tables={"products": table}, change=change))
    rice = line(result, "agricultural_products", "稻谷")
    assert rice.quantity([EAST]) == 12000
    assert set(rice.cents.values()) == {None}
    assert rice.prices == {}
    assert set(line(result, "agricultural_products", "蔬菜").cents.values()) == {None}
    (said,) = [p for p in result.problems if p.code == "W524"]
    why = "farm_producer_price 2005"
    assert said.fields == {"table": "products", "year": 2004, "want": 2021, "why": why}
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
    assert not list((path.parent / "output").glob("2021_*"))
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


def under_the_cap(plan: Any, partials: Any, cube: Any) -> None:
    """A quantum less than both load and capacity allow."""
    found = next(n for n in cube.lines if n.indicator == "sulfur_dioxide")
    found.amounts[next(leaf for leaf in found.amounts if leaf[0] == SOUTH)] -= 1


def large_pixels(plan: Any, partials: Any, cube: Any) -> None:
    """A county of 500 ha may be off by the 4 deviations of its boundary, not by 3 %."""
    partials.areas[2] = partials.areas[2] * 103 // 100


RUNS: dict[str, tuple[Callable[..., None], str]] = {
    "lost pixel": (lost_pixel, "pixels"),
    "lost quantum": (lost_quantum, "sums"),
    "quanta even out": (quanta_that_even_out, "sums"),
    "cap": (over_the_cap, "cap"),
    "below the cap": (under_the_cap, "cap"),
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


def test_a_tile_that_was_added_otherwise_stops_the_run(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is held against the pieces is what the run has added, not the same tile once more."""
    tile = run.Loop.tile

    def otherwise(self: Any, reader: Any, window: Any) -> Any:
        part, places = tile(self, reader, window)
        part.sums[0, 0, 0, 1] += reader.pieces is False
        return part, places

    monkeypatch.setattr(run.Loop, "tile", otherwise)
    assert failing(small_account) == {"tiling"}


def test_of_a_run_that_goes_on_only_pieces_are_computed(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole tiles are not; the pieces of one tile are read by GDAL, which decodes otherwise."""
    inner, pieces = run.Loop.tile, list[bool | None]()

    def tile(self: Any, reader: Any, window: Any) -> Any:
        pieces.append(reader.pieces)
        return inner(self, reader, window)

    monkeypatch.setattr(run.Loop, "tile", tile)
    first, again = (
        gep.open(small_account).run(output=small_account.parent / "output") for _ in range(2)
    )
    assert pieces == [False, *[None] * 8]
    assert first.manifest["core"] == again.manifest["core"]
    pieces.clear()
    by_tens = gep.open(small_account).run(tile=10)
    assert pieces.count(None) == 4
    assert by_tens.manifest["core"] == first.manifest["core"]


def test_an_account_that_adds_up_says_every_identity(small_account: Path) -> None:
    result = account(small_account)
    held = {identity.name: identity.holds for identity in result.identities}
    asked_for = {"constant", "maps"}  # only with a base year, and where maps are written
    assert held == dict.fromkeys(identities.TITLES.keys() - asked_for, True)
    stated = result.manifest["core"]["identities"]
    assert [entry["name"] for entry in stated] == [i.name for i in result.identities]
    assert all(entry["holds"] and entry["compared"] > 0 for entry in stated)


# ---- grids in feet, classes as floats, findings of several tiles


def test_a_grid_in_feet_has_areas_in_metres(tmp_path: Path) -> None:
    crs = "+proj=laea +lat_0=28 +lon_0=116 +datum=WGS84 +units=us-ft +type=crs"
    foot = 1200 / 3937
    side = 1000 / foot
    whole = shapely.box(0, -40 * side, 50 * side, 0)
    said = {"code": ["360101"], "name": ["东县"], "city_code": [""], "city_name": [""]}
    polygons = geopandas.GeoDataFrame(said, geometry=[whole], crs=crs)
    path = small.write(tmp_path, polygons=polygons, tables=NO_TABLES)
    move(path, crs, from_origin(0, 0, side, side), small.arrays())
    result = account(path)
    assert result.account.extent == {(EAST, "evergreen_needleleaf_forest"): 2000 * 10**8}


def test_classes_stored_as_floats_may_be_nan(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    kinds = small.classes().astype(np.float32)
    kinds[0, 0:4] = np.nan
    small.write_raster(tmp_path / "ecosystem.tif", kinds, nodata=None)
    assert account(path).account.extent[EAST, "nodata"] == 4 * 10**6


@pytest.mark.parametrize(("code", "fill"), [(255, []), (99, [99])], ids=["legend", "declared"])
def test_codes_without_data_by_legend_or_declaration(
    code: int, fill: list[int], tmp_path: Path
) -> None:
    """The file itself states no fill value; the legend says 255, the definition 99."""
    kinds = small.classes()
    kinds[0, 0:4] = code
    path = small.write(tmp_path, change={"rasters.ecosystem.fill": fill})
    small.write_raster(tmp_path / "ecosystem.tif", kinds, nodata=None)
    assert account(path).account.extent[EAST, "nodata"] == 4 * 10**6


def test_the_first_of_several_findings_is_the_first_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiles of 8 x 8: of two hits in one row of tiles, the upper one is in the later tile."""
    monkeypatch.setattr(check, "TILE", 8)
    monkeypatch.setattr(check, "sample", lambda windows: windows)
    places = [(6, 5), (2, 42), (30, 3)]
    kinds, layers = small.classes(), small.arrays()
    for row, column in places:
        kinds[row, column] = 99
        layers["precipitation"][row, column] = 99_000
        layers["erosivity"][row, column] = -9999
    report = gep.open(small.write(tmp_path, ecosystem=kinds)).check()
    (unknown,) = report.problems
    assert unknown.code == "E031"
    assert "99 (3 px, first at row 3, column 43)" in unknown.text()
    path = small.write(tmp_path, rasters={"precipitation": layers["precipitation"]})
    (high,) = gep.open(path).check().problems
    assert high.code == "E307"
    assert (high.fields["row"], high.fields["column"]) == (3, 43)
    layers["slope_factor"][2, 42] = layers["slope_factor"][6, 5] = 65535
    fills = small.arrays()["erosivity"]
    for row, column in places:
        fills[row, column] = 65535
    (fill,) = gep.open(small.write(tmp_path, rasters={"erosivity": fills})).check().problems
    assert fill.code == "E308"
    assert (fill.fields["row"], fill.fields["column"]) == (3, 43)


def test_what_lies_outside_the_counties_is_not_examined(tmp_path: Path) -> None:
    kinds, layers = small.classes(), small.arrays()
    kinds[:, 45:] = 99
    layers["precipitation"][:, 45:47], layers["precipitation"][:, 47:] = 99_000, -500
    layers["erosivity"][:, 45:] = 65535
    wanted = account(small.write(tmp_path / "a"))
    path = small.write(tmp_path / "b", ecosystem=kinds, rasters=layers)
    report = gep.open(path).check()
    assert report.problems == ()
    assert account(path).files()["accounts.csv"] == wanted.files()["accounts.csv"]


# ---- stored numbers


def test_a_pixel_size_that_drifts_is_another_grid(tmp_path: Path) -> None:
    """A ten-millionth of a pixel in each of 50 columns: five millionths at the last."""
    path = small.write(tmp_path)
    array, side = small.arrays()["precipitation"], 100 * (1 + 1e-7)
    where = from_origin(small.WEST, small.NORTH, side, side)
    file = tmp_path / "precipitation.tif"
    small.write_raster(file, array, nodata=small.NODATA, transform=where)
    assert found_at(path) == {"E205"}
    side = 100 * (1 + 1e-8)
    where = from_origin(small.WEST, small.NORTH, side, side)
    small.write_raster(file, array, nodata=small.NODATA, transform=where)
    assert found_at(path) == set()


def test_the_ends_of_a_valid_range_are_valid(tmp_path: Path) -> None:
    rain = small.arrays()["precipitation"]
    change = {"rasters.precipitation.valid": [float(rain.min()), float(rain.max())]}
    result = account(small.write(tmp_path, change=change))
    assert result.manifest["core"]["missing"]["water_retention.water_retention"] == {}


def test_a_fill_value_no_float_can_hold_is_only_itself(tmp_path: Path) -> None:
    """16 777 217 is 16 777 216 as a float32; the one is a fill value, the other a measurement."""
    stored = np.full((small.ROWS, small.COLUMNS), 16_777_216, np.int32)
    stored[0, 0:3] = 16_777_217
    said = {"scale": 0.0005, "fill": [16_777_217], "unit": small.UNITS["erosivity"]}
    change = {f"rasters.erosivity.{key}": value for key, value in said.items()}
    path = small.write(tmp_path, ecosystem=filled(NEEDLELEAF), change=change)
    small.write_raster(tmp_path / "erosivity.tif", stored)
    missing = account(path).manifest["core"]["missing"]["soil_retention.soil_retention"]
    assert missing == {"erosivity": 3}


def test_infinity_is_missing(tmp_path: Path) -> None:
    nep = small.arrays()["net_ecosystem_production"]
    nep[0, 0], nep[0, 1] = np.inf, -np.inf
    path = small.write(
        tmp_path, ecosystem=filled(NEEDLELEAF), rasters={"net_ecosystem_production": nep}
    )
    missing = account(path).manifest["core"]["missing"]["carbon_sequestration.carbon_dioxide"]
    assert missing == {"net_ecosystem_production": 2}


def test_scale_and_offset_are_in_the_declared_unit(tmp_path: Path) -> None:
    """Tenths of a centimetre above 50 cm: 1400 of them are 1900 mm."""
    stored = np.full((small.ROWS, small.COLUMNS), 1400, np.int16)
    said = {"scale": 0.1, "offset": 50.0, "unit": "cm/year"}
    change = {f"rasters.precipitation.{key}": value for key, value in said.items()}
    path = small.write(tmp_path, ecosystem=filled(NEEDLELEAF), change=change)
    small.write_raster(tmp_path / "precipitation.tif", stored)
    (rain,) = [u for u in gep.open(path).check().layers if u.name == "precipitation"]
    assert rain.unit == "mm/year"
    assert (rain.low, rain.median, rain.high) == pytest.approx((1900, 1900, 1900), rel=1e-12)


def test_a_grid_of_degrees_beyond_the_pole_is_refused(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    move(path, "EPSG:4490", from_origin(115, 95, 0.001, 0.001), small.arrays())
    assert "E202" in found_at(path)


@pytest.mark.parametrize("tile", [7, 13, 39, 49])
def test_tiles_that_leave_one_pixel_over(tile: int, small_account: Path) -> None:
    result = gep.open(small_account).run(threads=2, tile=tile)
    whole = gep.open(small_account).run(threads=1)
    assert result.files()["accounts.csv"] == whole.files()["accounts.csv"]
    assert result.name == whole.name


# ---- limits of polygons


def found_at(path: Path) -> set[str]:
    return {problem.code for problem in gep.open(path).check().problems}


def reshaped(**shapes: shapely.Polygon) -> geopandas.GeoDataFrame:
    """Counties of the small account with other shapes, by the last digit of their codes."""
    frame = small.counties()
    own = {f"36010{name[-1]}": shape for name, shape in shapes.items()}
    shaped = [own.get(code, shape) for code, shape in zip(frame.code, frame.geometry, strict=True)]
    return frame.set_geometry(shaped, crs=frame.crs)


@pytest.mark.parametrize(
    ("polygons", "said"),
    [
        (reshaped(c1=small.box(0, 40, 0, 20.000225)), {"E401"}),  # 90 m2 of 18 km2
        (reshaped(c1=small.box(0, 40, 0, 20.0000225)), set()),
        (reshaped(c3=small.box(20, 40, 20, 45) - small.box(30, 30.6, 30, 30.6)), {"W402"}),
        (reshaped(c3=small.box(20, 40, 20, 45) - small.box(30, 30.3, 30, 30.3)), set()),
        (reshaped(c1=small.box(0, 40, -0.3, 20)), {"E405"}),  # 98.5 % inside
        (reshaped(c1=small.box(0, 40, -0.1, 20)), set()),
    ],
    ids=["overlap", "sliver", "gap", "small gap", "outside", "edge outside"],
)
def test_limits_of_polygons(
    polygons: geopandas.GeoDataFrame, said: set[str], tmp_path: Path
) -> None:
    assert found_at(small.write(tmp_path, polygons=polygons)) == said


def test_an_accepted_overlap_goes_to_the_lower_code_in_any_order(tmp_path: Path) -> None:
    """The east takes a column of both others; what is left of those is held against their area."""
    polygons = reshaped(c1=small.box(0, 40, 0, 21)).iloc[::-1].reset_index(drop=True)
    path = small.write(tmp_path, polygons=polygons, change={"accept.E401": "disputed"})
    result = account(path)
    assert result.plan.counties.codes == small.CODES
    assert {code: result.manifest["core"]["pixels"][code] for code in small.CODES} == {
        EAST: 840,
        WEST: 480,
        SOUTH: 480,
    }
    (area,) = [i for i in result.identities if i.name == "area"]
    assert (area.left, area.right) == ("18.000000 km2, 0.0000%", "18.000000 km2")


@pytest.mark.parametrize(("lobe", "said"), [(0.2, {"W403"}), (2.0, {"E403"})])
def test_limit_of_repair(lobe: float, said: set[str], tmp_path: Path) -> None:
    """A lobe turned the wrong way counts negative before the repair, positive after it."""
    corners = [(0, 0), (20, 0), (20, 40), (0, 40), (0, 20), (-lobe, 19), (-lobe, 21), (0, 20)]
    ring = [(small.WEST + 100 * x, small.NORTH - 100 * y) for x, y in corners]
    shape = shapely.Polygon(ring)
    assert not shape.is_valid
    assert shape.area == pytest.approx((800 - lobe) * 1e4)
    assert found_at(small.write(tmp_path, polygons=reshaped(c1=shape))) == said


def test_an_outline_says_what_is_accounted(tmp_path: Path) -> None:
    """It takes in two columns east of the counties; what of them lies beyond it stays."""
    outline = geopandas.GeoDataFrame(geometry=[small.box(0, 40, 10, 47)], crs=small.CRS)
    path = small.write(tmp_path, change={"counties.outline": "outline.geojson"})
    outline.to_crs("EPSG:4326").to_file(tmp_path / "outline.geojson", driver="GeoJSON")
    assert found_at(path) == {"W402"}, "the two columns belong to no county"
    core = account(path).manifest["core"]
    assert core["pixels"] == {
        "outside": 40 * 3,
        EAST: 800,
        WEST: 500,
        SOUTH: 500,
        UNALLOCATED: 40 * 2,
    }
    content = (tmp_path / "outline.geojson").read_bytes()
    assert core["inputs"]["counties.outline"] == {
        "file": "outline.geojson",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }


# ---- products in other units


def test_products_in_other_units_are_one_product(tmp_path: Path) -> None:
    table = (
        "county_code,group,product,quantity,unit,price,price_unit,value(万元)\n"
        "360101,agriculture,稻谷,12000,t,2.8,元/kg,3360\n"
        "360102,agriculture,稻谷,0.8,万t,2750,元/t,\n"
        "360103,agriculture,稻谷,,,,,0.5\n"
    )
    result = account(small.write(tmp_path, tables={"products": table}))
    rice = line(result, "agricultural_products", "稻谷")
    assert [rice.quantity([code]) for code in small.CODES] == [12000, 8000, None]
    assert [rice.money([code]) for code in small.CODES] == [3_360_000_000, 2_200_000_000, 500_000]


@pytest.mark.parametrize(("stated", "said"), [("3363.2", set()), ("3363.8", {"E510"})])
def test_a_stated_value_may_differ_by_a_thousandth(
    stated: str, said: set[str], tmp_path: Path
) -> None:
    table = (
        "county_code,group,product,quantity,unit,price(元/t),value(万元)\n"
        f"360101,agriculture,稻谷,12000,t,2800,{stated}\n"
        "360102,agriculture,稻谷,0,t,2800,\n360103,agriculture,稻谷,0,t,2800,\n"
    )
    assert found_at(small.write(tmp_path, tables={"products": table})) == said


def test_rows_called_total_are_refused(tmp_path: Path) -> None:
    table = RICE + "360101,agriculture,Sub Total,12000,t,2800\n360102,agriculture,TOTAL,1,t,1\n"
    problems = gep.open(small.write(tmp_path, tables={"products": table})).check().problems
    assert [p.fields["word"] for p in problems if p.code == "E514"] == ["Sub Total", "TOTAL"]


# ---- what a run says of itself


def test_warnings_of_the_check_are_problems_of_the_result(small_result: gep.Result) -> None:
    assert [problem.code for problem in small_result.problems] == ["W402"]


def test_verified_counts_every_number_once(own: str, tmp_path: Path) -> None:
    """Clamp, ratio, both prices with all their years, and the index that moves one of them."""
    tag = 'source = { key = "GEP", where = "said" }\nstatus = "seen"\nverified_by = "me"\n'
    files = {
        "own/carbon_sequestration.toml": f"[clamp]\nvalue = 0\n{tag}",
        "own/prices.toml": f"[oxygen_price.sets.lyt1721]\nvalue = 1000\n{tag}",
    }
    change = {"coefficients.overrides": "own", "account.profile": own}
    path = small.write(tmp_path / "b", files=files, change=change, tables=NO_TABLES)
    result = account(path)
    book = result.plan.book
    prices = book.services["prices"]
    market, oxygen = prices["carbon_market"][""], prices["oxygen_price"]["lyt1721"]
    index = book.indices[oxygen.index]
    assert result.verified == (2, 2 + len(market.values) + 1 + len(index.values))


def test_the_output_is_tried_before_the_work(
    small_account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def work(*given: Any, **named: Any) -> Any:
        raise AssertionError("the work has begun")

    monkeypatch.setattr(engine, "sums", work)
    taken = tmp_path / "taken"
    taken.write_text("x")
    with pytest.raises(ResourceError) as raised:
        gep.open(small_account).run(threads=1, output=taken)
    assert codes(raised) == ["E705"]


def test_states_of_pixels_by_hand(tmp_path: Path) -> None:
    """Of 1800 pixels 5 have no class, 7 eligible ones no rain; water, towns, swamp are excluded."""
    kinds, rain = small.classes(), small.arrays()["precipitation"]
    kinds[0, 0:5] = small.NODATA_CLASS
    eligible = np.isin(kinds, (11, 13, 16, 21, 33, 51, 52)) & (small.places() >= 0)
    for row, column in np.argwhere(eligible)[-7:]:
        rain[row, column] = np.nan
    excluded = np.isin(kinds, (41, 47, 61)) & (small.places() >= 0)
    result = account(small.write(tmp_path, ecosystem=kinds, rasters={"precipitation": rain}))
    assert result.manifest["core"]["states"]["water_retention.water_retention"] == {
        "valid": int(eligible.sum()) - 7,
        "missing": 7,
        "excluded": int(excluded.sum()),
        "nodata": 5,
    }
    assert int(eligible.sum()) + int(excluded.sum()) + 5 == 1800


def test_the_name_of_a_run_is_that_of_its_inputs(tmp_path: Path) -> None:
    """Another output folder is the same run, another name of the account is not."""
    path = small.write(tmp_path)
    text = path.read_text("utf8")
    names = []
    for said in (text, text + '[output]\nfolder = "elsewhere"\n', text.replace("小", "大")):
        path.write_text(said, "utf8")
        names.append(account(path).name)
    assert names[0] == names[1] != names[2]
    assert names[0].startswith("2021_")


def test_the_profile_and_the_coefficients_are_hashed(small_result: gep.Result) -> None:
    hashed = small_result.manifest["core"]["coefficient_files"]
    root = folder("coefficients")
    for name in ("profiles/jiangxi-2021.toml", "air_purification.toml", "prices.toml"):
        assert hashed[name] == hashlib.sha256((root / name).read_bytes()).hexdigest()


def test_capacity_and_load_stand_in_the_manifest(small_account: Path) -> None:
    items = account(small_account).manifest["core"]["items"]
    (item,) = [i for i in items if i["indicator"] == "nitrogen_oxides"]
    limits = item["capped"][WEST]
    hectares = sum(pixels(1, kind) for kind in SULFUR)
    assert Decimal(limits["load"]) == Decimal("0.25")
    assert Decimal(limits["capacity"]) == Decimal("0.006") * hectares


def test_a_run_folder_that_was_changed_is_not_taken_for_the_run(tmp_path: Path) -> None:
    """One letter of a table, its length kept; the folder can be read by others."""
    result = account(small.write(tmp_path))
    final = result.write()
    assert final.stat().st_mode & 0o777 == 0o755
    table = final / "extent.csv"
    content = table.read_bytes()
    table.write_bytes(content.replace(b"0", b"1", 1))
    with pytest.raises(IdentityError) as raised:
        result.write()
    assert codes(raised) == ["E712"]


def test_what_a_killed_writer_left_is_cleared_away(tmp_path: Path) -> None:
    result = account(small.write(tmp_path))
    left = tmp_path / "output" / ".staging-dead"
    left.mkdir(parents=True)
    (left / "accounts.csv").write_text("half")
    result.write()
    assert not left.exists()


def test_the_lock_names_its_last_holder_only(tmp_path: Path) -> None:
    result = account(small.write(tmp_path))
    lock = tmp_path / "output" / ".lock"
    lock.parent.mkdir()
    lock.write_text("1234567 " + "x" * 80 + "\n")
    result.write()
    (held,) = lock.read_text().splitlines()
    assert held.startswith(f"{os.getpid()} ")
    assert "x" not in held


def test_an_override_is_hashed_beside_the_file_it_overrides(tmp_path: Path) -> None:
    text = (
        '[reservoir_cost.sets.lyt1721]\nvalue = 7\nsource = { key = "GEP", where = "x" }\n'
        'status = "design"\n'
    )
    change = {"coefficients.overrides": "own"}
    path = small.write(tmp_path, files={"own/prices.toml": text}, change=change)
    files = account(path).manifest["core"]["coefficient_files"]
    assert files["overrides/prices.toml"] == hashlib.sha256(text.encode()).hexdigest()
    assert files["prices.toml"] != files["overrides/prices.toml"]


NUMBERS: list[tuple[dict[str, Any], str, str]] = [
    ({"threads": -1}, "threads = -1 is not a number of threads", "threads = -1 不是线程数"),
    ({"threads": 0}, "threads = 0 is not a number of threads", "threads = 0 不是线程数"),
    ({"threads": 2.0}, "threads = 2.0 is not a number of threads", "threads = 2.0 不是线程数"),
    ({"threads": True}, "threads = True is not a number of threads", "threads = True 不是线程数"),
    ({"tile": 0}, "tile = 0 is not a side in pixels", "tile = 0 不是以像元计的边长"),
    ({"tile": 1.5}, "tile = 1.5 is not a side in pixels", "tile = 1.5 不是以像元计的边长"),
    ({"tile": None}, "tile = None is not a side in pixels", "tile = None 不是以像元计的边长"),
    ({"tile": "512"}, "tile = '512' is not a side in pixels", "tile = '512' 不是以像元计的边长"),
]


@pytest.mark.parametrize("call", ["Account.run", "Account.forecast", "Account.prepare", "together"])
@pytest.mark.parametrize(("said", "en", "zh"), NUMBERS)
def test_threads_and_tiles_are_whole_numbers(
    call: str, said: dict[str, Any], en: str, zh: str, small_account: Path
) -> None:
    account = gep.open(small_account)
    calls: dict[str, Callable[..., object]] = {
        "Account.run": account.run,
        "Account.forecast": account.forecast,
        "Account.prepare": account.prepare,
        "together": lambda **more: gep.run_together([account], **more),
    }
    if call == "Account.prepare" and "tile" in said:
        return  # it has none
    with pytest.raises(InputError) as raised:
        calls[call](**said)
    (problem,) = raised.value.problems
    name = "run_together" if call == "together" else call
    assert problem.code == "E019"
    assert (problem.text("en"), problem.text("zh")) == (f"{name}: {en}", f"{name}：{zh}")


def test_whole_numbers_of_numpy_are_numbers(small_account: Path) -> None:
    result = gep.open(small_account).run(threads=np.int64(1), tile=np.int32(20))
    assert result.envelope["tiles"]["all"] == 6
    assert b'"threads": 1,' in result.files()["run.json"]
