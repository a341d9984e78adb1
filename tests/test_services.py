"""What every service must keep, asked of the registry: a new one is tested without a new test."""

import ast
import importlib
import inspect
import math
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gep import coefficients, profile
from gep.ecosystems import Title, ecosystems, groups
from gep.errors import ServiceError, UnitError
from gep.layers import variables
from gep.service import (
    AREA,
    Derived,
    Example,
    Indicator,
    Products,
    Service,
    arguments,
    positive,
    register,
    services,
    source_of,
)
from gep.units import factor, of_year, parse, registry


def kernels_of(i: Indicator) -> list[Indicator]:
    """The indicator, or where it has two kernels, one indicator for each with what it takes."""
    if i.worth is None:
        return [i]
    assert i.worth_example
    money = {"gives": "CNY/year", "quantity": "CNY/year", "quantum": 1e-2}
    return [
        replace(
            i,
            kernel=kernel,
            example=example,
            **changes,
            columns={name: i.columns[name] for name in i.columns if name in arguments(kernel)},
            coefficients={
                name: i.coefficients[name] for name in i.coefficients if name in arguments(kernel)
            },
            **dict.fromkeys(("measured", "worth", "worth_example")),  # type: ignore[arg-type]
        )
        for kernel, example, changes in (
            (i.kernel, i.example, {}),
            (i.worth, i.worth_example, {"name": f"{i.name}.worth"} | money),
        )
    ]


KERNELS = [
    pytest.param(kernel, id=f"{service.name}.{service.method}.{kernel.name}")
    for service in services().values()
    for i in service.indicators
    if isinstance(i, Indicator)
    for kernel in kernels_of(i)
]
SERVICES = [pytest.param(s, id=f"{s.name}.{s.method}") for s in services().values()]
DERIVED = [
    pytest.param(s, i, id=f"{s.name}.{i.name}")
    for s in services().values()
    for i in s.indicators
    if isinstance(i, Derived)
]
CALLS = {"max", "min"}
"""What a kernel may call beside `math`."""


# ---- kernels


@pytest.mark.parametrize("i", KERNELS)
def test_example_holds(i: Indicator) -> None:
    assert list(i.example.inputs) == list(inspect.signature(i.kernel).parameters)
    assert i.kernel(**i.example.inputs) == pytest.approx(i.example.gives, rel=1e-12)


@pytest.mark.parametrize("i", KERNELS)
def test_units_go_through_the_formula(i: Indicator) -> None:
    """The kernel, run with quantities, gives the declared unit and the example's number."""
    if i.empirical:
        pytest.skip(f"empirical: {i.empirical}")
    declared = i.rasters | i.columns | i.coefficients
    arguments = {name: i.example.inputs[name] * parse(unit) for name, unit in declared.items()}
    result = registry().Quantity(i.kernel(**arguments))
    wanted = parse(i.gives)
    assert result.dimensionality == wanted.dimensionality
    assert result.to(wanted.units).magnitude == pytest.approx(i.example.gives, rel=1e-9)


@pytest.mark.parametrize("i", KERNELS)
def test_units_go_through_the_formula_from_other_units(i: Indicator) -> None:
    """The same quantities in base units: no number inside the kernel carries a unit of its own."""
    if i.empirical:
        pytest.skip(f"empirical: {i.empirical}")
    declared = i.rasters | i.columns | i.coefficients
    arguments = {
        name: (i.example.inputs[name] * parse(unit)).to_base_units()
        for name, unit in declared.items()
    }
    result = registry().Quantity(i.kernel(**arguments))
    assert result.to(parse(i.gives).units).magnitude == pytest.approx(i.example.gives, rel=1e-9)


