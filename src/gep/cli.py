"""The verbs of the command line, and nothing else."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gep.collector import resting
from gep.console import (
    Refused,
    Verbs,
    give,
    give_json,
    options,
    progress_of,
    remember,
    say,
    strictly,
    version,
    warn,
)
from gep.errors import IdentityError, InputError, Problem, messages

if TYPE_CHECKING:
    from gep.engine import Report

DIFFERENT = 8
ALL = "all"
"""What `--maps` without a name means."""


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--lang",
    type=click.Choice(["en", "zh"]),
    expose_value=False,
    callback=remember,
    help="language / 语言",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=version)
def main() -> None:
    """Account the Gross Ecosystem Product of counties / 核算县区生态产品总值.

    Exit codes: 0 ok, 1 bug, 2 usage, 3 invalid input, 4 warnings with --strict, 5 an identity or
    a verification failed, 6 resources, 7 folder in use, 8 compare --exit-code found a difference,
    130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def toml_of(path: Path) -> Path:
    """Return the gep.toml meant: of a folder, the one in it."""
    return path / "gep.toml" if path.is_dir() else path


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), default="gep-demo")
@options("threads", "progress")
def demo(folder: Path, threads: int | None, progress: str, as_data: bool, lang: str) -> None:
    """Account the sample county / 核算样例县."""
    from gep import running, sample
    from gep.words import WORDS

    asked = running.Asked(folder, threads, progress, as_data, lang)
    result = running.one(sample.definition(), asked)
    equal, whole = sample.agreement(result.account)
    if equal != whole:
        raise IdentityError(Problem("E718", {"equal": equal, "whole": whole}))
    if not as_data:
        say(f"✓ {equal}/{whole} {WORDS[lang]['independent']}")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--profile", default="jiangxi-2021", help="profile / 参数方案")
@options()
def init(folder: Path, profile: str, as_data: bool, lang: str) -> None:
    """Write a commented gep.toml and empty tables / 生成带注释的 gep.toml 和空表."""
    from gep import template
    from gep.words import WORDS

    written = template.write(folder, profile)
    if as_data:
        give_json({"files": [str(path) for path in written]})
    else:
        for path in written:
            give(str(path))
        say(f"{WORDS[lang]['next']}{WORDS[lang][':']}gep check {written[0]}")


@main.command()
@click.argument("path", type=click.Path(path_type=Path), default="gep.toml")
@options("strict")
def check(path: Path, strict: bool, as_data: bool, lang: str) -> None:
    """List every problem at once / 一次列出所有问题."""
    import gep
    from gep import overview, plain

    path = toml_of(path)
    report: Report = gep.open(path).check()
    if as_data:
        give_json(plain.report(report))
    else:
        for line in overview.lines(report, path, lang):
            give(line)
    if not report.ok:
        raise click.exceptions.Exit(InputError.exit_code)
    strictly(report.problems, strict)


@main.command()
@click.argument("words", metavar="[GEP.TOML] [NAME]...", nargs=-1)
@click.option("--list", "listed", is_flag=True, help="list what can be prepared / 列出可推算的栅格")
@options("threads", "progress")
def prepare(
    words: tuple[str, ...],
    listed: bool,
    threads: int | None,
    progress: str,
    as_data: bool,
    lang: str,
) -> None:
    """Make rasters that are not given out of raw data / 由原始数据推算缺少的栅格."""
    import gep
    from gep import listing, plain, terminal
    from gep.step import losses
    from gep.words import WORDS

    if listed:
        rows = listing.preparations()
        if as_data:
            give_json(rows)
        else:
            shown_rows = listing.table(rows, listing.PREPARATION_COLUMNS, lang)
            give(terminal.ruled(shown_rows, frozenset(), False))
        return
    first = Path(words[0]) if words else Path()
    named = bool(words) and (first.suffix == ".toml" or (first / "gep.toml").is_file())
    path = toml_of(first) if named else Path("gep.toml")
    names = words[1:] if named else words
    with progress_of("none" if as_data else progress) as shown:
        steps = gep.open(path).prepare(*names, threads=threads, progress=shown)
    if as_data:
        give_json([plain.step(s) | {"problems": plain.problems(losses(s))} for s in steps])
        return
    said = [problem for step in steps for problem in losses(step)]
    warn([problem for n, problem in enumerate(said) if problem not in said[:n]], lang)
    mark = WORDS[lang][":"]
    for step in steps:
        state = WORDS[lang]["made_before" if step.ready else "made_now"]
        give(f"{terminal.called(step, lang)}{mark}{state}{mark}{step.path}")
    if not steps:
        say(WORDS[lang]["nothing_to_prepare"])


