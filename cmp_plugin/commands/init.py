"""`init DIR`: a first fleet of one cluster and one service, which renders and validates at once.

The directory must be new or hold nothing but what a git server puts into a new repository. Everything
is written or nothing.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from argparse import Namespace

from ..errors import CmpError, UsageError
from ..fleet.files import find_root
from ..system.process import Deadline
from ..tools import git
from .first_fleet import files
from .outdir import write_directory

# What a new repository holds when it comes from a git server.
_GIVEN = re.compile(r"(\.git.*|README.*|LICEN[CS]E.*)", re.IGNORECASE)
GIT_SECONDS = 20.0


def run(args: Namespace) -> int:
    """Prints the files written; the next command to type goes to stderr."""
    place = os.path.normpath(os.path.join(args.directory, args.dir)) if args.dir else ""
    check_place(place)
    made = files(_address(place))
    write_directory(place, ((path, text.encode()) for path, text in made.items()))
    print("\n".join(os.path.normpath(os.path.join(place, path)) for path in sorted(made)), flush=True)
    inside = os.path.realpath(place) == os.getcwd()
    go = "" if inside else f"cd {shlex.quote(os.path.normpath(place))} && "
    print(f"next: {go}cmp-plugin preview dev", file=sys.stderr)
    return 0


def check_place(place: str) -> None:
    """UsageError when a fleet cannot begin at `place`."""
    if not place:
        raise UsageError("an empty word is no directory")
    if os.path.isdir(place):
        others = sorted(name for name in os.listdir(place) if not _GIVEN.fullmatch(name))
        if "fleet.yaml" in others:
            raise UsageError(f"{place} is a fleet already")
        if others:
            raise UsageError(f"{place} is not empty: it holds {others[0]}", hint="name a new directory")
    try:
        find_root(place)
    except CmpError:
        return
    raise UsageError(f"{place} lies in a fleet already", hint="`cmp-plugin new cluster` and `new service` add to it")


def _address(place: str) -> str:
    """The address of the repository's `origin`, where there is one without a login in it."""
    while not os.path.isdir(place):
        place = os.path.dirname(os.path.abspath(place))
    deadline = Deadline(GIT_SECONDS)
    repository = git.repository(os.path.realpath(place), deadline)
    return git.origin(repository, deadline) if repository else ""
