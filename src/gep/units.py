"""Units of the accounts: one small pint registry. Checked at the edges; kernels see floats."""

import math
import re
import unicodedata
from decimal import Decimal
from functools import cache, lru_cache

import pint

from gep.errors import Problem, UnitError

FIRST_YEAR, LAST_YEAR = 1990, 2060
DEFINITIONS = """\
meter = [length] = m = 米
millimeter = 1e-3 m = mm = 毫米
centimeter = 1e-2 m = cm = 厘米
hectometer = 1e2 m = hm
kilometer = 1e3 m = km = 千米 = 公里
m2 = m ** 2 = 平方米
m3 = m ** 3 = 立方米
km2 = km ** 2 = 平方公里 = 平方千米
hectare = 1e4 m2 = ha = hm2 = 公顷
亩 = hectare / 15 = mu_of_land
foot = 0.3048 m = ft
inch = 0.0254 m = in
acre = 4046.8564224 m2
gram = [mass] = g = 克
decigram = 0.1 g = dg
kilogram = 1e3 g = kg = 千克 = 公斤
tonne = 1e6 g = t = 吨
gC = [carbon]
kgC = 1e3 gC
tC = 1e6 gC
tCO2 = 12 / 44 * tC
kgCO2 = 1e-3 tCO2
tO2 = [oxygen]
ion = [ions] = 个
head = [heads] = 头
只 = [animals]
株 = [plants] = 棵
根 = [stems] = 枝
second = [time] = s = 秒
minute = 60 s = 分钟
hour = 3600 s = h = 小时
day = 24 h = 天 = 日
month = [calendar_month] = 月 = 个月
year = [accounting_year] = 年
short_ton_force = 8896.443230521 kg * m / s ** 2 = tonf
joule = kg * m ** 2 / s ** 2 = J = 焦耳
kilojoule = 1e3 J = kJ = 千焦
megajoule = 1e6 J = MJ = 兆焦
kilopascal = 1e3 J / m ** 3 = kPa = 千帕
watt = J / s = W
kilowatt_hour = 3.6 MJ = kWh = 千瓦时 = 度
degC = [temperature] = 摄氏度
kelvin = degC = K
person = [people] = 人
visit = [visits] = 人次
room = [rooms] = 间
night = [nights] = 夜
room_night = room * night = 间夜
percent = 0.01
degree = [angle] = °
CNY = [money] = 元
"""
EXAMPLES = "mm, m^2, ha, 亩, m^3, kg, t, tCO2, CNY_2020, year"
MULTIPLES = {"千": 1e3, "万": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8}
"""Chinese multiples before a unit; those in 千克, 千米 and such are part of the name."""
TRAPS = {
    "ton": "t (tonne, 1000 kg)",
    "tons": "t (tonne, 1000 kg)",
    "T": "t (tonne, 1000 kg)",
    "kt": "1000 * t",
    "Mt": "1e6 * t",
    "mu": "亩 (= ha / 15)",
    "a": "year",
    "yr": "year",
    "C": "tC, kgC or gC for carbon, degC for temperature",
    "CO2": "tCO2 or kgCO2 (carbon dioxide is a substance)",
    "TC": "tC (tonnes of carbon)",
    "Mm": "mm",
    "Mg": "t",
    "mg": "g",
    "Kg": "kg",
    "KG": "kg",
    "斤": "0.5 * kg",
    "RMB": "CNY_<year>, for example CNY_2020",
    "yuan": "CNY_<year>, for example CNY_2020",
}
"""Names that fooled somebody, and what to write instead."""