@pytest.mark.parametrize("i", KERNELS)
def test_missing_in_missing_out(i: Indicator) -> None:
    """NaN in any argument gives NaN, whatever the parameters are set to."""
    inputs = i.example.inputs
    for settings in (inputs, *({**inputs, name: 1.0} for name in i.coefficients)):
        for name in inputs:
            assert math.isnan(i.kernel(**{**settings, name: math.nan})), (name, settings)
    assert math.isnan(i.kernel(*[math.nan] * len(inputs)))


def function_of(kernel: Any) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(inspect.getsource(kernel)))
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef), "a plain function: no lambda, no expression"
    return function


@pytest.mark.parametrize("kernel", [*dict.fromkeys(p.values[0].kernel for p in KERNELS), positive])
def test_kernel_is_self_contained(kernel: Any) -> None:
    """Plain Python on floats: arguments, locals, `math`, max and min; one return; no decorator."""
    function = function_of(kernel)
    assert not function.decorator_list
    a = function.args
    assert [a.vararg, a.kwarg, *a.defaults, *a.kwonlyargs, *a.posonlyargs] == [None, None]
    assert kernel.__closure__ is None
    assert getattr(importlib.import_module(kernel.__module__), kernel.__name__) is kernel
    known = {argument.arg for argument in a.args} | CALLS | {"math"}
    nodes = [node for statement in function.body for node in ast.walk(statement)]
    stored = {n.id for n in nodes if _is_name(n, ast.Store)}
    loaded = {n.id for n in nodes if _is_name(n, ast.Load)}
    assert loaded <= known | stored, "a global freezes into the compiled loop"
    returns = [n for n in nodes if isinstance(n, ast.Return)]
    assert returns == function.body[-1:]
    for node in nodes:
        assert not isinstance(node, ast.Import | ast.ImportFrom | ast.Global | ast.Nonlocal)
        assert not isinstance(node, ast.Yield | ast.Lambda | ast.Try | ast.FunctionDef)
        if isinstance(node, ast.Attribute):
            assert isinstance(node.value, ast.Name)
            assert node.value.id == "math"
        if isinstance(node, ast.Call):
            _check_call(node)


def _is_name(node: ast.AST, context: type) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, context)


def _check_call(node: ast.Call) -> None:
    if isinstance(node.func, ast.Name):
        assert node.func.id in CALLS
        assert not isinstance(node.args[0], ast.Constant), "max(0.0, nan) is 0.0: write max(x, 0.0)"


@pytest.mark.parametrize("i", KERNELS)
def test_docstring_says_what_comes_out_in_which_unit(i: Indicator) -> None:
    text = inspect.getdoc(i.kernel) or ""
    assert f"[{i.gives.replace('*', ' ')}]" in text
    first = text.splitlines()[0]
    assert len(first) > 20
    assert first.endswith(".")
    assert ">>>" in text, "a docstring shows the formula at work"


# ---- specifications


@pytest.mark.parametrize("service", SERVICES)
def test_service_is_what_the_vocabulary_says(service: Service) -> None:
    entry = profile.catalogue()[service.name]
    assert (service.group, service.title) == (entry.group, entry.title)
    assert service.source
    assert service.seea


@pytest.mark.parametrize("service", SERVICES)
def test_service_stands_in_the_module_of_its_name(service: Service) -> None:
    folder = Path(importlib.import_module("gep.services").__path__[0])
    modules = {path.stem for path in folder.glob("*.py")}
    assert {service.name, f"{service.name}_{service.method}"} & modules


@pytest.mark.parametrize("service", SERVICES)
def test_titles_are_in_both_languages(service: Service) -> None:
    for i in (service, *service.indicators):
        assert i.title.en.isascii()
        assert any("一" <= sign <= "鿿" for sign in i.title.zh), i.title
        assert i.source


@pytest.mark.parametrize("service", SERVICES)
def test_indicators_of_a_service_have_names_of_their_own(service: Service) -> None:
    names = [i.name for i in service.indicators]
    assert len(set(names)) == len(names) > 0
    assert all(name.isidentifier() and name.islower() for name in names)


