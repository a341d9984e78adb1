"""Soil erodibility K from texture and organic carbon."""

import math

from gep.ecosystems import Title
from gep.preparation import Preparation
from gep.service import Example


def epic_china(
    sand,
    silt,
    clay,
    organic_carbon,
    sand_base,
    sand_range,
    sand_rate,
    silt_exponent,
    carbon_reduction,
    carbon_offset,
    carbon_rate,
    scarcity_reduction,
    scarcity_offset,
    scarcity_rate,
    china_offset,
    china_slope,
    us_erodibility,
    soil,
):
    """Erodibility by EPIC, corrected for China [t ha h/(ha MJ mm)].

    Parameters
    ----------
    sand, silt, clay : float
        Texture by the limits of USDA: 0.05 to 2 mm, 0.002 to 0.05 mm, below 0.002 mm [percent].
    organic_carbon : float
        Organic carbon, not organic matter [percent].
    sand_base, sand_range, sand_rate : float
        0.2 [1], 0.3 [1] and 0.0256 [1/percent] of the term of sand.
    silt_exponent : float
        Exponent of silt over silt and clay [1].
    carbon_reduction, carbon_offset, carbon_rate : float
        0.25 [1], 3.72 [1] and 2.95 [1/percent] of the term of carbon.
    scarcity_reduction, scarcity_offset, scarcity_rate : float
        0.7, 5.51 and 22.9 of the term of soils that are nearly all sand [1].
    china_offset, china_slope : float
        0.01383 and 0.51575 of the correction [1].
    us_erodibility : float
        What one unit of EPIC, ton acre hour per hundred acre foot ton inch, is
        [t ha h/(ha MJ mm)].
    soil : float
        1 where the ecosystem has a soil, 0 where not [1].

    Returns
    -------
    float
        0.1317 (0.51575 K - 0.01383), K that of EPIC [t ha h/(ha MJ mm)], not below 0; NaN if any
        input is NaN, a share is not within 0 and 100, or there is neither silt nor clay.

    Source
    ------
    Williams 1990; correction 张科利 2007; both as coded in public (S21, S22). Differs in this: not
    below 0, and 0 where there is no soil. See docs/methods.md#erodibility.

    Examples
    --------
    >>> epic = (0.2, 0.3, 0.0256, 0.3, 0.25, 3.72, 2.95, 0.7, 5.51, 22.9)
    >>> round(epic_china(40.0, 30.0, 30.0, 1.5, *epic, 0.01383, 0.51575, 0.1317, 1.0), 5)
    0.0137
    """
    shares = 0.0 <= sand <= 100.0 and 0.0 <= silt <= 100.0 and 0.0 <= clay <= 100.0
    known = shares and silt + clay > 0.0 and organic_carbon >= 0.0
    other = 1.0 - sand / 100.0 if known else math.nan
    loose = sand * (1.0 - silt / 100.0) if known else math.nan
    coarse = sand_base + sand_range * math.exp(-sand_rate * loose)
    share = silt / (silt + clay) if known else math.nan
    logarithm = math.log(share) if share > 0.0 else -math.inf
    fine = math.exp(silt_exponent * logarithm) if known else math.nan
    carbon = organic_carbon if known else math.nan
    decay = math.exp(carbon_offset - carbon_rate * carbon)
    organic = 1.0 - carbon_reduction * carbon / (carbon + decay)
    scarcity = math.exp(scarcity_rate * other - scarcity_offset)
    bound = 1.0 - scarcity_reduction * other / (other + scarcity)
    corrected = china_slope * coarse * fine * organic * bound - china_offset
    return max(corrected, 0.0) * us_erodibility * soil


