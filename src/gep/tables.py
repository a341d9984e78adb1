"""The cube as the tables people read: the whole account, counties, extent, and a summary."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from gep.cube import AREA_QUANTUM, UNALLOCATED, Cube, Leaf, Line, money
from gep.ecosystems import Title
from gep.service import GROUPS
from gep.units import exact

if TYPE_CHECKING:
    import pandas
    import xarray

Cell = str | int | Decimal | None
Row = dict[str, Cell]
SQUARE_KILOMETRE = Decimal(10) ** 6
TOTAL = "total"
"""Place of an account without counties, and key of a figure stated of all its places at once."""

ACCOUNT_COLUMNS = (
    *("county_code", "county_name", "year", "group", "service", "indicator", "ecosystem"),
    *("quantity", "quantity_unit", "price", "price_unit", "value", "value_unit"),
    *("coverage", "verified"),
    *("price_constant", "value_constant", "value_constant_unit"),
)
COUNTY_COLUMNS = (
    *("level", "code", "name", "area_km2", *GROUPS, "gep", "gep_constant", "gep_per_km2"),
    *("population", "gep_per_capita", "gdp", "gep_to_gdp", "regulating_share", "coverage"),
    "status",
)
EXTENT_COLUMNS = ("county_code", "county_name", "ecosystem", "area_km2", "share")


@dataclass(frozen=True)
class Area:
    """A county, a city, what belongs to no county, or all of it: a row of the county table."""

    level: str
    code: str
    name: str
    places: tuple[str, ...]


def areas(cube: Cube, name: str) -> list[Area]:
    """Counties, the unallocated rest, cities if they are known, then everything."""
    found = [Area("county", code, cube.names.get(code, code), (code,)) for code in cube.names]
    if UNALLOCATED in cube.places:
        found.append(Area(UNALLOCATED, UNALLOCATED, "", (UNALLOCATED,)))
    cities: dict[tuple[str, str], list[str]] = {}
    for code, city in cube.cities.items():
        if city[0]:
            cities.setdefault(city, []).append(code)
    found += [Area("city", code, title, tuple(own)) for (code, title), own in cities.items()]
    heads = {code[:2] for code in cube.names}
    code = f"{heads.pop()}0000" if len(heads) == 1 else "all"
    return [*found, Area("province", code, name, cube.places)]


def account_rows(cube: Cube) -> Iterator[Row]:
    """Yield one row per place, indicator and ecosystem, in the order of the account."""
    constant = {line.key: line for line in cube.constant.lines} if cube.constant else {}
    for place in cube.places:
        for line in cube.lines:
            for leaf in line.by_place.get(place, ()):
                yield _account_row(cube, line, leaf) | _constant(cube, constant, line, leaf)


def _constant(cube: Cube, constant: dict[tuple[str, str], Line], line: Line, leaf: Leaf) -> Row:
    """Price and value of a leaf at the prices of the base year."""
    row: Row = {"price_constant": None, "value_constant": None, "value_constant_unit": ""}
    if cube.constant is None or not (line.priced and line.counted):
        return row
    then = constant[line.key]
    price = then.prices.get(leaf)
    row["price_constant"] = None if price is None else price.number
    row["value_constant"] = money(then.cents.get(leaf))
    row["value_constant_unit"] = f"CNY_{cube.constant.price_year}"
    return row


def _account_row(cube: Cube, line: Line, leaf: Leaf) -> Row:
    amount, price = line.amounts.get(leaf), line.prices.get(leaf)
    coverage = line.coverage.get(leaf[0])
    return {
        "county_code": leaf[0],
        "county_name": cube.names.get(leaf[0], ""),
        "year": cube.year,
        "group": line.group,
        "service": line.service,
        "indicator": line.indicator,
        "ecosystem": leaf[1],
        "quantity": None if amount is None else amount * line.quantum,
        "quantity_unit": line.unit,
        "price": None if price is None else price.number,
        "price_unit": "" if price is None else price.unit,
        "value": money(line.cents.get(leaf)),
        "value_unit": f"CNY_{cube.price_year}" if line.priced and line.counted else "",
        "coverage": None if coverage is None else round(coverage, 6),
        "verified": line.states.get(leaf, ""),
    }


def county_rows(cube: Cube, name: str) -> list[Row]:
    """Return one row per county, the unallocated rest, city and province; money in CNY."""
    return [_county_row(cube, area) for area in areas(cube, name)]


def _county_row(cube: Cube, area: Area) -> Row:
    area_km2 = sum(_square_kilometres(cube, place) for place in area.places)
    total = money(cube.cents(area.places))
    known = [cube.raster_coverage[p] for p in area.places if p in cube.raster_coverage]
    row: Row = dict.fromkeys(COUNTY_COLUMNS)
    row |= {"level": area.level, "code": area.code, "name": area.name, "area_km2": area_km2}
    row |= {group: money(cube.cents(area.places, group)) for group in GROUPS}
    row |= {"gep": total, "gep_constant": money(cube.constant_cents(area.places))}
    if total is not None and area_km2:
        row["gep_per_km2"] = round(total / area_km2, 2)
    people, product = (_stated(table, cube, area) for table in (cube.population, cube.gdp))
    row |= {"population": people, "gdp": product}
    if total is not None:
        row["gep_per_capita"] = round(total / people, 2) if people else None
        dated = cube.gdp_year in (None, cube.price_year)  # money of two years has no ratio
        row["gep_to_gdp"] = round(total / product, 6) if product and dated else None
    regulating = row["regulating"]
    if total and isinstance(regulating, Decimal):
        row["regulating_share"] = round(regulating / total, 6)
    row["coverage"] = round(_mean_coverage(cube, area), 6) if known else None
    row["status"] = status(cube, area.places)
    return row


def _stated(table: dict[str, Decimal], cube: Cube, area: Area) -> Decimal | None:
    """Sum of what a table states of the counties of an area; None if it lacks one of them.

    What it states of all places at once, under `total`, is of the area that has them all.
    """
    if TOTAL in table and area.places == cube.places:
        return table[TOTAL]
    counties = [place for place in area.places if place in cube.names]
    known = [table[place] for place in counties if place in table]
    return sum(known, Decimal(0)) if known and len(known) == len(counties) else None


def _mean_coverage(cube: Cube, area: Area) -> Decimal:
    """Coverage of several places, weighted by their areas."""
    covered = [p for p in area.places if p in cube.raster_coverage]
    known = [(cube.raster_coverage[p], _square_kilometres(cube, p)) for p in covered]
    whole = sum(size for _, size in known)
    return sum(c * size for c, size in known) / whole if whole else Decimal(0)


def status(cube: Cube, places: tuple[str, ...]) -> str:
    """`complete` if the whole profile is there and nothing is missing, else `partial`."""
    lacking = any(not line.lacking.isdisjoint(places) for line in cube.counted())
    return "partial" if cube.partial or lacking else "complete"


def _square_kilometres(cube: Cube, place: str) -> Decimal:
    return cube.areas.get(place, 0) * exact(AREA_QUANTUM) / SQUARE_KILOMETRE


def extent_rows(cube: Cube) -> Iterator[Row]:
    """Yield the area of every ecosystem in every place."""
    for (place, ecosystem), area in cube.extent.items():
        yield {
            "county_code": place,
            "county_name": cube.names.get(place, ""),
            "ecosystem": ecosystem,
            "area_km2": area * exact(AREA_QUANTUM) / SQUARE_KILOMETRE,
            "share": round(Decimal(area) / Decimal(cube.areas[place]), 8),
        }


@dataclass(frozen=True)
class Summary:
    """One line of the table on the terminal: an indicator, or the sum of a service."""

    service: str
    title: Title
    quantity: Decimal | None
    unit: str
    cents: int | None
    partial: bool
    share: Decimal | None
    priced: bool = True


def summary(cube: Cube) -> list[Summary]:
    """Every counted indicator over all places, with its share of the money."""
    total = cube.cents(cube.places)
    found = []
    for line in cube.lines:
        if not line.counted:
            continue
        cents = line.money(cube.places) if line.priced else None
        share = Decimal(cents) / Decimal(total) if cents is not None and total else None
        lacking = any(line.lacks(place) for place in cube.places)
        quantity = line.quantity(cube.places)
        found.append(
            Summary(
                line.service, line.title, quantity, line.unit, cents, lacking, share, line.priced
            )
        )
    return found


def say_unit(unit: str) -> str:
    """Unit of an amount of the accounting year, as people write it.

    >>> say_unit("m^3/year"), say_unit("tCO2/year"), say_unit("t/year")
    ('m³', 't CO2', 't')
    """
    plain = unit.removesuffix("/year").replace("^2", "²").replace("^3", "³")
    for substance in ("CO2", "O2", "C"):
        if plain in (f"t{substance}", f"g{substance}", f"kg{substance}"):
            return f"{plain.removesuffix(substance)} {substance}"
    return plain


COUNTED = {
    "visit/year": {"en": "visits", "zh": "人次"},
    "room*night/year": {"en": "room nights", "zh": "间夜"},
}


def say_quantity(quantity: Decimal | None, unit: str, language: str) -> str:
    """Quantity in four digits with 万/亿, or thousand, million, billion.

    >>> say_quantity(Decimal(152430000), "m^3/year", "en")
    '152.4 million m³'
    >>> say_quantity(Decimal(152430000), "m^3/year", "zh"), say_quantity(None, "t/year", "zh")
    ('1.524 亿 m³', '—')
    """
    if quantity is None:
        return "—"
    steps = {"zh": ((8, "亿"), (4, "万")), "en": ((9, "billion"), (6, "million"))}[language]
    said = COUNTED.get(unit, {}).get(language) or say_unit(unit)
    for power, word in steps:
        if abs(quantity) >= Decimal(10) ** power:
            return f"{_digits(quantity.scaleb(-power))} {word} {said}"
    return f"{_digits(quantity)} {said}"


def _digits(number: Decimal) -> str:
    whole = len(str(abs(int(number))))
    return f"{number:,.{max(0, 4 - whole)}f}"


def ten_thousands(cents: int | None) -> str:
    """Money in 万元 with two decimals and separators.

    >>> ten_thousands(123_456_789_012), ten_thousands(None)
    ('123,456.79', '—')
    """
    return "—" if cents is None else f"{round(Decimal(cents).scaleb(-6), 2):,.2f}"


TEXT_COLUMNS = ("level", "code", "name", "status")


def frame(rows: list[Row]) -> "pandas.DataFrame":
    """Rows of the county table as a data frame; codes are text, numbers floats."""
    import pandas

    found = pandas.DataFrame(rows, columns=list(COUNTY_COLUMNS))
    numbers = [name for name in COUNTY_COLUMNS if name not in TEXT_COLUMNS]
    return found.astype(dict.fromkeys(numbers, "float64"))


def dataset(cube: Cube) -> "xarray.Dataset":
    """Cube as xarray: dims county, ecosystem, indicator; NaN where there is no amount.

    `quantity` is in the unit its indicator states in the coordinate `unit`, `value` in CNY of the
    price year.
    """
    import numpy
    import xarray

    kinds = list(dict.fromkeys(leaf[1] for line in cube.lines for leaf in line.leaves()))
    keys = [f"{line.service}.{line.indicator}" for line in cube.lines]
    shape = (len(cube.places), len(kinds), len(keys))
    quantity, value = numpy.full(shape, numpy.nan), numpy.full(shape, numpy.nan)
    place_of = {place: number for number, place in enumerate(cube.places)}
    kind_of = {kind: number for number, kind in enumerate(kinds)}
    for number, line in enumerate(cube.lines):
        for place, kind in line.leaves():
            at = place_of[place], kind_of[kind], number
            amount, cents = line.amounts.get((place, kind)), line.cents.get((place, kind))
            if amount is not None:
                quantity[at] = float(amount * line.quantum)
            if cents is not None:
                value[at] = cents / 100
    dims = ("county", "ecosystem", "indicator")
    money_unit = f"CNY_{cube.price_year}/year"
    return xarray.Dataset(
        {
            "quantity": (dims, quantity, {"units": "see coordinate unit"}),
            "value": (dims, value, {"units": money_unit}),
        },
        coords={
            "county": list(cube.places),
            "ecosystem": kinds,
            "indicator": keys,
            "county_name": ("county", [cube.names.get(place, "") for place in cube.places]),
            "service": ("indicator", [line.service for line in cube.lines]),
            "group": ("indicator", [line.group for line in cube.lines]),
            "unit": ("indicator", [line.unit for line in cube.lines]),
            "counted": ("indicator", [line.counted for line in cube.lines]),
        },
        attrs={"year": cube.year, "price_year": cube.price_year, "partial": int(cube.partial)},
    )
