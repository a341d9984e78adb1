"""Problems a user can act on: a code, where, what was found, what is right, how to mend it."""

import re
import tomllib
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

MESSAGES = Path(__file__).with_name("messages.toml")
MEASURED = re.compile(r"([}0]) \{unit\}")
"""A number and its unit in a message."""
LABELS = {
    "en": {"E": "error", "W": "warning", "fix": "fix: "},
    "zh": {"E": "错误", "W": "提醒", "fix": "怎么改："},
}


@cache
def messages() -> dict[str, dict[str, str]]:
    """Every message by code: the texts `en`, `zh`, `fix_en`, `fix_zh` with named holes."""
    with MESSAGES.open("rb") as file:
        return tomllib.load(file)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong (E…) or deserves a look (W…), with the values its message names."""

    code: str
    fields: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """Say where, what was found and what is right, on one line."""
        said = messages()[self.code][language]
        if self.fields.get("unit") == "1":
            said = MEASURED.sub(r"\1", said)  # a number without dimension stands alone
        return said.format(**self.fields)

    def fix(self, language: str = "en") -> str:
        """Say how to mend it, on one line."""
        return messages()[self.code][f"fix_{language}"].format(**self.fields)

    def render(self, language: str = "en") -> str:
        """Message and fix as the terminal shows them."""
        labels = LABELS[language]
        head = f"{labels[self.code[0]]} {self.code}  {self.text(language)}"
        return f"{head}\n  {labels['fix']}{self.fix(language)}"

    @property
    def is_error(self) -> bool:
        """Tell whether the problem stops a run."""
        return self.code.startswith("E")


class GepError(ValueError):
    """Base of every error caused by what the engine was given, not by the engine."""

    exit_code = 3

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(problem.text() for problem in problems))
        self.problems = problems

    def __reduce__(self) -> tuple[type["GepError"], tuple[Problem, ...]]:
        """Type and problems: what travels between processes."""
        return type(self), self.problems


class InputError(GepError):
    """A file, a table, a coefficient or the configuration breaks its contract."""


class UnitError(GepError):
    """A quantity does not have the unit its place requires."""


class ServiceError(GepError):
    """A service declares something its kernel does not do."""


class IdentityError(GepError):
    """An accounting identity or the verification of an output failed."""

    exit_code = 5


class ResourceError(GepError):
    """Disk, memory or a permission is lacking."""

    exit_code = 6


class BusyError(GepError):
    """Another process is using the run folder."""

    exit_code = 7


class Interrupted(KeyboardInterrupt):
    """Somebody stopped a run that can go on."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(problem.text() for problem in problems))
        self.problems = problems


def stop_on(problems: Iterable[Problem]) -> None:
    """Raise InputError with all of them if any of *problems* is an error."""
    found = tuple(problem for problem in problems if problem.is_error)
    if found:
        raise InputError(*found)


@contextmanager
def gathering(problems: list[Problem]) -> Generator[None, None, None]:
    """Note the problems of an error instead of stopping at it."""
    try:
        yield
    except GepError as error:
        problems += error.problems
