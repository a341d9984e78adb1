"""Preparations on xarray: factor rasters from raw data, with the numbers of an account."""

from collections.abc import Callable, Iterator, Mapping
from datetime import MAXYEAR, MINYEAR
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gep import coefficients
from gep.arrays import Call, by_class, of_numbers
from gep.coefficients import Book
from gep.errors import InputError, Problem, stop_on
from gep.layers import SOIL_SLACK, TEXTURE, WHOLE_SOIL, possible
from gep.preparation import Preparation, Series, almanac, dates, steps_of
from gep.preparation import preparations as registry
from gep.rasters import FINEST
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
        cell : float, or pair of floats or arrays
            Where the method needs neighbours: side of a pixel, or heights and widths, one of all
            pixels, by row or of each [m].
        latitude : DataArray, optional
            Where the method needs the place: latitude of every pixel [degree].
        **inputs : DataArray or number
            Rasters and series by name, with their unit in `attrs["units"]`; of what has no unit, a
            plain number. A series has a dimension `time`, with one number per day or month of a
            year; at a station that is all it has. Coefficients by name replace those on file: a
            number in the declared unit, or a DataArray, whose `attrs["units"]` may state another.
            Where the method needs neighbours, rasters are (rows, columns).

        Returns
        -------
        DataArray, or float
            In the unit `gives`, which stands in `attrs["units"]`; a float where nothing given is
            spread over places. NaN where an input is NaN.

        Raises
        ------
        InputError
            E019 an input is missing, unknown, no number, has no units or does not lie on the
            others, or a series no year; E828 sand, silt and clay are not the whole soil; E829 a
            value is impossible.
        UnitError
            E603 an input has the unit of another quantity, E601 or E602 an unknown unit.
        """
        one = self.preparation
        known = [*one.rasters, *one.series, *one.coefficients]
        known += ["latitude"] if one.place else []
        inputs |= {} if latitude is None else {"latitude": latitude}
        if unknown := sorted(inputs.keys() - {*known}):
            raise self.strange(unknown[0], known)
        for name, given in inputs.items():
            self.check_number(name, given)
        self.check_classes(ecosystem)
        rasters = [self._given(name, unit, inputs) for name, unit in one.rasters.items()]
        stacks = [self._given(name, s.unit, inputs) for name, s in one.series.items()]
        self._check_places(rasters, stacks, inputs, ecosystem)
        self._check_soil(dict(zip(one.rasters, rasters, strict=True)))
        when = self._year(stacks, year)
        dates = [almanac(word, when) for word in one.calendar]
        numbers = [self._number(n, u, ecosystem, inputs) for n, u in one.coefficients.items()]
        self._check_rising(dict(zip(one.coefficients, numbers, strict=True)))
        if one.whole:
            place = [self._given("latitude", "degree", inputs)] if one.place else []
            return self._whole(rasters, numbers, cell, place)
        return self._pixels(rasters, stacks, dates, numbers)

    def _given(self, name: str, unit: str, inputs: Mapping[str, Any]) -> Any:
        """Return an input in *unit*: by what it states, or a plain number of what has no unit."""
        plain = unit == "1" and name in inputs and not hasattr(inputs[name], "attrs")
        given = np.asarray(inputs[name]) if plain else self.in_unit(name, unit, inputs)
        if limits := possible(name, unit):
            slack = 1e-6 * max(map(abs, limits))  # of single precision
            values = np.asarray(given)
            wrong = (values < limits[0] - slack) | (values > limits[1] + slack)
            if wrong.any():
                fields = {"call": self.called, "name": name, "unit": unit}
                fields |= {"value": f"{values[wrong].flat[0]:.6g}", "count": f"{wrong.sum()}"}
                fields |= {"low": f"{limits[0]:.6g}", "high": f"{limits[1]:.6g}"}
                raise InputError(Problem("E829", fields | {"size": f"{wrong.size}"}))
        return given

    def _check_soil(self, rasters: Mapping[str, Any]) -> None:
        """Refuse sand, silt and clay that do not add up to the whole soil."""
        if not rasters.keys() >= {*TEXTURE}:
            return
        parts = [rasters[n] * factor(self.preparation.rasters[n], "1", n) for n in TEXTURE]
        total = np.asarray(sum(parts))
        wrong = (np.abs(total - WHOLE_SOIL) > SOIL_SLACK) & (total != 0)  # 0: there is no soil
        if wrong.any():
            fields = {"call": self.called, "total": f"{total[wrong].flat[0]:.1%}"}
            fields |= {"count": f"{wrong.sum()}", "size": f"{wrong.size}"}
            raise InputError(Problem("E828", fields))

    def _check_places(
        self,
        rasters: list[Any],
        stacks: list[Any],
        inputs: Mapping[str, Any],
        ecosystem: "xarray.DataArray | None",
    ) -> None:
        """Check that a series has a time, and that all arrays lie on one another."""
        one = self.preparation
        flat = dict(zip(one.rasters, rasters, strict=True))
        for name, stack in zip(one.series, stacks, strict=True):
            dims = getattr(stack, "dims", ())
            if TIME not in dims:
                listed = ", ".join(map(str, dims))
                why_zh = f"{name} 的维度为（{listed}），其中没有 {TIME}"
                raise self.wrong(f"{name} has dimensions ({listed}), none of them {TIME}", why_zh)
            flat[name] = stack.isel({TIME: 0}, drop=True)
        flat |= {name: inputs[name] for name in inputs if name not in flat}
        self.lie_on_one_another(flat | {"ecosystem": ecosystem})

    def _year(self, stacks: list[Any], asked: int | None) -> int:
        """Year of the series, whose length and coordinate must agree with it."""
        if asked is not None and not (type(asked) is int and MINYEAR <= asked <= MAXYEAR):
            why_zh = f"year 是 {asked!r}，不是 {MINYEAR} 至 {MAXYEAR} 的整数"
            why = f"year is {asked!r}, not a whole number from {MINYEAR} to {MAXYEAR}"
            raise self.wrong(why, why_zh)
        year = asked
        for (name, one), stack in zip(self.preparation.series.items(), stacks, strict=True):
            count, times = stack.sizes[TIME], stack.coords.get(TIME)
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
            return self.replaced(name, unit, inputs[name])
        found = self._book.coefficient(self.preparation.name, name)
        assert found
        if not found.values:
            raise self.missing(name, unit)
        if "ecosystem" not in found.by:
            number = found.number(unit, year=0)
            return float(number[0]) if number else np.nan
        if ecosystem is None:
            raise self.class_of(name)
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

    def _check_rising(self, numbers: Mapping[str, Any]) -> None:
        """Check that every coefficient that must be below the next is."""
        for low, high in pairwise(self.preparation.rising):
            if np.any(numbers[low] >= numbers[high]):
                why = f"{low} must be below {high} everywhere"
                raise self.wrong(why, f"{low} 须处处小于 {high}")

    def _whole(self, rasters: list[Any], numbers: list[Any], cell: Any, place: list[Any]) -> Any:
        import xarray

        one = self.preparation
        arrays = [xarray.DataArray(given) for given in (*rasters, *place)]
        if cell is None or any(array.ndim != 2 for array in arrays):
            why = "it needs neighbours: give cell [m], and rasters of (rows, columns)"
            raise self.wrong(why, "需要邻域：请给出 cell [m]，栅格为（行，列）两维")
        both = self._sides(cell, *arrays[0].shape)

        def plain(given: Any) -> Any:
            flat = not getattr(given, "dims", ())
            return float(given) if flat else given.transpose(*arrays[0].dims).values.astype(float)

        latitude = {"latitude": plain(arrays[-1])} if one.place else {}
        taken = map(plain, [*arrays[: len(rasters)], *numbers])
        made = np.asarray(one.kernel(*taken, cell=both, **latitude), float)
        return self._said(arrays[0].copy(data=made))

    def _sides(self, cell: Any, rows: int, columns: int) -> tuple[Any, Any]:
        """Return heights and widths of the pixels as a whole kernel takes them [m]."""
        sides = cell if isinstance(cell, tuple | list) else (cell, cell)
        known = len(sides) == 2 and all(map(of_numbers, sides))
        found = [np.asarray(self.replaced("cell", "m", s), float) for s in sides if known]
        known = known and all(s.shape in ((), (rows,), (rows, columns)) for s in found)
        if not (known and all((np.isfinite(s) & (s >= FINEST)).all() for s in found)):
            why = "cell is no side of a pixel [m], nor a pair of heights and widths for "
            why += f"{rows} rows and {columns} columns; none may be below {FINEST}"
            why_zh = f"cell 不是像元边长 [m]，也不是 {rows} 行 {columns} 列像元的高与宽；"
            raise self.wrong(why, f"{why_zh}均不得小于 {FINEST}")
        height, width = (np.full(rows, s) if s.ndim == 0 else s for s in found)
        return height, width

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
