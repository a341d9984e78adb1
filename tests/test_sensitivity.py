"""What the total hangs on: every variant by hand, and against an account of its own."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small

import gep
from gep import profile, sensitivity, variants
from gep.sensitivity import Sensitivity
from gep.service import services

LAKES = "county_code,name,area(km2),storage(m3)\n360101,东湖,2,\n360103,南湖,,5000000\n"
CLIMATE = {
    "hot_days": "day/year",
    "water_evaporation": "mm/year",
    "air_conditioning_days": "day/year",
    "storm_precipitation": "mm/year",
    "storm_runoff": "mm/year",
}


def account(folder: Path, layers: dict[str, float] | None = None, **more: Any) -> gep.Result:
    """Run the small account with further layers of one number each."""
    change = dict(more.pop("change", {}))
    rasters = {}
    for name, number in (layers or {}).items():
        rasters[name] = np.full((small.ROWS, small.COLUMNS), number, np.float32)
        change[f"rasters.{name}.file"] = f"{name}.tif"
        change[f"rasters.{name}.unit"] = CLIMATE[name]
    for name, array in rasters.items():
        folder.mkdir(parents=True, exist_ok=True)
        small.write_raster(folder / f"{name}.tif", array, nodata=small.NODATA)
    return gep.open(small.write(folder, change=change, **more)).run(threads=1)


def by_name(result: gep.Result) -> dict[str, Sensitivity]:
    return {found.name: found for found in result.sensitivity}


def test_a_fifth_of_the_days_is_a_fifth_of_the_cooling(tmp_path: Path) -> None:
    result = account(tmp_path, {"hot_days": 100.0, "water_evaporation": 300.0})
    found = by_name(result)
    cents = result.account.cents(result.account.places, service="climate_regulation")
    assert cents
    assert found["hot_days.fewer"].before == cents
    assert found["hot_days.fewer"].after == pytest.approx(0.8 * cents, abs=20)
    assert found["hot_days.more"].after == pytest.approx(1.2 * cents, abs=20)
    assert found["hot_days.more"].total == result.account.cents(result.account.places)


def test_the_other_definition_of_hot_days_stands_beside_the_first(tmp_path: Path) -> None:
    """60 days of air conditioning instead of 100 above 26 degrees: 60 % of the plants' cooling."""
    layers = {"hot_days": 100.0, "water_evaporation": 300.0, "air_conditioning_days": 60.0}
    result = account(tmp_path / "a", layers)
    lines = {line.indicator: line for line in result.account.lines}
    places = result.account.places
    plants, water = (lines[name].money(places) or 0 for name in ("vegetation", "water"))
    after = by_name(result)["hot_days.air_conditioning"].after
    assert after == pytest.approx(0.6 * plants + water, abs=20)
    alone = account(tmp_path / "b", {"hot_days": 60.0, "water_evaporation": 300.0})
    assert after == alone.account.cents(places, service="climate_regulation")
    assert not [p for p in result.problems if p.code == "W011"], "the layer is known"


def test_evaporation_not_divided_is_three_times_as_much(tmp_path: Path) -> None:
    result = account(tmp_path, {"hot_days": 100.0, "water_evaporation": 300.0})
    found = by_name(result)["water_cooling.undivided"]
    water = next(line for line in result.account.lines if line.indicator == "water")
    gained = 2 * (water.money(result.account.places) or 0)
    assert (found.after or 0) - found.before == pytest.approx(gained, abs=20)


def test_the_other_runoff_set_is_that_of_an_account_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = account(tmp_path / "a")
    after = by_name(result)["runoff.mee2020"].after
    used = profile.load("jiangxi-2021")
    choice = used.choices["water_retention"]
    sets = choice.sets | {"runoff_coefficient": "mee2020"}
    changed = used.choices | {"water_retention": profile.Choice(**vars(choice) | {"sets": sets})}
    other = profile.Profile(**vars(used) | {"choices": changed})
    monkeypatch.setattr(profile, "load", lambda _: other)
    whole = account(tmp_path / "b")
    assert after == whole.account.cents(whole.account.places, service="water_retention")
    assert "runoff.hj1173" in by_name(whole), "what was the choice is now the other one"
    assert "runoff.mee2020" not in by_name(whole)


def test_an_annuity_is_a_sixteenth_of_the_stock(tmp_path: Path) -> None:
    found = by_name(account(tmp_path))["reservoir.annualised"]
    assert found.after
    assert found.after / found.before == pytest.approx(0.3877 / 6.1107, rel=1e-6)


@pytest.mark.parametrize(("name", "share"), [("low", 0.15), ("high", 0.33)])
def test_sediment_is_proportional_to_the_share_that_settles(
    tmp_path: Path, name: str, share: float
) -> None:
    result = account(tmp_path)
    found = by_name(result)[f"deposition.{name}"]
    line = next(line for line in result.account.lines if line.indicator == "sediment")
    gained = (share / 0.24 - 1) * (line.money(result.account.places) or 0)
    assert (found.after or 0) - found.before == pytest.approx(gained, abs=20)


