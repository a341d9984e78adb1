"""Numbers nobody has checked against their printed source, and the services they decide."""

from decimal import Decimal
from typing import Any

from gep.coefficients import Coefficient, weakest
from gep.cube import Cube
from gep.plan import Item, Plan
from gep.quality.limits import rules
from gep.service import Derived, source_of


def unverified(plan: Plan, cube: Cube) -> list[dict[str, Any]]:
    """Every coefficient in use with numbers nobody has verified: place, count, state, services."""
    found: dict[str, dict[str, Any]] = {}
    for item in plan.items:
        if not item.counted:
            continue
        for c in _used(plan, cube, item):
            open_values = [value for value in c.values.values() if not value.verified_by]
            if open_values:
                entry = {"at": c.at, "numbers": len(open_values), "services": []}
                entry["status"] = weakest(value.status for value in open_values)
                services = found.setdefault(c.at, entry)["services"]
                services += [item.service.name] * (item.service.name not in services)
    return list(found.values())


def decisive(plan: Plan, cube: Cube) -> dict[str, Decimal]:
    """Share of every service that rests on unverified numbers and is large enough to matter.

    Where there is no total, shares are unknown and every such service counts, with share 1.
    """
    limit = rules()["provenance"].limits["share"].high
    total = cube.cents(cube.places) or 0
    open_services = {s for entry in unverified(plan, cube) for s in entry["services"]}
    shares = {}
    for service in dict.fromkeys(item.service.name for item in plan.items):
        cents = cube.cents(cube.places, service=service) or 0
        share = Decimal(cents) / Decimal(total) if total > 0 else Decimal(1)
        if service in open_services and share > limit:
            shares[service] = share
    return shares


def _own(plan: Plan, item: Item) -> list[Coefficient]:
    rasters = item.choice.reads(getattr(item.indicator, "rasters", {}))
    return [*item.coefficients.values(), *plan.behind(rasters).values()]


def _used(plan: Plan, cube: Cube, item: Item) -> list[Coefficient]:
    """Coefficients behind an indicator: its own, its base's, its price, the index of the price.

    Those of rasters that were prepared are its own.
    """
    found = _own(plan, item)
    if isinstance(item.indicator, Derived):
        base = source_of(item.service, item.indicator)
        found += [c for i in plan.items if i.key == base for c in _own(plan, i)]
    if item.price is not None:
        found.append(item.price)
    prices = [p for line in cube.lines if line.key == item.key for p in line.prices.values()]
    names = dict.fromkeys(price.index for price in prices)
    return found + [plan.book.indices[name] for name in names if name in plan.book.indices]