@main.command()
@click.argument("paths", metavar="[GEP.TOML]...", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--maps",
    multiple=True,
    is_flag=False,
    flag_value=ALL,
    metavar="[NAME]",
    help="maps per pixel: all, or service, service.indicator, group, total / 栅格地图，可重复",
)
@click.option("-n", "--dry-run", is_flag=True, help="only say what would be done / 只说明将做什么")
@click.option("--fresh", is_flag=True, help="compute every tile anew / 重新计算所有分块")
@click.option(
    "--scheduler",
    metavar="tcp://HOST:PORT",
    help="have a dask cluster compute the tiles / 由 dask 集群计算分块",
)
@options("output", "threads", "progress", "strict")
def run(
    paths: tuple[Path, ...],
    maps: tuple[str, ...],
    dry_run: bool,
    fresh: bool,
    scheduler: str | None,
    output: Path | None,
    threads: int | None,
    progress: str,
    strict: bool,
    as_data: bool,
    lang: str,
) -> None:
    """Account what a gep.toml defines, or several in one pass / 按一个或多个 gep.toml 核算."""
    with resting():
        from gep import running

    if taken := [name for name in maps if name.endswith(".toml")]:
        raise click.UsageError(f"gep run {taken[0]} --maps")
    meant = [toml_of(path) for path in paths or [Path("gep.toml")]]
    places = [path.resolve() for path in meant]
    if twice := [path for path in meant if places.count(path.resolve()) > 1]:
        raise Refused(str(twice[-1]), "given twice", "给出了不止一次")
    if scheduler and len(meant) > 1:
        raise Refused("--scheduler", "for one gep.toml at a time", "每次只能用于一个 gep.toml")
    asked = running.Asked(output, threads, progress, as_data, lang, maps or None, fresh, scheduler)
    if dry_run:
        running.foretell(meant, asked)
        return
    several = len(meant) > 1
    results = running.several(meant, asked) if several else [running.one(meant[0], asked)]
    strictly([problem for result in results for problem in result.problems], strict)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("place")
@click.option(
    "--service", default="total", help="service, either language; else the total / 服务，中英文均可"
)
@options()
def explain(folder: Path, place: str, service: str, as_data: bool, lang: str) -> None:
    """Say how one number came about / 说明一个数字的来历."""
    from gep import verify as verification
    from gep.explain import explain as text_of

    manifest, rows = verification.read(folder)
    text = text_of(manifest, rows, place, service, lang)
    if as_data:
        give_json({"text": text.split("\n")})
    else:
        give(text)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@options()
def verify(folder: Path, as_data: bool, lang: str) -> None:
    """Hash the files of a run again and check its identities / 复核一次运行."""
    from gep import verify as verification

    findings = verification.verify(folder)
    if as_data:
        give_json(findings)
    else:
        for finding in findings:
            mark = "·" if finding["name"] == verification.ELSEWHERE else "✓"
            give(f"{mark} {finding[lang]}")


