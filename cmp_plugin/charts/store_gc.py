"""What the store holds, and how it stays within its bound.

In: the store's directory. Out: its entries, or their removal: what was used longest ago goes first,
what a running process uses stays.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import NamedTuple

from ..system.locks import ALONE, lock_directory, lock_file
from ..system.publish import LEFTOVER, remove
from . import store

# Bytes, chosen, not measured: what runs keeps what it uses, so that too little costs fetches and nothing else.
LIMIT = 1 << 30
_REMOVED = ".gone-"


class Entry(NamedTuple):
    """One chart in the store. `used`: seconds since the epoch, to within `store.FRESH`."""

    digest: str
    size: int
    used: float


def entries() -> list[Entry]:
    """What is in the store, least recently used first."""
    kept: list[Entry] = []
    for name in _names():
        path = os.path.join(store.directory(), name)
        with contextlib.suppress(OSError):  # another process removed it meanwhile
            if not name.startswith("."):
                files = (os.path.join(parent, file) for parent, _, files in os.walk(path) for file in files)
                size = sum(os.lstat(file).st_size for file in files)
                kept.append(Entry(f"sha256:{name}", size, os.stat(path).st_mtime))
    return sorted(kept, key=lambda entry: entry.used)


def _names() -> list[str]:
    try:
        return os.listdir(store.directory())
    except OSError:
        return []


def trim(limit: int = LIMIT) -> int:
    """Remove entries until at most `limit` bytes are left, if that can be; gives the bytes removed.

    Also what processes left that died while they added or removed something, once it is an hour old.
    """
    for name in _names():
        path = os.path.join(store.directory(), name)
        with contextlib.suppress(OSError):
            if name.startswith((LEFTOVER, _REMOVED)) and time.time() - os.lstat(path).st_mtime > store.FRESH:
                remove(path)
    kept = entries()
    total, removed = sum(entry.size for entry in kept), 0
    for entry in kept:
        if total - removed <= limit:
            break
        if _discard(entry.digest):
            removed += entry.size
    return removed


def clear() -> None:
    """Remove everything but what running processes use or fetch."""
    trim(0)
    for name in _names():
        path = os.path.join(store.directory(), name)
        with contextlib.suppress(OSError):
            if name.startswith(".") and (lock := lock_file(path, ALONE)) is not None:
                remove(path)
                os.close(lock)


def _discard(digest: str) -> bool:
    """Take a chart away in one step, then remove it. False: somebody uses it."""
    gone = os.path.join(store.directory(), f"{_REMOVED}{os.urandom(8).hex()}")
    try:
        lock = lock_directory(store.path_of(digest), ALONE)
        if lock is None:
            return False
        try:
            os.rename(store.path_of(digest), gone)
        finally:
            os.close(lock)
    except OSError:
        return False
    remove(gone)
    return True
