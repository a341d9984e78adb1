"""Evapotranspiration of plants per reference evapotranspiration, from leaves."""

import math

from gep.ecosystems import Title
from gep.preparation import Preparation
from gep.service import Example


def leaf_area(leaf_area_index, full_leaf_area):
    """Annual crop coefficient of vegetation by its leaves, Kc [1].

    Parameters
    ----------
    leaf_area_index : float
        Green leaf area per area of ground, mean of the year, LAI [1].
    full_leaf_area : float
        LAI from which on Kc is 1 [1].

    Returns
    -------
    float
        LAI / 3, at most 1 [1]; NaN if any input is NaN.

    Source
    ------
    InVEST user's guide, Data Sources, after FAO 56, chapter 6. Differs in nothing. See
    docs/methods.md#evapotranspiration.

    Examples
    --------
    >>> leaf_area(1.5, 3.0), leaf_area(4.2, 3.0)
    (0.5, 1.0)
    """
    share = leaf_area_index / full_leaf_area if full_leaf_area > 0.0 else math.nan
    return share - max(share - 1.0, 0.0)


PREPARATIONS = (
    Preparation(
        name="crop_coefficient",
        method="leaf_area",
        title=Title("Crop coefficient by leaf area", "按叶面积指数估算作物系数"),
        kernel=leaf_area,
        rasters={"leaf_area_index": "1"},
        coefficients={"full_leaf_area": "1"},
        gives="1",
        example=Example(inputs={"leaf_area_index": 1.5, "full_leaf_area": 3.0}, gives=0.5),
        source=(
            "Kc = LAI / 3, at most 1; InVEST user's guide, Data Sources, after FAO 56; "
            "docs/methods.md#evapotranspiration"
        ),
    ),
)
