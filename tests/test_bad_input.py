"""Hostile input: every fault ends with a message that names it, or with the right number.

The ids in the names (F1, G3, V5 …) are the rows of the fault matrix in the design. Expected
numbers are worked out by hand or with plain numpy from what the test itself wrote.
"""

import csv
import hashlib
import io
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
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

from gep import engine, ledger, rasters, scenario, store
from gep.cli import main
from gep.config import RasterSection
from gep.errors import InputError, UnitError
from gep.service import services
from gep.text import parse_number
from gep.units import factor, parse

P, ET, NEP = "precipitation", "evapotranspiration", "net_ecosystem_production"


def gep(*words: object) -> click.testing.Result:
    """The command line, in this process; a warning of any library would be a bug (exit 1)."""
    runner = click.testing.CliRunner(env={"GEP_LANG": "en"})
    return runner.invoke(main, [str(word) for word in words])


def account(path: Path) -> click.testing.Result:
    return gep("run", path, "--progress", "none", "--threads", 2)


def assert_nothing_written(path: Path) -> None:
    """No result; only the ledger of tiles and the lock, which are hidden, may be there."""
    there = [file.name for file in (path.parent / "output").glob("*")]
    assert all(name == store.LOCK or name.startswith(ledger.NAME) for name in there), there


def refused(path: Path, code: str, *said: str, exit_code: int = 3) -> str:
    """What `gep run` says when it refuses; its code, what it must say, and that nothing is left."""
    done = account(path)
    assert done.exit_code == exit_code, done.output
    assert f"error {code}  " in done.stderr, done.stderr
    for word in said:
        assert word in done.stderr, done.stderr
    assert "\n  fix: " in done.stderr
    assert done.stdout == ""
    assert_nothing_written(path)
    return done.stderr


def folder_of(path: Path) -> Path:
    """The folder of the one run an account has."""
    (found,) = (f for f in (path.parent / "output").iterdir() if f.is_dir())
    return found


def accepted(path: Path) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """Rows of accounts.csv and the hashed core of a run that must succeed."""
    done = account(path)
    assert done.exit_code == 0, done.output
    folder = folder_of(path)
    text = (folder / "accounts.csv").read_text("utf-8-sig")
    core = json.loads((folder / "run.json").read_text("utf8"))["core"]
    return list(csv.DictReader(io.StringIO(text))), core


def total(rows: list[dict[str, str]], indicator: str, column: str = "quantity") -> float:
    return math.fsum(
        float(r[column]) for r in rows if r["indicator"] == indicator and r[column]
    )  # fmt: skip


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Rows of the account without any fault."""
    rows, _ = accepted(small.write(tmp_path_factory.mktemp("plain")))
    return rows


def carbon_by_hand(nep: np.ndarray | None = None) -> float:
    """Tonnes of CO2 of the small account: NEP 44/12 over what is forest, shrub, grass or swamp."""
    stored = small.arrays()[NEP] if nep is None else nep
    green = np.isin(small.classes(), (11, 13, 16, 21, 33, 41)) & (small.places() >= 0)
    return float(np.nansum(stored[green].astype(float))) * 1e4 * 44 / 12 / 1e6


def near(expected: float) -> Any:
    """A sum over at most 1800 pixels, each rounded to a millionth of a tonne."""
    return pytest.approx(expected, abs=1800 * 0.5e-6)


def test_the_small_account_is_right_without_faults(plain: list[dict[str, str]]) -> None:
    assert total(plain, "carbon_dioxide") == near(carbon_by_hand())
    # 东县 12000 t at 2800, 西县 8000.5 t at 2750, 南县 500 t at 2900 元/t
    assert total(plain, "稻谷", "value") == 33_600_000 + 22_001_375 + 1_450_000


# --- the list of the issue ----------------------------------------------------------------------

RESERVOIR = '[reservoir_cost.sets.lyt1721]\nvalue = {}\nunit = "{}"\n'


def doubled() -> geopandas.GeoDataFrame:
    frame = small.counties()
    frame.loc[2, "code"] = "360101"
    return frame


def outside() -> geopandas.GeoDataFrame:
    frame = small.counties()
    shift = small.PIXEL * 500
    frame.loc[1, "geometry"] = shapely.affinity.translate(frame.geometry[1], shift)
    return frame


def strange_classes() -> np.ndarray:
    codes = small.classes()
    codes[10, 7] = codes[10, 8] = codes[30, 3] = 99
    codes[5, 30] = 254
    codes[39, 49] = 77  # outside every county: nobody asks
    return codes


ISSUE: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "missing layer file": (
        {"change": {f"rasters.{P}.file": "rain.tif"}},
        "E004",
        ("rain.tif", "no such file"),
    ),
    "wrong unit": (
        {"change": {f"rasters.{P}.unit": "t/ha"}},
        "E603",
        (f"rasters.{P}", "'t/ha'", "'mm/year'"),
    ),
    "unknown unit": (
        {"change": {f"rasters.{P}.unit": "mm/week"}},
        "E601",
        (f"rasters.{P}.unit: ", "mm/week"),
    ),
    "no unit": ({"change": {f"rasters.{P}.unit": None}}, "E302", (f"{P}.tif", "mm/year")),
    "unknown class codes": (
        {"ecosystem": strange_classes()},
        "E031",
        (
            "ecosystem.tif",
            "legend gep",
            "99 (3 px, first at row 11, column 8)",
            "254 (1 px, first at row 6, column 31)",
        ),
    ),
    "NaN coefficient": (
        {
            "change": {"coefficients.overrides": "own"},
            "files": {"own/prices.toml": RESERVOIR.format("nan", "CNY_2020/m^3")},
        },
        "E523",
        ("prices.toml: reservoir_cost.sets.lyt1721", "NaN"),
    ),
    "infinite coefficient": (
        {
            "change": {"coefficients.overrides": "own"},
            "files": {"own/prices.toml": RESERVOIR.format("inf", "CNY_2020/m^3")},
        },
        "E523",
        ("prices.toml: reservoir_cost.sets.lyt1721",),
    ),
    "price without a year": (
        {
            "change": {"coefficients.overrides": "own"},
            "files": {"own/prices.toml": RESERVOIR.format("7.06", "CNY/m^3")},
        },
        "E525",
        ("prices.toml: reservoir_cost.sets.lyt1721", "CNY/m^3"),
    ),
    "negative price": (
        {
            "change": {"coefficients.overrides": "own"},
            "files": {"own/prices.toml": RESERVOIR.format("-7.06", "CNY_2010/m^3")},
        },
        "E522",
        ("prices.toml: reservoir_cost.sets.lyt1721", "-7.06", "[0, 1000]"),
    ),
    "negative price in a table": (
        {"tables": {"products": small.PRODUCTS.replace("2800", "-2800")}},
        "E507",
        ("products.csv:2 price", "-2800"),
    ),
    "negative load": (
        {"tables": {"emissions": small.EMISSIONS.replace("0.25", "-0.25")}},
        "E507",
        ("emissions.csv:3 nox", "-0.25"),
    ),
    "county outside the raster": (
        {"polygons": outside()},
        "E405",
        ("counties.gpkg", "360102", "西县", "0.0%", "99 %"),
    ),
    "duplicated county code": (
        {"polygons": doubled()},
        "E404",
        ("counties.gpkg", "360101", "2 times", "features 1, 3"),
    ),
}


@pytest.mark.parametrize("fault", ISSUE)
def test_bad_input_of_the_issue(fault: str, tmp_path: Path) -> None:
    changes, code, said = ISSUE[fault]
    refused(small.write(tmp_path, **changes), code, *said)


def test_all_problems_come_in_one_pass(tmp_path: Path) -> None:
    path = small.write(
        tmp_path,
        tables={"emissions": small.EMISSIONS.replace("360102", "360199").replace("12.5", "abc")},
        change={
            f"rasters.{P}.file": "rain.tif",
            f"rasters.{ET}.unit": "mm/week",
            "account.profile": "jiangxi-1999",
        },
    )
    done = gep("check", path)
    assert done.exit_code == 3
    assert {"E004", "E601", "E006"} <= set(re.findall(r"error (E\d{3})", done.stdout))
    path = small.write(
        tmp_path / "tables",
        tables={"emissions": small.EMISSIONS.replace("360102", "360199").replace("12.5", "abc")},
    )
    said = gep("check", path).stdout
    assert "emissions.csv:3: county code 360199 is not among the polygons" in said
    assert "emissions.csv:4 so2: not a number: abc" in said


# --- F: files -----------------------------------------------------------------------------------


def noisy(folder: Path, name: str, **profile: Any) -> Path:
    """A layer whose bytes do not shrink to nothing, in 16 x 16 tiles."""
    random = np.random.default_rng(7)
    values = (1500 + 200 * random.random((small.ROWS, small.COLUMNS))).astype(np.float32)
    tiled = {"tiled": True, "blockxsize": 16, "blockysize": 16}
    return small.write_raster(folder / name, values, nodata=-9999.0, **tiled | profile)


@pytest.mark.parametrize("compress", ["none", "lzw", "deflate", "zstd"])
@pytest.mark.parametrize("kept", [0.10, 0.60, 0.99])
def test_f1_truncated_layer(compress: str, kept: float, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    file = noisy(tmp_path, f"{P}.tif", compress=compress)
    accepted_size = file.stat().st_size
    with file.open("r+b") as handle:
        handle.truncate(int(accepted_size * kept))
    done = account(path)
    assert done.exit_code == 3, done.output
    assert re.search(r"error E10[12]  \S*precipitation\.tif", done.stderr), done.stderr
    assert_nothing_written(path)


@pytest.mark.parametrize("kept", [0.0, 0.10, 0.60, 0.99])
def test_f1_truncated_ecosystem(kept: float, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    file = tmp_path / "ecosystem.tif"
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * kept)])
    done = account(path)
    assert done.exit_code == 3, done.output
    assert re.search(r"error E10[12]  \S*ecosystem\.tif", done.stderr), done.stderr
    assert_nothing_written(path)


def sparse(path: Path, nodata: float | None, array: np.ndarray) -> None:
    """Write only the upper tiles of a file, as a writer does that is killed half-way."""
    tiled = {"tiled": True, "blockxsize": 16, "blockysize": 16, "sparse_ok": True}
    profile = {"driver": "GTiff", "height": 40, "width": 50, "count": 1, "crs": small.CRS} | tiled
    where = from_origin(small.WEST, small.NORTH, small.PIXEL, small.PIXEL)
    with rasterio.open(
        path, "w", dtype=array.dtype, transform=where, nodata=nodata, **profile
    ) as file:
        file.write(array[:16], 1, window=rasters.Window(0, 0, 50, 16))


def test_f3_tiles_never_written_are_not_zeros(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    sparse(tmp_path / f"{P}.tif", None, small.arrays()[P])
    refused(path, "E103", "precipitation.tif", "8 of 12 tiles")


def test_f3_tiles_never_written_with_nodata_are_missing(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    sparse(tmp_path / f"{P}.tif", -9999.0, small.arrays()[P])
    refused(path, "E305", "water_retention", "mostly for want of precipitation")


def test_f3_ecosystem_tiles_never_written(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    sparse(tmp_path / "ecosystem.tif", 255, small.classes())
    refused(path, "E306", "ecosystem.tif", "360101")
    sparse(tmp_path / "ecosystem.tif", None, small.classes())
    refused(path, "E103", "ecosystem.tif")


def lossy(path: Path, **options: Any) -> None:
    """A layer of whole numbers as a photo."""
    values, where = small.arrays()[P], from_origin(small.WEST, small.NORTH, *[small.PIXEL] * 2)
    form = {"driver": "GTiff", "height": 40, "width": 50, "crs": small.CRS, "transform": where}
    count = options.get("count", 1)
    with rasterio.open(path, "w", **{**form, "count": count, "dtype": "uint8", **options}) as file:
        for band in range(1, count + 1):
            file.write(np.clip(values / 10, 0, 250).astype(np.uint8), band)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("JPEG", {"compress": "jpeg"}),
        ("YCbCr JPEG", {"compress": "jpeg", "photometric": "ycbcr", "count": 3}),
        ("WEBP", {"compress": "webp", "count": 3, "interleave": "pixel"}),
        ("LERC", {"compress": "lerc", "max_z_error": 2.0}),
    ],
)
def test_f3_pictures_are_no_numbers(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    path = small.write(tmp_path)
    lossy(tmp_path / f"{P}.tif", **options)
    refused(path, "E104", f"precipitation.tif: {name} does not keep the numbers")
    assert f"error E104  {tmp_path}" in gep("check", path).stdout


def test_f3_what_is_kept_without_loss_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rain.tif"
    how = {"compress": "webp", "webp_lossless": True, "count": 3, "interleave": "pixel"}
    lossy(path, **how)
    section = RasterSection(file="rain.tif", band=1, unit="mm/year")
    assert rasters.inspect(P, section, path, "mm/year")[1] == []


KILLED_WRITER = """
import os, signal, sys
import numpy as np, rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window
profile = dict(driver="GTiff", height=40, width=50, count=1, dtype="float32", crs={crs!r},
               transform=from_origin({west}, {north}, 100, 100), tiled=True, blockxsize=16,
               blockysize=16, compress="deflate")
