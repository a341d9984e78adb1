"""Actual evapotranspiration: a satellite product, or worked out from rain and what air demands."""

import math

from gep.ecosystems import Title
from gep.preparation import Preparation
from gep.service import Example


def product_filled_towns(
    evapotranspiration_product,
    reference_evapotranspiration,
    precipitation,
    gap_coefficient,
    built,
    impervious_share,
    impervious_coefficient,
    pervious_coefficient,
):
    """Actual evapotranspiration of a product, its gaps over open water and towns filled [mm/year].

    Parameters
    ----------
    evapotranspiration_product : float
        Evapotranspiration of the product, NaN where it has none [mm/year].
    reference_evapotranspiration, precipitation : float
        Reference evapotranspiration, ET0; precipitation, P [mm/year].
    gap_coefficient : float
        Evaporation in a gap per ET0; 0 in towns and where a gap stays a gap [1].
    built : float
        1 in towns [1].
    impervious_share : float
        Share of the ground of a town that is sealed, f; matters in towns alone [1].
    impervious_coefficient, pervious_coefficient : float
        0.1 and 0.6 of Kc = 0.1 f + 0.6 (1 - f) [1].

    Returns
    -------
    float
        The product; in a gap ET0 times the coefficient, in towns min(Kc ET0, P) [mm/year]; NaN if
        the product is NaN and neither fills it, or if any other input is NaN.

    Source
    ------
    As `product_filled`; InVEST user's guide, Kc of built areas (Data Sources), and Kc ET0 as far as
    it rains (Annual Water Yield). Differs in nothing. See docs/methods.md#evapotranspiration.

    Examples
    --------
    >>> town = (0.0, 1.0, 0.8, 0.1, 0.6)
    >>> [round(product_filled_towns(math.nan, 1000.0, p, *town), 6) for p in (1600.0, 150.0)]
    [200.0, 150.0]
    >>> product_filled_towns(math.nan, 1000.0, 1600.0, 0.0, 0.0, 0.8, 0.1, 0.6)
    nan
    """
    sealed = impervious_share if built > 0.0 else built * 0.0
    demand = sealed * impervious_coefficient + (1.0 - sealed) * pervious_coefficient
    demand = demand * reference_evapotranspiration
    limited = demand - max(demand - precipitation, 0.0)
    evaporation = reference_evapotranspiration * gap_coefficient + limited * built
    filled = evaporation if evaporation > 0.0 else math.nan
    given = evapotranspiration_product == evapotranspiration_product
    known = evapotranspiration_product + evaporation * 0.0
    return known if given else filled


def product_filled(evapotranspiration_product, reference_evapotranspiration, gap_coefficient):
    """Actual evapotranspiration of a product, its gaps over open water filled [mm/year].

    Parameters
    ----------
    evapotranspiration_product : float
        Evapotranspiration of the product, NaN where it has none [mm/year].
    reference_evapotranspiration : float
        Reference evapotranspiration, ET0 [mm/year].
    gap_coefficient : float
        Evaporation in a gap per ET0; where it is 0 a gap stays a gap [1].

    Returns
    -------
    float
        The product, or ET0 times the coefficient in a gap [mm/year]; NaN if the product is NaN and
        the coefficient 0, or if any other input is NaN.

    Source
    ------
    FAO 56, table 12, for the coefficient of open water. See docs/methods.md#evapotranspiration.

    Examples
    --------
    >>> product_filled(750.0, 1000.0, 0.0), product_filled(math.nan, 1000.0, 1.05)
    (750.0, 1050.0)
    """
    evaporation = reference_evapotranspiration * gap_coefficient
    filled = evaporation if evaporation > 0.0 else math.nan
    given = evapotranspiration_product == evapotranspiration_product
    known = evapotranspiration_product + evaporation * 0.0
    return known if given else filled


def product(evapotranspiration_product):
    """Actual evapotranspiration of a product as it is, gaps and all [mm/year].

    Parameters
    ----------
    evapotranspiration_product : float
        Evapotranspiration of the product [mm/year].

    Returns
    -------
    float
        The same [mm/year]; NaN if it is NaN.

    Source
    ------
    The product. Differs in nothing.

    Examples
    --------
    >>> product(750.0)
    750.0
    """
    return evapotranspiration_product


