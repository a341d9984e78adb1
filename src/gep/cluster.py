"""Tiles on the workers of a dask cluster: the same integers, whoever computes them.

A task may run twice, as dask says: a tile is a fact, and the ledger takes it once.
"""

import itertools
import logging
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from gep.errors import IdentityError, InputError, Problem, ResourceError
from gep.plan import Plan
from gep.rasters import Window
from gep.replacements import Said, wrong
from gep.resume import decode
from gep.run import TICK, By, Take
from gep.worker import Answer, Place, compute, rest, task

if TYPE_CHECKING:
    from distributed import Client, Future

CALL = "Account.run"
BATCH = 16
"""Tiles of a task, at most: some 4 million pixels, against which dask's 1 ms is nothing."""
ROUNDS = 8
"""Tasks per thread of the cluster, at least: so that nobody waits long for the last."""
AHEAD = 3
"""Tasks per thread of the cluster that are under way: the rest waits here, so memory is flat."""
PATIENCE = 15
"""Seconds to wait for a scheduler."""
GLANCE = 5.0
"""Seconds after which workers are counted again: they come and go."""
CUT = "the connection is lost", "连接已断"
ALONE = 60.0
"""Seconds to wait for a first or another worker when there is none."""


@contextmanager
def opened(said: "Client | str | None") -> Generator["Client | None", None, None]:
    """Client as it is given, or of the scheduler at an address; that one is closed at the end.

    Raises
    ------
    InputError
        E019 no client, or an asynchronous one; E733 dask.distributed is not installed.
    ResourceError
        E730 nobody answers there.
    """
    if said is None:
        yield None
        return
    if not isinstance(said, str):
        yield _usable(said)
        return
    client = _connect(said)
    try:
        yield client
    finally:
        _close(client)


def _close(client: "Client") -> None:
    """Close a client; one whose scheduler is lost without a trace of what it still tries."""
    lost = client.status != "running"
    log = logging.getLogger("distributed.client")
    if lost:
        log.addFilter(_nothing)
    try:
        with suppress(Exception):  # what there was to say is said, or the account is done
            client.close(timeout=TICK if lost else PATIENCE)
    finally:
        log.removeFilter(_nothing)


def _nothing(_: logging.LogRecord) -> bool:
    return False


def _usable(client: object) -> "Client":
    try:
        from distributed import Client
    except ImportError:
        raise InputError(Problem("E733", {})) from None
    if not isinstance(client, Client):
        kind = type(client).__name__
        zh = f"client 是 {kind}；请给出 distributed.Client 或调度器地址"
        raise wrong(CALL, f"client is {kind}; give a distributed.Client, or an address", zh)
    if client.asynchronous:
        zh = "client 是异步的；请用 Client(address)"
        raise wrong(CALL, "client is asynchronous; use Client(address)", zh)
    return client


def _connect(address: str) -> "Client":
    try:
        from distributed import Client
    except ImportError:
        raise InputError(Problem("E733", {})) from None
    try:
        return Client(address, timeout=PATIENCE, set_as_default=False)
    except Exception as error:  # of any kind: an address is what somebody typed
        raise _lost(address, _line(error)) from None


