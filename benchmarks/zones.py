"""More counties, more services: what they add. P7."""

from typing import Any

from decode import floor, layers
from province import Recipe, province
from timing import paired, ratio
from whole import account

WATER = ("ecosystem", "precipitation", "evapotranspiration")


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """3000 counties ÷ 100; all services ÷ one, each over the floor of its own layers."""
    folder = province(Recipe(size))
    cases = {
        "100 counties": lambda: account(folder / "all.toml"),
        "3000 counties": lambda: account(folder / "zones.toml"),
        "one service": lambda: account(folder / "one.toml"),
        "floor of one": lambda: floor(layers(folder, WATER)),
        "floor of all": lambda: floor(layers(folder)),
    }
    found = paired("zones", size, cases, repeats)
    more = ratio(found["3000 counties"], found["100 counties"])
    every = ratio(found["100 counties"], found["floor of all"])
    single = ratio(found["one service"], found["floor of one"])
    place = {"benchmark": "zones", "side": size}
    ratios = [
        place | {"target": "P7 counties", "case": "3000 counties", "over": "100 counties"} | more,
        place | {"target": "P7 all", "case": "100 counties", "over": "floor of all"} | every,
        place | {"target": "P7 one", "case": "one service", "over": "floor of one"} | single,
    ]
    return [*(record.summary() for record in found.values()), *ratios]
