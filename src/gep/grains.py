"""Limits of the grains of a texture: those of USDA, which the formulas of erodibility have."""

from collections.abc import Iterable, Mapping

from gep.config import PreparationSection
from gep.errors import Problem
from gep.layers import TEXTURE
from gep.preparation import Preparation
from gep.rasters import Layer

USDA = "usda"


def of_texture(preparation: Preparation) -> bool:
    """Tell whether a preparation takes sand, silt and clay."""
    return {*TEXTURE} <= preparation.rasters.keys()


def wrong_limits(
    name: str, section: PreparationSection, methods: Iterable[Preparation]
) -> list[Problem]:
    """E820 of limits no formula has, E803 where there is no texture at all."""
    if section.grain_limits is None:
        return []
    if not any(map(of_texture, methods)):
        fields = {"at": f"preparations.{name}", "name": "grain_limits"}
        return [Problem("E803", fields | {"known": "method, parameters, sets"})]
    if section.grain_limits == USDA:
        return []
    return [Problem("E820", {"name": name, "limits": section.grain_limits})]


def taken_for_granted(
    preparation: Preparation, section: PreparationSection, layers: Mapping[str, Layer]
) -> list[Problem]:
    """W803 where nobody says what limits the texture has: nothing in its values does."""
    if section.grain_limits is not None or not of_texture(preparation):
        return []
    files = ", ".join(layers[name].path.name for name in TEXTURE)
    return [Problem("W803", {"name": preparation.name, "files": files})]
