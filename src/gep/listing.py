"""The services of a profile and the numbers behind them, as flat rows."""

from collections.abc import Mapping, Sequence

from gep import coefficients
from gep.ecosystems import ecosystems, groups
from gep.errors import InputError, Problem
from gep.layers import variables
from gep.phrases import WORDS as PHRASES
from gep.phrases import titled
from gep.preparation import preparations as registered
from gep.profile import catalogue, load
from gep.service import Derived, Indicator, Products, Service
from gep.service import services as registry
from gep.tables import Row
from gep.words import WORDS as TERMINAL

SERVICE_COLUMNS = ("service", "服务", "group", "method", "counted", "built", "kind", "inputs")
PREPARATION_COLUMNS = ("raster", "栅格", "method", "方法", "from", "gives")
SHOWN_COLUMNS = ("name", "set", "key", "value", "unit", "source", "where", "status")
PROFILE_COLUMNS = ("name", "status", "title")
CHINESE = {
    "service": "名称",
    "group": "大类",
    "method": "方法",
    "counted": "计入",
    "built": "已实现",
    "kind": "算法",
    "inputs": "输入",
    "raster": "名称",
    "方法": "说明",
    "from": "由何推算",
    "gives": "单位",
    "name": "名称",
    "set": "组",
    "key": "适用",
    "value": "数值",
    "unit": "单位",
    "source": "出处",
    "where": "位置",
    "status": "状态",
    "title": "说明",
}
"""Headings of the listings."""
WORDS = {
    "yes": "是",
    "no": "否",
    "optional": "可选",
    "open rows": "逐产品",
    "rows": "逐行",
    "pixels": "逐像元",
    "derived": "由其他指标推算",
    "capped": "有上限",
}
"""Words of the list of services; those of numbers and groups stand in other rooms."""
TRANSLATED = ("group", "counted", "built", "kind", "status")
"""Columns whose cells are words of ours."""
NUMBER_COLUMNS = (
    *("file", "name", "set", "key", "value", "unit", "source", "where", "status", "confidence"),
    *("verified_by", "description"),
)


def services(profile: str) -> list[dict[str, str]]:
    """Return one row per service of the vocabulary, as a profile sees it."""
    chosen = load(profile).choices
    rows = []
    for name, entry in catalogue().items():
        choice = chosen.get(name)
        method = choice.method if choice else ""
        service = registry().get((name, method))
        said = choice.counted if choice else False
        rows.append(
            {
                "service": name,
                "服务": entry.title.zh,
                "group": entry.group,
                "method": method,
                "counted": {True: "yes", False: "no"}.get(bool(said), "")
                if said != "optional"
                else "optional",
                "built": "yes" if service else "no",
                "kind": _kind(service) if service else "",
                "inputs": _inputs(service) if service else "",
            }
        )
    return rows


def preparations() -> list[dict[str, str]]:
    """Return one row per way of preparing a raster, the best of each raster first."""
    known = variables()
    return [
        {
            "raster": p.name,
            "栅格": known[p.name].title.zh if p.name in known else "",
            "method": p.method,
            "title": p.title.en,
            "方法": p.title.zh,
            "from": ", ".join((*p.rasters, *p.series)),
            "gives": p.gives,
        }
        for p in registered().values()
    ]


def _kind(service: Service) -> str:
    """How the service comes by its amounts."""
    kinds = []
    for i in service.indicators:
        if isinstance(i, Products):
            kinds.append("open rows")
        elif isinstance(i, Derived):
            kinds.append("derived")
        elif i.table:
            kinds.append("rows")
        else:
            kinds.append("pixels, capped" if i.cap else "pixels")
    return ", ".join(dict.fromkeys(kinds))


def _inputs(service: Service) -> str:
    tables = [i.table for i in service.indicators if not isinstance(i, Derived) and i.table]
    caps = [i.cap[0] for i in service.indicators if isinstance(i, Indicator) and i.cap]
    return ", ".join(dict.fromkeys([*service.rasters(), *tables, *caps]))


def coefficients_of(service: str) -> list[Row]:
    """Return one row per number of a service, of a prepared raster, or of `prices`."""
    book, _ = coefficients.load()
    names = {entry.title.zh: name for name, entry in catalogue().items()}
    file = names.get(service, service)
    made = {raster for raster, _ in registered()}
    if file not in book.services and file not in made:
        fields = {"service": service, "why": "", "why_zh": ""}
        fields |= {"known": ", ".join(book.services), "known_zh": "、".join(book.services)}
        raise InputError(Problem("E015", fields))
    rows: list[Row] = []
    for c, keys, value in book.values():
        if c.file == f"{file}.toml" and c.name in book.services.get(file, {}):
            rows.append(
                {
                    "file": c.file,
                    "name": c.name,
                    "set": c.set,
                    "key": " ".join(keys),
                    "value": value.number,
                    "unit": c.unit,
                    "source": value.source,
                    "where": value.where,
                    "status": value.status,
                    "confidence": value.confidence,
                    "verified_by": value.verified_by,
                    "description": c.description,
                }
            )
    return rows


def table(
    rows: Sequence[Mapping[str, object]], columns: Sequence[str], language: str
) -> list[list[str]]:
    """Heading and rows of a listing as text; in Chinese headings and words are, too."""
    body = [[_cell(column, row[column], language) for column in columns] for row in rows]
    head = [CHINESE.get(column, column) if language == "zh" else column for column in columns]
    return [head, *body]


def _cell(column: str, value: object, language: str) -> str:
    """One cell: its words in the language, inputs with their titles."""
    said = str(value)
    if language == "en" or not said:
        return said
    if column in ("inputs", "from"):
        return "、".join(titled(name, language) for name in said.split(", "))
    if column == "key":
        return "、".join(_key(word) for word in said.split())
    if column not in TRANSLATED:
        return said
    words = TERMINAL["zh"] | (PHRASES["zh"] if column == "status" else WORDS)
    return "，".join(words.get(word, word) for word in said.split(", "))


def _key(word: str) -> str:
    """Ecosystem class or group in Chinese; anything else as it is."""
    if word in ecosystems():
        return f"{ecosystems()[word].title.zh}（{word}）"
    return f"{groups()[word].zh}（{word}）" if word in groups() else word
