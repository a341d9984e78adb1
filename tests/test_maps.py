"""Maps: every pixel by hand, sums against the tables, files whole, verified and the same always.

Expected numbers are plain numpy over the arrays of small.py, coefficients as they stand in
coefficients/, areas from pyproj's geodesics.
"""

import csv
import errno
import io
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click.testing
import geopandas
import numpy as np
import pyproj
import pytest
import rasterio
import shapely
import small
from rasterio.transform import Affine, from_origin

import gep
from gep import densities, map_names, store, units
from gep.cli import main
from gep.densities import Map
from gep.ecosystems import Title
from gep.errors import GepError, IdentityError, InputError, ResourceError
from gep.outputs import maps as room
from gep.verify import verify

COEFFICIENTS = Path(__file__).parent.parent / "coefficients"
TOURISM = """\
county_code,name,visitors(人次),cost(元/人次),days(day/人次),wage(元/day)
360101,甲,120000,250,1,200
360103,乙,50000.5,300,2,220
"""
KEYS = {
    11: "evergreen_broadleaf_forest",
    13: "evergreen_needleleaf_forest",
    16: "bamboo_forest",
    21: "broadleaf_shrubland",
    33: "tussock",
    41: "swamp",
    51: "paddy",
    52: "upland",
    61: "built_up",
    47: "open_water",
}
WHOLE = ("total", "provisioning", "regulating", "cultural")
WEST, NORTH = 115.0, 29.0
DEGREES = {"degrees": 0.05, "seconds": 1 / 3600}
"""Grids of degrees: rows of unlike areas, and areas that are no whole number of their quanta."""


def coefficient(file: str, *keys: str) -> dict[str, float]:
    """Numbers of a coefficient by ecosystem, as printed."""
    found: Any = tomllib.loads((COEFFICIENTS / f"{file}.toml").read_text("utf8"))
    for key in keys:
        found = found[key]
    return {k: v["value"] if isinstance(v, dict) else v for k, v in found["values"].items()}


def by_class(numbers: dict[str, float]) -> np.ndarray:
    """Number of the ecosystem of every pixel; NaN where it has none."""
    out = np.full((small.ROWS, small.COLUMNS), np.nan)
    for code, key in KEYS.items():
        out[small.classes() == code] = numbers.get(key, np.nan)
    return out


def move(path: Path, crs: str, transform: Affine) -> None:
    """Write the rasters of an account again, on another grid."""
    for file in path.parent.glob("*.tif"):
        with rasterio.open(file) as source:
            array, nodata = source.read(1), source.nodata
        small.write_raster(file, array, nodata=nodata, crs=crs, transform=transform)


def boxes(size: float) -> geopandas.GeoDataFrame:
    shapes = [degrees_box(size, *small.BOXES[code]) for code in small.CODES]
    frame = {"code": list(small.CODES), "name": list(small.NAMES)}
    frame |= {"city_code": ["360100"] * 3, "city_name": ["某市"] * 3}
    return geopandas.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4326")


def degrees_box(
    size: float, top: float, bottom: float, left: float, right: float
) -> shapely.Polygon:
    """Box of rows and columns on a grid of degrees, its parallels followed."""
    west, east = WEST + size * left, WEST + size * right
    return shapely.box(west, NORTH - size * bottom, east, NORTH - size * top).segmentize(size)


def write_account(folder: Path, kind: str) -> Path:
    """The small account: on its own grid, with an unallocated hole, or on a grid of degrees."""
    tables = {"tourism": TOURISM}
    if kind not in DEGREES:
        return small.write(folder, hole=kind == "hole", tables=tables)
    size = DEGREES[kind]
    path = small.write(folder, polygons=boxes(size), tables=tables)
    move(path, "EPSG:4326", from_origin(WEST, NORTH, size, size))
    return path


def areas(kind: str) -> np.ndarray:
    """True area of every pixel in km^2."""
    if kind not in DEGREES:
        return np.full((small.ROWS, small.COLUMNS), 0.01)
    size = DEGREES[kind]
    geod = pyproj.Geod(ellps="WGS84")
    rows = []
    for row in range(small.ROWS):
        box = degrees_box(size, row, row + 1, 0, 1).segmentize(size / 100)
        rows.append(abs(geod.geometry_area_perimeter(box)[0]) / 1e6)
    return np.repeat(rows, small.COLUMNS).reshape(small.ROWS, small.COLUMNS)


def places(kind: str) -> np.ndarray:
    """Code of the place of every pixel, "" outside."""
    codes = np.array([*small.CODES, ""])[small.places()]
    if kind == "hole":
        top, bottom, left, right = small.HOLE
        codes = codes.astype(object)
        codes[top:bottom, left:right] = "unallocated"
    return codes


def read(folder: Path, name: str) -> np.ndarray:
    with rasterio.open(folder / "maps" / f"{name}.tif") as file:
        return file.read(1).astype(float)


def account_rows(folder: Path) -> list[dict[str, str]]:
    text = (folder / "accounts.csv").read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


