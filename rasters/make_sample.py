"""Make the sample county: a synthetic landscape, its townships and its department tables.

Run it as a script; it writes the folder ``sample`` beside it (or the folder given as argument):

    python rasters/make_sample.py [folder]

Nothing in it is real. The place, the names, the relief and every number are invented; only the
way things hang together is taken from the literature (the formulas stand beside the code).
The same seed gives the same bytes with the same numpy, GDAL and GEOS.
"""

from __future__ import annotations

import csv
import heapq
import os
import sys
from pathlib import Path

os.environ["OGR_CURRENT_DATE"] = "2021-12-31T00:00:00.000Z"  # the only clock in a GeoPackage

import geopandas  # noqa: E402
import numpy as np  # noqa: E402
import pyogrio  # noqa: E402
import rasterio  # noqa: E402
import shapely  # noqa: E402
from rasterio.transform import from_origin  # noqa: E402

SEED = 1402
ROWS, COLS = 420, 480
ARC_SECOND = 1 / 3600
WEST, NORTH = 115.25, 26.375  # both exact in binary
CRS = "EPSG:4490"
YEAR = 2021
DX, DY = 27.74, 30.78  # metres of one arc-second near 26.3 N, for relief only

# GLC_FCS30D codes used
UPLAND, ORCHARD, PADDY = 10, 12, 20
EVERGREEN_BROADLEAF, DECIDUOUS_BROADLEAF, EVERGREEN_NEEDLELEAF, MIXED = 51, 61, 71, 91
SHRUB, GRASS, SWAMP, IMPERVIOUS, BARE, WATER = 120, 130, 181, 190, 200, 210
ECOSYSTEM_NODATA = 250

random = np.random.Generator(np.random.PCG64(SEED))
seasons = np.random.Generator(np.random.PCG64(SEED + 2))  # storms and hot days: a stream of its own


# --- fields ------------------------------------------------------------------------------------


def noise(shape, correlation, slope=2.2, stream=random):
    """Smooth random field with a power-law spectrum: mean 0, standard deviation 1.

    ``correlation`` is the longest wave in pixels, ``slope`` the fall of amplitude with frequency,
    ``stream`` where the random numbers come from.
    """
    rows, cols = shape[0] + correlation, shape[1] + correlation  # so that no edge wraps round
    ky = np.fft.fftfreq(rows)[:, None]
    kx = np.fft.rfftfreq(cols)[None, :]
    amplitude = (kx**2 + ky**2 + (1 / correlation) ** 2) ** (-slope / 2)
    spectrum = np.fft.rfft2(stream.standard_normal((rows, cols))) * amplitude
    field = np.fft.irfft2(spectrum, s=(rows, cols))[: shape[0], : shape[1]]
    return np.round((field - field.mean()) / field.std(), 9)


def smooth(field, sigma):
    """Gaussian mean with mirrored edges."""
    pad = int(4 * sigma) + 1
    padded = np.pad(field.astype(float), pad, mode="reflect")
    ky = np.fft.fftfreq(padded.shape[0])[:, None]
    kx = np.fft.rfftfreq(padded.shape[1])[None, :]
    weight = np.exp(-2 * (np.pi * sigma) ** 2 * (kx**2 + ky**2))
    out = np.fft.irfft2(np.fft.rfft2(padded) * weight, s=padded.shape)
    return np.round(out[pad:-pad, pad:-pad], 9)


