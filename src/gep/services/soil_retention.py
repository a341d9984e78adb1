"""Soil retention by RUSLE: erosion of the bare slope minus erosion under what grows on it."""

from gep.ecosystems import Title
from gep.service import Derived, Example, Indicator, Service


def soil_retention(erosivity, erodibility, slope_factor, cover_factor, support_factor):
    """Soil kept in place in a year [t/(ha year)].

    Parameters
    ----------
    erosivity : float
        Rainfall erosivity, R [MJ mm/(ha h year)].
    erodibility : float
        Soil erodibility, K [t ha h/(ha MJ mm)].
    slope_factor : float
        Slope length and steepness, LS [1].
    cover_factor : float
        Cover and management, C [1].
    support_factor : float
        Support practice, P [1].

    Returns
    -------
    float
        R K LS (1 - C P) [t/(ha year)]; NaN if any input is NaN.

    Source
    ------
    RUSLE: HJ 1173-2021 A.2-A.13 as reported; potential less actual erosion as in 白玛卓嘎 2017
    (Garzé 2010), 2.4.2. Differs in nothing. See docs/methods.md#soil-retention.

    Examples
    --------
    >>> round(soil_retention(8000.0, 0.014, 3.0, 0.02, 1.0), 9)
    329.28
    """
    return erosivity * erodibility * slope_factor * (1.0 - cover_factor * support_factor)


SERVICE = Service(
    name="soil_retention",
    method="rusle",
    group="regulating",
    title=Title("Soil retention", "土壤保持"),
    seea="Soil and sediment retention services: soil erosion control",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#soil-retention",
    indicators=(
        Indicator(
            name="soil_retention",
            title=Title("Soil retained", "土壤保持量"),
            kernel=soil_retention,
            rasters={
                "erosivity": "MJ*mm/(ha*h*year)",
                "erodibility": "t*ha*h/(ha*MJ*mm)",
                "slope_factor": "1",
                "cover_factor": "1",
                "support_factor": "1",
            },
            ecosystems=("forest", "shrubland", "grassland", "cropland", "swamp", "urban_green"),
            gives="t/(ha*year)",
            quantity="t/year",
            quantum=1e-6,
            example=Example(
                inputs={
                    "erosivity": 8000.0,
                    "erodibility": 0.014,
                    "slope_factor": 3.0,
                    "cover_factor": 0.02,
                    "support_factor": 1.0,
                },
                gives=329.28,
            ),
            source=(
                "Q = sum of R K LS (1 - C P) A; RUSLE, HJ 1173-2021 A.2-A.13 as reported; "
                "docs/methods.md#soil-retention"
            ),
        ),
        Derived(
            name="sediment",
            title=Title("Less sediment in reservoirs and rivers", "减少泥沙淤积"),
            of="soil_retention",
            times={"deposition_share": "1"},
            per={"bulk_density": "t/m^3"},
            quantity="m^3/year",
            quantum=1e-6,
            price=("dredging_cost", "CNY/m^3"),
            source=(
                "lambda Q / rho; 白玛卓嘎 2017 (Garzé 2010), 2.4.2, equation 4; "
                "docs/methods.md#soil-retention"
            ),
        ),
        Derived(
            name="nitrogen",
            title=Title("Less nitrogen pollution", "减少氮面源污染"),
            of="soil_retention",
            times={"nitrogen_content": "1"},
            quantity="t/year",
            quantum=1e-9,
            price=("nitrogen_price", "CNY/t"),
            source=(
                "Q times the nitrogen content of soil; 白玛卓嘎 2017 (Garzé 2010), 2.4.2, "
                "equation 5; docs/methods.md#soil-retention"
            ),
        ),
        Derived(
            name="phosphorus",
            title=Title("Less phosphorus pollution", "减少磷面源污染"),
            of="soil_retention",
            times={"phosphorus_content": "1"},
            quantity="t/year",
            quantum=1e-9,
            price=("phosphorus_price", "CNY/t"),
            source=(
                "Q times the phosphorus content of soil; 白玛卓嘎 2017 (Garzé 2010), 2.4.2, "
                "equation 5; docs/methods.md#soil-retention"
            ),
        ),
    ),
)
