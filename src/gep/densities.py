"""An account as densities: which of its amounts lie on which pixels, and how much per km^2.

Every map is a sum of parts: the integers a column of the loop gives a pixel, times a factor of its
place and ecosystem that makes them add up to the account's amount there.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.accounts import derived_amounts
from gep.coefficients import weakest
from gep.cube import UNATTRIBUTED, Amounts, Cube, Leaf, Line
from gep.ecosystems import Title, ecosystems
from gep.errors import InputError, Problem
from gep.map_names import Wanted, said, unknown
from gep.plan import Item, Plan
from gep.run import Partials
from gep.service import GROUPS, Derived, Indicator, Products, positive, source_of
from gep.tables import TOTAL, status

QUANTITY, VALUE = "quantity", "value"
SQUARE_KILOMETRE = 1e6
CENT = Decimal("0.01")
LARGE = 10**24
"""Amount whose derived amount shows the ratio of the two to 24 digits."""

GROUP_TITLES = {
    "provisioning": Title("Material products", "物质产品"),
    "regulating": Title("Regulating services", "调节服务"),
    "cultural": Title("Cultural services", "文化服务"),
}
WHOLE = Title("Gross ecosystem product", "生态产品总值")
PARTIAL = Title("All services in the account (partial)", "已核算服务合计（不完整）")
SPREADS = {
    "pixels": Title("as each pixel gives it", "逐像元计算"),
    "capped": Title(
        "capacity of each pixel, held down to the county's load", "按像元能力，以县区排放量为限"
    ),
    "area": Title(
        "county amounts evenly over the eligible ecosystems", "县区总量按适用生态系统面积分摊"
    ),
    "weights": Title("county amounts by {name}", "县区总量按 {name} 分摊"),
    "even": Title("even over the county", "县区内平均分摊"),
}


@dataclass(frozen=True)
class Part:
    """Integers of column *source* of the loop times `factors`, shape (places, classes)."""

    source: int
    factors: NDArray[np.float64]


@dataclass(frozen=True)
class Map:
    """One map: its parts, and by place what they must add up to.

    `table` holds the account's amount in the unit of the map times km^2, `slack` by how much a
    sum of pixels of both signs may differ from it, because the account rounds it. A map that is
    `whole` is 0, not missing, where an ecosystem has nothing.
    """

    name: str
    title: Title
    unit: str
    parts: tuple[Part, ...]
    table: dict[str, float]
    slack: dict[str, float]
    whole: bool
    about: dict[str, str]


def make(plan: Plan, partials: Partials, cube: Cube, wanted: Wanted) -> list[Map]:
    """Maps of an account, in its order, the groups and the total last.

    Raises
    ------
    InputError
        E721 a name that is no map, E722 an amount of a county that has no pixel to show it.
    """
    if problems := unknown(plan, wanted):
        raise InputError(*problems)
    wanted = said(wanted)
    if wanted is False:
        return []
    asked = None if wanted is True else set(wanted)
    makers = _Maker(plan, partials, cube)
    found = []
    for line in cube.lines:
        if asked is None or {line.service, ".".join(line.key)} & asked:
            found += makers.of_line(line)
    for group in (*GROUPS, ""):
        if (asked is None or (group or TOTAL) in asked) and makers.counted(group):
            found.append(makers.of_group(group))
    return found


class _Maker:
    """Factors of the lines of one account."""

    def __init__(self, plan: Plan, partials: Partials, cube: Cube) -> None:
        self.plan, self.partials, self.cube = plan, partials, cube
        self.area = len(plan.accumulators)
        self._places = {place: number for number, place in enumerate(cube.places)}
        self._kinds = {key: number for number, key in enumerate(ecosystems())}
        self._sums: dict[int, tuple[NDArray[Any], NDArray[np.bool_]]] = {}

    def counted(self, group: str) -> list[Line]:
        """Lines whose money is in a group; all of them for ""."""
        lines = (line for line in self.cube.counted() if group in ("", line.group))
        return [line for line in lines if _known(line.cents)]

    def of_line(self, line: Line) -> list[Map]:
        """Quantity and value of one line, where it has them."""
        found = []
        if _known(line.amounts):
            unit = per_square_kilometre(line.unit)
            found.append(self._map(line, QUANTITY, line.title, unit, line.amounts, line.quantum))
        if _known(line.cents) and line.counted and line.priced:
            title = Title(f"{line.title.en}, value", f"{line.title.zh}价值量")
            found.append(self._map(line, VALUE, title, self._money(), line.cents, CENT))
        return found

    def of_group(self, group: str) -> Map:
        """Value of a group, or of everything counted for ""."""
        cube, lines = self.cube, self.counted(group)
        parts: dict[int, NDArray[np.float64]] = {}
        slack = dict.fromkeys(cube.places, 0.0)
        for line in lines:
            for part in self._parts(line, line.cents, CENT, VALUE):
                before = parts.get(part.source)
                parts[part.source] = part.factors if before is None else _sum(before, part.factors)
            for place, more in self._slack(line, VALUE).items():
                slack[place] += more
        whole = status(cube, cube.places)
        title = GROUP_TITLES[group] if group else (WHOLE if whole == "complete" else PARTIAL)
        about = {"group": group or TOTAL, "what": VALUE, "status": whole}
        about |= self._about(lines)
        table = {p: float((cube.cents((p,), group) or 0) * CENT) for p in cube.places}
        whole_parts = tuple(Part(source, factors) for source, factors in sorted(parts.items()))
        name = f"{group or TOTAL}.{VALUE}"
        return Map(name, title, self._money(), whole_parts, table, slack, True, about)

    def _map(
        self, line: Line, what: str, title: Title, unit: str, amounts: Amounts, quantum: Decimal
    ) -> Map:
        parts = self._parts(line, amounts, quantum, what)
        table = dict.fromkeys(self.cube.places, Decimal(0))
        for leaf, amount in amounts.items():
            table[leaf[0]] += (amount or 0) * quantum
        about = {"service": line.service, "indicator": line.indicator, "group": line.group}
        about |= {"what": what} | self._about([line])
        slack = dict.fromkeys(self.cube.places, 0.0) | self._slack(line, what)
        name = f"{line.service}.{line.indicator}.{what}"
        floats = {place: float(amount) for place, amount in table.items()}
        return Map(name, title, unit, tuple(parts), floats, slack, False, about)

    def _money(self) -> str:
        return per_square_kilometre(f"CNY_{self.cube.price_year}/year")

    def _parts(self, line: Line, amounts: Amounts, quantum: Decimal, what: str) -> list[Part]:
        """Parts of a line: by its own column, and evenly what nothing says how to spread."""
        sources = self._sources(line)
        known = self.partials.areas[:, :-1].sum(axis=1)
        shape = len(self.cube.places), len(self._kinds)
        even = np.full(shape, np.nan)
        found = {source: np.full(shape, np.nan) for source in sources.values()}
        scale = float(quantum) * SQUARE_KILOMETRE
        for leaf, amount in amounts.items():
            if amount is None:
                continue
            p = self._places[leaf[0]]
            if leaf[1] == UNATTRIBUTED:
                even[p] = _ratio(line, leaf, amount, int(known[p])) * scale
                continue
            k, source = self._kinds[leaf[1]], sources[leaf[0]]
            sums, mixed = self.sums(source)
            ratio = self._rate(line, leaf, what) if mixed[p, k] else None
            found[source][p, k] = scale * (
                _ratio(line, leaf, amount, int(sums[p, k])) if ratio is None else float(ratio)
            )
        parts = [*(Part(source, own) for source, own in found.items()), Part(self.area, even)]
        return [part for part in parts if not np.isnan(part.factors).all()]

    def item(self, line: Line) -> Item:
        """Item a line was made from."""
        for item in self.plan.items:
            if item.key == line.key:
                return item
        own = (item for item in self.plan.items if item.service.name == line.service)
        return next(item for item in own if isinstance(item.indicator, Products))

    def source(self, item: Item) -> int:
        """Column that spreads an item; after the last one come the areas."""
        if isinstance(item.indicator, Derived):
            return self.source(self._base(item))
        return self.area if item.accumulator is None else item.accumulator

    def _sources(self, line: Line) -> dict[str, int]:
        """Column that spreads a line, by place: areas where its own weights lack an ecosystem."""
        own = self.source(self.item(line))
        places = dict.fromkeys(line.by_place, own)
        if own == self.area or self.plan.accumulators[own].column.kernel is not positive:
            return places
        sums, _ = self.sums(own)
        for place, kind in line.leaves():
            if kind != UNATTRIBUTED and sums[self._places[place], self._kinds[kind]] <= 0:
                places[place] = self.area
        return places

    def _base(self, item: Item) -> Item:
        assert isinstance(item.indicator, Derived)
        key = source_of(item.service, item.indicator)
        return next(other for other in self.plan.items if other.key == key)

    def sums(self, source: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Integers of a column by place and class, and where their pixels have both signs."""
        if source not in self._sums:
            p = self.partials
            if source == self.area:
                found, negative = p.areas.astype(object), np.zeros(p.areas.shape, object)
            else:
                found = p.total(p.sums[:, :, source])
                negative = p.total(p.negative[:, :, source])
            self._sums[source] = found, (negative != 0) & (negative != found)
        return self._sums[source]

    def _rate(self, line: Line, leaf: Leaf, what: str) -> Fraction | None:
        """Amount per integer of the column, exactly; None where it is no fixed ratio."""
        item = self.item(line)
        rate = Fraction(1)
        if isinstance(item.indicator, Derived):
            base = next(x for x in self.cube.lines if x.key == self._base(item).key)
            large = replace(base, amounts={leaf: LARGE})
            year = self.plan.definition.account.year
            derived = derived_amounts(item.indicator, item.coefficients, large, year)[leaf]
            if derived is None or base.capped:
                return None
            rate = Fraction(derived, LARGE)
        if line.capped:
            return None
        if what == VALUE:
            price = line.prices.get(leaf)
            return None if price is None else rate * Fraction(line.quantum * price.number * 100)
        return rate

    def _slack(self, line: Line, what: str) -> dict[str, float]:
        """Half a unit for every leaf whose pixels have both signs: the account rounds it."""
        _, mixed = self.sums(self.source(self.item(line)))
        found: dict[str, float] = {}
        for leaf in line.leaves():
            place, kind = leaf
            if kind == UNATTRIBUTED or not mixed[self._places[place], self._kinds[kind]]:
                continue
            half = float(line.quantum) / 2
            if what == VALUE:
                price = line.prices.get(leaf)
                half = float(CENT) / 2 + (half * float(price.number) if price else 0.0)
            found[place] = found.get(place, 0.0) + half
        return found

    def _about(self, lines: list[Line]) -> dict[str, str]:
        """How the amounts came onto the pixels, and the weakest state of the numbers used."""
        spreads = list(dict.fromkeys(title for line in lines for title in self._spreads(line)))
        states = [state for line in lines for state in line.states.values() if state]
        found = {"spread": "; ".join(title.en for title in spreads)}
        found["spread_zh"] = "；".join(title.zh for title in spreads)
        return found | {"verified": weakest(states)} if states else found

    def _spreads(self, line: Line) -> Iterable[Title]:
        item = self.item(line)
        if isinstance(item.indicator, Derived):
            item = self._base(item)
        i = item.indicator
        if isinstance(i, Indicator) and not i.table:
            yield SPREADS["capped" if i.cap else "pixels"]
            return
        sources = self._sources(line)
        used = {sources[place] for place, kind in line.leaves() if kind != UNATTRIBUTED}
        for source in sorted(used):
            if source == self.area:
                yield SPREADS["area"]
            else:
                layer = self.plan.accumulators[source].column.layers[0]
                name = self.plan.layers[layer + 1].name
                yield Title(*(text.format(name=name) for text in SPREADS["weights"]))
        if any(kind == UNATTRIBUTED for _, kind in line.leaves()):
            yield SPREADS["even"]


def per_square_kilometre(unit: str) -> str:
    """Unit of the density of an amount.

    >>> per_square_kilometre("m^3/year"), per_square_kilometre("visit")
    ('m^3/(year*km^2)', 'visit/km^2')
    """
    plain = unit.removesuffix("/year")
    return f"{plain}/km^2" if plain == unit else f"{plain}/(year*km^2)"


def _known(amounts: Amounts) -> bool:
    return any(amount is not None for amount in amounts.values())


def _ratio(line: Line, leaf: Leaf, amount: int, total: int) -> float:
    """Amount of a leaf per integer of its pixels."""
    if total == 0:
        if amount:
            fields = {"name": ".".join(line.key), "place": leaf[0], "ecosystem": leaf[1]}
            raise InputError(Problem("E722", fields))
        return 0.0
    return amount / total


def _sum(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of two tables of factors; NaN only where both are."""
    both: NDArray[np.float64] = np.where(
        np.isnan(one), other, one + np.where(np.isnan(other), 0.0, other)
    )
    return both
