"""The standard province: fifteen layers, counties, tables and gep.toml files, outside the checkout.

    python benchmarks/province.py [4k | 8k | 16k | PIXELS TO A SIDE]... [options]

Prints the folder of every size, made if it is not there: in --cache, $GEP_BENCHMARKS, or
gep/benchmarks of the user's cache folder, under a hash of the recipe. What is there is held against
its digests before it is used. Of each, `gep check FOLDER/NAME.toml` and `gep run` work:

    all          every indicator of the profile that rasters and tables allow, 100 counties
    zones        the same, 3000 counties
    twelve       only what pixels give: twelve indicators
    one          water retention alone
    native       as all, with every layer on the grid it has in the world (1 km, 500 m, 250 m, 30 m)
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas
import landscape
import numpy as np
import rasterio
import shapely
from landscape import CRS, EXTRA, LAYERS, PIXEL, TILE, Kind, Landscape
from numpy.typing import NDArray

SIZES = {"4k": 4096, "8k": 8192, "16k": 16384}
COUNTIES = (100, 3000)
"""Counties of most accounts, and of `zones`: fewer where they would be smaller than SMALLEST."""
SMALLEST = 2000
"""Pixels of the province to a county, at least."""
YEAR = 2021
AHEAD = 8
"""Windows made while others are written."""
RECORD = "recipe.json"
CODE = 990_000
"""Codes of counties begin here: no place has them."""
TWELVE = {
    "precipitation",
    "evapotranspiration",
    "erosivity",
    "erodibility",
    "slope_factor",
    "cover_factor",
    "support_factor",
    "net_ecosystem_production",
    "storm_precipitation",
    "storm_runoff",
    "hot_days",
    "water_evaporation",
}
PEOPLE = 180.0
"""Inhabitants of a square kilometre."""


@dataclass(frozen=True)
class Recipe:
    """What the files of a province follow from."""

    side: int
    compress: str = "ZSTD"
    level: int = 3
    predictor: bool = True
    extra: bool = False

    @property
    def digest(self) -> str:
        """Twelve digits that stand for the recipe, code included."""
        text = json.dumps(asdict(self), sort_keys=True)
        for module in (__file__, landscape.__file__):
            text += Path(str(module)).read_text("utf8")
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @property
    def counties(self) -> tuple[int, int]:
        """How many counties the two divisions have."""
        most = max(4, int(landscape.VALID * self.side**2) // SMALLEST)
        return min(COUNTIES[0], most), min(COUNTIES[1], most)

    def profile(self, kind: Kind, side: int, transform: Any) -> dict[str, Any]:
        """How a raster is written."""
        tile = max(16, min(TILE, side // 16 * 16))
        found = {
            "driver": "GTiff",
            "width": side,
            "height": side,
            "count": 1,
            "dtype": kind.dtype,
            "nodata": kind.nodata,
            "crs": CRS,
            "transform": transform,
            "tiled": True,
            "blockxsize": tile,
            "blockysize": tile,
            "compress": self.compress,
            "bigtiff": "if_safer",
            "num_threads": 2,
        }
        levels = {"ZSTD": "zstd_level", "DEFLATE": "zlevel"}
        if self.compress in levels:
            found[levels[self.compress]] = self.level
        if self.predictor and self.compress in ("ZSTD", "DEFLATE", "LZW"):
            found["predictor"] = 3 if kind.dtype.startswith("float") else 2
        return found


def cache() -> Path:
    """Folder of all provinces."""
    if said := os.environ.get("GEP_BENCHMARKS"):
        return Path(said)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "gep" / "benchmarks"


def province(recipe: Recipe, place: Path | None = None) -> Path:
    """Folder of the province of that recipe, made if it is not there or not as it was made."""
    folder = (place or cache()) / f"province-{recipe.side}-{recipe.digest}"
    if whole(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f"{folder.name}.", dir=folder.parent))
    try:
        build(recipe, part)
        shutil.rmtree(folder, ignore_errors=True)
        part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def whole(folder: Path) -> bool:
    """Tell whether every file is there, as it was made."""
    if not (folder / RECORD).is_file():
        return False
    made = json.loads((folder / RECORD).read_text("utf8"))["files"]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda name: _digest(folder / name), made)
        return all(a == b for a, b in zip(made.values(), found, strict=True))


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def build(recipe: Recipe, folder: Path) -> None:
    """Write all files of a province."""
    land = Landscape(recipe.side)
    layers = LAYERS | (EXTRA if recipe.extra else {})
    (folder / "aligned").mkdir()
    (folder / "native").mkdir()
    _aligned(recipe, land, layers, folder / "aligned")
    for name, kind in layers.items():
        if kind.own_pixel > PIXEL:
            _native(recipe, land, name, kind, folder / "native")
    for count in dict.fromkeys(recipe.counties):
        areas = counties(land, count, folder / f"counties_{count}.gpkg")
        tables(land, areas, folder / f"statistics_{count}")
    _legend(folder / "legend.toml")
    for name, text in definitions(recipe.counties).items():
        (folder / f"{name}.toml").write_text(text, "utf8")
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    raw = sum(np.dtype(kind.dtype).itemsize for kind in layers.values()) * recipe.side**2
    stored = sum((folder / "aligned" / f"{name}.tif").stat().st_size for name in layers)
    record = {
        "recipe": asdict(recipe),
        "bytes_per_pixel": raw / recipe.side**2,
        "compressed_to": round(stored / raw, 4),
        "layers": {n: (folder / "aligned" / f"{n}.tif").stat().st_size for n in layers},
        "files": {name: _digest(folder / name) for name in names},
    }
    (folder / RECORD).write_text(json.dumps(record, indent=1) + "\n", "utf8")


def _windows(side: int) -> Iterator[landscape.Window]:
    for top in range(0, side, TILE):
        for left in range(0, side, TILE):
            yield top, left, min(TILE, side - top), min(TILE, side - left)


def stored(values: NDArray[Any], kind: Kind, outside: NDArray[np.bool_] | None) -> NDArray[Any]:
    """Numbers as the file holds them."""
    if kind.dtype == "float32":
        found = values.astype(np.float32)
    else:
        found = np.rint(values / kind.scale if kind.scale != 1.0 else values).astype(kind.dtype)
    if outside is not None:
        found[outside] = kind.nodata
    return found


def _aligned(recipe: Recipe, land: Landscape, layers: dict[str, Kind], folder: Path) -> None:
    """Every layer at 30 m, window by window."""

    def made(window: landscape.Window) -> dict[str, NDArray[Any]]:
        outside = land.outside(window)
        if outside.all():
            return {n: np.full(window[2:], k.nodata, k.dtype) for n, k in layers.items()}
        values = land.window(window, layers)
        return {name: stored(values[name], kind, outside) for name, kind in layers.items()}

    land.window((0, 0, 16, 16), layers)  # textures and fields are made once, before the threads
    files = {
        name: _create(folder / f"{name}.tif", kind, recipe, land.side, land.transform)
        for name, kind in layers.items()
    }
    windows = list(_windows(land.side))
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(windows), AHEAD):
            chunk = windows[start : start + AHEAD]
            for (top, left, rows, columns), arrays in zip(
                chunk, pool.map(made, chunk), strict=True
            ):
                place = rasterio.windows.Window(left, top, columns, rows)
                for name, array in arrays.items():
                    files[name].write(array, 1, window=place)
    for file in files.values():
        file.close()


def _native(recipe: Recipe, land: Landscape, name: str, kind: Kind, folder: Path) -> None:
    """One layer on its own grid, beyond the province on all sides."""
    values = stored(land.coarse(name), kind, None)
    transform = land.field_transform(kind.own_pixel)
    with _create(folder / f"{name}.tif", kind, recipe, len(values), transform) as file:
        file.write(values, 1)


def _create(path: Path, kind: Kind, recipe: Recipe, side: int, transform: Any) -> Any:
    file = rasterio.open(path, "w", **recipe.profile(kind, side, transform))
    file.scales = (kind.scale,)
    file.units = (kind.unit,) if kind.unit else (None,)
    return file


def counties(land: Landscape, count: int, path: Path) -> list[float]:
    """Write polygons that fill the province, neighbours sharing ragged borders; areas [km^2]."""
    generator = np.random.default_rng([land.seed, count])
    west, south, east, north = land.outline.bounds
    sites = generator.random((4 * count, 2)) * (east - west, north - south) + (west, south)
    sites = sites[shapely.contains_xy(land.outline, sites)][:count]
    cells = shapely.voronoi_polygons(shapely.MultiPoint(np.round(sites)), extend_to=land.outline)
    extent = land.side * PIXEL
    cells = shapely.segmentize(list(cells.geoms), extent / 400)
    wave = extent / np.sqrt(count)

    def ragged(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = np.round(points, 3).T
        shift = 0.08 * wave * np.sin(2.1 * y / wave * 2 * np.pi)
        other = 0.08 * wave * np.sin(1.7 * x / wave * 2 * np.pi)
        return np.round(np.column_stack([x + shift, y + other]), 3)

    cells = shapely.make_valid(shapely.transform(cells, ragged))
    cells = shapely.intersection(cells, land.outline, grid_size=0.001)
    cells = [cell for cell in cells if cell.area > 0]
    at = [(c.centroid.y, c.centroid.x) for c in cells]
    cells = [cells[n] for n in sorted(range(len(cells)), key=lambda n: at[n])]
    numbers = np.arange(len(cells))
    frame = geopandas.GeoDataFrame(
        {
            "code": [str(CODE + n + 1) for n in numbers],
            "name": [f"县{n + 1}" for n in numbers],
            "city_code": [str(CODE + 10_000 - 100 + n // 50) for n in numbers],
            "city_name": [f"市{n // 50 + 1}" for n in numbers],
        },
        geometry=cells,
        crs=CRS,
    )
    frame.to_file(path, layer="counties", driver="GPKG")
    return [cell.area / 1e6 for cell in cells]


def tables(land: Landscape, areas: list[float], folder: Path) -> None:
    """Tables of the departments, made up in proportion to the area of the counties.

    Emissions and loads are above what the land can take up, so no amount is cut to them, and what
    the pixels give can be held against other programs.
    """
    folder.mkdir()
    generator = np.random.default_rng([land.seed, len(areas), 1])
    heads = {
        "emissions": ("so2(t),nox(t),dust(t)", (60.0, 4.0, 8.0)),
        "loads": ("cod(t),ammonia_nitrogen(t),total_phosphorus(t)", (150.0, 15.0, 15.0)),
        "energy": ("generation(kWh)", (60_000.0,)),
        "population": ("value(person)", (PEOPLE,)),
        "gdp": ("value(万元)", (600.0,)),
        "lakes": ("name,area(km2)", ("湖", 0.001)),
        "reservoirs": ("name,total_storage(m3)", ("水库", 9_000.0)),
        "tourism": (
            "name,visitors(人次),cost(元/人次),days(day/人次),wage(元/day)",
            ("景区", 900.0),
        ),
        "products": ("group,product,quantity,unit,price(元/t)", ()),
    }
    sold = (
        ("agriculture", "稻谷", 60.0, 2700.0),
        ("agriculture", "蔬菜", 30.0, 3200.0),
        ("forestry", "油茶籽", 6.0, 11000.0),
        ("animal_husbandry", "猪肉", 20.0, 21000.0),
        ("fishery", "草鱼", 8.0, 13000.0),
        ("other", "野生食用菌", 0.5, 45000.0),
    )
    for name, (head, means) in heads.items():
        rows = [f"county_code,{head}"]
        for number, area in enumerate(areas):
            code, many = CODE + number + 1, area * generator.uniform(0.5, 1.5)
            if name == "products":
                rows += [f"{code},{g},{p},{q * many:.3f},t,{m:g}" for g, p, q, m in sold]
                continue
            said = [f"{m}{number + 1}" if isinstance(m, str) else f"{m * many:.4f}" for m in means]
            said += ["350", "1.5", "240"] if name == "tourism" else []
            rows.append(",".join([str(code), *said]))
        (folder / f"{name}.csv").write_text("\n".join(rows) + "\n", "utf8")


def _legend(path: Path) -> None:
    lines = [
        'title = { en = "Land cover of the standard province", zh = "标准省土地覆盖" }',
        'source = { key = "GEP", where = "benchmarks/landscape.py" }',
        'status = "design"',
        "nodata = [0]",
        "[codes]",
        *(f'{code} = "{name}"' for code, name in landscape.CLASSES.items()),
    ]
    path.write_text("\n".join(lines) + "\n", "utf8")


STATISTICS = (
    *("products", "energy", "emissions", "loads", "lakes", "reservoirs", "tourism"),
    *("population", "gdp"),
)


def definitions(counts: tuple[int, int]) -> dict[str, str]:
    """The gep.toml files by name."""
    rasters, (few, many) = set(LAYERS) - {"ecosystem"}, counts
    water, caps = {"precipitation", "evapotranspiration"}, ("emissions", "loads")
    return {
        "all": definition(rasters, STATISTICS, few),
        "zones": definition(rasters, STATISTICS, many),
        "twelve": definition(TWELVE, caps, few),
        "one": definition(water, (), few),
        "native": definition(rasters, STATISTICS, few, native=True),
        "native_twelve": definition(TWELVE, caps, few, native=True),
    }


HEAD = """\
[account]
name = "标准省 / Standard province"
year = {year}
profile = "jiangxi-2021"

