"""Folders that are files, pointers that point nowhere, names no system has: said, never a crash."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import click.testing
import pytest
import small

import gep
from gep import store
from gep.cli import main
from gep.errors import IdentityError, InputError, ResourceError, messages

LONG = "x" * 6000


def done(*words: object) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, [str(word) for word in words])


def said(code: int, name: str, *words: object) -> str:
    """What a verb tells people; in both languages, with an exit code and never a traceback."""
    for language in ("zh", "en"):
        found = done(*words, "--lang", language)
        assert found.exit_code == code, found.output
        assert f"{name}  " in found.stderr, found.stderr
        assert "Traceback" not in found.stderr
    return found.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output folder of an account that has run."""
    path = small.write(tmp_path_factory.mktemp("crashes"))
    assert done("run", path, "--progress", "none").exit_code == 0
    return path.parent / "output"


@pytest.fixture
def output(finished: Path, tmp_path: Path) -> Path:
    return shutil.copytree(finished, tmp_path / "output")


def readers(folder: object, tmp_path: Path) -> list[tuple[object, ...]]:
    """Every verb that reads a run."""
    path = small.write(tmp_path / "later", change={"account.previous": str(folder)})
    return [
        ("verify", folder),
        ("compare", folder, folder),
        ("explain", folder, "360101", "--service", "soil_retention"),
        ("run", path, "--progress", "none"),
    ]


POINTERS = {
    "no text": b"\xff\xfe\x00",
    "no folder": b"nope",
    "nothing": b"",
    "a null character": b"a\0b",
    "too long a name": LONG.encode(),
    "another folder": b"../../../etc",
    "itself": b".",
}


@pytest.mark.parametrize("pointer", POINTERS)
def test_a_pointer_that_names_no_run(pointer: str, output: Path, tmp_path: Path) -> None:
    (output / "latest").write_bytes(POINTERS[pointer])
    for words in readers(output, tmp_path):
        assert str(output) in said(3, "E790", *words)


def test_a_folder_that_is_none(output: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (output / "latest", tmp_path / "file", "/dev/null", LONG, tmp_path / "nowhere"):
        for words in readers(folder, tmp_path):
            said(3, "E790", *words)
    said(3, "E790", "compare", output, output / "latest")
    (output / "latest").unlink()
    (output / "latest").mkdir()
    for words in readers(output, tmp_path):
        said(3, "E790", *words)


def sealed(core: dict[str, Any]) -> bytes:
    """A run.json whose root fits, whatever is in it."""
    return json.dumps({"core": core, "root": store.digest(store.canonical(core))}).encode()


def cut(core: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in core.items() if name != key}


MANIFESTS = {
    "empty": (b"", 5, "E716"),
    "a table without keys": (b"{}", 5, "E716"),
    "a list": (b"[]", 5, "E716"),
    "null": (b"null", 5, "E716"),
    "no text": (b"\xff", 5, "E716"),
    "brackets in brackets": (b"[" * 100_000, 5, "E716"),
    "a core that is a list": (b'{"core": [], "root": "x"}', 5, "E716"),
    "a core without form": (b'{"core": {}, "root": "x"}', 3, "E717"),
    "another core": (b'{"core": {"schema": 1}, "root": "x"}', 5, "E715"),
    "a core with its form only": (sealed({"schema": 1}), 5, "E716"),
}


@pytest.mark.parametrize("fault", MANIFESTS)
def test_a_run_json_that_is_none(fault: str, output: Path, tmp_path: Path) -> None:
    content, code, name = MANIFESTS[fault]
    (store.find(output) / "run.json").write_bytes(content)
    for words in readers(output, tmp_path):
        said(code, name, *words)


@pytest.mark.parametrize("key", ["items", "inputs", "profile", "outputs", "areas", "account"])
def test_a_run_json_that_lacks_a_part(key: str, output: Path, tmp_path: Path) -> None:
    path = store.find(output) / "run.json"
    path.write_bytes(sealed(cut(json.loads(path.read_text("utf8"))["core"], key)))
    for words in readers(output, tmp_path):
        said(5, "E716", *words)


@pytest.mark.parametrize("how", ["gone", "a folder", "no text", "a digit changed"])
def test_a_run_without_its_accounts(how: str, output: Path, tmp_path: Path) -> None:
    table = store.find(output) / "accounts.csv"
    content = table.read_bytes()
    table.unlink()
    if how == "a folder":
        table.mkdir()
    elif how == "no text":
        table.write_bytes(b"\xff\xfe")
    elif how == "a digit changed":
        table.write_bytes(content.replace(b"1", b"2", 1))
    for words in readers(output, tmp_path):
        assert "accounts.csv" in said(5, "E715", *words)


def test_init_where_a_file_is(tmp_path: Path) -> None:
    path = small.write(tmp_path / "a")
    before = path.read_bytes()
    assert "not an empty folder" in said(3, "E017", "init", path)
    said(3, "E017", "init", "/dev/null")
    said(6, "E705", "init", path / "x")
    said(6, "E791", "init", LONG)
    assert path.read_bytes() == before


@pytest.mark.parametrize("folder", ["a\0b", LONG, "gep.toml", "/dev/null", "gep.toml/x"])
def test_an_output_folder_nobody_can_make(folder: str, tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"output.folder": folder})
    said(6, "E705", "run", path, "--progress", "none")
    with pytest.raises(ResourceError) as raised:
        store.ready(tmp_path / folder)
    assert [p.code for p in raised.value.problems] == ["E705"]
    with pytest.raises(ResourceError), store.locked(tmp_path / folder):
        pass
    assert {p.name for p in tmp_path.iterdir() if p.is_dir()} == set()