def budyko_fu(
    precipitation,
    reference_evapotranspiration,
    available_water,
    crop_coefficient,
    vegetated,
    seasonality,
    fu_intercept,
    fu_limit,
):
    """Actual evapotranspiration by the curve of Fu as in InVEST Annual Water Yield [mm/year].

    Parameters
    ----------
    precipitation : float
        Precipitation, P [mm/year].
    reference_evapotranspiration : float
        Reference evapotranspiration, ET0 [mm/year].
    available_water : float
        Water the soil holds for plants, AWC [mm].
    crop_coefficient : float
        Evapotranspiration of the plants per ET0, Kc [1].
    vegetated : float
        1 where the curve holds, 0 where Kc ET0 evaporates as far as it rains [1].
    seasonality : float
        Z [1/year].
    fu_intercept, fu_limit : float
        1.25 and 5 of w = Z AWC / P + 1.25, at most 5 [1].

    Returns
    -------
    float
        P (1 + d - (1 + d^w)^(1/w)), d = Kc ET0 / P, or min(Kc ET0, P) [mm/year]; 0 without rain;
        NaN if any input is NaN.

    Source
    ------
    InVEST user's guide, Annual Water Yield; Fu 1981, Zhang 2004, Donohue 2012. Differs in nothing.
    See docs/methods.md#evapotranspiration.

    Examples
    --------
    >>> round(budyko_fu(1638.0, 1100.0, 150.0, 1.0, 1.0, 9.0, 1.25, 5.0), 1)
    786.6
    """
    demand = crop_coefficient * reference_evapotranspiration
    rain = precipitation if precipitation > 0.0 else math.inf * (1.0 + precipitation * 0.0)
    dryness = max(demand / rain, 0.0)
    shape = seasonality * available_water / rain + fu_intercept
    shape = shape - max(shape - fu_limit, 0.0)
    share = 1.0 + dryness - (1.0 + dryness**shape) ** (1.0 / shape)
    share = share - max(share - dryness, 0.0)
    limited = demand - max(demand - precipitation, 0.0)
    return precipitation * share * vegetated + limited * (1.0 - vegetated)


def zhang(precipitation, reference_evapotranspiration, plant_available_water):
    """Actual evapotranspiration of a catchment by its vegetation [mm/year].

    Parameters
    ----------
    precipitation : float
        Precipitation, P [mm/year].
    reference_evapotranspiration : float
        Reference in the place of potential evapotranspiration, E0 [mm/year].
    plant_available_water : float
        Plant-available water coefficient, w [1].

    Returns
    -------
    float
        P (1 + w d) / (1 + w d + 1/d), d = E0 / P [mm/year]; NaN if any input is NaN or there is
        neither rain nor demand.

    Source
    ------
    Zhang, Dawes, Walker 2001. Differs in this: E0 is ET0, where they take Priestley and Taylor.
    See docs/methods.md#evapotranspiration.

    Examples
    --------
    >>> round(zhang(1000.0, 1410.0, 2.0), 1)
    843.4
    """
    wet = precipitation > 0.0 and reference_evapotranspiration > 0.0
    dryness = reference_evapotranspiration / precipitation if wet else math.nan
    weighed = 1.0 + plant_available_water * dryness
    return precipitation * weighed / (weighed + 1.0 / dryness)


def turc(precipitation, temperature, turc_constant, turc_intercept, turc_linear, turc_cubic):
    """Actual evapotranspiration of a basin over many years [mm/year].

    Parameters
    ----------
    precipitation : float
        Precipitation, P [mm/year].
    temperature : float
        Mean temperature of the year, T [degC].
    turc_constant, turc_intercept, turc_linear, turc_cubic : float
        0.9 [1]; 300 [mm/year], 25 [mm/(year degC)] and 0.05 [mm/(year degC^3)] of
        L = 300 + 25 T + 0.05 T^3 [mm/year].

    Returns
    -------
    float
        P / sqrt(0.9 + (P / L)^2) [mm/year], at most P; NaN if any input is NaN, or L not above 0
        (below some -10 degC).

    Source
    ------
    Turc 1954, remembered. Differs in this: never more than P. See
    docs/methods.md#evapotranspiration.

    Examples
    --------
    >>> round(turc(1638.0, 18.0, 0.9, 300.0, 25.0, 0.05), 1)
    891.9
    """
    demand = turc_intercept + turc_linear * temperature + turc_cubic * temperature**3
    limit = demand if demand > turc_intercept * 0.0 else math.nan
    loss = precipitation / math.sqrt(turc_constant + (precipitation / limit) ** 2)
    return loss if loss < precipitation or loss != loss else precipitation


