"""What each preparation costs: time and memory per pixel, on made-up inputs.

    python benchmarks/preparations.py [FOLDER [RASTER...]]

Every method of every raster is made from files to a file, as `gep prepare` does it, one after
another, each in a process of its own and REPEATS times, or until ENOUGH has been spent on it; the
least time counts, since the machine may have other work. Where rasters are named, the others keep
the results they have. Inputs (1 million pixels of 30 m, seeded) go to
FOLDER (5 GB), default a temporary one. Results: benchmarks/results/preparations.json, which
docs/preparations.py shows.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import rasterio
import shapely
from numpy.typing import NDArray
from rasterio.transform import from_origin

import gep
from gep import plan, prepared
from gep.layers import variables
from gep.preparation import Preparation, preparations, steps_of
from gep.preparations.slope import horn

RESULTS = Path(__file__).parent / "results" / "preparations.json"
SIDE, WARM = 1000, 40
"""Pixels to a side of what is measured, and of what is made before so that all code is loaded."""
REPEATS = 3
ENOUGH = 60.0
"""CPU time [s] after which a method is not measured again."""
YEAR = 2021
SEED = 20211231
PIXEL, WEST, NORTH, CRS = 30.0, 500_000.0, 3_100_000.0, "EPSG:4547"
WEATHER = 10
"""Pixels to a side of the cells of a series: weather is coarser than land."""
STORED = 0.01
"""Step of the stored integers of a series."""
CLASSES = (1, 2, 2, 2, 4, 5, 8)
"""Codes of the legend `clcd`: cropland, forest, grassland, water, built-up."""
SHARES = {"sand": (30.0, 50.0), "silt": (25.0, 35.0)}
"""Per cent, from and to; clay is the rest."""
DAILY = {
    "daily_mean_temperature": (18.0, 11.0, 1.0),
    "daily_maximum_temperature": (23.0, 11.0, 1.0),
    "daily_minimum_temperature": (13.0, 11.0, 1.0),
    "daily_dew_point": (10.0, 11.0, 1.0),
    "daily_relative_humidity": (75.0, 5.0, 10.0),
    "daily_wind_speed": (2.0, 0.5, 1.0),
    "daily_radiation": (15.0, 6.0, 3.0),
    "daily_sunshine": (5.0, 2.0, 2.0),
    "daily_reference_evapotranspiration": (3.0, 1.5, 1.0),
    "monthly_temperature": (18.0, 11.0, 1.0),
    "monthly_precipitation": (140.0, 80.0, 40.0),
    "monthly_reference_evapotranspiration": (90.0, 45.0, 10.0),
}
"""Mean of the year, half of the difference of summer and winter, and half of what varies beside."""
RAINY_DAYS, RAIN = 0.4, (0.6, 18.0)
"""Share of the days with rain; shape and scale [mm] of the gamma distribution of their rain."""
GIVEN = {
    "seasonality": 10.0,
    "years_between": 5.0,
    "ecosystem_share": 0.3,
    "fixation_rate": 1.5,
    "impervious_share": 0.8,
    "soil_ndvi": 0.05,
    "vegetation_ndvi": 0.86,
}
"""Numbers that no file has: any will do here."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Cost:
    """What one method took: CPU time [s], and memory [bytes] before and at its peak."""

    seconds: float
    before: int
    peak: int


def made_up(name: str, side: int) -> Array:
    """Values of a raw layer, (side, side)."""
    generator = np.random.default_rng([SEED, *name.encode()])
    if name == "elevation":
        return 100.0 + 1200.0 * rough(generator, side)
    if name == "slope":
        cell = np.full(side, PIXEL), np.full(side, PIXEL)
        return horn(made_up("elevation", side), cell)
    if name in SHARES:
        low, high = SHARES[name]
        return low + (high - low) * rough(generator, side)
    if name == "clay":
        return 100.0 - made_up("sand", side) - made_up("silt", side)
    if name == "soil_group":
        return generator.integers(1, 5, (side, side)).astype(np.float64)
    low, high = variables()[name].usual
    return low + (high - low) * (0.2 + 0.4 * rough(generator, side))


