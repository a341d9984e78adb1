"""Scenarios: the same integers as an account of its own, with nothing read that does not differ."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small

import gep
from gep import rasters
from gep.cube import Cube
from gep.errors import InputError

EAST, WEST, SOUTH = small.CODES
TILE = 16
"""4 x 3 tiles over 40 x 50 pixels, so that some differ and some do not."""
RESERVOIR = 43
FOREST = 13


def integers(cube: Cube) -> dict[tuple[str, str], Any]:
    """Quanta and cents of every line by leaf."""
    return {line.key: (line.amounts, line.cents) for line in cube.lines}


def flooded(rows: slice, columns: slice, code: int = RESERVOIR) -> np.ndarray:
    """Ecosystems with a block under water."""
    codes = small.classes()
    codes[rows, columns] = code
    return codes


def base(tmp_path: Path, **more: Any) -> gep.Account:
    return gep.open(small.write(tmp_path / "base", **more))


@pytest.fixture
def no_raster(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a switch after which opening a raster fails the test."""

    def forbid() -> None:
        def opened(path: Path, *_: object) -> None:
            raise AssertionError(f"opened {path}")

        monkeypatch.setattr(rasters, "open_file", opened)

    return forbid


def test_other_prices_read_no_raster(tmp_path: Path, no_raster: Any) -> None:
    account = base(tmp_path)
    before = account.run(threads=1)
    no_raster()
    dear = account.scenario("dear", prices={"reservoir_cost": "12.2214 CNY_2005/m^3"})
    after = dear.run(threads=1)
    assert after.envelope["tiles"] == {"computed": 0, "all": 1, "resumed": 0}
    for was, now in zip(before.account.lines, after.account.lines, strict=True):
        assert was.amounts == now.amounts
        if was.service in ("water_retention", "flood_mitigation"):
            twice = {leaf: 2 * cents for leaf, cents in was.cents.items() if cents is not None}
            assert all(abs(now.cents[leaf] - cents) <= 1 for leaf, cents in twice.items())  # type: ignore[operator]
        else:
            assert was.cents == now.cents
    assert after.name != before.name
    assert after.manifest["core"]["scenario"] == {
        "name": "dear",
        "rasters": {},
        "statistics": {},
        "coefficients": {"reservoir_cost": "12.2214 CNY_2005/m^3"},
    }


def test_another_table_reads_no_raster(tmp_path: Path, no_raster: Any) -> None:
    account = base(tmp_path)
    account.run(threads=1)
    table = small.PRODUCTS.replace("12000", "24000")
    (tmp_path / "base" / "more.csv").write_text(table, "utf8")
    whole = gep.open(small.write(tmp_path / "whole", tables={"products": table})).run(threads=1)
    no_raster()
    after = account.scenario("more rice", statistics={"products": "more.csv"}).run(threads=1)
    assert integers(after.account) == integers(whole.account)


@pytest.mark.parametrize("threads", [1, 2])
def test_another_land_cover_computes_the_tiles_in_which_it_differs(
    tmp_path: Path, threads: int
) -> None:
    codes = flooded(slice(2, 10), slice(18, 26))
    account = base(tmp_path)
    before = account.run(threads=1, tile=TILE)
    small.write_raster(tmp_path / "base" / "dam.tif", codes, nodata=small.NODATA_CLASS)
    dam = account.scenario("dam", rasters={"ecosystem": "dam.tif"})
    after = dam.run(threads=threads, tile=TILE)
    assert after.envelope["tiles"] == {"computed": 1, "all": 12, "resumed": 0}
    whole = gep.open(small.write(tmp_path / "whole", ecosystem=codes)).run(threads=1, tile=TILE)
    assert integers(after.account) == integers(whole.account)
    assert after.account.extent == whole.account.extent
    assert integers(after.account) != integers(before.account)
    assert after.manifest["core"]["pixels"] == whole.manifest["core"]["pixels"]
    assert after.manifest["core"]["missing"] == whole.manifest["core"]["missing"]


