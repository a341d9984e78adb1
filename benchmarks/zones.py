"""More counties, more services: what they add, to the tiles alone and to the whole account. P7."""

from collections.abc import Callable
from typing import Any

from decode import floor, layers
from province import Recipe, province
from timing import paired, ratio
from whole import account, tiles_alone

WATER = ("ecosystem", "precipitation", "evapotranspiration")


FLOOR = "floor of all"
TARGETS = {
    "3000 counties": ("P7 counties", "100 counties"),
    "3000 counties, tiles": ("P7 counties tiles", "100 counties, tiles"),
    "100 counties": ("P7 all", FLOOR),
    "100 counties, tiles": ("P7 all tiles", FLOOR),
    "one service": ("P7 one", "floor of one"),
    "one service, tiles": ("P7 one tiles", "floor of one"),
}


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """3000 counties ÷ 100; all services ÷ one, each over the floor of its own layers."""
    folder = province(Recipe(size))
    cases: dict[str, Callable[[], Any]] = {
        "floor of one": lambda: floor(layers(folder, WATER)),
        FLOOR: lambda: floor(layers(folder)),
    }
    names = {"100 counties": "all", "3000 counties": "zones", "one service": "one"}
    for case, name in names.items():
        path = folder / f"{name}.toml"
        cases[f"{case}, tiles"] = tiles_alone(path)
        cases[case] = lambda path=path: account(path)  # type: ignore[misc]
    found = paired("zones", size, cases, repeats)
    ratios = [
        {"benchmark": "zones", "side": size, "target": target, "case": case, "over": base}
        | ratio(found[case], found[base])
        for case, (target, base) in TARGETS.items()
    ]
    return [*(record.summary() for record in found.values()), *ratios]
