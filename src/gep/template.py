"""`gep init`: a commented gep.toml, empty tables with headers and units, and what to obtain."""

from dataclasses import replace
from pathlib import Path

from gep.columns import COMPARED, JUDGED
from gep.ecosystems import Title
from gep.errors import InputError, Problem, ResourceError
from gep.layers import UNKNOWN, records, variables
from gep.profile import Choice, Profile, chosen, load
from gep.service import Indicator, Products, Service, services
from gep.statistics import ITEM
from gep.units import FIRST_YEAR
from gep.variants import variants

HEAD = """\
# Account of the Gross Ecosystem Product / 生态产品总值核算
# Files are found from the folder of this file. `gep check` lists every problem, `gep run` accounts.
# 文件路径相对于本文件所在文件夹。先运行 gep check 查问题，再运行 gep run 核算。

[account]
name = "{name}"
year = 2021                  # accounting year / 核算年份 ({first} …)
profile = "{profile}"
# price_year = 2021          # money of which year, else the above / 价格年份，不写则为核算年份
# base_year = 2021           # constant prices of this year beside / 不变价基年
# optional = [{optional}]  # left to you / 可选服务

[counties]                   # polygons with a CRS / 带坐标系的县区界线
file = "counties.gpkg"
code = "code"                # attribute with the 6-digit code / 六位代码所在属性
name = "name"
# city_code = "city_code"
# city_name = "city_name"

[rasters.ecosystem]          # land cover; its grid is the account grid / 土地覆被，核算格网
file = "ecosystem.tif"
# clcd globeland30 worldcover glc_fcs30 cnlucd third_survey igbp gep, or a file
legend = "clcd"
"""
LAYER = """
# {title}; needed by / 用于 {services}
# [rasters.{name}]
# file = "{name}.tif"
# unit = "{unit}"            # of the value after scale and offset / 乘以比例因子之后的单位
# # scale = 1                # only if the file does not state it / 文件未注明时才写
"""
TABLE = """
# {title}
# {services}
# [statistics.{name}]
# file = "{name}.csv"
"""
WORKBOOKS = """
# Tables: CSV or .xlsx; of several sheets name one, sheet = "…"
# 统计表：CSV 或 .xlsx；有多个工作表时用 sheet = "…" 指明
# Headers of your own: columns = { county_code = "县区代码" }
# 自己的列名：columns = { county_code = "县区代码" }，也可写 { column = "…", unit = "…" }
"""
COMPARISONS = {
    "population": "人均 GEP / GEP per person",
    "gdp": "GEP 与 GDP 之比 / GEP to GDP",
    **dict.fromkeys(JUDGED, "质量规则（可选） / quality rules (optional)"),
}
"""What the tables are for that no service reads."""
OPTIONAL = "（可选）"
VARIANT = "敏感性分析（可选） / sensitivity (optional)"
NOT_BOTH = """
# 只能计其一 / only one of them counts: {zh} ({en})
"""
TAIL = """
# [accept]                   # findings accepted, with the reason / 接受的问题及理由
# E305 = "…"

# [output]
# folder = "output"
# maps = true                # quantity and value per pixel, or names / 逐像元地图
"""


def write(folder: Path, profile: str) -> list[Path]:
    """Write the files of a new account into *folder*, which must be new or empty.

    Raises
    ------
    InputError
        E006 no such profile, E017 the folder holds something already, or is a file.
    ResourceError
        E705 the folder cannot be written.
    """
    picked = load(profile)
    ready = [_marked(choice, service) for choice, service in chosen(picked, services())]
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(Problem("E017", {"folder": folder}))
    files = {"gep.toml": _toml(folder.resolve().name, picked, ready)}
    files |= {f"{name}.csv": header for name, (header, _) in _tables(ready).items()}
    files["数据清单.md"] = _list(ready)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            mark = "utf-8-sig" if name.endswith(".csv") else "utf8"
            (folder / name).write_text(text, mark)
    except OSError as error:
        raise ResourceError(Problem("E705", {"folder": folder, "why": error.strerror})) from None
    return [folder / name for name in files]


def _marked(choice: Choice, service: Service) -> Service:
    """Service, its Chinese title saying so if the profile leaves it to the user."""
    zh = service.title.zh + (OPTIONAL if choice.counted == "optional" else "")
    return replace(service, title=service.title._replace(zh=zh))


def _layers(ready: list[Service]) -> dict[str, tuple[str, str, list[str]]]:
    """Unit, title and users of every raster the services can read."""
    found: dict[str, tuple[str, str, list[str]]] = {}
    for service in ready:
        for name in (*service.rasters(), *service.weights()):
            known = variables().get(name)
            title = _both(known.title) if known else name
            unit = service.rasters().get(name) or (known.unit if known else "1")
            found.setdefault(name, (unit, title, []))[2].append(service.title.zh)
    for variant in variants():
        for name, instead in variant.rasters().items():
            if instead in found and name not in found:
                other = variables()[name]
                found[name] = (found[instead][0], _both(other.title), [VARIANT])
    return found


