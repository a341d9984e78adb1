"""Slope from elevation."""

import numpy as np

from gep.ecosystems import Title
from gep.preparation import Preparation
from gep.terrain import gradient


def horn(elevation, cell):
    """Slope of the ground by the 3 x 3 pixels around each [degree].

    Parameters
    ----------
    elevation : array (rows, columns)
        Elevation, z [m].
    cell : pair of arrays
        Heights and widths of the pixels, by row or of each [m]; every grid has its true ones.

    Returns
    -------
    array (rows, columns)
        atan of the gradient [degree]; NaN where there is no elevation.

    Source
    ------
    Horn 1981, remembered; the weights are those of GDAL. Differs in this: where a neighbour is
    missing the plane is continued from the other side, so a border has slopes. See
    docs/methods.md#slope.

    Examples
    --------
    >>> rising = np.array([[0.0, 3.0, 6.0]] * 3)
    >>> horn(rising, (np.full(3, 30.0), np.full(3, 30.0))).round(4)[1]
    array([5.7106, 5.7106, 5.7106])
    """
    east, south = gradient(elevation, cell)
    return np.degrees(np.arctan(np.hypot(east, south)))


PREPARATIONS = (
    Preparation(
        name="slope",
        method="horn",
        title=Title("Slope by Horn", "Horn 法坡度"),
        kernel=horn,
        rasters={"elevation": "m"},
        gives="degree",
        whole=True,
        memory=160,
        source="atan of the weighted differences of the 3 x 3 pixels around; Horn 1981, remembered",
    ),
)