@pytest.mark.parametrize(
    "key",
    [
        *("rasters.precipitation.file", "rasters.ecosystem.legend", "statistics.products.file"),
        *("counties.file", "counties.outline", "coefficients.overrides", "account.profile"),
        "account.previous",
    ],
)
@pytest.mark.parametrize("name", ["a\0b", LONG, ".", "", "/dev/null"])
def test_a_name_no_file_has(key: str, name: str, tmp_path: Path) -> None:
    path = small.write(tmp_path, change={key: name})
    for verb in ("check", "run"):
        found = done(verb, path)
        assert found.exit_code in (0, 3, 6), found.output
        assert "Traceback" not in found.output
        if name != "":  # nothing named is nothing asked for, of some keys
            assert found.exit_code, found.output


def test_a_definition_that_is_not_there(tmp_path: Path) -> None:
    for verb in ("run", "check", "prepare"):
        text = said(3, "E792", verb, tmp_path / "nope.toml")
        assert text.splitlines()[-2:] == [
            f"error E792  no such file: {tmp_path / 'nope.toml'}",
            "  fix: give the path of a gep.toml, from the folder you are in; gep init writes one",
        ]
        said(3, "E792", verb, tmp_path / "a" / "b.toml")
    said(3, "E792", "check", tmp_path)
    with pytest.raises(InputError):
        gep.open(tmp_path)


@pytest.mark.parametrize("words", [("",), ("nope",), ("[",), ("ecosystem",), ("gep.toml",)])
def test_prepare_of_what_is_no_raster_to_be_made(words: tuple[str, ...], tmp_path: Path) -> None:
    path = small.write(tmp_path)
    found = done("prepare", path, *words)
    assert found.exit_code == 3, found.output
    assert "error E8" in found.stderr


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the superuser reads everything")
def test_a_file_nobody_may_read(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    path.chmod(0)
    said(6, "E791", "check", path)


def test_what_explain_shows_is_what_was_written(output: Path) -> None:
    from gep import verify

    manifest, rows = verify.read(output)
    assert manifest["core"]["outputs"]["accounts.csv"]["bytes"] > 0
    assert rows
    table = store.find(output) / "accounts.csv"
    table.write_bytes(table.read_bytes() + b"\r\n")
    with pytest.raises(IdentityError):
        verify.read(output)


def test_the_codes_of_this_kind_say_what_is_named_on_the_command_line() -> None:
    assert "gep.toml" not in messages()["E790"]["fix_en"]
    assert messages()["E792"]["fix_zh"] == (
        "给出 gep.toml 的路径（相对于当前文件夹）；gep init 可生成一个"
    )
