"""Reference evapotranspiration (FAO 56): by Penman–Monteith, by Hargreaves, or as a sum."""

import math

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


def penman_monteith(
    latitude,
    elevation,
    daily_maximum_temperature,
    daily_minimum_temperature,
    daily_dew_point,
    daily_wind_speed,
    daily_radiation,
    wind_share,
    orbit_days,
    distance_amplitude,
    declination_amplitude,
    declination_phase,
    solar_constant,
    clear_sky_share,
    clear_sky_rise,
    overcast_share,
    albedo,
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
    aerodynamic_constant,
    aerodynamic_zero,
    wind_resistance,
):
    """Reference evapotranspiration from measured radiation and dew point, ET0 [mm/year].

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
    wind_share : float
        Wind at 2 m per wind where it is measured [1].
    orbit_days, distance_amplitude, declination_amplitude, declination_phase : float
        365 [day], 0.033 [1], 0.409 [1] and 1.39 [1] of dr = 1 + 0.033 cos(x) and
        declination = 0.409 sin(x - 1.39), x = 2 pi J / 365.
    solar_constant : float
        Gsc [MJ/(m^2 day)].
    clear_sky_share, clear_sky_rise, overcast_share : float
        0.75 [1] and 2e-5 [1/m] of Rso = (0.75 + 2e-5 z) Ra; 0.3 [1], the least Rs / Rso.
    albedo : float
        Radiation thrown back by the reference grass [1].
    stefan_boltzmann, absolute_zero : float
        sigma [MJ/(m^2 day degC^4)]; 273.16 [degC].
    emissivity, emissivity_vapour, cloud_slope, cloud_offset : float
        0.34 [1], 0.14 [1/kPa^0.5], 1.35 [1], 0.35 [1] of
        Rnl = sigma T^4 (0.34 - 0.14 sqrt(ea)) (1.35 Rs / Rso - 0.35).
    sea_level_pressure, sea_level_temperature, lapse_rate, pressure_exponent : float
        101.3 [kPa], 293 [degC], 0.0065 [degC/m], 5.26 [1] of the air pressure at z.
    psychrometric_coefficient : float
        gamma per air pressure [1/degC].
    saturation_pressure, saturation_slope, saturation_temperature : float
        0.6108 [kPa], 17.27 [1], 237.3 [degC] of e0 = 0.6108 exp(17.27 T / (T + 237.3)).
    latent_heat : float
        Heat of vaporization [MJ/kg].
    aerodynamic_constant, aerodynamic_zero, wind_resistance : float
        900 [kg degC s/(kJ day)], 273 [degC], 0.34 [s/m].

    Returns
    -------
    float
        Sum over the days of (0.408 D Rn + g 900 / (T + 273) u (es - ea)) / (D + g (1 + 0.34 u)),
        a day never below 0 [mm/year]; NaN if any input is NaN.

    Source
    ------
    FAO 56, equations 6 to 39. Differs in this: a day below 0 is 0, Rs / Rso within 0.3 and 1 as
    by ASCE 2005, no lack of vapour below 0. See docs/methods.md#reference-evapotranspiration.

    Examples
    --------
    FAO 56, example 18, day 187 (6 July): 3.9 mm. Here as the difference of two sums.

    >>> numbers = (1, 365, 0.033, 0.409, 1.39, 118.08, 0.75, 2e-5, 0.3, 0.23, 4.903e-9, 273.16)
    >>> numbers += (0.34, 0.14, 1.35, 0.35, 101.3, 293, 0.0065, 5.26, 0.665e-3, 0.6108, 17.27)
    >>> numbers += (237.3, 2.45, 900, 273, 0.34)
    >>> july = [[x] * 187 for x in (21.5, 12.3, 12.025, 2.078, 22.07)]
    >>> days = penman_monteith(50.8, 100.0, *july, *numbers)
    >>> before = penman_monteith(50.8, 100.0, *[x[:186] for x in july], *numbers)
    >>> round(days - before, 1)
    3.9
    """
    air = (sea_level_pressure, sea_level_temperature, lapse_rate, pressure_exponent)
    gamma = psychrometric(elevation, *air, psychrometric_coefficient)
    orbit = (orbit_days, distance_amplitude, declination_amplitude, declination_phase)
    sky = (clear_sky_share, clear_sky_rise, overcast_share, albedo, stefan_boltzmann)
    clouds = (absolute_zero, emissivity, emissivity_vapour, cloud_slope, cloud_offset)
    steam = (saturation_slope, saturation_temperature)
    total = wind_share * 0.0
    for day in range(len(daily_radiation)):
        warmest, coldest = daily_maximum_temperature[day], daily_minimum_temperature[day]
        mean, wind = (warmest + coldest) / 2.0, daily_wind_speed[day] * wind_share
        full = saturation_of_day(warmest, coldest, saturation_pressure, *steam)
        vapour = saturation_pressure * saturation(daily_dew_point[day], *steam)
        deficit = max(full - vapour, 0.0)
        slope = saturation_rise(mean, saturation_pressure, *steam)
        outside, _ = sun(day, latitude, *orbit, solar_constant)
        here = (daily_radiation[day], outside, elevation, warmest, coldest, vapour)
        net = net_radiation(*here, *sky, *clouds)
        drawn = gamma * aerodynamic_constant / (mean + aerodynamic_zero) * wind * deficit
        drawn = drawn + slope * net / latent_heat
        total = total + max(drawn / (slope + gamma * (1.0 + wind_resistance * wind)), 0.0)
    return total


