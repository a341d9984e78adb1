"""Preparations on xarray: factor rasters from raw data, with the numbers of an account."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gep import coefficients
from gep.arrays import Call, by_class
from gep.coefficients import Book
from gep.ecosystems import ecosystems
from gep.errors import stop_on
from gep.preparation import Preparation, Series, almanac, dates, steps_of
from gep.preparation import preparations as registry
from gep.units import factor

if TYPE_CHECKING:
    import xarray

TIME = "time"
"""Dimension of a series."""
COMMON, LEAP = 2021, 2020
"""A year of 365 and one of 366 days, where nobody says which."""
STEPS = {"day": "日", "month": "月"}
"""Steps of a series in Chinese."""


class Factor(Call):
    """One way of preparing a raster, as a function of data arrays or of plain numbers."""

    def __init__(self, preparation: Preparation, book: Book) -> None:
        self.preparation, self._book = preparation, book
        self.called = f"gep.preparations[{preparation.name!r}, {preparation.method!r}]"
        self.__doc__ = f"{preparation.title.en} ({preparation.method}): {preparation.source}"

    def __repr__(self) -> str:
        """Raster, method, and what it takes."""
        one = self.preparation
        units = one.rasters | {name: series.unit for name, series in one.series.items()}
        takes = ", ".join(f"{name} [{unit}]" for name, unit in units.items())
        return f"{one.name} ({one.method}): {takes or 'the grid'}"

    def __call__(
        self,
        *,
        ecosystem: "xarray.DataArray | None" = None,
        year: int | None = None,
        cell: Any = None,
        latitude: Any = None,
        **inputs: Any,
    ) -> Any:
        """Raster made of raw data.

        Parameters
        ----------
        ecosystem : DataArray of str, optional
            Class key at every element; needed where coefficients vary by ecosystem.
        year : int, optional
            Year of a series, for its months and days; that of its time coordinate, else a year
            with as many days.
        cell : float, or pair of arrays
            Where the method needs neighbours: side of a pixel, or heights and widths by row [m].
        latitude : array, optional
            Where the method needs the place: latitude of every pixel [degree].
        **inputs : DataArray, number or sequence of numbers
            Rasters and series by name: arrays with their unit in `attrs["units"]`, or plain
            numbers in the declared unit. A series is an array with a dimension `time`, or a
            sequence of one number per day or month of a year. Coefficients by name replace those
            on file.

        Returns
        -------
        DataArray, or float
            In the unit `gives`, which stands in `attrs["units"]`; a float where nothing given is
            an array. NaN where an input is NaN.

        Raises
        ------
        InputError
            E019 an input is missing, unknown or no number, has no units, or a series no year.
        UnitError
            E603 an input has the unit of another quantity.
        """
        one = self.preparation
        known = [*one.rasters, *one.series, *one.coefficients]
        known += ["latitude"] if "latitude" in one.rasters else []
        if latitude is not None and not one.place:
            inputs["latitude"] = latitude
        if unknown := sorted(inputs.keys() - {*known}):
            raise self.strange(unknown[0], known)
        rasters = [self._given(name, unit, inputs) for name, unit in one.rasters.items()]
        stacks = [self._given(name, s.unit, inputs) for name, s in one.series.items()]
        self._check_places(rasters, stacks, ecosystem)
        when = self._year(stacks, year)
        dates = [almanac(word, when) for word in one.calendar]
        numbers = [self._number(n, u, ecosystem, inputs) for n, u in one.coefficients.items()]
        if one.whole:
            return self._whole(rasters, numbers, cell, latitude)
        return self._pixels(rasters, stacks, dates, numbers)

    def _given(self, name: str, unit: str, inputs: Mapping[str, Any]) -> Any:
        """Return an input in *unit*: an array by its units, plain numbers as they are."""
        if name not in inputs:
            raise self.missing(name, unit)
        given = inputs[name]
        if np.asarray(given).dtype.kind not in "iuf":
            why_zh = f"{name} 不是数字或数字的数组"
            raise self.wrong(f"{name} is not a number or an array of numbers", why_zh)
        return self.in_unit(name, unit, inputs) if hasattr(given, "attrs") else np.asarray(given)

    def _check_places(
        self, rasters: list[Any], stacks: list[Any], ecosystem: "xarray.DataArray | None"
    ) -> None:
        """Check that a series has a time, and that all arrays lie on one another."""
        one = self.preparation
        flat = dict(zip(one.rasters, rasters, strict=True))
        for name, stack in zip(one.series, stacks, strict=True):
            if hasattr(stack, "dims") and TIME not in stack.dims:
                dims = ", ".join(map(str, stack.dims))
                why_zh = f"{name} 的维度为（{dims}），其中没有 {TIME}"
                raise self.wrong(f"{name} has dimensions ({dims}), none of them {TIME}", why_zh)
            if not hasattr(stack, "dims") and stack.ndim != 1:
                why_zh = f"{name} 有 {stack.ndim} 维；请用 xarray.DataArray"
                why = f"{name} has {stack.ndim} dimensions; give an xarray.DataArray"
                raise self.wrong(why, why_zh)
            if hasattr(stack, "dims"):
                flat[name] = stack.isel({TIME: 0}, drop=True)
        self.lie_on_one_another(flat | {"ecosystem": ecosystem})

    def _year(self, stacks: list[Any], asked: int | None) -> int:
        """Year of the series, whose length and coordinate must agree with it."""
        year = asked
        for (name, one), stack in zip(self.preparation.series.items(), stacks, strict=True):
            count = stack.sizes[TIME] if hasattr(stack, "dims") else len(stack)
            times = stack.coords.get(TIME) if hasattr(stack, "dims") else None
            if times is not None and times.dtype.kind == "M":
                year = year or int(times.dt.year[0])
                self._check_times(name, one, times, year)
            found = year or (LEAP if count == 366 else COMMON)
            whole = steps_of(one, found)
            if count != whole:
                why_zh = f"{name} 有 {count} 步；{found} 年有 {whole} 个{STEPS[one.step]}"
                raise self.wrong(
                    f"{name} has {count} steps; {found} has {whole} {one.step}s", why_zh
                )
            year = year or (found if one.step == "day" else None)
        return year or COMMON

    def _check_times(self, name: str, one: Series, times: Any, year: int) -> None:
        """Check that the times are every day, or month, of the year in order."""
        found = np.datetime_as_string(times.values, unit="D" if one.step == "day" else "M")
        if found.tolist() != dates(one.step, year):
            why_zh = f"{name}：其时间不是 {year} 年的每一个{STEPS[one.step]}各一次"
            why = f"{name}: its times are not the {one.step}s of {year}, each once"
            raise self.wrong(why, why_zh)

    def _number(
        self, name: str, unit: str, ecosystem: "xarray.DataArray | None", inputs: Mapping[str, Any]
    ) -> Any:
        if name in inputs:
            have = getattr(inputs[name], "attrs", {}).get("units", unit)
            return inputs[name] * factor(have, unit, name)
        found = self._book.coefficient(self.preparation.name, name)
        assert found
        if not found.values:
            raise self.missing(name, unit)
        if "ecosystem" not in found.by:
            number = found.number(unit, year=0)
            return float(number[0]) if number else np.nan
        if ecosystem is None:
            raise self.class_of(name)
        present = {key for key in ecosystem.values.ravel().tolist() if key == key and key}
        if strange := present - ecosystems().keys():
            raise self.no_classes(map(str, strange))
        return by_class(found, unit, ecosystem)

    def _pixels(
        self, rasters: list[Any], stacks: list[Any], dates: list[Any], numbers: list[Any]
    ) -> Any:
        import xarray

        one = self.preparation
        cores: list[list[str]] = [[] for _ in rasters]
        cores += [[TIME]] * len(stacks) + [["steps"]] * len(dates) + [[] for _ in numbers]
        words = ",".join("(t)" if core else "()" for core in cores)

        def plain(*values: Any) -> Any:
            return one.kernel(*(np.asarray(value).tolist() for value in values))

        kernel = np.vectorize(plain, otypes=[float], signature=f"{words}->()")
        arguments = [
            value if hasattr(value, "dims") or not core else xarray.DataArray(value, dims=core)
            for value, core in zip([*rasters, *stacks, *dates, *numbers], cores, strict=True)
        ]
        made = xarray.apply_ufunc(kernel, *arguments, input_core_dims=cores, keep_attrs=False)
        return self._said(made)

    def _whole(self, rasters: list[Any], numbers: list[Any], cell: Any, latitude: Any) -> Any:
        import xarray

        one = self.preparation
        arrays = [xarray.DataArray(raster) for raster in rasters]
        if cell is None or any(array.ndim != 2 for array in arrays):
            why = "it needs neighbours: give cell [m], and rasters of (rows, columns)"
            raise self.wrong(why, "需要邻域：请给出 cell [m]，栅格为（行，列）两维")
        if one.place and latitude is None:
            raise self.missing("latitude", "degree")
        count = arrays[0].shape[0] if arrays else len(latitude)
        sides = (cell, cell) if np.ndim(cell) == 0 else cell
        both = tuple(np.broadcast_to(np.asarray(side, float), (count,)) for side in sides)
        place = {"latitude": np.asarray(latitude, float)} if one.place else {}
        plain = [np.asarray(array.values, float) for array in arrays]
        others = [n.values if hasattr(n, "values") else n for n in numbers]
        made = np.asarray(one.kernel(*plain, *others, cell=both, **place), float)
        return self._said(arrays[0].copy(data=made) if arrays else xarray.DataArray(made))

    def _said(self, made: Any) -> Any:
        """Return the result with its unit and title; a float where it is a single number."""
        if np.ndim(made) == 0:
            return float(made)
        return made.drop_attrs().assign_attrs(
            units=self.preparation.gives, long_name=self.preparation.title.en
        )


class Factors(Mapping[Any, Factor]):
    """Every preparation by (raster, method), or by raster alone for its best method."""

    __name__ = "gep.preparations"

    def __init__(self, make: Callable[[], dict[tuple[str, str], Preparation]] = registry) -> None:
        self._make = make
        self._book: Book | None = None

    def __getitem__(self, key: str | tuple[str, str]) -> Factor:
        """Return one preparation; KeyError if there is none."""
        asked = (key,) if isinstance(key, str) else key
        found = [p for k, p in self._make().items() if k[: len(asked)] == asked]
        if not found:
            known = ", ".join(f"{name} ({method})" for name, method in self._make())
            raise KeyError(f"no preparation {key!r}; there are: {known}")
        if self._book is None:
            self._book, problems = coefficients.load()
            stop_on(problems)
        return Factor(found[0], self._book)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield (raster, method)."""
        return iter(self._make())

    def __len__(self) -> int:
        """Return the number of rasters and methods."""
        return len(self._make())

    def __repr__(self) -> str:
        """One line per preparation."""
        return "\n".join(repr(self[key]) for key in self)


preparations = Factors()
