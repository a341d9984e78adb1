"""run.json: a hashed core that says what came from what, and an envelope that does not count."""

import importlib.metadata
import json
import platform
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

from gep import store
from gep.coefficients import Coefficient, Price
from gep.config import locate, parts
from gep.cube import Cube, Line
from gep.ecosystems import ecosystems
from gep.errors import IdentityError, Problem
from gep.identities import Identity
from gep.plan import Item, Plan
from gep.quality import former
from gep.run import Partials, culprits
from gep.sensitivity import Sensitivity
from gep.service import Indicator, Products
from gep.shipped import folder
from gep.step import Step, inputs_of
from gep.tables import areas

SOFTWARE = (
    *("gep", "numpy", "numba", "llvmlite", "rasterio", "pint", "pyproj", "shapely", "geopandas"),
    *("pandas", "xarray", "pydantic", "openpyxl"),
)

Stamp = tuple[int, int, int]


def input_files(plan: Plan) -> dict[str, Path]:
    """Every file an account reads, by its role."""
    d = plan.definition
    found = {f"rasters.{layer.name}": layer.path for layer in (*plan.layers, *plan.raw_used)}
    if not plan.legend.path.is_relative_to(folder("coefficients")):
        found["legend"] = plan.legend.path
    found["counties"] = locate(plan.folder, d.counties.file)
    if d.counties.outline:
        found["counties.outline"] = locate(plan.folder, d.counties.outline)
    for role in [role for role in found if role.startswith("counties")]:
        found |= {f"{role}{part.suffix.lower()}": part for part in parts(found[role])[1:]}
    found |= {f"statistics.{name}": table.file for name, table in plan.tables.items()}
    if (previous := former.find(plan)) is not None:
        found["previous"] = previous / store.MANIFEST
    return found


def stamps(plan: Plan) -> dict[str, Stamp]:
    """Size and times of every input, to see whether one changes during the run."""
    return {role: _stamp(path) for role, path in input_files(plan).items()}


def _stamp(path: Path) -> Stamp:
    try:
        stat = path.stat()
    except OSError:
        return -1, 0, 0
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def digests(plan: Plan, threads: int, known: Mapping[Path, str] | None = None) -> dict[str, str]:
    """SHA-256 of every input by its role; of files that are *known* as it is known."""
    files = input_files(plan)
    found = dict(known or {})
    todo = [path for path in dict.fromkeys(files.values()) if path not in found]
    with ThreadPoolExecutor(threads) as pool:
        found |= zip(todo, pool.map(store.digest_file, todo), strict=True)
    return {role: found[path] for role, path in files.items()}


def unchanged(plan: Plan, before: dict[str, Stamp]) -> None:
    """Raise IdentityError E714 if an input is not the file it was when the run began."""
    after = stamps(plan)
    changed = [str(input_files(plan)[role]) for role in before if after[role] != before[role]]
    if changed:
        raise IdentityError(Problem("E714", {"files": ", ".join(changed)}))


def core(plan: Plan, partials: Partials, cube: Cube, hashes: dict[str, str]) -> dict[str, Any]:
    """Everything the numbers follow from, without times and machines."""
    layers = {f"rasters.{layer.name}": layer for layer in (*plan.layers, *plan.raw_used)}
    inputs: dict[str, Any] = {}
    for role, path in input_files(plan).items():
        inputs[role] = {"file": path.name, "sha256": hashes[role], "bytes": path.stat().st_size}
        if role in layers:
            layer = layers[role]
            read = {"unit": layer.unit, "scale": layer.scale, "offset": layer.offset}
            inputs[role] |= read | {"declared": layer.section.model_dump(exclude_none=True)}
    made = {step.name: _preparation(step) for step in plan.steps}
    return ({"preparations": made} if made else {}) | {
        "schema": store.SCHEMA,
        "account": plan.definition.model_dump(mode="json", exclude_none=True, exclude={"output"}),
        "profile": {
            "name": plan.profile.name,
            "version": plan.profile.version,
            "status": plan.profile.status,
            "standard": plan.profile.standard,
        },
        "inputs": inputs,
        "coefficient_files": {
            _relative(path): store.digest_file(path)
            for path in dict.fromkeys((*plan.book.files, *plan.profile.files))
        },
        "items": [_item(item, cube) for item in plan.items],
        "uncovered": [
            {"service": u.service, "indicator": u.indicator, "code": u.reason.code}
            | {"en": u.reason.text("en"), "zh": u.reason.text("zh")}
            for u in plan.uncovered
        ],
        "areas": [
            {"level": a.level, "code": a.code, "name": a.name, "places": list(a.places)}
            for a in areas(cube, plan.definition.account.name)
            if len(a.places) > 1 or a.level in ("city", "province")
        ],
        "coverage": _coverage(cube),
        "missing": _missing(plan, partials),
        "states": _states(plan, partials),
        "pixels": {"outside": partials.outside}
        | {p: int(n) for p, n in zip(cube.places, partials.pixels.sum(axis=1), strict=True)},
        "problems": [
            {"code": p.code, "en": p.text("en"), "zh": p.text("zh")} for p in cube.problems
        ],
        "software": {name: importlib.metadata.version(name) for name in SOFTWARE},
    }


