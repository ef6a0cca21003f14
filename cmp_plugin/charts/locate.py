"""Where a service's chart is: the one function that knows where charts come from.

In: a resolved service, the fleet's files, the render's own directory and deadline. Out: a directory on
this machine that holds the chart with all of its dependencies. What comes from elsewhere is what
service.lock says, wherever it was fetched from.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from ..errors import CmpError, InputError, Location
from ..fleet.service import Chart, ResolvedService
from ..system.files import FileTree
from ..system.process import Deadline
from . import store
from .chart_request import ChartRequest, request_of
from .dependencies import all_missing, complete
from .lockfile import FILE, Locked, find, parse
from .obtain import FetchContext, checked, locked_chart, named, unlocked_chart


class Located(NamedTuple):
    """`path`: an absolute directory with the chart; helm and we may read it, nothing else.

    `warnings`: sentences for stderr about charts that are not locked.
    """

    path: str
    warnings: list[str]


def locate(service: ResolvedService, tree: FileTree, workdir: str, deadline: Deadline) -> Located:
    """Where the chart of `service` is on this machine.

    Raises InputError (not in the fleet, not locked, another digest, a bad archive) and ToolError (it
    cannot be fetched), each one line with cluster and service.
    """
    warnings: list[str] = []
    context = FetchContext(tree, service.mirrors, service.helm_range, workdir, deadline)
    chart = service.chart
    assert chart is not None

    def elsewhere(request: ChartRequest) -> str:
        return _elsewhere(request, service, context, warnings)

    if not chart.path:
        return Located(elsewhere(request_of(chart)), warnings)
    path = tree.locate(chart.path, chart.at)
    if os.path.isdir(path):
        return Located(complete(chart.path, path, tree, chart.at, workdir, elsewhere), warnings)
    try:
        return Located(checked(path, store.digest_of(path), chart.path[1:], context), warnings)
    except CmpError as error:
        raise named(error, service.label, chart.at) from None


def _elsewhere(request: ChartRequest, service: ResolvedService, context: FetchContext, warnings: list[str]) -> str:
    """A directory with the chart: out of the archive beside the service, the store, or fetched."""
    entry = find(locked(service, context.tree), request)
    if entry is None and not service.lock_optional:
        raise _not_locked(request, service)
    try:
        if entry is None:
            warnings.append(str(_not_locked(request, service)))
            return unlocked_chart(request, context)[1]
        vendored = f"{service.directory}/charts/{entry.file}"
        if context.tree.exists(vendored):
            return checked(context.tree.locate(vendored, request.at), entry.digest, vendored[1:], context)
        return locked_chart(request, entry, context)
    except CmpError as error:
        raise named(error, service.label, request.at) from None


def _not_locked(request: ChartRequest, service: ResolvedService) -> InputError:
    message = f"{service.label}: {request} is not in {service.directory[1:]}/{FILE}"
    return InputError(message, request.at, "run `cmp-plugin lock` and commit what it writes")


def locked(service: ResolvedService, tree: FileTree) -> tuple[Locked, ...]:
    """What service.lock says; nothing when there is none."""
    return locked_charts(service.entry, tree)


def locked_charts(entry: str, tree: FileTree) -> tuple[Locked, ...]:
    """The same for a catalogue entry."""
    path = f"/services/{entry}/{FILE}"
    return parse(tree.read(path, Location(path[1:])), path[1:]) if tree.exists(path) else ()


def needed(chart: Chart, tree: FileTree) -> list[ChartRequest]:
    """Every chart from elsewhere that a service's chart is made of. Reads no lock and no network."""
    if not chart.path:
        return [request_of(chart)]
    return all_missing(chart.path, tree, chart.at) if tree.is_dir(chart.path) else []


def unlocked(service: ResolvedService, tree: FileTree) -> list[CmpError]:
    """What keeps `service` from a render with locked charts only; nothing where the fleet allows others."""
    if service.chart is None or service.lock_optional:
        return []
    try:
        requests = needed(service.chart, tree)
        entries = locked(service, tree) if requests else ()
    except CmpError as error:
        return [error]
    return [_not_locked(request, service) for request in requests if find(entries, request) is None]
