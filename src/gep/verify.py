"""A finished run held against itself: files against their hashes, tables against the identities."""

import json
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from gep import store
from gep.errors import IdentityError, InputError, Problem
from gep.identities import MONEY, Identity, of_tables
from gep.outputs import csv

ACCOUNTS = "accounts.csv"
TABLES = (ACCOUNTS, "county_gep.csv", "extent.csv")
ELSEWHERE = "rasters"
"""Name of what stands for the identities that are not checked here."""
KEYS = ("account", "areas", "coverage", "inputs", "items", "profile", "software", "uncovered")
"""What the core of a run.json always has, beside its outputs."""


def read(folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Return run.json and the rows of accounts.csv of a run folder, or the latest below it.

    Raises
    ------
    InputError
        E790 there is no run, E717 its run.json has another form.
    IdentityError
        E715, E716 one of the two is not what it was when it was written.
    """
    found = store.find(folder)
    manifest = _manifest(found)
    if wrong := _changed(found, manifest, (ACCOUNTS,)):
        raise IdentityError(*wrong)
    return manifest, csv.decode((found / ACCOUNTS).read_bytes())


def _manifest(folder: Path) -> dict[str, Any]:
    """Return run.json of a run folder, whose core is the one that was hashed."""
    try:
        found: dict[str, Any] = json.loads((folder / store.MANIFEST).read_text("utf8"))
        core = found["core"]
        root, stated = store.digest(store.canonical(core)), str(found["root"])
        schema = core.get("schema")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(folder, error) from None
    if schema != store.SCHEMA:
        fields = {"folder": folder, "found": schema, "want": store.SCHEMA}
        raise InputError(Problem("E717", fields))
    if root != stated:
        raise IdentityError(_differs(folder, store.MANIFEST, root, stated))
    lacking = [key for key in KEYS if key not in core]
    lacking += [name for name in TABLES if name not in core.get("outputs", ())]
    if lacking:
        raise _unreadable(folder, KeyError(lacking[0]))
    return found


def _unreadable(folder: Path, error: Exception) -> IdentityError:
    return IdentityError(Problem("E716", {"folder": folder, "why": error}))


def verify(folder: Path) -> list[dict[str, Any]]:
    """Return what was verified, in both languages.

    Raises
    ------
    IdentityError
        E715 a file differs from its hash, E711 an identity does not hold, E716 run.json is no
        manifest.
    """
    found = store.find(folder)
    manifest = _manifest(found)
    core = manifest["core"]
    if wrong := _changed(found, manifest, core["outputs"]):
        raise IdentityError(*wrong)
    identities = of_tables(*(csv.read((found / name).read_bytes()) for name in TABLES))
    for identity in identities:
        if not identity.holds:
            raise IdentityError(identity.problem())
    count = len(core["outputs"]) + 1
    files = {"name": "files", "en": f"{count} files as hashed", "zh": f"{count} 个文件与校验和一致"}
    here = {identity.name for identity in identities}
    others = [entry for entry in core.get("identities", ()) if entry["name"] not in here]
    return [files, *map(_held, identities), *([_of_rasters(len(others))] if others else [])]


def _held(identity: Identity) -> dict[str, str]:
    """An identity that holds, with how much it compares: rows, and money or areas in all."""
    amount = Decimal(identity.left)
    en, zh = f", {amount:,} km²", f"，{amount:,} km²"
    if identity.name in MONEY:
        money = amount.scaleb(-2)
        en, zh = f", {money:,.2f} CNY", f"，{money:,.2f} 元"
    if identity.name == "groups":  # of counties, cities and all together: no sum of anything
        en, zh = "", ""
    title, rows = identity.title, identity.compared
    said = {"en": f"{title.en} ({rows} rows{en})", "zh": f"{title.zh}（{rows} 行{zh}）"}
    return {"name": identity.name, **said}


def _of_rasters(count: int) -> dict[str, str]:
    """Those identities that the run checked and its tables alone cannot show."""
    en = f"{count} more as the run found them on its rasters, which are not read here"
    zh = f"另 {count} 条由运行时对照栅格核对，此处不再读取栅格"
    return {"name": ELSEWHERE, "en": en, "zh": zh}


def _changed(folder: Path, manifest: dict[str, Any], names: Iterable[str]) -> list[Problem]:
    """E715 of every file that is not the one run.json describes."""
    wrong = []
    for name in names:
        stated = manifest["core"]["outputs"][name]["sha256"]
        path = folder / name
        sha256 = store.digest_file(path) if path.is_file() else "-"
        if sha256 != stated:
            wrong.append(_differs(folder, name, sha256, stated))
    return wrong


def _differs(folder: Path, file: str, found: str, stated: str) -> Problem:
    fields: dict[str, object] = {"folder": folder, "file": file}
    return Problem("E715", fields | {"found": found[:16], "stated": stated[:16]})
