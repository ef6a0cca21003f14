"""One private directory per render, and the removal of those that dead processes left.

In: `$TMPDIR`, or another directory. Out: the path of a new directory that only this user can enter. Its owner holds a
lock on it while it lives; the system releases the lock when the process dies, however it dies.
A directory of ours without a lock is therefore a leftover: no pid that could be reused is asked.
Only the user's own real directories are ever removed, and nothing through a symlink.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator

from ..errors import ToolError
from .locks import ALONE, lock_directory
from .publish import remove

# Exactly the names made here: a person's clone in /tmp may well be called cmp-plugin-something.
_NAME = re.compile(r"cmp-plugin-\d+-[0-9a-f]{16}")


@contextlib.contextmanager
def workdir() -> Iterator[str]:
    """A new directory (real path, mode 0700) under `$TMPDIR`, default /tmp; removed at the end.

    Raises `ToolError` when none can be made.
    """
    with contextlib.ExitStack() as stack:
        try:
            path = stack.enter_context(workdir_in(os.environ.get("TMPDIR") or "/tmp"))
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise ToolError(f"no temporary directory can be made in $TMPDIR: {reason}") from None
        yield path


@contextlib.contextmanager
def workdir_in(directory: str) -> Iterator[str]:
    """The same in a directory that exists. OSError when none can be made."""
    parent = os.path.realpath(directory)
    sweep(parent)
    path, lock = _create(parent)
    try:
        yield path
    finally:
        remove(path)
        if lock is not None:
            os.close(lock)


def _create(parent: str) -> tuple[str, int | None]:
    """A new directory and the descriptor that holds its lock, None on a file system without locks.

    There nobody gets one, so nobody takes a directory in use for a leftover.
    """
    while True:
        path = os.path.join(parent, f"cmp-plugin-{os.getpid()}-{os.urandom(8).hex()}")
        os.mkdir(path, 0o700)
        try:
            lock = lock_directory(path, ALONE, wait=True)
        except OSError:
            return path, None
        if lock is not None:
            return path, lock
        # Another process saw it before it was locked, took it for a leftover and removed it.


def sweep(parent: str) -> None:
    """Remove our directories in `parent` that no process holds. Never fails: they are not the caller's work."""
    try:
        names = [name for name in os.listdir(parent) if _NAME.fullmatch(name)]
    except OSError:
        return
    for name in names:
        path = os.path.join(parent, name)
        with contextlib.suppress(OSError):  # no directory, or another user's
            lock = lock_directory(path, ALONE)
            if lock is not None:
                if os.fstat(lock).st_uid == os.geteuid():
                    remove(path)
                os.close(lock)
