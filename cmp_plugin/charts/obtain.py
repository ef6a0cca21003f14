"""One chart from elsewhere as a directory on this machine: out of the store, or fetched into it.

In: what is wanted and what the lock says it is, or no lock. Out: a directory with the chart, whose
archive had the locked digest. Many processes may ask for one chart at once; one of them fetches it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import CmpError, InputError, Location, ToolError
from ..system.files import FileTree
from ..system.process import Deadline
from ..tools.discovery import Tool
from . import store
from .lockfile import Locked
from .wanted import Wanted


class Means(NamedTuple):
    """What a fetch may use: the fleet's files and mirrors, a range of helm's versions, place and time."""

    tree: FileTree
    mirrors: tuple[tuple[str, str], ...]
    helm_range: str
    workdir: str
    deadline: Deadline


def locked_chart(wanted: Wanted, entry: Locked, means: Means) -> str:
    """The directory of a locked chart. InputError: another digest (names both); ToolError: no fetch."""
    found = store.find(entry.digest)
    if found:
        return found
    with _alone(wanted, means.deadline):
        return store.find(entry.digest) or _fetched(wanted, entry, means)


def _fetched(wanted: Wanted, entry: Locked, means: Means) -> str:
    # Imported only where a network is needed: this costs as much as a small render.
    from .fetch import fetch
    from .mirrors import place_of

    place = place_of(wanted, means.mirrors, means.tree)
    got = fetch(wanted, place, entry.url, _helm(means), _new_directory(means), means.deadline)
    return kept(got.path, entry.digest, f"{wanted} from {place.said}", means)


def checked(archive: str, digest: str, what: str, means: Means) -> str:
    """The chart of an archive in the fleet, whose digest is looked at every time; see `kept`."""
    try:
        store.check_digest(archive, digest)
    except InputError as error:
        raise InputError(f"{what} {error.message}") from None
    return store.find(digest) or kept(archive, digest, what, means)


def kept(archive: str, digest: str, what: str, means: Means) -> str:
    """The archive's chart as a directory: in the store, or without one in the render's own directory.

    `what` begins the error's sentence when the archive is another one than it should be, or a bad one.
    """
    try:
        with contextlib.suppress(store.StoreError):
            directory = store.add(archive, digest)
            _trim()
            return directory
        from .archive import unpack

        store.check_digest(archive, digest)
        directory = _new_directory(means)
        unpack(archive, directory)
    except InputError as error:
        raise InputError(f"{what} {error.message}", None, error.hint) from None
    return directory


def _trim() -> None:
    from .store_gc import trim

    trim()


def unlocked_chart(wanted: Wanted, means: Means) -> tuple[Locked, str]:
    """The chart that a place gives now: what a lock would say about it, and its directory."""
    from . import unlocked

    entry = unlocked.recall(wanted)
    found = store.find(entry.digest) if entry else ""
    if entry and found:
        return entry, found
    with _alone(wanted, means.deadline):
        entry, directory = lock_chart(wanted, means)
        unlocked.remember(wanted, entry)
    return entry, directory


def lock_chart(wanted: Wanted, means: Means) -> tuple[Locked, str]:
    """Fetch the chart, look at it, and say what the lock is to say; and its directory."""
    from .archive import inspect
    from .fetch import fetch
    from .mirrors import place_of

    place = place_of(wanted, means.mirrors, means.tree)
    what = f"{wanted} from {place.said}"
    got = fetch(wanted, place, "", _helm(means), _new_directory(means), means.deadline)
    digest = store.digest_of(got.path)
    if got.digest and digest != f"sha256:{got.digest}":
        raise InputError(f"{what} has the digest {digest}, the repository's index says sha256:{got.digest}")
    try:
        facts = inspect(got.path)
    except InputError as error:
        raise InputError(f"{what} {error.message}", None, error.hint) from None
    if facts.name != wanted.name:
        raise InputError(f"{what} is a chart of another name: {facts.name}")
    entry = Locked(
        wanted.repository,
        wanted.name,
        facts.version,
        digest,
        "" if wanted.version == facts.version else wanted.version,
        got.url,
        facts.kube_version,
        facts.dependencies,
    )
    return entry, kept(got.path, digest, what, means)


@contextlib.contextmanager
def _alone(wanted: Wanted, deadline: Deadline) -> Iterator[None]:
    """While it is fetched. Without a usable store everybody fetches for themselves."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(store.StoreError):
            stack.enter_context(store.alone(" ".join(wanted.key), deadline))
        yield


def _helm(means: Means) -> Tool:
    from ..tools import helm

    return helm.find(means.helm_range)


def _new_directory(means: Means) -> str:
    path = os.path.join(means.workdir, f"source-{os.urandom(6).hex()}")
    os.mkdir(path, 0o700)
    return path


def named(error: CmpError, label: str, at: Location) -> CmpError:
    """An error of these modules with its place and, for a person who reads only this line, whose it is."""
    message = f"{label}: {error.message}" if label else error.message
    if isinstance(error, ToolError):
        return ToolError(message, at, error.hint, argv=error.argv, exit_code=error.tool_exit_code)
    return InputError(message, at, error.hint)
