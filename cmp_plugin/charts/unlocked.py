"""What an unlocked version was when it was last fetched, so that a preview need not fetch it again.

In: what is wanted. Out: what a lock would say of it. It lies in the store beside the charts; a
lock never comes from here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os

from ..errors import CmpError
from . import store
from .lockfile import Locked, dump, find, parse
from .wanted import Wanted


def recall(wanted: Wanted) -> Locked | None:
    """What `remember` was told about `wanted`, if it is still there and makes sense."""
    try:
        with open(_place(wanted), "rb") as file:
            return find(parse(file.read(1 << 20), "remembered"), wanted)
    except (OSError, CmpError):
        return None


def remember(wanted: Wanted, entry: Locked) -> None:
    """Keep it, if that can be done."""
    new = f"{_place(wanted)}.{os.urandom(4).hex()}"
    with contextlib.suppress(OSError, CmpError):
        store.prepare()
        with open(new, "xb") as file:
            file.write(dump([entry]))
        os.replace(new, _place(wanted))


def _place(wanted: Wanted) -> str:
    return os.path.join(store.directory(), f".was-{hashlib.sha256(' '.join(wanted.key).encode()).hexdigest()}")
