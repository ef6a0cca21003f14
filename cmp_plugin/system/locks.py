"""Locks on directories and files, which the system lets go of when their owner ends, however it ends.

In: a path. Out: a descriptor that holds the lock as long as it is open, or None.
"""

from __future__ import annotations

import fcntl
import os

SHARED, ALONE = fcntl.LOCK_SH, fcntl.LOCK_EX


def hold_directory(place: str, kind: int) -> int | None:
    """A lock on the real directory at `place`; None: nothing is there, or another's lock is in the way."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    # Whoever removes it takes the lock first: what we have locked may be gone from its place by now.
    if hold(descriptor, kind) and _is(place, descriptor):
        return descriptor
    os.close(descriptor)
    return None


def hold(descriptor: int, kind: int) -> bool:
    """Lock what is open, if that can be done at once."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _is(place: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.lstat(place), os.fstat(descriptor))
    except OSError:
        return False