with rasterio.open(sys.argv[1], "w", **profile) as file:
    for number, top in enumerate(range(0, 40, 16)):
        if number == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        rows = min(16, 40 - top)
        file.write(np.full((rows, 50), 1600, "float32"), 1, window=Window(0, top, 50, rows))
"""


@pytest.mark.parametrize("tile", [0, 1, 2])
def test_f3_file_of_a_killed_writer(tile: int, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    script = KILLED_WRITER.format(crs=small.CRS, west=small.WEST, north=small.NORTH)
    file = tmp_path / f"{P}.tif"
    file.unlink()
    killed = subprocess.run([sys.executable, "-c", script, file, str(tile)], check=False)
    assert killed.returncode == -signal.SIGKILL
    done = account(path)
    assert done.exit_code == 3, done.output
    assert re.search(r"error E(004|10[123])  \S*", done.stderr), done.stderr
    assert_nothing_written(path)


def test_f4_a_vrt_named_tif_is_not_opened(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"TOPSECRET" * 900)
    vrt = f"""<VRTDataset rasterXSize="50" rasterYSize="40">
<VRTRasterBand dataType="Float32" band="1" subClass="VRTRawRasterBand">
<SourceFilename relativetoVRT="0">{secret}</SourceFilename>
<ImageOffset>0</ImageOffset><PixelOffset>4</PixelOffset><LineOffset>200</LineOffset>
</VRTRasterBand></VRTDataset>"""
    (tmp_path / f"{P}.tif").write_text(vrt)
    said = refused(path, "E101", "precipitation.tif", "GeoTIFF")
    assert "SECRET" not in said


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"PK\3\4" + b"x" * 400, b"II*\0"])
def test_f4_not_a_raster_at_all(content: bytes, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    (tmp_path / f"{P}.tif").write_bytes(content)
    refused(path, "E101", "precipitation.tif")


def two_bands(path: Path) -> None:
    values = small.arrays()[P]
    profile = {"driver": "GTiff", "height": 40, "width": 50, "count": 2, "dtype": "float32"}
    where = from_origin(small.WEST, small.NORTH, small.PIXEL, small.PIXEL)
    with rasterio.open(path, "w", crs=small.CRS, transform=where, nodata=-9999, **profile) as file:
        file.write(values / 12, 1)
        file.write(values, 2)


def test_f7_band_must_be_named_and_there(tmp_path: Path, plain: list[dict[str, str]]) -> None:
    path = small.write(tmp_path)
    two_bands(tmp_path / f"{P}.tif")
    refused(path, "E108", "precipitation.tif has 2 bands")
    path = small.write(tmp_path, change={f"rasters.{P}.band": 3})
    refused(path, "E107", "band 3", "has 1")
    path = small.write(tmp_path, change={f"rasters.{P}.band": 2})
    two_bands(tmp_path / f"{P}.tif")
    rows, _ = accepted(path)
    assert rows == plain


@pytest.mark.parametrize("band", [0, -1, "1", 1.0, True])
def test_f7_band_of_the_wrong_kind(band: object, tmp_path: Path) -> None:
    refused(small.write(tmp_path, change={f"rasters.{P}.band": band}), "E003", f"rasters.{P}.band")


def test_f8_the_inputs_are_left_as_they_were(tmp_path: Path) -> None:
    path = small.write(tmp_path / "in", change={"output.folder": "../out"})

    def seen() -> dict[str, str]:
        return {
            str(f): f"{hashlib.sha256(f.read_bytes()).hexdigest()} {f.stat().st_mtime_ns}"
            for f in sorted((tmp_path / "in").rglob("*"))
        }

    before = seen()
    assert gep("check", path).exit_code == 0
    assert account(path).exit_code == 0
    assert seen() == before
    assert not [name for name in before if name.endswith((".xml", ".ovr"))]


# --- G: georeference ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["ecosystem", P])
def test_g1_raster_without_crs(name: str, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    array = small.classes() if name == "ecosystem" else small.arrays()[name]
    small.write_raster(tmp_path / f"{name}.tif", array, crs=None)
    refused(path, "E201", f"{name}.tif")


def test_g1_polygons_without_crs(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"counties.file": "counties.shp"})
    small.counties().to_file(tmp_path / "counties.shp", engine="pyogrio")
    (tmp_path / "counties.prj").unlink()
    refused(path, "E201", "counties.shp")


def test_g1_raster_without_position(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    small.write_raster(tmp_path / f"{P}.tif", small.arrays()[P], transform=Affine(2, 0, 0, 0, 2, 0))
    done = account(path)
    assert done.exit_code == 3
    assert re.search(r"error E20[35]", done.stderr)


def degrees(folder: Path, label: str) -> Path:
    """The account on a grid in degrees, its rasters and polygons labelled *label*."""
    path = small.write(folder)
    where = from_origin(116.0, 28.0, 0.001, 0.001)
    for name, array in {"ecosystem": small.classes(), **small.arrays()}.items():
        nodata = 255 if name == "ecosystem" else -9999.0
        file = folder / f"{name}.tif"
        small.write_raster(file, array, crs=label, transform=where, nodata=nodata)
    frame = small.counties()
    moved = [
        shapely.box(116 + left / 1000, 28 - bottom / 1000, 116 + right / 1000, 28 - top / 1000)
        for top, bottom, left, right in small.BOXES.values()
    ]
    frame = frame.set_geometry(geopandas.GeoSeries(moved), crs=label)  # type: ignore[arg-type]
    frame.to_file(folder / "counties.gpkg", layer="counties", engine="pyogrio")
    return path


def test_g2_degrees_labelled_as_metres(tmp_path: Path) -> None:
    refused(degrees(tmp_path, "EPSG:32650"), "E202", "ecosystem.tif", "UTM zone 50N")


def test_g2_metres_labelled_as_degrees(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    small.write_raster(tmp_path / "ecosystem.tif", small.classes(), crs="EPSG:4326", nodata=255)
    refused(path, "E202", "ecosystem.tif", "WGS 84")


def test_g2_polygons_in_degrees_labelled_as_metres(tmp_path: Path) -> None:
    frame = small.counties(crs="EPSG:4326").set_crs("EPSG:32650", allow_override=True)
    refused(small.write(tmp_path, polygons=frame), "E405", "counties.gpkg", "0.0%")


def test_g2_polygons_of_another_zone(tmp_path: Path) -> None:
    frame = small.counties(crs="EPSG:32650").set_crs("EPSG:32649", allow_override=True)
    refused(small.write(tmp_path, polygons=frame), "E405", "counties.gpkg", "0.0%")


def test_g2_engineering_crs(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    local = 'LOCAL_CS["site",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
    small.write_raster(tmp_path / "ecosystem.tif", small.classes(), crs=local, nodata=255)
    done = account(path)
    assert done.exit_code == 3, done.output
    assert re.search(r"error E20[12]  \S*ecosystem\.tif", done.stderr), done.stderr


def moved(east: float, south: float) -> Affine:
    west, north = small.WEST + east * small.PIXEL, small.NORTH - south * small.PIXEL
    return from_origin(west, north, small.PIXEL, small.PIXEL)


SHIFTS: dict[str, tuple[Affine, str, tuple[str, ...]]] = {
    "half a pixel east": (moved(0.5, 0), "E203", ("+0.50 pixels east", "+0.00 pixels south")),
    "half a pixel south": (moved(0, 0.5), "E203", ("+0.00 pixels east", "+0.50 pixels south")),
    "one pixel west": (moved(-1, 0), "E203", ("-1.00 pixels east",)),
    "one pixel north": (moved(0, -1), "E203", ("-1.00 pixels south",)),
    "a thousandth": (moved(1e-3, 0), "E203", ("pixels east",)),
    "flipped": (
        Affine(100, 0, small.WEST, 0, 100, small.NORTH - 4000),
        "E205",
        ("100 x -100", "100 x 100"),
    ),
    "sheared": (Affine(100, 30, small.WEST, 0, -100, small.NORTH), "E208", ("rotated",)),
    "rotated": (
        Affine(99.62, 8.72, small.WEST, 8.72, -99.62, small.NORTH),  # by 5 degrees
        "E208",
        ("rotated",),
    ),
    "pixels of 99.99 m": (
        from_origin(small.WEST, small.NORTH, 99.99, 99.99),
        "E205",
        ("99.99 x 99.99",),
    ),
}


@pytest.mark.parametrize("shift", SHIFTS)
def test_g3_a_layer_off_the_account_grid(shift: str, tmp_path: Path) -> None:
    where, code, said = SHIFTS[shift]
    path = small.write(tmp_path)
    small.write_raster(tmp_path / f"{P}.tif", small.arrays()[P], transform=where)
    refused(path, code, "precipitation.tif", *said)


@pytest.mark.parametrize("jitter", [1e-12, -1e-9])
def test_g3_jitter_is_no_shift(jitter: float, tmp_path: Path, plain: list[dict[str, str]]) -> None:
    path = small.write(tmp_path)
    where = Affine(100 * (1 + 1e-13), 0, small.WEST + 100 * jitter, 0, -100, small.NORTH)
    array = small.arrays()[P]
    small.write_raster(tmp_path / f"{P}.tif", array, transform=where, nodata=-9999)
    rows, _ = accepted(path)
    assert rows == plain


@pytest.mark.parametrize("where", ["flipped", "rotated", "sheared"])
def test_g3_account_grid_not_north_up(where: str, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    transform = SHIFTS[where][0]
    small.write_raster(tmp_path / "ecosystem.tif", small.classes(), transform=transform, nodata=255)
    refused(path, "E208", "ecosystem.tif")


def test_g3_layer_of_another_shape(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    small.write_raster(tmp_path / f"{P}.tif", small.arrays()[P][:39])
    refused(path, "E209", "39 x 50", "40 x 50")


def test_g3_layer_of_another_crs(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    small.write_raster(tmp_path / f"{P}.tif", small.arrays()[P], crs="EPSG:3857")
    refused(path, "E204", "precipitation.tif", "Pseudo-Mercator")


def test_resampling_beyond_the_edge_is_missing_not_zero(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={f"rasters.{P}.resampling": "nearest"})
    small.write_raster(tmp_path / f"{P}.tif", small.arrays()[P][:20])  # no nodata, half the rows
    refused(path, "E305", "water_retention", "mostly for want of precipitation")


def test_resampling_to_the_same_grid_changes_nothing(
    tmp_path: Path, plain: list[dict[str, str]]
) -> None:
    path = small.write(tmp_path, change={f"rasters.{P}.resampling": "nearest"})
    small.write_raster(tmp_path / f"{P}.tif", small.arrays()[P])
    rows, _ = accepted(path)
    assert rows == plain


# Xian 80, Beijing 54, New Beijing: no published shift to WGS 84 that holds in Jiangxi.
CHINESE_DATUMS = {"EPSG:4610": "Xian 1980", "EPSG:4214": "Beijing 1954", "EPSG:4555": "New Beijing"}


@pytest.mark.parametrize("crs", CHINESE_DATUMS)
def test_g4_polygons_of_an_old_datum(crs: str, tmp_path: Path) -> None:
    frame = small.counties(crs="EPSG:4326").set_crs(crs, allow_override=True)
    path = small.write(tmp_path, polygons=frame)
    refused(path, "E204", "counties.gpkg", CHINESE_DATUMS[crs])


@pytest.mark.parametrize("crs", CHINESE_DATUMS)
def test_g4_resampled_layer_of_an_old_datum(crs: str, tmp_path: Path) -> None:
    path = small.write(tmp_path, change={f"rasters.{P}.resampling": "nearest"})
    values = np.full((200, 200), 1600, np.float32)
    west, south, east, north = small.counties(crs="EPSG:4326").total_bounds
    where = from_origin(west - 0.05, north + 0.05, 0.001, 0.001)
    assert west - 0.05 + 0.2 > east
    assert north + 0.05 - 0.2 < south
    small.write_raster(tmp_path / f"{P}.tif", values, crs=crs, transform=where)
    refused(path, "E204", "precipitation.tif", CHINESE_DATUMS[crs])


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:4490", "EPSG:32650", "EPSG:4547"])
def test_g4_polygons_of_a_datum_that_is_practically_the_same(
    crs: str, tmp_path: Path, plain: list[dict[str, str]]
) -> None:
    rows, _ = accepted(small.write(tmp_path, polygons=small.counties(crs=crs)))
    assert rows == plain


def test_g6_amounts_per_pixel_are_no_density(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={f"rasters.{P}.kind": "extensive"})
    refused(path, "E206", "precipitation.tif", "density")
    change = {f"rasters.{P}.kind": "extensive", f"rasters.{P}.resampling": "bilinear"}
    refused(small.write(tmp_path, change=change), "E206")


GRIDS = {
    "EPSG:3857": from_origin(12_900_000, 3_250_000, 30, 30),  # Web Mercator, 28 degrees north
    "EPSG:32650": from_origin(300_000, 3_100_000, 30, 30),
    "EPSG:4547": from_origin(460_000, 3_100_000, 30, 30),  # CGCS2000, 3-degree Gauss-Krueger
    "EPSG:4549": from_origin(560_000, 3_100_000, 30, 30),
    "EPSG:6933": from_origin(11_200_000, 3_320_000, 30, 30),  # equal area
    "ESRI:102025": from_origin(2_000_000, 3_300_000, 30, 30),  # Asia North Albers, equal area
    "EPSG:4326": from_origin(115.9, 28.7, 1 / 3600, 1 / 3600),
    "EPSG:4490": from_origin(115.9, 28.7, 0.01, 0.01),
    "EPSG:2326": from_origin(820_000, 820_000, 30, 30),  # Hong Kong: another ellipsoid
}


@pytest.mark.parametrize("crs", GRIDS)
def test_g7_pixel_areas_are_those_on_the_ellipsoid(crs: str, tmp_path: Path) -> None:
    height, width = 301, 201
    where = GRIDS[crs]
    path = tmp_path / "grid.tif"
    small.write_raster(path, np.zeros((height, width), np.uint8), crs=crs, transform=where)
    grid, problems = rasters.grid(path)
    if problems:
        assert [p.code for p in problems] == ["E207"]
        return
    here = pyproj.CRS(crs)
    back = pyproj.Transformer.from_crs(here, here.geodetic_crs, always_xy=True)
    geod = here.get_geod()
    assert geod
    for row in (0, 150, 300):
        for column in (0, 100, 200):
            steps = np.linspace(0, 1, 21)[:-1]
            x = np.concatenate([steps, np.ones(20), 1 - steps, np.zeros(20)]) + column
            y = np.concatenate([np.zeros(20), steps, np.ones(20), 1 - steps]) + row
            east, north = where.c + where.a * x, where.f + where.e * y
            area = abs(geod.polygon_area_perimeter(*back.transform(east, north))[0])
            ours = float(grid.row_areas[row] * grid.column_factors[column])
            assert ours == pytest.approx(area, rel=1e-5), (row, column)


def test_g7_wide_conformal_grid_is_refused_or_right(tmp_path: Path) -> None:
    path = tmp_path / "grid.tif"
    where = from_origin(-2_000_000, 3_900_000, 10_000, 10_000)  # UTM, 20 degrees off its meridian
    small.write_raster(path, np.zeros((100, 400), np.uint8), crs="EPSG:32650", transform=where)
    _, problems = rasters.grid(path)
    assert [p.code for p in problems] == ["E207"]


def test_g7_account_on_a_grid_of_degrees(tmp_path: Path) -> None:
    rows, _ = accepted(degrees(tmp_path, "EPSG:4490"))
    # carbon: the sum of NEP times the geodesic area of its pixel, times 44/12
    geod = pyproj.Geod(ellps="GRS80")
    areas = []
    for row in range(small.ROWS):
        top, bottom = 28 - row / 1000, 28 - (row + 1) / 1000
        box = shapely.box(116, bottom, 116.001, top).segmentize(1e-4)
        areas.append(abs(geod.geometry_area_perimeter(box)[0]))
    green = np.isin(small.classes(), (11, 13, 16, 21, 33, 41)) & (small.places() >= 0)
    nep = np.where(green, small.arrays()[NEP].astype(float), 0)
    expected = float((nep * np.array(areas)[:, None]).sum()) * 44 / 12 / 1e6
    assert total(rows, "carbon_dioxide") == pytest.approx(expected, rel=1e-7)


# --- V: values ----------------------------------------------------------------------------------


def spoiled(array: np.ndarray, value: float) -> np.ndarray:
    """Array with *value* in three pixels; the first in file order is row 7, column 4."""
    array = array.copy()
    array[6, 3] = array[20, 10] = array[33, 30] = value
    return array


UNDECLARED: dict[str, tuple[str, np.ndarray, float, dict[str, Any]]] = {
    "uint16 65535, scaled": (P, (small.arrays()[P] * 10).astype(np.uint16), 65535, {"scale": 0.1}),
    "int16 32767, scaled": (P, (small.arrays()[P] * 10).astype(np.int16), 32767, {"scale": 0.1}),
    "uint8 255": ("cover_factor", np.full((40, 50), 2, np.uint8), 255, {"scale": 0.01}),
    "uint8 255, possible": (NEP, np.full((40, 50), 220, np.uint8), 255, {}),
    "uint8 255, LS": ("slope_factor", np.full((40, 50), 3, np.uint8), 255, {}),
    "int16 -9999, scaled": (NEP, np.full((40, 50), 2200, np.int16), -9999, {"scale": 0.1}),
    "float32 -9999": (NEP, small.arrays()[NEP], -9999, {}),
    "float32 -999, possible": (NEP, small.arrays()[NEP], -999, {}),
    "float32 65535, possible": ("erosivity", small.arrays()["erosivity"], 65535, {}),
    "float32 32767, possible": ("erosivity", small.arrays()["erosivity"], 32767, {}),
    "float32 lowest": (P, small.arrays()[P], float(np.finfo(np.float32).min), {}),
    "float32 1e20": (ET, small.arrays()[ET], 1e20, {}),
}


@pytest.mark.parametrize("case", UNDECLARED)
def test_v1_undeclared_fill_value(case: str, tmp_path: Path) -> None:
    name, array, fill, more = UNDECLARED[case]
    change = {f"rasters.{name}.{key}": value for key, value in more.items()}
    path = small.write(tmp_path, change=change)
    small.write_raster(tmp_path / f"{name}.tif", spoiled(array, fill))
    done = account(path)
    assert done.exit_code == 3, done.output
    assert re.search(r"error E30[78]  ", done.stderr), done.stderr
    assert f"{name}.tif" in done.stderr
    assert "row 7, column 4" in done.stderr
    assert_nothing_written(path)


@pytest.mark.parametrize("case", UNDECLARED)
@pytest.mark.parametrize("how", ["nodata", "fill"])
def test_v1_declared_fill_value_is_missing(how: str, case: str, tmp_path: Path) -> None:
    name, array, fill, more = UNDECLARED[case]
    change = {f"rasters.{name}.{key}": value for key, value in more.items()}
    if how == "fill":
        change[f"rasters.{name}.fill"] = [fill]
    path = small.write(tmp_path, change=change)
    nodata = fill if how == "nodata" else None
    small.write_raster(tmp_path / f"{name}.tif", spoiled(array, fill), nodata=nodata)
    _, core = accepted(path)
    blamed = {
        indicator: missing[name]
        for indicator, missing in core["missing"].items()
        if name in missing
    }
    # eligible among the three pixels (7,4), (21,11), (34,31): classes by hand from small.classes
    classes = small.classes()[[6, 20, 33], [3, 10, 30]].tolist()
    assert classes == [13, 52, 33]
    eligible = {NEP: 2, "cover_factor": 3, "slope_factor": 3, "erosivity": 3, P: 3, ET: 3}[name]
    assert set(blamed.values()) == {eligible}


def test_v1_a_measured_limit_can_be_declared_valid(tmp_path: Path) -> None:
    change = {f"rasters.{NEP}.valid": [0, 255]}
    path = small.write(tmp_path, change=change)
    nep = spoiled(np.full((40, 50), 220, np.uint8), 255)
    small.write_raster(tmp_path / f"{NEP}.tif", nep)
    rows, _ = accepted(path)
    assert total(rows, "carbon_dioxide") == near(carbon_by_hand(nep))


def test_v2_several_fill_codes(tmp_path: Path) -> None:
    stored = (small.arrays()[NEP] * 10).astype(np.int16)
    right = carbon_by_hand(stored / 10)
    lost = 0.0
    for number, (row, column) in enumerate([(0, 5), (1, 5), (2, 5), (3, 6)]):
        assert small.classes()[row, column] == 13
        lost += float(stored[row, column]) / 10 * 1e4 * 44 / 12 / 1e6
        stored[row, column] = 32761 + number
    change = {f"rasters.{NEP}.scale": 0.1, f"rasters.{NEP}.fill": [32761, 32762, 32763]}
    path = small.write(tmp_path, change=change)
    small.write_raster(tmp_path / f"{NEP}.tif", stored, nodata=32764)
    rows, core = accepted(path)
    assert core["missing"]["carbon_sequestration.carbon_dioxide"] == {NEP: 4}
    assert total(rows, "carbon_dioxide") == near(right - lost)
    change = {f"rasters.{NEP}.scale": 0.1, f"rasters.{NEP}.valid": [-30000, 32700]}
    path = small.write(tmp_path / "valid", change=change)
    small.write_raster(tmp_path / "valid" / f"{NEP}.tif", stored, nodata=-32768)
    assert accepted(path)[0] == rows


@pytest.mark.parametrize("fill", [[-1e40], [-1.7976931348623157e308], [-9999.9], [300, -1]])
def test_v2_fill_values_no_pixel_can_hold(
    fill: list[float], tmp_path: Path, plain: list[dict[str, str]]
) -> None:
    change = {f"rasters.{P}.fill": fill, "rasters.ecosystem.fill": [-1, 70000]}
    rows, _ = accepted(small.write(tmp_path, change=change))
    assert rows == plain


def scaled(path: Path, stored: np.ndarray, scale: float) -> None:
    small.write_raster(path, stored)
    with rasterio.open(path, "r+") as file:
        file.scales = (scale,)


def test_v3_scale_of_file_and_configuration_must_agree(
    tmp_path: Path, plain: list[dict[str, str]]
) -> None:
    stored = (small.arrays()[P] * 10).astype(np.uint16)
    for said, code in ((0.01, "E303"), (1.0, "E303"), (0.1, ""), (None, "")):
        folder = tmp_path / str(said)
        change = {} if said is None else {f"rasters.{P}.scale": said}
        path = small.write(folder, change=change)
        scaled(folder / f"{P}.tif", stored, 0.1)
        if code:
            refused(path, code, "scale is 0.1 in the file", f"{said} in gep.toml")
        else:
            water = [r for r in accepted(path)[0] if r["service"] == "water_retention"]
            assert water == [r for r in plain if r["service"] == "water_retention"]


def test_v3_scale_forgotten_or_applied_twice(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    small.write_raster(tmp_path / f"{P}.tif", (small.arrays()[P] * 10).astype(np.uint16))
    refused(path, "E304", "precipitation.tif", "it would fit times 0.1")
    path = small.write(tmp_path, change={f"rasters.{P}.scale": 0.1})
    refused(path, "E304", "it would fit times 10")


@pytest.mark.parametrize("scale", [0, math.nan, math.inf, -1])
def test_v3_absurd_scale(scale: float, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    text = path.read_text("utf8").replace(f'{P}.tif"', f'{P}.tif"\nscale = {scale}')
    path.write_text(text, "utf8")
    done = account(path)
    assert done.exit_code == 3, done.output
    assert "precipitation" in done.stderr
    assert_nothing_written(path)


@pytest.mark.parametrize(
    ("unit", "times", "hint"),
    [("mm/year", 0.001, "1000"), ("mm/year", 1 / 12, "12"), ("m/year", 1.0, "0.001")],
)
def test_v4_wrong_by_a_factor(unit: str, times: float, hint: str, tmp_path: Path) -> None:
    path = small.write(
        tmp_path,
        rasters={P: small.arrays()[P] * np.float32(times)},
        change={f"rasters.{P}.unit": unit},
    )
    done = account(path)
    assert done.exit_code == 3
    assert re.search(r"error E30[47]  ", done.stderr)
    if "E304" in done.stderr:
        assert hint in re.findall(r"it would fit times ([^\n]*)", done.stderr)[0].split(", ")
    assert_nothing_written(path)


def test_v4_right_in_another_unit(tmp_path: Path) -> None:
    nep = small.arrays()[NEP]
    other = (nep.astype(float) / 100).astype(np.float32)  # gC/m2 = 0.01 tC/ha
    change = {f"rasters.{NEP}.unit": "tC/(hm2*year)"}
    rows, _ = accepted(small.write(tmp_path, rasters={NEP: other}, change=change))
    assert total(rows, "carbon_dioxide") == pytest.approx(carbon_by_hand(), rel=1e-6)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_v5_not_finite_is_counted_and_blamed(value: float, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    nep = small.arrays()[NEP]
    nep[0:2, 5:10] = value  # ten pixels of class 13
    small.write_raster(tmp_path / f"{NEP}.tif", nep)
    rows, core = accepted(path)
    assert core["missing"]["carbon_sequestration.carbon_dioxide"] == {NEP: 10}
    assert core["missing"]["water_retention.water_retention"] == {}
    nep[0:2, 5:10] = np.nan
    assert total(rows, "carbon_dioxide") == near(carbon_by_hand(nep))


def test_v5_too_much_missing_needs_a_reason(tmp_path: Path) -> None:
    nep = small.arrays()[NEP]
    nep[:8, :20] = np.nan
    path = small.write(tmp_path, rasters={NEP: nep})
    said = ("carbon_sequestration.carbon_dioxide", "worst 360101", "for want of " + NEP)
    refused(path, "E305", *said)
    refused(small.write(tmp_path, rasters={NEP: nep}, change={"accept.E305": " "}), "E003")
    path = small.write(tmp_path, rasters={NEP: nep}, change={"accept.E305": "云太多"})
    rows, core = accepted(path)
    assert total(rows, "carbon_dioxide") == near(carbon_by_hand(nep))
    (finding,) = [p for p in core["problems"] if p["code"] == "W010"]
    assert "云太多" in finding["en"]


def test_v5_a_whole_class_missing_is_missing_not_zero(tmp_path: Path) -> None:
    nep = small.arrays()[NEP]
    nep[(small.classes() == 41) & (small.places() == 0)] = np.nan
    change = {"accept.E305": "test"}
    rows, _ = accepted(small.write(tmp_path, rasters={NEP: nep}, change=change))
    (row,) = [
        r
        for r in rows
        if (r["county_code"], r["indicator"], r["ecosystem"])
        == ("360101", "carbon_dioxide", "swamp")
    ]
    assert (row["quantity"], row["value"]) == ("", "")


@pytest.mark.parametrize(
    ("dtype", "code"),
    [("int16", -5), ("uint8", 0), ("uint8", 254), ("uint16", 65535), ("int32", 2**31 - 1)],
)
def test_v6_unknown_class_code(dtype: str, code: int, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    codes = spoiled(small.classes().astype(dtype), code)
    small.write_raster(tmp_path / "ecosystem.tif", codes)
    refused(path, "E031", "ecosystem.tif", f"{code} (3 px, first at row 7, column 4)")


def test_v6_fractional_class_code(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    codes = spoiled(small.classes().astype(np.float32), 11.5)
    small.write_raster(tmp_path / "ecosystem.tif", codes)
    refused(path, "E031", "11.5 (3 px, first at row 7, column 4)")


@pytest.mark.parametrize(
    ("dtype", "nodata"),
    [
        ("int32", -(2**31)),
        ("int32", 2**31 - 1),
        ("float32", math.nan),
        ("float32", float(np.finfo(np.float32).min)),
        ("float64", 1e300),
        ("int16", -9999),
        ("uint16", 65535),
    ],
)
def test_v6_nodata_of_the_ecosystem_layer(dtype: str, nodata: float, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    codes = spoiled(small.classes().astype(dtype), nodata)
    small.write_raster(tmp_path / "ecosystem.tif", codes, nodata=nodata)
    rows, core = accepted(path)
    kept = spoiled(small.arrays()[NEP], np.nan)
    assert total(rows, "carbon_dioxide") == near(carbon_by_hand(kept))
    assert core["coverage"]["ecosystem"]["360101"] == "0.997500"  # 2 of 800 pixels


def test_v6_codes_of_the_users_own_legend(tmp_path: Path) -> None:
    own = 'nodata = [-9999]\n[codes]\n1 = "mixed_forest"\n'
    codes = np.ones((40, 50), np.uint8)
    path = small.write(
        tmp_path,
        ecosystem=codes,
        files={"own.toml": own},
        change={"rasters.ecosystem.legend": "own.toml"},
    )
    _, core = accepted(path)
    assert core["inputs"]["legend"]["sha256"] == hashlib.sha256(own.encode()).hexdigest()


LEGENDS = {
    "no such legend": (None, "E008"),
    "not TOML": ("codes = {", "E001"),
    "no codes": ("nodata = [0]\n", "E005"),
    "no such class": ('[codes]\n1 = "wood"\n', "E009"),
    "no such code": ('[codes]\none = "mixed_forest"\n', "E009"),
}


@pytest.mark.parametrize("case", LEGENDS)
def test_v6_broken_legend(case: str, tmp_path: Path) -> None:
    text, code = LEGENDS[case]
    files = {} if text is None else {"own.toml": text}
    change = {"rasters.ecosystem.legend": "own.toml"}
    refused(small.write(tmp_path, files=files, change=change), code, "own.toml")


@pytest.mark.parametrize("name", [P, ET, "erosivity", "cover_factor", "slope_factor"])
def test_v7_negative_where_impossible(name: str, tmp_path: Path) -> None:
    array = spoiled(small.arrays()[name], -1.0)
    said = (f"{name}.tif", "-1 ", "row 7, column 4")
    refused(small.write(tmp_path, rasters={name: array}), "E307", *said)


def test_v7_negative_where_possible_keeps_its_sign(tmp_path: Path) -> None:
    nep = spoiled(small.arrays()[NEP], -100.0)
    rows, _ = accepted(small.write(tmp_path, rasters={NEP: nep}))
    assert total(rows, "carbon_dioxide") == near(carbon_by_hand(nep))


# --- P: polygons --------------------------------------------------------------------------------


def reshaped(**shapes: Any) -> geopandas.GeoDataFrame:
    """Counties with other polygons: c1 … c3."""
    frame = small.counties()
    for name, shape in shapes.items():
        frame.loc[int(name[1]) - 1, "geometry"] = shape
    return frame


def bow_tie() -> shapely.Polygon:
    west, north = small.WEST, small.NORTH
    corners = [(0, 0), (2000, -4000), (2000, 0), (0, -4000)]
    return shapely.Polygon([(west + x, north + y) for x, y in corners])


def spiked() -> shapely.Polygon:
    """County 1 with a spike of no width to the west, as digitizers leave them."""
    west, north, south = small.WEST, small.NORTH, small.NORTH - 4000
    corners = [(0, north), (2000, north), (2000, south), (0, south), (0, south + 9)]
    ring = [(west + x, y) for x, y in corners]
    return shapely.Polygon([*ring, (west + 50, south + 9), (west, south + 9)])


POLYGONS: dict[str, tuple[Callable[[], geopandas.GeoDataFrame], str, tuple[str, ...]]] = {
    "P1 overlap": (
        lambda: reshaped(c1=small.box(0, 40, 0, 21)),
        "E401",
        ("360101+360102", "360101+360103"),
    ),
    "P1 one inside the other": (
        lambda: reshaped(c1=small.box(0, 40, 0, 45), c2=small.box(2, 10, 22, 40)),
        "E401",
        ("360101+360102",),
    ),
    "P1 the same polygon twice": (
        lambda: reshaped(c2=small.box(0, 40, 0, 20)),
        "E401",
        ("360101+360102",),
    ),
    "P3 bow-tie": (lambda: reshaped(c1=bow_tie()), "E403", ("360101", "Self-intersection")),
    "P3 a line of no area": (
        lambda: reshaped(c1=shapely.Polygon([(0, 0), (1, 1), (2, 2), (0, 0)])),
        "E407",
        ("counties.gpkg", "360101"),
    ),
    "P3 a spike": (
        lambda: reshaped(c1=spiked()),
        "",
        ("warning W403", "360101"),
    ),
    "P3 nothing": (lambda: reshaped(c2=None), "E407", ("features 2",)),
    "P3 empty": (lambda: reshaped(c2=shapely.Polygon()), "E407", ("features 2",)),
    "P3 a point": (
        lambda: reshaped(c3=shapely.Point(small.WEST, small.NORTH)),
        "E407",
        ("features 3",),
    ),
    "P4 malformed codes": (
        lambda: small.counties().assign(code=["3601", "36010X", "360103"]),
        "E406",
        ("3601, 36010X",),
    ),
    "P4 a code is missing": (
        lambda: small.counties().assign(code=["360101", None, "360103"]),
        "E406",
        ("counties.gpkg",),
    ),
    "P4 a code with a fraction": (
        lambda: small.counties().assign(code=[360101.5, 360102.0, 360103.0]),
        "E406",
        ("360101.5",),
    ),
    "P5 half outside": (
        lambda: reshaped(c2=small.box(-20, 20, 20, 45)),
        "E405",
        ("360102", "50.0%"),
    ),
    "P6 smaller than a pixel": (
        lambda: reshaped(c2=small.box(3.6, 3.9, 30.6, 30.9)),
        "E306",
        ("360102", "0.00%"),
    ),
}


@pytest.mark.parametrize("fault", POLYGONS)
def test_bad_polygons(fault: str, tmp_path: Path) -> None:
    frame, code, said = POLYGONS[fault]
    path = small.write(tmp_path, polygons=frame())
    done = account(path)
    for word in said:
        assert word in done.stderr, done.stderr
    if not code:
        assert done.exit_code == 0, done.output
        return
    assert done.exit_code == 3, done.output
    assert f"error {code}  " in done.stderr, done.stderr
    assert_nothing_written(path)


def test_p1_accepted_overlap_goes_to_the_lower_code(tmp_path: Path) -> None:
    frame = reshaped(c1=small.box(0, 40, 0, 21))
    change = {"accept.E401": "争议地段"}
    rows, core = accepted(small.write(tmp_path, polygons=frame, change=change))
    assert core["pixels"]["360101"] == 40 * 21
    assert core["pixels"]["360102"] == core["pixels"]["360103"] == 20 * 24
    assert total(rows, "carbon_dioxide") == near(carbon_by_hand())


def test_p2_a_gap_is_unallocated(tmp_path: Path) -> None:
    path = small.write(tmp_path, hole=True)
    done = account(path)
    assert done.exit_code == 0
    # 4 x 5 pixels of 40 x 45 - 20
    assert "warning W402" in done.stderr
    assert "1.124%" in done.stderr
    rows, core = accepted(path)
    assert core["pixels"]["unallocated"] == 20
    whole = total(rows, "carbon_dioxide")
    assert whole == near(carbon_by_hand())


def test_p6_one_pixel_that_is_mostly_elsewhere_is_not_silent(tmp_path: Path) -> None:
    # a hundredth of a pixel around its centre: counted whole it would be a hundred times too large
    tiny = small.box(3.45, 3.55, 30.45, 30.55)
    path = small.write(tmp_path, polygons=reshaped(c2=tiny))
    done = account(path)
    assert done.exit_code in (3, 5) or "W306" in done.stderr, done.output


def test_several_layers_and_none_named(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    small.counties().to_file(tmp_path / "counties.gpkg", layer="cities", engine="pyogrio")
    refused(path, "E412", "counties.gpkg", "counties, cities")
    path = small.write(tmp_path, change={"counties.layer": "towns"})
    refused(path, "E410", "counties.gpkg")


def test_polygons_that_are_none(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    (tmp_path / "counties.gpkg").write_bytes(b"not a geopackage")
    refused(path, "E410", "counties.gpkg")
    path = small.write(tmp_path, change={"counties.code": "GB"})
    refused(path, "E411", "no attribute GB", "code, name")


# --- T: tables and text -------------------------------------------------------------------------

RARE = small.PRODUCTS.replace("蔬菜", "𠮷祥蕹菜")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("text", [small.PRODUCTS, RARE], ids=["common", "rare"])
def test_t1_encodings(encoding: str, text: str, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    (tmp_path / "products.csv").write_bytes(text.encode(encoding))
    rows, _ = accepted(path)
    wanted = ["稻谷", "茶叶", "𠮷祥蕹菜" if text is RARE else "蔬菜"]
    crops = [r["indicator"] for r in rows if r["service"] == "agricultural_products"]
    assert list(dict.fromkeys(crops)) == wanted
    assert total(rows, "稻谷", "value") == 57_051_375


@pytest.mark.parametrize(
    "raw", [b"\xff\xfe" + b"c\0o\0d", b"county_code\n\xff\xff\xff", "县".encode("utf-16-be")]
)
def test_t1_neither_encoding(raw: bytes, tmp_path: Path) -> None:
    path = small.write(tmp_path)
    (tmp_path / "emissions.csv").write_bytes(raw)
    done = account(path)
    assert done.exit_code == 3, done.output
    assert re.search(r"error E50[12]  \S*emissions\.csv", done.stderr)


def emissions(text: str) -> dict[str, Any]:
    return {"tables": {"emissions": text}}


TABLES: dict[str, tuple[dict[str, Any], str, tuple[str, ...]]] = {
    "T3 a title in place of the header": (
        emissions(small.EMISSIONS.replace("county_code", "2021年排放统计表")),
        "E502",
        ("no column county_code", "2021年排放统计表, so2(t)"),
    ),
    "T3 a row below a note": (
        emissions(small.EMISSIONS + "注:数据来自统计年鉴,,,\n360104,1,1,1\n"),
        "E549",
        ("emissions.csv:6", "360104"),
    ),
    "T3 a sum below": (
        emissions(small.EMISSIONS + "合计,1017.5,1100.25,1020\n"),
        "E509",
        ("emissions.csv:5", "合计"),
    ),
    "T3 a merged county cell": (
        {
            "tables": {
                "products": small.PRODUCTS.replace("360101,agriculture,茶", ",agriculture,茶")
            }
        },
        "E509",
        ("products.csv:5",),
    ),
    "T4 a text": (emissions(small.EMISSIONS.replace("12.5", "约12")), "E504", ("约12",)),
    "T4 NaN": (emissions(small.EMISSIONS.replace("12.5", "NaN")), "E504", ("emissions.csv:4 so2",)),
    "T4 infinity": (emissions(small.EMISSIONS.replace("12.5", "inf")), "E504", ("inf",)),
    "T4 per cent where tonnes are needed": (
        emissions(small.EMISSIONS.replace("12.5", "12%")),
        "E504",
        ("12%",),
    ),
    "T4 a comma that shifts the columns": (
        emissions(small.EMISSIONS.replace("360102,1000,", "360102,1,000,")),
        "E512",
        ("emissions.csv:3", "5 cells", "4"),
    ),
    "T4 a decimal comma": (
        emissions(small.EMISSIONS.replace("12.5", '"12,5"')),
        "E504",
        ("12,5",),
    ),
    "T4 a code as a number with exponent": (
        emissions(small.EMISSIONS.replace("360103", "3.60103E+05")),
        "E509",
        ("3.60103E+05",),
    ),
    "T4 a code as a float": (
        emissions(small.EMISSIONS.replace("360103", "360103.0")),
        "E509",
        ("360103.0",),
    ),
    "T4 a quote that is not closed": (
        emissions(small.EMISSIONS.replace("360102,", '360102,"')),
        "E511",
        ("emissions.csv",),
    ),
    "T5 a county twice": (
        emissions(small.EMISSIONS + "360101,5,100,1000\n"),
        "E505",
        ("emissions.csv:5: 360101 stands in line 2",),
    ),
    "T5 a product twice": (
        {"tables": {"products": small.PRODUCTS + "360101,agriculture,稻谷,1,t,1,\n"}},
        "E505",
        ("products.csv:10: 360101 / 稻谷 stands in line 2",),
    ),
    "T5 a county that is not there": (
        emissions(small.EMISSIONS.replace("360103", "360104")),
        "E509",
        ("emissions.csv:4", "360104"),
    ),
    "T5 a column twice": (
        emissions(small.EMISSIONS.replace("nox(t)", "so2(kg)")),
        "E508",
        ("so2",),
    ),
    "T5 no such column": (
        emissions(small.EMISSIONS.replace("nox(t)", "NOx(t)")),
        "E502",
        ("no column nox", "NOx"),
    ),
    "T5 no rows": (emissions("county_code,so2(t),nox(t)\n\n"), "E506", ("emissions.csv",)),
    "T5 an empty file": (emissions(""), "E502", ("emissions.csv",)),
    "U no unit in the header": (
        emissions(small.EMISSIONS.replace("so2(t)", "so2")),
        "E503",
        ("emissions.csv", "so2", "possible: t, 万t, kg"),
    ),
    "U a unit of another quantity": (
        emissions(small.EMISSIONS.replace("so2(t)", "so2(m3)")),
        "E603",
        ("emissions.csv:1 so2", "'m3'"),
    ),
    "U a unit nobody defined": (
        emissions(small.EMISSIONS.replace("so2(t)", "so2(万担)")),
        "E531",
        ("emissions.csv", "万担"),
    ),
    "the value contradicts quantity times price": (
        {"tables": {"products": small.PRODUCTS.replace("2800,", "2800,3360")}},
        "E510",
        ("products.csv:2", "33600000.00", "3360.00"),
    ),
}


@pytest.mark.parametrize("fault", TABLES)
def test_bad_tables(fault: str, tmp_path: Path) -> None:
    changes, code, said = TABLES[fault]
    refused(small.write(tmp_path, **changes), code, *said)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1,234.5", "1234.5"),
        ("１２３", "123"),
        ("12％", "0.12"),
        (" 1 234 ", "1234"),
        ("1\u00a0234\u00a0567.5", "1234567.5"),
        ("１，２３４．５", "1234.5"),
        ("12 ％", "0.12"),
        ("'42", "42"),
        ("3.6E+05", "360000"),
        ("-0.5", "-0.5"),
        ("0", "0"),
    ],
)
def test_t4_numbers_as_text(text: str, number: str) -> None:
    found = parse_number(text)
    assert str(f"{found:f}") == number


@pytest.mark.parametrize("text", ["", " ", "-", "—", "–", "/", "NA", "N/A", "null"])
def test_t4_empty_cells(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *(
            "1,23",
            "1,2345",
            "1.2.3",
            "12x",
            "0x10",
            "1_000",
            "−5",
            "nan",
            "inf",
            "(5)",
            "1e",
            "=1+1",
        ),
        # marks of notes, other digits, and numbers that stand side by side are no digits of one
        *("1234①", "1234¹", "10²", "12₃", "1234㈠", "½", "Ⅳ", "٣", "㊈", "12 34", "1234 567"),
        *("1,234 567", "1 2345", "1. 5", "- 5", "1E4000000", "1e1000"),
    ],
)
def test_t4_no_numbers(text: str) -> None:
    assert parse_number(text) == text


def test_t4_missing_load_is_missing_never_the_capacity(tmp_path: Path) -> None:
    text = small.EMISSIONS.replace("360101,5,", "360101,—,")
    rows, _ = accepted(small.write(tmp_path, tables={"emissions": text}))
    own = [r for r in rows if (r["county_code"], r["indicator"]) == ("360101", "sulfur_dioxide")]
    assert own
    assert {(r["quantity"], r["value"]) for r in own} == {("", "")}


def test_t5_missing_county_in_a_table_is_missing(tmp_path: Path) -> None:
    text = small.EMISSIONS.replace("360103,12.5,1000,0\n", "")
    rows, _ = accepted(small.write(tmp_path, tables={"emissions": text}))
    own = [r for r in rows if (r["county_code"], r["indicator"]) == ("360103", "sulfur_dioxide")]
    assert own
    assert {r["quantity"] for r in own} == {""}


def test_table_of_another_year_is_said(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"statistics.emissions.year": 2019})
    done = account(path)
    assert done.exit_code == 0
    assert "warning W013  statistics.emissions: data of 2019, account of 2021" in done.stderr


OVERRIDE_HEAD = "file,name,set,key,value,unit,source,where,status\n"
OVERRIDES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "T5 the same number twice": (
        2 * "prices,reservoir_cost,lyt1721,,7,CNY_2005/m^3,GEP,x,design\n",
        "E505",
        ("own.csv:3", "line 2"),
    ),
    "no such coefficient": (
        "prices,resevoir_cost,lyt1721,,7,CNY_2005/m^3,GEP,x,design\n",
        "E528",
        ("own.csv:2", "resevoir_cost"),
    ),
    "no such set": (
        "prices,reservoir_cost,LYT,,7,CNY_2005/m^3,GEP,x,design\n",
        "E528",
        ("own.csv:2", "LYT"),
    ),
    "no number": (
        "prices,reservoir_cost,lyt1721,,seven,CNY_2005/m^3,GEP,x,design\n",
        "E523",
        ("own.csv:2", "seven"),
    ),
    "NaN": (
        "prices,reservoir_cost,lyt1721,,NaN,CNY_2005/m^3,GEP,x,design\n",
        "E523",
        ("reservoir_cost", "NaN"),
    ),
    "another unit": (
        "prices,reservoir_cost,lyt1721,,7,CNY_2005/t,GEP,x,design\n",
        "E603",
        ("own.csv:2",),
    ),
    "money of another year": (
        "water_retention,runoff_coefficient,hj1173,paddy,7,CNY_2020/m^3,GEP,x,design\n",
        "E603",
        ("own.csv:2",),
    ),
    "no such source": (
        "prices,reservoir_cost,lyt1721,,7,CNY_2005/m^3,NOBODY,x,design\n",
        "E524",
        ("NOBODY",),
    ),
    "no such status": (
        "prices,reservoir_cost,lyt1721,,7,CNY_2005/m^3,GEP,x,sure\n",
        "E527",
        ("sure",),
    ),
    "no such class": (
        "water_retention,runoff_coefficient,hj1173,wood,0.1,1,GEP,x,design\n",
        "E526",
        ("wood",),
    ),
    "no such year": (
        "prices,nitrogen_price,tax2018,2021年,1750,CNY/t,GEP,x,design\n",
        "E530",
        ("2021年",),
    ),
    "too large": (
        "water_retention,runoff_coefficient,hj1173,forest,1.2,1,GEP,x,design\n",
        "E522",
        ("runoff_coefficient", "1.2", "[0, 1]"),
    ),
    "too few cells": ("prices,reservoir_cost,lyt1721\n", "E", ("own.csv:2",)),
}


@pytest.mark.parametrize("fault", OVERRIDES)
def test_bad_overrides(fault: str, tmp_path: Path) -> None:
    text, code, said = OVERRIDES[fault]
    files = {"own.csv": OVERRIDE_HEAD + text}
    path = small.write(tmp_path, files=files, change={"coefficients.overrides": "own.csv"})
    done = account(path)
    assert done.exit_code == 3, done.output
    assert f"error {code}" in done.stderr, done.stderr
    for word in said:
        assert word in done.stderr, done.stderr
    assert_nothing_written(path)


TOML_OVERRIDES = {
    "not TOML": ("[reservoir_cost\n", "E001", "prices.toml"),
    "no table": ("reservoir_cost = 7.0\n", "E003", "reservoir_cost = 7.0"),
    "a text": ('[reservoir_cost.sets.lyt1721]\nvalue = "seven"\n', "E523", "seven"),
    "an unknown key": ("[reservoir_cost.sets.lyt1721]\nvalu = 7\n", "E521", "valu"),
    "an entry of no coefficient": (
        '[carbon]\nunit = "CNY_2020/tCO2"\nvalue = 7\n',
        "E528",
        "carbon",
    ),
    "a source that is no table": (
        '[reservoir_cost.sets.lyt1721]\nvalue = 7\nsource = "me"\n',
        "E524",
        "me",
    ),
}


@pytest.mark.parametrize("fault", TOML_OVERRIDES)
def test_bad_override_files(fault: str, tmp_path: Path) -> None:
    text, code, said = TOML_OVERRIDES[fault]
    files = {"own/prices.toml": text}
    path = small.write(tmp_path, files=files, change={"coefficients.overrides": "own"})
    refused(path, code, said)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_override_table_as_excel_saves_it(encoding: str, tmp_path: Path) -> None:
    # money of the account year needs no index: 10 CNY of 2021 instead of the tariff on file
    text = OVERRIDE_HEAD + "prices,nitrogen_price,tax2018,2021,2000,CNY/t,GEP,省厅文件,seen\n"
    path = small.write(tmp_path, change={"coefficients.overrides": "own.csv"})
    (tmp_path / "own.csv").write_bytes(text.encode(encoding))
    rows, core = accepted(path)
    own = [r for r in rows if r["indicator"] == "nitrogen"]
    assert {r["price"] for r in own} == {"2000"}
    assert core["coefficient_files"]["overrides/own.csv"]


PAYLOADS = ["=cmd|'/c calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_t6_formula_in_a_name(payload: str, tmp_path: Path) -> None:
    frame = small.counties()
    frame.loc[0, "name"] = payload
    frame["city_name"] = payload
    products = small.PRODUCTS.replace("茶叶", '"' + payload + '"')
    path = small.write(tmp_path, polygons=frame, tables={"products": products})
    accepted(path)
    cells = 0
    for file in folder_of(path).glob("*.csv"):
        with file.open(encoding="utf-8-sig", newline="") as lines:
            for row in csv.reader(lines):
                for cell in row:
                    cells += payload.strip() in cell
                    if re.fullmatch(r"-?[\d.]+", cell):
                        continue
                    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
    assert cells


# --- U: units -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("have", "want", "times"),
    [
        ("hm2", "m^2", 1e4),
        ("km2", "ha", 100),
        ("亩", "m^2", 10_000 / 15),
        ("m3", "m^3", 1),
        ("m³", "m^3", 1),
        ("kg/m2", "t/ha", 10),
        ("kWh", "MJ", 3.6),
        ("tC", "tCO2", 44 / 12),
        ("gC/m^2", "tCO2/ha", 1e-2 * 44 / 12),
        ("万CNY_2020", "CNY_2020", 1e4),
        ("亿CNY_2020", "CNY_2020", 1e8),
        ("万人次", "visit", 1e4),
        ("%", "1", 0.01),
        ("g/kg", "1", 1e-3),
        ("mm/year * m^2", "m^3/year", 1e-3),
        ("CNY_2020/kg", "CNY_2020/t", 1000),
        ("MJ*mm/(ha*h*year)", "MJ*cm/(ha*h*year)", 0.1),
    ],
)
def test_u1_spellings(have: str, want: str, times: float) -> None:
    assert factor(have, want, "x") == pytest.approx(times, rel=1e-14)


@pytest.mark.parametrize(
    "unit",
    [
        "t C",
        "TC",
        "T",
        "Mg",
        "mg",
        "Mm",
        "kt",
        "Mt",
        "ton",
        "a",
        "yr",
        "C",
        "CO2",
        "斤",
        "RMB",
        "yuan",
        "mu",
        "Kg",
    ],
)
def test_u2_traps_say_what_to_write(unit: str) -> None:
    with pytest.raises(UnitError) as raised:
        parse(unit)
    assert [p.code for p in raised.value.problems] == ["E602"]


@pytest.mark.parametrize(
    "unit",
    ["°F", "kwh", "KWH", "MM", "M3", "furlong", "week", "L", "__import__('os')", "m/0", "("],
)
def test_u2_only_what_is_defined_is_known(unit: str) -> None:
    with pytest.raises(UnitError) as raised:
        parse(unit)
    assert raised.value.problems[0].code in ("E601", "E602")


@pytest.mark.parametrize(
    ("have", "want"),
    [
        ("CNY_2015", "CNY_2020"),
        ("CNY", "CNY_2020"),
        ("tCO2", "t"),
        ("tC", "t"),
        ("tO2", "tCO2"),
        ("visit", "person"),
        ("mm/day", "mm/year"),
        ("365*day", "year"),
        ("t", "t/year"),
    ],
)
def test_u3_u4_what_must_not_add_up(have: str, want: str) -> None:
    with pytest.raises(UnitError) as raised:
        factor(have, want, "x")
    assert [p.code for p in raised.value.problems] == ["E603"]


def test_u4_rain_per_day_is_not_rain_per_year(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={f"rasters.{P}.unit": "mm/day"})
    refused(path, "E603", "'mm/day'", "'mm/year'")


# --- R: runs ------------------------------------------------------------------------------------


def test_r4_folder_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gep.lock.PATIENCE", 0.1)
    path = small.write(tmp_path)
    with store.locked(tmp_path / "output"):
        done = account(path)
    assert done.exit_code == 7, done.output
    assert "error E710" in done.stderr
    assert f"process {os.getpid()} " in done.stderr
    assert [f.name for f in (tmp_path / "output").iterdir()] == [store.LOCK]
    assert account(path).exit_code == 0


def test_r5_output_that_cannot_be_written(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"output.folder": "/proc/nonexistent/out"})
    done = account(path)
    assert done.exit_code == 6
    assert "error E705  /proc/nonexistent/out: cannot be written" in done.stderr
    file = tmp_path / "taken"
    file.write_text("x")
    done = gep("run", path, "-o", file, "--progress", "none")
    assert done.exit_code == 6
    assert file.read_text() == "x"


SLOW = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
released = sys.argv.pop(1)
from gep import run
inner, end = run.Loop.tile, run._end
def tile(self, reader, window):
    print("tile", file=sys.stderr, flush=True)
    while not os.path.exists(released):
        time.sleep(0.05)
    return inner(self, reader, window)
def ended(*given):
    print("heard", file=sys.stderr, flush=True)
    open(released, "w").close() if "never" not in released else None
    end(*given)
run.Loop.tile, run._end = tile, ended
from gep.cli import main
main()
"""


