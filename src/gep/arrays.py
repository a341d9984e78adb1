"""Services on xarray: the same kernels and numbers as an account, units checked at the door."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from gep import coefficients
from gep.coefficients import Book, Coefficient
from gep.ecosystems import ecosystems
from gep.errors import InputError, Problem, stop_on
from gep.profile import Choice, load
from gep.service import Indicator, Service
from gep.service import services as registry
from gep.units import factor

if TYPE_CHECKING:
    import xarray

DEFAULT_PROFILE = "jiangxi-2021"


class Call:
    """A kernel as a function of data arrays: what may be said of its arguments."""

    called: str

    def wrong(self, why: str, why_zh: str) -> InputError:
        """Return E019: this call, and why it cannot be meant, in both languages."""
        return InputError(Problem("E019", {"call": self.called, "why": why, "why_zh": why_zh}))

    def missing(self, name: str, unit: str) -> InputError:
        """Return E019: an argument that is needed is not given."""
        return self.wrong(f"{name} is missing; give it in {unit}", f"缺少 {name}；单位为 {unit}")

    def strange(self, name: str, known: Iterable[str]) -> InputError:
        """Return E019: an argument nobody takes."""
        names = ", ".join(known) or "-"
        return self.wrong(
            f"unknown argument {name}; known: {names}", f"没有参数 {name}；可用：{names}"
        )

    def class_of(self, name: str) -> InputError:
        """Return E019: a number that needs the ecosystems."""
        return self.wrong(
            f"{name} varies by ecosystem; give ecosystem, an array of class keys",
            f"{name} 因生态系统而异；请给出 ecosystem（类型名的数组）",
        )

    def no_classes(self, words: Iterable[str]) -> InputError:
        """Return E019: words that are no ecosystem classes."""
        listed = ", ".join(sorted(words)[:8])
        return self.wrong(f"not ecosystem classes: {listed}", f"不是生态系统类型：{listed}")

    def replaced(self, name: str, unit: str, given: Any) -> Any:
        """Return a coefficient given in *unit*, or in that of its attributes."""
        stated = "units" in getattr(given, "attrs", {})
        return self.in_unit(name, unit, {name: given}) if stated else given

    def check_number(self, name: str, given: Any) -> None:
        """Refuse what is neither a number nor a data array of numbers."""
        import xarray

        if isinstance(given, xarray.DataArray) or np.isscalar(given):
            numeric = np.asarray(given).dtype.kind in "iuf"
        else:
            numeric = isinstance(given, np.ndarray | list | tuple) and of_numbers(given)
        if not numeric:
            why_zh = f"{name} 不是数字或数字的 DataArray"
            raise self.wrong(f"{name} is not a number or a DataArray of numbers", why_zh)
        if not isinstance(given, xarray.DataArray) and np.ndim(given):
            self._no_array(name, given)

    def check_classes(self, ecosystem: Any) -> None:
        """Refuse what is no data array of class keys, "" and NaN among them."""
        import xarray

        if ecosystem is None:
            return
        if not isinstance(ecosystem, xarray.DataArray):
            self._no_array("ecosystem", ecosystem)
        present = {key for key in ecosystem.values.ravel().tolist() if key == key and key}
        if strange := {key for key in present if key not in ecosystems()}:
            raise self.no_classes(map(str, strange))

    def _no_array(self, name: str, given: Any) -> NoReturn:
        """Raise E019: something else where a data array belongs."""
        kind = type(given).__name__
        why_zh = f"{name} 是 {kind}，不是 xarray.DataArray"
        raise self.wrong(f"{name} is {kind}, not an xarray.DataArray", why_zh)

    def lie_on_one_another(self, inputs: Mapping[str, Any]) -> None:
        """Refuse an array whose dimensions, sizes or coordinates are not those of the first.

        xarray would keep what they have in common, or spread one along the other, without a word.
        """
        import xarray

        first, base = "", xarray.DataArray(0.0)
        for name, array in inputs.items():
            if array is None or np.ndim(array) == 0:
                continue
            if not first:
                first, base = name, array
            if {*array.dims} != {*base.dims}:
                have, want = (", ".join(map(str, a.dims)) for a in (array, base))
                why_zh = f"{name} 的维度为（{have}），{first} 为（{want}）"
                raise self.wrong(f"{name} has dimensions ({have}), {first} has ({want})", why_zh)
            try:
                xarray.align(base, array, join="exact", copy=False)
            except ValueError:
                sizes = [d for d in base.dims if base.sizes[d] != array.sizes[d]]
                apart = [d for d in base.dims if not base[d].equals(array[d])]
                what, which = ("size", sizes) if sizes else ("coordinates", apart)
                along = ", ".join(map(str, which))
                why = f"{name} does not lie on {first}: other {what} along {along}"
                what_zh = "大小" if sizes else "坐标"
                why_zh = f"{name} 与 {first} 不重合：{along} 的{what_zh}不同"
                raise self.wrong(why, why_zh) from None

    def in_unit(self, name: str, unit: str, inputs: Mapping[str, Any]) -> Any:
        """Return an array among *inputs* in *unit*; E019 if it is missing or states no units."""
        if name not in inputs:
            raise self.missing(name, unit)
        array = inputs[name]
        have = getattr(array, "attrs", {}).get("units")
        if not isinstance(have, str):
            why_zh = f'{name} 没有单位；请设置 attrs["units"]，如 {unit!r}'
            why = f'{name} states no units; set attrs["units"], for example {unit!r}'
            raise self.wrong(why, why_zh)
        return array * factor(have, unit, name)


class Densities(Call):
    """One service by one method as a function of data arrays.

    Calling it gives an `xarray.Dataset` with one density per indicator that has a kernel on
    pixels, in the unit of `attrs["units"]`. Capped indicators give their capacity: the load is a
    county's. What is made from the rows of a table has no density and is left out.
    """

    def __init__(self, service: Service, choice: Choice, book: Book) -> None:
        self.service, self._choice, self._book = service, choice, book
        self.called = f"gep.services[{service.name!r}]"
        self.__doc__ = f"{service.title.en} ({service.method}): {service.source}"

    def __repr__(self) -> str:
        """Name, method, and what it takes."""
        takes = ", ".join(f"{name} [{unit}]" for name, unit in self.service.rasters().items())
        return f"{self.service.name} ({self.service.method}): {takes or 'ecosystem'}"

    def __call__(
        self, *, ecosystem: "xarray.DataArray | None" = None, **inputs: Any
    ) -> "xarray.Dataset":
        """Densities of the service.

        Parameters
        ----------
        ecosystem : DataArray of str, optional
            Class key at every element, "" or NaN where there is none. Needed where coefficients
            vary by ecosystem; the density is NaN where the class is not eligible.
        **inputs : DataArray or float
            Rasters by name, with their unit in `attrs["units"]`; and coefficients by name, to
            replace those on file: a number in the declared unit, or a DataArray, whose
            `attrs["units"]` may state another. All arrays, `ecosystem` among them, must have the
            same dimensions, sizes and coordinates; an array of dimension 0 goes with any.

        Returns
        -------
        Dataset
            One float64 variable per indicator, of the shape and coordinates of the inputs, with
            `attrs["units"]` (per area, such as mm/year or t/(ha*year)) and `attrs["long_name"]`.
            NaN where an input is NaN.

        Raises
        ------
        InputError
            E019 the service has no kernel on pixels; an input is missing, unknown, no number or
            states no units; an ecosystem is no class; an array does not lie on the others.
        UnitError
            E603 an input has the unit of another quantity, E601 or E602 an unknown unit.
        """
        import xarray

        kernels = [i for i in self.service.indicators if isinstance(i, Indicator) and not i.table]
        if not kernels:
            why = "it has no kernel on pixels of its own; see gep.from_quantities"
            raise self.wrong(why, "该服务不按像元计算；参见 gep.from_quantities")
        known = {n: u for i in kernels for n, u in (i.rasters | i.coefficients).items()}
        for name in inputs:
            if name not in known:
                raise self.strange(name, known)
            self.check_number(name, inputs[name])
        self.check_classes(ecosystem)
        arrays = {name: inputs[name] for name in known if name in inputs}
        self.lie_on_one_another(arrays | {"ecosystem": ecosystem})
        out = {}
        for i in kernels:
            if i.optional and i.name not in self._choice.include and len(kernels) > 1:
                continue
            arguments = [self.in_unit(n, u, inputs) for n, u in i.rasters.items()]
            arguments += [self._number(n, u, ecosystem, inputs) for n, u in i.coefficients.items()]
            kernel = np.vectorize(i.kernel, otypes=[float])
            with np.errstate(invalid="ignore"):  # comparing NaN is no accident here
                density = xarray.DataArray(xarray.apply_ufunc(kernel, *arguments, keep_attrs=False))
            if ecosystem is not None:
                density = density.where(ecosystem.isin(_eligible(i)))
            out[i.name] = density.assign_attrs(units=i.gives, long_name=i.title.en)
        return xarray.Dataset(out)

    def _number(
        self, name: str, unit: str, ecosystem: "xarray.DataArray | None", inputs: Mapping[str, Any]
    ) -> Any:
        if name in inputs:
            return self.replaced(name, unit, inputs[name])
        found = self._book.coefficient(self.service.name, name, self._choice.sets.get(name, ""))
        assert found
        if name in self._choice.parameters:
            return float(self._choice.parameters[name])
        if "ecosystem" not in found.by:
            number = found.number(unit, year=0)
            return float(number[0]) if number else np.nan
        if ecosystem is None:
            raise self.class_of(name)
        return by_class(found, unit, ecosystem)


def _eligible(i: Indicator) -> list[str]:
    return [
        e.key for e in ecosystems().values() if e.key in i.ecosystems or e.group in i.ecosystems
    ]


def of_numbers(given: Any) -> bool:
    """Tell whether something is a number or an array of numbers; a ragged list is not."""
    try:
        return np.asarray(given).dtype.kind in "iuf"
    except ValueError:
        return False


def by_class(found: Coefficient, unit: str, ecosystem: "xarray.DataArray") -> "xarray.DataArray":
    """Coefficient at every element of an array of class keys; NaN where it has no value."""
    values = {key: found.number(unit, ecosystem=key) for key in ecosystems()}
    numbers = {key: float(number[0]) for key, number in values.items() if number}
    looked_up = np.vectorize(lambda key: numbers.get(str(key), np.nan), otypes=[float])
    return ecosystem.copy(data=looked_up(ecosystem.values))


class Services(Mapping[Any, Densities]):
    """Every service by (name, method), or by name alone for the method of the default profile."""

    __name__ = "gep.services"  # so that `import gep.services.soil_retention as s` finds the module

    def __init__(self, make: Callable[[], dict[tuple[str, str], Service]] = registry) -> None:
        self._make = make
        self._book: Book | None = None

    def __getitem__(self, key: str | tuple[str, str]) -> Densities:
        """Return one service; KeyError if there is none."""
        choices = load(DEFAULT_PROFILE).choices
        name = key if isinstance(key, str) else key[0]
        choice = choices.get(name, Choice(name))
        method = choice.method if isinstance(key, str) else key[1]
        if (name, method) not in self._make():
            known = ", ".join(f"{n} ({m})" for n, m in self._make())
            raise KeyError(f"no service {key!r}; there are: {known}")
        if self._book is None:
            self._book, problems = coefficients.load()
            stop_on(problems)
        return Densities(self._make()[name, method], choice, self._book)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield (name, method)."""
        return iter(self._make())

    def __len__(self) -> int:
        """Return the number of services and methods."""
        return len(self._make())

    def __repr__(self) -> str:
        """One line per service."""
        return "\n".join(repr(self[key]) for key in self)


services = Services()
