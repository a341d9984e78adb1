"""Agricultural products: what crops give, at market prices, from the county's own table."""

from gep.ecosystems import Title
from gep.service import AREA, Products, Service

SERVICE = Service(
    name="agricultural_products",
    method="market",
    group="provisioning",
    title=Title("Agricultural products", "农业产品"),
    seea="Crop provisioning services (gross output)",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#agricultural-products",
    indicators=(
        Products(
            name="agricultural_products",
            title=Title("Crops", "农业产品"),
            group="agriculture",
            ecosystems=("cropland",),
            spread=("net_primary_production", AREA),
            source=(
                "V = sum of E P, gross output at market prices; MEE guide 2020 and "
                "DB33/T 2274-2020, neither read; docs/methods.md#agricultural-products"
            ),
        ),
    ),
)
