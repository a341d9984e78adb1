"""Forestry products: timber, bamboo, oil and nuts, at market prices from the county's table."""

from gep.ecosystems import Title
from gep.service import AREA, Products, Service

SERVICE = Service(
    name="forestry_products",
    method="market",
    group="provisioning",
    title=Title("Forestry products", "林业产品"),
    seea="Wood provisioning services (gross output)",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#forestry-products",
    indicators=(
        Products(
            name="forestry_products",
            title=Title("Forestry products", "林业产品"),
            group="forestry",
            ecosystems=("forest",),
            spread=("net_primary_production", AREA),
            source=(
                "V = sum of E P, gross output at market prices; MEE guide 2020 and "
                "DB33/T 2274-2020, neither read; docs/methods.md#forestry-products"
            ),
        ),
    ),
)
