"""Pest control: land on which pests recede by themselves, at the cost of treating it."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def pest_control(controlled_share):
    """Share of the land on which pests recede untreated in a year [1/year]: that of its class.

    Parameters
    ----------
    controlled_share : float
        Share of an ecosystem on which pests recede without treatment in a year [1/year].

    Returns
    -------
    float
        The share itself [1/year]; NaN if it is NaN.

    Source
    ------
    白玛卓嘎 2017 (Garzé 2010), 2.4.9 and 3.2.9. Differs in this: there the area is that of natural
    forest and grassland, here a share of the class that is 1 unless replaced.

    Examples
    --------
    >>> pest_control(1.0)
    1.0
    """
    return controlled_share


SERVICE = Service(
    name="pest_control",
    method="area",
    group="regulating",
    title=Title("Pest control", "病虫害控制"),
    seea="Biological control services: pest control services",
    source="V = sum of A c; 白玛卓嘎 2017 (Garzé 2010), 2.4.9",
    indicators=(
        Indicator(
            name="pest_control",
            title=Title("Land on which pests recede untreated", "病虫害自愈面积"),
            kernel=pest_control,
            coefficients={"controlled_share": "1/year"},
            ecosystems=("forest", "grassland"),
            gives="1/year",
            quantity="ha/year",
            quantum=1e-6,
            price=("treatment_cost", "CNY/ha"),
            example=Example(inputs={"controlled_share": 1.0}, gives=1.0),
            source="Q = sum of A times the share; 白玛卓嘎 2017 (Garzé 2010), 2.4.9 and 3.2.9",
        ),
    ),
)