def rough(generator: np.random.Generator, side: int) -> Array:
    """A rough surface within 0 and 1: noise whose amplitude falls with its wave number squared."""
    waves = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    waves[0, 0] = np.inf
    noise = np.fft.rfft2(generator.standard_normal((side, side)))
    surface = np.fft.irfft2(noise / waves**2, (side, side))
    return np.asarray((surface - surface.min()) / np.ptp(surface))


def step_of(name: str, number: int, steps: int, side: int) -> NDArray[np.int16]:
    """Stored integers of one step of a series, in cells of WEATHER pixels."""
    generator = np.random.default_rng([SEED, number, *name.encode()])
    cells = -(-side // WEATHER), -(-side // WEATHER)
    if name == "daily_precipitation":
        values = generator.gamma(*RAIN, cells) * (generator.random() < RAINY_DAYS)
    else:
        mean, swing, noise = DAILY[name]
        summer = -np.cos(2 * np.pi * (number + 0.5) / steps)
        values = mean + swing * summer + generator.uniform(-noise, noise, cells)
    stored = np.rint(values / STORED).astype(np.int16)
    return stored.repeat(WEATHER, 0).repeat(WEATHER, 1)[:side, :side]


def write(path: Path, name: str, side: int, steps: int) -> None:
    """File of a raw layer or a series, if it is not there."""
    if path.exists():
        return
    profile = {"driver": "GTiff", "height": side, "width": side, "count": steps, "crs": CRS}
    profile |= {"transform": from_origin(WEST, NORTH, PIXEL, PIXEL), "compress": "deflate"}
    profile |= {"dtype": "int16" if steps > 1 else "float32", "zlevel": 1, "BIGTIFF": "IF_SAFER"}
    with rasterio.open(path, "w", **profile) as file:
        for number in range(steps):
            if steps > 1:
                file.write(step_of(name, number, steps, side), number + 1)
            else:
                file.write(made_up(name, side).astype(np.float32), 1)


def write_land(folder: Path, side: int) -> None:
    """Land cover and the one county around it."""
    ecosystem, county = folder / "ecosystem.tif", folder / "county.gpkg"
    if county.exists():
        return
    patches = np.random.default_rng(SEED).choice(CLASSES, (-(-side // 8), -(-side // 8)))
    codes = np.kron(patches, np.ones((8, 8), np.int64))[:side, :side].astype(np.uint8)
    profile = {"driver": "GTiff", "height": side, "width": side, "count": 1, "dtype": "uint8"}
    profile |= {"crs": CRS, "transform": from_origin(WEST, NORTH, PIXEL, PIXEL), "nodata": 0}
    with rasterio.open(ecosystem, "w", **profile) as file:
        file.write(codes, 1)
    box = shapely.box(WEST, NORTH - PIXEL * side, WEST + PIXEL * side, NORTH)
    frame = geopandas.GeoDataFrame({"code": ["360999"], "name": ["x"]}, geometry=[box], crs=CRS)
    frame.to_file(county)


def account(folder: Path, one: Preparation, side: int) -> Path:
    """gep.toml of an account that can make the raster by this method only."""
    folder.mkdir(parents=True, exist_ok=True)
    write_land(folder, side)
    counts = dict.fromkeys(one.rasters, 1)
    counts |= {name: steps_of(series, YEAR) for name, series in one.series.items()}
    lines = [f'[account]\nname = "x"\nyear = {YEAR}\nprofile = "jiangxi-2021"\n']
    lines += ['[counties]\nfile = "county.gpkg"\ncode = "code"\nname = "name"\n']
    lines += ['[rasters.ecosystem]\nfile = "ecosystem.tif"\nlegend = "clcd"\n']
    for name, steps in counts.items():
        write(folder / f"{name}.tif", name, side, steps)
        section = f'[rasters.{name}]\nfile = "{name}.tif"\nunit = "{variables()[name].unit}"\n'
        lines.append(section + (f"scale = {STORED}\n" if steps > 1 else ""))
    lines.append(f'[preparations.{one.name}]\nmethod = "{one.method}"\n')
    given = {name: GIVEN[name] for name in one.coefficients if name in GIVEN}
    said = ", ".join(f"{name} = {number}" for name, number in given.items())
    lines.append(f"parameters = {{ {said} }}\n" if said else "")
    path = folder / f"{one.name}-{one.method}.toml"
    path.write_text("\n".join(lines), "utf8")
    return path


def measure(warm: Path, path: Path, raster: str) -> Cost:
    """What making the raster of an account takes in this process, once another has been made."""
    make(warm, raster)
    return make(path, raster)


def make(path: Path, raster: str) -> Cost:
    """Make the raster of an account in this process, into a folder that goes away."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        definition = gep.open(path).definition
        output = definition.output.model_copy(update={"prepared": folder})
        definition = definition.model_copy(update={"output": output})
        made, problems = plan.make(definition, path.parent)
        if made is None or made.preparing is None:
            raise SystemExit("\n".join(problem.text() for problem in problems))
        made.preparing.need(raster)
        steps = made.preparing.todo([raster])
        if [step.name for step in steps] != [raster]:
            raise SystemExit(f"{raster} would be made by {len(steps)} steps, not by one")
        before, start = peak(), time.process_time()
        prepared.make(made, steps)
        return Cost(time.process_time() - start, before, peak())


def peak() -> int:
    """Most memory this program has had resident [bytes].

    On Linux by its own mark: what getrusage says there begins with that of the parent process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(li for li in status.read_text("utf8").splitlines() if li.startswith("VmHWM"))
        return 1024 * int(line.split()[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def apart(warm: Path, path: Path, raster: str) -> Cost:
    """`measure` in a process of its own."""
    words = [sys.executable, __file__, "--one", str(warm), str(path), raster]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{path.stem}: {done.stderr or done.stdout}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def row(one: Preparation, side: int, costs: list[Cost]) -> dict[str, Any]:
    """Result of one method: the least time, the largest growth.

    Code compiled before, since somebody has changed it, hides a part of the growth, adds to none.
    """
    pixels = side * side
    growth = max(cost.peak - cost.before for cost in costs)
    return {
        "raster": one.name,
        "method": one.method,
        "pixels": pixels,
        "runs": len(costs),
        "nanoseconds_per_pixel": round(min(cost.seconds for cost in costs) * 1e9 / pixels, 1),
        "bytes_per_pixel": round(growth / pixels, 1),
        "peak_megabytes": round(min(cost.peak for cost in costs) / 1e6, 1),
    }


def machine() -> dict[str, Any]:
    """Machine and versions, without a name or a path."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf8").splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    names = ("gep", "numpy", "numba", "rasterio")
    return {
        "processors": os.cpu_count(),
        "model": models[0] if models else platform.processor(),
        "python": platform.python_version(),
        **{name: version(name) for name in names},
    }


def run(folder: Path, names: list[str], side: int = SIDE, repeats: int = REPEATS) -> dict[str, Any]:
    """Measure every registered preparation, or those of the rasters named."""
    stored = json.loads(RESULTS.read_text("utf8"))["rows"] if names else []
    known = {(row["raster"], row["method"]): row for row in stored}
    rows = []
    for one in preparations().values():
        if names and one.name not in names:
            rows += [known[one.key]] if one.key in known else []
            continue
        warm, path = account(folder / "warm", one, WARM), account(folder, one, side)
        apart(warm, warm, one.name)  # compiles
        costs: list[Cost] = []
        while len(costs) < repeats and sum(cost.seconds for cost in costs) < ENOUGH:
            costs.append(apart(warm, path, one.name))
        rows.append(row(one, side, costs))
        sys.stderr.write(f"{json.dumps(rows[-1])}\n")
    return {"machine": machine(), "repeats": repeats, "year": YEAR, "rows": rows}


def main(words: list[str]) -> None:
    """Measure one, for `apart`, or all."""
    if words[:1] == ["--one"]:
        sys.stdout.write(f"{json.dumps(vars(measure(Path(words[1]), Path(words[2]), words[3])))}\n")
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(words[0] if words else temporary)
        RESULTS.write_text(f"{json.dumps(run(folder, words[1:]), indent=1)}\n", "utf8")


if __name__ == "__main__":
    main(sys.argv[1:])