def penman_monteith_sunshine(
    latitude,
    elevation,
    daily_maximum_temperature,
    daily_minimum_temperature,
    daily_relative_humidity,
    daily_wind_speed,
    daily_sunshine,
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
    albedo,
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
    aerodynamic_constant,
    aerodynamic_zero,
    wind_resistance,
):
    """Reference evapotranspiration from hours of sun and mean humidity, ET0 [mm/year].

    Parameters
    ----------
    daily_relative_humidity : sequence of float
        Mean of the day [1].
    daily_sunshine : sequence of float
        Bright sunshine as a share of the whole day, n / 24 h [1].
    angstrom_intercept, angstrom_slope : float
        0.25 and 0.50 of Rs = (0.25 + 0.50 n / N) Ra [1].
    latitude, elevation : float
        As `penman_monteith`, and so all below.
    daily_maximum_temperature, daily_minimum_temperature, daily_wind_speed : sequence of float
        Of the air [degC]; of the wind [m/s].
    wind_share, orbit_days, distance_amplitude, declination_amplitude, declination_phase : float
        Height of the wind; orbit of the earth.
    solar_constant, clear_sky_share, clear_sky_rise, overcast_share, albedo : float
        Radiation.
    stefan_boltzmann : float
        Radiation.
    absolute_zero, emissivity, emissivity_vapour, cloud_slope, cloud_offset : float
        Long waves.
    sea_level_pressure, sea_level_temperature, lapse_rate, pressure_exponent : float
        Pressure of the air.
    psychrometric_coefficient, saturation_pressure, saturation_slope, saturation_temperature : float
        Vapour.
    latent_heat, aerodynamic_constant, aerodynamic_zero, wind_resistance : float
        Evaporation.

    Returns
    -------
    float
        As `penman_monteith` [mm/year]; NaN if any input is NaN.

    Source
    ------
    FAO 56, as `penman_monteith`; equations 19 (humidity) and 34, 35 (sunshine). Differs as there.
    See docs/methods.md#reference-evapotranspiration.

    Examples
    --------
    >>> numbers = (0.748, 365, 0.033, 0.409, 1.39, 118.08, 0.75, 2e-5, 0.3, 0.25, 0.5, 0.23)
    >>> numbers += (4.903e-9, 273.16, 0.34, 0.14, 1.35, 0.35, 101.3, 293, 0.0065, 5.26)
    >>> numbers += (0.665e-3, 0.6108, 17.27, 237.3, 2.45, 900, 273, 0.34)
    >>> year = [[x] * 365 for x in (22.0, 14.0, 0.78, 2.2, 4.6 / 24)]
    >>> round(penman_monteith_sunshine(28.7, 50.0, *year, *numbers))
    928
    """
    air = (sea_level_pressure, sea_level_temperature, lapse_rate, pressure_exponent)
    gamma = psychrometric(elevation, *air, psychrometric_coefficient)
    orbit = (orbit_days, distance_amplitude, declination_amplitude, declination_phase)
    sky = (clear_sky_share, clear_sky_rise, overcast_share, albedo, stefan_boltzmann)
    clouds = (absolute_zero, emissivity, emissivity_vapour, cloud_slope, cloud_offset)
    steam = (saturation_slope, saturation_temperature)
    total = wind_share * 0.0
    for day in range(len(daily_sunshine)):
        warmest, coldest = daily_maximum_temperature[day], daily_minimum_temperature[day]
        mean, wind = (warmest + coldest) / 2.0, daily_wind_speed[day] * wind_share
        full = saturation_of_day(warmest, coldest, saturation_pressure, *steam)
        vapour = max(full * daily_relative_humidity[day], 0.0)
        deficit = max(full - vapour, 0.0)
        slope = saturation_rise(mean, saturation_pressure, *steam)
        outside, sunset = sun(day, latitude, *orbit, solar_constant)
        sunshine = daily_sunshine[day]
        radiation = through_clouds(outside, sunset, sunshine, angstrom_intercept, angstrom_slope)
        here = (radiation, outside, elevation, warmest, coldest, vapour)
        net = net_radiation(*here, *sky, *clouds)
        drawn = gamma * aerodynamic_constant / (mean + aerodynamic_zero) * wind * deficit
        drawn = drawn + slope * net / latent_heat
        total = total + max(drawn / (slope + gamma * (1.0 + wind_resistance * wind)), 0.0)
    return total


