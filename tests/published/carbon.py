"""Carbon of InVEST: four pools on ten by ten pixels, before and after a change of class.

natcap/invest, tests/test_carbon.py. Ours: density times area, summed by county, on a map. Not ours:
a stock, its change and its present value. As for the forests of Zhejiang a stock goes through the
loop as if it were the carbon of a year, a pool as a county; a pixel of a hectare stands for the
square metre of the test, 10 g/m2 for its t/ha.
"""

from functools import lru_cache

from published.case import Said
from published.maps import Patch, run
from published.zhejiang import CARBON

PIXELS = 100


def stocks(said: Said) -> dict[str, float]:
    """Stock per hectare and of the raster, before and after."""
    pools = said["inputs"]["pools_t_ha"]
    found = {}
    for number, (name, key) in enumerate((("base", "1"), ("alt", "2"))):
        whole = _stock(tuple(map(float, pools[key])))
        found |= {f"stock_{name}": whole / PIXELS, f"raster_total.{number}": whole / 1e4}
    return found


@lru_cache(16)
def _stock(densities: tuple[float, ...]) -> float:
    """Tonnes of carbon of all pools on PIXELS hectares; 10 g/m2 stand for 1 t/ha."""
    patches = [
        Patch(f"3601{n:02d}", "mixed_forest", PIXELS, {"net_ecosystem_production": density * 10})
        for n, density in enumerate(densities, 1)
    ]
    quantity = run(patches).cube["quantity"].sel(indicator="carbon_sequestration.carbon_dioxide")
    return float(quantity.sum()) * CARBON * 10
