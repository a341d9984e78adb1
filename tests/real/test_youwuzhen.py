"""Youwuzhen: the numbers of docs/youwuzhen.md against plain arithmetic on the files, and laws."""

import csv
import importlib.util
import math
from datetime import date, timedelta

import catchment
import numpy as np
import observed
import pytest
import rasterio
import youwuzhen

from gep.terrain import area_above, flow

DATA = catchment.DATA
ROOT = catchment.ROOT
YEARS, SEEN = catchment.YEARS, catchment.SEEN
DAILY = (0.8363, 18.144, 24.455, 21.586, 7.1891)
"""Numbers of 章文波 2002."""
LS = ("segmented", "desmet_govers", "invest_sdr")

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="real input is not there: no ../shared/data"
)


def numbers(name, skip, day, value):
    """A file as {date: number}, read another way."""
    found = {}
    with (DATA / name).open(encoding="utf8") as file:
        for row in list(csv.reader(file))[skip:]:
            found[date(*(int(part) for part in row[day].split(" ")[0].split("-")))] = row[value]
    return {when: float(number) for when, number in found.items()}


@pytest.fixture(scope="module")
def rain():
    return numbers("pcp_daily.csv", 2, 0, 1)


@pytest.fixture(scope="module")
def inside():
    return catchment.place().inside


def of(values, year):
    return np.array([number for when, number in sorted(values.items()) if when.year == year])


# Erosivity


def test_there_is_rain_of_every_day(rain):
    assert [len(of(rain, year)) for year in YEARS] == [366, 365, 365, 365, 366, 365]
    totals = [2168, 1433, 1253.5, 1416.5, 2467.6, 1519.2]
    assert [of(rain, year).sum() for year in YEARS] == pytest.approx(totals)


@pytest.mark.parametrize("year", YEARS)
def test_erosivity_from_the_rain_of_the_days(rain, year):
    warm = np.array(
        [0.3937 if 5 <= d.month <= 9 else 0.3101 for d in sorted(rain) if d.year == year]
    )
    days = of(rain, year)
    strong = days >= 12
    season = (warm * days**1.7265)[strong].sum()
    many = np.array([v for v in rain.values() if v >= 12])
    means = {"half_month_daily": (days[strong].mean(), days[strong].sum())}
    means["half_month_daily_means"] = (many.mean(), many.sum() / 6)
    found = youwuzhen.erosivity(year)
    assert found["season_daily"] == pytest.approx(season, rel=1e-12)
    for name, (of_day, of_year) in means.items():
        base, per_day, per_year, constant, power = DAILY
        b = base + per_day / of_day + per_year / of_year
        expected = constant * b**-power * (days[strong] ** b).sum()
        assert found[name] == pytest.approx(expected, rel=1e-12), name


