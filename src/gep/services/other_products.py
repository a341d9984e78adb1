"""Other ecosystem products: seedlings, flowers, what is gathered, at market prices."""

from gep.ecosystems import Title
from gep.service import Products, Service

SERVICE = Service(
    name="other_products",
    method="market",
    group="provisioning",
    title=Title("Other ecosystem products", "其他产品"),
    seea="Wild animals, plants and other biomass provisioning services (gross output)",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#other-products",
    indicators=(
        Products(
            name="other_products",
            title=Title("Other ecosystem products", "其他产品"),
            group="other",
            ecosystems=(),
            source=(
                "V = sum of E P, gross output at market prices; MEE guide 2020 and "
                "DB33/T 2274-2020, neither read; docs/methods.md#other-products"
            ),
        ),
    ),
)
