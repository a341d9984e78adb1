"""Which published case is held by which function, what of it is not, and why."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from published import (
    case,
    evaporation,
    gaotianyan,
    garze,
    rain_soil,
    soil,
    tables,
    xichuan,
    zhejiang,
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
        f"{QUANTITIES}: silt, nutrients, products, sums, shares; the rest as money",
        apart={
            "^land_": "land saved at the income of forest: no formula of ours",
            "^TN_value": "soil fertility at fertiliser prices: no formula of ours",
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
        f"{QUANTITIES}: 11 services, one below zero, and 6 classes, in 6 years",
        apart={
            "^gain_loss": "value by change of class: equivalent factors are no method of ours",
            "area": "a matrix of transitions between two maps is not built",
        },
        blind={r"bare$": "all of it is 0"},
        unused="^(years|gain_loss|transfer)",
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
        "slope factor, `invest_sdr`, from the area that drains into a pixel",
    ),
    Held(
        "pygeoprocessing-d8-accumulation",
        soil.accumulation,
        "area that drains into a pixel, along their directions of flow",
        apart={
            r"^(decayed|merge)": "accumulation that decays on its way: no step of ours",
            r"^distance": "distance to a channel: no step of ours",
        },
        unused="^(flow_dir|channel|decay|merge)",
    ),
    Held(
        "fao56-worked-examples",
        evaporation.worked_examples,
        "kernels of reference evapotranspiration; each step by setting the numbers of the others",
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
    "invest-swy-cn-lookup": (
        "curve number and retention are steps within storm runoff, which is held (tr55-scs-runoff)"
    ),
    "invest-ufrm-smax": (
        "curve number and retention are steps within storm runoff, which is held (tr55-scs-runoff)"
    ),
    "exactextract-weighted-zonal-stats": "a pixel belongs to a county by its centre, never in part",
    "invest-carbon-stock-change-npv": "stocks and present values; gep accounts the flow of a year",
    "jingdian-annualised-cost": (
        "the annuity is no code of ours; the one price worked out by it is held in "
        "tests/test_published.py"
    ),
}
"""Cases of which nothing is held, and why."""
