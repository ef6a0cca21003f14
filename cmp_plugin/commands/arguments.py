"""What several commands take: a fleet, a cluster or service by its name or directory's path, a number of jobs."""

from __future__ import annotations

import os
from argparse import Action, ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Any

from ..errors import InputError, UsageError, there_is
from ..fleet.files import Fleet, find_root, open_fleet


def opened_fleet(args: Namespace) -> Fleet:
    """The fleet that -C or the current directory lies in."""
    if not args.directory:
        raise UsageError("an empty word is no directory")
    if not os.path.isdir(args.directory):
        raise InputError(f"{args.directory} is no directory")
    return open_fleet(find_root(args.directory))


def cluster_name(fleet: Fleet, word: str) -> str:
    """The cluster that `word` names or whose directory it is. InputError when there is none."""
    name = word if fleet.has("Cluster", word) else _name_of_directory(fleet, word, "clusters")
    if fleet.has("Cluster", name):
        return name
    raise InputError(f'there is no cluster "{word}"', None, there_is(name, fleet.names("Cluster")))


def service_name(fleet: Fleet, word: str) -> str:
    """The service key that `word` is, or the service whose directory it is."""
    return _name_of_directory(fleet, word, "services")


def _name_of_directory(fleet: Fleet, word: str, kind: str) -> str:
    """The last part of a path into `clusters/` or `services/`, from here or from the root; else `word`."""
    for start in (os.getcwd(), fleet.root):
        relative = os.path.relpath(os.path.realpath(os.path.join(start, word)), fleet.root)
        if os.path.dirname(relative) == kind:
            return os.path.basename(relative)
    return word


def add_jobs(parser: ArgumentParser) -> None:
    """Adds `--jobs N`: how many renders at once, None for one per core. UsageError: less than 1."""
    parser.add_argument("--jobs", type=int, action=_Jobs, metavar="N", help="renders at once; default: number of cores")


class _Jobs(Action):
    def __call__(
        self, parser: ArgumentParser, args: Namespace, values: str | Sequence[Any] | None, option: str | None = None
    ) -> None:
        if not isinstance(values, int) or values < 1:
            raise UsageError("--jobs must be 1 or more")
        args.jobs = values
