"""The locks can be trusted, and the wheel carries everything that gep needs."""

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKS = ["requirements.lock", "requirements-test.lock"]
BUILD_TOOLS = (CHECKOUT / "build.in").read_text("utf-8").split()
NOT_FOR_A_LOCK = ["://", "--find-links", "--index-url", "--extra-index-url", "file:"]


def lock_entries(name: str) -> list[str]:
    """Logical lines of a lock: one per pinned package, hashes included."""
    text = (CHECKOUT / name).read_text("utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip()]


def pins(name: str) -> list[Requirement]:
    return [Requirement(entry.partition("--hash")[0]) for entry in lock_entries(name)]


@pytest.mark.parametrize("lock", LOCKS)
@pytest.mark.parametrize("address", NOT_FOR_A_LOCK)
def test_lock_holds_no_address(lock: str, address: str) -> None:
    assert address not in (CHECKOUT / lock).read_text("utf-8")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_lock_entry_is_pinned_and_hashed(lock: str) -> None:
    entries = lock_entries(lock)
    assert len(entries) > 20
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[^ ;]+ ", entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_what_the_project_needs(lock: str) -> None:
    wanted = [Requirement(text) for text in [*PROJECT["dependencies"], *BUILD_TOOLS]]
    if lock == "requirements-test.lock":
        wanted += [Requirement(text) for text in PROJECT["optional-dependencies"]["test"]]
    pinned: dict[str, list[str]] = {}
    for pin in pins(lock):
        version = next(iter(pin.specifier)).version
        pinned.setdefault(canonicalize_name(pin.name), []).append(version)
    for requirement in wanted:
        versions = pinned.get(canonicalize_name(requirement.name), [])
        assert any(requirement.specifier.contains(version) for version in versions), requirement


def test_test_lock_holds_the_runtime_lock() -> None:
    assert set(lock_entries("requirements.lock")) <= set(lock_entries("requirements-test.lock"))


def test_citation_names_the_version() -> None:
    citation = (CHECKOUT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {PROJECT['version']}\n" in citation


def run(command: list[object], **options: object) -> str:
    """Standard output of a command that must succeed; what it said is shown when it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        **options,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a freshly built wheel and source archive."""
    folder = tmp_path_factory.mktemp("built")
    for target in ("wheel", "sdist"):
        run([sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder], cwd=CHECKOUT)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder that holds the installed wheel and nothing else."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "install"]
    (wheel,) = built.glob("*.whl")
    run([*pip, "-q", "--no-deps", "--no-index", "--target", folder, wheel])
    return folder


@pytest.fixture
def elsewhere(installed: Path) -> dict[str, object]:
    """A bare user: started from /, with the wheel first on the path and no folder to write to."""
    dropped = {"GEP_CACHE", "XDG_CACHE_HOME", "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT"}
    environment = {key: value for key, value in os.environ.items() if key not in dropped}
    # Below /proc nothing can be made, not even by root.
    environment |= {"PYTHONPATH": str(installed), "HOME": "/proc/nonexistent"}
    environment |= {"PYTHONUTF8": "1"}
    return {"cwd": "/", "env": environment}


def data_files(folder: Path) -> set[str]:
    return {
        f"{path.relative_to(folder).as_posix()}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize("room", ["coefficients", "rasters"])
def test_wheel_carries_the_data(built: Path, room: str) -> None:
    (wheel,) = built.glob("*.whl")
    prefix = f"gep/data/{room}/"
    with zipfile.ZipFile(wheel) as archive:
        names = {name.removeprefix(prefix) for name in archive.namelist() if prefix in name}
    assert {name for name in names if "__pycache__" not in name} == data_files(CHECKOUT / room)


def test_sdist_carries_what_a_wheel_is_built_from(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for room in ("coefficients", "rasters"):
        assert {f"{room}/{name}" for name in data_files(CHECKOUT / room)} <= names
    assert {"pyproject.toml", "LICENSE", "requirements.lock", "src/gep/__init__.py"} <= names


def test_installed_gep_finds_itself_and_its_data(
    installed: Path, elsewhere: dict[str, object]
) -> None:
    said = run([sys.executable, "-P", "-c", "import gep; print(gep.__file__)"], **elsewhere)
    assert Path(said.strip()) == installed / "gep" / "__init__.py"
    data = installed / "gep" / "data"
    assert (data / "coefficients" / "ecosystems.toml").is_file()
    assert (data / "coefficients" / "sources.toml").is_file()
    assert list((data / "rasters" / "sample").rglob("*.tif"))


def test_installed_gep_says_its_version(installed: Path, elsewhere: dict[str, object]) -> None:
    said = run([sys.executable, "-P", installed / "bin" / "gep", "--version"], **elsewhere)
    assert PROJECT["version"] in said.replace(",", " ").split()


def test_installed_gep_accounts_the_sample_county(
    installed: Path, elsewhere: dict[str, object], tmp_path: Path
) -> None:
    before = data_files(installed)
    run([sys.executable, "-P", installed / "bin" / "gep", "demo", tmp_path / "demo"], **elsewhere)
    assert list((tmp_path / "demo").rglob("county_gep.csv"))
    assert data_files(installed) == before
