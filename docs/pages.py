"""Fill the generated parts of the README: the sample's tables and the list of services.

Run it with the package installed: python docs/pages.py. A test holds the pages against it.
"""

from pathlib import Path

import gep
from gep import listing, terminal

ROOT = Path(__file__).parents[1]
PAGES = {"en": ROOT / "README.md", "zh": ROOT / "README.zh.md"}


def demo(language: str) -> str:
    """Tables of the sample county as the command line prints them."""
    result = gep.open(ROOT / "rasters" / "sample" / "gep.toml").run()
    name = result.plan.definition.account.name
    tables = (
        terminal.service_table(result.account, language),
        terminal.county_table(result.account, name, language),
        terminal.sensitivity_table(result, language),
    )
    return "```\n" + "\n\n".join(tables) + "\n```"


def services(language: str) -> str:
    """Services that are built, as a table."""
    names = ("service", "服务", "group", "method", "kind", "inputs")
    listed = listing.services("jiangxi-2021")
    rows = [row for row in listed if row["built"] == "yes"]
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(row[name] for name in names) for row in rows]
    lacking = [row for row in listed if row["built"] == "no" and row["counted"] == "yes"]
    waiting = [row["服务" if language == "zh" else "service"] for row in lacking]
    said = {
        "en": "Counted by `jiangxi-2021` and not built yet",
        "zh": "`jiangxi-2021` 计入而尚未实现",
    }
    table = "\n".join(f"| {line} |" for line in lines)
    return f"{table}\n\n{said[language]}: {', '.join(waiting)}." if waiting else table


PARTS = {"demo": demo, "services": services}


def filled(page: str, language: str) -> str:
    """Page with its generated parts made anew."""
    for name, make in PARTS.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, _, rest = page.partition(start)
        tail = rest.partition(end)[2]
        page = f"{head}{start}{make(language)}\n{end}{tail}"
    return page


if __name__ == "__main__":
    for language, path in PAGES.items():
        path.write_text(filled(path.read_text("utf8"), language), "utf8")
