"""One private directory per render, and the removal of those that dead processes left.

In: `$TMPDIR`. Out: the path of a new directory that only this user can enter. Its owner holds a
lock on it while it lives; the system lets go of the lock when the process dies, however it dies.
A directory of ours without a lock is therefore a leftover: no pid that could be reused is asked.
Only the user's own real directories are ever removed, and nothing through a symlink.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
from collections.abc import Iterator

from ..errors import ToolError

# Exactly the names made here: a person's clone in /tmp may well be called cmp-plugin-something.
_NAME = re.compile(r"cmp-plugin-\d+-[0-9a-f]{16}")


@contextlib.contextmanager
def workdir() -> Iterator[str]:
    """A new directory (real path, mode 0700) under `$TMPDIR`, default /tmp; removed at the end.

    Raises `ToolError` when none can be made.
    """
    parent = os.path.realpath(os.environ.get("TMPDIR") or "/tmp")
    _sweep(parent)
    try:
        path, lock = _create(parent)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise ToolError(f"no temporary directory can be made in $TMPDIR: {reason}") from None
    try:
        yield path
    finally:
        _remove(path, lock)


def _create(parent: str) -> tuple[str, int]:
    """A new directory and the descriptor that holds its lock.

    On a file system without locks nobody gets one, so that nobody removes what is in use.
    """
    while True:
        path = os.path.join(parent, f"cmp-plugin-{os.getpid()}-{os.urandom(8).hex()}")
        os.mkdir(path, 0o700)
        lock = _open(path)
        if lock is None:
            continue  # another process took the new directory for a leftover
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        if _is(path, lock):
            return path, lock
        os.close(lock)


def _sweep(parent: str) -> None:
    """Remove our directories in `parent` that nobody holds. Never fails: it is not our render."""
    try:
        names = [name for name in os.listdir(parent) if _NAME.fullmatch(name)]
    except OSError:
        return
    for name in names:
        path = os.path.join(parent, name)
        lock = _open(path)
        if lock is None:
            continue
        ours = os.fstat(lock).st_uid == os.geteuid()
        if ours and _try_lock(lock) and _is(path, lock):
            _remove(path, lock)
        else:
            os.close(lock)


def _open(path: str) -> int | None:
    """The directory itself, never what a symlink names."""
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is(path: str, fd: int) -> bool:
    """Whether `path` is still the directory that `fd` has open."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(fd))
    except OSError:
        return False


def _remove(path: str, lock: int) -> None:
    """Remove the locked directory, then let go of it. What refuses is left to a later sweep."""
    try:
        for _, directories, files, fd in os.fwalk(".", topdown=False, dir_fd=lock):
            for name in files:
                os.unlink(name, dir_fd=fd)
            for name in directories:
                _remove_directory(name, fd)
        os.rmdir(path)
    except OSError:
        pass
    finally:
        os.close(lock)


def _remove_directory(name: str, parent: int) -> None:
    """`name` is an empty directory or a symlink to a directory anywhere."""
    if stat.S_ISLNK(os.lstat(name, dir_fd=parent).st_mode):
        os.unlink(name, dir_fd=parent)
    else:
        os.rmdir(name, dir_fd=parent)
