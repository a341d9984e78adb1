"""`gep init`: a commented gep.toml, empty tables with headers and units, and what to obtain."""

from dataclasses import replace
from pathlib import Path

from gep.errors import InputError, Problem, ResourceError
from gep.layers import variables
from gep.profile import Choice, Profile, chosen, load
from gep.service import Indicator, Products, Service, services
from gep.statistics import ITEM
from gep.units import FIRST_YEAR

HEAD = """\
# Account of the Gross Ecosystem Product / 生态产品总值核算
# Files are found from the folder of this file. `gep check` lists every problem, `gep run` accounts.
# 文件路径相对于本文件所在文件夹。先运行 gep check 查问题,再运行 gep run 核算。

[account]
name = "{name}"
year = 2021                  # accounting year / 核算年份 ({first} …)
profile = "{profile}"
# price_year = 2021          # money of which year / 价格年份, default: the accounting year
# optional = [{optional}]  # left to you / 可选服务

[counties]                   # polygons with a CRS / 带坐标系的县区界线
file = "counties.gpkg"
code = "code"                # attribute with the 6-digit code / 六位代码所在属性
name = "name"
# city_code = "city_code"
# city_name = "city_name"

[rasters.ecosystem]          # land cover; its grid is the account grid / 土地覆被,核算格网
file = "ecosystem.tif"
# clcd globeland30 worldcover glc_fcs30 cnlucd third_survey igbp gep, or a file
legend = "clcd"
"""
LAYER = """
# {title}; needed by / 用于 {services}
# [rasters.{name}]
# file = "{name}.tif"
# unit = "{unit}"            # of the value after scale and offset / 乘以比例因子之后的单位
# scale = 1                  # only if the file does not state it / 文件未注明时才写
"""
TABLE = """
# {services}
# [statistics.{name}]
# file = "{name}.csv"
"""
OPTIONAL = "（可选）"
NOT_BOTH = """
# 只能计其一 / only one of them counts: {zh} ({en})
"""
TAIL = """
# [accept]                   # findings accepted, with the reason / 接受的问题及理由
# E305 = "…"

# [output]
# folder = "output"
"""


def write(folder: Path, profile: str) -> list[Path]:
    """Write the files of a new account into *folder*, which must be new or empty.

    Raises
    ------
    InputError
        E006 no such profile, E017 the folder holds something already.
    ResourceError
        E705 the folder cannot be written.
    """
    picked = load(profile)
    ready = [_marked(choice, service) for choice, service in chosen(picked, services())]
    if folder.exists() and any(folder.iterdir()):
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
            title = f"{known.title.en} / {known.title.zh}" if known else name
            unit = service.rasters().get(name) or (known.unit if known else "1")
            found.setdefault(name, (unit, title, []))[2].append(service.title.zh)
    return found


def _tables(ready: list[Service]) -> dict[str, tuple[str, list[str]]]:
    """Header line and users of every statistics table the services can read."""
    columns: dict[str, list[str]] = {}
    users: dict[str, list[str]] = {}
    for service in ready:
        for i in service.indicators:
            needed: list[tuple[str, str]] = []
            if isinstance(i, Products):
                needed = [(i.table, "group"), (i.table, "product"), (i.table, "quantity")]
                needed += [(i.table, "unit"), (i.table, "price"), (i.table, "price_unit")]
                needed += [(i.table, "value(元)")]
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
    return {name: (",".join(row) + "\r\n", users[name]) for name, row in columns.items()}


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
    for table, (_, users) in _tables(ready).items():
        text += TABLE.format(name=table, services="、".join(users))
    built = {service.name: service.title.zh.removesuffix(OPTIONAL) for service in ready}
    for pair in profile.exclusive:
        if set(pair) <= built.keys():
            text += NOT_BOTH.format(zh="、".join(built[n] for n in pair), en=", ".join(pair))
    return text + TAIL


def _list(ready: list[Service]) -> str:
    """What to obtain, as a table a bureau can send around."""
    lines = [
        "# 数据清单 / What to obtain",
        "",
        "| 数据 / data | 单位 / unit | 用于 / for |",
        "|---|---|---|",
    ]
    lines.append("| 县区界线 counties.gpkg | — | 全部 / all |")
    lines.append("| 土地覆被 ecosystem.tif | — | 全部 / all |")
    for name, (unit, title, users) in _layers(ready).items():
        lines.append(f"| {title} `{name}` | {unit} | {'、'.join(dict.fromkeys(users))} |")
    for name, (header, users) in _tables(ready).items():
        lines.append(f"| 统计表 `{name}.csv` | {header.strip()} | {'、'.join(users)} |")
    lines += ["", "products 表的 group 一列填："]
    for service in ready:
        for i in service.indicators:
            if isinstance(i, Products):
                lines.append(f"- {i.group}:{service.title.zh}")
    return "\n".join(lines) + "\n"
