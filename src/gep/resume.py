"""Tiles as bytes, kept in the ledger of the output folder: so that a run can go on."""

import contextlib
import json
import threading
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep import ledger, origin, store
from gep.errors import IdentityError, Interrupted, Problem
from gep.ledger import Ledger, Place
from gep.plan import Plan
from gep.rasters import Window
from gep.run import Done, Partials
from gep.staging import Findings

MAGIC = b"gep tile 1\n"
LEAVES = ("pixels", "areas", "missing", "missing_area", "sums", "negative")
"""Fields of `Partials` by place and class; `blame` and `outside` are of the whole tile."""


# --- tiles as bytes -----------------------------------------------------------------------------


def encode(part: Partials, places: NDArray[np.int64]) -> bytes:
    """Bytes of a tile, exact: only the classes that occur in a place, of those only what is not 0.

    A header in JSON (shape, pixels outside, findings), then int64 and bits, little end first: the
    places, the pairs of place and class, which numbers are not 0, and these.
    """
    row, kind = np.nonzero(part.pixels)
    numbers = [getattr(part, name)[row, kind].ravel() for name in LEAVES]
    flat = np.concatenate([*numbers, part.blame.ravel()])
    some = flat != 0
    head = json.dumps(
        {
            "shape": [*part.missing.shape, part.blame.shape[1]],
            "pairs": len(row),
            "numbers": len(flat),
            "outside": part.outside,
            "findings": {f.name: list(_listed(part.findings, f.name)) for f in fields(Findings)},
        }
    )
    return b"".join(
        [
            *(MAGIC, f"{head}\n".encode(), _bytes(places), _bytes(row), _bytes(kind)),
            *(np.packbits(some).tobytes(), _bytes(flat[some])),
        ]
    )