@pytest.mark.parametrize("service", SERVICES)
def test_coefficients_on_file_are_those_declared(service: Service) -> None:
    book, _ = coefficients.load()
    on_file = set(book.services.get(service.name, {}))
    same_name = [s for s in services().values() if s.name == service.name]
    declared = {name for s in same_name for name in s.coefficients()}
    prices = {i.price[0] for s in same_name for i in s.indicators if getattr(i, "price", None)}
    assert declared <= on_file <= declared | prices
    for name, unit in service.coefficients().items():
        for found in book.services[service.name][name].values():
            assert factor(found.unit, unit, found.at) > 0


def test_prices_on_file_are_those_somebody_uses() -> None:
    book, _ = coefficients.load()
    named = {
        i.price[0]
        for service in services().values()
        for i in service.indicators
        if not isinstance(i, Products) and i.price
        if i.price[0] not in book.services.get(service.name, {})
    }
    for name in profile.names():
        for choice in profile.load(name).choices.values():
            named |= set(choice.prices.values())
    assert set(book.services["prices"]) == named


@pytest.mark.parametrize("service", SERVICES)
def test_price_on_file_fits_the_quantity(service: Service) -> None:
    book, _ = coefficients.load()
    for i in service.indicators:
        if isinstance(i, Products) or not i.price:
            continue
        name, unit = i.price
        own = book.services.get(service.name, {})
        for found in (own if name in own else book.services["prices"])[name].values():
            assert factor(of_year(found.unit, 2021), of_year(unit, 2021), found.at) > 0


@pytest.mark.parametrize("service", SERVICES)
def test_rasters_have_an_entry_with_title_unit_and_range(service: Service) -> None:
    for name, unit in service.rasters().items():
        entry = variables()[name]
        assert factor(entry.unit, unit, name) > 0
        assert entry.possible[0] <= entry.usual[0] < entry.usual[1] <= entry.possible[1]
        assert entry.title.zh
    for name in service.weights():
        assert name in variables()


@pytest.mark.parametrize("service", SERVICES)
def test_eligible_ecosystems_exist_and_class_coefficients_reach_some(service: Service) -> None:
    book, _ = coefficients.load()
    chosen = profile.load("jiangxi-2021").choices[service.name].sets
    for i in service.indicators:
        if not isinstance(i, Indicator):
            continue
        assert set(i.ecosystems) <= ecosystems().keys() | groups().keys()
        for name in i.coefficients:
            found = book.coefficient(service.name, name, chosen.get(name, ""))
            assert found
            if "ecosystem" in found.by:
                eligible = [
                    e.key
                    for e in ecosystems().values()
                    if e.key in i.ecosystems or e.group in i.ecosystems
                ]
                assert all(found.find(ecosystem=key) for key in eligible), (i.name, name)


UNIT_FACTORS = {
    "water_retention.water_retention": 1e-3,  # 1 mm on 1 m^2 is a litre
    "soil_retention.soil_retention": 1e-4,  # 1 t/ha is 100 g/m^2
    "carbon_sequestration.carbon_dioxide": 44 / 12 * 1e-6,
    "air_purification.sulfur_dioxide": 1e-7,  # 1 kg/ha is 0.1 g/m^2
    "air_purification.nitrogen_oxides": 1e-7,
    "air_purification.dust": 1e-7,
}


@pytest.mark.parametrize(("name", "times"), UNIT_FACTORS.items(), ids=list(UNIT_FACTORS))
def test_quantity_of_one_unit_of_density_on_a_square_metre(name: str, times: float) -> None:
    owner, _, indicator = name.partition(".")
    (found,) = [
        i
        for s in services().values()
        for i in s.indicators
        if s.name == owner and i.name == indicator
    ]
    assert isinstance(found, Indicator)
    assert found.unit_factor == pytest.approx(times, rel=1e-15)


