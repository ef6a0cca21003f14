"""One chart from elsewhere as a directory on this machine: out of the store, or fetched into it.

In: what is requested and what the lock says it is, or no lock. Out: a directory with the chart, whose
archive had the locked digest. Many processes may ask for one chart at once; one of them fetches it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import NamedTuple

from ..errors import CmpError, InputError, Location
from ..system.files import FileTree
from ..system.process import Deadline
from ..tools.discovery import Tool
from . import store
from .chart_request import ChartRequest
from .lockfile import Locked


class FetchContext(NamedTuple):
    """What a fetch may use: the fleet's files and mirrors, a range of helm's versions, a private directory, time."""

    tree: FileTree
    mirrors: tuple[tuple[str, str], ...]
    helm_range: str
    workdir: str
    deadline: Deadline


def locked_chart(request: ChartRequest, entry: Locked, context: FetchContext) -> str:
    """The directory of a locked chart. InputError: another digest (names both); ToolError: no fetch."""
    directory = store.find(entry.digest)
    if directory:
        return directory
    with _alone(request, context.deadline):
        return store.find(entry.digest) or _fetched(request, entry, context)


def _fetched(request: ChartRequest, entry: Locked, context: FetchContext) -> str:
    # Imported only where a network is needed: this costs as much as a small render.
    from .fetch import fetch
    from .mirrors import source_of

    source = source_of(request, context.mirrors, context.tree)
    got = fetch(request, source, entry.url, _helm(context), _new_directory(context), context.deadline)
    return kept(got.path, entry.digest, f"{request} from {source.said}", context)


def checked(archive: str, digest: str, subject: str, context: FetchContext) -> str:
    """The chart of an archive in the fleet, whose digest is looked at every time; see `kept`."""
    try:
        store.check_digest(archive, digest)
    except InputError as error:
        raise InputError(f"{subject} {error.message}") from None
    return store.find(digest) or kept(archive, digest, subject, context)


def kept(archive: str, digest: str, subject: str, context: FetchContext) -> str:
    """The archive's chart as a directory: in the store, or without one in the render's own directory.

    `subject` begins the error's sentence when the archive is another one than it should be, or a bad one.
    """
    try:
        with contextlib.suppress(store.StoreError):
            from .store_gc import trim

            directory = store.add(archive, digest)
            trim()
            return directory
        from .archive import unpack

        store.check_digest(archive, digest)
        directory = _new_directory(context)
        unpack(archive, directory)
    except InputError as error:
        raise InputError(f"{subject} {error.message}", None, error.hint) from None
    return directory


def unlocked_chart(request: ChartRequest, context: FetchContext) -> tuple[Locked, str]:
    """The chart that its source gives now: what a lock would say about it, and its directory."""
    from . import unlocked

    entry = unlocked.recall(request)
    directory = store.find(entry.digest) if entry else ""
    if entry and directory:
        return entry, directory
    with _alone(request, context.deadline):
        entry, directory = lock_chart(request, context)
        unlocked.remember(request, entry)
    return entry, directory


def lock_chart(request: ChartRequest, context: FetchContext) -> tuple[Locked, str]:
    """Fetch the chart, look at it, and say what the lock is to say; and its directory."""
    from .archive import inspect
    from .fetch import fetch
    from .mirrors import source_of

    source = source_of(request, context.mirrors, context.tree)
    subject = f"{request} from {source.said}"
    got = fetch(request, source, "", _helm(context), _new_directory(context), context.deadline)
    digest = store.digest_of(got.path)
    if got.digest and digest != f"sha256:{got.digest}":
        raise InputError(f"{subject} has the digest {digest}, the repository's index says sha256:{got.digest}")
    try:
        facts = inspect(got.path)
    except InputError as error:
        raise InputError(f"{subject} {error.message}", None, error.hint) from None
    if facts.name != request.name:
        raise InputError(f"{subject} is a chart of another name: {facts.name}")
    entry = Locked(
        request.repository,
        request.name,
        facts.version,
        digest,
        "" if request.version == facts.version else request.version,
        got.url,
        facts.kube_version,
        facts.dependencies,
    )
    return entry, kept(got.path, digest, subject, context)


@contextlib.contextmanager
def _alone(request: ChartRequest, deadline: Deadline) -> Iterator[None]:
    """While it is fetched. Without a usable store everybody fetches for themselves."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(store.StoreError):
            stack.enter_context(store.alone(" ".join(request.key), deadline))
        yield


def _helm(context: FetchContext) -> Tool:
    from ..tools import helm

    return helm.find(context.helm_range)


def _new_directory(context: FetchContext) -> str:
    path = os.path.join(context.workdir, f"source-{os.urandom(6).hex()}")
    os.mkdir(path, 0o700)
    return path


def named(error: CmpError, label: str, at: Location) -> CmpError:
    """An error of these modules with its place and, for a person who reads only this line, whose it is."""
    return error.changed(message=f"{label}: {error.message}" if label else error.message, at=at)
