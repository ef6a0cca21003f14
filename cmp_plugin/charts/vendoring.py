"""What `vendor` writes: archives in services/<s>/charts/, bases in services/<s>/bases/, nothing beside.

In: a fleet's root, what each service needs. Out: relative paths of what was written or removed. The
directories must be what they seem to be: a link in their place is an error.
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
from collections.abc import Iterable

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
    path = os.path.join(directory, locked.file)
    if os.path.isfile(path) and store.digest_of(path) == locked.digest:
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
        replace_file(path, file.read())
    return os.path.relpath(path, root)


def place_base(root: str, entry: str, remote: Remote, context: FetchContext) -> str:
    """The base beside the service: its path when something of it was written, "" when all was there and the same."""
    directory = _directory(root, f"services/{entry}/{DIRECTORY}/{remote.directory}")
    source = obtained(remote, context.workdir, context.deadline)
    files = [os.path.join(parent, name) for parent, _, names in os.walk(source) for name in names]
    changed = [
        path for file in files if not _same(file, os.path.join(directory, path := os.path.relpath(file, source)))
    ]
    for path in changed:
        target = _directory(root, os.path.relpath(os.path.join(directory, path), root))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(os.path.join(source, path), "rb") as file:
            replace_file(target, file.read())
    return os.path.relpath(directory, root) if changed else ""


def _same(file: str, copy: str) -> bool:
    """Whether `copy` is a regular file with the content of `file`: what died while it wrote may have left a part."""
    return os.path.isfile(copy) and filecmp.cmp(file, copy, shallow=False)


def _directory(root: str, path: str) -> str:
    """Where `path` is on disk, which is no link and lies behind none."""
    absolute = os.path.join(root, path)
    if os.path.realpath(absolute) != absolute:
        raise InputError(f"{path} is a link, or lies behind one")
    return absolute


def remove_archives(root: str, entry: str, kept: Iterable[str]) -> list[str]:
    """Archives directly in charts/ that are not `kept` (paths relative to the root)."""
    directory = _directory(root, f"services/{entry}/charts")
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    paths = [f"services/{entry}/charts/{name}" for name in names if name.endswith(".tgz")]
    unused = [path for path in paths if path not in set(kept)]
    for path in unused:
        os.unlink(os.path.join(root, path))
    return unused


def remove_bases(root: str, entry: str, kept: Iterable[str]) -> list[str]:
    """Commits of repositories in bases/ that are not `kept` (as `Remote.directory` has them)."""
    top = _directory(root, f"services/{entry}/{DIRECTORY}")
    needed = {os.path.join(top, path) for path in kept}
    commits = [
        os.path.join(parent, name) for parent, names, _ in os.walk(top) for name in names if _COMMIT.fullmatch(name)
    ]
    unused = sorted(
        path for path in commits if path not in needed and not any(path.startswith(f"{outer}/") for outer in commits)
    )
    for path in unused:
        shutil.rmtree(path)
        parent = os.path.dirname(path)
        while parent != os.path.dirname(top) and not os.listdir(parent):
            os.rmdir(parent)
            parent = os.path.dirname(parent)
    return [os.path.relpath(path, root) for path in unused]