[counties]
file = "counties_{count}.gpkg"
layer = "counties"
code = "code"
name = "name"
city_code = "city_code"
city_name = "city_name"

[rasters.ecosystem]
file = "aligned/ecosystem.tif"
legend = "legend.toml"
year = {year}
"""


def definition(
    rasters: set[str], statistics: tuple[str, ...], count: int, native: bool = False
) -> str:
    """Text of one gep.toml."""
    parts = [HEAD.format(year=YEAR, count=count)]
    for name in (name for name in LAYERS if name in rasters):
        coarse = native and LAYERS[name].own_pixel > PIXEL
        place = "native" if coarse else "aligned"
        said = 'resampling = "bilinear"\n' if coarse else ""
        parts.append(
            f'[rasters.{name}]\nfile = "{place}/{name}.tif"\nunit = "{LAYERS[name].unit}"\n'
            f"year = {YEAR}\n{said}"
        )
    for name in statistics:
        parts.append(
            f'[statistics.{name}]\nfile = "statistics_{count}/{name}.csv"\nyear = {YEAR}\n'
        )
    return "\n".join(parts)


def side(text: str) -> int:
    """Pixels to a side of a size by name or number."""
    return SIZES.get(text) or int(text)


def main(words: list[str]) -> None:
    """Build what is asked for."""
    parser = argparse.ArgumentParser(prog="province.py")
    parser.add_argument("sizes", nargs="*", type=side, default=[SIZES["4k"]])
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--compress", default="ZSTD", choices=("ZSTD", "DEFLATE", "LZW", "NONE"))
    parser.add_argument("--level", type=int, default=3)
    parser.add_argument("--no-predictor", action="store_true")
    parser.add_argument("--extra", action="store_true", help="also what InVEST takes")
    said = parser.parse_args(words)
    for size in said.sizes:
        recipe = Recipe(size, said.compress, said.level, not said.no_predictor, said.extra)
        sys.stdout.write(f"{province(recipe, said.cache)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