def as_prepared(plan: Plan, hashes: Mapping[str, str]) -> None:
    """Raise IdentityError E714 if a raster was prepared from another file than is there now."""
    changed = [
        str(input_files(plan)[role])
        for step in plan.steps
        for name, digest in inputs_of(step.identity).items()
        if hashes.get(role := f"rasters.{name}", digest) != digest
    ]
    if changed:
        raise IdentityError(Problem("E714", {"files": ", ".join(dict.fromkeys(changed))}))


def _preparation(step: Step) -> dict[str, Any]:
    """How a raster was made: method, what of, with which numbers."""
    one = step.preparation
    units = one.rasters | {name: series.unit for name, series in one.series.items()}
    return {
        "method": one.method,
        "title": one.title._asdict(),
        "source": one.source,
        "unit": one.gives,
        "rasters": units,
        "inputs": inputs_of(step.identity),
        "coefficients": {name: _coefficient(c) for name, c in step.coefficients.items()},
    }


def sensitivity_entries(found: Sequence[Sensitivity]) -> list[dict[str, Any]]:
    """Money of every variant against that of the account, as plain data."""
    return [
        {"name": s.name, "services": list(s.services)}
        | {"en": f"{s.subject.en}: {s.title.en}", "zh": f"{s.subject.zh}：{s.title.zh}"}
        | {"before": _yuan(s.before), "after": "" if s.after is None else _yuan(s.after)}
        | {"total_after": "" if s.after is None else _yuan(s.total + s.after - s.before)}
        for s in found
    ]


def _yuan(cents: int) -> str:
    return f"{Decimal(cents).scaleb(-2):f}"


def _relative(path: Path) -> str:
    root = folder("coefficients")
    inside = path.is_relative_to(root)
    return path.relative_to(root).as_posix() if inside else f"overrides/{path.name}"


def _item(item: Item, cube: Cube) -> dict[str, Any]:
    """One indicator: formula, coefficients with provenance, prices, negative total."""
    i = item.indicator
    found: dict[str, Any] = {
        "service": item.service.name,
        "indicator": i.name,
        "method": item.service.method,
        "title": i.title._asdict(),
        "source": i.source,
        "counted": item.counted,
        "ecosystems": list(getattr(i, "ecosystems", ())),
        "rasters": dict(zip(item.choice.reads(getattr(i, "rasters", {})), _units(i), strict=True)),
        "derived_from": getattr(i, "of", ""),
        "times": list(getattr(i, "times", ())),
        "per": list(getattr(i, "per", ())),
        "cap": (getattr(i, "cap", None) or [""])[0],
        "coefficients": {name: _coefficient(c) for name, c in item.coefficients.items()},
    }
    found["spread"] = list(getattr(i, "spread", ()))
    if isinstance(i, Products):
        found["table"] = i.table
        return found
    if isinstance(i, Indicator) and i.table:
        measured = dict([i.measured]) if i.measured else {}
        found["rows"] = {"table": i.table, "columns": i.columns, "measured": measured}
    line = next(line for line in cube.lines if line.key == item.key)
    once = {id(price): price for price in line.prices.values()}  # leaves share theirs
    prices = list(dict.fromkeys(map(_price, once.values())))
    found["prices"] = [json.loads(price) for price in prices]
    found["capped"] = {
        place: {
            "capacity": _amount(line, capacity),
            "load": _amount(line, load),
        }
        for place, (capacity, load) in line.capped.items()
    }
    if line.ways:
        found["measured"] = {
            place: {way: [rows, _amount(line, amount)] for way, (rows, amount) in ways.items()}
            for place, ways in line.ways.items()
        }
    found["negative"] = {p: f"{n * line.quantum:f} {line.unit}" for p, n in line.negative.items()}
    return found


def _amount(line: Line, amount: int | None) -> str:
    """Exact amount in the unit of the line; "" if it is missing."""
    return "" if amount is None else f"{amount * line.quantum:f}"


def _units(i: object) -> list[str]:
    """Units of the rasters of an indicator, in order."""
    return list(getattr(i, "rasters", {}).values())


