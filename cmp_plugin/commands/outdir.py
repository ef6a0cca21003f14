"""The directory that a command writes, whole or not at all: what is wrong with it, as an error of the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from ..errors import UsageError
from ..system import publish


def write_directory(path: str, files: Iterable[tuple[str, bytes]], name: str = "") -> None:
    """See `publish.write_directory`. UsageError, which calls it `name`, when there can be no directory at `path`."""
    name = name or path
    if not path:
        raise UsageError("an empty word is no directory")
    if os.path.exists(path) and not os.path.isdir(path):
        raise UsageError(f"{name} is no directory")
    begun = False

    def given() -> Iterator[tuple[str, bytes]]:
        nonlocal begun
        begun = True
        yield from files

    try:
        publish.write_directory(path, given())
    except OSError as error:
        if begun:  # a full disk, say: no matter of the command line
            raise
        raise UsageError(f"{name} cannot be made: {os.strerror(error.errno or 0)}") from None