def epic(
    sand,
    silt,
    clay,
    organic_carbon,
    sand_base,
    sand_range,
    sand_rate,
    silt_exponent,
    carbon_reduction,
    carbon_offset,
    carbon_rate,
    scarcity_reduction,
    scarcity_offset,
    scarcity_rate,
    us_erodibility,
    soil,
):
    """Erodibility by EPIC as it is [t ha h/(ha MJ mm)].

    Parameters
    ----------
    sand, silt, clay : float
        Texture by the limits of USDA: 0.05 to 2 mm, 0.002 to 0.05 mm, below 0.002 mm [percent].
    organic_carbon : float
        Organic carbon, not organic matter [percent].
    sand_base, sand_range, sand_rate : float
        0.2 [1], 0.3 [1] and 0.0256 [1/percent] of the term of sand.
    silt_exponent : float
        Exponent of silt over silt and clay [1].
    carbon_reduction, carbon_offset, carbon_rate : float
        0.25 [1], 3.72 [1] and 2.95 [1/percent] of the term of carbon.
    scarcity_reduction, scarcity_offset, scarcity_rate : float
        0.7, 5.51 and 22.9 of the term of soils that are nearly all sand [1].
    us_erodibility : float
        What one unit of EPIC, ton acre hour per hundred acre foot ton inch, is
        [t ha h/(ha MJ mm)].
    soil : float
        1 where the ecosystem has a soil, 0 where not [1].

    Returns
    -------
    float
        0.1317 K, K that of EPIC [t ha h/(ha MJ mm)]; NaN if any input is NaN, a share is not within
        0 and 100, or there is neither silt nor clay.

    Source
    ------
    Williams 1990, as coded in public (S21, S22). Differs in this: 0 where there is no soil. See
    docs/methods.md#erodibility.

    Examples
    --------
    >>> numbers = (0.2, 0.3, 0.0256, 0.3, 0.25, 3.72, 2.95, 0.7, 5.51, 22.9, 0.1317)
    >>> round(epic(40.0, 40.0, 20.0, 1.5, *numbers, 1.0), 4)
    0.0343
    """
    shares = 0.0 <= sand <= 100.0 and 0.0 <= silt <= 100.0 and 0.0 <= clay <= 100.0
    known = shares and silt + clay > 0.0 and organic_carbon >= 0.0
    other = 1.0 - sand / 100.0 if known else math.nan
    loose = sand * (1.0 - silt / 100.0) if known else math.nan
    coarse = sand_base + sand_range * math.exp(-sand_rate * loose)
    share = silt / (silt + clay) if known else math.nan
    logarithm = math.log(share) if share > 0.0 else -math.inf
    fine = math.exp(silt_exponent * logarithm) if known else math.nan
    carbon = organic_carbon if known else math.nan
    decay = math.exp(carbon_offset - carbon_rate * carbon)
    organic = 1.0 - carbon_reduction * carbon / (carbon + decay)
    scarcity = math.exp(scarcity_rate * other - scarcity_offset)
    bound = 1.0 - scarcity_reduction * other / (other + scarcity)
    return coarse * fine * organic * bound * us_erodibility * soil


def mean_diameter(
    sand,
    silt,
    clay,
    sand_diameter,
    silt_diameter,
    clay_diameter,
    diameter_base,
    diameter_range,
    diameter_offset,
    diameter_width,
    soil,
):
    """Erodibility by the mean diameter of the grains, without carbon [t ha h/(ha MJ mm)].

    Parameters
    ----------
    sand, silt, clay : float
        Texture by the limits of USDA: 0.05 to 2 mm, 0.002 to 0.05 mm, below 0.002 mm [percent].
    sand_diameter, silt_diameter, clay_diameter : float
        Mean diameters of the three [mm].
    diameter_base, diameter_range : float
        0.0034 and 0.0405 [t ha h/(ha MJ mm)] of
        K = 0.0034 + 0.0405 exp(-((lg Dg + 1.659) / 0.7101)^2 / 2), Dg in mm.
    diameter_offset, diameter_width : float
        1.659 and 0.7101 [1].
    soil : float
        1 where the ecosystem has a soil, 0 where not [1].

    Returns
    -------
    float
        K [t ha h/(ha MJ mm)], with Dg the geometric mean of the diameters by share; NaN if any
        input is NaN, a share is not within 0 and 100, or the shares add up to 0.

    Source
    ------
    Renard et al. 1997, as in public code. Differs in this: the shares are scaled to add up to 1,
    and 0 where there is no soil. See docs/methods.md#erodibility.

    Examples
    --------
    >>> numbers = (1.025, 0.026, 0.001, 0.0034, 0.0405, 1.659, 0.7101)
    >>> round(mean_diameter(40.0, 30.0, 30.0, *numbers, 1.0), 4)
    0.0407
    """
    whole = sand + silt + clay
    shares = 0.0 <= sand <= 100.0 and 0.0 <= silt <= 100.0 and 0.0 <= clay <= 100.0
    known = shares and whole > 0.0
    logarithm = sand * math.log10(sand_diameter) + silt * math.log10(silt_diameter)
    logarithm += clay * math.log10(clay_diameter)
    mean = logarithm / whole if known else math.nan
    distance = (mean + diameter_offset) / diameter_width
    return (diameter_base + diameter_range * math.exp(-0.5 * distance * distance)) * soil


