"""Negative oxygen ions of forests, from concentrations measured at stations."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def ions(ion_concentration, stand_height, ion_lifetime, year_length, forest_correction):
    """Negative ions a forest makes in a year [ion m/(cm^3 year)].

    Parameters
    ----------
    ion_concentration : float
        Negative ions in the air of the stand, Q [ion/cm^3].
    stand_height : float
        Height of the stand, H [m].
    ion_lifetime : float
        Time an ion lives, L [minute].
    year_length : float
        Minutes of a year [minute/year].
    forest_correction : float
        Correction of the forest's ecosystem services, F [1].

    Returns
    -------
    float
        Q H F per lifetime, over the year [ion m/(cm^3 year)]; NaN if any input is NaN.

    Source
    ------
    LY/T 1721-2008, remembered: 5.256e15 Q A H F / L with A in ha. Differs in nothing: the constant
    is 525 600 minutes, 10^4 m^2/ha and 10^6 cm^3/m^3. See docs/methods.md#negative-oxygen-ions.

    Examples
    --------
    >>> ions(2000.0, 10.0, 10.0, 525600.0, 1.0)
    1051200000.0
    """
    return ion_concentration * stand_height * forest_correction * year_length / ion_lifetime


def ions_above_floor(
    ion_concentration,
    stand_height,
    concentration_floor,
    ion_lifetime,
    year_length,
    forest_correction,
):
    """Negative ions above what people feel nothing of, made in a year [ion m/(cm^3 year)].

    As `ions`, of the concentration above `concentration_floor`; none where it is not above it.

    Source
    ------
    LY/T 1721-2008, remembered: 5.256e15 A H K (Q - 600) F / L, nothing where Q is 600 or less.
    Differs in nothing. See docs/methods.md#negative-oxygen-ions.

    Examples
    --------
    >>> ions_above_floor(2000.0, 10.0, 600.0, 10.0, 525600.0, 1.0)
    735840000.0
    >>> ions_above_floor(500.0, 10.0, 600.0, 10.0, 525600.0, 1.0)
    0.0
    """
    excess = max(ion_concentration - concentration_floor, 0.0)
    return excess * stand_height * forest_correction * year_length / ion_lifetime


SERVICE = Service(
    name="negative_oxygen_ions",
    method="monitoring",
    group="regulating",
    title=Title("Negative oxygen ions", "负氧离子"),
    seea="not in the reference list",
    source="LY/T 1721-2008, remembered; docs/methods.md#negative-oxygen-ions",
    indicators=(
        Indicator(
            name="ions",
            title=Title("Negative ions made", "负氧离子产生量"),
            kernel=ions,
            rasters={"ion_concentration": "ion/cm^3", "stand_height": "m"},
            coefficients={
                "ion_lifetime": "minute",
                "year_length": "minute/year",
                "forest_correction": "1",
            },
            ecosystems=("forest",),
            gives="ion*m/(cm^3*year)",
            quantity="ion/year",
            quantum=1e9,
            example=Example(
                inputs={
                    "ion_concentration": 2000.0,
                    "stand_height": 10.0,
                    "ion_lifetime": 10.0,
                    "year_length": 525600.0,
                    "forest_correction": 1.0,
                },
                gives=1.0512e9,
            ),
            source=(
                "G = 5.256e15 Q A H F / L; LY/T 1721-2008, remembered; "
                "docs/methods.md#negative-oxygen-ions"
            ),
        ),
        Indicator(
            name="ions_above_floor",
            title=Title("Negative ions above the floor", "超过阈值的负氧离子量"),
            kernel=ions_above_floor,
            rasters={"ion_concentration": "ion/cm^3", "stand_height": "m"},
            coefficients={
                "concentration_floor": "ion/cm^3",
                "ion_lifetime": "minute",
                "year_length": "minute/year",
                "forest_correction": "1",
            },
            ecosystems=("forest",),
            gives="ion*m/(cm^3*year)",
            quantity="ion/year",
            quantum=1e9,
            price=("ion_price", "CNY/ion"),
            example=Example(
                inputs={
                    "ion_concentration": 2000.0,
                    "stand_height": 10.0,
                    "concentration_floor": 600.0,
                    "ion_lifetime": 10.0,
                    "year_length": 525600.0,
                    "forest_correction": 1.0,
                },
                gives=7.3584e8,
            ),
            source=(
                "U = 5.256e15 A H K (Q - 600) F / L; LY/T 1721-2008, remembered; "
                "docs/methods.md#negative-oxygen-ions"
            ),
        ),
    ),
)
