"""The audit answer: one number, back to its formula, coefficients, files and software."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gep.ecosystems import ecosystems, groups
from gep.errors import InputError, Problem
from gep.layers import variables
from gep.phrases import WORDS, formula, titled
from gep.profile import catalogue
from gep.tables import say_quantity, ten_thousands

TOTALS = ("total", "gep", "合计", "总计", "总值")
"""What people call the sum of all services, and the area that has all counties."""
UNALLOCATED = "unallocated"
"""Place of what belongs to no county."""
MEASURED, FORMULA = "measured", "formula"
"""How the rows of a table came to their amounts, as run.json names it."""


def explain(
    run: Mapping[str, Any], rows: list[dict[str, str]], place: str, service: str, language: str
) -> str:
    """Text that takes one service of one place apart.

    Raises
    ------
    InputError
        E015 no such service in the run, E016 no such place.
    """
    core = run["core"]
    whole = service.lower() in TOTALS
    name = "" if whole else _service(core, service)
    code, county, places = _place(core, rows, place)
    if whole:
        own = [row for row in rows if row["county_code"] in places]
        return "\n".join(_total(run, own, code, county, language))
    mine = [row for row in rows if row["county_code"] in places and row["service"] == name]
    title = catalogue()[name].title.say(language)
    year = core["account"]["account"]["year"]
    words = WORDS[language]
    money = [_cents(row["value"]) for row in mine if row["value"]]
    total = ten_thousands(sum(money)) + " 万元" if money else words["missing"]
    called = f"{county} {words.get(code, code)}".strip()
    lines = [f"{called} · {title} · {year}    {words['value']} {total}"]
    lines.append(_state(core, words))
    for item in core["items"]:
        if item["service"] == name:
            own = _own_rows(item, mine)
            lines += _item(core, item, own, code, language)
    for role in ("rasters.ecosystem", "counties"):
        entry = core["inputs"][role]
        lines.append(f"{words[role]}{words[':']}{entry['file']}  sha256 {entry['sha256'][:12]}…")
    software = core["software"]
    versions = words[","].join(f"{n} {software[n]}" for n in ("gep", "numpy", "numba", "rasterio"))
    lines.append(f"{words['run']} {run['root'][:16]}   {versions}")
    return "\n".join(lines)


def _total(
    run: Mapping[str, Any], rows: list[dict[str, str]], code: str, county: str, language: str
) -> list[str]:
    """Lines on the total of one place: the services it is the sum of, and what it lacks."""
    core, words = run["core"], WORDS[language]
    sums: dict[str, list[int]] = {}
    for row in rows:
        if row["value"]:
            sums.setdefault(row["service"], []).append(_cents(row["value"]))
    cents = {name: sum(found) for name, found in sums.items()}
    money = sum(cents.values())
    lacks = list(dict.fromkeys(r["service"] for r in rows if r["value_unit"] and not r["value"]))
    whole = not lacks and not core["uncovered"]
    year = core["account"]["account"]["year"]
    called = f"{county} {words.get(code, code)}".strip()
    total = words["gep" if whole else "not_gep"]
    said = f"{ten_thousands(money)} 万元" if cents else words["missing"]
    lines = [f"{called} · {total} · {year}    {words['value']} {said}"]
    lines += [_state(core, words), f"{words['sum_of']}{words[':']}".rstrip()]
    for name, own in cents.items():
        share = f"  {Decimal(own) / money:.1%}" if money else ""
        title = catalogue()[name].title.say(language)
        lines.append(f"    {title} {name}{words[':']}{ten_thousands(own)} 万元{share}")
    if lacks:
        titles = (catalogue()[name].title.say(language) for name in lacks)
        lines.append(f"{words['lacks']}{words[':']}{words['list'].join(titles)}")
    lines += [f"{words['uncovered']}{words[':']}{u[language]}" for u in core["uncovered"]]
    lines.append(f"{words['run']} {run['root'][:16]}   gep {core['software']['gep']}")
    return lines


def _state(core: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """How far the profile of a run is verified, and whether the account is whole."""
    state = words["provisional"] + (words["partial"] if core["uncovered"] else "")
    profile = f"{core['profile']['name']} {core['profile']['version']}"
    return words["state"].format(state=state, profile=profile)


def _service(core: Mapping[str, Any], asked: str) -> str:
    names: list[str] = list(dict.fromkeys(item["service"] for item in core["items"]))
    for name in names:
        if asked in (name, *catalogue()[name].title):
            return name
    reason = next((u for u in core["uncovered"] if u["service"] == asked), {"en": "", "zh": ""})
    fields = {
        "service": asked,
        "known": ", ".join(f"{name} ({catalogue()[name].title.zh})" for name in names),
        "known_zh": "、".join(f"{catalogue()[name].title.zh}（{name}）" for name in names),
        "why": reason["en"] and f"({reason['en']})",
        "why_zh": reason["zh"] and f"（{reason['zh']}）",
    }
    raise InputError(Problem("E015", fields))


def _place(
    core: Mapping[str, Any], rows: list[dict[str, str]], asked: str
) -> tuple[str, str, set[str]]:
    """Code and name of a county, city or province, and the codes of the places it is made of."""
    known = {row["county_code"]: row["county_name"] for row in rows}
    found = [(code, name, {code}) for code, name in known.items()]
    found += [(area["code"], area["name"], set(area["places"])) for area in core["areas"]]
    whole = found[-1:] if asked.lower() in TOTALS else []
    for code, name, places in [*whole, *found]:
        here = asked in (code, name, WORDS["zh"].get(code)) or whole
        if asked and here:
            return code, name, places
    named = (f"{code} {name}".strip() for code, name, _ in (*found[:6], *found[-2:]))
    some = list(dict.fromkeys(named))
    fields = {"place": asked, "known": ", ".join(some), "known_zh": "、".join(some)}
    raise InputError(Problem("E016", fields))


def _own_rows(item: Mapping[str, Any], mine: list[dict[str, str]]) -> list[dict[str, str]]:
    if "table" in item:
        return mine
    return [row for row in mine if row["indicator"] == item["indicator"]]


def _cents(text: str) -> int:
    return int(Decimal(text).scaleb(2))


def _item(
    core: Mapping[str, Any],
    item: Mapping[str, Any],
    rows: list[dict[str, str]],
    code: str,
    language: str,
) -> list[str]:
    """Lines on one indicator: amount, formula, layers, coefficients, price, ecosystems."""
    words = WORDS[language]
    lines = [f"- {item['title'][language]}"]
    if not item["counted"]:
        lines[0] += f" {words['(']}{words['not_counted']}{words[')']}"
    if "table" in item:
        lines += _products(core, item, rows, words, language)
        return lines
    known = [Decimal(row["quantity"]) for row in rows if row["quantity"]]
    unit = rows[0]["quantity_unit"] if rows else ""
    amount = say_quantity(sum(known, Decimal(0)), unit, language) if known else words["missing"]
    money = [_cents(row["value"]) for row in rows if row["value"]]
    value = f"   {words['value']} {ten_thousands(sum(money))} 万元" if money else ""
    lines.append(f"    {words['quantity']} {amount}{value}")
    ways = _ways(item, rows)
    if ways:
        lines.append(f"    {_said(ways, unit, language)}")
    by_formula = not ways or FORMULA in ways
    if by_formula:
        lines.append(f"    {words['formula']}{words[':']}{formula(item['source'], language)}")
    if item["derived_from"]:
        parts = "".join(f" × {_titled(core, name, language)}" for name in item["times"])
        per = "".join(f" / {_titled(core, name, language)}" for name in item["per"])
        base = item["derived_from"]
        of = _titled(core, base if "." in base else f"{item['service']}.{base}", language)
        lines.append(f"    {words['from']}{words[':']}{of}{parts}{per}")
    if item["cap"]:
        lines.append(
            f"    {words['cap']}{words[':']}{titled(item['cap'], language)}"
            f"  {_file(core, 'statistics', item['cap'])}"
        )
        limits = item["capped"].get(code)
        if limits:
            for name in ("capacity", "load"):
                held = Decimal(limits[name]) if limits[name] else None
                said = words["missing"] if held is None else say_quantity(held, unit, language)
                lines.append(f"      {words[name]} {said}")
    if rows_of := item.get("rows"):
        measured = rows_of["measured"] if not ways or MEASURED in ways else {}
        columns = (rows_of["columns"] if by_formula else {}) | measured
        listed = words[","].join(f"{name} [{unit}]" for name, unit in columns.items())
        table = f"{titled(rows_of['table'], language)}{words[':']}{listed}"
        at = _file(core, "statistics", rows_of["table"])
        lines.append(f"    {words['table']}{words[':']}{table}  {at}")
    for raster, unit in item["rasters"].items():
        title = variables()[raster].title.say(language) + " " if raster in variables() else ""
        at = _file(core, "rasters", raster)
        lines.append(f"    {words['layers']}{words[':']}{title}{raster} [{unit}]  {at}")
        lines += _prepared(core, raster, rows, code, language)
    for coefficient, found in item["coefficients"].items() if by_formula else ():
        lines += _coefficient(coefficient, found, rows, code, language)
    for price in item.get("prices", ()):
        lines += _price(price, words)
    coverage = core["coverage"].get(f"{item['service']}.{item['indicator']}", {}).get(code)
    if coverage is not None:
        lines.append(f"    {words['coverage']}{words[':']}{Decimal(coverage):.2%}")
    if code in item["negative"]:
        lines.append(f"    {words['negative']}{words[':']}{item['negative'][code]}")
    shares = _ecosystems(rows, language)
    if shares:
        lines.append(f"    {words['ecosystems']}{words[':']}{shares}")
    return lines


def _ways(
    item: Mapping[str, Any], rows: list[dict[str, str]]
) -> dict[str, tuple[int, Decimal | None]]:
    """Rows and amount of a place by way, measured or by formula; empty where nothing parts them."""
    found: dict[str, tuple[int, Decimal | None]] = {}
    for place in dict.fromkeys(row["county_code"] for row in rows):
        for way, (count, said) in item.get("measured", {}).get(place, {}).items():
            rows_before, before = found.get(way, (0, Decimal(0)))
            amount = None if before is None or not said else before + Decimal(said)
            found[way] = rows_before + count, amount
    return found


def _said(ways: Mapping[str, tuple[int, Decimal | None]], unit: str, language: str) -> str:
    """What was measured and what the formula gave, on one line."""
    words = WORDS[language]
    parts = []
    for way in (MEASURED, FORMULA):
        if way in ways:
            count, amount = ways[way]
            rows = words["row"] if count == 1 else words["rows"].format(count=count)
            said = words["missing"] if amount is None else say_quantity(amount, unit, language)
            title = words[MEASURED] if way == MEASURED else words["by_formula"]
            parts.append(f"{title}{words[':']}{rows}{words[',']}{said}")
    return words[";"].join(parts)


def _prepared(
    core: Mapping[str, Any], raster: str, rows: list[dict[str, str]], code: str, language: str
) -> list[str]:
    """Lines on how a raster was made of others, and those in turn; none if it was given."""
    made = core.get("preparations", {}).get(raster)
    if made is None:
        return []
    words = WORDS[language]
    method = f"{words['(']}{made['method']}{words[')']}"
    head = f"{words['prepared']}{words[':']}{made['title'][language]}{method}"
    lines = [
        f"      {head}",
        f"      {words['formula']}{words[':']}{formula(made['source'], language)}",
    ]
    for name, unit in made["rasters"].items():
        title = variables()[name].title.say(language) + " " if name in variables() else ""
        lines.append(
            f"      {words['made_from']}{words[':']}{title}{name} [{unit}]"
            + ("" if name in core["preparations"] else f"  {_file(core, 'rasters', name)}")
        )
        lines += [f"  {line}" for line in _prepared(core, name, rows, code, language)]
    for name, found in made["coefficients"].items():
        lines += [f"  {line}" for line in _coefficient(name, found, rows, code, language)]
    return lines


def _titled(core: Mapping[str, Any], name: str, language: str) -> str:
    """Title of an indicator `service.indicator` or of a coefficient of the run, and its name."""
    for item in core["items"]:
        if name == f"{item['service']}.{item['indicator']}":
            title = item["title"][language]
            return f"{title}（{name}）" if language == "zh" else item["indicator"]
        if language == "zh" and name in item["coefficients"]:
            return f"{item['coefficients'][name]['title'][language]}（{name}）"
    return name


def _file(core: Mapping[str, Any], kind: str, name: str) -> str:
    entry = core["inputs"].get(f"{kind}.{name.split('.')[0]}", {})
    return f"{entry.get('file', '?')}  sha256 {entry.get('sha256', '?')[:12]}…"


def _tag(value: Mapping[str, str], words: Mapping[str, str]) -> str:
    """Where a number is from and whether anybody checked it."""
    states = filter(None, (value["status"], value["confidence"]))
    status = words["and"].join(words.get(state, state) for state in states)
    checked = value["verified_by"] or words["unverified"]
    source = words[","].join(filter(None, (value["source"], value["where"])))
    return f"[{words[';'].join((source, status, words.get(checked, checked)))}]"


def _coefficient(
    name: str,
    found: Mapping[str, Any],
    rows: list[dict[str, str]],
    code: str,
    language: str,
) -> list[str]:
    """Lines on one coefficient: only the values this place used."""
    words = WORDS[language]
    present = {row["ecosystem"] for row in rows}
    groups = {ecosystems()[e].group for e in present if e in ecosystems()}
    used = {
        key: value
        for key, value in found["values"].items()
        if key in ("constant", code) or key in present or key in groups or key.isdigit()
    }
    tags: dict[str, list[str]] = {}
    for key, value in used.items():
        label = "" if key == "constant" else _named(key, language) + " "
        tags.setdefault(_tag(value, words), []).append(f"{label}{value['value']}")
    unit = "" if found["unit"] == "1" else f" [{found['unit']}]"
    title = found["title"][language]
    at = f"{words['(']}{found['at']}{words[')']}"
    head = f"    {words['coefficients']}{words[':']}{title} {name}{unit}{at}"
    return [head, *(f"      {words[','].join(texts)}  {tag}" for tag, texts in tags.items())]


def _price(price: Mapping[str, Any], words: Mapping[str, str]) -> list[str]:
    printed = price["printed"]
    at = f"{words['(']}{price['at']}{words[')']}"
    line = f"    {words['price']}{words[':']}{price['price']} {price['unit']}{at}"
    origin = (
        f"      {words['printed']} {printed['value']} {printed['unit']}  {_tag(printed, words)}"
    )
    if price["index"]:
        origin += f" × {words['index']} {price['index']} {price['ratio']}"
    return [line, origin]


def _products(
    core: Mapping[str, Any],
    item: Mapping[str, Any],
    rows: list[dict[str, str]],
    words: Mapping[str, str],
    language: str,
) -> list[str]:
    """Lines on open rows: every product with quantity, price and value."""
    lines = [f"    {words['formula']}{words[':']}{formula(item['source'], language)}"]
    lines.append(f"    {words['table']}{words[':']}{_file(core, 'statistics', item['table'])}")
    for raster in item["spread"]:
        if f"rasters.{raster}" in core["inputs"]:
            lines.append(
                f"    {words['spread']}{words[':']}{titled(raster, language)}"
                f"  {_file(core, 'rasters', raster)}"
            )
            break
    for product in dict.fromkeys(row["indicator"] for row in rows):
        own = [row for row in rows if row["indicator"] == product]
        known = [Decimal(row["quantity"]) for row in own if row["quantity"]]
        money = [_cents(row["value"]) for row in own if row["value"]]
        price = next((f"{row['price']} {row['price_unit']}" for row in own if row["price"]), "—")
        amount = (
            say_quantity(sum(known, Decimal(0)), own[0]["quantity_unit"], language)
            if known
            else "—"
        )
        total = ten_thousands(sum(money)) if money else "—"
        lines.append(f"      {product}{words[':']}{amount} × {price} = {total} 万元")
    return lines


def _named(key: str, language: str) -> str:
    """Ecosystem class or group in one language; anything else as it is."""
    if key in ecosystems():
        return ecosystems()[key].title.say(language)
    return groups()[key].say(language) if key in groups() else WORDS[language].get(key, key)


def _ecosystems(rows: list[dict[str, str]], language: str) -> str:
    """Return the largest ecosystems by quantity, with their shares where all are positive."""
    amounts = {row["ecosystem"]: Decimal(row["quantity"]) for row in rows if row["quantity"]}
    total = sum(amounts.values())
    largest = sorted(amounts.items(), key=lambda entry: -abs(entry[1]))[:5]
    if total and min(amounts.values()) >= 0:
        return " · ".join(f"{_named(kind, language)} {a / total:.1%}" for kind, a in largest)
    unit = next((row["quantity_unit"] for row in rows), "")
    return " · ".join(
        f"{_named(kind, language)} {say_quantity(a, unit, language)}" for kind, a in largest
    )
