"""What `gep run` does and shows: accounts run, written and told, one or several in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gep
from gep import plain, preview, terminal
from gep.console import give, give_json, progress_of, say, warn
from gep.engine import Account
from gep.map_names import Wanted
from gep.result import Result
from gep.words import WORDS


@dataclass(frozen=True)
class Asked:
    """What the words of a run ask for, beside the accounts."""

    output: Path | None
    threads: int | None
    progress: str
    as_data: bool
    language: str
    maps: Wanted | None = None
    fresh: bool = False
    scheduler: str | None = None

    @property
    def shown(self) -> str:
        """How progress is shown: not at all to a program."""
        return "none" if self.as_data else self.progress

    def folder(self, account: Account) -> Path:
        """Folder of runs of an account: the one asked for, else as its gep.toml says."""
        return self.output or account.path.parent / account.definition.output.folder


def one(path: Path, asked: Asked) -> Result:
    """Run one account, write its folder, and show its tables."""
    account = gep.open(path)
    if not asked.as_data:
        say(heading(account))
    with progress_of(asked.shown) as progress:
        result = account.run(
            threads=asked.threads,
            progress=progress,
            output=asked.folder(account),
            maps=asked.maps,
            fresh=asked.fresh,
            client=asked.scheduler,
        )
    folder = written(account, result, asked)
    if asked.as_data:
        give_json(plain.run(result, folder))
    else:
        show(account, result, folder, asked.language)
    return result


def several(paths: Sequence[Path], asked: Asked) -> list[Result]:
    """Run several accounts in one pass, write their folders once all hold, and show them all."""
    accounts = [gep.open(path) for path in paths]
    with progress_of(asked.shown) as progress:
        results = gep.run_together(
            accounts,
            threads=asked.threads,
            progress=progress,
            outputs=[asked.folder(account) for account in accounts],
            maps=asked.maps,
            fresh=asked.fresh,
        )
    data = []
    for number, (account, result) in enumerate(zip(accounts, results, strict=True)):
        if not asked.as_data:
            say(heading(account))
        folder = written(account, result, asked)
        if asked.as_data:
            data.append(plain.run(result, folder))
        else:
            give(titled(account, number))
            show(account, result, folder, asked.language)
    if asked.as_data:
        give_json(data)
    return results


def foretell(paths: Sequence[Path], asked: Asked) -> None:
    """Say what a run would do, of each account by itself."""
    data = []
    for number, account in enumerate(map(gep.open, paths)):
        found = account.forecast(
            threads=asked.threads,
            output=asked.folder(account),
            maps=asked.maps,
            fresh=asked.fresh,
        )
        if asked.as_data:
            data.append(preview.as_data(found))
            continue
        if len(paths) > 1:
            give(titled(account, number))
        for line in preview.lines(found, asked.language):
            give(line)
    if asked.as_data:
        give_json(data if len(paths) > 1 else data[0])


def heading(account: Account) -> str:
    """Version, name, year and profile: what stands above all that is said of a run."""
    section = account.definition.account
    return f"gep {gep.__version__}  {section.name} {section.year}  {section.profile}"


def titled(account: Account, number: int) -> str:
    """Name and year: what stands above the tables of one account among several."""
    section = account.definition.account
    return "\n" * (number > 0) + f"{section.name} {section.year}\n"


def written(account: Account, result: Result, asked: Asked) -> Path:
    """Folder a result was written to, with its maps."""
    quiet = asked.as_data or not result.maps
    if not quiet:
        words = WORDS[asked.language]
        say(f"{words['maps']}{words[':']}{len(result.maps)}")
    with progress_of("none" if quiet else asked.progress) as progress:
        return result.write(asked.folder(account), progress=progress)


def show(account: Account, result: Result, folder: Path, language: str) -> None:
    """Show the tables of a run, what must be known beside them, and where the files are."""
    words = WORDS[language]
    warn(result.problems, language)
    for line in terminal.prepared(result.plan.steps, language):
        say(line)
    give(terminal.service_table(result.account, language))
    give("")
    give(terminal.county_table(result.account, account.definition.account.name, language))
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