UNIT = "t*ha*h/(ha*MJ*mm)"
TEXTURE = {"sand": "percent", "silt": "percent", "clay": "percent"}
EPIC = {
    "sand_base": "1",
    "sand_range": "1",
    "sand_rate": "1/percent",
    "silt_exponent": "1",
    "carbon_reduction": "1",
    "carbon_offset": "1",
    "carbon_rate": "1/percent",
    "scarcity_reduction": "1",
    "scarcity_offset": "1",
    "scarcity_rate": "1",
}
NUMBERS = {
    "sand_base": 0.2,
    "sand_range": 0.3,
    "sand_rate": 0.0256,
    "silt_exponent": 0.3,
    "carbon_reduction": 0.25,
    "carbon_offset": 3.72,
    "carbon_rate": 2.95,
    "scarcity_reduction": 0.7,
    "scarcity_offset": 5.51,
    "scarcity_rate": 22.9,
}
LOAM = {"sand": 40.0, "silt": 30.0, "clay": 30.0, "organic_carbon": 1.5}

PREPARATIONS = (
    Preparation(
        name="erodibility",
        method="epic_china",
        title=Title("Erodibility by EPIC, corrected for China", "EPIC 土壤可蚀性（中国修正）"),
        kernel=epic_china,
        rasters=TEXTURE | {"organic_carbon": "percent"},
        coefficients=EPIC
        | {"china_offset": "1", "china_slope": "1", "us_erodibility": UNIT, "soil": "1"},
        gives=UNIT,
        example=Example(
            inputs=LOAM
            | NUMBERS
            | {"china_offset": 0.01383, "china_slope": 0.51575}
            | {"us_erodibility": 0.1317, "soil": 1.0},
            gives=0.01369852494374126,
        ),
        source="K = 0.1317 (0.51575 K_EPIC - 0.01383); Williams 1990, 张科利 2007, as in public "
        "code (S21, S22); docs/methods.md#erodibility",
    ),
    Preparation(
        name="erodibility",
        method="epic",
        title=Title("Erodibility by EPIC", "EPIC 土壤可蚀性"),
        kernel=epic,
        rasters=TEXTURE | {"organic_carbon": "percent"},
        coefficients=EPIC | {"us_erodibility": UNIT, "soil": "1"},
        gives=UNIT,
        example=Example(
            inputs=LOAM | NUMBERS | {"us_erodibility": 0.1317, "soil": 1.0},
            gives=0.03009197468490792,
        ),
        source="K = 0.1317 K_EPIC; Williams 1990, as in public code (S21, S22); "
        "docs/methods.md#erodibility",
    ),
    Preparation(
        name="erodibility",
        method="mean_diameter",
        title=Title("Erodibility by mean grain diameter", "几何平均粒径法土壤可蚀性"),
        kernel=mean_diameter,
        rasters=TEXTURE,
        coefficients={
            "sand_diameter": "mm",
            "silt_diameter": "mm",
            "clay_diameter": "mm",
            "diameter_base": UNIT,
            "diameter_range": UNIT,
            "diameter_offset": "1",
            "diameter_width": "1",
            "soil": "1",
        },
        gives=UNIT,
        example=Example(
            inputs={
                "sand": 50.0,
                "silt": 30.0,
                "clay": 20.0,
                "sand_diameter": 0.1,
                "silt_diameter": 0.1,
                "clay_diameter": 0.1,
                "diameter_base": 0.01,
                "diameter_range": 0.02,
                "diameter_offset": 1.0,
                "diameter_width": 0.7,
                "soil": 1.0,
            },
            gives=0.03,  # all grains of 0.1 mm, lg Dg = -1: the top of the bell
        ),
        source="K = 0.0034 + 0.0405 exp(-((lg Dg + 1.659)/0.7101)^2/2); Renard et al. 1997, as in "
        "public code; docs/methods.md#erodibility",
    ),
)