def _line(error: BaseException) -> str:
    """What an error says, on one line."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


def _lost(address: str, why: str, why_zh: str = "") -> ResourceError:
    fields = {"address": address, "why": why, "why_zh": why_zh or why}
    return ResourceError(Problem("E730", fields))


def workers(
    client: "Client", made: Plan, hashes: Mapping[str, str], said: Mapping[str, Said]
) -> By:
    """How `run.accumulate` has the tiles of a plan computed by the workers of *client*.

    *hashes* are SHA-256 by role.

    Raises
    ------
    ResourceError
        E730 the scheduler is lost, or there is no worker; E731 workers die of a task.
    IdentityError
        E732 a worker would compute something else.
    """
    packed = task(made, hashes, said).packed()

    def everywhere(todo: list[Window], take: Take) -> None:
        with closing(Errand(client, packed, todo)) as errand:
            for answer in errand.answers():
                for place, content in answer:
                    take(Window(*place), *decode(content))

    return everywhere


def _batches(todo: Sequence[Window], size: int) -> Iterator[list[Place]]:
    """Tiles in groups that lie beside each other in the files."""
    plain = [(int(w.col_off), int(w.row_off), int(w.width), int(w.height)) for w in todo]
    for begin in range(0, len(plain), size):
        yield plain[begin : begin + size]


class Errand:
    """Tiles of one task sent to a cluster, few at a time, and their answers as they come."""

    def __init__(self, client: "Client", packed: bytes, todo: Sequence[Window]) -> None:
        self._client, self._packed = client, packed
        self._address = str(client.scheduler.addr) if client.scheduler else "-"
        self._done: SimpleQueue[Future[Answer]] = SimpleQueue()
        self._sent: dict[Any, Future[Answer]] = {}
        self._threads, self._glanced, self._seen = 0, -GLANCE, time.monotonic()
        self._glance()
        size = len(todo) // (ROUNDS * max(1, self._threads))
        self._waiting = _batches(todo, min(BATCH, max(1, size)))

    def answers(self) -> Iterator[Answer]:
        """Every batch, in any order."""
        while True:
            self._glance()
            more = AHEAD * max(1, self._threads) - len(self._sent)
            for batch in itertools.islice(self._waiting, max(0, more)):
                self._send(batch)
            if not self._sent:
                return
            try:
                future = self._done.get(timeout=TICK)
            except Empty:
                continue
            if (answer := self._answer(future)) is not None:
                yield answer

    def _send(self, batch: list[Place]) -> None:
        future = self._asked(lambda: self._client.submit(compute, self._packed, batch, pure=False))
        self._sent[future.key] = future
        future.add_done_callback(self._done.put)

    def _answer(self, future: "Future[Answer]") -> Answer | None:
        """Tiles of a task that ended; None if their worker died, and they are computed again."""
        if future.status == "pending":
            future.add_done_callback(self._done.put)
            return None
        if future.status == "error":
            self._raise(future.exception())
        answer: Answer = self._asked(future.result)
        self._sent.pop(future.key).release()
        return answer

    def _raise(self, error: BaseException) -> None:
        """Say what a task failed of."""
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            raise ResourceError(Problem("E731", {"address": self._address})) from None
        unread = any(words in str(error) for words in ("deserializ", "Can't get attribute"))
        if unread or isinstance(error, ImportError):
            why = _line(error.__cause__ or error)
            raise IdentityError(Problem("E732", {"why": why, "why_zh": why})) from None
        raise error

    def _glance(self) -> None:
        """Count the workers, now and then."""
        now = time.monotonic()
        if self._client.status != "running":
            raise _lost(self._address, *CUT)
        if now - self._glanced < GLANCE:
            return
        self._threads, self._glanced = sum(self._asked(self._client.nthreads).values()), now
        if self._threads:
            self._seen = now
        elif now - self._seen > ALONE:
            raise _lost(self._address, "it has no workers", "没有工作进程")

    def _asked(self, question: "Callable[[], Any]") -> Any:
        """Answer of the scheduler.

        Raises
        ------
        ResourceError
            E730 there is none.
        """
        from distributed import CancelledError
        from distributed.client import ClosedClientError

        try:
            return question()
        except (ClosedClientError, OSError):
            raise _lost(self._address, *CUT) from None
        except CancelledError as error:
            why = CUT if "connection-lost" in str(error) else (_line(error),)
            raise _lost(self._address, *why) from None

    def close(self) -> None:
        """Take back what is under way, and have the workers close their files."""
        for future in self._sent.values():
            future.release()
        self._sent.clear()
        if self._client.status == "running":
            with suppress(Exception):  # the account is done, or has failed of something else
                self._client.run(rest, self._packed, on_error="ignore")