class Drawn:
    """A run with all its maps."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.kind, self.path = kind, write_account(folder, kind)
        self.result = gep.open(self.path).run(threads=2, maps=True)
        self.folder = self.result.write()
        self.rows = account_rows(self.folder)

    def __getitem__(self, name: str) -> np.ndarray:
        return read(self.folder, name)


@pytest.fixture(scope="module", params=["plain", "hole", *DEGREES])
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    return Drawn(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    return Drawn(tmp_path_factory.mktemp("one"), "plain")


def assert_pixels(found: np.ndarray, expected: np.ndarray, rel: float = 2e-6) -> None:
    """The same pixels are missing, and the others are equal."""
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    np.testing.assert_allclose(found, expected, rtol=rel)


# --- pixels -------------------------------------------------------------------------------------


def test_water_of_every_pixel(drawn: Drawn) -> None:
    """(P - P alpha - ET) mm on a km^2 are a thousand times as many m^3."""
    alpha = by_class(coefficient("water_retention", "runoff_coefficient", "sets", "hj1173"))
    layers = {name: array.astype(float) for name, array in small.arrays().items()}
    rain, gone = layers["precipitation"], layers["evapotranspiration"]
    dry = np.isin(small.classes(), (11, 13, 16, 21, 33, 51, 52)) & (places(drawn.kind) != "")
    expected = np.where(dry, (rain - rain * alpha - gone) * 1e3, np.nan)
    assert_pixels(drawn["water_retention.water_retention.quantity"], expected)


def test_value_is_quantity_times_price_on_every_pixel(drawn: Drawn) -> None:
    for name in ("water_retention.water_retention", "carbon_sequestration.carbon_dioxide"):
        prices = {row["price"] for row in drawn.rows if name.endswith(f".{row['indicator']}")}
        (price,) = prices
        assert_pixels(
            drawn[f"{name}.value"],
            drawn[f"{name}.quantity"] * float(price),
            1e-4 if drawn.kind != "degrees" else 2e-6,  # a leaf is rounded to the cent
        )


def test_derived_pixels(drawn: Drawn) -> None:
    """Oxygen: 32/44 of the carbon dioxide fixed, on the very pixels."""
    carbon = drawn["carbon_sequestration.carbon_dioxide.quantity"]
    nep = small.arrays()["net_ecosystem_production"].astype(float)
    green = np.isin(small.classes(), (11, 13, 16, 21, 33, 41)) & (places(drawn.kind) != "")
    assert_pixels(carbon, np.where(green, nep * 44 / 12, np.nan))
    assert_pixels(drawn["oxygen_release.oxygen.quantity"], carbon * 32 / 44, 1e-5)


def test_capped_pixels(drawn: Drawn) -> None:
    """Capacity of the class, times the county's load over its whole capacity where that is less."""
    capacity = by_class(coefficient("air_purification", "sulfur_dioxide_capacity")) / 10  # t/km^2
    capacity[~np.isin(small.classes(), (11, 13, 16, 21))] = np.nan
    where, size = places(drawn.kind), areas(drawn.kind)
    expected = np.full(capacity.shape, np.nan)
    held = 0
    for code, load in zip(small.CODES, (5.0, 1000.0, 12.5), strict=True):
        own = (where == code) & ~np.isnan(capacity)
        whole = float((capacity * size)[own].sum())
        held += load < whole
        expected[own] = capacity[own] * min(1.0, load / whole)
    assert held == {"plain": 2, "hole": 2, "degrees": 3, "seconds": 0}[drawn.kind]
    assert_pixels(drawn["air_purification.sulfur_dioxide.quantity"], expected, 1e-5)


def test_products_by_their_weights(drawn: Drawn) -> None:
    """Rice of a county by net primary production on the ecosystems its rows name."""
    weights = small.arrays()["net_primary_production"].astype(float)
    where, size = places(drawn.kind), areas(drawn.kind)
    amounts = {"360101": (12000, 2800), "360102": (8000.5, 2750), "360103": (500, 2900)}
    quantity, value = (np.full(weights.shape, np.nan) for _ in range(2))
    for code, (tonnes, price) in amounts.items():
        listed = [r for r in drawn.rows if (r["county_code"], r["indicator"]) == (code, "稻谷")]
        grown = [c for c, key in KEYS.items() if key in {row["ecosystem"] for row in listed}]
        own = (where == code) & np.isin(small.classes(), grown)
        quantity[own] = tonnes * weights[own] / float((weights * size)[own].sum())
        value[own] = quantity[own] * price
    assert_pixels(drawn["agricultural_products.稻谷.quantity"], quantity, 5e-6)
    assert_pixels(drawn["agricultural_products.稻谷.value"], value, 5e-6)


def test_what_nothing_says_how_to_spread_is_even_over_the_county(drawn: Drawn) -> None:
    where, size = places(drawn.kind), areas(drawn.kind)
    visits = drawn["tourism.visits.quantity"]
    assert np.isnan(visits[~np.isin(where, ("360101", "360103"))]).all()
    for code in ("360101", "360103"):
        (row,) = [r for r in drawn.rows if (r["county_code"], r["service"]) == (code, "tourism")]
        assert row["ecosystem"] == "unattributed"
        expected = float(row["quantity"]) / float(size[where == code].sum())
        # the account takes areas to 0.01 m^2
        np.testing.assert_allclose(visits[where == code], expected, rtol=1e-5)
    with rasterio.open(drawn.folder / "maps" / "tourism.visits.quantity.tif") as file:
        assert file.tags()["spread"] == "even over the county"
        assert file.tags()["spread_zh"] == "县区内平均分摊"


