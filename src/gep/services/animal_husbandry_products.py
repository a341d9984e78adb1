"""Animal husbandry products: meat, milk, eggs, honey, at market prices from the county's table."""

from gep.ecosystems import Title
from gep.service import Products, Service

SERVICE = Service(
    name="animal_husbandry_products",
    method="market",
    group="provisioning",
    title=Title("Animal husbandry products", "畜牧业产品"),
    seea="Livestock provisioning services (gross output)",
    source=(
        "DB36/T 1402-2021 as understood, text not read; docs/methods.md#animal-husbandry-products"
    ),
    indicators=(
        Products(
            name="animal_husbandry_products",
            title=Title("Animal husbandry products", "畜牧业产品"),
            group="animal_husbandry",
            ecosystems=(),
            source=(
                "V = sum of E P, gross output at market prices; MEE guide 2020 and "
                "DB33/T 2274-2020, neither read; docs/methods.md#animal-husbandry-products"
            ),
        ),
    ),
)
