"""What an unlocked version was when it was last fetched, so that a preview need not fetch it again.

In: what is requested. Out: what a lock would say of it. It lies in the store beside the charts; a
lock never comes from here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os

from ..errors import CmpError
from ..system.publish import replace_file
from . import store
from .chart_request import ChartRequest
from .lockfile import Locked, dump, find, parse


def recall(request: ChartRequest) -> Locked | None:
    """What `remember` was told about `request`, if it is still there and makes sense."""
    try:
        with open(_path(request), "rb") as file:
            return find(parse(file.read(1 << 20), "remembered"), request)
    except (OSError, CmpError):
        return None


def remember(request: ChartRequest, entry: Locked) -> None:
    """Keep it, if that can be done."""
    with contextlib.suppress(OSError, CmpError):
        store.prepare()
        replace_file(_path(request), dump([entry]))


def _path(request: ChartRequest) -> str:
    return os.path.join(store.directory(), f".was-{hashlib.sha256(' '.join(request.key).encode()).hexdigest()}")
