"""What `--json` gives: problems, steps, checks and runs as plain data."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gep.errors import Problem

if TYPE_CHECKING:
    from gep.engine import Report
    from gep.result import Result
    from gep.step import Step


def problems(found: Sequence[Problem]) -> list[dict[str, str]]:
    """Problems, each with its code, and its text and fix in both languages."""
    return [_problem(each) for each in found]


def _problem(found: Problem) -> dict[str, str]:
    data = {"code": found.code}
    for language in ("en", "zh"):
        data |= {language: found.text(language), f"fix_{language}": found.fix(language)}
    return data


def step(made: "Step") -> dict[str, Any]:
    """How one raster is made."""
    data = {"raster": made.name, "method": made.preparation.method, "file": str(made.path)}
    return data | {"from": list(made.made_from), "ready": made.ready, "memory": made.memory}


def report(found: "Report") -> dict[str, Any]:
    """What a check understood, what is wrong, and what is lacking."""
    from gep import amounts

    made = found.plan
    return {
        "ok": found.ok,
        "problems": problems(found.problems),
        "uncovered": problems([one.reason for one in made.uncovered] if made else []),
        "ecosystems": found.ecosystems,
        "layers": [
            {k: None if v != v else v for k, v in vars(layer).items()} for layer in found.layers
        ],
        "prepared": [step(each) for each in found.prepared],
        "tables": [asdict(seen) for seen in (made and amounts.tables(made)) or ()],
        "products": [asdict(one) for one in (made and amounts.products(made)) or ()],
    }


def run(result: "Result", folder: Path) -> dict[str, Any]:
    """What a program wants to know of a run that was written to *folder*."""
    return {
        "folder": str(folder),
        "root": result.manifest["root"],
        "counties": json.loads(result.counties.to_json(orient="records", double_precision=10)),
        "identities": result.manifest["core"]["identities"],
        "uncovered": result.manifest["core"]["uncovered"],
        "problems": problems(result.problems),
    }
