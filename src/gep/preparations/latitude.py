"""Latitude of every pixel, which radiation and the length of the day follow from."""

from gep.ecosystems import Title
from gep.preparation import Preparation


def of_the_grid(cell, latitude):
    """Latitude of the middle of every pixel [degree].

    Parameters
    ----------
    cell : pair of arrays
        Heights and widths of the pixels [m]; not used.
    latitude : array (rows, columns)
        Latitude [degree].

    Returns
    -------
    array (rows, columns)
        The latitude itself [degree].

    Source
    ------
    The grid of the account.

    Examples
    --------
    >>> of_the_grid(([30.0], [30.0]), [[28.0]])
    [[28.0]]
    """
    return latitude


PREPARATIONS = (
    Preparation(
        name="latitude",
        method="grid",
        title=Title("Latitude of the grid", "格网纬度"),
        kernel=of_the_grid,
        gives="degree",
        whole=True,
        memory=40,
        place=True,
        source="the grid of the account",
    ),
)
