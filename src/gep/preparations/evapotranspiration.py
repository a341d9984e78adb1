"""Actual evapotranspiration from rain and temperature, where no product of it is at hand."""

import math

from gep.ecosystems import Title
from gep.preparation import Preparation
from gep.service import Example


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
        P / sqrt(0.9 + (P / L)^2) [mm/year], at most P; NaN if any input is NaN.

    Source
    ------
    Turc 1954, remembered. Differs in this: never more than P.

    Examples
    --------
    >>> round(turc(1638.0, 18.0, 0.9, 300.0, 25.0, 0.05), 1)
    891.9
    """
    limit = turc_intercept + turc_linear * temperature + turc_cubic * temperature**3
    loss = precipitation / math.sqrt(turc_constant + (precipitation / limit) ** 2)
    return loss if loss < precipitation or loss != loss else precipitation


PREPARATIONS = (
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
        source="ET = P / sqrt(0.9 + (P/L)^2), L = 300 + 25 T + 0.05 T^3; Turc 1954, remembered",
    ),
)
