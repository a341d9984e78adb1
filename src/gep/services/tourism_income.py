"""Tourism by income: the part of a county's tourism income that natural sites account for."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def visits(visitors):
    """Visits to natural sites in a year [visit/year]: as counted.

    >>> visits(3586800.0)
    3586800.0
    """
    return visitors


def income_of_nature(income, nature_share, income_factor):
    """Tourism income of a year that goes back to ecosystems [CNY/year].

    Parameters
    ----------
    income : float
        Tourism income of the county [CNY/year].
    nature_share : float
        Share of it that natural sites account for [1].
    income_factor : float
        Worth of tourism over its income [1].

    Returns
    -------
    float
        I s k [CNY/year]; NaN if any input is NaN.

    Source
    ------
    白玛卓嘎 2017 (Garzé 2010), table 3: three times the tourism income. Differs in this: the
    share of natural sites is asked for, and the factor is 1 unless another set is chosen. See
    docs/methods.md#tourism.

    Examples
    --------
    >>> income_of_nature(1.0e9, 0.25, 1.0)
    250000000.0
    """
    return income * nature_share * income_factor


SERVICE = Service(
    name="tourism",
    method="income",
    group="cultural",
    title=Title("Tourism and health", "旅游康养"),
    seea="Recreation-related services",
    source="白玛卓嘎 2017 (Garzé 2010), table 3; docs/methods.md#tourism",
    indicators=(
        Indicator(
            name="visits",
            title=Title("Visits to natural sites", "自然景点游客人次"),
            kernel=visits,
            table="tourism",
            columns={"visitors": "visit/year", "income": "CNY/year", "nature_share": "1"},
            coefficients={"income_factor": "1"},
            items=True,
            worth=income_of_nature,
            index="consumer_price",
            worth_example=Example(
                inputs={"income": 1.0e9, "nature_share": 0.25, "income_factor": 1.0},
                gives=2.5e8,
            ),
            ecosystems=(),
            gives="visit/year",
            quantity="visit/year",
            quantum=1e-3,
            example=Example(inputs={"visitors": 3586800.0}, gives=3586800.0),
            source="V = sum of I s k; 白玛卓嘎 2017 (Garzé 2010), table 3; docs/methods.md#tourism",
        ),
    ),
)
