"""`lock`: services/*/service.lock for every chart that any cluster uses; `lock --check` looks only.

What a lock already says stays as it is; only what is new is fetched. A service of which something
cannot be fetched keeps its old lock, the others get theirs.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, Namespace

from ..charts.service_locks import ServiceLock, fetch_missing, missing_charts, service_locks
from ..errors import CmpError, Errors, InputError, Location
from ..fleet.files import Fleet
from ..system.publish import replace_file
from .arguments import opened_fleet
from .progress import progress, waiting

EXAMPLES = (
    ("after a new chart or version", "cmp-plugin lock"),
    ("in CI", "cmp-plugin lock --check"),
)


def arguments(parser: ArgumentParser) -> None:
    """Adds the command's own arguments to its parser."""
    parser.add_argument("--check", action="store_true", help="write nothing, fail when out of date")


def run(args: Namespace) -> int:
    """Writes, or with --check prints what is out of date and returns 1 if anything is."""
    fleet = opened_fleet(args)
    with waiting("reading the fleet"):
        locks, errors = service_locks(fleet)
    if args.check:
        return _check(locks, errors)
    if errors:
        raise Errors(errors)
    return _write(fleet, locks)


def _check(locks: list[ServiceLock], errors: list[CmpError]) -> int:
    hint = "run `cmp-plugin lock`"
    for lock in locks:
        file = lock.path[1:]
        errors += [InputError(f"{chart} is not in {file}", chart.at, hint) for chart in lock.missing]
        errors += [
            InputError(f"no cluster uses chart {entry.name} {entry.version} any more", Location(file), hint)
            for entry in lock.unused
        ]
    if not errors:
        count = sum(len(lock.entries) for lock in locks)
        print(f"{count} charts of {len(locks)} services are locked", file=sys.stderr)
        return 0
    print(Errors(errors))
    return 1


def _write(fleet: Fleet, locks: list[ServiceLock]) -> int:
    missing = missing_charts(locks)
    with progress(len(missing), "fetching") as step:
        new, errors = fetch_missing(fleet, missing, step)
    for lock in locks:
        if lock.is_complete(new):
            _replace(fleet.root, lock, lock.text(new))
    if errors:
        raise Errors(errors)
    return 0


def _replace(root: str, lock: ServiceLock, text: bytes) -> None:
    file = root + lock.path
    if text == lock.data:
        return
    if not text:
        os.unlink(file)
        print(f"{lock.path[1:]}: removed, no chart to lock")
        return
    replace_file(file, text)
    print(f"{lock.path[1:]}: {len(lock.wanted)} chart{'s' if len(lock.wanted) > 1 else ''}")
