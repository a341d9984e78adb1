"""gep.toml → the definition of an account; everything that is wrong is reported at once."""

import difflib
import glob
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError

from gep.errors import InputError, Problem
from gep.reasons import of_file, of_value

Kind = Literal["density", "class", "extensive"]
ECOSYSTEM = "ecosystem"
"""Raster whose grid is that of the account."""
Year = Annotated[int, Field(ge=1900, le=2060)]
"""Year of data: those of an account, and older surveys."""


def _sha256(said: str) -> str:
    """Lower case of what may be a SHA-256; some programs write it in upper case."""
    if not re.fullmatch("[0-9A-Fa-f]{64}", said):
        raise PydanticCustomError("sha256", "no SHA-256")
    return said.lower()


Digest = Annotated[str, AfterValidator(_sha256)]
"""SHA-256 of a file that has to be that very one."""
BESIDE = (".cpg", ".dbf", ".prj", ".shx")
"""Files beside a shapefile that its polygons, codes and names follow from."""


class Section(BaseModel):
    """A table of gep.toml: frozen, and nothing in it that is not known."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class AccountSection(Section):
    """What is accounted, for which year, by which profile, at the prices of which years."""

    name: str
    year: Annotated[int, Field(ge=1990, le=2060)]
    profile: str = "jiangxi-2021"
    price_year: Annotated[int, Field(ge=1990, le=2060)] | None = None
    base_year: Annotated[int, Field(ge=1990, le=2060)] | None = None
    optional: list[str] = []
    without: list[str] = []
    previous: str | None = None


class CountiesSection(Section):
    """Where the polygons of the accounting units are, and their attributes."""

    file: str
    layer: str | None = None
    code: str = "code"
    name: str = "name"
    city_code: str | None = None
    city_name: str | None = None
    outline: str | None = None
    sha256: Digest | None = None


class RasterSection(Section):
    """One raster layer and how its stored numbers are to be read."""

    file: str
    band: Annotated[int, Field(ge=1)] = 1
    legend: str | None = None
    unit: str | None = None
    scale: float | int | None = None
    offset: float | int | None = None
    fill: list[float | int] = []
    valid: Annotated[list[float | int], Field(min_length=2, max_length=2)] | None = None
    kind: Kind = "density"
    resampling: Literal["nearest", "bilinear", "average", "conserved"] | None = None
    year: Year | None = None
    sha256: Digest | None = None


class ColumnSection(Section):
    """A column of a table under another name, or in a unit its header does not state."""

    column: str | None = None
    unit: str | None = None


class TableSection(Section):
    """One statistics table: a CSV, or a sheet of an xlsx workbook."""

    file: str
    sheet: str | None = None
    year: Year | None = None
    columns: dict[str, ColumnSection] = {}
    sha256: Digest | None = None

    @field_validator("columns", mode="before")
    @classmethod
    def _named(cls, said: Any) -> Any:
        """Columns given by the name they have in the file alone."""
        if not isinstance(said, dict):
            return said
        return {k: {"column": v} if isinstance(v, str) else v for k, v in said.items()}


class CoefficientsSection(Section):
    """Numbers that replace those shipped: a folder of TOML, or one CSV."""

    overrides: str


class PreparationSection(Section):
    """How one raster is prepared, where it is not given: method, own numbers, sets of numbers.

    `grain_limits` are those of the texture: USDA, ISSS (silt to 0.02 mm), or Katschinski.
    """

    method: str | None = None
    parameters: dict[str, float | int] = {}
    sets: dict[str, str] = {}
    grain_limits: Literal["usda", "isss", "katschinski"] | None = None


class OutputSection(Section):
    """Where the run folder and the prepared rasters go, and which maps a run holds."""

    folder: str = "output"
    maps: bool | Literal["all"] | list[str] = False
    prepared: str | None = None


class Definition(Section):
    """A whole gep.toml."""

    account: AccountSection
    counties: CountiesSection
    rasters: dict[str, RasterSection]
    statistics: dict[str, TableSection] = {}
    preparations: dict[str, PreparationSection] = {}
    coefficients: CoefficientsSection | None = None
    accept: dict[str, Annotated[str, Field(pattern=r"\S")]] = {}
    output: OutputSection = OutputSection()

    @property
    def price_year(self) -> int:
        """Year whose money the values are in: the account's own unless another is asked for."""
        return self.account.price_year or self.account.year


