"""Air, vapour and sun of a day: what kernels of preparations share, compiled together with them.

Plain functions of floats that call nothing but `math` and one another, NaN in, NaN out. Equations
of FAO 56, docs/methods.md#reference-evapotranspiration; the numbers in them are arguments.
"""

import math


def psychrometric(
    elevation: float,
    sea_level_pressure: float,
    sea_level_temperature: float,
    lapse_rate: float,
    pressure_exponent: float,
    psychrometric_coefficient: float,
) -> float:
    """Psychrometric constant at a height above the sea [kPa/degC].

    >>> round(psychrometric(100.0, 101.3, 293.0, 0.0065, 5.26, 0.000665), 4)
    0.0666
    """
    ratio = (sea_level_temperature - lapse_rate * elevation) / sea_level_temperature
    thinner: float = max(ratio, 0.0) ** pressure_exponent
    return psychrometric_coefficient * sea_level_pressure * thinner


def saturation(temperature: float, saturation_slope: float, saturation_temperature: float) -> float:
    """Saturation vapour pressure per that at 0 degC [1].

    >>> round(0.6108 * saturation(20.0, 17.27, 237.3), 3)
    2.338
    """
    return math.exp(saturation_slope * temperature / (temperature + saturation_temperature))


def saturation_of_day(
    warmest: float,
    coldest: float,
    saturation_pressure: float,
    saturation_slope: float,
    saturation_temperature: float,
) -> float:
    """Mean of the saturation vapour pressures at maximum and minimum [kPa].

    >>> round(saturation_of_day(24.5, 15.0, 0.6108, 17.27, 237.3), 2)
    2.39
    """
    top = saturation(warmest, saturation_slope, saturation_temperature)
    low = saturation(coldest, saturation_slope, saturation_temperature)
    return saturation_pressure * (top + low) / 2.0


def saturation_rise(
    mean: float, saturation_pressure: float, saturation_slope: float, saturation_temperature: float
) -> float:
    """Slope of the saturation vapour pressure with temperature [kPa/degC].

    >>> round(saturation_rise(20.0, 0.6108, 17.27, 237.3), 3)
    0.145
    """
    middle = saturation(mean, saturation_slope, saturation_temperature)
    steep = saturation_slope * saturation_temperature * saturation_pressure * middle
    return steep / (mean + saturation_temperature) ** 2


def sun(
    day: float,
    latitude: float,
    orbit_days: float,
    distance_amplitude: float,
    declination_amplitude: float,
    declination_phase: float,
    solar_constant: float,
) -> tuple[float, float]:
    """Radiation outside the air [MJ/(m^2 day)], and the hour angle of sunset [rad].

    Day 0 is 1 January; FAO 56, example 8, is 3 September at 20 degrees south.

    >>> [round(x, 3) for x in sun(245, -20.0, 365.0, 0.033, 0.409, 1.39, 118.08)]
    [32.194, 1.527]
    """
    north = math.radians(latitude)
    angle = 2.0 * math.pi * (day + 1.0) / orbit_days
    tilt = declination_amplitude * math.sin(angle - declination_phase)
    closer = 1.0 + distance_amplitude * math.cos(angle)
    sunset = math.acos(max(min(-math.tan(north) * math.tan(tilt), 1.0), -1.0))
    height = sunset * math.sin(north) * math.sin(tilt)
    height = height + math.cos(north) * math.cos(tilt) * math.sin(sunset)
    return solar_constant * closer * height / math.pi, sunset


def through_clouds(
    outside: float, sunset: float, sunshine: float, angstrom_intercept: float, angstrom_slope: float
) -> float:
    """Radiation on the ground from bright sunshine as a share of the whole day [MJ/(m^2 day)].

    FAO 56, example 10: 7.1 of 10.9 hours.

    >>> round(through_clouds(25.1, 10.9 / 24 * math.pi, 7.1 / 24, 0.25, 0.5), 2)
    14.45
    """
    sunny = min(sunshine / max(sunset / math.pi, 1e-9), 1.0)
    return (angstrom_intercept + angstrom_slope * sunny) * outside


def net_radiation(
    radiation: float,
    outside: float,
    elevation: float,
    warmest: float,
    coldest: float,
    vapour: float,
    clear_sky_share: float,
    clear_sky_rise: float,
    overcast_share: float,
    albedo: float,
    stefan_boltzmann: float,
    absolute_zero: float,
    emissivity: float,
    emissivity_vapour: float,
    cloud_slope: float,
    cloud_offset: float,
) -> float:
    """Radiation kept short less that lost long [MJ/(m^2 day)].

    FAO 56, examples 11 and 12: 14.5 of radiation, 18.8 under a clear sky, 2.1 kPa; 11.1 kept,
    3.5 lost.

    >>> sky, ground = (0.75, 0.0, 0.3), (0.23, 4.903e-9, 273.16, 0.34, 0.14, 1.35, 0.35)
    >>> round(net_radiation(14.5, 25.1, 0.0, 25.1, 19.1, 2.1, *sky, *ground), 1)
    7.6
    """
    clear = max(outside * (clear_sky_share + clear_sky_rise * elevation), 1e-9)
    bright = min(radiation / clear, 1.0) - overcast_share
    bright = overcast_share + max(bright, 0.0)
    warm = ((warmest + absolute_zero) ** 4 + (coldest + absolute_zero) ** 4) / 2.0
    loss = stefan_boltzmann * warm * (emissivity - emissivity_vapour * math.sqrt(vapour))
    loss = loss * (cloud_slope * bright - cloud_offset)
    return (1.0 - albedo) * radiation - loss