@pytest.mark.parametrize(("service", "d"), DERIVED)
def test_derived_indicator_has_its_base_and_its_units(service: Service, d: Derived) -> None:
    owner, name = source_of(service, d)
    owners = [s for (n, _), s in services().items() if n == owner]
    own = [s for s in owners if s is service] or owners  # another method may have the same base
    (base,) = [i for s in own for i in s.indicators if i.name == name]
    assert isinstance(base, Indicator)
    made = f"({base.quantity})" + "".join(f"*({u})" for u in d.times.values())
    made += "".join(f"/({u})" for u in d.per.values())
    assert factor(made, d.quantity, d.name) == pytest.approx(1.0)


def test_the_services_made_of_tables_are_there() -> None:
    groups = {
        i.group: (service.name, i.ecosystems, i.spread)
        for service in services().values()
        for i in service.indicators
        if isinstance(i, Products)
    }
    npp = ("net_primary_production", AREA)
    water = ("lake", "river", "reservoir", "pond", "open_water")
    assert groups == {
        "agriculture": ("agricultural_products", ("cropland",), npp),
        "forestry": ("forestry_products", ("forest",), npp),
        "animal_husbandry": ("animal_husbandry_products", (), ()),
        "fishery": ("fishery_products", water, (AREA,)),
        "other": ("other_products", (), ()),
    }
    assert services().keys() >= {
        ("ecological_energy", "market"),
        ("water_supply", "market"),
        ("tourism", "travel_cost"),
        ("tourism", "income"),
    }


def test_the_first_services_are_there() -> None:
    assert services().keys() >= {
        ("water_retention", "balance"),
        ("soil_retention", "rusle"),
        ("carbon_sequestration", "nep"),
        ("oxygen_release", "nep"),
        ("air_purification", "capacity"),
        ("agricultural_products", "market"),
    }


def test_weight_is_never_negative_and_never_made_of_nothing() -> None:
    assert [positive(x) for x in (2.5, 0.0, -2.5)] == [2.5, 0.0, 0.0]
    assert math.isnan(positive(math.nan))


# ---- a specification that contradicts itself cannot be made


def double(rain: float, share: float) -> float:
    return rain * share * 2.0


def indicator(**changes: Any) -> Indicator:
    declared: dict[str, Any] = {
        "name": "test",
        "title": Title("Test", "测试"),
        "kernel": double,
        "rasters": {"rain": "mm/year"},
        "coefficients": {"share": "1"},
        "ecosystems": ("forest",),
        "gives": "mm/year",
        "quantity": "m^3/year",
        "quantum": 1e-3,
        "example": Example(inputs={"rain": 1.0, "share": 1.0}, gives=2.0),
        "source": "test",
    }
    return Indicator(**declared | changes)


def derived(**changes: Any) -> Derived:
    declared: dict[str, Any] = {
        "name": "half",
        "title": Title("Half", "一半"),
        "of": "test",
        "times": {"share": "1"},
        "quantity": "m^3/year",
        "quantum": 1e-3,
        "source": "test",
    }
    return Derived(**declared | changes)


def service(*indicators: Any, **changes: Any) -> Service:
    declared: dict[str, Any] = {
        "name": "tests",
        "method": "made_up",
        "group": "regulating",
        "title": Title("Tests", "测试"),
        "seea": "",
        "source": "test",
        "indicators": indicators or (indicator(),),
    }
    return Service(**declared | changes)


def products(**changes: Any) -> Products:
    declared: dict[str, Any] = {
        "name": "crops",
        "title": Title("Crops", "农产品"),
        "group": "agriculture",
        "ecosystems": ("cropland",),
        "spread": (AREA,),
        "source": "test",
    }
    return Products(**declared | changes)


def cost(visits: float, price: float) -> float:
    return visits * price


def visits(visits: float) -> float:
    return visits


def fee(price: float) -> float:
    return price


