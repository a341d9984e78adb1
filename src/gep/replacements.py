"""Numbers a caller puts in place of those on file, held against the unit and range of these."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from numbers import Integral
from typing import Any

from gep.coefficients import CALLER, GIVEN, Book, Coefficient, Keys, Price, Value
from gep.ecosystems import ecosystems, groups
from gep.errors import InputError, Problem, UnitError
from gep.text import is_share, parse_number
from gep.units import exact, factor, is_money, of_unit, of_year, price_year

LARGEST = Decimal(10) ** 30
"""No number a caller gives is above this: ions of a province are counted up to 1e26 or so."""
Said = str | Mapping[str, str]
"""`7.06 CNY_2010/m^3`, or such texts by key (ecosystem, county, year)."""


def wrong(call: str, why: str, why_zh: str = "") -> InputError:
    """E019 of a call, said in both languages; without Chinese the English stands in both."""
    return InputError(Problem("E019", {"call": call, "why": why, "why_zh": why_zh or why}))


def counted(call: str, threads: Any, tile: Any = 1) -> tuple[int | None, int]:
    """Threads, None where the machine says how many, and the side of a tile [pixels] of a call.

    Raises
    ------
    InputError
        E019 unless they are whole numbers from 1 on.
    """
    for name, asked, en, zh in (
        ("threads", 1 if threads is None else threads, "a number of threads", "线程数"),
        ("tile", tile, "a side in pixels", "以像元计的边长"),
    ):
        if not isinstance(asked, Integral) or isinstance(asked, bool) or asked < 1:
            said = f"{name} = {asked!r}"
            raise wrong(call, f"{said} is not {en}", f"{said} 不是{zh}")
    return threads if threads is None else int(threads), int(tile)


@dataclass(frozen=True)
class Replacer:
    """Makes coefficients from what a call says; money is checked by moving it to *year*."""

    book: Book
    year: int
    call: str

    def replacement(self, shipped: Coefficient, said: Said) -> Coefficient:
        """Coefficient in place of *shipped*.

        A text is one number for all places and years; a mapping replaces single keys.

        Raises
        ------
        InputError, UnitError
            E019 no number, no unit, another key, undated money or money no index moves, out of
            range; E603 a unit of another quantity.
        """
        try:
            if isinstance(said, Mapping):
                return self._keyed(shipped, said)
            return self._single(shipped, str(said))
        except UnitError as error:
            raise UnitError(of_unit(error, shipped.name)) from None

    def _single(self, shipped: Coefficient, said: str) -> Coefficient:
        name = shipped.name
        if shipped.by not in (("constant",), ("year",)):
            keys = ", ".join(list(dict.fromkeys(k[0] for k in shipped.values))[:3])
            by = ", ".join(shipped.by)
            why_zh = f"{name} 按 {by} 取值；请指明，如 {keys}"
            raise wrong(self.call, f"{name} is given by {by}; say which, such as {keys}", why_zh)
        amount, unit = self._parsed(name, said)
        value = Value(amount, "seen", "", CALLER, said, verified_by=GIVEN)
        made = replace(
            shipped,
            file=CALLER,
            unit=unit or "1",
            by=("constant",),
            values={("",): value},
            set="",
            holds=False,
        )
        self._check(made, shipped, bool(unit), said)
        return made

    def _keyed(self, shipped: Coefficient, said: Mapping[str, str]) -> Coefficient:
        if shipped.by == ("constant",) or len(shipped.by) > 1:
            by = ", ".join(shipped.by)
            why_zh = f"{shipped.name} 按 {by} 取值，不能逐键给出"
            raise wrong(
                self.call, f"{shipped.name} is given by {by}: it has no single keys", why_zh
            )
        values: dict[Keys, Value] = dict(shipped.values)
        for key, text in sorted(said.items(), key=lambda entry: entry[0] not in groups()):
            value = self._at(shipped, str(key), str(text))
            for name in _keys(shipped, str(key)):
                values[(name,)] = value
        return replace(shipped, file=CALLER, values=values)

    def _at(self, shipped: Coefficient, key: str, said: str) -> Value:
        """Value of one key in the unit of the coefficient it replaces."""
        where = f"{shipped.name}.{key}"
        words = [*ecosystems(), *groups()]
        if shipped.by == ("ecosystem",) and key not in words:
            raise wrong(self.call, f"{where}: not an ecosystem", f"{where}：不是生态系统类型")
        if shipped.by == ("year",) and not key.isdigit():
            raise wrong(self.call, f"{where}: not a year", f"{where}：不是年份")
        amount, unit = self._parsed(where, said)
        want = shipped.unit
        if is_money(want) and shipped.by == ("year",):
            want = of_year(want, int(key))
        if not unit and want != "1":
            raise self._without_unit(where, said, want)
        amount *= exact(factor(unit or "1", want, where))
        self._in_range(where, said, amount, shipped)
        return Value(amount, "seen", "", CALLER, said, verified_by=GIVEN)

    def _parsed(self, name: str, said: str) -> tuple[Decimal, str]:
        digits, _, unit = said.strip().partition(" ")
        amount = number(digits, name, self.call)
        if amount is None:
            raise wrong(self.call, f"{name}: not a number: {said}", f"{name}：不是数字：{said}")
        return amount, unit.strip()

    def _check(self, made: Coefficient, shipped: Coefficient, stated: bool, said: str) -> None:
        """Refuse a number without unit, of another quantity, undated, or out of range."""
        name, amount = made.name, made.values["",].number
        if not stated and shipped.unit != "1":
            raise self._without_unit(name, said, self._example(shipped))
        if is_money(shipped.unit):
            amount = self._money_in(made, shipped, said)
        else:
            amount *= exact(factor(made.unit, shipped.unit, name))
        self._in_range(name, said, amount, shipped)

    def _in_range(self, name: str, said: str, amount: Decimal, shipped: Coefficient) -> None:
        low, high = shipped.range
        if not low <= amount <= high:
            bounds = f"{low:f} to {high:f} {shipped.unit}".removesuffix(" 1")
            why_zh = f"{name} = {said} 超出 {bounds.replace(' to ', ' 至 ')}"
            raise wrong(self.call, f"{name} = {said} is outside {bounds}", why_zh)

    def _without_unit(self, name: str, said: str, such: str) -> InputError:
        why_zh = f"{name} = {said} 没有单位，如 {such}"
        return wrong(self.call, f"{name} = {said} states no unit, such as {such}", why_zh)

    def _example(self, shipped: Coefficient) -> str:
        return of_year(shipped.unit, self.year) if is_money(shipped.unit) else shipped.unit

    def _money_in(self, made: Coefficient, shipped: Coefficient, said: str) -> Decimal:
        """Price that replaces another in the unit and the money of that other.

        Money that no index moves so far is compared unmoved; money that cannot be moved to the
        price year is an error.
        """
        text = f"{made.name} = {said}"
        year = price_year(made.unit)
        if year is None and is_money(made.unit):
            dated = of_year(made.unit, self.year)
            why_zh = f"{text} 没有写明是哪一年的价格；请写 {dated}"
            raise wrong(self.call, f"{text} states no year of its money; write {dated}", why_zh)
        if year is None:
            factor(made.unit, self._example(shipped), made.name)  # raises: this is no money
        assert year is not None
        factor(made.unit, of_year(shipped.unit, year), made.name)
        if made.values["",].number < 0:
            raise wrong(self.call, f"{text} is negative", f"{text} 为负")
        found = self.book.price(made, shipped.unit, self.year)
        if isinstance(found, Problem):
            why = f"is money of {year}, which no index moves to {self.year}"
            why_zh = f"{text} 为 {year} 年价，没有指数可换算到 {self.year} 年"
            raise wrong(self.call, f"{text} {why}", why_zh)
        own = self.book.price(made, shipped.unit, price_year(shipped.unit) or year)
        if isinstance(own, Problem):
            own = self.book.price(made, shipped.unit, year)
        assert isinstance(own, Price)
        return own.number


def _keys(shipped: Coefficient, key: str) -> list[str]:
    """Key, and the classes of a group that have a number of their own, which beats the group's."""
    if shipped.by != ("ecosystem",) or key not in groups():
        return [key]
    own = [e.key for e in ecosystems().values() if e.group == key and (e.key,) in shipped.values]
    return [key, *own]