def step(x, low, high):
    """Smooth step: 0 below ``low``, 1 above ``high``."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def enlarge(field, rows, cols):
    """Twice the resolution, bilinear between cell centres."""

    def positions(count, size):
        at = np.clip((np.arange(count) + 0.5) / 2 - 0.5, 0, size - 1)
        low = np.minimum(at.astype(int), size - 2)
        return low, at - low

    r, fr = positions(rows, field.shape[0])
    c, fc = positions(cols, field.shape[1])
    fr, fc = fr[:, None], fc[None, :]
    top = field[np.ix_(r, c)] * (1 - fc) + field[np.ix_(r, c + 1)] * fc
    bottom = field[np.ix_(r + 1, c)] * (1 - fc) + field[np.ix_(r + 1, c + 1)] * fc
    return top * (1 - fr) + bottom * fr


# --- drainage ----------------------------------------------------------------------------------

NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


def fill(height, outlets, epsilon=1e-4):
    """Priority flood: every cell drains downhill to an outlet."""
    rows, cols = height.shape
    flat = height.ravel().tolist()
    done = [False] * len(flat)
    heap = []
    for cell in outlets:
        done[cell] = True
        heapq.heappush(heap, (flat[cell], cell))
    while heap:
        level, cell = heapq.heappop(heap)
        row, col = divmod(cell, cols)
        for dr, dc in NEIGHBOURS:
            r, c = row + dr, col + dc
            if 0 <= r < rows and 0 <= c < cols:
                other = r * cols + c
                if not done[other]:
                    done[other] = True
                    if flat[other] <= level:
                        flat[other] = level + epsilon
                    heapq.heappush(heap, (flat[other], other))
    return np.array(flat).reshape(rows, cols)


def receivers(height, dx, dy):
    """Steepest lower neighbour of every cell (itself where there is none) and its distance."""
    rows, cols = height.shape
    cells = np.arange(rows * cols).reshape(rows, cols)
    padded = np.pad(height, 1, constant_values=np.inf)
    best = np.zeros(height.shape)
    to, run = cells.copy(), np.ones(height.shape)
    for dr, dc in NEIGHBOURS:
        distance = float(np.sqrt((dr * dy) ** 2 + (dc * dx) ** 2))
        other = padded[1 + dr : 1 + dr + rows, 1 + dc : 1 + dc + cols]
        with np.errstate(invalid="ignore"):
            fall = (height - other) / distance
        steeper = fall > best
        best = np.where(steeper, fall, best)
        to = np.where(steeper, cells + dr * cols + dc, to)
        run = np.where(steeper, distance, run)
    return to.ravel(), run.ravel()


def accumulate(to, order, own):
    """Sum of ``own`` over everything upstream; ``order`` runs from high to low."""
    total = own.ravel().tolist()
    target = to.tolist()
    for cell in order.tolist():
        if target[cell] != cell:
            total[target[cell]] += total[cell]
    return np.array(total)


def relief():
    """Hills and valleys cut by a stream-power law, on cells of two arc-seconds.

    Implicit solution of dh/dt = U - K A^0.5 S (Braun and Willett 2013) on a wider window; a river
    of 350 km2 enters in the north-east and leaves in the south-west. Gives height, drained area and
    height above the nearest stream on those cells, and the river as points in pixels.
    """
    margin = 16
    rows, cols = ROWS // 2 + 2 * margin, COLS // 2 + 2 * margin
    dx, dy = 2 * DX, 2 * DY
    y, x = np.mgrid[0:rows, 0:cols]
    # the axis of the main valley
    t = y / (rows - 1)
    axis = cols * (0.74 - 0.52 * t + 0.06 * np.sin(2 * np.pi * (1.15 * t + 0.1)))
    off_axis = np.abs(x - axis) * dx / 1000  # km
    bump = noise((rows, cols), 110)
    uplift = 0.10 + 0.9 * step(off_axis, 0.5, 4.6) * (1 + 0.22 * bump)
    uplift = np.clip(uplift, 0.06, None)
    height = 4 * (1 - t) + 10 * step(off_axis, 0.3, 6)
    height += (3 * noise((rows, cols), 40, 1.5) + 1.2 * noise((rows, cols), 8, 0.8)) * step(
        off_axis, 0.1, 1.2
    )
    first, last = int(np.rint(axis[0, 0])), int(np.rint(axis[-1, 0]))
    outlet = (rows - 1) * cols + last
    own = np.full(rows * cols, dx * dy)
    own[first] += 350e6
    steps = 110
    for number in range(steps):
        height = fill(height, [outlet])
        to, run = receivers(height, dx, dy)
        order = np.argsort(-height.ravel(), kind="stable")
        area = accumulate(to, order, own)
        factor = (110.0 * np.sqrt(area / 1e6) / run).tolist()
        new = (height + 0.6 * uplift).ravel().tolist()
        new[outlet] = 0.0
        target = to.tolist()
        for cell in order[::-1].tolist():
            lower = target[cell]
            if lower != cell:
                new[cell] = (new[cell] + factor[cell] * new[lower]) / (1 + factor[cell])
        height = np.array(new).reshape(rows, cols)
        height += 0.10 * (smooth(height, 1.0) - height)  # creep of the slopes
        if number < steps - 12:  # storms: keeps the streams from running straight along the grid
            height += 0.10 * random.standard_normal((rows, cols)) * step(off_axis, 0.1, 1.2)
    height = fill(height, [outlet])
    to, run = receivers(height, dx, dy)
    order = np.argsort(-height.ravel(), kind="stable")
    area = accumulate(to, order, own).reshape(rows, cols)
    high = np.quantile(height, 0.995)
    height = height * (540 / high)
    # height above the stream that drains the cell, and the flat floors that go with it
    stream = area >= 0.6e6
    base = height.ravel().copy()
    target, flat, is_stream = to.tolist(), base.tolist(), stream.ravel().tolist()
    for cell in order[::-1].tolist():
        if not is_stream[cell] and target[cell] != cell:
            flat[cell] = flat[target[cell]]
    base = np.array(flat).reshape(rows, cols)
    above = np.maximum(height - base, 0)
    above = above * above / (above + 14)  # floors of the valleys, filled with sediment
    height = smooth(base + above, 0.6)
    inside = (slice(margin, -margin), slice(margin, -margin))
    # the trunk as a line of points in full-resolution pixels
    cell, trunk = first, []
    while target[cell] != cell:
        row, col = divmod(cell, cols)
        trunk.append((2 * (row - margin) + 1.0, 2 * (col - margin) + 1.0))
        cell = target[cell]
    return height[inside], area[inside], above[inside], np.array(trunk)


def distance_to_line(line):
    """Metres from every pixel to a line of (row, column) points."""
    y, x = (np.mgrid[0:ROWS, 0:COLS] + 0.5) * np.array([DY, DX])[:, None, None]
    best = np.full((ROWS, COLS), np.inf)
    points = line * np.array([DY, DX])
    for (ay, ax), (by, bx) in zip(points[:-1], points[1:], strict=True):
        vy, vx = by - ay, bx - ax
        length = vy * vy + vx * vx
        if length == 0:
            continue
        t = np.clip(((y - ay) * vy + (x - ax) * vx) / length, 0, 1)
        best = np.minimum(best, (y - ay - t * vy) ** 2 + (x - ax - t * vx) ** 2)
    return np.sqrt(best)


def running_mean(line, half):
    """Points of a line, each the mean of its neighbours within ``half`` on both sides."""
    padded = np.concatenate([line[:1].repeat(half, 0), line, line[-1:].repeat(half, 0)])
    window = 2 * half + 1
    total = np.cumsum(np.concatenate([np.zeros((1, 2)), padded]), axis=0)
    return (total[window:] - total[:-window]) / window


def reservoir(height, area, depth):
    """Pixels a dam would flood: where 0.5 to 1.1 km2 need the shortest wall."""
    rows, cols = height.shape
    filled = fill(height, border(rows, cols))
    to, _ = receivers(filled, DX, DY)
    order = np.argsort(-filled.ravel(), kind="stable")
    wide = np.repeat(np.repeat(area, 2, 0), 2, 1)
    own = np.ones(rows * cols)
    upstream = accumulate(to, order, own) * DX * DY
    target = to.tolist()
    rank = np.empty(rows * cols, int)
    rank[order] = np.arange(rows * cols)
    y, x = np.mgrid[0:rows, 0:cols]
    window = (y > 60) & (y < rows - 110) & (x > 0.60 * cols) & (x < cols - 90)
    candidates = np.flatnonzero(
        (upstream > 2.5e6) & (upstream < 16e6) & (wide.ravel() < 60e6) & window.ravel()
    )
    shortest, chosen, surface = np.inf, None, 0.0
    for dam in candidates[::3].tolist():
        level = filled.flat[dam] + depth
        lake = np.zeros(rows * cols, bool)
        lake[dam] = True
        for cell in order[: rank[dam]][::-1].tolist():  # from the dam upwards
            if lake[target[cell]] and filled.flat[cell] < level:
                lake[cell] = True
        lake = lake.reshape(rows, cols)
        size = lake.sum() * DX * DY / 1e6
        rim = (smooth(lake, 0.7) > 0.05) & ~lake & (filled < level)  # where a wall is needed
        if 0.5 < size < 1.1 and rim.sum() < shortest:
            shortest, chosen, surface = rim.sum(), lake, level
    return chosen, surface


def border(rows, cols):
    """Cells along the edge of the window."""
    cells = np.arange(rows * cols).reshape(rows, cols)
    return np.unique(np.concatenate([cells[0], cells[-1], cells[:, 0], cells[:, -1]])).tolist()


def gradient(height):
    """Slope in degrees and northness (1 = facing north)."""
    padded = np.pad(height, 1, mode="edge")
    east = (padded[1:-1, 2:] - padded[1:-1, :-2]) / (2 * DX)
    north = (padded[:-2, 1:-1] - padded[2:, 1:-1]) / (2 * DY)
    steep = np.sqrt(east**2 + north**2)
    return np.degrees(np.arctan(steep)), -north / np.maximum(steep, 1e-6)


def slope_lengths(height, slope):
    """Horizontal slope length in metres along the flow, cut at breaks and channels, at most 100."""
    rows, cols = height.shape
    filled = fill(height, border(rows, cols))
    to, run = receivers(filled, DX, DY)
    order = np.argsort(-filled.ravel(), kind="stable")
    cells = accumulate(to, order, np.ones(rows * cols)).tolist()
    length = [15.0] * (rows * cols)
    steep = slope.ravel().tolist()
    target, distance = to.tolist(), run.tolist()
    for cell in order.tolist():
        lower = target[cell]
        if lower == cell or cells[cell] > 80 or steep[lower] < 0.5 * steep[cell]:
            continue
        length[lower] = max(length[lower], min(length[cell] + distance[cell], 100.0))
    return np.array(length).reshape(rows, cols)


# --- land cover --------------------------------------------------------------------------------


def majority(classes, fixed):
    """One pass of a 3 x 3 majority; pixels in ``fixed`` stay as they are."""
    codes = np.unique(classes)
    padded = np.pad(classes, 1, mode="edge")
    votes = np.zeros((len(codes), *classes.shape))
    for index, code in enumerate(codes):
        same = (padded == code).astype(float)
        for dr in range(3):
            for dc in range(3):
                votes[index] += same[dr : dr + ROWS, dc : dc + COLS]
        votes[index] += 0.5 * (classes == code)
    return np.where(fixed, classes, codes[votes.argmax(axis=0)])


def blobs(centres, radii, roughness):
    """Settlements: discs with ragged rims; centres as (row, column)."""
    y, x = np.mgrid[0:ROWS, 0:COLS]
    out = np.zeros((ROWS, COLS), bool)
    for (row, col), radius in zip(centres, radii, strict=True):
        away = np.hypot((y - row) * DY, (x - col) * DX)
        out |= away < radius * (1 + 0.45 * roughness)
    return out


def spaced(candidates, count, gap):
    """Random pixels of a mask with at least ``gap`` metres between them."""
    cells = np.argwhere(candidates)
    cells = cells[random.permutation(len(cells))]
    chosen = []
    for row, col in cells.tolist():
        if all(np.hypot((row - r) * DY, (col - c) * DX) >= gap for r, c in chosen):
            chosen.append((row, col))
        if len(chosen) == count:
            break
    return chosen


def land_cover(height, slope, northness, above, river, lake, surface):
    """GLC_FCS30D code of every pixel: woods, fields, people, water, in this order."""
    shape = (ROWS, COLS)
    patch, wood, second, farm, fruit, town_rim = (
        noise(shape, size, fall)
        for size, fall in ((45, 1.7), (60, 1.5), (40, 1.4), (35, 1.6), (50, 1.8), (24, 1.4))
    )
    hollow = step(smooth(height, 7) - height, -6, 14)  # 1 in hollows, 0 on spurs
    # woods: which kind scores highest
    broad = 0.75 * hollow + 0.4 * northness + 1.3 * step(height, 200, 430) + 0.75 * wood
    needle = 1.45 - 1.5 * step(height, 200, 450) - 0.35 * northness + 0.75 * second
    mixed = 0.95 + 0.6 * noise(shape, 40, 1.5)
    leafless = -1.3 + 2.6 * step(height, 440, 620) + 0.6 * noise(shape, 40, 1.5)
    kinds = np.array([EVERGREEN_BROADLEAF, EVERGREEN_NEEDLELEAF, MIXED, DECIDUOUS_BROADLEAF])
    cover = kinds[np.argmax(np.stack([broad, needle, mixed, leafless]), axis=0)]
    cover[(patch > 1.3) & (above > 14)] = SHRUB
    cover[(patch < -1.8) & (above > 30)] = GRASS
    cover[(height > 430) & (hollow < 0.3) & (patch < -0.3)] = GRASS
    cover[(above < 90) & (above > 7) & (slope < 19) & (height < 360) & (fruit > 0.85)] = ORCHARD
    cover[(above < 30) & (slope < 10) & (height < 420) & (farm > 0.25)] = UPLAND
    floor = (above < 7 + 2.5 * farm) & (slope < 5.5) & (height < 430)
    terraces = (above < 18) & (slope < 9) & (height < 400) & (farm < -0.7)
    cover[floor | terraces] = PADDY
    cover = majority(majority(cover, np.zeros(shape, bool)), np.zeros(shape, bool))
    # people
    dry = (river > 110) & ~lake
    town = blobs([(216, 196), (196, 212), (231, 178)], [620, 430, 330], town_rim)
    town &= (above < 45) & (slope < 11)
    sites = (above > 3) & (above < 22) & (slope < 8) & dry
    near_paddy = smooth(cover == PADDY, 5) > 0.25
    centres = spaced(sites & near_paddy, 44, 620)
    villages = blobs(centres, random.uniform(55, 125, len(centres)), town_rim) & (slope < 13)
    cover[town | villages] = IMPERVIOUS
    quarry = spaced((above > 40) & (slope > 12) & (height < 380) & (river > 700), 2, 3000)
    cover[blobs(quarry, [95, 75], town_rim)] = BARE
    # water
    cover[river < 46 + 12 * town_rim] = WATER
    ponds = spaced((cover == PADDY) & (river > 250), 26, 500)
    cover[blobs(ponds, random.uniform(28, 62, len(ponds)), town_rim)] = WATER
    cover[lake] = WATER
    shore = (smooth(lake, 2.0) > 0.02) & ~lake & (height < surface + 2.5) & (slope < 9)
    oxbow = (np.abs(river - 150) < 55) & (above < 5) & (patch > 0.85)
    cover[(shore | oxbow) & ~town & ~villages] = SWAMP
    return cover.astype(np.uint8)


# --- townships ---------------------------------------------------------------------------------


def warp(points):
    """Bend the plane smoothly; its gradient stays below 1, so nothing can cross."""
    x, y = points[:, 0].copy(), points[:, 1].copy()
    waves = np.random.Generator(np.random.PCG64(SEED + 1))
    out = points.copy()
    for wavelength, gradient_share in (
        (0.70, 0.42),
        (0.30, 0.42),
        (0.13, 0.40),
        (0.055, 0.48),
        (0.026, 0.46),
    ):
        for _ in range(4):
            angle, phase_x, phase_y = waves.uniform(0, 2 * np.pi, 3)
            k = 2 * np.pi / wavelength
            along = k * (np.cos(angle) * x + np.sin(angle) * y)
            size = gradient_share / (4 * k)
            out[:, 0] += 1.4 * size * np.sin(along + phase_x)
            out[:, 1] += 1.4 * size * np.sin(along + phase_y)
    return out


def townships():
    """Four townships and an enclave between two of them, built from shared lines."""

    def outer(degrees):
        a = np.radians(degrees)
        reach = 0.43 * (1 + 0.05 * np.sin(2 * a + 4.2) + 0.06 * np.sin(3 * a + 0.6))
        return 0.515 + 1.04 * reach * np.cos(a), 0.5 - reach * np.sin(a)

    def bow(*degrees):
        return [outer(d) for d in np.linspace(degrees[0], degrees[1], 24)]

    west_fork, east_fork = (0.43, 0.37), (0.60, 0.66)
    gate_north, gate_south = (0.500, 0.482), (0.522, 0.523)
    lines = {  # name: corner points in shares of the window, x right, y down
        "north": bow(52, 163),
        "west": bow(163, 236),
        "south": bow(236, 327),
        "east": bow(327, 412),
        "north_west": [outer(163), (0.24, 0.41), west_fork],
        "north_east": [west_fork, (0.58, 0.30), outer(52)],
        "upper": [west_fork, gate_north],
        "state_farm_west": [gate_north, (0.487, 0.489), (0.482, 0.512), (0.500, 0.516), gate_south],
        "state_farm_east": [gate_north, (0.518, 0.476), (0.538, 0.492), (0.534, 0.515), gate_south],
        "lower": [gate_south, east_fork],
        "south_west": [outer(236), (0.42, 0.72), east_fork],
        "south_east": [east_fork, (0.78, 0.68), outer(327)],
    }
    arcs = {}
    for name, corners in lines.items():
        dense = []
        for (ax, ay), (bx, by) in zip(corners[:-1], corners[1:], strict=True):
            pieces = max(2, int(np.ceil(np.hypot(bx - ax, by - ay) / 0.006)))
            for i in range(pieces):
                dense.append((ax + (bx - ax) * i / pieces, ay + (by - ay) * i / pieces))
        dense.append(corners[-1])
        bent = warp(np.array(dense))
        lon = np.round(WEST + bent[:, 0] * COLS * ARC_SECOND, 7)
        lat = np.round(NORTH - bent[:, 1] * ROWS * ARC_SECOND, 7)
        arcs[name] = list(zip(lon.tolist(), lat.tolist(), strict=True))

    def ring(*names):
        points = []
        for name in names:
            arc = arcs[name.lstrip("-")]
            arc = arc[::-1] if name.startswith("-") else arc
            if points and points[-1] != arc[0]:
                raise AssertionError(f"{name} does not start where the line before it ends")
            points += arc[1:] if points else arc
        return shapely.orient_polygons(shapely.Polygon(points))

    shapes = [
        ring("west", "south_west", "-lower", "-state_farm_west", "-upper", "-north_west"),
        ring("north", "north_west", "north_east"),
        ring("upper", "state_farm_east", "lower", "south_east", "east", "-north_east"),
        ring("south", "-south_east", "-south_west"),
    ]
    frame = geopandas.GeoDataFrame(
        {
            "code": ["999901", "999902", "999903", "999904"],
            "name": ["青溪镇", "云岭乡", "稻香镇", "石门乡"],
            "city_code": "999900",
            "city_name": "样例县",
        },
        geometry=[shapely.MultiPolygon([shape]) for shape in shapes],
        crs=CRS,
    )
    assert frame.is_valid.all()
    assert shapely.coverage_is_valid(frame.geometry.values)
    return frame


# --- layers ------------------------------------------------------------------------------------


def layers():
    """All layers with unit, dtype, scale, nodata and holes; and the relief behind them."""
    low, area, above, trunk = relief()
    height = enlarge(low, ROWS, COLS)
    above = enlarge(above, ROWS, COLS)
    fine = noise((ROWS, COLS), 14, 1.8)
    height = height + 2.2 * fine * step(above, 6, 60)
    height = 118 + np.maximum(height - height.min(), 0)
    river = distance_to_line(running_mean(trunk, 3))
    lake, surface = reservoir(height, area, 30.0)
    height = np.where(lake, surface, height)
    slope, northness = gradient(height)
    cover = land_cover(height, slope, northness, above, river, lake, surface)

    def by_class(values, default=0.0):
        out = np.full((ROWS, COLS), float(default))
        for code, value in values.items():
            out[cover == code] = value
        return out

    # climate: some 60 mm more and 0.55 degrees less per 100 m; wetter towards the north-west
    y, x = np.mgrid[0:ROWS, 0:COLS]
    broad = smooth(height, 22)
    region = noise((ROWS, COLS), 300, 3.0)
    rain = 1490 + 0.42 * (broad - 120) + 26 * region + 40 * (0.5 - y / ROWS) - 30 * (x / COLS - 0.5)
    warmth = 19.2 - 0.0055 * (height - 120)

    # cover of the ground by plants (share), from class and a patchy field
    lush = 0.6 * noise((ROWS, COLS), 50, 2.0) + 0.4 * noise((ROWS, COLS), 12, 1.8)
    green = by_class(
        {
            EVERGREEN_BROADLEAF: 0.88, DECIDUOUS_BROADLEAF: 0.80, EVERGREEN_NEEDLELEAF: 0.74,
            MIXED: 0.81, SHRUB: 0.62, GRASS: 0.55, ORCHARD: 0.52, PADDY: 0.58, UPLAND: 0.40,
            SWAMP: 0.6, IMPERVIOUS: 0.12, BARE: 0.05,
        }
    )  # fmt: skip
    spread = by_class({EVERGREEN_NEEDLELEAF: 0.09, UPLAND: 0.12, ORCHARD: 0.11, GRASS: 0.1}, 0.06)
    green = np.where(cover == WATER, 0, np.clip(green + spread * lush, 0.03, 0.97))

    # evapotranspiration, mm: class level, warmth, cover; irrigated paddies near the river use more
    evaporation = by_class(
        {
            EVERGREEN_BROADLEAF: 822, DECIDUOUS_BROADLEAF: 742, EVERGREEN_NEEDLELEAF: 764,
            MIXED: 790, SHRUB: 690, GRASS: 604, ORCHARD: 700, PADDY: 812, UPLAND: 628,
            SWAMP: 930, IMPERVIOUS: 330, BARE: 250, WATER: 1060,
        }
    )  # fmt: skip
    evaporation += 14 * (warmth - 18) + 180 * (green - smooth(green, 15)) + 0.10 * (rain - 1560)
    evaporation += np.where(cover == PADDY, 150 * step(700 - river, 0, 600), 0)
    evaporation += 18 * noise((ROWS, COLS), 90, 2.6)

    # net primary production, gC/m2, and net ecosystem production = NPP - Rh
    npp = by_class(
        {
            EVERGREEN_BROADLEAF: 742, DECIDUOUS_BROADLEAF: 640, EVERGREEN_NEEDLELEAF: 640,
            MIXED: 690, SHRUB: 520, GRASS: 430, ORCHARD: 575, PADDY: 610, UPLAND: 455,
            SWAMP: 560, IMPERVIOUS: 70, BARE: 30,
        }
    )  # fmt: skip
    npp = npp * (1 + 0.55 * (green - smooth(green, 25)) + 0.028 * (warmth - 18))
    npp = npp * (1 + 0.00022 * (rain - 1600)) + np.where(npp > 100, 26, 2) * noise(
        (ROWS, COLS), 60, 2.4
    )
    npp = np.where(cover == WATER, 0, np.maximum(npp, 0))
    # Rh = sum over months of 0.22 (exp(0.0913 T) + ln(0.3145 P + 1)) 30 x 46.5 % (soil respiration
    # regression with 30-day months as printed in the script that has it)
    departure = np.array([6, 8, 12, 18, 23, 26, 29, 28.5, 25, 20, 14, 8])
    departure = departure - departure.mean()
    share = np.array([75, 110, 180, 220, 240, 280, 150, 130, 85, 60, 75, 50])
    share = share / share.sum()
    respiration = np.zeros((ROWS, COLS))
    for degrees, part in zip(departure.tolist(), share.tolist(), strict=True):
        month = np.exp(0.0913 * (warmth + degrees)) + np.log(0.3145 * rain * part + 1)
        respiration += 0.22 * month * 30 * 0.465
    respiration *= 1 + 0.05 * noise((ROWS, COLS), 40, 2.0)
    respiration = np.where(np.isin(cover, (WATER, IMPERVIOUS, BARE)), npp, respiration)
    nep = npp - respiration

    # R, Renard and Freimund for P > 850 mm: 587.8 - 1.219 P + 0.004105 P^2, MJ mm/(ha h a)
    erosivity = 587.8 - 1.219 * rain + 0.004105 * rain**2

    # K by soil unit, t ha h/(ha MJ mm): alluvial and paddy soils, red soils on shale, sandstone and
    # granite, yellow soils above 400 m; 0 on water, impervious and bare ground
    rock = noise((ROWS, COLS), 120, 2.2)
    erodibility = np.select(
        [above < 8, height > 400, rock > 0.75, rock > 0.0, rock > -0.8],
        [0.01587, 0.01063, 0.01492, 0.01370, 0.01264],
        0.01158,
    )
    erodibility = np.where(np.isin(cover, (WATER, IMPERVIOUS, BARE)), 0, erodibility)

    # L S: S = 10.8 sin + 0.03 (below 5 degrees), 16.8 sin - 0.50 (5 to 10), 21.91 sin - 0.96
    # (from 10 on, slope capped at 30); L = (length / 22.13)^m with m = 0.2 (up to 1 degree),
    # 0.3 (up to 3), 0.4 (up to 5), 0.5 (above); slope length along the flow, at most 100 m
    capped = np.minimum(slope, 30)
    sine = np.sin(np.radians(capped))
    steepness = np.where(
        capped < 5,
        10.8 * sine + 0.03,
        np.where(capped < 10, 16.8 * sine - 0.50, 21.91 * sine - 0.96),
    )
    exponent = np.select([slope <= 1, slope <= 3, slope <= 5], [0.2, 0.3, 0.4], 0.5)
    slope_factor = steepness * (slope_lengths(height, slope) / 22.13) ** exponent
    slope_factor = np.where(cover == WATER, 0, slope_factor)

    # C by class and ground cover in per cent (<10, 10-30, 30-50, 50-70, 70-90, >90)
    bounds = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    band = np.digitize(green, bounds)
    tables = {
        (EVERGREEN_BROADLEAF, DECIDUOUS_BROADLEAF, EVERGREEN_NEEDLELEAF, MIXED): (
            0.10, 0.08, 0.06, 0.02, 0.004, 0.001,
        ),
        (SHRUB,): (0.40, 0.22, 0.14, 0.085, 0.040, 0.011),
        (GRASS,): (0.45, 0.24, 0.15, 0.09, 0.043, 0.011),
        (ORCHARD,): (0.42, 0.23, 0.14, 0.089, 0.042, 0.011),
        (PADDY, SWAMP, WATER): (0, 0, 0, 0, 0, 0),
        (IMPERVIOUS,): (0.01, 0.01, 0.01, 0.01, 0.01, 0.01),
        (BARE,): (0.7, 0.7, 0.7, 0.7, 0.7, 0.7),
    }  # fmt: skip
    cover_factor = np.zeros((ROWS, COLS))
    for codes, values in tables.items():
        here = np.isin(cover, codes)
        cover_factor[here] = np.array(values)[band[here]]
    field = np.round(np.clip(green, 0.05, 1), 2)
    cover_factor = np.where(cover == UPLAND, 0.221 - 0.595 * np.log10(field), cover_factor)

    # P of upland and orchard by slope class; paddy 0.1; 1 elsewhere
    practice = np.select(
        [slope < 5, slope < 10, slope < 15, slope < 20, slope < 25],
        [0.100, 0.221, 0.305, 0.575, 0.705],
        0.800,
    )
    support = np.where(np.isin(cover, (UPLAND, ORCHARD)), practice, 1.0)
    support = np.where(cover == PADDY, 0.1, support)

    # holes: a cloud, a few lost pixels, a few unclassified ones
    cloud = np.hypot((y - 92) * DY, (x - 236) * DX) < 390 * (1 + 0.35 * fine)
    lost = np.zeros((ROWS, COLS), bool)
    lost.flat[random.choice(ROWS * COLS, 60, replace=False)] = True
    unclassified = np.zeros((ROWS, COLS), bool)
    unclassified.flat[random.choice(ROWS * COLS, 150, replace=False)] = True
    unclassified |= np.hypot((y - 330) * DY, (x - 190) * DX) < 110

    made = {
        # name: (values, unit, dtype, scale, nodata, holes)
        "ecosystem": (cover, "", "uint8", None, ECOSYSTEM_NODATA, unclassified),
        "precipitation": (rain, "mm/year", "uint16", 0.1, 65535, None),
        "evapotranspiration": (evaporation, "mm/year", "uint16", 0.5, 65535, cloud),
        "erosivity": (erosivity, "MJ*mm/(ha*h*year)", "uint16", 1.0, 65535, None),
        "erodibility": (erodibility, "t*ha*h/(ha*MJ*mm)", "uint16", 0.00001, 65535, None),
        "slope_factor": (slope_factor, "1", "uint16", 0.1, 65535, None),
        "cover_factor": (cover_factor, "1", "uint16", 0.0001, 65535, None),
        "support_factor": (support, "1", "uint16", 0.001, 65535, None),
        "net_ecosystem_production": (nep, "gC/(m^2*year)", "int16", 0.5, -32768, lost),
        "net_primary_production": (npp, "gC/(m^2*year)", "uint16", 1.0, 65535, None),
    }
    made |= seasonal(cover, height, rain, evaporation)
    return made, {"height": height, "slope": slope, "warmth": warmth, "above": above}


# mean depth of the rain of every day with a storm, mm
STORMS = (58, 74, 92, 66, 108)
# forest: runoff of one storm of x mm = a ln x - b mm; the regressions of the technical guide of
# 2020 as remembered, not checked
FOREST_RUNOFF = {
    EVERGREEN_BROADLEAF: (7.5877, 22.667),
    EVERGREEN_NEEDLELEAF: (13.36, 45.257),
    MIXED: (2.264, 6.7516),
    DECIDUOUS_BROADLEAF: (7.6774, 27.313),
}
# other land: curve numbers of the size that handbooks give, nothing more
CURVE_NUMBERS = {
    SHRUB: 66, GRASS: 70, ORCHARD: 72, UPLAND: 77, PADDY: 82, SWAMP: 90, BARE: 88,
    IMPERVIOUS: 94, WATER: 100,
}  # fmt: skip


def storm_runoff(cover, storm):
    """What runs off at once from the rain of one storm, mm; never more than the rain.

    Forest by regression on the rain; other land by the curve number CN (SCS):
    S = 25400 / CN - 254, R = (P - 0.2 S)^2 / (P + 0.8 S) where P > 0.2 S, else 0.
    """
    runoff = np.zeros((ROWS, COLS))
    for code, (a, b) in FOREST_RUNOFF.items():
        here = cover == code
        runoff[here] = a * np.log(np.maximum(storm[here], 1)) - b
    for code, number in CURVE_NUMBERS.items():
        here, keeps = cover == code, 25400 / number - 254
        over = np.maximum(storm[here] - 0.2 * keeps, 0)
        runoff[here] = over**2 / (storm[here] + 0.8 * keeps + 1e-9)
    return np.clip(runoff, 0, storm)


def seasonal(cover, height, rain, evaporation):
    """Layers of the storm days and the hot days, with random numbers of their own."""
    # a storm day has 50 mm or more where the pixel is; storms follow the rain of the year and have
    # cells of their own. The sum over the storm days is about a quarter of the rain of the year.
    storm_rain, runoff = np.zeros((ROWS, COLS)), np.zeros((ROWS, COLS))
    for depth in STORMS:
        cells = noise((ROWS, COLS), 160, 2.8, seasons)
        storm = depth * (rain / 1530) * np.exp(0.16 * cells)
        storm = np.where(storm >= 50, storm, 0)
        storm_rain += storm
        runoff += storm_runoff(cover, storm)

    # days with a maximum above 26 degrees: 156 at 100 m, 132 at 400 m, 106 at 700 m
    higher = height - 100
    days = 156 - 0.0785 * higher - 8e-6 * higher**2 + 1.2 * noise((ROWS, COLS), 200, 3.0, seasons)

    # days on which people cool their rooms: when it is hotter still, 76 at 100 m, 26 at 700 m
    cooled = np.maximum(np.rint(days) - 80, 0)

    # evaporation of open water on the hot days: their share of the year, 1.4 times as strong
    warm = evaporation * np.rint(days) / 365 * 1.4
    land = cover != WATER
    return {
        "storm_precipitation": (storm_rain, "mm/year", "uint16", 0.2, 65535, None),
        "storm_runoff": (runoff, "mm/year", "uint16", 0.2, 65535, None),
        "hot_days": (days, "day/year", "uint16", 1.0, 65535, None),
        "air_conditioning_days": (cooled, "day/year", "uint16", 1.0, 65535, None),
        "water_evaporation": (warm, "mm/year", "uint16", 0.5, 65535, land),
    }


TITLES = {
    "ecosystem": "Land cover, GLC_FCS30D codes",
    "precipitation": "Precipitation of the year",
    "evapotranspiration": "Actual evapotranspiration of the year",
    "erosivity": "Rainfall erosivity R",
    "erodibility": "Soil erodibility K",
    "slope_factor": "Slope length and steepness LS",
    "cover_factor": "Cover and management C",
    "support_factor": "Support practice P",
    "net_ecosystem_production": "Net ecosystem production",
    "net_primary_production": "Net primary production",
    "storm_precipitation": "Rain of the storm days (50 mm or more) of the year",
    "storm_runoff": "Runoff of the storm days of the year",
    "air_conditioning_days": "Days on which air conditioners run",
    "hot_days": "Days with a maximum temperature above 26 degrees Celsius",
    "water_evaporation": "Evaporation of open water on the hot days of the year",
}


def write_layer(path, name, values, unit, dtype, scale, nodata, holes):
    """One GeoTIFF of whole numbers; scale and unit stand in the file."""
    numbers = values if scale is None else np.rint(values / scale)
    limits = np.iinfo(dtype)
    assert numbers.min() >= limits.min
    assert numbers.max() <= limits.max
    numbers = numbers.astype(dtype)
    assert not (numbers == nodata).any(), name
    if holes is not None:
        numbers[holes] = nodata
    path.unlink(missing_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", width=COLS, height=ROWS, count=1, dtype=dtype, nodata=nodata,
        crs=CRS, transform=from_origin(WEST, NORTH, ARC_SECOND, ARC_SECOND), tiled=True,
        blockxsize=256, blockysize=256, compress="deflate", predictor=2, zlevel=9,
    ) as dst:  # fmt: skip
        dst.write(numbers, 1)
        dst.set_band_description(1, name)
        dst.update_tags(title=TITLES[name], note="synthetic, not a real place", year=str(YEAR))
        if scale is not None:
            dst.scales = (scale,)
            dst.units = (unit,)


# --- tables ------------------------------------------------------------------------------------

# county_code, product, quantity in t, price in CNY/t, value in CNY; a row has quantity and price,
# or only value. Yields per hectare and prices are of a plausible size, nothing more.
PRODUCTS = (
    ("999901", "稻谷", "8640", "2680", ""),
    ("999901", "脐橙", "4150", "4300", ""),
    ("999901", "蔬菜", "4350", "3150", ""),
    ("999901", "油料", "296.5", "7400", ""),
    ("999901", "花卉苗木", "", "", "6480000"),
    ("999902", "稻谷", "5310", "2720", ""),
    ("999902", "脐橙", "5240", "4450", ""),
    ("999902", "蔬菜", "2870", "3300", ""),
    ("999902", "油料", "188.2", "7650", ""),
    ("999903", "稻谷", "6480", "2650", ""),
    ("999903", "脐橙", "3710", "4180.5", ""),
    ("999903", "蔬菜", "1480", "3080", ""),
    ("999903", "油料", "165.75", "7350", ""),
    ("999904", "稻谷", "3120", "2700", ""),
    ("999904", "脐橙", "4880", "4520", ""),
    ("999904", "蔬菜", "1120", "3240", ""),
    ("999904", "油料", "102.4", "7500", ""),
)

# county_code, group, product, quantity, its unit, price in CNY/t, value in CNY. What is not counted
# by weight (timber, bamboo) has its value in the table, or only that.
OTHER_PRODUCTS = (
    ("999901", "forestry", "木材", "4120", "m^3", "", "3213600"),
    ("999901", "forestry", "油茶籽", "412", "t", "10800", ""),
    ("999901", "forestry", "松脂", "86.5", "t", "9600", ""),
    ("999902", "forestry", "木材", "5360", "m^3", "", "4127200"),
    ("999902", "forestry", "油茶籽", "655", "t", "11200", ""),
    ("999902", "forestry", "松脂", "122.4", "t", "9750", ""),
    ("999903", "forestry", "木材", "7480", "m^3", "", "5834400"),
    ("999903", "forestry", "毛竹", "", "", "", "3860000"),
    ("999903", "forestry", "油茶籽", "530", "t", "11000", ""),
    ("999903", "forestry", "松脂", "148.2", "t", "9700", ""),
    ("999904", "forestry", "木材", "6250", "m^3", "", "4812500"),
    ("999904", "forestry", "毛竹", "", "", "", "5240000"),
    ("999904", "forestry", "油茶籽", "218", "t", "11350", ""),
    ("999901", "animal_husbandry", "猪肉", "2450", "t", "21500", ""),
    ("999901", "animal_husbandry", "禽肉", "860", "t", "17800", ""),
    ("999901", "animal_husbandry", "禽蛋", "540", "t", "10400", ""),
    ("999902", "animal_husbandry", "猪肉", "910", "t", "21800", ""),
    ("999902", "animal_husbandry", "牛肉", "58.6", "t", "68500", ""),
    ("999902", "animal_husbandry", "禽肉", "265", "t", "18600", ""),
    ("999903", "animal_husbandry", "猪肉", "1280", "t", "21600", ""),
    ("999903", "animal_husbandry", "牛肉", "96.2", "t", "67200", ""),
    ("999903", "animal_husbandry", "禽肉", "430", "t", "18100", ""),
    ("999903", "animal_husbandry", "禽蛋", "185", "t", "10650", ""),
    ("999904", "animal_husbandry", "猪肉", "640", "t", "22000", ""),
    ("999904", "animal_husbandry", "牛肉", "44.5", "t", "69800", ""),
    ("999904", "animal_husbandry", "禽肉", "190", "t", "18900", ""),
    ("999904", "animal_husbandry", "蜂蜜", "16800", "kg", "46000", ""),
    ("999901", "fishery", "草鱼", "1180", "t", "13200", ""),
    ("999901", "fishery", "鲢鳙", "640", "t", "9100", ""),
    ("999901", "fishery", "小龙虾", "125", "t", "29500", ""),
    ("999902", "fishery", "草鱼", "148", "t", "13600", ""),
    ("999903", "fishery", "草鱼", "720", "t", "13300", ""),
    ("999903", "fishery", "鲢鳙", "810", "t", "8950", ""),
    ("999904", "fishery", "草鱼", "206", "t", "13500", ""),
    ("999904", "fishery", "鲢鳙", "94", "t", "9300", ""),
    ("999901", "other", "林木种苗", "", "", "", "3150000"),
    ("999902", "other", "野生食用菌", "32.6", "t", "58000", ""),
    ("999903", "other", "林木种苗", "", "", "", "1420000"),
    ("999904", "other", "野生食用菌", "41.2", "t", "57500", ""),
    ("999904", "other", "林木种苗", "", "", "", "860000"),
)

# electricity of hydropower stations, kWh: the run of the river, a reservoir, a brook
ENERGY = (
    ("999901", "11460000"),
    ("999903", "6280000"),
    ("999904", "2150000"),
)

# name, area at high water in km2, measured storage in m3 (empty: to be worked out from the area)
LAKES = (
    ("999901", "月牙湖", "0.118", ""),
    ("999903", "石塘湖", "0.064", "88500"),
)

# name, total storage and flood storage in m3 (empty: not known)
RESERVOIRS = (
    ("999902", "云岭水库", "164000", ""),
    ("999903", "稻香水库", "7620000", "2150000"),
    ("999903", "上坪水库", "128000", ""),
    ("999904", "石门水库", "236000", ""),
)

# t a year: the town sends out more than its waters can take up, the others partly
LOADS = (
    ("999901", "486.2", "41.6", "4.35"),
    ("999902", "92.4", "7.85", "1.12"),
    ("999903", "118.6", "9.42", "1.58"),
    ("999904", "61.3", "1.74", "2.86"),
)

# name, visits, cost of a visit in CNY, its days, wage of a day in CNY
TOURISM = (
    ("999901", "青溪湿地公园", "146000", "265", "1", "238"),
    ("999901", "青溪漂流", "98500", "412.5", "1.2", "246"),
    ("999902", "云岭森林公园", "132000", "388", "1.5", "252"),
    ("999902", "云岭避暑人家", "41200", "760", "3.5", "240"),
    ("999903", "稻香田园", "118000", "224", "1", "236"),
    ("999903", "稻香水库景区", "64300", "335", "1.2", "238"),
    ("999904", "石门峡谷", "109000", "436", "1.5", "255"),
    ("999904", "石门山居", "36800", "695", "3", "241.5"),
)

POPULATION = (
    ("999901", "17420"),
    ("999902", "5380"),
    ("999903", "7650"),
    ("999904", "4910"),
)

# 10^4 CNY
GDP = (
    ("999901", "96480"),
    ("999902", "20350"),
    ("999903", "30120"),
    ("999904", "18760"),
)

# t a year: some above what the plants can take up, some below, one not reported
EMISSIONS = (
    ("999901", "612.4", "48.75", "1240"),
    ("999902", "21.35", "5.64", "96.4"),
    ("999903", "88.6", "27.3", "310.5"),
    ("999904", "34.9", "", "148"),
)

STATISTICS = (
    "products",
    "energy",
    "emissions",
    "loads",
    "lakes",
    "reservoirs",
    "tourism",
    "population",
    "gdp",
)

CONFIGURATION = """\
# The sample county: synthetic, made by make_sample.py
# 样例县:由 make_sample.py 生成的虚构数据

