"""Where a service's chart is: the one function that knows where charts come from.

In: a resolved service, the fleet's files, the render's own directory and deadline. Out: a directory on
this machine that holds the chart with all of its dependencies. What comes from elsewhere is what
service.lock says, wherever it was fetched from.
"""

from __future__ import annotations

import os

from .errors import CmpError, InputError, Location
from .service import Chart, Service
from .sources import store
from .sources.dependencies import all_missing, complete
from .sources.lockfile import FILE, Locked, find, parse
from .sources.obtain import Means, checked, locked_chart, named, unlocked_chart
from .sources.wanted import Wanted, wanted_chart
from .tools.process import Deadline
from .tree import Tree


def locate(service: Service, tree: Tree, workdir: str, deadline: Deadline) -> str:
    """The absolute path of a directory with the chart of `service`; helm and we may read it, nothing else.

    Raises InputError (not in the fleet, not locked, another digest, a bad archive) and ToolError (it
    cannot be fetched), each one line with cluster and service.
    """
    chart = service.chart
    assert chart is not None
    means = Means(tree, service.mirrors, service.helm_range, workdir, deadline)
    if not chart.path:
        return _elsewhere(wanted_chart(chart), service, means)
    place = tree.locate(chart.path, chart.at)
    if os.path.isdir(place):
        return complete(chart.path, place, tree, chart.at, workdir, lambda one: _elsewhere(one, service, means))
    try:
        return checked(place, store.digest_of(place), chart.path[1:], means)
    except CmpError as error:
        raise named(error, service.label, chart.at) from None


def _elsewhere(wanted: Wanted, service: Service, means: Means) -> str:
    try:
        entry = find(locked(service, means.tree), wanted)
        if entry is not None:
            return _vendored(wanted, entry, service, means) or locked_chart(wanted, entry, means)
        if service.lock_optional:
            return unlocked_chart(wanted, means)[1]
        hint = "run `cmp-plugin lock` and commit what it writes"
        raise InputError(f"{wanted} is not in {_lock_path(service)[1:]}", None, hint)
    except CmpError as error:
        raise named(error, service.label, wanted.at) from None


def _lock_path(service: Service) -> str:
    return f"{service.directory}/{FILE}"


def locked(service: Service, tree: Tree) -> tuple[Locked, ...]:
    """What service.lock says; nothing when there is none."""
    path = _lock_path(service)
    return parse(tree.read(path, Location(path[1:])), path[1:]) if tree.exists(path) else ()


def _vendored(wanted: Wanted, entry: Locked, service: Service, means: Means) -> str:
    """The chart out of the archive beside the service, or "" where there is none."""
    path = f"{service.directory}/charts/{entry.file}"
    if not means.tree.exists(path):
        return ""
    return checked(means.tree.locate(path, wanted.at), entry.digest, path[1:], means)


def needed(chart: Chart, tree: Tree) -> list[Wanted]:
    """Every chart from elsewhere that a service's chart is made of. Reads no lock and no network."""
    if not chart.path:
        return [wanted_chart(chart)]
    return all_missing(chart.path, tree, chart.at) if tree.is_dir(chart.path) else []


def unlocked(service: Service, tree: Tree) -> list[Wanted]:
    """What a render of `service` needs and service.lock does not name."""
    if service.chart is None:
        return []
    wanted = needed(service.chart, tree)
    entries = locked(service, tree) if wanted else ()
    return [one for one in wanted if find(entries, one) is None]
