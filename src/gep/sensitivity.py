"""How much of the total hangs on choices: every variant beside the account, from the same sums."""

from dataclasses import dataclass, replace

from gep.acceptance import accept
from gep.accounts import at_prices_of, quantities
from gep.cube import Amounts, Cube, Line, quanta
from gep.ecosystems import Title
from gep.errors import Problem
from gep.plan import Item, Plan
from gep.rows import Weights
from gep.run import Partials
from gep.service import Derived, Products, source_of
from gep.variants import Variant


@dataclass(frozen=True)
class Sensitivity:
    """Money of the services a variant changes, in cents over all places, before and after.

    `after` is None where the variant leaves something without an amount or a price, or covers too
    little.
    """

    name: str
    subject: Title
    title: Title
    services: tuple[str, ...]
    before: int
    after: int | None
    total: int

    @property
    def share(self) -> float | None:
        """Change of the total, relative to it."""
        return None if self.after is None else (self.after - self.before) / self.total


def sensitivities(plan: Plan, partials: Partials, cube: Cube) -> list[Sensitivity]:
    """Every variant that changes the total; no raster is read for any of them."""
    total = cube.cents(cube.places)
    if not total:
        return []
    weights = Weights(plan.counties.places, partials)
    found, lacked = [], _lacking(cube)
    for variant, varied in plan.variants:
        before = _money(cube, variant)
        known = _unchanged(plan, varied, cube)
        after = _after(variant, varied, partials, cube, weights, lacked, known)
        if before is not None and after != before:
            facts = (variant.name, variant.subject, variant.title, variant.services)
            found.append(Sensitivity(*facts, before, after, total))
    return found


def _after(
    variant: Variant,
    varied: Plan,
    partials: Partials,
    cube: Cube,
    weights: Weights,
    lacked: set[tuple[str, str]],
    known: list[Line],
) -> int | None:
    """Money of the services of a variant; None if it lacks what the account has not *lacked*.

    Lines that are *known* are those of the account.
    """
    problems: list[Problem] = []
    lines = quantities(varied, varied.items, partials, weights, problems, known)
    if any(p.is_error for p in accept(problems, varied.definition)):
        return None  # so little of it is covered that an account of its own would not run
    kept = [_times(line, variant) for line in lines if ".".join(line.key) not in variant.without]
    bare = replace(cube, lines=kept, problems=[], constant=None)
    done = {line.key for line in known if ".".join(line.key) not in variant.times}
    todo = [item for item in varied.items if item.key not in done]
    priced = at_prices_of(varied, bare, cube.price_year, todo)
    return None if _lacking(priced) - lacked else _money(priced, variant)


def _unchanged(plan: Plan, varied: Plan, cube: Cube) -> list[Line]:
    """Lines of the account that a variant leaves as they are."""
    items = {item.key: item for item in plan.items}
    same = {i.key for i in varied.items if i.key in items and _alike(i, items[i.key])}
    for item in varied.items:
        i = item.indicator
        if isinstance(i, Products) or (
            isinstance(i, Derived) and source_of(item.service, i) not in same
        ):
            same.discard(item.key)
    return [line for line in cube.lines if line.key in same]


def _alike(one: Item, other: Item) -> bool:
    """Tell whether two items of one indicator have the same quantities and prices."""
    rasters = getattr(one.indicator, "rasters", {})
    if one.choice.reads(rasters) != other.choice.reads(rasters):
        return False
    return replace(one, choice=other.choice) == other


def _lacking(cube: Cube) -> set[tuple[str, str]]:
    """Lines that lack something anywhere."""
    return {line.key for line in cube.counted() if line.lacking}


def _times(line: Line, variant: Variant) -> Line:
    """Line with its quantities multiplied, where the variant says so."""
    times = variant.times.get(".".join(line.key))
    if times is None:
        return line
    amounts: Amounts = {
        leaf: None if amount is None else quanta(amount * times, type(times)(1))
        for leaf, amount in line.amounts.items()
    }
    return replace(line, amounts=amounts)


def _money(cube: Cube, variant: Variant) -> int | None:
    known = [cube.cents(cube.places, service=service) for service in variant.services]
    stated = [cents for cents in known if cents is not None]
    return sum(stated) if stated else None