@main.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("after", type=click.Path(path_type=Path))
@click.option(
    "--by",
    "levels",
    type=click.Choice(["county", "service", "indicator", "ecosystem"]),
    multiple=True,
    default=("service",),
    help="sums by this, repeatable / 按此汇总，可重复",
)
@click.option(
    "--exit-code", "tell", is_flag=True, help="exit 8 if they differ / 有变化时退出码为 8"
)
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout, in CNY / 输出 CSV（元）")
@options()
def compare(
    before: Path,
    after: Path,
    levels: tuple[str, ...],
    tell: bool,
    as_csv: bool,
    as_data: bool,
    lang: str,
) -> None:
    """Say what changed between two runs, and what made it / 比较两次运行."""
    from gep import differences, plain
    from gep.compare import compare as compared
    from gep.compare import sides

    found = compared(sides.of_folder(before), sides.of_folder(after))
    levels = tuple(dict.fromkeys(levels))
    if as_data:
        problems = {"problems": plain.problems(found.problems)}
        give_json(differences.as_data(found, levels) | problems)
    else:
        warn(found.problems, lang)
        if as_csv:
            give(differences.as_csv(found, levels))
        else:
            give(f"{differences.heading(found, lang)}\n")
            give(differences.table(found, levels, lang))
            for note in differences.notes(found, lang):
                say(note)
    if tell and not found.same:
        raise click.exceptions.Exit(DIFFERENT)


@main.command()
@click.option("--profile", default="jiangxi-2021", help="profile / 参数方案")
@options()
def services(profile: str, as_data: bool, lang: str) -> None:
    """List the services of a profile, built or not / 列出服务."""
    from gep import listing, terminal

    rows = listing.services(profile)
    if as_data:
        give_json(rows)
    else:
        shown_rows = listing.table(rows, listing.SERVICE_COLUMNS, lang)
        give(terminal.ruled(shown_rows, frozenset(), False))


@main.command()
@click.argument("service")
@click.option("--csv", "as_csv", is_flag=True, help="one row per number / 每个数一行")
@options()
def show(service: str, as_csv: bool, as_data: bool, lang: str) -> None:
    """Show the numbers of a service (or `prices`) and where they are from / 显示系数及出处."""
    from gep import listing, terminal
    from gep.outputs import csv
    from gep.words import WORDS

    rows = listing.coefficients_of(service)
    if as_data:
        give_json(rows)
    elif as_csv:
        give(csv.encode(listing.NUMBER_COLUMNS, rows).decode("utf-8-sig").rstrip())
    elif not rows:
        give(WORDS[lang]["no_numbers"].format(name=service))
    else:
        shown_rows = listing.table(rows, listing.SHOWN_COLUMNS, lang)
        give(terminal.ruled(shown_rows, frozenset({3}), False))


@main.command()
@options()
def profiles(as_data: bool, lang: str) -> None:
    """List the profiles / 列出参数方案."""
    from gep import listing, profile, terminal

    names = listing.PROFILE_COLUMNS
    rows = [profile.load(name) for name in profile.names()]
    if as_data:
        give_json([{"name": p.name, "status": p.status, **p.title._asdict()} for p in rows])
    else:
        body = [dict(zip(names, (p.name, p.status, p.title.say(lang)), strict=True)) for p in rows]
        give(terminal.aligned(listing.table(body, names, lang)[1:]))


@main.command("help")
@click.argument("code", required=False)
@options()
def help_code(code: str | None, as_data: bool, lang: str) -> None:
    """Explain a message by its code, as in `gep help E031`; all without one / 说明消息."""
    from gep import help as helping

    known = messages()
    if code is None:
        for name in sorted(known):
            give(f"{name}  {helping.general(known[name][lang], lang)}")
        return
    name = code.upper()
    if name not in known:
        fields = {"code": code, "first": min(known), "last": max(known)}
        raise InputError(Problem("E018", fields))
    if as_data:
        more = {f"why_{tongue}": helping.why(name, tongue) for tongue in ("en", "zh")}
        more |= {f"example_{tongue}": helping.example(name, tongue) for tongue in ("en", "zh")}
        give_json({"code": name, **known[name], **more})
    else:
        for line in helping.explain(name, lang):
            give(line)


if __name__ == "__main__":
    main()