def rows(**changes: Any) -> Indicator:
    """An indicator made of rows, with money of its own."""
    declared: dict[str, Any] = {
        "kernel": visits,
        "rasters": {},
        "table": "tours",
        "columns": {"visits": "visit/year", "price": "CNY/visit"},
        "coefficients": {},
        "gives": "visit/year",
        "quantity": "visit/year",
        "worth": cost,
        "worth_example": Example(inputs={"visits": 2.0, "price": 3.0}, gives=6.0),
    }
    return indicator(**declared | changes)


def test_rows_may_have_money_of_their_own_and_need_what_it_takes() -> None:
    both = {"visits": "visit/year", "price": "CNY/visit"}
    assert rows().priced
    assert not indicator().priced
    assert indicator(price=("reservoir_cost", "CNY/m^3")).priced
    assert rows().needed == both
    assert rows(worth=fee).needed == {"price": "CNY/visit"}
    assert rows(kernel=cost, worth=None, gives="CNY/year", quantity="CNY/year").needed == both


def test_a_right_specification_is_accepted() -> None:
    made = register([service(indicator(), derived(), products())])
    assert list(made) == [("tests", "made_up")]


WRONG = [
    (
        lambda: indicator(rasters={"snow": "mm/year"}),
        "E901",
        "test: the kernel takes ['rain', 'share'], the indicator declares ['snow', 'share']",
        "test：计算函数的参数为 ['rain', 'share']，指标声明为 ['snow', 'share']",
    ),
    (
        lambda: indicator(rasters={}, coefficients={"share": "1", "rain": "mm/year"}),
        "E901",
        "test: the kernel takes ['rain', 'share'], the indicator declares ['share', 'rain']",
        "test：计算函数的参数为 ['rain', 'share']，指标声明为 ['share', 'rain']",
    ),
    (
        lambda: service(group="other"),
        "E902",
        "tests: group other; known: provisioning, regulating, cultural",
        "tests：大类 other；可用：provisioning, regulating, cultural",
    ),
    (
        lambda: service(indicator(ecosystems=("forest", "jungle"))),
        "E903",
        "tests: jungle is neither an ecosystem class nor a group",
        "tests：jungle 不是生态系统类型或大类",
    ),
    (
        lambda: service(products(ecosystems=("field",))),
        "E903",
        "tests: field is neither an ecosystem class nor a group",
        "tests：field 不是生态系统类型或大类",
    ),
    (
        lambda: indicator(quantum=0.002),
        "E904",
        "test: quantum 0.002 is not a power of ten",
        "test：量子 0.002 不是 10 的幂",
    ),
    (
        lambda: derived(quantum=0.0),
        "E904",
        "half: quantum 0.0 is not a power of ten",
        "half：量子 0.0 不是 10 的幂",
    ),
    (
        lambda: products(quantum=-1.0),
        "E904",
        "crops: quantum -1.0 is not a power of ten",
        "crops：量子 -1.0 不是 10 的幂",
    ),
    (
        lambda: register([service(), service()]),
        "E905",
        "two services are called tests with method made_up",
        "有两个服务都叫 tests，方法都是 made_up",
    ),
    (
        lambda: register(
            [
                service(),
                service(
                    indicator(rasters={"rain": "m/year"}, gives="m/year"),
                    name="others",
                ),
            ]
        ),
        "E906",
        "others: raster rain in m/year, elsewhere in mm/year",
        "others：栅格 rain 单位为 m/year，别处为 mm/year",
    ),
    (
        lambda: register([service(indicator(), derived(of="elsewhere.test"))]),
        "E907",
        "tests.half: derived from elsewhere.test, which no service has as a kernel of its own",
        "tests.half：由 elsewhere.test 推算，但没有服务直接计算它",
    ),
    (
        lambda: register([service(indicator(), derived(), derived(name="quarter", of="half"))]),
        "E907",
        "tests.quarter: derived from half, which no service has as a kernel of its own",
        "tests.quarter：由 half 推算，但没有服务直接计算它",
    ),
    (
        lambda: rows(worth=fee, kernel=fee),
        "E901",
        "test: the kernel takes ['price', 'price'], the indicator declares ['visits']",
        "test：计算函数的参数为 ['price', 'price']，指标声明为 ['visits']",
    ),
    (
        lambda: rows(columns={"price": "CNY/visit", "visits": "visit/year"}),
        "E901",
        "test: the kernel takes ['visits', 'price'], the indicator declares ['price', 'visits']",
        "test：计算函数的参数为 ['visits', 'price']，指标声明为 ['price', 'visits']",
    ),
    (
        lambda: rows(price=("entrance_fee", "CNY/visit")),
        "E908",
        "test: worth needs table, worth_example, price = None",
        "test：worth 须配合 table, worth_example, price = None",
    ),
    (
        lambda: rows(worth_example=None),
        "E908",
        "test: worth needs table, worth_example, price = None",
        "test：worth 须配合 table, worth_example, price = None",
    ),
    (
        lambda: rows(table=""),
        "E908",
        "test: worth needs table, worth_example, price = None",
        "test：worth 须配合 table, worth_example, price = None",
    ),
    (
        lambda: indicator(measured=("storage", "m^3/year")),
        "E908",
        "test: measured needs table",
        "test：measured 须配合 table",
    ),
]