def test_products_that_grow_elsewhere_are_spread_by_area(tmp_path: Path) -> None:
    """Tea on forest, which no weight of the service covers; rice where there is a weight."""
    header, *rows = small.PRODUCTS.splitlines()
    products = [
        f"{header},ecosystem",
        *(f"{row},{'forest' if '茶' in row else ''}" for row in rows),
    ]
    path = small.write(tmp_path, tables={"products": "\n".join(products) + "\n"})
    folder = gep.open(path).run(maps=["agricultural_products"]).write()
    tea = read(folder, "agricultural_products.茶叶.quantity")
    forest = np.isin(small.classes(), (11, 13, 16)) & (small.places() == 0)
    assert_pixels(tea, np.where(forest, 40 / (forest.sum() * 0.01), np.nan))
    with rasterio.open(folder / "maps" / "agricultural_products.茶叶.value.tif") as file:
        assert file.tags()["spread"] == "county amounts evenly over the eligible ecosystems"
    with rasterio.open(folder / "maps" / "agricultural_products.稻谷.value.tif") as file:
        assert file.tags()["spread"] == "county amounts by net_primary_production"


def test_total_is_the_sum_of_the_groups_and_of_the_indicators(drawn: Drawn) -> None:
    total = drawn["total.value"]
    outside = places(drawn.kind) == ""
    np.testing.assert_array_equal(np.isnan(total), outside)
    groups = sum(np.where(outside, 0, drawn[f"{name}.value"]) for name in WHOLE[1:])
    np.testing.assert_allclose(np.where(outside, 0, total), groups, rtol=1e-6)
    single = [
        file.stem
        for file in (drawn.folder / "maps").iterdir()
        if file.stem.endswith(".value") and file.stem.split(".")[0] not in WHOLE
    ]
    added = sum(np.nan_to_num(drawn[name]) for name in single)
    np.testing.assert_allclose(np.where(outside, 0, total), added, rtol=1e-6)


# --- sums ---------------------------------------------------------------------------------------


def leaf_sums(drawn: Drawn, array: np.ndarray) -> dict[tuple[str, str], tuple[float, float]]:
    """Map times area of every county and ecosystem, and of its absolute value."""
    amounts = np.nan_to_num(array) * areas(drawn.kind)
    where, found = places(drawn.kind), {}
    for place in (*small.CODES, "unallocated"):
        for code, key in KEYS.items():
            own = amounts[(where == place) & (small.classes() == code)]
            found[place, key] = float(own.sum()), float(np.abs(own).sum())
    return found


def names_of(drawn: Drawn, what: str) -> list[tuple[str, str]]:
    keys = [(row["service"], row["indicator"]) for row in drawn.rows if row[what]]
    return list(dict.fromkeys(keys))


@pytest.mark.parametrize("what", ["quantity", "value"])
def test_maps_close_to_the_tables_leaf_by_leaf(drawn: Drawn, what: str) -> None:
    keys = names_of(drawn, what)
    assert len(keys) > 10
    for service, indicator in keys:
        sums = leaf_sums(drawn, drawn[f"{service}.{indicator}.{what}"])
        table: dict[tuple[str, str], float] = {}
        for row in drawn.rows:
            if (row["service"], row["indicator"]) == (service, indicator) and row[what]:
                table[row["county_code"], row["ecosystem"]] = float(row[what])
        for place in (*small.CODES, "unallocated"):
            pixels = {leaf: sums[leaf] for leaf in sums if leaf[0] == place}
            stated = {leaf: table[leaf] for leaf in table if leaf[0] == place}
            gross = sum(size for _, size in pixels.values())
            found = sum(amount for amount, _ in pixels.values())
            assert found == pytest.approx(sum(stated.values()), abs=1e-6 * gross)
            if (place, "unattributed") not in stated:
                for leaf, (amount, size) in pixels.items():
                    assert amount == pytest.approx(stated.get(leaf, 0.0), abs=1e-6 * size), leaf


def test_groups_and_total_close_to_the_county_table(drawn: Drawn) -> None:
    text = (drawn.folder / "county_gep.csv").read_text("utf-8-sig")
    where, size = places(drawn.kind), areas(drawn.kind)
    for row in csv.DictReader(io.StringIO(text)):
        if row["level"] == "city":
            continue
        own = where != "" if row["level"] == "province" else where == row["code"]
        for name in WHOLE:
            amount = float((np.nan_to_num(drawn[f"{name}.value"]) * size)[own].sum())
            stated = float(row["gep" if name == "total" else name] or 0)
            assert amount == pytest.approx(stated, rel=1e-6), (row["code"], name)


def test_the_run_says_that_its_maps_close(drawn: Drawn) -> None:
    core = json.loads((drawn.folder / "run.json").read_text("utf8"))["core"]
    (entry,) = [i for i in core["identities"] if i["name"] == "maps"]
    assert entry["holds"]
    files = sorted(f"maps/{file.name}" for file in (drawn.folder / "maps").iterdir())
    assert entry["compared"] == len(files) * 5  # three counties, unallocated, all
    assert float(entry["left"]) < 1e-6
    assert sorted(name for name in core["outputs"] if name.startswith("maps/")) == files
    assert sorted(f"maps/{name}.tif" for name in core["maps"]) == files
    assert drawn.result.manifest["core"] == core
    assert [i.name for i in drawn.result.identities][-1] == "maps"


def checkered() -> np.ndarray:
    """Net ecosystem production of both signs that cancel in every patch of 4 by 5 pixels."""
    row, column = np.indices((small.ROWS, small.COLUMNS))
    return np.where((row + column) % 2 == 0, 300.0, -300.0).astype(np.float32)


