"""Fishery products: fish, shrimp, shellfish, at market prices from the county's own table."""

from gep.ecosystems import Title
from gep.service import AREA, Products, Service

SERVICE = Service(
    name="fishery_products",
    method="market",
    group="provisioning",
    title=Title("Fishery products", "渔业产品"),
    seea="Aquaculture provisioning services; wild fish and other biomass (gross output)",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#fishery-products",
    indicators=(
        Products(
            name="fishery_products",
            title=Title("Fishery products", "渔业产品"),
            group="fishery",
            ecosystems=("lake", "river", "reservoir", "pond", "open_water"),
            spread=(AREA,),
            source=(
                "V = sum of E P, gross output at market prices; MEE guide 2020 and "
                "DB33/T 2274-2020, neither read; docs/methods.md#fishery-products"
            ),
        ),
    ),
)
