"""`vendor`: every locked chart and every base on another machine beside its service.

After it a render needs no network. Archives are what the lock says, byte for byte. What lies there
and nothing names any more is removed.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

from ..charts.bases import names_elsewhere, remotes_of
from ..charts.git_address import Remote
from ..charts.obtain import FetchContext
from ..charts.service_locks import SECONDS_PER_CHART, ServiceLock, service_locks
from ..charts.used import chart_uses
from ..charts.vendoring import place_archive, place_base, remove_archives, remove_bases
from ..errors import CmpError, Errors, InputError
from ..fleet.files import Fleet
from ..fleet.plan import plan_fleet
from ..system.process import Deadline
from ..system.workdir import workdir
from .arguments import opened_fleet
from .progress import progress, waiting

EXAMPLES = (("renders without a network from now on", "cmp-plugin lock && cmp-plugin vendor"),)


def run(args: Namespace) -> int:
    """Writes what is missing. Raises Errors when a lock is out of date or something cannot be fetched."""
    fleet = opened_fleet(args)
    with waiting("reading the fleet"):
        locks, errors = service_locks(fleet)
    errors += [
        InputError(f"{chart} is not in {lock.path[1:]}", chart.at, "run `cmp-plugin lock` first")
        for lock in locks
        for chart in lock.missing
    ]
    if errors:
        raise Errors(errors)
    with workdir() as directory:
        settings = fleet.settings

        def context() -> FetchContext:
            """With a deadline that begins now: each chart has its own."""
            return FetchContext(fleet.tree, settings.mirrors, settings.helm, directory, Deadline(SECONDS_PER_CHART))

        _write(fleet, locks, context)
    return 0


def _write(fleet: Fleet, locks: list[ServiceLock], context: Callable[[], FetchContext]) -> None:
    bases = _bases(fleet, context)
    work: list[Callable[[], str]] = [
        *(lambda s=s, e=e: place_archive(fleet.root, s.entry, e, context()) for s in locks for e in s.entries),
        *(lambda s=s, r=r: place_base(fleet.root, s, r, context()) for s, remotes in bases.items() for r in remotes),
    ]
    errors: list[CmpError] = []
    with progress(len(work), "fetching") as step:
        for task in work:
            try:
                if path := task():
                    print(path)
            except CmpError as error:
                errors.append(error)
            step()
    if errors:
        raise Errors(errors)
    _remove(fleet, locks, bases)


def _bases(fleet: Fleet, context: Callable[[], FetchContext]) -> dict[str, list[Remote]]:
    """Service -> the bases that it needs on any cluster, fetched, as they may need others."""
    bases: dict[str, dict[str, Remote]] = {}
    seen: set[tuple[object, ...]] = set()
    for planned in plan_fleet(fleet, fleet.names("Cluster")):
        service, tree = planned.resolved.service, planned.request.tree
        key = (service.entry, service.resources, str(service.kustomize and service.kustomize.at))
        if key not in seen and names_elsewhere(service, tree):
            use = context()
            bases.setdefault(service.entry, {}).update(remotes_of(service, tree, use.workdir, use.deadline))
        seen.add(key)
    return {entry: list(remotes.values()) for entry, remotes in bases.items()}


def _remove(fleet: Fleet, locks: list[ServiceLock], bases: dict[str, list[Remote]]) -> None:
    """What nothing names: a lock, a `chart: {path}`, an entry of a kustomization."""
    named = {use.chart.path[1:] for use in chart_uses(fleet)[0]}
    locked = {lock.entry: {f"services/{lock.entry}/charts/{chart.file}" for chart in lock.entries} for lock in locks}
    for entry in fleet.names("Service"):
        kept = [remote.directory for remote in bases.get(entry, [])]
        archives = remove_archives(fleet.root, entry, named | locked[entry]) if entry in locked else []
        for path in (*archives, *remove_bases(fleet.root, entry, kept)):
            print(f"{path}: removed")
