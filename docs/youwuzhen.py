"""The observed catchment of docs/youwuzhen.md: its tables and plots, by the public API.

Run it with the package installed: python docs/youwuzhen.py. It needs ../shared/data; a test holds
the page and the plots against it where that is there.
"""

import math
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests" / "real"), str(ROOT / "docs")]

import youwuzhen as made  # noqa: E402
from catchment import CLASSES, SEEN, YEARS, place, table  # noqa: E402
from chart import Marks, Plot, drawn  # noqa: E402
from observed import lagged  # noqa: E402

PAGE = ROOT / "docs" / "youwuzhen.md"
EROSIVITY = {
    "season_daily": ("daily rain, by season", "分冷暖季日雨量"),
    "half_month_daily": ("daily rain of the year", "日雨量（当年）"),
    "half_month_daily_means": ("daily rain, six-year means", "日雨量（六年均值）"),
    "zhang_annual": ("annual rain", "年雨量"),
    "renard_freimund": ("annual rain, two branches", "年雨量（两段式）"),
    "wischmeier_monthly": ("monthly rain", "月雨量"),
    "fournier": ("monthly rain, Fournier's index", "月雨量（Fournier 指数）"),
}
WATER = {
    "budyko_fu": ("Fu, Z by spells of rain", "Fu，Z 按降雨过程"),
    "budyko_fu_days": ("Fu, Z by days of rain", "Fu，Z 按雨日"),
    "budyko_fu_hargreaves": ("Fu, spells, ET0 by Hargreaves", "Fu，ET0 用 Hargreaves"),
    "zhang": ("Zhang, on 80 % of the area", "Zhang，占面积的 80%"),
    "turc": ("Turc", "Turc"),
}
LOSS = {
    "cover 40%": ("C at a cover of 40 %", "覆盖度 40% 的 C"),
    "cover 60%": ("C at a cover of 60 %", "覆盖度 60% 的 C"),
    "cover 80%": ("C at a cover of 80 %", "覆盖度 80% 的 C"),
    "lookup": ("C and P of the data's lookup", "数据自带的 C、P"),
}
VANONI = 0.42 * (place().area / 2.58998811e6) ** -0.125
"""Delivery ratio by area in square miles, remembered of Vanoni 1975, not read again [1]."""


def pictures() -> dict[str, str]:
    """Charts by the name of their file."""
    r = Plot(
        (
            "Rainfall erosivity by seven methods 七种方法的降雨侵蚀力",
            "the same rain 同一份降水资料",
        ),
        "MJ·mm/(ha·h·year)",
        YEARS,
        [Marks(title, column(f"erosivity {name}", YEARS)) for name, title in EROSIVITY.items()],
        (0, 5000, 10000, 15000, 20000, 25000),
    )
    gap = {y: (row["discharge"], 2 * row["discharge_error"]) for y, row in seen().items()}
    water = Plot(
        (
            "Water yield against discharge 产水量与实测径流",
            "P − ET by year, nothing fitted 未作任何率定",
        ),
        "mm/year",
        SEEN,
        [Marks(title, {y: water_yield(y, name) for y in SEEN}) for name, title in WATER.items()],
        (0, 500, 1000, 1500, 2000, 2500),
        ranges={y: (value - error, value, value + error) for y, (value, error) in gap.items()},
        least=column("discharge_of_days", SEEN),
        fallen=column("precipitation", SEEN),
    )
    gap = {y: (row["load"], 2 * row["load_error"]) for y, row in seen().items()}
    sediment = Plot(
        (
            "Soil loss against the sediment that left 土壤流失量与实测输沙量",
            "R·K·LS·C·P before delivery; R by season, K by EPIC for China, LS segmented 未计输移",
        ),
        "t/(ha·year)",
        SEEN,
        [Marks(title, column(f"soil loss {name}", SEEN)) for name, title in LOSS.items()],
        (0.1, 0.3, 1, 3, 10, 30, 100),
        logarithmic=True,
        ranges={y: (value - error, value, value + error) for y, (value, error) in gap.items()},
        least=column("load_of_days", SEEN),
    )
    return {
        "youwuzhen-erosivity.svg": drawn(r),
        "youwuzhen-water.svg": drawn(water),
        "youwuzhen-sediment.svg": drawn(sediment),
    }


def column(name: str, years: range) -> dict[int, float]:
    """One number by year."""
    return {year: made.years()[year][name] for year in years}


def seen() -> dict[int, made.Row]:
    """Years with observations."""
    return {year: made.years()[year] for year in SEEN}


