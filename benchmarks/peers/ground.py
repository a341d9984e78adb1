"""Slope and routing: ours beside InVEST's, and what the difference does to LS and to the soil."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from apart import Array, apart
from landscapes import read
from ours import SINGLE, SQUARE_METRES_PER_HECTARE, Row, Side, erosion, on_file

from gep.preparation import preparations
from gep.terrain import area_above, flow

D8 = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
"""Directions of pygeoprocessing 0 to 7: rows down, columns right."""

OTHER_FORMULAS = {
    "desmet_govers": (
        "the area itself where InVEST takes its root, at most 122 m squared; x of the aspect where "
        "InVEST takes the slope"
    ),
    "segmented": "length of the slope instead of area above, another S and m (HJ 1173 family)",
}


@dataclass(frozen=True)
class Ground:
    """Elevation as InVEST masked it, and what our routing makes of it."""

    elevation: Array
    side: float
    cell: tuple[Array, Array]
    slope: Array

    @classmethod
    def of(cls, folder: Path) -> "Ground":
        """Read from the intermediate rasters of SDR with D8."""
        grid = read(folder / "sediment_d8" / "intermediate_outputs" / "masked_dem.tif")
        length = grid.transform.a
        sides = np.full(grid.pixels.shape[0], length)
        slope = preparations()["slope", "horn"].kernel(grid.pixels, (sides, sides))
        return cls(grid.pixels, length, (sides, sides), slope)

    def factor(self, method: str) -> Array:
        """LS of one of our methods, on land everywhere: InVEST knows no water here."""
        preparation = preparations()["slope_factor", method]
        numbers = on_file("slope_factor", preparation.coefficients, land=1.0)
        made: Array = preparation.kernel(
            elevation=self.elevation, slope=self.slope, **numbers, cell=self.cell
        )
        return made

    def inner(self) -> Array:
        """1 where all eight neighbours have an elevation, else NaN."""
        around = np.pad(self.elevation, 1, constant_values=np.nan)
        rows, columns = self.elevation.shape
        whole = self.elevation * 0.0 + 1.0
        for y, x in D8:
            whole = whole + 0.0 * around[1 + y : 1 + y + rows, 1 + x : 1 + x + columns]
        return whole


def terrain(side: Side) -> Iterator[Row]:
    """Our own slope and routing beside InVEST's, and what they do to LS and to the soil kept."""
    ground = Ground.of(side.folder)
    d8 = side.folder / "sediment_d8" / "intermediate_outputs"
    grade, theirs = np.tan(np.radians(ground.slope)) * 100, read(d8 / "slope.tif").pixels
    model, name = "SDR", side.landscape.name
    why = "the border: where a neighbour is missing ours continues the plane, InVEST takes fewer"
    yield side.row("own", model, "slope", "%", why, (grade, theirs))
    inner = ground.inner()
    pair = (grade * inner, theirs * inner)
    yield side.row("own", model, "slope of inner pixels", "%", SINGLE, pair)
    drained = area_above(flow(ground.elevation, ground.cell), ground.cell) + ground.side**2
    factor = ground.factor("invest_sdr")
    hectares = ground.side**2 / SQUARE_METRES_PER_HECTARE
    causes = {
        "D8": "flats and ties of D8, and the slope of the border",
        "MFD": "ours sends water to one neighbour, InVEST to all lower ones",
    }
    for routing, why in causes.items():
        place = side.folder / f"sediment_{routing.lower()}"
        grid = read(place / "intermediate_outputs" / "ls.tif")
        count = read(place / "intermediate_outputs" / "flow_accumulation.tif").pixels
        model, pair = f"SDR, {routing}", (drained, count * ground.side**2)
        yield side.row("own", model, "area drained", "m²", why, pair)
        yield side.row("own", model, "LS", "1", why, (factor, grid.pixels))
        if routing == "D8":
            like = inner * np.where(drained == count * ground.side**2, 1.0, np.nan)
            what = "LS of inner pixels that drain the same area"
            yield side.row("own", model, what, "1", SINGLE, (factor * like, grid.pixels))
        bare, covered = erosion(side, grid, factor)
        kept = apart(bare - covered, read(place / "avoided_erosion.tif").pixels, hectares)
        unit, what = "t/(ha·year)", "avoided erosion"
        yield Row(name, "own", model, what, unit, why, kept, "t/year")
    for method, why in OTHER_FORMULAS.items():
        grid = read(d8 / "ls.tif")
        pair = (ground.factor(method), grid.pixels)
        yield side.row("other", "SDR, D8", f"LS by our `{method}`", "1", why, pair)


def directions(side: Side) -> dict[str, int]:
    """Pixels that D8 drains elsewhere than ours, and whether the rule could say where.

    In a flat no neighbour is lower, in a tie several are equally steep below: there the order in
    which a program looks decides.
    """
    place = side.folder / "sediment_d8" / "intermediate_outputs"
    codes, ground = read(place / "flow_direction.tif").pixels, Ground.of(side.folder)
    ours = flow(ground.elevation, ground.cell)
    filled = read(place / "pit_filled_dem.tif").pixels
    rows, columns = codes.shape
    numbers = np.arange(codes.size).reshape(rows, columns)
    around = np.pad(ours.filled, 1, constant_values=np.nan)
    theirs, falls = np.full(codes.shape, -1), []
    for code, (y, x) in enumerate(D8):
        theirs = np.where(codes == code, numbers + y * columns + x, theirs)
        lower = around[1 + y : 1 + y + rows, 1 + x : 1 + x + columns]
        falls.append((ours.filled - lower) / np.hypot(y, x))
    stacked = np.nan_to_num(np.stack(falls), nan=-np.inf)
    steepest = stacked.max(axis=0)
    there = np.isfinite(ground.elevation)
    differ, flat = there & (theirs != ours.receiver), steepest <= 0.0
    tied = np.isclose(stacked, steepest, rtol=1e-12, atol=0.0).sum(axis=0) > 1
    return {
        "pixels": int(there.sum()),
        "raised": int((there & (ours.filled > ground.elevation)).sum()),
        "filled_otherwise": int((there & (filled != ours.filled)).sum()),
        "elsewhere": int(differ.sum()),
        "flat": int((differ & flat).sum()),
        "tie": int((differ & ~flat & tied).sum()),
        "other": int((differ & ~flat & ~tied).sum()),
    }
