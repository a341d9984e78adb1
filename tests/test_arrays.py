"""gep.services[...] on xarray: the same kernels, units at the door, NaN where there is nothing."""

import math
from typing import Any

import numpy as np
import pytest
import xarray as xr

import gep
from gep.arrays import Densities
from gep.errors import InputError, UnitError
from gep.service import Indicator, services

MM = {"units": "mm/year"}
CLASSES = ["mixed_forest", "tussock", "paddy", "lake", "built_up", ""]
RUNOFF = [0.0229, 0.0937, 0.3470, math.nan, math.nan, math.nan]
"""Shipped runoff coefficients of the classes; lake and town are not eligible."""


def array(values: Any, units: str | None, dim: str = "x") -> xr.DataArray:
    return xr.DataArray(values, dims=[dim], attrs={} if units is None else {"units": units})


def kinds(values: list[str] | None = None) -> xr.DataArray:
    return xr.DataArray(CLASSES if values is None else values, dims=["x"])


def rain(units: str = "mm/year", times: float = 1.0) -> dict[str, xr.DataArray]:
    size = len(CLASSES)
    return {
        "precipitation": array(np.full(size, 1600.0) * times, units),
        "evapotranspiration": array(np.full(size, 700.0), "mm/year"),
    }


def test_density_with_shipped_coefficients_by_class() -> None:
    """P − αP − ET with P 1600, ET 700: 900 − 1600 α where the class is eligible."""
    found = gep.services["water_retention"](ecosystem=kinds(), **rain())
    density = found["water_retention"]
    np.testing.assert_allclose(density, [900 - 1600 * a for a in RUNOFF], rtol=1e-12)
    assert density.attrs == {"units": "mm/year", "long_name": "Water retained"}
    assert density.dims == ("x",)


@pytest.mark.parametrize(
    ("units", "times"), [("m/year", 1e-3), ("cm/year", 0.1), ("0.1*mm/year", 10)]
)
def test_units_are_converted(units: str, times: float) -> None:
    wanted = gep.services["water_retention"](ecosystem=kinds(), **rain())
    found = gep.services["water_retention"](ecosystem=kinds(), **rain(units, times))
    xr.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_units_of_another_quantity_are_refused() -> None:
    with pytest.raises(UnitError) as caught:
        gep.services["water_retention"](ecosystem=kinds(), **rain("mm/day"))
    assert str(caught.value) == (
        "precipitation: 'mm/day' is [length] / [time], "
        "but 'mm/year' ([length] / [accounting_year]) is needed"
    )


def refused(name: str, why: str, **inputs: Any) -> None:
    with pytest.raises(InputError) as caught:
        gep.services[name](**inputs)
    (problem,) = caught.value.problems
    assert problem.code == "E019"
    assert problem.text() == f"gep.services['{name}']: {why}"
    assert problem.text("zh") == f"gep.services['{name}']:{why}"


def test_raster_without_units_is_refused() -> None:
    inputs = rain() | {"precipitation": array(np.ones(6), None)}
    why = """precipitation states no units; set attrs["units"], for example 'mm/year'"""
    refused("water_retention", why, ecosystem=kinds(), **inputs)
    refused("water_retention", why, ecosystem=kinds(), **rain() | {"precipitation": 1600.0})


def test_missing_raster_is_refused() -> None:
    inputs = rain()
    del inputs["evapotranspiration"]
    why = "evapotranspiration is missing; give it in mm/year"
    refused("water_retention", why, ecosystem=kinds(), **inputs)


def test_unknown_argument_is_refused() -> None:
    why = "unknown argument rain; known: "
    why += "precipitation, evapotranspiration, runoff_coefficient, clamp"
    refused("water_retention", why, ecosystem=kinds(), rain=1.0, **rain())


def test_coefficient_by_class_needs_the_classes() -> None:
    why = "runoff_coefficient varies by ecosystem; give ecosystem, an array of class keys"
    refused("water_retention", why, **rain())


def test_class_nobody_knows_is_refused() -> None:
    """A misspelt class would be NaN without a word; a group is not a class."""
    strange = kinds(["mixed_forest", "forst", "forest", "lake", "", "tussock"])
    why = "not ecosystem classes: forest, forst"
    refused("water_retention", why, ecosystem=strange, **rain())
    refused("water_retention", "not ecosystem classes: 11", ecosystem=kinds([11] * 6), **rain())  # type: ignore[list-item]


@pytest.mark.parametrize("name", ["oxygen_release", "agricultural_products"])
def test_service_without_pixels_says_so(name: str) -> None:
    refused(name, "it has no kernel on pixels of its own; see gep.from_quantities")


def test_missing_in_missing_out() -> None:
    inputs = rain()
    inputs["evapotranspiration"][0] = np.nan
    found = gep.services["water_retention"](ecosystem=kinds(), **inputs)["water_retention"]
    assert np.isnan(found).values.tolist() == [True, False, False, True, True, True]


@pytest.mark.parametrize(
    ("runoff", "wanted"),
    [
        (0.05, 900 - 80),
        (array([0.05] * 6, "1"), 900 - 80),
        (array([5.0] * 6, "percent"), 900 - 80),
        (array([0.05] * 6, None), 900 - 80),
        (0, 900),
    ],
)
def test_coefficient_may_be_replaced(runoff: Any, wanted: float) -> None:
    found = gep.services["water_retention"](runoff_coefficient=runoff, **rain())
    np.testing.assert_allclose(found["water_retention"], [wanted] * 6, rtol=1e-12)


