"""The services of a profile and the numbers behind them, as flat rows."""

from gep import coefficients
from gep.errors import InputError, Problem
from gep.layers import variables
from gep.preparation import preparations as registered
from gep.profile import catalogue, load
from gep.service import Derived, Indicator, Products, Service
from gep.service import services as registry
from gep.tables import Row

SERVICE_COLUMNS = ("service", "服务", "group", "method", "counted", "built", "kind", "inputs")
PREPARATION_COLUMNS = ("raster", "栅格", "method", "方法", "from", "gives")
NUMBER_COLUMNS = (
    *("file", "name", "set", "key", "value", "unit", "source", "where", "status", "confidence"),
    *("verified_by", "description"),
)


def services(profile: str) -> list[dict[str, str]]:
    """Return one row per service of the vocabulary, as a profile sees it."""
    chosen = load(profile).choices
    rows = []
    for name, entry in catalogue().items():
        choice = chosen.get(name)
        method = choice.method if choice else ""
        service = registry().get((name, method))
        said = choice.counted if choice else False
        rows.append(
            {
                "service": name,
                "服务": entry.title.zh,
                "group": entry.group,
                "method": method,
                "counted": {True: "yes", False: "no"}.get(bool(said), "")
                if said != "optional"
                else "optional",
                "built": "yes" if service else "no",
                "kind": _kind(service) if service else "",
                "inputs": _inputs(service) if service else "",
            }
        )
    return rows


def preparations() -> list[dict[str, str]]:
    """Return one row per way of preparing a raster, the best of each raster first."""
    known = variables()
    return [
        {
            "raster": p.name,
            "栅格": known[p.name].title.zh if p.name in known else "",
            "method": p.method,
            "title": p.title.en,
            "方法": p.title.zh,
            "from": ", ".join((*p.rasters, *p.series)),
            "gives": p.gives,
        }
        for p in registered().values()
    ]


def _kind(service: Service) -> str:
    """How the service comes by its amounts."""
    kinds = []
    for i in service.indicators:
        if isinstance(i, Products):
            kinds.append("open rows")
        elif isinstance(i, Derived):
            kinds.append("derived")
        elif i.table:
            kinds.append("rows")
        else:
            kinds.append("pixels, capped" if i.cap else "pixels")
    return ", ".join(dict.fromkeys(kinds))


def _inputs(service: Service) -> str:
    tables = [i.table for i in service.indicators if not isinstance(i, Derived) and i.table]
    caps = [i.cap[0] for i in service.indicators if isinstance(i, Indicator) and i.cap]
    return ", ".join(dict.fromkeys([*service.rasters(), *tables, *caps]))


def coefficients_of(service: str) -> list[Row]:
    """Return one row per number of a service, of a prepared raster, or of `prices`."""
    book, _ = coefficients.load()
    names = {entry.title.zh: name for name, entry in catalogue().items()}
    file = names.get(service, service)
    made = {raster for raster, _ in registered()}
    if file not in book.services and file not in made:
        fields = {"service": service, "why": "", "why_zh": ""}
        fields |= {"known": ", ".join(book.services), "known_zh": "、".join(book.services)}
        raise InputError(Problem("E015", fields))
    rows: list[Row] = []
    for c, keys, value in book.values():
        if c.file == f"{file}.toml" and c.name in book.services.get(file, {}):
            rows.append(
                {
                    "file": c.file,
                    "name": c.name,
                    "set": c.set,
                    "key": " ".join(keys),
                    "value": value.number,
                    "unit": c.unit,
                    "source": value.source,
                    "where": value.where,
                    "status": value.status,
                    "confidence": value.confidence,
                    "verified_by": value.verified_by,
                    "description": c.description,
                }
            )
    return rows
