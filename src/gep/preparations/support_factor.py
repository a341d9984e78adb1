"""Support practice factor P from slope and land use."""

from gep.ecosystems import Title
from gep.preparation import Preparation
from gep.service import Example


def by_slope(
    slope,
    first_level,
    second_level,
    third_level,
    fourth_level,
    fifth_level,
    sixth_level,
    first_limit,
    second_limit,
    third_limit,
    fourth_limit,
    fifth_limit,
):
    """Support practice factor of an ecosystem on a slope [1].

    Parameters
    ----------
    slope : float
        Slope of the ground, t [degree].
    first_level, second_level, third_level, fourth_level, fifth_level, sixth_level : float
        P of the ecosystem between the limits [1].
    first_limit, second_limit, third_limit, fourth_limit, fifth_limit : float
        5, 10, 15, 20, 25; a slope at a limit belongs above it [degree].

    Returns
    -------
    float
        The level of the slope [1]; NaN if any input is NaN.

    Source
    ------
    Chinese applications of RUSLE, remembered. Differs in nothing. See
    docs/methods.md#support-factor.

    Examples
    --------
    >>> upland, limits = (0.1, 0.221, 0.305, 0.575, 0.705, 0.8), (5.0, 10.0, 15.0, 20.0, 25.0)
    >>> by_slope(4.9, *upland, *limits), by_slope(5.0, *upland, *limits)
    (0.1, 0.221)
    """
    missing = 0.0 * (first_level + second_level + third_level + fourth_level + fifth_level)
    limits = first_limit + second_limit + third_limit + fourth_limit + fifth_limit
    missing += 0.0 * sixth_level + 0.0 * ((slope + limits) / fifth_limit)
    level = sixth_level
    if slope < first_limit:
        level = first_level
    elif slope < second_limit:
        level = second_level
    elif slope < third_limit:
        level = third_level
    elif slope < fourth_limit:
        level = fourth_level
    elif slope < fifth_limit:
        level = fifth_level
    return level + missing


LEVELS = ("first_level", "second_level", "third_level", "fourth_level", "fifth_level")
LIMITS = ("first_limit", "second_limit", "third_limit", "fourth_limit", "fifth_limit")
PREPARATIONS = (
    Preparation(
        name="support_factor",
        method="table",
        title=Title("P by land use and slope", "按土地利用与坡度的 P 因子"),
        kernel=by_slope,
        rasters={"slope": "degree"},
        coefficients={
            **dict.fromkeys((*LEVELS, "sixth_level"), "1"),
            **dict.fromkeys(LIMITS, "degree"),
        },
        gives="1",
        example=Example(
            inputs={
                "slope": 12.0,
                **dict(zip(LEVELS, (0.1, 0.221, 0.305, 0.575, 0.705), strict=True)),
                "sixth_level": 0.8,
                **dict(zip(LIMITS, (5.0, 10.0, 15.0, 20.0, 25.0), strict=True)),
            },
            gives=0.305,
        ),
        source="cropland by slope, remembered; 1 elsewhere; docs/methods.md#support-factor",
    ),
)
