"""Locks on directories and files, which the system releases when their owner ends, however it ends.

In: a path. Out: a descriptor that holds the lock as long as it is open, or None. The only place that calls
flock, with one contract: what is opened is never what a link names (O_NOFOLLOW), it is closed in every
program that we start (Python opens with close-on-exec), a lock file is made for its owner only (0600), and
what was locked is still at its path: whoever removes something takes its lock first, so that after the wait
for a lock its path may lead to something else, or to nothing.
"""

from __future__ import annotations

import fcntl
import os

SHARED, ALONE = fcntl.LOCK_SH, fcntl.LOCK_EX
_FILE, _DIRECTORY = os.O_RDWR, os.O_RDONLY | os.O_DIRECTORY


def lock_directory(path: str, kind: int, *, wait: bool = False) -> int | None:
    """A lock on the directory at `path`, `SHARED` or `ALONE`; with `wait` as soon as others release theirs.

    None when nothing is there (any more) or, without `wait`, when another's lock is in the way. OSError when
    there can be no lock: no permission, a link in its place, a file system that has none.
    """
    return _lock(path, _DIRECTORY, kind, wait)


def lock_file(path: str, kind: int, *, create: bool = False, wait: bool = False) -> int | None:
    """The same for a file; with `create` an empty one is made where there is none."""
    return _lock(path, _FILE | (os.O_CREAT if create else 0), kind, wait)


def _lock(path: str, flags: int, kind: int, wait: bool) -> int | None:
    while True:
        try:
            descriptor = os.open(path, flags | os.O_NOFOLLOW, 0o600)
        except FileNotFoundError:
            return None
        locked = False
        try:
            fcntl.flock(descriptor, kind if wait else kind | fcntl.LOCK_NB)
            locked = os.path.samestat(os.lstat(path), os.fstat(descriptor))
            if locked:
                return descriptor
        except BlockingIOError:
            return None
        except FileNotFoundError:
            pass  # removed while we waited for it
        finally:
            if not locked:
                os.close(descriptor)
        if not flags & os.O_CREAT:
            return None
