"""Why a gep.toml cannot be understood, in both languages: what its two readers find wrong."""

import re
from collections.abc import Mapping
from typing import Any

TOML = {
    r"Expected '=' after a key in a key/value pair": "键之后应为 =",
    r"Expected '\]' at the end of a table declaration": "节名之后缺少 ]",
    r"Expected '\]\]' at the end of an array declaration": "节名之后缺少 ]]",
    r"Expected newline or end of document after a statement": "一行只能写一项",
    r"Invalid initial character for a key part": "键的写法无效",
    r"Invalid statement": "语句无效",
    r"Invalid value": "值无效；文字值要加双引号",
    r"Invalid date or datetime": "日期无效",
    r"Invalid hex value": "十六进制数无效",
    r"Unclosed array": "方括号没有配对",
    r"Unclosed inline table": "花括号没有配对",
    r"Unterminated string": "引号没有配对",
    r"Expected ['\"]+": "引号没有配对",
    r"Unescaped '\\' in a string": "双引号内的 \\ 要写成 \\\\，或改用单引号",
    r"Illegal character (.*)": "不允许的字符 {}",
    r"Found invalid character (.*)": "不允许的字符 {}",
    r"Cannot declare (.*) twice": "{} 这一节出现两次",
    r"Cannot overwrite a value": "同一个键写了两次",
    r"Duplicate inline table key (.*)": "键 {} 写了两次",
    r"Cannot redefine namespace (.*)": "{} 已定义过",
    r"Cannot mutate immutable namespace (.*)": "{} 已定义完，不能再添加",
}
"""What the reader of TOML says, as a pattern, and the same in Chinese."""
PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
VALUES = {
    "string_type": ("must be a text in double quotes", "应为加双引号的文字"),
    "int_type": ("must be a whole number", "应为整数"),
    "float_type": ("must be a number", "应为数字"),
    "bool_type": ("must be true or false", "应为 true 或 false"),
    "list_type": ("must be a list in square brackets", "应为方括号中的列表"),
    "dict_type": ("must be a section", "应为一节"),
    "model_type": ("must be a section", "应为一节"),
    "literal_error": ("must be {expected}", "应为 {expected}"),
    "greater_than_equal": ("must be {ge} or more", "不能小于 {ge}"),
    "less_than_equal": ("must be {le} or less", "不能大于 {le}"),
    "string_pattern_mismatch": ("must not be empty", "不能为空"),
    "sha256": ("must be the 64 digits of a SHA-256", "应为 SHA-256 的 64 位十六进制数字"),
    "too_short": ("must have {min_length} entries", "应有 {min_length} 项"),
    "too_long": ("must have {max_length} entries", "应有 {max_length} 项"),
}
"""What can be wrong with a value, by the kind pydantic gives it."""


def of_file(error: Exception) -> tuple[str, str]:
    """Why a text is not TOML, in English and Chinese; a reason nobody knows stays English.

    >>> of_file(ValueError("Unclosed array (at line 3, column 9)"))
    ('Unclosed array (at line 3, column 9)', '第 3 行第 9 列：方括号没有配对')
    """
    if isinstance(error, UnicodeDecodeError):
        return str(error), f"不是 UTF-8 文字（第 {error.start + 1} 个字节）"
    if isinstance(error, RecursionError):
        return "brackets within brackets, too many", "括号嵌套过深"
    en = str(error)
    found = PLACE.fullmatch(en)
    said, line, column = found.groups() if found else (en, None, None)
    zh = said
    for pattern, text in TOML.items():
        if match := re.fullmatch(pattern, said):
            zh = text.format(*match.groups())
    if found is None:
        return en, zh
    return en, (f"第 {line} 行第 {column} 列：" if line else "文件末尾：") + zh


def of_value(detail: Mapping[str, Any]) -> tuple[str, str]:
    """Why a value is refused, in English and Chinese; a reason nobody knows stays English.

    >>> of_value({"type": "less_than_equal", "msg": "", "ctx": {"le": 2060}})
    ('must be 2060 or less', '不能大于 2060')
    """
    if detail["type"] not in VALUES:
        return detail["msg"], detail["msg"]
    fields = dict(detail.get("ctx", {}))
    fields_zh = fields | {"expected": str(fields.get("expected", "")).replace(" or ", " 或 ")}
    en, zh = VALUES[detail["type"]]
    return en.format(**fields), zh.format(**fields_zh)