def hargreaves(
    latitude,
    daily_maximum_temperature,
    daily_minimum_temperature,
    orbit_days,
    distance_amplitude,
    declination_amplitude,
    declination_phase,
    solar_constant,
    latent_heat,
    hargreaves_coefficient,
    hargreaves_offset,
):
    """Reference evapotranspiration from temperature and latitude alone, ET0 [mm/year].

    Parameters
    ----------
    latitude : float
        Latitude [degree], north positive.
    daily_maximum_temperature, daily_minimum_temperature : sequence of float
        Of the air at 2 m, from 1 January on [degC].
    orbit_days, distance_amplitude, declination_amplitude, declination_phase, solar_constant : float
        As `penman_monteith`.
    latent_heat : float
        Heat of vaporization [MJ/kg].
    hargreaves_coefficient, hargreaves_offset : float
        0.0023 [1/degC^1.5] and 17.8 [degC].

    Returns
    -------
    float
        Sum over the days of 0.0023 (Tmean + 17.8) (Tmax - Tmin)^0.5 Ra / 2.45, a day never below 0
        [mm/year]; NaN if any input is NaN or a day's maximum is below its minimum.

    Source
    ------
    FAO 56, equation 52; Hargreaves and Samani 1985. Differs in this: a day below 0 is 0. See
    docs/methods.md#reference-evapotranspiration.

    Examples
    --------
    FAO 56, example 20, day 196: 5.0 mm. Here as the difference of two sums.

    >>> numbers = (365, 0.033, 0.409, 1.39, 118.08, 2.45, 0.0023, 17.8)
    >>> days = hargreaves(45.72, [26.6] * 196, [14.8] * 196, *numbers)
    >>> round(days - hargreaves(45.72, [26.6] * 195, [14.8] * 195, *numbers), 1)
    5.0
    """
    orbit = (orbit_days, distance_amplitude, declination_amplitude, declination_phase)
    total = hargreaves_coefficient * 0.0
    for day in range(len(daily_maximum_temperature)):
        warmest, coldest = daily_maximum_temperature[day], daily_minimum_temperature[day]
        apart = warmest - coldest
        spread = math.sqrt(apart) if apart >= 0.0 else math.nan
        outside, _ = sun(day, latitude, *orbit, solar_constant)
        heat = (warmest + coldest) / 2.0 + hargreaves_offset
        total = total + max(hargreaves_coefficient * heat * spread * outside / latent_heat, 0.0)
    return total


def daily(daily_reference_evapotranspiration):
    """Reference evapotranspiration of the year as the sum of its days [mm/year].

    Parameters
    ----------
    daily_reference_evapotranspiration : sequence of float
        Every day of the year [mm/day].

    Returns
    -------
    float
        Sum [mm/year]; NaN if any day is NaN.

    Source
    ------
    A sum. Differs in nothing.

    Examples
    --------
    >>> daily([3.0, 2.5])
    5.5
    """
    total = 0.0
    for value in daily_reference_evapotranspiration:
        total = total + value
    return total


