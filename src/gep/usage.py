"""What is wrong with the words of a command line, said as any other problem is."""

import re
from typing import Any

from gep.errors import Problem
from gep.text import near


def problem(error: Any) -> Problem:
    """Problem behind a usage error of click, by the kind of the error.

    E021 an unknown option, E022 an unknown verb, E023 something is missing, E024 a word that
    cannot be meant.
    """
    kind, verb = type(error).__name__, _verb(error)
    if kind == "NoSuchOption":
        known = near(error.option_name, _options(error))
        return Problem("E021", {"verb": verb, "option": error.option_name, "known": known})
    verbs = getattr(getattr(error.ctx, "command", None), "commands", None)
    if verbs and (found := re.search(r"command '(.*)'", error.message)):
        return Problem("E022", {"word": found[1], "known": near(found[1], verbs)})
    if kind == "MissingParameter":
        return Problem("E023", {"verb": verb, "name": _name(error)})
    if kind == "BadOptionUsage":
        return Problem("E023", {"verb": verb, "name": f"{error.option_name} …"})
    name, why, why_zh = _refused(error)
    return Problem("E024", {"verb": verb, "name": name, "why": why, "why_zh": why_zh})


def _verb(error: Any) -> str:
    """Verb the words were said to; `gep` where there is none."""
    path = error.ctx.command_path.split() if error.ctx else []
    return " ".join(["gep", *path[1:]])


def _options(error: Any) -> list[str]:
    return [name for p in error.ctx.command.params for name in p.opts if name.startswith("--")]


def _name(error: Any) -> str:
    """Name of an option as it is written, of an argument as the usage shows it."""
    if error.param is None:
        return "-"
    option = error.param.param_type_name == "option"
    return str(error.param.opts[-1] if option else error.param.name.upper())


def _refused(error: Any) -> tuple[str, str, str]:
    """What cannot be meant, and why not, in English and Chinese."""
    if said := getattr(error, "said", None):
        name, why, why_zh = said
        return name, why, why_zh
    kind = getattr(getattr(error, "param", None), "type", None)
    if choices := getattr(kind, "choices", ()):
        listed = ", ".join(map(str, choices))
        return _name(error), f"one of {listed}", f"应为其中之一：{listed}"
    if kind is not None and hasattr(kind, "min"):
        bounds = kind.min, kind.max
        return (
            _name(error),
            "a whole number from {} to {}".format(*bounds),
            "应为 {} 至 {} 的整数".format(*bounds),
        )
    if found := re.search(r"extra arguments? \((.*)\)", error.message):
        return found[1], "more than is taken here", "多出的参数"
    if getattr(error, "param", None) is not None:
        return _name(error), error.message, error.message
    return error.message, "write it this way", "请这样写"
