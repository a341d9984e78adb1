"""Who may import whom. The picture of the rooms is this dictionary; the code must fit it."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src" / "gep"

MAY_IMPORT: dict[str, set[str]] = {
    # words and numbers, no files
    "errors": set(),
    "reasons": set(),
    "shipped": {"errors", "reasons"},
    "text": {"errors"},
    "cached": set(),
    "fuse": {"cached"},
    "ahead": {"fuse", "rasters"},
    "collector": set(),
    "units": {"errors"},
    "config": {"errors", "reasons"},
    "lock": {"errors"},
    "store": {"errors", "lock"},
    "ledger": {"errors", "lock"},
    # what stands in coefficients/
    "ecosystems": {"errors", "shipped"},
    "layers": {"ecosystems", "shipped", "units"},
    "overrides": {"errors", "shipped", "text", "units"},
    "coefficients": {"ecosystems", "errors", "overrides", "shipped", "units"},
    # services; the registry finds the modules of `services` by itself
    "service": {"ecosystems", "errors", "units"},
    "services": {"ecosystems", "service"},
    "profile": {"ecosystems", "errors", "service", "shipped"},
    "variants": {"ecosystems", "profile", "shipped"},
    "preparation": {"ecosystems", "errors", "service", "units"},
    "preparations": {"ecosystems", "preparation", "service", "terrain", "weather"},
    "terrain": {"fuse"},
    "weather": set(),
    # files of the user
    "interpolation": set(),
    "resampling": {"fuse", "interpolation"},
    "unpacking": {"fuse"},
    "decoding": {"errors", "unpacking"},
    "segments": set(),
    "room": set(),
    "checksums": {"decoding", "unpacking"},
    "rasters": {
        *("checksums", "config", "decoding", "errors", "fuse", "layers", "resampling", "room"),
        *("segments", "sidecars", "units"),
    },
    "membership": {"fuse", "rasters"},
    "counties": {"config", "cube", "errors", "membership", "rasters"},
    "outline": set(),
    "sheets": {"errors", "outline", "text"},
    "statistics": {"config", "errors", "service", "sheets", "text", "units"},
    "columns": {"config", "errors", "service", "statistics"},
    "cube": {"coefficients", "ecosystems", "errors"},
    "products": {"coefficients", "ecosystems", "errors", "statistics", "text", "units"},
    # the account
    "acceptance": {"config", "errors"},
    "grains": {"config", "errors", "layers", "preparation", "rasters"},
    "preparing": {
        *("coefficients", "config", "ecosystems", "errors", "grains", "preparation", "rasters"),
        *("step", "store", "text", "units"),
    },
    "step": {
        *("coefficients", "config", "errors", "fuse", "preparation", "rasters", "store", "units"),
    },
    "frozen": {"config", "errors", "rasters", "step"},
    "inputs": {
        *("acceptance", "coefficients", "columns", "config", "counties", "ecosystems", "errors"),
        *("layers", "preparation", "preparing", "profile", "rasters", "replacements"),
        *("service", "statistics", "step", "variants"),
    },
    "plan": {
        *("acceptance", "coefficients", "columns", "config", "ecosystems", "errors", "fuse"),
        *(
            "inputs",
            "products",
            "profile",
            "replacements",
            "service",
            "statistics",
            "text",
            "units",
            "variants",
        ),
    },
    "staging": {"ecosystems", "errors", "fuse", "layers", "plan", "rasters", "room", "segments"},
    "run": {"ahead", "cube", "ecosystems", "errors", "fuse", "plan", "rasters", "staging"},
    "origin": {"ecosystems", "fuse", "layers", "plan", "store"},
    "resume": {"errors", "ledger", "origin", "plan", "rasters", "run", "staging", "store"},
    "worker": {
        *("config", "ecosystems", "errors", "ledger", "origin", "plan", "rasters"),
        *("replacements", "resume", "run", "store"),
    },
    "cluster": {"errors", "plan", "rasters", "replacements", "resume", "run", "worker"},
    "forecast": {
        *("ecosystems", "ledger", "lock", "manifest", "origin", "outputs", "plan", "rasters"),
        *("resume", "run", "store"),
    },
    "sidecars": {"config", "errors"},
    "sequence": {"errors", "rasters"},
    "raw": {"errors", "layers", "rasters", "staging", "step", "units"},
    "check": {
        *("acceptance", "ecosystems", "errors", "layers", "plan", "rasters", "raw", "run"),
        "staging",
    },
    "areas": {"errors", "preparation", "rasters", "run", "step"},
    "held": {"rasters"},
    "memory": set(),
    "making": {
        *("acceptance", "areas", "errors", "fuse", "held", "plan", "preparation", "rasters"),
        *("raw", "run", "stacks", "staging", "step"),
    },
    "prepared": {
        *("acceptance", "areas", "coefficients", "ecosystems", "errors", "making", "memory"),
        *("outputs", "plan", "rasters", "raw", "run", "staging", "step", "store"),
    },
    "stacks": {
        *("acceptance", "check", "errors", "layers", "plan", "preparation", "rasters", "run"),
        *("sequence", "step"),
    },
    "rows": {
        *("coefficients", "cube", "ecosystems", "errors", "plan", "products", "run", "service"),
        *("statistics", "units"),
    },
    "replacements": {"coefficients", "ecosystems", "errors", "units", "text"},
    "pricing": {"coefficients", "cube", "errors", "units"},
    "cents": {"cube"},
    "price_series": {"errors", "replacements"},
    "repricing": {
        *("cents", "coefficients", "cube", "ecosystems", "errors", "identities", "plan"),
        *("price_series", "pricing", "replacements", "service", "units"),
    },
    "accounts": {
        *("coefficients", "columns", "cube", "ecosystems", "errors", "plan"),
        *("pricing", "rows", "run", "service", "units"),
    },
    "scenario": {
        *("check", "config", "errors", "identities", "inputs", "layers", "manifest", "plan"),
        *("rasters", "replacements", "resume", "run"),
    },
    "sensitivity": {
        *("acceptance", "accounts", "cube", "ecosystems", "errors", "plan", "rows", "run"),
        *("service", "variants"),
    },
    "identities": {"counties", "cube", "ecosystems", "errors", "plan", "run"},
    # what people get
    "tables": {"cube", "ecosystems", "service", "units"},
    "map_names": {"errors", "plan", "service", "tables"},
    "densities": {
        *("accounts", "coefficients", "cube", "ecosystems", "errors", "map_names", "plan", "run"),
        *("service", "tables"),
    },
    "spreading": {"cube", "densities", "ecosystems", "fuse", "plan", "rasters", "staging"},
    "outputs": {
        *("cube", "decoding", "densities", "errors", "identities", "plan", "rasters"),
        *("spreading", "store", "tables", "unpacking"),
    },
    "manifest": {
        *("coefficients", "config", "cube", "ecosystems", "errors", "identities", "plan"),
        *("quality", "run", "sensitivity", "service", "shipped", "step", "store", "tables"),
    },
    "explain": {"ecosystems", "errors", "layers", "phrases", "profile", "tables"},
    "phrases": {"layers"},
    "listing": {
        *("coefficients", "ecosystems", "errors", "layers", "phrases", "preparation", "profile"),
        *("service", "tables", "words"),
    },
    "help": {"errors"},
    "usage": {"errors", "text"},
    "template": {
        *("columns", "ecosystems", "errors", "layers", "profile", "service"),
        *("statistics", "units", "variants"),
    },
    "verify": {"errors", "identities", "outputs", "store"},
    # a run judged, and held against another
    "quality": {
        *("amounts", "check", "coefficients", "columns", "config", "cube", "ecosystems", "errors"),
        *("identities", "plan"),
        *("profile", "service", "shipped", "statistics", "store", "tables", "units", "verify"),
    },
    "compare": {"cube", "errors", "identities", "outputs", "store", "tables", "verify"},
    # Python
    "arrays": {"coefficients", "ecosystems", "errors", "profile", "service", "units"},
    "factors": {
        *("arrays", "coefficients", "errors", "layers", "preparation", "rasters", "units"),
    },
    "quantities": {
        *("accounts", "coefficients", "cube", "ecosystems", "errors", "profile", "service"),
        *("tables", "units"),
        *("identities", "outputs", "pricing", "products", "replacements"),
    },
    "engine": {
        *("acceptance", "accounts", "check", "collector", "config", "errors", "identities"),
        *("manifest", "map_names", "outputs", "plan", "prepared", "quality", "rasters"),
        *("replacements", "result", "run", "scenario", "sensitivity", "stacks", "step"),
        *("cluster", "forecast", "frozen", "resume", "store"),
    },
    "result": {
        *("compare", "cube", "densities", "errors", "explain", "identities", "manifest"),
        *("map_names", "outputs", "plan", "repricing", "run", "sensitivity", "store", "tables"),
    },
    "together": {
        *("engine", "errors", "map_names", "plan", "rasters", "replacements", "result"),
        *("resume", "run", "scenario"),
    },
    "gep": {
        *("arrays", "collector", "engine", "errors", "factors", "quantities", "result"),
        "together",
    },
    # people
    "words": set(),
    "terminal": {
        *("cube", "errors", "phrases", "profile", "result", "service", "step", "tables", "words"),
    },
    "amounts": {
        *("columns", "errors", "phrases", "plan", "products", "service", "statistics", "text"),
        "units",
    },
    "advice": {
        *("ecosystems", "errors", "layers", "plan", "preparing", "profile", "service"),
        "template",
    },
    "overview": {
        *("advice", "amounts", "ecosystems", "engine", "layers", "phrases", "plan"),
        *("statistics", "tables", "terminal", "words"),
    },
    "preview": {"forecast", "terminal"},
    "differences": {
        *("compare", "cube", "ecosystems", "outputs", "profile", "tables", "terminal", "words"),
    },
    "sample": {"cube", "shipped"},
    "plain": {"amounts", "engine", "errors", "result", "step"},
    "console": {"collector", "errors", "plain", "run", "usage"},
    "running": {
        *("console", "engine", "gep", "map_names", "plain", "preview", "result", "terminal"),
        "words",
    },
    "cli": {
        *("collector", "compare", "console", "differences", "engine", "errors", "explain", "gep"),
        "help",
        *("listing", "outputs", "overview", "plain", "profile", "running", "sample"),
        *("step", "template", "terminal", "verify", "words"),
    },
}

ONLY_IN = {
    "pint": {"units"},
    "numba": {"fuse"},
    "rasterio": {"rasters", "counties", "outputs", "preparations"},
    "geopandas": {"counties", "outputs", "preparations"},
    "openpyxl": {"sheets"},
    "imagecodecs": {"unpacking"},
    "pydantic": {"config"},
    "click": {"cli", "console"},
    "rich": {"console"},
}
UNNAMED = {"utils", "util", "core", "common", "helpers", "helper", "manager", "base", "misc"}

FILES = sorted(SRC.rglob("*.py"))
TREES = {path: ast.parse(path.read_text("utf-8")) for path in FILES}


def room(path: Path) -> str:
    """Name of the room a file belongs to; a folder of modules is one room."""
    parts = path.relative_to(SRC).with_suffix("").parts
    if parts == ("__init__",):
        return "gep"
    return parts[0]


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield every imported module, wherever in the file the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "absolute imports only"
            if node.module == "gep":
                yield from (f"gep.{alias.name}" for alias in node.names)
            else:
                yield node.module or ""


@cache
def rooms() -> dict[str, set[str]]:
    """Every room of the package and those it imports."""
    found: dict[str, set[str]] = {room(path): set() for path in FILES}
    for path, tree in TREES.items():
        for name in imported(tree):
            top, _, rest = name.partition(".")
            if top == "gep":
                found[room(path)].add(rest.partition(".")[0] or "gep")
    return {name: others - {name} for name, others in found.items()}


def test_the_picture_shows_every_room() -> None:
    assert MAY_IMPORT.keys() == rooms().keys()


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_a_room_imports_only_what_it_may(name: str) -> None:
    assert rooms().get(name, set()) - MAY_IMPORT[name] == set()


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_the_picture_allows_nothing_that_nobody_needs(name: str) -> None:
    assert MAY_IMPORT[name] - rooms().get(name, set()) == set()


def test_imports_go_one_way() -> None:
    order = tuple(TopologicalSorter(MAY_IMPORT).static_order())  # raises CycleError on a cycle
    assert set(order) == MAY_IMPORT.keys()
    assert set(TopologicalSorter(rooms()).static_order()) == rooms().keys()


@pytest.mark.parametrize(("library", "allowed"), ONLY_IN.items(), ids=list(ONLY_IN))
def test_a_library_is_used_only_where_it_belongs(library: str, allowed: set[str]) -> None:
    users = {
        room(path)
        for path, tree in TREES.items()
        for name in imported(tree)
        if name.partition(".")[0] == library
    }
    assert users - allowed == set()


def test_only_the_console_prints() -> None:
    printing = {
        room(path)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == "print"
    }
    assert printing == {"console"}


def test_modules_are_imported_by_name_only_by_the_registry_and_the_front_door() -> None:
    dynamic = {
        room(path)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "import_module"
    }
    assert dynamic == {"gep", "preparation", "service"}


def at_once(name: str) -> Iterator[str]:
    """Yield every module that importing a room imports, and what these import in turn."""
    for node in TREES[SRC / f"{name}.py"].body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for module in imported(ast.Module([node], [])):
                yield module
                top, _, rest = module.partition(".")
                if top == "gep" and rest:
                    yield from at_once(rest.partition(".")[0])


def test_help_needs_nothing_heavy() -> None:
    """The verbs import click, console and messages at once, so that `gep --help` is quick."""
    top = set(at_once("cli"))
    rooms = {".".join(name.split(".")[:2]) for name in top if name.startswith("gep.")}
    assert rooms == {"gep.collector", "gep.console", "gep.errors", "gep.plain"}
    assert top & {"numpy", "pandas", "xarray", "rich", "rasterio", "numba", "pint"} == set()


def test_rooms_are_called_what_they_hold() -> None:
    names = {part for path in FILES for part in path.relative_to(SRC).with_suffix("").parts}
    assert names & UNNAMED == set()


def test_kernels_import_nothing_but_math_and_the_spec() -> None:
    for path, tree in TREES.items():
        if room(path) == "services":
            assert set(imported(tree)) <= {"math", "gep.ecosystems", "gep.service"}, path.name