def test_carbon_at_the_cost_of_planting(tmp_path: Path) -> None:
    """1200 CNY of 2005 per tonne of carbon, 12/44 of it per tonne of CO2, against the market."""
    result = account(tmp_path)
    found = by_name(result)["carbon.afforestation"]
    ratio = (found.after or 0) / found.before
    book = result.plan.book
    planting = book.coefficient("", "carbon_afforestation")
    assert planting
    price = book.price(planting, "CNY/tC", 2021)
    assert ratio == pytest.approx(float(price.number) * 12.011 / 44.009 / 42.85, rel=2e-3)  # type: ignore[union-attr]


def test_lakes_exchanged_more_often(tmp_path: Path) -> None:
    """Only what the formula gave grows; what was measured stays."""
    tables = {"lakes": LAKES}
    change = {"statistics.lakes.file": "lakes.csv"}
    result = account(tmp_path, tables=tables, change=change)
    found = by_name(result)["lakes.more"]
    line = next(line for line in result.account.lines if line.indicator == "lakes")
    gained = 2.19 * (line.money([small.CODES[0]]) or 0)
    assert (found.after or 0) - found.before == pytest.approx(gained, rel=1e-6)


def test_oxygen_from_primary_production(tmp_path: Path) -> None:
    result = account(tmp_path)
    found = by_name(result)["oxygen.primary"]
    arrays, codes, inside = small.arrays(), small.classes(), small.places() >= 0
    eligible = inside & np.isin(codes, [11, 13, 16, 21, 33, 41])
    npp = arrays["net_primary_production"][eligible].sum(dtype=float)
    nep = arrays["net_ecosystem_production"][eligible].sum(dtype=float)
    assert (found.after or 0) / found.before == pytest.approx(npp / nep, rel=1e-6)
    carbon = [line for line in result.account.lines if line.service == "carbon_sequestration"]
    assert found.services == ("oxygen_release",)
    assert len(carbon) == 1, "the other base is not in the account"


def test_variants_stand_in_the_manifest_in_both_languages(tmp_path: Path) -> None:
    result = account(tmp_path)
    entries = {entry["name"]: entry for entry in result.manifest["core"]["sensitivity"]}
    assert entries.keys() == by_name(result).keys()
    entry = entries["reservoir.annualised"]
    assert entry["en"] == "Reservoir cost: annualised (6 %, 50 years)"
    assert entry["zh"] == "水库库容造价：年化（6 %，50 年）"
    total = Decimal(result.account.cents(result.account.places) or 0) / 100
    gained = Decimal(entry["after"]) - Decimal(entry["before"])
    assert Decimal(entry["total_after"]) == total + gained


def test_storm_water_left_out(tmp_path: Path) -> None:
    """Without the vegetation, flood mitigation is its swamps; the line is the overlap at most."""
    storms = {"storm_precipitation": 300.0, "storm_runoff": 40.0}
    result = account(tmp_path, storms)
    lines = {line.key: line for line in result.account.lines}
    plants = lines["flood_mitigation", "vegetation"].money(result.account.places) or 0
    found = by_name(result)["storm_water.left_out"]
    assert plants > 0
    assert found.before - (found.after or 0) == plants


def test_a_variant_that_covers_too_little_has_no_number(tmp_path: Path) -> None:
    """Half of the other days are unknown: an account with them would be refused, E305."""
    layers = {"hot_days": 100.0, "water_evaporation": 300.0, "air_conditioning_days": 60.0}
    account(tmp_path, layers)
    days = np.full((small.ROWS, small.COLUMNS), 60.0, np.float32)
    days[::2] = small.NODATA
    small.write_raster(tmp_path / "air_conditioning_days.tif", days, nodata=small.NODATA)
    found = by_name(gep.open(tmp_path / "gep.toml").run(threads=1))["hot_days.air_conditioning"]
    assert found.after is None
    assert found.share is None


def test_what_changes_nothing_is_left_out(tmp_path: Path) -> None:
    found = by_name(account(tmp_path))
    assert not [name for name in found if name.startswith(("hot_days", "lakes", "water_cooling"))]
    assert "carbon.market" not in found, "it is the profile's own choice"


def test_every_variant_names_what_exists() -> None:
    known = {name for name, _ in services()}
    for variant in variants.variants():
        assert {*variant.services, *variant.choices} <= known
        for key in (*variant.times, *variant.without):
            service, indicator = key.split(".")
            names = {
                i.name for (n, _), s in services().items() if n == service for i in s.indicators
            }
            assert indicator in names, key


def test_what_a_variant_leaves_as_it_is_need_not_be_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = dict.fromkeys(CLIMATE, 50.0)
    once = account(tmp_path / "a", layers, tables={"lakes": LAKES}).sensitivity
    monkeypatch.setattr(sensitivity, "_unchanged", lambda *_: [])
    assert account(tmp_path / "b", layers, tables={"lakes": LAKES}).sensitivity == once
    assert len(once) > 3