def test_another_layer_computes_the_tiles_in_which_it_differs(tmp_path: Path) -> None:
    account = base(tmp_path)
    account.run(threads=1, tile=TILE)
    rain = small.arrays()["precipitation"]
    rain[30:34, 2:6] += 100
    rain[20, 20] = np.nan
    stored = np.where(np.isnan(rain), small.NODATA, rain).astype(np.float32)
    small.write_raster(tmp_path / "base" / "wet.tif", stored, nodata=small.NODATA)
    wet = account.scenario("wet", rasters={"precipitation": "wet.tif"}).run(threads=1, tile=TILE)
    whole = gep.open(small.write(tmp_path / "whole", rasters={"precipitation": rain}))
    assert wet.envelope["tiles"]["computed"] == 3
    assert integers(wet.account) == integers(whole.run(threads=1).account)


def test_what_lies_outside_the_counties_changes_no_tile(tmp_path: Path) -> None:
    account = base(tmp_path)
    account.run(threads=1, tile=TILE)
    small.write_raster(
        tmp_path / "base" / "far.tif", flooded(slice(0, 40), slice(46, 50)), nodata=255
    )
    far = account.scenario("far", rasters={"ecosystem": "far.tif"}).run(threads=1, tile=TILE)
    assert far.envelope["tiles"]["computed"] == 0


def test_a_number_of_a_kernel_is_computed_anew(tmp_path: Path) -> None:
    account = base(tmp_path)
    account.run(threads=1, tile=TILE)
    said = {"runoff_coefficient": {"evergreen_broadleaf_forest": "0.5"}}
    after = account.scenario("sealed", coefficients=said).run(threads=1, tile=TILE)
    assert after.envelope["tiles"] == {"computed": 12, "all": 12, "resumed": 0}
    line = next(x for x in after.account.lines if x.service == "water_retention")
    arrays, codes = small.arrays(), small.classes()
    mine = (codes == 11) & (small.places() == 0)
    rain, loss = arrays["precipitation"][mine], arrays["evapotranspiration"][mine]
    depth = float((0.5 * rain.astype(float) - loss.astype(float)).sum())
    amount = line.amounts[EAST, "evergreen_broadleaf_forest"]
    assert amount is not None
    assert float(amount * line.quantum) == pytest.approx(depth * 10, rel=1e-9), "mm on 1 ha: 10 m3"
    (item,) = [i for i in after.manifest["core"]["items"] if i["service"] == "water_retention"]
    value = item["coefficients"]["runoff_coefficient"]["values"]["evergreen_broadleaf_forest"]
    assert (value["value"], value["source"], value["verified_by"]) == ("0.5", "caller", "given")


def test_a_scenario_runs_without_its_base(tmp_path: Path) -> None:
    alone = base(tmp_path).scenario("alone", prices={"reservoir_cost": "1 CNY_2021/m^3"})
    result = alone.run(threads=1)
    line = next(x for x in result.account.lines if x.service == "water_retention")
    assert float(line.quantity([EAST]) or 0) == pytest.approx((line.money([EAST]) or 0) / 100)


def test_a_base_whose_file_changed_is_not_relied_on(tmp_path: Path) -> None:
    account = base(tmp_path)
    account.run(threads=1)
    rain = small.arrays()["precipitation"] + 50
    small.write_raster(tmp_path / "base" / "precipitation.tif", rain, nodata=small.NODATA)
    after = account.scenario("same", prices={"reservoir_cost": "1 CNY_2021/m^3"}).run(threads=1)
    whole = gep.open(small.write(tmp_path / "w", rasters={"precipitation": rain})).run(threads=1)
    assert after.envelope["tiles"]["computed"] == 1
    for mine, theirs in zip(after.account.lines, whole.account.lines, strict=True):
        assert mine.amounts == theirs.amounts


def test_scenario_of_a_scenario(tmp_path: Path, no_raster: Any) -> None:
    account = base(tmp_path)
    small.write_raster(
        tmp_path / "base" / "dam.tif", flooded(slice(2, 10), slice(18, 26)), nodata=255
    )
    dam = account.scenario("dam", rasters={"ecosystem": "dam.tif"})
    first = dam.run(threads=1)
    no_raster()
    second = dam.scenario("dear dam", prices={"reservoir_cost": "1 CNY_2021/m^3"}).run(threads=1)
    assert first.account.extent == second.account.extent
    assert second.manifest["core"]["account"]["rasters"]["ecosystem"]["file"] == "dam.tif"


