"""Units of the accounts: one small pint registry. Checked at the edges; kernels see floats."""

import math
import re
import unicodedata
from decimal import Decimal
from functools import cache

import pint

from gep.errors import Problem, UnitError

FIRST_YEAR, LAST_YEAR = 1990, 2060
DEFINITIONS = """\
meter = [length] = m = 米
millimeter = 1e-3 m = mm
centimeter = 1e-2 m = cm
hectometer = 1e2 m = hm
kilometer = 1e3 m = km
m2 = m ** 2
m3 = m ** 3 = 立方米
km2 = km ** 2 = 平方公里
hectare = 1e4 m2 = ha = hm2 = 公顷
亩 = hectare / 15 = mu_of_land
foot = 0.3048 m = ft
gram = [mass] = g
decigram = 0.1 g = dg
kilogram = 1e3 g = kg = 千克 = 公斤
tonne = 1e6 g = t = 吨
gC = [carbon]
kgC = 1e3 gC
tC = 1e6 gC
tCO2 = 12 / 44 * tC
kgCO2 = 1e-3 tCO2
tO2 = [oxygen]
ion = [ions]
second = [time] = s
minute = 60 s
hour = 3600 s = h
day = 24 h
month = [calendar_month] = 月
year = [accounting_year] = 年
joule = kg * m ** 2 / s ** 2 = J
kilojoule = 1e3 J = kJ
megajoule = 1e6 J = MJ
kilopascal = 1e3 J / m ** 3 = kPa
watt = J / s = W
kilowatt_hour = 3.6 MJ = kWh = 千瓦时 = 度
degC = [temperature]
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
TEN_THOUSANDS = {"万": 1e4, "亿": 1e8}
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
_SCALED = re.compile(r"(?<!\w)(万|亿)([^\W\d]\w*(?:\s*(?:\^|\*\*)\s*\d+)?)")


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
    for sign, plain in (("²", "^2"), ("³", "^3"), ("·", "*"), ("×", "*")):
        text = text.replace(sign, plain)
    text = "".join(map(_compatible, text)).replace("%", "percent")
    return _SCALED.sub(lambda m: f"({TEN_THOUSANDS[m[1]]:g} * {m[2]})", text)


def _compatible(sign: str) -> str:
    """Full-width signs and squares such as ㎡ and ℃ as plain letters; ② is no 2."""
    wide = "\uff00" <= sign <= "\uffef" or "\u3300" <= sign <= "\u33ff" or sign == "℃"
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
            raise UnitError(Problem("E602", {"unit": text, "name": name, "write": write}))
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
        raise UnitError(Problem("E601", {"unit": text, "known": EXAMPLES})) from error


def factor(have: str, want: str, what: str) -> float:
    """Number by which a value in unit *have* becomes a value in unit *want*.

    >>> factor("gC / m^2 * ha", "tCO2", "carbon")
    0.03666666666666667
    >>> factor("mm", "m^3", "retained water")
    Traceback (most recent call last):
    gep.errors.UnitError: retained water: 'mm' is [length], but 'm^3' ([length] ** 3) is needed
    """
    source, target = parse(have), parse(want)
    if source.dimensionality != target.dimensionality:
        fields = {"what": what, "have": have, "want": want}
        fields |= {"have_is": _dimension(have), "want_is": _dimension(want)}
        raise UnitError(Problem("E603", fields))
    if have == want:
        return 1.0
    ratio = float((source / target).to_base_units().magnitude)
    if not 0 < ratio < math.inf:
        raise UnitError(Problem("E601", {"unit": have, "known": EXAMPLES}))
    return _tidy(ratio)


def _tidy(ratio: float) -> float:
    """Drop the last-digit noise of chained conversions: 0.001 rather than 0.0010000000000000002."""
    short = float(f"{ratio:.15g}")
    return short if short != ratio and len(repr(short)) < len(repr(ratio)) - 6 else ratio


def _dimension(text: str) -> str:
    return str(parse(text).dimensionality).strip("()") or "dimensionless"


def price_year(text: str) -> int | None:
    """Year whose money *text* speaks of.

    >>> price_year("CNY_2015/m^3"), price_year("t/year")
    (2015, None)
    """
    found = re.search(r"CNY_(\d{4})\b", text)
    return int(found[1]) if found else None


def is_money(text: str) -> bool:
    """Tell whether *text* speaks of money, dated or not.

    >>> is_money("万元"), is_money("CNY_2015/m^3"), is_money("t")
    (True, True, False)
    """
    return bool(re.search(r"CNY(_\d{4})?\b|元", text))


def of_year(text: str, year: int) -> str:
    """Unit *text* with its money, dated or not, moved to *year*.

    >>> of_year("CNY/m^3", 2020), of_year("CNY_2015/m^3", 2020), of_year("万元", 2020)
    ('CNY_2020/m^3', 'CNY_2020/m^3', '万CNY_2020')
    """
    return re.sub(r"CNY(_\d{4})?\b|元", f"CNY_{year}", text)


def of_unit(error: UnitError, at: str) -> Problem:
    """Problem with a unit, with its place."""
    (problem,) = error.problems
    if problem.code not in ("E601", "E602"):
        return problem
    return Problem("E531", {"at": at, "why": problem.text("en"), "why_zh": problem.text("zh")})


def exact(number: float) -> Decimal:
    """Decimal that prints as the float does, a whole number without a point.

    >>> exact(1e-3), exact(0.1), exact(1000.0)
    (Decimal('0.001'), Decimal('0.1'), Decimal('1000'))
    """
    whole = float(number).is_integer() and abs(number) < 1e15
    return Decimal(int(number)) if whole else Decimal(repr(float(number)))
