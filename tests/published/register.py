"""Which published case is held by which function, what of it is not, and why."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from published import (
    carbon,
    case,
    evaporation,
    gaotianyan,
    garze,
    rain_soil,
    soil,
    tables,
    xichuan,
    zhejiang,
    zones,
)
from published.case import Said


@dataclass(frozen=True)
class Held:
    """A case whose numbers are computed again by the engine.

    `way` says through what. `apart` names expected numbers that are not held, `blind` the inputs
    of which an error of 1 % shows in none of those that are, both as pattern → reason. No held
    number rests on the inputs `unused` matches. `differs`: where ours is not the print.
    """

    name: str
    compute: Callable[[Said], dict[str, float]]
    way: str
    apart: dict[str, str] = field(default_factory=dict)
    blind: dict[str, str] = field(default_factory=dict)
    unused: str = "^$"
    differs: str = ""

    def unheld(self, said: Said, found: dict[str, float]) -> Iterator[tuple[str, str]]:
        """Yield the expected numbers that were not computed, and the reason; "" if none is said."""
        for name in case.leaves(said["expected"]):
            if name not in found:
                whys = [why for pattern, why in self.apart.items() if re.search(pattern, name)]
                yield name, whys[0] if whys else ""


QUANTITIES = "`from_quantities`"
COARSE = "printed to too few digits"
HELD = (
    Held(
        "ganzi2010-quantity-price-value",
        garze.quantity_price_value,
        f"{QUANTITIES}: quantity × price; sand → area → money",
        blind={
            r"\.(flood_reservoir|carbon|air_dust|water_NH3N)$": COARSE,
        },
        unused="^(to_1e8_units|value_only_1e8yuan|population_1e4)",
        differs=(
            "from these rounded quantities GEP is 7548.95, 0.045 % above the 7545.59 printed; from "
            "the printed values it is 7545.60"
        ),
    ),
    Held(
        "ganzi2010-totals-shares",
        garze.totals_shares,
        f"{QUANTITIES}: 28 rows of money; services, groups, total, shares, per head",
        blind={r"\.(flood_reservoir|air_\w+|water_(COD|NH3N)|fishery)$": COARSE},
    ),
    Held(
        "ganzi2010-class-by-service-matrix",
        garze.class_by_service,
        f"{QUANTITIES}: 88 cells of money by ecosystem; both margins; divided by area",
        apart={"^area_total": "a sum of areas alone; no amount of an account"},
        blind={r"\.(sand_fixation|air|water_quality)$": COARSE},
        unused=r"^area_km2\.(farmland|town|glacier|bare)",
    ),
    Held(
        "ganzi2010-soil-sand-flood-chain",
        garze.soil_sand_flood,
        f"{QUANTITIES}: derived indicators; kernel of the swamps",
        blind={"^reservoir_1e8m3": COARSE},
        differs=(
            'swamps are "about 70 %" of the wetland: 6.01 by the kernel, where the paper adds up '
            "6.00; unrounded the sum would be 8.45 instead of 8.44, 0.18 %"
        ),
    ),
    Held(
        "gaotianyan2014-soil-and-total",
        gaotianyan.soil_and_total,
        f"{QUANTITIES}: silt, nutrients, land, products, sums, shares; the rest as money",
        apart={
            "^(transpiration|evaporation|climate)": "price of water vapour: no formula of ours",
            "^total|carbon_oxygen|share_pct.water": "its other parts are not in the case",
        },
        blind={"^(NPP_|transpiration_coef)": "only through the share of climate, 1.63 %"},
    ),
    Held(
        "xichuan-county-3services-3years",
        xichuan.three_services_three_years,
        "map of 1 ha pixels: water, soil; `from_quantities`: sum of the nitrogen load",
    ),
    Held(
        "zhejiang-forest-carbon-pools",
        zhejiang.carbon_pools,
        "map: density × area (a stock entered as if it were a flow)",
        blind={r"^area_1e2hm2\.樟林": "24 pixels: 1 % is none"},
    ),
    Held(
        "abstracts-county-province-gep",
        tables.headlines,
        f"{QUANTITIES}: groups, total, shares of money",
        blind={"^miyun": "printed as a whole per cent"},
        apart={r"\+culture|^guizhou|^changtian": "a difference or quotient of two printed numbers"},
        unused=r"GEP/GDP|^guizhou|^changtian",
    ),
    Held(
        "natcap-global-gep-water-quality",
        tables.water_quality_of_countries,
        f"{QUANTITIES}: quantity × price in 14 places",
        apart={
            "_est_kg": "the share that is used is multiplied before the account",
            r"^n_value_usd\.5$": "below zero: refused as a quantity (E019), not clipped",
        },
        blind={r"^rows\.13\.": "all of it is 0"},
        unused=r"^rows\.5\.n_",
    ),
    Held(
        "huaihe-esv-time-series-and-transfer",
        tables.values_over_time,
        f"{QUANTITIES}: 11 services, one below zero, and 6 classes, in 6 years; margins of the "
        "change of value; map: extents by class of both years",
        blind={r"bare$": "all of it is 0", r"\.unused$": "10 pixels: 1 % is none"},
        unused="^years",
    ),
    Held(
        "exactextract-weighted-zonal-stats",
        zones.zonal_statistics,
        "map of half pixels, on whose edges the boxes lie: sums, areas, shares, missing values",
        apart={
            "variance|stdev": "how far values lie apart: only sums are made",
            "^(min|max)$": "the least and the largest: only sums are made",
            "^(touched|min_cov)": "a pixel belongs to a county by its centre, never in part",
            "^weighted_(mean|sum)": "a value times a weight: no method has a raster of weights",
            "^all_nodata": "where nothing is known the amount is missing, not 0",
        },
        blind={
            "box": "the centres of the half pixels lie in and out as before",
            "^classes": "codes of classes",
            r"5x5_with_nodata\.([04]$|3\.[04])": "outside of the box",
            r"5x5_with_nodata\.3\.1": "it is 0",
        },
        unused="^(bottom_row_weights|nodata_case)",
    ),
    Held(
        "invest-carbon-stock-change-npv",
        carbon.stocks,
        "map: density × area (stocks entered as if they were flows), pools as counties",
        apart={
            "^(change|raster_total.2)": "a stock of one year less that of another",
            "^K|npv|raster_total.3": "a present value is no flow of a year",
            "^map": "a lookup by class alone",
        },
        unused="^(price|rate|discount|years|second|map)",
    ),
    Held(
        "invest-awy-volume-supply-hydropower",
        tables.volume_of_yield,
        "kernel of water retention: depth × area",
        apart={
            "^supply": "supply less consumption: no indicator of ours",
            "^energy": "hydropower is taken as measured",
            "^npv": "a present value is no flow of a year",
        },
        unused="^(?!wyield_mm|area_m2)",
    ),
    Held(
        "tr55-scs-runoff",
        rain_soil.curve_number_runoff,
        "`gep.preparations`: storm runoff by curve number, in mm",
        blind={r"\.4\.": "all of it is 0"},
    ),
    Held(
        "invest-swy-cn-lookup",
        rain_soil.curve_numbers,
        "`gep.preparations`: read out of storm runoff, which chooses by soil group",
        apart={r"^CN\.2": "a curve number of 0: there is none, so the runoff is missing"},
        blind={
            "^lulc": "codes of classes",
            r"^soil_group\.2": "groups of which no number is held",
        },
    ),
    Held(
        "invest-ufrm-smax",
        rain_soil.potential_retention,
        "`gep.preparations`: retention read out of storm runoff by curve number",
        apart={r"^S_mm\.1$": "a curve number of 0: there is none; InVEST puts 100 m there"},
    ),
    Held(
        "epic-k-factor",
        rain_soil.epic_erodibility,
        "`gep.preparations`: erodibility by EPIC",
        blind={"OC_pct": COARSE},
    ),
    Held(
        "cai2000-c-factor-continuity",
        soil.cover_by_cai,
        "`gep.preparations`: cover factor, `cai2000`, with the numbers on file",
        blind={
            r"pct\.0$": "all of it is 0",
            r"pct\.1$": "beyond the end of the curve it is 0 as well",
        },
        differs="at 78.3 % the curve is 0.0001, not 0",
    ),
    Held(
        "invest-sdr-ls-factor",
        soil.ls_of_invest,
        "`gep.preparations`: slope factor, `invest_sdr`; all that drains in is one pixel above",
    ),
    Held(
        "pygeoprocessing-d8-accumulation",
        soil.accumulation,
        "`gep.preparations`: area above read out of LS; the ground falls along their directions",
        apart={
            r"^(decayed|merge)": "accumulation that decays on its way: no step of ours",
            r"^distance": "distance to a channel: no step of ours",
        },
        unused="^(flow_dir|channel|decay|merge)",
    ),
    Held(
        "fao56-worked-examples",
        evaporation.worked_examples,
        "`gep.preparations`: reference evapotranspiration of one day; each step by setting the "
        "numbers of the others",
        blind={r"^(Rs|Rnl|PM)_case": COARSE},
    ),
    Held(
        "invest-awy-aet-fraction",
        evaporation.share_of_rain,
        "`gep.preparations`: available water, and evapotranspiration by the curve of Fu",
        blind={
            r"^(Kc|ETo_mm|P_mm)\.(0\.2|1\.0)$": "all of the rain evaporates there",
            r"^(root_depth_mm|PAWC)\.(0\.2|1\.0|1\.2)$": "no plants there",
            r"^soil_depth_mm": "roots end above it",
            r"^vegetated\.(0\.2|1\.0|1\.2)$": "all of it is 0",
        },
    ),
)
ELSEWHERE = {
    "jingdian-annualised-cost": (
        "the annuity is no code of ours; the one price worked out by it is held in "
        "tests/test_published.py"
    ),
}
"""Cases of which nothing is held, and why."""
