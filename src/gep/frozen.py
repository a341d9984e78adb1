"""Files frozen in gep.toml: a section with `sha256` is read from that very file, or not at all.

Most compressions have no checksum; a digest noted when the file came sees any change of it.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gep.config import CountiesSection, Definition, RasterSection, TableSection, locate
from gep.errors import Problem
from gep.rasters import threads
from gep.step import digest_of


def wanted(definition: Definition, folder: Path) -> dict[str, tuple[Path, str]]:
    """File and SHA-256 of every section that says one, by its name; files that are there."""
    sections: dict[str, CountiesSection | RasterSection | TableSection]
    sections = {"counties": definition.counties}
    sections |= {f"rasters.{name}": one for name, one in definition.rasters.items()}
    sections |= {f"statistics.{name}": one for name, one in definition.statistics.items()}
    said = {at: (locate(folder, s.file), s.sha256) for at, s in sections.items()}
    return {at: (path, digest) for at, (path, digest) in said.items() if digest and path.is_file()}


def digests(definition: Definition, folder: Path) -> dict[Path, str]:
    """SHA-256 of every such file as it is now; hashed anew only if its size or times changed."""
    files = list(dict.fromkeys(path for path, _ in wanted(definition, folder).values()))
    with ThreadPoolExecutor(threads()) as pool:
        return dict(zip(files, pool.map(digest_of, files), strict=True))


def differing(
    definition: Definition, folder: Path, known: Mapping[Path, str] | None = None
) -> list[Problem]:
    """E105 of every file that is not the one its section says; of some the digest is *known*."""
    found = {**digests(definition, folder), **(known or {})}
    return [
        Problem("E105", {"key": f"{at}.sha256", "file": path, "found": found[path], "want": digest})
        for at, (path, digest) in wanted(definition, folder).items()
        if found[path] != digest
    ]
