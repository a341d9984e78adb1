"""Water retention by water balance: rain that neither runs off the surface nor evaporates."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def water_retention(precipitation, evapotranspiration, runoff_coefficient, clamp):
    """Depth of water retained in a year [mm/year].

    Parameters
    ----------
    precipitation : float
        Precipitation, P [mm/year].
    evapotranspiration : float
        Actual evapotranspiration, ET [mm/year].
    runoff_coefficient : float
        Share of precipitation that leaves as surface runoff, alpha [1].
    clamp : float
        0 keeps the sign of the balance, 1 sets negative balances to zero [1].

    Returns
    -------
    float
        P - P alpha - ET [mm/year], or max(P - P alpha - ET, 0); NaN if any input is NaN.

    Source
    ------
    Water balance: 白玛卓嘎 2017 (Garzé 2010), 2.4.1; HJ 1173-2021 A.1 as reported. Differs in
    nothing; a negative balance keeps its sign by default because the sources do not clamp.
    See docs/methods.md#water-retention.

    Examples
    --------
    >>> water_retention(1000.0, 500.0, 0.05, 0.0)
    450.0
    >>> water_retention(1000.0, 1200.0, 0.05, 0.0), water_retention(1000.0, 1200.0, 0.05, 1.0)
    (-250.0, 0.0)
    """
    balance = precipitation - precipitation * runoff_coefficient - evapotranspiration
    return balance * (1.0 - clamp) + max(balance, 0.0) * clamp


SERVICE = Service(
    name="water_retention",
    method="balance",
    group="regulating",
    title=Title("Water retention", "水源涵养"),
    seea="Water flow regulation services: baseline flow maintenance",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#water-retention",
    indicators=(
        Indicator(
            name="water_retention",
            title=Title("Water retained", "水源涵养量"),
            kernel=water_retention,
            rasters={"precipitation": "mm/year", "evapotranspiration": "mm/year"},
            coefficients={"runoff_coefficient": "1", "clamp": "1"},
            ecosystems=("forest", "shrubland", "grassland", "cropland"),
            gives="mm/year",
            quantity="m^3/year",
            quantum=1e-6,
            price=("reservoir_cost", "CNY/m^3"),
            example=Example(
                inputs={
                    "precipitation": 1000.0,
                    "evapotranspiration": 500.0,
                    "runoff_coefficient": 0.05,
                    "clamp": 0.0,
                },
                gives=450.0,
            ),
            source=(
                "Q = sum of (P - P alpha - ET) A; 白玛卓嘎 2017 (Garzé 2010), 2.4.1; "
                "HJ 1173-2021 A.1 as reported; docs/methods.md#water-retention"
            ),
        ),
    ),
)
