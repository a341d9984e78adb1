"""Discharge and sediment as observed at the outlet of Youwuzhen, and what they say of a year."""

from __future__ import annotations

import datetime
import math
from functools import cache

import numpy as np
from catchment import ONE, Row, Series, of_year, place, rain, said, series

import gep

DAY = 86_400.0
"""Seconds."""


@cache
def discharge() -> Series:
    """Observed discharge of the days that have one, as water over the catchment [mm/day]."""
    flows = series("observed_Q.csv", 3)
    return {day: v * DAY / place().area * 1000.0 for day, v in flows.items()}


@cache
def load() -> Series:
    """Sediment of the days with discharge and concentration (g/L = kg/m³) [t/(ha day)]."""
    flows, grams = series("observed_Q.csv", 3), series("observed_SED.csv", 3)
    hectares = place().area / 10_000.0
    return {
        day: v * DAY * grams[day] / 1000.0 / hectares for day, v in flows.items() if day in grams
    }


def spells(days: list[datetime.date]) -> list[list[datetime.date]]:
    """Days in runs without a gap."""
    runs: list[list[datetime.date]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == ONE:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def by_ratio(observed: Series, year: int) -> tuple[float, float]:
    """Sum of a year as observed per rain of the same days, times its rain; and the standard error.

    The error is the jackknife's over the spells of observed days.
    """
    runs = spells([day for day in observed if day.year == year])
    whole = sum(of_year(rain(), year))
    pairs = np.array([[sum(s[d] for d in run) for s in (observed, rain())] for run in runs])
    left = pairs.sum(axis=0) - pairs
    without = whole * left[:, 0] / left[:, 1]
    spread = float(((without - without.mean()) ** 2).sum())
    ratio = pairs[:, 0].sum() / pairs[:, 1].sum()
    return float(whole * ratio), math.sqrt((len(runs) - 1) / len(runs) * spread)


def lagged(days: int) -> float:
    """Correlation of discharge with the rain so many days before [1]."""
    last = max(rain())
    pairs = [
        (v, rain()[day - ONE * days])
        for day, v in discharge().items()
        if min(rain()) <= day - ONE * days <= last
    ]
    return float(np.corrcoef(np.array(pairs).T)[0, 1])


def erosivity_of_seen_days(year: int) -> float:
    """R of the days of a year on which sediment was observed, season_daily [MJ mm/(ha h)]."""
    days = {day: v if day in load() else 0.0 for day, v in rain().items()}
    prepared = gep.preparations["erosivity", "season_daily"]
    depth = said(of_year(days, year), "mm/day")
    return float(prepared(daily_precipitation=depth, year=year))


def seen(year: int) -> Row:
    """What was observed in a year, and what that may mean for the whole of it."""
    days = [day for day in discharge() if day.year == year]
    water, water_error = by_ratio(discharge(), year)
    sediment, sediment_error = by_ratio(load(), year)
    whole = len(of_year(rain(), year))
    return {
        "days": len(days),
        "rain_of_days": sum(rain()[day] for day in days),
        "discharge_of_days": sum(discharge()[day] for day in days),
        "discharge": water,
        "discharge_error": water_error,
        "discharge_by_mean": sum(discharge()[day] for day in days) / len(days) * whole,
        "load_of_days": sum(load()[day] for day in days),
        "load": sediment,
        "load_error": sediment_error,
        "erosivity_of_days": erosivity_of_seen_days(year),
    }
