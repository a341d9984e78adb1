"""What GDAL wrote beside a GeoTIFF, `<file>.aux.xml`, and not into it: only the file is read."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from gep.config import RasterSection
from gep.errors import Problem

KEYS = {"NoDataValue": "nodata", "Scale": "scale", "Offset": "offset"}
"""What changes the numbers, by its name beside the file."""
ALIKE = 1e-6
"""Largest difference, relative, of two texts of one number."""


def unread(
    name: str, section: RasterSection, path: Path, band: int, stored: Mapping[str, float | None]
) -> list[Problem]:
    """E827 of the first number of a band that stands beside the file, and neither in it nor said.

    *stored* are nodata, scale and offset as the file has them.
    """
    beside = path.with_name(f"{path.name}.aux.xml")
    for key, value in _beside(beside, band):
        if _agree(stored[key], value) or _is_said(section, key, value):
            continue
        number = f"{value:.17g}"
        write = f"fill = [{number}]" if key == "nodata" else f"{key} = {number}"
        fields = {"name": name, "file": path, "key": key, "value": number}
        return [Problem("E827", fields | {"beside": beside.name, "write": write})]
    return []


def _beside(beside: Path, band: int) -> Iterator[tuple[str, float]]:
    """Numbers of a band as they stand beside a file; none where GDAL could not read them either."""
    try:
        root = ElementTree.fromstring(beside.read_bytes())
    except (OSError, ElementTree.ParseError):
        return
    for one in root.iter("PAMRasterBand"):
        if one.get("band") == f"{band}":
            for word, key in KEYS.items():
                try:
                    yield key, float(one.findtext(word) or "")
                except ValueError:
                    continue


def _is_said(section: RasterSection, key: str, value: float) -> bool:
    """Tell whether gep.toml says itself what to do: a fill, what is valid, a scale, an offset."""
    if key != "nodata":
        return getattr(section, key) is not None
    low, high = section.valid or (-math.inf, math.inf)
    return not low <= value <= high or any(_agree(fill, value) for fill in section.fill)


def _agree(one: float | None, other: float) -> bool:
    """Tell whether two numbers are one; NaN is missing whether or not a file says so."""
    if math.isnan(other):
        return True
    return one is not None and math.isclose(one, other, rel_tol=ALIKE)