def _tables(ready: list[Service]) -> dict[str, tuple[str, list[str]]]:
    """Header line and users of every statistics table the account can read."""
    columns: dict[str, list[str]] = {}
    users: dict[str, list[str]] = {}
    for service in ready:
        for i in service.indicators:
            needed: list[tuple[str, str]] = []
            if isinstance(i, Products):
                needed = [(i.table, "group"), (i.table, "product"), (i.table, "quantity")]
                needed += [(i.table, "unit"), (i.table, "price"), (i.table, "price_unit")]
                needed += [(i.table, "value(元)"), (i.table, "ecosystem")]
            elif isinstance(i, Indicator):
                needed = [(i.table, ITEM)] if i.items else []
                columns_of = [*i.columns.items(), *([i.measured] if i.measured else [])]
                needed += [(i.table, _header(*column)) for column in columns_of]
                if i.cap:
                    table, column = i.cap[0].split(".")
                    needed.append((table, _header(column, i.cap[1])))
            for table, column in needed:
                columns.setdefault(table, ["county_code"])
                if column not in columns[table]:
                    columns[table].append(column)
                if service.title.zh not in users.setdefault(table, []):
                    users[table].append(service.title.zh)
    for table, unit in COMPARED.items():
        columns[table] = ["county_code", _header("value", unit.replace("CNY", "元"))]
        users[table] = [COMPARISONS[table]]
    for table, needs in JUDGED.items():
        columns[table] = ["county_code", *(_header(*column) for column in needs.items())]
        users[table] = [COMPARISONS[table]]
    return {name: (",".join(row) + "\r\n", users[name]) for name, row in columns.items()}


def headers(ready: list[Service]) -> dict[str, str]:
    """Header line of every statistics table, as a CSV would begin."""
    return {name: line.strip() for name, (line, _) in _tables(ready).items()}


def _header(name: str, unit: str) -> str:
    """Column with its unit; a table is of one year, so an amount of a year needs no `/year`.

    >>> _header("visitors", "visit/year")
    'visitors(visit)'
    """
    return f"{name}({unit.removesuffix('/year')})"


def _toml(name: str, profile: Profile, ready: list[Service]) -> str:
    marked = (f'"{service.name}"' for service in ready if service.title.zh.endswith(OPTIONAL))
    optional = ", ".join(marked)
    text = HEAD.format(name=name, profile=profile.name, first=FIRST_YEAR, optional=optional)
    for layer, (unit, title, users) in _layers(ready).items():
        named = "、".join(dict.fromkeys(users))
        text += LAYER.format(name=layer, unit=unit, title=title, services=named)
    text += WORKBOOKS
    for table, (_, users) in _tables(ready).items():
        text += TABLE.format(name=table, title=_both(_record(table)[0]), services="、".join(users))
    built = {service.name: service.title.zh.removesuffix(OPTIONAL) for service in ready}
    for pair in profile.exclusive:
        if set(pair) <= built.keys():
            text += NOT_BOTH.format(zh="、".join(built[n] for n in pair), en=", ".join(pair))
    return text + TAIL


def _record(name: str) -> tuple[Title, Title]:
    """Title and office of an input that is no raster variable."""
    known = records().get(name)
    return (known.title, known.office) if known else (Title(name, name), UNKNOWN)


def _both(title: Title) -> str:
    """Chinese and English, as the list gives them.

    >>> _both(Title("Lakes", "湖泊")), _both(UNKNOWN)
    ('湖泊 / Lakes', '—')
    """
    return title.zh if title.zh == title.en else f"{title.zh} / {title.en}"


def _list(ready: list[Service]) -> str:
    """What to obtain from whom, as a table a bureau can send around."""
    lines = [
        "# 数据清单 / What to obtain",
        "",
        "| 数据 / data | 单位或列 / unit or columns | 用于 / for | 向谁要 / whom to ask |",
        "|---|---|---|---|",
    ]
    for name, file in (("counties", "counties.gpkg"), ("ecosystem", "ecosystem.tif")):
        title, office = _record(name)
        lines.append(f"| {_both(title)} `{file}` | — | 全部 / all | {_both(office)} |")
    for name, (unit, said, users) in _layers(ready).items():
        known = variables().get(name)
        whom = _both(known.office if known else UNKNOWN)
        named = "、".join(dict.fromkeys(users))
        lines.append(f"| {said} `{name}` | {unit} | {named} | {whom} |")
    for name, (header, users) in _tables(ready).items():
        title, office = _record(name)
        cells = (f"{_both(title)} `{name}.csv`", header.strip(), "、".join(users), _both(office))
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "统计表可为 CSV 或 xlsx 工作簿 / a table may be a CSV or an xlsx workbook"]
    lines += ["", "products 表的 group 一列填："]
    for service in ready:
        for i in service.indicators:
            if isinstance(i, Products):
                zh = service.title.zh.removesuffix(OPTIONAL)
                lines.append(f"- {i.group}，或 {zh} / {i.group}, or {zh}")
    return "\n".join(lines) + "\n"
