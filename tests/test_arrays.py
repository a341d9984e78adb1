"""gep.services[...] on xarray: the same kernels, units at the door, NaN where there is nothing."""

import math
import re
from typing import Any

import numpy as np
import pytest
import xarray as xr

import gep
from gep.arrays import Densities
from gep.errors import InputError, UnitError
from gep.service import Indicator, Service, services

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
    said = problem.text("zh")
    assert said.startswith(f"gep.services['{name}']：")
    assert re.search("[\u4e00-\u9fff]", said)
    assert sorted(re.findall(r"\d+", said)) == sorted(re.findall(r"\d+", problem.text()))


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


@pytest.mark.parametrize(
    "service",
    [
        pytest.param(s, id=f"{s.name}-{s.method}")
        for s in services().values()
        if not any(isinstance(i, Indicator) and not i.table for i in s.indicators)
    ],
)
def test_service_without_pixels_says_so(service: Service) -> None:
    """Derived, open rows, kernels on rows, money of its own: none of them has a density."""
    with pytest.raises(InputError) as caught:
        gep.services[service.name, service.method]()
    why = "it has no kernel on pixels of its own; see gep.from_quantities"
    assert str(caught.value) == f"gep.services['{service.name}']: {why}"
    assert caught.value.problems[0].code == "E019"


def test_what_is_made_of_rows_is_left_out_beside_pixels() -> None:
    storm = {"storm_precipitation": layer([300.0], ("x",)), "storm_runoff": layer([45.0], ("x",))}
    found = gep.services["flood_mitigation"](**storm, ecosystem=kinds(["tussock"]))
    assert set(found) == {"vegetation", "swamps"}, "lakes and reservoirs are rows"
    why = "unknown argument area; known: storm_precipitation, storm_runoff, water_level_difference"
    refused("flood_mitigation", why, area=1.0, **storm)


def test_services_of_rows_and_of_money_of_their_own_are_among_them() -> None:
    names = {
        s.name for s in services().values() if any(getattr(i, "worth", 0) for i in s.indicators)
    }
    names |= {"water_supply", "ecological_energy", "oxygen_release", "agricultural_products"}
    assert "tourism" in names
    for name in names:
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


def layer(values: Any, dims: tuple[str, ...], **coordinates: Any) -> xr.DataArray:
    return xr.DataArray(values, coordinates, dims, attrs=MM)


X = [115.0, 116.0, 117.0]
P = "precipitation"
ET = "evapotranspiration"


@pytest.mark.parametrize(
    ("precipitation", "evapotranspiration", "why"),
    [
        pytest.param(
            layer([1.0, 2, 3], ("x",), x=X),
            layer([1.0, 2, 3], ("x",), x=[116.0, 117.0, 118.0]),
            f"{ET} does not lie on {P}: other coordinates along x",
            id="shifted by a pixel",
        ),
        pytest.param(
            layer([1.0, 2, 3], ("x",), x=X),
            layer([1.0, 2, 3], ("x",), x=[315.0, 316.0, 317.0]),
            f"{ET} does not lie on {P}: other coordinates along x",
            id="nothing in common",
        ),
        pytest.param(
            layer([1.0, 2, 3], ("x",), x=X),
            layer([1.0, 2, 3], ("x",), x=X[::-1]),
            f"{ET} does not lie on {P}: other coordinates along x",
            id="turned round",
        ),
        pytest.param(
            layer(np.ones((2, 3)), ("y", "x"), x=X, y=[28.0, 27.0]),
            layer(np.ones((3, 3)), ("y", "x"), x=X, y=[28.0, 27.0, 26.0]),
            f"{ET} does not lie on {P}: other size along y",
            id="a part of the other",
        ),
        pytest.param(
            layer([1.0, 2], ("x",)),
            layer([1.0], ("x",)),
            f"{ET} does not lie on {P}: other size along x",
            id="one element, no coordinates",
        ),
        pytest.param(
            layer(np.ones((2, 3)), ("y", "x")),
            layer([1.0, 2, 3], ("x",)),
            f"{ET} has dimensions (x), {P} has (y, x)",
            id="one dimension less",
        ),
        pytest.param(
            layer([1.0, 2, 3], ("x",)),
            layer([1.0, 2, 3], ("lon",)),
            f"{ET} has dimensions (lon), {P} has (x)",
            id="another name",
        ),
    ],
)
def test_arrays_that_do_not_lie_on_one_another_are_refused(
    precipitation: xr.DataArray, evapotranspiration: xr.DataArray, why: str
) -> None:
    inputs = {P: precipitation, ET: evapotranspiration, "runoff_coefficient": 0.0}
    refused("water_retention", why, **inputs)


def test_classes_and_coefficients_must_lie_on_the_rasters_too() -> None:
    """The input that differs is named, whichever it is."""
    inputs = {n: a.assign_coords(x=np.arange(len(CLASSES))) for n, a in rain().items()}
    shifted = kinds().assign_coords(x=np.arange(len(CLASSES)) + 1)
    why = f"ecosystem does not lie on {P}: other coordinates along x"
    refused("water_retention", why, ecosystem=shifted, **inputs)
    share = array(np.full(5, 0.1), "1")
    why = f"runoff_coefficient does not lie on {P}: other size along x"
    refused("water_retention", why, runoff_coefficient=share, **inputs)
    plain = np.full(6, 0.1)
    why = "runoff_coefficient is ndarray, not an xarray.DataArray"
    refused("water_retention", why, runoff_coefficient=plain, **inputs)


@pytest.mark.parametrize(
    "wrong", ["0.1", None, [0.1, None], [[0.1], [0.1, 0.2]], {}, True, xr.DataArray("0.1")]
)
def test_input_that_is_no_number_is_refused(wrong: Any) -> None:
    why = "runoff_coefficient is not a number or a DataArray of numbers"
    refused("water_retention", why, runoff_coefficient=wrong, **rain())


@pytest.mark.parametrize("wrong", ["mixed_forest", ["mixed_forest"], np.array(CLASSES), 11])
def test_classes_that_are_no_data_array_are_refused(wrong: Any) -> None:
    why = f"ecosystem is {type(wrong).__name__}, not an xarray.DataArray"
    refused("water_retention", why, ecosystem=wrong, **rain())


@pytest.mark.parametrize("units", [None, 1, ["mm/year"]])
def test_units_that_are_no_text_are_none(units: Any) -> None:
    inputs = rain()
    inputs[P].attrs["units"] = units
    why = """precipitation states no units; set attrs["units"], for example 'mm/year'"""
    refused("water_retention", why, ecosystem=kinds(), **inputs)


def test_array_without_dimensions_goes_with_any() -> None:
    inputs = rain() | {ET: xr.DataArray(700.0, attrs=MM)}
    wanted = gep.services["water_retention"](ecosystem=kinds(), **rain())
    xr.testing.assert_equal(gep.services["water_retention"](ecosystem=kinds(), **inputs), wanted)
    forest = gep.services["water_retention"](ecosystem=xr.DataArray("mixed_forest"), **rain())
    np.testing.assert_allclose(forest["water_retention"], [900 - 1600 * RUNOFF[0]] * 6, rtol=1e-12)


def test_dimensions_in_another_order_are_put_right() -> None:
    grid = np.arange(6.0).reshape(2, 3)
    inputs = {P: layer(grid, ("y", "x")), ET: layer(grid.T, ("x", "y"))}
    found = gep.services["water_retention"](runoff_coefficient=0.0, **inputs)
    np.testing.assert_array_equal(found["water_retention"], np.zeros((2, 3)))


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