[account]
name = "样例县 / Sample County"
year = 2021
base_year = 2021
profile = "jiangxi-2021"

[counties]
file = "counties.gpkg"
layer = "counties"
code = "code"
name = "name"
city_code = "city_code"
city_name = "city_name"

[rasters.ecosystem]
file = "ecosystem.tif"
legend = "glc_fcs30"
year = 2021
"""


def write_tables(folder):
    """The department tables."""
    tables = folder / "statistics"
    tables.mkdir(exist_ok=True)

    def write(name, header, rows):
        with (tables / name).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)

    write(
        "products.csv",
        ("county_code", "group", "product", "quantity", "unit", "price(元/t)", "value(元)"),
        [
            (code, "agriculture", product, quantity, "t" if quantity else "", price, value)
            for code, product, quantity, price, value in PRODUCTS
        ]
        + list(OTHER_PRODUCTS),
    )
    write("emissions.csv", ("county_code", "so2(t)", "nox(t)", "dust(t)"), EMISSIONS)
    write("energy.csv", ("county_code", "generation(kWh)"), ENERGY)
    write("lakes.csv", ("county_code", "name", "area(km2)", "storage(m3)"), LAKES)
    write(
        "reservoirs.csv",
        ("county_code", "name", "total_storage(m3)", "flood_storage(m3)"),
        RESERVOIRS,
    )
    write(
        "loads.csv",
        ("county_code", "cod(t)", "ammonia_nitrogen(t)", "total_phosphorus(t)"),
        LOADS,
    )
    write(
        "tourism.csv",
        (
            "county_code",
            "name",
            "visitors(人次)",
            "cost(元/人次)",
            "days(day/人次)",
            "wage(元/day)",
        ),
        TOURISM,
    )
    write("population.csv", ("county_code", "value(person)"), POPULATION)
    write("gdp.csv", ("county_code", "value(万元)"), GDP)


def write_configuration(folder, made):
    """The gep.toml of the sample county."""
    text = CONFIGURATION
    for name, (_, unit, *_rest) in made.items():
        if name != "ecosystem":
            text += f'\n[rasters.{name}]\nfile = "{name}.tif"\nunit = "{unit}"\nyear = {YEAR}\n'
    for name in STATISTICS:
        text += f'\n[statistics.{name}]\nfile = "statistics/{name}.csv"\nyear = {YEAR}\n'
    (folder / "gep.toml").write_text(text, encoding="utf-8", newline="\n")


def write_townships(folder, frame):
    """The polygons as a GeoPackage."""
    path = folder / "counties.gpkg"
    path.unlink(missing_ok=True)
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": os.environ["OGR_CURRENT_DATE"]})
    frame.to_file(path, layer="counties", driver="GPKG", engine="pyogrio", SPATIAL_INDEX="NO")


def main(folder):
    """Write everything into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    frame = townships()
    made, _ = layers()
    for name, parts in made.items():
        write_layer(folder / f"{name}.tif", name, *parts)
    write_townships(folder, frame)
    write_tables(folder)
    write_configuration(folder, made)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent / "sample")
