"""Charts on this machine, kept by the digest of their archive, for any number of processes at once.

In: an archive and the digest it must have. Out: a directory that holds the chart. What is under a
digest's name was checked before it got there and appears in one step; a reader holds a lock on it, so
that nobody removes it meanwhile. Nothing here touches a network.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator

from ..errors import InputError, ToolError
from ..system.locks import ALONE, SHARED, lock_directory, lock_file
from ..system.process import Deadline
from ..system.publish import new_directory
from ..tools.discovery import cache_directory

ARCHIVE, CHART = "archive.tgz", "chart"
FRESH = 3600.0  # seconds; the time of last use is kept no more exactly than this
# Seconds between two tries to be the one that fetches; a fetch takes much longer.
_PAUSE = 0.05
# Charts that this process keeps from removal at once: a descriptor each, of the 1,024 that a process usually
# has. A render uses a handful.
_MOST_HELD = 128
HINT = "CMP_PLUGIN_CACHE_DIR names another place"
# Path -> the descriptor that locks it, until this process ends: the one state that outlives a render. It decides
# what others may remove, never what is found.
_held: dict[str, int] = {}
_holding = threading.Lock()


class StoreError(ToolError):
    """The store cannot be used. A render can do without."""


def directory() -> str:
    """Where charts are kept. It may not exist."""
    return os.path.join(cache_directory(), "charts")


def path_of(digest: str) -> str:
    """Where the chart with this digest is, once it is there."""
    return os.path.join(directory(), digest.removeprefix("sha256:"))


def find(digest: str) -> str:
    """The directory of the chart whose archive has this digest, or "".

    It stays until this process ends, or has found 128 others.
    """
    path = path_of(digest)
    with _holding, contextlib.suppress(OSError):
        if path not in _held:
            descriptor = lock_directory(path, SHARED)
            if descriptor is None:
                return ""
            _held[path] = descriptor
            while len(_held) > _MOST_HELD:
                os.close(_held.pop(next(iter(_held))))
            now = time.time()
            if now - os.fstat(descriptor).st_mtime > FRESH:
                with contextlib.suppress(OSError):
                    os.utime(descriptor, (now, now))
        return os.path.join(path, CHART)
    return ""


def add(archive: str, digest: str) -> str:
    """Keep `archive`, which must have `digest` and be a chart; its directory, as `find` gives it.

    Raises InputError (another digest, a bad archive) and StoreError.
    """
    check_digest(archive, digest)

    def fill(new: str) -> None:
        import shutil

        from .archive import unpack

        os.mkdir(os.path.join(new, CHART), 0o700)
        unpack(archive, os.path.join(new, CHART))
        shutil.copyfile(archive, os.path.join(new, ARCHIVE))

    return publish(digest, fill)


def publish(digest: str, fill: Callable[[str], None]) -> str:
    """Keep what `fill` writes into the new directory that it is given; as `add`. `fill` makes `CHART` in it."""
    path = path_of(digest)
    try:
        prepare()
        with new_directory(path, 0o700, durable=True) as new:
            fill(new)
    except OSError as error:
        if not os.path.isdir(path):  # else another process was faster
            raise _unusable(error) from None
    chart = find(digest)
    if not chart:
        raise StoreError("a chart was removed from the cache at the moment it got there", hint="try again")
    return chart


def digest_of(archive: str) -> str:
    """`sha256:` and the file's sum in hex."""
    import hashlib

    with open(archive, "rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def check_digest(archive: str, digest: str) -> None:
    """InputError naming both when the file's digest is another."""
    actual = digest_of(archive)
    if actual != digest:
        raise InputError(f"has the digest {actual}, the lock says {digest}")


def prepare() -> None:
    """Make the store's directory. It is ours alone: who can write there decides what is rendered."""
    os.makedirs(os.path.dirname(directory()), exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.mkdir(directory(), 0o700)
    facts = os.lstat(directory())
    if facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise StoreError("the cache belongs to somebody else", hint=HINT)


def _unusable(error: OSError) -> StoreError:
    return StoreError(f"the cache cannot be used: {os.strerror(error.errno or 0)}", hint=HINT)


@contextlib.contextmanager
def alone(name: str, deadline: Deadline) -> Iterator[None]:
    """One process at a time is in here for `name`; the others wait, and then find what it fetched.

    Raises ToolError at the deadline, StoreError.
    """
    import hashlib

    busy = os.path.join(directory(), f".busy-{hashlib.sha256(name.encode()).hexdigest()}")
    try:
        prepare()
        while (lock := lock_file(busy, ALONE, create=True)) is None:
            if not deadline.left():
                raise ToolError(f"another process was still fetching it after {deadline.seconds:g} s")
            time.sleep(_PAUSE)
    except OSError as error:
        raise _unusable(error) from None
    try:
        yield
    finally:
        os.close(lock)
