"""What `vendor` writes: archives in services/<s>/charts/, bases in services/<s>/bases/, nothing beside.

In: a fleet's root, what each service needs. Out: relative paths of what was written or removed. The
directories must be what they seem to be: a link in their place is an error.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator

from ..errors import CmpError, InputError, Location
from ..system.publish import replace_file
from . import store
from .bases import DIRECTORY, obtained
from .chart_request import ChartRequest
from .git_address import Remote
from .lockfile import Locked
from .obtain import FetchContext, locked_chart, named

_COMMIT = re.compile(r".+@[0-9a-f]{40,64}")


def place_archive(root: str, entry: str, locked: Locked, context: FetchContext) -> str:
    """The archive beside the service `entry`: its path when it was written, "" when it was there."""
    at = Location(f"services/{entry}/service.lock")
    directory = _directory(root, f"services/{entry}/charts")
    place = os.path.join(directory, locked.file)
    if os.path.isfile(place) and store.digest_of(place) == locked.digest:
        return ""
    try:
        locked_chart(ChartRequest(*locked.key, at), locked, context)
    except CmpError as error:
        raise named(error, "", at) from None
    archive = os.path.join(store.path_of(locked.digest), store.ARCHIVE)
    if not os.path.isfile(archive):
        raise store.StoreError("`vendor` needs the cache, and it cannot be used", hint=store.HINT)
    os.makedirs(directory, exist_ok=True)
    with open(archive, "rb") as file:
        replace_file(place, file.read())
    return os.path.relpath(place, root)


def place_base(root: str, entry: str, remote: Remote, context: FetchContext) -> str:
    """The base beside the service: its path when something of it was written, "" when all was there."""
    place = _directory(root, f"services/{entry}/{DIRECTORY}/{remote.directory}")
    source = obtained(remote, context.workdir, context.deadline)
    missing = [path for path in _files(source) if not os.path.isfile(os.path.join(place, path))]
    for path in missing:
        target = _directory(root, os.path.relpath(os.path.join(place, path), root))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(os.path.join(source, path), "rb") as file:
            replace_file(target, file.read())
    return os.path.relpath(place, root) if missing else ""


def _files(directory: str) -> Iterator[str]:
    for parent, _, names in os.walk(directory):
        yield from (os.path.relpath(os.path.join(parent, name), directory) for name in names)


def _directory(root: str, path: str) -> str:
    """Where `path` is, which is no link and lies behind none."""
    place = os.path.join(root, path)
    if os.path.realpath(place) != place:
        raise InputError(f"{path} is a link, or lies behind one")
    return place


def remove_archives(root: str, entry: str, kept: Iterable[str]) -> list[str]:
    """Archives directly in charts/ that are not `kept` (paths relative to the root)."""
    directory = _directory(root, f"services/{entry}/charts")
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    paths = [f"services/{entry}/charts/{name}" for name in names if name.endswith(".tgz")]
    gone = [path for path in paths if path not in set(kept)]
    for path in gone:
        os.unlink(os.path.join(root, path))
    return gone


def remove_bases(root: str, entry: str, kept: Iterable[str]) -> list[str]:
    """Commits of repositories in bases/ that are not `kept` (as `Remote.directory` has them)."""
    top = _directory(root, f"services/{entry}/{DIRECTORY}")
    wanted = {os.path.join(top, path) for path in kept}
    found = [
        os.path.join(parent, name) for parent, names, _ in os.walk(top) for name in names if _COMMIT.fullmatch(name)
    ]
    gone = sorted(place for place in found if place not in wanted and not _is_inside(place, found))
    for place in gone:
        shutil.rmtree(place)
        _remove_empty(os.path.dirname(place), os.path.dirname(top))
    return [os.path.relpath(place, root) for place in gone]


def _is_inside(place: str, others: Iterable[str]) -> bool:
    return any(place.startswith(f"{other}/") for other in others)


def _remove_empty(place: str, end: str) -> None:
    while place != end and not os.listdir(place):
        os.rmdir(place)
        place = os.path.dirname(place)
