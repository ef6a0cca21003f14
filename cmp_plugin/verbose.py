"""What -v shows: one line on stderr for a stage or a process, with its milliseconds. Silent otherwise.

Times are for people; nothing that is rendered ever depends on them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_shown: list[bool] = []  # set once, by the command line; nothing that is rendered asks


def show() -> None:
    """From now on `note` and `stage` print."""
    _shown.append(True)


def is_shown() -> bool:
    """Whether -v was given."""
    return bool(_shown)


def note(text: str) -> None:
    """Prints a line, with -v."""
    if _shown:
        print(f"-- {text}", file=sys.stderr)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Prints how long the block took, with -v; also when it fails."""
    begin = time.monotonic()
    try:
        yield
    finally:
        note(f"{name}: {(time.monotonic() - begin) * 1000:.0f} ms")