def water_yield(year: int, method: str) -> float:
    """Rain less evapotranspiration [mm/year]."""
    row = made.years()[year]
    return row["precipitation"] - row[f"evapotranspiration {method}"]


def lined(heads: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def whole(number: float) -> str:
    """A number without decimals."""
    return f"{number:,.0f}".replace("-", "−")


def percent(number: float) -> str:
    """A share with its sign, in percent."""
    said = f"{number:+.0%}".replace("-", "−").replace("%", " %")
    return "0 %" if said in {"+0 %", "−0 %"} else said


def catchment_part() -> str:
    """Area and land use."""
    here = place()
    cells = int(here.inside.sum())
    names = {code: row["LANDUSE_NAME"] for code, row in table("LanduseLookup_SEIMS.csv").items()}
    rows = []
    for code, kind in CLASSES.items():
        share = float((here.land_use[here.inside] == code).sum()) / cells
        slope = here.slope.values[here.inside & (here.land_use == code)].mean()
        rows.append([names[code], f"`{kind}`", f"{share:.1%}".replace("%", " %"), f"{slope:.1f}"])
    said = f"{cells:,} pixels, {here.area / 1e6:.3f} km².\n\n"
    heads = ["land use of the data 原图例", "ecosystem 生态系统", "share 占比", "slope 坡度, °"]
    return said + lined(heads, rows)


def erosivity_part() -> str:
    """R by year and method."""
    rows = []
    for year in YEARS:
        values = [made.years()[year][f"erosivity {name}"] for name in EROSIVITY]
        ratio = max(values) / min(values)
        rain = whole(made.years()[year]["precipitation"])
        rows.append([str(year), rain, *map(whole, values), f"{ratio:.1f}"])
    heads = [
        "year 年",
        "rain 降水, mm",
        *(f"`{name}`" for name in EROSIVITY),
        "largest/least 极值比",
    ]
    return lined(heads, rows)


NAMES = {
    "stones": "`epic_china`, stones counted as earth 不扣石砾",
    "cover 40%": "`table`, cover 覆盖度 40 %",
    "cover 60%": "`table`, cover 覆盖度 60 %",
    "cover 80%": "`table`, cover 覆盖度 80 %",
    "lookup": "lookup of the data 数据自带",
}


def factors_part() -> str:
    """Means of K, LS, C and P by choice, and what a choice does to soil loss."""
    found = made.factors()
    chosen = found["loss"]["cover 60%"]
    rows = []
    for factor in ("K", "LS", "C", "P"):
        for name, value in found[factor].items():
            other = found["choices"].get(name)
            other = found["loss"].get(name) if factor == "C" else other
            times = f"{other / chosen:.2f}" if other is not None else "–"
            rows.append([factor, NAMES.get(name, f"`{name}`"), f"{value:.4f}", times])
    heads = ["factor 因子", "choice 取法", "mean 均值", "soil loss, times 流失量倍数"]
    return lined(heads, rows)


def demand_part() -> str:
    """ET0 and ET by year."""
    rows = []
    for year in YEARS:
        row = made.years()[year]
        heat = [
            f"{row['temperature']:.1f}",
            whole(row["penman_monteith"]),
            whole(row["hargreaves"]),
        ]
        curves = [whole(row[f"evapotranspiration {name}"]) for name in WATER]
        rows.append([str(year), whole(row["precipitation"]), *heat, *curves])
    heads = ["year 年", "P", "T, °C", "ET0 Penman–Monteith", "ET0 Hargreaves"]
    return lined([*heads, *(f"ET `{name}`" for name in WATER)], rows)


def water_part() -> str:
    """Discharge as observed, and as worked out for the year, with the error of each curve."""
    rows = []
    for year, row in seen().items():
        estimate = f"{whole(row['discharge'])} ± {whole(2 * row['discharge_error'])}"
        cells = [str(year), whole(row["precipitation"]), whole(row["days"])]
        cells += [whole(row["rain_of_days"]), whole(row["discharge_of_days"]), estimate]
        cells += [f"{row['discharge'] / row['precipitation']:.2f}"]
        for name in WATER:
            made_here = water_yield(year, name)
            low = made_here < row["discharge_of_days"]
            cells.append(f"{whole(made_here)} ({error(made_here, row['discharge'])}){'*' * low}")
        rows.append(cells)
    sums = {name: sum(water_yield(year, name) for year in SEEN) for name in WATER}
    totals = {
        k: sum(row[k] for row in seen().values())
        for k in ("precipitation", "days", "rain_of_days", "discharge_of_days", "discharge")
    }
    spread = 2 * math.hypot(*(row["discharge_error"] for row in seen().values()))
    cells = ["all 合计", *(whole(totals[k]) for k in list(totals)[:4])]
    cells += [f"{whole(totals['discharge'])} ± {whole(spread)}"]
    cells += [f"{totals['discharge'] / totals['precipitation']:.2f}"]
    cells += [f"{whole(sums[k])} ({error(sums[k], totals['discharge'])})" for k in WATER]
    heads = ["year 年", "P", "days 天数", "rain on them 其降水", "discharge on them 其径流"]
    heads += ["year by ratio 全年推算", "per rain 径流系数", *(f"P − ET `{k}`" for k in WATER)]
    return lined(heads, [*rows, cells])


def error(value: float, truth: float) -> str:
    """Relative error, in percent."""
    return percent(value / truth - 1)


def sediment_part() -> str:
    """Sediment as observed, soil loss, and the delivery the two imply."""
    rows = []
    for year, row in seen().items():
        grams = row["load_of_days"] / row["discharge_of_days"] * 100
        cells = [str(year), whole(row["erosivity season_daily"]), f"{grams:.2f}"]
        cells += [f"{row['load_of_days']:.2f}", f"{row['load']:.1f} ± {2 * row['load_error']:.1f}"]
        for name in LOSS:
            loss = row[f"soil loss {name}"]
            least, middle_one = row["load_of_days"] / loss, row["load"] / loss
            cells.append(f"{loss:.2f}: {least:.2f}, {middle_one:.2f}{'*' * (least > 1)}")
        rows.append(cells)
    heads = ["year 年", "R", "g/L", "load on observed days 观测日输沙, t/ha"]
    heads += [
        "year by ratio 全年推算, t/ha",
        *(f"loss, {name}".replace("%", " %") for name in LOSS),
    ]
    return lined(heads, rows)


def worst() -> dict[str, str]:
    """The numbers of the summary, as they are printed."""
    rows = seen()
    total = sum(row["discharge"] for row in rows.values())
    per_rain = [row["discharge_by_mean"] / row["precipitation"] for row in rows.values()]
    given = sorted(row["load_of_days"] / row["soil loss cover 60%"] for row in rows.values())
    many = [row["load_of_days"] / row["soil loss lookup"] for row in rows.values()]
    methods = [[row[f"erosivity {m}"] for m in EROSIVITY] for row in made.years().values()]
    r = [max(values) / min(values) for values in methods]
    short = [row["discharge_of_days"] - water_yield(year, "turc") for year, row in rows.items()]
    words = {
        "days": between([row["days"] for row in rows.values()], "{:.0f}"),
        "mean": between(per_rain, "{:.1f}"),
        "three": between([100 * ratio for ratio in given[:-1]], "{:.0f}"),
        "last": f"{100 * given[-1]:.0f}",
        "many": between(many, "{:.0f}"),
        "r": between(r, "{:.1f}"),
        "short": between(sorted(short)[-2:], "{:.0f}"),
    }
    for name in ("budyko_fu", "budyko_fu_days", "turc"):
        apart = [water_yield(year, name) / row["discharge"] - 1 for year, row in rows.items()]
        words[name] = f"{percent(min(apart))} to {percent(max(apart))}"
        words[f"all_{name}"] = error(sum(water_yield(year, name) for year in rows), total)
    return words


def between(numbers: list[float], form: str) -> str:
    """Least and largest."""
    return f"{form.format(min(numbers))} to {form.format(max(numbers))}"


SUMMARY = """\
* **The discharge of a year was not observed:** {days} days of a year have a number, most of them
  wet. Their mean taken for the year would be {mean} times the rain. Certain is only their sum; the
  year is worked out by its ratio to rain, with an error of its own.
* **Water yield** by Fu's curve is {budyko_fu} off by year and {all_budyko_fu} over the four; by
  another reading of its Z, {budyko_fu_days} and {all_budyko_fu_days}. By Turc it is {turc} and
  {all_turc}: in 2014 and 2015 that is {short} mm less than ran off on the observed days alone.
* **Soil loss** at a cover of 60 % would have to reach the gauge to {three} % at the least in three
  years, which may be, and to {last} % in 2015, which cannot with these R, K and LS. With the C of
  the data's own lookup the sediment of the observed days is {many} times what was eroded.
* **R** differs {r} times between seven methods on the same rain.
"""
SUMMARY_ZH = """\
中文摘要：每年只有 {days} 天有实测径流，且多为雨日，全年径流并未观测；以其均值推全年，\
将为降水量的 {mean} 倍，不可能成立。可靠的只有观测日合计，全年值按径流与降水之比推算，并给出误差。\
产水量：Fu 曲线逐年误差 {budyko_fu}，四年合计 {all_budyko_fu}；\
Z 按另一种理解则为 {budyko_fu_days}，合计 {all_budyko_fu_days}。Turc 为 {turc}，合计 {all_turc}；\
2014、2015 两年比观测日径流还少 {short} mm。\
土壤流失量：覆盖度取 60% 时，三个年份到达测站的比例至少为 {three}%，尚属可能；2015 年为 {last}%，\
在所取 R、K、LS 下不可能成立。若用数据自带的 C 值，观测日输沙量为侵蚀量的 {many} 倍。\
同一份降水，七种方法的 R 相差 {r} 倍。\
以上均未率定。
"""


def findings() -> str:
    """What came out, in both languages."""
    words = worst()
    chinese = {
        name: said.replace(" to ", " 至 ").replace(" %", "%") for name, said in words.items()
    }
    return SUMMARY.format(**words) + "\n" + SUMMARY_ZH.format(**chinese)


def at_least(name: str) -> list[float]:
    """Sediment of the observed days per loss of the year, with the largest R, K and LS [1]."""
    most = {year: max(row[f"erosivity {m}"] for m in EROSIVITY) for year, row in seen().items()}
    return [row["load_of_days"] / most[y] / made.largest(name) for y, row in seen().items()]


def facts() -> str:
    """Numbers the explanations rest on."""
    z = made.seasonality()
    rows = seen()
    rain = [row["rain_of_days"] / row["precipitation"] for row in rows.values()]
    water = made.mean(made.available_water())
    grams = {y: row["load_of_days"] / row["discharge_of_days"] * 100 for y, row in rows.items()}
    same = {
        y: row["load_of_days"] / (row["erosivity_of_days"] * made.factors()["loss"]["cover 60%"])
        for y, row in rows.items()
    }
    cells = [
        [
            "rain of a year that fell on its observed days",
            between([100 * share for share in rain], "{:.0f}") + " %",
        ],
        [
            "correlation of discharge with the rain of the day, of the day before",
            f"{lagged(0):.2f}, {lagged(1):.2f}",
        ],
        ["water the soil holds for plants, mean", f"{water:.0f} mm"],
        ["Z: a fifth of the spells of rain, of the days with rain", f"{z[0]:.1f}, {z[1]:.1f}"],
        [
            "sediment per water on the observed days, 2012 to 2015",
            ", ".join(f"{v:.2f}" for v in grams.values()) + " g/L",
        ],
        [
            "sediment of the observed days per soil loss by the rain of the same days, cover 60 %",
            ", ".join(f"{v:.2f}" for v in same.values()),
        ],
        [
            "sediment of the observed days per loss by largest R, K, LS; cover 60, 80 %; lookup",
            "; ".join(between(at_least(name), "{:.2f}") for name in list(LOSS)[1:]),
        ],
        [
            "soil loss, times, if the land coded industrial were bare, cover 60 %",
            f"{made.factors()['choices']['bare'] / made.factors()['loss']['cover 60%']:.2f}",
        ],
        [
            "share of R·K·LS that stays, cover 40, 60, 80 %, lookup",
            ", ".join(f"{100 * v:.1f}" for v in made.factors()["kept"].values()) + " %",
        ],
        ["delivery ratio by area, remembered of Vanoni 1975", f"{VANONI:.2f}"],
    ]
    return lined(["what 量", "value 数值"], cells)


def parts() -> dict[str, str]:
    """Generated parts of the page by name."""
    return {
        "findings": findings(),
        "catchment": catchment_part(),
        "erosivity": erosivity_part(),
        "factors": factors_part(),
        "evapotranspiration": demand_part(),
        "water": water_part(),
        "sediment": sediment_part(),
        "facts": facts(),
    }


def page() -> str:
    """Text of the page, its generated parts made anew."""
    words = PAGE.read_text("utf8")
    for name, part in parts().items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, _, rest = words.partition(start)
        words = f"{head}{start}{part}{end}{rest.partition(end)[2]}"
    return words


if __name__ == "__main__":
    for name, picture in pictures().items():
        (ROOT / "docs" / name).write_text(picture, "utf8")
    PAGE.write_text(page(), "utf8")