def test_pixels_of_both_signs_that_cancel(tmp_path: Path) -> None:
    """A leaf of nothing in all is no reason to show nothing, or a wrong price."""
    path = small.write(tmp_path, rasters={"net_ecosystem_production": checkered()})
    folder = gep.open(path).run(maps=["carbon_sequestration", "oxygen_release"]).write()
    rows = account_rows(folder)
    carbon = [row for row in rows if row["indicator"] == "carbon_dioxide"]
    assert any(float(row["quantity"]) == 0 for row in carbon)
    quantity = read(folder, "carbon_sequestration.carbon_dioxide.quantity")
    green = np.isin(small.classes(), (11, 13, 16, 21, 33, 41)) & (small.places() >= 0)
    assert_pixels(quantity, np.where(green, checkered() * 44.0 / 12, np.nan))
    value = read(folder, "carbon_sequestration.carbon_dioxide.value")
    assert_pixels(value, quantity * float(carbon[0]["price"]))
    oxygen = read(folder, "oxygen_release.oxygen.quantity")
    assert_pixels(oxygen, quantity * 32 / 44)


def test_the_roundings_of_the_account_are_no_reason_to_refuse(tmp_path: Path) -> None:
    """Grams per hectare of both signs: grams of oxygen and cents are rounded, pixels are not."""
    nep = np.where(checkered() > 0, 0.0011, -0.0009).astype(np.float32)
    change = {"accept.E304": "tested"}
    path = small.write(tmp_path, rasters={"net_ecosystem_production": nep}, change=change)
    result = gep.open(path).run(maps=["carbon_sequestration", "oxygen_release", "regulating"])
    folder = result.write()
    rows = [row for row in account_rows(folder) if row["indicator"] == "oxygen"]
    carbon = read(folder, "carbon_sequestration.carbon_dioxide.quantity")
    oxygen = read(folder, "oxygen_release.oxygen.quantity")
    assert_pixels(oxygen, carbon * 32 / 44)
    assert_pixels(read(folder, "oxygen_release.oxygen.value"), oxygen * float(rows[0]["price"]))
    exact = float(np.nansum(oxygen)) * 0.01
    stated = sum(float(row["quantity"]) for row in rows)
    assert 0 < abs(exact - stated) < 0.5e-6 * len(rows)
    assert abs(exact - stated) > 1e-6 * float(np.nansum(np.abs(oxygen))) * 0.01


# --- what is missing ----------------------------------------------------------------------------


def test_missing_pixels_are_missing(tmp_path: Path) -> None:
    rain = small.arrays()["precipitation"]
    rain[3, 7] = np.nan  # a pixel of a forest
    emissions = small.EMISSIONS.replace("12.5,1000,0", ",1000,0")
    path = small.write(tmp_path, rasters={"precipitation": rain}, tables={"emissions": emissions})
    folder = gep.open(path).run(maps=True).write()
    water = read(folder, "water_retention.water_retention.value")
    green = np.isin(small.classes(), (11, 13, 16, 21, 33, 51, 52)) & (small.places() >= 0)
    assert green[3, 7]
    green[3, 7] = False
    np.testing.assert_array_equal(np.isnan(water), ~green)
    sulfur = read(folder, "air_purification.sulfur_dioxide.quantity")
    assert np.isnan(sulfur[small.places() == 2]).all()  # a load that is unknown is not capacity
    assert not np.isnan(sulfur[small.places() == 0]).all()
    total = read(folder, "total.value")
    assert not np.isnan(total[small.places() >= 0]).any()


def test_pixels_without_an_ecosystem_are_missing_everywhere(tmp_path: Path) -> None:
    codes = small.classes()
    codes[0, 0] = small.NODATA_CLASS
    path = small.write(tmp_path, ecosystem=codes, tables={"tourism": TOURISM})
    folder = gep.open(path).run(maps=True).write()
    for file in (folder / "maps").iterdir():
        assert np.isnan(read(folder, file.stem)[0, 0]), file.name
    visits = read(folder, "tourism.visits.quantity")
    assert float(np.nansum(visits[small.places() == 0])) * 0.01 == pytest.approx(120000, rel=1e-6)


def test_an_amount_without_a_pixel_is_refused(tmp_path: Path) -> None:
    """A county all of whose pixels are unknown: its visits cannot be shown, and are not lost."""
    codes = small.classes()
    codes[small.places() == 2] = small.NODATA_CLASS
    accept = {f"accept.{code}": "tested" for code in ("E305", "E306")}
    tables = {"tourism": TOURISM}
    path = small.write(tmp_path, ecosystem=codes, tables=tables, change=accept)
    with pytest.raises(InputError) as raised:
        gep.open(path).run(maps=["tourism"])
    assert [p.code for p in raised.value.problems] == ["E722"]
    assert str(raised.value) == (
        "maps: tourism.visits: 360103 has an amount for unattributed but no pixel to show it on"
    )
    assert gep.open(path).run(maps=["water_retention"]).write()


# --- files --------------------------------------------------------------------------------------


def large(folder: Path) -> Path:
    """The small account with every pixel cut into 27 by 27: 1080 rows, 1350 columns."""
    path = small.write(folder)
    for file in folder.glob("*.tif"):
        with rasterio.open(file) as source:
            array, nodata = source.read(1), source.nodata
        fine = np.kron(array, np.ones((27, 27), array.dtype))
        pixel = small.PIXEL / 27
        where = from_origin(small.WEST, small.NORTH, pixel, pixel)
        small.write_raster(file, fine, nodata=nodata, transform=where)
    return path