@pytest.mark.parametrize("year", YEARS)
def test_erosivity_from_sums_of_rain(rain, year):
    total = of(rain, year).sum()
    months = np.array(
        [sum(v for d, v in rain.items() if (d.year, d.month) == (year, m)) for m in range(1, 13)]
    )
    wet = months[months > 0]
    found = youwuzhen.erosivity(year)
    expected = {
        "zhang_annual": 0.0534 * total**1.6548,
        "renard_freimund": 587.8 - 1.219 * total + 0.004105 * total**2,
        "wischmeier_monthly": 17.02
        * (1.735 * 10 ** (1.5 * np.log10(wet**2 / total) - 0.8188)).sum(),
        "fournier": 0.1833 * ((months**2).sum() / total) ** 1.9957,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_erosivity_of_observed_days_is_part_of_the_year():
    for year in SEEN:
        assert 0 < observed.erosivity_of_seen_days(year) < youwuzhen.erosivity(year)["season_daily"]


# The catchment


def test_the_catchment_is_as_large_as_said(inside):
    assert catchment.place().area == inside.sum() * 900
    assert catchment.place().area / 1e6 == pytest.approx(5.4, rel=0.01)


def test_the_catchment_is_what_adds_up_at_the_outlet(inside):
    height = catchment.place().elevation.values
    sides = np.full(len(height), 30.0)
    drained = area_above(flow(height, (sides, sides)), (sides, sides)) + 900
    assert drained[inside].max() == catchment.place().area


def test_water_let_run_over_the_raw_elevation_agrees(inside):
    """Down the steepest way over what is on file, step by step; a path into a pit tells nothing."""
    height = catchment.place().elevation.values
    rows, columns = height.shape
    outlet = tuple(np.argwhere(inside & (height == height[inside].min()))[0])
    ends = {}

    def end(here):
        path = []
        while here not in ends:
            path.append(here)
            around = [(here[0] + y, here[1] + x) for y in (-1, 0, 1) for x in (-1, 0, 1) if y or x]
            if here == outlet or not all(0 <= y < rows and 0 <= x < columns for y, x in around):
                ends[here] = "outlet" if here == outlet else "border"
                break
            falls = [(height[here] - height[p]) / math.dist(here, p) for p in around]
            best = int(np.argmax(falls))
            if falls[best] <= 0:
                ends[here] = "pit"
                break
            here = around[best]
        for one in path:
            ends[one] = ends[here]
        return ends[here]

    found = np.array([[end((y, x)) for x in range(columns)] for y in range(rows)])
    told = found != "pit"
    assert told[inside].mean() > 0.95
    assert (inside[told] == (found[told] == "outlet")).all()


def test_the_maps_of_classes_cover_the_catchment(inside):
    here = catchment.place()
    assert set(np.unique(here.land_use[inside])) == set(catchment.CLASSES)
    assert set(np.unique(here.soil[inside])) <= set(range(201, 206))


def test_class_maps_lie_where_their_coordinates_say():
    with rasterio.open(DATA / "ywzlanduse30m_upd.tif") as file:
        codes, transform = file.read(1), file.transform
    here = catchment.place()
    for row, column in ((40, 60), (70, 20), (10, 90)):
        x, y = transform * (column + 0.5, row + 0.5)
        right, down = (int(number) for number in ~here.transform * (x, y))
        assert here.land_use[down, right] == codes[row, column]


# Factors


def test_erodibility_of_every_soil(inside):
    """EPIC and its correction for China, written out."""
    found = youwuzhen.erodibility().values
    here = catchment.place()
    for code, row in catchment.table("soil_properties_lookup.csv").items():
        sand, silt, clay, matter, stones = (
            float(row[f"SOL_{name}"].split("-")[0])
            for name in ("SAND", "SILT", "CLAY", "OM", "ROCK")
        )
        assert sand + silt + clay + stones == pytest.approx(100, abs=0.02)
        whole = sand + silt + clay
        sand, silt, clay, carbon = (
            100 * sand / whole,
            100 * silt / whole,
            100 * clay / whole,
            matter / 1.724,
        )
        rest = 1 - sand / 100
        epic = 0.2 + 0.3 * math.exp(-0.0256 * sand * (1 - silt / 100))
        epic *= (silt / (silt + clay)) ** 0.3
        epic *= 1 - 0.25 * carbon / (carbon + math.exp(3.72 - 2.95 * carbon))
        epic *= 1 - 0.7 * rest / (rest + math.exp(22.9 * rest - 5.51))
        expected = 0.1317 * (0.51575 * epic - 0.01383)
        forest = inside & (here.soil == code) & (here.land_use == 8)
        assert forest.any()
        assert found[forest] == pytest.approx(expected, rel=1e-12)
    built = inside & np.isin(here.land_use, (18, 104, 106))
    assert (found[built] == 0).all()


def test_cover_and_practice_as_tabled(inside):
    use = catchment.place().land_use
    c = youwuzhen.cover_factor(0.6).values
    for code, expected in {4: 0.089, 6: 0.02, 8: 0.02, 18: 0, 33: 0, 104: 0.01, 106: 0.01}.items():
        assert set(c[inside & (use == code)]) == {expected}, code
    given = youwuzhen.cover_factor(None).values
    for code, expected in {
        4: 0.001,
        6: 0.001,
        8: 0.001,
        18: 0,
        33: 0.03,
        104: 0.0026,
        106: 0.001,
    }.items():
        assert set(given[inside & (use == code)]) == {expected}, code
    practice = youwuzhen.support_factor(lookup=True).values
    for code, expected in {4: 0.8, 6: 0.8, 8: 0.8, 18: 1, 33: 0.084, 104: 1, 106: 1}.items():
        assert set(practice[inside & (use == code)]) == {expected}, code


def test_soil_loss_is_the_product_of_its_factors(inside):
    k, ls, p = (
        f.values[inside]
        for f in (youwuzhen.erodibility(), youwuzhen.slope_factor(), youwuzhen.support_factor())
    )
    for cover in youwuzhen.COVERS:
        c = youwuzhen.cover_factor(cover).values[inside]
        for year, row in youwuzhen.years().items():
            r = youwuzhen.erosivity(year)["season_daily"]
            expected = np.mean(r * k * ls * c * p)
            assert row[f"soil loss cover {cover:.0%}"] == pytest.approx(expected, rel=1e-12)


def test_more_cover_less_loss_and_always_less_than_without():
    loss, kept = (youwuzhen.factors()[name] for name in ("loss", "kept"))
    assert loss["cover 40%"] > loss["cover 60%"] > loss["cover 80%"] > loss["lookup"] > 0
    assert all(0 < share < 1 for share in kept.values())
    assert youwuzhen.with_bare_land() > loss["cover 60%"]


@pytest.mark.parametrize("method", LS)
def test_slope_factor_is_there_on_all_of_the_catchment(inside, method):
    found = youwuzhen.slope_factor(method).values[inside]
    assert np.isfinite(found).all()
    assert ((found > 0) == (catchment.place().land_use[inside] != 18)).all()


# Water


def weather(year, *columns):
    return [of(numbers("meteo_daily.csv", 2, 1, column), year) for column in columns]


def radiation(days):
    """Outside the air [MJ/(m^2 day)], and length of the day [h], FAO 56."""
    j = np.arange(1, days + 1)
    closer, tilt = (
        1 + 0.033 * np.cos(2 * np.pi * j / 365),
        0.409 * np.sin(2 * np.pi * j / 365 - 1.39),
    )
    north = math.radians(25.75)
    sunset = np.arccos(-math.tan(north) * np.tan(tilt))
    high = sunset * math.sin(north) * np.sin(tilt) + math.cos(north) * np.cos(tilt) * np.sin(sunset)
    return 24 * 60 / np.pi * 0.0820 * closer * high, 24 * sunset / np.pi


@pytest.mark.parametrize("year", YEARS)
def test_reference_evapotranspiration_by_fao_56(year):
    """FAO 56 written out on arrays, without the engine's limits, which these days hardly touch."""
    high, low, humidity, wind, sun = weather(year, 3, 4, 5, 6, 7)
    outside, longest = radiation(len(high))
    mean, u = (high + low) / 2, wind * 0.748

    def e(t):
        return 0.6108 * np.exp(17.27 * t / (t + 237.3))

    full = (e(high) + e(low)) / 2
    vapour = full * humidity / 100
    steep = 4098 * e(mean) / (mean + 237.3) ** 2
    gamma = 0.665e-3 * 101.3 * ((293 - 0.0065 * 265) / 293) ** 5.26
    short = (0.25 + 0.5 * np.minimum(sun / longest, 1)) * outside
    clear = (0.75 + 2e-5 * 265) * outside
    lost = 4.903e-9 * ((high + 273.16) ** 4 + (low + 273.16) ** 4) / 2
    lost *= (0.34 - 0.14 * np.sqrt(vapour)) * (1.35 * short / clear - 0.35)
    net = 0.77 * short - lost
    penman = 0.408 * steep * net + gamma * 900 / (mean + 273) * u * (full - vapour)
    penman /= steep + gamma * (1 + 0.34 * u)
    found = youwuzhen.weather(year)
    assert found["penman_monteith"] == pytest.approx(penman.sum(), rel=1e-3)
    hargreaves = (0.0023 * (mean + 17.8) * np.sqrt(high - low) * outside / 2.45).sum()
    assert found["hargreaves"] == pytest.approx(hargreaves, rel=1e-3)
    assert found["temperature"] == pytest.approx(weather(year, 2)[0].mean())


@pytest.mark.parametrize("year", YEARS)
def test_evapotranspiration_by_hand(rain, inside, year):
    total, climate = of(rain, year).sum(), youwuzhen.weather(year)
    limit = 300 + 25 * climate["temperature"] + 0.05 * climate["temperature"] ** 3
    found = youwuzhen.evapotranspiration(year)
    assert found["turc"] == pytest.approx(total / math.sqrt(0.9 + (total / limit) ** 2), rel=1e-12)
    demand, use = climate["penman_monteith"], catchment.place().land_use[inside]
    held = {201: 66, 202: 58, 203: 64, 204: 52, 205: 56}  # three layers of 200 mm times their AWC
    water = np.vectorize(held.get)(catchment.place().soil[inside])
    for name, z in zip(("budyko_fu", "budyko_fu_days"), youwuzhen.seasonality(), strict=True):
        w = np.minimum(z * water / total + 1.25, 5)
        d = demand / total
        share = 1 + d - (1 + d**w) ** (1 / w)
        bare = np.isin(use, (18, 104, 106))
        expected = np.where(bare, min(demand, total), total * share).mean()
        assert found[name] == pytest.approx(expected, rel=1e-12), name
    w = np.array([{6: 2.0, 8: 2.0, 33: 0.5}.get(int(code), np.nan) for code in use])
    zhang = total * (1 + w * demand / total) / (1 + w * demand / total + total / demand)
    assert found["zhang"] == pytest.approx(np.nanmean(zhang), rel=1e-12)
    assert found["zhang_share"] == pytest.approx(0.80, abs=0.01)


def test_seasonality_counts_rain(rain):
    wet = "".join("x" if rain[day] > 0 else " " for day in sorted(rain))
    spells, days = youwuzhen.seasonality()
    assert days == pytest.approx(wet.count("x") / 5 / 6)
    assert spells == pytest.approx(len(wet.split()) / 5 / 6)


@pytest.mark.parametrize("year", YEARS)
def test_what_evaporates_is_neither_more_than_rain_nor_than_demand(year):
    row = youwuzhen.years()[year]
    for name in ("budyko_fu", "budyko_fu_days", "budyko_fu_hargreaves", "zhang", "turc"):
        assert 0 < row[f"evapotranspiration {name}"] < row["precipitation"], name
    for name, reference in (
        ("budyko_fu", "penman_monteith"),
        ("budyko_fu_hargreaves", "hargreaves"),
    ):
        assert row[f"evapotranspiration {name}"] < row[reference]
    assert row["evapotranspiration budyko_fu"] < row["evapotranspiration budyko_fu_days"]


# What was observed


@pytest.mark.parametrize(("year", "days"), [(2012, 84), (2013, 58), (2014, 49), (2015, 95)])
def test_sums_of_the_observed_days(rain, year, days):
    flows, grams = (numbers(f"observed_{name}.csv", 2, 1, 3) for name in ("Q", "SED"))
    area = catchment.place().area
    here = [day for day in flows if day.year == year]
    row = observed.seen(year)
    assert row["days"] == len(here) == days
    assert row["rain_of_days"] == pytest.approx(sum(rain[day] for day in here))
    water = sum(flows[day] for day in here) * 86400 / area * 1000
    assert row["discharge_of_days"] == pytest.approx(water)
    load = sum(flows[day] * grams[day] for day in here) * 86400 / 1000 / (area / 1e4)
    assert row["load_of_days"] == pytest.approx(load)


@pytest.mark.parametrize("year", SEEN)
def test_the_year_by_ratio_and_its_error(rain, year):
    values = {d: v for d, v in observed.discharge().items() if d.year == year}
    total = of(rain, year).sum()
    starts = sorted(day for day in values if day - timedelta(days=1) not in values)
    spells = [
        [d for d in sorted(values) if s <= d < n]
        for s, n in zip(starts, [*starts[1:], date.max], strict=True)
    ]

    def ratio(left):
        days = [day for spell in spells if spell is not left for day in spell]
        return total * sum(values[d] for d in days) / sum(rain[d] for d in days)

    without = [ratio(spell) for spell in spells]
    n = len(spells)
    error = math.sqrt((n - 1) / n * sum((x - sum(without) / n) ** 2 for x in without))
    assert observed.by_ratio(observed.discharge(), year) == pytest.approx((ratio(None), error))


@pytest.mark.parametrize("year", SEEN)
def test_what_can_be_and_what_cannot(year):
    row = youwuzhen.years()[year]
    assert row["discharge_of_days"] < row["discharge"] < row["precipitation"]
    assert row["load_of_days"] < row["load"]
    assert row["discharge_by_mean"] > row["precipitation"]


# The page


def script():
    spec = importlib.util.spec_from_file_location("page", ROOT / "docs" / "youwuzhen.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_and_its_plots_are_fresh():
    made = script()
    assert made.page() == made.PAGE.read_text("utf8"), "run: python docs/youwuzhen.py"
    for name, picture in made.pictures().items():
        assert picture == (ROOT / "docs" / name).read_text("utf8"), "run: python docs/youwuzhen.py"


def test_what_the_prose_of_the_page_says():
    rows = youwuzhen.years()
    apart = [row["hargreaves"] - row["penman_monteith"] for row in rows.values()]
    assert (round(min(apart), -1), round(max(apart), -1)) == (260, 320)
    share = [row["evapotranspiration turc"] / row["penman_monteith"] for row in rows.values()]
    assert (f"{min(share):.0%}", f"{max(share):.0%}") == ("83%", "110%")
    fu = [
        [rows[y][f"evapotranspiration budyko_fu{m}"] for y in rows]
        for m in ("", "_days", "_hargreaves")
    ]
    moved = np.array(fu[1:]) - fu[0]
    assert (moved[0][:4].min(), moved[0][:4].max()) == pytest.approx((180, 205), abs=2)
    assert (moved[1].min(), moved[1].max()) == pytest.approx((90, 130), abs=5)
    ratios = [
        row[f"erosivity {m}"] / row["erosivity season_daily"]
        for row in rows.values()
        for m in script().EROSIVITY
    ]
    assert (round(min(ratios), 1), round(max(ratios), 1)) == (0.6, 2.4)
    assert max(SEEN, key=lambda year: rows[year]["load_of_days"]) == 2015
    for name in script().EROSIVITY:
        least = min((row[f"erosivity {name}"], year) for year, row in rows.items())[1]
        assert (least == 2015) == (name not in {"zhang_annual", "renard_freimund"}), name
    assert min(script().at_least("lookup")) > 1 > max(script().at_least("cover 80%"))
    assert max(row["load"] / row["soil loss cover 40%"] for row in map(rows.get, SEEN)) < 1


def test_2013_is_the_worst_year_of_one_column_only():
    """What docs/youwuzhen.md says of 2013: errors against the year by ratio, least runoff."""
    rows = {year: youwuzhen.years()[year] for year in SEEN}
    worst = {}
    for name in ("budyko_fu", "budyko_fu_days", "budyko_fu_hargreaves", "zhang", "turc"):
        wrong = {
            year: abs(row["precipitation"] - row[f"evapotranspiration {name}"] - row["discharge"])
            / row["discharge"]
            for year, row in rows.items()
        }
        worst[name] = max(wrong, key=wrong.get)
    assert worst == dict.fromkeys(worst, 2014) | {"budyko_fu": 2013}
    per_rain = {year: row["discharge"] / row["precipitation"] for year, row in rows.items()}
    assert min(per_rain, key=per_rain.get) == 2013
    page = (ROOT / "docs" / "youwuzhen.md").read_text("utf8")
    said = "**2013** is the worst year of `budyko_fu`, and of no other column (theirs is 2014)"
    assert said in page


def test_the_files_it_writes(tmp_path):
    folder = youwuzhen.main(tmp_path)
    with (folder / "years.csv").open(encoding="utf8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["year"]) for row in rows] == list(YEARS)
    assert rows[-1]["discharge"] == ""  # not observed is not 0
    with rasterio.open(folder / "soil_loss.tif") as file:
        loss = file.read(1)
    expected = np.mean([float(row["soil loss cover 60%"]) for row in rows])
    assert np.nanmean(loss.astype(float)) == pytest.approx(expected, rel=1e-6)
    assert np.isfinite(loss).sum() == catchment.place().inside.sum()
