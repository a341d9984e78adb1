"""Where the data that travel with the package lie: inside the wheel, or beside `src/`."""

import tomllib
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from gep.errors import InputError, Problem
from gep.reasons import of_file

PACKAGE = Path(__file__).parent


@cache
def folder(name: str) -> Path:
    """Folder `coefficients` or `rasters` as it is shipped with this copy of the package."""
    inside = PACKAGE / "data" / name
    return inside if inside.is_dir() else PACKAGE.parents[1] / name


def read_toml(path: Path) -> dict[str, Any]:
    """TOML with decimal fractions kept as written (Decimal, not float).

    Raises
    ------
    InputError
        E001 not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8-sig"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        why, why_zh = of_file(error)
        fields = {"file": path.name, "why": why, "why_zh": why_zh}
        raise InputError(Problem("E001", fields)) from None