PREPARATIONS = (
    Preparation(
        name="evapotranspiration",
        method="product_filled_towns",
        title=Title(
            "Evapotranspiration product, open water and towns filled",
            "蒸散发产品（水面与城镇补缺）",
        ),
        kernel=product_filled_towns,
        rasters={
            "evapotranspiration_product": "mm/year",
            "reference_evapotranspiration": "mm/year",
            "precipitation": "mm/year",
        },
        coefficients={
            "gap_coefficient": "1",
            "built": "1",
            "impervious_share": "1",
            "impervious_coefficient": "1",
            "pervious_coefficient": "1",
        },
        gives="mm/year",
        example=Example(
            inputs={
                "evapotranspiration_product": 750.0,
                "reference_evapotranspiration": 1000.0,
                "precipitation": 1600.0,
                "gap_coefficient": 0.0,
                "built": 1.0,
                "impervious_share": 0.8,
                "impervious_coefficient": 0.1,
                "pervious_coefficient": 0.6,
            },
            gives=750.0,
        ),
        source=(
            "as product_filled; in towns, where the product has none, min(Kc ET0, P), "
            "Kc = 0.1 f + 0.6 (1 - f); InVEST guide; docs/methods.md#evapotranspiration"
        ),
    ),
    Preparation(
        name="evapotranspiration",
        method="product_filled",
        title=Title("Evapotranspiration product, open water filled", "蒸散发产品（水面补缺）"),
        kernel=product_filled,
        rasters={
            "evapotranspiration_product": "mm/year",
            "reference_evapotranspiration": "mm/year",
        },
        coefficients={"gap_coefficient": "1"},
        gives="mm/year",
        example=Example(
            inputs={
                "evapotranspiration_product": 750.0,
                "reference_evapotranspiration": 1000.0,
                "gap_coefficient": 0.0,
            },
            gives=750.0,
        ),
        source=(
            "ET of the product; on open water, where it has none, 1.05 ET0 (FAO 56, table 12, as "
            "quoted in public code); docs/methods.md#evapotranspiration"
        ),
    ),
    Preparation(
        name="evapotranspiration",
        method="product",
        title=Title("Evapotranspiration product as it is", "蒸散发产品（不补缺）"),
        kernel=product,
        rasters={"evapotranspiration_product": "mm/year"},
        gives="mm/year",
        example=Example(inputs={"evapotranspiration_product": 750.0}, gives=750.0),
        source="ET of the product; docs/methods.md#evapotranspiration",
    ),
    Preparation(
        name="evapotranspiration",
        method="budyko_fu",
        title=Title("Evapotranspiration by the curve of Fu", "Budyko–Fu 法蒸散发量"),
        kernel=budyko_fu,
        rasters={
            "precipitation": "mm/year",
            "reference_evapotranspiration": "mm/year",
            "available_water": "mm",
            "crop_coefficient": "1",
        },
        coefficients={
            "vegetated": "1",
            "seasonality": "1/year",
            "fu_intercept": "1",
            "fu_limit": "1",
        },
        gives="mm/year",
        example=Example(
            inputs={
                "precipitation": 1638.0,
                "reference_evapotranspiration": 1100.0,
                "available_water": 150.0,
                "crop_coefficient": 1.0,
                "vegetated": 1.0,
                "seasonality": 9.0,
                "fu_intercept": 1.25,
                "fu_limit": 5.0,
            },
            gives=786.5767576587839,
        ),
        source=(
            "ET = P (1 + d - (1 + d^w)^(1/w)), d = Kc ET0 / P, w = Z AWC / P + 1.25; InVEST user's "
            "guide, Annual Water Yield; docs/methods.md#evapotranspiration"
        ),
    ),
    Preparation(
        name="evapotranspiration",
        method="zhang",
        title=Title("Evapotranspiration by Zhang", "Zhang 法蒸散发量"),
        kernel=zhang,
        rasters={"precipitation": "mm/year", "reference_evapotranspiration": "mm/year"},
        coefficients={"plant_available_water": "1"},
        gives="mm/year",
        example=Example(
            inputs={
                "precipitation": 1000.0,
                "reference_evapotranspiration": 1410.0,
                "plant_available_water": 2.0,
            },
            gives=843.4123578967148,
        ),
        source=(
            "ET = P (1 + w d) / (1 + w d + 1/d), d = E0 / P; Zhang, Dawes, Walker 2001; "
            "docs/methods.md#evapotranspiration"
        ),
    ),
    Preparation(
        name="evapotranspiration",
        method="turc",
        title=Title("Evapotranspiration by Turc", "Turc 法蒸散发量"),
        kernel=turc,
        rasters={"precipitation": "mm/year", "temperature": "degC"},
        coefficients={
            "turc_constant": "1",
            "turc_intercept": "mm/year",
            "turc_linear": "mm/(year*degC)",
            "turc_cubic": "mm/(year*degC^3)",
        },
        gives="mm/year",
        example=Example(
            inputs={
                "precipitation": 1638.0,
                "temperature": 18.0,
                "turc_constant": 0.9,
                "turc_intercept": 300.0,
                "turc_linear": 25.0,
                "turc_cubic": 0.05,
            },
            gives=891.8772589011282,
        ),
        source=(
            "ET = P / sqrt(0.9 + (P/L)^2), L = 300 + 25 T + 0.05 T^3; Turc 1954, remembered; "
            "docs/methods.md#evapotranspiration"
        ),
    ),
)
