"""How the command line speaks: language, data on stdout, people on stderr, exit codes."""

import json
import locale
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gep import plain
from gep.collector import leave_all_at_exit
from gep.errors import GepError, Problem, ResourceError

if TYPE_CHECKING:
    from gep.run import Progress

BUG = 1
STRICT = 4
INTERRUPTED = 130
STOPPING = "stopping; once more stops at once / 正在停止；再按一次立即停止\n"
NOTHING = "interrupted; no result was written / 已中断，没有写入结果"
REPORT = "a bug in gep; please report it with the text above / 这是 gep 的缺陷，请报告"
LANGUAGE = "gep.language"
"""Where the language said before the verb is kept."""


# --- to people, and to programs -----------------------------------------------------------------


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


def warn(problems: Sequence[Problem], language: str) -> None:
    """Tell people every problem with its fix."""
    for problem in problems:
        say(problem.render(language))


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


# --- verbs, and how they end --------------------------------------------------------------------


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
        as_data = context.params.get("as_data", False)
        try:
            with stoppable():
                return super().invoke(context)
        except GepError as error:
            failed(error.problems, chosen, as_data, getattr(error, "__notes__", []))
            context.exit(error.exit_code)
        except BrokenPipeError:  # the reader, such as head, has had enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except OSError as error:  # a name or a permission the system will not have
            fields = {"file": error.filename or "-", "why": error.strerror or str(error)}
            failed([Problem("E791", fields)], chosen, as_data)
            context.exit(ResourceError.exit_code)
        except KeyboardInterrupt as stopped:
            problems: tuple[Problem, ...] = getattr(stopped, "problems", ())
            failed(problems, chosen, as_data)
            if not problems:
                say(NOTHING)
            context.exit(INTERRUPTED)
        except (click.exceptions.Exit, click.ClickException):
            raise
        except Exception:
            context.exit(bug())


def failed(
    problems: Sequence[Problem], language: str, as_data: bool, of: Sequence[str] = ()
) -> None:
    """Say what ended a verb, and *of* which of several accounts it was."""
    if as_data:
        give_json({"problems": plain.problems(problems)} | ({"account": of[0]} if of else {}))
    for account in of:
        say(account)
    warn(problems, language)


def bug() -> int:
    """Show what nobody foresaw, and return its exit code."""
    traceback.print_exc()
    say(REPORT)
    return BUG


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
        leave_all_at_exit()
        try:
            code = super().main(words, prog_name, complete_var, standalone_mode=False, **more)
        except click.exceptions.Abort as error:  # made of Ctrl-C, but of EOFError too
            code = INTERRUPTED if isinstance(error.__cause__, KeyboardInterrupt) else bug()
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            code = error.exit_code
        except click.UsageError as error:
            code = misused(error, words)
        sys.exit(code if isinstance(code, int) else 0)


class Refused(click.UsageError):
    """Words that cannot be meant together: which, and why not, in English and Chinese."""

    def __init__(self, name: str, why: str, why_zh: str) -> None:
        super().__init__(f"{name}: {why}")
        self.said = name, why, why_zh


def misused(error: click.UsageError, words: list[str]) -> int:
    """Say what is wrong with the words of a command line."""
    from gep import usage

    problem = usage.problem(error)
    joined = " ".join(words)
    asked = next((tongue for tongue in ("en", "zh") if f"--lang {tongue}" in joined), None)
    asked = asked or next((tongue for tongue in ("en", "zh") if f"--lang={tongue}" in words), None)
    if "--json" in words:
        give_json({"problems": plain.problems([problem])})
    elif error.ctx is not None:
        say(error.ctx.get_usage())
    say(problem.render(language_of(asked)))
    return error.exit_code


def strictly(problems: Sequence[Problem], strict: bool) -> None:
    """Leave with the exit code of warnings if *strict* and there is one that is no advice."""
    if strict and any(problem.code != "W010" for problem in problems):
        raise click.exceptions.Exit(STRICT)


# --- options ------------------------------------------------------------------------------------


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