@pytest.mark.parametrize(
    ("make", "code", "english", "chinese"), WRONG, ids=[f"{w[1]}-{n}" for n, w in enumerate(WRONG)]
)
def test_a_wrong_specification_is_refused(make: Any, code: str, english: str, chinese: str) -> None:
    with pytest.raises(ServiceError) as caught:
        make()
    (problem,) = caught.value.problems
    assert (problem.code, problem.text(), problem.text("zh")) == (code, english, chinese)
    assert problem.fix()
    assert problem.fix("zh")


WRONG_UNITS = [
    (
        lambda: indicator(gives="t/(ha*year)"),
        (
            "test: what the kernel gives: '(t/(ha*year)) * m^2' is [mass] / [accounting_year], "
            "but 'm^3/year' ([length] ** 3 / [accounting_year]) is needed"
        ),
    ),
    (
        lambda: indicator(cap=("emissions.so2", "t/year")),
        (
            "test: cap emissions.so2: 't/year' is [mass] / [accounting_year], "
            "but 'm^3/year' ([length] ** 3 / [accounting_year]) is needed"
        ),
    ),
    (
        lambda: indicator(price=("reservoir_cost", "CNY/t")),
        (
            "test: quantity times reservoir_cost: '(m^3/year) * (CNY_2020/t)' is "
            "[length] ** 3 * [money_of_2020] / [accounting_year] / [mass], "
            "but 'CNY_2020 / year' ([money_of_2020] / [accounting_year]) is needed"
        ),
    ),
    (
        lambda: rows(measured=("counted", "t/year")),
        (
            "test: measured counted: 't/year' is [mass] / [accounting_year], "
            "but 'visit/year' ([visits] / [accounting_year]) is needed"
        ),
    ),
    (
        lambda: indicator(rasters={"rain": "mm/yr"}),
        "unit 'mm/yr': 'yr' is not used here; write year",
    ),
    (
        lambda: register([service(indicator(), derived(times={"share": "t/m^3"}))]),
        (
            "tests.half: '(m^3/year) * (t/m^3)' is [mass] / [accounting_year], "
            "but 'm^3/year' ([length] ** 3 / [accounting_year]) is needed"
        ),
    ),
]


@pytest.mark.parametrize(("make", "text"), WRONG_UNITS)
def test_units_that_contradict_each_other_are_refused(make: Any, text: str) -> None:
    with pytest.raises(UnitError) as caught:
        make()
    assert str(caught.value) == text
