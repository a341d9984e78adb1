"""Other choices that could have been made: what the total depends on, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cache
from typing import Any

from gep.ecosystems import Title
from gep.profile import Choice, Profile
from gep.shipped import folder, read_toml


@dataclass(frozen=True)
class Variant:
    """One other choice: what it changes, and the services whose money is compared.

    `times` multiplies the quantities of indicators, `without` leaves indicators out, `choices`
    replaces what the profile says of services.
    """

    name: str
    subject: Title
    title: Title
    services: tuple[str, ...]
    times: Mapping[str, Decimal] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    choices: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    def profile(self, used: Profile) -> Profile:
        """Profile with the choices of this variant."""
        changed = dict(used.choices)
        for service, said in self.choices.items():
            if service in changed:
                changed[service] = _changed(changed[service], said)
        return replace(used, choices=changed)

    def rasters(self) -> dict[str, str]:
        """Rasters it reads, each with the one it stands for."""
        said = [choice.get("rasters", {}) for choice in self.choices.values()]
        return {other: name for rasters in said for name, other in rasters.items()}


def _changed(choice: Choice, said: Mapping[str, Mapping[str, Any]]) -> Choice:
    merged = {key: {**getattr(choice, key), **new} for key, new in said.items()}
    if "parameters" in merged:
        merged["parameters"] = {name: Decimal(n) for name, n in merged["parameters"].items()}
    return replace(choice, **merged)  # type: ignore[arg-type]


@cache
def variants() -> tuple[Variant, ...]:
    """Every variant on file, in order."""
    subjects = read_toml(folder("coefficients") / "sensitivity.toml")
    return tuple(
        Variant(
            name=f"{key}.{name}",
            subject=Title(**subject["title"]),
            title=Title(**said["title"]),
            services=tuple(said["services"]),
            times=said.get("times", {}),
            without=tuple(said.get("without", ())),
            choices=said.get("choices", {}),
        )
        for key, subject in subjects.items()
        for name, said in subject["variants"].items()
    )