def read(path: Path) -> Definition:
    """Definition in the file *path*.

    Raises
    ------
    InputError
        E792 no such file, E001 not TOML, E002 an unknown key, E003 a value of the wrong kind.
    """
    if not path.is_file():
        raise InputError(Problem("E792", {"file": path}))
    try:
        raw = tomllib.loads(path.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        why, why_zh = of_file(error)
        fields = {"file": path.name, "why": why, "why_zh": why_zh}
        raise InputError(Problem("E001", fields)) from None
    return define(raw, path.name)


def define(raw: dict[str, Any], name: str) -> Definition:
    """Definition made of plain tables, such as a parsed gep.toml."""
    try:
        found = Definition.model_validate(raw)
        if slips := _slips(name, found):
            raise InputError(*slips)
        return found
    except ValidationError as error:
        raise InputError(*(_problem(name, detail) for detail in error.errors())) from None


def _slips(file: str, definition: Definition) -> list[Problem]:
    """E002 of the raster that is likely meant for the one no account can do without."""
    if ECOSYSTEM in definition.rasters:
        return []
    close = difflib.get_close_matches(ECOSYSTEM, definition.rasters, 1)
    return [
        Problem("E002", {"file": file, "key": f"rasters.{name}", "known": ECOSYSTEM})
        for name in close
    ]


MEANT = {
    "coefficients.overrides": (
        "the path of a TOML or CSV file of your own numbers, or of a folder of such",
        "即自有数值的 TOML 或 CSV 文件（或此类文件的文件夹）的路径",
    )
}
"""What a key wants, where the kind of its value alone does not tell."""


def _problem(file: str, detail: Any) -> Problem:
    """Turn one finding of pydantic into one of ours."""
    where = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        siblings = _siblings(detail["loc"][:-1])
        close = difflib.get_close_matches(str(detail["loc"][-1]), siblings, 1)
        known = close[0] if close else ", ".join(siblings)
        return Problem("E002", {"file": file, "key": where, "known": known})
    if detail["type"] == "missing":
        return Problem("E005", {"file": file, "key": where})
    value = repr(detail["input"])[:60]
    why, why_zh = of_value(detail)
    if where in MEANT:
        why, why_zh = f"{why}, {MEANT[where][0]}", f"{why_zh}，{MEANT[where][1]}"
    fields = {"file": file, "key": where, "value": value, "why": why, "why_zh": why_zh}
    return Problem("E003", fields)


def _siblings(location: tuple[Any, ...]) -> list[str]:
    """Keys that may stand at a place of gep.toml."""
    known: dict[str, type[Section]] = {
        "account": AccountSection,
        "counties": CountiesSection,
        "rasters": RasterSection,
        "preparations": PreparationSection,
        "coefficients": CoefficientsSection,
        "output": OutputSection,
        "statistics": ColumnSection if "columns" in location else TableSection,
    }
    section = known[location[0]] if location else Definition
    return list(section.model_fields)


def locate(folder: Path, name: str) -> Path:
    """Path of a file that a gep.toml in *folder* names, without detours."""
    return Path(os.path.normpath(folder / name))


def parts(path: Path) -> list[Path]:
    """Every file that is read with a file of polygons: itself, and those beside a shapefile."""
    if path.suffix.lower() != ".shp":
        return [path]
    beside = sorted(path.parent.glob(f"{glob.escape(path.stem)}.*"))
    return [path, *(file for file in beside if file.suffix.lower() in BESIDE)]
