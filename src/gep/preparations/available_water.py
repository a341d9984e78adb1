"""Water the soil holds for plants, from how deep roots reach and what the soil keeps."""

from gep.ecosystems import Title
from gep.preparation import Preparation
from gep.service import Example


def root_zone(root_depth, soil_depth, available_water_share):
    """Water the root zone can hold for plants, AWC [mm].

    Parameters
    ----------
    root_depth : float
        Depth of the roots [mm].
    soil_depth : float
        Depth of the layer no root passes [mm].
    available_water_share : float
        Field capacity less wilting point, per volume of soil, PAWC [1].

    Returns
    -------
    float
        min(root depth, soil depth) PAWC [mm]; NaN if any input is NaN.

    Source
    ------
    InVEST user's guide, Annual Water Yield. Differs in nothing. See
    docs/methods.md#evapotranspiration.

    Examples
    --------
    >>> root_zone(1500.0, 1000.0, 0.15)
    150.0
    """
    depth = root_depth - max(root_depth - soil_depth, soil_depth * 0.0)
    return depth * available_water_share


PREPARATIONS = (
    Preparation(
        name="available_water",
        method="root_zone",
        title=Title("Available water of the root zone", "根区土壤有效含水量"),
        kernel=root_zone,
        rasters={"root_depth": "mm", "soil_depth": "mm", "available_water_share": "1"},
        gives="mm",
        example=Example(
            inputs={"root_depth": 1500.0, "soil_depth": 1000.0, "available_water_share": 0.15},
            gives=150.0,
        ),
        source=(
            "AWC = min(root depth, soil depth) PAWC; InVEST user's guide, Annual Water Yield; "
            "docs/methods.md#evapotranspiration"
        ),
    ),
)
