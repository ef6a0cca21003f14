"""What the store holds, and how it stays within its bound.

In: the store's directory. Out: its entries, or their removal: what was used longest ago goes first,
what a running process uses stays.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import NamedTuple

from ..system.locks import ALONE, hold_directory
from . import store

LIMIT = 1 << 30  # bytes
_LEFTOVERS = (".new-", ".gone-")


class Entry(NamedTuple):
    """One chart in the store. `used`: seconds since the epoch, to within `store.FRESH`."""

    digest: str
    size: int
    used: float


def entries() -> list[Entry]:
    """What is in the store, least recently used first."""
    found: list[Entry] = []
    for name in _names():
        place = os.path.join(store.directory(), name)
        with contextlib.suppress(OSError):
            if not name.startswith("."):
                found.append(Entry(f"sha256:{name}", _size(place), os.stat(place).st_mtime))
    return sorted(found, key=lambda entry: entry.used)


def _names() -> list[str]:
    try:
        return os.listdir(store.directory())
    except OSError:
        return []


def _size(place: str) -> int:
    return sum(os.lstat(os.path.join(parent, name)).st_size for parent, _, names in os.walk(place) for name in names)


def trim(limit: int = LIMIT) -> int:
    """Remove entries until at most `limit` bytes are left, if that can be; gives the bytes removed."""
    _remove_leftovers()
    found = entries()
    total, removed = sum(entry.size for entry in found), 0
    for entry in found:
        if total - removed <= limit:
            break
        if _discard(store.place_of(entry.digest)):
            removed += entry.size
    return removed


def clear() -> None:
    """Remove everything but what running processes use."""
    trim(0)
    for name in _names():
        with contextlib.suppress(OSError):
            if name.startswith("."):
                os.unlink(os.path.join(store.directory(), name))


def _discard(place: str) -> bool:
    """Take it away in one step, then remove it. False: somebody uses it."""
    descriptor = hold_directory(place, ALONE)
    if descriptor is None:
        return False
    gone = os.path.join(store.directory(), f"{_LEFTOVERS[1]}{os.urandom(8).hex()}")
    try:
        os.rename(place, gone)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    store.remove(gone)
    return True


def _remove_leftovers() -> None:
    """What processes left that died while they added or removed something."""
    for name in _names():
        place = os.path.join(store.directory(), name)
        with contextlib.suppress(OSError):
            if name.startswith(_LEFTOVERS) and time.time() - os.lstat(place).st_mtime > store.FRESH:
                store.remove(place)
