"""Words of the audit answer in either language; a word that is not there is its own."""

import re

from gep.layers import records, variables

FORMULA = {
    "MEE guide 2020": "生态环境部 2020 年指南",
    "InVEST user's guide": "InVEST 用户手册",
    "NDRC and NBS 2022": "发改委与统计局 2022",
    "no money, because it holds the ammonia nitrogen that is priced": "不计价，因其含已计价的氨氮",
    "NEP method, one of three in GB/T 46869-2025 A.7": "NEP 法，GB/T 46869-2025 A.7 三法之一",
    "biomass method, one of three in GB/T 46869-2025 A.7": "生物量法，GB/T 46869-2025 A.7 三法之一",
    "gross output at market prices": "按市场价的总产值",
    "stoichiometry of photosynthesis": "光合作用化学计量",
    "decision of this project": "本项目的选择",
    "as quoted in public code": "据公开代码引述",
    "as in public code": "据公开代码",
    "public code": "公开代码",
    "neither read": "均未读到",
    "not read": "未读到",
    "remembered": "凭记忆",
    "as reported": "据转述",
    "as quoted": "据引述",
    "unit not verified": "单位未核实",
    "residents only": "仅本地居民",
    "off in": "不计于",
    "without cropland": "不含农田",
    "over the storm days": "（各暴雨日之和）",
    "sum of the days of 50 mm and more": "50 mm 及以上各日之和",
    "sum of the days above 26 degC": "26 ℃ 以上各日之和",
    "a day at most 6 mm": "每日至多 6 mm",
    "days above 26 degC": "只计 26 ℃ 以上的日子",
    "sum of the days": "各日之和",
    "sum of the months": "各月之和",
    "mean of the days": "各日平均",
    "mean of the months, each with its days": "各月按日数加权平均",
    "sum by month of": "各月 Σ",
    "sum of": "Σ",
    "emission of the county": "县区排放量",
    "load of the county": "县区排放量",
    "of the total storage": "× 总库容",
    "per lake": "（逐湖）",
    "times the nitrogen content of soil": "× 土壤含氮量",
    "times the phosphorus content of soil": "× 土壤含磷量",
    "times the share": "× 比例",
    "Q of oxygen": "释氧量",
    "Q of carbon dioxide": "固定二氧化碳量",
    "divided by r": "除以 r",
    "equations": "式",
    "equation": "式",
    "table": "表",
    "after": "据",
    "and": "和",
}
"""Words of the sources of formulas; the longer ones first where one holds another."""

WORDS = {
    "en": {
        ":": ": ",
        ",": ", ",
        ";": "; ",
        "and": " ",
        "(": " (",
        ")": ")",
        "state": "  ({state}: {profile})",
        "measured": "measured",
        "by_formula": "by formula",
        "rows": "{count} rows",
        "row": "1 row",
        "unattributed": "unattributed",
        "unallocated": "unallocated",
        "value": "value",
        "quantity": "quantity",
        "price": "price",
        "missing": "missing",
        "formula": "formula",
        "from": "derived from",
        "cap": "capped by",
        "capacity": "capacity",
        "load": "load",
        "layers": "layers",
        "prepared": "prepared",
        "made_from": "from",
        "coefficients": "coefficients",
        "ecosystems": "ecosystems",
        "coverage": "coverage",
        "printed": "number on file",
        "index": "index",
        "unverified": "not verified",
        "table": "table",
        "spread": "spread over ecosystems by",
        "run": "run",
        "rasters.ecosystem": "land cover",
        "counties": "boundaries",
        "negative": "of which negative pixels",
        "not_counted": "not counted in the account",
        "provisional": "provisional profile",
        "partial": "; partial account",
        "gep": "GEP",
        "not_gep": "total (something is left out or missing: not GEP)",
        "sum_of": "sum of the services",
        "lacks": "some amounts are missing",
        "uncovered": "not in this account",
        "list": ", ",
    },
    "zh": {
        ":": "：",
        ",": "，",
        ";": "；",
        "and": "，",
        "(": "（",
        ")": "）",
        "state": "  （{state}：{profile}）",
        "measured": "实测",
        "by_formula": "按公式",
        "rows": "{count} 行",
        "row": "1 行",
        "unattributed": "未归属",
        "unallocated": "未分配",
        "given": "用户给出",
        "seen": "见过原文",
        "recalled": "凭记忆",
        "derived": "推算",
        "design": "本项目的选择",
        "high": "把握大",
        "medium": "把握中等",
        "low": "把握小",
        "value": "价值量",
        "quantity": "实物量",
        "price": "单价",
        "missing": "缺失",
        "formula": "公式",
        "from": "由此推算",
        "cap": "上限",
        "capacity": "净化能力",
        "load": "排放量",
        "layers": "栅格",
        "prepared": "推算",
        "made_from": "来自",
        "coefficients": "系数",
        "ecosystems": "生态系统",
        "coverage": "覆盖率",
        "printed": "原值",
        "index": "价格指数",
        "unverified": "未核实",
        "table": "统计表",
        "spread": "按此分摊到各生态系统",
        "run": "运行",
        "rasters.ecosystem": "土地覆被",
        "counties": "界线",
        "negative": "其中负值像元",
        "not_counted": "不计入总值",
        "provisional": "待核实的参数方案",
        "partial": "；部分核算",
        "gep": "GEP",
        "not_gep": "合计（有未核算或缺失部分，不是 GEP）",
        "sum_of": "各服务之和",
        "lacks": "有缺失的服务",
        "uncovered": "本核算不含",
        "list": "、",
    },
}


def titled(name: str, language: str) -> str:
    """Raster or table with its title where that says more than its name, which is English.

    >>> titled("precipitation", "zh"), titled("precipitation", "en"), titled("own", "zh")
    ('降水量（precipitation）', 'precipitation', 'own')
    """
    table = name.partition(".")[0]
    known = variables().get(name) or records().get(table)
    if known is None or language == "en":
        return name
    return f"{known.title.say(language)}（{name}）"


def formula(source: str, language: str) -> str:
    """Formula with its source; in Chinese the words of it that are known.

    >>> formula("V = sum of W p; MEE guide 2020, remembered; docs/methods.md#tourism", "zh")
    'V = Σ W p；生态环境部 2020 年指南，凭记忆；docs/methods.md#tourism'
    """
    if language == "en":
        return source
    for words in sorted(FORMULA, key=len, reverse=True):
        source = re.sub(rf"(?<![\w-]){re.escape(words)}(?![\w-])", FORMULA[words], source)
    source = re.sub(r",\s*(?=[\u4e00-\u9fff（])|(?<=[\u4e00-\u9fff）]),\s*", "，", source)
    return source.replace("; ", "；")