def test_a_scenario_of_a_scenario_keeps_what_its_parent_replaces(tmp_path: Path) -> None:
    account = base(tmp_path)
    loss = small.arrays()["evapotranspiration"] + 100
    small.write_raster(tmp_path / "base" / "dry.tif", loss, nodata=small.NODATA)
    price = {"reservoir_cost": "20 CNY_2021/m^3"}
    both = account.scenario("both", prices=price, rasters={"evapotranspiration": "dry.tif"})
    parent = account.scenario("dear", prices=price)
    child = parent.scenario("dry", rasters={"evapotranspiration": Path("dry.tif")})
    assert integers(child.run(threads=1).account) == integers(both.run(threads=1).account)
    said = child.run(threads=1).manifest["core"]["scenario"]
    assert said["coefficients"] == price
    assert said["rasters"] == {"evapotranspiration": "dry.tif"}


def test_keys_of_parent_and_child_are_both_replaced(tmp_path: Path) -> None:
    account = base(tmp_path)
    first = account.scenario("a", coefficients={"runoff_coefficient": {"paddy": "0.1"}})
    child = first.scenario("b", coefficients={"runoff_coefficient": {"upland": "0.2"}})
    both = {"runoff_coefficient": {"paddy": "0.1", "upland": "0.2"}}
    whole = account.scenario("c", coefficients=both)
    assert integers(child.run(threads=1).account) == integers(whole.run(threads=1).account)


def test_a_group_replaces_the_numbers_of_its_classes(tmp_path: Path) -> None:
    """A class beats its group: a group alone would change nothing where classes have numbers."""
    account = base(tmp_path)
    classes = ("evergreen_broadleaf_forest", "evergreen_needleleaf_forest", "bamboo_forest")
    one = account.scenario("a", coefficients={"runoff_coefficient": {"forest": "0.3"}})
    each = {"runoff_coefficient": dict.fromkeys(classes, "0.3")}
    two = account.scenario("b", coefficients=each)
    found = integers(one.run(threads=1).account)
    assert found == integers(two.run(threads=1).account)
    assert found != integers(account.run(threads=1).account)