def _coefficient(c: Coefficient) -> dict[str, Any]:
    values = {" ".join(keys) or "constant": _value(value) for keys, value in c.values.items()}
    return {"at": c.at, "unit": c.unit, "title": c.title, "symbol": c.symbol, "values": values}


def _value(value: Any) -> dict[str, str]:
    return {
        "value": f"{value.number:f}",
        "status": value.status,
        "confidence": value.confidence,
        "source": value.source,
        "where": value.where,
        "verified_by": value.verified_by,
    }


def _price(price: Price) -> str:
    found = {
        "price": f"{price.number:f}",
        "unit": price.unit,
        "at": price.coefficient,
        "printed": _value(price.value) | {"unit": price.value_unit},
        "index": price.index,
        "ratio": f"{price.ratio:.10f}",
        "states": list(price.states),
    }
    return json.dumps(found, ensure_ascii=False)


def _coverage(cube: Cube) -> dict[str, dict[str, str]]:
    found = {
        f"{line.service}.{line.indicator}": {p: f"{c:.6f}" for p, c in line.coverage.items()}
        for line in cube.lines
    }
    return found | {"ecosystem": {p: f"{c:.6f}" for p, c in cube.raster_coverage.items()}}


def _missing(plan: Plan, partials: Partials) -> dict[str, dict[str, int]]:
    """Return missing pixels of every indicator, by the input that is to blame."""
    names = culprits(plan)
    found = {}
    for item in plan.items:
        if item.accumulator is not None and not getattr(item.indicator, "table", False):
            counts = partials.blame[item.accumulator]
            blamed = {n: int(c) for n, c in zip(names, counts, strict=True) if c}
            found[".".join(item.key)] = blamed
    return found


def _states(plan: Plan, partials: Partials) -> dict[str, dict[str, int]]:
    """Return pixels of every indicator by state: valid, missing, excluded, without an ecosystem."""
    found = {}
    for item in plan.items:
        if item.accumulator is None or getattr(item.indicator, "table", False):
            continue
        eligible = list(plan.accumulators[item.accumulator].eligible)
        inside, nodata = int(partials.pixels.sum()), int(partials.pixels[:, -1].sum())
        taken = int(partials.pixels[:, eligible].sum())
        missing = int(partials.missing[:, :, item.accumulator].sum())
        found[".".join(item.key)] = {
            "valid": taken - missing,
            "missing": missing,
            "excluded": inside - nodata - taken,
            "nodata": nodata,
        }
    return found


def identity_entries(identities: list[Identity]) -> list[dict[str, Any]]:
    """Identities as plain data."""
    return [
        {"name": i.name, "en": i.title.en, "zh": i.title.zh, "holds": i.holds}
        | {"compared": i.compared, "left": i.left, "right": i.right}
        for i in identities
    ]


def run_id(body: dict[str, Any]) -> str:
    """Short name of a run: a hash of what it was computed from."""
    return store.digest(store.canonical(body))[:8]


def seal(
    body: dict[str, Any],
    identities: list[Identity],
    files: dict[str, bytes],
    envelope: dict[str, Any],
    made: dict[str, Any] | None = None,
) -> bytes:
    """Bytes of run.json: core with outputs and identities, its root digest, and the envelope.

    *made* are the outputs (as `described`) that are on the disk already.
    """
    outputs = {name: {"sha256": store.digest(c), "bytes": len(c)} for name, c in files.items()}
    outputs |= made or {}
    whole = body | {"outputs": outputs, "identities": identity_entries(identities)}
    sealed = {"core": whole, "root": store.digest(store.canonical(whole)), "envelope": envelope}
    return json.dumps(sealed, ensure_ascii=False, indent=1).encode("utf8") + b"\n"


def about_maps(body: dict[str, Any], run: str) -> dict[str, str]:
    """Tags every map of a run carries."""
    section, profile = body["account"]["account"], body["profile"]
    year = section["year"]
    return {
        "run": run,
        "account": section["name"],
        "year": str(year),
        "price_year": str(section.get("price_year") or year),
        "profile": profile["name"],
        "profile_status": profile["status"],
        "software": f"gep {body['software']['gep']}",
    }


def described(folder: Path) -> dict[str, Any]:
    """Digest and size of every file below *folder*, by its path in the run folder."""
    return {
        path.relative_to(folder.parent).as_posix(): {
            "sha256": store.digest_file(path),
            "bytes": path.stat().st_size,
        }
        for path in sorted(folder.iterdir())
    }


def envelope(started: float, threads: int) -> dict[str, Any]:
    """Time, machine and effort: not part of the digest."""
    return {
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "seconds": round(time.monotonic() - started, 3),
        "threads": threads,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "classes": len(ecosystems()),
    }
