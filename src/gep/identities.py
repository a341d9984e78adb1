"""Accounting identities, checked on the tables as written; integers, tolerance 0 unless said."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import shapely

from gep.counties import owned_share
from gep.cube import AREA_QUANTUM, UNALLOCATED, Cube, Line, half_even
from gep.ecosystems import Title
from gep.errors import Problem
from gep.plan import Plan
from gep.run import Loop, Partials, Readers, same_after_retiling

AREA_TOLERANCE = 0.001
CHANCE = 4 * 0.29
"""Pixels by which counting centres errs, at four deviations, per root of a boundary's length."""
FEW = 100
"""A county of fewer pixels cannot be held against its polygon."""
FINE_PIXEL = 250.0
"""Below this pixel size the area by pixels is held against the polygon."""

Text = Mapping[str, str]


@dataclass(frozen=True)
class Identity:
    """One identity: what must be equal, whether it is, and the integers (or ratio) compared."""

    name: str
    title: Title
    holds: bool
    compared: int
    left: str
    right: str

    def problem(self) -> Problem:
        """E711, for one that does not hold."""
        fields = {"name": self.name, "title": self.title.en, "title_zh": self.title.zh}
        return Problem("E711", fields | {"left": self.left, "right": self.right})


TITLES = {
    "counties": Title("counties + unallocated = province", "县区合计 + 未分配 = 全域"),
    "ecosystems": Title("ecosystems = county, every indicator", "各生态系统合计 = 县区"),
    "groups": Title("groups = total, every row", "三类合计 = 总值"),
    "value": Title("value = quantity × price, every leaf", "价值量 = 实物量 × 单价"),
    "constant": Title(
        "constant prices: leaves = county = province", "不变价：各项合计 = 县区 = 全域"
    ),
    "extent": Title("ecosystem areas = county area", "生态系统面积合计 = 县区面积"),
    "pixels": Title("pixels inside + outside = all pixels", "界内 + 界外 = 全部像元"),
    "area": Title("county area by pixels = polygon ± 0.1 %", "像元面积 = 界线面积 ± 0.1 %"),
    "cap": Title("capped quantity = min(load, capacity)", "净化量 = 排放量与净化能力的较小者"),
    "sums": Title("lines = what the loop summed, as integers", "各指标 = 像元累加的整数"),
    "maps": Title("maps × pixel area = tables ± 1e-6", "地图 × 像元面积 = 表格 ± 1e-6"),
    "tiling": Title("another tiling gives the same integers", "换一种分块，整数不变"),
}


MONEY = ("counties", "ecosystems", "groups", "value", "constant")
"""Identities that compare cents."""


def make(name: str, compared: int, left: object, right: object, holds: bool) -> Identity:
    """Identity under its title in both languages."""
    return Identity(name, TITLES[name], holds, compared, str(left), str(right))


def tiling(loop: Loop, readers: Readers) -> Identity:
    """Sums of some tiles against those of the same tiles cut otherwise."""
    tried, left, right = same_after_retiling(loop, readers)
    return make("tiling", tried, left, right, left == right)


def of_run(plan: Plan, partials: Partials, cube: Cube, retiled: Identity) -> list[Identity]:
    """Identities of what the rasters gave, before any table is written."""
    grid_pixels = plan.grid.height * plan.grid.width
    counted = int(partials.pixels.sum()) + partials.outside
    found = [
        make("pixels", grid_pixels, counted, grid_pixels, counted == grid_pixels),
        retiled,
    ]
    found.append(_sums(plan, partials, cube))
    capped = [line for line in cube.lines if line.capped]
    if capped:
        found.append(_cap(capped))
    if plan.grid.pixel < FINE_PIXEL:
        found.append(_area(plan, partials))
    return found


def _sums(plan: Plan, partials: Partials, cube: Cube) -> Identity:
    """Quanta in the lines against those the loop summed; nothing lost on the way."""
    columns = {item.key: item.accumulator for item in plan.items}
    summed = {i.key for i in plan.items if not getattr(i.indicator, "table", "")}
    left, right = [], []
    for line in cube.lines:
        column = columns.get(line.key)
        if column is not None and line.key in summed and not line.capped:
            left.append(sum(amount for amount in line.amounts.values() if amount is not None))
            right.append(int(partials.total(partials.sums[:, :, column]).sum()))
    return make("sums", len(left), left, right, left == right)


def _cap(lines: list[Line]) -> Identity:
    """Amount of every capped indicator and county against capacity and load."""
    amounts, limits = [], []
    for line in lines:
        for place, (capacity, load) in line.capped.items():
            leaves = [line.amounts.get(leaf) for leaf in line.by_place.get(place, ())]
            known = [amount for amount in leaves if amount is not None]
            if load is not None and known:
                amounts.append(sum(known))
                limits.append(min(capacity, load))
    return make("cap", len(amounts), sum(amounts), sum(limits), amounts == limits)


def _area(plan: Plan, partials: Partials) -> Identity:
    """Area of every county by its pixels against its polygon on the ellipsoid."""
    by_pixels = [int(quanta) * AREA_QUANTUM for quanta in partials.areas.sum(axis=1)]
    shares = plan.counties.inside
    if "E401" in plan.definition.accept:
        shares = shares * owned_share(plan.counties.polygons)
    polygons = [area * share for area, share in zip(plan.counties.areas, shares, strict=True)]
    pairs = list(zip(by_pixels, polygons, strict=False))
    pixel = plan.grid.pixel**2
    errors = [abs(pixels / polygon - 1) for pixels, polygon in pairs]
    lengths = shapely.length(plan.counties.polygons) / plan.grid.transform.a
    chance = [CHANCE * math.sqrt(n) * pixel / a for n, a in zip(lengths, polygons, strict=True)]
    limits = [
        max(AREA_TOLERANCE, c) if a >= FEW * pixel else math.inf
        for c, a in zip(chance, polygons, strict=True)
    ]
    holds = all(e <= limit for e, limit in zip(errors, limits, strict=True))
    worst = max(errors)
    left, right = sum(p for p, _ in pairs), sum(q for _, q in pairs)
    fields = f"{left / 1e6:.6f} km2, {worst:.4%}", f"{right / 1e6:.6f} km2"
    return make("area", len(pairs), *fields, holds)


