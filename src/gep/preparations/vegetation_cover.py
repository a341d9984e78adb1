"""Share of the ground that vegetation covers, from NDVI."""

import math

from gep.ecosystems import Title
from gep.preparation import Preparation
from gep.service import Example


def dimidiate(ndvi, soil_ndvi, vegetation_ndvi):
    """Share of the ground covered by vegetation [1].

    Parameters
    ----------
    ndvi : float
        Normalised difference vegetation index of the pixel, I [1].
    soil_ndvi, vegetation_ndvi : float
        Index of bare soil and of full cover, I0 and I1 [1].

    Returns
    -------
    float
        (I - I0) / (I1 - I0), within 0 and 1 [1]; NaN if any input is NaN or I1 is not above I0.

    Source
    ------
    Dimidiate pixel model, as quoted from GB/T 38582-2020 (S19). Differs in this: I0 and I1 are
    given, the same every year. See docs/methods.md#vegetation-cover.

    Examples
    --------
    >>> dimidiate(0.5, 0.1, 0.9), dimidiate(0.95, 0.1, 0.9)
    (0.5, 1.0)
    """
    between = vegetation_ndvi - soil_ndvi
    scale = between if between > 0.0 else math.nan
    return min(max((ndvi - soil_ndvi) / scale, 0.0), 1.0)


PREPARATIONS = (
    Preparation(
        name="vegetation_cover",
        method="dimidiate",
        title=Title("Vegetation cover by the dimidiate pixel model", "像元二分法植被覆盖度"),
        kernel=dimidiate,
        rasters={"ndvi": "1"},
        coefficients={"soil_ndvi": "1", "vegetation_ndvi": "1"},
        rising=("soil_ndvi", "vegetation_ndvi"),
        gives="1",
        example=Example(
            inputs={"ndvi": 0.5, "soil_ndvi": 0.1, "vegetation_ndvi": 0.9},
            gives=0.5,
        ),
        source=(
            "(NDVI - soil) / (vegetation - soil) within 0 and 1; GB/T 38582-2020 as quoted; "
            "docs/methods.md#vegetation-cover"
        ),
    ),
)