@pytest.mark.parametrize(
    "change",
    [
        {"scale": 0.5},
        {"offset": 30.0},
        {"fill": [1610.0]},
        {"valid": [1600, 1640]},
        {"unit": "cm/year", "valid": [0, 5000], "scale": 0.11},
    ],
)
def test_the_same_file_read_otherwise_changes_every_tile_it_must(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    account = base(tmp_path, change={"accept": {"E304": "a test", "E305": "a test"}})
    account.run(threads=1, tile=TILE)
    other = account.scenario("other", rasters={"precipitation": change}).run(threads=1, tile=TILE)
    alone = base(tmp_path, change={"accept": {"E304": "a test", "E305": "a test"}})
    cold = alone.scenario("other", rasters={"precipitation": change}).run(threads=1, tile=TILE)
    assert integers(other.account) == integers(cold.account)
    assert other.envelope["tiles"]["computed"] > 0
    assert integers(other.account) != integers(account.run(threads=1).account)


def test_another_legend_or_nodata_changes_every_tile(tmp_path: Path) -> None:
    legend = """title = { en = "own", zh = "own" }
source = { key = "GEP", where = "a test" }
status = "design"
nodata = [255]
[codes]
"""
    kinds = {11: "mixed_forest", 13: "mixed_forest", 16: "mixed_forest", 21: "broadleaf_shrubland"}
    kinds |= {33: "tussock", 41: "swamp", 51: "paddy", 52: "upland", 61: "built_up"}
    kinds |= {47: "open_water"}
    legend += "".join(f'{code} = "{kind}"\n' for code, kind in kinds.items())
    account = base(tmp_path, files={"own.toml": legend})
    account.run(threads=1, tile=TILE)
    own = account.scenario("own", rasters={"ecosystem": {"legend": "own.toml"}})
    found = own.run(threads=1, tile=TILE)
    assert found.envelope["tiles"] == {"computed": 12, "all": 12, "resumed": 0}
    assert {kind for _, kind in found.account.extent} >= {"mixed_forest"}
    small.write_raster(tmp_path / "base" / "gone.tif", small.classes(), nodata=47)
    accepted = {"accept": {"E306": "a test"}}
    alone = base(tmp_path, change=accepted)
    alone.run(threads=1, tile=TILE)
    gone = alone.scenario("gone", rasters={"ecosystem": "gone.tif"}).run(threads=1, tile=TILE)
    assert not [kind for _, kind in gone.account.extent if kind == "open_water"]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            {"prices": {"carbon_afforestation": "900 CNY_2021/tC"}},
            "carbon_afforestation: nothing in this account uses it",
        ),
        ({"rasters": {"ecosystem": 5}}, "rasters.ecosystem is int; give a file"),
        ({"rasters": {"ecosystem": None}}, "rasters.ecosystem is NoneType; give a file"),
        (
            {"prices": {"reservoir_costs": "7 CNY_2020/m^3"}},
            "unknown coefficient reservoir_costs; did you mean reservoir_cost?",
        ),
        ({"prices": {"reservoir_cost": "7"}}, "reservoir_cost = 7 states no unit, such as"),
        (
            {"prices": {"reservoir_cost": "7 CNY/m^3"}},
            "reservoir_cost = 7 CNY/m^3 states no year of its money; write CNY_2021/m^3",
        ),
        ({"prices": {"reservoir_cost": "-7 CNY_2020/m^3"}}, "is negative"),
        ({"prices": {"reservoir_cost": "x CNY_2020/m^3"}}, "reservoir_cost: not a number: x"),
        (
            {"prices": {"reservoir_cost": "7 CNY_1999/m^3"}},
            "is money of 1999, which no index moves to 2021",
        ),
        (
            {"coefficients": {"runoff_coefficient": "0.5"}},
            "runoff_coefficient is given by ecosystem; say which, such as",
        ),
        (
            {"coefficients": {"runoff_coefficient": {"jungle": "0.5"}}},
            "runoff_coefficient.jungle: not an ecosystem",
        ),
        (
            {"coefficients": {"runoff_coefficient": {"paddy": "1.5"}}},
            "runoff_coefficient.paddy = 1.5 is outside 0 to 1",
        ),
        (
            {"coefficients": {"deposition_share": {"paddy": "0.5"}}},
            "deposition_share is given by constant: it has no single keys",
        ),
        ({"rasters": {"rain": {"unit": "mm/year"}}}, "rasters.rain: unknown; known: ecosystem"),
        ({"rasters": {"ecosystm": "x.tif"}}, "rasters.ecosystm: unknown; did you mean ecosystem?"),
        ({"rasters": {"rainfall": "x.tif"}}, "rasters.rainfall: unknown; known: ecosystem"),
        (
            {"prices": {"x": "1"}, "coefficients": {"x": "1"}},
            "x stands in prices and in coefficients",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, said: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError) as caught:
        base(tmp_path).scenario("s", **said).run(threads=1)
    assert "E019" in {problem.code for problem in caught.value.problems}
    assert any(p.text().startswith("Account.scenario: ") for p in caught.value.problems)
    assert why in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    dam = base(tmp_path).scenario("dam", rasters={"ecosystem": "no.tif"})
    with pytest.raises(InputError) as caught:
        dam.run(threads=1)
    assert [p.code for p in caught.value.problems] == ["E004"]


def test_a_dam_taken_apart(tmp_path: Path) -> None:
    """Forest under water: the change adds up by county and service, and is one of area."""
    account = base(tmp_path, ecosystem=np.full((40, 50), FOREST, np.uint8))
    before = account.run(threads=1)
    codes = np.full((40, 50), FOREST, np.uint8)
    codes[5:10, 5:10] = RESERVOIR
    small.write_raster(tmp_path / "base" / "dam.tif", codes, nodata=255)
    after = account.scenario("dam", rasters={"ecosystem": "dam.tif"}).run(threads=1)
    found = after.compare(before)
    water = found.services.set_index("service").loc["water_retention"]
    assert water["difference"] == water["after"] - water["before"] < 0
    parts = sum(water[name] for name in ("area", "quantity", "price", "other"))
    assert parts == water["difference"]
    assert water["price"] == 0


def test_a_scenario_replaces_a_parameter_of_the_profile(tmp_path: Path) -> None:
    """The profile says clamp = 0; dry pixels have a negative balance, which 1 cuts off."""
    rain = small.arrays()["precipitation"] - 1100
    account = base(tmp_path, rasters={"precipitation": rain})
    said = {"water_retention.clamp": "1"}
    before, after = account.run(), account.scenario("clamped", coefficients=said).run()
    clamped = integers(after.account)["water_retention", "water_retention"][0]
    plain = integers(before.account)["water_retention", "water_retention"][0]
    assert min(plain.values()) < 0
    assert min(clamped.values()) >= 0
