"""The directory that a command writes, whole or not at all: what is wrong with it, as an error of the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from ..errors import CmpError, UsageError
from ..fleet.files import find_root
from ..system import publish

# What a new repository holds when it comes from a git server.
_GIVEN = re.compile(r"(\.git.*|README.*|LICEN[CS]E.*)", re.IGNORECASE)


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


def check_new_fleet(directory: str) -> None:
    """UsageError when no fleet can begin in `directory`: it holds files of its own, or is part of a fleet."""
    if not directory:
        raise UsageError("an empty word is no directory")
    if os.path.isdir(directory):
        others = sorted(name for name in os.listdir(directory) if not _GIVEN.fullmatch(name))
        if "fleet.yaml" in others:
            raise UsageError(f"{directory} is a fleet already")
        if others:
            raise UsageError(f"{directory} is not empty: it holds {others[0]}", hint="name a new directory")
    try:
        find_root(directory)
    except CmpError:
        return
    raise UsageError(
        f"{directory} lies in a fleet already", hint="`cmp-plugin new cluster` and `new service` add to it"
    )
