"""Agricultural products: what crops give, at market prices, from the county's own table."""

from gep.ecosystems import Title
from gep.service import AREA, Products, Service

SERVICE = Service(
    name="agricultural_products",
    method="market",
    group="provisioning",
    title=Title("Agricultural products", "农业产品"),
    seea="Crop provisioning services (gross output)",
    source="DB36/T 1402-2021 as understood; METHODS 5.1",
    indicators=(
        Products(
            name="agricultural_products",
            title=Title("Crops", "农业产品"),
            group="agriculture",
            ecosystems=("cropland",),
            spread=("net_primary_production", AREA),
            source="METHODS 5.0: V = sum of E P, gross output",
        ),
    ),
)
