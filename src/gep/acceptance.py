"""Findings a user accepts with a written reason: they become warnings that carry it."""

from gep.config import Definition
from gep.errors import Problem, messages


def acceptable() -> set[str]:
    """Codes of findings a user may accept with a written reason."""
    warnings = {code for code in messages() if code.startswith("W") and code != "W010"}
    return {
        "E103",
        "E304",
        "E305",
        "E306",
        "E401",
        "E403",
        "E553",
        "E557",
        "E570",
        "E810",
        "E814",
        "E818",
        "E823",
    } | warnings


def _accepted(problem: Problem, definition: Definition) -> Problem:
    """Turn an accepted error into a warning that carries the reason."""
    reason = definition.accept.get(problem.code)
    if reason is None:
        return problem
    fields = {"code": problem.code, "reason": reason, "text": problem.text("en")}
    return Problem("W010", fields | {"text_zh": problem.text("zh")})


def accept(problems: list[Problem], definition: Definition) -> list[Problem]:
    """Return *problems* with those the definition accepts turned into warnings."""
    return [_accepted(problem, definition) for problem in problems]
