"""`init DIR`: a first fleet of one cluster and one service, which renders and validates at once.

The directory must be new or hold nothing but what a git server puts into a new repository. Everything
is written or nothing.
"""

from __future__ import annotations

import os
import shlex
import sys
from argparse import ArgumentParser, Namespace

from ...system.process import Deadline
from ...tools import git
from ..outdir import check_new_fleet, write_directory
from .first_fleet import files

EXAMPLES = (
    ("a fleet to begin with, and that it is right", "cmp-plugin init fleet && cmp-plugin -C fleet validate --render"),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument("dir", help="a directory that is absent, or holds only a README, a licence and git's files")


def run(args: Namespace) -> int:
    """Prints the files written; the next command to type goes to stderr."""
    root = os.path.normpath(os.path.join(args.directory, args.dir)) if args.dir else ""
    check_new_fleet(root)
    made = files(_address(root))
    write_directory(root, ((path, text.encode()) for path, text in made.items()))
    print("\n".join(os.path.normpath(os.path.join(root, path)) for path in sorted(made)), flush=True)
    inside = os.path.realpath(root) == os.getcwd()
    go = "" if inside else f"cd {shlex.quote(os.path.normpath(root))} && "
    print(f"next: {go}cmp-plugin preview dev", file=sys.stderr)
    return 0


def _address(directory: str) -> str:
    """The address of the repository's `origin`, where there is one without a login in it."""
    while not os.path.isdir(directory):
        directory = os.path.dirname(os.path.abspath(directory))
    deadline = Deadline(git.LOOK_SECONDS)
    repository = git.repository(os.path.realpath(directory), deadline)
    return git.origin(repository, deadline) if repository else ""
