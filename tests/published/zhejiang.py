"""The carbon of the forests of Zhejiang: 14 types times 4 pools, density times area.

李银, 陈国科, 林敦梅 等. 浙江省森林生态系统碳储量及其分布特征. 植物生态学报 2016, 40,
doi:10.17521/cjpe.2015.0193, table 3.

Ours: density times area, summed by county, on a map. Not ours: a stock. It goes through the loop
as if it were the carbon of a year, a type as a map and a pool as a county. A pixel of a hectare
stands for the 10^2 hm2 of the paper, g/m2 for its t/hm2; 10^4 of ours are one of the paper's.
"""

from functools import lru_cache

from published.case import Said
from published.maps import Patch, run

CARBON = 12 / 44
"""Carbon in carbon dioxide, which is what the account counts."""
SCALE = 1e4


def carbon_pools(said: Said) -> dict[str, float]:
    """Table 3: densities, stocks, totals, means over the area, shares."""
    inputs = said["inputs"]
    areas = inputs["area_1e2hm2"]
    densities = inputs["density_t_hm2(tree,shrub-herb,litter,soil)"]
    made = {name: _stocks(float(area), tuple(densities[name])) for name, area in areas.items()}
    stocks = {name: each for name, (each, _) in made.items()}
    extent = {name: area for name, (_, area) in made.items()}
    each = {name: sum(pools) for name, pools in stocks.items()}
    total, area = sum(each.values()), sum(extent.values())
    pools = [sum(stock[pool] for stock in stocks.values()) for pool in range(4)]
    found = {f"storage_Tg.{name}": stock / 1e6 for name, stock in each.items()}
    found |= {f"density_total.{n}": stock / (extent[n] * 100) for n, stock in each.items()}
    found |= {f"pool_total_Tg.{n}": stock / 1e6 for n, stock in enumerate(pools)}
    found |= {f"pool_mean_t_hm2.{n}": s / (area * 100) for n, s in enumerate(pools[:3])}
    found |= {f"share_pct.{n}": stock / total * 100 for n, stock in enumerate(pools)}
    return found | {"total_Tg": total / 1e6, "area_total": area}


@lru_cache(64)
def _stocks(area: float, densities: tuple[float, ...]) -> tuple[list[float], float]:
    """Tonnes of carbon of one type by pool, and its area in 10^2 hm2."""
    codes = [f"3301{number:02d}" for number, _ in enumerate(densities, 1)]
    patches = [
        Patch(code, "mixed_forest", round(area), {"net_ecosystem_production": density})
        for code, density in zip(codes, densities, strict=True)
    ]
    result = run(patches)
    quantity = result.cube["quantity"].sum("ecosystem")
    carbon = quantity.sel(indicator="carbon_sequestration.carbon_dioxide").to_series()
    areas = result.counties.set_index("code")["area_km2"]
    stocks = [float(carbon[code]) * CARBON * SCALE for code in codes]
    return stocks, float(areas[codes[0]]) * 100