def decode(content: bytes) -> tuple[Partials, NDArray[np.int64]]:
    """Partials of a tile and their places, as they were given to `encode`."""
    if not content.startswith(MAGIC):
        raise ValueError("no tile of this form")
    end = content.index(b"\n", len(MAGIC))
    head, at = json.loads(content[len(MAGIC) : end]), end + 1
    count, kinds, columns, culprits = head["shape"]
    part = Partials.zeros(count, kinds - 1, columns, culprits)
    sizes = [count, head["pairs"], head["pairs"]]
    whole = np.frombuffer(content, "<i8", sum(sizes), at)
    places, row, kind = np.split(whole, np.cumsum(sizes)[:-1])
    at += 8 * len(whole)
    bits = np.frombuffer(content, np.uint8, -(-head["numbers"] // 8), at)
    flat = np.zeros(head["numbers"], np.int64)
    flat[np.unpackbits(bits, count=head["numbers"]).astype(bool)] = np.frombuffer(
        content, "<i8", -1, at + len(bits)
    )
    for name in LEAVES:
        leaf = getattr(part, name)
        shape = (head["pairs"], *leaf.shape[2:])
        size = int(np.prod(shape))
        leaf[row, kind], flat = flat[:size].reshape(shape), flat[size:]
    part.blame[:] = flat.reshape(part.blame.shape)
    part.outside = head["outside"]
    for name, entries in head["findings"].items():
        getattr(part.findings, name).update({key: tuple(found) for key, *found in entries})
    return part, places.astype(np.int64)


def _bytes(numbers: NDArray[np.int64]) -> bytes:
    return numbers.astype("<i8").tobytes()


def _listed(findings: Findings, name: str) -> Iterator[list[Any]]:
    for key, found in getattr(findings, name).items():
        yield [key, *found]


# --- a run that can go on -----------------------------------------------------------------------


class Kept:
    """Tiles of one account in a ledger, as `run.accumulate` takes them and gives them.

    `resumed` were there, `damaged` were of no use, `added` came during this run, `dropped` are of
    accounts the last runs did not compute. With *fresh* none of those there is used.
    """

    def __init__(
        self,
        book: Ledger,
        plan: Plan,
        hashes: Mapping[str, str],
        stamps: Mapping[Path, str],
        fresh: bool,
    ) -> None:
        section = plan.definition.account
        self._ledger, self._stamps, self._fresh = book, stamps, fresh
        self._identity = book.identity(origin.parts(plan, hashes), f"{section.name} {section.year}")
        self.resumed = self.added = self.damaged = self.dropped = self._pixels = 0
        self._began, self._counting = time.monotonic(), threading.Lock()
        self._first = self._began

    def found(self, windows: Sequence[Window]) -> Iterator[Done]:
        """Those of the *windows* that are there, with their partials and places."""
        wanted = {} if self._fresh else {place_of(window): window for window in windows}
        there = self._ledger.tiles(self._identity, wanted) if wanted else ()
        before = self._ledger.damaged
        for place, content in there:
            self.resumed += 1
            yield wanted[place], *decode(content)
        self.damaged += self._ledger.damaged - before
        self._began = time.monotonic()

    def keep(self, window: Window, part: Partials, places: NDArray[np.int64]) -> None:
        """Put one computed tile in the ledger, from any thread.

        Raises
        ------
        IdentityError
            E714 if an input is no longer the file that was hashed: of what is the tile?
        ResourceError, BusyError
            E701, E705, E710, E724 if it cannot be written, E726 if the ledger was taken away.
        """
        now = ledger.stamps(self._stamps)
        if now != self._stamps:
            changed = [str(path) for path, seen in self._stamps.items() if now.get(path) != seen]
            raise IdentityError(Problem("E714", {"files": ", ".join(changed)}))
        sound = self._ledger.insert(self._identity, place_of(window), encode(part, places))
        with self._counting:
            self.damaged += not sound
            self.added += 1
            if self.added == 2:  # the loop was compiled for the first one
                self._began, self._pixels = self._first, 0
            self._pixels += window.width * window.height
            self._first = time.monotonic() if self.added == 1 else self._first

    def ended(self, shared: bool = False) -> None:
        """Note how long a pixel took, where many were computed, not for others with them.

        Only now, when every account of the run is known, is dropped what none needs.

        Raises
        ------
        ResourceError
            E726 if the ledger was taken away since.
        """
        self._ledger.stands()
        self.dropped += self._ledger.drop()
        if self._pixels and not shared:
            seconds = time.monotonic() - self._began
            self._ledger.paced(self._identity, 1e9 * seconds / self._pixels)


def place_of(window: Window) -> Place:
    """Where a window is, as the ledger has it."""
    return int(window.row_off), int(window.col_off), int(window.height), int(window.width)


class Keeping:
    """The ledger of an output folder during a run; without a folder nothing is kept."""

    def __init__(self, book: Ledger | None, problems: Sequence[Problem], fresh: bool) -> None:
        self.ledger, self._problems, self._fresh = book, list(problems), fresh
        self.kept: Kept | None = None
        self._stamps, self._hashed, self._began = dict[Path, str](), dict[Path, str](), 0

    @property
    def problems(self) -> list[Problem]:
        """What was wrong with the ledger, and is mended."""
        found = list(self._problems)
        if self.ledger and self.kept and self.kept.damaged:
            fields = {"file": self.ledger.file, "count": self.kept.damaged}
            found.append(Problem("W592", fields))
        return found

    def known(self, files: Iterable[Path]) -> dict[Path, str]:
        """SHA-256 of those files that an earlier run has hashed as they are now."""
        self._stamps, self._began = ledger.stamps(files), time.time_ns()
        if self.ledger is None or self._fresh:
            return {}
        self._hashed = self.ledger.known(self._stamps)
        return self._hashed

    def remember(self, hashes: Mapping[Path, str]) -> None:
        """Note the SHA-256 of files, for the next run, but those that were `known`."""
        if self.ledger:
            new = {path: h for path, h in hashes.items() if path not in self._hashed}
            self.ledger.remember(new, self._stamps, self._began)

    def of(self, plan: Plan, hashes: Mapping[str, str]) -> Kept | None:
        """Tiles of an account in the ledger."""
        if self.ledger:
            self.kept = Kept(self.ledger, plan, hashes, self._stamps, self._fresh)
        return self.kept


@contextlib.contextmanager
def keeping(folder: Path | None, fresh: bool) -> Generator[Keeping, None, None]:
    """Ledger of *folder*, which this process holds as long as it computes into it.

    Raises
    ------
    ResourceError, BusyError
        E701, E705, E710, E724, E725 if the ledger cannot be written, or not now.
    Interrupted
        W593 how many tiles are kept, after Ctrl-C.
    """
    with keeping_all([(folder, fresh)]) as (held,):
        yield held


@contextlib.contextmanager
def keeping_all(
    asked: Iterable[tuple[Path | None, bool]],
) -> Generator[list[Keeping], None, None]:
    """What `keeping` of every folder gives, all held at once; accounts may share a folder."""
    held: list[Keeping] = []
    folders: list[Path | None] = []
    books: dict[Path, Ledger] = {}
    try:
        with contextlib.ExitStack() as opened:
            for folder, fresh in asked:
                book, problems = None, list[Problem]()
                if folder is not None and (book := books.get(folder.resolve())) is None:
                    opened.enter_context(store.locked(folder))
                    book, problems = ledger.open_in(folder)
                    books[folder.resolve()] = opened.enter_context(contextlib.closing(book))
                held.append(Keeping(book, problems, fresh))
                folders.append(folder)
            yield held
    except KeyboardInterrupt:
        found = [
            Problem("W593", {"folder": folder, "count": one.kept.resumed + one.kept.added})
            for folder, one in zip(folders, held, strict=False)
            if one.kept and one.kept.resumed + one.kept.added
        ]
        if not found:
            raise
        raise Interrupted(*found) from None
