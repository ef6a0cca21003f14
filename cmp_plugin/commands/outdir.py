"""An output directory that is written whole or not at all.

Files gather in a private directory and move over only when all are there; an error leaves what
was at the place before as it was.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from types import TracebackType
from typing import Self

from ..errors import UsageError


class OutputDirectory:
    """`with OutputDirectory(place) as out: out.write(...); out.publish()`; errors call it `name`."""

    def __init__(self, place: str, name: str = "") -> None:
        if not place:
            raise UsageError("an empty word is no directory")
        self._name = name or place
        if os.path.exists(place) and not os.path.isdir(place):
            raise UsageError(f"{self._name} is no directory")
        self._place = os.path.abspath(place)

    def __enter__(self) -> Self:
        # Inside of a directory that is there, as beside it may be another file system.
        parent = self._place if os.path.isdir(self._place) else os.path.dirname(self._place)
        try:
            os.makedirs(parent, exist_ok=True)
            self._gathering = tempfile.mkdtemp(prefix=".cmp-plugin-", dir=parent)
        except OSError as error:
            raise UsageError(f"{self._name} cannot be made: {os.strerror(error.errno or 0)}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        shutil.rmtree(self._gathering, ignore_errors=True)

    def write(self, name: str, content: bytes) -> None:
        """Adds a file; `name` is relative, its directories are made."""
        place = os.path.join(self._gathering, name)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "wb") as handle:
            handle.write(content)

    def publish(self) -> None:
        """Moves every file to its place. A directory that was there keeps its other files."""
        for directory, _, names in os.walk(self._gathering):
            target = os.path.join(self._place, os.path.relpath(directory, self._gathering))
            os.makedirs(target, exist_ok=True)
            for name in names:
                os.replace(os.path.join(directory, name), os.path.join(target, name))