@contextmanager
def held_in_a_tile(path: Path, released: Path) -> Generator[subprocess.Popen[str], None, None]:
    """A run that has a tile in hand until the file *released* is there, or it heard a signal."""
    words = ["run", str(path), "--threads", "1", "--progress", "none", "--lang", "en"]
    command = [sys.executable, "-c", SLOW, str(released), *words]
    plain = os.environ | {"NUMBA_DISABLE_JIT": "1"}  # nothing to compile
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=plain) as child:
        assert child.stderr
        said = []
        while (line := child.stderr.readline()) and not line.startswith("tile"):
            said.append(line)
        assert line, said
        time.sleep(0.3)  # the pool of threads has come up, too
        yield child
        child.kill()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_r6_interrupted_run_ends_its_tile_and_leaves_no_result(
    sent: signal.Signals, tmp_path: Path
) -> None:
    """The signal comes while a tile is held; the tile ends only after the signal was taken."""
    path = small.write(tmp_path)
    with held_in_a_tile(path, tmp_path.parent / f"{tmp_path.name}-released") as child:
        child.send_signal(sent)
        _, said = child.communicate(timeout=120)
    assert_nothing_written(path)
    if sent == signal.SIGKILL:
        assert child.returncode == -sent
        return
    assert child.returncode == 130, said
    assert said.splitlines() == [
        "stopping; once more stops at once / 正在停止；再按一次立即停止",
        "heard",
        f"warning W593  interrupted; 1 tiles are kept in {tmp_path / 'output'}",
        "  fix: run the same command again: it goes on from there; with --fresh it starts anew",
    ]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_r6_the_second_signal_stops_at_once(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    with held_in_a_tile(path, tmp_path.parent / f"{tmp_path.name}-never") as child:
        child.send_signal(signal.SIGINT)
        assert child.stderr
        while "heard" not in child.stderr.readline():
            pass
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
    assert child.returncode == 130
    assert_nothing_written(path)
    assert account(path).exit_code == 0, "and nothing is in the way"


KILLED = """
import os, signal, sys
wanted, seen, real = int(sys.argv.pop(1)), 0, os.fsync
def fsync(handle):
    global seen
    seen += 1
    if seen == wanted:
        os.kill(os.getpid(), signal.SIGKILL)
    real(handle)
os.fsync = fsync
from gep.cli import main
main()
"""


@pytest.mark.parametrize("call", [1, 2, 4, 5])
def test_r2_killed_while_writing_leaves_no_run_that_looks_finished(
    call: int, tmp_path: Path
) -> None:
    path = small.write(tmp_path)
    command = [sys.executable, "-c", KILLED, str(call), "run", str(path), "--progress", "none"]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL
    output = tmp_path / "output"
    assert not [f for f in output.iterdir() if not f.name.startswith(".")]
    assert gep("verify", output).exit_code == 3
    assert account(path).exit_code == 0
    assert gep("verify", output).exit_code == 0


def test_r4_two_runs_at_once_into_one_folder(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    command = [sys.executable, "-m", "gep.cli", "run", str(path), "--progress", "none"]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ends = [(child.communicate(timeout=60)[1], child.returncode) for child in both]
    assert {code for _, code in ends} <= {0, 7}, ends
    assert 0 in {code for _, code in ends}
    assert gep("verify", tmp_path / "output").exit_code == 0
    assert len(list(tmp_path.glob("output/2021_*"))) == 1


def rewrite(file: Path, keep_times: bool) -> None:
    before = file.stat()
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    if keep_times:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("keep_times", [False, True])
@pytest.mark.parametrize("name", [f"{P}.tif", "counties.gpkg", "emissions.csv"])
def test_r9_input_changed_during_the_run(
    name: str, keep_times: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small.write(tmp_path)
    inner = scenario.accumulate

    def accumulate(*given: Any, **named: Any) -> Any:
        found = inner(*given, **named)
        rewrite(tmp_path / name, keep_times)
        return found

    monkeypatch.setattr(scenario, "accumulate", accumulate)
    refused(path, "E714", name, exit_code=5)


def test_r9_input_deleted_during_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small.write(tmp_path)
    inner = scenario.accumulate

    def accumulate(*given: Any, **named: Any) -> Any:
        found = inner(*given, **named)
        (tmp_path / "emissions.csv").unlink()
        return found

    monkeypatch.setattr(scenario, "accumulate", accumulate)
    refused(path, "E714", "emissions.csv", exit_code=5)


# --- the configuration --------------------------------------------------------------------------

CONFIGURATIONS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "a key misspelt": ("unit = ", "unti = ", "E002", (".unti", "known: unit")),
    "a section misspelt": ("[account]", "[acount]", "E002", ("acount", "account")),
    "a year as text": ("year = 2021", 'year = "2021"', "E003", ("account.year",)),
    "a year nobody accounts": ("year = 2021", "year = 1921", "E003", ("account.year",)),
    "no year": ("year = 2021", "", "E005", ("account.year",)),
    "not TOML": ("[account]", "[account", "E001", ("gep.toml",)),
    "no such profile": ("jiangxi-2021", "jiangxi-2012", "E006", ("jiangxi-2021",)),
    "no such legend": ('legend = "gep"', 'legend = "gpe"', "E008", ("gpe", "clcd")),
    "no ecosystem": ("[rasters.ecosystem]", "[rasters.grid]", "E005", ("rasters.ecosystem",)),
    "a slip of it": ("[rasters.ecosystem]", "[rasters.ecosystems]", "E002", ("known: ecosystem",)),
}


@pytest.mark.parametrize("fault", CONFIGURATIONS)
def test_bad_configuration(fault: str, tmp_path: Path) -> None:
    old, new, code, said = CONFIGURATIONS[fault]
    path = small.write(tmp_path)
    text = path.read_text("utf8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf8")
    refused(path, code, *said)


@pytest.mark.parametrize("section", ["rasters.precipitation", "statistics.emissions"])
@pytest.mark.parametrize("year", [0, -2021, 202, 20210])
def test_a_year_of_data_that_is_none(section: str, year: int, tmp_path: Path) -> None:
    path = small.write(tmp_path, change={f"{section}.year": year})
    refused(path, "E003", f"{section}.year = {year}")


def test_finding_that_cannot_be_accepted(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"accept.E031": "why not"})
    refused(path, "E010", "accept.E031")


def test_configuration_in_another_encoding(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    path.write_bytes(path.read_text("utf8").encode("gb18030"))
    refused(path, "E001", "gep.toml")


def test_no_configuration(tmp_path: Path) -> None:
    done = account(tmp_path / "gep.toml")
    assert done.exit_code == 3
    assert "error E792" in done.stderr


def test_nothing_to_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only = {key: s for key, s in services().items() if key[0] == "water_retention"}
    monkeypatch.setattr("gep.plan.services", lambda: only)
    path = small.write(tmp_path, rasters=dict.fromkeys(small.UNITS))
    refused(path, "E014", "jiangxi-2021")


def test_capped_class_without_a_coefficient_is_missing_not_zero(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from gep import coefficients

    inner = coefficients.load

    def load(*given: Any, **named: Any) -> Any:
        book, problems = inner(*given, **named)
        (one,) = book.services["air_purification"]["sulfur_dioxide_capacity"].values()
        one.values.pop(("bamboo_forest",))
        return book, problems

    monkeypatch.setattr(coefficients, "load", load)
    change = {"accept.E305": "test"}
    rows, _ = accepted(small.write(tmp_path, change=change))
    own = {
        r["ecosystem"]: r["quantity"]
        for r in rows
        if (r["county_code"], r["indicator"]) == ("360101", "sulfur_dioxide")
    }
    # the load of 5 t is below the capacity, and is shared by the classes whose capacity is known
    assert own["bamboo_forest"] == ""
    assert sum(float(q) for q in own.values() if q) == 5.0


def test_api_raises_what_the_command_line_says(tmp_path: Path) -> None:
    import gep as package

    path = small.write(tmp_path, change={f"rasters.{P}.unit": "t/ha"})
    with pytest.raises(InputError) as raised:
        package.open(path).run()
    assert [p.code for p in raised.value.problems] == ["E603"]


def test_a_fresh_definition_lists_every_missing_file_at_once(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    for name in ("ecosystem.tif", "counties.gpkg", "precipitation.tif"):
        (tmp_path / name).unlink()
    report = engine.Account(path).check()
    places = {str(p.fields["at"]) for p in report.problems if p.code == "E004"}
    assert places == {"rasters.ecosystem", "counties", "rasters.precipitation"}
