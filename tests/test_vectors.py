"""Arithmetic of docs/methods.md that somebody can check by hand, through the public interface.

Those of climate, lakes and wind erosion stand beside their services, in tests/test_regulating.py.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest
import small
import xarray as xr
from rasterio.transform import from_origin

import gep
from gep.rasters import grid
from gep.units import factor


def test_sediment_of_one_tonne() -> None:
    """1 t, lambda 0.24, rho 1.25, 15.58 CNY/m3 → 0.192 m3 → 2.99 CNY.

    docs/methods.md#soil-retention
    """
    row = {"service": "soil_retention", "indicator": "soil_retention"}
    frame = pd.DataFrame([row | {"quantity": 1, "quantity_unit": "t"}])
    result = gep.from_quantities(
        frame, price_year=2010, prices={"dredging_cost": "15.58 CNY_2010/m^3"}
    )
    sediment = result.rows.set_index("indicator").loc["sediment"]
    assert str(sediment["quantity"]) == "0.192000"
    assert str(sediment["value"]) == "2.99"
    assert sediment["quantity_unit"] == "m^3/year"
    nutrients = result.rows.set_index("indicator")["quantity"].astype(float)
    assert nutrients["nitrogen"] == pytest.approx(0.00152, abs=1e-12)
    assert nutrients["phosphorus"] == pytest.approx(0.00048, abs=1e-12)


def test_carbon_of_a_square_kilometre() -> None:
    """NPP 600 less respiration 380 gC/m2 → 807 t CO2 and 587 t O2 per km2.

    docs/methods.md#carbon-sequestration
    """
    nep = xr.DataArray(600.0 - 380.0, attrs={"units": "gC/(m^2*year)"})
    density = gep.services["carbon_sequestration"](net_ecosystem_production=nep)["carbon_dioxide"]
    tonnes = float(density) * factor(f"{density.units} * km^2", "tCO2/year", "test")
    assert tonnes == pytest.approx(807, abs=0.5)
    row = {"service": "carbon_sequestration", "indicator": "carbon_dioxide"}
    frame = pd.DataFrame([row | {"quantity": tonnes, "quantity_unit": "tCO2/year"}])
    rows = gep.from_quantities(frame, price_year=2021).rows.set_index("indicator")
    assert float(rows.loc["oxygen", "quantity"]) == pytest.approx(587, abs=0.5)


def test_carbon_of_a_square_kilometre_on_the_map(tmp_path: Path) -> None:
    """The same vector from rasters: 100 pixels of one hectare, NEP 220, all forest."""
    polygons = small.counties().iloc[:1]
    polygons = polygons.set_geometry([small.box(10, 20, 5, 15)], crs=small.CRS)
    layers: dict[str, np.ndarray | None] = dict.fromkeys(small.UNITS)
    shape = (small.ROWS, small.COLUMNS)
    layers["net_ecosystem_production"] = np.full(shape, 220.0)
    path = small.write(
        tmp_path,
        ecosystem=np.full(shape, 15, np.uint8),
        rasters=layers,
        polygons=polygons,
        tables={"emissions": None, "products": None},
    )
    cube = gep.open(path).run(threads=1).cube
    quantity = cube["quantity"].sel(county="360101", ecosystem="mixed_forest")
    carbon = float(quantity.sel(indicator="carbon_sequestration.carbon_dioxide"))
    oxygen = float(quantity.sel(indicator="oxygen_release.oxygen"))
    half_quanta = 100 * 0.5e-6  # of a hundred pixels
    assert carbon == pytest.approx(220 * 44 / 12, abs=half_quanta)
    assert oxygen == pytest.approx(220 * 44 / 12 * 32 / 44, abs=half_quanta)
    assert (round(carbon), round(oxygen)) == (807, 587)


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4326"])
def test_area_of_an_arc_second_at_28_degrees(tmp_path: Path, crs: str) -> None:
    """docs/methods.md#pixel-area: a pixel of 1″ at 28° N is 841.08 m2 on the ellipsoid."""
    second = 1 / 3600
    top = 28 + 1.5 * second
    path = small.write_raster(
        tmp_path / "a.tif",
        np.ones((3, 4), np.uint8),
        crs=crs,
        transform=from_origin(115.0, top, second, second),
    )
    found, problems = grid(path)
    assert problems == []
    assert found.row_areas[1] == pytest.approx(841.08, abs=0.005)
    assert found.row_areas[0] < found.row_areas[1] < found.row_areas[2], "smaller to the north"
    np.testing.assert_array_equal(found.column_factors, 1.0)


def test_areas_of_a_degree_add_up_to_the_polygon(tmp_path: Path) -> None:
    """One degree at 27° to 28° N: the pixels together are the polygon on the ellipsoid."""
    step = 1 / 40
    path = small.write_raster(
        tmp_path / "a.tif",
        np.ones((40, 40), np.uint8),
        crs="EPSG:4490",
        transform=from_origin(115.0, 28.0, step, step),
    )
    found, _ = grid(path)
    edge = np.linspace(0, 1, 2001)
    longitude = np.concatenate([115 + edge, np.full(2001, 116.0), 116 - edge, np.full(2001, 115.0)])
    latitude = np.concatenate([np.full(2001, 27.0), 27 + edge, np.full(2001, 28.0), 28 - edge])
    geod = pyproj.CRS("EPSG:4490").get_geod()
    assert geod
    polygon = abs(geod.polygon_area_perimeter(longitude, latitude)[0])
    assert float(found.row_areas.sum()) * 40 == pytest.approx(polygon, rel=1e-6)