DIMENSIONS = {
    "dimensionless": "无量纲",
    "[length]": "长度",
    "[mass]": "质量",
    "[carbon]": "碳",
    "[oxygen]": "氧",
    "[ions]": "个数",
    "[heads]": "头数",
    "[animals]": "只数",
    "[plants]": "株数",
    "[stems]": "根数",
    "[time]": "时间",
    "[calendar_month]": "月",
    "[accounting_year]": "核算年",
    "[temperature]": "温度",
    "[people]": "人数",
    "[visits]": "人次",
    "[rooms]": "房间",
    "[nights]": "夜",
    "[angle]": "角度",
    "[money]": "金额",
}
"""Words for the dimensions, as Chinese messages name them."""
UNKNOWN = ("E601", "E602")
"""Codes of what no unit is, or none that is used here."""
LONGEST = 200
"""Characters a unit may have."""
_NAME = re.compile(r"[^\W\d]\w*")
_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?)(?!\w)
    |(?P<name>[^\W\d]\w*|°)
    |(?P<power>(?:\^|\*\*)\s*-?(?:[1-9](?:\.5)?|0\.5)(?![\w.]))
    |(?P<operator>[*/])
    |(?P<open>\()
    |(?P<close>\))
    )\s*""",
    re.VERBOSE,
)
_FOLLOWS = {
    "": ("number", "name", "open"),
    "open": ("number", "name", "open"),
    "operator": ("name", "open"),
    "number": ("operator", "close"),
    "name": ("power", "operator", "close"),
    "close": ("power", "operator", "close"),
    "power": ("operator", "close"),
}
"""What may stand behind what: a number only at the head, so `元/t 2` and `t*0.5` are no units."""
_SCALED = re.compile(
    r"(?<!\w)(百万|千万|万|亿|千(?![克米瓦焦帕]))([^\W\d]\w*(?:\s*(?:\^|\*\*)\s*\d+)?)"
)
CANDIDATES = (
    *("元", "万元", "亿元", "t", "万t", "kg", "m3", "万m3", "亿m3", "km2", "ha", "亩"),
    *("kWh", "万kWh", "亿kWh", "人", "万人", "人次", "万人次", "mm", "m", "day", "h", "degC"),
    *("元/t", "元/kg", "元/m3", "元/kWh", "元/人次", "元/day"),
)
"""Units people state the amounts of a table in."""


@cache
def registry() -> "pint.UnitRegistry[float]":
    """Return the one registry: nothing but the names above, and one currency per price year."""
    units: pint.UnitRegistry[float] = pint.UnitRegistry(None, on_redefinition="raise")
    for line in DEFINITIONS.splitlines():
        units.define(line)
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        units.define(f"CNY_{year} = [money_of_{year}]")
    return units


def _plain(text: str) -> str:
    """Unit text with Chinese multiples, superscripts and typographic operators spelled out.

    >>> _plain("万m³"), _plain("亿元/（万㎡·year）")
    ('(10000 * m^3)', '(1e+08 * 元)/((10000 * m2)*year)')
    """
    signs = (("²", "^2"), ("³", "^3"), ("·", "*"), ("×", "*"), ("℃", "degC"), ("°C", "degC"))
    for sign, plain in signs:
        text = text.replace(sign, plain)
    text = "".join(map(_compatible, text)).replace("%", "percent")
    return _SCALED.sub(lambda m: f"({MULTIPLES[m[1]]:g} * {m[2]})", text)


def _compatible(sign: str) -> str:
    """Full-width signs and squares such as ㎡ as plain letters; ② is no 2."""
    wide = "\uff00" <= sign <= "\uffef" or "\u3300" <= sign <= "\u33ff"
    return unicodedata.normalize("NFKC", sign) if wide else sign


def _well_formed(plain: str) -> bool:
    """Whether a text is names, products, quotients and small powers, at most a number ahead.

    >>> [_well_formed(text) for text in ("0.1*mm/year", "t/(ha*year)", "t;kg", "元/t 2", "9**9**9")]
    [True, True, False, False, False]
    """
    last, depth, end = "", 0, 0
    while end < len(plain):
        token = _TOKEN.match(plain, end)
        kind = token.lastgroup if token else None
        if token is None or kind not in _FOLLOWS[last]:
            return False
        depth += (kind == "open") - (kind == "close")
        if depth < 0:
            return False
        last, end = kind, token.end()
    return depth == 0 and "open" not in _FOLLOWS[last] and last != ""


@cache
def parse(text: str) -> "pint.Quantity[float]":
    """Quantity 1 of the unit named by *text*; "1" is dimensionless.

    >>> parse("t / (ha * year)").dimensionality == parse("kg/(m^2*year)").dimensionality
    True
    >>> parse("kg / ton")
    Traceback (most recent call last):
    gep.errors.UnitError: unit 'kg / ton': 'ton' is not used here; write t (tonne, 1000 kg)
    """
    plain = _plain(text.strip())
    for name in _NAME.findall(plain):
        if name in TRAPS:
            write = TRAPS[name]
            fields = {"unit": text, "name": name, "write": write, "at": "", "at_zh": ""}
            raise UnitError(Problem("E602", fields))
    try:
        if plain and (len(plain) > LONGEST or not _well_formed(plain)):
            raise ValueError(text)
        units = registry()
        unit: pint.Quantity[float] = units.Quantity(
            units.parse_expression("1" if plain in ("", "1") else plain)
        )
        if not 0 < unit.magnitude < math.inf:
            raise ValueError(text)
        return unit
    except Exception as error:  # pint raises a family of unrelated errors on malformed text
        fields = {"unit": text, "known": EXAMPLES, "at": "", "at_zh": ""}
        raise UnitError(Problem("E601", fields)) from error


def _placed(text: str, at: str) -> "pint.Quantity[float]":
    """`parse`, its errors saying where the unit stands."""
    try:
        return parse(text)
    except UnitError as error:
        raise UnitError(_at(error, f"{at}: ", f"{at}：")) from error


def _at(error: UnitError, at: str, at_zh: str) -> Problem:
    """Problem with a unit, its place another one."""
    (problem,) = error.problems
    return Problem(problem.code, {**problem.fields, "at": at, "at_zh": at_zh})


def candidates(unit: str) -> tuple[str, ...]:
    """Units people state an amount like *unit* in; itself where none of the usual ones is.

    >>> candidates("t/year"), candidates("CNY_2021"), candidates("visit/year")
    (('t', '万t', 'kg'), ('元', '万元', '亿元'), ('人次', '万人次'))
    """
    bare = re.sub(r"CNY_\d{4}", "CNY", unit)
    wanted = {parse(bare).dimensionality, parse(bare.removesuffix("/year")).dimensionality}
    found = tuple(name for name in CANDIDATES if parse(name).dimensionality in wanted)
    return found or (bare.replace("CNY", "元"),)


def without_multiple(unit: str) -> str:
    """Unit without the Chinese multiple it begins with.

    >>> without_multiple("万 t"), without_multiple("百万m3"), without_multiple("千克")
    ('t', 'm3', '千克')
    """
    found = re.match(r"(百万|千万|万|亿|千(?![克米瓦焦帕]))\s*(?=\S)", unit)
    return unit[found.end() :] if found else unit


def factor(have: str, want: str, what: str) -> float:
    """Number by which a value in unit *have* becomes a value in unit *want*.

    >>> factor("gC / m^2 * ha", "tCO2", "carbon")
    0.03666666666666667
    >>> factor("mm", "m^3", "retained water")
    Traceback (most recent call last):
    gep.errors.UnitError: retained water: 'mm' is [length], but 'm^3' ([length] ** 3) is needed
    """
    if (have, want) in _factors:
        return _factors[have, want]
    source, target = _placed(have, what), parse(want)
    if source.dimensionality != target.dimensionality:
        fields = {"what": what, "have": have, "want": want}
        fields |= {"have_is": _dimension(have), "want_is": _dimension(want)}
        fields["have_is_zh"] = _in_chinese(fields["have_is"])
        fields["want_is_zh"] = _in_chinese(fields["want_is"])
        raise UnitError(Problem("E603", fields))
    ratio = 1.0 if have == want else float((source / target).to_base_units().magnitude)
    if not 0 < ratio < math.inf:
        fields = {"unit": have, "known": EXAMPLES, "at": f"{what}: ", "at_zh": f"{what}："}
        raise UnitError(Problem("E601", fields))
    _factors[have, want] = _tidy(ratio)
    return _factors[have, want]


_factors: dict[tuple[str, str], float] = {}
"""Factors that were asked for: an account asks for the same few thousands of times."""


def _tidy(ratio: float) -> float:
    """Drop the last-digit noise of chained conversions: 0.001 rather than 0.0010000000000000002."""
    short = float(f"{ratio:.15g}")
    return short if short != ratio and len(repr(short)) < len(repr(ratio)) - 6 else ratio


def _dimension(text: str) -> str:
    return str(parse(text).dimensionality).strip("()") or "dimensionless"


def _in_chinese(dimension: str) -> str:
    """Dimension in Chinese words.

    >>> _in_chinese("[money_of_2021] / [length] ** 2")
    '2021 年的金额 / 长度 ** 2'
    """
    said = re.sub(r"\[money_of_(\d{4})\]", r"\1 年的金额", dimension)
    for name, word in DIMENSIONS.items():
        said = said.replace(name, word)
    return said


@lru_cache(1 << 10)
def price_year(text: str) -> int | None:
    """Year whose money *text* speaks of.

    >>> price_year("CNY_2015/m^3"), price_year("t/year")
    (2015, None)
    """
    found = re.search(r"CNY_(\d{4})\b", text)
    return int(found[1]) if found else None


@lru_cache(1 << 10)
def is_money(text: str) -> bool:
    """Tell whether *text* speaks of money, dated or not.

    >>> is_money("万元"), is_money("CNY_2015/m^3"), is_money("t")
    (True, True, False)
    """
    return bool(re.search(r"CNY(_\d{4})?\b|元", text))


@lru_cache(1 << 10)
def of_year(text: str, year: int) -> str:
    """Unit *text* with its money, dated or not, moved to *year*.

    >>> of_year("CNY/m^3", 2020), of_year("CNY_2015/m^3", 2020), of_year("万元", 2020)
    ('CNY_2020/m^3', 'CNY_2020/m^3', '万CNY_2020')
    """
    return re.sub(r"CNY(_\d{4})?\b|元", f"CNY_{year}", text)


def of_unit(error: UnitError, at: str) -> Problem:
    """Problem with a unit, with its place."""
    (problem,) = error.problems
    if problem.code not in UNKNOWN:
        return problem
    problem = _at(error, "", "")
    return Problem("E531", {"at": at, "why": problem.text("en"), "why_zh": problem.text("zh")})


@lru_cache(1 << 10)
def exact(number: float) -> Decimal:
    """Decimal that prints as the float does, a whole number without a point.

    >>> exact(1e-3), exact(0.1), exact(1000.0)
    (Decimal('0.001'), Decimal('0.1'), Decimal('1000'))
    """
    whole = float(number).is_integer() and abs(number) < 1e15
    return Decimal(int(number)) if whole else Decimal(repr(float(number)))
