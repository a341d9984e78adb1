"""The account of Jiangxi beside published numbers, as the table in README.md.

    python tests/real/levels.py

Runs the province at prices of 2019 and of 2010 and writes the table anew; a test holds it. Nothing
is tuned to a published number: a gap above twofold has its reason beside it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import derive

import gep
from gep.ecosystems import ecosystems

HERE = Path(__file__).parent
README = HERE / "README.md"
START, END = "<!-- published -->\n", "<!-- /published -->"
GARZE_KM2 = 149_687.7
"""Area of the account of Garzé (S16, table 1)."""
OTHER_SERVICES = "three of the counted services here; no climate, oxygen, carbon, products, tourism"


@dataclass(frozen=True)
class Province:
    """What one run says of Jiangxi, per km2 of land."""

    result: gep.Result

    @property
    def area(self) -> Mapping[str, float]:
        """Area by group of ecosystems, and `all` [km2]."""
        found: dict[str, float] = {"all": 0.0}
        for (_, key), quanta in self.result.account.extent.items():
            group = ecosystems()[key].group
            found["all"] += quanta / 1e8
            found[group] = found.get(group, 0.0) + quanta / 1e8
        return found

    def amount(self, indicator: str, group: str = "all") -> float:
        """Quantity per km2 of a group."""
        return self._per_area("quantity", indicator, group)

    def money(self, indicator: str, group: str = "all") -> float:
        """Value in 10^4 CNY per km2 of a group."""
        return self._per_area("value", indicator, group) / 1e4

    def whole(self, code: str) -> float:
        """Value of all that is covered in 10^4 CNY per km2 of a city or the province."""
        rows = self.result.counties.set_index(["level", "code"])
        level = "province" if code.endswith("0000") else "city"
        row = rows.loc[(level, code)]
        return float(row["gep"]) / 1e4 / float(row["area_km2"])

    def _per_area(self, what: str, indicator: str, group: str) -> float:
        by = self.result.cube[what].sel(indicator=indicator).sum("county").to_series()
        own = [k for k in ecosystems() if group in ("all", ecosystems()[k].group)]
        return float(by[[k for k in own if k in by.index]].sum()) / self.area[group]


@dataclass(frozen=True)
class Benchmark:
    """A row: what, in which unit, ours, published, by whom, and why they differ."""

    what: str
    unit: str
    ours: float
    published: float
    source: str
    why: str


WATER, SOIL = "water_retention.water_retention", "soil_retention.soil_retention"
SWAMPS = "flood_mitigation.swamps"
MONEY = "10⁴ CNY"


def at_prices_of(year: int) -> Province:
    """Run the province at the prices of a year."""
    text = (HERE / "jiangxi.toml").read_text("utf8")
    path = derive.BUILD / f"prices_{year}.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = 'profile = "jiangxi-2021"\n'
    path.write_text(text.replace(head, f"{head}price_year = {year}\n"), "utf8")
    return Province(gep.open(path).run())


def rows(now: Province, then: Province) -> list[Benchmark]:
    """Benchmarks of a run at prices of 2019 and one at prices of 2010."""
    garze = "Garzé 2010 (S16)"
    return [*_wholes(now), *_water(then, garze), *_soil(then, garze), _swamps(then, garze)]


def _wholes(now: Province) -> list[Benchmark]:
    jiangxi, only = now.whole("360000"), "of the regulating ones only water, soil, swamps"
    south = (
        f"{OTHER_SERVICES}; published level 2.5 times that of the province, its text not at hand"
    )
    nanchang = f"{only}; water on its cropland is below zero, see above"
    return [
        Benchmark("all covered: GEP", MONEY, jiangxi, 1740, "Jiangxi 2019 (S37)", OTHER_SERVICES),
        Benchmark(
            "all covered: regulating", MONEY, jiangxi, 1740 * 0.6347, "the same, 63.47 %", only
        ),
        Benchmark(
            "抚州: GEP", MONEY, now.whole("361000"), 1853, "first account (S38)", OTHER_SERVICES
        ),
        Benchmark("赣州: GEP", MONEY, now.whole("360700"), 4230, "赣南, 4230 to 4570", south),
        Benchmark(
            "南昌: regulating", MONEY, now.whole("360100"), 1740 * 0.6347, "the province", nanchang
        ),
    ]


def _water(then: Province, garze: str) -> list[Benchmark]:
    humid = "a humid province against a plateau; the price per m³ is the same within 1 %"
    forest = "Turc, 220 mm above the bulletin on the mean of all land; 220 mm are 156 × 10⁴ CNY"
    return [
        Benchmark("water", "10⁴ m³", then.amount(WATER) / 1e4, 321.49e4 / GARZE_KM2, garze, humid),
        Benchmark(
            "water, money of 2010", MONEY, then.money(WATER), 2269.71e4 / GARZE_KM2, garze, humid
        ),
        Benchmark(
            "water on forest, money of 2010",
            MONEY,
            then.money(WATER, "forest"),
            573,
            "forest of Jiangxi, 博文静 2017",
            forest,
        ),
    ]


def _soil(then: Province, garze: str) -> list[Benchmark]:
    level = "K some three times too high, LS too low: see above"
    reserve = (
        "a reserve whose printed soil loss and bulk density (0.37) are not credible, "
        "docs/methods.md#soil-retention"
    )
    return [
        Benchmark("soil", "t", then.amount(SOIL), 38.86e8 / GARZE_KM2, garze, level),
        Benchmark("soil", "t", then.amount(SOIL), 298_540, "高天岩 2014 (S17)", reserve),
        Benchmark(
            "less sediment",
            "m³",
            then.amount("soil_retention.sediment"),
            10.03e8 / GARZE_KM2,
            garze,
            "bulk density 1.25 here, 0.93 there",
        ),
        Benchmark(
            "less nitrogen",
            "t",
            then.amount("soil_retention.nitrogen"),
            1437.94e4 / GARZE_KM2,
            garze,
            "nitrogen 1.52 g/kg of soil here, 3.7 there",
        ),
        Benchmark(
            "less phosphorus",
            "t",
            then.amount("soil_retention.phosphorus"),
            419.72e4 / GARZE_KM2,
            garze,
            "phosphorus 0.48 g/kg of soil here, 1.08 there",
        ),
    ]


def _swamps(then: Province, garze: str) -> Benchmark:
    why = "at 5.5 km MODIS sees swamp on 0.2 % of the land, of Garzé it is 1.3 %"
    return Benchmark(
        "swamps, money of 2010", MONEY, then.money(SWAMPS), 42.3436e4 / GARZE_KM2, garze, why
    )


def table(found: list[Benchmark]) -> str:
    """Benchmarks as a table."""
    lines = ["per km² | unit | here | published | ratio | by | why", " | ".join(["---"] * 7)]
    for b in found:
        numbers = f"{_plain(b.ours)} | {_plain(b.published)} | {b.ours / b.published:.2f}"
        lines.append(f"{b.what} | {b.unit} | {numbers} | {b.source} | {b.why}")
    return "".join(f"| {line} |\n" for line in lines)


def _plain(number: float) -> str:
    """Three digits, all of those before the point, and no exponent."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def filled(page: str, made: str) -> str:
    """Page with its table made anew."""
    head, _, rest = page.partition(START)
    return f"{head}{START}{made}{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    made = table(rows(at_prices_of(2019), at_prices_of(2010)))
    README.write_text(filled(README.read_text("utf8"), made), "utf8")
