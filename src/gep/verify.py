"""A finished run held against itself: files against their hashes, tables against the identities."""

import json
from pathlib import Path
from typing import Any

from gep import store
from gep.errors import IdentityError, InputError, Problem
from gep.identities import of_tables
from gep.outputs import csv


def read(folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Return run.json and the rows of accounts.csv of a run folder, or the latest below it."""
    found = store.find(folder)
    manifest = _manifest(found)
    return manifest, csv.decode((found / "accounts.csv").read_bytes())


def _manifest(folder: Path) -> dict[str, Any]:
    """Return run.json of a run folder."""
    try:
        found: dict[str, Any] = json.loads((folder / store.MANIFEST).read_text("utf8"))
        found["core"], found["root"]
    except (ValueError, KeyError, TypeError) as error:
        raise IdentityError(Problem("E716", {"folder": folder, "why": error})) from None
    schema = found["core"].get("schema")
    if schema != store.SCHEMA:
        fields = {"folder": folder, "found": schema, "want": store.SCHEMA}
        raise InputError(Problem("E717", fields))
    return found


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
    root = store.digest(store.canonical(core))
    if root != manifest["root"]:
        raise IdentityError(_differs(found, store.MANIFEST, root, str(manifest["root"])))
    wrong = []
    for name, stated in core["outputs"].items():
        path = found / name
        sha256 = store.digest_file(path) if path.is_file() else "-"
        if sha256 != stated["sha256"]:
            wrong.append(_differs(found, name, sha256, stated["sha256"]))
    if wrong:
        raise IdentityError(*wrong)
    names = ("accounts.csv", "county_gep.csv", "extent.csv")
    identities = of_tables(*(csv.decode((found / name).read_bytes()) for name in names))
    for identity in identities:
        if not identity.holds:
            raise IdentityError(identity.problem())
    count = len(core["outputs"]) + 1
    files = {"name": "files", "en": f"{count} files as hashed", "zh": f"{count} 个文件与校验和一致"}
    held = [
        {"name": i.name, "en": f"{i.title.en} ({i.left})", "zh": f"{i.title.zh}({i.left})"}
        for i in identities
    ]
    return [files, *held]


def _differs(folder: Path, file: str, found: str, stated: str) -> Problem:
    fields: dict[str, object] = {"folder": folder, "file": file}
    return Problem("E715", fields | {"found": found[:16], "stated": stated[:16]})