def cents(text: str) -> int | None:
    """Money as written in CNY, in integer cents; None if empty.

    >>> cents("7.06"), cents("")
    (706, None)
    """
    if text[-3:-2] == ".":
        return int(text[:-3] + text[-2:])
    return int(Decimal(text).scaleb(2)) if text else None


def of_tables(
    accounts: Iterable[Text], counties: Iterable[Text], extent: Iterable[Text]
) -> list[Identity]:
    """Identities of the three tables of a run folder, given their rows as text."""
    leaves, areas = _Leaves(), list(counties)
    for row in accounts:
        leaves.add(row)
    by_code = {row["code"]: row for row in areas if row["level"] in ("county", UNALLOCATED)}
    province = next(row for row in areas if row["level"] == "province")
    found = [
        _counties(leaves, by_code, province),
        _ecosystems(leaves, by_code),
        _groups(areas),
        leaves.now.identity(),
        _extent(extent, by_code),
    ]
    if leaves.constant:
        found.append(_constant(leaves, by_code, province))
    return found


class _Products:
    """Quantity times price of leaves against their values, to half a cent."""

    def __init__(self) -> None:
        self.compared = self.made = self.given = 0
        self.holds = True

    def add(self, quantity: str, price: str, value: str) -> None:
        """Compare one leaf, if it has all three."""
        if price and quantity and value:
            made, given = _product(quantity, price), cents(value) or 0
            self.compared += 1
            self.made += made
            self.given += given
            self.holds &= made == given

    def identity(self) -> Identity:
        """What came of it."""
        return make("value", self.compared, self.made, self.given, self.holds)


class _Leaves:
    """What identities need of the rows of the account: sums by county, read once."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = defaultdict(int)
        self.sums_constant: dict[str, int] = defaultdict(int)
        self.now, self.then, self.constant = _Products(), _Products(), False

    def add(self, row: Text) -> None:
        """Add one row; money counts where it states its unit."""
        value, then, place = row["value"], row.get("value_constant"), row["county_code"]
        if row["value_unit"]:
            self.sums[place] += cents(value) or 0
        self.now.add(row["quantity"], row["price"], value)
        if then:
            self.constant = True
            self.sums_constant[place] += cents(then) or 0
            self.then.add(row["quantity"], row["price_constant"], then)


def _sum(values: Iterable[int | None]) -> int:
    return sum(value for value in values if value is not None)


def _counties(leaves: _Leaves, by_code: Mapping[str, Text], province: Text) -> Identity:
    """Sum of the county rows against the province row, and against the account itself."""
    by_row = _sum(cents(row["gep"]) for row in by_code.values())
    by_leaf = sum(leaves.sums.values())
    whole = cents(province["gep"]) or 0
    return make("counties", len(by_code), by_row, whole, by_row == whole == by_leaf)


def _ecosystems(leaves: _Leaves, by_code: Mapping[str, Text]) -> Identity:
    """Sum of the leaves of every county against its row."""
    sums = leaves.sums
    wrong = [code for code, row in by_code.items() if (cents(row["gep"]) or 0) != sums[code]]
    left = sum(sums.values())
    right = _sum(cents(row["gep"]) for row in by_code.values())
    return make(
        "ecosystems", len(by_code), left, right, not wrong and sums.keys() <= by_code.keys()
    )


def _groups(areas: list[Text]) -> Identity:
    """Sum of the three groups of every row against its total."""
    names = ("provisioning", "regulating", "cultural")
    left = [_sum(cents(row[name]) for name in names) for row in areas]
    right = [cents(row["gep"]) or 0 for row in areas]
    return make("groups", len(areas), sum(left), sum(right), left == right)


def _product(quantity: str, price: str) -> int:
    """Cents of a quantity at a price, as they stand in a table."""
    amount, per = Decimal(quantity).as_integer_ratio()
    money, of = _ratio(price)
    return half_even(amount * money * 100, per * of)


@lru_cache(1 << 12)
def _ratio(price: str) -> tuple[int, int]:
    """Price as a fraction; a table says the same few again and again."""
    return Decimal(price).as_integer_ratio()


def _constant(leaves: _Leaves, by_code: Mapping[str, Text], province: Text) -> Identity:
    """Values at the prices of the base year: quantity × price, leaves = county, counties = all.

    A county whose total is empty lacks a price of that year; so does then the province.
    """
    sums = leaves.sums_constant
    stated = {c: cents(row["gep_constant"]) for c, row in by_code.items() if row["gep_constant"]}
    known = {code: sums[code] for code in stated}
    holds = known == stated and leaves.then.holds
    if province["gep_constant"]:
        holds &= cents(province["gep_constant"]) == sum(sums.values())
    return make("constant", len(stated), sum(known.values()), _sum(stated.values()), holds)


def _extent(extent: Iterable[Text], by_code: Mapping[str, Text]) -> Identity:
    """Sum of the ecosystem areas of every county against its area."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in extent:
        sums[row["county_code"]] += Decimal(row["area_km2"])
    wrong = [c for c, row in by_code.items() if Decimal(row["area_km2"] or 0) != sums[c]]
    left, right = sum(sums.values()), sum(Decimal(r["area_km2"] or 0) for r in by_code.values())
    return make("extent", len(by_code), left, right, not wrong)