def test_replaced_coefficient_of_another_unit_is_refused() -> None:
    with pytest.raises(UnitError, match="runoff_coefficient: 'mm' is"):
        gep.services["water_retention"](runoff_coefficient=array([1.0] * 6, "mm"), **rain())


@pytest.mark.parametrize(("clamp", "wanted"), [({}, -200.0), ({"clamp": 1.0}, 0.0)])
def test_parameter_of_the_profile_and_its_replacement(
    clamp: dict[str, float], wanted: float
) -> None:
    """jiangxi-2021 keeps the sign of a negative balance: 500 − 0 − 700."""
    inputs = rain() | {"precipitation": array(np.full(6, 500.0), "mm/year")}
    found = gep.services["water_retention"](runoff_coefficient=0.0, **clamp, **inputs)
    np.testing.assert_array_equal(found["water_retention"], [wanted] * 6)


def test_product_of_five_factors() -> None:
    """8000 × 0.014 × 3 × (1 − 0.02) = 329.28."""
    units = services()["soil_retention", "rusle"].rasters()
    values = {"erosivity": 8000.0, "erodibility": 0.014, "slope_factor": 3.0, "cover_factor": 0.02}
    inputs = {n: array([v], units[n]) for n, v in (values | {"support_factor": 1.0}).items()}
    found = gep.services["soil_retention"](**inputs)["soil_retention"]
    np.testing.assert_allclose(found, [329.28], rtol=1e-12)
    assert found.attrs["units"] == "t/(ha*year)"


def test_capacity_by_class_alone() -> None:
    found = gep.services["air_purification"](ecosystem=kinds())
    assert set(found) == {"sulfur_dioxide", "nitrogen_oxides"}, "dust is off in jiangxi-2021"
    np.testing.assert_array_equal(found["sulfur_dioxide"], [152.1, *[np.nan] * 5])
    np.testing.assert_array_equal(found["nitrogen_oxides"], [6.0, *[np.nan] * 5])
    assert found["sulfur_dioxide"].attrs["units"] == "kg/(ha*year)"


def test_dimensions_and_coordinates_are_kept() -> None:
    shape = (2, 3)
    coordinates = {"y": [28.0, 27.0], "x": [115.0, 116.0, 117.0]}
    nep = xr.DataArray(np.arange(6.0).reshape(shape), coordinates, ("y", "x"))
    nep.attrs["units"] = "gC/(m^2*year)"
    found = gep.services["carbon_sequestration"](net_ecosystem_production=nep)["carbon_dioxide"]
    np.testing.assert_array_equal(found, nep)
    xr.testing.assert_equal(found.coords.to_dataset(), nep.coords.to_dataset())


def test_arrays_that_do_not_lie_on_one_another_are_refused() -> None:
    inputs = rain()
    size = len(CLASSES)
    inputs = {n: a.assign_coords(x=np.arange(size) + k) for k, (n, a) in enumerate(inputs.items())}
    with pytest.raises(ValueError, match="align"):
        gep.services["water_retention"](runoff_coefficient=0.0, **inputs)


def test_names_and_methods() -> None:
    by_name, by_pair = gep.services["soil_retention"], gep.services["soil_retention", "rusle"]
    assert isinstance(by_name, Densities)
    assert by_name.service is by_pair.service
    assert set(gep.services) == set(services())
    assert len(gep.services) == len(services())
    assert repr(gep.services["carbon_sequestration"]) == (
        "carbon_sequestration (nep): net_ecosystem_production [gC/(m^2*year)]"
    )
    assert "soil_retention (rusle): erosivity" in repr(gep.services)
    assert by_name.__doc__ is not None
    assert by_name.__doc__.startswith("Soil retention (rusle): ")


@pytest.mark.parametrize("key", ["nothing", ("soil_retention", "guess")])
def test_service_that_is_not_there(key: Any) -> None:
    with pytest.raises(KeyError) as caught:
        gep.services[key]
    assert f"no service {key!r}; there are: " in str(caught.value)
    assert "soil_retention (rusle)" in str(caught.value)


PIXELS = [
    pytest.param(s, id=s.name)
    for s in services().values()
    if any(isinstance(i, Indicator) and not i.table for i in s.indicators)
]


@pytest.mark.parametrize("service", PIXELS)
def test_every_service_gives_its_example(service: Any) -> None:
    """The example of the specification, through xarray, with its coefficients given."""
    kernels = [i for i in service.indicators if isinstance(i, Indicator) and not i.table]
    inputs: dict[str, Any] = {}
    for i in kernels:
        for name, value in i.example.inputs.items():
            unit = (i.rasters | i.coefficients)[name]
            inputs[name] = array([value], unit)
    found = gep.services[service.name, service.method](**inputs)
    for name in found:
        (i,) = [i for i in kernels if i.name == name]
        np.testing.assert_allclose(found[name], [i.example.gives], rtol=1e-12)
        assert found[name].attrs["units"] == i.gives
    assert len(found) > 0
