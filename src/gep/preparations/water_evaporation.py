"""Evaporation from open water on the hot days of a year."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from gep.ecosystems import Title
from gep.preparation import Preparation, Series
from gep.weather import (
    net_radiation,
    psychrometric,
    saturation,
    saturation_of_day,
    saturation_rise,
    sun,
    through_clouds,
)

Numbers = tuple[float, ...]
"""Numbers of a kernel that go together, in its order."""


def evaporated(
    slope: float,
    net: float,
    gamma: float,
    wind: float,
    deficit: float,
    latent_heat: float,
    wind_function: float,
    wind_function_slope: float,
) -> float:
    """Evaporation from open water on a day by Penman [mm/day]."""
    drawn = wind_function * (1.0 + wind_function_slope * wind) * gamma * deficit
    return max((slope * net + drawn) / (slope + gamma) / latent_heat, 0.0)


def counted(lost: float, warmest: float, hot_threshold: float, daily_ceiling: float) -> float:
    """What counts of the evaporation of a day: nothing unless it is hot, at most the ceiling."""
    held = lost - max(lost - daily_ceiling, 0.0) + warmest * 0.0
    return held * (1.0 if warmest > hot_threshold else 0.0)


def sum_of_radiation(
    fall: float,
    series: tuple[Sequence[float], ...],
    here: Numbers,
    hot: Numbers,
    orbit: Numbers,
    sky: Numbers,
    clouds: Numbers,
    air: Numbers,
    steam: Numbers,
    water: Numbers,
) -> float:
    """Sum over the hot days from radiation and dew point, all temperatures lower by *fall*."""
    maximum, minimum, dew_point, wind_speed, radiation = series
    latitude, elevation, wind_share = here
    pressure, saturation_slope, saturation_temperature = steam
    gamma = psychrometric(elevation, *air)
    total = (wind_share + hot[0] + hot[1]) * 0.0
    for day in range(len(radiation)):
        warmest, coldest, dew = maximum[day] - fall, minimum[day] - fall, dew_point[day] - fall
        full = saturation_of_day(warmest, coldest, *steam)
        vapour = pressure * saturation(dew, saturation_slope, saturation_temperature)
        slope = saturation_rise((warmest + coldest) / 2.0, *steam)
        outside, _ = sun(day, latitude, *orbit)
        state = (radiation[day], outside, elevation, warmest, coldest, vapour)
        net = net_radiation(*state, *sky, *clouds)
        wind, deficit = wind_speed[day] * wind_share, max(full - vapour, 0.0)
        lost = evaporated(slope, net, gamma, wind, deficit, *water)
        total = total + counted(lost, warmest, *hot)
    return total


def sum_of_sunshine(
    fall: float,
    series: tuple[Sequence[float], ...],
    here: Numbers,
    hot: Numbers,
    orbit: Numbers,
    angstrom: Numbers,
    sky: Numbers,
    clouds: Numbers,
    air: Numbers,
    steam: Numbers,
    water: Numbers,
) -> float:
    """Sum over the hot days from hours of sun and humidity, all temperatures lower by *fall*."""
    maximum, minimum, humidity, wind_speed, sunshine = series
    latitude, elevation, wind_share = here
    gamma = psychrometric(elevation, *air)
    total = (wind_share + hot[0] + hot[1]) * 0.0
    for day in range(len(sunshine)):
        warmest, coldest = maximum[day] - fall, minimum[day] - fall
        full = saturation_of_day(warmest, coldest, *steam)
        vapour = max(full * humidity[day], 0.0)
        slope = saturation_rise((warmest + coldest) / 2.0, *steam)
        outside, sunset = sun(day, latitude, *orbit)
        radiation = through_clouds(outside, sunset, sunshine[day], *angstrom)
        state = (radiation, outside, elevation, warmest, coldest, vapour)
        net = net_radiation(*state, *sky, *clouds)
        wind, deficit = wind_speed[day] * wind_share, max(full - vapour, 0.0)
        lost = evaporated(slope, net, gamma, wind, deficit, *water)
        total = total + counted(lost, warmest, *hot)
    return total


def sum_of_hargreaves(
    fall: float,
    maximum: Sequence[float],
    minimum: Sequence[float],
    latitude: float,
    hot: Numbers,
    water_coefficient: float,
    orbit: Numbers,
    numbers: Numbers,
) -> float:
    """Sum over the hot days from temperature alone, which is lower by *fall*."""
    latent_heat, hargreaves_coefficient, hargreaves_offset = numbers
    total = (hargreaves_coefficient + hot[0] + hot[1]) * 0.0
    for day in range(len(maximum)):
        warmest, coldest = maximum[day] - fall, minimum[day] - fall
        apart = maximum[day] - minimum[day]
        spread = math.sqrt(apart) if apart >= 0.0 else math.nan
        outside, _ = sun(day, latitude, *orbit)
        warmth = (warmest + coldest) / 2.0 + hargreaves_offset
        lost = hargreaves_coefficient * warmth * spread * outside / latent_heat
        total = total + counted(max(lost * water_coefficient, 0.0), warmest, *hot)
    return total


def penman(
    latitude,
    elevation,
    daily_maximum_temperature,
    daily_minimum_temperature,
    daily_dew_point,
    daily_wind_speed,
    daily_radiation,
    hot_threshold,
    daily_ceiling,
    wind_share,
    orbit_days,
    distance_amplitude,
    declination_amplitude,
    declination_phase,
    solar_constant,
    clear_sky_share,
    clear_sky_rise,
    overcast_share,
    water_albedo,
    stefan_boltzmann,
    absolute_zero,
    emissivity,
    emissivity_vapour,
    cloud_slope,
    cloud_offset,
    sea_level_pressure,
    sea_level_temperature,
    lapse_rate,
    pressure_exponent,
    psychrometric_coefficient,
    saturation_pressure,
    saturation_slope,
    saturation_temperature,
    latent_heat,
    wind_function,
    wind_function_slope,
):
    """Evaporation from open water on hot days by Penman [mm/year].

    Parameters
    ----------
    latitude, elevation : float
        Latitude [degree], north positive; height above the sea [m].
    daily_maximum_temperature, daily_minimum_temperature, daily_dew_point : sequence of float
        Of the air at 2 m, from 1 January on [degC].
    daily_wind_speed : sequence of float
        Mean wind, as high as it is measured [m/s].
    daily_radiation : sequence of float
        Solar radiation on the ground, Rs [MJ/(m^2 day)].
    hot_threshold : float
        Maximum above which a day is hot [degC].
    daily_ceiling : float
        Most that is taken for a day [mm/day].
    wind_share : float
        Wind at 2 m per wind where it is measured [1].
    water_albedo : float
        Radiation thrown back by water [1].
    wind_function, wind_function_slope : float
        6.43 [MJ/(m^2 day kPa)] and 0.536 [s/m] of f(u) = 6.43 (1 + 0.536 u).
    orbit_days, distance_amplitude, declination_amplitude, declination_phase : float
        As reference evapotranspiration, and so all below.
    solar_constant, clear_sky_share, clear_sky_rise, overcast_share, stefan_boltzmann : float
        Radiation.
    absolute_zero : float
        Radiation.
    emissivity, emissivity_vapour, cloud_slope, cloud_offset : float
        Long waves.
    sea_level_pressure, sea_level_temperature, lapse_rate, pressure_exponent : float
        Pressure of the air.
    psychrometric_coefficient, saturation_pressure, saturation_slope, saturation_temperature : float
        Vapour.
    latent_heat : float
        Heat of vaporization [MJ/kg].

    Returns
    -------
    float
        Sum over the hot days of (D Rn + g f(u) (es - ea)) / (D + g) / 2.45, a day within 0 and the
        ceiling [mm/year]; NaN if any input is NaN.

    Source
    ------
    Penman 1948 as Shuttleworth 1993 writes it; radiation and vapour by FAO 56. Differs in this: the
    ceiling; water stores no heat. See docs/methods.md#water-evaporation.

    Examples
    --------
    >>> numbers = (1, 365, 0.033, 0.409, 1.39, 118.08, 0.75, 2e-5, 0.3, 0.08, 4.903e-9, 273.16)
    >>> numbers += (0.34, 0.14, 1.35, 0.35, 101.3, 293, 0.0065, 5.26, 0.665e-3, 0.6108, 17.27)
    >>> numbers += (237.3, 2.45, 6.43, 0.536)
    >>> year = [[26.1] * 150, [20.0] * 150, [18.0] * 150, [2.0] * 150, [15.0] * 150]
    >>> penman(28.7, 50.0, *year, 26.1, 6.0, *numbers)
    0.0
    >>> penman(28.7, 50.0, *year, 26.0, 3.0, *numbers)
    450.0
    """
    hot = (hot_threshold, daily_ceiling)
    angles = (orbit_days, distance_amplitude, declination_amplitude, declination_phase)
    orbit = (*angles, solar_constant)
    sky = (clear_sky_share, clear_sky_rise, overcast_share, water_albedo, stefan_boltzmann)
    clouds = (absolute_zero, emissivity, emissivity_vapour, cloud_slope, cloud_offset)
    thin = (sea_level_pressure, sea_level_temperature, lapse_rate, pressure_exponent)
    air = (*thin, psychrometric_coefficient)
    steam = (saturation_pressure, saturation_slope, saturation_temperature)
    water = (latent_heat, wind_function, wind_function_slope)
    here = (latitude, elevation, wind_share)
    temperatures = (daily_maximum_temperature, daily_minimum_temperature)
    series = (*temperatures, daily_dew_point, daily_wind_speed, daily_radiation)
    return sum_of_radiation(0.0, series, here, hot, orbit, sky, clouds, air, steam, water)


def penman_corrected(
    latitude,
    elevation,
    temperature_elevation,
    daily_maximum_temperature,
    daily_minimum_temperature,
    daily_dew_point,
    daily_wind_speed,
    daily_radiation,
    hot_threshold,
    daily_ceiling,
    temperature_lapse_rate,
    wind_share,
    orbit_days,
    distance_amplitude,
    declination_amplitude,
    declination_phase,
    solar_constant,
    clear_sky_share,
    clear_sky_rise,
    overcast_share,
    water_albedo,
    stefan_boltzmann,
    absolute_zero,
    emissivity,
    emissivity_vapour,
    cloud_slope,
    cloud_offset,
    sea_level_pressure,
    sea_level_temperature,
    lapse_rate,
    pressure_exponent,
    psychrometric_coefficient,
    saturation_pressure,
    saturation_slope,
    saturation_temperature,
    latent_heat,
    wind_function,
    wind_function_slope,
):
    """Evaporation from open water on hot days by Penman, at its height [mm/year].

    `elevation` of the water, `temperature_elevation` at which the temperatures hold, of the station
    or of the cell of their product [m]; `temperature_lapse_rate` [degC/m]; others as `penman`.

    Returns
    -------
    float
        As `penman`, all three temperatures lower by lapse rate x (elevation - temperature
        elevation) [mm/year]; NaN if any input is NaN.

    Source
    ------
    As `penman`. Differs in this: the correction of the height is ours; the dew point falls with
    the air, so that it stays as moist. See docs/methods.md#water-evaporation.

    Examples
    --------
    >>> numbers = (0.006, 1, 365, 0.033, 0.409, 1.39, 118.08, 0.75, 2e-5, 0.3, 0.08)
    >>> numbers += (4.903e-9, 273.16, 0.34, 0.14, 1.35, 0.35, 101.3, 293, 0.0065, 5.26)
    >>> numbers += (0.665e-3, 0.6108, 17.27, 237.3, 2.45, 6.43, 0.536)
    >>> year = [[x] * 150 for x in (28.9, 22.0, 20.0, 2.0, 15.0)]
    >>> [penman_corrected(28.7, z, 100.0, *year, 26.0, 3.0, *numbers) for z in (100.0, 600.0)]
    [450.0, 0.0]
    """
    hot = (hot_threshold, daily_ceiling)
    angles = (orbit_days, distance_amplitude, declination_amplitude, declination_phase)
    orbit = (*angles, solar_constant)
    sky = (clear_sky_share, clear_sky_rise, overcast_share, water_albedo, stefan_boltzmann)
    clouds = (absolute_zero, emissivity, emissivity_vapour, cloud_slope, cloud_offset)
    thin = (sea_level_pressure, sea_level_temperature, lapse_rate, pressure_exponent)
    air = (*thin, psychrometric_coefficient)
    steam = (saturation_pressure, saturation_slope, saturation_temperature)
    water = (latent_heat, wind_function, wind_function_slope)
    here = (latitude, elevation, wind_share)
    temperatures = (daily_maximum_temperature, daily_minimum_temperature)
    series = (*temperatures, daily_dew_point, daily_wind_speed, daily_radiation)
    fall = temperature_lapse_rate * (elevation - temperature_elevation)
    return sum_of_radiation(fall, series, here, hot, orbit, sky, clouds, air, steam, water)


def penman_sunshine(
    latitude,
    elevation,
    daily_maximum_temperature,
    daily_minimum_temperature,
    daily_relative_humidity,
    daily_wind_speed,
    daily_sunshine,
    hot_threshold,
    daily_ceiling,
    wind_share,
    orbit_days,
    distance_amplitude,
    declination_amplitude,
    declination_phase,
    solar_constant,
    clear_sky_share,
    clear_sky_rise,
    overcast_share,
    angstrom_intercept,
    angstrom_slope,
    water_albedo,
    stefan_boltzmann,
    absolute_zero,
    emissivity,
    emissivity_vapour,
    cloud_slope,
    cloud_offset,
    sea_level_pressure,
    sea_level_temperature,
    lapse_rate,
    pressure_exponent,
    psychrometric_coefficient,
    saturation_pressure,
    saturation_slope,
    saturation_temperature,
    latent_heat,
    wind_function,
    wind_function_slope,
):
    """Evaporation from open water on hot days by Penman, from hours of sun [mm/year].

    Parameters
    ----------
    latitude, elevation : float
        Latitude [degree], north positive; height above the sea [m].
    daily_maximum_temperature, daily_minimum_temperature : sequence of float
        Of the air at 2 m, from 1 January on [degC].
    daily_relative_humidity : sequence of float
        Mean of the day [1].
    daily_wind_speed : sequence of float
        Mean wind, as high as it is measured [m/s].
    daily_sunshine : sequence of float
        Bright sunshine as a share of the whole day, n / 24 h [1].
    angstrom_intercept, angstrom_slope : float
        0.25 and 0.50 of Rs = (0.25 + 0.50 n / N) Ra [1].
    hot_threshold, daily_ceiling, wind_share, water_albedo, wind_function : float
        As `penman`, and so all below.
    wind_function_slope, orbit_days, distance_amplitude, declination_amplitude : float
        Wind; orbit of the earth.
    declination_phase, solar_constant, clear_sky_share, clear_sky_rise, overcast_share : float
        Radiation.
    stefan_boltzmann, absolute_zero, emissivity, emissivity_vapour, cloud_slope : float
        Long waves.
    cloud_offset, sea_level_pressure, sea_level_temperature, lapse_rate, pressure_exponent : float
        Pressure of the air.
    psychrometric_coefficient, saturation_pressure, saturation_slope, saturation_temperature : float
        Vapour.
    latent_heat : float
        Heat of vaporization [MJ/kg].

    Returns
    -------
    float
        As `penman` [mm/year]; NaN if any input is NaN.

    Source
    ------
    As `penman`; FAO 56, equations 19 (humidity) and 34, 35 (sunshine). Differs as there. See
    docs/methods.md#water-evaporation.

    Examples
    --------
    >>> numbers = (1, 365, 0.033, 0.409, 1.39, 118.08, 0.75, 2e-5, 0.3, 0.25, 0.5, 0.08)
    >>> numbers += (4.903e-9, 273.16, 0.34, 0.14, 1.35, 0.35, 101.3, 293, 0.0065, 5.26)
    >>> numbers += (0.665e-3, 0.6108, 17.27, 237.3, 2.45, 6.43, 0.536)
    >>> year = [[26.1] * 150, [20.0] * 150, [0.8] * 150, [2.0] * 150, [0.3] * 150]
    >>> penman_sunshine(28.7, 50.0, *year, 26.1, 6.0, *numbers)
    0.0
    >>> penman_sunshine(28.7, 50.0, *year, 26.0, 1.0, *numbers)
    150.0
    """
    hot = (hot_threshold, daily_ceiling)
    angles = (orbit_days, distance_amplitude, declination_amplitude, declination_phase)
    orbit = (*angles, solar_constant)
    sky = (clear_sky_share, clear_sky_rise, overcast_share, water_albedo, stefan_boltzmann)
    clouds = (absolute_zero, emissivity, emissivity_vapour, cloud_slope, cloud_offset)
    thin = (sea_level_pressure, sea_level_temperature, lapse_rate, pressure_exponent)
    air = (*thin, psychrometric_coefficient)
    steam = (saturation_pressure, saturation_slope, saturation_temperature)
    water = (latent_heat, wind_function, wind_function_slope)
    here = (latitude, elevation, wind_share)
    temperatures = (daily_maximum_temperature, daily_minimum_temperature)
    series = (*temperatures, daily_relative_humidity, daily_wind_speed, daily_sunshine)
    angstrom = (angstrom_intercept, angstrom_slope)
    light = (orbit, angstrom, sky, clouds)
    return sum_of_sunshine(0.0, series, here, hot, *light, air, steam, water)


def penman_sunshine_corrected(
    latitude,
    elevation,
    temperature_elevation,
    daily_maximum_temperature,
    daily_minimum_temperature,
    daily_relative_humidity,
    daily_wind_speed,
    daily_sunshine,
    hot_threshold,
    daily_ceiling,
    temperature_lapse_rate,
    wind_share,
    orbit_days,
    distance_amplitude,
    declination_amplitude,
    declination_phase,
    solar_constant,
    clear_sky_share,
    clear_sky_rise,
    overcast_share,
    angstrom_intercept,
    angstrom_slope,
    water_albedo,
    stefan_boltzmann,
    absolute_zero,
    emissivity,
    emissivity_vapour,
    cloud_slope,
    cloud_offset,
    sea_level_pressure,
    sea_level_temperature,
    lapse_rate,
    pressure_exponent,
    psychrometric_coefficient,
    saturation_pressure,
    saturation_slope,
    saturation_temperature,
    latent_heat,
    wind_function,
    wind_function_slope,
):
    """Evaporation from open water on hot days by Penman, hours of sun, its height [mm/year].

    `elevation` of the water, `temperature_elevation` at which the temperatures hold, of the station
    or of the cell of their product [m]; `temperature_lapse_rate` [degC/m]; others as
    `penman_sunshine`.

    Returns
    -------
    float
        As `penman_sunshine`, both temperatures lower by lapse rate x (elevation - temperature
        elevation) [mm/year]; NaN if any input is NaN.

    Source
    ------
    As `penman_sunshine`. Differs in this: the correction of the height is ours. See
    docs/methods.md#water-evaporation.

    Examples
    --------
    >>> numbers = (0.006, 1, 365, 0.033, 0.409, 1.39, 118.08, 0.75, 2e-5, 0.3, 0.25, 0.5, 0.08)
    >>> numbers += (4.903e-9, 273.16, 0.34, 0.14, 1.35, 0.35, 101.3, 293, 0.0065, 5.26)
    >>> numbers += (0.665e-3, 0.6108, 17.27, 237.3, 2.45, 6.43, 0.536)
    >>> year = [[x] * 150 for x in (28.9, 22.0, 0.8, 2.0, 0.5)]
    >>> year += [26.0, 3.0, *numbers]
    >>> [penman_sunshine_corrected(28.7, z, 100.0, *year) for z in (100.0, 600.0)]
    [450.0, 0.0]
    """
    hot = (hot_threshold, daily_ceiling)
    angles = (orbit_days, distance_amplitude, declination_amplitude, declination_phase)
    orbit = (*angles, solar_constant)
    sky = (clear_sky_share, clear_sky_rise, overcast_share, water_albedo, stefan_boltzmann)
    clouds = (absolute_zero, emissivity, emissivity_vapour, cloud_slope, cloud_offset)
    thin = (sea_level_pressure, sea_level_temperature, lapse_rate, pressure_exponent)
    air = (*thin, psychrometric_coefficient)
    steam = (saturation_pressure, saturation_slope, saturation_temperature)
    water = (latent_heat, wind_function, wind_function_slope)
    here = (latitude, elevation, wind_share)
    temperatures = (daily_maximum_temperature, daily_minimum_temperature)
    series = (*temperatures, daily_relative_humidity, daily_wind_speed, daily_sunshine)
    angstrom = (angstrom_intercept, angstrom_slope)
    light = (orbit, angstrom, sky, clouds)
    fall = temperature_lapse_rate * (elevation - temperature_elevation)
    return sum_of_sunshine(fall, series, here, hot, *light, air, steam, water)


def reference(
    daily_maximum_temperature,
    daily_reference_evapotranspiration,
    hot_threshold,
    daily_ceiling,
    water_coefficient,
):
    """Evaporation from open water on hot days from reference evapotranspiration [mm/year].

    Parameters
    ----------
    daily_maximum_temperature : sequence of float
        Of the air at 2 m [degC].
    daily_reference_evapotranspiration : sequence of float
        ET0 of the same days [mm/day].
    hot_threshold : float
        Maximum above which a day is hot [degC].
    daily_ceiling : float
        Most that is taken for a day [mm/day].
    water_coefficient : float
        Evaporation of open water per ET0 [1].

    Returns
    -------
    float
        Sum over the hot days of 1.05 ET0, a day within 0 and the ceiling [mm/year]; NaN if any
        input is NaN.

    Source
    ------
    FAO 56, table 12, open water. Differs in this: the ceiling. See
    docs/methods.md#water-evaporation.

    Examples
    --------
    >>> reference([26.0, 26.1, 33.0], [4.0, 4.0, 9.0], 26.0, 6.0, 1.05)
    10.2
    """
    total = (hot_threshold + daily_ceiling) * 0.0
    for day in range(len(daily_maximum_temperature)):
        lost = max(daily_reference_evapotranspiration[day] * water_coefficient, 0.0)
        warmest = daily_maximum_temperature[day]
        total = total + counted(lost, warmest, hot_threshold, daily_ceiling)
    return total


def reference_corrected(
    elevation,
    temperature_elevation,
    daily_maximum_temperature,
    daily_reference_evapotranspiration,
    hot_threshold,
    daily_ceiling,
    temperature_lapse_rate,
    water_coefficient,
):
    """Evaporation from open water on the hot days at its height, from ET0 [mm/year].

    `elevation` of the water, `temperature_elevation` at which the temperatures hold, of the station
    or of the cell of their product [m]; `temperature_lapse_rate` [degC/m]; others as `reference`.

    Returns
    -------
    float
        As `reference`, the maximum of a day lower by lapse rate x (elevation - temperature
        elevation) [mm/year]; NaN if any input is NaN.

    Source
    ------
    As `reference`. Differs in this: the correction of the height is ours. See
    docs/methods.md#water-evaporation.

    Examples
    --------
    >>> series = [28.9, 29.0, 29.1], [4.0, 4.0, 4.0]
    >>> reference_corrected(600.0, 100.0, *series, 26.0, 6.0, 0.006, 1.05)
    4.2
    """
    fall = temperature_lapse_rate * (elevation - temperature_elevation)
    total = (hot_threshold + daily_ceiling) * 0.0
    for day in range(len(daily_maximum_temperature)):
        lost = max(daily_reference_evapotranspiration[day] * water_coefficient, 0.0)
        warmest = daily_maximum_temperature[day] - fall
        total = total + counted(lost, warmest, hot_threshold, daily_ceiling)
    return total


def hargreaves(
    latitude,
    daily_maximum_temperature,
    daily_minimum_temperature,
    hot_threshold,
    daily_ceiling,
    water_coefficient,
    orbit_days,
    distance_amplitude,
    declination_amplitude,
    declination_phase,
    solar_constant,
    latent_heat,
    hargreaves_coefficient,
    hargreaves_offset,
):
    """Evaporation from open water on hot days from temperature and latitude alone [mm/year].

    Parameters
    ----------
    latitude : float
        Latitude [degree], north positive.
    daily_maximum_temperature, daily_minimum_temperature : sequence of float
        Of the air at 2 m, from 1 January on [degC].
    hot_threshold : float
        Maximum above which a day is hot [degC].
    daily_ceiling : float
        Most that is taken for a day [mm/day].
    water_coefficient : float
        Evaporation of open water per ET0 [1].
    orbit_days, distance_amplitude, declination_amplitude, declination_phase, solar_constant : float
        As reference evapotranspiration.
    latent_heat : float
        Heat of vaporization [MJ/kg].
    hargreaves_coefficient, hargreaves_offset : float
        0.0023 [1/degC^1.5] and 17.8 [degC].

    Returns
    -------
    float
        Sum over the hot days of 1.05 ET0 by Hargreaves, a day within 0 and the ceiling [mm/year];
        NaN if any input is NaN or a day's maximum is below its minimum.

    Source
    ------
    FAO 56, equation 52 and table 12, open water. Differs in this: the ceiling. See
    docs/methods.md#water-evaporation.

    Examples
    --------
    FAO 56, example 20, 5.03 mm of reference evapotranspiration on day 196, times 1.05.

    >>> numbers = (365, 0.033, 0.409, 1.39, 118.08, 2.45, 0.0023, 17.8)
    >>> hot = [20.0] * 195 + [26.6], [14.8] * 196
    >>> round(hargreaves(45.72, *hot, 26.0, 6.0, 1.05, *numbers), 2)
    5.29
    """
    hot = (hot_threshold, daily_ceiling)
    angles = (orbit_days, distance_amplitude, declination_amplitude, declination_phase)
    orbit = (*angles, solar_constant)
    numbers = (latent_heat, hargreaves_coefficient, hargreaves_offset)
    temperatures = (daily_maximum_temperature, daily_minimum_temperature)
    return sum_of_hargreaves(0.0, *temperatures, latitude, hot, water_coefficient, orbit, numbers)


def hargreaves_corrected(
    latitude,
    elevation,
    temperature_elevation,
    daily_maximum_temperature,
    daily_minimum_temperature,
    hot_threshold,
    daily_ceiling,
    temperature_lapse_rate,
    water_coefficient,
    orbit_days,
    distance_amplitude,
    declination_amplitude,
    declination_phase,
    solar_constant,
    latent_heat,
    hargreaves_coefficient,
    hargreaves_offset,
):
    """Evaporation from open water on hot days by Hargreaves, at its height [mm/year].

    `elevation` of the water, `temperature_elevation` at which the temperatures hold, of the station
    or of the cell of their product [m]; `temperature_lapse_rate` [degC/m]; others as `hargreaves`.

    Returns
    -------
    float
        As `hargreaves`, both temperatures lower by lapse rate x (elevation - temperature
        elevation) [mm/year]; NaN if any input is NaN.

    Source
    ------
    As `hargreaves`. Differs in this: the correction of the height is ours. See
    docs/methods.md#water-evaporation.

    Examples
    --------
    >>> numbers = (365, 0.033, 0.409, 1.39, 118.08, 2.45, 0.0023, 17.8)
    >>> hot = [20.0] * 195 + [29.6], [17.8] * 196
    >>> round(hargreaves_corrected(45.72, 600.0, 100.0, *hot, 26.0, 6.0, 0.006, 1.05, *numbers), 2)
    5.29
    """
    hot = (hot_threshold, daily_ceiling)
    angles = (orbit_days, distance_amplitude, declination_amplitude, declination_phase)
    orbit = (*angles, solar_constant)
    numbers = (latent_heat, hargreaves_coefficient, hargreaves_offset)
    temperatures = (daily_maximum_temperature, daily_minimum_temperature)
    fall = temperature_lapse_rate * (elevation - temperature_elevation)
    return sum_of_hargreaves(fall, *temperatures, latitude, hot, water_coefficient, orbit, numbers)


ORBIT = {
    "orbit_days": "day",
    "distance_amplitude": "1",
    "declination_amplitude": "1",
    "declination_phase": "1",
    "solar_constant": "MJ/(m^2*day)",
}
SKY = {"clear_sky_share": "1", "clear_sky_rise": "1/m", "overcast_share": "1"}
SUNSHINE = {"angstrom_intercept": "1", "angstrom_slope": "1"}
LONG_WAVES = {
    "water_albedo": "1",
    "stefan_boltzmann": "MJ/(m^2*day*degC^4)",
    "absolute_zero": "degC",
    "emissivity": "1",
    "emissivity_vapour": "1/kPa^0.5",
    "cloud_slope": "1",
    "cloud_offset": "1",
}
AIR = {
    "sea_level_pressure": "kPa",
    "sea_level_temperature": "degC",
    "lapse_rate": "degC/m",
    "pressure_exponent": "1",
    "psychrometric_coefficient": "1/degC",
    "saturation_pressure": "kPa",
    "saturation_slope": "1",
    "saturation_temperature": "degC",
    "latent_heat": "MJ/kg",
}
WIND = {"wind_function": "MJ/(m^2*day*kPa)", "wind_function_slope": "s/m"}
HOT = {"hot_threshold": "degC", "daily_ceiling": "mm/day"}
HEIGHTS = {"elevation": "m", "temperature_elevation": "m"}
LAPSE = {"temperature_lapse_rate": "degC/m"}
MAXIMUM = {"daily_maximum_temperature": Series(unit="degC", step="day")}
MINIMUM = {"daily_minimum_temperature": Series(unit="degC", step="day")}


def corrected(one: Preparation, kernel: Callable[..., object], en: str, zh: str) -> Preparation:
    """Method of *one* with its temperatures corrected for the height of the water."""
    return replace(
        one,
        method=f"{one.method}_corrected",
        title=Title(en, zh),
        kernel=kernel,
        rasters=one.rasters | HEIGHTS,
        coefficients=HOT | LAPSE | one.coefficients,
        source=(
            f"as {one.method}, temperatures lower by 6 degC/km x (z - z0); "
            "docs/methods.md#water-evaporation"
        ),
    )


COOLER = (("daily_minimum_temperature", "daily_maximum_temperature"),)
DEW = ("daily_dew_point", "daily_maximum_temperature")
PENMAN = Preparation(
    name="water_evaporation",
    method="penman",
    title=Title("Evaporation of water on hot days by Penman", "Penman 法高温日水面蒸发量"),
    kernel=penman,
    rasters={"latitude": "degree", "elevation": "m"},
    series=MAXIMUM
    | MINIMUM
    | {
        "daily_dew_point": Series(unit="degC", step="day"),
        "daily_wind_speed": Series(unit="m/s", step="day"),
        "daily_radiation": Series(unit="MJ/(m^2*day)", step="day"),
    },
    ordered=(*COOLER, DEW),
    coefficients=HOT | {"wind_share": "1"} | ORBIT | SKY | LONG_WAVES | AIR | WIND,
    gives="mm/year",
    source=(
        "E = (D Rn + g 6.43 (1 + 0.536 u) (es - ea)) / (D + g) / 2.45, days above 26 degC, "
        "a day at most 6 mm; Penman 1948, Shuttleworth 1993; "
        "docs/methods.md#water-evaporation"
    ),
)
PENMAN_SUNSHINE = Preparation(
    name="water_evaporation",
    method="penman_sunshine",
    title=Title(
        "Evaporation of water on hot days by Penman (sunshine, humidity)",
        "Penman 法高温日水面蒸发量（日照、相对湿度）",
    ),
    kernel=penman_sunshine,
    rasters={"latitude": "degree", "elevation": "m"},
    series=MAXIMUM
    | MINIMUM
    | {
        "daily_relative_humidity": Series(unit="1", step="day"),
        "daily_wind_speed": Series(unit="m/s", step="day"),
        "daily_sunshine": Series(unit="1", step="day"),
    },
    ordered=COOLER,
    coefficients=HOT | {"wind_share": "1"} | ORBIT | SKY | SUNSHINE | LONG_WAVES | AIR | WIND,
    gives="mm/year",
    source=(
        "as penman, with Rs = (0.25 + 0.50 n/N) Ra and the vapour pressure from mean relative "
        "humidity; Penman 1948, Shuttleworth 1993, FAO 56; docs/methods.md#water-evaporation"
    ),
)
REFERENCE = Preparation(
    name="water_evaporation",
    method="reference",
    title=Title(
        "Evaporation of water on hot days by reference evapotranspiration",
        "参考蒸散发折算高温日水面蒸发量",
    ),
    kernel=reference,
    series=MAXIMUM | {"daily_reference_evapotranspiration": Series(unit="mm/day", step="day")},
    coefficients=HOT | {"water_coefficient": "1"},
    gives="mm/year",
    source=(
        "E = 1.05 ET0, sum of the days above 26 degC, a day at most 6 mm; FAO 56, table 12; "
        "docs/methods.md#water-evaporation"
    ),
)
HARGREAVES = Preparation(
    name="water_evaporation",
    method="hargreaves",
    title=Title("Evaporation of water on hot days by Hargreaves", "Hargreaves 法高温日水面蒸发量"),
    kernel=hargreaves,
    rasters={"latitude": "degree"},
    series=MAXIMUM | MINIMUM,
    ordered=COOLER,
    coefficients=HOT
    | {"water_coefficient": "1"}
    | ORBIT
    | {
        "latent_heat": "MJ/kg",
        "hargreaves_coefficient": "1/degC^1.5",
        "hargreaves_offset": "degC",
    },
    gives="mm/year",
    source=(
        "E = 1.05 ET0 by Hargreaves, days above 26 degC, a day at most 6 mm; FAO 56, "
        "equation 52, table 12; docs/methods.md#water-evaporation"
    ),
)
PREPARATIONS = (
    corrected(
        PENMAN,
        penman_corrected,
        "Evaporation of water on hot days by Penman, by elevation",
        "Penman 法高温日水面蒸发量（高程订正）",
    ),
    PENMAN,
    corrected(
        PENMAN_SUNSHINE,
        penman_sunshine_corrected,
        "Evaporation of water on hot days by Penman (sunshine, humidity), by elevation",
        "Penman 法高温日水面蒸发量（日照、相对湿度，高程订正）",
    ),
    PENMAN_SUNSHINE,
    corrected(
        REFERENCE,
        reference_corrected,
        "Evaporation of water on hot days by reference evapotranspiration, by elevation",
        "参考蒸散发折算高温日水面蒸发量（高程订正）",
    ),
    REFERENCE,
    corrected(
        HARGREAVES,
        hargreaves_corrected,
        "Evaporation of water on hot days by Hargreaves, by elevation",
        "Hargreaves 法高温日水面蒸发量（高程订正）",
    ),
    HARGREAVES,
)