def replaced(book: Book, said: Mapping[str, Said], year: int, call: str) -> Book:
    """Book with numbers of a caller in place of every set of the coefficient of each name.

    A name that stands in one file only may be bare; else it is `file.name`.

    Raises
    ------
    InputError
        E019 a name nobody has, or one that stands in several files and says not which.
    """
    replacer = Replacer(book, year, call)
    services = {file: dict(entries) for file, entries in book.services.items()}
    for name, text in said.items():
        file, bare = _owner(book, name, call)
        sets = services[file][bare]
        services[file][bare] = {k: replacer.replacement(c, text) for k, c in sets.items()}
    on_file = (book.on_file or book) if said else book.on_file
    return replace(book, services=services, on_file=on_file)


def _owner(book: Book, name: str, call: str) -> tuple[str, str]:
    """File and bare name of the coefficient a caller names."""
    file, _, bare = name.rpartition(".")
    owners = [own for own, entries in book.services.items() if bare in entries]
    if len(owners) > 1 and not file:
        why = f"{name} stands in {', '.join(owners)}; write {owners[0]}.{name}"
        why_zh = f"{name} 见于 {'、'.join(owners)}；请写 {owners[0]}.{name}"
        raise wrong(call, why, why_zh)
    if not owners or (file and file not in owners):
        known = {key for entries in book.services.values() for key in entries}
        raise unknown(call, name, [f"{own}.{bare}" for own in owners] or sorted(known))
    return file or owners[0], bare


def number(text: str, what: str, call: str, what_zh: str = "") -> Decimal | None:
    """Return the number a text says, as tables read it; None if it is empty."""
    found = text if is_share(text) else parse_number(text)
    if isinstance(found, str):
        raise wrong(call, f"{what}: not a number: {text}", f"{what_zh or what}：不是数字：{text}")
    if found is not None and abs(found) > LARGEST:
        why, why_zh = f"{text} is above {LARGEST:.0e}", f"{text} 大于 {LARGEST:.0e}"
        raise wrong(call, f"{what}: {why}", f"{what_zh or what}：{why_zh}")
    return found


def unknown(call: str, name: str, known: Iterable[str]) -> InputError:
    """E019 of a coefficient nobody has."""
    names = list(known)
    why_zh = f"没有系数 {name}；{suggest(name, names, 'zh')}"
    return wrong(call, f"unknown coefficient {name}; {suggest(name, names)}", why_zh)


def suggest(word: str, known: Iterable[str], language: str = "en") -> str:
    """Word that was perhaps meant, else all there are.

    >>> suggest("quantiy", ["quantity", "price"]), suggest("bees", ["quantity", "price"])
    ('did you mean quantity?', 'known: quantity, price')
    """
    names = list(known)
    close = difflib.get_close_matches(word, names, 1)
    if language == "zh":
        return f"是否指 {close[0]}？" if close else f"可用：{'、'.join(names)}"
    return f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"