@pytest.fixture(scope="module")
def large_account(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return large(tmp_path_factory.mktemp("large"))


LARGE = ["soil_retention.sediment", "total"]


@pytest.fixture(scope="module")
def large_maps(large_account: Path) -> Path:
    return gep.open(large_account).run(threads=1, maps=LARGE).write() / "maps"


def test_maps_are_cloud_optimised(large_maps: Path) -> None:
    for file in large_maps.iterdir():
        with rasterio.open(file) as found:
            assert found.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert found.block_shapes == [(512, 512)]
            assert found.overviews(1) == [2, 4]
            assert found.compression.name == "deflate"
            assert found.dtypes == ("float32",)
            assert np.isnan(found.nodata)
    assert {file.suffix for file in large_maps.iterdir()} == {".tif"}


def test_overviews_are_means(large_maps: Path) -> None:
    with rasterio.open(large_maps / "total.value.tif") as file:
        array = file.read(1).astype(float)
    with rasterio.open(large_maps / "total.value.tif", overview_level=0) as file:
        half = file.read(1).astype(float)
    fours = array.reshape(540, 2, 675, 2)
    known = (~np.isnan(fours)).sum(axis=(1, 3))
    np.testing.assert_array_equal(np.isnan(half), known == 0)
    sums = np.nan_to_num(fours).sum(axis=(1, 3))
    assert len(np.unique(known)) > 2
    np.testing.assert_allclose(half[known > 0], sums[known > 0] / known[known > 0], rtol=1e-6)


def test_statistics_are_those_of_the_pixels(large_maps: Path) -> None:
    for file in large_maps.iterdir():
        with rasterio.open(file) as found:
            array, tags = found.read(1).astype(float), found.tags(1)
        known = array[~np.isnan(array)]
        stated = {key.removeprefix("STATISTICS_"): float(value) for key, value in tags.items()}
        assert stated["MINIMUM"] == pytest.approx(known.min(), rel=1e-6)
        assert stated["MAXIMUM"] == pytest.approx(known.max(), rel=1e-6)
        assert stated["MEAN"] == pytest.approx(known.mean(), rel=1e-6)
        assert stated["STDDEV"] == pytest.approx(known.std(), rel=1e-6)
        assert stated["VALID_PERCENT"] == pytest.approx(100 * known.size / array.size, abs=0.01)


def test_bytes_are_the_same_for_any_tiles_and_threads(
    large_account: Path, large_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "BATCH", 1)
    again = gep.open(large_account).run(threads=3, tile=200, maps=LARGE).write(tmp_path) / "maps"
    names = sorted(file.name for file in large_maps.iterdir())
    assert sorted(file.name for file in again.iterdir()) == names
    for name in names:
        assert (again / name).read_bytes() == (large_maps / name).read_bytes()
    roots = [json.loads((f.parent / "run.json").read_text())["root"] for f in (again, large_maps)]
    assert roots[0] == roots[1]


def test_pixels_do_not_depend_on_the_grid_being_cut(large_maps: Path, plain: Drawn) -> None:
    fine = read(large_maps.parent, "soil_retention.sediment.value")
    coarse = np.kron(plain["soil_retention.sediment.value"], np.ones((27, 27)))
    np.testing.assert_array_equal(np.isnan(fine), np.isnan(coarse))
    np.testing.assert_allclose(fine, coarse, rtol=1e-3)  # an amount of 13 m^2 is rounded to cm^3


def test_what_a_file_says_of_itself(plain: Drawn) -> None:
    name = "water_retention.water_retention"
    with rasterio.open(plain.folder / "maps" / f"{name}.quantity.tif") as file:
        assert file.descriptions == ("Water retained / 水源涵养量",)
        assert file.units == ("m^3/(year*km^2)",)
        assert file.crs == rasterio.crs.CRS.from_string(small.CRS)
        assert file.transform == from_origin(small.WEST, small.NORTH, 100, 100)
        tags = file.tags()
    assert tags | {"software": "", "spread_zh": ""} == {
        "AREA_OR_POINT": "Area",
        "account": "小账户",
        "group": "regulating",
        "indicator": "water_retention",
        "price_year": "2021",
        "profile": "jiangxi-2021",
        "profile_status": "provisional",
        "run": plain.folder.name,
        "service": "water_retention",
        "software": "",
        "spread": "as each pixel gives it",
        "spread_zh": "",
        "title_en": "Water retained",
        "title_zh": "水源涵养量",
        "unit": "m^3/(year*km^2)",
        "verified": "design",
        "what": "quantity",
        "year": "2021",
    }
    with rasterio.open(plain.folder / "maps" / f"{name}.value.tif") as file:
        assert file.descriptions == ("Water retained, value / 水源涵养量价值量",)
        assert file.units == ("CNY_2021/(year*km^2)",)
    with rasterio.open(plain.folder / "maps" / "total.value.tif") as file:
        assert file.tags()["status"] == "partial"
        assert file.descriptions == (
            "All services in the account (partial) / 已核算服务合计（不完整）",
        )


def test_every_unit_is_one_the_engine_reads(plain: Drawn) -> None:
    for path in (plain.folder / "maps").iterdir():
        with rasterio.open(path) as file:
            (unit,) = file.units
        units.parse(unit)
        assert unit.endswith("km^2)")


def test_verify_sees_a_changed_and_a_lost_map(tmp_path: Path) -> None:
    folder = gep.open(small.write(tmp_path)).run(maps=["total"]).write()
    assert verify(folder)[0]["en"] == "5 files as hashed"
    path = folder / "maps" / "total.value.tif"
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pytest.raises(IdentityError) as raised:
        verify(folder)
    assert [p.code for p in raised.value.problems] == ["E715"]
    assert "maps/total.value.tif" in str(raised.value)
    path.unlink()
    with pytest.raises(IdentityError, match=r"maps/total\.value\.tif"):
        verify(folder)


def test_a_finished_run_with_maps_is_never_overwritten(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    folder = gep.open(path).run(maps=["total"]).write()
    before = {f: f.stat().st_mtime_ns for f in folder.rglob("*")}
    assert gep.open(path).run(maps=["total"]).write() == folder
    assert {f: f.stat().st_mtime_ns for f in folder.rglob("*")} == before
    tif = folder / "maps" / "total.value.tif"
    content = tif.read_bytes()
    for change in (lambda: tif.write_bytes(content + b"x"), tif.unlink):
        change()
        with pytest.raises(IdentityError) as raised:
            gep.open(path).run(maps=["total"]).write()
        assert [p.code for p in raised.value.problems] == ["E712"]
        assert "maps/total.value.tif" in str(raised.value)
    assert sorted(f.name for f in folder.parent.iterdir()) == [".lock", folder.name, "latest"]


# --- disks that fail ----------------------------------------------------------------------------


def refused(path: Path, *maps: str) -> GepError:
    """What writing the maps raises; nothing of the run may be left."""
    result = gep.open(path).run(maps=maps or ["total"])
    with pytest.raises(GepError) as raised:
        result.write()
    left = [file.name for file in (path.parent / "output").iterdir()]
    assert left == [".lock"]
    return raised.value


def cut(file: Path) -> None:
    """Lose the end of a file."""
    with file.open("rb+") as opened:
        opened.truncate(file.stat().st_size * 2 // 3)


def blank(file: Path) -> None:
    """Lose the end of the packed tiles a map is made of, as a full disk does silently."""
    with file.open("rb+") as opened:
        size = opened.seek(0, 2)
        opened.seek(size // 2)
        opened.write(bytes(size - size // 2))


@pytest.mark.parametrize("full", [False, True])
def test_numbers_lost_while_writing_are_noticed(
    full: bool, small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = room._finish

    def losing(file: Path, pyramid: Any, about: Any) -> None:
        pyramid.spool.take((0, 0, 0))  # what was written so far is in the file
        blank(room._part(file))
        finish(file, pyramid, about)

    monkeypatch.setattr(room, "_finish", losing)
    if full:
        monkeypatch.setattr(room, "NEARLY_FULL", 1 << 62)
    error = refused(small_account)
    assert [p.code for p in error.problems] == ["E701" if full else "E713"]
    assert error.exit_code == (6 if full else 5)
    if not full:
        assert str(error) == "maps/total.value.tif: what was written reads back differently"


def test_a_cut_file_is_noticed(small_account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = room._finish

    def losing(file: Path, pyramid: Any, about: Any) -> None:
        finish(file, pyramid, about)
        cut(file)

    monkeypatch.setattr(room, "_finish", losing)
    assert [p.code for p in refused(small_account).problems] in (["E705"], ["E713"])


def test_what_gdal_says_is_said(small_account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = room._finish

    def lost(file: Path, pyramid: Any, about: Any) -> None:
        finish(file, pyramid, about)
        file.unlink()

    monkeypatch.setattr(room, "_finish", lost)
    error = refused(small_account)
    assert [p.code for p in error.problems] == ["E705"]
    assert "cannot be written" in str(error)


def test_a_disk_that_says_it_is_full(small_account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sync_file(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(room, "sync_file", sync_file)
    assert [p.code for p in refused(small_account).problems] == ["E701"]


def test_a_map_that_is_not_its_table_is_refused(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tile = room.Spreader.tile

    def wrong(self: Any, *given: Any) -> Any:
        return tile(self, *given) * np.float32(1.00001)

    monkeypatch.setattr(room.Spreader, "tile", wrong)
    error = refused(small_account, "water_retention")
    assert [p.code for p in error.problems] == ["E711"]
    assert "identity maps does not hold (maps × pixel area = tables ± 1e-6)" in str(error)
    assert "water_retention.water_retention.quantity 36010" in str(error)


def test_an_input_that_changes_while_maps_are_made(small_account: Path) -> None:
    result = gep.open(small_account).run(maps=["total"])
    os.utime(small_account.parent / "precipitation.tif", (0, 0))
    with pytest.raises(IdentityError) as raised:
        result.write()
    assert [p.code for p in raised.value.problems] == ["E714"]
    assert [f.name for f in (small_account.parent / "output").iterdir()] == [".lock"]


LIMITED = """
import resource, sys
import gep
from gep.errors import ResourceError
result = gep.open(sys.argv[1]).run(maps=["total"])
before = result.write(sys.argv[2] + "-before")  # compiles what is to be compiled
size = (before / "maps" / "total.value.tif").stat().st_size
limit = int(size * float(sys.argv[3]))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
try:
    result.write(sys.argv[2])
except ResourceError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
@pytest.mark.parametrize("share", [0.1, 0.9, 0.9999])
def test_files_that_may_not_grow(share: float, large_account: Path, tmp_path: Path) -> None:
    """A system that refuses to write further, in the packed tiles and in the last of the map."""
    words = [sys.executable, "-c", LIMITED, str(large_account), str(tmp_path / "out"), str(share)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert done.returncode == 6, done.stderr
    assert done.stdout.startswith(f"{tmp_path / 'out'}: cannot be written: ")
    assert [file.name for file in (tmp_path / "out").iterdir()] == [".lock"]


KILLED = """
import os, sys
import gep
from gep.outputs import maps
maps.{where} = lambda *given: os._exit(9)
gep.open(sys.argv[1]).run(maps=["total"]).write()
"""


@pytest.mark.parametrize("where", ["_finish", "_read_back", "closure"])
def test_a_killed_writer_leaves_nothing(where: str, small_account: Path) -> None:
    words = [sys.executable, "-c", KILLED.format(where=where), str(small_account)]
    assert subprocess.run(words, check=False).returncode == 9
    output = small_account.parent / "output"
    left = [f.name for f in output.iterdir()]
    assert len([name for name in left if name.startswith(".staging-")]) == 1
    assert not [name for name in left if not name.startswith(".")]
    folder = gep.open(small_account).run(maps=["total"]).write()
    assert sorted(f.name for f in output.iterdir()) == [".lock", folder.name, "latest"]
    assert verify(folder)


def test_no_room_is_said_before_the_work(
    small_account: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    target = tmp_path / "output"
    for maps in (True, ["total"]):
        with pytest.raises(ResourceError) as raised:
            gep.open(small_account).run(maps=maps, output=target)
        assert [p.code for p in raised.value.problems] == ["E720"]
        assert raised.value.exit_code == 6
    result = gep.open(small_account).run(output=target)
    with pytest.raises(ResourceError) as raised:
        result.write(target, maps=["total"])
    assert [p.code for p in raised.value.problems] == ["E720"]
    assert [path for path in target.iterdir() if path.name[0] != "."] == []
    assert result.write(target, maps=False)


def test_room_needed_is_no_less_than_what_is_taken(plain: Drawn) -> None:
    """Floats, a third more for overviews, and the plain files of a batch."""
    pixels, count = small.ROWS * small.COLUMNS, map_names.count(plain.result.plan, True)
    assert count >= len(list((plain.folder / "maps").iterdir()))
    assert room.need(plain.result.plan, 0) == 0
    needed = 4 * pixels * (count * 4 / 3 + 16 + 4 / 3)
    assert room.need(plain.result.plan, count) == pytest.approx(needed, abs=1)


# --- names --------------------------------------------------------------------------------------


def drawn_by(path: Path, wanted: bool | Sequence[str]) -> set[str]:
    folder = gep.open(path).run(maps=wanted).write()
    found = {file.stem for file in (folder / "maps").iterdir()}
    shutil.rmtree(folder)
    return found


def test_maps_by_service_indicator_group_and_total(small_account: Path) -> None:
    sediment = {"soil_retention.sediment.quantity", "soil_retention.sediment.value"}
    assert drawn_by(small_account, ["soil_retention.sediment"]) == sediment
    whole = drawn_by(small_account, ["soil_retention"])
    assert whole > sediment
    assert "soil_retention.soil_retention.quantity" in whole
    assert "soil_retention.soil_retention.value" not in whole  # it carries no money itself
    assert drawn_by(small_account, ["total", "regulating"]) == {"total.value", "regulating.value"}
    assert drawn_by(small_account, ["agricultural_products.蔬菜"]) == {
        "agricultural_products.蔬菜.value"  # money without a quantity
    }


def test_without_maps_nothing_changes(small_account: Path) -> None:
    plain_run = gep.open(small_account).run()
    folder = plain_run.write()
    assert not (folder / "maps").exists()
    assert "maps" not in plain_run.manifest["core"]
    assert gep.open(small_account).run(maps=False).name == plain_run.name
    assert gep.open(small_account).run(maps=[]).name == plain_run.name


def test_maps_are_part_of_the_name_of_a_run(small_account: Path) -> None:
    account = gep.open(small_account)
    result = account.run()
    bare = result.name
    assert "maps" not in result.manifest["core"]
    folder = result.write(maps=["total"])
    assert folder.name == result.name != bare
    assert result.manifest["core"]["maps"] == ["total.value"]
    assert account.run(maps=["total"]).name == result.name
    assert account.run(maps=["total", "regulating"]).name not in (bare, result.name)
    assert result.write(maps=False).name == bare
    assert [i.name for i in result.identities].count("maps") == 0


def test_maps_of_a_scenario_are_its_own(small_account: Path) -> None:
    base = gep.open(small_account)
    before = read(base.run(maps=["total"]).write(), "total.value")
    dear = base.scenario("dear", prices={"reservoir_cost": "61.107 CNY_2005/m^3"})
    folder = dear.run(maps=["total", "water_retention"]).write()
    difference = read(folder, "total.value") - before
    water = read(folder, "water_retention.water_retention.value")
    green = ~np.isnan(water)
    # a price ten times as high: nine tenths of what the water is now worth are new
    np.testing.assert_allclose(difference[green], water[green] * 0.9, rtol=1e-4, atol=2)


def test_what_is_not_counted_has_a_quantity_and_no_value(plain: Drawn) -> None:
    result, name = plain.result, "carbon_sequestration.carbon_dioxide"
    lines = [replace(x, counted=x.indicator != "carbon_dioxide") for x in result.account.lines]
    cube = replace(result.account, lines=lines)
    found = {x.name: x for x in densities.make(result.plan, result._partials, cube, True)}
    assert f"{name}.quantity" in found
    assert f"{name}.value" not in found
    values = [r for r in plain.rows if r["value"] and r["indicator"] != "carbon_dioxide"]
    rest = sum(float(row["value"]) for row in values)
    assert sum(found["total.value"].table.values()) == pytest.approx(rest, rel=1e-12)


def test_gep_toml_says_which(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"output.maps": ["total"]})
    account = gep.open(path)
    assert account.check().ok
    folder = account.run().write()
    assert [f.name for f in (folder / "maps").iterdir()] == ["total.value.tif"]
    assert account.run(maps=False).write() != folder
    path = small.write(tmp_path, change={"output.maps": True})
    assert len(list((gep.open(path).run().write() / "maps").iterdir())) > 20


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("soil_retention.sedimant", "soil_retention.sediment"),
        ("water_retension", "water_retention"),
        ("totl", "total"),
        ("negative_oxygen_ions", ""),
    ],
)
def test_an_unknown_name_is_found_by_check(name: str, known: str, tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"output.maps": ["total", name]})
    (problem,) = gep.open(path).check().problems
    assert problem.code == "E721"
    said = problem.text()
    assert said.startswith(f"maps: {name} is no map of this account; known: ")
    assert known in said.split("known: ")[1].split(", ") or not known
    with pytest.raises(InputError):
        gep.open(path).run()
    with pytest.raises(InputError):
        gep.open(small.write(tmp_path / "b")).run(maps=[name])


def test_a_map_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        gep.open(small.write(tmp_path, change={"output.maps": "total"}))
    assert {p.code for p in raised.value.problems} == {"E003"}


def invoke(*words: object) -> click.testing.Result:
    runner = click.testing.CliRunner(env={"GEP_LANG": "en"})
    return runner.invoke(main, ["run", *(str(w) for w in words), "--progress", "none"])


@pytest.mark.parametrize(
    ("words", "files"),
    [
        (["--maps"], 25),
        (["--maps", "total", "--maps", "provisioning"], 2),
        (["--maps", "all"], 25),
    ],
)
def test_command_line(words: list[str], files: int, small_account: Path) -> None:
    done = invoke(small_account, *words)
    assert done.exit_code == 0, done.output
    (folder,) = (small_account.parent / "output").glob("2021_*")
    found = len(list((folder / "maps").iterdir()))
    assert found == files or found > files == 25
    assert f"\n  maps/ ({found})\n" in done.stderr


def test_command_line_refuses(small_account: Path) -> None:
    done = invoke(small_account, "--maps", "gold")
    assert done.exit_code == 3
    assert "error E721  maps: gold is no map of this account" in done.stderr
    done = invoke("--maps", small_account)
    assert done.exit_code == 2
    assert f"gep run {small_account} --maps" in done.stderr
    assert not (small_account.parent / "output").exists()


def a_map(name: str) -> Map:
    return Map(name, Title("", ""), "", (), {}, {}, False, {})


def test_file_names_are_safe_and_their_own() -> None:
    names = ["a.菌/菇.value", "a.菌\\菇.value", "a.A.value", "a.a.value", "a.稻谷.value"]
    names += [f"a.{'长' * 90}.value", f"a.{'长' * 91}.value", "a...value"]
    found = room.file_names([a_map(name) for name in names])
    assert len({name.casefold() for name in found}) == len(names)
    assert found[4] == "a.稻谷.value.tif"
    assert all(not set(name) & set('/\\:*?"<>| ') for name in found)
    assert all(len(name.encode("utf8")) <= 255 for name in found)


def test_a_product_named_like_a_path(tmp_path: Path) -> None:
    products = small.PRODUCTS.replace("茶叶", "../茶/叶")
    path = small.write(tmp_path, tables={"products": products})
    folder = gep.open(path).run(maps=["agricultural_products"]).write()
    assert all(file.is_file() for file in (folder / "maps").iterdir())
    assert len(list((folder / "maps").glob("*茶_叶*"))) == 2
    assert verify(folder)


def test_progress_ends_at_its_end(small_account: Path) -> None:
    steps: list[tuple[int, int]] = []
    result = gep.open(small_account).run(maps=True)
    result.write(progress=lambda done, whole: steps.append((done, whole)))
    whole = steps[0][1]
    assert steps == [(n + 1, whole) for n in range(whole)]


def test_room_that_is_asked_for_and_is_there(tmp_path: Path) -> None:
    store.ready(tmp_path, 1)
    assert list(tmp_path.iterdir()) == []


def test_what_rounding_may_hide_is_next_to_nothing(tmp_path: Path) -> None:
    """Half a quantum or half a cent per leaf, and none where a leaf has one sign."""
    result = gep.open(small.write(tmp_path / "a")).run(threads=1)
    drawn = densities.make(result.plan, result._partials, result.account, True)
    assert drawn
    for each in drawn:
        whole = abs(sum(each.table.values()))
        assert sum(each.slack.values()) <= 1e-6 * max(whole, 1.0), each.name