def monthly(monthly_reference_evapotranspiration):
    """Reference evapotranspiration of the year as the sum of its months [mm/year].

    Parameters
    ----------
    monthly_reference_evapotranspiration : sequence of float
        Every month of the year [mm/month].

    Returns
    -------
    float
        Sum [mm/year]; NaN if any month is NaN.

    Source
    ------
    A sum. Differs in nothing.

    Examples
    --------
    >>> monthly([40.0, 55.5])
    95.5
    """
    total = 0.0
    for value in monthly_reference_evapotranspiration:
        total = total + value
    return total


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
    "albedo": "1",
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
GRASS = {
    "aerodynamic_constant": "kg*degC*s/(kJ*day)",
    "aerodynamic_zero": "degC",
    "wind_resistance": "s/m",
}
WARMTH = {
    "daily_maximum_temperature": Series(unit="degC", step="day"),
    "daily_minimum_temperature": Series(unit="degC", step="day"),
}
COOLER = (("daily_minimum_temperature", "daily_maximum_temperature"),)
DEW = ("daily_dew_point", "daily_maximum_temperature")
WIND = {"daily_wind_speed": Series(unit="m/s", step="day")}
PREPARATIONS = (
    Preparation(
        name="reference_evapotranspiration",
        method="penman_monteith",
        title=Title(
            "Reference evapotranspiration by Penman-Monteith (radiation, dew point)",
            "Penman–Monteith 法参考蒸散发量（辐射、露点）",
        ),
        kernel=penman_monteith,
        rasters={"latitude": "degree", "elevation": "m"},
        series=WARMTH
        | {"daily_dew_point": Series(unit="degC", step="day")}
        | WIND
        | {"daily_radiation": Series(unit="MJ/(m^2*day)", step="day")},
        ordered=(*COOLER, DEW),
        coefficients={"wind_share": "1"} | ORBIT | SKY | LONG_WAVES | AIR | GRASS,
        gives="mm/year",
        source=(
            "ET0 = (0.408 D Rn + g 900 / (T + 273) u (es - ea)) / (D + g (1 + 0.34 u)), sum of the "
            "days; FAO 56, equations 6 to 39; docs/methods.md#reference-evapotranspiration"
        ),
    ),
    Preparation(
        name="reference_evapotranspiration",
        method="penman_monteith_sunshine",
        title=Title(
            "Reference evapotranspiration by Penman-Monteith (sunshine, humidity)",
            "Penman–Monteith 法参考蒸散发量（日照、相对湿度）",
        ),
        kernel=penman_monteith_sunshine,
        rasters={"latitude": "degree", "elevation": "m"},
        series=WARMTH
        | {"daily_relative_humidity": Series(unit="1", step="day")}
        | WIND
        | {"daily_sunshine": Series(unit="1", step="day")},
        ordered=COOLER,
        coefficients={"wind_share": "1"} | ORBIT | SKY | SUNSHINE | LONG_WAVES | AIR | GRASS,
        gives="mm/year",
        source=(
            "as penman_monteith, with Rs = (0.25 + 0.50 n/N) Ra and the vapour pressure from mean "
            "relative humidity; FAO 56; docs/methods.md#reference-evapotranspiration"
        ),
    ),
    Preparation(
        name="reference_evapotranspiration",
        method="daily",
        title=Title("Sum of daily reference evapotranspiration", "逐日参考蒸散发量求和"),
        kernel=daily,
        series={"daily_reference_evapotranspiration": Series(unit="mm/day", step="day")},
        gives="mm/year",
        source="sum of the days; docs/methods.md#reference-evapotranspiration",
    ),
    Preparation(
        name="reference_evapotranspiration",
        method="monthly",
        title=Title("Sum of monthly reference evapotranspiration", "逐月参考蒸散发量求和"),
        kernel=monthly,
        series={"monthly_reference_evapotranspiration": Series(unit="mm/month", step="month")},
        gives="mm/year",
        source="sum of the months; docs/methods.md#reference-evapotranspiration",
    ),
    Preparation(
        name="reference_evapotranspiration",
        method="hargreaves",
        title=Title("Reference evapotranspiration by Hargreaves", "Hargreaves 法参考蒸散发量"),
        kernel=hargreaves,
        rasters={"latitude": "degree"},
        series=WARMTH,
        ordered=COOLER,
        coefficients=ORBIT
        | {
            "latent_heat": "MJ/kg",
            "hargreaves_coefficient": "1/degC^1.5",
            "hargreaves_offset": "degC",
        },
        gives="mm/year",
        source=(
            "ET0 = 0.0023 (Tmean + 17.8) (Tmax - Tmin)^0.5 Ra / 2.45, sum of the days; FAO 56, "
            "equation 52; docs/methods.md#reference-evapotranspiration"
        ),
    ),
)
