"""What other programs need of a province beside its rasters: made once, beside it.

zones.tif           number of the county by pixel, 1 to 100 in the order of their codes, else 0
areas.npz           true area of a pixel by row [m^2], and its factor by column
coefficients.json   by indicator, as the account uses them
counties.shp        for InVEST, with its ws_id
biophysical.csv     for InVEST
"""

import csv
import json
import tomllib
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
from landscape import CLASSES
from peers.formulas import INDICATORS, ZONAL_LAYER
from province import Recipe, province
from rasterio.features import rasterize

import gep
from gep.plan import Plan


def prepared(size: int) -> Path:
    """Folder of the province with the layers InVEST takes, and what is said above in `peers`."""
    folder = province(Recipe(size, extra=True))
    place = folder / "peers"
    if not (place / "done").is_file():
        place.mkdir(exist_ok=True)
        zones(folder, place)
        numbers(folder, place)
        sums(folder, place)
        (place / "done").write_text("", "utf8")
    return folder


def zones(folder: Path, place: Path) -> None:
    said = tomllib.loads((folder / "twelve.toml").read_text("utf8"))
    frame = geopandas.read_file(folder / said["counties"]["file"]).sort_values("code")
    shapes = [(shape, number + 1) for number, shape in enumerate(frame.geometry)]
    with rasterio.open(folder / "aligned" / "ecosystem.tif") as file:
        form = {**file.profile, "dtype": "uint16", "nodata": 0}
        zones = rasterize(shapes, file.shape, transform=file.transform, dtype="uint16")
    with rasterio.open(place / "zones.tif", "w", **form) as file:
        file.write(zones, 1)
    numbered = frame[["geometry"]].assign(ws_id=range(1, len(frame) + 1))
    numbered.to_file(place / "counties.shp")


def numbers(folder: Path, place: Path) -> None:
    report = gep.open(folder / "twelve.toml").check()
    made = report.plan
    if made is None:
        raise ValueError(str(report))
    grid, counties = made.grid, len(made.counties.codes)
    areas = {"rows": grid.row_areas, "columns": grid.column_factors, "counties": counties}
    np.savez(place / "areas.npz", **areas)
    found = {".".join(i.key): i.accumulator for i in made.items if i.accumulator is not None}
    tables = {name: _by_code(made, found[name]) for name in INDICATORS}
    (place / "coefficients.json").write_text(json.dumps(tables, indent=1), "utf8")
    with (place / "biophysical.csv").open("w", encoding="utf8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["lucode", "lulc_desc", "root_depth", "kc", "lulc_veg"])
        for code, name in CLASSES.items():
            writer.writerow([code, name, 300 + 100 * code, 0.5 + 0.04 * code, int(code < 5)])


def sums(folder: Path, place: Path) -> None:
    """Write the sums zonal programs are held against: numpy on whole arrays."""
    with rasterio.open(place / "zones.tif") as file:
        by = file.read(1).ravel()
    with rasterio.open(folder / "aligned" / f"{ZONAL_LAYER}.tif") as file:
        values = file.read(1, masked=True).filled(0).ravel()
    found = np.bincount(by, weights=values)[1:].tolist()
    (place / "sums.json").write_text(json.dumps({ZONAL_LAYER: found}), "utf8")


def _by_code(made: Plan, number: int) -> list[list[Any]]:
    """Coefficients of a column by code of the legend, null where its class does not count."""
    one = made.accumulators[number]
    kinds = {code: kind.index for code, kind in made.legend.codes.items()}
    eligible = [code in kinds and kinds[code] in one.eligible for code in range(max(kinds) + 1)]
    rows = []
    for table in one.column.tables:
        numbers = made.lookups[table][0]
        rows.append([float(numbers[kinds[c]]) if e else None for c, e in enumerate(eligible)])
    return rows or [[1.0 if e else None for e in eligible]]
