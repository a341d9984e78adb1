"""Landscape premium by hedonic price: what homes and rooms fetch more near green and water."""

import math

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def homes_within_reach(area):
    """Floor area of homes within reach of green and water [m^2]: as counted.

    >>> homes_within_reach(120000.0)
    120000.0
    """
    return area


def housing_premium(area, price_difference, housing_lifetime):
    """Part of the premium of homes that falls to one year [CNY/year].

    Parameters
    ----------
    area : float
        Floor area within reach, A [m^2].
    price_difference : float
        What a square metre there sells for more, all else equal, from a hedonic regression,
        D [CNY/m^2].
    housing_lifetime : float
        Years over which the premium, paid once, is spread, L [year].

    Returns
    -------
    float
        A D / L [CNY/year]; NaN if any input is NaN.

    Source
    ------
    NDRC and NBS 2022, remembered. Differs in nothing known; no interest is reckoned. See
    docs/methods.md#landscape-premium.

    Examples
    --------
    >>> housing_premium(120000.0, 350.0, 70.0)
    600000.0
    """
    return area * price_difference / housing_lifetime


def nights_let(rooms, nights, longest_year):
    """Nights for which hotel rooms within reach are let in a year [room night/year].

    Parameters
    ----------
    rooms : float
        Rooms within reach, R [room].
    nights : float
        Nights of the year for which one of them is let, on average, n [night/year].
    longest_year : float
        Nights a year has at most [night/year].

    Returns
    -------
    float
        R n [room night/year]; NaN if any input is NaN, or if a room is let for more nights than
        there are: then the nights are those of all rooms together, and R would count twice.

    Examples
    --------
    >>> nights_let(80.0, 200.0, 366.0)
    16000.0
    >>> nights_let(80.0, 16000.0, 366.0)
    nan
    """
    return rooms * nights if nights <= longest_year else math.nan


def hotel_premium(rooms, nights, price_difference, longest_year):
    """What guests pay more for rooms within reach in a year [CNY/year].

    Parameters
    ----------
    rooms : float
        Rooms within reach, R [room].
    nights : float
        Nights of the year for which one of them is let, on average, n [night/year].
    price_difference : float
        What a night in a room costs more there, all else equal, D [CNY/(room night)].
    longest_year : float
        Nights a year has at most [night/year].

    Returns
    -------
    float
        R n D [CNY/year]; NaN as `nights_let`.

    Source
    ------
    NDRC and NBS 2022, remembered. Differs in nothing known. See
    docs/methods.md#landscape-premium.

    Examples
    --------
    >>> hotel_premium(80.0, 200.0, 40.0, 366.0)
    640000.0
    """
    return rooms * nights * price_difference if nights <= longest_year else math.nan


SERVICE = Service(
    name="landscape_premium",
    method="hedonic",
    group="cultural",
    title=Title("Landscape premium", "景观增值"),
    seea="Visual amenity services",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#landscape-premium",
    indicators=(
        Indicator(
            name="housing",
            title=Title("Homes within reach of green and water", "景观影响范围内住房面积"),
            kernel=homes_within_reach,
            table="housing",
            columns={"area": "m^2", "price_difference": "CNY/m^2"},
            coefficients={"housing_lifetime": "year"},
            items=True,
            worth=housing_premium,
            worth_example=Example(
                inputs={"area": 120000.0, "price_difference": 350.0, "housing_lifetime": 70.0},
                gives=600000.0,
            ),
            ecosystems=(),
            gives="m^2",
            quantity="m^2",
            quantum=1e-3,
            example=Example(inputs={"area": 120000.0}, gives=120000.0),
            source=(
                "V = sum of A D / L; NDRC and NBS 2022, remembered; "
                "docs/methods.md#landscape-premium"
            ),
        ),
        Indicator(
            name="hotels",
            title=Title("Nights let in hotels within reach", "景观影响范围内酒店间夜数"),
            kernel=nights_let,
            table="hotels",
            columns={
                "rooms": "room",
                "nights": "night/year",
                "price_difference": "CNY/(room*night)",
            },
            coefficients={"longest_year": "night/year"},
            items=True,
            worth=hotel_premium,
            index="consumer_price",
            worth_example=Example(
                inputs={
                    "rooms": 80.0,
                    "nights": 200.0,
                    "price_difference": 40.0,
                    "longest_year": 366.0,
                },
                gives=640000.0,
            ),
            ecosystems=(),
            gives="room*night/year",
            quantity="room*night/year",
            quantum=1e-3,
            example=Example(
                inputs={"rooms": 80.0, "nights": 200.0, "longest_year": 366.0}, gives=16000.0
            ),
            source=(
                "V = sum of R n D; NDRC and NBS 2022, remembered; docs/methods.md#landscape-premium"
            ),
        ),
    ),
)
