"""The verbs of the command line, and nothing else. Data on stdout, people on stderr."""

import json
import locale
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gep.errors import GepError, IdentityError, InputError, Problem, ResourceError, messages

if TYPE_CHECKING:
    from gep.engine import Report
    from gep.map_names import Wanted
    from gep.result import Result
    from gep.run import Progress
    from gep.step import Step

STRICT = 4
DIFFERENT = 8
ALL = "all"
"""What `--maps` without a name means."""
INTERRUPTED = 130
STOPPING = "stopping; once more stops at once / 正在停止；再按一次立即停止\n"
LANGUAGE = "gep.language"
"""Where the language said before the verb is kept."""


def language_of(asked: str | None) -> str:
    """Language asked for, else Chinese where the locale is Chinese, else English."""
    if asked:
        return asked
    for name in ("GEP_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "zh" if value.lower().startswith("zh") else "en"
    return "zh" if (locale.getlocale()[0] or "").lower().startswith(("zh", "chinese")) else "en"


def say(text: str = "") -> None:
    """Tell people something (stderr)."""
    print(text, file=sys.stderr)


def give(text: str) -> None:
    """Give out data (stdout)."""
    print(text)


def give_json(data: object) -> None:
    """Give out data as JSON."""
    give(json.dumps(data, ensure_ascii=False, indent=1, default=str))


def as_json(problem: Problem) -> dict[str, str]:
    """Return a problem as plain data in both languages."""
    found = {"code": problem.code}
    for language in ("en", "zh"):
        found |= {language: problem.text(language), f"fix_{language}": problem.fix(language)}
    return found


@contextmanager
def stoppable() -> Generator[None, None, None]:
    """Let Ctrl-C, or a polite request to end, stop a verb; the second one ends it at once."""
    seen: list[int] = []

    def stop(number: int, _: object) -> None:
        if seen:
            os._exit(INTERRUPTED)
        seen.append(number)
        os.write(2, STOPPING.encode("utf8"))  # print may be in the middle of a line
        raise KeyboardInterrupt

    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Verb(click.Command):
    """A verb that turns errors of input into messages and exit codes."""

    def invoke(self, context: click.Context) -> Any:
        """Run the verb; exit code by the kind of error, 1 with a traceback for a bug."""
        language = context.params.setdefault("lang", None) or context.meta.get(LANGUAGE)
        context.params["lang"] = chosen = language_of(language)
        try:
            with stoppable():
                return super().invoke(context)
        except GepError as error:
            if context.params.get("as_data"):
                give_json({"problems": [as_json(problem) for problem in error.problems]})
            for problem in error.problems:
                say(problem.render(chosen))
            context.exit(error.exit_code)
        except BrokenPipeError:  # the reader, such as head, has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:  # a name or a permission the system will not have
            fields = {"file": error.filename or "-", "why": error.strerror or str(error)}
            problem = Problem("E791", fields)
            if context.params.get("as_data"):
                give_json({"problems": [as_json(problem)]})
            say(problem.render(chosen))
            context.exit(ResourceError.exit_code)
        except KeyboardInterrupt as stopped:
            problems: tuple[Problem, ...] = getattr(stopped, "problems", ())
            if context.params.get("as_data"):
                give_json({"problems": [as_json(problem) for problem in problems]})
            for problem in problems:
                say(problem.render(chosen))
            if not problems:
                say("interrupted; nothing was written / 已中断，没有写入任何内容")
            context.exit(INTERRUPTED)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except Exception:
            traceback.print_exc()
            say("a bug in gep; please report it with the text above / 这是 gep 的缺陷，请报告")
            context.exit(1)


class Verbs(click.Group):
    """The verbs in the order a newcomer meets them."""

    command_class = Verb

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the verbs in the order they were written."""
        return list(self.commands)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **more: Any,
    ) -> Any:
        """Run a verb; what is wrong with the words is said in the language they ask for."""
        words = list(sys.argv[1:] if args is None else args)
        if not standalone_mode:
            return super().main(words, prog_name, complete_var, standalone_mode=False, **more)
        try:
            code = super().main(words, prog_name, complete_var, standalone_mode=False, **more)
        except click.exceptions.Abort:
            code = INTERRUPTED
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.UsageError as error:
            code = misused(error, words)
        sys.exit(code if isinstance(code, int) else 0)


def misused(error: click.UsageError, words: list[str]) -> int:
    """Say what is wrong with the words of a command line."""
    from gep import usage

    problem = usage.problem(error)
    joined = " ".join(words)
    asked = next((tongue for tongue in ("en", "zh") if f"--lang {tongue}" in joined), None)
    asked = asked or next((tongue for tongue in ("en", "zh") if f"--lang={tongue}" in words), None)
    if "--json" in words:
        give_json({"problems": [as_json(problem)]})
    elif error.ctx is not None:
        say(error.ctx.get_usage())
    say(problem.render(language_of(asked)))
    return error.exit_code


def options(*wanted: str) -> Callable[[Any], Any]:
    """Options spelled the same at every verb."""
    known = {
        "lang": click.option("--lang", type=click.Choice(["en", "zh"]), help="language / 语言"),
        "json": click.option("--json", "as_data", is_flag=True, help="JSON on stdout / 输出 JSON"),
        "threads": click.option("--threads", type=click.IntRange(1, 64), help="threads / 线程数"),
        "output": click.option(
            "-o", "--output", type=click.Path(path_type=Path), help="folder of runs / 输出文件夹"
        ),
        "strict": click.option(
            "--strict", is_flag=True, help="exit 4 on warnings / 有提醒时退出码为 4"
        ),
        "progress": click.option(
            "--progress",
            type=click.Choice(["auto", "bar", "lines", "none"]),
            default="auto",
            help="how progress is shown / 进度显示方式",
        ),
    }

    def decorate(function: Any) -> Any:
        for name in reversed((*wanted, "json", "lang")):
            function = known[name](function)
        return function

    return decorate


def version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    """Print the version and leave."""
    if asked:
        import importlib.metadata

        click.echo(f"gep {importlib.metadata.version('gep')}")
        context.exit()


def remember(context: click.Context, _: click.Parameter, asked: str | None) -> None:
    """Keep the language said before the verb."""
    context.meta[LANGUAGE] = asked


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


@contextmanager
def progress_of(kind: str) -> "Generator[Progress | None, None, None]":
    """Return what shows progress: a bar on a terminal, else a line per tenth."""
    if kind == "auto":
        kind = "bar" if sys.stderr.isatty() else "lines"
    if kind == "none":
        yield None
    elif kind == "bar":
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (BarColumn(40), TextColumn("{task.percentage:>3.0f}%"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("")
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        shown = [-1]

        def line(done: int, total: int) -> None:
            tenth = 10 * done // total
            if tenth != shown[0]:
                shown[0] = tenth
                say(f"{100 * done // total:3d} %")

        yield line


def warn(problems: "tuple[Problem, ...]", language: str) -> None:
    """Tell people every warning but those the summary speaks of."""
    for problem in problems:
        say(problem.render(language))


def account(
    path: Path,
    output: Path | None,
    threads: int | None,
    progress: str,
    strict: bool,
    as_data: bool,
    language: str,
    maps: "Wanted | None" = None,
    fresh: bool = False,
    scheduler: str | None = None,
) -> "Result":
    """Run an account, write its folder, and show its tables."""
    import gep
    from gep import terminal

    words = terminal.WORDS[language]
    path = toml_of(path)
    opened = gep.open(path)
    section = opened.definition.account
    if not as_data:
        say(f"gep {gep.__version__}  {section.name} {section.year}  {section.profile}")
    with progress_of("none" if as_data else progress) as shown:
        target = output or path.parent / opened.definition.output.folder
        how: dict[str, Any] = {"threads": threads, "progress": shown, "fresh": fresh}
        result = opened.run(output=target, maps=maps, client=scheduler, **how)
    quiet = as_data or not result.maps
    if not quiet:
        say(f"{words['maps']}{words[':']}{len(result.maps)}")
    with progress_of("none" if quiet else progress) as shown:
        folder = result.write(target, progress=shown)
    if as_data:
        give_json(run_as_data(result, folder))
    else:
        warn(result.problems, language)
        for line in terminal.prepared(result.plan.steps, language):
            say(line)
        give(terminal.service_table(result.account, language))
        give("")
        give(terminal.county_table(result.account, section.name, language))
        if hangs := terminal.sensitivity_table(result, language):
            give(f"\n{hangs}")
        for note in terminal.notes(result, language):
            say(note)
        held = len(result.identities)
        say(f"✓ {held}/{held} {words['identities']}")
        say(f"{words['results']} {folder}")
        for file in sorted(folder.iterdir()):
            say(f"  {file.name}" + (f"/ ({len(list(file.iterdir()))})" if file.is_dir() else ""))
        example = result.plan.counties.codes[0]
        first = result.plan.items[0].service.name
        say(f"{words['next']}{words[':']}gep explain {folder} {example} --service {first}")
    if strict and any(problem.code != "W010" for problem in result.problems):
        raise click.exceptions.Exit(STRICT)
    return result


def foretell(
    path: Path,
    output: Path | None,
    threads: int | None,
    as_data: bool,
    language: str,
    maps: "Wanted | None",
    fresh: bool,
) -> None:
    """Say what a run would do."""
    import gep
    from gep import preview

    path = toml_of(path)
    opened = gep.open(path)
    found = opened.forecast(threads=threads, output=output, maps=maps, fresh=fresh)
    if as_data:
        give_json(preview.as_data(found))
    else:
        for line in preview.lines(found, language):
            give(line)


def run_as_data(result: "Result", folder: Path) -> dict[str, Any]:
    """Return what a program wants to know of a run."""
    return {
        "folder": str(folder),
        "root": result.manifest["root"],
        "counties": json.loads(result.counties.to_json(orient="records", double_precision=10)),
        "identities": result.manifest["core"]["identities"],
        "uncovered": result.manifest["core"]["uncovered"],
        "problems": [as_json(problem) for problem in result.problems],
    }


@main.command()
@click.argument("folder", type=click.Path(path_type=Path), default="gep-demo")
@options("threads", "progress")
def demo(folder: Path, threads: int | None, progress: str, as_data: bool, lang: str) -> None:
    """Account the sample county / 核算样例县."""
    from gep import sample, terminal

    result = account(sample.definition(), folder, threads, progress, False, as_data, lang)
    equal, whole = sample.agreement(result.account)
    if equal != whole:
        raise IdentityError(Problem("E718", {"equal": equal, "whole": whole}))
    if not as_data:
        say(f"✓ {equal}/{whole} {terminal.WORDS[lang]['independent']}")


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--profile", default="jiangxi-2021", help="profile / 参数方案")
@options()
def init(folder: Path, profile: str, as_data: bool, lang: str) -> None:
    """Write a commented gep.toml and empty tables / 生成带注释的 gep.toml 和空表."""
    from gep import template, terminal

    written = template.write(folder, profile)
    if as_data:
        give_json({"files": [str(path) for path in written]})
    else:
        for path in written:
            give(str(path))
        say(f"{terminal.WORDS[lang]['next']}{terminal.WORDS[lang][':']}gep check {written[0]}")


@main.command()
@click.argument("path", type=click.Path(path_type=Path), default="gep.toml")
@options("strict")
def check(path: Path, strict: bool, as_data: bool, lang: str) -> None:
    """List every problem at once / 一次列出所有问题."""
    import gep
    from gep import amounts

    path = toml_of(path)
    report: Report = gep.open(path).check()
    made = report.plan
    uncovered = [found.reason for found in made.uncovered] if made else []
    if as_data:
        give_json(
            {
                "ok": report.ok,
                "problems": [as_json(problem) for problem in report.problems],
                "uncovered": [as_json(reason) for reason in uncovered],
                "ecosystems": report.ecosystems,
                "layers": [
                    {k: None if v != v else v for k, v in vars(layer).items()}
                    for layer in report.layers
                ],
                "prepared": [step_as_data(step) for step in report.prepared],
                "tables": [asdict(seen) for seen in (made and amounts.tables(made)) or ()],
                "products": [asdict(one) for one in (made and amounts.products(made)) or ()],
            }
        )
    else:
        shown(report, path, lang)
    if not report.ok:
        raise click.exceptions.Exit(InputError.exit_code)
    if strict and any(problem.code != "W010" for problem in report.problems):
        raise click.exceptions.Exit(STRICT)


def shown(report: "Report", path: Path, language: str) -> None:
    """Show what was understood, what is wrong, what is lacking, and what to do next."""
    from gep import overview, terminal

    words, made = terminal.WORDS[language], report.plan
    if report.layers:
        give(f"{words['understood']}\n{overview.layers(report, language)}\n")
    if listed := overview.own_pixels(report, language):
        give(f"{listed}\n")
    if made and (listed := overview.tables(made, language)):
        give(f"{words['tables']}\n{listed}\n")
    if made and (listed := overview.products(made, language)):
        give(f"{listed}\n")
    if about := overview.places(report, language):
        give(f"{about}\n")
    for line in terminal.prepared(report.prepared, language):
        give(line)
    for problem in report.problems:
        give(problem.render(language))
    uncovered = [found.reason for found in made.uncovered] if made else []
    for line in terminal.left_out(uncovered, language, coded=True):
        give(line)
    if made and (lines := overview.lacking(made, language)):
        give("\n".join([f"{words['to_get']}{words[':']}".rstrip(), *lines]))
    errors = sum(problem.is_error for problem in report.problems)
    counts = [f"{words['errors']} {errors}", f"{words['warnings']} {len(report.problems) - errors}"]
    if uncovered:
        counts.append(f"{words['left_out']} {len(uncovered)}")
    give(words[","].join(counts))
    verb = "run" if report.ok else "check"
    first = "" if report.ok else words["mend"] + words[","]
    give(f"{words['next']}{words[':']}{first}gep {verb} {path}")


def step_as_data(step: "Step") -> dict[str, Any]:
    """How one raster is made, as plain data."""
    made = {"raster": step.name, "method": step.preparation.method, "file": str(step.path)}
    return made | {"from": list(step.made_from), "ready": step.ready, "memory": step.memory}


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
    from gep import listing, terminal
    from gep.step import losses

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
        found = {step.name: [as_json(problem) for problem in losses(step)] for step in steps}
        give_json([step_as_data(step) | {"problems": found[step.name]} for step in steps])
        return
    warn(tuple(problem for step in steps for problem in losses(step)), lang)
    for step in steps:
        state = terminal.WORDS[lang]["made_before" if step.ready else "made_now"]
        mark = terminal.WORDS[lang][":"]
        give(f"{terminal.called(step, lang)}{mark}{state}{mark}{step.path}")
    if not steps:
        say(terminal.WORDS[lang]["nothing_to_prepare"])


@main.command()
@click.argument("path", type=click.Path(path_type=Path), default="gep.toml")
@click.option(
    "--maps",
    multiple=True,
    is_flag=False,
    flag_value=ALL,
    metavar="[NAME]",
    help="maps per pixel: all, or service, service.indicator, group, total / 栅格地图，可重复",
)
@click.option("-n", "--dry-run", is_flag=True, help="only say what would be done / 只说明将做什么")
@click.option("--fresh", is_flag=True, help="compute every tile anew / 重新计算所有瓦片")
@click.option(
    "--scheduler",
    metavar="tcp://HOST:PORT",
    help="have a dask cluster compute the tiles / 由 dask 集群计算瓦片",
)
@options("output", "threads", "progress", "strict")
def run(
    path: Path,
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
    """Account what a gep.toml defines / 按 gep.toml 核算."""
    if taken := [name for name in maps if name.endswith(".toml")]:
        raise click.UsageError(f"gep run {taken[0]} --maps")
    wanted: Wanted | None = maps or None
    if dry_run:
        foretell(path, output, threads, as_data, lang, wanted, fresh)
    else:
        words = (path, output, threads, progress, strict, as_data, lang, wanted, fresh)
        account(*words, scheduler)


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
            give(f"✓ {finding[lang]}")


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
    from gep import differences
    from gep.compare import compare as compared
    from gep.compare import sides

    found = compared(sides.of_folder(before), sides.of_folder(after))
    levels = tuple(dict.fromkeys(levels))
    if as_data:
        problems = [as_json(problem) for problem in found.problems]
        give_json(differences.as_data(found, levels) | {"problems": problems})
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

    rows = listing.coefficients_of(service)
    if as_data:
        give_json(rows)
    elif as_csv:
        give(csv.encode(listing.NUMBER_COLUMNS, rows).decode("utf-8-sig").rstrip())
    elif not rows:
        give(terminal.WORDS[lang]["no_numbers"].format(name=service))
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
