"""Cover and management factor C from vegetation cover."""

import math

from gep.ecosystems import Title
from gep.preparation import Preparation
from gep.service import Example


def by_class(
    vegetation_cover,
    first_level,
    second_level,
    third_level,
    fourth_level,
    fifth_level,
    sixth_level,
    cover_logarithm,
    first_limit,
    second_limit,
    third_limit,
    fourth_limit,
    fifth_limit,
    least_cover,
):
    """Cover and management factor of an ecosystem under so much vegetation [1].

    Parameters
    ----------
    vegetation_cover : float
        Share of the ground covered by vegetation, f [1].
    first_level, second_level, third_level, fourth_level, fifth_level, sixth_level : float
        C of the ecosystem between the limits, c [1].
    cover_logarithm : float
        -0.595 on upland fields, 0 where the levels say it all, b [1].
    first_limit, second_limit, third_limit, fourth_limit, fifth_limit : float
        0.1, 0.3, 0.5, 0.7, 0.9; a cover at a limit belongs above it [1].
    least_cover : float
        0.05, f of the logarithm is at least this [1].

    Returns
    -------
    float
        c + b log10(max(f, least_cover)), within 0 and 1 [1]; NaN if any input is NaN.

    Source
    ------
    Table and formula of upland fields as coded in public (S21, S22, S23). Differs in this: levels
    and formula are one expression; the least cover is ours. See docs/methods.md#cover-factor.

    Examples
    --------
    >>> forest, limits = (0.1, 0.08, 0.06, 0.02, 0.004, 0.001), (0.1, 0.3, 0.5, 0.7, 0.9, 0.05)
    >>> by_class(0.3, *forest, 0.0, *limits)
    0.06
    >>> round(by_class(0.5, *[0.221] * 6, -0.595, *limits), 4)
    0.4001
    """
    missing = 0.0 * (first_level + second_level + third_level + fourth_level + fifth_level)
    missing += 0.0 * (first_limit + second_limit + third_limit + fourth_limit + fifth_limit)
    missing += 0.0 * (sixth_level + least_cover)
    level = sixth_level + missing
    if vegetation_cover < first_limit:
        level = first_level + missing
    elif vegetation_cover < second_limit:
        level = second_level + missing
    elif vegetation_cover < third_limit:
        level = third_level + missing
    elif vegetation_cover < fourth_limit:
        level = fourth_level + missing
    elif vegetation_cover < fifth_limit:
        level = fifth_level + missing
    cover = max(vegetation_cover, least_cover)
    factor = level + cover_logarithm * math.log10(cover)
    return min(max(factor, 0.0), 1.0)


def cai2000(vegetation_cover, cai_constant, cai_logarithm, cai_least, cai_most):
    """Cover and management factor by vegetation cover alone [1].

    Parameters
    ----------
    vegetation_cover : float
        Ground covered by vegetation, c [percent].
    cai_constant, cai_logarithm : float
        0.6508 and -0.3436 [1].
    cai_least, cai_most : float
        0.1, up to which C is 1, and 78.3, above which it is 0 [percent].

    Returns
    -------
    float
        0.6508 - 0.3436 log10 c, within 0 and 1 [1]; NaN if any input is NaN.

    Source
    ------
    蔡崇法 2000 as quoted in a public article and in public code (S23). Differs in nothing: the
    same for every ecosystem. See docs/methods.md#cover-factor.

    Examples
    --------
    >>> [round(cai2000(c, 0.6508, -0.3436, 0.1, 78.3), 5) for c in (0.0, 50.0, 80.0)]
    [1.0, 0.06703, 0.0]
    """
    bare = vegetation_cover <= cai_least
    full = vegetation_cover > cai_most
    cover = cai_least if bare else vegetation_cover
    curve = cai_constant + cai_logarithm * math.log10(cover if cover > 0.0 else cover * 0.0 + 1.0)
    missing = 0.0 * (curve + vegetation_cover + cai_least + cai_most)
    factor = 1.0 if bare else (0.0 if full else curve)
    return min(max(factor + missing, 0.0), 1.0)


LEVELS = ("first_level", "second_level", "third_level", "fourth_level", "fifth_level")
LIMITS = ("first_limit", "second_limit", "third_limit", "fourth_limit", "fifth_limit")
PREPARATIONS = (
    Preparation(
        name="cover_factor",
        method="table",
        title=Title("C by ecosystem and vegetation cover", "按生态系统类型与覆盖度的 C 因子"),
        kernel=by_class,
        rasters={"vegetation_cover": "1"},
        coefficients=dict.fromkeys(
            (*LEVELS, "sixth_level", "cover_logarithm", *LIMITS, "least_cover"), "1"
        ),
        gives="1",
        example=Example(
            inputs={
                "vegetation_cover": 0.5,
                **dict.fromkeys((*LEVELS, "sixth_level"), 0.221),
                "cover_logarithm": -0.595,
                **dict(zip(LIMITS, (0.1, 0.3, 0.5, 0.7, 0.9), strict=True)),
                "least_cover": 0.05,
            },
            gives=0.4001128474200688,
        ),
        source=(
            "table by class and cover, upland 0.221 - 0.595 log10 f; public code; "
            "docs/methods.md#cover-factor"
        ),
    ),
    Preparation(
        name="cover_factor",
        method="cai2000",
        title=Title("C by vegetation cover, Cai 2000", "蔡崇法 2000 的 C 因子"),
        kernel=cai2000,
        rasters={"vegetation_cover": "percent"},
        coefficients={
            "cai_constant": "1",
            "cai_logarithm": "1",
            "cai_least": "percent",
            "cai_most": "percent",
        },
        gives="1",
        example=Example(
            inputs={
                "vegetation_cover": 50.0,
                "cai_constant": 0.6508,
                "cai_logarithm": -0.3436,
                "cai_least": 0.1,
                "cai_most": 78.3,
            },
            gives=0.06703390651014396,
        ),
        source="0.6508 - 0.3436 log10 c; 蔡崇法 2000 as quoted; docs/methods.md#cover-factor",
    ),
)
